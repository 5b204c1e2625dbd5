package screen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// A model is what a terminal shows of a run: a fold of the journal's entries
// that knows no terminal and no clock. It is more tolerant than the journal's
// own replay, since it decides nothing: an entry about which it knows nothing
// changes nothing.
type model struct {
	mask    license.Mask
	name    string // of the infrastructure
	profile string
	last    string // the last leg

	running bool // entries are news of a run that is going on
	begun   time.Time
	line    *row
	rows    []*row // in the order of the plan
	byName  map[string]*row
	margin  int      // width of the widest name
	recent  []string // the last few lines
}

// keep is how many lines a model remembers.
const keep = 3

// maxMargin bounds the column of names: what is longer pushes its own line.
const maxMargin = 24

// A row is how one environment, or the infrastructure, stands.
type row struct {
	name           string // clean
	leg, state     string
	since          time.Time // when it entered state, or when what it does began
	effect         string    // the last one in this state
	attempt        int
	flying         bool   // effect is being carried out
	doubt          bool   // nobody knows what came of effect
	failed         string // why effect was not done; it is tried again
	hold           *journal.Hold
	need           string          // name of the condition about which a person must do something
	facts          json.RawMessage // not read yet
	shows          license.Role
	sent           bool // a target license may have been installed since
	done, finished bool // final in this leg; and nothing comes after it
}

func newModel(plan migration.Plan) *model {
	plan = plan.Effective()
	m := &model{
		mask: license.NewMask(plan.Source, plan.Target),
		line: &row{name: "infrastructure"}, byName: map[string]*row{},
	}
	m.name, m.profile = m.clean(plan.Infrastructure.Name), m.clean(plan.Profile)
	if p, ok := migration.FindProfile(plan.Profile); ok {
		m.last = p.Legs[len(p.Legs)-1].Name
	}
	m.byName[journal.Infrastructure] = m.line
	m.margin = ansi.StringWidth(m.line.name)
	for _, name := range plan.Order {
		m.row(name)
	}
	return m
}

// clean makes text from outside safe to print.
func (m *model) clean(s string) string { return printable.Text(m.mask.Text(s)) }

// row returns the row of an environment, a new one at the end if there is none.
func (m *model) row(env string) *row {
	r, ok := m.byName[env]
	if !ok {
		r = &row{name: m.clean(env)}
		m.byName[env] = r
		m.rows = append(m.rows, r)
		m.margin = max(m.margin, min(ansi.StringWidth(r.name), maxMargin))
	}
	return r
}

// add folds an entry in and returns the line that is printed for it; empty:
// none.
func (m *model) add(e journal.Entry) string {
	m.fold(e)
	if !worthALine(e) {
		return ""
	}
	line := m.sentence(e)
	m.recent = append(m.recent, line)
	m.recent = m.recent[max(0, len(m.recent)-keep):]
	return line
}

func (m *model) fold(e journal.Entry) {
	if m.begun.IsZero() {
		m.begun = e.Time
	}
	if e.Env != "" {
		m.row(e.Env).add(e, m)
	}
}

// worthALine leaves out what is only about to happen, and what changed nothing
// that a person watches.
func worthALine(e journal.Entry) bool {
	switch e.Kind {
	case journal.Intent:
		return false
	case journal.Noted:
		return e.Text != ""
	}
	return true
}

// sentence is the report's, which is safe to print, behind a column of names.
// The report does not know codes of an unusual form; the plan does.
func (m *model) sentence(e journal.Entry) string {
	name := "run"
	if e.Env != "" {
		name = m.row(e.Env).name
	}
	e.Env = ""
	return pad(name, m.margin) + "  " + m.mask.Text(strings.TrimPrefix(report.Sentence(e), "run  "))
}

