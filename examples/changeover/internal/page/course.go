package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// A course is the run over time, a lane for each environment.
type course struct {
	Lanes   []lane
	Ticks   []tick
	Cuts    []cut
	Omitted int // environments without a lane
	Legend  []count
	Stopped string // where the way back begins; empty: nowhere
}

// A lane is the course of one environment. Places are in percent of its width.
type lane struct {
	ID, Name string
	Text     string // the same in words
	Bars     []bar
	Signs    []sign
	Entries  []entry
	Left     int // entries that are not listed

	notes int // worth a look
}

type bar struct {
	X, W  string
	End   string // X and W
	Class string // work, person, retry, doubt, freeze, hold
	Title string

	from, to float64
	n        int
}

// A sign is something that happened at one moment.
type sign struct {
	X     string
	Class string // failed, doubt, source, target
	Title string

	at float64
}

type entry struct {
	Seq   uint64
	Time  time.Time
	Text  string
	Class string
}

type tick struct {
	X, Anchor string
	Text      string
	Time      time.Time
	Odd       bool // left out where there is little room
}

type cut struct {
	X, W, Middle string
	Text         string
}

// newCourse draws the entries. The last moment of the ruler is now, if the run
// goes on.
func newCourse(v View, events []report.Event, now time.Time) course {
	if len(events) == 0 {
		return course{}
	}
	times := make([]time.Time, len(events), len(events)+1)
	for i, e := range events {
		times[i] = e.Time
	}
	if v.Live && now.After(times[len(times)-1]) {
		times = append(times, now)
	}
	r := newRuler(times)
	c := course{Cuts: r.cuts, Ticks: ticks(times, r)}
	target := moves(v.Plan)
	lanes := map[string]*painter{}
	order := []*painter{newPainter(journal.Infrastructure, "infrastructure", target)}
	lanes[journal.Infrastructure] = order[0]
	for _, e := range v.Report.Environments {
		if lanes[e.Name] == nil {
			p := newPainter(e.Name, e.Name, target)
			lanes[e.Name], order = p, append(order, p)
		}
	}
	for i, e := range events {
		name := cmp.Or(e.Environment, journal.Infrastructure) // who took the run over is told with the whole
		p := lanes[name]
		if p == nil { // of an environment that the plan does not have
			p = newPainter(name, name, target)
			lanes[name], order = p, append(order, p)
		}
		p.add(i, e, r.at[i])
		if isBack(e) && name == journal.Infrastructure && c.Stopped == "" {
			c.Stopped = percent(r.at[i])
		}
	}
	end := r.at[len(r.at)-1]
	for _, p := range order {
		p.finish(end, v.Live)
	}
	// Of many lanes those with something to tell come first.
	if len(order) > mostLanes {
		rest := order[1:]
		slices.SortStableFunc(rest, func(a, b *painter) int { return b.notes - a.notes })
		c.Omitted = len(order) - mostLanes
		order = order[:mostLanes]
	}
	share := mostEntries / len(order)
	for i, p := range order {
		p.ID = fmt.Sprintf("lane-%d", i)
		p.list(events, share)
		c.Lanes = append(c.Lanes, p.lane)
	}
	c.Legend = legend(c.Lanes)
	return c
}

// ticks writes times under some of the entries.
func ticks(times []time.Time, r ruler) []tick {
	const apart = 12.0 // percent
	var all []tick
	last, next := 0.0, margin
	day := ""
	for i, x := range r.at {
		if x < next || x > 100-apart && i < len(times)-1 {
			continue
		}
		if i == len(times)-1 && len(all) > 0 && x-last < apart*0.8 {
			break
		}
		t := tick{X: percent(x), Anchor: "middle", Time: times[i], Text: times[i].UTC().Format("15:04:05"), Odd: len(all)%2 == 1}
		if len(all) == 0 {
			t.Anchor = "start"
		} else if x > 96 {
			t.Anchor = "end"
		}
		if d := times[i].UTC().Format("2 Jan"); d != day {
			if day != "" {
				t.Text = times[i].UTC().Format("2 Jan 15:04")
			}
			day = d
		}
		all = append(all, t)
		last, next = x, x+apart
	}
	if n := len(all); n > 1 {
		all[n-1].Odd = false
		if n > 2 && n%2 == 0 {
			all[n-2].Odd = true
		}
	}
	return all
}

