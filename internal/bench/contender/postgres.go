package contender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Postgres is a PostgreSQL server of its own, in a directory of its own, that
// listens on a Unix socket only.
type Postgres struct {
	bin, data, socket string
	running           bool
}

// Start makes a cluster in dir with initdb and starts it. A server does not
// run as root: then the cluster is the user postgres's, or nobody's.
func (p *Postgres) Start(ctx context.Context, dir string) error {
	initdb, err := findPostgres("initdb")
	if err != nil {
		return err
	}
	p.bin = filepath.Dir(initdb)
	p.data = filepath.Join(dir, "cluster")
	// The name of a socket may not be long, and dir may be.
	if p.socket, err = os.MkdirTemp("", "pg"); err != nil {
		return err
	}
	if err := os.Mkdir(p.data, 0o700); err != nil {
		return err
	}
	for _, own := range []string{p.data, p.socket} {
		if err := give(own); err != nil {
			return err
		}
	}
	if err := p.command(ctx, "initdb", "-D", p.data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"); err != nil {
		return err
	}
	options := fmt.Sprintf("-c listen_addresses='' -c unix_socket_directories='%s'", p.socket)
	if err := p.command(ctx, "pg_ctl", "-D", p.data, "-w", "-t", "60", "-l", filepath.Join(p.data, "log"), "-o", options, "start"); err != nil {
		return err
	}
	p.running = true
	return nil
}

// findPostgres returns where a program of the PostgreSQL server is: on the
// PATH, or where Debian keeps each version's, the newest first.
func findPostgres(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL server is installed: %s is neither on the PATH nor below /usr/lib/postgresql", name)
	}
	return slices.Max(found), nil
}

// command runs a program of the server's as the cluster's owner. Its output
// goes to a file, since the server that pg_ctl leaves behind keeps it open.
func (p *Postgres) command(ctx context.Context, name string, args ...string) error {
	out, err := os.CreateTemp("", "pg")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.data, out, out
	if err := unprivileged(cmd); err != nil {
		return err
	}
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(said))
	}
	return nil
}

// DSN says how to connect.
func (p *Postgres) DSN() string {
	return fmt.Sprintf("host=%s user=bench dbname=postgres sslmode=disable", p.socket)
}

// Show returns settings of the server, as it states them.
func (p *Postgres) Show(ctx context.Context, names ...string) (string, error) {
	conn, err := pgx.Connect(ctx, p.DSN())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	var shown []string
	for _, name := range names {
		var value string
		if err := conn.QueryRow(ctx, "SHOW "+name).Scan(&value); err != nil {
			return "", err
		}
		shown = append(shown, name+"="+value)
	}
	return strings.Join(shown, ", "), nil
}

// Stop ends the server.
func (p *Postgres) Stop() error {
	var err error
	if p.running {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = p.command(ctx, "pg_ctl", "-D", p.data, "-w", "-m", "fast", "stop")
		p.running = false
	}
	if p.socket != "" {
		err = errors.Join(err, os.RemoveAll(p.socket))
	}
	return err
}
