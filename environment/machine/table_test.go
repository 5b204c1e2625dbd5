package machine_test

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
)

// announced is what is inserted in these tests.
func announced(after machine.State) machine.Insertion[vector] {
	return machine.Insertion[vector]{
		After: after, State: "Announced", Doc: "Everybody knows.",
		Effect: machine.Effect{Name: "announce", Doc: "Tells everybody.", Catch: []machine.Catch{{Condition: "nobodyListens", Trigger: "ignored"}}},
		Needs:  []machine.GuardName{"g1"},
		On:     "announced", If: []machine.GuardName{"g4"},
		Edges:  []machine.Edge{{On: "ignored", To: "NeedsSupport"}},
		Guards: []machine.Guard[vector]{guards(5)[4]},
	}
}

func out(t machine.Table[vector], from machine.State) (edges []machine.Edge) {
	for _, e := range t.Edges {
		if e.From == from {
			edges = append(edges, e)
		}
	}
	return edges
}

func node(t machine.Table[vector], s machine.State) machine.Node {
	return t.States[slices.IndexFunc(t.States, func(n machine.Node) bool { return n.State == s })]
}

func TestInsert(t *testing.T) {
	t.Run("behind any state leaves a table that is valid, works and has another hash", func(t *testing.T) {
		for _, n := range full().States {
			before := full()
			after := before.Insert(announced(n.State))
			require.NoError(t, after.Validate(), n.State)
			require.Equal(t, full().Hash(), before.Hash(), "the original is as it was")
			require.NotEqual(t, before.Hash(), after.Hash())
			require.Equal(t, machine.Node{State: n.State, Doc: n.Doc, Do: "announce", Needs: []machine.GuardName{"g1"}}, node(after, n.State))
			require.Equal(t, machine.Node{State: "Announced", Doc: "Everybody knows.", Do: n.Do, Needs: n.Needs, Final: n.Final}, node(after, "Announced"))
			at := slices.IndexFunc(after.States, func(m machine.Node) bool { return m.State == n.State })
			require.Equal(t, machine.State("Announced"), after.States[at+1].State, "it stands behind it")
			require.Equal(t, []machine.Edge{
				{From: n.State, On: "announced", To: "Announced", If: []machine.GuardName{"g4"}},
				{From: n.State, On: "ignored", To: "NeedsSupport"},
			}, out(after, n.State))
			want := out(before, n.State)
			for i := range want {
				want[i].From = "Announced"
				if want[i].To == n.State {
					want[i].To = "Announced" // what stays in the state does not ask for the new effect again
				}
			}
			require.Equal(t, want, out(after, "Announced"))
			for _, e := range before.Anywhere {
				_, _, left := step(before, n.State, e.On, 63)
				_, _, leaves := step(after, "Announced", e.On, 63)
				_, _, still := step(after, n.State, e.On, 63)
				own := slices.ContainsFunc(out(before, n.State), func(o machine.Edge) bool { return o.On == e.On })
				require.Equal(t, left, leaves, "%q leaves Announced only if it left %s", e.On, n.State)
				require.Equal(t, left && !own, still, "%q leaves %s as before", e.On, n.State)
			}
			sweep(t, after)
		}
	})
	t.Run("keeps the order in which edges are read", func(t *testing.T) {
		after := full().Insert(announced("Fetched"))
		var order []machine.Trigger
		for _, e := range after.Edges[:6] {
			order = append(order, e.On)
		}
		require.Equal(t, []machine.Trigger{"fetched", "notFound", "announced", "ignored", "uploaded", "fetched"}, order)
	})
	t.Run("twice puts one behind the other", func(t *testing.T) {
		second := announced("Announced")
		second.State, second.Effect.Name, second.Guards = "Heard", "listen", nil
		after := full().Insert(announced("Fetched")).Insert(second)
		require.NoError(t, after.Validate())
		require.Equal(t, machine.EffectName("upload"), node(after, "Heard").Do)
		require.Equal(t, machine.EffectName("listen"), node(after, "Announced").Do)
	})
	t.Run("shares nothing with what it was given", func(t *testing.T) {
		ins := announced("Fetched")
		after := full().Insert(ins)
		hash := after.Hash()
		ins.Needs[0], ins.If[0], ins.Edges[0].To = "x", "x", "x"
		require.Equal(t, hash, after.Hash())
	})
	t.Run("mistakes are reported with the others", func(t *testing.T) {
		nowhere := announced("Elsewhere")
		stray := announced("Fetched")
		stray.Edges[0].From = "Paused"
		known := announced("Fetched")
		known.State = "Moved"
		require.Equal(t, []string{`insert "Announced" after "Elsewhere": there is no such state`}, mistakes(t, full().Insert(nowhere)))
		require.Equal(t, []string{`insert "Announced" after "Fetched": the edge "ignored" leaves "Paused"`}, mistakes(t, full().Insert(stray)))
		require.Contains(t, mistakes(t, full().Insert(known)), `state "Moved" is defined twice`)
	})
}

