package model

import (
	"slices"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
)

// What follows is the rule of internal/engine for environments in a walk:
// decide, record, make, settle.

// walk returns the walk that is going on; nil: none.
func (m *model) walk() *walk {
	if !m.walking {
		return nil
	}
	return m.stages[m.lineNode().Do]
}

func (m *model) node(i int) *node {
	e := &m.envs[i]
	return &m.tables[e.table].nodes[e.state]
}

func (m *model) effect(i int) *effect {
	return &m.tables[m.envs[i].table].effects[m.node(i).effect]
}

// legRole says whose licenses the table of an environment is about.
func (m *model) legRole(i int) law.Role {
	if leg, ok := m.leg(m.envs[i].table); ok {
		return roleOf(leg.Role)
	}
	return law.Unknown
}

// issue decides what is done next, records it, and lines the calls up. It
// reports whether a call is under way.
func (m *model) issue() bool {
	w := m.walk()
	group := w.groups[m.group]
	for !m.struck && !(m.proc == forward && m.halted) {
		ready, fresh, active := -1, -1, 0
		for i := range m.n {
			e := &m.envs[i]
			if !group[i] || e.rested {
				continue
			}
			switch {
			case e.table != w.table:
				if fresh < 0 {
					fresh = i
				}
				continue
			case !e.blocked:
				active++
			}
			if ready < 0 && !e.blocked && e.phase == none {
				ready = i
			}
		}
		switch {
		case ready >= 0:
			m.decide(ready, w)
		case fresh >= 0 && (w.limit <= 0 || active < w.limit):
			if m.envs[fresh].hold != free {
				m.rest(fresh, w, true)
				continue
			}
			m.begin(fresh, w.table)
			m.decide(fresh, w)
		default:
			return m.underWay()
		}
	}
	return m.underWay()
}

func (m *model) underWay() bool {
	return slices.ContainsFunc(m.envs[:m.n], func(e env) bool { return e.phase != none })
}

func (m *model) rest(i int, w *walk, short bool) {
	m.envs[i].rested = true
	if short && w.stop {
		m.struck = true
	}
}

// begin takes an environment to the beginning of a table.
func (m *model) begin(i int, table uint8) {
	e := &m.envs[i]
	e.table, e.state = table, uint8(m.tables[table].index(m.tables[table].initial))
	e.hold, e.inFlight, e.doubt = free, false, false
	e.fetched, e.flaw, e.fence, e.kept, e.stale, e.stored = nothing, sound, 0, false, false, false
	e.need, e.evidence, e.published, e.holds = noNeed, false, false, false
	m.step(law.Event{Kind: law.Entered, Env: uint8(i), Leg: m.legRole(i), Begins: true})
}

// decide is what comes next for an environment.
func (m *model) decide(i int, w *walk) {
	e, n := &m.envs[i], m.node(i)
	switch {
	case e.hold != free:
		m.rest(i, w, true)
		return
	case n.effect < 0 || int(e.state) == w.until:
		m.rest(i, w, !n.Final && int(e.state) != w.until)
		return
	}
	fx := m.effect(i)
	if e.inFlight && fx.Mutates {
		e.doubt, e.phase = true, observing
		return
	}
	if n.needs&^m.holding(i) != 0 {
		e.blocked = true
		if w.stop {
			m.struck = true
		}
		return
	}
	if !e.inFlight {
		if fx.Name == "upload" && m.legRole(i) == law.Target {
			e.targetSent = true
		}
		e.inFlight, e.doubt = true, false
		m.step(law.Event{Kind: law.Intended, Env: uint8(i), Effect: law.EffectOf(string(fx.Name)), Leg: m.legRole(i)})
	}
	e.phase = intended
}

// ended is the end of a call, with what it has read.
func (m *model) ended(i int) *env {
	e := &m.envs[i]
	if e.got != nothing {
		e.shown, e.shownOther, e.got = e.got, false, nothing
	}
	if e.calmed {
		e.unaccounted, e.calmed = false, false
	}
	e.phase, e.answer = none, fine
	return e
}

