package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration/journal"
)

// call is one attempt at an effect, or one observation of it. It belongs to
// the walk until it is spawned, to its goroutine until that sends it back, and
// to the walk again then. A call that does not come back is given up: it stays
// with its goroutine for good, and the walk gets a copy that knows nothing.
type call[F any] struct {
	machine.Call[F]
	item    *item[F]
	step    machine.Step[F]
	observe bool          // look what came of an earlier attempt
	wait    time.Duration // before anything else
	witness func(context.Context, func(journal.Testimony)) context.Context

	trigger machine.Trigger
	err     error
	unsent  bool        // the caller gave up before the step was called
	sent    atomic.Bool // it, or the copy that stands for it, was sent back

	mu        sync.Mutex
	witnessed []journal.Testimony
}

// errForsaken is the outcome of a call that did not come back although its
// context was done.
var errForsaken = errors.New("the call was given up: it did not come back although its time was over, and may still do something")

// carryOut makes the call and hands it to back, whatever the step does: a panic
// is an error that says nothing of the outcome, and so is that a step does not
// heed its context. When such a step comes back after all, it is handed to late
// instead. A call that changes something has until graced is done.
func (c *call[F]) carryOut(ctx, graced context.Context, opts Options, back, late func(*call[F])) {
	defer func() {
		if c.sent.CompareAndSwap(false, true) {
			back(c)
		} else {
			late(c)
		}
	}()
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
		ctx = graced
	}
	if c.Effect.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Effect.Timeout)
		defer cancel()
	}
	// An effect without a time of its own walks the environments: each of their
	// calls is given up for itself.
	if !opts.Inline && c.Effect.Timeout > 0 {
		copied := &call[F]{Call: c.Call, item: c.item, step: c.step, observe: c.observe, err: errForsaken}
		defer afterwards(ctx, opts.Grace, func() {
			if c.sent.CompareAndSwap(false, true) {
				back(copied)
			}
		})()
	}
	if c.witness != nil {
		ctx = c.witness(ctx, c.takeDown)
	}
	c.trigger, c.err = do(ctx, &c.Call)
}

// afterwards calls f some time after ctx is done, in a goroutine of its own,
// unless it is stopped before. Grace is real time, whatever the session's clock
// says.
func afterwards(ctx context.Context, grace time.Duration, f func()) (stop func()) {
	waiting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unwatch := context.AfterFunc(ctx, func() {
		if (SystemClock{}).Sleep(waiting, grace) == nil {
			f()
		}
	})
	return func() { unwatch(); cancel() }
}

// withGrace returns a context that ends some time after ctx: a call that
// changes something is given that long to come to an answer, so that stopping
// a run does not needlessly leave a doubt behind.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := afterwards(ctx, grace, cancel)
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
