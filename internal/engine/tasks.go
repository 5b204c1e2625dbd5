package engine

import (
	"context"
	"sync"
	"time"
)

// Tasks run what is done side by side; see adapters.Tasks.
type Tasks interface {
	Go(ctx context.Context, f func(ctx context.Context))
	Wait(ctx context.Context, ready func() bool)
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// await returns once ready reports true, with the lock of changed held, as it was
// before. Whoever changes what ready asks for says so to changed.
func await(ctx context.Context, tasks Tasks, changed *sync.Cond, ready func() bool) {
	for !ready() {
		if _, plain := tasks.(goroutines); plain {
			changed.Wait()
			continue
		}
		changed.L.Unlock()
		tasks.Wait(ctx, func() bool {
			changed.L.Lock()
			defer changed.L.Unlock()
			return ready()
		})
		changed.L.Lock()
	}
}

// A pace is how a walk makes its calls and waits for them.
type pace[F any] interface {
	// start makes a call that is counted in running, and hands it back. One that
	// waits first may come back in between, not made.
	start(ctx context.Context, c *call[F])
	// write makes what is staged durable: at once, or while outcomes are settled;
	// then later is true, and await returns the error.
	write(ctx context.Context) (later bool, err error)
	// await returns when something has come back, or was written.
	await(ctx context.Context) (written bool, err error)
	// end is called when nothing is under way any more.
	end()
}

// pace returns how the walk goes on.
func (w *Walk[F]) pace(ctx context.Context) pace[F] {
	opts := &w.Session.opts
	switch _, plain := opts.Tasks.(goroutines); {
	case opts.Inline:
		return newInline(ctx, w)
	case plain:
		return newThreads(ctx, w)
	default:
		return tasked[F]{w, opts.Tasks}
	}
}

// tasked is the pace of a host that brings its own tasks.
type tasked[F any] struct {
	walk  *Walk[F]
	tasks Tasks
}

func (t tasked[F]) start(ctx context.Context, c *call[F]) {
	t.tasks.Go(ctx, func(ctx context.Context) {
		w := t.walk
		if c.wait > 0 {
			if w.pause(ctx, c); c.err != nil || !w.mayGoOn(c) {
				w.back.put(c)
				return
			}
		}
		if c.Effect.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = t.tasks.WithTimeout(ctx, c.Effect.Timeout)
			defer cancel()
		}
		w.carryOut(ctx, c)
	})
}

func (t tasked[F]) write(ctx context.Context) (later bool, err error) {
	return false, t.walk.Session.Flush(ctx)
}

func (t tasked[F]) await(ctx context.Context) (written bool, err error) {
	t.tasks.Wait(ctx, t.walk.back.any)
	return false, nil
}

func (tasked[F]) end() {}
