package model

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestTheShippedTablesKeepEveryPromise(t *testing.T) {
	job := &tier.Job{Scale: tier.Test, Workers: 2, Dir: t.TempDir(), Out: t.Output()}
	Tier().Do(t.Context(), job)
	require.Empty(t, job.Failures())
	t.Log(job.Line())
}