// fire takes a transition, or holds when a guard refuses it.
func (m *model) fire(i int, on machine.Trigger) {
	e := m.ended(i)
	t := m.tables[e.table]
	w := t.way(e.state, on)
	if w == nil {
		m.wrong = "the step of " + string(m.effect(i).Name) + " answers " + string(on) + ", which " + string(m.at(i)) + " in " + t.id + " does not know"
		return
	}
	if w.needs&^m.holding(i) != 0 {
		m.holdFor(i, support)
		return
	}
	t.taken[w.edge] = true
	e.inFlight, e.doubt = false, false
	if on == "ippRejected" {
		m.step(law.Event{Kind: law.Latched})
	}
	e.state = w.to
	m.entered(i)
	m.step(law.Event{Kind: law.Ended, Env: uint8(i), Done: true})
	for j := range m.n {
		m.envs[j].blocked = false
	}
	if m.proc == forward && on == "ippRejected" {
		m.line.latches, m.halted = true, !m.reckless
		if m.cut() {
			return
		}
		m.line.latch = true
	}
	m.goOn()
}

func (m *model) entered(i int) {
	m.step(law.Event{Kind: law.Entered, Env: uint8(i), State: law.StateOf(string(m.at(i))), Leg: m.legRole(i)})
}

// holdFor stops an environment for somebody.
func (m *model) holdFor(i int, h hold) {
	e := m.ended(i)
	e.hold, e.moved = h, e.moved || h == serial
	if h != inDoubt {
		e.inFlight, e.doubt = false, false
		m.step(law.Event{Kind: law.Ended, Env: uint8(i)})
	}
	m.say("it is held: " + holdNames[h])
	if w := m.walk(); w != nil {
		m.rest(i, w, true)
	}
	m.goOn()
}

// release ends a hold. Who ends one that was about the serial number answers
// for it until the server is read again.
func (m *model) release(i int) {
	e := &m.envs[i]
	if e.hold != free && e.moved {
		e.moved, e.seenOther = false, false
		if e.proven {
			m.step(law.Event{Kind: law.Stored, Env: uint8(i)})
		}
	}
	e.hold = free
}

// again records a failed attempt; another follows.
func (m *model) again(i int) {
	e := m.ended(i)
	e.inFlight, e.doubt = false, false
	m.step(law.Event{Kind: law.Ended, Env: uint8(i)})
	m.goOn()
}

// doubts leaves open what came of a call.
func (m *model) doubts(i int) {
	e := m.ended(i)
	e.doubt = true
	m.goOn()
}

// fails is an error that states a condition.
func (m *model) fails(i int, condition string) {
	fx := m.effect(i)
	for _, c := range fx.Catch {
		if c.Condition == condition {
			e := &m.envs[i]
			if !fx.known {
				m.fire(i, c.Trigger)
				return
			}
			e.need, e.evidence = someNeed, false
			if leg, forth := m.leg(e.table); forth && condition == "notPrepared" && leg.Role == license.Target {
				e.need = correction
			}
			m.fire(i, c.Trigger)
			return
		}
	}
	if slices.Contains(fx.Retry.On, condition) {
		m.again(i)
		return
	}
	m.holdFor(i, support)
}

// notDone is an observation that nothing was done.
func (m *model) notDone(i int) {
	m.say("it is seen not done")
	if m.effect(i).Once {
		m.holdFor(i, inDoubt)
		return
	}
	m.again(i)
}

// goOn is what follows the end of a call: others are issued, or the walk ends.
func (m *model) goOn() {
	if m.wrong != "" || m.proc == idle || m.cut() {
		return
	}
	m.advance()
}

// advance issues what there is, and ends the walk, or its group, when nothing
// is under way.
func (m *model) advance() {
	for m.walking && !m.issue() {
		m.walked()
	}
}

// cut is the end of the process before it records what follows.
func (m *model) cut() bool {
	if m.goesWrong(1) == 0 {
		return false
	}
	m.say("the process dies, and only what was said so far is on record")
	m.die()
	return true
}

// die forgets what the process knew.
func (m *model) die() {
	m.step(law.Event{Kind: law.Died})
	m.forget()
}

func (m *model) forget() {
	for i := range m.n {
		e := &m.envs[i]
		e.phase, e.answer, e.rested, e.blocked, e.holds, e.got, e.calmed = none, fine, false, false, false, nothing, false
	}
	l := &m.line
	l.phase, l.answer, l.sees, l.latches = none, fine, l.seen, l.latch
	m.proc, m.halted, m.struck, m.walking, m.group, m.census = idle, false, false, false, 0, 0
}