func (r *row) add(e journal.Entry, m *model) {
	enter := func(state string) {
		*r = row{name: r.name, leg: r.leg, state: m.clean(state), since: e.Time, facts: r.facts, shows: r.shows, sent: r.sent, need: r.need}
		switch back := strings.HasPrefix(e.Table, rollback.Procedure+"/"); {
		case back:
			r.done = state == string(rollback.RolledBack) || state == string(rollback.RestoredNotTested)
			r.finished = r.done
		default:
			r.done = state == string(migration.Republished) || state == string(migration.Completed)
			r.finished = r.done && (r.leg == m.last || r.leg == "")
		}
	}
	switch e.Kind {
	case journal.Begun:
		r.leg = m.clean(e.Leg)
		enter(e.State)
	case journal.Intent:
		r.effect, r.attempt, r.flying, r.doubt, r.failed, r.since = m.clean(e.Effect), e.Attempt, true, false, "", e.Time
	case journal.Outcome:
		enter(e.To)
	case journal.Failed:
		r.flying, r.doubt, r.failed = false, false, m.clean(e.Condition)
	case journal.Doubt:
		r.doubt = true
	case journal.Held:
		if e.Hold != nil {
			r.hold, r.since = e.Hold, e.Time
			r.doubt = e.Hold.Kind == journal.HoldInDoubt
			r.flying = r.doubt
		}
	case journal.Released:
		r.hold, r.since = nil, e.Time
	}
	if len(e.Facts) > 0 && r != m.line {
		r.facts = e.Facts
	}
}

// learn reads the last facts, once somebody wants to see them: a journal that
// is replayed has many that nobody sees.
func (r *row) learn(m *model) {
	var f environment.Facts
	if r.facts != nil && json.Unmarshal(r.facts, &f) == nil {
		r.shows, r.sent, r.need = f.Reading.Role, f.TargetSent, m.clean(f.Need.Condition)
	}
	r.facts = nil
}

// license says which license an environment shows.
func (r *row) license() string {
	word := "-"
	switch r.shows {
	case license.Source:
		word = "Source"
		if r.sent {
			word = "Target?" // sent, and not seen yet
		}
	case license.Target:
		word = "Target"
	case license.Other:
		word = "other"
	case license.None:
		word = "none"
	}
	return word
}

// A level says how much a row matters to somebody who has little room.
type level int

const (
	inDoubt level = iota
	held
	retrying
	working
	waits
	notBegun
	finished
)

func (r *row) level() level {
	switch {
	case r.doubt:
		return inDoubt
	case r.hold != nil, r.state == string(migration.NeedsSupport) || r.state == string(migration.CaseOpen):
		return held
	case r.failed != "":
		return retrying
	case r.flying:
		return working
	case r.finished:
		return finished
	case r.state == "":
		return notBegun
	}
	return waits
}

// marks are the first character of a row; they are read without color.
var marks = [...]string{inDoubt: "?", held: "!", retrying: "~", working: ">", waits: " ", notBegun: " ", finished: "+"}

// now says what a row does, or waits for.
func (m *model) now(r *row) string {
	again := ""
	if r.attempt > 1 {
		again = fmt.Sprintf(", attempt %d", r.attempt)
	}
	switch {
	case r.doubt && r.hold == nil:
		return "in doubt: " + r.effect + "; it looks" + again
	case r.hold != nil:
		return m.waitsFor(r.hold) + ": " + m.clean(r.hold.Cause)
	case r.state == string(migration.NeedsSupport), r.state == string(migration.CaseOpen):
		if r.need != "" {
			return "needs Support: " + r.need
		}
		return "waits for Support"
	case r.failed != "":
		return fmt.Sprintf("tries %s again: %s", r.effect, r.failed)
	case r.flying:
		return r.effect + again
	case r.finished:
		return "done"
	case r.state == "":
		return "has not begun"
	}
	return "waits for the others"
}

// waitsFor says who must act.
func (m *model) waitsFor(h *journal.Hold) string {
	who := "a person"
	switch h.Kind {
	case journal.HoldOperator:
		who = "an operator"
		if h.Holder != "" {
			who = m.clean(h.Holder)
		}
	case journal.HoldApproval:
		who = "an approval"
	case journal.HoldSupport:
		who = "Support"
	case journal.HoldInDoubt:
		return "in doubt, somebody must look"
	case journal.HoldUnavailable:
		return "not reached"
	}
	return "waits for " + who
}

// foremost returns at most n rows and how many of each level are left out. When
// all fit they come in the order of the plan, otherwise what matters first.
func (m *model) foremost(n int) (rows []*row, left [finished + 1]int) {
	if len(m.rows) <= n {
		return m.rows, left
	}
	rows = slices.Clone(m.rows)
	slices.SortStableFunc(rows, func(a, b *row) int { return int(a.level() - b.level()) })
	for _, r := range rows[n:] {
		left[r.level()]++
	}
	return rows[:n], left
}
