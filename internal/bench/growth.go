package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/stats"
)

// memory measures what environments take while they wait.
func (r *report) memory(ctx context.Context) error {
	var rows [][]string
	var x, resting, flying []float64
	for _, n := range []int{1000, 10_000, 100_000} {
		r.progress("%d waiting environments", n)
		h, err := waiting(ctx, r.bench.place, n)
		if err != nil {
			return err
		}
		x, resting, flying = append(x, float64(n)), append(resting, h.resting*float64(n)), append(flying, h.inFlight)
		rows = append(rows, []string{
			page.Count(float64(n)), page.Count(h.resting) + " bytes", page.Count(h.inFlight/1e6) + " MB", page.Count(h.stacks/1e6) + " MB",
			page.Count(float64(h.goroutines)), page.Count(h.left/1e3) + " kB, " + fmt.Sprint(h.leftOver) + " goroutines",
		})
	}
	last := len(x) - 1
	each, total := resting[last]/x[last], flying[last]/1e6
	r.reach(all().resting.reached(each))
	r.reach(all().flying.reached(total))
	p := &r.page
	p.Heading(2, "Environments that wait")
	p.Text("Counted after a collection of garbage, so these do not depend on the machine: heap for each environment that rests halfway; " +
		"heap and stacks when a call of each is under way at once; and what is left of all that when it is over.")
	p.Table([]string{"environments", "resting, each", "calls under way", "of it stacks", "goroutines", "left over"}, rows)
	p.Text("Growth: resting %s, under way %s.", page.Count(stats.Exponent(x, resting)), page.Count(stats.Exponent(x, flying)))
	return nil
}

// replay measures how long reading a journal takes.
func (r *report) replay(ctx context.Context) error {
	lengths := []int{10_000, 100_000, 1_000_000}
	r.progress("status of up to %d entries", lengths[len(lengths)-1])
	took, err := statuses(ctx, r.bench, lengths)
	if err != nil {
		return err
	}
	var rows [][]string
	replays, status := page.Line{Name: "replay"}, page.Line{Name: "status, with its report"}
	for i, n := range lengths {
		r.progress("replay of %d entries", n)
		f, err := replayed(ctx, r.bench, n)
		if err != nil {
			return err
		}
		r.ratios = append(r.ratios, f)
		rate := stats.Median(f.ours)
		replays.X, replays.Y = append(replays.X, float64(n)), append(replays.Y, float64(n)/rate)
		status.X, status.Y = append(status.X, float64(n)), append(status.Y, took[i].Seconds())
		rows = append(rows, []string{page.Count(float64(n)), page.Count(rate), page.Count(stats.Median(f.theirs)), fmt.Sprintf("%.3g", f.median()),
			seconds(float64(n) / rate), page.Duration(took[i])})
	}
	last := len(lengths) - 1
	rate, theirs := float64(lengths[last])/replays.Y[last], stats.Median(r.ratios[len(r.ratios)-1].theirs)
	f := all().replay.reached(rate)
	f.beside, f.ratio = page.Count(theirs)+" entries/s", fmt.Sprintf("%.3g", rate/theirs)
	r.reach(f)
	r.reach(all().status.reached(status.Y[last]))
	if err := r.whereReplay(ctx, lengths[1]); err != nil {
		return err
	}
	p := &r.page
	p.Heading(2, "Replay and status")
	p.Text("Reading a journal from the disk, checking every line and the chain, and folding it into where everything stands: what every verb begins with. " +
		"Beside it, reading and hashing the same bytes. The status is that of a run of a hundred environments, with its whole report.")
	p.Table([]string{"entries", "entries/s", "bare reading and hashing, entries/s", "ratio", "replay", "status"}, rows)
	p.Text("Growth of the time: replay %s, status %s.", page.Count(stats.Exponent(replays.X, replays.Y)), page.Count(stats.Exponent(status.X, status.Y)))
	p.Image("benchmarks/replay.svg", "Time of a replay, and of a status, over the entries of the journal")
	return r.plot("replay.svg", page.Plot{Title: "Replay and status", X: "entries", Y: "seconds", Lines: []page.Line{replays, status}})
}

// kernel measures the functions of environment/machine that touch nothing.
func (r *report) kernel(context.Context) error {
	m, err := machine.New(contender.Table())
	if err != nil {
		return err
	}
	var rows [][]string
	add := func(name string, growth string, f func() error) error {
		var times []float64
		var mallocs float64
		for range r.bench.rounds {
			took, n, err := timed(f)
			if err != nil {
				return err
			}
			times, mallocs = append(times, took.Seconds()), n
		}
		rows = append(rows, []string{name, seconds(stats.Median(times)), fmt.Sprintf("±%.0f%%", 100*stats.Spread(times)), page.Count(mallocs), growth})
		return nil
	}
	at, on := m.Initial(), m.Table().Edges[0].On
	errs := []error{
		add("Fire, permitted", "", func() error { _, err := m.Fire(at, on, contender.Facts{Done: 1}); return err }),
		add("Fire, refused with its reason", "", func() error {
			var refused *machine.RefusedError
			if _, err := m.Fire(at, on, contender.Facts{}); !errors.As(err, &refused) {
				return fmt.Errorf("it was not refused: %v", err)
			}
			return nil
		}),
		add("bare stateless, permitted", "", bare()),
		add("Explain", "", func() error { _, err := m.Explain(at, contender.Facts{}); return err }),
	}
	for _, f := range []struct {
		name string
		do   func(machine.Table[contender.Facts]) error
	}{
		{"Validate", machine.Table[contender.Facts].Validate},
		{"WriteMermaid", func(t machine.Table[contender.Facts]) error { return t.WriteMermaid(io.Discard) }},
		{"WriteMatrix", func(t machine.Table[contender.Facts]) error { return t.WriteMatrix(io.Discard) }},
	} {
		growth, err := tableGrowth(f.do)
		errs = append(errs, err, add(f.name+", 7 states", growth, func() error { return f.do(contender.Table()) }))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	p := &r.page
	p.Heading(2, "The kernel")
	p.Text("Deciding, explaining, checking and drawing; nothing of it touches a disk. Growth is over the number of states, from 10 to 300.")
	p.Table([]string{"function", "time", "spread", "allocations", "growth"}, rows)
	return nil
}

// tableGrowth returns the exponent with which f's time grows with the states of
// a table.
func tableGrowth(f func(machine.Table[contender.Facts]) error) (string, error) {
	var x, y []float64
	for _, n := range []int{10, 30, 100, 300} {
		t := chain(n)
		took, _, err := timed(func() error { return f(t) })
		if err != nil {
			return "", err
		}
		x, y = append(x, float64(n)), append(y, took.Seconds())
	}
	return page.Count(stats.Exponent(x, y)), nil
}

// chain returns a table of n states in a row.
func chain(n int) machine.Table[contender.Facts] {
	name := func(k int) string { return "State" + fmt.Sprint(k) }
	t := machine.Table[contender.Facts]{ID: "bench/chain", Initial: machine.State(name(0))}
	for k := range n {
		t.States = append(t.States, machine.Node{State: machine.State(name(k)), Doc: "One of many.", Final: k == n-1})
		if k > 0 {
			t.Edges = append(t.Edges, machine.Edge{From: machine.State(name(k - 1)), On: "gone", To: machine.State(name(k))})
		}
	}
	return t
}
