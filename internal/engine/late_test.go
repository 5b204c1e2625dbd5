package engine_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// deaf is a call that does not heed its context: it comes back when it is let
// go, and says that it was done.
func deaf(release <-chan struct{}) func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
	return func(_ context.Context, c *machine.Call[facts]) (machine.Trigger, error) {
		<-release
		c.Facts.Done += 100
		return "sent", nil
	}
}

func TestACallThatDoesNotComeBackIsGivenUpAndItsAnswerCountsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = time.Hour
		release := make(chan struct{})
		s.sends = append(s.sends, deaf(release), sent)
		s.looks = append(s.looks, notDone)
		// It comes back while the environment's next call is under way.
		s.reads = append(s.reads, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
			close(release)
			synctest.Wait()
			return "read", nil
		})
		began := time.Now()
		require.NoError(t, s.run(t.Context()))
		require.Equal(t, time.Hour+time.Millisecond, time.Since(began), "its own time, and the grace")
		require.Equal(t, []string{"begun", "intent", "doubt", "failed notDone", "intent", "outcome Sent", "intent", "noted", "outcome Read"}, s.kinds())
		at, _ := s.session.Standing("A")
		require.JSONEq(t, `{"done":1}`, string(at.Facts), "what it has found out counts for nothing")
		require.Equal(t, []string{"send A 1", "look A 1", "send A 2", "read A 1"}, s.calls)
		for _, e := range s.entries() {
			if e.Kind == journal.Noted {
				require.Contains(t, e.Text, "was given up has come back")
				require.Equal(t, 1, e.Attempt)
			}
		}
	})
}

func TestACallThatDoesNotComeBackDoesNotKeepTheRunFromBeingStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.table.Effects[0].Timeout = 24 * time.Hour
		release := make(chan struct{})
		s.sends = append(s.sends, deaf(release))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, s.run(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Minute+2*time.Millisecond, time.Since(began), "the grace of a call that changes something, and the grace of one that does not heed it")
		require.Equal(t, []string{"begun", "intent", "doubt"}, s.kinds(), "nobody knows whether it was done")
		close(release)
		synctest.Wait()
		require.Equal(t, []string{"begun", "intent", "doubt"}, s.kinds(), "the run is over: nothing is written any more")
	})
}

func TestAnEffectWithoutATimeOfItsOwnIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.inline = false
		s.sends = append(s.sends, func(context.Context, *machine.Call[facts]) (machine.Trigger, error) {
			<-time.NewTimer(time.Hour).C
			return "sent", errors.New("the end")
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, s.run(ctx), context.DeadlineExceeded)
		require.Equal(t, time.Hour, time.Since(began))
	})
}

// full is a store whose disk is full from some append on.
type full struct {
	journal.Store
	left int
}

var errFull = errors.New("no space left on device")

func (f *full) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if f.left--; f.left < 0 {
		return errFull
	}
	return f.Store.Append(ctx, after, entries...)
}

func TestWhatHasHappenedAndCannotBeWrittenIsHandedToPeople(t *testing.T) {
	for _, inline := range []bool{true, false} {
		s := newStage(t)
		s.inline = inline
		s.envs = []string{"A", "B"}
		s.store = &full{Store: s.store, left: 1} // the intents of both
		err := s.run(t.Context())
		require.ErrorIs(t, err, engine.ErrJournal)
		require.ErrorIs(t, err, errFull)
		var unwritten *engine.UnwrittenError
		require.ErrorAs(t, err, &unwritten)
		var found []string
		for _, e := range unwritten.Entries() {
			found = append(found, string(e.Kind)+" "+e.Env+" "+e.To)
		}
		require.ElementsMatch(t, []string{"outcome A Sent", "outcome B Sent"}, found, "no intent is among them: nothing came of it")
		require.Contains(t, err.Error(), "not on record: 2 entries")
		require.Equal(t, []string{"begun", "intent"}, s.kinds())
	}
}

// repaired is a store that has cut an unfinished last entry.
type repaired struct{ journal.Store }

func (repaired) Repaired() int64 { return 17 }

func TestARepairIsOnRecord(t *testing.T) {
	s := newStage(t)
	s.store = repaired{s.store}
	require.NoError(t, s.run(t.Context()))
	require.EqualValues(t, 17, s.entries()[0].Opened.Repaired)
}
