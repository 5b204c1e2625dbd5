package model

import "github.com/changeover-go/changeover/internal/reliability/law"

// install puts a license into an environment.
func (m *model) install(i int, k kind) {
	e := &m.envs[i]
	e.prior, e.installed = e.installed, k
	e.fresh = e.prior != k
	if !e.fresh {
		e.prior = nothing
	}
}

// sleep lets the time go by in which everything that was sent lands and shows.
func (m *model) sleep() {
	for i := range m.n {
		m.land(i)
		m.envs[i].fresh, m.envs[i].prior = false, nothing
	}
	m.step(law.Event{Kind: law.Slept})
}

// land lets a late upload take place.
func (m *model) land(i int) {
	e := &m.envs[i]
	if e.late == nothing {
		return
	}
	k := e.late
	e.late = nothing
	if !e.other {
		m.install(i, k)
	}
}

// reading reads an environment times times in a row. What was installed just
// now may not show yet: the one before is then taken for what is installed if
// want, which may be nil, accepts it; a reading that is not wanted is repeated
// for longer than that lasts.
func (m *model) reading(i int, want func(kind) bool, times int) kind {
	e := &m.envs[i]
	if e.seenOther != e.other {
		e.seenOther = e.other
		if !e.other && e.proven {
			m.step(law.Event{Kind: law.Stored, Env: uint8(i)})
		} else {
			m.step(law.Event{Kind: law.Unproven, Env: uint8(i)})
		}
	}
	k := e.installed
	if e.fresh && (want == nil || want(e.prior)) && m.goesWrong(1) == 1 {
		m.say("the page still shows what was installed before")
		k = e.prior
	}
	for range times {
		m.step(law.Event{Kind: law.Read, Env: uint8(i), Role: k.role(), ForServer: !e.other || k == third, Accepted: m.accepts(e.table, k)})
	}
	return k
}

// accepts reports whether the word of a license is one that the leg accepts.
func (m *model) accepts(table uint8, k kind) bool {
	leg, ok := m.leg(table)
	return ok && roleOf(leg.Role) == k.role() && (k == source || k == target)
}

// listed is LifeTime's list.
func (m *model) listed() {
	for i := range m.n {
		m.step(law.Event{Kind: law.ShownPause, Env: uint8(i), Done: m.pausing[i] && m.paused})
	}
	m.step(law.Event{Kind: law.SawPause, Done: m.paused})
}
