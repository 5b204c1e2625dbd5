package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
)

// A graph is what is drawn of a table.
type graph struct {
	initial machine.State
	states  []machine.Node
	edges   []machine.Edge // those of Anywhere have no From
}

func graphOf[F any](t machine.Table[F]) graph {
	return graph{initial: t.Initial, states: t.States, edges: slices.Concat(t.Edges, t.Anywhere)}
}

func (g graph) has(s machine.State) bool {
	return slices.ContainsFunc(g.states, func(n machine.Node) bool { return n.State == s })
}

// chain is the usual way: from the initial state always the first way out.
func (g graph) chain() []machine.State {
	if !g.has(g.initial) {
		return nil
	}
	chain := []machine.State{g.initial}
	for {
		at := chain[len(chain)-1]
		next := slices.IndexFunc(g.edges, func(e machine.Edge) bool {
			return e.From == at && g.has(e.To) && !slices.Contains(chain, e.To)
		})
		// Only the first way out is the usual one.
		first := slices.IndexFunc(g.edges, func(e machine.Edge) bool { return e.From == at && e.To != at })
		if next < 0 || next != first {
			return chain
		}
		chain = append(chain, g.edges[next].To)
	}
}

// A diagram is a drawing, ready for the template. Lengths are in pixels.
type diagram struct {
	ID, Title string
	Text      string       // the same in words
	Style     template.CSS // of a picture that stands by itself
	W, H      int
	Boxes     []box
	Lines     []line
	Labels    []label
}

type box struct {
	X, Y, W, H int
	Name, Does string
	Class      string
	Count      string // how many are here; empty: nobody
	Title      string
}

type line struct {
	D, Head string // path, and the path of its head
	Class   string
	Taken   bool
	Title   string
}

type label struct {
	X, Y   int
	Anchor string
	Text   string
	Class  string
	Turned bool // runs upward
}

// Measures of a drawing.
const (
	boxW, boxH = 138, 36
	chainX     = 38
	sideX      = chainX + boxW + 120
	outerX     = sideX + boxW + 10
	gap        = 42 // between two rows
	pitch      = 14 // between two lines that leave a box
	top        = 30
)

// A drawer lays one graph out.
type drawer struct {
	graph
	marks marks
	chain []machine.State
	side  []machine.State
	row   map[machine.State]int
	y     []int // of the top of each row
	d     diagram
}

func draw(g graph, m marks) diagram {
	w := &drawer{graph: g, marks: m, chain: g.chain(), row: map[machine.State]int{}}
	w.place()
	w.boxes()
	w.forward()
	w.aside()
	w.around()
	w.returns()
	w.anywhere()
	// What was taken lies above what was not.
	slices.SortStableFunc(w.d.Lines, func(a, b line) int { return taken(a.Taken) - taken(b.Taken) })
	w.d.Text = w.words()
	return w.d
}

// place gives every state a row.
func (w *drawer) place() {
	for i, s := range w.chain {
		w.row[s] = i
	}
	// A state beside the way stands where it is reached from, on average.
	wish := map[machine.State]int{}
	for _, n := range w.states {
		if slices.Contains(w.chain, n.State) {
			continue
		}
		w.side = append(w.side, n.State)
		sum, k := 0, 0
		for _, e := range w.edges {
			if r := slices.Index(w.chain, e.From); e.To == n.State && r >= 0 {
				sum, k = sum+r, k+1
			}
		}
		wish[n.State] = len(w.chain) - 1
		if k > 0 {
			wish[n.State] = sum / k
		} else if i := len(w.side); i > 1 {
			wish[n.State] = wish[w.side[i-2]]
		}
	}
	slices.SortStableFunc(w.side, func(a, b machine.State) int { return wish[a] - wish[b] })
	next := 1 // the first row is left to the lines that come back
	for i, s := range w.side {
		left := len(w.side) - i
		r := max(next, min(wish[s], len(w.chain)-left))
		w.row[s], next = r, r+1
	}
	rows := max(len(w.chain), next)
	ports := make([]int, rows)
	for _, e := range w.edges {
		if slices.Contains(w.chain, e.From) && slices.Contains(w.side, e.To) {
			ports[w.row[e.From]]++
		}
	}
	y := top
	for r := range rows {
		extra := max(0, (ports[r]-2)*pitch-boxH/2)
		w.y = append(w.y, y+extra/2)
		y += boxH + gap + extra
	}
	w.d.W, w.d.H = outerX+14, y-gap+16
}

func (w *drawer) at(s machine.State) (x, y int) {
	x = chainX
	if slices.Contains(w.side, s) {
		x = sideX
	}
	return x, w.y[w.row[s]]
}

