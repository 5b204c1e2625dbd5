package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// kept is a journal that outlives being closed.
type kept struct{ *journal.Memory }

func (kept) Close() error { return nil }

// A simulated host plays a run in the SDK's test environment, which has a clock
// of its own and knows no other worker. What people do is laid down before.
type simulated struct {
	env   *testsuite.TestWorkflowEnvironment
	store kept
}

func newSimulated(t *testing.T, set adapters.Set, store kept) *simulated {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	s := &simulated{env: suite.NewTestWorkflowEnvironment(), store: store}
	s.env.SetTestTimeout(time.Minute)
	h := &Host{
		Ports:   func(migration.Plan) (adapters.Set, error) { return set, nil },
		Journal: func(context.Context, migration.Plan) (Journal, error) { return s.store, nil },
	}
	h.register(s.env, newCalls(h, "default-test-taskqueue"))
	return s
}

// update sends an update and takes down how it ended.
type update struct {
	accepted bool
	err      error
}

func (u *update) Accept()          { u.accepted = true }
func (u *update) Reject(err error) { u.err = err }
func (u *update) Complete(_ any, err error) {
	if err != nil {
		u.err = err
	}
}

func (s *simulated) status(t *testing.T) (status Status) {
	got, err := s.env.QueryWorkflow("status")
	require.NoError(t, err)
	require.NoError(t, got.Get(&status))
	return status
}

// play lets the acts happen one after the other, each when the run rests.
func (s *simulated) play(t *testing.T, sc parity.Scenario, st *parity.Stage) []string {
	var wrong []string
	acted := 0
	at := 2000 * time.Hour // longer than anything that a run waits for
	for i, act := range sc.Then {
		done := new(update)
		s.env.RegisterDelayedCallback(func() {
			acted++
			if status := s.status(t); status.Verb != "" {
				wrong = append(wrong, fmt.Sprintf("%d: %s still goes on", i+1, status.Verb))
			}
			if act.World != nil {
				act.World(sc.Plan(), st.World)
			}
			if act.Verb == "" {
				return
			}
			command := Command{Env: act.Env, By: "ada", Why: "looked", NotDone: act.NotDone}
			switch act.Verb {
			case "hold":
				command.Why = "a look"
			case "rollback":
				command.Why = "changed our minds"
			}
			s.env.UpdateWorkflow(act.Verb, fmt.Sprint(i), done, command)
		}, at)
		s.env.RegisterDelayedCallback(func() {
			if act.Fails != (done.err != nil) {
				wrong = append(wrong, fmt.Sprintf("%d. %s %s: %v", i+1, act.Verb, act.Env, done.err))
			}
		}, at+time.Hour)
		at += 2000 * time.Hour
	}
	var rest Status
	s.env.RegisterDelayedCallback(func() {
		rest = s.status(t)
		s.env.CancelWorkflow() // a run that waits for somebody waits for good
	}, at)
	request, err := NewRequest(sc.Plan(), &StartOptions{User: "ada"})
	require.NoError(t, err)
	s.env.ExecuteWorkflow(WorkflowName, request)
	require.True(t, s.env.IsWorkflowCompleted())
	if acted < len(sc.Then) && sc.Then[acted].Verb == "rollback" { // the run is over: another workflow takes it back
		require.NoError(t, s.env.GetWorkflowError())
		next := newSimulated(t, st.Ports, s.store)
		request.RollBack = &Command{By: "ada", Why: "changed our minds"}
		next.env.ExecuteWorkflow(WorkflowName, request)
		s, acted = next, acted+1
	}
	if acted < len(sc.Then) {
		wrong = append(wrong, fmt.Sprintf("%d of %d acts were played", acted, len(sc.Then)))
	}
	var result Result
	switch err := s.env.GetWorkflowError(); {
	case sc.Refused:
		require.Error(t, err)
		return wrong
	case err == nil:
		require.NoError(t, s.env.GetWorkflowResult(&result))
	default:
		var rep struct{ Verdict report.Verdict }
		require.NoError(t, errors.Join(json.Unmarshal(rest.Report, &rep)), "%v", err)
		result.Verdict = rep.Verdict
	}
	if result.Verdict != sc.Verdict {
		wrong = append(wrong, fmt.Sprintf("the verdict is %s, not %s", result.Verdict, sc.Verdict))
	}
	return wrong
}

func entriesOf(t *testing.T, s journal.Store) (entries []journal.Entry) {
	for e, err := range s.Read(t.Context()) {
		require.NoError(t, err)
		entries = append(entries, e)
	}
	return entries
}

// The same plan gives the same journal on every host.
func TestParity(t *testing.T) {
	played := 0
	for _, sc := range parity.All() {
		t.Run(sc.Name, func(t *testing.T) {
			st := sc.NewStage()
			process := parity.NewProcess(t, sc.Plan(), st.Ports)
			require.Empty(t, sc.Play(t.Context(), process, st))
			entries, err := process.Journal(t.Context())
			require.NoError(t, err)
			want, err := parity.Comparable(entries)
			require.NoError(t, err)

			st = sc.NewStage()
			host := newSimulated(t, st.Ports, kept{new(journal.Memory)})
			require.Empty(t, host.play(t, sc, st))
			got, err := parity.Comparable(entriesOf(t, host.store))
			require.NoError(t, err)
			for i := range min(len(want), len(got)) {
				require.JSONEq(t, want[i], got[i], "entry %d", i)
			}
			require.Len(t, got, len(want))
			played++
		})
	}
	require.GreaterOrEqual(t, played, 30)
}
