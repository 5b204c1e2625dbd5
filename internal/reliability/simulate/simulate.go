// Package simulate is the tier of deterministic simulation: a whole run, with
// every process and every person that serves it, in one goroutine and from one
// seed, in a world in which anything may go wrong (package simworld). It is for
// the reliability command, and for whoever wants to see a failing seed again.
//
// It knows two modes. In the mode of safety the faults never stop, and nothing
// but the laws is asked for: whatever a report says must be true. In the mode
// of liveness the faults stop after a while, a person removes what a hold
// names, and the run must end, Completed or RolledBack, within a number of
// processes and calls that follows from the plan.
package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/internal/reliability/simworld"
	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// Figures of the scales.
const (
	testSeeds = 2000
	ciSeeds   = 200_000
	batch     = 64  // seeds that a worker takes at once
	twiceOf   = 100 // of so many seeds, one is run twice
	deepOf    = 200 // of so many seeds, one is looked at thoroughly
	maxStale  = 100 // times that a program may be left with files that nobody needs any more
)

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{Name: "simulate", Doc: "Whole runs from one seed each, in a world in which anything may go wrong.", Run: simulate}
}

func simulate(ctx context.Context, job *tier.Job) {
	// Almost everything that a run allocates is garbage when it ends.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	if seed, ok := strings.CutPrefix(job.Repeat, "seed="); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			job.Fail("", "there is no seed %q", seed)
			return
		}
		r := newLab(ctx, job.Without).live(n, func(line string) { fmt.Fprintln(job.Out, line) })
		tally := new(tally)
		tally.add(job, r)
		return
	}
	job.Add("seeds", 0) // comes first
	var sum tally
	var next atomic.Uint64
	last := map[tier.Scale]uint64{tier.Test: testSeeds, tier.CI: ciSeeds}[job.Scale]
	var wg sync.WaitGroup
	for range max(job.Workers, 1) {
		wg.Go(func() {
			l := newLab(ctx, job.Without)
			for ctx.Err() == nil && !job.Failed() {
				from := next.Add(batch) - batch
				if last > 0 && from >= last {
					return
				}
				for i := from; i < from+batch && (last == 0 || i < last) && ctx.Err() == nil && !job.Failed(); i++ {
					sum.add(job, l.seed(job, job.Seed+i))
				}
			}
		})
	}
	wg.Wait()
	sum.report(job)
}

// seed lives through a seed, and now and then through the same once more.
func (l *lab) seed(job *tier.Job, seed uint64) *run {
	r := l.live(seed, nil)
	if seed%twiceOf == 0 {
		job.Add("run twice", 1)
		if again := l.live(seed, nil); again.watch.Hash() != r.watch.Hash() {
			r.fail("the same seed gives two different runs: what happens does not depend on the seed alone")
		}
	}
	return r
}

// variant is a plan that many runs share.
type variant struct {
	plan migration.Plan
	idle []*program // that can be used again
}

// shape is what tells plans apart.
type shape struct{ profile, environments, flavor int }

// The flavors of a plan.
const (
	plain = iota
	reversed
	wide
	canary
	twoCopies
)

// lab is what one worker needs: its plans and programs. It is not safe for concurrent use.
type lab struct {
	ctx      context.Context
	without  law.Set
	window   time.Duration
	variants map[shape]*variant
}

func newLab(ctx context.Context, without law.Set) *lab {
	return &lab{ctx: ctx, without: without, window: law.Window, variants: map[shape]*variant{}}
}

// variant returns the plan of a shape.
func (l *lab) variant(s shape) *variant {
	if v, ok := l.variants[s]; ok {
		return v
	}
	profile := migration.Profiles()[s.profile]
	p := scene.Plan(profile.Name, s.environments).Effective()
	switch s.flavor {
	case reversed:
		slices.Reverse(p.Order)
	case wide:
		for _, leg := range profile.Legs {
			p.MaxInFlight[leg.Name] = s.environments
		}
	case canary:
		p.First = []string{p.Order[len(p.Order)-1]}
	case twoCopies:
		p.MinCopies = 2
	}
	v := &variant{plan: p}
	l.variants[s] = v
	return v
}

// draw chooses a plan.
func (l *lab) draw(rng *rand.Rand) *variant {
	weighted := func(weights ...int) int {
		n := rng.IntN(100)
		for i, w := range weights {
			if n -= w; n < 0 {
				return i
			}
		}
		return 0
	}
	s := shape{profile: weighted(50, 15, 35), flavor: weighted(40, 15, 25, 10, 10)}
	if s.environments = 2 + weighted(80, 17, 3); s.profile == 2 {
		s.environments = 2 + weighted(60, 35, 5) // of several that LifeTime controls, each has a pause of its own
	}
	return l.variant(s)
}

// program returns a program that serves r, as a new process would.
func (l *lab) program(v *variant, r *run) (p *program, err error) {
	if r.thorough {
		if p, err = newProgram(v, changeover.Options{Logger: logTo(r.log)}); err != nil {
			return nil, err
		}
	}
	for i := len(v.idle) - 1; i >= 0 && p == nil; i-- {
		if v.idle[i].asNewTo(r.seed) {
			p = v.idle[i]
			v.idle = append(v.idle[:i], v.idle[i+1:]...)
		}
	}
	if p == nil {
		if p, err = newProgram(v, changeover.Options{}); err != nil {
			return nil, err
		}
	}
	p.served, p.station.fetched = r.seed, 0
	p.station.set, p.station.store, p.station.clock = r.watch.Set(r.world.Set()), r.watch.Store(r.disk), r.watch.Clock(r.world.Clock())
	return p, nil
}

