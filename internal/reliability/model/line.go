package model

import (
	"slices"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// What follows is what both procedures do with the infrastructure: its own
// walk, the stages, and the way from one procedure into the other.

func (m *model) lineNode() *node { return &m.lineTables[m.line.table].nodes[m.line.state] }

func (m *model) lineEffect() *effect {
	return &m.lineTables[m.line.table].effects[m.lineNode().effect]
}

// run begins a process that takes the run up.
func (m *model) run() {
	l := &m.line
	if l.table == 0 {
		l.table, l.state = 1, uint8(m.lineTables[1].index(m.lineTables[1].initial))
	}
	if l.hold == approval || l.hold == unavailable {
		l.hold = free
	}
	for i := range m.n {
		if h := m.envs[i].hold; h == approval || h == unavailable {
			m.release(i)
		}
	}
	if l.table == 2 {
		m.runBack()
		return
	}
	m.proc, m.swept = forward, false
	if at := m.lineAt(); at == migration.CaseOpen || at == migration.CaseNeeded {
		if c := m.takeCensus(nil); c.NeedSupport == 0 {
			m.lineHand(migration.SupportResolved, c)
		}
	}
	m.lineDecide()
}

func (m *model) runBack() {
	m.proc, m.swept = back, false
	l := &m.line
	switch {
	case l.table != 2:
		if l.hold != free {
			m.over()
			return
		}
		l.table, l.state, l.inFlight, l.doubt = 2, uint8(m.lineTables[2].index(m.lineTables[2].initial)), false, false
	case m.lineAt() == rollback.Mixed:
		m.lineHand(rollback.TakenUpAgain, environment.Census{})
	}
	m.lineDecide()
}

// lineHand takes a transition of the infrastructure that no effect answers.
func (m *model) lineHand(on machine.Trigger, c environment.Census) bool {
	l, t := &m.line, m.lineTables[m.line.table]
	w := t.way(l.state, on)
	if w == nil || w.needs&^m.lineHolding(c) != 0 {
		return false
	}
	t.taken[w.edge] = true
	if on == migration.RollbackRequested {
		m.step(law.Event{Kind: law.Latched})
	}
	if m.lineAt() == rollback.RestoredUntested && l.table == 2 {
		m.step(law.Event{Kind: law.Overridden})
	}
	l.state, l.inFlight, l.doubt = w.to, false, false
	l.seen, l.latch = l.sees, l.latches
	return true
}

// lineDecide is what comes next for the infrastructure.
func (m *model) lineDecide() {
	l, n := &m.line, m.lineNode()
	if l.hold != free || n.effect < 0 {
		m.over()
		return
	}
	fx := m.lineEffect()
	if l.inFlight && fx.Mutates {
		l.doubt, l.phase = true, observing
		return
	}
	if n.needs&^m.lineHolding(environment.Census{}) != 0 {
		m.over()
		return
	}
	if !l.inFlight {
		l.inFlight, l.doubt = true, false
		m.step(law.Event{Kind: law.Intended, Env: law.Line, Effect: law.EffectOf(string(fx.Name))})
	}
	l.phase = intended
}

// lineFire takes a transition of the infrastructure.
func (m *model) lineFire(on machine.Trigger, c environment.Census) {
	l, t := &m.line, m.lineTables[m.line.table]
	w := t.way(l.state, on)
	if w == nil {
		m.wrong = "the step of " + string(m.lineEffect().Name) + " answers " + string(on) + ", which " + string(m.lineAt()) + " in " + t.id + " does not know"
		return
	}
	if w.needs&^m.lineHolding(c) != 0 {
		m.lineHold(support)
		return
	}
	t.taken[w.edge] = true
	switch on {
	case "ippRejected":
		m.step(law.Event{Kind: law.Latched})
	case "gateOpened":
		m.step(law.Event{Kind: law.GateOpened})
	}
	m.lineEnded(true)
	l.state = w.to
	if m.cut() {
		return
	}
	m.lineDecide()
}

func (m *model) lineEnded(done bool) {
	l := &m.line
	l.inFlight, l.doubt, l.phase, l.answer = false, false, none, fine
	l.seen, l.latch = l.sees, l.latches
	m.step(law.Event{Kind: law.Ended, Env: law.Line, Done: done})
}

func (m *model) lineHold(h hold) {
	m.say("the infrastructure is held: " + holdNames[h])
	m.line.hold = h
	if h == inDoubt {
		m.line.phase, m.line.answer = none, fine
	} else {
		m.lineEnded(false)
	}
	m.over()
}

func (m *model) lineAgain() {
	m.lineEnded(false)
	if m.cut() {
		return
	}
	m.lineDecide()
}

func (m *model) lineDoubts() {
	m.line.phase, m.line.answer, m.line.doubt = none, fine, true
	if m.cut() {
		return
	}
	m.lineDecide()
}

// lineCall makes the call of the infrastructure that is intended.
func (m *model) lineCall() {
	fx := m.lineEffect()
	m.say(string(fx.Name) + " is carried out")
	if m.goesWrong(1) == 1 {
		m.say("a port is not reached, however often it is tried")
		m.lineHold(unavailable)
		return
	}
	switch fx.Name {
	case "survey":
		m.survey()
	case "pause":
		if m.pause() {
			m.lineFire("paused", environment.Census{})
		}
	case "attestModules":
		if m.approved() {
			m.lineFire("modulesAttested", environment.Census{})
		}
	case "openGate":
		m.openGate()
	case "sweep":
		m.sweep()
	case "resumeDeployments":
		m.resume()
	case "openCase", "report":
		m.openCase()
	default:
		m.beginStage()
	}
}

func (m *model) approved() bool {
	if m.goesWrong(1) == 1 {
		m.say("the answer is no")
		m.lineHold(approval)
		return false
	}
	return true
}

func (m *model) survey() {
	m.listed()
	for i := range m.n {
		e := &m.envs[i]
		k := m.reading(i, nil, m.rules.Reads)
		switch {
		case e.other:
			m.lineHold(serial)
			return
		case k == third:
			m.lineHold(unknown)
			return
		case k.role() == law.Target:
			m.lineHold(foreign)
			return
		}
	}
	m.lineFire("surveyed", environment.Census{})
}

// pause pauses deployments that go on, having noted it, and sees that they
// are; otherwise the effect has ended already.
func (m *model) pause() bool {
	l := &m.line
	l.sees = false
	m.listed()
	if !m.paused {
		l.ours, l.seen = true, false
		for i := range m.n {
			if m.pausing[i] {
				m.step(law.Event{Kind: law.Claimed, Env: uint8(i)})
			}
		}
		if m.cut() {
			return false
		}
		for i := range m.n {
			if m.pausing[i] {
				m.step(law.Event{Kind: law.Asked, Env: uint8(i), Effect: law.Pause})
			}
		}
		p := m.goesWrong(2)
		m.paused = p != 1
		if p > 0 {
			m.say([]string{"they are not paused, and the answer is lost", "they are paused, and the answer is lost"}[p-1])
			m.lineAgain()
			return false
		}
	}
	m.listed()
	l.sees = m.paused
	return true
}

func (m *model) openGate() {
	c := m.takeCensus(nil)
	if c.BackedUp != c.Total || m.goesWrong(1) == 1 {
		m.say("not every backup is whole")
		m.lineHold(support)
		return
	}
	if m.approved() {
		m.line.gate = true
		m.lineFire("gateOpened", c)
	}
}

func (m *model) sweep() {
	m.sleep()
	for i := range m.n {
		k := m.reading(i, nil, m.rules.Reads)
		m.envs[i].shown, m.envs[i].shownOther = k, m.envs[i].other
	}
	m.swept = true
	c := m.takeCensus(nil)
	if m.proc == back {
		m.sweepBack(c)
		return
	}
	shown := c.ShowSource
	if m.rules.Final == law.Target {
		shown = c.ShowTarget
	}
	if shown != c.Total {
		m.lineHold(mixed)
		return
	}
	m.lineFire("swept", c)
}

// sweepBack takes those that show the target license again back again.
func (m *model) sweepBack(c environment.Census) {
	again := false
	for i := range m.n {
		e := &m.envs[i]
		if m.node(i).Final && e.shown.role() != law.Target {
			continue
		}
		again = true
		m.begin(i, m.back)
	}
	switch {
	case again:
		m.lineFire("notRestored", c)
	case c.ShowSource != c.Total:
		m.lineHold(mixed)
	default:
		m.lineFire("swept", c)
	}
}

func (m *model) resume() {
	l := &m.line
	fresh, final := m.swept, m.rules.Final
	if m.swept = false; m.proc == back {
		final = law.Source
	}
	for i := range m.n {
		if fresh {
			break
		}
		if k := m.reading(i, nil, 1); k.role() != final || m.envs[i].other && k != third {
			m.lineFire("changedSince", environment.Census{})
			return
		}
	}
	if l.ours {
		for i := range m.n {
			if m.pausing[i] {
				m.step(law.Event{Kind: law.Asked, Env: uint8(i), Effect: law.Resume})
			}
		}
		p := m.goesWrong(2)
		m.paused = m.paused && p == 1
		if p > 0 {
			m.say([]string{"they are not resumed, and the answer is lost", "they are resumed, and the answer is lost"}[p-1])
			m.lineDoubts()
			return
		}
	}
	m.resumed()
}

// resumed looks whether the pauses that the run has set have ended.
func (m *model) resumed() {
	m.listed()
	if m.paused && m.line.ours {
		m.lineAgain()
		return
	}
	m.line.sees = false
	m.lineFire("deploymentsResumed", environment.Census{})
}

func (m *model) openCase() {
	if !m.line.opened {
		switch m.goesWrong(2) {
		case 1:
			m.say("the case is not opened, and the answer is lost")
			m.lineDoubts()
			return
		case 2:
			m.say("the case is opened, and the answer is lost")
			m.line.opened = true
			m.lineDoubts()
			return
		}
	}
	m.line.asked, m.line.opened = true, false
	if m.proc == back {
		m.lineFire("reported", environment.Census{})
		return
	}
	m.lineFire("caseOpened", environment.Census{})
}

// lineObserve looks what came of a call of the infrastructure in doubt.
func (m *model) lineObserve() {
	m.say("what came of " + string(m.lineEffect().Name) + " is looked at")
	m.sleep()
	if m.lineEffect().Name == "resumeDeployments" {
		m.resumed()
		return
	}
	m.openCase()
}

// beginStage walks the environments.
func (m *model) beginStage() {
	w := m.stages[m.lineEffect().Name]
	l := &m.line
	m.halted, m.struck = false, false
	if m.proc == back {
		for i := range m.n {
			if e := &m.envs[i]; e.table != m.back && e.inFlight {
				e.unaccounted = true
			}
		}
		m.beginGroup(0)
		return
	}
	c := m.takeCensus(w.reached)
	for i := range m.n {
		if e := &m.envs[i]; e.table == w.table && m.at(i) == migration.RollingBack {
			l.latches = true
		}
	}
	m.census = uint8(c.BackedUp)
	if l.latches || w.stop && c.Held > 0 {
		m.endStage(w)
		return
	}
	known := l.sees
	m.listed()
	if l.sees = m.paused; !m.paused {
		if known {
			m.say("somebody has resumed deployments")
			m.lineHold(foreign)
			return
		}
		if !m.pause() {
			return
		}
	}
	m.beginGroup(0)
}

func (m *model) beginGroup(group uint8) {
	m.walking, m.group, m.struck = true, group, false
	w := m.walk()
	for i := range m.n {
		e := &m.envs[i]
		e.blocked = false
		e.rested = !w.groups[group][i] || w.reached != nil && e.table != 0 && w.reached[e.table][e.state]
	}
	m.advance()
}

// walked is the end of the walk of a group.
func (m *model) walked() {
	w := m.walk()
	if m.proc == forward {
		m.census = uint8(m.takeCensus(w.reached).BackedUp)
		through := !m.line.latches
		for i := range m.n {
			e := &m.envs[i]
			through = through && (!w.groups[m.group][i] || e.table != 0 && w.reached[e.table][e.state])
		}
		if through && int(m.group)+1 < len(w.groups) {
			m.beginGroup(m.group + 1)
			return
		}
	}
	m.endStage(w)
}

func (m *model) endStage(w *walk) {
	m.walking, m.group = false, 0
	for i := range m.n {
		m.envs[i].rested, m.envs[i].blocked = false, false
	}
	m.struck = false
	if m.proc == back {
		m.endRestoring()
		return
	}
	c := m.takeCensus(w.reached)
	m.census = 0
	switch {
	case m.line.latches:
		m.lineFire("ippRejected", c)
	case m.halted:
		m.line.sees = false
		m.lineHold(foreign)
	case c.Reached == c.Total:
		m.lineFire(firstLower(w.stage.Reached), c)
	case c.NeedSupport > 0 && (w.stop || c.NeedSupport+c.Reached == c.Total):
		m.lineFire("supportNeeded", c)
	default:
		m.over() // stays in flight
	}
}

func firstLower(s machine.State) machine.Trigger {
	return machine.Trigger(string(s[0]|0x20) + string(s[1:]))
}

func (m *model) endRestoring() {
	c, may := m.takeCensus(nil), false
	for i := range m.n {
		if at := m.at(i); m.envs[i].table == m.back && (at == rollback.RolledBack || at == rollback.RestoredNotTested) {
			continue
		}
		may = may || m.envs[i].targetSent || m.envs[i].shown.role() == law.Target
	}
	switch {
	case c.Reached == c.Total:
		m.lineFire("restored", c)
	case c.Reached+c.Untested == c.Total:
		m.lineFire("notTested", c)
	case may:
		m.lineFire("notRestored", c)
	default:
		m.over()
	}
}

// over is the end of a process's work: it rests, or goes on with the way back.
func (m *model) over() {
	if m.proc == forward && m.lineAt() == migration.Halted {
		m.handOver()
		if m.cut() {
			return
		}
		m.forget()
		m.runBack()
		return
	}
	m.forget()
	e := law.Event{Kind: law.Called, Verdict: law.Held, Truthful: true}
	switch {
	case m.isMixed():
		e.Verdict = law.Mixed
	case m.line.table == 2 && m.lineAt() == rollback.AllRolledBack:
		e.Verdict = law.RolledBackAll
	case m.line.table == 1 && m.lineAt() == migration.Completed:
		e.Verdict = law.Completed
	default:
		e.Truthful = m.waits()
	}
	m.step(e)
}

func (m *model) isMixed() bool {
	return m.line.hold == mixed || m.line.table == 2 && m.lineAt() == rollback.Mixed ||
		slices.ContainsFunc(m.envs[:m.n], func(e env) bool { return e.hold == mixed })
}

// waits reports whether it can be said who must do what.
func (m *model) waits() bool {
	if m.line.hold != free || m.line.table == 2 && m.lineAt() == rollback.RestoredUntested {
		return true
	}
	for i := range m.n {
		if m.envs[i].hold != free || m.at(i) == migration.NeedsSupport {
			return true
		}
	}
	return false
}

// handOver takes every environment that has a backup to go back to into
// RollingBack.
func (m *model) handOver() {
	for i := range m.n {
		e := &m.envs[i]
		if _, forth := m.leg(e.table); !forth {
			continue
		}
		m.release(i)
		if m.at(i) == migration.RollingBack || e.inFlight {
			continue
		}
		m.hand(i, migration.RollbackRequested)
	}
}

// hand takes a transition that no effect answers.
func (m *model) hand(i int, on machine.Trigger) {
	e, t := &m.envs[i], m.tables[m.envs[i].table]
	w := t.way(e.state, on)
	if w == nil || w.needs&^m.holding(i) != 0 {
		return
	}
	t.taken[w.edge] = true
	e.state, e.inFlight, e.doubt = w.to, false, false
	m.entered(i)
	m.step(law.Event{Kind: law.Ended, Env: uint8(i), Done: true})
}

// done reports whether nothing is left to be done.
func (m *model) done() bool {
	return m.proc == idle && m.line.table != 0 && m.lineNode().Final && !(m.line.table == 1 && m.lineAt() == migration.Halted)
}
