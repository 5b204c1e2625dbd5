//go:build linux

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// killsEach is how often each run of the example is killed.
const killsEach = 10

// quickstart kills the first example at random moments, as its readers may.
func quickstart(ctx context.Context, job *tier.Job) {
	program := filepath.Join(job.Dir, "quickstart")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/changeover-go/changeover/examples/quickstart")
	if out, err := build.CombinedOutput(); err != nil {
		job.Skip("quickstart", fmt.Sprintf("it cannot be built: %v: %s", err, bytes.TrimSpace(out)))
		return
	}
	memory, err := inMemory(job)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	defer os.RemoveAll(memory)
	took := map[string]time.Duration{}
	for _, way := range ways() {
		began := time.Now()
		if out, code, err := example(ctx, program, filepath.Join(memory, "model"+way), way, 0); err != nil || code != 0 {
			job.Fail("", "without interruption, the example ends with %d: %v: %s", code, err, out)
			return
		}
		took[way] = time.Since(began)
	}
	if job.Repeat != "" {
		n, err := strconv.ParseUint(job.Repeat, 10, 64)
		if err != nil {
			job.Fail("", "%q is no number of a run", job.Repeat)
			return
		}
		for i := range uint64(20) { // the scheduler plays too
			interrupting(ctx, job, program, filepath.Join(memory, strconv.FormatUint(i, 10)), took, n)
		}
		return
	}
	want := map[tier.Scale]int64{tier.Test: 1, tier.CI: 20}[job.Scale]
	job.Need("runs", want)
	job.Need("kills", want*killsEach/2)
	var runs counter
	each(ctx, job, func(n uint64) bool {
		interrupting(ctx, job, program, filepath.Join(memory, strconv.FormatUint(n, 10)), took, n)
		runs.add(1)
		return want == 0 || runs.value() < want
	})
}

// ways are the flags with which the example reaches its world: over HTTPS, which
// takes ten times as long, or directly.
func ways() []string { return []string{"-fake=false", "-fake=true"} }

// wired is how many runs go over HTTPS.
const wired = 2

// interrupting is one run, of the n-th seed: ten times it is killed, or comes to
// its end before that.
func interrupting(ctx context.Context, job *tier.Job, program, state string, took map[string]time.Duration, n uint64) {
	rng := rand.New(rand.NewPCG(n, 5))
	way := ways()[1]
	if n < job.Seed+wired {
		way = ways()[0]
	}
	fail := func(format string, args ...any) {
		job.Fail(strconv.FormatUint(n, 10), "run %d: %s", n, fmt.Sprintf(format, args...))
	}
	for range killsEach {
		// Mostly early, so that the run lasts for all ten.
		moment := 1 + time.Duration(rng.Int64N(1+rng.Int64N(int64(took[way]))))
		out, code, err := example(ctx, program, state, way, moment)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			fail("%v", err)
			return
		case code < 0:
			job.Add("kills", 1)
		case code != 0:
			fail("it ends with %d: %s", code, out)
			return
		}
	}
	out, code, err := example(ctx, program, state, way, 0)
	if ctx.Err() != nil {
		return
	}
	if err == nil {
		_, err = filejournal.Verify(context.WithoutCancel(ctx), state, nil)
	}
	if err != nil || code != 0 || !bytes.Contains(out, []byte("Completed")) {
		fail("killed ten times, it ends with %d: %v: %s", code, err, out)
	}
	job.Add("runs", 1)
}

// example runs the program until its end, or until it is killed at that moment;
// code is negative if it was.
func example(ctx context.Context, program, state, way string, moment time.Duration) (out []byte, code int, err error) {
	cmd := exec.CommandContext(ctx, program, "-state", state, way)
	var both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &both, &both
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	if moment > 0 {
		alarm := time.AfterFunc(moment, func() { _ = cmd.Process.Kill() })
		defer alarm.Stop()
	}
	err = cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return both.Bytes(), -1, nil
		}
		return both.Bytes(), exit.ExitCode(), nil
	}
	return both.Bytes(), 0, err
}
