package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/bench/stats"
)

// load is how much is asked of a contender at once.
type load struct{ instances, inFlight int }

// loads are what every contender is asked for, from a single stream to more
// than can be in flight.
func loads() []load {
	return []load{{1, 1}, {64, 64}, {100, 100}, {512, 512}, {1000, 512}, {5000, 512}}
}

// sample is what came of one load.
type sample struct {
	load
	rates   []float64 // durable steps for each second, one for each repetition
	waits   []float64 // from the effect of a step to that of the next of its instance, in seconds
	elapsed []float64 // for all instances, in seconds
	mallocs float64   // for each step
	bytes   float64   // of heap allocated, for each step
	reason  string    // why there is nothing
}

// score is everything about one contender.
type score struct {
	name, version, settings string
	durable, ours           bool
	variant                 bool          // changeover too, but not what is compared with peers
	startUp                 time.Duration // from Start to the first effect
	samples                 []sample
	reason                  string // why there is nothing
}

// at returns the sample of that many instances.
func (s score) at(instances int) (sample, bool) {
	for _, sample := range s.samples {
		if sample.instances == instances && sample.reason == "" {
			return sample, true
		}
	}
	return sample{}, false
}

// marks takes down when the effects were carried out.
type marks [][contender.Steps]time.Time

func (m marks) mark(instance, step int, at time.Time) { m[instance][step] = at }

// waits returns how long each step of each instance had to wait for the one
// before it to be durable.
func (m marks) waits() []float64 {
	var waits []float64
	for _, steps := range m {
		for k := 1; k < len(steps); k++ {
			waits = append(waits, steps[k].Sub(steps[k-1]).Seconds())
		}
	}
	return waits
}

// effort bounds what is measured for one contender.
type effort struct {
	repetitions int
	budget      time.Duration // in all; a load that would not fit into what is left is named instead
	least       time.Duration // that one repetition takes, whatever the load
}

// measure has a contender carry out every load. What it cannot do is in the
// score, with the reason.
func measure(ctx context.Context, c contender.Contender, p *place, loads []load, e effort) (s score) {
	_, ours := c.(*contender.Changeover)
	_, variant := c.(*contender.PGJournal)
	s = score{name: c.Name(), durable: c.Durable(), ours: ours, variant: variant}
	dir, err := p.fresh()
	if err != nil {
		s.reason = err.Error()
		return s
	}
	defer func() {
		if err := c.Stop(); err != nil && s.reason == "" {
			s.reason = "it does not stop: " + err.Error()
		}
		_ = os.RemoveAll(dir) // makes room; place.remove reports
	}()
	if prepared, ok := c.(contender.Preparer); ok {
		if err := prepared.Prepare(ctx, dir); err != nil {
			s.reason = "it cannot be prepared: " + err.Error()
			return s
		}
	}
	began := time.Now()
	if err := c.Start(ctx, dir); err != nil {
		s.reason = "it does not start: " + err.Error()
		return s
	}
	s.version, s.settings = c.Version(), c.Settings()
	first := make(marks, 1)
	if err := c.RunInstances(ctx, 1, 1, first.mark); err != nil {
		s.reason = "it does not run: " + err.Error()
		return s
	}
	s.startUp = first[0][0].Sub(began)
	end := time.Now().Add(e.budget)
	rate := math.Inf(1)
	for i, l := range loads {
		steps := float64(l.instances * contender.Steps)
		left := time.Until(end)
		// What a single stream does says little of what many do.
		if i > 1 && time.Duration(steps/rate*float64(time.Second)) > left {
			s.samples = append(s.samples, sample{load: l, reason: fmt.Sprintf("not run: %.0f steps at %.0f/s", steps, rate)})
			continue
		}
		sample, err := repeat(ctx, c, l, e, time.Now().Add(left/time.Duration(len(loads)-i)))
		if err != nil {
			sample.reason = err.Error()
		} else {
			rate = stats.Median(sample.rates)
		}
		s.samples = append(s.samples, sample)
	}
	return s
}

// repeat measures one load until there are enough repetitions, or, once there
// is one, until the deadline. A load that is carried out in no time is carried
// out more than once for each repetition, one after the other.
func repeat(ctx context.Context, c contender.Contender, l load, e effort, deadline time.Time) (s sample, err error) {
	s.load = l
	times := 1
	for len(s.rates) < e.repetitions && (len(s.rates) == 0 || time.Now().Before(deadline)) {
		taken := make(marks, times*l.instances)
		runtime.GC() // what came before is not this run's
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		for i := range times {
			if err := c.RunInstances(ctx, l.instances, l.inFlight, taken[i*l.instances:].mark); err != nil {
				return s, err
			}
		}
		took := time.Since(began)
		runtime.ReadMemStats(&after)
		if times == 1 && took < e.least/2 && len(s.rates) == 0 { // that was to see how long it takes
			times = 1 + int(min(e.least/took, time.Duration(50_000/l.instances)))
			continue
		}
		allocated := contender.Allocation{Mallocs: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc}
		if other, ok := c.(contender.Allocator); ok {
			allocated = other.Allocated()
			allocated.Mallocs, allocated.Bytes = allocated.Mallocs*uint64(times), allocated.Bytes*uint64(times)
		}
		steps := float64(len(taken) * contender.Steps)
		s.elapsed = append(s.elapsed, took.Seconds()/float64(times))
		s.rates = append(s.rates, steps/took.Seconds())
		s.waits = append(s.waits, taken.waits()...)
		s.mallocs, s.bytes = float64(allocated.Mallocs)/steps, float64(allocated.Bytes)/steps
	}
	return s, nil
}
