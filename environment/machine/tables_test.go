package machine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/changeover-go/changeover/environment/machine"
)

// vector is the facts of the tables in these tests: bit i says whether the
// i-th guard of the table holds.
type vector uint

// guards returns n guards g0, g1, … over the bits of a vector.
func guards(n int) []machine.Guard[vector] {
	out := make([]machine.Guard[vector], n)
	for i := range out {
		out[i] = machine.Guard[vector]{
			Name: machine.GuardName(fmt.Sprintf("g%d", i)),
			Doc:  fmt.Sprintf("Bit %d is set.", i),
			Holds: func(v vector) (bool, string) {
				return v>>i&1 == 1, fmt.Sprintf("the vector is %b", v)
			},
		}
	}
	return out
}

// full is a table that uses every feature.
func full() machine.Table[vector] {
	return machine.Table[vector]{
		ID:      "test/full",
		Initial: "Paused",
		States: []machine.Node{
			{State: "Paused", Doc: "Deployments are paused.", Do: "fetch", Needs: []machine.GuardName{"g0", "g1"}},
			{State: "Fetched", Doc: "The file is here.", Do: "upload", Needs: []machine.GuardName{"g2"}},
			{State: "Uploaded", Doc: "The license is installed."},
			{State: "Moved", Doc: "All is done.", Final: true},
			{State: "NeedsSupport", Doc: "A person must act."},
			{State: "RollingBack", Doc: "It goes back.", Final: true},
		},
		Edges: []machine.Edge{
			{From: "Paused", On: "fetched", To: "Fetched", If: []machine.GuardName{"g0", "g2", "g3"}},
			{From: "Paused", On: "notFound", To: "NeedsSupport"},
			{From: "Fetched", On: "uploaded", To: "Uploaded", If: []machine.GuardName{"g1"}},
			{From: "Fetched", On: "fetched", To: "Fetched", If: []machine.GuardName{"g3"}},
			{From: "Uploaded", On: "verified", To: "Moved"},
			{From: "Uploaded", On: "seen", To: "Uploaded"},
			{From: "NeedsSupport", On: "resolved", To: "Paused", If: []machine.GuardName{"g2"}},
			{From: "NeedsSupport", On: "stopped", To: "NeedsSupport"},
		},
		Anywhere: []machine.Edge{
			{On: "stopped", To: "RollingBack", If: []machine.GuardName{"g1", "g3"}, Except: []machine.State{"Moved", "NeedsSupport"}},
			{On: "refused", To: "NeedsSupport", Except: []machine.State{"RollingBack"}},
		},
		Guards: guards(4),
		Effects: []machine.Effect{
			{
				Name: "fetch", Doc: "Fetches the file.", Timeout: time.Minute,
				Retry: machine.Retry{On: []string{"busy", "notReached"}, Attempts: 3, First: time.Second, Max: time.Minute},
				Catch: []machine.Catch{{Condition: "serialNotFound", Trigger: "notFound"}, {Condition: "rejected", Trigger: "refused"}},
			},
			{
				Name: "upload", Doc: "Uploads the file.", Mutates: true, Once: true,
				Settle: machine.Settle{Window: time.Second, Reads: 2, Every: time.Second, Limit: 5},
			},
		},
	}
}

// random returns a valid table made from r.
func random(r *rand.Rand) machine.Table[vector] {
	states, triggers, bits := 1+r.IntN(7), 1+r.IntN(5), r.IntN(6)
	state := func(i int) machine.State { return machine.State(fmt.Sprintf("S%d", i)) }
	trigger := func(i int) machine.Trigger { return machine.Trigger(fmt.Sprintf("t%d", i)) }
	used := map[machine.GuardName]bool{}
	some := func() (names []machine.GuardName) {
		for _, g := range guards(bits) {
			if r.IntN(3) == 0 {
				names, used[g.Name] = append(names, g.Name), true
			}
		}
		return names
	}
	t := machine.Table[vector]{ID: "test/random", Initial: state(0)}
	taken := map[string]bool{}
	leads := map[machine.State]bool{}
	edge := func(from, to machine.State) bool {
		for _, i := range r.Perm(triggers) {
			if cell := fmt.Sprint(from, i); !taken[cell] {
				taken[cell], leads[from] = true, leads[from] || from != to
				t.Edges = append(t.Edges, machine.Edge{From: from, On: trigger(i), To: to, If: some()})
				return true
			}
		}
		return false
	}
	// Every state is reached from an earlier one, or else left out; what leads
	// nowhere is an end. So every table is valid.
	all := []machine.State{state(0)}
	for i := 1; i < states; i++ {
		if edge(all[r.IntN(len(all))], state(i)) {
			all = append(all, state(i))
		}
	}
	for range r.IntN(2 * states) {
		from := all[r.IntN(len(all))]
		if leads[from] || r.IntN(2) == 0 {
			edge(from, all[r.IntN(len(all))])
		}
	}
	ends := map[machine.State]bool{}
	for grown := true; grown; {
		grown = false
		for _, e := range t.Edges {
			if (e.To != e.From && ends[e.To] || !leads[e.To]) && !ends[e.From] {
				ends[e.From], grown = true, true
			}
		}
	}
	for i, s := range all {
		n := machine.Node{State: s, Doc: "A state.", Final: !leads[s] || !ends[s] || r.IntN(6) == 0}
		if !n.Final && r.IntN(2) == 0 {
			n.Do, n.Needs = machine.EffectName(fmt.Sprintf("e%d", i)), some()
			t.Effects = append(t.Effects, machine.Effect{Name: n.Do, Doc: "An effect."})
		}
		t.States = append(t.States, n)
	}
	for i := range triggers {
		if r.IntN(3) > 0 {
			continue
		}
		e := machine.Edge{On: trigger(i), To: all[r.IntN(len(all))], If: some()}
		for _, s := range all {
			if taken[fmt.Sprint(s, i)] || r.IntN(4) == 0 {
				e.Except = append(e.Except, s)
			}
		}
		t.Anywhere = append(t.Anywhere, e)
	}
	t.Guards = slices.DeleteFunc(guards(bits), func(g machine.Guard[vector]) bool { return !used[g.Name] })
	return t
}

// step is the second opinion: it reads the table, and nothing else, the way a
// person would. ok is false when the state does not know the trigger.
func step(t machine.Table[vector], at machine.State, on machine.Trigger, v vector) (to machine.State, unmet []machine.GuardName, ok bool) {
	take := func(e machine.Edge) {
		to, ok = e.To, true
		for _, name := range e.If {
			var bit int
			fmt.Sscanf(string(name), "g%d", &bit)
			if v&(1<<bit) == 0 {
				unmet = append(unmet, name)
			}
		}
	}
	for _, e := range t.Edges {
		if e.From == at && e.On == on {
			take(e)
		}
	}
	for _, e := range t.Anywhere {
		if e.On == on && at != e.To && !slices.Contains(e.Except, at) {
			take(e)
		}
	}
	return to, unmet, ok
}

// triggers returns every trigger of the table, one that it does not have, and
// none.
func triggers(t machine.Table[vector]) []machine.Trigger {
	out := []machine.Trigger{"nonsense", ""}
	for _, e := range slices.Concat(t.Edges, t.Anywhere) {
		if !slices.Contains(out, e.On) {
			out = append(out, e.On)
		}
	}
	return out
}

// bits is how many bits a vector of the table has.
const bits = 6
