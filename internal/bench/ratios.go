package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/bench/limit"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/stats"
	"github.com/changeover-go/changeover/migration/journal"
)

// A ratio compares changeover with a limit or another way, in rounds in which
// the two take turns, so that both meet the same weather on the machine.
type ratio struct {
	demand
	ours, theirs []float64 // one of each for a round
	over         []float64 // ours over theirs, one for a round
}

// add adds a round.
func (r *ratio) add(ours, theirs float64) {
	r.ours, r.theirs, r.over = append(r.ours, ours), append(r.theirs, theirs), append(r.over, ours/theirs)
}

// median is the ratio in the middle: a round that was disturbed does not move
// it.
func (r ratio) median() float64 { return stats.Median(r.over) }

// bench is what the comparisons need to know.
type bench struct {
	place  *place
	wrap   func(journal.Store) journal.Store // around the store of every journal that is measured; nil: nothing
	rounds int
}

// counted returns changeover over a journal whose appends are counted.
func (b bench) counted() (*contender.Changeover, *contender.Counted) {
	counts := new(contender.Counted)
	return contender.FileJournal(func(s journal.Store) journal.Store {
		counts.Store = s
		if b.wrap != nil {
			counts.Store = b.wrap(s)
		}
		return counts
	}), counts
}

// ran starts changeover in a fresh directory, has f do its work, stops it, and
// returns the bytes of each append that f has caused.
func (b bench) ran(ctx context.Context, f func(*contender.Changeover) error) (chunks [][]byte, err error) {
	dir, err := b.place.fresh()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c, counts := b.counted()
	if err := c.Start(ctx, dir); err != nil {
		return nil, err
	}
	err = c.RunInstances(ctx, 1, 1, func(int, int, time.Time) {}) // creates the journal
	before := len(counts.Appends)
	if err == nil {
		err = f(c)
	}
	if err := errors.Join(err, c.Stop()); err != nil {
		return nil, err
	}
	if chunks, err = counts.Chunks(dir); err != nil {
		return nil, err
	}
	return chunks[before:], nil
}

// file returns a name for a file of its own, and what removes it.
func (b bench) file() (path string, remove func() error, err error) {
	dir, err := b.place.fresh()
	return filepath.Join(dir, "file"), func() error { return os.RemoveAll(dir) }, err
}

// singleStream compares a durable step, from one effect to the next, with a
// bare write and sync of the bytes that it has appended.
func singleStream(ctx context.Context, b bench) (ratio, error) {
	r := ratio{demand: all().stream}
	for range b.rounds * 4 {
		var waits []float64
		chunks, err := b.ran(ctx, func(c *contender.Changeover) error {
			for range 10 {
				taken := make(marks, 1)
				if err := c.RunInstances(ctx, 1, 1, taken.mark); err != nil {
					return err
				}
				waits = append(waits, taken.waits()...)
			}
			return nil
		})
		if err != nil {
			return r, err
		}
		path, remove, err := b.file()
		if err != nil {
			return r, err
		}
		each, err := limit.Synced(path, chunks)
		if err := errors.Join(err, remove()); err != nil {
			return r, err
		}
		bare := make([]float64, len(each))
		for i, d := range each {
			bare[i] = d.Seconds()
		}
		r.add(stats.Median(waits)*1e6, stats.Median(bare)*1e6)
	}
	return r, nil
}

// many is how many environments are in flight at most, in what is measured.
const many = 512

// grouped compares the steps of 512 environments in flight with group-committed
// appends of as many bytes by 512 writers.
func grouped(ctx context.Context, b bench) (ratio, error) {
	r := ratio{demand: all().grouped}
	for range b.rounds {
		var rate float64
		chunks, err := b.ran(ctx, func(c *contender.Changeover) error {
			began := time.Now()
			err := c.RunInstances(ctx, 2*many, many, func(int, int, time.Time) {})
			rate = 2 * many * contender.Steps / time.Since(began).Seconds()
			return err
		})
		if err != nil {
			return r, err
		}
		bare, err := b.groupCommitted(stepBytes(chunks, 2*many), many)
		if err != nil {
			return r, err
		}
		r.add(rate, bare)
	}
	return r, nil
}

