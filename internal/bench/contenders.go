package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/bench/limit"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/stats"
)

// contenders are all of them, in the order of the tables. temporal is where
// the program of that name is built; empty: it is built anew.
func contenders(temporal string) []contender.Contender {
	return []contender.Contender{
		contender.FileJournal(nil), contender.PostgresJournal(), contender.Memory(),
		new(contender.DBOS), new(contender.GoWorkflows), &contender.Temporal{Program: temporal, Module: "temporal"},
		contender.Stateless{}, contender.LooplabFSM{},
	}
}

// steps measures every contender under every load, and the limit of the disk
// before and after.
func (r *report) steps(ctx context.Context) error {
	built, err := r.buildTemporal(ctx)
	if err != nil {
		return err
	}
	limits, err := r.limits(ctx, "before")
	if err != nil {
		return err
	}
	for _, c := range contenders(built) {
		r.progress("steps of %s", c.Name())
		r.scores = append(r.scores, measure(ctx, c, r.bench.place, loads(), r.effort))
	}
	after, err := r.limits(ctx, "after")
	if err != nil {
		return err
	}
	r.stepTables(append(limits, after...))
	r.syncTable(ctx, built)
	r.beside()
	return r.stepPlots(limits)
}

// limits measures what the disk can do with the bytes of a step.
func (r *report) limits(ctx context.Context, when string) ([]page.Line, error) {
	const instances = 64
	chunks, err := r.bench.ran(ctx, func(c *contender.Changeover) error {
		return c.RunInstances(ctx, instances, 1, func(int, int, time.Time) {})
	})
	if err != nil {
		return nil, err
	}
	path, remove, err := r.bench.file()
	if err != nil {
		return nil, err
	}
	each, err := limit.Synced(path, chunks)
	if err := errors.Join(err, remove()); err != nil {
		return nil, err
	}
	bare := make([]float64, len(each))
	for i, d := range each {
		bare[i] = d.Seconds()
	}
	alone := page.Line{Name: "limit: write and fdatasync, " + when, X: []float64{1}, Y: []float64{1 / stats.Median(bare)}, Dashed: true}
	grouped := page.Line{Name: "limit: group-committed appends, " + when, Dashed: true}
	for _, writers := range []int{1, 64, 512} {
		rate, err := r.bench.groupCommitted(stepBytes(chunks, instances), writers)
		if err != nil {
			return nil, err
		}
		grouped.X, grouped.Y = append(grouped.X, float64(writers)), append(grouped.Y, rate)
	}
	return []page.Line{alone, grouped}, nil
}

// buildTemporal builds the program once for all that need it. That it cannot
// be built is told where the contender would be.
func (r *report) buildTemporal(ctx context.Context) (string, error) {
	if r.temporal != "" {
		return filepath.Abs(r.temporal)
	}
	r.progress("building Temporal")
	dir, err := r.bench.place.fresh()
	if err != nil {
		return "", err
	}
	t := contender.Temporal{Module: "temporal"}
	if err := t.Prepare(ctx, dir); err != nil {
		r.progress("%v", err)
		return "", nil
	}
	return t.Program, nil
}

