package machine_test

import (
	"context"
	"testing"

	"github.com/qmuntal/stateless"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
)

// circle is a table of two states that an environment's facts lead round and
// round: the first way has two guards, the second none.
func circle() machine.Table[environment.Facts] {
	holds := func(environment.Facts) (bool, string) { return true, "" }
	return machine.Table[environment.Facts]{
		ID: "circle", Initial: "Open",
		States: []machine.Node{
			{State: "Open", Doc: "It is open.", Final: true},
			{State: "Closed", Doc: "It is closed."},
		},
		Edges: []machine.Edge{
			{From: "Open", On: "closed", To: "Closed", If: []machine.GuardName{"a", "b"}},
			{From: "Closed", On: "opened", To: "Open"},
		},
		Guards: []machine.Guard[environment.Facts]{
			{Name: "a", Doc: "A holds.", Holds: holds},
			{Name: "b", Doc: "B holds.", Holds: holds},
		},
	}
}

// bare is circle on stateless alone, in the cheapest way it can be had: one
// machine for one environment, which keeps state and facts where the guards
// find them.
func bare(facts environment.Facts) *stateless.StateMachine {
	sm := stateless.NewStateMachineWithMode(machine.State("Open"), stateless.FiringImmediate)
	holds := func(f environment.Facts) (bool, string) { return true, "" }
	guard := func(holds func(environment.Facts) (bool, string)) stateless.GuardFunc {
		return func(_ context.Context, _ ...any) bool { ok, _ := holds(facts); return ok }
	}
	sm.Configure(machine.State("Open")).Permit(machine.Trigger("closed"), machine.State("Closed"), guard(holds), guard(holds))
	sm.Configure(machine.State("Closed")).Permit(machine.Trigger("opened"), machine.State("Open"))
	return sm
}

// BenchmarkFire compares a transition with the same one on stateless alone.
// One operation is the way out, past two guards, and back.
func BenchmarkFire(b *testing.B) {
	b.Run("machine", func(b *testing.B) {
		m := compiled(b, circle())
		at, facts := m.Initial(), environment.Facts{}
		b.ReportAllocs()
		for b.Loop() {
			at, _ = m.Fire(at, "closed", facts)
			at, _ = m.Fire(at, "opened", facts)
		}
	})
	b.Run("stateless", func(b *testing.B) {
		sm := bare(environment.Facts{})
		b.ReportAllocs()
		for b.Loop() {
			_ = sm.Fire(machine.Trigger("closed"))
			_ = sm.Fire(machine.Trigger("opened"))
		}
	})
}

// BenchmarkRefuse measures a refusal with its reasons.
func BenchmarkRefuse(b *testing.B) {
	m := compiled(b, full())
	b.ReportAllocs()
	for b.Loop() {
		_, _ = m.Fire("Paused", "fetched", 0)
	}
}

// BenchmarkExplain measures an explanation with four ways out, all but one of
// which would be refused.
func BenchmarkExplain(b *testing.B) {
	m := compiled(b, full())
	b.ReportAllocs()
	for b.Loop() {
		_, _ = m.Explain("Paused", 0)
	}
}

// BenchmarkNeeds measures what a host asks before every effect.
func BenchmarkNeeds(b *testing.B) {
	m := compiled(b, full())
	b.ReportAllocs()
	for b.Loop() {
		_ = m.Needs("Paused", 3)
	}
}

func TestAllocations(t *testing.T) {
	m, facts := compiled(t, circle()), environment.Facts{}
	out := func() { _, _ = m.Fire("Open", "closed", facts) }
	sm := bare(facts)
	round := func() {
		_ = sm.Fire(machine.Trigger("closed"))
		_ = sm.Fire(machine.Trigger("opened"))
	}
	require.Equal(t, testing.AllocsPerRun(100, round)+1, testing.AllocsPerRun(100, out), "Fire allocates once more than stateless does")
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = m.Needs("Open", facts) }))
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = m.Node("Open") }))
}
