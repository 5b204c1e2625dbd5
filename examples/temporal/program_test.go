package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdklog "go.temporal.io/sdk/log"
	sdk "go.temporal.io/sdk/worker"

	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

func silent() sdklog.Logger { return sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// eventually calls the verb until it exits with code, and returns its output.
func (s *server) eventually(t *testing.T, code int, args ...string) (out string) {
	t.Helper()
	var got int
	var errOut string
	require.Eventually(t, func() bool {
		got, out, errOut = s.verb(t, args...)
		return got == code && !strings.Contains(out, "under way")
	}, time.Minute, 100*time.Millisecond, "%q: %d, %s%s", args, got, out, errOut)
	return out
}

func TestAPersonActsAndTheChangeoverGoesOn(t *testing.T) {
	s, state := newServer(t), t.TempDir()
	inf := infrastructures(t, 5)[4]
	require.Equal(t, report.Held, inf.verdict)
	_, err := inf.put(state)
	require.NoError(t, err)
	w, err := s.worker(state)
	require.NoError(t, err)
	t.Cleanup(w.end)
	name, missing := inf.plan.Infrastructure.Name, inf.plan.Infrastructure.Environments[0].Name

	c := s.dial(t)
	_, err = temporal.Start(t.Context(), c, "changeover", inf.plan, nil)
	require.NoError(t, err)
	_, err = temporal.Start(t.Context(), c, "changeover", inf.plan, nil)
	require.Error(t, err, "an infrastructure has one changeover at a time")

	out := s.eventually(t, report.Held.ExitCode(), "status", name)
	require.Contains(t, out, missing)
	code, _, errOut := s.verb(t, "release", "-why", "a mistake", name)
	require.Equal(t, 1, code, "nobody holds it")
	require.NotEmpty(t, errOut)
	code, out, errOut = s.verb(t, "explain", "-env", missing, name)
	require.Equal(t, 0, code, errOut)
	require.Contains(t, out, "NeedsSupport")

	// Support adds the serial number, and somebody says so.
	dir, err := (&workerVerb{state: state}).place(inf.plan)
	require.NoError(t, err)
	k := &keeper{dir: dir, world: inf.world(), fatal: func(err error) { t.Error(err) }}
	k.enter()
	k.world.AddSerial(inf.plan.Source, missing)
	require.NoError(t, k.keep())
	k.leave()
	code, _, errOut = s.verb(t, "resolve", "-env", missing, "-evidence", "Support has added it", name)
	require.Equal(t, 0, code, errOut)
	code, _, errOut = s.verb(t, "resume", "-why", "Support has added it", name)
	require.Equal(t, 0, code, errOut)
	code, out, errOut = s.verb(t, "wait", name)
	require.Equal(t, 0, code, errOut)
	require.Contains(t, out, "Completed")

	for _, format := range []string{"text", "markdown", "json"} {
		code, out, errOut = s.verb(t, "report", "-format", format, name)
		require.Equal(t, 0, code, errOut)
		require.Contains(t, out, missing)
	}
	require.Contains(t, out, "Support has added it")
}

func TestWorkersOfAnotherDefinitionDoNothing(t *testing.T) {
	s := newServer(t)
	c := s.dial(t)
	plan := planOf(t, "Acme", migration.Published)
	careful := func(leg migration.Leg, table machine.Table[environment.Facts]) machine.Table[environment.Facts] {
		if !leg.Gate {
			return table
		}
		return table.Require(migration.BackedUp, machine.Guard[environment.Facts]{
			Name: "careful", Doc: "Somebody was careful.", Holds: func(environment.Facts) (bool, string) { return true, "" },
		})
	}
	host := func(extend func(migration.Leg, machine.Table[environment.Facts]) machine.Table[environment.Facts], state string) *temporal.Workers {
		verb := &workerVerb{program: &program{}, state: state, fatal: func(err error) { t.Error(err) }}
		w, err := temporal.NewWorkers(c, "changeover", &temporal.Host{Ports: verb.ports, Journal: verb.journal, Extend: extend}, sdk.Options{})
		require.NoError(t, err)
		require.NoError(t, w.Start())
		return w
	}
	state := t.TempDir()
	old := host(nil, state)
	r, err := temporal.Start(t.Context(), c, "changeover", plan, &temporal.StartOptions{Extend: careful})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err = r.Wait(ctx)
	require.Error(t, err)
	journals, err := filepath.Glob(filepath.Join(state, "*", "journal", "journal.jsonl"))
	require.NoError(t, err)
	require.Empty(t, journals, "nothing was begun with tables that were not asked for")
	old.Stop()

	right := host(careful, state)
	t.Cleanup(right.Stop)
	result, err := r.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, result.Verdict)
}

func TestAFleetOfPlansInADirectory(t *testing.T) {
	s := newServer(t)
	w, err := s.worker(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(w.end)
	text, err := os.ReadFile("plan.json")
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"North", "South"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(strings.Replace(string(text), "Acme", name, 1)), 0o600))
	}
	code, out, errOut := s.verb(t, "fleet", "-limit", "1", dir)
	require.Equal(t, 0, code, errOut)
	require.Contains(t, out, "2 changeovers, 1 at a time")
	require.Eventually(t, func() bool {
		_, out, errOut = s.verb(t, "members", "fleet")
		return strings.Count(out, "Completed") == 2
	}, 2*time.Minute, 100*time.Millisecond, "%s%s", out, errOut)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "East.json"), []byte("{}"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "West.json"), []byte("[]"), 0o600))
	code, _, errOut = s.verb(t, "fleet", "-name", "second", dir)
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "East.json")
	require.Contains(t, errOut, "West.json", "all mistakes at once")
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"an unknown verb":        {[]string{"begin"}, `no verb "begin"`},
		"a missing argument":     {[]string{"start"}, "wants 1 arguments"},
		"flags behind arguments": {[]string{"status", "Acme", "-wait"}, "flags come first"},
		"an unknown flag":        {[]string{"start", "-force", "plan.json"}, "-force"},
		"a server that is not":   {[]string{"status", "-address", "127.0.0.1:1", "Acme"}, "no Temporal server answers at 127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := new(server).verb(t, c.args...)
			require.Equal(t, 1, code)
			require.Empty(t, out)
			require.Contains(t, errOut, c.want)
		})
	}
}

// TestThePlansAreTheOneOfTheQuickstart keeps the copies equal.
func TestThePlansAreTheOneOfTheQuickstart(t *testing.T) {
	want, err := os.ReadFile("../quickstart/plan.json")
	require.NoError(t, err)
	for _, name := range []string{"plan.json", "local/plan.json"} {
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), name)
		require.True(t, json.Valid(got))
	}
}
