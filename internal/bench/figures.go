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
	what, ours, beside, ratio, wanted string
	reached                           bool
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
		r.progress("%s: %.3g", f.name, f.median())
		r.ratios = append(r.ratios, f)
		r.reach(f.figureOf())
	}
	n, err := modules(ctx)
	if err != nil {
		return err
	}
	r.reach(figure{what: "third-party modules in a program that uses changeover", ours: fmt.Sprint(n), wanted: "at most 5", reached: n <= 5})
	return nil
}

func (r ratio) figureOf() figure {
	word := "at most"
	if r.least {
		word = "at least"
	}
	return figure{
		what: r.name, ours: page.Count(stats.Median(r.ours)) + " " + r.unit, beside: page.Count(stats.Median(r.theirs)) + " " + r.unit,
		ratio: fmt.Sprintf("%.3g ±%.0f%%", r.median(), 100*stats.Spread(r.over)), wanted: fmt.Sprintf("%s %.3g", word, r.figure), reached: r.holds(r.figure),
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
	const want = 20
	for _, n := range []int{100, 1000} {
		var ours, best float64
		name := ""
		for _, s := range r.scores {
			a, ok := s.at(n)
			switch rate := stats.Median(a.rates); {
			case !ok || !s.durable:
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
			what: fmt.Sprintf("durable steps/s, %s instances, over the fastest durable peer", page.Count(float64(n))),
			ours: page.Count(ours) + " /s", beside: page.Count(best) + " /s (" + name + ")", ratio: fmt.Sprintf("%.3g", ours/best),
			wanted: fmt.Sprintf("at least %d", want), reached: ours/best >= want,
		})
	}
}
