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
// the walk until it is started, to its goroutine until that hands it back, and
// to the walk again then. A call that does not come back is given up: it stays
// with its goroutine for good, and the walk gets a copy that knows nothing.
type call[F any] struct {
	machine.Call[F]
	item    *item[F]
	do      machine.Do[F]
	observe bool          // do looks what came of an earlier attempt
	wait    time.Duration // before anything else
	term    term

	trigger machine.Trigger
	err     error
	made    bool        // the step was called, or may have been; otherwise it has only waited
	sent    atomic.Bool // it, or the copy that stands for it, was handed back

	mu        sync.Mutex
	witnessed []journal.Testimony
}

// errGone stands until there is an answer: whoever was called may end the
// goroutine instead, as tests do.
var errGone = errors.New("it ended its goroutine without an answer")

// errStopped is that of a call that was not made, since somebody has stopped the
// line or the environment.
var errStopped = errors.New("it was stopped before it was made")

// errForsaken is the outcome of a call that did not come back although its
// context was done.
var errForsaken = errors.New("the call was given up: it did not come back although its time was over, and may still do something")

// patient reports whether the call changes something, so that it may come to
// an answer after the caller has given up.
func (c *call[F]) patient() bool { return c.Effect.Mutates && !c.observe }

// forsaken is what the walk goes on with when the call does not come back. The
// facts are those from before: the step may be changing its own just now.
func (c *call[F]) forsaken() *call[F] {
	return &call[F]{item: c.item, observe: c.observe, err: errForsaken, made: true, Call: machine.Call[F]{
		ID: c.ID, Environment: c.Environment, Leg: c.Leg, State: c.State, Effect: c.Effect, Attempt: c.Attempt, Facts: c.item.facts,
	}}
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

// mayGoOn reports whether a call that has waited may still be made: somebody
// may have stopped the line meanwhile, or held the environment.
func (w *Walk[F]) mayGoOn(c *call[F]) bool {
	_, hold := w.Session.standing(c.item.env)
	return hold == nil && !w.stopped()
}

// pause waits as long as the call is to wait.
func (w *Walk[F]) pause(ctx context.Context, c *call[F]) {
	c.err = errGone
	c.err = w.Session.opts.Clock.Sleep(ctx, c.wait)
	c.wait = 0
}

// carryOut makes the call and hands it back, whatever the step does.
func (w *Walk[F]) carryOut(ctx context.Context, c *call[F]) {
	defer w.handBack(c)
	c.made, c.err = true, errGone
	if w.Witness != nil {
		ctx = w.Witness(ctx, c.takeDown)
	}
	c.trigger, c.err = c.do(ctx, &c.Call)
}

// handBack ends a call. A panic is an error that says nothing of the outcome.
// What comes back too late is only noted.
func (w *Walk[F]) handBack(c *call[F]) {
	if p := recover(); p != nil {
		c.trigger, c.err = "", fmt.Errorf("the step panicked: %v", p)
		w.Session.Logger().Error("a step panicked", zap.String("effect", string(c.Effect.Name)), zap.ByteString("stack", debug.Stack()))
	}
	c.term.end(context.Canceled)
	if c.sent.CompareAndSwap(false, true) {
		w.back.put(c)
	} else {
		w.late(c)
	}
}

// arrivals are calls that were handed back.
type arrivals[F any] struct {
	mu    sync.Mutex
	calls []*call[F]
	wake  func() // is called after each; nil: nobody sleeps
}

func (a *arrivals[F]) put(c *call[F]) {
	a.mu.Lock()
	a.calls = append(a.calls, c)
	a.mu.Unlock()
	if a.wake != nil {
		a.wake()
	}
}

// any reports whether something has arrived.
func (a *arrivals[F]) any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls) > 0
}

// take returns what has arrived, in order; spare, which is not used any more,
// takes up what comes next.
func (a *arrivals[F]) take(spare []*call[F]) []*call[F] {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.calls
	a.calls = spare[:0]
	return taken
}
