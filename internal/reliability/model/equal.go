package model

import "slices"

// Environments that differ in their names alone are put in order, so that of
// all states that are the same but for names one is walked through.

// equal reports whether two environments differ in their names alone.
func (m *model) equal(i, j int) bool {
	if m.pausing[i] != m.pausing[j] {
		return false
	}
	return slices.Contains(m.Plan.First, m.Plan.Order[i]) == slices.Contains(m.Plan.First, m.Plan.Order[j])
}

// sort puts equal environments in order; swapped, which may be nil, is told
// which change places.
func (m *model) sort(swapped func(i, j int)) {
	if len(m.equals) == 0 {
		return
	}
	var keys [Environments][2]uint64
	for i := range m.n {
		keys[i] = m.envs[i].key()
	}
	for _, p := range m.equals {
		i, j := p[0], p[1]
		a, b := keys[i], keys[j]
		if a[0] < b[0] || a[0] == b[0] && a[1] <= b[1] {
			continue
		}
		keys[i], keys[j] = b, a
		m.envs[i], m.envs[j] = m.envs[j], m.envs[i]
		m.monitor = m.monitor.Swapped(uint8(i), uint8(j))
		if swapped != nil {
			swapped(i, j)
		}
	}
}

// key returns all that is in e, as numbers.
func (e *env) key() [2]uint64 {
	var a, b bits
	a.add(e.table, 3)
	a.add(e.state, 8)
	a.add(uint8(e.hold), 4)
	a.add(uint8(e.fetched), 3)
	a.add(uint8(e.flaw), 2)
	a.add(e.fence, 3)
	a.add(uint8(e.shown), 3)
	a.add(uint8(e.need), 2)
	a.add(e.did, 8)
	a.add(uint8(e.phase), 2)
	a.add(uint8(e.answer), 4)
	a.add(uint8(e.got), 3)
	a.add(uint8(e.installed), 3)
	a.add(uint8(e.prior), 3)
	a.add(uint8(e.late), 3)
	a.add(uint8(e.slot), 2)
	for _, v := range [...]bool{e.inFlight, e.doubt, e.backup, e.kept, e.shownOther, e.targetSent, e.published, e.evidence, e.unaccounted,
		e.rested, e.blocked, e.holds, e.calmed, e.fresh, e.other, e.stale, e.stored, e.proven, e.seenOther, e.moved} {
		b.flag(v)
	}
	return [2]uint64{uint64(a), uint64(b)}
}