func TestRequire(t *testing.T) {
	before := full()
	after := before.Require("Fetched", guards(5)[4]).Require("Paused", machine.Guard[vector]{Name: "g4"}).Require("Paused", machine.Guard[vector]{Name: "g2"})
	require.NoError(t, after.Validate())
	require.Equal(t, full().Hash(), before.Hash(), "the original is as it was")
	require.NotEqual(t, before.Hash(), after.Hash())
	require.Equal(t, []machine.GuardName{"g2", "g4"}, node(after, "Fetched").Needs)
	require.Equal(t, []machine.GuardName{"g0", "g1", "g4", "g2"}, node(after, "Paused").Needs)
	require.Len(t, compiled(t, after).Needs("Fetched", 0b1111), 1)
	require.Empty(t, compiled(t, after).Needs("Fetched", 0b11111))

	require.Equal(t, []string{`require "g4" in "Elsewhere": there is no such state`}, mistakes(t, before.Require("Elsewhere", guards(5)[4])))
	require.Equal(t, []string{`guard "g4" is not documented`, `guard "g4" decides nothing: Holds is nil`},
		mistakes(t, before.Require("Fetched", machine.Guard[vector]{Name: "g4"})))
	require.Equal(t, []string{`guard "g3" is defined twice`}, mistakes(t, before.Require("Fetched", guards(4)[3])))
	require.Equal(t, []string{`state "Uploaded" needs guards but asks for no effect`}, mistakes(t, before.Require("Uploaded", guards(5)[4])))
}

func TestGuard(t *testing.T) {
	before := full()
	after := before.Guard("Uploaded", "verified", guards(5)[4]).Guard("", "refused", machine.Guard[vector]{Name: "g4"})
	require.NoError(t, after.Validate())
	require.Equal(t, full().Hash(), before.Hash(), "the original is as it was")
	require.NotEqual(t, before.Hash(), after.Hash())
	m := compiled(t, after)
	for _, on := range []machine.Trigger{"verified", "refused"} {
		_, err := m.Fire("Uploaded", on, 0b1111)
		require.EqualError(t, err, `test/full: Uploaded refuses "`+string(on)+`": g4 (Bit 4 is set): the vector is 1111`)
	}
	_, err := m.Fire("Uploaded", "verified", 0b10000)
	require.NoError(t, err)

	require.Equal(t, []string{`guard "g4" on "verified" from "Paused": there is no such edge`}, mistakes(t, before.Guard("Paused", "verified", guards(5)[4])))
	require.Equal(t, []string{`guard "g4" on "verified" from "": there is no such edge`}, mistakes(t, before.Guard("", "verified", guards(5)[4])))
	require.Equal(t, []string{`guard "g4" on "stopped" from "Paused": there is no such edge`}, mistakes(t, before.Guard("Paused", "stopped", guards(5)[4])))
}

func TestReplace(t *testing.T) {
	before := full()
	slow := before.Effects[1]
	slow.Timeout = time.Hour
	after := before.Replace(slow)
	require.NoError(t, after.Validate())
	require.Zero(t, before.Effects[1].Timeout, "the original is as it was")
	require.Equal(t, before.Hash(), after.Hash(), "timing is not part of the definition")
	e, _ := compiled(t, after).Effect("upload")
	require.Equal(t, slow, e)

	slow.Once = false
	require.NotEqual(t, before.Hash(), before.Replace(slow).Hash())
	slow.Name = "nothing"
	require.Equal(t, []string{`replace effect "nothing": there is no such effect`}, mistakes(t, before.Replace(slow)))
}

func TestMistakesOfExtensionsAddUp(t *testing.T) {
	table := full().Replace(machine.Effect{Name: "x"}).Guard("x", "y", guards(1)[0]).Require("x", guards(1)[0]).Insert(announced("x"))
	require.Equal(t, []string{
		`replace effect "x": there is no such effect`,
		`guard "g0" on "y" from "x": there is no such edge`,
		`require "g0" in "x": there is no such state`,
		`insert "Announced" after "x": there is no such state`,
	}, mistakes(t, table))
	_, err := machine.New(table)
	require.Error(t, err)
}

