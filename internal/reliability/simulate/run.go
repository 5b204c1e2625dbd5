package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/simworld"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// run is one seed: a plan, a world, and all the processes that serve it.
type run struct {
	seed     uint64
	rng      *rand.Rand
	lab      *lab
	variant  *variant
	plan     migration.Plan // effective
	final    license.Role   // whose license a completed run ends with
	world    *simworld.World
	watch    *law.Watch
	disk     *disk
	liveness bool // the faults stop, and the run must end
	calm     bool // they have stopped
	thorough bool // look at everything that can be looked at
	diskRate int

	ending   report.Verdict
	failures []string
	counts   [happenings]int64
	holds    [len(holdKinds)]bool
	begun    int            // processes so far
	acts     map[string]int // what the person has done since the faults stopped
	foreign  bool           // a second process is to be started in the next call

	out  func(string) // nil: nobody wants to know
	told int          // events of the watch that were told
	log  *strings.Builder
}

// happening is something beside the faults of the world that must be seen to
// happen.
type happening int

const (
	crashBefore happening = iota
	crashWithin
	crashAfter
	crashCall
	appendFails
	doubleStart
	canceled
	verbHold
	verbRelease
	verbRollBack
	resolvedDone
	resolvedNotDone
	resolvedMistaken
	resolvedOther
	happenings
)

var happeningNames = [happenings]string{
	"death before an append", "death within an append", "death after an append", "death in a call", "append fails", "double start", "canceled",
	"hold", "release", "rollback on demand", "resolved as done", "resolved as not done", "resolved by mistake", "resolved",
}

func (r *run) count(h happening) { r.counts[h]++ }

// holdKinds are those that a journal can have.
var holdKinds = [...]journal.HoldKind{journal.HoldOperator, journal.HoldApproval, journal.HoldSupport, journal.HoldInDoubt, journal.HoldForeign,
	journal.HoldMixed, journal.HoldSerial, journal.HoldUnknown, journal.HoldUnavailable}

// tell says what happens, in the order in which it does.
func (r *run) tell(format string, args ...any) {
	if r.out == nil {
		return
	}
	trace := r.watch.Trace()
	for _, e := range trace[r.told:] {
		r.out("      " + e)
	}
	r.told = len(trace)
	r.out(fmt.Sprintf("%8s ", r.world.Now()) + fmt.Sprintf(format, args...))
}

func (r *run) fail(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
	r.tell("FAILURE: "+format, args...)
}

// entry sees each entry of the journal.
func (r *run) entry(e journal.Entry) {
	if e.Hold != nil {
		for i, kind := range holdKinds {
			if kind == e.Hold.Kind {
				r.holds[i] = true
			}
		}
	}
	if r.out == nil {
		return
	}
	hold := ""
	if e.Hold != nil {
		hold = " " + e.Hold.Error()
	}
	r.tell("journal %d: %s %s %s %s %s %s %s %s%s", e.Seq, e.Kind, e.Env, e.Leg, e.State, e.Effect, e.Trigger, e.To, e.Text, hold)
}

func (r *run) badDisk() bool { return r.diskRate > 0 && !r.calm && r.rng.IntN(r.diskRate) == 0 }

// maxCalls is how many calls one process can need, if nothing goes wrong but
// what somebody must mend: every effect of every leg and of the way back, each
// with as many readings as there may be, and the sweeps. It is a bound, not an
// estimate.
func (r *run) maxCalls() int {
	settle, attempts := steps.Settle(), steps.Retry().Attempts
	effects := 0
	for _, leg := range migration.Profiles() {
		effects = max(effects, len(leg.Legs)*6)
	}
	effects += 3 // of the way back
	return (effects*attempts*(settle.Limit+4) + 2*settle.Limit + 20) * len(r.plan.Order)
}

// maxProcesses is how many processes it may take to end a run when nothing
// happens any more that nobody has asked for: for each environment one for
// every state of both ways that can wait for a person, twice, and some for the
// infrastructure.
func (r *run) maxProcesses() int { return 20 + 20*len(r.plan.Order) }

// do lives through the run.
func (r *run) do(ctx context.Context) {
	weather := 1 + r.rng.IntN(3) // processes that the faults last, of a live run
	after := 0
	for r.begun < 400 && len(r.failures) == 0 {
		if r.liveness && !r.calm && r.begun >= weather {
			r.tell("the faults stop")
			r.calm, r.begun = true, 0
			r.world.Calm()
		}
		if r.calm && r.begun > r.maxProcesses() {
			r.fail("it takes more than %d processes to end the run, although nothing goes wrong any more", r.maxProcesses())
			return
		}
		if !r.liveness && r.begun > weather+1 {
			return
		}
		rep := r.next(ctx)
		if rep == nil || r.world.Dead() {
			if r.calm && rep == nil {
				r.world.Mend(-1) // the run was not begun: its preconditions do not hold
				r.put(license.Source)
			}
			continue
		}
		r.ending = rep.Verdict
		switch rep.Verdict {
		case report.Completed, report.RolledBack:
			if after++; after > 1 || rep.Verdict == report.RolledBack || r.rng.IntN(4) > 0 {
				return
			}
			r.rollBack(ctx)
			continue
		}
		if r.calm || r.rng.IntN(5) > 0 {
			r.help(ctx)
		}
	}
}

