// Package journal is the durable record of a run: what was about to be done,
// what came of it, and what was known afterwards. It is for hosts that write
// it, for stores that keep it ([Store]) and for everything that is read from
// it: resume, status, explanation, report. It decides nothing and knows
// neither OutSystems nor the tables; names and facts pass through it as data.
//
// A journal is replayed, never executed: [Replay] folds entries into
// [Standing], so that a later version of the program can read an earlier
// journal. It contains no license, no activation code and no credential.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/printable"
)

// Infrastructure is the environment name under which the infrastructure's own
// machine is journaled. No environment can have it.
const Infrastructure = "*"

// A Kind says what an entry records.
type Kind string

// The kinds of entry.
const (
	// Opened: a process took the run over, under a new epoch. Every run begins
	// with one.
	Opened Kind = "opened"
	// Begun: an environment entered a table, for a leg, in State.
	Begun Kind = "begun"
	// Intent: Effect is about to be carried out in State. It stays in flight
	// until an Outcome, a Failed or a Held of the same environment follows.
	Intent Kind = "intent"
	// Outcome: Trigger led from State to To. With an Effect it ends the
	// intent; without one it was handed in by a person or the infrastructure.
	Outcome Kind = "outcome"
	// Failed: the attempt is known not to have been done; Condition says why.
	Failed Kind = "failed"
	// Doubt: nobody knows whether the attempt was done. It stays in flight and
	// is observed before anything else.
	Doubt Kind = "doubt"
	// Held: the environment waits for a person; Hold says for what. A hold in
	// doubt keeps the intent in flight, any other ends it.
	Held Kind = "held"
	// Released: the hold is over; By and Text say who decided it and why.
	Released Kind = "released"
	// Noted: facts changed without a transition.
	Noted Kind = "noted"
)

// An Entry is one record. Fields that do not apply are zero.
type Entry struct {
	Seq   uint64    `json:"seq"`   // counts from 1, without gaps
	Epoch uint64    `json:"epoch"` // number of the process that wrote it, counts from 1
	Time  time.Time `json:"time"`  // for people; nothing is decided by comparing times
	Kind  Kind      `json:"kind"`
	Env   string    `json:"env,omitempty"` // environment; Infrastructure for the whole; empty for Opened

	Table   string `json:"table,omitempty"` // ID of the table that the environment is in
	Leg     string `json:"leg,omitempty"`
	State   string `json:"state,omitempty"` // in which it happened
	Effect  string `json:"effect,omitempty"`
	ID      string `json:"id,omitempty"`      // of the effect, the same for all attempts
	Attempt int    `json:"attempt,omitempty"` // counts from 1
	Trigger string `json:"trigger,omitempty"`
	To      string `json:"to,omitempty"` // the state that Trigger led to

	Condition string `json:"condition,omitempty"` // name of what was met
	Text      string `json:"text,omitempty"`      // for people; safe to print
	By        string `json:"by,omitempty"`        // who decided, for Released and Outcome by hand

	Hold      *Hold           `json:"hold,omitempty"`
	Testimony []Testimony     `json:"testimony,omitempty"` // who stated what during the call
	Facts     json.RawMessage `json:"facts,omitempty"`     // all facts of the environment from now on
	Opened    *Opening        `json:"opened,omitempty"`
}

// An Opening is what an Opened entry says of the run and the process.
type Opening struct {
	Format     int               `json:"format"` // version of the entries, [Format]
	Run        string            `json:"run"`    // name of the run, the same in every Opened entry
	Plan       string            `json:"plan"`   // digest of the plan
	Procedure  string            `json:"procedure"`
	Definition string            `json:"definition"`         // hash of the procedure's tables
	Verb       string            `json:"verb"`               // what was asked for: apply, resume, rollback
	Preview    string            `json:"preview,omitempty"`  // digest of the preview that the run was begun from; only in the first entry
	Host       string            `json:"host,omitempty"`     // for people
	User       string            `json:"user,omitempty"`     // for people
	Adapters   map[string]string `json:"adapters,omitempty"` // port -> what answers for it
	Repaired   int64             `json:"repaired,omitempty"` // bytes of an unfinished last entry that were cut when the process opened the store
}

// Format is the version of the entries that this package writes.
const Format = 1

// A Testimony is what a person, or a system with a name, stated.
type Testimony struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text,omitempty"`
}

// A HoldKind says what a hold waits for.
type HoldKind string

