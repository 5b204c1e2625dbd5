package model

import (
	"context"
	"hash/maphash"
)

// found is what a search has found.
type found struct {
	states int
	moves  int64
	levels int
	ends   int
	whole  bool   // everything was walked through
	what   string // a promise that is broken, and by what; empty: none
	path   []move
	steps  int // how many steps a process takes at most before it rests, if nothing goes wrong
}

// A Result is what [Explore] has found.
type Result struct {
	States, Moves int64
	Whole         bool     // everything was walked through
	Edges         []string // transitions that were not taken
	Story         *Story   // how a promise is broken; nil: none is
}

// Explore walks through everything that can happen, until limit states are
// known.
func Explore(ctx context.Context, cfg Config, limit int) (*Result, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	f := explore(ctx, m, limit)
	r := &Result{States: int64(f.states), Moves: f.moves, Whole: f.whole, Edges: m.coverage().missing()}
	if f.what != "" {
		r.Story, err = m.storyOf(f)
	}
	return r, err
}

// storyOf tells what was found.
func (m *model) storyOf(f found) (*Story, error) {
	story, err := m.retell(f.path, false)
	if err == nil && story.Broken == "" {
		story.Broken = f.what
	}
	return story, err
}

// search walks through everything, breadth first. States are told apart by two
// hashes of 64 bits.
type search struct {
	m     *model
	known set
	from  []uint32 // the state that a state was first reached from
	nth   []uint16 // and by which of its moves
	first []uint32 // where the moves of a state begin in to
	to    []uint32
	ended []bool
}

// onItsOwn marks a move of the process in which nothing goes wrong.
const onItsOwn = 1 << 31

// explore walks through the model until limit states are known.
func explore(ctx context.Context, m *model, limit int) found {
	s := &search{m: m, known: newSet()}
	now := []state{m.state}
	s.known.add(now[0])
	s.from, s.nth = append(s.from, 0), append(s.nth, 0)
	f := found{whole: true}
	id := uint32(0)
	for len(now) > 0 {
		var next []state
		f.levels++
		for i := range now {
			s.first = append(s.first, uint32(len(s.to)))
			m.state = now[i]
			s.ended = append(s.ended, m.done())
			if m.done() {
				f.ends++
			}
			n, quiet := uint16(0), true
			broken := m.successors(&now[i], func(own bool) bool {
				n++
				to, fresh := s.known.add(m.state)
				if fresh {
					s.from, s.nth = append(s.from, id), append(s.nth, n)
					next = append(next, m.state)
				}
				if to != id {
					quiet = quiet && m.faults < now[i].faults
				}
				if own {
					to |= onItsOwn
				}
				s.to = append(s.to, to)
				return true
			})
			f.moves += int64(n)
			switch {
			case broken != nil:
				f.what, f.path = broken.what, append(s.path(id), broken.move)
			case quiet && !s.ended[id]:
				f.what, f.path = "nothing leads on from here, and nobody is waited for", s.path(id)
			}
			if f.what != "" {
				f.states = len(s.from)
				return f
			}
			id++
		}
		if len(s.from) > limit || ctx.Err() != nil {
			f.whole = false
			break
		}
		now = next
	}
	f.states = len(s.from)
	if f.whole {
		s.first = append(s.first, uint32(len(s.to)))
		s.finish(&f)
	}
	return f
}

// breach is a move that must not be possible.
type breach struct {
	move move
	what string
}

// successors calls f in each state that follows at, until one is broken or f
// returns false.
func (m *model) successors(at *state, f func(own bool) bool) (broken *breach) {
	m.state = *at
	var verbs [64]struct{ verb, env uint8 }
	n := 0
	m.possible(func(verb byte, env uint8) {
		verbs[n].verb, verbs[n].env = verb, env
		n++
	})
	for _, v := range verbs[:n] {
		m.script = script{}
		for {
			m.state = *at
			m.make(v.verb, v.env)
			if m.broken != 0 || m.wrong != "" {
				return &breach{move{v.verb, v.env, m.picked()}, m.breaks()}
			}
			m.sort(nil)
			own := m.faults == at.faults && (v.verb == works || v.verb == leads)
			if !f(own) {
				return nil
			}
			if !m.script.next() {
				break
			}
		}
	}
	return nil
}

// path returns the moves that lead to a state.
func (s *search) path(id uint32) []move {
	var turns []uint16
	for ; id != 0; id = s.from[id] {
		turns = append(turns, s.nth[id])
	}
	m := s.m
	var path []move
	at := m.beginning()
	for i := len(turns) - 1; i >= 0; i-- {
		path = append(path, m.nth(&at, turns[i]))
		at = m.state
	}
	return path
}

// nth makes the n-th move of a state and returns it.
func (m *model) nth(at *state, n uint16) (made move) {
	m.state = *at
	var verbs []move
	m.possible(func(verb byte, env uint8) { verbs = append(verbs, move{verb: verb, env: env}) })
	for _, v := range verbs {
		m.script = script{}
		for more := true; more; more = m.script.next() {
			m.state = *at
			m.make(v.verb, v.env)
			m.sort(nil)
			if n--; n == 0 {
				v.picks = m.picked()
				return v
			}
		}
	}
	return made
}

// finish looks at the whole: whether an end can be reached from everywhere, and
// whether a process that is left alone comes to rest.
func (s *search) finish(f *found) {
	n := len(s.from)
	reaches, steps := make([]bool, n), make([]uint16, n)
	const endless = 2000
	for again := true; again; {
		again = false
		for id := n - 1; id >= 0; id-- {
			r, most := reaches[id] || s.ended[id], steps[id]
			for _, to := range s.to[s.first[id]:s.first[id+1]] {
				own := to&onItsOwn != 0
				to &^= onItsOwn
				r = r || reaches[to]
				if own {
					most = max(most, steps[to]+1)
				}
			}
			if r != reaches[id] || most != steps[id] {
				reaches[id], steps[id], again = r, most, true
			}
			if most > endless {
				f.what, f.path = "a process that is left alone never comes to rest", s.path(uint32(id))
				return
			}
			f.steps = max(f.steps, int(most))
		}
	}
	for id := range n {
		if !reaches[id] {
			f.what, f.path = "no end can be reached from here", s.path(uint32(id))
			return
		}
	}
}

// set numbers states in the order in which they are added.
type set struct {
	one, two maphash.Seed
	slots    []slotOf
	n        int
}

type slotOf struct {
	a, b uint64
	id   uint32 // plus one
}

func newSet() set {
	return set{one: maphash.MakeSeed(), two: maphash.MakeSeed(), slots: make([]slotOf, 1<<12)}
}

// add returns the number of a state, and whether it is new.
func (t *set) add(st state) (id uint32, fresh bool) {
	if t.n*3 > len(t.slots)*2 {
		old := t.slots
		t.slots = make([]slotOf, 2*len(old))
		for _, o := range old {
			if o.id != 0 {
				t.slots[t.place(o.a, o.b)] = o
			}
		}
	}
	a, b := maphash.Comparable(t.one, st), maphash.Comparable(t.two, st)
	at := &t.slots[t.place(a, b)]
	if at.id != 0 {
		return at.id - 1, false
	}
	t.n++
	*at = slotOf{a, b, uint32(t.n)}
	return at.id - 1, true
}

func (t *set) place(a, b uint64) int {
	mask := uint64(len(t.slots) - 1)
	for i := a & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.id == 0 || s.a == a && s.b == b {
			return int(i)
		}
	}
}
