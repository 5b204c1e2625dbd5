package contender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// A DBOS is dbos-transact-golang on PostgreSQL.
type DBOS struct {
	mark     atomic.Pointer[Mark]
	postgres Postgres
	ctx      dbos.Context
	settings string
	runs     int
}

// Name implements [Contender].
func (*DBOS) Name() string { return "DBOS, PostgreSQL" }

// Version implements [Contender].
func (*DBOS) Version() string { return version("github.com/dbos-inc/dbos-transact-golang") }

// Durable implements [Contender].
func (*DBOS) Durable() bool { return true }

// Settings implements [Contender].
func (d *DBOS) Settings() string { return d.settings }

// Prepare implements [Preparer]: an installation has its database running.
func (d *DBOS) Prepare(ctx context.Context, dir string) error { return d.postgres.Start(ctx, dir) }

// Start implements [Contender].
func (d *DBOS) Start(ctx context.Context, _ string) error {
	found, err := d.postgres.Show(ctx, "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers")
	if err != nil {
		return err
	}
	d.settings = "PostgreSQL as initdb leaves it, over a Unix socket: " + found + "; DBOS with its defaults: 20 connections, a checkpoint for each step"
	if d.ctx, err = dbos.NewContext(context.WithoutCancel(ctx), dbos.Config{
		DatabaseURL: d.postgres.DSN(), AppName: "bench", Logger: slog.New(slog.DiscardHandler),
	}); err != nil {
		return err
	}
	dbos.RegisterWorkflow(d.ctx, d.six)
	return dbos.Launch(d.ctx)
}

func (d *DBOS) six(ctx dbos.Context, instance int) (int, error) {
	for k := range Steps {
		if _, err := dbos.RunAsStep(ctx, func(context.Context) (int, error) {
			(*d.mark.Load())(instance, k, time.Now())
			return k + 1, nil
		}); err != nil {
			return 0, err
		}
	}
	return Steps, nil
}

// RunInstances implements [Contender].
func (d *DBOS) RunInstances(ctx context.Context, n, inFlight int, mark Mark) error {
	d.mark.Store(&mark)
	d.runs++
	return each(ctx, n, inFlight, func(_ context.Context, i int) error {
		handle, err := dbos.RunWorkflow(d.ctx, d.six, i, dbos.WithWorkflowID(fmt.Sprintf("instance-%d-of-run-%d", i, d.runs)))
		if err != nil {
			return err
		}
		done, err := handle.GetResult()
		if err == nil && done != Steps {
			err = fmt.Errorf("it ended after %d steps", done)
		}
		return err
	})
}

// Stop implements [Contender].
func (d *DBOS) Stop() error {
	var err error
	if d.ctx != nil {
		err = dbos.Shutdown(d.ctx, 10*time.Second)
	}
	return errors.Join(err, d.postgres.Stop())
}
