package model

import (
	"slices"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// bits packs values into a number, the last one lowest.
type bits uint64

func (b *bits) add(v uint8, width int) { *b = *b<<width | bits(v) }

func (b *bits) flag(v bool) {
	if v {
		*b = *b<<1 | 1
	} else {
		*b <<= 1
	}
}

// holding returns the guards of its table that hold of an environment now.
func (m *model) holding(i int) uint64 {
	e := &m.envs[i]
	var b bits
	b.add(uint8(e.fetched), 3)
	b.add(uint8(e.flaw), 2)
	b.add(e.fence, 3)
	b.add(uint8(e.shown), 3)
	b.add(uint8(e.need), 2)
	b.add(e.did, 8)
	for _, v := range [...]bool{e.backup, e.kept, e.shownOther, e.targetSent, e.published, e.evidence, e.unaccounted,
		m.line.sees, m.line.gate, m.line.latches, m.line.asked, m.line.ok} {
		b.flag(v)
	}
	b.add(m.line.fence, 3)
	b.add(m.census, 3)
	return m.tables[e.table].holding(uint64(b), func() environment.Facts { return m.facts(i) })
}

// Names that stand for files, servers and words in the facts.
const (
	server, elsewhere = license.SerialNumber("this"), license.SerialNumber("another")
	backedUp, file    = license.Digest("backup"), license.Digest("file")
)

// ipp returns the word of a kind of license in a leg.
func (m *model) ipp(k kind) license.IPP {
	role := k.role()
	for _, leg := range m.profile.Legs {
		accept := m.Plan.Accept[leg.Name]
		if roleOf(leg.Role) != role || len(accept) == 0 {
			continue
		}
		if k == source || k == target {
			return accept[0]
		}
		for _, word := range []license.IPP{license.Unprotected, license.Protected, license.Ignore} {
			if !slices.Contains(accept, word) {
				return word
			}
		}
		return "Unheard"
	}
	return license.Ignore
}

func (m *model) role(k kind) license.Role {
	switch k {
	case source, sourceAsIs:
		return license.Source
	case target, targetAsIs:
		return license.Target
	case third:
		return license.Other
	}
	return ""
}

// facts unpacks what a guard is asked about.
func (m *model) facts(i int) environment.Facts {
	e := &m.envs[i]
	f := environment.Facts{TargetSent: e.targetSent, Line: m.lineFacts(environment.Census{Total: m.n, BackedUp: int(m.census)})}
	if e.shown != nothing {
		f.Reading = environment.Reading{Role: m.role(e.shown), Code: "code", Server: server, Serial: server, IPP: m.ipp(e.shown), Type: "Production", At: time.Unix(0, 0)}
		if e.shownOther {
			f.Reading.Server = elsewhere
		}
	}
	if e.fetched != nothing {
		f.Fetched = environment.Fetched{Digest: file, Role: m.role(e.fetched), Serial: server, Type: "Production", IPP: m.ipp(e.fetched), Fence: int(e.fence)}
		switch e.flaw {
		case otherServer:
			f.Fetched.Serial = elsewhere
		case otherCode:
			f.Fetched.Role = license.Other
		case expired:
			f.Fetched.Expired, f.Fetched.Ends = true, time.Unix(0, 0)
		}
	}
	copies := max(m.Plan.MinCopies, 1)
	if e.backup {
		f.Backups = append(f.Backups, environment.Backup{Digest: backedUp, Role: license.Source, Serial: server, Origin: environment.OriginPortal, Copies: copies, Proven: true, Accepted: true})
	}
	if e.kept {
		f.Backups = append(f.Backups, environment.Backup{Digest: file, Role: f.Fetched.Role, Serial: server, Origin: environment.OriginPortal, Copies: copies, Proven: true})
	}
	if e.published {
		f.Publication = environment.Publication{Module: m.Plan.Module, Before: "1", After: "1"}
	}
	if e.need != noNeed {
		f.Need = environment.Need{Condition: "needed"}
	}
	if e.evidence {
		f.Need.Evidence = "done"
	}
	if e.unaccounted {
		f.SetNote("unaccounted", "upload")
	}
	for _, effect := range m.tables[e.table].effects {
		if after := m.After[effect.Name]; !effect.known && after != nil && e.did&(1<<effect.bit) != 0 {
			after(&f)
		}
	}
	return f
}

func (m *model) lineFacts(c environment.Census) environment.Line {
	l := environment.Line{Pause: environment.Pause{Seen: m.line.sees}, Gate: environment.Approval{Given: m.line.gate}, Fence: int(m.line.fence),
		Override: environment.Approval{Given: m.line.ok}, Census: c}
	if m.line.latches {
		l.Latch.Condition = "stopped"
	}
	if m.line.asked {
		l.Case = "case"
	}
	return l
}

// lineHolding returns the guards of the infrastructure's table that hold.
func (m *model) lineHolding(c environment.Census) uint64 {
	var b bits
	for _, v := range [...]bool{m.line.sees, m.line.gate, m.line.latches, m.line.asked, m.line.ok} {
		b.flag(v)
	}
	for _, v := range [...]int{int(m.line.fence), c.Reached, c.BackedUp, c.ShowSource, c.ShowTarget, c.NeedSupport, c.Held, c.Untested} {
		b.add(uint8(v), 3)
	}
	return m.lineTables[m.line.table].holding(uint64(b), func() environment.Line { return m.lineFacts(c) })
}

// takeCensus counts the environments; reached, which may be nil, says which
// states count, by table.
func (m *model) takeCensus(reached [][]bool) environment.Census {
	c := environment.Census{Total: m.n}
	for i := range m.n {
		e := &m.envs[i]
		if e.table == 0 {
			continue
		}
		if e.backup && e.shown != nothing && !e.shownOther {
			c.BackedUp++
		}
		switch {
		case e.shownOther:
		case e.shown.role() == law.Source:
			c.ShowSource++
		case e.shown.role() == law.Target:
			c.ShowTarget++
		}
		back := m.line.table == 2 && e.table == m.back
		switch at := m.at(i); {
		case back && at == rollback.RolledBack:
			c.Reached++
		case back && at == rollback.RestoredNotTested:
			c.Untested++
		case e.hold != free:
			c.Held++
		case at == migration.NeedsSupport:
			c.NeedSupport++
		case reached != nil && reached[e.table][e.state]:
			c.Reached++
		}
	}
	return c
}

// at returns the state of an environment, by name.
func (m *model) at(i int) machine.State {
	e := &m.envs[i]
	if e.table == 0 {
		return ""
	}
	return m.tables[e.table].nodes[e.state].State
}

// lineAt returns the state of the infrastructure, by name.
func (m *model) lineAt() machine.State {
	if m.line.table == 0 {
		return ""
	}
	return m.lineTables[m.line.table].nodes[m.line.state].State
}
