package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/migration"
)

// A workerVerb is the verb worker.
type workerVerb struct {
	*program
	state    string
	postgres string
	pace     time.Duration
	database *pgx.ConnConfig // nil: journals are files
	fatal    func(error)     // ends the worker, when it can no longer answer
}

func worker(p *program, flags *flag.FlagSet) func(context.Context, client.Client, []string) (int, error) {
	w := &workerVerb{program: p, fatal: func(err error) {
		// What it was doing is noticed and taken up by the next one.
		fmt.Fprintln(p.errOut, "temporal worker:", err)
		os.Exit(1)
	}}
	flags.StringVar(&w.state, "state", "state", "keep journals and the simulated infrastructures in this `directory`")
	flags.StringVar(&w.postgres, "postgres", "", "keep journals in the PostgreSQL database of this `connection string` instead; the password is better in PGPASSWORD or ~/.pgpass")
	flags.DurationVar(&w.pace, "pace", 0, "let every call of the simulated infrastructure take twice this `time`")
	return w.work
}

func (w *workerVerb) work(ctx context.Context, c client.Client, _ []string) (int, error) {
	if w.postgres != "" {
		var err error
		if w.database, err = pgx.ParseConfig(w.postgres); err != nil {
			return 1, err
		}
		if err := pgjournal.Migrate(ctx, w.database, nil); err != nil {
			return 1, err
		}
	}
	workers, err := temporal.NewWorkers(c, w.queue, &temporal.Host{Ports: w.ports, Journal: w.journal}, sdk.Options{})
	if err != nil {
		return 1, err
	}
	if err := workers.Start(); err != nil {
		return 1, err
	}
	defer workers.Stop()
	fmt.Fprintf(w.out, "working for %s, queue %s; end with an interrupt\n", w.address, w.queue)
	<-ctx.Done()
	return 0, nil
}

// journal opens the journal of a changeover, for as long as it takes to read it
// or to append to it: the next entries may be another worker's to write.
func (w *workerVerb) journal(ctx context.Context, plan migration.Plan) (temporal.Journal, error) {
	if w.database != nil {
		return pgjournal.Open(ctx, w.database, plan.Infrastructure.Name, nil)
	}
	dir, err := w.place(plan)
	if err != nil {
		return nil, err
	}
	return filejournal.Open(dir+"/journal", nil)
}
