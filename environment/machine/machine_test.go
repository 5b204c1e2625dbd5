package machine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
)

func compiled[F any](t testing.TB, table machine.Table[F]) *machine.Machine[F] {
	t.Helper()
	m, err := machine.New(table)
	require.NoError(t, err)
	return m
}

// agree compares what the machine does with what the table says, for one cell
// and one vector.
func agree(table machine.Table[vector], m *machine.Machine[vector], at machine.State, on machine.Trigger, v vector) error {
	want, unmet, known := step(table, at, on, v)
	got, err := m.Fire(at, on, v)
	var refused *machine.RefusedError
	var reasons []machine.GuardName
	if errors.As(err, &refused) {
		for _, r := range refused.Reasons {
			reasons = append(reasons, r.Guard)
		}
	}
	where := fmt.Sprintf("%s on %q with %b", at, on, v)
	switch {
	case !known:
		if refused == nil || len(reasons) > 0 {
			return fmt.Errorf("%s: got %q and %v, but the state does not know the trigger", where, got, err)
		}
	case len(unmet) > 0:
		if got != "" || !reflect.DeepEqual(reasons, unmet) {
			return fmt.Errorf("%s: got %q and the reasons %v, want %v", where, got, reasons, unmet)
		}
	case err != nil || got != want:
		return fmt.Errorf("%s: got %q and %v, want %q", where, got, err, want)
	}
	if refused != nil && (refused.Table != table.ID || refused.State != at || refused.Trigger != on) {
		return fmt.Errorf("%s: the refusal is of %q, %s, %q", where, refused.Table, refused.State, refused.Trigger)
	}
	return nil
}

// sweep fires every trigger in every state with every vector.
func sweep(t *testing.T, table machine.Table[vector]) (cells int) {
	t.Helper()
	m := compiled(t, table)
	for _, n := range table.States {
		for _, on := range triggers(table) {
			for v := range vector(1 << bits) {
				require.NoError(t, agree(table, m, n.State, on, v))
				cells++
			}
		}
	}
	return cells
}

func TestMachineAndTableAgree(t *testing.T) {
	t.Run("in every cell of a table that uses every feature", func(t *testing.T) {
		require.Equal(t, 6*10*64, sweep(t, full()))
	})
	t.Run("in every cell of random tables", func(t *testing.T) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		var own, self, anywhere, guarded int
		for range 400 {
			table := random(r)
			sweep(t, table)
			anywhere += len(table.Anywhere)
			guarded += len(table.Guards)
			for _, e := range table.Edges {
				own++
				if e.From == e.To {
					self++
				}
			}
		}
		require.True(t, own > 0 && self > 0 && anywhere > 0 && guarded > 0,
			"the tables are too plain: %d edges, %d to the same state, %d from anywhere, %d guards", own, self, anywhere, guarded)
	})
}

func TestNewRefusesAnInvalidTable(t *testing.T) {
	table := full()
	table.Initial = "Elsewhere"
	m, err := machine.New(table)
	require.Nil(t, m)
	require.EqualError(t, err, table.Validate().Error())
}

func TestMachineIsNotChangedThroughItsTable(t *testing.T) {
	table := full()
	m := compiled(t, table)
	want := m.Table().Hash()
	spoil := func(t machine.Table[vector]) {
		t.States[0].Needs[0], t.Edges[0].If[0], t.Anywhere[0].Except[0] = "x", "x", "x"
		t.Effects[0].Catch[0].Trigger, t.Effects[0].Retry.On[0] = "x", "x"
		t.States[0].Do, t.Edges[0].To, t.Anywhere[0].To, t.Guards[0].Name, t.Effects[0].Once = "x", "x", "x", "x", true
	}
	spoil(table)
	require.Equal(t, want, m.Table().Hash(), "by the table that it was made from")
	spoil(m.Table())
	require.Equal(t, want, m.Table().Hash(), "by the table that it hands out")
	n, _ := m.Node("Paused")
	require.Equal(t, full().States[0], n)
}

