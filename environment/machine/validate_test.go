package machine_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
)

func TestValidateAcceptsACompleteTable(t *testing.T) {
	require.NoError(t, full().Validate())
	require.NoError(t, circle().Validate())
}

func TestValidateReports(t *testing.T) {
	type table = machine.Table[vector]
	for _, tt := range []struct {
		name  string
		spoil func(*table)
		want  []string // all that is reported
	}{
		// what is defined
		{"a table without an ID", func(t *table) { t.ID = "" },
			[]string{`the table has no ID`}},
		{"a state without a name", func(t *table) { t.States = append(t.States, machine.Node{Doc: "Nameless."}) },
			[]string{`a state has no name`}},
		{"a state that is defined twice", func(t *table) { t.States = append(t.States, t.States[3]) },
			[]string{`state "Moved" is defined twice`}},
		{"a state without documentation", func(t *table) { t.States[2].Doc = "" },
			[]string{`state "Uploaded" is not documented`}},
		{"a guard without a name", func(t *table) { t.Guards = append(t.Guards, guards(1)[0]); t.Guards[4].Name = "" },
			[]string{`a guard has no name`}},
		{"a guard that is defined twice", func(t *table) { t.Guards = append(t.Guards, guards(1)...) },
			[]string{`guard "g0" is defined twice`}},
		{"a guard without documentation", func(t *table) { t.Guards[1].Doc = "" },
			[]string{`guard "g1" is not documented`}},
		{"a guard that decides nothing", func(t *table) { t.Guards[1].Holds = nil },
			[]string{`guard "g1" decides nothing: Holds is nil`}},
		{"an effect without a name", func(t *table) { t.Effects = append(t.Effects, machine.Effect{Doc: "Nameless."}) },
			[]string{`an effect has no name`}},
		{"an effect that is defined twice", func(t *table) { t.Effects = append(t.Effects, t.Effects[1]) },
			[]string{`effect "upload" is defined twice`}},
		{"an effect without documentation", func(t *table) { t.Effects[1].Doc = "" },
			[]string{`effect "upload" is not documented`}},

		// how effects are repeated
		{"a negative timeout", func(t *table) { t.Effects[1].Timeout = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative number of attempts", func(t *table) { t.Effects[1].Retry.Attempts = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative first wait", func(t *table) { t.Effects[1].Retry.First = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative longest wait", func(t *table) { t.Effects[1].Retry.Max = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative window", func(t *table) { t.Effects[1].Settle.Window = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative number of readings", func(t *table) { t.Effects[1].Settle.Reads = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative pause between readings", func(t *table) { t.Effects[1].Settle.Every = -time.Second },
			[]string{`effect "upload" has a negative duration or count`}},
		{"a negative limit of readings", func(t *table) { t.Effects[1].Settle.Limit = -1 },
			[]string{`effect "upload" has a negative duration or count`}},
		{"more equal readings than there are readings", func(t *table) { t.Effects[1].Settle.Limit = 1 },
			[]string{`effect "upload" gives up after 1 readings but wants 2 that agree`}},
		{"conditions that are retried in one attempt", func(t *table) { t.Effects[0].Retry.Attempts = 1 },
			[]string{`effect "fetch" retries conditions but has only one attempt`}},
		{"a condition that is caught twice", func(t *table) { t.Effects[0].Catch[1].Condition = "serialNotFound" },
			[]string{`effect "fetch" handles the condition "serialNotFound" twice`}},
		{"a condition that is retried twice", func(t *table) { t.Effects[0].Retry.On[1] = "busy" },
			[]string{`effect "fetch" handles the condition "busy" twice`}},
		{"a condition that is caught and retried", func(t *table) { t.Effects[0].Catch[1].Condition = "busy" },
			[]string{`effect "fetch" handles the condition "busy" twice`}},
		{"caught and retried conditions without a name", func(t *table) { t.Effects[0].Catch[0].Condition, t.Effects[0].Retry.On[0] = "", "" },
			[]string{`effect "fetch" handles a condition without a name`, `effect "fetch" handles a condition without a name`}},
		{"a condition that is turned into a trigger that the state does not know", func(t *table) { t.Effects[0].Catch[0].Trigger = "verified" },
			[]string{`effect "fetch" turns the condition "serialNotFound" into "verified", which state "Paused" does not know`}},
		{"a condition that is turned into a trigger from anywhere that leaves the state out", func(t *table) { t.Anywhere[1].Except = append(t.Anywhere[1].Except, "Paused") },
			[]string{`effect "fetch" turns the condition "rejected" into "refused", which state "Paused" does not know`}},

		// what states name
		{"no initial state", func(t *table) { t.Initial = "" },
			[]string{`Initial names the unknown state ""`}},
		{"an unknown initial state", func(t *table) { t.Initial = "Elsewhere" },
			[]string{`Initial names the unknown state "Elsewhere"`}},
		{"unknown guards, in every place", func(t *table) {
			t.States[1].Needs = append(t.States[1].Needs, "x")
			t.Edges[1].If, t.Anywhere[1].If = []machine.GuardName{"x"}, []machine.GuardName{"x"}
		},
			[]string{`state "Fetched" names the unknown guard "x"`, `edge "notFound" from "Paused" names the unknown guard "x"`, `edge "refused" from anywhere names the unknown guard "x"`}},
		{"guards that are named twice in one place", func(t *table) { t.States[0].Needs[1], t.Edges[0].If[2] = "g0", "g0" },
			[]string{`state "Paused" names the guard "g0" twice`, `edge "fetched" from "Paused" names the guard "g0" twice`}},
		{"needs without an effect", func(t *table) { t.States[2].Needs = []machine.GuardName{"g0"} },
			[]string{`state "Uploaded" needs guards but asks for no effect`}},
		{"a final state that asks for an effect", func(t *table) { t.States[0].Final = true },
			[]string{`state "Paused" is final but asks for the effect "fetch"`}},
		{"an unknown effect", func(t *table) { t.States[1].Do = "x" },
			[]string{`state "Fetched" asks for the unknown effect "x"`, `no state asks for the effect "upload"`}},
		{"a guard that nothing uses", func(t *table) { t.Guards = guards(5) },
			[]string{`guard "g4" is not used`}},

		// edges
		{"an edge from an unknown state", func(t *table) { t.Edges[5].From = "x" },
			[]string{`edge "seen" from "x" names the unknown state "x"`}},
		{"an edge to an unknown state", func(t *table) { t.Edges[5].To = "x" },
			[]string{`edge "seen" from "Uploaded" names the unknown state "x"`}},
		{"an edge without a trigger", func(t *table) { t.Edges[5].On = "" },
			[]string{`edge "" from "Uploaded" has no trigger`}},
		{"an edge with exceptions", func(t *table) { t.Edges[5].Except = []machine.State{"Moved"} },
			[]string{`edge "seen" from "Uploaded" has exceptions, which only edges from anywhere can have`}},
		{"two edges for one state and trigger", func(t *table) { t.Edges[5].On = "verified" },
			[]string{`edge "verified" from "Uploaded" is defined twice`}},
		{"an edge from anywhere to an unknown state", func(t *table) { t.Anywhere[1].To = "x" },
			[]string{`edge "refused" from anywhere names the unknown state "x"`}},
		{"an edge from anywhere without a trigger", func(t *table) { t.Anywhere[0].On = "" },
			[]string{`edge "" from anywhere has no trigger`}},
		{"an edge from anywhere that names where it comes from", func(t *table) { t.Anywhere[0].From = "Paused" },
			[]string{`edge "stopped" from anywhere names the state "Paused"`}},
		{"an edge from anywhere with an unknown exception", func(t *table) { t.Anywhere[0].Except[0] = "x" },
			[]string{`edge "stopped" from anywhere names the unknown state "x"`}},
		{"two edges from anywhere for one trigger", func(t *table) {
			t.Anywhere = append(t.Anywhere, machine.Edge{On: "refused", To: "Uploaded"})
		},
			[]string{`edge "refused" from anywhere is defined twice`}},
		{"an edge from anywhere beside an edge of a state", func(t *table) { t.Edges[4].On, t.Edges[5].On = "refused", "stopped" },
			[]string{
				`edge "stopped" from anywhere stands beside an edge of state "Uploaded" for the same trigger`,
				`edge "refused" from anywhere stands beside an edge of state "Uploaded" for the same trigger`,
			}},

		// where one can get to
		{"a state that cannot be reached", func(t *table) {
			t.States = append(t.States, machine.Node{State: "Island", Doc: "Far away."})
		},
			[]string{`state "Island" cannot be reached from "Paused"`}},
		{"an effect without a way out", func(t *table) { t.States[5].Final, t.States[5].Do = false, "upload" },
			[]string{`state "RollingBack" asks for the effect "upload" but has no way out for it`}},
		{"a state that is stuck", func(t *table) { t.States[5].Final = false },
			[]string{`state "RollingBack" is stuck: it is not final and nothing leads out of it`}},
		{"a state from which no end can be reached", func(t *table) {
			t.States[5].Final = false
			t.Edges = append(t.Edges, machine.Edge{From: "RollingBack", On: "seen", To: "RollingBack"})
		},
			[]string{`no end can be reached from state "RollingBack"`}},
		{"a table without an end", func(t *table) { t.States[3].Final, t.States[5].Final = false, false },
			[]string{`no state is final`, `state "RollingBack" is stuck: it is not final and nothing leads out of it`}},

		// several at once
		{"every mistake at once, in the order of the table", func(t *table) {
			t.ID, t.States[2].Doc, t.Guards[1].Doc, t.Guards[1].Holds = "", "", "", nil
			t.Effects[1].Timeout, t.Edges[4].To, t.Anywhere[0].Except[1] = -1, "x", "y"
		},
			[]string{
				`the table has no ID`,
				`state "Uploaded" is not documented`,
				`guard "g1" is not documented`,
				`guard "g1" decides nothing: Holds is nil`,
				`effect "upload" has a negative duration or count`,
				`edge "verified" from "Uploaded" names the unknown state "x"`,
				`edge "stopped" from anywhere names the unknown state "y"`,
				`edge "stopped" from anywhere stands beside an edge of state "NeedsSupport" for the same trigger`,
				`state "Moved" cannot be reached from "Paused"`,
			}},
		{"an empty table", func(t *table) { *t = table{} },
			[]string{`the table has no ID`, `Initial names the unknown state ""`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := full()
			tt.spoil(&table)
			require.Equal(t, tt.want, mistakes(t, table))
		})
	}
}

// mistakes returns what Validate reports, one by one.
func mistakes[F any](t *testing.T, table machine.Table[F]) []string {
	t.Helper()
	err := table.Validate()
	require.Error(t, err)
	outer, ok := err.(interface{ Unwrap() error })
	require.True(t, ok)
	joined, ok := outer.Unwrap().(interface{ Unwrap() []error })
	require.True(t, ok)
	var out []string
	for _, e := range joined.Unwrap() {
		out = append(out, e.Error())
	}
	require.EqualError(t, err, "table "+quoted(table.ID)+": "+outer.Unwrap().Error())
	return out
}

func quoted(s string) string { return `"` + s + `"` }

func TestEffectThatMutatesMayBeRetried(t *testing.T) {
	table := full()
	table.Effects[0].Mutates = true
	require.NoError(t, table.Validate())
}

// chain is a table of n states in a row.
func chain(n int) machine.Table[vector] {
	t := machine.Table[vector]{ID: "chain", Initial: "0"}
	for k := range n {
		t.States = append(t.States, machine.Node{State: machine.State(strconv.Itoa(k)), Doc: "One of many.", Final: k == n-1})
		if k > 0 {
			t.Edges = append(t.Edges, machine.Edge{From: machine.State(strconv.Itoa(k - 1)), On: "gone", To: machine.State(strconv.Itoa(k))})
		}
	}
	return t
}

// A search that goes round the table again and again allocates each time, and
// allocations can be counted exactly.
func TestValidateGrowsWithItsTable(t *testing.T) {
	allocations := func(states int) float64 {
		table := chain(states)
		require.NoError(t, table.Validate())
		return testing.AllocsPerRun(5, func() { _ = table.Validate() })
	}
	require.Less(t, allocations(300), 12*allocations(30), "ten times the states")
}
