package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/bench/page"
	"github.com/changeover-go/changeover/internal/bench/stats"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	procedure "github.com/changeover-go/changeover/migration/report"
)

// planOf returns a valid plan over n environments.
func planOf(n int) (migration.Plan, error) {
	source, err1 := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	target, err2 := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme"}, Source: source, Target: target,
		Profile: "refresh-and-move", Module: fake.TestModule, MinCopies: 1,
		Accept:      map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
		MaxInFlight: map[string]int{"refresh": n, "move": n},
	}
	for i := range n {
		env := environment.Environment{
			Name: fmt.Sprintf("Environment %d", i), Kind: environment.Development,
			ServiceCenter: fmt.Sprintf("https://environment%d.example.test", i),
			Serial:        license.SerialNumber(fmt.Sprintf("AAA-BBB-CCC-DDD-EEE-FFF-%03d-%03d", i/1000, i%1000)),
		}
		switch i {
		case 0:
			env.Name, env.Kind = "Production", environment.Production
		case n - 1:
			env.Name, env.Kind = "LifeTime", environment.LifeTime
		}
		p.Infrastructure.Environments = append(p.Infrastructure.Environments, env)
	}
	return p, errors.Join(err1, err2)
}

// migrated is what the real procedure takes over so many environments, in a
// world in memory, with a journal on disk.
type migrated struct {
	planned, first, all time.Duration // until there is a Changeover, until the first entry is durable, until it is completed
	status              time.Duration
	entries             uint64
}

func migrate(ctx context.Context, b bench, n int) (m migrated, err error) {
	dir, err := b.place.fresh()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan, err := planOf(n)
	if err != nil {
		return m, err
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	began := time.Now()
	store, err := filejournal.Open(filepath.Join(dir, "state"), nil)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, err := changeover.New(plan, world.Set(), store, &changeover.Options{
		Clock: new(fake.Clock), // no waiting for the world to settle
		OnEntry: func(e journal.Entry) {
			m.entries = e.Seq
			if m.first == 0 {
				m.first = time.Since(began)
			}
		},
	})
	if err != nil {
		return m, err
	}
	m.planned = time.Since(began)
	r, err := c.Apply(ctx)
	if err != nil {
		return m, err
	}
	m.all = time.Since(began)
	if r.Verdict != procedure.Completed {
		return m, fmt.Errorf("the run ended as %s", r.Verdict)
	}
	began = time.Now()
	_, err = c.Status(ctx)
	m.status = time.Since(began)
	return m, err
}

// statuses returns how long the status takes, with its report, of a journal of
// each length: a run of a hundred environments, in which nothing but
// observations came after.
func statuses(ctx context.Context, b bench, lengths []int) (took []time.Duration, err error) {
	dir, err := b.place.fresh()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan, err := planOf(100)
	if err != nil {
		return nil, err
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	store, err := filejournal.Open(filepath.Join(dir, "state"), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, err := changeover.New(plan, world.Set(), store, &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		return nil, err
	}
	if _, err := c.Apply(ctx); err != nil {
		return nil, err
	}
	record, err := journal.Replay(store.Read(ctx))
	if err != nil {
		return nil, err
	}
	for _, length := range lengths {
		if err := lengthen(ctx, store, record, length); err != nil {
			return nil, err
		}
		began := time.Now()
		if _, err := c.Status(ctx); err != nil {
			return nil, err
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// lengthen appends observations until the journal has so many entries.
func lengthen(ctx context.Context, store journal.Store, record *journal.Record, length int) error {
	for record.Last < uint64(length) {
		var batch []journal.Entry
		after := record.Last
		for len(batch) < 10_000 && record.Last < uint64(length) {
			at := record.Standings[int(record.Last)%len(record.Standings)]
			e := journal.Entry{Seq: record.Last + 1, Epoch: record.Epoch, Time: time.Now().UTC(), Kind: journal.Noted,
				Env: at.Env, Table: at.Table, Leg: at.Leg, State: at.State, Text: "somebody has looked, and nothing had changed"}
			if err := record.Add(e); err != nil {
				return err
			}
			batch = append(batch, e)
		}
		if err := store.Append(ctx, after, batch...); err != nil {
			return err
		}
	}
	return nil
}

// plan measures the whole procedure, from the plan to the last environment.
func (r *report) plan(ctx context.Context) error {
	var rows [][]string
	var x []float64
	var planned, all []float64
	for _, n := range []int{10, 100, 1000} {
		r.progress("the procedure over %d environments", n)
		m, err := migrate(ctx, r.bench, n)
		if err != nil {
			return err
		}
		x, planned, all = append(x, float64(n)), append(planned, m.planned.Seconds()), append(all, m.all.Seconds())
		rows = append(rows, []string{
			page.Count(float64(n)), page.Duration(m.planned), page.Duration(m.first), page.Duration(m.all), page.Count(float64(m.entries)), page.Duration(m.status),
		})
	}
	p := &r.page
	p.Heading(2, "The whole procedure")
	p.Text("The profile refresh-and-move through the public door, with portals in memory that answer at once and a journal on disk: " +
		"until the plan is accepted and the journal open, until the first entry is durable, until every environment has moved; then the status, with its report.")
	p.Table([]string{"environments", "planned", "first entry", "completed", "entries", "status"}, rows)
	p.Text("Growth: planned %s, completed %s.", page.Count(stats.Exponent(x, planned)), page.Count(stats.Exponent(x, all)))
	return nil
}
