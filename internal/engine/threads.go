package engine

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
)

// goroutines are the tasks of a host that brings none: only what a session needs
// of them, since walks are paced by threads.
type goroutines struct{}

// Go implements [Tasks].
func (goroutines) Go(ctx context.Context, f func(context.Context)) { go f(ctx) }

// Wait implements [Tasks]. Locks do what it is for.
func (goroutines) Wait(context.Context, func() bool) {}

// WithTimeout implements [Tasks].
func (goroutines) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// threads is the pace of a process: each call, and each append, has a goroutine
// of its own while it is under way.
type threads[F any] struct {
	walk    *Walk[F]
	terms   terms[F]
	some    chan struct{} // has a value when calls were handed back
	written chan error    // by the goroutine that writes
	stopped <-chan struct{}
}

func newThreads[F any](ctx context.Context, w *Walk[F]) *threads[F] {
	t := &threads[F]{walk: w, terms: newTerms[F](w.Session.opts.Grace), some: make(chan struct{}, 1), written: make(chan error, 1), stopped: ctx.Done()}
	w.back.wake = func() {
		select {
		case t.some <- struct{}{}:
		default:
		}
	}
	w.terms = &t.terms
	return t
}

func (t *threads[F]) end() { t.terms.timer.Stop() }

func (t *threads[F]) start(ctx context.Context, c *call[F]) {
	w := t.walk
	if c.wait > 0 { // comes back in between, so that its time begins when it is made
		go func() {
			defer w.back.put(c)
			w.pause(ctx, c)
		}()
		return
	}
	t.terms.begin(ctx, c)
	go w.carryOut(&c.term, c)
}

func (t *threads[F]) write(ctx context.Context) (later bool, err error) {
	if t.walk.running == 0 || !t.walk.Session.dirty() {
		return false, t.walk.Session.Flush(ctx)
	}
	go t.flush(ctx)
	return true, nil
}

// flush makes what is staged durable and says so, whatever the store, or
// whoever is told of it, does.
func (t *threads[F]) flush(ctx context.Context) {
	err := errGone
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("writing the journal, or telling of it, panicked: %v", p)
			t.walk.Session.Logger().Error("a panic beside the journal", zap.ByteString("stack", debug.Stack()))
		}
		t.written <- err
	}()
	err = t.walk.Session.Flush(ctx)
}

func (t *threads[F]) await(ctx context.Context) (written bool, err error) {
	var lost []*call[F]
	select {
	case <-t.some:
	case err = <-t.written:
		written = true
	case <-t.terms.timer.C:
		lost = t.terms.expire()
	case <-t.stopped:
		t.stopped = nil
		t.terms.stop(ctx.Err())
	}
	for _, c := range lost {
		if c.sent.CompareAndSwap(false, true) {
			t.walk.back.put(c.forsaken())
		}
	}
	return written, err
}

// inline is the pace of a run that is to be repeatable: each call is made where
// it is decided, and has come back before the next.
type inline[F any] struct {
	walk   *Walk[F]
	graced context.Context // of calls that change something
	cancel context.CancelFunc
}

func newInline[F any](ctx context.Context, w *Walk[F]) inline[F] {
	graced, cancel := withGrace(ctx, w.Session.opts.Grace)
	return inline[F]{w, graced, cancel}
}

// withGrace returns a context that ends some time after ctx.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if (SystemClock{}).Sleep(graced, grace) == nil {
			cancel()
		}
	})
	return graced, func() { stop(); cancel() }
}

func (i inline[F]) start(ctx context.Context, c *call[F]) {
	w := i.walk
	if c.wait > 0 {
		if w.pause(ctx, c); c.err != nil || !w.mayGoOn(c) {
			w.back.put(c)
			return
		}
	}
	if c.patient() {
		ctx = i.graced
	}
	if c.Effect.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Effect.Timeout)
		defer cancel()
	}
	w.carryOut(ctx, c)
}

func (i inline[F]) write(ctx context.Context) (later bool, err error) {
	return false, i.walk.Session.Flush(ctx)
}

func (i inline[F]) await(context.Context) (written bool, err error) { return false, nil }

func (i inline[F]) end() { i.cancel() }
