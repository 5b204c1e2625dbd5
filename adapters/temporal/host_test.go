package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// talkative says activation codes wherever it can.
type talkative struct {
	adapters.ServiceCenter
	adapters.Operator
	plan  migration.Plan
	times *atomic.Int64
}

func (s talkative) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	adapters.Testify(ctx, adapters.Testimony{By: s.plan.Target.Reveal(), At: fake.Start(), Text: s.plan.Source.Reveal()})
	if s.times.Add(1) > 1 {
		return s.ServiceCenter.RepublishModule(ctx, env, module)
	}
	return adapters.Publication{}, fmt.Errorf("%s is not %s: %w", s.plan.Source.Reveal(), s.plan.Target.Reveal(), adapters.ErrBusy)
}

func (s talkative) Ask(context.Context, adapters.Question) (adapters.Answer, error) {
	s.times.Add(1)
	return adapters.Answer{By: s.plan.Source.Reveal(), At: fake.Start(), Text: s.plan.Target.Reveal()}, nil
}

func TestNoAdapterBringsAnActivationCodeIntoTheHistory(t *testing.T) {
	p := small("talkative")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	h := newHosted(t, p, w, kept{new(journal.Memory)})
	times := new(atomic.Int64)
	h.host.Ports = func(p migration.Plan) (adapters.Set, error) {
		set := w.Set()
		loud := talkative{set.ServiceCenter, set.Operator, p, times}
		set.ServiceCenter, set.Operator = loud, loud
		return set, nil
	}
	var said []string
	h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
		a, err := do()
		q.Text = "" // the plan
		b, _ := json.Marshal([]any{q, a})
		h.mu.Lock()
		defer h.mu.Unlock()
		said = append(said, string(b), fmt.Sprint(err))
		return a, err
	}
	_, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Contains(t, h.methods(), "Ask")
	require.NotEmpty(t, said)
	for _, text := range said {
		require.NotContains(t, text, p.Source.Reveal())
		require.NotContains(t, text, p.Target.Reveal())
	}
}

func TestPortsThatCannotBeMadeSayNoActivationCode(t *testing.T) {
	p := small("no ports")
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	h.host.Ports = func(p migration.Plan) (adapters.Set, error) {
		return adapters.Set{}, errors.New("no account for " + p.Source.Reveal())
	}
	_, err := h.execute(t, nil)
	require.ErrorContains(t, err, "no account for")
	require.NotContains(t, err.Error(), p.Source.Reveal())
}

func TestOfSeveralConditionsTheFirstOneTravelsFirst(t *testing.T) {
	for _, first := range adapters.Conditions() {
		for _, second := range adapters.Conditions() {
			err := fmt.Errorf("both: %w, %w", first, second)
			require.Same(t, adapters.ConditionOf(err), adapters.ConditionOf(fail(err).err()), "%s, %s", first.Condition(), second.Condition())
			require.Equal(t, err.Error(), fail(err).err().Error())
			require.Nil(t, adapters.ConditionOf(fail(errors.Join(err, adapters.ErrUncertain)).err()))
		}
	}
}

func TestAJournalThatCannotBeReadSaysNoActivationCode(t *testing.T) {
	for _, why := range []error{journal.ErrForeign, journal.ErrLocked} { // for good, and for a while
		p := small(why.Error())
		h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
		h.host.Journal = func(_ context.Context, p migration.Plan) (Journal, error) {
			return nil, fmt.Errorf("%w: %s", why, p.Source.Reveal())
		}
		_, err := h.execute(t, nil)
		require.ErrorContains(t, err, why.Error())
		require.NotContains(t, err.Error(), p.Source.Reveal())
	}
}

// waiting is an operator who never answers.
type waiting struct{ canceled *atomic.Int64 }

func (o waiting) Ask(ctx context.Context, _ adapters.Question) (adapters.Answer, error) {
	<-ctx.Done()
	o.canceled.Add(1)
	return adapters.Answer{}, ctx.Err()
}