func (w *drawer) boxes() {
	for _, n := range w.states {
		x, y := w.at(n.State)
		b := box{X: x, Y: y, W: boxW, H: boxH, Name: short(n.State, 18), Does: short(n.Do, 22), Class: "state"}
		b.Title = text(n.State) + ": " + n.Doc
		if n.Do == "" {
			b.Does = "rests"
		}
		if n.Final {
			b.Class, b.Does = b.Class+" final", "end"
		}
		if w.been(n.State) {
			b.Class += " been"
		}
		for _, h := range w.marks.here {
			if h.state == n.State {
				b.Class += " here"
				b.Count = fmt.Sprint(max(1, len(h.names)))
				b.Title += " Here now: " + names(h.names) + "."
			}
		}
		w.d.Boxes = append(w.d.Boxes, b)
	}
	if len(w.chain) > 0 {
		x, y := w.at(w.chain[0])
		w.line(fmt.Sprintf("M%d %dV%d", x+boxW/2, y-14, y-6), down(x+boxW/2, y), len(w.marks.taken)+len(w.marks.here) > 0, "it begins here")
		w.d.Lines[len(w.d.Lines)-1].Class += " start"
	}
}

// been reports whether the run was in a state.
func (w *drawer) been(s machine.State) bool {
	return slices.ContainsFunc(w.marks.taken, func(t passage) bool { return t.from == s || t.to == s }) ||
		slices.ContainsFunc(w.marks.here, func(h here) bool { return h.state == s })
}

func (w *drawer) taken(e machine.Edge) bool {
	return slices.ContainsFunc(w.marks.taken, func(p passage) bool {
		if p.on != e.On || p.to != "" && p.to != e.To {
			return false
		}
		if e.From != "" {
			return p.from == e.From
		}
		// An edge from anywhere, unless one of the state itself is meant.
		return !slices.ContainsFunc(w.edges, func(own machine.Edge) bool { return own.From == p.from && own.On == p.on })
	})
}

// taken is 1 for what was taken, so that it comes last.
func taken(t bool) int {
	if t {
		return 1
	}
	return 0
}

func (w *drawer) line(d, head string, taken bool, title string) {
	class := "edge"
	if taken {
		class += " taken"
	}
	w.d.Lines = append(w.d.Lines, line{D: d, Head: head, Class: class, Taken: taken, Title: title})
}

func (w *drawer) label(x, y int, text string, taken bool, anchor string) *label {
	class := "on"
	if taken {
		class += " taken"
	}
	w.d.Labels = append(w.d.Labels, label{X: x, Y: y, Anchor: anchor, Text: text, Class: class})
	return &w.d.Labels[len(w.d.Labels)-1]
}

// says describes an edge in words.
func says(e machine.Edge) string {
	from := text(e.From)
	if e.From == "" {
		from = "any state"
	}
	s := fmt.Sprintf("%s to %s on %s", from, text(e.To), text(e.On))
	if len(e.If) > 0 {
		words := make([]string, len(e.If))
		for i, g := range e.If {
			words[i] = text(g)
		}
		s += ", if " + strings.Join(words, ", ")
	}
	return s
}

// next reports whether an edge goes one step down the chain.
func (w *drawer) next(e machine.Edge) bool {
	i := slices.Index(w.chain, e.From)
	return i >= 0 && i+1 < len(w.chain) && w.chain[i+1] == e.To
}

// forward draws the usual way.
func (w *drawer) forward() {
	for i := 0; i+1 < len(w.chain); i++ {
		var on []string
		taken := false
		var edge machine.Edge
		for _, e := range w.edges {
			if e.From == w.chain[i] && e.To == w.chain[i+1] {
				on, edge = append(on, text(e.On)), e
				taken = taken || w.taken(e)
			}
		}
		x, y := w.at(w.chain[i])
		_, to := w.at(w.chain[i+1])
		w.line(fmt.Sprintf("M%d %dV%d", x+boxW/2, y+boxH, to-6), down(x+boxW/2, to), taken, says(edge))
		w.label(x+boxW/2+9, y+boxH+18, short(strings.Join(on, ", "), 26), taken, "start")
	}
}

// aside draws what leaves the usual way to the right. Lines to the same state
// join before it.
func (w *drawer) aside() {
	for _, from := range w.chain {
		var out []machine.Edge
		for _, e := range w.edges {
			if e.From == from && slices.Contains(w.side, e.To) {
				out = append(out, e)
			}
		}
		slices.SortStableFunc(out, func(a, b machine.Edge) int { return w.row[a.To] - w.row[b.To] })
		x, y := w.at(from)
		for i, e := range out {
			k := slices.Index(w.side, e.To)
			_, to := w.at(e.To)
			port := y + boxH/2 + i*pitch - (len(out)-1)*pitch/2
			into := to + boxH/2
			bus := sideX - 14 - 7*k
			if w.row[e.To] == w.row[from] && len(out) == 1 {
				bus = sideX - 8
			}
			w.line(fmt.Sprintf("M%d %dH%dV%dH%d", x+boxW, port, bus, into, sideX-6), right(sideX, into), w.taken(e), says(e))
			w.label(x+boxW+6, port-3, short(e.On, 17), w.taken(e), "start")
		}
	}
}

