package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/stats"
)

// A figure is one that the design wants to be reached.
type figure struct {
	demand
	ours, beside, ratio, wanted string
	got                         string // what is compared with what is wanted
	reached                     bool
}

// reached is the figure of a demand on what has no other side.
func (d demand) reached(x float64) figure {
	unit := d.unit
	if unit != "" {
		unit = " " + unit
	}
	got := page.Count(x) + unit
	return figure{demand: d, ours: got, got: got, wanted: d.word() + " " + page.Count(d.want) + unit, reached: d.holds(x, d.want)}
}

// reach adds a figure to those that the page begins with.
func (r *report) reach(f figure) { r.figures = append(r.figures, f) }

func (r *report) figureTable(p *page.Page) {
	if len(r.figures) == 0 {
		return
	}
	var rows [][]string
	for _, f := range r.figures {
		rows = append(rows, []string{f.what, f.ours, f.beside, f.ratio, f.wanted, yes(f.reached)})
	}
	p.Heading(2, "Figures to reach")
	p.Table([]string{"what", "changeover", "beside it", "ratio", "wanted", "reached"}, rows)
	p.Text("1,000 environments x 6 steps x 20 ms, 100 in flight, would take 1.2 s if nothing but the waits took time.")
	excused := false
	for _, f := range r.figures {
		if f.reached {
			continue
		}
		if !excused {
			excused = true
			p.Heading(3, "Not reached, and why")
		}
		p.Text("**%s**: %s; wanted is %s. %s", f.what, f.got, f.wanted, f.why)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "**no**"
}

// compare measures what stands beside a limit.
func (r *report) compare(ctx context.Context) error {
	for _, compare := range []func() (ratio, error){
		func() (ratio, error) { return singleStream(ctx, r.bench) },
		func() (ratio, error) { return grouped(ctx, r.bench) },
		func() (ratio, error) { return makespan(ctx, r.bench) },
		func() (ratio, error) { return fired(r.bench) },
	} {
		f, err := compare()
		if err != nil {
			return err
		}
		r.progress("%s: %.3g", f.what, f.median())
		r.ratios = append(r.ratios, f)
		r.reach(f.figureOf())
	}
	if err := r.whereSteps(ctx); err != nil {
		return err
	}
	n, err := modules(ctx)
	if err != nil {
		return err
	}
	r.reach(all().modules.reached(float64(n)))
	return nil
}

func (r ratio) figureOf() figure {
	return figure{
		demand: r.demand, ours: page.Count(stats.Median(r.ours)) + " " + r.unit, beside: page.Count(stats.Median(r.theirs)) + " " + r.unit,
		ratio: fmt.Sprintf("%.3g ±%.0f%%", r.median(), 100*stats.Spread(r.over)), got: page.Count(r.median()),
		wanted: r.word() + " " + page.Count(r.want), reached: r.holds(r.median(), r.want),
	}
}

// modules counts the modules that the root package brings along.
func modules(ctx context.Context) (int, error) {
	const ours = "github.com/changeover-go/changeover"
	out, err := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ours).Output()
	if err != nil {
		return 0, fmt.Errorf("go list: %w", err)
	}
	found := slices.Compact(slices.Sorted(strings.FieldsSeq(string(out))))
	return len(slices.DeleteFunc(found, func(m string) bool { return m == ours })), nil
}

// beside compares with the fastest durable peer, once every contender has been
// measured.
func (r *report) beside() {
	for _, asked := range []struct {
		instances int
		demand
	}{{100, all().peers100}, {1000, all().peers1000}} {
		var ours, best float64
		name := ""
		for _, s := range r.scores {
			a, ok := s.at(asked.instances)
			switch rate := stats.Median(a.rates); {
			case !ok || !s.durable || s.variant:
			case s.ours:
				ours = rate
			case rate > best:
				best, name = rate, s.name
			}
		}
		if ours == 0 || best == 0 {
			continue
		}
		r.reach(figure{
			demand: asked.demand, ours: page.Count(ours) + " /s", beside: page.Count(best) + " /s (" + name + ")", ratio: page.Count(ours / best), got: page.Count(ours / best),
			wanted: asked.word() + " " + page.Count(asked.want), reached: asked.holds(ours/best, asked.want),
		})
	}
}
