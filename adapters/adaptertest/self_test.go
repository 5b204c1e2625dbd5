package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

// The suites are tested with adapters that are wrong in one way each: exactly
// the clause that speaks of it must fail. The right ones pass every clause,
// and nothing is skipped.

// general names the clauses that every suite has.
const (
	doneAlready = "a call whose context is done already changes nothing"
	blocked     = "a call that is blocked returns when its context is done"
	several     = "calls for different environments do not disturb each other"
	noSecret    = "errors contain no secret"
)

// password is one that the harnesses say the adapters were given.
const password = "correct horse battery staple"

// A wrong adapter of type P, and the clause of its suite that notices it.
type wrong[H, P any] struct {
	clause string
	how    string
	do     func(h *H, p *P)
}

// A system can be hung, and lets the tests' goroutines go in the end.
type system struct {
	hung    atomic.Bool
	blocked chan struct{}
	over    chan struct{} // the test's goroutines may go
}

func newSystem(t *testing.T) *system {
	s := &system{blocked: make(chan struct{}), over: make(chan struct{})}
	t.Cleanup(func() { close(s.over) })
	return s
}

func (s *system) harness() adaptertest.System {
	return adaptertest.System{
		Secrets: []string{password},
		Hang:    func() <-chan struct{} { s.hung.Store(true); return s.blocked },
	}
}

// reach is the way of every call to the system.
func (s *system) reach(ctx context.Context, call func(context.Context) error) error {
	if !s.hung.Load() {
		return call(ctx)
	}
	select {
	case s.blocked <- struct{}{}:
	case <-ctx.Done():
	case <-s.over:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.over:
		return errors.New("the test is over")
	}
}

// A subject is a suite under test.
type subject[H, P any] struct {
	clauses    []adaptertest.Clause[H]
	newHarness func(*testing.T, worldtest.Scene) (H, *P)
	methods    []method[P]
}

// check checks that the right adapter passes, that each wrong one fails exactly
// its clause, and that there is a wrong one for every clause.
func (s subject[H, P]) check(t *testing.T, wrongs []wrong[H, P]) {
	s.accepts(t)
	s.notices(t, s.oneAtATime(wrongs))
	alike := general[H](s.methods)
	s.notices(t, alike)
	t.Run("every clause has a wrong adapter and explains itself", func(t *testing.T) {
		for _, c := range s.clauses {
			of := func(w wrong[H, P]) bool { return w.clause == c.Name }
			require.True(t, slices.ContainsFunc(wrongs, of) || slices.ContainsFunc(alike, of), c.Name)
			require.NotEmpty(t, c.Text)
		}
	})
}

func (s subject[H, P]) accepts(t *testing.T) {
	t.Run("the right adapter passes and skips nothing", func(t *testing.T) {
		failed, skipped := s.run(t, worldtest.New(t).Copies(t), func(*H, *P) {})
		require.Empty(t, failed)
		require.Empty(t, skipped)
	})
}

func (s subject[H, P]) notices(t *testing.T, wrongs []wrong[H, P]) {
	scenes := worldtest.New(t).Copies(t)
	for _, w := range wrongs {
		t.Run(w.clause+"/"+w.how, func(t *testing.T) {
			failed, _ := s.run(t, scenes, w.do)
			require.Equal(t, []string{w.clause}, failed)
		})
	}
}

// oneAtATime makes wrong adapters safe for calls from several goroutines, so
// that what is wrong with them need not care.
func (s subject[H, P]) oneAtATime(wrongs []wrong[H, P]) []wrong[H, P] {
	type holding struct{}
	out := slices.Clone(wrongs)
	for i, w := range wrongs {
		out[i].do = func(h *H, p *P) {
			w.do(h, p)
			taken := make(chan struct{}, 1)
			for _, m := range s.methods {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					if ctx.Value(holding{}) == nil { // else one method calls another
						taken <- struct{}{}
						defer func() { <-taken }()
					}
					return call(context.WithValue(ctx, holding{}, true))
				})
			}
		}
	}
	return out
}

