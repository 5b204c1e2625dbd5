package temporal

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A harbor is a fleet over one world for each infrastructure, in the SDK's test
// environment.
type harbor struct {
	env      *testsuite.TestWorkflowEnvironment
	requests []Request
	worlds   map[string]*fake.World
	stores   map[string]kept
}

func newHarbor(t *testing.T, n int) *harbor {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	f := &harbor{env: suite.NewTestWorkflowEnvironment(), worlds: map[string]*fake.World{}, stores: map[string]kept{}}
	f.env.SetTestTimeout(time.Minute)
	for i := range n {
		p := small(fmt.Sprint(i + 1))
		f.worlds[p.Infrastructure.Name] = fake.New(p.Infrastructure, p.Source, p.Target)
		f.stores[p.Infrastructure.Name] = kept{new(journal.Memory)}
		r, err := NewRequest(p, nil)
		require.NoError(t, err)
		f.requests = append(f.requests, r)
	}
	h := &Host{
		Ports: func(p migration.Plan) (adapters.Set, error) { return f.worlds[p.Infrastructure.Name].Set(), nil },
		Journal: func(_ context.Context, p migration.Plan) (Journal, error) {
			return f.stores[p.Infrastructure.Name], nil
		},
	}
	h.register(f.env, newCalls(h, "default-test-taskqueue"))
	return f
}

func (f *harbor) members(t *testing.T) (members []Member) {
	t.Helper()
	got, err := f.env.QueryWorkflow("fleet")
	require.NoError(t, err)
	require.NoError(t, got.Get(&members))
	return members
}

// underWay returns those that are begun and not over.
func underWay(members []Member) (names []string) {
	for _, m := range members {
		if m.Begun && m.Verdict == "" && m.Error == "" {
			names = append(names, m.Infrastructure)
		}
	}
	return names
}

func TestAFleetKeepsItsLimit(t *testing.T) {
	for limit := 1; limit <= 6; limit++ {
		t.Run(fmt.Sprintf("%d at a time", limit), func(t *testing.T) {
			const n = 5
			f := newHarbor(t, n)
			most := 0
			working := map[string]bool{} // as the activities say, not the fleet
			f.env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, _ converter.EncodedValues) {
				working[info.WorkflowExecution.ID] = true
				on := len(underWay(f.members(t)))
				most = max(most, on)
				require.LessOrEqual(t, on, limit)
				require.LessOrEqual(t, len(working), limit, "%v", working)
			})
			f.env.SetOnChildWorkflowCompletedListener(func(info *workflow.Info, _ converter.EncodedValue, _ error) {
				delete(working, info.WorkflowExecution.ID)
			})
			request, err := NewFleetRequest(f.requests, limit)
			require.NoError(t, err)
			f.env.ExecuteWorkflow(FleetName, request)
			require.NoError(t, f.env.GetWorkflowError())
			var members []Member
			require.NoError(t, f.env.GetWorkflowResult(&members))
			require.Len(t, members, n)
			for i, m := range members {
				require.Equal(t, report.Completed, m.Verdict, m.Error)
				require.Equal(t, small(fmt.Sprint(i+1)).Infrastructure.Name, m.Infrastructure, "in the order of the list")
			}
			require.Equal(t, min(limit, n), most, "as many as may be")
		})
	}
}

// One that waits for a person keeps its place, and goes on when the person has
// come.
func TestOneThatWaitsKeepsItsPlace(t *testing.T) {
	for limit := 1; limit <= 3; limit++ {
		t.Run(fmt.Sprintf("%d at a time", limit), func(t *testing.T) {
			f := newHarbor(t, 4)
			first := small("1").Infrastructure.Name
			refuses(migration.Plan{}, f.worlds[first])
			var before []Member
			f.env.RegisterDelayedCallback(func() {
				before = f.members(t)
				f.worlds[first].Answer(nil)
				require.NoError(t, f.env.UpdateWorkflowByID(WorkflowID(first), "resume", "1", new(update), command("")))
			}, resting)
			request, err := NewFleetRequest(f.requests, limit)
			require.NoError(t, err)
			f.env.ExecuteWorkflow(FleetName, request)
			require.NoError(t, f.env.GetWorkflowError())
			require.Equal(t, []string{first}, underWay(before))
			for _, m := range before[1:] {
				require.Equal(t, limit > 1, m.Verdict == report.Completed, "%v", m)
				require.Equal(t, limit > 1, m.Begun)
			}
			var members []Member
			require.NoError(t, f.env.GetWorkflowResult(&members))
			for _, m := range members {
				require.Equal(t, report.Completed, m.Verdict, m.Error)
			}
		})
	}
}

