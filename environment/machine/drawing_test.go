package machine_test

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
)

// drawings are the languages in which a table can be drawn with marks.
var drawings = []struct {
	name  string
	write func(machine.Drawing[vector], io.Writer) error
	plain func(machine.Table[vector], io.Writer) error
	// what a line has that draws a state somebody is in, or an edge taken
	here, taken string
}{
	{"mermaid", machine.Drawing[vector].WriteMermaid, machine.Table[vector].WriteMermaid, "here / ", "(taken)"},
	{"dot", machine.Drawing[vector].WriteDOT, machine.Table[vector].WriteDOT, "penwidth=4", "penwidth=3"},
}

func drawn(t *testing.T, write func(machine.Drawing[vector], io.Writer) error, d machine.Drawing[vector]) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, write(d, &b))
	return b.String()
}

// with counts the lines that have the text.
func with(drawing, text string) int {
	n := 0
	for l := range strings.Lines(drawing) {
		if strings.Contains(l, text) {
			n++
		}
	}
	return n
}

func TestADrawingShowsHowARunStands(t *testing.T) {
	table := full()
	first := table.Edges[0]
	for _, d := range drawings {
		t.Run(d.name+" without marks is the table's own drawing", func(t *testing.T) {
			require.Equal(t, written(t, d.plain, table), drawn(t, d.write, machine.Drawing[vector]{Table: table}))
		})
		t.Run(d.name+" with marks is what was reviewed", func(t *testing.T) {
			golden.Compare(t, "testdata/marked."+d.name, []byte(drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: []machine.Mark{
				{State: first.From, On: first.On, Who: "Production"},
				{State: first.To, Who: "Production"}, {State: first.To, Who: "Quality"}, {State: first.From, Who: "LifeTime"},
			}})))
		})
		for _, n := range table.States {
			t.Run(fmt.Sprintf("%s marks %s, and no other state, when somebody is there", d.name, n.State), func(t *testing.T) {
				got := drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: []machine.Mark{{State: n.State, Who: "Production"}}})
				require.Equal(t, 1, with(got, d.here), got)
				require.Equal(t, 1, with(got, "here / Production"), got)
				require.Zero(t, with(got, d.taken), got)
			})
		}
		for _, e := range table.Edges {
			t.Run(fmt.Sprintf("%s marks the edge from %s on %s, and no other, when it was taken", d.name, e.From, e.On), func(t *testing.T) {
				got := drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: []machine.Mark{{State: e.From, On: e.On}}})
				require.Equal(t, 1, with(got, d.taken), got)
				require.Zero(t, with(got, d.here), got)
			})
		}
		for _, e := range table.Anywhere {
			for _, n := range table.States {
				_, leaves := moved(table, n.State, e)
				t.Run(fmt.Sprintf("%s marks the edge from anywhere on %s if %s is left by it", d.name, e.On, n.State), func(t *testing.T) {
					got := drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: []machine.Mark{{State: n.State, On: e.On}}})
					line := regexp.MustCompile(`(?m)^    any .*\W` + string(e.On) + `\W.*$`).FindString(got)
					require.NotEmpty(t, line, got)
					require.Equal(t, leaves, strings.Contains(line, d.taken), got)
				})
			}
		}
		t.Run(d.name+" ignores what the table does not have", func(t *testing.T) {
			got := drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: []machine.Mark{
				{State: "Nowhere", Who: "Production"}, {State: "Nowhere", On: first.On}, {State: first.From, On: "never"}, {State: "Nowhere", On: table.Anywhere[0].On},
			}})
			require.Equal(t, written(t, d.plain, table), got)
		})
		t.Run(d.name+" names eight of a thousand, and nobody twice", func(t *testing.T) {
			var marks []machine.Mark
			for i := range 2000 {
				marks = append(marks, machine.Mark{State: first.From, Who: fmt.Sprintf("E%d", i%1000)})
			}
			got := drawn(t, d.write, machine.Drawing[vector]{Table: table, Marks: marks})
			require.Equal(t, 1, with(got, "here / E0, E1, E2, E3, E4, E5, E6, E7 and 992 more"), got)
			require.NotContains(t, got, "E8")
		})
		t.Run(d.name+" returns the error of the writer", func(t *testing.T) {
			require.ErrorIs(t, d.write(machine.Drawing[vector]{Table: table}, failing{}), errFull)
		})
	}
}

// moved returns where an edge of Anywhere leads from a state, if it leaves it.
func moved(t machine.Table[vector], s machine.State, e machine.Edge) (machine.State, bool) {
	for _, not := range append([]machine.State{e.To}, e.Except...) {
		if s == not {
			return "", false
		}
	}
	return e.To, true
}

func TestAMarkCannotBecomeMarkup(t *testing.T) {
	table := awkward()
	var marks []machine.Mark
	for _, n := range table.States {
		marks = append(marks, machine.Mark{State: n.State, Who: string(n.State)}, machine.Mark{State: n.State, On: machine.Trigger(n.State)})
	}
	d := machine.Drawing[vector]{Table: table, Marks: marks}
	const label = `[^\x00-\x1f:;"{}<>\\%&` + "`" + `]|#\d+;`
	mermaid := regexp.MustCompile(`^(stateDiagram-v2|    (state "(` + label + `)*" as \w+|\w+: (` + label + `)+|(\w+|\[\*\]) --> (\w+|\[\*\])(: (` + label + `)+)?|classDef here stroke-width:4px,font-weight:bold|class \w+ here))$`)
	for l := range strings.Lines(drawn(t, machine.Drawing[vector].WriteMermaid, d)) {
		require.Regexp(t, mermaid, strings.TrimSuffix(l, "\n"))
	}
	const str = `"([^"\\\n]|\\.)*"`
	dot := regexp.MustCompile(`^(digraph ` + str + ` \{|\}|    (\w+( -> \w+)?( \[\w+=(` + str + `|\w+)(, \w+=(` + str + `|\w+))*\])?;))$`)
	for l := range strings.Lines(drawn(t, machine.Drawing[vector].WriteDOT, d)) {
		require.Regexp(t, dot, strings.TrimSuffix(l, "\n"))
	}
}
