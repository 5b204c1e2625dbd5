//go:build linux

package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
)

// power cuts the power of disks.
func power(ctx context.Context, job *tier.Job) {
	if why := noDisks(job); why != "" {
		job.Skip("power", why)
		return
	}
	all, err := models(job, job.Dir, []scenario{{migration.Published, 2, false}, {migration.RefreshAndMove, 2, true}})
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	if job.Repeat != "" {
		kind, number, _ := strings.Cut(job.Repeat, "/")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil || sizes[kind] == 0 {
			job.Fail("", "%q names no cut", job.Repeat)
			return
		}
		cutting(ctx, job, all, kind, "", []uint64{n})
		return
	}
	want := map[tier.Scale]map[string]int64{tier.Test: {"ext4": 2, "xfs": 2}, tier.CI: {"ext4": 60, "xfs": 150}}[job.Scale]
	var disks sync.WaitGroup
	for _, kind := range []string{"ext4", "xfs"} {
		job.Need("cuts of "+kind, want[kind])
		disks.Go(func() {
			var seeds []uint64
			many := want[kind]
			if job.Scale == tier.Soak {
				many = 1 << 20 // the context ends it
			}
			for n := range many {
				seeds = append(seeds, job.Seed+uint64(n))
			}
			cutting(ctx, job, all, kind, "", seeds)
		})
	}
	disks.Wait()
	if job.Scale != tier.Test && !job.Failed() && ctx.Err() == nil {
		control(ctx, job, all)
	}
}

