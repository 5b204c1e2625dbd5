package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A Server is a PostgreSQL server that listens on a Unix socket only. Its user
// is "admin".
type Server struct {
	bin, dir string
	options  []string // setting=value
}

// Start makes a cluster and starts it, with settings such as
// "max_connections=3". The server ends with the test, and its files are removed.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	return StartIn(t, Memory(), settings...)
}

// StartIn is Start with the cluster below a directory; empty: that for temporary
// files.
func StartIn(t testing.TB, dir string, settings ...string) *Server {
	t.Helper()
	s, err := New(dir, settings...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Remove()) })
	return s
}

// Memory returns a directory of a disk in memory, on which a sync takes no time,
// if there is one with room enough; else the empty string.
func Memory() string {
	const dir, enough = "/dev/shm", 2 << 30
	if room(dir) < enough {
		return ""
	}
	return dir
}

// New is StartIn for those who have no test yet. They call Remove.
func New(below string, settings ...string) (s *Server, err error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	// The name of a socket may not be long, and t.TempDir is.
	dir, err := os.MkdirTemp(below, "pg")
	if err != nil {
		return nil, err
	}
	s = &Server{bin: filepath.Dir(initdb), dir: dir, options: settings}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	if err := Give(dir); err != nil {
		return nil, err
	}
	if err := s.run("initdb", "-D", s.data(), "-U", "admin", "-A", "trust", "-E", "UTF8", "--no-locale", "-N"); err != nil {
		return nil, err
	}
	return s, s.Start()
}

// find returns where a program of the server is: on the PATH, or where Debian
// keeps each version's, the newest first.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return filepath.EvalSymlinks(path)
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL server is installed: %s is neither on the PATH nor below /usr/lib/postgresql; install the package postgresql, version 14 or later", name)
	}
	return slices.Max(found), nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Start starts the server, which was stopped or killed. After a kill the last of
// its processes may not have ended yet; then it tries again.
func (s *Server) Start() error {
	options := "-c listen_addresses='' -c autovacuum=off -c checkpoint_timeout=1h -c unix_socket_directories=" + s.dir
	for _, o := range s.options {
		options += " -c " + o
	}
	var err error
	for range 20 {
		if err = s.run("pg_ctl", "-D", s.data(), "-w", "-t", "30", "-l", filepath.Join(s.dir, "log"), "-o", options, "start"); err == nil {
			return nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("%w\n%s", err, log[max(0, len(log)-4000):])
}

// Stop ends the server, in the mode "fast" or "immediate".
func (s *Server) Stop(mode string) error {
	return s.run("pg_ctl", "-D", s.data(), "-w", "-m", mode, "stop")
}

// Kill ends all processes of the server with SIGKILL: the first one, and those
// that it has started, which would go on for a moment.
func (s *Server) Kill() error {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		return err
	}
	started, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		return err
	}
	if err := kill(first); err != nil {
		return err
	}
	for _, field := range strings.Fields(string(started)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		_ = kill(pid) // unless it has ended
	}
	return nil
}

// Remove stops the server and removes its files.
func (s *Server) Remove() error {
	_ = s.Stop("immediate") // unless it is stopped already
	return os.RemoveAll(s.dir)
}

// Standby copies the server while it runs and starts the copy as its hot standby.
func (s *Server) Standby(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp(Memory(), "pg")
	require.NoError(t, err)
	require.NoError(t, Give(dir))
	copied := &Server{bin: s.bin, dir: dir}
	t.Cleanup(func() { require.NoError(t, copied.Remove()) })
	require.NoError(t, s.run("pg_basebackup", "-h", s.dir, "-U", "admin", "-D", copied.data(), "-R", "-c", "fast", "-N"))
	require.NoError(t, copied.Start())
	return copied
}

// AddRule puts a line before all others of pg_hba.conf, which says who may
// connect and how.
func (s *Server) AddRule(t testing.TB, line string) {
	t.Helper()
	name := filepath.Join(s.data(), "pg_hba.conf")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, append([]byte(line+"\n"), text...), 0o600))
	require.NoError(t, s.run("pg_ctl", "-D", s.data(), "reload"))
}

// Config says how to connect to a database, with more words of a connection
// string, such as "user=writer".
func (s *Server) Config(t testing.TB, database string, more ...string) *pgx.ConnConfig {
	t.Helper()
	return Parse(t, append([]string{"host=" + s.dir, "user=admin", "sslmode=disable", "dbname=" + database}, more...)...)
}

// Create makes a database, for those who have no test yet.
func (s *Server) Create(database string) error {
	return s.run("createdb", "-h", s.dir, "-U", "admin", database)
}

// Dir returns the directory of the socket, which stands for a host.
func (s *Server) Dir() string { return s.dir }

// Socket returns the name of the socket of the server.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Parse reads a connection string, given in words.
func Parse(t testing.TB, words ...string) *pgx.ConnConfig {
	t.Helper()
	c, err := pgx.ParseConfig(strings.Join(words, " "))
	require.NoError(t, err)
	return c
}

// Exec runs statements, each in a transaction of its own, as the user "admin".
func (s *Server) Exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.ConnectConfig(ctx, s.Config(t, database))
	require.NoError(t, err)
	defer conn.Close(ctx)
	for _, sql := range statements {
		_, err := conn.Exec(ctx, sql)
		require.NoError(t, err, sql)
	}
}

// Ask returns the number that a query answers with.
func (s *Server) Ask(t testing.TB, database, sql string) (n int64) {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), s.Config(t, database))
	require.NoError(t, err)
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&n), sql)
	return n
}

// run runs a program of the server's as its owner. Its output goes to a file,
// since the server that pg_ctl leaves behind keeps it open.
func (s *Server) run(name string, args ...string) error {
	out, err := os.CreateTemp("", "pg")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, out, out
	if err := unprivileged(cmd); err != nil {
		return err
	}
	if err := cmd.Run(); err != nil {
		_, _ = out.Seek(0, io.SeekStart)
		said, _ := io.ReadAll(out)
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(said))
	}
	return nil
}