func (r *report) stepTables(limits []page.Line) {
	p := &r.page
	p.Heading(2, "The same six steps")
	p.Text("Every contender carries out a workflow of %d steps, one after the other, with effects that do nothing, for so many instances; "+
		"of 1,000 and 5,000 instances, 512 are in flight. Durable steps each second, the median of the repetitions, and by how much they spread.", contender.Steps)
	titles := []string{"contender", "version", "durable"}
	for _, l := range loads() {
		titles = append(titles, page.Count(float64(l.instances)))
	}
	var rows, settings, waits, costs [][]string
	for _, s := range r.scores {
		durable := "no"
		if s.durable {
			durable = "yes"
		}
		row := []string{s.name, s.version, durable}
		if s.reason != "" {
			rows = append(rows, append(row, s.reason))
			continue
		}
		wait, cost := []string{s.name}, []string{s.name, page.Duration(s.startUp)}
		for _, a := range s.samples {
			if a.reason != "" {
				row, wait = append(row, a.reason), append(wait, "-")
				continue
			}
			row = append(row, fmt.Sprintf("%s ±%.0f%%", page.Count(stats.Median(a.rates)), 100*stats.Spread(a.rates)))
			wait = append(wait, seconds(stats.Quantile(a.waits, 0.5))+" / "+seconds(stats.Quantile(a.waits, 0.99)))
		}
		cost = append(cost, growth(s))
		for _, n := range []int{1, 512} {
			if a, ok := s.at(n); ok {
				cost = append(cost, page.Count(a.mallocs), page.Count(a.bytes))
			} else {
				cost = append(cost, "-", "-")
			}
		}
		rows, waits, costs = append(rows, row), append(waits, wait), append(costs, cost)
		settings = append(settings, []string{s.name, s.settings})
	}
	for _, l := range limits {
		row := []string{l.Name, "", "yes"}
		for _, load := range loads() {
			cell := "-"
			for i, x := range l.X {
				if int(x) == load.instances {
					cell = page.Count(l.Y[i])
				}
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	p.Table(titles, rows)
	p.Text("The limits are of the bytes that a step of changeover appends, by so many writers, measured before the first contender and after the last. Settings:")
	p.Table([]string{"contender", "settings"}, settings)
	p.Image("benchmarks/steps.svg", "Durable steps each second over instances, for every contender")
	p.Heading(3, "How long a step waits")
	p.Text("From the effect of a step to the effect of the next one in the same instance, which includes that the first is durable: 50th and 99th percentile.")
	p.Table(append([]string{"contender"}, titles[3:]...), waits)
	p.Image("benchmarks/latency.svg", "99th percentile of the wait for a step over instances, for every contender")
	p.Heading(3, "What a step costs")
	p.Text("Start-up is from the call that starts the contender to its first effect; a database server runs already. " +
		"Growth is the exponent of the time over the number of instances, from 64 on. Allocations are those of the whole process, or of Temporal's, for one step.")
	p.Table([]string{"contender", "start-up", "growth", "allocations, 1", "bytes, 1", "allocations, 512", "bytes, 512"}, costs)
}

// growth returns the exponent with which the time grows with the instances.
func growth(s score) string {
	var x, y []float64
	for _, a := range s.samples {
		if a.instances >= 64 && a.reason == "" {
			x, y = append(x, float64(a.instances)), append(y, stats.Median(a.elapsed))
		}
	}
	return page.Count(stats.Exponent(x, y))
}

func seconds(s float64) string { return page.Duration(time.Duration(s * float64(time.Second))) }

// syncTable counts the syncs of everything that is durable.
func (r *report) syncTable(ctx context.Context, built string) {
	r.page.Heading(3, "Syncs for each step")
	r.page.Text("Counted with strace over all processes of the contender.")
	var rows [][]string
	for _, s := range r.scores {
		if !s.durable || s.reason != "" {
			continue
		}
		row := []string{s.name}
		for _, l := range []load{{1, 1}, {64, 64}, {512, 512}} {
			const most = 20 // seconds
			if a, ok := s.at(l.instances); !ok || stats.Median(a.elapsed) > most {
				row = append(row, "not counted: it takes too long")
				continue
			}
			r.progress("syncs of %s, %d instances", s.name, l.instances)
			n, err := syncsPerStep(ctx, r.bench.place, s.name, built, l)
			if err != nil {
				row = append(row, "not counted: "+strings.TrimSpace(err.Error()))
				continue
			}
			row = append(row, page.Count(n))
		}
		rows = append(rows, row)
	}
	r.page.Table([]string{"contender", "1", "64", "512"}, rows)
}

func (r *report) stepPlots(limits []page.Line) error {
	rates, waits := slices.Clone(limits), []page.Line(nil)
	for _, s := range r.scores {
		rate, wait := page.Line{Name: s.name, Dashed: !s.durable}, page.Line{Name: s.name, Dashed: !s.durable}
		for _, a := range s.samples {
			if a.reason == "" {
				rate.X, rate.Y = append(rate.X, float64(a.instances)), append(rate.Y, stats.Median(a.rates))
				wait.X, wait.Y = append(wait.X, float64(a.instances)), append(wait.Y, stats.Quantile(a.waits, 0.99))
			}
		}
		rates, waits = append(rates, rate), append(waits, wait)
	}
	if err := r.plot("steps.svg", page.Plot{Title: "Steps each second (dashed: not durable, or the limit of the disk)", X: "instances", Y: "steps/s", Lines: rates}); err != nil {
		return err
	}
	return r.plot("latency.svg", page.Plot{Title: "How long 99 of 100 steps wait at most (dashed: not durable)", X: "instances", Y: "seconds", Lines: waits})
}
