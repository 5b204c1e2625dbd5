package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/migration"
	procedure "github.com/changeover-go/changeover/migration/report"
)

// crowd is what many infrastructures take in one process, each with a journal
// and a vault on disk, moved over a world in memory.
type crowd struct {
	infrastructures, environments int
	heap                          float64       // bytes of heap and stacks for each, while all wait for a person
	goroutines, files             float64       // for each, then
	disk                          float64       // bytes on disk for each, then
	took                          time.Duration // but for the time in which all wait
}

// gate is an operator whose answer is awaited by everybody at once.
type gate struct {
	arrived *sync.WaitGroup
	open    chan struct{}
}

// Ask implements [adapters.Operator].
func (g gate) Ask(ctx context.Context, _ adapters.Question) (adapters.Answer, error) {
	g.arrived.Done()
	select {
	case <-g.open:
		return adapters.Answer{By: "ada", At: time.Now()}, nil
	case <-ctx.Done():
		return adapters.Answer{}, ctx.Err()
	}
}

// gather moves n infrastructures of so many environments at once, and counts
// what they hold when all of them wait at their gates.
func gather(ctx context.Context, p *place, n, environments int) (c crowd, err error) {
	c.infrastructures, c.environments = n, n*environments
	dir, err := p.fresh()
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan, err := planOf(environments)
	if err != nil {
		return c, err
	}
	worlds := make([]*fake.World, n) // no part of what a host holds
	for i := range worlds {
		worlds[i] = fake.New(plan.Infrastructure, plan.Source, plan.Target)
	}
	empty, goroutines := settled()
	files := openFiles()
	var arrived, over sync.WaitGroup
	arrived.Add(n)
	g := gate{&arrived, make(chan struct{})}
	failures := make([]error, n)
	began := time.Now()
	for i := range n {
		over.Go(func() {
			if failures[i] = move(ctx, plan, filepath.Join(dir, fmt.Sprint(i)), worlds[i], g); failures[i] != nil {
				select {
				case <-g.open:
				default:
					arrived.Done() // it did not come so far
				}
			}
		})
	}
	arrived.Wait()
	c.took = time.Since(began)
	full, now := settled()
	c.heap = (float64(full.HeapAlloc+full.StackInuse) - float64(empty.HeapAlloc+empty.StackInuse)) / float64(n)
	c.goroutines, c.files = float64(now-goroutines)/float64(n), float64(openFiles()-files)/float64(n)
	size, err := sizeOf(dir)
	c.disk = size / float64(n)
	began = time.Now()
	close(g.open)
	over.Wait()
	c.took += time.Since(began)
	return c, errors.Join(append(failures, err)...)
}

// move takes one infrastructure to its end.
func move(ctx context.Context, plan migration.Plan, dir string, world *fake.World, g gate) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	store, err := filejournal.Open(filepath.Join(dir, "state"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	vault, err := filevault.Open([]string{filepath.Join(dir, "one"), filepath.Join(dir, "two")}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	set := world.Set()
	set.Vault, set.Operator = vault, g
	c, err := changeover.New(plan, set, store, &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err == nil && r.Verdict != procedure.Completed {
		err = fmt.Errorf("the run ended as %s", r.Verdict)
	}
	return err
}

// openFiles is how many files this process has open; zero where that cannot be
// found out.
func openFiles() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}

func sizeOf(dir string) (float64, error) {
	size := int64(0)
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return float64(size), err
}

// crowds are the infrastructures, and the environments of each, that are
// measured.
var crowds = [][2]int{{1, 4}, {100, 4}, {1000, 4}, {1, 1000}}

// scale prints the table of docs/scale.md.
func scale(ctx context.Context, p *place, out io.Writer) error {
	var doc page.Page
	var rows [][]string
	for _, size := range crowds {
		c, err := gather(ctx, p, size[0], size[1])
		if err != nil {
			return err
		}
		rows = append(rows, []string{page.Count(float64(size[0])), page.Count(float64(size[1])), page.Duration(c.took),
			page.Count(float64(c.environments) / c.took.Seconds()), page.Count(c.heap / 1024), page.Count(c.goroutines), page.Count(c.files), page.Count(c.disk / 1024)})
	}
	doc.Table([]string{"infrastructures at once", "environments of each", "all moved in", "environments/s",
		"kB of memory for each that waits", "goroutines for each", "open files for each", "kB on disk for each"}, rows)
	_, err := fmt.Fprintf(out, "%sMeasured on %s.\n", doc.String(), p.fs)
	return err
}
