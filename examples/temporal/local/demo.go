package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

//go:embed plan.json
var examplePlan []byte

// demonstrate moves a simulated infrastructure on a server and with a worker of
// its own, and prints what happens.
func demonstrate(ctx context.Context, dir, address string, out io.Writer) (err error) {
	plan, err := migration.ReadPlan(bytes.NewReader(examplePlan))
	if err != nil {
		return err
	}
	s, err := startServer(filepath.Join(dir, "temporal.sqlite"), address, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	c, err := client.DialContext(ctx, client.Options{
		HostPort: s.address, Namespace: namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer c.Close()

	// A worker, with the ports and the journal of the infrastructure.
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	workers, err := temporal.NewWorkers(c, "changeover", &temporal.Host{
		Ports: func(migration.Plan) (adapters.Set, error) { return world.Set(), nil },
		Journal: func(context.Context, migration.Plan) (temporal.Journal, error) {
			store, err := filejournal.Open(filepath.Join(dir, "journal"), nil)
			return telling{store, out}, err
		},
	}, worker.Options{})
	if err != nil {
		return err
	}
	if err := workers.Start(); err != nil {
		return err
	}
	defer workers.Stop()

	run, err := temporal.Start(ctx, c, "changeover", plan, nil)
	if err != nil {
		return err
	}
	result, err := run.Wait(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%s: %s\n", plan.Infrastructure.Name, result.Verdict)
	return nil
}

// telling is a journal that tells what is written into it.
type telling struct {
	temporal.Journal
	out io.Writer
}

// Append implements journal.Store.
func (t telling) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	err := t.Journal.Append(ctx, after, entries...)
	for _, e := range entries {
		if err == nil && e.Kind != journal.Intent && e.Kind != journal.Noted {
			fmt.Fprintln(t.out, report.Sentence(e))
		}
	}
	return err
}
