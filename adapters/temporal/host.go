package temporal

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Journal is a store that was opened for one append or one reading.
type Journal interface {
	journal.Store
	Close() error
}

// A Host is what the workers of a program bring. Its functions are called from
// several goroutines.
type Host struct {
	// Ports returns the adapters for a plan. A worker asks once for each plan.
	Ports func(migration.Plan) (adapters.Set, error)
	// Journal opens the journal of the plan's infrastructure. It is closed after
	// each use, since the next one may be another worker's. One that is in use
	// (journal.ErrLocked) is tried again for a while.
	Journal func(context.Context, migration.Plan) (Journal, error)
	// Extend is that of changeover.Options. It must be the same for all workers,
	// and for whoever starts runs.
	Extend func(leg migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts]
}

// Workers are the two workers of a process: one for the queue that all share,
// one for what only this process can do, since it has fetched the file.
type Workers struct{ shared, own worker.Worker }

// NewWorkers returns workers that were not started yet. options are for both.
func NewWorkers(c client.Client, queue string, h *Host, options worker.Options) (*Workers, error) {
	var errs []error
	if queue == "" {
		errs = append(errs, errors.New("the queue has no name"))
	}
	if h == nil || h.Ports == nil {
		errs = append(errs, errors.New("Host.Ports is nil: it returns the adapters for a plan"))
	}
	if h == nil || h.Journal == nil {
		errs = append(errs, errors.New("Host.Journal is nil: it opens the journal of a plan's infrastructure"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	own := queue + "/" + uuid.NewString()
	calls := newCalls(h, own)
	w := &Workers{shared: worker.New(c, queue, options)}
	options.DisableWorkflowWorker = true // calls only
	w.own = worker.New(c, own, options)
	h.register(w.shared, calls)
	calls.register(w.own)
	return w, nil
}

// registry is a worker, or what stands for one in tests.
type registry interface {
	RegisterWorkflowWithOptions(w any, options workflow.RegisterOptions)
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}

func (h *Host) register(on registry, c *calls) {
	on.RegisterWorkflowWithOptions(h.migration, workflow.RegisterOptions{Name: WorkflowName})
	on.RegisterWorkflowWithOptions(fleet, workflow.RegisterOptions{Name: FleetName})
	c.register(on)
}

func (c *calls) register(on interface {
	RegisterActivityWithOptions(a any, options activity.RegisterOptions)
}) {
	for _, method := range methods {
		on.RegisterActivityWithOptions(c.Do, activity.RegisterOptions{Name: activityName(method)})
	}
}

// Start begins to work, until Stop.
func (w *Workers) Start() error {
	if err := w.shared.Start(); err != nil {
		return err
	}
	err := w.own.Start()
	if err != nil {
		w.shared.Stop()
	}
	return err
}

// Stop lets what is under way come to its end, for as long as the workers'
// options say.
func (w *Workers) Stop() {
	w.shared.Stop()
	w.own.Stop()
}
