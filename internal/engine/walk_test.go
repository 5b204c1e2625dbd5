package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// facts are what the toy procedure knows.
type facts struct {
	Done  int  `json:"done,omitempty"`
	Sent  bool `json:"sent,omitempty"`
	Ready bool `json:"-"`
}

// toy is a procedure of two effects: a mutating one and one that only reads.
func toy() machine.Table[facts] {
	return machine.Table[facts]{
		ID: "toy", Initial: "Begun",
		States: []machine.Node{
			{State: "Begun", Doc: "It has begun.", Do: "send"},
			{State: "Sent", Doc: "It was sent.", Do: "read", Needs: []machine.GuardName{"ready"}},
			{State: "Read", Doc: "It was read.", Final: true},
			{State: "Refused", Doc: "It was refused.", Final: true},
		},
		Edges: []machine.Edge{
			{From: "Begun", On: "sent", To: "Sent", If: []machine.GuardName{"wasSent", "onlyOnce"}},
			{From: "Begun", On: "refused", To: "Refused"},
			{From: "Sent", On: "read", To: "Read"},
		},
		Guards: []machine.Guard[facts]{
			{Name: "ready", Doc: "It may be read.", Holds: func(f facts) (bool, string) { return f.Ready, "not yet" }},
			{Name: "wasSent", Doc: "It was sent.", Holds: func(f facts) (bool, string) { return f.Done > 0, "nothing was" }},
			{Name: "onlyOnce", Doc: "It was sent once.", Holds: func(f facts) (bool, string) { return f.Done < 2, "more than once" }},
		},
		Effects: []machine.Effect{
			{
				Name: "send", Doc: "Send it.", Mutates: true,
				Retry:  machine.Retry{On: []string{"busy"}, Attempts: 3, First: time.Second, Max: 3 * time.Second},
				Settle: machine.Settle{Window: time.Minute},
				Catch:  []machine.Catch{{Condition: "no", Trigger: "refused"}},
			},
			{Name: "read", Doc: "Read it.", Retry: machine.Retry{On: []string{"busy"}, Attempts: 2, First: time.Second}},
		},
	}
}

// condition is an error that says that nothing was done.
type condition string

func (c condition) Error() string     { return "it was " + string(c) }
func (c condition) Condition() string { return string(c) }

// clock advances when somebody waits, and remembers the waits.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.waits = c.now.Add(d), append(c.waits, d)
	return ctx.Err()
}

// stage is a toy run: a script answers each call, in order.
type stage struct {
	t      *testing.T
	table  machine.Table[facts]
	store  journal.Store
	clock  *clock
	envs   []string
	inline bool
	// options are those of the session; clock, inline and a grace are filled in.
	options engine.Options

	mu      sync.Mutex
	sends   []func(context.Context, *machine.Call[facts]) (machine.Trigger, error)
	looks   []func(context.Context, *machine.Call[facts]) (machine.Trigger, error)
	reads   []func(context.Context, *machine.Call[facts]) (machine.Trigger, error)
	calls   []string
	before  func(facts) facts
	adjust  func(*engine.Walk[facts])
	session *engine.Session
}

func newStage(t *testing.T) *stage {
	return &stage{t: t, table: toy(), store: new(journal.Memory), clock: &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}, envs: []string{"A"}, inline: true}
}

func sent(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
	c.Facts.Done++
	return "sent", nil
}

func read(context.Context, *machine.Call[facts]) (machine.Trigger, error) { return "read", nil }

func fails(err error) func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
	return func(context.Context, *machine.Call[facts]) (machine.Trigger, error) { return "", err }
}

func notDone(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
	return machine.NotDone, nil
}

// next takes the next answer of a script; its last one is repeated.
func (s *stage) next(name string, script *[]func(context.Context, *machine.Call[facts]) (machine.Trigger, error), otherwise machine.Do[facts]) machine.Do[facts] {
	return func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
		s.mu.Lock()
		s.calls = append(s.calls, fmt.Sprintf("%s %s %d", name, c.Environment, c.Attempt))
		do := otherwise
		if len(*script) > 0 {
			do, *script = (*script)[0], (*script)[1:]
		}
		s.mu.Unlock()
		return do(ctx, c)
	}
}

