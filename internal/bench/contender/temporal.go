package contender

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A Temporal is a Temporal server in one process with its worker and client:
// the program in the module ./temporal.
type Temporal struct {
	// Program is where the program is built already; empty: Prepare builds it
	// from Module.
	Program string
	// Module is the folder of its module.
	Module string

	cmd       *exec.Cmd
	in        io.WriteCloser
	out       *json.Decoder
	ready     temporalAnswer
	allocated Allocation
}

// temporalAnswer is what the program says; see its package comment.
type temporalAnswer struct {
	Version  string         `json:"version"`
	Settings string         `json:"settings"`
	Error    string         `json:"error"`
	Marks    [][Steps]int64 `json:"marks"`
	Mallocs  uint64         `json:"mallocs"`
	Bytes    uint64         `json:"bytes"`
}

// An Allocation is what a run has allocated on the heap.
type Allocation struct{ Mallocs, Bytes uint64 }

// An Allocator is a [Contender] whose work is done in another process, so that
// it has to say for itself what the last run has allocated.
type Allocator interface{ Allocated() Allocation }

// Name implements [Contender].
func (*Temporal) Name() string { return "Temporal in one process, SQLite" }

// Version implements [Contender].
func (t *Temporal) Version() string { return t.ready.Version }

// Durable implements [Contender].
func (*Temporal) Durable() bool { return true }

// Settings implements [Contender].
func (t *Temporal) Settings() string { return t.ready.Settings }

// Allocated implements [Allocator].
func (t *Temporal) Allocated() Allocation { return t.allocated }

// Prepare implements [Preparer]: it builds the program.
func (t *Temporal) Prepare(ctx context.Context, dir string) error {
	if t.Program != "" {
		return nil
	}
	program := filepath.Join(dir, "temporal.exe")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = t.Module
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w: %s", t.Module, err, said)
	}
	t.Program = program
	return nil
}

// Start implements [Contender].
func (t *Temporal) Start(ctx context.Context, dir string) error {
	t.cmd = exec.CommandContext(context.WithoutCancel(ctx), t.Program, dir)
	t.cmd.Stderr = os.Stderr
	in, err1 := t.cmd.StdinPipe()
	out, err2 := t.cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	t.in, t.out = in, json.NewDecoder(out)
	if err := t.cmd.Start(); err != nil {
		t.cmd = nil
		return err
	}
	return t.out.Decode(&t.ready)
}

// RunInstances implements [Contender].
func (t *Temporal) RunInstances(_ context.Context, n, inFlight int, mark Mark) error {
	if err := json.NewEncoder(t.in).Encode(map[string]int{"instances": n, "inFlight": inFlight}); err != nil {
		return err
	}
	var a temporalAnswer
	if err := t.out.Decode(&a); err != nil {
		return err
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	for i, steps := range a.Marks {
		for k, at := range steps {
			if at == 0 {
				return fmt.Errorf("instance %d ended before step %d", i, k+1)
			}
			mark(i, k, time.Unix(0, at))
		}
	}
	t.allocated = Allocation{a.Mallocs, a.Bytes}
	return nil
}

// Stop implements [Contender].
func (t *Temporal) Stop() error {
	if t.cmd == nil {
		return nil
	}
	err := t.in.Close() // ends it
	timer := time.AfterFunc(time.Minute, func() { _ = t.cmd.Process.Kill() })
	defer timer.Stop()
	return errors.Join(err, t.cmd.Wait())
}
