// Package report reads a plan and a journal and says how a run stands.
package report

import (
	"iter"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// A Verdict is how a run ended, or stands.
type Verdict string

// The verdicts.
const (
	Completed  Verdict = "Completed"
	RolledBack Verdict = "RolledBack"
	Held       Verdict = "Held"
	Mixed      Verdict = "Mixed"
)

// A Report says how a run stands.
type Report struct {
	Run     string
	Verdict Verdict
}

// New reads a journal.
func New(plan migration.Plan, entries iter.Seq2[journal.Entry, error]) (*Report, error) {
	record, err := journal.Replay(entries)
	if err != nil {
		return nil, err
	}
	at, _ := record.Standing(journal.Infrastructure)
	r := &Report{Run: record.Run, Verdict: Held}
	switch machine.State(at.State) {
	case migration.Completed:
		r.Verdict = Completed
	case rollback.AllRolledBack:
		r.Verdict = RolledBack
	case rollback.Mixed:
		r.Verdict = Mixed
	}
	return r, nil
}