// TestHash changes everything in a table, one thing at a time.
func TestHash(t *testing.T) {
	reference := full().Hash()
	require.Regexp(t, "^[0-9a-f]{64}$", reference)
	tuning := regexp.MustCompile(`^(States\.Doc|Guards\.(Doc|Holds)|Effects\.(Doc|Timeout|Settle.*|Retry\.(Attempts|First|Max)))$`)
	tried, ignored := 0, 0
	check := func(path string, table machine.Table[vector]) {
		tried++
		if tuning.MatchString(path) {
			ignored++
			require.Equal(t, reference, table.Hash(), "%s is not part of the definition", path)
		} else {
			require.NotEqual(t, reference, table.Hash(), "%s is part of the definition", path)
		}
	}
	// Each place is a way to get at one value inside a fresh table.
	var visit func(path string, place func(*machine.Table[vector]) reflect.Value)
	visit = func(path string, place func(*machine.Table[vector]) reflect.Value) {
		table := full()
		v := place(&table)
		switch v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
			check(path, table)
		case reflect.Bool:
			v.SetBool(!v.Bool())
			check(path, table)
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
			check(path, table)
		case reflect.Func:
			v.SetZero()
			check(path, table)
		case reflect.Slice:
			for i := range v.Len() {
				visit(path, func(t *machine.Table[vector]) reflect.Value { return place(t).Index(i) })
				shorter := full()
				s := place(&shorter)
				s.Set(reflect.AppendSlice(s.Slice3(0, i, i), s.Slice(i+1, s.Len())))
				check(path, shorter)
			}
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			check(path, table)
		case reflect.Struct:
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if !f.IsExported() {
					continue
				}
				name := f.Name
				if path != "" {
					name = path + "." + name
				}
				visit(name, func(t *machine.Table[vector]) reflect.Value { return place(t).Field(i) })
			}
		default:
			require.Fail(t, "nothing is known of this kind", "%s: %s", path, v.Kind())
		}
	}
	visit("", func(t *machine.Table[vector]) reflect.Value { return reflect.ValueOf(t).Elem() })
	require.Greater(t, tried, 150)
	require.Greater(t, ignored, 20)

	t.Run("moving an edge to Anywhere changes it", func(t *testing.T) {
		table := full()
		table.Anywhere = append(table.Anywhere, table.Edges[4])
		table.Edges = slices.Delete(table.Edges, 4, 5)
		table.Anywhere[2].From = ""
		require.NotEqual(t, reference, table.Hash())
	})
	t.Run("moving a guard from one place to another changes it", func(t *testing.T) {
		table := full()
		table.Edges[0].If, table.Edges[1].If = table.Edges[1].If, table.Edges[0].If
		require.NotEqual(t, reference, table.Hash())
	})
	t.Run("the order in which things are listed does not", func(t *testing.T) {
		table := full()
		slices.Reverse(table.States)
		slices.Reverse(table.States[5].Needs)
		slices.Reverse(table.Edges)
		slices.Reverse(table.Edges[7].If)
		slices.Reverse(table.Anywhere)
		slices.Reverse(table.Anywhere[1].Except)
		slices.Reverse(table.Guards)
		slices.Reverse(table.Effects)
		slices.Reverse(table.Effects[1].Catch)
		slices.Reverse(table.Effects[1].Retry.On)
		require.Equal(t, reference, table.Hash())
	})
	t.Run("an empty list is no list", func(t *testing.T) {
		table := full()
		table.Edges[1].If, table.Edges[1].Except = []machine.GuardName{}, []machine.State{}
		require.Equal(t, reference, table.Hash())
	})
	t.Run("it is the same in every version of this package", func(t *testing.T) {
		// Journals keep it: when this fails, they are refused.
		require.Equal(t, "46f4b97f4ede9ed25ef71246f7c53d4f7504b7ed68556ff047195cf19eb871cf", reference)
	})
}

func TestRetryWait(t *testing.T) {
	for _, tt := range []struct {
		name  string
		retry machine.Retry
		want  []time.Duration // after the first attempt, the second, …
	}{
		{"nothing is set", machine.Retry{}, []time.Duration{0, 0, 0}},
		{"it doubles", machine.Retry{First: 1}, []time.Duration{1, 2, 4, 8, 16}},
		{"it doubles up to the longest", machine.Retry{First: 3, Max: 10}, []time.Duration{3, 6, 10, 10}},
		{"it meets the longest exactly", machine.Retry{First: 3, Max: 12}, []time.Duration{3, 6, 12, 12}},
		{"the longest is odd", machine.Retry{First: 2, Max: 5}, []time.Duration{2, 4, 5, 5}},
		{"the first is over the longest", machine.Retry{First: 10, Max: 3}, []time.Duration{3, 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, want := range tt.want {
				require.Equal(t, want, tt.retry.Wait(i+1), "after attempt %d", i+1)
			}
		})
	}
	t.Run("it never overflows and never takes long to say", func(t *testing.T) {
		for _, n := range []int{62, 63, 64, 65, 1000, math.MaxInt} {
			require.Equal(t, time.Hour, machine.Retry{First: time.Second, Max: time.Hour}.Wait(n))
			require.Equal(t, time.Duration(math.MaxInt64), machine.Retry{First: time.Second}.Wait(n))
			require.Equal(t, time.Duration(0), machine.Retry{Max: time.Second}.Wait(n))
		}
	})
	t.Run("before the first attempt it is that of the first", func(t *testing.T) {
		require.Equal(t, time.Second, machine.Retry{First: time.Second}.Wait(0))
		require.Equal(t, time.Second, machine.Retry{First: time.Second}.Wait(-1))
	})
}