// noDisks says why no disk can be made here; empty if one can.
func noDisks(job *tier.Job) string {
	if os.Geteuid() != 0 {
		return "only root can mount disks"
	}
	for _, program := range []string{"strace", "mount", "mkfs.ext4", "mkfs.xfs"} {
		if _, err := exec.LookPath(program); err != nil {
			return "there is no " + program
		}
	}
	if err := sweepUp(); err != nil {
		return "what an earlier run left cannot be unmounted: " + err.Error()
	}
	d, err := newDisk(job, "ext4")
	if d != nil {
		err = errors.Join(err, d.close())
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// cutting plays one run for each seed on a disk whose power is cut once or
// twice in the middle of it.
func cutting(ctx context.Context, job *tier.Job, all []model, kind, program string, seeds []uint64) {
	d, err := newDisk(job, kind)
	if err != nil {
		job.Fail("", "%v", err)
	}
	if d == nil {
		return
	}
	defer func() {
		if err := d.close(); err != nil {
			job.Fail("", "%v", err)
		}
	}()
	for _, n := range seeds {
		if err != nil || ctx.Err() != nil || job.Failed() {
			return
		}
		rng := rand.New(rand.NewPCG(n, 2))
		m := all[rng.IntN(len(all))]
		st, err := d.cutOnce(job, rng, m, n, program)
		if err != nil {
			job.Fail(fmt.Sprintf("%s/%d", kind, n), "%v on %s, cut %d: %v", m.scenario, kind, n, err)
		}
		if job.Repeat != "" && st != nil {
			fmt.Fprintln(job.Out, strings.Join(st.watch.Trace(), "\n"))
		}
	}
}

// cutOnce plays one run. A process or two die, and the power goes with them.
func (d *disk) cutOnce(job *tier.Job, rng *rand.Rand, m model, n uint64, program string) (*stage, error) {
	dir := filepath.Join(d.at, fmt.Sprintf("run%d", n))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := syncDirectory(d.at); err != nil {
		return nil, err
	}
	st, err := newStage(job, m.scenario, dir)
	if err != nil {
		return nil, err
	}
	for range 1 + rng.IntN(2) {
		sc, when := lastMoment(rng, m)
		sc.program = program
		a, err := st.start(goOn, sc)
		if err != nil {
			return st, err
		}
		if _, err := a.wait(); err != nil {
			return st, err
		}
		if err := d.cut(); err != nil {
			return st, err
		}
		job.Add("cuts of "+d.kind, 1)
		if err := st.check(); err != nil {
			return st, fmt.Errorf("after the power was cut %s: %w", when, err)
		}
	}
	a, err := st.start(goOn, script{program: program})
	if err != nil {
		return st, err
	}
	if _, err := a.wait(); err != nil {
		return st, err
	}
	if err := st.judge(a, m.effects); err != nil {
		return st, err
	}
	return st, os.RemoveAll(dir)
}

// lastMoment says when the process dies: instead of waiting for the disk, early,
// when everything is created, or any time; or just after it has said that
// something is durable, when nothing that comes later has made it so.
func lastMoment(rng *rand.Rand, m model) (sc script, when string) {
	at, word := 1+rng.IntN(12), ""
	switch rng.IntN(4) {
	case 0:
		at = 1 + rng.IntN(m.messages)
	case 1:
		at, word = 1+rng.IntN(4), stored
	case 2:
		at, word = 1+rng.IntN(m.messages), appended
	}
	if word == "" {
		return script{prefix: []string{"strace", "-qq", "-o", "/dev/null", "-e", "signal=none", "-e", "trace=fsync",
			"-e", fmt.Sprintf("inject=fsync:%s:when=%d", killing9, at)}}, fmt.Sprintf("at the %d. wait for the disk", at)
	}
	left := at
	return script{at: func(a *actor, _ int, m *message, done bool) bool {
		if m.Do == word && done {
			left--
		}
		if left > 0 {
			return true
		}
		a.kill()
		return false
	}}, fmt.Sprintf("after %q was said for the %d. time", word, at)
}

func syncDirectory(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// An oversight is a line that makes something durable, and what stands in its
// place in a program that forgets it.
type oversight struct{ forgets, file, right, wrong string }

func oversights() []oversight {
	return []oversight{
		{"names", "internal/disk/os.go", "return errors.Join(f.Sync(), f.Close())", "return f.Close()"},
		{"appends", "adapters/filejournal/store.go", "if err := s.journal.Sync(); err != nil {", "if err := error(nil); err != nil {"},
	}
}

// control is the tier's own test: a program that does not make the names in its
// directories durable must be found out, and so must one that does not wait for
// what it appends.
func control(ctx context.Context, job *tier.Job, all []model) {
	for _, o := range oversights() {
		program, why, err := forgetful(ctx, job.Dir, o)
		if why != "" {
			job.Skip("control", why)
			return
		}
		if err != nil && ctx.Err() == nil {
			job.Fail("", "the negative control: %v", err)
		}
		if err != nil {
			return
		}
		for _, kind := range []string{"ext4", "xfs"} {
			trial := &tier.Job{Scale: job.Scale, Seed: job.Seed, Workers: 1, Dir: job.Dir, Out: job.Out}
			var seeds []uint64
			for n := range uint64(40) {
				seeds = append(seeds, job.Seed+n)
			}
			cutting(ctx, trial, all, kind, program, seeds)
			var cuts int64
			for _, c := range trial.Counts() {
				cuts += c.N
			}
			job.Add(fmt.Sprintf("cuts until %s finds out who does not sync %s", kind, o.forgets), cuts)
			found := trial.Failures()
			switch {
			case ctx.Err() != nil:
			case len(found) == 0:
				job.Fail("", "a program that does not sync its %s passes %d cuts of %s", o.forgets, cuts, kind)
			case !strings.Contains(found[0].What, "lost") && !strings.Contains(found[0].What, "the journal was cut"):
				job.Fail("", "a program that does not sync its %s fails on %s for another reason: %s", o.forgets, kind, found[0].What)
			}
		}
	}
}

// forgetful builds a program that plays the process under test, with an
// oversight. why says why it cannot be built here.
func forgetful(ctx context.Context, dir string, o oversight) (program, why string, err error) {
	gomod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	module := filepath.Dir(strings.TrimSpace(string(gomod)))
	source := filepath.Join(module, filepath.FromSlash(o.file))
	text, readErr := os.ReadFile(source)
	if err != nil || readErr != nil {
		return "", "there is no go command, or not the source", nil
	}
	if strings.Count(string(text), o.right) != 1 {
		return "", "", fmt.Errorf("%s does not have the line %q once", source, o.right)
	}
	program = filepath.Join(dir, "forgetful-"+o.forgets)
	changed, main := program+".changed.go", program+".main.go"
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		source: changed,
		filepath.Join(module, "internal", "reliability", "process", "forgetful", "main.go"): main, // it is there for this build only
	}})
	if err != nil {
		return "", "", err
	}
	for path, content := range map[string]string{
		changed:           strings.Replace(string(text), o.right, o.wrong, 1),
		main:              forgetfulMain,
		program + ".json": string(overlay),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			return "", "", err
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-overlay", program+".json", "-o", program, "./internal/reliability/process/forgetful")
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("%w: %s", err, out)
	}
	return program, "", nil
}

const forgetfulMain = `package main

import "github.com/changeover-go/changeover/internal/reliability/process"

func main() { process.Child() }
`
