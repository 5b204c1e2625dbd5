//go:build linux

package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
)

// An injection is what strace does to one system call.
type injection struct {
	call   string // what strace calls it
	action string // how strace says what is done to it
	n      int    // which of its calls in the main thread
}

const killing9 = "signal=SIGKILL"

// foundations are the calls on which the promises rest: a process is killed at
// every single one of them.
func foundations() []string { return []string{"fsync", "linkat", "pwrite64"} }

// injections are what is tried, the most important first.
func injections() []injection {
	var all []injection
	for _, call := range foundations() {
		all = append(all, injection{call: call, action: killing9})
	}
	for _, call := range append(foundations(), "write", "openat", "unlinkat", "ftruncate", "flock", "mkdirat", "fchmod", "fchmodat") {
		for _, action := range []string{killing9, "error=EIO", "error=ENOSPC", "error=EROFS", "error=EDQUOT"} {
			if action != killing9 || !slices.Contains(foundations(), call) {
				all = append(all, injection{call: call, action: action})
			}
		}
	}
	return all
}

// A traced is one trial: a scenario, and what happens to its first process.
type traced struct {
	model int
	injection
}

func (t traced) String() string {
	return fmt.Sprintf("%d/%s/%s/%d", t.model, t.call, t.action, t.n)
}

// figure is under what the trial is counted.
func (t traced) figure() string {
	if code, fails := strings.CutPrefix(t.action, "error="); fails {
		return "failed with " + code
	}
	if slices.Contains(foundations(), t.call) {
		return "killed at " + t.call
	}
	return "killed elsewhere"
}

func parseTraced(text string) (t traced, err error) {
	words := strings.Split(text, "/")
	if len(words) != 4 {
		return t, fmt.Errorf("%q names no trial", text)
	}
	t.call, t.action = words[1], words[2]
	if t.model, err = strconv.Atoi(words[0]); err != nil {
		return t, err
	}
	t.n, err = strconv.Atoi(words[3])
	return t, err
}

// tracer finds strace.
func tracer() (string, error) { return exec.LookPath("strace") }

// syscalls kills processes at, and lets fail, every system call on their files.
func syscalls(ctx context.Context, job *tier.Job) {
	if _, err := tracer(); err != nil {
		job.Skip("syscalls", "there is no strace")
		return
	}
	memory, err := inMemory(job)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	defer os.RemoveAll(memory)
	all, err := models(job, memory, []scenario{{migration.RefreshAndMove, 2, false}, {migration.RefreshAndMove, 2, true}})
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	if job.Repeat != "" {
		t, err := parseTraced(job.Repeat)
		if err != nil || t.model >= len(all) {
			job.Fail("", "%q names no trial: %v", job.Repeat, err)
			return
		}
		tracing(job, memory, all, t)
		return
	}
	// A sweep goes through all calls of one kind; in a test, only a few of them.
	// With other seeds, the others have their turn.
	type sweep struct {
		traced
		step int
	}
	var sweeps []sweep
	for model := range all {
		for i, in := range injections() {
			s := sweep{traced{model, in}, 1}
			switch {
			case job.Scale == tier.Test && (i > 5 || model > 0):
				continue
			case job.Scale == tier.Test:
				s.step = 97
			case i >= len(foundations()) && job.Scale != tier.Soak:
				s.step = 11
			}
			s.n = 1
			sweeps = append(sweeps, s)
		}
	}
	if job.Scale == tier.CI {
		job.Need("trials", 900)
		job.Need("killed at fsync", 200)
		job.Need("killed at linkat", 40)
		job.Need("killed at pwrite64", 150)
	}
	var at counter
	each(ctx, job, func(uint64) bool {
		at.add(1)
		i := int(at.value()) - 1
		if i >= len(sweeps) {
			return false
		}
		for s := sweeps[i]; ctx.Err() == nil && !job.Failed() && tracing(job, memory, all, s.traced); {
			if s.n == 1 { // the first is always tried
				s.n += int(job.Seed) % s.step
			}
			s.n += s.step
		}
		return true
	})
}

// tracing is one trial; hit says that there was such a call.
func tracing(job *tier.Job, parent string, all []model, t traced) (hit bool) {
	m := all[t.model]
	st, done, err := inPlace(job, parent, m.scenario)
	if err != nil {
		job.Fail("", "%v", err)
		return false
	}
	defer done()
	fail := func(err error) { job.Fail(t.String(), "%v, %v: %v", m.scenario, t.injection, err) }
	log := filepath.Join(st.part.Dir, "trace")
	a, err := st.start(goOn, script{prefix: []string{"strace", "-qq", "-y", "-o", log, "-e", "signal=none", "-e", "trace=" + t.call,
		"-e", fmt.Sprintf("inject=%s:%s:when=%d", t.call, t.action, t.n)}})
	if err != nil {
		fail(err)
		return false
	}
	killed, complaint := a.wait()
	b, err := os.ReadFile(log)
	if err != nil {
		fail(err)
		return false
	}
	if job.Repeat != "" {
		fmt.Fprintf(job.Out, "%s\nthe process ended %v (killed: %v, %v)\n", b, a, killed, complaint)
	}
	if t.action == killing9 {
		hit = killed
	} else {
		hit = bytes.Contains(b, []byte("(INJECTED)"))
	}
	if hit {
		job.Add("trials", 1)
		job.Add(t.figure(), 1)
	}
	switch { // that it ends with an error is a complaint, where one is due
	case complaint != nil && (killed || t.action == killing9):
		err = complaint
	case complaint == nil && hit && !killed:
		err = passedOver(a, string(b), m)
	}
	if err != nil {
		fail(err)
		return false
	}
	for range 3 {
		if a, err = st.start(goOn, script{}); err == nil {
			_, err = a.wait()
		}
		if err != nil || a.hold == nil {
			break
		}
	}
	if err == nil {
		err = st.judge(a, m.effects)
	}
	if err != nil {
		fail(err)
	}
	if job.Repeat != "" {
		fmt.Fprintln(job.Out, strings.Join(st.watch.Trace(), "\n"))
	}
	return hit
}

// passedOver says whether a process has gone on as if nothing had failed. A
// backup may be stored again, since it is looked at before it counts; what the
// journal was not able to do has to end the process.
func passedOver(a *actor, trace string, m model) error {
	if !a.quiet() {
		return nil
	}
	for line := range strings.Lines(trace) {
		if strings.Contains(line, "(INJECTED)") && (strings.Contains(line, "journal.jsonl") || strings.Contains(line, "HEAD")) {
			return fmt.Errorf("the process goes on although its journal has failed: %s", line)
		}
	}
	if a.verdict != m.ending() {
		return fmt.Errorf("the process does not say why it ended %v", a)
	}
	return nil
}
