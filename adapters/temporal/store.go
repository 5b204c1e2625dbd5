package temporal

import (
	"context"
	"iter"
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
}

// Append implements journal.Store. The server repeats the activity for as long as
// the request says: it appends once, however often it is called, and nothing can
// be done before it is done.
func (s *store) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if err := journal.CheckSeq(s.last, after, entries); err != nil {
		return err
	}
	if err := s.patiently(ctx, question{Method: "AppendJournal", After: after, Entries: entries}, new(answer)); err != nil {
		s.behind = true
		return err
	}
	return s.take(ctx, entries)
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

// patiently makes a call that may be repeated.
func (s *store) patiently(ctx context.Context, q question, a *answer) error {
	w := workflow.WithActivityOptions(of(ctx), workflow.ActivityOptions{
		ScheduleToCloseTimeout: s.patience, StartToCloseTimeout: journalTime, HeartbeatTimeout: s.heartbeat,
		RetryPolicy: &sdk.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 10 * time.Second},
	})
	var err error
	if *a, err = s.ask(w, q); err != nil {
		return err
	}
	return a.Failure.err()
}
