package page

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// WriteSVG draws a table, with the marks of a run, as a picture that stands by
// itself: the way that the procedure usually takes from top to bottom, states
// beside it where it leaves that way. What is marked is told by thickness, fill
// and number, not by color alone. The table need not be valid. It returns the
// error of w.
func WriteSVG[F any](w io.Writer, d machine.Drawing[F]) error {
	look, err := load()
	if err != nil {
		return err
	}
	var m marks
	for _, mark := range d.Marks {
		if mark.On != "" {
			m.taken = append(m.taken, passage{from: mark.State, on: mark.On})
			continue
		}
		m.enter(mark.State, text(mark.Who))
	}
	drawn := draw(graphOf(d.Table), m)
	drawn.Title, drawn.Style = text(d.Table.ID), look.diagramStyle()
	var b bytes.Buffer
	if err := look.page.ExecuteTemplate(&b, "picture", drawn); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// Marks say what a drawing shows of a run.
type marks struct {
	here  []here
	taken []passage
}

// Here says who is in a state.
type here struct {
	state machine.State
	names []string // clean; may be empty
}

// A passage is a transition that was made.
type passage struct {
	from machine.State
	on   machine.Trigger
	to   machine.State // empty: not known
}

// pass says that a transition was made.
func (m *marks) pass(p passage) {
	if !slices.Contains(m.taken, p) {
		m.taken = append(m.taken, p)
	}
}

// enter says that somebody is in a state. An empty name is nobody known.
func (m *marks) enter(s machine.State, name string) {
	at := slices.IndexFunc(m.here, func(have here) bool { return have.state == s })
	if at < 0 {
		at = len(m.here)
		m.here = append(m.here, here{state: s})
	}
	if name != "" && !slices.Contains(m.here[at].names, name) {
		m.here[at].names = append(m.here[at].names, name)
	}
}

// A table is one of those that a run walks through, and the run in it.
type table struct {
	graph
	id    string // as in the journal
	title string
	marks marks
}

// tablesOf returns the tables of a run, in the order in which it walks them.
func tablesOf(v View, back bool) []table {
	profile, ok := migration.FindProfile(cmp.Or(v.Plan.Profile, migration.RefreshAndMove))
	if !ok {
		return nil
	}
	all := []table{tableOf(migration.InfrastructureTable(profile), "The infrastructure")}
	for _, leg := range profile.Legs {
		t := migration.EnvironmentTable(leg, v.Plan.Rules(leg))
		if v.Extend != nil {
			t = v.Extend(leg, t)
		}
		all = append(all, tableOf(t, "Each environment, leg "+leg.Name))
	}
	if back {
		all = append(all,
			tableOf(rollback.InfrastructureTable(), "The infrastructure, on the way back"),
			tableOf(rollback.EnvironmentTable(), "Each environment, on the way back"))
	}
	return all
}

func tableOf[F any](t machine.Table[F], title string) table {
	return table{graph: graphOf(t), id: text(t.ID), title: title}
}

// diagrams draws the tables, with everybody where the report says.
func diagrams(v View, h *history) []diagram {
	enter := func(key, name string, state machine.State) {
		if w := h.walked[key]; w != nil && w.table >= 0 && state != "" {
			h.tables[w.table].marks.enter(state, name)
		}
	}
	enter(journal.Infrastructure, "the infrastructure", v.Report.State)
	for _, e := range v.Report.Environments {
		enter(e.Name, e.Name, e.State)
	}
	var all []diagram
	for i, t := range h.tables {
		d := draw(t.graph, t.marks)
		d.ID, d.Title = fmt.Sprintf("diagram-%d", i+1), t.title
		all = append(all, d)
	}
	return all
}
