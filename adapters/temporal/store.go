package temporal

import (
	"context"
	"iter"
	"math"
	"time"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/migration/journal"
)

// A store is the journal as the workflow knows it. The real one is the truth;
// what is in memory is what it was seen to have.
type store struct {
	*caller
	memory journal.Memory
	last   uint64
	behind bool // the real journal may have more
	room   bool // the way back has begun

	repaired int64
}

// Repaired implements journal.Repairer for the real journal.
func (s *store) Repaired() int64 { return s.repaired }

// ReleaseReserve implements journal.Reserver: the appends that follow have the
// real journal do it.
func (s *store) ReleaseReserve() error {
	s.room = true
	return nil
}

// Append implements journal.Store. The server repeats the activity for as long as
// the request says: it appends once, however often it is called, and nothing can
// be done before it is done.
func (s *store) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if err := journal.CheckSeq(s.last, after, entries); err != nil {
		return err
	}
	for len(entries) > 0 {
		n, err := page(entries)
		if err == nil {
			err = s.patiently(ctx, question{Method: "AppendJournal", After: s.last, Entries: entries[:n], Room: s.room}, new(answer))
		}
		if err != nil {
			s.behind = true
			return err
		}
		if err := s.take(ctx, entries[:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// page returns how many of the entries go into one activity: what many
// environments have done meanwhile is appended at once, and may be more.
func page(entries []journal.Entry) (n int, err error) {
	for size := 0; n < len(entries); n++ {
		more, err := sizeOf(entries[n])
		if err != nil {
			return 0, err
		}
		if size += more; size > pageBytes && n > 0 {
			break
		}
	}
	return n, nil
}

func (s *store) take(ctx context.Context, entries []journal.Entry) error {
	err := s.memory.Append(ctx, s.last, entries...)
	if err == nil {
		s.last += uint64(len(entries))
	}
	return err
}

// Read implements journal.Store.
func (s *store) Read(ctx context.Context) iter.Seq2[journal.Entry, error] { return s.memory.Read(ctx) }

// catchUp takes over what the real journal has and the workflow does not know:
// all of it when the workflow begins, and afterwards what an append left behind
// that nobody knows the end of.
func (s *store) catchUp(ctx context.Context) error {
	for s.behind {
		var a answer
		if err := s.patiently(ctx, question{Method: "ReadJournal", After: s.last}, &a); err != nil {
			return err
		}
		s.repaired = max(s.repaired, a.Repaired)
		if len(a.Entries) == 0 {
			s.behind = false
		}
		if err := s.take(ctx, a.Entries); err != nil {
			return err
		}
	}
	return nil
}

// journalTime is how long a worker may take for one append or reading.
const journalTime = time.Minute

// again is how long the server waits between two attempts, but for the first.
const again = 10 * time.Second

// patiently makes a call that may be repeated.
func (s *store) patiently(ctx context.Context, q question, a *answer) error {
	w := workflow.WithActivityOptions(of(ctx), workflow.ActivityOptions{
		StartToCloseTimeout: journalTime, HeartbeatTimeout: s.heartbeat,
		RetryPolicy: &sdk.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: again,
			MaximumAttempts: int32(min(s.patience/again, math.MaxInt32-1)) + 1, // not a time: that no worker is there is no attempt
		},
	})
	var err error
	if *a, err = s.ask(w, q); err != nil {
		return err
	}
	return a.Failure.err()
}
