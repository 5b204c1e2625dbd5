package machine

import "slices"

// A Passage is one step of a [Table.Course]: a state, what it asks for, and the
// edge that leads on.
type Passage struct {
	Node
	Effect Effect
	Edge   Edge
}

// Course returns the way through the table on which all goes well, from a state
// until another one, or to where it ends or rests: of each state the first
// edge. A way that comes back to a state ends there.
func (t Table[F]) Course(from, until State) []Passage {
	var course []Passage
	seen := map[State]bool{}
	for at := from; at != until && !seen[at]; {
		seen[at] = true
		i, e := t.node(at), slices.IndexFunc(t.Edges, func(e Edge) bool { return e.From == at })
		if i < 0 || e < 0 || t.States[i].Do == "" {
			break
		}
		p := Passage{Node: t.States[i], Edge: t.Edges[e]}
		if j := slices.IndexFunc(t.Effects, func(e Effect) bool { return e.Name == p.Do }); j >= 0 {
			p.Effect = t.Effects[j]
		}
		course = append(course, p)
		at = p.Edge.To
	}
	return course
}