// run checks every clause with an adapter that was spoiled.
func (s subject[H, P]) run(t *testing.T, scenes func(*testing.T) worldtest.Scene, spoil func(*H, *P)) (failed, skipped []string) {
	for _, c := range s.clauses {
		// Waiting takes no time in a bubble, neither for the suite's patience
		// nor for an adapter that is slow.
		synctest.Test(t, func(t *testing.T) {
			h, p := s.newHarness(t, scenes(t))
			spoil(&h, p)
			inability, broken := c.Run(t.Context(), h)
			wait(time.Hour) // until the slow ones are done
			if inability != "" {
				skipped = append(skipped, c.Name)
			}
			if broken != nil {
				t.Logf("%s: %v", c.Name, broken)
				failed = append(failed, c.Name)
			}
		})
	}
	return failed, skipped
}

// A method is one method of an adapter of type P, seen as if all methods were
// alike, so that what can go wrong with each is said once.
type method[P any] struct {
	name    string
	mutates bool
	hidden  bool // what it changes cannot be seen through the port
	wrap    func(p *P, around around)
}

// around is called in place of a method and may pass the call on.
type around func(ctx context.Context, call func(context.Context) error) error

// wait lets time go by: none in reality, since it is called in a bubble.
func wait(d time.Duration) { <-time.NewTimer(d).C }

// general makes, for every method, the adapters that break the clauses that
// every suite has.
func general[H, P any](methods []method[P]) []wrong[H, P] {
	var out []wrong[H, P]
	for _, m := range methods {
		add := func(clause, how string, around around) {
			out = append(out, wrong[H, P]{clause, m.name + " " + how, func(_ *H, p *P) { m.wrap(p, around) }})
		}
		add(doneAlready, "does not look at its context", func(ctx context.Context, call func(context.Context) error) error {
			if ctx.Err() != nil {
				ctx = context.WithoutCancel(ctx)
			}
			return call(ctx)
		})
		add(doneAlready, "gives a reason that it cannot know", func(ctx context.Context, call func(context.Context) error) error {
			if ctx.Err() != nil {
				return adapters.ErrRejected
			}
			return call(ctx)
		})
		add(doneAlready, "does not return", func(ctx context.Context, call func(context.Context) error) error {
			if ctx.Err() != nil {
				wait(time.Minute)
			}
			return call(ctx)
		})
		if m.mutates && !m.hidden {
			add(doneAlready, "is done and says that it is not", func(ctx context.Context, call func(context.Context) error) error {
				if err := ctx.Err(); err != nil {
					_ = call(context.WithoutCancel(ctx))
					return err
				}
				return call(ctx)
			})
		}
		hung := func(then func(error) error) around {
			return func(ctx context.Context, call func(context.Context) error) error {
				begun := ctx.Err() == nil
				err := call(ctx)
				if begun && ctx.Err() != nil {
					return then(err)
				}
				return err
			}
		}
		add(blocked, "does not return", hung(func(err error) error { wait(time.Minute); return err }))
		add(blocked, "says that it was done", hung(func(error) error { return nil }))
		if m.mutates {
			add(blocked, "says that it was certainly not done", hung(func(error) error { return adapters.ErrNotReached }))
		}
		var calls atomic.Int32
		add(several, "is for one caller at a time", func(ctx context.Context, call func(context.Context) error) error {
			defer calls.Add(-1)
			if calls.Add(1) > 1 {
				return errors.New("in use")
			}
			if ctx.Err() == nil {
				wait(time.Second)
			}
			return call(ctx)
		})
		add(noSecret, "puts a password into its errors", func(ctx context.Context, call func(context.Context) error) error {
			if err := call(ctx); err != nil {
				return fmt.Errorf("log-in with %s: %w", password, err)
			}
			return nil
		})
	}
	return out
}
