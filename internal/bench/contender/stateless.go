package contender

import (
	"context"
	"time"

	"github.com/qmuntal/stateless"
)

// A Stateless is bare stateless: it keeps nothing, and shows what a state
// machine costs by itself.
type Stateless struct{}

// Name implements [Contender].
func (Stateless) Name() string { return "stateless, bare" }

// Version implements [Contender].
func (Stateless) Version() string { return version("github.com/qmuntal/stateless") }

// Durable implements [Contender].
func (Stateless) Durable() bool { return false }

// Settings implements [Contender].
func (Stateless) Settings() string {
	return "a machine for each instance, FiringImmediate, effects between two calls of Fire"
}

// Start implements [Contender].
func (Stateless) Start(context.Context, string) error { return nil }

// RunInstances implements [Contender].
func (Stateless) RunInstances(ctx context.Context, n, inFlight int, mark Mark) error {
	return each(ctx, n, inFlight, func(ctx context.Context, i int) error {
		m := stateless.NewStateMachineWithMode(0, stateless.FiringImmediate)
		for k := range Steps {
			m.Configure(k).Permit("done", k+1)
		}
		m.Configure(Steps)
		for k := range Steps {
			mark(i, k, time.Now())
			if err := m.FireCtx(ctx, "done"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stop implements [Contender].
func (Stateless) Stop() error { return nil }
