package engine_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// slow is a store whose appends take time, and which knows what is durable.
type slow struct {
	journal.Store
	takes func(append int) time.Duration
	fail  int // the append that fails, counting from 1; zero: none

	mu      sync.Mutex
	appends int
	durable map[string]bool // intents and outcomes, see key
}

func key(kind journal.Kind, env, effect string, attempt int) string {
	return fmt.Sprint(kind, " ", env, " ", effect, " ", attempt)
}

func (s *slow) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	s.mu.Lock()
	s.appends++
	n := s.appends
	s.mu.Unlock()
	pass(s.takes(n))
	if n == s.fail {
		return errFull
	}
	err := s.Store.Append(ctx, after, entries...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.durable[key(e.Kind, e.Env, e.Effect, e.Attempt)] = true
	}
	return err
}

func (s *slow) has(k string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable[k]
}

// pass lets time go by, which in a bubble costs none.
func pass(d time.Duration) { <-time.NewTimer(d).C }

func TestWhileTheJournalIsWrittenNothingIsDoneThatItDoesNotHave(t *testing.T) {
	const envs = 40
	// play runs once more on what the journal has, and returns what was called.
	play := func(t *testing.T, kept journal.Store, fail int) (store *slow, called []string, err error) {
		s := newStage(t)
		s.inline = false
		store = &slow{Store: kept, fail: fail, durable: map[string]bool{}, takes: func(int) time.Duration { return 3 * time.Millisecond }}
		s.store = store
		for _, e := range s.entries() {
			store.durable[key(e.Kind, e.Env, e.Effect, e.Attempt)] = true
		}
		s.envs = nil
		for i := range envs {
			s.envs = append(s.envs, fmt.Sprint("E", i))
		}
		var mu sync.Mutex
		step := func(effect string, on machine.Trigger, mutates bool) machine.Do[facts] {
			return func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				if !store.has(key(journal.Intent, c.Environment, effect, c.Attempt)) {
					t.Errorf("%s of %s is done without a durable intent", effect, c.Environment)
				}
				mu.Lock()
				called = append(called, key(journal.Outcome, c.Environment, effect, c.Attempt))
				mu.Unlock()
				pass(time.Duration(len(c.Environment)*700+int(c.Environment[len(c.Environment)-1])*90) * time.Microsecond)
				if mutates {
					c.Facts.Done = 1
				}
				return on, nil
			}
		}
		s.adjust = func(w *engine.Walk[facts]) {
			w.Limit = 25
			w.Steps["send"] = machine.Step[facts]{Do: step("send", "sent", true), Observe: func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				c.Facts.Done = 1
				return "sent", nil
			}}
			w.Steps["read"] = machine.Step[facts]{Do: step("read", "read", false)}
		}
		err = s.run(t.Context())
		return store, called, err
	}

	var total int
	t.Run("outcomes that arrive meanwhile share the next append", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store, called, err := play(t, new(journal.Memory), 0)
			require.NoError(t, err)
			require.Len(t, called, 2*envs)
			total = store.appends
			require.Less(t, total, envs)
		})
	})
	for fail := 1; fail <= total; fail++ {
		t.Run(fmt.Sprintf("append %d fails", fail), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				kept := new(journal.Memory)
				store, called, err := play(t, kept, fail)
				require.ErrorIs(t, err, engine.ErrJournal)
				var unwritten *engine.UnwrittenError
				require.ErrorAs(t, err, &unwritten)
				told := map[string]bool{}
				for _, e := range unwritten.Entries() {
					require.NotEqual(t, journal.Intent, e.Kind)
					told[key(e.Kind, e.Env, e.Effect, e.Attempt)] = true
				}
				for _, k := range called {
					require.NotEqual(t, store.has(k), told[k], "what was done is on record, or people are told: %s", k)
				}
				_, _, err = play(t, kept, 0)
				require.NoError(t, err)
			})
		})
	}
}

