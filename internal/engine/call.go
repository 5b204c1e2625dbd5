package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration/journal"
)

// call is one attempt at an effect, or one observation of it. It belongs to
// the walk until it is spawned, to its goroutine until that sends it back, and
// to the walk again then.
type call[F any] struct {
	machine.Call[F]
	item    *item[F]
	step    machine.Step[F]
	observe bool          // look what came of an earlier attempt
	wait    time.Duration // before anything else
	witness func(context.Context, func(journal.Testimony)) context.Context

	trigger machine.Trigger
	err     error
	unsent  bool // the caller gave up before the step was called

	mu        sync.Mutex
	witnessed []journal.Testimony
}

// carryOut makes the call. Whatever the step does, it comes back: a panic is
// an error that says nothing of the outcome.
func (c *call[F]) carryOut(ctx context.Context, opts Options) {
	defer func() {
		if p := recover(); p != nil {
			c.trigger, c.err = "", fmt.Errorf("the step panicked: %v", p)
			opts.Logger.Error("a step panicked", zap.String("effect", string(c.Effect.Name)), zap.ByteString("stack", debug.Stack()))
		}
	}()
	if c.wait > 0 {
		if c.err = opts.Clock.Sleep(ctx, c.wait); c.err != nil {
			c.unsent = true
			return
		}
	}
	do := c.step.Do
	if c.observe {
		do = c.step.Observe
	} else if c.Effect.Mutates {
		var cancel context.CancelFunc
		ctx, cancel = withGrace(ctx, opts.Grace)
		defer cancel()
	}
	if c.Effect.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Effect.Timeout)
		defer cancel()
	}
	if c.witness != nil {
		ctx = c.witness(ctx, c.takeDown)
	}
	c.trigger, c.err = do(ctx, &c.Call)
}

// withGrace returns a context that ends some time after ctx: a call that
// changes something is given that long to come to an answer, so that stopping
// a run does not needlessly leave a doubt behind. Grace is real time, whatever
// the session's clock says.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = SystemClock{}.Sleep(graced, grace) // over, or no longer needed
		cancel()
	})
	return graced, func() { stop(); cancel() }
}

func (c *call[F]) takeDown(t journal.Testimony) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.witnessed = append(c.witnessed, t)
}

func (c *call[F]) testimony() []journal.Testimony {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.witnessed)
}
