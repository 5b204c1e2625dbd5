package model

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/migration"
)

// Tier returns the tier "model".
func Tier() tier.Tier {
	return tier.Tier{
		Name: "model",
		Doc:  "Walks through everything that can happen under the shipped tables, breadth first, with a bounded number of things going wrong.",
		Run:  run,
	}
}

// A config's name says all that is in it: profile, environments, how many are
// under way at once, things that go wrong, and what is special.
//
//	refresh-and-move/n3/at3/f2/paused

// Named returns the config of that name.
func Named(name string) (cfg Config, err error) {
	parts := strings.Split(name, "/")
	bad := fmt.Errorf("%q names no config, for example refresh-and-move/n2/at1/f3", name)
	if len(parts) < 4 {
		return cfg, bad
	}
	var numbers [3]int
	for i, letter := range []string{"n", "at", "f"} {
		digits, ok := strings.CutPrefix(parts[i+1], letter)
		if numbers[i], err = strconv.Atoi(digits); !ok || err != nil || numbers[i] < 0 || numbers[i] > 9 {
			return cfg, bad
		}
	}
	profile, ok := migration.FindProfile(parts[0])
	if !ok || numbers[0] < 2 || numbers[0] > Environments {
		return cfg, bad
	}
	cfg.Plan, cfg.Faults = scene.Plan(profile.Name, numbers[0]), numbers[2]
	cfg.Plan.MaxInFlight = map[string]int{}
	for _, leg := range profile.Legs {
		cfg.Plan.MaxInFlight[leg.Name] = max(numbers[1], 1)
	}
	for _, special := range parts[4:] {
		switch special {
		case "paused":
			cfg.Paused = true
		case "canary":
			cfg.Plan.First = []string{cfg.Plan.Infrastructure.Environments[1].Name}
		default:
			return cfg, bad
		}
	}
	return cfg, nil
}

// configs returns what is walked through at a scale, the largest first.
func configs(scale tier.Scale) []string {
	if scale == tier.Test {
		return []string{
			"refresh-and-move/n2/at1/f1/canary", "refresh-and-move/n2/at2/f1", "refresh-and-move/n2/at1/f1/paused", "as-written/n3/at3/f1",
			"published/n2/at2/f1", "as-written/n2/at1/f1",
		}
	}
	ci := []string{
		"refresh-and-move/n4/at4/f1", "refresh-and-move/n2/at1/f3", "as-written/n3/at3/f2", "published/n2/at1/f3", "as-written/n2/at1/f3",
		"refresh-and-move/n3/at1/f2", "refresh-and-move/n2/at2/f2", "as-written/n4/at4/f1", "published/n3/at1/f2", "published/n3/at3/f1",
		"refresh-and-move/n2/at1/f2/paused", "refresh-and-move/n3/at2/f1/canary", "refresh-and-move/n4/at1/f1",
	}
	if scale == tier.CI {
		return ci
	}
	return append(ci, "published/n4/at4/f1", "published/n4/at1/f2", "as-written/n3/at3/f3", "refresh-and-move/n3/at3/f2", "refresh-and-move/n4/at1/f2",
		"published/n3/at3/f2", "refresh-and-move/n3/at1/f3")
}

// limits say how many states may be known before a walk is given up.
const (
	smallLimit = 500_000
	limit      = 12_000_000
)

// run walks through the configs, each in one goroutine.
func run(ctx context.Context, job *tier.Job) {
	if job.Repeat != "" {
		repeat(job)
		return
	}
	names, most := configs(job.Scale), limit
	switch job.Scale {
	case tier.Test:
		job.Need("states", 30_000)
		most = smallLimit
	default:
		job.Need("states", 5_000_000)
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int
		all  = coverage{}
	)
	for range max(min(job.Workers, len(names)), 1) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(names) || job.Failed() || ctx.Err() != nil {
					return
				}
				taken := walkThrough(ctx, job, names[i], most)
				mu.Lock()
				all.add(taken)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if job.Failed() || ctx.Err() != nil {
		return
	}
	missing := all.missing()
	job.Add("transitions", int64(len(all)))
	job.Add("not taken", int64(len(missing)))
	if job.Scale != tier.Test && len(missing) > 0 {
		job.Fail("", "transitions that no walk has taken:\n%s", strings.Join(missing, "\n"))
	}
}

// walkThrough walks through one config and returns what was taken in it.
func walkThrough(ctx context.Context, job *tier.Job, name string, most int) coverage {
	cfg, err := Named(name)
	if err == nil {
		cfg.Without = job.Without
		var m *model
		if m, err = newModel(cfg); err == nil {
			f := explore(ctx, m, most)
			job.Add("configurations", 1)
			job.Add("states", int64(f.states))
			job.Add("moves", f.moves)
			_, _ = fmt.Fprintf(job.Out, "model %s: %d states, %d moves, at most %d moves from the beginning, %d ends; a process left alone rests after at most %d\n",
				name, f.states, f.moves, f.levels-1, f.ends, f.steps)
			switch {
			case f.what != "":
				job.Fail(name+" "+write(f.path), "%s", counterexample(m, name, f))
			case f.whole || ctx.Err() != nil:
			case job.Scale == tier.Soak:
				job.Add("given up", 1)
			default:
				job.Fail("", "%s: more than %d states", name, most)
			}
			return m.coverage()
		}
	}
	job.Fail("", "%s: %v", name, err)
	return nil
}

// counterexample tells what was found: in words, drawn, and as a test.
func counterexample(m *model, name string, f found) string {
	story, err := m.storyOf(f)
	if err != nil {
		return name + ": " + f.what + "; " + err.Error()
	}
	return fmt.Sprintf("%s\n\n%s\n%s\n%s", name, story, story.Mermaid(), story.Test(name))
}

// repeat tells the moves of an earlier failure again.
func repeat(job *tier.Job) {
	name, moves, _ := strings.Cut(job.Repeat, " ")
	cfg, err := Named(name)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	cfg.Without = job.Without
	story, err := Replay(cfg, moves, true)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	_, _ = io.WriteString(job.Out, story.String())
	if story.Broken != "" {
		job.Fail(job.Repeat, "%s", story.Broken)
	}
}

// coverage says which transitions of which table were taken.
type coverage map[string]bool

func (c coverage) add(other coverage) {
	for _, edge := range slices.Sorted(maps.Keys(other)) {
		c[edge] = c[edge] || other[edge]
	}
}

func (c coverage) missing() (missing []string) {
	for _, edge := range slices.Sorted(maps.Keys(c)) {
		if !c[edge] {
			missing = append(missing, edge)
		}
	}
	return missing
}

// coverage returns which transitions the model has taken since it was made. A
// leg that rests before the end of its table, as the profile wants it, takes
// none that lies behind: those are left out.
func (m *model) coverage() coverage {
	c := coverage{}
	for n, t := range m.tables[1:] {
		asked := slices.Repeat([]bool{true}, len(t.edges))
		if leg, forth := m.leg(uint8(n + 1)); forth {
			asked = t.before(leg.Stages[len(leg.Stages)-1].Until)
		}
		for i, edge := range t.edges {
			if asked[i] {
				c[t.id+": "+edge] = t.taken[i]
			}
		}
	}
	for _, t := range m.lineTables[1:] {
		for i, edge := range t.edges {
			c[t.id+": "+edge] = t.taken[i]
		}
	}
	return c
}
