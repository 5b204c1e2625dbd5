package enumerate_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/enumerate"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestNothingIsLostWhereverASmallRunIsStoppedOrFails(t *testing.T) {
	job := &tier.Job{Scale: tier.Test, Seed: 1, Workers: 2, Dir: t.TempDir(), Out: t.Output(), Repeat: os.Getenv("REPEAT")}
	enumerate.Tier().Do(t.Context(), job)
	t.Log(job.Line())
	require.Empty(t, job.Failures())
}