// A fleet that is canceled begins nothing more; what was begun is left alone.
func TestACanceledFleetBeginsNothingMore(t *testing.T) {
	f := newHarbor(t, 4)
	first := small("1").Infrastructure.Name
	refuses(migration.Plan{}, f.worlds[first])
	f.env.RegisterDelayedCallback(f.env.CancelWorkflow, resting)
	f.env.RegisterDelayedCallback(func() {
		f.worlds[first].Answer(nil)
		require.NoError(t, f.env.UpdateWorkflowByID(WorkflowID(first), "resume", "1", new(update), command("")))
	}, 2*resting)
	request, err := NewFleetRequest(f.requests, 1)
	require.NoError(t, err)
	f.env.ExecuteWorkflow(FleetName, request)
	var canceled *sdk.CanceledError
	require.ErrorAs(t, f.env.GetWorkflowError(), &canceled)
	for name, w := range f.worlds {
		require.Equal(t, name == first, len(w.Effects()) > 0, name)
	}
	for _, e := range entriesOf(t, f.stores[first]) {
		require.False(t, e.Hold != nil && e.Hold.Kind == journal.HoldOperator, "the cancellation was not for it")
	}
	p := small("1")
	for _, env := range p.Infrastructure.Environments {
		require.Equal(t, p.Target, f.worlds[first].Installed(env.Name).Code, "it has come to its end")
	}
}

// One that fails says why, and the others are moved all the same.
func TestOneOfAFleetFails(t *testing.T) {
	f := newHarbor(t, 3)
	second := small("2").Infrastructure.Name
	f.worlds[second].SetCloud("Production", true)
	request, err := NewFleetRequest(f.requests, 1)
	require.NoError(t, err)
	f.env.ExecuteWorkflow(FleetName, request)
	require.NoError(t, f.env.GetWorkflowError())
	var members []Member
	require.NoError(t, f.env.GetWorkflowResult(&members))
	for i, m := range members {
		require.True(t, m.Begun)
		if i == 1 {
			require.Empty(t, m.Verdict)
			require.Contains(t, m.Error, "Production")
			continue
		}
		require.Equal(t, report.Completed, m.Verdict, m.Error)
	}
	require.Empty(t, f.worlds[second].Effects())
}

// Everything that is wrong with a list is said at once, before anything begins.
func TestAFleetIsRefused(t *testing.T) {
	f := newHarbor(t, 3)
	good := f.requests
	broken := good[1]
	broken.Plan = []byte(`{"version": 1, "infrastructure": ""}`)
	odd := good[2]
	odd.OnCancel, odd.Hurry = "shrug", -1
	for _, tc := range []struct {
		name     string
		requests []Request
		limit    int
		want     []string
	}{
		{"nothing", nil, 0, []string{"a fleet of 0", "limit is 0"}},
		{"too many", slices.Repeat(good[:1], maxFleet+1), 1, []string{"a fleet of 1001"}},
		{"the same twice", []Request{good[0], good[1], good[0], good[1]}, 2, []string{"request 3", "request 4", "is request 1 already", "is request 2 already"}},
		{"everything", []Request{good[0], broken, odd, good[0]}, -1, []string{"limit is -1", "request 2", "request 3", "onCancel", "hurry", "request 4"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := NewFleetRequest(tc.requests, tc.limit)
			require.Error(t, err)
			for _, want := range tc.want {
				require.Contains(t, err.Error(), want)
			}
			_, err = StartFleet(t.Context(), nil, "queue", "name", FleetRequest{tc.requests, tc.limit}) // no client is needed to refuse
			require.Error(t, err)
			if len(tc.requests) > maxFleet {
				return
			}
			f := newHarbor(t, 3)
			f.env.ExecuteWorkflow(FleetName, FleetRequest{tc.requests, tc.limit})
			err = f.env.GetWorkflowError()
			require.Error(t, err)
			for _, want := range tc.want {
				require.Contains(t, err.Error(), want)
			}
			for _, w := range f.worlds {
				require.Empty(t, w.Calls())
			}
		})
	}
}
