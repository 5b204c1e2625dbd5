package pgjournal

import (
	"context"
	"embed"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The statements of each version of the tables. Their names begin with the
// number of the version; what was published is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// lockClass sets the advisory locks of this package apart from those of others
// in the same database. The second half of the key is the ID of a journal, or 0
// for the tables themselves.
const lockClass = 0x63686e67

// Migrate brings the tables to the version of this program, in one transaction:
// those of an empty database as those of any earlier version. It does nothing
// when they have that version, and may be called by several processes at once.
// It never goes back; tables of a newer version are refused with [ErrNewSchema].
//
// Nothing calls it by itself: the role that keeps journals need not be allowed to
// create tables, and when tables change is for people to decide, since older
// programs refuse them from then on.
func Migrate(ctx context.Context, config *pgx.ConnConfig, opts *Options) error {
	if opts == nil {
		opts = new(Options)
	}
	s, err := connect(ctx, config, opts)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer s.end(ctx)
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := pgx.BeginFunc(ctx, s.Conn, func(tx pgx.Tx) error { return migrate(ctx, tx) }); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, tx pgx.Tx) error {
	// Until the transaction ends; whoever comes second finds it done.
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, 0)", lockClass); err != nil {
		return outside(err)
	}
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	found, err := version(ctx, tx)
	if err != nil && !errors.Is(err, ErrOldSchema) {
		return err
	}
	for n := found; n < len(files); n++ {
		sql, err := migrations.ReadFile("migrations/" + files[n].Name())
		if err != nil {
			return err
		}
		if _, err := tx.Conn().PgConn().Exec(ctx, string(sql)).ReadAll(); err != nil {
			return fmt.Errorf("version %d: %w", n+1, outside(err))
		}
		if _, err := tx.Exec(ctx, "INSERT INTO changeover.version (version) VALUES ($1)", n+1); err != nil {
			return fmt.Errorf("version %d: %w", n+1, outside(err))
		}
	}
	return nil
}

// queryer is a session or a transaction.
type queryer interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// version returns the version of the tables, and an error unless it is that of
// this program.
func version(ctx context.Context, q queryer) (found int, err error) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, err
	}
	var exists bool
	if err := q.QueryRow(ctx, "SELECT to_regclass('changeover.version') IS NOT NULL").Scan(&exists); err != nil {
		return 0, outside(err)
	}
	if exists {
		if err := q.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM changeover.version").Scan(&found); err != nil {
			return 0, outside(err)
		}
	}
	switch want := len(files); {
	case found < want:
		return found, fmt.Errorf("%w: the database has version %d, this program needs version %d: run pgjournal.Migrate", ErrOldSchema, found, want)
	case found > want:
		return found, fmt.Errorf("%w: the database has version %d, this program knows version %d: use the newer version of the program", ErrNewSchema, found, want)
	}
	return found, nil
}
