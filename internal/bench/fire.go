package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/qmuntal/stateless"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/bench/contender"
)

// timed calls f so often that it takes a while, and returns the time and the
// allocations of one call.
func timed(f func() error) (each time.Duration, mallocs float64, err error) {
	const least = 20 * time.Millisecond
	for n := 1; ; n *= 2 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		for range n {
			if err := f(); err != nil {
				return 0, 0, err
			}
		}
		took := time.Since(began)
		if took >= least {
			runtime.ReadMemStats(&after)
			return took / time.Duration(n), float64(after.Mallocs-before.Mallocs) / float64(n), nil
		}
	}
}

// fired compares Fire, which would state every reason, with bare stateless over
// the same states, triggers and guards, used as economically: one machine for
// all, its state outside.
func fired(b bench) (ratio, error) {
	r := ratio{demand: all().fire}
	m, err := machine.New(contender.Table())
	if err != nil {
		return r, err
	}
	at := m.Initial()
	first := m.Table().Edges[0]
	facts := contender.Facts{Done: 1}
	ours := func() error {
		to, err := m.Fire(at, first.On, facts)
		if err == nil && to != first.To {
			err = fmt.Errorf("the trigger led to %s", to)
		}
		return err
	}
	theirs := bare()
	for range b.rounds {
		// Nothing but the processor takes part, so whatever is not the
		// quickest was disturbed.
		quickest := [2]time.Duration{math.MaxInt64, math.MaxInt64}
		for range 5 {
			for i, f := range []func() error{ours, theirs} {
				took, _, err := timed(f)
				if err != nil {
					return r, err
				}
				quickest[i] = min(quickest[i], took)
			}
		}
		r.add(float64(quickest[0].Nanoseconds()), float64(quickest[1].Nanoseconds()))
	}
	return r, nil
}

// bare returns a function that fires the first trigger of the table through
// stateless itself.
func bare() func() error {
	table := contender.Table()
	facts := contender.Facts{Done: 1}
	var at stateless.State
	m := stateless.NewStateMachineWithExternalStorage(
		func(context.Context) (stateless.State, error) { return at, nil },
		func(_ context.Context, to stateless.State) error { at = to; return nil },
		stateless.FiringImmediate,
	)
	for i, e := range table.Edges {
		holds := table.Guards[i].Holds
		m.Configure(e.From).Permit(e.On, e.To, func(context.Context, ...any) bool { ok, _ := holds(facts); return ok })
	}
	from, on := stateless.State(table.Initial), stateless.Trigger(table.Edges[0].On)
	return func() error {
		at = from
		return m.FireCtx(context.Background(), on)
	}
}
