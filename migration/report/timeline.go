package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration/journal"
)

// An Event is one entry of the journal, for a timeline.
type Event struct {
	Seq         uint64       `json:"seq"`
	Time        time.Time    `json:"time"`
	Kind        journal.Kind `json:"kind"`
	Environment string       `json:"environment,omitempty"` // "*" is the infrastructure; empty: a process took the run over
	What        string       `json:"what"`                  // one sentence, see Sentence
	// Table is the ID of the table whose State and To these are. Trigger led
	// from one to the other: a machine.Mark for a drawing of the table.
	Table     string           `json:"table,omitempty"`
	Leg       string           `json:"leg,omitempty"`
	State     machine.State    `json:"state,omitempty"`
	Trigger   machine.Trigger  `json:"trigger,omitempty"`
	To        machine.State    `json:"to,omitempty"`
	Effect    string           `json:"effect,omitempty"`
	Condition string           `json:"condition,omitempty"`
	Hold      journal.HoldKind `json:"hold,omitempty"`     // what is waited for, from now on
	Doubt     bool             `json:"doubt,omitempty"`    // nobody knew whether Effect was done
	Observed  bool             `json:"observed,omitempty"` // what came of it was seen afterwards
	By        string           `json:"by,omitempty"`       // who decided, or stated something
}

// Timeline returns one event for each entry of the journal. It is made anew
// with each call.
func (r *Report) Timeline() []Event {
	events := make([]Event, 0, r.entries.n)
	for e := range r.entries.all {
		events = append(events, r.clean.event(e))
	}
	return events
}

// entries keeps the entries of a journal, without facts, for the timeline.
// They are kept in blocks, each of which is made in its full length: a journal
// may have a million, and none is copied as it grows.
type entries struct {
	blocks [][]journal.Entry
	n      int
}

// The first block has room for a small run; the next double what there is, up
// to the largest.
const firstBlock, largestBlock = 1 << 6, 1 << 10

func (l *entries) add(e journal.Entry) {
	e.Facts = nil
	last := len(l.blocks) - 1
	if last < 0 || len(l.blocks[last]) == cap(l.blocks[last]) {
		l.blocks = append(l.blocks, make([]journal.Entry, 0, min(max(l.n, firstBlock), largestBlock)))
		last++
	}
	l.blocks[last] = append(l.blocks[last], e)
	l.n++
}

// all yields the entries, first to last.
func (l *entries) all(yield func(journal.Entry) bool) {
	for _, b := range l.blocks {
		for _, e := range b {
			if !yield(e) {
				return
			}
		}
	}
}

func (c cleaner) event(e journal.Entry) Event {
	hold := journal.HoldKind("")
	if e.Hold != nil {
		hold = journal.HoldKind(c.text(string(e.Hold.Kind)))
	}
	return Event{
		Seq: e.Seq, Time: e.Time, Kind: journal.Kind(c.text(string(e.Kind))), Environment: c.text(e.Env), What: c.sentence(e), Table: c.text(e.Table),
		Leg: c.text(e.Leg), State: machine.State(c.text(e.State)), Trigger: machine.Trigger(c.text(e.Trigger)), To: machine.State(c.text(e.To)),
		Effect: c.text(e.Effect), Condition: c.text(e.Condition), Hold: hold,
		Doubt:    e.Kind == journal.Doubt || e.Hold != nil && e.Hold.Kind == journal.HoldInDoubt,
		Observed: strings.HasPrefix(e.Text, observed), By: c.text(by(e)),
	}
}

// observed begins the text of an entry whose outcome was seen, and not
// answered.
const observed = "observed: "

// by returns who decided, held, or stated what an entry says.
func by(e journal.Entry) string {
	switch {
	case e.By != "":
		return e.By
	case e.Hold != nil && e.Hold.Holder != "":
		return e.Hold.Holder
	case e.Opened != nil:
		return e.Opened.User
	}
	var names []string
	for _, t := range e.Testimony {
		names = append(names, t.By)
	}
	return strings.Join(names, ", ")
}

// Sentence says on one line what an entry records, for people who watch a run:
//
//	Production  Uploaded -> IPVerified  (ipVerified)
//
// It is safe to print. It knows no plan: activation codes are masked where they
// have the usual form.
func Sentence(e journal.Entry) string { return cleaner{}.sentence(e) }

func (c cleaner) sentence(e journal.Entry) string {
	var b strings.Builder
	say := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
	}
	// tail adds what was said, if anything was.
	tail := func(before, text, after string) {
		if text != "" {
			say(before, c.text(text), after)
		}
	}
	say(c.place(e.Env), "  ")
	state, effect := c.text(e.State), c.text(e.Effect)
	switch e.Kind {
	case journal.Opened:
		say("opened")
		if o := e.Opened; o != nil {
			tail("  ", o.Run, "")
			tail(", ", o.Verb, "")
			tail(" (", o.Procedure, ")")
		}
		tail(" by ", by(e), "")
		if o := e.Opened; o != nil && o.Repaired > 0 {
			tail("; ", fmt.Sprintf("an unfinished last entry of %d bytes was cut", o.Repaired), "")
		}
		return b.String()
	case journal.Begun:
		say("begins in ", state)
		tail(", leg ", e.Leg, "")
		tail(": ", e.Text, "")
	case journal.Intent:
		say(state, ": ", effect)
		if e.Attempt > 1 {
			say(", ", plural(e.Attempt, "attempt", "attempts"))
		}
	case journal.Outcome:
		say(state, " -> ", c.text(e.To), "  (", c.text(e.Trigger), ")")
		tail(": ", e.Text, "")
	case journal.Failed:
		say(state, ": ", effect, " was not done")
		tail("  (", e.Condition, ")")
		tail(": ", e.Text, "")
	case journal.Doubt:
		say(state, ": ", effect, " is in doubt")
		tail(": ", e.Text, "")
	case journal.Held:
		say(state, ": held")
		if e.Hold != nil {
			tail("  (", string(e.Hold.Kind), ")")
			tail(": ", sentence(c.hold(e.Hold)), "")
		}
	case journal.Released:
		say(state, ": released")
		tail(": ", e.Text, "")
	case journal.Noted:
		say(state, ": noted")
		tail(": ", e.Text, "")
	default:
		say(state, ": ", c.text(string(e.Kind)))
		tail(": ", e.Text, "")
	}
	if who := by(e); who != "" && e.Kind != journal.Held {
		tail("; by ", who, "")
	}
	for _, t := range e.Testimony {
		tail("; ", t.Text, "")
	}
	return b.String()
}
