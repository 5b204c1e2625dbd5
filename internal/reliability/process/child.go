//go:build linux

package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

const (
	variable = "CHANGEOVER_PROCESS" // has the part in JSON, in a child only
	socket   = 3                    // the descriptor that leads to the world
)

// A part is what a child is to play.
type part struct {
	Dir          string // has the state directory and the vaults
	Profile      string
	Environments int
	Verb         string // one of the verbs below
	Ballast      int64  // that the journal keeps back
	Traced       bool   // all work on files is to be seen in the main thread
}

// What a child does. All of them go on where a run has begun.
const (
	goOn     = "goOn"     // applies, or resumes
	rollBack = "rollBack" // rolls back
)

func (p part) plan() migration.Plan {
	plan := scene.Plan(p.Profile, p.Environments)
	plan.MinCopies = 2
	return plan
}

func (p part) state() string    { return p.Dir + "/state" }
func (p part) vaults() []string { return []string{p.Dir + "/one", p.Dir + "/two"} }

// Child plays the process under test, and ends the program, when the program
// was started for that; otherwise it returns at once. Programs that run the
// tiers of this package call it first.
func Child() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	if err := play(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(text string) error {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	if !p.Traced {
		return p.play(context.Background(), nil)
	}
	runtime.LockOSThread()
	if syscall.Gettid() != os.Getpid() {
		// The scheduler has moved us already; who traces the main thread would
		// see nothing.
		return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	on := make(thread)
	over := make(chan error)
	go func() { over <- p.play(context.Background(), on) }()
	for {
		select {
		case f := <-on:
			f()
		case err := <-over:
			return err
		}
	}
}

func (p part) play(ctx context.Context, on thread) (err error) {
	world := &remote{line: newLine(os.NewFile(socket, "world")), dead: func(err error) {
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			fmt.Fprintln(os.Stderr, "the world:", err)
		}
		os.Exit(1)
	}}
	var store *filejournal.Store
	var vault *filevault.Vault
	on.run(func() {
		if store, err = filejournal.Open(p.state(), &filejournal.Options{Ballast: p.Ballast}); err == nil {
			vault, err = filevault.Open(p.vaults(), nil)
		}
	})
	if err != nil {
		m := message{Do: refused, PID: os.Getpid(), Locked: errors.Is(err, journal.ErrLocked)}
		m.fail(err)
		world.ask(m)
		return nil
	}
	world.ask(message{Do: opened, PID: os.Getpid()})
	err = p.perform(ctx, world, tellingStore{store, on, world}, tellingVault{vault, on, world})
	world.ask(message{Do: closing})
	on.run(func() { err = errors.Join(err, vault.Close(), store.Close()) })
	return err
}

func (p part) perform(ctx context.Context, world *remote, store journal.Store, vault adapters.BackupVault) error {
	set := adapters.Set{Portal: world, ServiceCenter: world, LifeTime: world, Vault: vault, Support: world, Operator: world}
	c, err := changeover.New(p.plan(), set, store, &changeover.Options{Clock: world, Inline: true, User: "tester"})
	if err != nil {
		return err
	}
	r, err := p.begin(ctx, c)
	for {
		m := message{Do: ended}
		m.fail(err)
		if r != nil {
			m.Verdict, m.Hold = r.Verdict, r.Hold
		}
		found := world.ask(m).Resolve
		if len(found) == 0 {
			return nil
		}
		for _, f := range found {
			if err := c.Resolve(ctx, f.Env, migration.Resolution{By: "tester", Evidence: "looked", NotDone: f.NotDone}); err != nil {
				return fmt.Errorf("resolving %s: %w", f.Env, err)
			}
		}
		r, err = c.Resume(ctx)
	}
}

func (p part) begin(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
	if p.Verb == rollBack {
		r, err := c.RollBack(ctx, "tester", "to see")
		if !errors.Is(err, changeover.ErrNotBegun) {
			return r, err
		}
	}
	r, err := c.Apply(ctx)
	if errors.Is(err, changeover.ErrBegun) {
		r, err = c.Resume(ctx)
	}
	return r, err
}
