package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// StartOptions are what a run may be given. A nil *StartOptions, and every zero
// field, has a default.
type StartOptions struct {
	User     string // recorded for people
	OnCancel string // what a cancellation of the workflow means: OnCancelHold (default) or OnCancelRollBack
	Ask      string // who answers the operator's questions: AskWorker (default) or AskUpdate
	// Heartbeat is how long a worker may be silent before its calls count as
	// lost; zero: 30 seconds.
	Heartbeat time.Duration
	// Patience is for how long, in attempts every ten seconds, the journal is
	// tried before the run rests with changeover.ErrJournal; zero: an hour.
	// Nothing is done meanwhile, and time without a worker does not count.
	Patience time.Duration
	// Hurry divides every wait: for rehearsals over simulated portals, which
	// need no time to settle. Zero: 1.
	Hurry int
	// RollBack has the run go back at once: for a run that has come to its end
	// before. nil: it begins, or goes on where its journal says that it stands.
	RollBack *Command
	// Extend must be that of the workers' Host.
	Extend func(leg migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts]
}

// WorkflowID returns the ID of the workflow of an infrastructure: there is one
// at a time.
func WorkflowID(infrastructure string) string { return "changeover/" + infrastructure }

// maxEnvironments is how many environments fit in the history of one workflow,
// which a server ends at 51,200 events. One of them takes some 360 events on the
// way there and 110 on the way back with the longest profile; a third of the
// history is left for what is done again after holds.
const maxEnvironments = 70

// NewRequest returns what a workflow is begun with, or everything that is wrong
// with the plan and the options.
func NewRequest(plan migration.Plan, opts *StartOptions) (Request, error) {
	if opts == nil {
		opts = new(StartOptions)
	}
	r := Request{User: opts.User, OnCancel: opts.OnCancel, Ask: opts.Ask, Heartbeat: opts.Heartbeat, Patience: opts.Patience, Hurry: opts.Hurry, RollBack: opts.RollBack}
	definition, err := definitionOf(plan, opts.Extend)
	if n := len(plan.Infrastructure.Environments); n > maxEnvironments {
		err = errors.Join(err, fmt.Errorf("%d environments do not fit in the history of a workflow, which has some 470 of its 51,200 events for each: take at most %d", n, maxEnvironments))
	}
	if err = errors.Join(err, r.check()); err != nil {
		return Request{}, err
	}
	r.Definition = definition
	r.Plan, err = encodePlan(plan)
	return r, err
}

// check returns everything that is wrong with a request but for its plan.
func (r Request) check() error {
	var errs []error
	if r.OnCancel != "" && r.OnCancel != OnCancelHold && r.OnCancel != OnCancelRollBack {
		errs = append(errs, fmt.Errorf("onCancel is %q: take %q or %q", r.OnCancel, OnCancelHold, OnCancelRollBack))
	}
	if r.Ask != "" && r.Ask != AskWorker && r.Ask != AskUpdate {
		errs = append(errs, fmt.Errorf("ask is %q: take %q or %q", r.Ask, AskWorker, AskUpdate))
	}
	if r.Heartbeat < 0 || r.Heartbeat > 0 && r.Heartbeat < time.Second {
		errs = append(errs, fmt.Errorf("heartbeat is %v: take at least a second, or zero for %v", r.Heartbeat, defaultHeartbeat))
	}
	if r.Patience < 0 {
		errs = append(errs, fmt.Errorf("patience is %v: take zero for %v", r.Patience, defaultPatience))
	}
	if r.Hurry < 0 {
		errs = append(errs, fmt.Errorf("hurry is %d: take at least 1, or zero for 1", r.Hurry))
	}
	if r.RollBack != nil && (r.RollBack.By == "" || r.RollBack.Why == "") {
		errs = append(errs, errors.New("rollBack needs who asks for it and why"))
	}
	return errors.Join(errs...)
}

// A Run is the run of an infrastructure, as seen from outside. Its methods call
// the server; the verbs return an error with every reason when the workflow
// refuses them, and then leave no trace in its history.
type Run struct {
	client client.Client
	id     string
}

// Start begins the run of a plan, or takes it up: on the workers that listen to
// the queue. An infrastructure that has a run going on is refused with
// serviceerror.WorkflowExecutionAlreadyStarted.
func Start(ctx context.Context, c client.Client, queue string, plan migration.Plan, opts *StartOptions) (*Run, error) {
	request, err := NewRequest(plan, opts)
	if err != nil {
		return nil, err
	}
	started, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: WorkflowID(plan.Infrastructure.Name), TaskQueue: queue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, WorkflowName, request)
	if err != nil {
		return nil, fmt.Errorf("starting the run of %s: %w", plan.Infrastructure.Name, err)
	}
	return &Run{c, started.GetID()}, nil
}

