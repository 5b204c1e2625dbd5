//go:build linux

package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
)

// A model is a run to which nothing happens: what the others are compared with.
type model struct {
	scenario
	effects  string
	messages int
	took     time.Duration
}

// scenarios are what the tiers play.
func scenarios() []scenario {
	return []scenario{
		{migration.RefreshAndMove, 2, false},
		{migration.RefreshAndMove, 2, true},
		{migration.Published, 3, false},
		{migration.AsWritten, 2, false},
		{migration.Published, 3, true},
	}
}

// models plays every scenario once.
func models(job *tier.Job, dir string, all []scenario) ([]model, error) {
	var out []model
	for i, s := range all {
		place := filepath.Join(dir, fmt.Sprintf("model%d", i))
		if err := os.Mkdir(place, 0o700); err != nil {
			return nil, err
		}
		st, err := newStage(job, s, place)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		a, err := st.start(goOn, script{})
		if err != nil {
			return nil, err
		}
		if _, err := a.wait(); err != nil {
			return nil, err
		}
		took := time.Since(began)
		if err := st.judge(a, ""); err != nil {
			return nil, fmt.Errorf("%v, without interruption: %w", s, err)
		}
		out = append(out, model{s, st.effects(), int(a.heard.Load()), took})
	}
	return out, nil
}

// kill kills processes until their runs are over all the same.
func kill(ctx context.Context, job *tier.Job) {
	memory, err := inMemory(job)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	defer os.RemoveAll(memory)
	plays := scenarios()
	if job.Scale == tier.Test {
		plays = plays[:2]
	}
	all, err := models(job, memory, plays)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	want := map[tier.Scale]int64{tier.Test: 8, tier.CI: 3000}[job.Scale]
	job.Need("kills", want)
	if job.Repeat != "" {
		n, err := strconv.ParseUint(job.Repeat, 10, 64)
		if err != nil {
			job.Fail("", "%q is no number of a play", job.Repeat)
			return
		}
		for range 20 { // the scheduler plays too
			if killed := killing(job, memory, all, n); job.Failed() {
				fmt.Fprintf(job.Out, "%d kills\n", killed)
				return
			}
		}
		return
	}
	var kills counter
	each(ctx, job, func(n uint64) bool {
		kills.add(killing(job, memory, all, n))
		return want == 0 || kills.value() < want
	})
}

// killing is one play: of the n-th seed.
func killing(job *tier.Job, dir string, all []model, n uint64) (kills int64) {
	repeat := strconv.FormatUint(n, 10)
	rng := rand.New(rand.NewPCG(n, 1))
	m := all[rng.IntN(len(all))]
	var lives []string
	fail := func(err error) {
		job.Fail(repeat, "play %d (%v), %s: %v", n, m.scenario, strings.Join(lives, ", "), err)
	}
	st, done, err := inPlace(job, dir, m.scenario)
	if err != nil {
		fail(err)
		return 0
	}
	defer done()
	for {
		a, death, err := mortal(st, m, rng, kills < 50)
		lives = append(lives, death)
		if err != nil {
			fail(err)
			break
		}
		if death != survived {
			kills++
			continue
		}
		if err := st.judge(a, m.effects); err != nil {
			fail(err)
		}
		break
	}
	job.Add("kills", kills)
	job.Add("runs", 1)
	if job.Repeat != "" && job.Failed() { // it may take many of them
		fmt.Fprintln(job.Out, strings.Join(st.watch.Trace(), "\n"))
	}
	return kills
}

const survived = "let live"

// mortal lets one process live until a moment that rng chooses, or its end.
// Half of the moments are a time, the others a message that is lost, acted on
// but not answered, or acted on when its sender is dead already.
func mortal(st *stage, m model, rng *rand.Rand, may bool) (a *actor, death string, err error) {
	var sc script
	moment := time.Duration(rng.Int64N(int64(m.took)))
	at, way := 1+rng.IntN(m.messages), rng.IntN(6)
	death = fmt.Sprintf("killed after %v", moment)
	if way < 3 {
		death = fmt.Sprintf("killed at message %d, which was %s", at, [...]string{"lost", "not answered", "late"}[way])
	}
	if may && way < 3 {
		sc.at = func(a *actor, n int, _ *message, done bool) bool {
			if n != at {
				return true
			}
			switch {
			case way == 0 && !done, way == 1 && done:
				a.kill()
				return false
			case way == 2 && !done:
				a.kill()
			}
			return true
		}
	}
	if a, err = st.start(goOn, sc); err != nil {
		return nil, survived, err
	}
	if may && way >= 3 {
		alarm := time.AfterFunc(moment, a.kill)
		defer alarm.Stop()
	}
	killed, err := a.wait()
	if !killed {
		death = survived
	}
	return a, death, err
}
