package page

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

type facts struct{}

// tables returns every shipped table, and some of users.
func drawings() []machine.Drawing[facts] {
	strip := func(id string, initial machine.State, states []machine.Node, edges, anywhere []machine.Edge) machine.Drawing[facts] {
		return machine.Drawing[facts]{Table: machine.Table[facts]{ID: id, Initial: initial, States: states, Edges: edges, Anywhere: anywhere}}
	}
	var all []machine.Drawing[facts]
	for _, p := range migration.Profiles() {
		i := migration.InfrastructureTable(p)
		all = append(all, strip(i.ID, i.Initial, i.States, i.Edges, i.Anywhere))
		for _, leg := range p.Legs {
			e := migration.EnvironmentTable(leg, migration.Rules{MinCopies: 2})
			all = append(all, strip(e.ID, e.Initial, e.States, e.Edges, e.Anywhere))
		}
	}
	i, e := rollback.InfrastructureTable(), rollback.EnvironmentTable()
	all = append(all, strip(i.ID, i.Initial, i.States, i.Edges, i.Anywhere), strip(e.ID, e.Initial, e.States, e.Edges, e.Anywhere))
	grown := all[1].Table.Insert(machine.Insertion[facts]{After: migration.BackedUp, State: "SmokeTested", Effect: machine.Effect{Name: "smokeTest"}, On: "smokeTested",
		Edges: []machine.Edge{{On: "smokeTestFailed", To: migration.NeedsSupport}}})
	return append(all, machine.Drawing[facts]{Table: grown})
}

func TestEveryTableIsDrawnWholeAndNothingLiesOverAnything(t *testing.T) {
	for _, d := range drawings() {
		t.Run(d.Table.ID, func(t *testing.T) {
			g := graphOf(d.Table)
			drawn := draw(g, marks{})
			require.Len(t, drawn.Boxes, len(d.Table.States))
			for i, a := range drawn.Boxes {
				require.True(t, a.X >= 0 && a.Y >= 0 && a.X+a.W <= drawn.W && a.Y+a.H <= drawn.H, "%s is inside", a.Name)
				require.NotContains(t, a.Name, "…")
				for _, b := range drawn.Boxes[:i] {
					apart := a.X+a.W <= b.X || b.X+b.W <= a.X || a.Y+a.H <= b.Y || b.Y+b.H <= a.Y
					require.True(t, apart, "%s and %s", a.Name, b.Name)
				}
			}
			var titles []string
			for _, l := range drawn.Lines {
				titles = append(titles, l.Title)
			}
			words := drawn.Labels
			for _, e := range g.edges {
				require.Contains(t, titles, says(e), "an edge has a line")
				require.True(t, slices.ContainsFunc(words, func(l label) bool { return strings.Contains(l.Text, string(e.On)) }), "%s has its trigger", says(e))
			}
			require.Equal(t, len(titles), len(slices.Compact(slices.Sorted(slices.Values(titles)))), "and only one")
			require.Contains(t, titles, "it begins here")
			for _, l := range drawn.Lines {
				for _, s := range level(t, l.D) {
					for _, w := range words {
						if w.Turned || w.Anchor != "start" {
							continue
						}
						right := w.X + 5*len(w.Text) // at least
						through := s.y > w.Y-9 && s.y < w.Y+2 && s.from < right && w.X < s.to
						require.False(t, through, "%s runs through %q", l.Title, w.Text)
					}
				}
			}
		})
	}
}

type segment struct{ y, from, to int }

// level returns the parts of a path that run level.
func level(t *testing.T, d string) (list []segment) {
	t.Helper()
	var x, y int
	for _, part := range regexp.MustCompile(`[MHV][^MHV]*`).FindAllString(d, -1) {
		var err error
		switch part[0] {
		case 'M':
			_, err = fmt.Sscanf(part, "M%d %d", &x, &y)
		case 'V':
			_, err = fmt.Sscanf(part, "V%d", &y)
		case 'H':
			from := x
			_, err = fmt.Sscanf(part, "H%d", &x)
			list = append(list, segment{y, min(from, x), max(from, x)})
		}
		require.NoError(t, err)
	}
	return list
}

func TestEveryPictureStandsByItself(t *testing.T) {
	for _, d := range drawings() {
		var b strings.Builder
		require.NoError(t, WriteSVG(&b, d))
		wellFormed(t, b.String())
		require.Contains(t, b.String(), `xmlns="http://www.w3.org/2000/svg"`)
		require.Contains(t, b.String(), ".state")
		require.NotContains(t, b.String(), "url(")
	}
	full := errors.New("the disk is full")
	require.ErrorIs(t, WriteSVG(failing{full}, drawings()[0]), full)
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			return
		} else {
			require.NoError(t, err)
		}
	}
}

