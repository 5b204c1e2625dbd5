//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// What becomes of a disk.
var shortages = []string{"no room", "no room, and back", "no files", "read-only"}

// full lets processes run out of disk.
func full(ctx context.Context, job *tier.Job) {
	if os.Geteuid() != 0 {
		job.Skip("full", "only root can mount disks")
		return
	}
	if err := sweepUp(); err != nil {
		job.Fail("", "what an earlier run left cannot be unmounted: %v", err)
		return
	}
	at, err := mountMemory(job, 1, 100)
	if err != nil {
		job.Skip("full", "no disk can be mounted: "+err.Error())
		return
	}
	if err := unmountMemory(at); err != nil {
		job.Fail("", "%v", err)
		return
	}
	memory, err := inMemory(job)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	defer os.RemoveAll(memory)
	all, err := models(job, memory, []scenario{{migration.RefreshAndMove, 2, false}, {migration.Published, 2, false}, {migration.RefreshAndMove, 2, true}})
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	if job.Repeat != "" {
		n, err := strconv.ParseUint(job.Repeat, 10, 64)
		if err != nil {
			job.Fail("", "%q is no number of a run", job.Repeat)
			return
		}
		starving(job, all, n)
		return
	}
	want := map[tier.Scale]int64{tier.Test: 8, tier.CI: 200}[job.Scale]
	job.Need("runs", want)
	for _, s := range shortages {
		job.Need(s, want/8)
	}
	job.Need("rolled back on a full disk", want/20)
	var runs counter
	each(ctx, job, func(n uint64) bool {
		starving(job, all, n)
		runs.add(1)
		return want == 0 || runs.value() < want
	})
}

// mountMemory mounts a small disk in memory.
func mountMemory(job *tier.Job, mib, files int) (string, error) {
	at, err := mountPoint(job)
	if err != nil {
		return "", err
	}
	if err := syscall.Mount("changeover", at, "tmpfs", 0, fmt.Sprintf("size=%dm,nr_inodes=%d,mode=0700", mib, files)); err != nil {
		return "", errors.Join(err, os.Remove(at))
	}
	return at, nil
}

func unmountMemory(at string) error {
	return errors.Join(syscall.Unmount(at, syscall.MNT_DETACH), os.Remove(at))
}

// starving is one run, of the n-th seed.
func starving(job *tier.Job, all []model, n uint64) {
	rng := rand.New(rand.NewPCG(n, 3))
	m, short := all[rng.IntN(len(all))], shortages[n%uint64(len(shortages))]
	fail := func(err error) {
		job.Fail(strconv.FormatUint(n, 10), "run %d, %v, %s: %v", n, m.scenario, short, err)
	}
	at, err := mountMemory(job, 1+rng.IntN(2), 100)
	if err != nil {
		fail(err)
		return
	}
	defer func() {
		if err := unmountMemory(at); err != nil {
			fail(err)
		}
	}()
	st, err := newStage(job, m.scenario, at)
	if err != nil {
		fail(err)
		return
	}
	if err := starve(job, st, m, short, rng); err != nil {
		fail(err)
	}
	if job.Repeat != "" {
		fmt.Fprintln(job.Out, strings.Join(st.watch.Trace(), "\n"))
	}
	job.Add("runs", 1)
	job.Add(short, 1)
}

func starve(job *tier.Job, st *stage, m model, short string, rng *rand.Rand) error {
	at := st.part.Dir
	moment := rng.IntN(m.messages + 1) // zero: before it begins
	take := func() error { return fill(at, short) }
	var taken error
	sc := script{at: func(a *actor, n int, _ *message, done bool) bool {
		switch {
		case n != moment || done:
		case short == "read-only":
			a.kill()
			return false
		default:
			taken = take()
		}
		return true
	}}
	if moment == 0 && short != "read-only" {
		taken = take()
	}
	a, err := st.start(goOn, sc)
	if err != nil {
		return err
	}
	if _, err := a.wait(); errors.Join(err, taken) != nil {
		return errors.Join(err, taken)
	}
	if short == "read-only" {
		if err := readOnly(at, true); err != nil {
			return err
		}
		if a, err = st.start(goOn, script{}); err == nil {
			_, err = a.wait()
		}
		if err != nil {
			return err
		}
		if a.refused == "" || !strings.Contains(a.refused, "read-only") {
			return fmt.Errorf("on a read-only disk, the run ends %v", a)
		}
	} else if a.quiet() && a.verdict != m.ending() {
		return fmt.Errorf("the process does not say why it ended %v", a)
	}
	if job.Repeat != "" {
		fmt.Fprintf(job.Out, "at message %d of %d; the process ends %v\n", moment, m.messages, a)
	}
	if err := st.check(); err != nil {
		return fmt.Errorf("with the disk short: %w", err)
	}
	if _, err := os.Stat(filepath.Join(st.part.state(), "journal.jsonl")); short == "no room, and back" && err == nil && m.ending() == report.Completed {
		// Without more room, the way back can be recorded.
		if a, err = st.start(rollBack, script{}); err == nil {
			_, err = a.wait()
		}
		if err != nil {
			return err
		}
		if a.failure != "" || a.verdict != report.RolledBack {
			return fmt.Errorf("with the disk still full, the rollback ends %v", a)
		}
		job.Add("rolled back on a full disk", 1)
		return st.judgeEnding(a, report.RolledBack)
	}
	if err := give(at, short); err != nil {
		return err
	}
	for range 3 { // a hold for what could not be stored needs a resume
		if a, err = st.start(goOn, script{}); err == nil {
			_, err = a.wait()
		}
		if err != nil {
			return err
		}
		if a.hold == nil {
			break
		}
	}
	return st.judge(a, m.effects)
}

const filler = "filler"

// fill takes all room, or all files, of the disk at that place.
func fill(at, short string) error {
	if short == "no files" {
		for n := 0; ; n++ {
			f, err := os.OpenFile(filepath.Join(at, filler+strconv.Itoa(n)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if err != nil {
				return unless(err, syscall.ENOSPC)
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	f, err := os.OpenFile(filepath.Join(at, filler), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(block)
	}
	return errors.Join(unless(err, syscall.ENOSPC), f.Close())
}

// give gives back what fill and readOnly have taken.
func give(at, short string) error {
	if short == "read-only" {
		return readOnly(at, false)
	}
	entries, err := os.ReadDir(at)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filler) {
			err = errors.Join(err, os.Remove(filepath.Join(at, e.Name())))
		}
	}
	return err
}

func readOnly(at string, on bool) error {
	flags := uintptr(syscall.MS_REMOUNT)
	if on {
		flags |= syscall.MS_RDONLY
	}
	return os.NewSyscallError("remount", syscall.Mount("changeover", at, "tmpfs", flags, ""))
}

func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}
