package contender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/monoprocess"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
)

// A GoWorkflows is cschleiden/go-workflows on its SQLite file, set up as in the
// benchmark that the project itself has.
type GoWorkflows struct {
	mark    atomic.Pointer[Mark]
	backend backend.Backend
	client  *client.Client
	worker  *worker.Worker
	cancel  context.CancelFunc
	runs    int
}

// Name implements [Contender].
func (*GoWorkflows) Name() string { return "go-workflows, SQLite" }

// Version implements [Contender].
func (*GoWorkflows) Version() string { return version("github.com/cschleiden/go-workflows") }

// Durable implements [Contender].
func (*GoWorkflows) Durable() bool { return true }

// Settings implements [Contender].
func (*GoWorkflows) Settings() string {
	return "SQLite file with journal_mode=WAL (its own choice) and synchronous=FULL (SQLite's default), one connection, " +
		"monoprocess backend, which wakes the worker instead of waiting for the next poll; otherwise worker.DefaultOptions"
}

// Start implements [Contender].
func (g *GoWorkflows) Start(ctx context.Context, dir string) (err error) {
	defer func() { // the backend reports what it cannot do by panicking
		if p := recover(); p != nil {
			err = fmt.Errorf("go-workflows panicked: %v", p)
		}
	}()
	g.backend = monoprocess.NewMonoprocessBackend(sqlite.NewSqliteBackend(filepath.Join(dir, "workflows.sqlite"),
		sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler)))))
	ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	g.worker = worker.New(g.backend, nil)
	if err := errors.Join(g.worker.RegisterWorkflow(g.Six), g.worker.RegisterActivity(g.Step)); err != nil {
		return err
	}
	g.client = client.New(g.backend)
	return g.worker.Start(ctx)
}

// Six is the workflow.
func (g *GoWorkflows) Six(ctx workflow.Context, instance int) (int, error) {
	for k := range Steps {
		if _, err := workflow.ExecuteActivity[int](ctx, workflow.DefaultActivityOptions, g.Step, instance, k).Get(ctx); err != nil {
			return 0, err
		}
	}
	return Steps, nil
}

// Step is the activity.
func (g *GoWorkflows) Step(_ context.Context, instance, k int) (int, error) {
	(*g.mark.Load())(instance, k, time.Now())
	return k + 1, nil
}

// RunInstances implements [Contender].
func (g *GoWorkflows) RunInstances(ctx context.Context, n, inFlight int, mark Mark) error {
	g.mark.Store(&mark)
	g.runs++
	return each(ctx, n, inFlight, func(ctx context.Context, i int) error {
		instance, err := g.client.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{
			InstanceID: fmt.Sprintf("instance-%d-of-run-%d", i, g.runs),
		}, g.Six, i)
		if err != nil {
			return err
		}
		done, err := client.GetWorkflowResult[int](ctx, g.client, instance, 10*time.Minute)
		if err == nil && done != Steps {
			err = fmt.Errorf("it ended after %d steps", done)
		}
		return err
	})
}

// Stop implements [Contender].
func (g *GoWorkflows) Stop() error {
	if g.cancel == nil {
		return nil
	}
	g.cancel()
	err := g.worker.WaitForCompletion()
	return errors.Join(err, g.backend.Close())
}