// A painter draws one lane.
type painter struct {
	lane
	key    string
	moves  []string // legs that install the target license
	places []int    // of its entries
	open   *bar     // under way
	rest   *bar     // waits in a state for a person
	hold   *bar
	doubt  *bar
	retry  *bar
	n      [5]int // waits, retries, doubts, holds, steps
}

func newPainter(key, name string, moves []string) *painter {
	return &painter{lane: lane{Name: name}, key: key, moves: moves}
}

// moves returns the legs of a plan that install the target license.
func moves(plan migration.Plan) []string {
	var legs []string
	profile, _ := migration.FindProfile(cmp.Or(plan.Profile, migration.RefreshAndMove))
	for _, leg := range profile.Legs {
		if leg.Role == license.Target {
			legs = append(legs, leg.Name)
		}
	}
	return legs
}

// The counts of a painter.
const (
	nWaits = iota
	nRetries
	nDoubts
	nHolds
	nSteps
)

func (p *painter) add(i int, e report.Event, x float64) {
	p.places = append(p.places, i)
	if e.Kind != journal.Noted && e.Kind != journal.Doubt {
		p.end(&p.hold, x)
	}
	switch e.Kind {
	case journal.Intent:
		p.end(&p.retry, x)
		p.end(&p.doubt, x)
		p.open = &bar{Class: "work", Title: text(e.State) + ": " + e.Effect, from: x}
	case journal.Outcome:
		p.n[nSteps]++
		p.settle(e, x)
		p.end(&p.doubt, x)
		p.end(&p.rest, x)
		if rests(e.To) {
			p.n[nWaits]++
			p.rest = &bar{Class: "person", Title: "waits for a person in " + text(e.To), from: x}
		}
		p.shows(e, x)
	case journal.Failed:
		p.n[nRetries]++
		p.settle(e, x)
		p.end(&p.doubt, x)
		p.sign("failed", e.Effect+" was not done: "+e.Condition, x)
		p.retry = &bar{Class: "retry", Title: "waits to try " + e.Effect + " again", from: x}
	case journal.Doubt:
		p.n[nDoubts]++
		p.settle(e, x)
		p.sign("doubt", "nobody knows what came of "+e.Effect, x)
		p.doubt = &bar{Class: "doubt", Title: e.Effect + " is in doubt", from: x}
	case journal.Held:
		p.n[nHolds]++
		p.settle(e, x)
		p.end(&p.retry, x)
		title := "held (" + string(e.Hold) + ")"
		if e.By != "" {
			title += " by " + e.By
		}
		p.hold = &bar{Class: waitsAs(e.Hold), Title: title, from: x}
	}
}

// waitsAs says what kind of wait a hold is.
func waitsAs(kind journal.HoldKind) string {
	switch kind {
	case journal.HoldOperator:
		return "freeze"
	case journal.HoldApproval, journal.HoldSupport:
		return "person"
	case journal.HoldInDoubt:
		return "doubt"
	}
	return "hold"
}

// settle ends what is under way; when somebody with a name answered, it was a
// wait for that person.
func (p *painter) settle(e report.Event, x float64) {
	if p.open == nil || e.Effect == "" && e.Kind == journal.Outcome {
		return
	}
	if e.By != "" && e.Kind != journal.Held {
		p.n[nWaits]++
		p.open.Class, p.open.Title = "person", p.open.Title+", answered by "+e.By
	}
	p.end(&p.open, x)
}

// shows puts a sign where another license is seen.
func (p *painter) shows(e report.Event, x float64) {
	switch {
	case p.key == journal.Infrastructure:
	case e.To == migration.Uploaded && slices.Contains(p.moves, e.Leg):
		p.sign("target", "shows the target license", x)
	case e.To == migration.Uploaded:
		p.sign("source", "shows the refreshed source license", x)
	case isBack(e) && e.To == rollback.SourceConfirmed:
		p.sign("source", "shows the source license again", x)
	}
}

// rests reports whether a state waits for a person.
func rests(s machine.State) bool {
	switch s {
	case migration.NeedsSupport, migration.CaseOpen, rollback.Mixed, rollback.RestoredNotTested:
		return true
	}
	return false
}

