package simulate_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/simulate"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// job runs the tier and returns what it has to say.
func job(t *testing.T, repeat string) (*tier.Job, string) {
	var out strings.Builder
	j := &tier.Job{Scale: tier.Test, Seed: 1, Workers: runtime.GOMAXPROCS(0), Dir: t.TempDir(), Out: &out, Repeat: repeat}
	simulate.Tier().Do(t.Context(), j)
	return j, out.String()
}

func TestNoSeedBreaksAPromise(t *testing.T) {
	j, _ := job(t, "")
	for _, f := range j.Failures() {
		t.Errorf("%s (repeat with %s)", f.What, f.Repeat)
	}
	t.Log(j.Line())
}

func TestASeedIsToldAgain(t *testing.T) {
	j, first := job(t, "seed=7")
	require.Empty(t, j.Failures())
	require.Contains(t, first, "journal 1: opened")
	_, second := job(t, "seed=7")
	require.Equal(t, first, second)
}
