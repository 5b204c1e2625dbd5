package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/internal/bench/page"
)

// verdicts are what a check has found.
type verdicts struct {
	out   io.Writer
	wrong []error
}

// demand prints whether what was measured is within the bound; one that has
// none is left alone.
func (v *verdicts) demand(d demand, got float64) {
	if d.bound == 0 {
		return
	}
	verdict := "ok"
	if !d.holds(got, d.bound) {
		verdict = "FAILED"
		v.wrong = append(v.wrong, fmt.Errorf("%s: %s, %s %s is demanded", d.what, page.Count(got), d.word(), page.Count(d.bound)))
	}
	fmt.Fprintf(v.out, "%-6s %s (%s %s): %s\n", verdict, page.Count(got), d.word(), page.Count(d.bound), d.what)
}

// check asserts what may not get worse: ratios, and bytes that can be counted
// exactly; never a time by itself. It prints each, and returns what does not
// hold.
func check(ctx context.Context, b bench, out io.Writer) error {
	v := verdicts{out: out}
	for _, compare := range []func() (ratio, error){
		func() (ratio, error) { return singleStream(ctx, b) },
		func() (ratio, error) { return grouped(ctx, b) },
		func() (ratio, error) { return makespan(ctx, b) },
		func() (ratio, error) { return fired(b) },
		func() (ratio, error) { return replayed(ctx, b, 100_000) },
	} {
		r, err := compare()
		if err == nil && !r.holds(r.median(), r.bound) {
			// Whoever else used the machine has gone by now; what is slow is not.
			fmt.Fprintf(out, "again  %s (%s %s): %s\n", page.Count(r.median()), r.word(), page.Count(r.bound), r.what)
			r, err = compare()
		}
		if err != nil {
			return err
		}
		v.demand(r.demand, r.median())
	}
	h, err := waiting(ctx, b.place, 100_000)
	if err != nil {
		return err
	}
	d := all()
	v.demand(d.resting, h.resting)
	v.demand(d.flying, h.inFlight/1e6)
	v.demand(d.left, h.left)
	v.demand(d.goroutines, float64(h.leftOver))
	return errors.Join(v.wrong...)
}
