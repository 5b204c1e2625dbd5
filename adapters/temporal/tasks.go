package temporal

import (
	"context"
	"time"

	"go.temporal.io/sdk/workflow"
)

// within is a context.Context for code that runs in a coroutine of a workflow.
// It carries the coroutine's own context, which every wait needs, and never
// ends: a run is stopped by a hold, at a safe point.
func within(ctx context.Context, w workflow.Context) context.Context {
	return context.WithValue(ctx, coroutine{}, w)
}

type coroutine struct{}

// of returns what within has put in.
func of(ctx context.Context) workflow.Context {
	w, _ := ctx.Value(coroutine{}).(workflow.Context)
	return w
}

// tasks are coroutines of the workflow.
type tasks struct{}

// Go implements adapters.Tasks.
func (tasks) Go(ctx context.Context, f func(context.Context)) {
	workflow.Go(of(ctx), func(w workflow.Context) { f(within(ctx, w)) })
}

// Wait implements adapters.Tasks.
func (tasks) Wait(ctx context.Context, ready func() bool) {
	_ = workflow.Await(of(ctx), ready) // in a context that is never canceled
}

// WithTimeout implements adapters.Tasks: the deadline is that of the activities
// that are begun with the context.
func (tasks) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return deadline{ctx, workflow.Now(of(ctx)).Add(d)}, func() {}
}

type deadline struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (d deadline) Deadline() (time.Time, bool) { return d.at, true }

// clock is the workflow's. waits are divided by hurry.
type clock struct {
	workflow workflow.Context // for the time, which is the same in all coroutines
	hurry    int
}

// Now implements adapters.Clock.
func (c clock) Now() time.Time { return workflow.Now(c.workflow).UTC() }

// Sleep implements adapters.Clock.
func (c clock) Sleep(ctx context.Context, d time.Duration) error {
	return workflow.Sleep(of(ctx), d/time.Duration(c.hurry))
}
