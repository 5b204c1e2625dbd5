package model

import (
	"slices"
	"strings"
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

func TestMovesAreReadAsTheyAreWritten(t *testing.T) {
	const moves = "r l e0/0102 p1 P c b w0 g1 x3/1 s2 q"
	path, err := parse(moves)
	require.NoError(t, err)
	require.Equal(t, moves, write(path))
	for _, bad := range []string{"z", "e", "e9", "r1", "e0/" + strings.Repeat("1", 99), "ee"} {
		_, err := parse(bad)
		require.Error(t, err, bad)
	}
}

func TestOnlyWhatNamesAConfigIsOne(t *testing.T) {
	for _, name := range slices.Concat(configs(tier.Test), configs(tier.CI), configs(tier.Soak)) {
		_, err := Named(name)
		require.NoError(t, err, name)
	}
	for _, name := range []string{"", "published", "published/n2/at1", "published/n9/at1/f1", "published/n2/at1/fx", "nothing/n2/at1/f1", "published/n2/at1/f1/odd"} {
		_, err := Named(name)
		require.Error(t, err, name)
	}
}

// A failure's Repeat tells the same again, in detail.
func TestAFailureIsToldAgain(t *testing.T) {
	var out strings.Builder
	job := &tier.Job{Scale: tier.Test, Workers: 1, Dir: t.TempDir(), Out: &out, Repeat: "as-written/n2/at1/f1 r l l l e0 c"}
	Tier().Do(t.Context(), job)
	require.Empty(t, job.Failures())
	require.Contains(t, out.String(), "  5. Production: fetchLicense is carried out; (read[0] source); ")
	require.Contains(t, out.String(), "  6. Infrastructure: the process dies; (died[0]); ")
	for _, bad := range []string{"nothing r", "as-written/n2/at1/f1 e0", "as-written/n2/at1/f1 ?"} {
		job := &tier.Job{Scale: tier.Test, Workers: 1, Dir: t.TempDir(), Out: &out, Repeat: bad}
		Tier().Do(t.Context(), job)
		require.NotEmpty(t, job.Failures(), bad)
	}
}

// What is walked through does not depend on chance.
func TestTheSameIsFoundAgain(t *testing.T) {
	walk := func() found {
		cfg, err := Named("published/n2/at2/f1")
		require.NoError(t, err)
		m, err := newModel(cfg)
		require.NoError(t, err)
		return explore(t.Context(), m, smallLimit)
	}
	require.Equal(t, walk(), walk())
}
