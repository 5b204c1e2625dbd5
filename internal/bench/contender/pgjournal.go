package contender

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/migration/journal"
)

// A PGJournal is changeover over a journal in PostgreSQL.
type PGJournal struct {
	Changeover
	postgres Postgres
}

// PostgresJournal returns a [PGJournal] with a server of its own.
func PostgresJournal() *PGJournal {
	p := &PGJournal{Changeover: Changeover{name: "changeover, pgjournal", durable: true}}
	p.open = p.connect
	return p
}

// Prepare implements [Preparer]: an installation has its database running.
func (p *PGJournal) Prepare(ctx context.Context, dir string) error { return p.postgres.Start(ctx, dir) }

func (p *PGJournal) connect(ctx context.Context, _ string) (journal.Store, error) {
	config, err := pgx.ParseConfig(p.postgres.DSN())
	if err != nil {
		return nil, err
	}
	found, err := p.postgres.Show(ctx, "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method", "shared_buffers")
	if err != nil {
		return nil, err
	}
	p.settings = "the engine over pgjournal.Open: PostgreSQL as initdb leaves it, over a Unix socket: " + found + "; one commit for each append"
	if err := pgjournal.Migrate(ctx, config, nil); err != nil {
		return nil, err
	}
	return pgjournal.Open(ctx, config, "bench", nil)
}

// Stop implements [Contender].
func (p *PGJournal) Stop() error { return errors.Join(p.Changeover.Stop(), p.postgres.Stop()) }
