package temporal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/migration/report"
)

// FleetName is the name of the workflow that moves a list of infrastructures.
const FleetName = "changeover.Fleet"

// maxFleet is how many infrastructures one fleet may have: its history has some
// ten events for each.
const maxFleet = 1000

// A server takes 2 MB at once, unless it was told otherwise; requestBytes is
// about what a request takes beside its plan.
const (
	maxFleetBytes = 1900 << 10
	requestBytes  = 300
)

// A FleetRequest is a list of infrastructures. [NewFleetRequest] makes one.
type FleetRequest struct {
	Requests []Request `json:"requests"`
	// Limit is how many may be unfinished at once. One that waits for a person
	// keeps its place: a fault that all share stops the fleet instead of running
	// through it.
	Limit int `json:"limit"`
}

// A Member is how an infrastructure of a fleet stands.
type Member struct {
	Infrastructure string         `json:"infrastructure"`
	Begun          bool           `json:"begun,omitempty"`
	Verdict        report.Verdict `json:"verdict,omitempty"` // when it is over
	Error          string         `json:"error,omitempty"`   // why there is no verdict
}

// NewFleetRequest returns what a fleet is begun with, or everything that is
// wrong with the list.
func NewFleetRequest(requests []Request, limit int) (FleetRequest, error) {
	f := FleetRequest{requests, limit}
	_, err := f.members()
	return f, err
}

// members returns the infrastructures, or everything that is wrong.
func (f FleetRequest) members() ([]Member, error) {
	var errs []error
	if n := len(f.Requests); n == 0 || n > maxFleet {
		errs = append(errs, fmt.Errorf("a fleet of %d infrastructures: take 1 to %d", n, maxFleet))
	}
	if f.Limit < 1 {
		errs = append(errs, fmt.Errorf("limit is %d: take at least 1", f.Limit))
	}
	size := 0
	for _, r := range f.Requests {
		size += len(r.Plan) + requestBytes
	}
	if size > maxFleetBytes {
		errs = append(errs, fmt.Errorf("the list takes %d bytes, and the server refuses more than 2 MB: make several fleets of at most %d bytes", size, maxFleetBytes))
	}
	members := make([]Member, len(f.Requests))
	for i, r := range f.Requests {
		plan, err := readPlan(r.Plan)
		if err := errors.Join(err, r.check()); err != nil {
			errs = append(errs, fmt.Errorf("request %d: %w", i+1, err))
			continue
		}
		members[i].Infrastructure = plan.Infrastructure.Name
		if first := slices.IndexFunc(members[:i], func(m Member) bool { return m.Infrastructure == plan.Infrastructure.Name }); first >= 0 {
			errs = append(errs, fmt.Errorf("request %d: %q is request %d already", i+1, plan.Infrastructure.Name, first+1))
		}
	}
	return members, errors.Join(errs...)
}

// A Fleet is a list of infrastructures on its way.
type Fleet struct {
	client client.Client
	id     string
}

// StartFleet begins a fleet under that name, which no other may have meanwhile.
func StartFleet(ctx context.Context, c client.Client, queue, name string, f FleetRequest) (*Fleet, error) {
	if _, err := f.members(); err != nil {
		return nil, err
	}
	started, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: fleetID(name), TaskQueue: queue, WorkflowExecutionErrorWhenAlreadyStarted: true,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
	}, FleetName, f)
	if err != nil {
		return nil, fmt.Errorf("starting the fleet %s: %w", name, err)
	}
	return &Fleet{c, started.GetID()}, nil
}

func fleetID(name string) string { return "changeover-fleet/" + name }

// OpenFleet returns the fleet of that name. It asks nobody.
func OpenFleet(c client.Client, name string) *Fleet { return &Fleet{c, fleetID(name)} }

// Members says how each infrastructure stands.
func (f *Fleet) Members(ctx context.Context) (members []Member, err error) {
	got, err := f.client.QueryWorkflow(ctx, f.id, "", "fleet")
	if err == nil {
		err = got.Get(&members)
	}
	return members, err
}

// Wait waits until every infrastructure that was begun is over.
func (f *Fleet) Wait(ctx context.Context) (members []Member, err error) {
	err = f.client.GetWorkflow(ctx, f.id, "").Get(ctx, &members)
	return members, err
}

// Cancel has nothing more begun. What was begun goes on by itself.
func (f *Fleet) Cancel(ctx context.Context) error { return f.client.CancelWorkflow(ctx, f.id, "") }

// fleet is the workflow of a fleet.
func fleet(w workflow.Context, f FleetRequest) ([]Member, error) {
	members, err := f.members()
	if err != nil {
		return nil, nonRetryable(err)
	}
	if err := workflow.SetQueryHandler(w, "fleet", func() ([]Member, error) { return members, nil }); err != nil {
		return nil, err
	}
	free, over := f.Limit, 0
	alive, _ := workflow.NewDisconnectedContext(w) // what was begun is not canceled with the fleet
	for i := range members {
		if workflow.Await(w, func() bool { return free > 0 }) != nil {
			return members, w.Err()
		}
		free--
		members[i].Begun = true
		workflow.Go(alive, func(w workflow.Context) {
			defer func() { free++; over++ }()
			members[i].follow(w, f.Requests[i])
		})
	}
	err = workflow.Await(w, func() bool { return over == len(members) })
	return members, err
}

// follow begins the run and waits for its end.
func (m *Member) follow(w workflow.Context, request Request) {
	w = workflow.WithChildOptions(w, workflow.ChildWorkflowOptions{
		WorkflowID: WorkflowID(m.Infrastructure), ParentClosePolicy: enums.PARENT_CLOSE_POLICY_ABANDON,
		WorkflowIDReusePolicy: enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
	})
	var result Result
	if err := workflow.ExecuteChildWorkflow(w, WorkflowName, request).Get(w, &result); err != nil {
		m.Error = err.Error()
		return
	}
	m.Verdict = result.Verdict
}