func (s *stage) open() (*engine.Session, error) {
	opts := s.options
	if opts.Clock == nil {
		opts.Clock = s.clock
	}
	opts.Inline, opts.Grace = s.inline, time.Millisecond
	return engine.Open(s.t.Context(), s.store, journal.Opening{Run: "run", Plan: "plan", Procedure: "toy", Definition: s.table.Hash()},
		opts)
}

func (s *stage) run(ctx context.Context) error {
	s.t.Helper()
	m, err := machine.New(s.table)
	require.NoError(s.t, err)
	s.session, err = s.open()
	require.NoError(s.t, err)
	w := &engine.Walk[facts]{
		Session: s.session, Machine: m, Envs: s.envs, Complete: func(f *facts) { f.Ready = true },
		Steps: map[machine.EffectName]machine.Step[facts]{
			"send": {Before: s.before, Do: s.next("send", &s.sends, sent), Observe: s.next("look", &s.looks, sent)},
			"read": {Do: s.next("read", &s.reads, read)},
		},
	}
	if s.adjust != nil {
		s.adjust(w)
	}
	return w.Run(ctx)
}

func (s *stage) entries() []journal.Entry {
	var all []journal.Entry
	for e, err := range s.store.Read(context.Background()) {
		require.NoError(s.t, err)
		all = append(all, e)
	}
	return all
}

// kinds are the entries about A, in short.
func (s *stage) kinds() []string {
	var kinds []string
	for _, e := range s.entries() {
		if e.Env == "A" {
			kind := string(e.Kind)
			for _, more := range []string{e.Condition, e.To} {
				if more != "" {
					kind += " " + more
				}
			}
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

func (s *stage) hold() *journal.Hold {
	at, ok := s.session.Standing("A")
	require.True(s.t, ok)
	require.NotNil(s.t, at.Hold)
	return at.Hold
}

func TestIntentBeforeOutcomeAfter(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"begun", "intent", "outcome Sent", "intent", "outcome Read"}, s.kinds())
	require.Equal(t, []string{"send A 1", "read A 1"}, s.calls)
	require.NoError(t, s.run(t.Context()))
	require.Len(t, s.calls, 2, "what is done is not done again")
	require.Len(t, s.entries(), 6, "a session that does nothing writes nothing")
}

// counting counts appends.
type counting struct {
	journal.Store
	appends int
	fail    int // the append that fails, counting from 1; zero: none
}

func (c *counting) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	c.appends++
	if c.appends == c.fail {
		return errors.New("the disk is full")
	}
	return c.Store.Append(ctx, after, entries...)
}

func TestAnOutcomeSharesTheAppendOfTheNextIntent(t *testing.T) {
	s := newStage(t)
	store := &counting{Store: s.store}
	s.store = store
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, 3, store.appends, "two steps cost three appends")
}

func TestWithoutADurableIntentNothingIsDone(t *testing.T) {
	for n := 1; n <= 3; n++ {
		s := newStage(t)
		s.store = &counting{Store: s.store, fail: n}
		require.ErrorIs(t, s.run(t.Context()), engine.ErrJournal)
		require.Len(t, s.calls, n-1, "the append %d has failed", n)
	}
}

func TestConditions(t *testing.T) {
	t.Run("a caught condition takes its edge", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, fails(condition("no")))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"begun", "intent", "outcome no Refused"}, s.kinds())
	})
	t.Run("a retried condition is tried again after a growing wait, then holds", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, fails(condition("busy")), fails(condition("busy")), fails(condition("busy")))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"begun", "intent", "failed busy", "intent", "failed busy", "intent", "held busy"}, s.kinds())
		require.Equal(t, []time.Duration{time.Second, 2 * time.Second}, s.clock.waits)
		require.Equal(t, journal.HoldUnavailable, s.hold().Kind)
		require.Contains(t, s.hold().Cause, "after 3 attempts")
	})
	t.Run("resuming gives all attempts again", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, fails(condition("busy")), fails(condition("busy")), fails(condition("busy")), fails(condition("busy")), fails(condition("busy")))
		require.NoError(t, s.run(t.Context()))
		sess, err := s.open()
		require.NoError(t, err)
		require.NoError(t, sess.Retry("tester"))
		require.NoError(t, sess.Flush(t.Context()))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "send A 2", "send A 3", "send A 4", "send A 5", "send A 6", "read A 1"}, s.calls)
	})
	t.Run("any other condition holds for a person", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, fails(condition("forbidden")))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, journal.HoldSupport, s.hold().Kind)
		require.Equal(t, []string{"A"}, s.hold().Environments)
	})
	t.Run("a hold of the step's own is kept", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, fails(fmt.Errorf("wrapped: %w", &journal.Hold{Kind: journal.HoldSerial, Cause: "another serial number"})))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, journal.HoldSerial, s.hold().Kind)
		require.Equal(t, "send", s.hold().Effect)
	})
}