func TestAStoppedRunDoesNotWaitForThePersonItHasAsked(t *testing.T) {
	for name, stop := range map[string]func(*hosted){
		"it is rolled back": func(h *hosted) { h.send("rollback", command("")) },
		"it is canceled":    func(h *hosted) { h.env.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			p := small(name)
			w := fake.New(p.Infrastructure, p.Source, p.Target)
			h := newHosted(t, p, w, kept{new(journal.Memory)})
			h.host.Ports = func(migration.Plan) (adapters.Set, error) {
				set := w.Set()
				set.Operator = waiting{new(atomic.Int64)}
				return set, nil
			}
			h.middle = func(ctx context.Context, q question, do func() (answer, error)) (answer, error) {
				if q.Method == "Ask" {
					h.at(0, func() { stop(h) })
				}
				return do()
			}
			began := h.env.Now()
			result, err := h.execute(t, &StartOptions{Heartbeat: time.Second})
			if name == "it is canceled" {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
				require.Equal(t, report.RolledBack, result.Verdict)
			}
			require.Less(t, h.env.Now().Sub(began), 12*time.Hour, "it waited for the person")
			valid(t, h.store)
		})
	}
}

// reserved is a journal that keeps room back.
type reserved struct {
	kept
	released *atomic.Int64
}

func (r reserved) ReleaseReserve() error {
	r.released.Add(1)
	return nil
}

func (reserved) Repaired() int64 { return 17 }

func TestTheWayBackHasTheRoomThatTheJournalKeepsBack(t *testing.T) {
	for name, back := range map[string]bool{"forward": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			p := small(name)
			w := fake.New(p.Infrastructure, p.Source, p.Target)
			if back {
				marked(p, w)
			}
			released := new(atomic.Int64)
			h := newHosted(t, p, w, kept{new(journal.Memory)})
			h.host.Journal = func(context.Context, migration.Plan) (Journal, error) { return reserved{h.store, released}, nil }
			result, err := h.execute(t, nil)
			require.NoError(t, err)
			require.Equal(t, back, result.Verdict == report.RolledBack)
			require.Equal(t, back, released.Load() > 0)
			require.EqualValues(t, 17, valid(t, h.store)[0].Opened.Repaired, "what was mended is on record")
		})
	}
}

// Two people at once: one releases, the other has it go on before that is done.
func TestAVerbDoesNotBeginWhileAnUpdateIsAtWork(t *testing.T) {
	p := small("at once")
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	held := false
	h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
		if q.Method == "Ask" && !held {
			held = true
			h.at(0, func() { h.send("hold", command(journal.Infrastructure)) })
		}
		return do()
	}
	var release, resume, again *update
	h.at(resting, func() {
		release, resume = h.send("release", command(journal.Infrastructure)), h.send("resume", command(""))
	})
	h.at(2*resting, func() { again = h.send("resume", command("")) })
	result, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Equal(t, report.Completed, result.Verdict)
	require.NoError(t, release.err)
	require.NoError(t, resume.err)
	require.Nil(t, again, "it was taken down, and nothing came of it")
}

func TestAFleetThatNoServerTakesIsRefused(t *testing.T) {
	request, err := NewRequest(small("fleet"), nil)
	require.NoError(t, err)
	for len(request.Plan) < maxFleetBytes/10 {
		request.Plan = append(request.Plan, ' ')
	}
	for n, refused := range map[int]bool{9: false, 11: true} {
		requests := make([]Request, n)
		for i := range requests {
			requests[i] = request
		}
		_, err := NewFleetRequest(requests, 1)
		require.ErrorContains(t, err, "already") // the same one several times
		require.Equal(t, refused, strings.Contains(err.Error(), "2 MB"), "%d: %v", n, err)
	}
}

func TestABadlyReadLicenseTravelsWithItsReason(t *testing.T) {
	for _, refused := range []error{license.ErrOpaque, license.ErrTruncated, license.ErrTrailing, license.ErrTooLarge} {
		require.ErrorIs(t, fail(fmt.Errorf("of this file: %w", refused)).err(), refused)
	}
}
