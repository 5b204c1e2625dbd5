package machine_test

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
)

// awkward is a table whose names are what no name should be, and those added.
func awkward(more ...string) machine.Table[vector] {
	names := append([]string{
		`quoted "twice"`, `back\slash\n`, "two\nlines", "end", "state", "[*]", "a --> b: c; d", "<b>&amp;#35;{}%%", "esc\x1b[2Jbidi\u202e", "müde",
	}, more...)
	t := machine.Table[vector]{ID: `"awkward" \ & <b>`, Initial: machine.State(names[0])}
	for i, name := range names {
		s, g := machine.State(name), machine.GuardName(name)
		n := machine.Node{State: s, Doc: "A state.", Final: true}
		if i%2 == 0 {
			n.Do, n.Needs, n.Final = machine.EffectName(name), []machine.GuardName{g}, false
			t.Effects = append(t.Effects, machine.Effect{Name: n.Do, Doc: "An effect."})
		}
		t.States = append(t.States, n)
		t.Edges = append(t.Edges, machine.Edge{From: s, On: machine.Trigger(name), To: machine.State(names[(i+1)%len(names)]), If: []machine.GuardName{g}})
		t.Guards = append(t.Guards, machine.Guard[vector]{Name: g, Doc: "A guard.", Holds: func(vector) (bool, string) { return true, "" }})
	}
	t.Anywhere = []machine.Edge{{On: `stop: "now"`, To: "end", Except: []machine.State{"[*]", "<b>&amp;#35;{}%%"}}}
	return t
}

var writers = []struct {
	name  string
	write func(machine.Table[vector], io.Writer) error
}{
	{"mermaid", machine.Table[vector].WriteMermaid},
	{"dot", machine.Table[vector].WriteDOT},
	{"matrix", machine.Table[vector].WriteMatrix},
}

func TestWrite(t *testing.T) {
	require.NoError(t, awkward().Validate())
	for _, w := range writers {
		for _, tt := range []struct {
			name  string
			table machine.Table[vector]
		}{{"full", full()}, {"awkward", awkward()}} {
			t.Run(w.name+" of the "+tt.name+" table is what was reviewed", func(t *testing.T) {
				write := func() string { return written(t, w.write, tt.table) }
				first := write()
				golden.Compare(t, "testdata/"+tt.name+"."+w.name, []byte(first))
				for range 50 {
					require.Equal(t, first, write(), "it is the same every time")
				}
				for _, r := range first {
					require.True(t, r == '\n' || r >= ' ' && r != '\u202e' && r != 0xfffd, "%q cannot be printed", r)
				}
			})
		}
		t.Run(w.name+" of an invalid table is written all the same", func(t *testing.T) {
			table := full()
			table.Initial, table.Edges[0].To, table.States[1].Do, table.Anywhere = "x", "y", "z", nil
			require.Error(t, table.Validate())
			require.NoError(t, w.write(table, io.Discard))
			require.NoError(t, w.write(machine.Table[vector]{}, io.Discard))
		})
		t.Run(w.name+" returns the error of the writer", func(t *testing.T) {
			require.ErrorIs(t, w.write(full(), failing{}), errFull)
		})
	}
}

var errFull = errors.New("the disk is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

func written(t *testing.T, write func(machine.Table[vector], io.Writer) error, table machine.Table[vector]) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, write(table, &b))
	return b.String()
}

func TestMermaidIsWellFormed(t *testing.T) {
	const label = `[^\x00-\x1f:;"{}<>\\%&` + "`" + `]|#\d+;`
	line := regexp.MustCompile(`^(stateDiagram-v2|    (state "(` + label + `)*" as \w+|\w+: (` + label + `)+|(\w+|\[\*\]) --> (\w+|\[\*\])(: (` + label + `)+)?))$`)
	for _, table := range []machine.Table[vector]{full(), awkward()} {
		for l := range strings.Lines(written(t, machine.Table[vector].WriteMermaid, table)) {
			require.Regexp(t, line, strings.TrimSuffix(l, "\n"))
		}
	}
}

func TestDOTIsWellFormed(t *testing.T) {
	const str = `"([^"\\\n]|\\.)*"`
	line := regexp.MustCompile(`^(digraph ` + str + ` \{|\}|    (\w+( -> \w+)?( \[\w+=(` + str + `|\w+)(, \w+=(` + str + `|\w+))*\])?;))$`)
	for _, table := range []machine.Table[vector]{full(), awkward()} {
		for l := range strings.Lines(written(t, machine.Table[vector].WriteDOT, table)) {
			require.Regexp(t, line, strings.TrimSuffix(l, "\n"))
		}
	}
}

func TestEveryStateHasANameOfItsOwnInADrawing(t *testing.T) {
	long := strings.Repeat("long ", 100)
	table := awkward("any", "s_any", "a b", "a_20_b", "a_b", "A", "a", "\xff", "\xfe", long, long+"er")
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`" as (\w+)\n`).FindAllStringSubmatch(written(t, machine.Table[vector].WriteMermaid, table), -1) {
		require.False(t, ids[m[1]], m[1])
		ids[m[1]] = true
	}
	require.Len(t, ids, len(table.States)+1)
}

// TestMatrixSaysWhatTheTableDoes reads the matrix back.
func TestMatrixSaysWhatTheTableDoes(t *testing.T) {
	table := full()
	head := regexp.MustCompile(`^(\w+): `)
	cell := regexp.MustCompile(`^    (\w+) +(-|(\w+)(?: \[(.*)\])?)$`)
	var at machine.State
	cells := 0
	for l := range strings.Lines(written(t, machine.Table[vector].WriteMatrix, table)) {
		l = strings.TrimSuffix(l, "\n")
		if m := head.FindStringSubmatch(l); m != nil {
			at = machine.State(m[1])
		}
		m := cell.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		cells++
		to, unmet, ok := step(table, at, machine.Trigger(m[1]), 0)
		require.Equal(t, ok, m[2] != "-", l)
		require.Equal(t, string(to), m[3], l)
		names := strings.Trim(fmt.Sprint(unmet), "[]")
		require.Equal(t, names, strings.ReplaceAll(m[4], ",", ""), l)
	}
	require.Equal(t, len(table.States)*(len(triggers(table))-2), cells)
}