func TestUnknownIsObserved(t *testing.T) {
	unknown := fails(errors.New("the connection was lost"))
	t.Run("and was done", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, unknown)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls)
		require.Equal(t, []string{"begun", "intent", "doubt", "outcome Sent", "intent", "outcome Read"}, s.kinds())
		require.Equal(t, []time.Duration{time.Minute}, s.clock.waits, "the settle window passes before the first look")
	})
	t.Run("and was not done, so it is done", func(t *testing.T) {
		s := newStage(t)
		s.sends, s.looks = append(s.sends, unknown), append(s.looks, notDone)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "send A 2", "read A 1"}, s.calls)
	})
	t.Run("and was not done, but must not be repeated without a person", func(t *testing.T) {
		s := newStage(t)
		s.table.Effects[0].Once = true
		s.sends, s.looks = append(s.sends, unknown), append(s.looks, notDone, notDone)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, journal.HoldInDoubt, s.hold().Kind)
		require.Equal(t, []string{"send A 1", "look A 1"}, s.calls)

		// Somebody looks and says that it was not done: now it may be issued.
		sess, err := s.open()
		require.NoError(t, err)
		require.ErrorIs(t, sess.Release("A", "tester", "looked", true, journal.HoldOperator), engine.ErrNotHeld)
		require.NoError(t, sess.Release("A", "tester", "looked", true, engine.Resolvable()...))
		require.NoError(t, sess.Flush(t.Context()))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "send A 2", "read A 1"}, s.calls)
	})
	t.Run("and looking does not tell", func(t *testing.T) {
		s := newStage(t)
		s.sends, s.looks = append(s.sends, unknown), append(s.looks, unknown)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, journal.HoldInDoubt, s.hold().Kind)
		at, _ := s.session.Standing("A")
		require.True(t, at.InFlight && at.Doubt, "the doubt stays on record")

		// Resolved without a word about it, it is looked at again.
		sess, err := s.open()
		require.NoError(t, err)
		require.NoError(t, sess.Release("A", "tester", "the page is back", false, engine.Resolvable()...))
		require.NoError(t, sess.Flush(t.Context()))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "look A 1", "read A 1"}, s.calls)
	})
	t.Run("a panic is unknown", func(t *testing.T) {
		s := newStage(t)
		s.sends = append(s.sends, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) { panic("adapter") })
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls)
	})
	t.Run("an effect that only reads is simply repeated", func(t *testing.T) {
		s := newStage(t)
		s.reads = append(s.reads, unknown)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "read A 1", "read A 2"}, s.calls)
	})
}

func TestAProcessThatDiedIsObserved(t *testing.T) {
	s := newStage(t)
	s.store = &counting{Store: s.store, fail: 2} // the outcome of send is lost
	require.ErrorIs(t, s.run(t.Context()), engine.ErrJournal)
	s.store = s.store.(*counting).Store
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls, "it is observed, not repeated")
	require.Contains(t, s.kinds(), "doubt")
}

func TestFactsOfTheIntentAreDurableBeforeTheCall(t *testing.T) {
	s := newStage(t)
	s.before = func(f facts) facts { f.Sent = true; return f }
	s.sends = append(s.sends, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
		last := s.entries()[len(s.entries())-1]
		require.Equal(t, journal.Intent, last.Kind)
		require.JSONEq(t, `{"sent":true}`, string(last.Facts))
		require.True(t, c.Facts.Sent)
		return sent(ctx, c)
	})
	require.NoError(t, s.run(t.Context()))
}

func TestAGuardThatRefusesHoldsWithEveryReason(t *testing.T) {
	s := newStage(t)
	s.sends = append(s.sends, func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) { return "sent", nil })
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, journal.HoldSupport, s.hold().Kind)
	require.Contains(t, s.hold().Cause, "nothing was")
}

