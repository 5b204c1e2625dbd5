//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// What is done to the one that holds the state directory, before others come.
// In a crowd, all come at once, with different verbs, and some are killed.
var races = []string{"crowd", "holder stopped", "lock removed", "lock replaced"}

// race lets processes race for one state directory.
func race(ctx context.Context, job *tier.Job) {
	memory, err := inMemory(job)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	defer os.RemoveAll(memory)
	all, err := models(job, memory, []scenario{{migration.Published, 2, false}, {migration.AsWritten, 2, false}})
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	if job.Repeat != "" {
		n, err := strconv.ParseUint(job.Repeat, 10, 64)
		if err != nil {
			job.Fail("", "%q is no number of a race", job.Repeat)
			return
		}
		racing(job, memory, all, n)
		return
	}
	want := map[tier.Scale]int64{tier.Test: 8, tier.CI: 300}[job.Scale]
	job.Need("races", want)
	job.Need("refused", want)
	for _, kind := range races {
		job.Need(kind, want/8)
	}
	var rounds counter
	each(ctx, job, func(n uint64) bool {
		racing(job, memory, all, n)
		rounds.add(1)
		return want == 0 || rounds.value() < want
	})
}

// racing is one race, of the n-th seed.
func racing(job *tier.Job, parent string, all []model, n uint64) {
	rng := rand.New(rand.NewPCG(n, 4))
	m, kind := all[rng.IntN(len(all))], races[n%uint64(len(races))]
	fail := func(err error) {
		job.Fail(strconv.FormatUint(n, 10), "race %d, %v, %s: %v", n, m.scenario, kind, err)
	}
	st, done, err := inPlace(job, parent, m.scenario)
	if err != nil {
		fail(err)
		return
	}
	defer done()
	back := false
	if kind == "crowd" {
		back, err = crowd(job, st, m, rng)
	} else {
		err = holding(job, st, m, kind, rng)
	}
	if err != nil {
		fail(errors.Join(err, st.check()))
		return
	}
	a, err := st.start(goOn, script{})
	if err == nil {
		_, err = a.wait()
	}
	switch {
	case err != nil:
	case back && a.verdict == report.RolledBack:
		err = st.judgeEnding(a, report.RolledBack)
	default:
		err = st.judge(a, m.effects)
	}
	if err != nil {
		fail(err)
	}
	if job.Repeat != "" {
		fmt.Fprintln(job.Out, strings.Join(st.watch.Trace(), "\n"))
	}
	job.Add("races", 1)
	job.Add(kind, 1)
}

// crowd lets 2 to 8 processes come at once; back says that one of them has, or
// may have, asked for the way back.
func crowd(job *tier.Job, st *stage, m model, rng *rand.Rand) (back bool, err error) {
	type seat struct {
		verb   string
		dies   bool
		moment time.Duration
	}
	seats := make([]seat, 2+rng.IntN(7))
	for i := range seats {
		seats[i] = seat{goOn, rng.IntN(3) == 0, time.Duration(rng.Int64N(int64(m.took)))}
		if rng.IntN(4) == 0 {
			seats[i].verb = rollBack
		}
	}
	var mu sync.Mutex
	var errs []error
	pids := map[int]bool{}
	var losers []*actor
	var all sync.WaitGroup
	for _, s := range seats {
		all.Go(func() {
			a, err := st.start(s.verb, script{})
			if err == nil {
				if s.dies {
					alarm := time.AfterFunc(s.moment, a.kill)
					defer alarm.Stop()
				}
				_, err = a.wait()
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				errs = append(errs, err)
				return
			}
			pids[a.pid()] = true
			if a.refused != "" {
				losers = append(losers, a)
			} else if s.verb == rollBack {
				back = true
			}
		})
	}
	all.Wait()
	for _, a := range losers {
		// LOCK may still name one that is gone, or nobody yet.
		name := holderIn(a.refused)
		if err := lost(a); err != nil {
			errs = append(errs, err)
		} else if name != 0 && !pids[name] {
			errs = append(errs, fmt.Errorf("it is named a holder that never was: %s", a.refused))
		}
	}
	job.Add("refused", int64(len(losers)))
	return back, errors.Join(errs...)
}

// lost says what is wrong with how a process was refused.
func lost(a *actor) error {
	if !a.locked || a.ended {
		return fmt.Errorf("process %d, which comes second, ends %v", a.pid(), a)
	}
	return nil
}

// holderIn returns the process that a refusal names; zero: none.
func holderIn(refusal string) (pid int) {
	if _, after, ok := strings.Cut(refusal, "is held by process "); ok {
		_, _ = fmt.Sscanf(after, "%d", &pid)
	}
	return pid
}

// holding disturbs the holder in the middle of its work and lets others try.
func holding(job *tier.Job, st *stage, m model, kind string, rng *rand.Rand) error {
	moment, rivals := 2+rng.IntN(m.messages-2), 1+rng.IntN(3)
	var found error
	// While it waits for an answer, the holder does nothing.
	a, err := st.start(goOn, script{at: func(a *actor, n int, _ *message, done bool) bool {
		if n == moment && done {
			found = st.disturb(job, a, kind, rivals)
		}
		return true
	}})
	if err != nil {
		return err
	}
	_, err = a.wait()
	return errors.Join(found, err)
}

func (s *stage) disturb(job *tier.Job, holder *actor, kind string, rivals int) (err error) {
	lock := filepath.Join(s.part.state(), "LOCK")
	switch kind {
	case "holder stopped":
		if err := syscall.Kill(holder.pid(), syscall.SIGSTOP); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, syscall.Kill(holder.pid(), syscall.SIGCONT)) }()
	case "lock removed":
		err = os.Remove(lock)
	case "lock replaced":
		err = errors.Join(os.Remove(lock), os.WriteFile(lock, []byte("{}\n"), 0o600))
	}
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, rivals)
	for i := range rivals {
		all.Go(func() {
			a, err := s.start(goOn, script{})
			if err == nil {
				_, err = a.wait()
			}
			if err == nil {
				err = lost(a)
			}
			if err == nil && kind == "holder stopped" && holderIn(a.refused) != holder.pid() {
				err = fmt.Errorf("process %d holds the state directory, but the one that comes second is told: %s", holder.pid(), a.refused)
			}
			errs[i] = err
		})
	}
	all.Wait()
	job.Add("refused", int64(rivals))
	return errors.Join(errs...)
}