// Open returns the run of an infrastructure that was started before. It asks
// nobody.
func Open(c client.Client, infrastructure string) *Run { return &Run{c, WorkflowID(infrastructure)} }

// Wait waits until the run is over.
func (r *Run) Wait(ctx context.Context) (result Result, err error) {
	err = r.client.GetWorkflow(ctx, r.id, "").Get(ctx, &result)
	return result, err
}

// Cancel cancels the workflow; StartOptions.OnCancel says what that means.
func (r *Run) Cancel(ctx context.Context) error { return r.client.CancelWorkflow(ctx, r.id, "") }

func (r *Run) update(ctx context.Context, verb string, c Command) error {
	handle, err := r.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: r.id, UpdateName: verb, Args: []any{c}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return handle.Get(ctx, nil)
}

// Hold is Changeover.Hold.
func (r *Run) Hold(ctx context.Context, env, by, why string) error {
	return r.update(ctx, "hold", Command{Env: env, By: by, Why: why})
}

// Release is Changeover.Release.
func (r *Run) Release(ctx context.Context, env, by, why string) error {
	return r.update(ctx, "release", Command{Env: env, By: by, Why: why})
}

// Resolve is Changeover.Resolve.
func (r *Run) Resolve(ctx context.Context, env string, res migration.Resolution) error {
	return r.update(ctx, "resolve", Command{Env: env, By: res.By, Why: res.Evidence, NotDone: res.NotDone})
}

// Resume has the run go on. It returns when that was taken down.
func (r *Run) Resume(ctx context.Context, by, why string) error {
	return r.update(ctx, "resume", Command{By: by, Why: why})
}

// RollBack stops the run and has it go back. It returns when that was taken
// down.
func (r *Run) RollBack(ctx context.Context, by, why string) error {
	return r.update(ctx, "rollback", Command{By: by, Why: why})
}

// Answer answers one of the run's Questions. no refuses.
func (r *Run) Answer(ctx context.Context, id, by, text string, no bool) error {
	return r.update(ctx, "answer", Command{ID: id, By: by, Why: text, No: no})
}

func ask[T any](ctx context.Context, r *Run, query string, args ...any) (answer T, err error) {
	got, err := r.client.QueryWorkflow(ctx, r.id, "", query, args...)
	if err == nil {
		err = got.Get(&answer)
	}
	return answer, err
}

// Status says how the run stands.
func (r *Run) Status(ctx context.Context) (Status, error) { return ask[Status](ctx, r, "status") }

// Explain is Changeover.Explain.
func (r *Run) Explain(ctx context.Context, env string) (machine.Explanation, error) {
	return ask[machine.Explanation](ctx, r, "explain", env)
}

// Report returns the report as text, markdown, json or csv.
func (r *Run) Report(ctx context.Context, format string) (string, error) {
	return ask[string](ctx, r, "report", format)
}

// Questions returns what the run asks, with AskUpdate.
func (r *Run) Questions(ctx context.Context) ([]Question, error) {
	return ask[[]Question](ctx, r, "questions")
}

// encodePlan writes a plan as migration.ReadPlan reads it.
func encodePlan(p migration.Plan) (json.RawMessage, error) {
	text, err := json.Marshal(struct {
		Version        int            `json:"version"`
		Infrastructure string         `json:"infrastructure"`
		Source         string         `json:"source"`
		Target         string         `json:"target"`
		Profile        string         `json:"profile,omitempty"`
		Module         string         `json:"module,omitempty"`
		Environments   any            `json:"environments"`
		Accept         any            `json:"accept,omitempty"`
		Order          []string       `json:"order,omitempty"`
		First          []string       `json:"first,omitempty"`
		MaxInFlight    map[string]int `json:"maxInFlight,omitempty"`
		MinCopies      int            `json:"minCopies,omitempty"`
		Pause          []string       `json:"pause,omitempty"`
	}{1, p.Infrastructure.Name, p.Source.Reveal(), p.Target.Reveal(), p.Profile, p.Module, p.Infrastructure.Environments, p.Accept, p.Order, p.First,
		p.MaxInFlight, p.MinCopies, p.Pause})
	if err != nil {
		return nil, err
	}
	// A plan that a program has put together is read as strictly as a file.
	again, err := readPlan(text)
	if err == nil && again.Digest() != p.Digest() {
		err = errors.New("the plan does not say the same when it is written and read again")
	}
	return text, err
}

// definitionOf returns the definition of the tables that a run of the plan walks.
func definitionOf(plan migration.Plan, extend func(migration.Leg, machine.Table[environment.Facts]) machine.Table[environment.Facts]) (string, error) {
	c, err := changeover.New(plan, new(caller).set(nil, new(asked)), new(journal.Memory), &changeover.Options{Extend: extend})
	if err != nil {
		return "", err
	}
	return c.Definition(), nil
}
