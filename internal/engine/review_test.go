package engine_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// onRealTime makes a stage wait as the machine's clock does.
func onRealTime(t *testing.T) *stage {
	s := newStage(t)
	s.inline = false
	s.options = engine.Options{Clock: engine.SystemClock{}}
	return s
}

func TestACallThatHasWaitedIsNotMadeWhen(t *testing.T) {
	busyThenSent := func(s *stage) { s.sends = append(s.sends, fails(condition("busy")), sent) }

	t.Run("the line was stopped meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := onRealTime(t)
			busyThenSent(s)
			var stopped atomic.Bool
			time.AfterFunc(500*time.Millisecond, func() { stopped.Store(true) })
			s.adjust = func(w *engine.Walk[facts]) { w.Stopped = stopped.Load }
			require.NoError(t, s.run(t.Context()))
			require.Equal(t, []string{"send A 1"}, s.calls)
			require.Equal(t, []string{"begun", "intent", "failed busy", "intent", "failed interrupted"}, s.kinds())
		})
	})
	t.Run("somebody has held it meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := onRealTime(t)
			busyThenSent(s)
			s.adjust = func(w *engine.Walk[facts]) {
				time.AfterFunc(500*time.Millisecond, func() {
					require.NoError(t, w.Session.Hold("A", "Ana", "stop"))
					require.NoError(t, w.Session.Flush(context.Background()))
				})
			}
			require.NoError(t, s.run(t.Context()))
			require.Equal(t, []string{"send A 1"}, s.calls)
			require.Equal(t, []string{"begun", "intent", "failed busy", "intent", "held", "failed interrupted"}, s.kinds())
		})
	})
	t.Run("the journal can no longer be written", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := onRealTime(t)
			s.envs = []string{"A", "B"}
			s.table.Effects[0].Retry.First, s.table.Effects[0].Retry.Max = 10*time.Second, 10*time.Second
			s.store = &full{Store: s.store, left: 2} // not what becomes of B
			do := func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				if c.Environment == "A" {
					return "", condition("busy")
				}
				pass(5 * time.Second)
				return sent(ctx, c)
			}
			s.sends = []func(context.Context, *machine.Call[facts]) (machine.Trigger, error){do, do, do}
			require.ErrorIs(t, s.run(t.Context()), engine.ErrJournal)
			require.ElementsMatch(t, []string{"send A 1", "send B 1"}, s.calls)
		})
	})
	t.Run("inline, too", func(t *testing.T) {
		s := newStage(t)
		busyThenSent(s)
		s.adjust = func(w *engine.Walk[facts]) { w.Stopped = func() bool { return len(s.clock.waits) > 0 } }
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1"}, s.calls)
	})
}

func TestWhatFollowsFromAnOutcomeIsInItsAppend(t *testing.T) {
	s := newStage(t)
	store := &batches{Store: s.store}
	s.store = store
	s.adjust = func(w *engine.Walk[facts]) {
		w.React = func(string, machine.Trigger, facts) ([]journal.Entry, error) {
			// Somebody else makes durable what there is, just now.
			return []journal.Entry{{Kind: journal.Noted, Env: "A", Text: "latch"}}, s.session.Flush(context.Background())
		}
	}
	require.NoError(t, s.run(t.Context()))
	var outcomes int
	for _, batch := range store.batches {
		for i, e := range batch {
			if e.Kind == journal.Outcome {
				outcomes++
				require.Greater(t, len(batch), i+1)
				require.Equal(t, "latch", batch[i+1].Text)
			}
		}
	}
	require.Equal(t, 2, outcomes)
}

// batches keeps what each append was given.
type batches struct {
	journal.Store
	batches [][]journal.Entry
}

func (b *batches) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	b.batches = append(b.batches, append([]journal.Entry(nil), entries...))
	return b.Store.Append(ctx, after, entries...)
}

func TestWhatAForsakenCallHasFoundOutCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = time.Hour
		release := make(chan struct{})
		s.sends = append(s.sends, func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
			c.Facts.Done = 100 // and then it hangs
			<-release
			return "sent", nil
		}, sent)
		s.looks = append(s.looks, notDone)
		require.NoError(t, s.run(t.Context()))
		at, _ := s.session.Standing("A")
		require.JSONEq(t, `{"done":1}`, string(at.Facts))
		require.Equal(t, "Read", at.State)
		close(release)
		synctest.Wait()
	})
}

func TestAForsakenCallMayGoOnChangingItsFacts(t *testing.T) {
	s := newStage(t)
	s.inline = false
	s.table.Effects[0].Timeout = time.Millisecond
	var stop atomic.Bool
	gone := make(chan struct{})
	s.sends = append(s.sends, func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
		defer close(gone)
		for !stop.Load() {
			c.Facts.Done++ // the race detector watches
			runtime.Gosched()
		}
		return "sent", nil
	})
	require.NoError(t, s.run(t.Context()))
	stop.Store(true)
	<-gone
}

