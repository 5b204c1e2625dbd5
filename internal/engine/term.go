package engine

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// A term is the context of one call: it ends when the call's time is over, when
// the caller has given up, and when the call has come back. Its walk ends it, so
// that a hundred thousand calls under way cost one timer, and no goroutine beside
// their own.
type term struct {
	context.Context // that of the walk, for its values

	until time.Time // zero: it has no end of its own
	mu    sync.Mutex
	err   error
	done  chan struct{} // nil until somebody asks for it

	// These are the walk's.
	due    time.Time // when something has to be done about it; zero: never
	graced bool      // the caller has given up; what is due is the end of the grace
	over   bool      // it was ended; what is due is to give the call up
	place  int       // in the walk's heap
}

// Deadline implements [context.Context].
func (t *term) Deadline() (time.Time, bool) { return t.until, !t.until.IsZero() }

// Done implements [context.Context].
func (t *term) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done == nil {
		t.done = make(chan struct{})
		if t.err != nil {
			close(t.done)
		}
	}
	return t.done
}

// Err implements [context.Context].
func (t *term) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// end ends it with err, which is not nil. Ending it again does nothing.
func (t *term) end(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	t.err = err
	if t.done != nil {
		close(t.done)
	}
}

// terms are the calls of a walk that have not come back, what is due next
// first. All times are real, whatever the session's clock says.
type terms[F any] struct {
	calls []*call[F]
	grace time.Duration
	timer *time.Timer // has a value when something is due
	armed time.Time   // when it will; zero: never
}

func newTerms[F any](grace time.Duration) terms[F] {
	t := terms[F]{grace: grace, timer: time.NewTimer(0)}
	t.timer.Stop()
	return t
}

// begin begins the term of a call that is about to be made.
func (t *terms[F]) begin(ctx context.Context, c *call[F]) {
	c.term.Context = ctx
	if c.Effect.Timeout > 0 {
		c.term.due = time.Now().Add(c.Effect.Timeout)
	}
	// When the caller's time is over, stop ends the term.
	c.term.until = c.term.due
	if end, ok := ctx.Deadline(); ok && !c.patient() && (c.term.until.IsZero() || end.Before(c.term.until)) {
		c.term.until = end
	}
	heap.Push(t, c)
	t.arm()
}

// forget is for a call that has come back, or never began.
func (t *terms[F]) forget(c *call[F]) {
	if c.term.place < len(t.calls) && t.calls[c.term.place] == c {
		heap.Remove(t, c.term.place)
	}
}

// stop is for when the caller gives up: calls that change something may go on
// for a while, all others end.
func (t *terms[F]) stop(err error) {
	now := time.Now()
	for _, c := range t.calls {
		switch end := now.Add(t.grace); {
		case c.term.over:
		case !c.patient():
			t.over(c, err, now)
		case c.term.due.IsZero() || end.Before(c.term.due):
			c.term.due, c.term.graced = end, true
		}
	}
	heap.Init(t)
	t.arm()
}

// over ends the term of a call. An effect without a time of its own walks the
// environments: it is never given up, since each of their calls is.
func (t *terms[F]) over(c *call[F], err error, now time.Time) {
	c.term.end(err)
	c.term.over, c.term.due = true, time.Time{}
	if c.Effect.Timeout > 0 {
		c.term.due = now.Add(t.grace)
	}
}

// expire does what is due, and returns the calls that are given up.
func (t *terms[F]) expire() (lost []*call[F]) {
	t.armed = time.Time{}
	for now := time.Now(); len(t.calls) > 0; {
		c := t.calls[0]
		if c.term.due.IsZero() || now.Before(c.term.due) {
			break
		}
		if c.term.over {
			heap.Pop(t)
			lost = append(lost, c)
			continue
		}
		err := context.DeadlineExceeded
		if c.term.graced {
			err = context.Canceled
		}
		t.over(c, err, now)
		heap.Fix(t, 0)
	}
	t.arm()
	return lost
}

// arm sees to it that the timer goes off when something is due. It may go off
// in vain, when that call has come back.
func (t *terms[F]) arm() {
	if len(t.calls) == 0 {
		return
	}
	if due := t.calls[0].term.due; !due.IsZero() && (t.armed.IsZero() || due.Before(t.armed)) {
		t.armed = due
		t.timer.Reset(time.Until(due))
	}
}

// Len, Less, Swap, Push and Pop implement [heap.Interface].

func (t *terms[F]) Len() int { return len(t.calls) }

func (t *terms[F]) Less(i, j int) bool {
	a, b := t.calls[i].term.due, t.calls[j].term.due
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

func (t *terms[F]) Swap(i, j int) {
	t.calls[i], t.calls[j] = t.calls[j], t.calls[i]
	t.calls[i].term.place, t.calls[j].term.place = i, j
}

func (t *terms[F]) Push(c any) {
	c.(*call[F]).term.place = len(t.calls)
	t.calls = append(t.calls, c.(*call[F]))
}

func (t *terms[F]) Pop() any {
	last := t.calls[len(t.calls)-1]
	t.calls[len(t.calls)-1] = nil
	t.calls = t.calls[:len(t.calls)-1]
	return last
}
