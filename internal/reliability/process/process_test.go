package process_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/process"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// TestMain lets this binary be the process under test.
func TestMain(m *testing.M) {
	process.Child()
	os.Exit(m.Run())
}

func TestEveryTierFindsNothing(t *testing.T) {
	for _, one := range process.Tiers() {
		t.Run(one.Name, func(t *testing.T) {
			job := &tier.Job{Scale: tier.Test, Seed: 1, Workers: 2, Dir: t.TempDir(), Out: t.Output()}
			one.Do(context.WithoutCancel(t.Context()), job)
			t.Log(job.Line(), job.Skips())
			require.Empty(t, job.Failures())
		})
	}
}