// next begins the next process and lets it go as far as it gets.
func (r *run) next(ctx context.Context) *report.Report {
	switch r.rng.IntN(4) {
	case 0:
		r.world.Wait(time.Duration(r.rng.IntN(5)) * time.Minute)
	case 1:
		r.world.Wait(time.Duration(r.rng.IntN(48)) * time.Hour)
	}
	if len(r.disk.entries) == 0 {
		return r.process(ctx, "apply", func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Apply(ctx) })
	}
	switch n := r.rng.IntN(100); {
	case r.calm:
	case n < 5:
		return r.rollBack(ctx)
	case n < 10:
		env := r.anyone()
		r.count(verbHold)
		r.act(ctx, "hold "+env, func(ctx context.Context, c *changeover.Changeover) error { return c.Hold(ctx, env, "tester", "to see") })
	}
	return r.process(ctx, "resume", func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Resume(ctx) })
}

func (r *run) rollBack(ctx context.Context) *report.Report {
	r.count(verbRollBack)
	return r.process(ctx, "rollback", func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
		return c.RollBack(ctx, "tester", "to see")
	})
}

func (r *run) anyone() string {
	if n := r.rng.IntN(len(r.plan.Order) + 1); n < len(r.plan.Order) {
		return r.plan.Order[n]
	}
	return journal.Infrastructure
}

// act is a process of a verb that returns no report.
func (r *run) act(ctx context.Context, what string, verb func(context.Context, *changeover.Changeover) error) {
	r.process(ctx, what, func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return nil, verb(ctx, c) })
}

// process lets a process carry out a verb. It returns the report if the
// process has lived to give one.
func (r *run) process(ctx context.Context, what string, verb func(context.Context, *changeover.Changeover) (*report.Report, error)) *report.Report {
	r.begun++
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fuse := -1
	if !r.calm && r.rng.IntN(2) == 0 {
		fuse = r.rng.IntN(150)
	}
	r.watch.Revive()
	r.world.Begin(cancel, fuse)
	r.disk.closed = false
	r.foreign = !r.calm && r.rng.IntN(64) == 0
	p, err := r.lab.program(r.variant, r)
	if err != nil {
		r.fail("the plan is refused: %v", err)
		return nil
	}
	r.tell("--- process %d: %s", r.begun, what)
	calls := r.world.Calls
	rep, err := r.guarded(ctx, p, verb)
	r.lab.done(r.variant, p)
	if r.world.Dead() {
		return nil
	}
	r.judge(rep, err, ctx.Err() != nil, what)
	if r.calm && r.world.Calls-calls > r.maxCalls() {
		r.fail("%s takes %d calls, at most %d are needed", what, r.world.Calls-calls, r.maxCalls())
	}
	return rep
}

// guarded carries out the verb. A panic outside a step is the end of the
// process.
func (r *run) guarded(ctx context.Context, p *program, verb func(context.Context, *changeover.Changeover) (*report.Report, error)) (rep *report.Report, err error) {
	defer func() {
		if v := recover(); v != nil {
			if len(r.disk.entries) > 0 {
				r.fail("the process panics: %v\n%s", v, debug.Stack())
			}
			p.station.fetched = 1 // who knows
			r.world.Kill()
		}
	}()
	return verb(ctx, p.Changeover)
}

// second starts another process while one is going on. The journal is locked,
// so it must do nothing.
func (r *run) second() {
	if !r.foreign || r.rng.IntN(20) > 0 {
		return
	}
	r.foreign = false
	p, err := r.lab.program(r.variant, r)
	if err != nil {
		return
	}
	p.station.store = taken{}
	r.count(doubleStart)
	calls := r.world.Calls
	_, err = p.Resume(context.WithoutCancel(r.lab.ctx))
	if !errors.Is(err, journal.ErrLocked) || r.world.Calls != calls {
		r.fail("a second process is not turned away: %v", err)
	}
	r.lab.done(r.variant, p)
}

func (r *run) number(env string) int {
	return slices.IndexFunc(r.plan.Infrastructure.Environments, func(e environment.Environment) bool { return e.Name == env })
}
