package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/profile"
	"github.com/changeover-go/changeover/migration/journal"
)

// kinds are what a step, or an entry that is replayed, keeps the processors
// busy with. Order decides: memory that JSON asks for is memory.
func kinds() []profile.Kind {
	const ours = "github.com/changeover-go/changeover/"
	return []profile.Kind{
		{Name: "garbage collection", Functions: []string{"runtime.gc", "runtime.(*gc", "runtime.bgsweep", "runtime.bgscavenge", "runtime.sweepone", "runtime.(*sweepLocked)", "runtime.GC", "runtime.wbBuf", "runtime.gcWriteBarrier"}},
		{Name: "memory", Functions: []string{"runtime.malloc", "runtime.newobject", "runtime.growslice", "runtime.makeslice", "runtime.newstack", "runtime.copystack", "runtime.stackalloc", "runtime.morestack", "runtime.memclr"}},
		{Name: "system calls", Functions: []string{"syscall.", "internal/runtime/syscall", "internal/poll."}},
		{Name: "SHA-256", Functions: []string{"crypto/sha256.", "crypto/internal/fips140/sha256."}},
		{Name: "JSON", Functions: []string{"encoding/json.", "encoding/json/", ours + "adapters/filejournal.appendEntry", ours + "adapters/filejournal.(*decoder)", ours + "internal/printable.JSON"}},
		{Name: "the kernel's table", Functions: []string{ours + "environment/machine.", "github.com/qmuntal/stateless."}},
		{Name: "scheduling, channels, timers", Functions: []string{
			"runtime.schedule", "runtime.findRunnable", "runtime.mcall", "runtime.mstart", "runtime.park_m", "runtime.gopark", "runtime.goready", "runtime.ready", "runtime.goexit0", "runtime.goexit1", "runtime.newproc",
			"runtime.futex", "runtime.note", "runtime.lock", "runtime.unlock", "runtime.sema", "runtime.selectgo", "runtime.chan", "runtime.closechan", "runtime.send", "runtime.recv", "runtime.sysmon", "runtime.wakep", "runtime.startm", "runtime.asyncPreempt",
			"runtime.(*timer", "time.(*Timer)", "time.NewTimer", "time.AfterFunc", "time.Sleep", "sync.", "internal/sync.", "context.",
		}},
		{Name: "folding entries into what is true", Functions: []string{ours + "migration/journal."}},
		{Name: "the engine itself", Functions: []string{ours + "internal/engine."}},
	}
}

// A column of the table of where the time goes.
type column struct {
	title   string
	done    int // steps or entries
	profile profile.Profile
}

// where profiles f, which returns how many steps or entries it has done, beside what was
// just measured and in the same process. When all of the run is being profiled,
// it does nothing.
func (r *report) where(title string, f func() (int, error)) error {
	if r.profiled {
		return nil
	}
	r.progress("where the time goes: %s", title)
	c := column{title: title}
	var err error
	c.profile, err = profile.Take(kinds(), func() (err error) {
		c.done, err = f()
		return err
	})
	r.columns = append(r.columns, c)
	return err
}

// long is for how long something is profiled, at a hundred samples a second of
// each processor.
const long = 5 * time.Second

// whereSteps profiles the loads of the comparisons.
func (r *report) whereSteps(ctx context.Context) error {
	for _, l := range []struct {
		title string
		run   func(*contender.Changeover) (steps int, err error)
	}{
		{"single stream", func(c *contender.Changeover) (int, error) {
			return contender.Steps, c.RunInstances(ctx, 1, 1, func(int, int, time.Time) {})
		}},
		{fmt.Sprintf("%d in flight", many), func(c *contender.Changeover) (int, error) {
			return 2 * many * contender.Steps, c.RunInstances(ctx, 2*many, many, func(int, int, time.Time) {})
		}},
		{fmt.Sprintf("%d in flight, effects of %s", spanInFlight, page.Duration(spanWait)), func(c *contender.Changeover) (int, error) {
			return spanInstances * contender.Steps, sleepers(ctx, c)
		}},
	} {
		if _, err := r.bench.ran(ctx, func(c *contender.Changeover) error {
			return r.where(l.title, func() (done int, err error) {
				for began := time.Now(); err == nil && time.Since(began) < long; {
					var more int
					more, err = l.run(c)
					done += more
				}
				return done, err
			})
		}); err != nil {
			return err
		}
	}
	return nil
}

// whereReplay profiles the replay of a journal of so many entries.
func (r *report) whereReplay(ctx context.Context, entries int) error {
	dir, err := r.bench.place.fresh()
	if err != nil {
		return err
	}
	state := filepath.Join(dir, "state")
	if _, err := fill(ctx, state, entries); err != nil {
		return err
	}
	return r.where("replay", func() (done int, err error) {
		for began := time.Now(); time.Since(began) < long; {
			record, err := journal.Replay(filejournal.Read(ctx, state, nil))
			if err != nil {
				return done, err
			}
			done += int(record.Last)
		}
		return done, nil
	})
}

// whereTable shows the columns.
func (r *report) whereTable(p *page.Page) {
	if len(r.columns) == 0 {
		return
	}
	p.Heading(2, "Where the time goes")
	p.Text("What the processors were busy with, by Go's profiler, under the loads of the figures above, right after they were measured. A moment counts once, in the first row that it belongs to: memory that JSON asks for is memory. The share of a kind is as exact as the number of moments allows. " +
		"What the processors were not busy with is waiting: for the disk, or for an effect.")
	titles := []string{"kind of work"}
	rows := make([][]string, len(kinds())+4)
	for i, k := range kinds() {
		rows[i] = []string{k.Name}
	}
	rest := len(kinds())
	for i, name := range []string{"everything else", "busy, for each step or entry", "processors busy", "moments looked at"} {
		rows[rest+i] = []string{name}
	}
	for _, c := range r.columns {
		titles = append(titles, c.title)
		for i, share := range c.profile.Shares {
			rows[i] = append(rows[i], fmt.Sprintf("%.0f%%", 100*share))
		}
		rows[rest+1] = append(rows[rest+1], page.Duration(c.profile.Busy/time.Duration(max(c.done, 1))))
		rows[rest+2] = append(rows[rest+2], fmt.Sprintf("%.2f", c.profile.Busy.Seconds()/c.profile.Took.Seconds()))
		rows[rest+3] = append(rows[rest+3], page.Count(float64(c.profile.Samples)))
	}
	p.Table(titles, rows)
}
