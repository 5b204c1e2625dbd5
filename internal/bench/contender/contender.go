// Package contender has what the benchmark compares: changeover, and what
// somebody who needs durable steps would use instead. Every contender does the
// same work: a workflow of six steps one after the other, with effects that do
// nothing, for a number of instances. It is for the benchmark alone; nothing
// here shows how to use a peer well beyond what the peer's own documentation
// recommends.
package contender

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Steps is how many steps the workflow has.
const Steps = 6

// A Mark takes down when the effect of a step was carried out: the one thing
// that an effect does. It is safe for concurrent use.
type Mark func(instance, step int, at time.Time)

// A Contender carries out workflows. Its methods are called from one
// goroutine, Start first and Stop last.
type Contender interface {
	// Name is short, and the same in every table.
	Name() string
	// Version is that of the module, as it was built in.
	Version() string
	// Durable reports whether a step that has been marked, and whose successor
	// has been marked too, survives a power cut.
	Durable() bool
	// Start brings the contender to where it can take work. What it keeps it
	// keeps in dir, which is empty and its own.
	Start(ctx context.Context, dir string) error
	// Settings says, after Start, how it is configured: what its documentation
	// recommends for durability.
	Settings() string
	// RunInstances carries out n new instances, at most inFlight at once, and
	// returns when all have come to their end.
	RunInstances(ctx context.Context, n, inFlight int, mark Mark) error
	// Stop ends everything that Start began. It may follow a Start that failed.
	Stop() error
}

// A Preparer is a [Contender] that needs something that an installation has
// running or built already, for example a database server. It comes before
// Start, and counts for nothing.
type Preparer interface {
	Prepare(ctx context.Context, dir string) error
}

// each calls f for 0 to n-1, at most inFlight at once, each in a goroutine of
// its own, and returns the first error.
func each(ctx context.Context, n, inFlight int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free := make(chan struct{}, max(inFlight, 1))
	var wg sync.WaitGroup
	for i := range n {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			if err := f(ctx, i); err != nil {
				cancel(fmt.Errorf("instance %d: %w", i, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
