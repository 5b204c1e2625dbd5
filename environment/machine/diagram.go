package machine

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/changeover-go/changeover/internal/printable"
)

// WriteMermaid draws the table as a Mermaid state diagram (stateDiagram-v2),
// in the order of the table. Effects and needs stand inside the states, guards
// in brackets on the edges; the edges of Anywhere leave a state of their own.
// The table need not be valid. The error is that of w.
func (t Table[F]) WriteMermaid(w io.Writer) error { return Drawing[F]{Table: t}.WriteMermaid(w) }

// WriteDOT draws the table in the language of Graphviz, in the order of the
// table. Final states have a double border; the edges of Anywhere leave a
// dashed state of their own. The table need not be valid. The error is that of
// w.
func (t Table[F]) WriteDOT(w io.Writer) error { return Drawing[F]{Table: t}.WriteDOT(w) }

// A Mark says how a run stands, or came to stand, for a [Drawing].
type Mark struct {
	State State
	// On is the trigger on which State was left. Without it, the run, or Who,
	// is in State now.
	On  Trigger
	Who string // the environment, for people; may be empty
}

// A Drawing is a table with the marks of a run: who is in which state, and
// which edges were taken. Marks of states and triggers that the table does not
// have are not drawn.
type Drawing[F any] struct {
	Table Table[F]
	Marks []Mark
}

// Here returns who is in the state, in the order of the marks; ok is false if
// no mark says that anybody is.
func (d Drawing[F]) Here(s State) (who []string, ok bool) {
	for _, m := range d.Marks {
		if m.State != s || m.On != "" {
			continue
		}
		if ok = true; m.Who != "" && !slices.Contains(who, m.Who) {
			who = append(who, m.Who)
		}
	}
	return who, ok
}

// Taken reports whether the edge, one of Edges or of Anywhere, was taken.
func (d Drawing[F]) Taken(e Edge) bool {
	return slices.ContainsFunc(d.Marks, func(m Mark) bool {
		if m.On == "" || m.On != e.On || d.Table.node(m.State) < 0 {
			return false
		}
		return m.State == e.From || e.From == "" && e.leaves(m.State)
	})
}

// here says who is in the state, ready to print; empty if nobody is.
func (d Drawing[F]) here(s State) string {
	const most = 8 // of a thousand names nobody could read the drawing
	who, ok := d.Here(s)
	if !ok {
		return ""
	}
	more := ""
	if n := len(who) - most; n > 0 {
		who, more = who[:most], fmt.Sprintf(" and %d more", n)
	}
	return strings.TrimSuffix("here / "+list(who)+more, " / ")
}

