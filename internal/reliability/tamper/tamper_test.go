package tamper

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestEveryTamperingIsNamedOrOfAClass(t *testing.T) {
	job := &tier.Job{Scale: tier.Test, Workers: 2, Dir: t.TempDir(), Out: os.Stderr}
	Tier().Do(t.Context(), job)
	for _, f := range job.Failures() {
		t.Log(f.Repeat, f.What)
	}
	require.Empty(t, job.Failures())
	t.Log(job.Line())
}
