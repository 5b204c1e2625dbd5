// Package page shows a run to people in a browser: as a file that needs
// nothing but itself ([Write]), and live, read-only, on loopback ([Server]).
// It is for the command and for whoever copies it. It draws what a report
// says and decides nothing; activation codes come masked and text from outside
// comes clean from package report, and everything is escaped once more here.
//
// A page is for reading: it holds no script unless it is live, loads nothing
// from anywhere, and says so to the browser (Content-Security-Policy). Whatever
// is told by a color is told by a letter or a shape too.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// A View is what a page shows.
type View struct {
	Report *report.Report
	Plan   migration.Plan // of the run; its tables are drawn
	// Extend is that of the run's Options, so that the tables that ran are
	// drawn; nil: the tables are those of the procedure.
	Extend func(migration.Leg, machine.Table[environment.Facts]) machine.Table[environment.Facts]
	// Now is when the page was made. Zero: the time of the last entry.
	Now time.Time
	// Live says that a process is taking the run forward at this moment: what
	// has begun and not ended is under way, and not left behind.
	Live bool

	version uint64 // of what a [Server] shows
	served  bool   // by a Server, which renews the page
}

// Most of what a page shows. What is beyond is counted on the page, and the
// other forms of a report have it.
const (
	mostCards   = 24    // environments with a card; the others stand in a table
	mostLanes   = 40    // environments with a lane in the course of the run
	mostEntries = 1_500 // entries of the journal, word for word
	mostItems   = 200   // findings, warnings
	mostTodo    = 12    // things to do now
	mostBackups = 100   // environments whose digests are listed
)

//go:embed page.html page.css live.js
var assets embed.FS

// Write writes v as one HTML file. It returns an error when there is no
// report, and the error of w.
func Write(w io.Writer, v View) error {
	look, err := load()
	if err != nil {
		return err
	}
	return look.write(w, v)
}

// A look is the parts of a page that are the same for every run.
type look struct {
	page   *template.Template
	style  string
	script string
}

func load() (*look, error) {
	style, err1 := assets.ReadFile("page.css")
	script, err2 := assets.ReadFile("live.js")
	page, err3 := template.ParseFS(assets, "page.html")
	return &look{page: page, style: string(style), script: string(script)}, errors.Join(err1, err2, err3)
}

