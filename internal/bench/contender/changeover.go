package contender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Changeover is this project: a table of six states, walked by the engine
// that the way forward and the way back are walked by.
type Changeover struct {
	name     string
	settings string
	durable  bool
	open     func(ctx context.Context, dir string) (journal.Store, error)

	store   journal.Store
	session *engine.Session
	machine *machine.Machine[Facts]
	runs    int
}

// FileJournal is changeover over a journal on disk. wrap stands between the
// engine and the store, to count or to slow; nil: nothing does.
func FileJournal(wrap func(journal.Store) journal.Store) *Changeover {
	return &Changeover{
		name: "changeover, filejournal", durable: true,
		settings: "the engine that both procedures run on, over filejournal.Open(dir, nil): one fsync for each append, an outcome and the next intent in one append, hash chain, 2 MiB of ballast",
		open: func(_ context.Context, dir string) (journal.Store, error) {
			s, err := filejournal.Open(filepath.Join(dir, "state"), nil)
			if err != nil || wrap == nil {
				return s, err
			}
			return wrap(s), nil
		},
	}
}

// Memory is changeover over a journal that forgets.
func Memory() *Changeover {
	return &Changeover{
		name: "changeover, Memory", settings: "the same over journal.Memory: nothing survives the process",
		open: func(context.Context, string) (journal.Store, error) { return new(journal.Memory), nil },
	}
}

// Name implements [Contender].
func (c *Changeover) Name() string { return c.name }

// Version implements [Contender].
func (c *Changeover) Version() string { return "this one" }

// Durable implements [Contender].
func (c *Changeover) Durable() bool { return c.durable }

// Settings implements [Contender].
func (c *Changeover) Settings() string { return c.settings }

// Start implements [Contender].
func (c *Changeover) Start(ctx context.Context, dir string) error {
	table := Table()
	m, err := machine.New(table)
	if err != nil {
		return err
	}
	c.machine = m
	if c.store, err = c.open(ctx, dir); err != nil {
		return err
	}
	c.session, err = engine.Open(ctx, c.store, journal.Opening{
		Run: "bench", Plan: "bench", Procedure: "bench", Definition: table.Hash(), Verb: "apply",
	}, engine.Options{})
	return err
}

// RunInstances implements [Contender].
func (c *Changeover) RunInstances(ctx context.Context, n, inFlight int, mark Mark) error {
	return c.Walk(ctx, Walk{Instances: n, InFlight: inFlight, Effect: func(_ context.Context, instance, step int) {
		mark(instance, step, time.Now())
	}})
}

// A Walk is what else can be asked of changeover: effects that take their time,
// and instances that rest halfway.
type Walk struct {
	Instances, InFlight int
	Until               int // how many steps to carry out; zero: all
	Effect              func(ctx context.Context, instance, step int)
}

// Walk carries out new instances. An instance is an environment on one leg: the
// next walk takes the same environments through the table on another.
func (c *Changeover) Walk(ctx context.Context, w Walk) error {
	c.runs++
	names := make([]string, w.Instances)
	number := make(map[string]int, w.Instances)
	for i := range names {
		names[i] = fmt.Sprintf("Environment %d", i)
		number[names[i]] = i
	}
	steps := make(map[machine.EffectName]machine.Step[Facts], Steps)
	for k := range Steps {
		on := trigger(k)
		do := func(ctx context.Context, call *machine.Call[Facts]) (machine.Trigger, error) {
			w.Effect(ctx, number[call.Environment], k)
			call.Facts.Done = k + 1
			return on, nil
		}
		steps[effectName(k)] = machine.Step[Facts]{Do: do, Observe: do}
	}
	end := state(Steps)
	if w.Until > 0 {
		end = state(w.Until)
	}
	walk := engine.Walk[Facts]{Session: c.session, Machine: c.machine, Steps: steps, Leg: fmt.Sprintf("leg %d", c.runs), Envs: names, Limit: w.InFlight, Until: end}
	if err := walk.Run(ctx); err != nil {
		return err
	}
	for _, name := range names {
		if at, _ := c.session.Standing(name); at.State != string(end) {
			return fmt.Errorf("%s ended in %s", name, at.State)
		}
	}
	return nil
}

// Stop implements [Contender].
func (c *Changeover) Stop() error {
	var err error
	if closer, ok := c.store.(io.Closer); ok {
		err = closer.Close()
	}
	c.store, c.session = nil, nil
	if errors.Is(err, journal.ErrClosed) {
		err = nil
	}
	return err
}