func TestNeedsAreAskedBeforeTheIntent(t *testing.T) {
	s := newStage(t)
	s.adjust = func(w *engine.Walk[facts]) { w.Complete = nil }
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"begun", "intent", "outcome Sent"}, s.kinds())
}

func TestUntilAndFinal(t *testing.T) {
	s := newStage(t)
	s.adjust = func(w *engine.Walk[facts]) { w.Until = "Sent" }
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"send A 1"}, s.calls)
	s.adjust = nil
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"send A 1", "read A 1"}, s.calls)
}

func TestLimitAndOrder(t *testing.T) {
	for limit := range 5 {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			s := newStage(t)
			s.inline = false
			s.envs = []string{"A", "B", "C", "D", "E", "F", "G", "H"}
			var under, most atomic.Int64
			s.adjust = func(w *engine.Walk[facts]) {
				w.Limit = limit
				w.Enter = func(f facts) facts {
					if n := under.Add(1); n > most.Load() {
						most.Store(n)
					}
					return f
				}
				w.React = func(_ string, on machine.Trigger, _ facts) ([]journal.Entry, error) {
					if on == "read" {
						under.Add(-1)
					}
					return nil, nil
				}
			}
			require.NoError(t, s.run(t.Context()))
			want := int64(limit)
			if limit == 0 {
				want = 8
			}
			require.Equal(t, want, most.Load())
			var begun []string
			for _, e := range s.entries() {
				if e.Kind == journal.Begun {
					begun = append(begun, e.Env)
				}
			}
			require.Equal(t, s.envs, begun)
		})
	}
}

func TestStopOnHold(t *testing.T) {
	for _, stop := range []bool{false, true} {
		s := newStage(t)
		s.envs = []string{"A", "B"}
		s.sends = append(s.sends, fails(condition("forbidden")))
		s.adjust = func(w *engine.Walk[facts]) { w.StopOnHold, w.Limit = stop, 1 }
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, !stop, slices.Contains(s.calls, "send B 1"))
	}
}

func TestStoppedIssuesNothingMore(t *testing.T) {
	s := newStage(t)
	s.envs = []string{"A", "B"}
	stopped := false
	s.adjust = func(w *engine.Walk[facts]) {
		w.Limit = 1
		w.Stopped = func() bool { return stopped }
		w.React = func(string, machine.Trigger, facts) ([]journal.Entry, error) {
			stopped = true
			return []journal.Entry{{Kind: journal.Noted, Env: "A", Text: "stopped"}}, nil
		}
	}
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"send A 1"}, s.calls)
	last := s.entries()[len(s.entries())-1]
	require.Equal(t, "stopped", last.Text, "what React adds is durable with the outcome")
}

func TestAnOperatorHoldStopsAtTheNextSafePoint(t *testing.T) {
	for _, env := range []string{"A", journal.Infrastructure} {
		s := newStage(t)
		s.sends = append(s.sends, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			if env == journal.Infrastructure {
				require.NoError(t, s.session.Stage(journal.Entry{Kind: journal.Begun, Env: env, State: "Whole"}))
			}
			require.NoError(t, s.session.Hold(env, "operator", "wait"))
			require.NoError(t, s.session.Flush(ctx))
			return sent(ctx, c)
		})
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1"}, s.calls)
		at, _ := s.session.Standing("A")
		require.Equal(t, "Sent", at.State, "what was under way has come to its end")
		sess, err := s.open()
		require.NoError(t, err)
		require.NoError(t, sess.Retry("tester"))
		at, _ = sess.Standing(env)
		require.NotNil(t, at.Hold, "resuming does not release an operator's hold")
		require.NoError(t, sess.Release(env, "operator", "go on", false, journal.HoldOperator))
		require.NoError(t, sess.Flush(t.Context()))
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "read A 1"}, s.calls)
	}
}

