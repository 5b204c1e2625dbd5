package pgjournal_test

import (
	"errors"
	"io/fs"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
)

// doors are the ways into a database.
func doors(t *testing.T, name string) map[string]func() error {
	config := server.Config(t, name)
	return map[string]func() error{
		"open": func() error {
			s, err := pgjournal.Open(t.Context(), config, "Acme", nil)
			if err == nil {
				err = s.Close()
			}
			return err
		},
		"read": func() error {
			_, err := collect(pgjournal.Read(t.Context(), config, "Acme", nil))
			return err
		},
		"verify": func() error {
			_, err := pgjournal.Verify(t.Context(), config, "Acme", nil)
			return err
		},
		"holder": func() error {
			_, _, err := pgjournal.Holder(t.Context(), config, "Acme", nil)
			return err
		},
	}
}

func TestTablesOfAnotherVersionAreRefused(t *testing.T) {
	for _, c := range []struct {
		name, change string
		want         error
		says         string
	}{
		{"there are none", "DROP SCHEMA changeover CASCADE", pgjournal.ErrOldSchema, "the database has version 0, this program needs version 1: run pgjournal.Migrate"},
		{"an older version", "DELETE FROM changeover.version", pgjournal.ErrOldSchema, "the database has version 0, this program needs version 1: run pgjournal.Migrate"},
		{"a newer version", "INSERT INTO changeover.version (version) VALUES (2)", pgjournal.ErrNewSchema, "the database has version 2, this program knows version 1: use the newer version"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := database(t)
			server.Exec(t, name, c.change)
			for door, enter := range doors(t, name) {
				err := enter()
				require.ErrorIs(t, err, c.want, door)
				require.ErrorContains(t, err, c.says, door)
			}
		})
	}
}

func TestMigrate(t *testing.T) {
	t.Run("what has the version already is left alone, without the right to create anything", func(t *testing.T) {
		name := database(t)
		open(t, server.Config(t, name), nil)
		server.Exec(t, name, "DROP ROLE IF EXISTS looker", "CREATE ROLE looker LOGIN", "GRANT USAGE ON SCHEMA changeover TO looker", "GRANT SELECT ON changeover.version TO looker")
		require.NoError(t, pgjournal.Migrate(t.Context(), server.Config(t, name, "user=looker"), nil))
		require.EqualValues(t, 1, server.Ask(t, name, "SELECT count(*) FROM changeover.journal"))
	})
	t.Run("several at once succeed, and one does it", func(t *testing.T) {
		name := empty(t)
		config := server.Config(t, name)
		errs := make([]error, 8)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = pgjournal.Migrate(t.Context(), config, nil) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
		require.EqualValues(t, 1, server.Ask(t, name, "SELECT count(*) FROM changeover.version"))
	})
	t.Run("it never goes back", func(t *testing.T) {
		name := database(t)
		server.Exec(t, name, "INSERT INTO changeover.version (version) VALUES (7)")
		require.ErrorIs(t, pgjournal.Migrate(t.Context(), server.Config(t, name), nil), pgjournal.ErrNewSchema)
		require.EqualValues(t, 2, server.Ask(t, name, "SELECT count(*) FROM changeover.version"))
	})
	t.Run("what fails leaves nothing behind", func(t *testing.T) {
		name := empty(t)
		server.Exec(t, name, "CREATE SCHEMA changeover", "CREATE TABLE changeover.entry (stray int)")
		require.ErrorContains(t, pgjournal.Migrate(t.Context(), server.Config(t, name), nil), "version 1: ")
		require.EqualValues(t, 1, server.Ask(t, name, "SELECT count(*) FROM pg_tables WHERE schemaname = 'changeover'"))
	})
	t.Run("versions count from 1, without gaps", func(t *testing.T) {
		files, err := fs.Glob(pgjournal.Migrations, "migrations/*")
		require.NoError(t, err)
		require.Equal(t, []string{"migrations/0001_journals.sql"}, files, "a new version is added here; a published one is never changed")
	})
}

// TestTheDocumentedPermissionsSuffice runs a journal with the GRANTs of the
// README, and shows that they let nobody change what was stored.
func TestTheDocumentedPermissionsSuffice(t *testing.T) {
	name := database(t)
	server.Exec(t, name, "DROP ROLE IF EXISTS changeover_writer", "DROP ROLE IF EXISTS changeover_reader", "CREATE ROLE changeover_writer LOGIN", "CREATE ROLE changeover_reader LOGIN")
	_, err := connect(t, server.Config(t, name)).PgConn().Exec(t.Context(), block(t, "grants")).ReadAll()
	require.NoError(t, err)
	writer, reader := server.Config(t, name, "user=changeover_writer"), server.Config(t, name, "user=changeover_reader")

	s := open(t, writer, nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 3)...))
	holds(t, s, 3)
	report, err := pgjournal.Verify(t.Context(), reader, "Acme", nil)
	require.NoError(t, err)
	require.EqualValues(t, 3, report.Entries)
	_, held, err := pgjournal.Holder(t.Context(), reader, "Acme", nil)
	require.NoError(t, err)
	require.True(t, held)

	for _, sql := range []string{
		"UPDATE changeover.entry SET epoch = 2", "DELETE FROM changeover.entry", "TRUNCATE changeover.entry",
		"DELETE FROM changeover.journal", "INSERT INTO changeover.version (version) VALUES (2)", "DROP TABLE changeover.entry",
	} {
		conn := connect(t, writer)
		_, err := conn.Exec(t.Context(), sql)
		require.ErrorContains(t, err, "42501", sql)
	}
	_, err = pgjournal.Open(t.Context(), reader, "Beta", nil)
	require.ErrorContains(t, err, "README of pgjournal lists under Permissions")
}
