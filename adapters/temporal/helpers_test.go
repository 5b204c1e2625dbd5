package temporal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// small is a plan for Production and LifeTime alone: every kind of call, and
// none of them twice as often as needed. Sweeps run it hundreds of times.
func small(name string) migration.Plan {
	p := parity.Scenario{Name: name, Profile: migration.RefreshAndMove}.Plan()
	all := p.Infrastructure.Environments
	p.Infrastructure.Environments = []environment.Environment{all[0], all[3]}
	return p
}

// marked makes the first republish under the target license meet an
// intellectual property error, so that the run goes back.
func marked(p migration.Plan, w *fake.World) {
	w.SetIPP(p.Target, "Production", license.Protected)
	w.MarkModule("Production", p.Module, p.Source)
}

// A between stands between the workflow and its activities: do is the activity.
type between func(ctx context.Context, q question, do func() (answer, error)) (answer, error)

// A hosted run is one over a world, in the SDK's test environment.
type hosted struct {
	simulated
	plan   migration.Plan
	world  *fake.World
	host   *Host
	calls  *calls
	middle between // nil: nothing

	mu     sync.Mutex
	called []question // activities that were begun, in order
}

// newHosted returns a run that was not begun.
func newHosted(t *testing.T, p migration.Plan, w *fake.World, store kept) *hosted {
	t.Helper()
	h := &hosted{plan: p, world: w, simulated: simulated{store: store}}
	h.host = &Host{
		Ports:   func(migration.Plan) (adapters.Set, error) { return w.Set(), nil },
		Journal: func(context.Context, migration.Plan) (Journal, error) { return h.store, nil },
	}
	h.calls = newCalls(h.host, "default-test-taskqueue")
	h.begin()
	return h
}

// begin gives the run a new workflow, with the world and the journal as they
// are.
func (h *hosted) begin() {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent{})
	h.env = suite.NewTestWorkflowEnvironment()
	h.env.SetTestTimeout(time.Minute)
	h.host.register(h, h.calls)
}

// RegisterWorkflowWithOptions implements registry.
func (h *hosted) RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions) {
	h.env.RegisterWorkflowWithOptions(w, options)
}

// RegisterActivityWithOptions implements registry: what is in the middle comes
// first.
func (h *hosted) RegisterActivityWithOptions(a any, options activity.RegisterOptions) {
	do := a.(func(context.Context, question) (answer, error))
	h.env.RegisterActivityWithOptions(func(ctx context.Context, q question) (answer, error) {
		h.mu.Lock()
		h.called = append(h.called, q)
		h.mu.Unlock()
		if h.middle == nil {
			return do(ctx, q)
		}
		return h.middle(ctx, q, func() (answer, error) { return do(ctx, q) })
	}, options)
}

// onStarted has f called on the workflow's own thread when an activity is begun.
func (h *hosted) onStarted(f func(question)) {
	h.env.SetOnActivityStartedListener(func(_ *activity.Info, _ context.Context, args converter.EncodedValues) {
		var q question
		if err := args.Get(&q); err != nil {
			panic(err)
		}
		f(q)
	})
}

// methods returns what was called.
func (h *hosted) methods() (names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, q := range h.called {
		names = append(names, q.Method)
	}
	return names
}

// execute plays the workflow to its end.
func (h *hosted) execute(t *testing.T, opts *StartOptions) (Result, error) {
	t.Helper()
	request, err := NewRequest(h.plan, opts)
	require.NoError(t, err)
	h.env.ExecuteWorkflow(WorkflowName, request)
	require.True(t, h.env.IsWorkflowCompleted())
	if err := h.env.GetWorkflowError(); err != nil {
		return Result{}, err
	}
	var result Result
	require.NoError(t, h.env.GetWorkflowResult(&result))
	return result, nil
}

// at does f at a time of the workflow's clock.
func (h *hosted) at(d time.Duration, f func()) { h.env.RegisterDelayedCallback(f, d) }

// send sends an update; the answer is complete when the workflow has turned to
// it.
func (h *hosted) send(verb string, c Command) *update {
	u := new(update)
	h.env.UpdateWorkflow(verb, fmt.Sprintf("%s-%p", verb, u), u, c)
	return u
}

