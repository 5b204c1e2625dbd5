package pgjournal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
	"github.com/changeover-go/changeover/migration/journal"
)

func connect(t testing.TB, config *pgx.ConnConfig) *pgx.Conn {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
	return conn
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := pgjournal.Open(t.Context(), nil, "", &pgjournal.Options{Patience: -1, MaxBytes: -1})
	for _, says := range []string{"the configuration is nil", "the name is empty", "Patience is -1ns", "MaxBytes is -1"} {
		require.ErrorContains(t, err, says)
	}
	config := server.Config(t, "postgres")
	for name, says := range map[string]string{
		"a\x1bb": "control characters", "a\xffb": "not UTF-8", strings.Repeat("ä", 201): "has 201 characters: at most 200",
	} {
		_, err := pgjournal.Open(t.Context(), config, name, nil)
		require.ErrorContains(t, err, says)
		require.NotContains(t, err.Error(), "\x1b")
	}
}

func TestAServerThatWouldNotKeepItIsRefused(t *testing.T) {
	t.Parallel()
	unsafe := pgtest.Start(t, "fsync=off", "default_transaction_read_only=on")
	_, err := pgjournal.Open(t.Context(), unsafe.Config(t, "postgres"), "Acme", nil)
	require.ErrorIs(t, err, pgjournal.ErrUnsafe)
	require.ErrorIs(t, err, pgjournal.ErrReadOnly)
	require.ErrorContains(t, err, "set fsync=on")
	require.ErrorIs(t, pgjournal.Migrate(t.Context(), unsafe.Config(t, "postgres"), nil), pgjournal.ErrUnsafe)

	server.Exec(t, "postgres", "DROP DATABASE IF EXISTS latin", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
	_, err = pgjournal.Open(t.Context(), server.Config(t, "latin"), "Acme", nil)
	require.ErrorIs(t, err, pgjournal.ErrUnsafe)
	require.ErrorContains(t, err, "create one with the encoding UTF8")
}

func TestACommitThatDoesNotWaitForTheDiskIsMadeToWait(t *testing.T) {
	db := empty(t)
	require.NoError(t, pgjournal.Migrate(t.Context(), server.Config(t, db), nil))
	server.Exec(t, db, "ALTER DATABASE "+db+" SET synchronous_commit = off")
	s := open(t, server.Config(t, db), nil)
	before := flushes(t, db)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	require.Greater(t, flushes(t, db), before, "it is on the disk when Append returns")
}

// flushes is up to where the log of the server is on the disk, in bytes.
func flushes(t testing.TB, db string) int64 {
	return server.Ask(t, db, "SELECT (pg_current_wal_flush_lsn() - '0/0')::bigint")
}

func TestAReadOnlyServer(t *testing.T) {
	t.Parallel()
	t.Run("a role or database that may only read", func(t *testing.T) {
		db := empty(t)
		require.NoError(t, pgjournal.Migrate(t.Context(), server.Config(t, db), nil))
		s := open(t, server.Config(t, db), nil)
		require.NoError(t, s.Append(t.Context(), 0, noted(1, 2)...))
		require.NoError(t, s.Close())
		server.Exec(t, db, "ALTER DATABASE "+db+" SET default_transaction_read_only = on")
		_, err := pgjournal.Open(t.Context(), server.Config(t, db), "Acme", nil)
		require.ErrorIs(t, err, pgjournal.ErrReadOnly)
		require.ErrorContains(t, err, "default_transaction_read_only is on")
		all, err := collect(pgjournal.Read(t.Context(), server.Config(t, db), "Acme", nil))
		require.NoError(t, err)
		require.Equal(t, noted(1, 2), all)
	})
	t.Run("a hot standby can be read, and not written", func(t *testing.T) {
		const db = "postgres"
		primary := pgtest.Start(t) // with less to copy
		require.NoError(t, pgjournal.Migrate(t.Context(), primary.Config(t, db), nil))
		s := open(t, primary.Config(t, db), nil)
		require.NoError(t, s.Append(t.Context(), 0, noted(1, 2)...))
		standby := primary.Standby(t)
		_, err := pgjournal.Open(t.Context(), standby.Config(t, db), "Acme", nil)
		require.ErrorIs(t, err, pgjournal.ErrReadOnly)
		require.ErrorContains(t, err, "it is a standby: connect to the primary")
		all, err := collect(pgjournal.Read(t.Context(), standby.Config(t, db), "Acme", nil))
		require.NoError(t, err)
		require.Equal(t, noted(1, 2), all)
		report, err := pgjournal.Verify(t.Context(), standby.Config(t, db), "Acme", nil)
		require.NoError(t, err)
		require.EqualValues(t, 2, report.Entries)
	})
	t.Run("a server that becomes read-only while a journal is open", func(t *testing.T) {
		own := pgtest.Start(t)
		require.NoError(t, pgjournal.Migrate(t.Context(), own.Config(t, "postgres"), nil))
		s := open(t, own.Config(t, "postgres"), nil)
		require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
		own.Exec(t, "postgres", "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
		for own.Ask(t, "postgres", "SELECT (current_setting('default_transaction_read_only') = 'on')::int") == 0 {
		}
		var err error
		last := uint64(1)
		for err == nil { // until its session has heard of it
			if err = s.Append(t.Context(), last, noted(last+1, last+1)...); err == nil {
				last++
			}
		}
		require.ErrorIs(t, err, pgjournal.ErrReadOnly)
		require.ErrorContains(t, err, "nothing was stored")
		require.ErrorContains(t, err, "connect to the primary")
		report, err := pgjournal.Verify(t.Context(), own.Config(t, "postgres"), "Acme", nil)
		require.NoError(t, err)
		require.Equal(t, last, report.Entries)
	})
}

func TestAJournalThatIsFull(t *testing.T) {
	db := database(t)
	s := open(t, server.Config(t, db), &pgjournal.Options{MaxBytes: 2000})
	var err error
	last := uint64(0)
	for err == nil {
		if err = s.Append(t.Context(), last, noted(last+1, last+1)...); err == nil {
			last++
		}
	}
	require.ErrorIs(t, err, journal.ErrFull)
	bytes := server.Ask(t, db, "SELECT sum(octet_length(entry::text)) FROM changeover.entry")
	require.Equal(t, bytes, server.Ask(t, db, "SELECT bytes FROM changeover.journal"))
	require.LessOrEqual(t, bytes, int64(1000), "half of it is for the way back")
	require.NoError(t, s.ReleaseReserve())
	require.NoError(t, s.ReleaseReserve())
	err = nil
	for err == nil {
		if err = s.Append(t.Context(), last, noted(last+1, last+1)...); err == nil {
			last++
		}
	}
	require.ErrorIs(t, err, journal.ErrFull)
	bytes = server.Ask(t, db, "SELECT bytes FROM changeover.journal")
	require.LessOrEqual(t, bytes, int64(2000))
	require.Greater(t, bytes, int64(1700))
	holds(t, s, last)
}

// TestASlowServer has another session lock the row that an append changes.
func TestASlowServer(t *testing.T) {
	t.Run("an append that a deadline ends has stored nothing, if the server can still be asked", func(t *testing.T) {
		db := database(t)
		s := open(t, server.Config(t, db), nil)
		require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
		release := lockRow(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := s.Append(ctx, 1, noted(2, 2)...)
		require.ErrorContains(t, err, "nothing was stored")
		require.ErrorContains(t, err, "look for locks in pg_stat_activity")
		require.ErrorIs(t, s.Append(t.Context(), 1, noted(2, 2)...), journal.ErrClosed)
		release()
		again := open(t, server.Config(t, db), nil)
		holds(t, again, 1)
		require.NoError(t, again.Append(t.Context(), 1, noted(2, 2)...))
	})
	t.Run("the store's own patience ends it as well", func(t *testing.T) {
		db := database(t)
		s := open(t, server.Config(t, db), &pgjournal.Options{Patience: 200 * time.Millisecond})
		release := lockRow(t, db)
		require.ErrorContains(t, s.Append(t.Context(), 0, noted(1, 1)...), "nothing was stored")
		release()
	})
	t.Run("a caller that gives up does not end what has begun", func(t *testing.T) {
		db := database(t)
		s := open(t, server.Config(t, db), nil)
		release := lockRow(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Append(ctx, 0, noted(1, 1)...) }()
		waiting(t, db, 1)
		cancel()
		soon, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer stop()
		select {
		case err := <-done:
			require.Fail(t, "it was ended", "%v", err)
		case <-soon.Done():
		}
		release()
		require.NoError(t, <-done)
		holds(t, s, 1)
	})
	t.Run("a connection that is lost meanwhile leaves nothing that is committed later", func(t *testing.T) {
		db := database(t)
		proxy := pgtest.NewProxy(t, server)
		s := open(t, proxy.Config(t, db), nil)
		release := lockRow(t, db)
		proxy.Arm(pgtest.Cut{After: -1}, nil)
		done := make(chan error, 1)
		go func() { done <- s.Append(t.Context(), 0, noted(1, 1)...) }()
		waiting(t, db, 1)
		proxy.CutNow(true) // the server still waits for the row
		waiting(t, db, 1)  // now only the new session waits
		release()
		require.NoError(t, <-done)
		holds(t, s, 1)
	})
}

// TestASessionThatAnAdministratorEnds has the server end the session of a store,
// with an answer that says so.
func TestASessionThatAnAdministratorEnds(t *testing.T) {
	const end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'changeover'"
	db := database(t)
	s := open(t, server.Config(t, db), nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	t.Run("between two appends", func(t *testing.T) {
		server.Exec(t, db, end)
		require.NoError(t, s.Append(t.Context(), 1, noted(2, 2)...))
	})
	t.Run("during an append", func(t *testing.T) {
		release := lockRow(t, db)
		done := make(chan error, 1)
		go func() { done <- s.Append(t.Context(), 2, noted(3, 3)...) }()
		waiting(t, db, 1)
		server.Exec(t, db, end)
		waiting(t, db, 1) // the new session
		release()
		require.NoError(t, <-done)
	})
	holds(t, s, 3)
}

// lockRow locks the rows of all journals until release is called.
func lockRow(t *testing.T, db string) (release func()) {
	t.Helper()
	tx, err := connect(t, server.Config(t, db)).Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM changeover.journal FOR UPDATE")
	require.NoError(t, err)
	return func() { require.NoError(t, tx.Rollback(t.Context())) }
}

// waiting returns as soon as exactly n sessions of the database wait for a lock.
func waiting(t *testing.T, db string, n int64) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for server.Ask(t, db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") != n {
		require.NoError(t, limit.Err())
	}
}

func TestTooManyConnections(t *testing.T) {
	db := database(t)
	server.Exec(t, db, "DROP ROLE IF EXISTS limited", "CREATE ROLE limited LOGIN CONNECTION LIMIT 1", "GRANT ALL ON SCHEMA changeover TO limited", "GRANT ALL ON ALL TABLES IN SCHEMA changeover TO limited")
	config := server.Config(t, db, "user=limited")
	s := open(t, config, nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	_, err := collect(s.Read(t.Context()))
	require.ErrorContains(t, err, "too many connections")
	require.ErrorContains(t, err, "raise max_connections, or use fewer")
	_, err = pgjournal.Open(t.Context(), config, "Beta", nil)
	require.ErrorContains(t, err, "too many connections")
	require.NoError(t, s.Append(t.Context(), 1, noted(2, 2)...), "who has a connection goes on")
}

func TestAWrongPasswordIsNotPrinted(t *testing.T) {
	db := database(t)
	server.Exec(t, db, "DROP ROLE IF EXISTS secretive", "CREATE ROLE secretive LOGIN PASSWORD 'right-horse'", "GRANT ALL ON SCHEMA changeover TO secretive", "GRANT ALL ON ALL TABLES IN SCHEMA changeover TO secretive")
	server.AddRule(t, "local all secretive scram-sha-256")
	const wrong = "wrong-battery-staple"
	config := server.Config(t, db, "user=secretive", "password="+wrong)
	_, openErr := pgjournal.Open(t.Context(), config, "Acme", nil)
	_, readErr := collect(pgjournal.Read(t.Context(), config, "Acme", nil))
	_, _, holderErr := pgjournal.Holder(t.Context(), config, "Acme", nil)
	for _, err := range []error{openErr, readErr, holderErr, pgjournal.Migrate(t.Context(), config, nil)} {
		require.ErrorContains(t, err, "check user and password")
		for _, form := range []string{"%v", "%+v", "%#v", "%q"} {
			require.NotContains(t, fmt.Sprintf(form, err), wrong)
		}
		require.NotContains(t, err.Error(), "\n")
	}
	t.Run("one that is asked for before each connection can change", func(t *testing.T) {
		asked := 0
		opts := &pgjournal.Options{BeforeConnect: func(_ context.Context, c *pgx.ConnConfig) error {
			asked++
			c.Password = "right-horse"
			return nil
		}}
		s := open(t, config, opts)
		require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
		_, err := pgjournal.Verify(t.Context(), config, "Acme", opts)
		require.NoError(t, err)
		require.Equal(t, 2, asked)
		require.Equal(t, wrong, config.Password, "the caller's configuration is not changed")
	})
	t.Run("one that cannot be asked for is an error", func(t *testing.T) {
		opts := &pgjournal.Options{BeforeConnect: func(context.Context, *pgx.ConnConfig) error { return context.DeadlineExceeded }}
		_, err := pgjournal.Open(t.Context(), config, "Acme", opts)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "before connecting")
	})
}

func TestTextOfTheServerIsSafeToPrint(t *testing.T) {
	db := database(t)
	server.Exec(t, db, `CREATE FUNCTION changeover.shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION E'a\x1b[31m\u202eb\nc'; END $$`,
		`CREATE TRIGGER shout BEFORE INSERT ON changeover.entry FOR EACH ROW EXECUTE FUNCTION changeover.shout()`)
	s := open(t, server.Config(t, db), nil)
	err := s.Append(t.Context(), 0, noted(1, 1)...)
	require.ErrorContains(t, err, "nothing was stored")
	require.NotContains(t, err.Error(), "\x1b")
	require.NotContains(t, err.Error(), "\u202e")
	require.NotContains(t, err.Error(), "\n")
}