// done takes a program back.
func (l *lab) done(v *variant, p *program) {
	if p.keeps = p.station.fetched != 0; p.keeps {
		p.stale++
	}
	*p.station = station{}
	if !p.logs && p.stale < maxStale {
		v.idle = append(v.idle, p)
	}
}

func logTo(b *strings.Builder) *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(b), zap.DebugLevel))
}

// live lives through a seed.
func (l *lab) live(seed uint64, out func(string)) *run {
	r := &run{seed: seed, lab: l, rng: rand.New(rand.NewPCG(seed, 1)), log: new(strings.Builder)}
	r.variant = l.draw(r.rng)
	r.plan = r.variant.plan
	profile, _ := migration.FindProfile(r.plan.Profile)
	r.final = profile.Legs[len(profile.Legs)-1].Role
	r.liveness, r.thorough = r.rng.IntN(2) == 0, seed%deepOf == 0
	var on uint64
	for f := range simworld.Faults {
		if r.rng.IntN(3) == 0 {
			on |= 1 << f
		}
	}
	rates := [...]uint32{0, 300, 1000, 3000, 8000}
	word := license.Unprotected
	if r.rng.IntN(3) == 0 {
		word = license.Protected
	}
	if r.rng.IntN(3) == 0 {
		r.diskRate = 10 + r.rng.IntN(150)
	}
	r.world = simworld.New(simworld.Options{
		Environments: r.plan.Infrastructure.Environments, Seed: seed, On: on, Rate: rates[r.rng.IntN(len(rates))], Word: word,
		Marked: r.rng.IntN(8) == 0, Window: l.window,
	})
	r.disk = &disk{r: r}
	watch, err := law.NewWatch(r.plan, law.Rules{Without: l.without})
	if err != nil {
		r.fail("the plan cannot be watched: %v", err)
		return r
	}
	r.watch = watch
	r.world.OnDeath = func() {
		if !r.disk.appending {
			r.count(crashCall)
		}
		r.watch.Die()
	}
	r.world.OnCall = r.second
	if out != nil {
		r.out = out
		r.world.Tell = func(what string) { r.tell("%s", what) }
		r.tell("seed %d: %s, %v, liveness %v, at once %v, first %v, copies %d", seed, r.plan.Profile, r.plan.Order, r.liveness, r.plan.MaxInFlight, r.plan.First, r.plan.MinCopies)
	}
	r.do(l.ctx)
	r.tell("ends %s", r.ending)
	return r
}

// tally adds up what many runs have met.
type tally struct {
	mu     sync.Mutex
	faults [simworld.Faults]int64
	counts [happenings]int64
	holds  [len(holdKinds)]int64
	ended  map[report.Verdict]int64
	seeds  int64
	live   int64
	calls  int64
}

func (t *tally) add(job *tier.Job, r *run) {
	for _, f := range r.failures {
		job.Fail(fmt.Sprintf("seed=%d", r.seed), "seed %d: %s", r.seed, f)
	}
	if r.lab.ctx.Err() == nil && r.liveness && len(r.failures) == 0 && r.ending != report.Completed && r.ending != report.RolledBack {
		job.Fail(fmt.Sprintf("seed=%d", r.seed), "seed %d: nothing goes wrong any more, and the run does not end: %q", r.seed, r.ending)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, n := range r.world.Fired {
		t.faults[i] += n
	}
	for i, n := range r.counts {
		t.counts[i] += n
	}
	for i, reached := range r.holds {
		if reached {
			t.holds[i]++
		}
	}
	if t.ended == nil {
		t.ended = map[report.Verdict]int64{}
	}
	t.ended[r.ending]++
	t.seeds++
	t.calls += int64(r.world.Calls)
	if r.liveness {
		t.live++
	}
}

// report hands the figures to the job: those of the table, and on its output
// how often each kind of fault struck and each kind of hold was reached.
func (t *tally) report(job *tier.Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	job.Add("seeds", t.seeds)
	job.Add("that must end", t.live)
	job.Add("calls", t.calls)
	for _, v := range []report.Verdict{report.Completed, report.RolledBack, report.Held, report.Mixed} {
		job.Add(string(v), t.ended[v])
	}
	var faults, holds int64
	each := func(name string, n int64, sum *int64) {
		fmt.Fprintf(job.Out, "%8d %s\n", n, name)
		if n > 0 {
			*sum++
		}
	}
	for f := simworld.NoFault + 1; f < simworld.Faults; f++ {
		each(f.String(), t.faults[f], &faults)
	}
	for i, n := range t.counts {
		each(happeningNames[i], n, &faults)
	}
	for i, n := range t.holds {
		each("held: "+string(holdKinds[i]), n, &holds)
	}
	job.Add("kinds of fault", faults)
	job.Add("kinds of hold", holds)
	if job.Scale == tier.CI {
		job.Need("seeds", ciSeeds)
		job.Need("run twice", ciSeeds/twiceOf)
		job.Need("kinds of fault", int64(simworld.Faults)-1+int64(happenings))
		job.Need("kinds of hold", int64(len(holdKinds)))
	}
}

// encoded is an entry as a journal would have it.
func encoded(e journal.Entry) (string, error) {
	b, err := json.Marshal(e)
	return string(b), err
}