// The kinds of hold, and what ends them. None ends by itself.
const (
	HoldOperator    HoldKind = "operator"           // somebody said stop; released by the verb release
	HoldApproval    HoldKind = "approval"           // a gate was not approved; resume asks again
	HoldSupport     HoldKind = "support"            // a person, usually Support, must act; resolved with evidence
	HoldInDoubt     HoldKind = "inDoubt"            // it is not known whether an effect was done; resolved with evidence
	HoldForeign     HoldKind = "foreignChange"      // the world differs from the journal; resolved with evidence
	HoldMixed       HoldKind = "mixed"              // environments show different codes; roll back, or resolve
	HoldJournal     HoldKind = "journalUnavailable" // the journal cannot be written; never journaled itself
	HoldSerial      HoldKind = "serialChanged"      // the server's serial number changed; resolved with evidence
	HoldUnknown     HoldKind = "unknownLicense"     // neither source nor target license is shown; resolved with evidence
	HoldUnavailable HoldKind = "unavailable"        // a system could not be reached or read; resume tries again
)

// A Hold says why something waits, and what ends the wait. It is an error, so
// that a step can return it.
type Hold struct {
	Kind         HoldKind  `json:"kind"`
	Cause        string    `json:"cause"`            // what was found; safe to print
	Effect       string    `json:"effect,omitempty"` // the effect that met it
	Environments []string  `json:"environments,omitempty"`
	Holder       string    `json:"holder,omitempty"` // who holds; empty: the engine
	Since        time.Time `json:"since,omitzero"`
	Verbs        []string  `json:"verbs,omitempty"` // what ends it
	Hint         string    `json:"hint,omitempty"`
}

// Error says what is waited for and why.
func (h *Hold) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "held (%s)", h.Kind)
	for i, env := range h.Environments {
		b.WriteString([]string{" in ", ", "}[min(i, 1)] + printable.Text(env))
	}
	b.WriteString(": " + h.Cause)
	if h.Hint != "" {
		b.WriteString(" (" + h.Hint + ")")
	}
	return b.String()
}

// Conditions of a [Store], and of what is read from one.
var (
	// ErrSeq: the entry after which was to be appended is not the last one;
	// somebody else has written. Nothing was appended.
	ErrSeq = errors.New("the journal has moved on")
	// ErrCorrupt: what is stored is not what was written.
	ErrCorrupt = errors.New("the journal is damaged or was changed")
	// ErrForeign: the journal is whole, but not for this program and this run
	// to go on with. It is refused as it stands, never guessed at.
	ErrForeign = errors.New("the journal is of another version, run or plan")
	// ErrTooLarge: an entry takes more than [MaxEntry] bytes. Nothing was
	// appended.
	ErrTooLarge = errors.New("the entry is too large for the journal")
	// ErrFull: with these entries the journal would take more room than it may.
	// Nothing was appended.
	ErrFull = errors.New("the journal is full")
	// ErrLocked: another process holds the journal.
	ErrLocked = errors.New("the journal is in use")
	// ErrClosed: the store was closed, or gave up after a failed write; open it
	// again.
	ErrClosed = errors.New("the journal is closed")
)

// MaxEntry is how many bytes of JSON an entry may take. Every store keeps an
// entry of that size; a larger one it may refuse.
const MaxEntry = 1 << 20

// A Store keeps a journal. It has one writer: whoever opened it. It is safe
// for concurrent use, and keeps nothing that its callers can change afterwards.
//
// Conformance: [github.com/changeover-go/changeover/migration/journal/journaltest.TestStore].
type Store interface {
	// Append stores entries, whose Seq count on from after, and returns nil
	// only when all of them would survive a power cut. A crash in between
	// leaves the first few of them, in order. Without entries it stores
	// nothing.
	//
	// It stores nothing, and the store goes on, when it returns ErrSeq, because
	// after is not the Seq of the last entry or the entries do not count on
	// from it; ErrTooLarge; ErrFull; or the error of a ctx that was done before
	// it began. Once begun, it finishes whatever becomes of ctx, if it can. After
	// any other error it is unknown what was stored; the store then returns
	// ErrClosed until it is opened again.
	Append(ctx context.Context, after uint64, entries ...Entry) error

	// Read yields the entries from the first to the last, at least all those
	// that were appended before it was called. It yields one error, and ends,
	// at the first entry that is not as it was written (ErrCorrupt), that was
	// written by another version (ErrForeign), or when ctx is done: a journal
	// never looks shorter than it is. Appending goes on meanwhile.
	Read(ctx context.Context) iter.Seq2[Entry, error]
}
