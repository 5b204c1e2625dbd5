package model

import (
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// A Config says what is walked through.
type Config struct {
	Plan   migration.Plan // valid, over at most [Environments]
	Faults int            // how many things go wrong, at most
	Paused bool           // somebody has paused deployments before
	// Extend changes the environments' table of a leg; nil leaves it alone.
	Extend func(migration.Leg, machine.Table[environment.Facts]) machine.Table[environment.Facts]
	// After says what effects that the procedure does not have leave in the
	// facts when they are done; missing: nothing.
	After map[machine.EffectName]func(*environment.Facts)
	// Line, Back and BackLine change the other tables; nil leaves them alone.
	Line     func(machine.Table[environment.Line]) machine.Table[environment.Line]
	Back     func(machine.Table[environment.Facts]) machine.Table[environment.Facts]
	BackLine func(machine.Table[environment.Line]) machine.Table[environment.Line]
	Without  law.Set // laws that are not enforced

	// For showing what the model finds: tables need not be valid, and a walk
	// goes on when the line is stopped, so that the tables alone stop it.
	unchecked, reckless bool
}

// model is a config made ready. It works on one state at a time and is not
// safe for concurrent use.
type model struct {
	Config
	profile migration.Profile
	n       int
	rules   law.Rules
	pausing []bool // whether deployments to the environment must be paused

	tables     []*table[environment.Facts] // nil, the legs, the way back
	lineTables []*table[environment.Line]  // nil, forward, back
	stages     map[machine.EffectName]*walk
	back       uint8    // index of the way back in tables
	equals     [][2]int // pairs of environments that differ in their names alone

	state
	script script
	broken law.Set
	wrong  string            // something else that must not be
	out    func(string)      // is told what happens; nil: nobody
	seen   func(told string) // is told the events; nil: nobody
}

// walk is what a stage of the infrastructure asks of the environments.
type walk struct {
	table   uint8
	leg     migration.Leg
	stage   migration.Stage
	until   int
	limit   int
	stop    bool
	groups  [][]bool
	reached [][]bool // by table and state
}

// Effects that the model carries out.
var (
	known     = []string{"registerSerial", "fetchLicense", "backUp", "upload", "verify", "republish", "restore", "confirm", "testRestored"}
	knownLine = []string{"survey", "pause", "attestModules", "openGate", "sweep", "resumeDeployments", "openCase", "restoreLicenses", "report"}
	byHand    = []machine.Trigger{migration.SupportResolved, migration.RollbackRequested, rollback.TakenUpAgain}
)

// newModel returns a model in its first state.
func newModel(cfg Config) (*model, error) {
	if err := cfg.Plan.Validate().Err(); err != nil {
		return nil, err
	}
	cfg.Plan = cfg.Plan.Effective()
	m := &model{Config: cfg, n: len(cfg.Plan.Order), stages: map[machine.EffectName]*walk{}}
	if m.n > Environments {
		return nil, fmt.Errorf("the model can have %d environments, not %d", Environments, m.n)
	}
	m.profile, _ = migration.FindProfile(cfg.Plan.Profile)
	for _, name := range cfg.Plan.Order {
		m.pausing = append(m.pausing, slices.Contains(cfg.Plan.Pause, name))
	}
	m.rules = law.Rules{Environments: m.n, Reads: 2, Without: cfg.Without}
	if err := m.compile(); err != nil {
		return nil, err
	}
	m.state = m.beginning()
	return m, nil
}

// beginning is the state in which nothing has happened yet.
func (m *model) beginning() (s state) {
	s.faults = uint8(m.Faults)
	s.paused = m.Paused
	for i := range m.n {
		s.envs[i].installed = sourceAsIs
	}
	return s
}

// same is an extension that changes nothing.
func same[F any](t machine.Table[F]) machine.Table[F] { return t }

func (m *model) compile() error {
	m.tables, m.lineTables = make([]*table[environment.Facts], 1), make([]*table[environment.Line], 1)
	stages := slices.Clone(knownLine)
	for _, leg := range m.profile.Legs {
		t := migration.EnvironmentTable(leg, m.Plan.Rules(leg))
		if m.Extend != nil {
			t = m.Extend(leg, t)
		}
		c, err := compile(t, known, m.unchecked)
		if err != nil {
			return err
		}
		m.tables = append(m.tables, c)
		m.rules.Final = roleOf(leg.Role)
		for _, st := range leg.Stages {
			stages = append(stages, string(st.Effect))
		}
	}
	or := func(change func(machine.Table[environment.Line]) machine.Table[environment.Line]) func(machine.Table[environment.Line]) machine.Table[environment.Line] {
		if change == nil {
			return same[environment.Line]
		}
		return change
	}
	back := rollback.EnvironmentTable()
	if m.Back != nil {
		back = m.Back(back)
	}
	c, err := compile(back, known, m.unchecked)
	if err != nil {
		return err
	}
	m.tables, m.back = append(m.tables, c), uint8(len(m.tables))
	for _, t := range []machine.Table[environment.Line]{
		or(m.Line)(migration.InfrastructureTable(m.profile)), or(m.BackLine)(rollback.InfrastructureTable()),
	} {
		c, err := compile(t, stages, m.unchecked)
		if err != nil {
			return err
		}
		m.lineTables = append(m.lineTables, c)
	}
	for i, leg := range m.profile.Legs {
		for _, st := range leg.Stages {
			m.stages[st.Effect] = m.walkOf(uint8(i+1), leg, st)
		}
	}
	everyone := slices.Repeat([]bool{true}, m.n)
	for i := range m.n {
		for j := range i {
			if m.equal(j, i) {
				m.equals = append(m.equals, [2]int{j, i})
			}
		}
	}
	m.stages["restoreLicenses"] = &walk{table: m.back, until: -1, groups: [][]bool{everyone}}
	return nil
}

// walkOf says what a stage asks of the environments.
func (m *model) walkOf(table uint8, leg migration.Leg, st migration.Stage) *walk {
	t := m.tables[table]
	w := &walk{table: table, leg: leg, stage: st, until: t.index(st.Until), limit: m.Plan.MaxInFlight[leg.Name], stop: st.Policy == migration.StopTheLine}
	m.rules.Concurrent = m.rules.Concurrent || min(w.limit, m.n) > 1
	first, others := make([]bool, m.n), make([]bool, m.n)
	for i, name := range m.Plan.Order {
		first[i] = w.stop && slices.Contains(m.Plan.First, name)
		others[i] = !first[i]
	}
	if slices.Contains(first, true) {
		w.groups = append(w.groups, first)
	}
	w.groups = append(w.groups, others)
	w.reached = make([][]bool, len(m.tables))
	for i := range m.tables {
		if i == 0 {
			continue
		}
		r := make([]bool, len(m.tables[i].nodes))
		behind := t.onward(st.Until)
		for s := range r {
			switch {
			case i == int(table):
				r[s] = behind[s] || t.nodes[s].Final && t.nodes[s].State != migration.RollingBack
			default:
				r[s] = i > int(table) && i < int(m.back)
			}
		}
		w.reached[i] = r
	}
	return w
}

func roleOf(r license.Role) law.Role {
	if r == license.Target {
		return law.Target
	}
	return law.Source
}

// role says whose license it is.
func (k kind) role() law.Role {
	switch k {
	case source, sourceAsIs:
		return law.Source
	case target, targetAsIs:
		return law.Target
	case third:
		return law.Third
	}
	return law.Unknown
}

// leg returns the leg whose table that is; ok is false on the way back.
func (m *model) leg(table uint8) (leg migration.Leg, ok bool) {
	if table == 0 || int(table) > len(m.profile.Legs) {
		return leg, false
	}
	return m.profile.Legs[table-1], true
}

// step tells the laws what has happened.
func (m *model) step(e law.Event) {
	m.broken |= m.monitor.Step(&m.rules, e)
	if m.seen != nil {
		m.seen(e.String())
	}
}

// say tells what happens, for people.
func (m *model) say(text string) {
	if m.out != nil {
		m.out(text)
	}
}

// script decides what is open. All scripts of a move are tried one after the
// other: next goes on to the next one.
type script struct {
	picks, widths [24]uint8
	at            int
}

func (s *script) next() bool {
	for s.at > 0 {
		s.at--
		if s.picks[s.at]+1 < s.widths[s.at] {
			s.picks[s.at]++
			clear(s.picks[s.at+1:])
			s.at = 0
			return true
		}
	}
	return false
}

// pick returns a number below n.
func (m *model) pick(n int) int {
	s := &m.script
	if s.at == len(s.picks) {
		m.wrong = "a move decides too much"
		return 0
	}
	s.widths[s.at] = uint8(n)
	p := s.picks[s.at]
	s.at++
	return int(min(p, uint8(n-1)))
}

// goesWrong returns which of n things goes wrong, from 1; 0: none does.
func (m *model) goesWrong(n int) int {
	if m.faults == 0 || n == 0 {
		return 0
	}
	p := m.pick(n + 1)
	if p > 0 {
		m.faults--
	}
	return p
}