// WriteMermaid draws as [Table.WriteMermaid] does. A state that somebody is in
// has a thick border and says who; an edge that was taken says so.
func (d Drawing[F]) WriteMermaid(w io.Writer) error {
	t := d.Table
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	for _, n := range t.States {
		fmt.Fprintf(&b, "    state \"%s\" as %s\n", mermaid(text(n.State)), id(n.State))
		for _, line := range n.asks() {
			fmt.Fprintf(&b, "    %s: %s\n", id(n.State), mermaid(line))
		}
		if here := d.here(n.State); here != "" {
			fmt.Fprintf(&b, "    %s: %s\n", id(n.State), mermaid(here))
		}
	}
	if len(t.Anywhere) > 0 {
		fmt.Fprintf(&b, "    state \"any state\" as %s\n", anyState)
	}
	fmt.Fprintf(&b, "    [*] --> %s\n", id(t.Initial))
	for _, e := range slices.Concat(t.Edges, t.Anywhere) {
		label := e.label()
		if d.Taken(e) {
			label = append(label, "(taken)")
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", e.source(), id(e.To), mermaid(strings.Join(label, " ")))
	}
	for _, n := range t.States {
		if n.Final {
			fmt.Fprintf(&b, "    %s --> [*]\n", id(n.State))
		}
	}
	defined := false
	for _, n := range t.States {
		if _, ok := d.Here(n.State); !ok {
			continue
		}
		if !defined {
			defined = true
			b.WriteString("    classDef here stroke-width:4px,font-weight:bold\n")
		}
		fmt.Fprintf(&b, "    class %s here\n", id(n.State))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteDOT draws as [Table.WriteDOT] does. A state that somebody is in has a
// thick border and says who; an edge that was taken is thick.
func (d Drawing[F]) WriteDOT(w io.Writer) error {
	t := d.Table
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", dot(text(t.ID)))
	b.WriteString("    node [shape=box, style=rounded];\n")
	b.WriteString("    initial [shape=point];\n")
	for _, n := range t.States {
		more := ""
		if n.Final {
			more = ", peripheries=2"
		}
		label := append([]string{text(n.State)}, n.asks()...)
		if here := d.here(n.State); here != "" {
			label, more = append(label, here), more+", penwidth=4"
		}
		fmt.Fprintf(&b, "    %s [label=%s%s];\n", id(n.State), dot(label...), more)
	}
	if len(t.Anywhere) > 0 {
		fmt.Fprintf(&b, "    %s [label=\"any state\", style=\"rounded,dashed\"];\n", anyState)
	}
	fmt.Fprintf(&b, "    initial -> %s;\n", id(t.Initial))
	for _, e := range slices.Concat(t.Edges, t.Anywhere) {
		more := ""
		if d.Taken(e) {
			more = ", penwidth=3"
		}
		fmt.Fprintf(&b, "    %s -> %s [label=%s%s];\n", e.source(), id(e.To), dot(e.label()...), more)
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMatrix writes what every trigger does in every state, one cell a line,
// in the order of the table: the destination and its guards, or "-" where the
// trigger is refused because the state does not know it. It is for golden
// files: a change of the table shows as a change of these lines. The table need
// not be valid. The error is that of w.
func (t Table[F]) WriteMatrix(w io.Writer) error {
	var triggers []Trigger // in order of first appearance
	width := 0
	for _, e := range slices.Concat(t.Edges, t.Anywhere) {
		if !slices.Contains(triggers, e.On) {
			triggers = append(triggers, e.On)
			width = max(width, utf8.RuneCountInString(text(e.On)))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", text(t.ID))
	ways := t.ways()
	for _, n := range t.States {
		var marks []string
		if n.State == t.Initial {
			marks = append(marks, "initial")
		}
		if n.Final {
			marks = append(marks, "final")
		} else if n.Do == "" {
			marks = append(marks, "rests")
		}
		fmt.Fprintf(&b, "\n%s: %s\n", text(n.State), strings.Join(append(marks, n.asks()...), ", "))
		out := ways[n.State]
		for _, on := range triggers {
			cell := "-"
			if i := slices.IndexFunc(out, func(e Edge) bool { return e.On == on }); i >= 0 {
				cell = strings.Join(append([]string{text(out[i].To)}, guarded(out[i].If)...), " ")
			}
			fmt.Fprintf(&b, "    %-*s  %s\n", width, text(on), cell)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// anyState is what the edges of Anywhere leave in a drawing; no id is like it.
const anyState = "any"

// id is a name for the state that no language of diagrams can misread: letters,
// digits and underscores only, no keyword, and another one for another state.
func id(s State) string {
	var b strings.Builder
	b.WriteString("s_")
	for _, c := range []byte(s) {
		if isAlphanumeric(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x_", c)
		}
	}
	return b.String()
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// asks says what the state asks for, in the words of UML, ready to print.
func (n Node) asks() []string {
	var lines []string
	if n.Do != "" {
		lines = append(lines, "do / "+text(n.Do))
	}
	if len(n.Needs) > 0 {
		lines = append(lines, "needs "+guarded(n.Needs)[0])
	}
	return lines
}

// source is the id of what the edge leaves.
func (e Edge) source() string {
	if e.From == "" {
		return anyState
	}
	return id(e.From)
}

// label says what an edge is taken on, and when, ready to print.
func (e Edge) label() []string {
	label := append([]string{text(e.On)}, guarded(e.If)...)
	if len(e.Except) > 0 {
		label = append(label, "except "+list(e.Except))
	}
	return label
}

// guarded puts the names in brackets; it is empty if there are none.
func guarded(names []GuardName) []string {
	if len(names) == 0 {
		return nil
	}
	return []string{"[" + list(names) + "]"}
}

func list[S ~string](names []S) string {
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = text(name)
	}
	return strings.Join(words, ", ")
}

func text[S ~string](s S) string { return printable.Text(string(s)) }

// mermaid replaces what could end a label, or mean something in it, by
// Mermaid's entities.
func mermaid(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= utf8.RuneSelf || isAlphanumeric(r) || strings.ContainsRune(" _-/.,()[]", r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// dot puts lines into one quoted string of Graphviz, which knows entities.
func dot(lines ...string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;", "\n", `\n`)
	return `"` + escape.Replace(strings.Join(lines, "\n")) + `"`
}