// command is one that lacks nothing.
func command(env string) Command { return Command{Env: env, By: "ada", Why: "looked"} }

// resting is longer than anything that a run waits for by itself.
const resting = 2000 * time.Hour

// attend has a person look at the run whenever it rests, and do what holds ask
// for: say what became of what is in doubt, as the world shows it, and have the
// run go on. After a number of looks the person gives up.
func (h *hosted) attend(t *testing.T, looks int) {
	for i := range looks {
		h.at(time.Duration(i+1)*resting, func() {
			if s := h.status(t); s.Verb != "" {
				return
			}
			record, err := journal.Replay(h.store.Read(t.Context()))
			require.NoError(t, err)
			for _, at := range record.Standings {
				doubt := at.Hold != nil && at.Hold.Kind == journal.HoldInDoubt
				if !doubt && at.State != string(migration.NeedsSupport) {
					continue
				}
				c := command(at.Env)
				c.NotDone = doubt && !h.registered(at.Env)
				h.send("resolve", c)
			}
			h.at(time.Hour, func() { h.send("resume", command("")) })
		})
	}
	h.at(time.Duration(looks+1)*resting, h.env.CancelWorkflow)
}

// registered reports whether env's serial number has been registered under the
// target code.
func (h *hosted) registered(env string) bool {
	return slices.ContainsFunc(h.world.Effects(), func(e fake.Effect) bool { return e.Method == "RegisterSerial" && e.Environment == env })
}

// effects returns what was changed in the world, in an order of its own: on the
// way back environments are under way side by side. Republishing changes
// nothing when it comes again, so it counts once.
func effects(w *fake.World) (lines []string) {
	for _, e := range w.Effects() {
		if e.Port != "" { // else by hand
			lines = append(lines, fmt.Sprintf("%s %s", e.Call, e.Code))
		}
	}
	slices.Sort(lines)
	return slices.CompactFunc(lines, func(a, b string) bool { return a == b && strings.Contains(a, "RepublishModule") })
}

// mutating says whose intent must be on record when a call is made.
func mutating(q question) (env string, ok bool) {
	switch q.Method {
	case "RegisterSerial", "UploadLicense", "RepublishModule":
		return q.Environment, true
	case "Put":
		return q.Label.Environment, true
	case "PauseDeployments", "ResumeDeployments", "OpenCase":
		return journal.Infrastructure, true
	}
	return "", false
}

// unannounced returns an error if the call changes something and its intent is
// not in the journal.
func unannounced(store journal.Store, q question) error {
	env, ok := mutating(q)
	if !ok {
		return nil
	}
	record, err := journal.Replay(store.Read(context.Background()))
	if err != nil {
		return err
	}
	if at, _ := record.Standing(env); !at.InFlight {
		return fmt.Errorf("%s in %s without an intent on record", q.Method, env)
	}
	return nil
}

// reportOf returns the report of a status.
func reportOf(t *testing.T, s Status) (rep struct{ Verdict report.Verdict }) {
	t.Helper()
	if s.Report != nil {
		require.NoError(t, json.Unmarshal(s.Report, &rep))
	}
	return rep
}

// inProcess plays the plan in this process.
func inProcess(t *testing.T, p migration.Plan, w *fake.World, store journal.Store) (*changeover.Changeover, *report.Report) {
	t.Helper()
	c, err := changeover.New(p, w.Set(), store, &changeover.Options{Clock: new(fake.Clock), User: "ada"})
	require.NoError(t, err)
	rep, err := c.Apply(t.Context())
	require.NoError(t, err)
	return c, rep
}

// valid requires that the journal of a run reads from end to end, counted
// without gaps.
func valid(t *testing.T, store journal.Store) []journal.Entry {
	t.Helper()
	_, err := journal.Replay(store.Read(t.Context()))
	require.NoError(t, err)
	return entriesOf(t, store)
}

// silent is a logger that says nothing: what is lost on purpose is no news.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// requireSame requires the same journal as want, and shows the first entry that
// differs.
func requireSame(t *testing.T, want, got []string, at ...any) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		require.JSONEq(t, want[i], got[i], at...)
	}
	require.Equal(t, len(want), len(got), at...)
}

// shared is how many calls two runs begin with that are the same.
func shared(a, b []string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
