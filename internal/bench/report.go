package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/bench/host"
	"github.com/changeover-go/changeover/internal/bench/page"
)

// A report is the page while it is measured.
type report struct {
	bench    bench
	effort   effort
	temporal string    // the program, if it is built already
	out      string    // the folder for the page; empty: none, and no plots
	raw      string    // the file for every single measurement; empty: none
	log      io.Writer // tells a person what is going on
	profiled bool      // the whole run is being profiled, so that no part of it can be by itself

	page    page.Page // what comes behind the figures
	figures []figure
	scores  []score
	ratios  []ratio
	columns []column // of where the time goes
}

// part is what can be measured by itself.
type part struct {
	name string
	run  func(context.Context) error
}

func (r *report) parts() []part {
	return []part{
		{"ratios", r.compare},
		{"steps", r.steps},
		{"memory", r.memory},
		{"replay", r.replay},
		{"kernel", r.kernel},
		{"plan", r.plan},
	}
}

// write measures the parts that are named, all for "all", and writes the page.
func (r *report) write(ctx context.Context, names string, stdout io.Writer) error {
	began := time.Now()
	wanted := strings.Split(names, ",")
	known := []string{"all"}
	for _, p := range r.parts() {
		known = append(known, p.name)
	}
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return fmt.Errorf("there is no part %q, only %s", name, strings.Join(known, ", "))
		}
	}
	for _, p := range r.parts() {
		if !slices.Contains(wanted, "all") && !slices.Contains(wanted, p.name) {
			continue
		}
		if err := p.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	r.progress("everything took %v", time.Since(began).Round(time.Second))
	if r.raw != "" {
		if err := os.WriteFile(r.raw, []byte(r.measurements()), 0o644); err != nil {
			return err
		}
	}
	var p page.Page
	r.intro(&p, began)
	r.figureTable(&p)
	r.whereTable(&p)
	text := p.String() + "\n" + r.page.String()
	if r.out == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	return os.WriteFile(filepath.Join(r.out, "benchmarks.md"), []byte(text), 0o644)
}

func (r *report) intro(p *page.Page, at time.Time) {
	p.Heading(1, "Benchmarks")
	p.Text("How fast changeover is beside what a user would take instead, and beside what the disk can do with nothing around it. " +
		"For those who decide whether it is fast enough. It says nothing about how fast portals are, which is what a change window is spent on.")
	p.Text("This page is written by `make bench` from [internal/bench](../internal/bench/main.go); `make bench-check` asserts the ratios that may not get worse.")
	p.Text("Measured on %s on %s; the disk is %v. Every comparison was made in rounds in which the two take turns; a figure is a median, and ± is half the distance from the smallest to the largest.",
		at.UTC().Format(time.DateOnly), host.Describe(), r.bench.place.fs)
}

// plot writes a plot beside the page, if there is to be one.
func (r *report) plot(name string, p page.Plot) error {
	if r.out == "" {
		return nil
	}
	dir := filepath.Join(r.out, "benchmarks")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return p.Write(filepath.Join(dir, name))
}

func (r *report) progress(format string, args ...any) { fmt.Fprintf(r.log, format+"\n", args...) }

// measurements returns every single measurement as the Go command writes those
// of benchmarks, for benchstat to compare with those of another run.
func (r *report) measurements() string {
	var b strings.Builder
	name := strings.NewReplacer(" ", "_", ",", "", "/", "_").Replace
	for _, s := range r.scores {
		for _, a := range s.samples {
			for _, rate := range a.rates {
				fmt.Fprintf(&b, "BenchmarkSteps/contender=%s/instances=%d 1 %.6g steps/s\n", name(s.name), a.instances, rate)
			}
		}
	}
	for _, f := range r.ratios {
		for _, over := range f.over {
			fmt.Fprintf(&b, "BenchmarkRatio/%s 1 %.6g ratio\n", name(f.what), over)
		}
	}
	return b.String()
}