// around draws what goes from the chain to the chain and not one step down,
// on the left.
func (w *drawer) around() {
	k := 0
	for _, e := range w.edges {
		if !slices.Contains(w.chain, e.From) || !slices.Contains(w.chain, e.To) || w.next(e) {
			continue
		}
		x, from := w.at(e.From)
		_, to := w.at(e.To)
		bus := x - 12 - 12*(k%3)
		out, in := from+boxH/2+7, to+boxH/2-7
		if e.From == e.To {
			out, in = from+boxH-6, from+6
		}
		w.line(fmt.Sprintf("M%d %dH%dV%dH%d", x, out, bus, in, x-6), right(x, in), w.taken(e), says(e))
		l := w.label(bus-3, (out+in)/2, short(e.On, 24), w.taken(e), "middle")
		l.Turned = true
		k++
	}
}

// returns draws what comes back from beside the way, on the right; and what
// goes from one state there to another.
func (w *drawer) returns() {
	type line struct {
		to     machine.State
		on     []string
		taken  bool
		lowest int
	}
	var back []*line
	for _, e := range w.edges {
		if !slices.Contains(w.side, e.From) || !w.has(e.To) {
			continue
		}
		if slices.Contains(w.side, e.To) && w.row[e.To] == w.row[e.From]+1 {
			x, y := w.at(e.From)
			_, to := w.at(e.To)
			w.line(fmt.Sprintf("M%d %dV%d", x+boxW/2-30, y+boxH, to-6), down(x+boxW/2-30, to), w.taken(e), says(e))
			w.label(x+boxW/2-23, y+boxH+18, short(e.On, 20), w.taken(e), "start")
			continue
		}
		i := slices.IndexFunc(back, func(l *line) bool { return l.to == e.To })
		if i < 0 {
			i = len(back)
			back = append(back, &line{to: e.To})
		}
		l := back[i]
		if on := text(e.On); !slices.Contains(l.on, on) {
			l.on = append(l.on, on)
		}
		taken := w.taken(e)
		l.taken = l.taken || taken
		_, y := w.at(e.From)
		l.lowest = max(l.lowest, y)
		bus := outerX + 7*min(i, 1)
		tx, ty := w.at(e.To)
		lift := ty - 11
		out := y + boxH/2 + 5*min(i, 1)
		if tx == sideX {
			w.line(fmt.Sprintf("M%d %dH%dV%dH%d", sideX+boxW, out, bus, ty+boxH/2-8, sideX+boxW+6), left(sideX+boxW, ty+boxH/2-8), taken, says(e))
			continue
		}
		end := tx + boxW - 18
		w.line(fmt.Sprintf("M%d %dH%dV%dH%dV%d", sideX+boxW, out, bus, lift, end, ty-6), down(end, ty), taken, says(e))
	}
	for _, l := range back {
		if tx, ty := w.at(l.to); tx == chainX {
			w.label(outerX-4, ty-15, short(strings.Join(l.on, ", "), 32), l.taken, "end")
		}
	}
}

// anywhere says what every state may be left for.
func (w *drawer) anywhere() {
	k := map[machine.State]int{}
	for _, e := range w.edges {
		if e.From != "" || !w.has(e.To) {
			continue
		}
		x, y := w.at(e.To)
		taken := w.taken(e)
		lx, ly := x+boxW-14, y+boxH
		w.line(fmt.Sprintf("M%d %dV%d", lx, ly+20+12*k[e.To], ly+6), up(lx, ly), taken, says(e))
		w.d.Lines[len(w.d.Lines)-1].Class += " any"
		w.label(lx-7, ly+17+12*k[e.To], short("any state: "+string(e.On), 34), taken, "end")
		k[e.To]++
		w.d.H = max(w.d.H, ly+30+12*k[e.To])
	}
}

// words tells the drawing to those who do not see it.
func (w *drawer) words() string {
	var b strings.Builder
	for i, s := range w.chain {
		b.WriteString([]string{"", ", then "}[min(i, 1)] + text(s))
	}
	b.WriteString(".")
	if len(w.side) > 0 {
		b.WriteString(" Beside it:")
		for i, s := range w.side {
			b.WriteString([]string{" ", ", "}[min(i, 1)] + text(s))
		}
		b.WriteString(".")
	}
	for _, h := range w.marks.here {
		b.WriteString(" In " + text(h.state) + " now: " + names(h.names) + ".")
	}
	return b.String()
}

// Heads of lines, with their points at x, y.
func down(x, y int) string  { return fmt.Sprintf("M%d %dl-4 -7h8z", x, y) }
func up(x, y int) string    { return fmt.Sprintf("M%d %dl-4 7h8z", x, y) }
func right(x, y int) string { return fmt.Sprintf("M%d %dl-7 -4v8z", x, y) }
func left(x, y int) string  { return fmt.Sprintf("M%d %dl7 -4v8z", x, y) }

// names lists names; a long list is cut.
func names(list []string) string {
	shown, more := most(list, 6)
	s := strings.Join(shown, ", ")
	if more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// short makes a name safe to print and cuts it after n characters.
func short[S ~string](s S, n int) string {
	r := []rune(text(s))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}

// text makes a name safe to print. The names of a table are those of whoever
// has extended it.
func text[S ~string](s S) string { return printable.Text(string(s)) }