func TestMachineSaysWhatTheTableSays(t *testing.T) {
	table := full()
	m := compiled(t, table)
	require.Equal(t, table.Initial, m.Initial())
	for _, want := range table.States {
		n, ok := m.Node(want.State)
		require.True(t, ok)
		require.Equal(t, want, n)
	}
	for _, want := range table.Effects {
		e, ok := m.Effect(want.Name)
		require.True(t, ok)
		require.Equal(t, want, e)
	}
	n, ok := m.Node("Elsewhere")
	require.False(t, ok)
	require.Zero(t, n)
	e, ok := m.Effect("nothing")
	require.False(t, ok)
	require.Zero(t, e)
}

func TestUnknownState(t *testing.T) {
	m := compiled(t, full())
	for _, s := range []machine.State{"", "paused", "Elsewhere", "Paused "} {
		to, err := m.Fire(s, "fetched", 63)
		require.ErrorIs(t, err, machine.ErrUnknownState)
		require.EqualError(t, err, fmt.Sprintf("test/full: state %q: the table has no such state", s))
		require.Empty(t, to)
		ex, err := m.Explain(s, 63)
		require.ErrorIs(t, err, machine.ErrUnknownState)
		require.Zero(t, ex)
		require.Equal(t, []machine.Reason{{Guard: "stateKnown", Doc: "the table has this state", Evidence: fmt.Sprintf("%q", s)}},
			m.Needs(s, 63), "nothing may be issued in a state that is not known")
	}
	var zero machine.Machine[vector]
	_, err := zero.Fire("Paused", "fetched", 0)
	require.ErrorIs(t, err, machine.ErrUnknownState)
}

func TestRefusedErrorSaysWhyOnOneLine(t *testing.T) {
	m := compiled(t, full())
	fire := func(at machine.State, on machine.Trigger, v vector) error { _, err := m.Fire(at, on, v); return err }

	t.Run("with every reason, in the order of the edge", func(t *testing.T) {
		require.EqualError(t, fire("Paused", "fetched", 0b0100),
			`test/full: Paused refuses "fetched": g0 (Bit 0 is set): the vector is 100; g3 (Bit 3 is set): the vector is 100`)
	})
	t.Run("without reasons when the trigger is not known", func(t *testing.T) {
		require.EqualError(t, fire("Paused", "verified", 63), `test/full: state Paused does not know the trigger "verified"`)
		require.EqualError(t, fire("Paused", "x\x1b[2J\u202e", 63), `test/full: state Paused does not know the trigger "x\x1b[2J\u202e"`)
	})
	t.Run("a reason without evidence ends with the guard", func(t *testing.T) {
		require.Equal(t, "g0 (Bit 0 is set)", machine.Reason{Guard: "g0", Doc: "Bit 0 is set."}.String())
	})
}

// one is a table with one guard, which decides over int.
func one(holds func(int) (bool, string)) machine.Table[int] {
	return machine.Table[int]{
		ID: "test/one", Initial: "Open",
		States: []machine.Node{
			{State: "Open", Doc: "It is open.", Do: "close", Needs: []machine.GuardName{"positive"}},
			{State: "Closed", Doc: "It is closed.", Final: true},
		},
		Edges: []machine.Edge{
			{From: "Open", On: "closed", To: "Closed", If: []machine.GuardName{"positive"}},
			{From: "Open", On: "slammed", To: "Closed"},
		},
		Guards:  []machine.Guard[int]{{Name: "positive", Doc: "The number is positive.", Holds: holds}},
		Effects: []machine.Effect{{Name: "close", Doc: "Closes it."}},
	}
}