func TestAStepThatEndsItsGoroutineSaysNothing(t *testing.T) {
	leaves := func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
		runtime.Goexit()
		return "sent", nil
	}
	t.Run("when it looks, nothing is repeated", func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.sends = append(s.sends, fails(errors.New("timeout")))
		s.looks = append(s.looks, leaves)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1"}, s.calls)
		require.Equal(t, journal.HoldInDoubt, s.hold().Kind)
		require.Contains(t, s.hold().Cause, "ended its goroutine")
	})
	t.Run("when it acts, somebody looks", func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.sends = append(s.sends, leaves)
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, []string{"send A 1", "look A 1", "read A 1"}, s.calls)
	})
}

func TestAnObserverThat(t *testing.T) {
	// Two environments: one of them is under way while the other is written.
	open := func(t *testing.T, onEntry func()) *stage {
		s := newStage(t)
		s.inline = false
		s.envs = []string{"A", "B"}
		var told atomic.Int32
		s.options = engine.Options{OnEntry: func(journal.Entry) {
			if told.Add(1) == 6 { // after Opened and what begins
				onEntry()
			}
		}}
		return s
	}
	t.Run("panics where the walk writes meets its caller", func(t *testing.T) {
		s := open(t, func() { panic("boom") })
		s.inline = true
		require.PanicsWithValue(t, "boom", func() { _ = s.run(t.Context()) })
	})
	t.Run("panics while calls are under way ends the walk, and no process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, func() { panic("boom") })
			s.reads = append(s.reads, slowly, slowly)
			s.sends = append(s.sends, sent, slowly)
			require.ErrorContains(t, s.run(t.Context()), "boom")
		})
	})
	t.Run("ends its goroutine ends the walk", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := open(t, runtime.Goexit)
			s.reads = append(s.reads, slowly, slowly)
			s.sends = append(s.sends, sent, slowly)
			require.ErrorContains(t, s.run(t.Context()), "ended its goroutine")
		})
	})
}

// slowly is done after an hour.
func slowly(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
	pass(time.Hour)
	c.Facts.Done = 1
	if c.State == "Begun" {
		return "sent", nil
	}
	return "read", nil
}

func TestAVerbReturnsWhenEverythingWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		telling, goOn := make(chan struct{}), make(chan struct{})
		var told atomic.Int32
		table := toy()
		host := &engine.Host{Store: engine.Share(new(journal.Memory)), Opening: journal.Opening{Run: "run", Plan: "plan", Procedure: "toy", Definition: table.Hash()},
			Options: engine.Options{OnEntry: func(journal.Entry) {
				if told.Add(1) == 3 { // the hold
					close(telling)
					<-goOn
				}
			}}}
		var returned atomic.Bool
		go func() {
			err := host.Run(t.Context(), "apply", "", func(s *engine.Session) error {
				require.NoError(t, s.Stage(journal.Entry{Kind: journal.Begun, Env: "A", State: "Begun"}))
				require.NoError(t, s.Flush(t.Context()))
				go func() { require.NoError(t, host.Hold(t.Context(), "A", "Ana", "stop")) }() // it tells, and waits
				<-telling
				require.NoError(t, s.Stage(journal.Entry{Kind: journal.Noted, Env: "A"}))
				return s.Flush(t.Context())
			})
			require.NoError(t, err)
			require.EqualValues(t, 4, told.Load())
			returned.Store(true)
		}()
		synctest.Wait()
		require.False(t, returned.Load(), "the last entry was not told yet")
		close(goOn)
		synctest.Wait()
		require.True(t, returned.Load())
	})
}

func TestTheLimitHoldsInEveryStage(t *testing.T) {
	for _, inline := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.inline = inline
			s.envs = []string{"A", "B", "C", "D"}
			s.adjust = func(w *engine.Walk[facts]) { w.Limit, w.Until = 1, "Sent" }
			require.NoError(t, s.run(t.Context()))
			var under, most atomic.Int32
			one := func(ctx context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
				most.Store(max(most.Load(), under.Add(1)))
				pass(time.Second)
				under.Add(-1)
				if c.Environment == "C" {
					return "", condition("forbidden")
				}
				return read(ctx, c)
			}
			s.reads = []func(context.Context, *machine.Call[facts]) (machine.Trigger, error){one, one, one, one}
			s.adjust = func(w *engine.Walk[facts]) { w.Limit, w.StopOnHold = 1, true }
			require.NoError(t, s.run(t.Context()))
			require.EqualValues(t, 1, most.Load())
			require.Equal(t, []string{"send A 1", "send B 1", "send C 1", "send D 1", "read A 1", "read B 1", "read C 1"}, s.calls, "in order, and nothing after the line was stopped")
		})
	}
}