// policy is the Content-Security-Policy: the style and, on a live page, the
// script of this package by their digests, and nothing else.
func (l *look) policy(served bool) string {
	p := "default-src 'none'; style-src " + digest(l.style) + "; img-src data:; base-uri 'none'; form-action 'none'"
	if served {
		p += "; script-src " + digest(l.script) + "; connect-src 'self'"
	}
	return p
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (l *look) write(w io.Writer, v View) error {
	if v.Report == nil {
		return errors.New("there is no report to show")
	}
	d := newDocument(v)
	d.Policy, d.Style, d.Script = l.policy(v.served), template.CSS(l.style), template.JS(l.script)
	var b bytes.Buffer // nothing is written of a page that cannot be finished
	if err := l.page.ExecuteTemplate(&b, "page", d); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// A document is what page.html shows.
type document struct {
	*report.Report
	Policy  string
	Style   template.CSS
	Script  template.JS
	Served  bool
	Live    bool
	Version uint64

	Word, Headline, Mark, Tone string // of the verdict
	Todo                       []string
	MoreTodo                   int
	Now, Begun, Ended          time.Time
	Entries                    int

	Counts     []count
	Cards      []card
	Rows       []card
	Course     course
	Diagrams   []diagram
	Found      []report.Finding
	MoreFound  int
	Warned     []string
	MoreWarn   int
	Clauses    []report.Clause
	Tally      []count
	Backups    []report.Environment
	MoreBacked int
}

// A count is how many there are of something.
type count struct {
	N     int
	Label string
	Class string
}

func newDocument(v View) *document {
	r := v.Report
	events := r.Timeline()
	d := &document{Report: r, Live: v.Live, Served: v.served, Version: v.version, Now: v.Now, Entries: len(events), Clauses: r.Clauses}
	if len(events) > 0 {
		d.Begun, d.Ended = events[0].Time, events[len(events)-1].Time
	}
	if d.Now.IsZero() {
		d.Now = d.Ended
	}
	d.judge()
	h := newHistory(v, events)
	d.Cards, d.Rows, d.Counts = cards(v, h)
	d.Course = newCourse(v, events, d.Now)
	d.Diagrams = diagrams(v, h)
	d.Todo, d.MoreTodo = most(d.Todo, mostTodo)
	d.Found, d.MoreFound = most(r.Findings, mostItems)
	d.Warned, d.MoreWarn = most(r.Warnings, mostItems)
	d.Tally = tally(r.Clauses)
	for _, e := range r.Environments {
		if len(e.Backup.Digests) > 0 {
			d.Backups = append(d.Backups, e)
		}
	}
	d.Backups, d.MoreBacked = most(d.Backups, mostBackups)
	return d
}

// Running reports whether the run goes on at this moment and nothing holds it.
func (d *document) Running() bool {
	return d.Live && d.Hold != nil && d.Hold.Kind == report.HoldInterrupted
}

// judge puts the verdict into words.
func (d *document) judge() {
	d.Todo = d.Next
	switch {
	case d.Running():
		d.Word, d.Headline, d.Mark, d.Tone = "Running", "The run is under way.", "▶", "work"
		d.Todo = []string{"Nothing here: this page shows each step as it is recorded. What a person must answer is asked where the command runs."}
	case d.Verdict == report.Completed:
		d.Word, d.Headline, d.Mark, d.Tone = "Completed", "Everything that the profile asks for was done.", "✓", "good"
	case d.Verdict == report.RolledBack:
		d.Word, d.Headline, d.Mark, d.Tone = "Rolled back", "Every environment shows its source license again.", "↩", "back"
	case d.Verdict == report.Mixed:
		d.Word, d.Headline, d.Mark, d.Tone = "Mixed", "Some environments may still hold the target license.", "≠", "bad"
	case d.Verdict == report.Held && d.Hold != nil && d.Hold.Kind == report.HoldInterrupted:
		d.Word, d.Headline, d.Mark, d.Tone = "Held", "The run was stopped, and can be resumed.", "‖", "warn"
	case d.Verdict == report.Held:
		d.Word, d.Headline, d.Mark, d.Tone = "Held", "A person must act.", "‖", "warn"
	default:
		d.Word, d.Headline, d.Mark, d.Tone = "Not begun", "No run has begun.", "○", "none"
	}
}

// most returns at most n items, and how many are left out.
func most[T any](list []T, n int) ([]T, int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

func tally(clauses []report.Clause) []count {
	var all []count
	for _, s := range []report.ClauseStatus{report.Done, report.NotDone, report.NotApplicable, report.IsGap} {
		n := 0
		for _, c := range clauses {
			if c.Status == s {
				n++
			}
		}
		if n > 0 {
			all = append(all, count{N: n, Label: statusWord(s), Class: string(s)})
		}
	}
	return all
}

func statusWord(s report.ClauseStatus) string {
	switch s {
	case report.Done:
		return "done"
	case report.NotDone:
		return "not done"
	case report.NotApplicable:
		return "not applicable"
	case report.IsGap:
		return "gap"
	}
	return string(s)
}

// StatusWord says a clause's status in words.
func (d *document) StatusWord(s report.ClauseStatus) string { return statusWord(s) }

// StatusMark is a sign for a clause's status.
func (d *document) StatusMark(s report.ClauseStatus) string {
	switch s {
	case report.Done:
		return "✓"
	case report.NotDone:
		return "○"
	case report.IsGap:
		return "△"
	}
	return "–"
}

// LevelMark is a sign for a finding's level.
func (d *document) LevelMark(l report.Level) string {
	switch l {
	case report.Error:
		return "✕"
	case report.Warning:
		return "!"
	}
	return "i"
}

// Evidence lists entries; a long list is cut.
func (d *document) Evidence(seqs []uint64) string {
	const longest = 6
	s := ""
	for i, n := range seqs {
		if i == longest {
			return fmt.Sprintf("%s and %d more", s, len(seqs)-longest)
		}
		s += fmt.Sprintf("%.*s%d", 2*min(i, 1), ", ", n)
	}
	return s
}

// Moment writes a time to the second, in UTC.
func (d *document) Moment(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// Clock writes the time of day, in UTC.
func (d *document) Clock(t time.Time) string { return t.UTC().Format("15:04:05") }

// Stamp writes a time for machines.
func (d *document) Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Took says how long the run has taken so far.
func (d *document) Took() string { return lasting(d.Ended.Sub(d.Begun)) }

// lasting writes a duration as people say it.
func lasting(t time.Duration) string {
	t = t.Round(time.Second)
	days, hours, minutes, seconds := t/(24*time.Hour), t/time.Hour%24, t/time.Minute%60, t/time.Second%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %d s", minutes, seconds)
	}
	return fmt.Sprintf("%d s", seconds)
}

// A history is what the entries say of every environment that a report does
// not.
type history struct {
	tables []table
	walked map[string]*walked // environment, or journal.Infrastructure -> where it is
}

// walked is where an environment is.
type walked struct {
	table  int    // place in history.tables; -1: in none that is drawn
	effect string // under way; empty: none
	since  time.Time
	doubt  bool
}

func newHistory(v View, events []report.Event) *history {
	h := &history{tables: tablesOf(v, slices.ContainsFunc(events, isBack)), walked: map[string]*walked{}}
	for _, e := range events {
		if e.Environment != "" {
			h.add(e)
		}
	}
	return h
}

// isBack reports whether an entry is of the way back.
func isBack(e report.Event) bool { return strings.HasPrefix(e.Table, rollback.Procedure+"/") }

func (h *history) add(e report.Event) {
	w := h.walked[e.Environment]
	if w == nil {
		w = new(walked)
		h.walked[e.Environment] = w
	}
	w.table = slices.IndexFunc(h.tables, func(t table) bool { return t.id == e.Table })
	switch e.Kind {
	case journal.Intent:
		w.effect, w.since, w.doubt = e.Effect, e.Time, false
	case journal.Doubt:
		w.doubt = true
	case journal.Held:
		if !e.Doubt { // a hold in doubt keeps the effect in flight
			w.effect = ""
		}
	case journal.Begun, journal.Failed:
		w.effect, w.doubt = "", false
	case journal.Outcome:
		if e.Effect != "" { // otherwise it was handed in
			w.effect, w.doubt = "", false
		}
		if w.table >= 0 {
			h.tables[w.table].marks.pass(passage{e.State, e.Trigger, e.To})
		}
	}
}

// diagramStyle is the part of the style that a picture needs which stands by
// itself.
func (l *look) diagramStyle() template.CSS {
	colors, _, _ := strings.Cut(l.style, "* { box-sizing")
	_, rest, _ := strings.Cut(l.style, "/* diagram */")
	rules, _, _ := strings.Cut(rest, "/* end of diagram */")
	return template.CSS(colors + rules)
}
