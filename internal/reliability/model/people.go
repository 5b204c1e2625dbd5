package model

import (
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// What follows is what people do: to the run, through its verbs, and to the
// world, behind its back.

// mayResolve reports whether an environment waits for somebody.
func (m *model) mayResolve(i int) bool {
	e := &m.envs[i]
	switch {
	case e.table == 0 || e.hold == approval || e.hold == unavailable:
		return false
	case e.hold != free:
		return true
	}
	return m.at(i) == migration.NeedsSupport && (e.table == m.back) == (m.line.table == 2)
}

// resolve is what somebody finds and does about an environment.
func (m *model) resolve(i int) {
	e := &m.envs[i]
	if e.hold != free {
		h := e.hold
		m.release(i)
		m.mend(i, h)
		if h == inDoubt && e.inFlight {
			if e.late == nothing && e.slot != pending && m.pick(2) == 1 {
				m.say("it is found not to have been done")
				e.inFlight, e.doubt = false, false
				m.step(law.Event{Kind: law.Ended, Env: uint8(i), Attested: true})
			}
		}
		return
	}
	if leg, forth := m.leg(e.table); forth && e.need == correction {
		m.line.fence++
		for j := range m.n {
			if m.envs[j].fetched.role() == law.Target {
				m.envs[j].stale = true
			}
		}
		m.step(law.Event{Kind: law.Fenced})
		if m.goesWrong(1) == 1 {
			m.say("the process dies after it has recorded that the licenses were corrected")
			return
		}
		for j := range m.n {
			other := &m.envs[j]
			t := m.tables[e.table]
			if j == i || other.table != e.table || leg.Role != license.Target || m.at(j) == migration.NeedsSupport || m.at(j) == t.initial {
				continue
			}
			lost, h := other.inFlight && m.effect(j).Mutates, other.hold
			m.begin(j, e.table)
			if h == serial || h == foreign || h == unknown { // only somebody's word ends it
				other.hold = h
				m.step(law.Event{Kind: law.Ended, Env: uint8(j)})
			}
			other.unaccounted = other.unaccounted || lost
		}
	}
	if e.table == m.back && !e.backup && !e.proven {
		m.say("there is no backup: the source license is put back by hand")
		e.installed, e.prior, e.fresh = source, nothing, false
	}
	e.evidence = true
	m.hand(i, migration.SupportResolved)
}

// mend undoes in the world what the hold was for.
func (m *model) mend(i int, h hold) {
	e := &m.envs[i]
	switch h {
	case serial:
		e.other = false
	case unknown, foreign:
		k := source
		if leg, forth := m.leg(e.table); forth && leg.Role == license.Target && m.line.table == 1 {
			switch m.at(i) {
			case migration.Paused, migration.SerialRegistered, migration.LicenseFetched, migration.BackedUp:
			default: // it was uploaded
				k = target
			}
		}
		e.installed, e.prior, e.fresh = k, nothing, false
	}
}

func (m *model) mayResolveLine() bool {
	h := m.line.hold
	return h != free && h != approval && h != unavailable || m.line.table == 2 && m.lineAt() == rollback.RestoredUntested
}

func (m *model) resolveLine() {
	h := m.line.hold
	if h == free {
		m.line.ok = true
		m.lineHand(rollback.SupportResolved, environment.Census{})
		return
	}
	m.line.hold = free
	if h != serial && h != unknown && h != foreign && h != mixed {
		return
	}
	for i := range m.n {
		e := &m.envs[i]
		want := law.Source
		switch {
		case m.line.table == 1 && h == mixed:
			want = m.rules.Final
		case m.line.table == 1 && m.lineAt() != migration.Planned:
			continue
		}
		e.other = false
		if e.installed.role() != want {
			e.installed, e.prior, e.fresh = source, nothing, false
			if want == law.Target {
				e.installed = target
			}
		}
	}
}

// requestRollback stops the line on somebody's word.
func (m *model) requestRollback() {
	l := &m.line
	if l.table == 1 && m.lineAt() != migration.Halted {
		l.latches = true
		if !m.lineHand(migration.RollbackRequested, environment.Census{}) {
			l.latches = l.latch
			return
		}
	}
	l.hold = free
	if l.table == 1 {
		m.handOver()
	}
	if m.cut() {
		return
	}
	m.run()
}

// meddle is what somebody does to the license of an environment by hand.
func (m *model) meddle(i int) {
	e := &m.envs[i]
	e.prior, e.fresh = nothing, false
	switch {
	case m.pick(2) == 1:
		m.say("it now has a license of a third code")
		e.installed = third
	case e.installed.role() == law.Target:
		m.say("it now has the source license")
		e.installed = source
	default:
		m.say("it now has the target license")
		e.installed = target
	}
}
