package changeover_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// slow is a store in which something else goes on while the nth reading, or the
// nth append, is about to return.
type slow struct {
	*journal.Memory
	mu       sync.Mutex
	nth      int
	appends  bool
	happened bool
	happens  func()
}

func (s *slow) strike(append bool) {
	s.mu.Lock()
	if append != s.appends {
		s.mu.Unlock()
		return
	}
	s.nth--
	now := s.nth == 0
	s.mu.Unlock()
	if now {
		s.happened = true
		go s.happens()
		synctest.Wait()
	}
}

func (s *slow) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for e, err := range s.Memory.Read(ctx) {
			if !yield(e, err) {
				return
			}
		}
		s.strike(false)
	}
}

func (s *slow) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	err := s.Memory.Append(ctx, after, entries...)
	s.strike(true)
	return err
}

// Somebody may hold a run at any moment: as it opens its journal, between the
// way forward and the way back, as it ends. Neither the hold nor the run may
// find that the other one has written meanwhile.
func TestAHoldComesAtAnyMoment(t *testing.T) {
	for _, verb := range []string{"apply", "resume"} {
		for _, appends := range []bool{false, true} {
			for _, ending := range []report.Verdict{report.Completed, report.RolledBack} {
				for nth := 1; ; nth++ {
					var happened bool
					t.Run(fmt.Sprintf("%s, %s, appends %t, %d", verb, ending, appends, nth), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { happened = holdAt(t, verb, appends, ending, nth) })
					})
					if !happened || t.Failed() {
						require.Greater(t, nth, 3)
						break
					}
				}
			}
		}
	}
}

func holdAt(t *testing.T, verb string, appends bool, ending report.Verdict, nth int) (happened bool) {
	s := newStage(t, migration.RefreshAndMove)
	if ending == report.RolledBack {
		s.ipp("Quality")
	}
	store := &slow{Memory: s.store, nth: nth, appends: appends}
	if verb == "resume" { // after somebody has said no
		s.world.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
		require.Equal(t, report.Held, s.apply(t).Verdict)
		s.world.Answer(nil)
	}
	var c *changeover.Changeover
	c, err := changeover.New(s.plan, s.world.Set(), store, &changeover.Options{Clock: new(fake.Clock), User: "tester", OnEntry: func(e journal.Entry) {
		if e.Kind == journal.Held && e.Env == journal.Infrastructure && e.Hold.Holder == "ada" { // whoever is told may hold as well
			_ = c.Hold(t.Context(), "Quality", "bob", "likewise")
		}
	}})
	require.NoError(t, err)
	held := make(chan error, 1)
	store.happens = func() { held <- c.Hold(context.WithoutCancel(t.Context()), journal.Infrastructure, "ada", "a look") }
	r, err := map[string]func(context.Context) (*report.Report, error){"apply": c.Apply, "resume": c.Resume}[verb](t.Context())
	require.NoError(t, err)
	if !store.happened {
		return false
	}
	if err := <-held; err != nil { // there was nothing to hold yet, or it was held
		require.NotErrorIs(t, err, changeover.ErrJournal)
		require.Regexp(t, "has not begun|is held already", err.Error())
	}
	for range 3 {
		if err := c.Release(t.Context(), "Quality", "bob", "looked"); err != nil {
			require.ErrorIs(t, err, changeover.ErrNotHeld)
		}
		if err := c.Release(t.Context(), journal.Infrastructure, "ada", "looked"); err != nil {
			require.ErrorIs(t, err, changeover.ErrNotHeld)
			break
		}
		if r, err = c.Resume(t.Context()); err != nil {
			require.NoError(t, errors.Join(err))
		}
	}
	require.Equal(t, ending, r.Verdict)
	return true
}
