package pgjournal_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
)

// server is the one server that most tests share, one after the other.
var server *pgtest.Server

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.New(pgtest.Memory()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := 1
	if err := server.Create("example"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	if err := server.Remove(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

var databases atomic.Int64

// empty makes a database of its own, without tables, in the shared server.
func empty(t testing.TB) (name string) {
	t.Helper()
	name = fmt.Sprintf("test%d", databases.Add(1))
	server.Exec(t, "postgres", "CREATE DATABASE "+name)
	return name
}

// database returns a database of the shared server that has new tables, until
// another test asks for it: to make databases takes long.
func database(t testing.TB) (name string) {
	t.Helper()
	server.Exec(t, "postgres", "DROP SCHEMA IF EXISTS changeover CASCADE")
	require.NoError(t, pgjournal.Migrate(t.Context(), server.Config(t, "postgres"), nil))
	return "postgres"
}

// open opens the journal called "Acme" until the test ends.
func open(t testing.TB, config *pgx.ConnConfig, opts *pgjournal.Options) *pgjournal.Store {
	t.Helper()
	s, err := pgjournal.Open(context.WithoutCancel(t.Context()), config, "Acme", opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// exampleServer is where the server of the example listens.
func exampleServer() string { return server.Dir() }
