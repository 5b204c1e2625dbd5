package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// check asserts what may not get worse: ratios, and bytes that can be counted
// exactly; never a time by itself. It prints each, and returns what does not
// hold.
func check(ctx context.Context, b bench, out io.Writer) error {
	var wrong []error
	for _, compare := range []func() (ratio, error){
		func() (ratio, error) { return singleStream(ctx, b) },
		func() (ratio, error) { return grouped(ctx, b) },
		func() (ratio, error) { return makespan(ctx, b) },
		func() (ratio, error) { return fired(b) },
		func() (ratio, error) { return replayed(ctx, b, 100_000) },
	} {
		r, err := compare()
		if err != nil {
			return err
		}
		verdict, word := "ok", "at most"
		if r.least {
			word = "at least"
		}
		if !r.holds(r.bound) {
			verdict = "FAILED"
			wrong = append(wrong, fmt.Errorf("%s: %.3g, %s %.3g is demanded", r.name, r.median(), word, r.bound))
		}
		fmt.Fprintf(out, "%-6s %.3g (%s %.3g): %s\n", verdict, r.median(), word, r.bound, r.name)
	}
	h, err := waiting(ctx, b.place, 100_000)
	if err != nil {
		return err
	}
	const most = 1024
	fmt.Fprintf(out, "       %.0f bytes of heap for each resting environment (at most %d), %.0f MB with %d calls under way, %.0f bytes and %d goroutines left\n",
		h.resting, most, h.inFlight/1e6, h.environments, h.left, h.leftOver)
	if h.resting > most {
		wrong = append(wrong, fmt.Errorf("a resting environment takes %.0f bytes of heap, at most %d are accepted", h.resting, most))
	}
	return errors.Join(append(wrong, h.leaks())...)
}
