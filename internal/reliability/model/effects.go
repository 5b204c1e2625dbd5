package model

import (
	"strings"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// What follows is what the steps of both procedures do, as far as it matters:
// what they read, what they ask of the world, and what they make of it.

// call makes the call of an environment that is intended.
func (m *model) call(i int) {
	fx := m.effect(i)
	m.say(string(fx.Name) + " is carried out")
	if fx.known && m.goesWrong(1) == 1 {
		m.say("the port is not reached, however often it is tried")
		m.holdFor(i, unavailable)
		return
	}
	switch fx.Name {
	case "registerSerial":
		m.register(i)
	case "fetchLicense":
		m.fetchLicense(i)
	case "backUp":
		m.backUp(i)
	case "upload":
		m.upload(i)
	case "verify":
		m.verify(i)
	case "republish":
		if m.stillPaused(i) {
			m.republish(i)
		}
	case "restore":
		m.restore(i)
	case "confirm":
		m.confirm(i)
	case "testRestored":
		m.republish(i)
	default:
		m.own(i)
	}
}

// look reads an environment once, and refuses to go on when it is not what the
// journal says.
func (m *model) look(i int) bool {
	e := &m.envs[i]
	k := m.reading(i, func(kind) bool { return true }, 1)
	switch {
	case e.other:
		m.holdFor(i, serial)
	case k == third:
		e.got = k
		m.holdFor(i, unknown)
	case k.role() == law.Target && !e.targetSent:
		e.got = k
		m.holdFor(i, foreign)
	default:
		e.got = k
		return true
	}
	return false
}

// stillPaused looks whether deployments are paused, and whether anything may
// be changed.
func (m *model) stillPaused(i int) bool {
	m.listed()
	if !m.paused {
		m.say("deployments go on")
		m.halted = true
	}
	if m.halted {
		m.fails(i, steps.NotSent)
		return false
	}
	return true
}

func (m *model) register(i int) {
	if !m.look(i) {
		return
	}
	e := &m.envs[i]
	m.step(law.Event{Kind: law.Looked, Env: uint8(i), Done: e.slot == registered})
	if e.slot == registered {
		m.fire(i, "serialRegistered")
		return
	}
	if m.halted {
		m.fails(i, steps.NotSent)
		return
	}
	m.step(law.Event{Kind: law.Asked, Env: uint8(i), Effect: law.Register})
	caught := m.effect(i).Catch
	p := m.goesWrong(len(caught) + 3)
	e.phase = answered
	switch p - len(caught) {
	case 1:
		m.say("it is not registered, and the answer is lost")
		e.answer = silent
	case 2:
		m.say("it is registered, and the answer is lost")
		e.slot, e.answer = registered, silent
	case 3:
		m.say("it will be registered, cannot be seen yet, and the answer is lost")
		e.slot, e.answer = pending, silent
	default:
		if p > 0 {
			m.caught(i, p)
			return
		}
		e.slot = registered
	}
	m.step(law.Event{Kind: law.Answered, Env: uint8(i), Effect: law.Register, Done: e.answer == fine})
}

// caught is an answer that states the p-th condition that the effect catches.
func (m *model) caught(i, p int) {
	m.say("the answer is: " + m.effect(i).Catch[p-1].Condition)
	m.envs[i].phase, m.envs[i].answer = answered, refused+answer(p-1)
}

func (m *model) fetchLicense(i int) {
	e := &m.envs[i]
	e.need, e.evidence = noNeed, false
	switch m.fetch(i) {
	case fetched:
		m.fire(i, "licenseFetched")
	case unusable:
		e.need = someNeed
		m.fire(i, "fileRefused")
	}
}

type fetching uint8

const (
	stopped  fetching = iota // settled already
	fetched                  // a file that may be used
	unusable                 // a file that may not
)

// fetch reads the environment and obtains a license file.
func (m *model) fetch(i int) fetching {
	if !m.look(i) {
		return stopped
	}
	e := &m.envs[i]
	leg, _ := m.leg(e.table)
	ordinary, asIs := source, sourceAsIs
	if leg.Role == license.Target {
		ordinary, asIs = target, targetAsIs
	}
	catch := m.effect(i).Catch
	p := m.goesWrong(len(catch) + 4)
	if 0 < p && p <= len(catch) {
		m.say("the portal answers: " + catch[p-1].Condition)
		m.fails(i, catch[p-1].Condition)
		return stopped
	}
	e.fetched, e.flaw, e.fence, e.kept, e.holds, e.stale, e.stored = ordinary, sound, m.line.fence, false, true, false, false
	switch p - len(catch) {
	case 1:
		m.say("the file is for another server")
		e.flaw = otherServer
	case 2:
		m.say("the file is of another code")
		e.flaw = otherCode
	case 3:
		m.say("the file has expired")
		e.flaw = expired
	case 4:
		m.say("the license is not prepared")
		e.fetched = asIs
	}
	if e.got != nothing { // the step asks the guards about what it has read
		e.shown, e.shownOther, e.got = e.got, false, nothing
	}
	at := migration.Paused
	if leg.Role == license.Target {
		at = migration.SerialRegistered
	}
	t := m.tables[e.table]
	if s := t.index(at); s >= 0 {
		if w := t.way(uint8(s), "licenseFetched"); w != nil && w.needs&^m.holding(i) == 0 {
			return fetched
		}
	}
	e.holds = false
	return unusable
}

func (m *model) backUp(i int) {
	e := &m.envs[i]
	if !e.holds {
		switch m.fetch(i) {
		case stopped:
			return
		case unusable:
			m.holdFor(i, support)
			return
		}
	} else if !m.look(i) {
		return
	}
	switch m.goesWrong(2) {
	case 1:
		m.say("the vault keeps too few copies")
		m.holdFor(i, support)
		return
	case 2:
		m.say("the file is stored")
		m.storeFile(i)
		m.say("the process dies before that is on record")
		m.die()
		return
	}
	m.storeFile(i)
	e.kept, e.holds = true, false
	if e.fetched.role() == law.Source && e.flaw != otherCode {
		e.backup = true
	}
	m.fire(i, "backedUp")
}

// storeFile puts the fetched file into the vault.
func (m *model) storeFile(i int) {
	e := &m.envs[i]
	e.stored = true
	if e.fetched.role() != law.Source || e.flaw == otherCode || e.flaw == otherServer {
		return
	}
	e.proven = true
	if !e.seenOther {
		m.step(law.Event{Kind: law.Stored, Env: uint8(i)})
	}
}

func (m *model) upload(i int) {
	e := &m.envs[i]
	m.account(i)
	if !m.look(i) || !m.stillPaused(i) {
		return
	}
	role := e.fetched.role()
	if e.flaw == otherCode {
		role = law.Third
	}
	m.send(i, e.fetched, law.Event{Role: role, Unstored: !e.stored, WrongServer: e.flaw == otherServer || e.seenOther, Stale: role == law.Target && e.stale}, 0)
}

// send uploads a license; catchFrom is the first of the conditions that Service
// Center can answer.
func (m *model) send(i int, k kind, asked law.Event, catchFrom int) {
	e := &m.envs[i]
	asked.Kind, asked.Env, asked.Effect = law.Asked, uint8(i), law.Upload
	m.step(asked)
	e.phase = answered
	n := len(m.effect(i).Catch) - catchFrom
	p := m.goesWrong(n + 3)
	switch {
	case e.other || e.flaw == otherServer && k == e.fetched:
		m.say("Service Center refuses it: it is for another server")
		m.refusedAs(i, "wrongEnvironment")
		return
	case p == 0:
		m.install(i, k)
	case p <= n:
		m.caught(i, catchFrom+p)
		return
	case p == n+1:
		m.say("it is not installed, and the answer is lost")
		e.answer = silent
	case p == n+2:
		m.say("it is installed, and the answer is lost")
		m.install(i, k)
		e.answer = silent
	default:
		m.say("the answer is lost, and it will be installed later")
		e.late, e.answer = k, silent
	}
	m.step(law.Event{Kind: law.Answered, Env: uint8(i), Effect: law.Upload, Done: e.answer == fine})
}

// refusedAs is an answer that states a condition; one that the effect does not
// catch is like one that says nothing.
func (m *model) refusedAs(i int, condition string) {
	for c, caught := range m.effect(i).Catch {
		if caught.Condition == condition {
			m.caught(i, c+1)
			return
		}
	}
	m.envs[i].phase, m.envs[i].answer = answered, silent
}

func (m *model) republish(i int) {
	e, catch := &m.envs[i], m.effect(i).Catch
	m.step(law.Event{Kind: law.Asked, Env: uint8(i), Effect: law.Republish})
	e.phase, e.published = answered, false
	p := m.goesWrong(len(catch) + 2)
	switch {
	case p == 0:
		e.published = true
	case p <= len(catch):
		m.caught(i, p)
	case p == len(catch)+1:
		m.say("another version was published meanwhile")
	default:
		m.say("the answer is lost")
		e.answer = silent
	}
	m.step(law.Event{Kind: law.Answered, Env: uint8(i), Effect: law.Republish, Done: e.published})
}

func (m *model) verify(i int) {
	e := &m.envs[i]
	want := m.legRole(i)
	k := m.reading(i, func(k kind) bool { return k.role() == want }, m.rules.Reads)
	if e.other {
		m.holdFor(i, serial)
		return
	}
	e.got = k
	switch {
	case k.role() != want:
		m.say("it shows another license than before")
		m.holdFor(i, foreign)
	case k == source || k == target:
		m.fire(i, "ipVerified")
	default:
		e.need, e.evidence = someNeed, false
		if want == law.Target {
			e.need = correction
		}
		m.fire(i, "notPrepared")
	}
}

// account waits, before a license is uploaded, for a call that nobody knows the
// end of.
func (m *model) account(i int) {
	if m.envs[i].unaccounted && !m.envs[i].calmed {
		m.sleep()
		m.envs[i].calmed = true
	}
}

func (m *model) restore(i int) {
	e := &m.envs[i]
	helped := e.evidence
	if helped {
		m.sleep()
		e.calmed = true
	}
	m.account(i)
	k := nothing
	if m.goesWrong(1) == 1 {
		m.say("the licensing page cannot be read")
		if !e.targetSent {
			m.fails(i, steps.NotSent)
			return
		}
	} else {
		k = m.reading(i, nil, m.rules.Reads)
		if e.other {
			e.shown, e.shownOther = k, true
			m.holdFor(i, serial)
			return
		}
		e.got = k
	}
	switch {
	case helped && k.role() == law.Source:
		m.fire(i, "backupUploaded")
		return
	case e.targetSent || k.role() == law.Target:
	case k.role() == law.Source:
		m.fire(i, "nothingToRestore")
		return
	default:
		m.holdFor(i, unknown)
		return
	}
	catch := m.effect(i).Catch
	missing := 0 // how many conditions are about the backup; they come first
	for missing < len(catch) && strings.HasPrefix(catch[missing].Condition, "backup") {
		missing++
	}
	switch p := m.goesWrong(missing); {
	case !e.backup && !e.proven:
		m.fails(i, "backupNotFound")
		return
	case p > 0:
		m.say("of the backup: " + catch[p-1].Condition)
		m.fails(i, catch[p-1].Condition)
		return
	}
	if !e.targetSent { // somebody else has sent it: that is put on record first
		e.targetSent = true
		if m.cut() {
			return
		}
	}
	m.send(i, source, law.Event{Role: law.Source, WrongServer: e.seenOther}, missing)
}

func (m *model) confirm(i int) {
	e := &m.envs[i]
	k := m.reading(i, func(k kind) bool { return k.role() == law.Source }, m.rules.Reads)
	e.shown, e.shownOther = k, e.other
	if k.role() == law.Source && !e.other {
		e.targetSent = false
		m.fire(i, "sourceConfirmed")
		return
	}
	m.say("it does not show the source license")
	e.need, e.evidence = someNeed, false
	m.fire(i, "sourceNotShown")
}

// own is an effect that the procedure does not have: it may answer whatever
// leads on from its state.
func (m *model) own(i int) {
	e, n, fx := &m.envs[i], m.node(i), m.effect(i)
	p := m.goesWrong(len(fx.Catch) + 3)
	switch {
	case 0 < p && p <= len(fx.Catch):
		m.say("the answer is: " + fx.Catch[p-1].Condition)
		m.fails(i, fx.Catch[p-1].Condition)
	case p == len(fx.Catch)+1:
		m.say("it fails, however often it is tried")
		m.holdFor(i, unavailable)
	case p > 0 && !fx.Mutates:
		m.say("it fails, and is tried again")
		m.again(i)
	case p > 0:
		m.say("the answer is lost")
		e.phase, e.answer = answered, silent
	default:
		e.did |= 1 << fx.bit
		m.fire(i, m.either(n.own))
	}
}

// either returns one of the triggers.
func (m *model) either(on []machine.Trigger) machine.Trigger {
	switch len(on) {
	case 0:
		return "done" // which the table does not know
	case 1:
		return on[0]
	}
	return on[m.pick(len(on))]
}

// settle records what came of a call.
func (m *model) settle(i int) {
	e, fx := &m.envs[i], m.effect(i)
	if fx.Name == "restore" {
		e.fetched, e.flaw = source, sound
	}
	if e.answer >= refused {
		m.fails(i, fx.Catch[e.answer-refused].Condition)
		return
	}
	if e.answer == silent {
		m.doubts(i)
		return
	}
	switch fx.Name {
	case "registerSerial":
		m.fire(i, "serialRegistered")
	case "republish":
		m.fire(i, "republished")
	case "testRestored":
		m.fire(i, "restoredTested")
	case "upload", "restore":
		switch k := m.reading(i, m.shows(i), m.rules.Reads); {
		case e.other:
			m.holdFor(i, serial)
		case m.shows(i)(k):
			e.got = k
			m.fire(i, m.uploaded(i))
		default:
			e.got = k
			m.say("uploaded, but the page shows something else")
			m.doubts(i)
		}
	}
}

// shows returns what the license that is uploaded shows as.
func (m *model) shows(i int) func(kind) bool {
	if m.effect(i).Name == "restore" {
		return func(k kind) bool { return k.role() == law.Source }
	}
	want := m.envs[i].fetched
	return func(k kind) bool { return k == want }
}

func (m *model) uploaded(i int) machine.Trigger {
	if m.effect(i).Name == "restore" {
		return "backupUploaded"
	}
	return "uploaded"
}

// observe looks what came of a call that is in doubt.
func (m *model) observe(i int) {
	e, fx := &m.envs[i], m.effect(i)
	m.say("what came of " + string(fx.Name) + " is looked at")
	m.sleep()
	switch fx.Name {
	case "registerSerial":
		m.step(law.Event{Kind: law.Looked, Env: uint8(i), Done: e.slot == registered})
		if e.slot == registered {
			m.fire(i, "serialRegistered")
			return
		}
		m.notDone(i)
	case "upload", "restore":
		if m.goesWrong(1) == 1 {
			m.say("the licensing page cannot be read")
			m.holdFor(i, inDoubt)
			return
		}
		k := m.reading(i, m.shows(i), m.rules.Reads)
		switch {
		case e.other:
			m.holdFor(i, serial)
		case m.shows(i)(k) && fx.Name == "restore" && !e.targetSent:
			e.got = k
			m.fire(i, "nothingToRestore")
		case m.shows(i)(k):
			e.got = k
			m.fire(i, m.uploaded(i))
		case k == third:
			e.got = k
			m.holdFor(i, unknown)
		default:
			e.got = k
			m.notDone(i)
		}
	case "republish", "testRestored":
		m.notDone(i)
	default:
		if n := m.node(i); m.pick(2) == 1 {
			m.say("it is seen done")
			e.did |= 1 << fx.bit
			m.fire(i, m.either(n.own))
			return
		}
		m.notDone(i)
	}
}
