package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// What is killed, and how often: by default enough to see that it works. `make
// temporal-kills` asks for 200 kills over 50 infrastructures.
var (
	kills               = flag.Int("kills", 10, "kill a worker, or the server, so many times")
	infrastructureCount = flag.Int("infrastructures", 5, "while so many infrastructures are moved")
)

const (
	workerCount = 2
	serverEvery = 10 // how many kills from one of the server to the next
)

// TestKilled kills workers and the server, over and over, while they move
// infrastructures. Each must come to the end to which it comes when nothing
// happens, with the same things done to it, a journal that is whole, and no
// promise broken on the way.
func TestKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	state := t.TempDir()
	all := infrastructures(t, *infrastructureCount)
	var places []string
	var bytes int64 // of all journals, when nothing happens
	for _, inf := range all {
		place, err := inf.put(state)
		require.NoError(t, err)
		places, bytes = append(places, filepath.Join(place, "journal")), bytes+inf.bytes
	}
	s := newServer(t)
	var workers []*process
	hire := func() {
		w, err := s.worker(state, "-pace", "5ms")
		require.NoError(t, err)
		workers = append(workers, w)
	}
	for range workerCount {
		hire()
	}
	t.Cleanup(func() {
		for _, w := range workers {
			w.kill()
		}
	})
	c := s.dial(t)
	for _, inf := range all {
		_, err := temporal.Start(t.Context(), c, "changeover", inf.plan, &temporal.StartOptions{Heartbeat: time.Second})
		require.NoError(t, err)
	}

	// The kills are spread over what there is to do.
	began := time.Now()
	for n := range *kills {
		for written(places) < bytes*int64(n+1)/int64(*kills+10) {
			pause(time.Duration(1+rng.IntN(40)) * time.Millisecond)
			require.Less(t, time.Since(began), 9*time.Minute, "nothing goes on any more after %d kills", n)
		}
		if n%20 == 0 {
			t.Logf("%d kills after %v", n, time.Since(began).Round(time.Second))
		}
		if n%serverEvery == serverEvery-1 {
			s.kill()
			require.NoError(t, s.start())
			continue
		}
		i := rng.IntN(len(workers))
		workers[i].kill()
		workers[i] = workers[len(workers)-1]
		workers = workers[:len(workers)-1]
		hire()
	}
	t.Logf("%d kills, %d of them of the server, in %v", *kills, *kills/serverEvery, time.Since(began).Round(time.Second))
	resumed := 0
	for _, inf := range all {
		verdict, n, err := settled(t.Context(), c, inf, state)
		resumed += n
		require.NoError(t, err)
		for _, wrong := range inf.judge(t.Context(), state, verdict) {
			t.Error(wrong)
		}
	}
	t.Logf("all is over after %v; somebody had runs go on %d times", time.Since(began).Round(time.Second), resumed)
}

func written(journals []string) (n int64) {
	for _, dir := range journals {
		n += journalBytes(dir)
	}
	return n
}

// settled waits until a changeover is over, or rests for a person. In between
// it is that person: who is asked whether a serial number was registered looks,
// and who waits for Support has it tried once more. No kill is a reason to wait
// for anybody.
func settled(ctx context.Context, c client.Client, inf *infrastructure, state string) (verdict report.Verdict, resumed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute) // a file that is gone with its worker takes a minute to be missed, each time
	defer cancel()
	r := temporal.Open(c, inf.plan.Infrastructure.Name)
	for {
		var read struct {
			Verdict      report.Verdict
			Environments []struct {
				Name string
				Hold *journal.Hold
			}
		}
		s, err := r.Status(ctx)
		if ctx.Err() != nil {
			return "", resumed, fmt.Errorf("%s: %w: %v: %.300s", inf.plan.Infrastructure.Name, ctx.Err(), err, s.Report)
		}
		if err != nil || s.Verb != "" || len(s.Report) == 0 {
			pause(50 * time.Millisecond)
			continue
		}
		if err := json.Unmarshal(s.Report, &read); err != nil {
			return "", resumed, err
		}
		if read.Verdict != report.Held || inf.verdict == report.Held && resumed > 0 {
			return read.Verdict, resumed, nil
		}
		doubts := 0
		for _, env := range read.Environments {
			if env.Hold == nil || env.Hold.Kind != journal.HoldInDoubt {
				continue
			}
			doubts++
			registered, err := inf.registered(ctx, state, env.Name)
			if err == nil {
				err = r.Resolve(ctx, env.Name, migration.Resolution{By: "ada", Evidence: "looked at the portal's page", NotDone: !registered})
			}
			if err != nil {
				return "", resumed, err
			}
		}
		if doubts == 0 && inf.verdict != report.Held {
			return "", resumed, fmt.Errorf("%s waits for a person: %s", inf.plan.Infrastructure.Name, s.Report)
		}
		if err := r.Resume(ctx, "ada", "tried again"); err != nil {
			return "", resumed, err
		}
		resumed++
	}
}
