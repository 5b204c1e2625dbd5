package model

import (
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/environment/machine"
)

// table is a table made ready to be asked a million times a second.
type table[F any] struct {
	id      string
	initial machine.State
	nodes   []node
	effects []effect
	guards  []machine.Guard[F]
	edges   []string // in words, by their number; those of Anywhere last
	inner   int      // how many are not of Anywhere
	taken   []bool
	memo    map[uint64]uint64 // facts, packed -> the guards that hold
}

type node struct {
	machine.Node
	effect int // index; -1: rests
	needs  uint64
	ways   []way
	own    []machine.Trigger // of an effect that the model does not know: what it may answer
}

type way struct {
	on    machine.Trigger
	to    uint8
	needs uint64
	edge  int
}

type effect struct {
	machine.Effect
	known bool
	bit   uint8 // of an effect that the model does not know
}

// maxGuards and maxOwn are how many guards a table may have, and how many
// effects that the model does not know.
const (
	maxGuards = 64
	maxOwn    = 8
)

// compile makes t ready. known are the effects that the model carries out
// itself.
func compile[F any](t machine.Table[F], known []string, unchecked bool) (*table[F], error) {
	if err := t.Validate(); err != nil && !unchecked {
		return nil, err
	}
	if len(t.Guards) > maxGuards || len(t.States) > 255 {
		return nil, fmt.Errorf("table %q has more guards or states than the model can hold", t.ID)
	}
	c := &table[F]{id: t.ID, initial: t.Initial, guards: t.Guards, memo: map[uint64]uint64{}, inner: len(t.Edges)}
	mask := func(names []machine.GuardName) (m uint64) {
		for _, name := range names {
			m |= 1 << slices.IndexFunc(t.Guards, func(g machine.Guard[F]) bool { return g.Name == name })
		}
		return m
	}
	index := func(s machine.State) uint8 {
		return uint8(slices.IndexFunc(t.States, func(n machine.Node) bool { return n.State == s }))
	}
	own := uint8(0)
	for _, e := range t.Effects {
		carried := effect{Effect: e, known: slices.Contains(known, string(e.Name))}
		if !carried.known {
			if own == maxOwn {
				return nil, fmt.Errorf("table %q has more than %d effects of its own", t.ID, maxOwn)
			}
			carried.bit, own = own, own+1
		}
		c.effects = append(c.effects, carried)
	}
	for _, s := range t.States {
		n := node{Node: s, needs: mask(s.Needs), effect: slices.IndexFunc(t.Effects, func(e machine.Effect) bool { return e.Name == s.Do })}
		c.nodes = append(c.nodes, n)
	}
	for i, e := range slices.Concat(t.Edges, t.Anywhere) {
		told := fmt.Sprintf("%s -> %s on %s", e.From, e.To, e.On)
		if i >= len(t.Edges) {
			told = fmt.Sprintf("any state -> %s on %s", e.To, e.On)
		}
		c.edges = append(c.edges, told)
		for at := range c.nodes {
			n := &c.nodes[at]
			anywhere := i >= len(t.Edges)
			if !anywhere && n.State != e.From || anywhere && (n.State == e.To || slices.Contains(e.Except, n.State)) {
				continue
			}
			n.ways = append(n.ways, way{e.On, index(e.To), mask(e.If), i})
			if n.effect >= 0 && !anywhere && !slices.Contains(byHand, e.On) &&
				!slices.ContainsFunc(c.effects[n.effect].Catch, func(caught machine.Catch) bool { return caught.Trigger == e.On }) {
				n.own = append(n.own, e.On)
			}
		}
	}
	c.taken = make([]bool, len(c.edges))
	return c, nil
}

// index returns the place of a state, or -1.
func (t *table[F]) index(s machine.State) int {
	return slices.IndexFunc(t.nodes, func(n node) bool { return n.State == s })
}

// holding returns the guards that hold of the facts that are packed in key and
// that facts unpacks.
func (t *table[F]) holding(key uint64, facts func() F) uint64 {
	if held, ok := t.memo[key]; ok {
		return held
	}
	f, held := facts(), uint64(0)
	for i, g := range t.guards {
		if holds(g, f) {
			held |= 1 << i
		}
	}
	t.memo[key] = held
	return held
}

// holds asks a guard; one that panics does not hold, as in a run.
func holds[F any](g machine.Guard[F], f F) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	ok, _ = g.Holds(f)
	return ok
}

// way returns the way out of state on that trigger; nil if there is none.
func (t *table[F]) way(state uint8, on machine.Trigger) *way {
	ways := t.nodes[state].ways
	for i := len(ways) - 1; i >= 0; i-- {
		if ways[i].on == on {
			return &ways[i]
		}
	}
	return nil
}

// onward returns, for each state, whether it is until or behind it. Empty
// until: nothing is. The first edge of a state leads on.
func (t *table[F]) onward(until machine.State) []bool {
	behind := make([]bool, len(t.nodes))
	for at := t.index(until); at >= 0 && !behind[at]; {
		behind[at] = true
		next := -1
		for _, w := range t.nodes[at].ways {
			if w.edge < t.inner {
				next = int(w.to)
				break
			}
		}
		at = next
	}
	return behind
}

// before returns, for each edge, whether it can be taken by an environment that
// rests in until; empty until: it never does.
func (t *table[F]) before(until machine.State) []bool {
	edges, seen := make([]bool, len(t.edges)), make([]bool, len(t.nodes))
	for next := []int{t.index(t.initial)}; len(next) > 0; next = next[1:] {
		at := next[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		for _, w := range t.nodes[at].ways {
			if w.edge < t.inner && t.nodes[at].State == until {
				continue
			}
			edges[w.edge] = true
			next = append(next, int(w.to))
		}
	}
	return edges
}
