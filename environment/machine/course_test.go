package machine_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
)

func through(course []machine.Passage) (effects []machine.EffectName) {
	for _, p := range course {
		effects = append(effects, p.Effect.Name)
	}
	return effects
}

func TestACourseIsTheWayOnWhichAllGoesWell(t *testing.T) {
	type F struct{}
	table := machine.Table[F]{
		ID: "t", Initial: "A",
		States: []machine.Node{{State: "A", Do: "a"}, {State: "B", Do: "b"}, {State: "C", Do: "c"}, {State: "D", Final: true}, {State: "Rests"}},
		Edges: []machine.Edge{{From: "A", On: "done", To: "B"}, {From: "A", On: "failed", To: "Rests"}, {From: "B", On: "done", To: "C"},
			{From: "C", On: "done", To: "D"}, {From: "C", On: "again", To: "B"}, {From: "Rests", On: "resolved", To: "A"}},
		Effects: []machine.Effect{{Name: "a"}, {Name: "b", Mutates: true}, {Name: "c"}},
	}
	for _, c := range []struct {
		name        string
		from, until machine.State
		want        []machine.EffectName
	}{
		{"from the beginning to the end", "A", "", []machine.EffectName{"a", "b", "c"}},
		{"from a state on", "B", "", []machine.EffectName{"b", "c"}},
		{"until a state, which is left out", "A", "C", []machine.EffectName{"a", "b"}},
		{"until the state where it begins", "A", "A", nil},
		{"from a final state", "D", "", nil},
		{"from a state that rests, although an edge leaves it", "Rests", "", nil},
		{"from a state that the table does not have", "X", "", nil},
		{"until a state that is never reached", "A", "Rests", []machine.EffectName{"a", "b", "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, through(table.Course(c.from, c.until)))
		})
	}
	t.Run("each passage has its state, effect and edge", func(t *testing.T) {
		p := table.Course("A", "")[1]
		require.Equal(t, machine.Passage{Node: table.States[1], Effect: table.Effects[1], Edge: table.Edges[2]}, p)
	})
	t.Run("a way that comes back to a state ends there", func(t *testing.T) {
		round := table
		round.Edges = slices.Clone(table.Edges)
		round.Edges[3].To = "A"
		require.Equal(t, []machine.EffectName{"a", "b", "c"}, through(round.Course("A", "")))
	})
	t.Run("an inserted state is on the way", func(t *testing.T) {
		more := table.Insert(machine.Insertion[F]{After: "A", State: "New", Doc: "New.", On: "seen", Effect: machine.Effect{Name: "look"}})
		require.Equal(t, []machine.EffectName{"look", "a", "b", "c"}, through(more.Course("A", "")))
	})
}