func TestCancel(t *testing.T) {
	t.Run("during a mutating call, which comes to its end on record", func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.sends = append(s.sends, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			cancel()
			return sent(ctx, c)
		})
		require.ErrorIs(t, s.run(ctx), context.Canceled)
		require.Equal(t, []string{"begun", "intent", "outcome Sent"}, s.kinds())
	})
	t.Run("during a mutating call that gives up after its grace: in doubt", func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.sends = append(s.sends, func(ctx context.Context, _ *machine.Call[facts]) (machine.Trigger, error) {
			cancel()
			<-ctx.Done()
			return "", ctx.Err()
		})
		require.ErrorIs(t, s.run(ctx), context.Canceled)
		require.Equal(t, []string{"begun", "intent", "doubt"}, s.kinds())
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls)
	})
	t.Run("while waiting for another attempt: certainly not done", func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.sends = append(s.sends, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
			cancel()
			return "", condition("busy")
		})
		require.ErrorIs(t, s.run(ctx), context.Canceled)
		require.NotContains(t, s.kinds(), "doubt")
		require.NoError(t, s.run(t.Context()))
		require.NotContains(t, s.calls, "look A 1")
	})
	t.Run("during a reading", func(t *testing.T) {
		s := newStage(t)
		ctx, cancel := context.WithCancel(t.Context())
		s.reads = append(s.reads, func(ctx context.Context, _ *machine.Call[facts]) (machine.Trigger, error) {
			cancel()
			return "", ctx.Err()
		})
		require.ErrorIs(t, s.run(ctx), context.Canceled)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "read A 1", "read A 1"}, s.calls)
	})
}

func TestATimeoutIsUnknown(t *testing.T) {
	s := newStage(t)
	s.table.Effects[0].Timeout = time.Millisecond
	s.sends = append(s.sends, func(ctx context.Context, _ *machine.Call[facts]) (machine.Trigger, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	require.NoError(t, s.run(t.Context()))
	require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls)
}

func TestTheEffectIDStaysOverAttemptsAndProcesses(t *testing.T) {
	s := newStage(t)
	var ids []string
	keep := func(err error) func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
		return func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			ids = append(ids, c.ID)
			if err != nil {
				return "", err
			}
			return sent(ctx, c)
		}
	}
	s.sends = append(s.sends, keep(condition("busy")), keep(errors.New("unknown")), keep(nil))
	s.looks = append(s.looks, notDone)
	require.NoError(t, s.run(t.Context()))
	require.Len(t, ids, 3)
	require.Equal(t, ids[0], ids[1])
	require.Equal(t, ids[0], ids[2])
}

func TestOpenRefusesAnotherPlanOrDefinition(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.run(t.Context()))
	_, err := engine.Open(t.Context(), s.store, journal.Opening{Run: "run", Plan: "other", Procedure: "toy", Definition: s.table.Hash()}, engine.Options{})
	require.ErrorIs(t, err, journal.ErrForeign)
	s.table.Effects[0].Once = true
	_, err = s.open()
	require.ErrorIs(t, err, engine.ErrDefinition)
}

func TestAStepThatDoesNotKnowItsTableIsAnError(t *testing.T) {
	s := newStage(t)
	s.sends = append(s.sends, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) { return "nonsense", nil })
	var refused *machine.RefusedError
	require.ErrorAs(t, s.run(t.Context()), &refused)
	s = newStage(t)
	s.sends = append(s.sends, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) { return "", nil })
	require.ErrorContains(t, s.run(t.Context()), "neither a trigger nor an error")
}

func TestWhoeverIsToldMayHoldTheRun(t *testing.T) {
	s := newStage(t)
	var told []uint64
	m, err := machine.New(s.table)
	require.NoError(t, err)
	var sess *engine.Session
	sess, err = engine.Open(t.Context(), s.store, journal.Opening{Run: "run", Plan: "plan", Procedure: "toy", Definition: s.table.Hash()},
		engine.Options{Clock: s.clock, Inline: true, OnEntry: func(e journal.Entry) {
			told = append(told, e.Seq)
			if e.To == "Sent" {
				require.NoError(t, sess.Hold("A", "operator", "wait"))
				require.NoError(t, sess.Flush(t.Context()))
			}
		}})
	require.NoError(t, err)
	w := &engine.Walk[facts]{Session: sess, Machine: m, Envs: []string{"A"}, Complete: func(f *facts) { f.Ready = true },
		Steps: map[machine.EffectName]machine.Step[facts]{"send": {Do: sent, Observe: sent}, "read": {Do: read}}}
	require.NoError(t, w.Run(t.Context()))
	at, _ := sess.Standing("A")
	require.NotNil(t, at.Hold)
	for i, seq := range told {
		require.EqualValues(t, i+1, seq, "told once each, in order")
	}
	require.Len(t, told, len(s.entries()))
}