func TestGuardThatPanicsDoesNotHold(t *testing.T) {
	m := compiled(t, one(func(n int) (bool, string) {
		if n == 0 {
			panic(errors.New("zero\nis not a number"))
		}
		return []bool{true}[n-1], ""
	}))
	for n, evidence := range map[int]string{
		0: `the guard panicked: zero\u000ais not a number`,
		2: `the guard panicked: runtime error: index out of range [1] with length 1`,
	} {
		want := []machine.Reason{{Guard: "positive", Doc: "The number is positive.", Evidence: evidence}}
		_, err := m.Fire("Open", "closed", n)
		var refused *machine.RefusedError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, want, refused.Reasons)
		require.Equal(t, want, m.Needs("Open", n))
		ex, err := m.Explain("Open", n)
		require.NoError(t, err)
		require.Equal(t, want, ex.Needs)
		require.Equal(t, []machine.Way{{On: "closed", To: "Closed", Refused: want}, {On: "slammed", To: "Closed"}}, ex.Ways)
	}
	to, err := m.Fire("Open", "closed", 1)
	require.NoError(t, err, "the machine still works")
	require.Equal(t, machine.State("Closed"), to)
}

func TestEvidenceIsSafeToPrint(t *testing.T) {
	m := compiled(t, one(func(int) (bool, string) { return false, "\x1b[2Jhere\u202eereht" }))
	want := `\u001b[2Jhere\u202eereht`
	_, err := m.Fire("Open", "closed", 0)
	require.EqualError(t, err, `test/one: Open refuses "closed": positive (The number is positive): `+want)
	require.Equal(t, want, m.Needs("Open", 0)[0].Evidence)
	ex, err := m.Explain("Open", 0)
	require.NoError(t, err)
	require.Equal(t, want, ex.Ways[0].Refused[0].Evidence)
}

func TestEveryGuardOfTheEdgeIsAskedOnce(t *testing.T) {
	for _, holds := range []bool{true, false} {
		asked := 0
		m := compiled(t, one(func(int) (bool, string) { asked++; return holds, "" }))
		for i, on := range []machine.Trigger{"closed", "slammed", "nonsense"} {
			_, err := m.Fire("Open", on, 0)
			require.Equal(t, i == 2 || i == 0 && !holds, err != nil)
			require.Equal(t, 1, asked, "only the edge that is fired asks its guards")
		}
	}
}

func TestNeeds(t *testing.T) {
	table := full()
	m := compiled(t, table)
	for _, n := range table.States {
		for v := range vector(1 << bits) {
			var want []machine.Reason
			for _, name := range n.Needs {
				for _, g := range table.Guards {
					if ok, evidence := g.Holds(v); g.Name == name && !ok {
						want = append(want, machine.Reason{Guard: g.Name, Doc: g.Doc, Evidence: evidence})
					}
				}
			}
			require.Equal(t, want, m.Needs(n.State, v), "%s with %b", n.State, v)
		}
	}
}

