package model

import (
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/migration"
)

// A move is one thing that happens: a verb, a call or its end, a death,
// something in the world. What is left open in it is decided by picks.
type move struct {
	verb  byte
	env   uint8
	picks string // one character for each decision, from '0'; those left out at the end are zero
}

// Verbs of moves.
const (
	runs      = 'r' // a process takes the run up
	works     = 'e' // a call of an environment is made, settled or looked at
	leads     = 'l' // the same of the infrastructure
	dies      = 'c'
	resolves  = 'p' // somebody resolves what an environment waits for
	settles   = 'P' // the same of the infrastructure
	goesBack  = 'b' // somebody asks for the way back
	lands     = 'w' // a late upload takes place
	appears   = 'g' // a late registration can be seen
	meddles   = 'x' // somebody changes a license by hand
	replaces  = 's' // a server gets another serial number
	unfreezes = 'q' // somebody resumes deployments
)

// String is how the move is written down.
func (v move) String() string {
	s := string(v.verb)
	if strings.IndexByte("epwgxs", v.verb) >= 0 {
		s += string('0' + v.env)
	}
	if v.picks != "" {
		s += "/" + v.picks
	}
	return s
}

// parseMove reads what [move.String] has written.
func parseMove(s string) (v move, err error) {
	head, picks, _ := strings.Cut(s, "/")
	switch {
	case len(head) == 1 && strings.Contains("rlcPbq", head):
	case len(head) == 2 && strings.Contains("epwgxs", head[:1]) && '0' <= head[1] && head[1] < '0'+Environments:
		v.env = head[1] - '0'
	default:
		return v, fmt.Errorf("%q is no move", s)
	}
	if len(picks) > len(script{}.picks) {
		return v, fmt.Errorf("%q decides too much", s)
	}
	v.verb, v.picks = head[0], picks
	return v, nil
}

// possible calls f with every move that the state permits, without decisions.
func (m *model) possible(f func(verb byte, env uint8)) {
	begun, faults := m.line.table != 0, m.faults > 0
	done := m.done()
	if m.proc == idle {
		if !done {
			f(runs, 0)
		}
		if begun && faults && (m.line.table == 1 && m.lineAt() != migration.Halted || m.line.hold != free) {
			f(goesBack, 0)
		}
		if begun && m.mayResolveLine() {
			f(settles, 0)
		}
	}
	for i := range m.n {
		e := &m.envs[i]
		if m.proc != idle && m.walking && e.phase != none {
			f(works, uint8(i))
		}
		if m.proc == idle && begun && m.mayResolve(i) {
			f(resolves, uint8(i))
		}
		if e.late != nothing {
			f(lands, uint8(i))
		}
		if e.slot == pending {
			f(appears, uint8(i))
		}
		if begun && !done && faults {
			f(meddles, uint8(i))
			if !e.other {
				f(replaces, uint8(i))
			}
		}
	}
	if m.proc != idle && !m.walking && m.line.phase != none {
		f(leads, 0)
	}
	if m.proc != idle && faults {
		f(dies, 0)
	}
	if begun && !done && faults && m.paused {
		f(unfreezes, 0)
	}
}

// make makes a move, with the decisions of the script.
func (m *model) make(verb byte, env uint8) {
	m.script.at, m.broken, m.wrong = 0, 0, ""
	i := int(env)
	e := &m.state.envs[i]
	switch verb {
	case runs:
		m.say("a process takes the run up")
		m.run()
	case works:
		switch e.phase {
		case intended:
			m.call(i)
		case answered:
			m.say("what came of " + string(m.effect(i).Name) + " is recorded")
			m.settle(i)
		default:
			m.observe(i)
		}
		if m.proc != idle {
			m.advanceIfWaiting()
		}
	case leads:
		if m.line.phase == observing {
			m.lineObserve()
		} else {
			m.lineCall()
		}
	case dies:
		m.say("the process dies")
		m.faults--
		m.die()
	case resolves:
		m.say("somebody resolves what it waits for")
		m.resolve(i)
	case settles:
		m.say("somebody resolves what the infrastructure waits for")
		m.resolveLine()
	case goesBack:
		m.say("somebody asks for the way back")
		m.faults--
		m.requestRollback()
	case lands:
		m.say("a late upload takes place")
		m.land(i)
	case appears:
		m.say("a late registration can be seen")
		e.slot = registered
	case meddles:
		m.say("somebody changes the license by hand")
		m.faults--
		m.meddle(i)
	case replaces:
		m.say("the server gets another serial number")
		m.faults--
		e.other = true
	case unfreezes:
		m.say("somebody resumes deployments")
		m.faults--
		m.paused = false
	}
}

// advanceIfWaiting ends a walk in which nothing is under way any more.
func (m *model) advanceIfWaiting() {
	if m.wrong == "" && m.walking && !m.underWay() {
		m.advance()
	}
}

// picked returns the decisions that were made in the last move.
func (m *model) picked() string {
	b := make([]byte, m.script.at)
	for i := range b {
		b[i] = '0' + m.script.picks[i]
	}
	return strings.TrimRight(string(b), "0")
}
