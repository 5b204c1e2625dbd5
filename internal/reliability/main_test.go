package main

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/process"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestMain(m *testing.M) {
	process.Child()
	os.Exit(m.Run())
}

// Every line of testdata/found.txt was a failure once.
func TestWhatSoaksHaveFound(t *testing.T) {
	text, err := os.ReadFile("testdata/found.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, repeat, _ := strings.Cut(line, " ")
		t.Run(line, func(t *testing.T) {
			i := slices.IndexFunc(tiers(), func(t tier.Tier) bool { return t.Name == name })
			require.GreaterOrEqual(t, i, 0, "there is no tier %q", name)
			var out bytes.Buffer
			job := &tier.Job{Seed: 1, Workers: 1, Dir: t.TempDir(), Out: &out, Repeat: repeat}
			tiers()[i].Do(t.Context(), job)
			require.Empty(t, job.Failures(), "%s", &out)
		})
	}
}

func TestTheCommandRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, c := range []struct {
		args string
		says string
	}{
		{"-scale huge", "test or ci"},
		{"-without XX9", "there is no law"},
		{"-repeat seed=1", "exactly one tier"},
		{"nonsense", `no tier "nonsense"`},
		{"-seed x", "invalid value"},
	} {
		var out, errOut bytes.Buffer
		require.Equal(t, 1, run(t.Context(), strings.Fields(c.args), &out, &errOut), c.args)
		require.Contains(t, errOut.String(), c.says, c.args)
	}
	var out, errOut bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"-help"}, &out, &errOut))
	for _, tier := range tiers() {
		require.Contains(t, errOut.String(), tier.Name)
		require.NotEmpty(t, tier.Doc)
	}
}

// A failure is told with the command that shows it again, what was not done is
// named, a figure that was not reached is a failure, and none of them passes.
func TestWhatDoesNotPassIsTold(t *testing.T) {
	do := func(o options, f func(job *tier.Job)) (string, bool) {
		var out bytes.Buffer
		o.dir = t.TempDir()
		failed := o.once(t.Context(), []tier.Tier{{Name: "toy", Doc: "a toy", Run: func(_ context.Context, job *tier.Job) { f(job) }}}, &out, &out)
		return out.String(), failed
	}
	out, failed := do(options{seed: 3}, func(job *tier.Job) { job.Add("things", 3); job.Need("things", 3) })
	require.False(t, failed, out)
	require.Contains(t, out, "| toy | things 3 | 3 |")

	out, failed = do(options{}, func(job *tier.Job) { job.Add("things", 2); job.Need("things", 3) })
	require.True(t, failed)
	require.Contains(t, out, "things: 2, at least 3 must be reached")

	keep := t.TempDir() + "/found.txt"
	out, failed = do(options{keep: keep}, func(job *tier.Job) { job.Fail("seed=7", "it is broken") })
	require.True(t, failed)
	require.Contains(t, out, "FAILED in toy: it is broken")
	require.Contains(t, out, "go run ./internal/reliability -repeat 'seed=7' toy")
	kept, err := os.ReadFile(keep)
	require.NoError(t, err)
	require.Equal(t, "toy seed=7\n", string(kept))

	out, failed = do(options{}, func(job *tier.Job) { job.Skip("power", "there is no loop device") })
	require.True(t, failed)
	require.Contains(t, out, "SKIPPED in toy: power: there is no loop device; FAILED: not permitted (-permit toy/power)")
	out, failed = do(options{permit: []string{"toy/power"}}, func(job *tier.Job) { job.Skip("power", "there is no loop device") })
	require.False(t, failed)
	require.Contains(t, out, "permitted")
}