func TestAJournalThatHangsDoesNotGiveCallsMoreTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = 10 * time.Second
		s.envs = []string{"A", "B"}
		s.store = &slow{Store: s.store, durable: map[string]bool{}, takes: func(n int) time.Duration {
			if n == 2 { // B has come back, A has not
				return 30 * time.Second
			}
			return 0
		}}
		began := time.Now()
		var ended time.Duration
		do := func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			if c.Environment == "A" && c.Attempt == 1 {
				<-ctx.Done()
				ended = time.Since(began)
				return "", ctx.Err()
			}
			return sent(ctx, c)
		}
		s.sends = []func(context.Context, *machine.Call[facts]) (machine.Trigger, error){do, do}
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, 10*time.Second, ended)
	})
}

func TestTheContextOfACall(t *testing.T) {
	type name struct{}
	// called runs one environment, whose first call is do, under ctx.
	called := func(t *testing.T, ctx context.Context, timeout time.Duration, do machine.Do[facts]) error {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = timeout
		s.sends = append(s.sends, do)
		s.adjust = func(w *engine.Walk[facts]) { w.Until = "Sent" }
		return s.run(ctx)
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T)
	}{
		{"it has the values of the caller's", func(t *testing.T) {
			require.NoError(t, called(t, context.WithValue(t.Context(), name{}, "x"), time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				require.Equal(t, "x", ctx.Value(name{}))
				return sent(ctx, c)
			}))
		}},
		{"it says when it ends, and ends then", func(t *testing.T) {
			require.NoError(t, called(t, t.Context(), time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				end, ok := ctx.Deadline()
				require.True(t, ok)
				require.Equal(t, time.Hour, time.Until(end))
				require.NoError(t, ctx.Err())
				<-ctx.Done()
				require.Zero(t, time.Until(end))
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				<-ctx.Done() // and stays ended
				return sent(ctx, c)
			}))
		}},
		{"without a time of its own it has no end", func(t *testing.T) {
			require.NoError(t, called(t, t.Context(), 0, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				_, ok := ctx.Deadline()
				require.False(t, ok)
				pass(1000 * time.Hour)
				require.NoError(t, ctx.Err())
				return sent(ctx, c)
			}))
		}},
		{"contexts made of it end with it", func(t *testing.T) {
			require.NoError(t, called(t, t.Context(), time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				shorter, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				longer, cancel := context.WithTimeout(ctx, 24*time.Hour)
				defer cancel()
				var told bool
				context.AfterFunc(ctx, func() { told = true })
				<-shorter.Done()
				require.NoError(t, ctx.Err())
				<-longer.Done()
				require.ErrorIs(t, longer.Err(), context.DeadlineExceeded)
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				synctest.Wait()
				require.True(t, told)
				return sent(ctx, c)
			}))
		}},
		{"it ends when the call has come back", func(t *testing.T) {
			var kept context.Context
			var asked <-chan struct{}
			require.NoError(t, called(t, t.Context(), time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				kept, asked = ctx, ctx.Done()
				return sent(ctx, c)
			}))
			<-asked
			<-kept.Done()
			require.ErrorIs(t, kept.Err(), context.Canceled)
		}},
		{"when the caller gives up, a call that changes something has the grace", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			require.ErrorIs(t, called(t, ctx, time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				cancel()
				began := time.Now()
				<-ctx.Done()
				require.Equal(t, time.Millisecond, time.Since(began))
				require.ErrorIs(t, ctx.Err(), context.Canceled)
				return "", ctx.Err()
			}), context.Canceled)
		}},
		{"the grace is not more than the call's own time", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			require.ErrorIs(t, called(t, ctx, time.Hour, func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				end, _ := ctx.Deadline()
				pass(time.Until(end) - time.Microsecond)
				cancel()
				<-ctx.Done()
				require.Zero(t, time.Until(end))
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				return "", ctx.Err()
			}), context.Canceled)
		}},
	} {
		t.Run(c.name, func(t *testing.T) { synctest.Test(t, c.test) })
	}

	t.Run("when the caller gives up, a call that only looks ends at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s := newStage(t)
			s.inline = false
			s.table.Effects[1].Timeout = time.Hour
			began := time.Now()
			s.reads = append(s.reads, func(ctx context.Context, _ *machine.Call[facts]) (machine.Trigger, error) {
				end, _ := ctx.Deadline()
				require.Equal(t, time.Minute, time.Until(end), "it ends when the caller's does")
				<-ctx.Done()
				require.Equal(t, time.Minute, time.Since(began))
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				return "", ctx.Err()
			})
			require.ErrorIs(t, s.run(ctx), context.DeadlineExceeded)
			require.Equal(t, []string{"begun", "intent", "outcome Sent", "intent"}, s.kinds(), "it stays in flight: nothing depends on it")
		})
	})
	for _, c := range []struct {
		append    int
		calls     string
		condition string
	}{
		{1, "send", "interrupted"}, // nothing stays in flight that changes something
		{2, "read", ""},
	} {
		t.Run("a caller that gives up while the intent is written is heeded: "+c.calls, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s := newStage(t)
				s.inline = false
				s.envs = []string{"A", "B"}
				s.store = &slow{Store: s.store, durable: map[string]bool{}, takes: func(n int) time.Duration {
					if n == c.append {
						cancel()
					}
					return time.Second
				}}
				require.ErrorIs(t, s.run(ctx), context.Canceled)
				for _, call := range s.calls {
					require.NotContains(t, call, c.calls)
				}
				require.Equal(t, c.condition, s.entries()[len(s.entries())-1].Condition)
			})
		})
	}
}

func TestEveryCallHasItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout, s.table.Effects[1].Timeout = 10*time.Second, 3*time.Second
		s.table.Effects[1].Retry = machine.Retry{}
		s.envs = nil
		for i := range 50 {
			s.envs = append(s.envs, fmt.Sprint("E", i))
		}
		var mu sync.Mutex
		ends := map[string]int{}
		// Every third hangs, the others come back at their own time.
		slowly := func(effect string, time0 time.Duration, otherwise machine.Do[facts]) machine.Do[facts] {
			return func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				var n int
				_, err := fmt.Sscanf(c.Environment, "E%d", &n)
				require.NoError(t, err)
				began := time.Now()
				if n%3 != 0 {
					pass(time.Duration(n) * time.Millisecond * 50)
					require.NoError(t, ctx.Err())
					return otherwise(ctx, c)
				}
				<-ctx.Done()
				require.Equal(t, time0, time.Since(began))
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				mu.Lock()
				defer mu.Unlock()
				ends[effect]++
				return "", errors.New("no answer")
			}
		}
		s.adjust = func(w *engine.Walk[facts]) {
			w.Limit = 7
			w.Steps["send"] = machine.Step[facts]{Do: slowly("send", 10*time.Second, sent), Observe: sent}
			w.Steps["read"] = machine.Step[facts]{Do: slowly("read", 3*time.Second, read)}
		}
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, map[string]int{"send": 17, "read": 17}, ends)
	})
}

func TestACallThatWaitsHasItsWholeTimeAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = time.Minute
		s.sends = append(s.sends, fails(condition("busy")), func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			end, _ := ctx.Deadline()
			require.Equal(t, time.Minute, time.Until(end))
			return sent(ctx, c)
		})
		m, err := machine.New(s.table)
		require.NoError(t, err)
		session, err := engine.Open(t.Context(), s.store, journal.Opening{Run: "run", Plan: "plan", Procedure: "toy", Definition: s.table.Hash()}, engine.Options{})
		require.NoError(t, err)
		began := time.Now()
		w := &engine.Walk[facts]{Session: session, Machine: m, Envs: s.envs, Until: "Sent", Steps: map[machine.EffectName]machine.Step[facts]{
			"send": {Do: s.next("send", &s.sends, sent), Observe: sent}, "read": {Do: read},
		}}
		require.NoError(t, w.Run(t.Context()))
		require.Equal(t, time.Second, time.Since(began), "the wait before the second attempt")
		require.Equal(t, []string{"send A 1", "send A 2"}, s.calls)
	})
}
