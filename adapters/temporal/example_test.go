package temporal_test

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/migration"
)

// work carries out what is started on the queue, until ctx ends. ports returns
// your adapters for a plan.
func work(ctx context.Context, c client.Client, ports func(migration.Plan) (adapters.Set, error)) error {
	workers, err := temporal.NewWorkers(c, "changeover", &temporal.Host{
		Ports: ports,
		Journal: func(_ context.Context, p migration.Plan) (temporal.Journal, error) {
			return filejournal.Open("journals/"+p.Infrastructure.Name, nil) // pgjournal.Open, with workers on several machines
		},
	}, worker.Options{})
	if err != nil {
		return err
	}
	if err := workers.Start(); err != nil {
		return err
	}
	defer workers.Stop()
	<-ctx.Done()
	return nil
}

// move starts the changeover of a plan and waits for its end: in another
// program, or on another machine.
func move(ctx context.Context, c client.Client, plan migration.Plan) error {
	run, err := temporal.Start(ctx, c, "changeover", plan, &temporal.StartOptions{User: "ada", Ask: temporal.AskUpdate})
	if err != nil {
		return err // everything that is wrong with the plan, or it is under way already
	}
	result, err := run.Wait(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d entries in the journal\n", result.Verdict, result.Entries)
	return nil
}

// agree answers what a changeover asks, with temporal.AskUpdate: meanwhile, and
// from anywhere.
func agree(ctx context.Context, c client.Client, infrastructure string) error {
	run := temporal.Open(c, infrastructure)
	questions, err := run.Questions(ctx)
	if err != nil {
		return err
	}
	for _, q := range questions {
		if err := run.Answer(ctx, q.ID, "ada", "agreed by the change board", false); err != nil {
			return err
		}
	}
	return nil
}

// All sides of a changeover on a Temporal server.
func Example() {
	_, _, _ = work, move, agree // they need a server: go run -C examples/temporal/local .
}