// stepBytes returns how many bytes a step of so many instances has appended.
func stepBytes(chunks [][]byte, instances int) int {
	return len(bytes.Join(chunks, nil)) / (instances * contender.Steps)
}

func (b bench) groupCommitted(size, writers int) (rate float64, err error) {
	path, remove, err := b.file()
	if err != nil {
		return 0, err
	}
	rate, err = limit.GroupCommitted(path, bytes.Repeat([]byte("x"), size), writers, 300*time.Millisecond)
	return rate, errors.Join(err, remove())
}

// makespan compares a thousand environments with effects that take their time
// with goroutines behind a semaphore that wait as long.
func makespan(ctx context.Context, b bench) (ratio, error) {
	r := ratio{demand: all().makespan}
	for range b.rounds {
		var took time.Duration
		if _, err := b.ran(ctx, func(c *contender.Changeover) error {
			began := time.Now()
			err := sleepers(ctx, c)
			took = time.Since(began)
			return err
		}); err != nil {
			return r, err
		}
		r.add(took.Seconds(), limit.Waits(spanInstances, contender.Steps, spanInFlight, spanWait).Seconds())
	}
	return r, nil
}

// What the makespan is measured of: so many environments, so many of them in
// flight, with effects that wait so long.
const (
	spanInstances = 1000
	spanInFlight  = 100
	spanWait      = 20 * time.Millisecond
)

// sleepers carries out effects that sleep: what is measured is how much more than
// the waits it takes.
func sleepers(ctx context.Context, c *contender.Changeover) error {
	return c.Walk(ctx, contender.Walk{Instances: spanInstances, InFlight: spanInFlight, Effect: func(context.Context, int, int) { time.Sleep(spanWait) }})
}

// replayed compares reading, checking and folding a journal with reading and
// hashing its bytes.
func replayed(ctx context.Context, b bench, entries int) (ratio, error) {
	r := ratio{demand: all().replayed}
	r.what = fmt.Sprintf("replay of %s entries, over reading and hashing the same bytes", page.Count(float64(entries)))
	dir, err := b.place.fresh()
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	state := filepath.Join(dir, "state")
	n, err := fill(ctx, state, entries)
	if err != nil {
		return r, err
	}
	for range b.rounds {
		runtime.GC()
		began := time.Now()
		record, err := journal.Replay(filejournal.Read(ctx, state, nil))
		if err != nil {
			return r, err
		}
		took := time.Since(began)
		if record.Last != uint64(n) {
			return r, fmt.Errorf("%d entries were replayed of %d", record.Last, n)
		}
		began = time.Now()
		if err := hash(filepath.Join(state, "journal.jsonl")); err != nil {
			return r, err
		}
		r.add(float64(n)/took.Seconds(), float64(n)/time.Since(began).Seconds())
	}
	return r, nil
}

func hash(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{f}, make([]byte, 256<<10))
	return err
}

// fill writes a journal of about so many entries, as the engine writes them, of
// at most a thousand environments, and returns how many there are.
func fill(ctx context.Context, state string, entries int) (n int, err error) {
	const perInstance, environments = 1 + 2*contender.Steps, 1000
	counts := new(contender.Counted)
	c := contender.FileJournal(func(s journal.Store) journal.Store { counts.Store = s; return counts })
	if err := c.Start(ctx, filepath.Dir(state)); err != nil {
		return 0, err
	}
	for left := entries / perInstance; left > 0 && err == nil; left -= environments {
		at := min(left, environments)
		err = c.RunInstances(ctx, at, at, func(int, int, time.Time) {})
	}
	for _, in := range counts.Appends {
		n += in
	}
	return n, errors.Join(err, c.Stop())
}