func TestExplain(t *testing.T) {
	table := full()
	m := compiled(t, table)
	reason := func(g string, v vector) machine.Reason {
		return machine.Reason{Guard: machine.GuardName(g), Doc: fmt.Sprintf("Bit %s is set.", g[1:]), Evidence: fmt.Sprintf("the vector is %b", v)}
	}

	t.Run("says everything about a state, in the order of the table, every time", func(t *testing.T) {
		want := machine.Explanation{
			State: "Paused", Doc: "Deployments are paused.", Effect: "fetch", Needs: []machine.Reason{reason("g1", 1)},
			Ways: []machine.Way{
				{On: "fetched", To: "Fetched", Refused: []machine.Reason{reason("g2", 1), reason("g3", 1)}},
				{On: "notFound", To: "NeedsSupport"},
				{On: "stopped", To: "RollingBack", Refused: []machine.Reason{reason("g1", 1), reason("g3", 1)}},
				{On: "refused", To: "NeedsSupport"},
			},
		}
		for range 200 {
			ex, err := m.Explain("Paused", 1)
			require.NoError(t, err)
			require.Equal(t, want, ex)
		}
	})
	t.Run("leaves out what does not apply", func(t *testing.T) {
		ex, err := m.Explain("RollingBack", 0)
		require.NoError(t, err)
		b, err := json.Marshal(ex)
		require.NoError(t, err)
		require.JSONEq(t, `{"state": "RollingBack", "doc": "It goes back.", "final": true}`, string(b))
	})
	t.Run("agrees with Fire in every state for every vector", func(t *testing.T) {
		for _, n := range table.States {
			for v := range vector(1 << bits) {
				ex, err := m.Explain(n.State, v)
				require.NoError(t, err)
				require.Equal(t, m.Needs(n.State, v), ex.Needs)
				ways := map[machine.Trigger]machine.Way{}
				for _, w := range ex.Ways {
					ways[w.On] = w
				}
				require.Len(t, ways, len(ex.Ways))
				for _, on := range triggers(table) {
					to, err := m.Fire(n.State, on, v)
					way, known := ways[on]
					var refused *machine.RefusedError
					switch {
					case err == nil:
						require.Equal(t, machine.Way{On: on, To: to}, way)
					case errors.As(err, &refused):
						require.Equal(t, refused.Reasons, way.Refused)
						require.Equal(t, known, len(refused.Reasons) > 0)
					default:
						require.NoError(t, err)
					}
				}
			}
		}
	})
}

// What follows was measured to go wrong with a stateless machine that is used
// in its usual way: shared, queued, with work in its callbacks.

func TestFireFromManyGoroutines(t *testing.T) {
	table := full()
	m := compiled(t, table)
	on := triggers(table)
	errs := make(chan error, 8)
	for i := range cap(errs) {
		go func() {
			r := rand.New(rand.NewPCG(uint64(i), 0))
			for range 5000 {
				at, v := table.States[r.IntN(len(table.States))].State, vector(r.UintN(1<<bits))
				if err := agree(table, m, at, on[r.IntN(len(on))], v); err != nil {
					errs <- err
					return
				}
				if _, err := m.Explain(at, v); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
}

func TestFireWhileAnotherFireIsUnderWay(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	m := compiled(t, one(func(n int) (bool, string) {
		if n == 1 {
			close(asked)
			<-answer
		}
		return n > 0, "it is not"
	}))
	var wg sync.WaitGroup
	wg.Go(func() {
		to, err := m.Fire("Open", "closed", 1)
		if to != "Closed" || err != nil {
			t.Errorf("the first fire got %q and %v: it did not go its own way", to, err)
		}
	})
	<-asked
	_, err := m.Fire("Open", "nonsense", 2)
	require.EqualError(t, err, `test/one: state Open does not know the trigger "nonsense"`, "the error reaches who caused it")
	_, err = m.Fire("Open", "closed", 0)
	require.EqualError(t, err, `test/one: Open refuses "closed": positive (The number is positive): it is not`)
	to, err := m.Fire("Open", "closed", 2)
	require.NoError(t, err)
	require.Equal(t, machine.State("Closed"), to)
	close(answer)
	wg.Wait()
}

func TestGuardThatFires(t *testing.T) {
	var m *machine.Machine[int]
	m = compiled(t, one(func(n int) (bool, string) {
		to, err := m.Fire("Open", "slammed", n)
		return n > 0, fmt.Sprint(to, err)
	}))
	_, err := m.Fire("Open", "closed", 0)
	require.EqualError(t, err, `test/one: Open refuses "closed": positive (The number is positive): Closed<nil>`, "nothing deadlocks, nothing is mixed up")
}

func TestNothingIsLeftBehindForTheNextFire(t *testing.T) {
	table := full()
	m := compiled(t, table)
	for _, n := range table.States {
		for _, on := range triggers(table) {
			for v := range vector(16) {
				_, _ = m.Fire(n.State, on, v) // whatever comes of it
				require.NoError(t, agree(table, m, "Uploaded", "verified", v))
			}
		}
	}
}