func TestMarksShowWhatTheyMark(t *testing.T) {
	all := drawings()
	i := slices.IndexFunc(all, func(d machine.Drawing[facts]) bool { return d.Table.ID == "migration/move" })
	d := all[i]
	d.Marks = []machine.Mark{
		{State: migration.Paused, On: "serialRegistered", Who: "Quality"},
		{State: migration.SerialRegistered, On: "serialNotFound", Who: "Quality"},
		{State: migration.BackedUp, On: migration.RollbackRequested, Who: "Production"},
		{State: migration.NeedsSupport, Who: "Quality"}, {State: migration.NeedsSupport, Who: "Quality"}, {State: migration.NeedsSupport, Who: "<Development>"},
		{State: migration.RollingBack},
		{State: "Nowhere", Who: "nobody"}, {State: "Nowhere", On: "nothing"},
	}
	var m marks
	for _, mark := range d.Marks {
		if mark.On != "" {
			m.pass(passage{from: mark.State, on: mark.On})
		} else {
			m.enter(mark.State, mark.Who)
		}
	}
	drawn := draw(graphOf(d.Table), m)
	var taken []string
	for _, l := range drawn.Lines {
		if strings.Contains(l.Class, "taken") {
			taken = append(taken, l.Title)
		}
	}
	require.Equal(t, []string{
		"it begins here",
		"Paused to SerialRegistered on serialRegistered",
		"SerialRegistered to NeedsSupport on serialNotFound",
		"any state to RollingBack on rollbackRequested, if sourceBackupProven",
	}, taken)
	for _, l := range drawn.Lines[len(drawn.Lines)-len(taken):] {
		require.True(t, l.Taken, "what was taken lies above what was not")
	}
	counts := map[string]string{}
	for _, b := range drawn.Boxes {
		if b.Count != "" {
			counts[b.Name] = b.Count
			require.Contains(t, b.Class, "here")
		}
	}
	require.Equal(t, map[string]string{"NeedsSupport": "2", "RollingBack": "1"}, counts)
	require.Contains(t, drawn.Text, "In NeedsSupport now: Quality, <Development>.")
	var b strings.Builder
	require.NoError(t, WriteSVG(&b, d))
	wellFormed(t, b.String())
	require.Contains(t, b.String(), "&lt;Development&gt;")
}

// Whoever extends a table draws it to see what is wrong with it.
func TestATableThatIsNotValidIsDrawnAsFarAsItGoes(t *testing.T) {
	node := func(names ...machine.State) (list []machine.Node) {
		for _, n := range names {
			list = append(list, machine.Node{State: n})
		}
		return list
	}
	evil := machine.State("</text><script>alert(1)</script>\u202e\x1b[31m")
	for name, table := range map[string]machine.Table[facts]{
		"empty":                         {},
		"an initial state that is none": {Initial: "A", States: node("B")},
		"one state":                     {Initial: "A", States: node("A")},
		"a loop":                        {Initial: "A", States: node("A"), Edges: []machine.Edge{{From: "A", On: "again", To: "A"}}},
		"a circle":                      {Initial: "A", States: node("A", "B"), Edges: []machine.Edge{{From: "A", On: "a", To: "B"}, {From: "B", On: "b", To: "A"}}},
		"edges to and from nowhere":     {Initial: "A", States: node("A"), Edges: []machine.Edge{{From: "A", On: "a", To: "X"}, {From: "Y", On: "b", To: "A"}}, Anywhere: []machine.Edge{{On: "c", To: "Z"}}},
		"states that nothing reaches":   {Initial: "A", States: node("A", "B", "C", "D", "E", "F")},
		"a state twice":                 {Initial: "A", States: node("A", "A", "B", "B")},
		"hostile names":                 {ID: string(evil), Initial: evil, States: node(evil, "B"), Edges: []machine.Edge{{From: evil, On: machine.Trigger(evil), To: "B"}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			require.NoError(t, WriteSVG(&b, machine.Drawing[facts]{Table: table, Marks: []machine.Mark{{State: "A", Who: "x"}, {State: "A", On: "a"}}}))
			wellFormed(t, b.String())
			require.NotContains(t, b.String(), "<script")
			require.NotContains(t, b.String(), "\u202e")
			require.NotContains(t, b.String(), "\x1b")
		})
	}
}

func picturesAreReadable(t *testing.T, chrome context.Context) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString(`<!doctype html><html lang="en"><title>pictures</title><body><header></header><nav></nav><main><h1>Pictures</h1>`)
	for i, d := range drawings() {
		d.Marks = []machine.Mark{{State: d.Table.Initial, Who: "Quality"}, {State: d.Table.Initial, On: d.Table.Edges[0].On}}
		name := fmt.Sprintf("%d.svg", i)
		var svg strings.Builder
		require.NoError(t, WriteSVG(&svg, d))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(svg.String()), 0o600))
		b.WriteString(svg.String()) // inline, so that the audit reads it
	}
	b.WriteString(`</main></body></html>`)
	path := filepath.Join(dir, "all.html")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	tab := open(t, chrome, "file://"+path, 1280)
	tab.audit()
	alone := open(t, chrome, "file://"+filepath.Join(dir, "0.svg"), 1280)
	var fill string
	alone.eval(`getComputedStyle(document.querySelector('.here > rect')).fill`, &fill)
	require.Equal(t, "rgb(27, 31, 36)", fill, "it brings its own style")
	alone.quiet("file://" + filepath.Join(dir, "0.svg"))
}