// end closes a bar, if it is open. Bars of one class that nobody could tell
// apart become one.
func (p *painter) end(b **bar, x float64) {
	if *b == nil {
		return
	}
	done := **b
	*b = nil
	done.to, done.n = x, 1
	for i := len(p.Bars) - 1; i >= 0 && i >= len(p.Bars)-3; i-- {
		last := &p.Bars[i]
		if last.Class == done.Class && done.from-last.to < 0.15 && done.to-last.from < 1 {
			last.to = max(last.to, done.to)
			last.n++
			last.Title = fmt.Sprintf("%d steps", last.n)
			return
		}
	}
	p.Bars = append(p.Bars, done)
}

func (p *painter) sign(class, title string, x float64) {
	p.notes++
	for i := len(p.Signs) - 1; i >= 0; i-- {
		if last := p.Signs[i]; last.Class == class {
			if x-last.at < 0.6 {
				return
			}
			break
		}
	}
	if class == "source" || class == "target" {
		p.notes--
	}
	p.Signs = append(p.Signs, sign{X: percent(x), Class: class, Title: title, at: x})
}

// finish closes what is open at the end: it is under way, or was left behind.
func (p *painter) finish(end float64, live bool) {
	if p.open != nil && !live && p.key != journal.Infrastructure { // whose effects are only those of the others
		p.open.Class, p.open.Title = "doubt", p.open.Title+", and nothing is known of its end"
		p.n[nDoubts]++
	}
	for _, b := range []**bar{&p.open, &p.rest, &p.hold, &p.doubt, &p.retry} {
		p.end(b, end)
	}
	for i := range p.Bars {
		b := &p.Bars[i]
		b.X, b.W, b.End = percent(b.from), percent(max(b.to-b.from, 0.25)), percent(b.to)
	}
	p.notes += p.n[nWaits] + p.n[nHolds]
	parts := []string{fmt.Sprintf("%d %s", len(p.places), plural(len(p.places), "entry", "entries"))}
	for _, c := range []struct {
		n         int
		one, many string
	}{
		{p.n[nWaits], "wait for a person", "waits for people"}, {p.n[nRetries], "attempt that was not done", "attempts that were not done"},
		{p.n[nDoubts], "doubt", "doubts"}, {p.n[nHolds], "hold", "holds"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, plural(c.n, c.one, c.many)))
		}
	}
	p.Text = strings.Join(parts, ", ")
}

// list writes the lane's entries out: all of them, or those that are worth a
// look and the last ones.
func (p *painter) list(events []report.Event, room int) {
	chosen := p.places
	if len(chosen) > room {
		var notable []int
		for _, i := range p.places {
			if remarkable(events[i]) {
				notable = append(notable, i)
			}
		}
		notable = notable[max(0, len(notable)-room/2):]
		chosen = append(slices.Clone(notable), p.places[len(p.places)-(room-len(notable)):]...)
		slices.Sort(chosen)
		chosen = slices.Compact(chosen)
	}
	p.Left = len(p.places) - len(chosen)
	for _, i := range chosen {
		e := events[i]
		_, what, cut := strings.Cut(e.What, "  ")
		if !cut {
			what = e.What
		}
		entry := entry{Seq: e.Seq, Time: e.Time, Text: what}
		if remarkable(e) {
			entry.Class = string(e.Kind)
		}
		p.Entries = append(p.Entries, entry)
	}
}

func remarkable(e report.Event) bool {
	switch e.Kind {
	case journal.Failed, journal.Doubt, journal.Held, journal.Released, journal.Opened:
		return true
	}
	return e.By != "" || rests(e.To)
}

// legend explains what the lanes show, and nothing else.
func legend(lanes []lane) []count {
	all := []count{
		{Label: "work", Class: "work"}, {Label: "waits for a person", Class: "person"}, {Label: "waits to try again", Class: "retry"},
		{Label: "in doubt", Class: "doubt"}, {Label: "frozen by an operator", Class: "freeze"}, {Label: "held", Class: "hold"},
		{Label: "an attempt was not done", Class: "failed"}, {Label: "shows Source", Class: "source"}, {Label: "shows Target", Class: "target"},
	}
	for i := range all {
		for _, l := range lanes {
			for _, b := range l.Bars {
				if b.Class == all[i].Class {
					all[i].N++
				}
			}
			for _, s := range l.Signs {
				if s.Class == all[i].Class {
					all[i].N++
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(c count) bool { return c.N == 0 })
}
