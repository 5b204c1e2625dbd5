package report

import (
	"slices"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// past is what happened in a run, as far as clauses ask for it.
type past struct {
	plan     migration.Plan // effective
	profile  migration.Profile
	back     string // ID of the table of environments on the way back
	lineBack string // and of the infrastructure's
	hits     map[mark][]hit
}

// A hit is an entry that shows a mark.
type hit struct {
	seq uint64
	env string
}

func newPast(plan migration.Plan, profile migration.Profile) *past {
	return &past{plan: plan, profile: profile, back: rollback.EnvironmentTable().ID, lineBack: rollback.InfrastructureTable().ID, hits: map[mark][]hit{}}
}

// find returns the environment of that name; one with only the name if the
// plan has none.
func find(plan migration.Plan, name string) environment.Environment {
	if env, ok := plan.Infrastructure.Environment(name); ok {
		return env
	}
	return environment.Environment{Name: name}
}

// role returns whose licenses a leg is about, as a scope of marks.
func (p *past) role(leg string) string {
	for _, l := range p.profile.Legs {
		if l.Name == leg && l.Role == license.Target {
			return "target"
		}
	}
	return "source"
}

// scope returns where an entry belongs to.
func (p *past) scope(e journal.Entry) string {
	switch {
	case e.Table == p.lineBack:
		return "lineBack"
	case e.Env == journal.Infrastructure:
		return "line"
	case e.Table == p.back:
		return "back"
	}
	return p.role(e.Leg)
}

// add takes an entry down under its mark.
func (p *past) add(e journal.Entry) {
	take := func(m mark) { p.hits[m] = append(p.hits[m], hit{e.Seq, e.Env}) }
	switch e.Kind {
	case journal.Opened:
		take(opened)
	case journal.Begun:
		take(mark(p.scope(e) + ":begun"))
	case journal.Held:
		take("run:needed")
	case journal.Outcome:
		take(mark(p.scope(e) + ":" + e.Trigger))
		if e.To == string(migration.NeedsSupport) || e.To == string(migration.Halted) {
			take("run:needed")
		}
	}
}

func (p *past) seen(m mark) bool { return len(p.hits[m]) > 0 }

// everywhere reports whether every environment has a hit of one of the marks
// that counts.
func (p *past) everywhere(counts func(hit) bool, marks ...mark) bool {
	have := map[string]bool{}
	for _, m := range marks {
		for _, h := range p.hits[m] {
			if counts(h) {
				have[h.env] = true
			}
		}
	}
	return len(p.plan.Order) > 0 && !slices.ContainsFunc(p.plan.Order, func(env string) bool { return !have[env] })
}

// clauses evaluates every clause.
func (p *past) clauses() []Clause {
	rules := rules()
	all := make([]Clause, 0, len(rules))
	for _, r := range rules {
		all = append(all, p.evaluate(r))
	}
	return all
}

func (p *past) evaluate(r rule) Clause {
	c := r.Clause
	if c.Kind != Gap && r.when != nil && !r.when(p) {
		c.Status = NotApplicable
		return c
	}
	for _, m := range r.marks {
		for _, h := range p.hits[m] {
			c.Evidence = append(c.Evidence, h.seq)
		}
	}
	slices.Sort(c.Evidence)
	done := len(c.Evidence) > 0
	switch {
	case c.Kind == Gap:
		c.Status = IsGap
		return c
	case r.check != nil:
		done = r.check(p)
	case r.each:
		done = p.everywhere(func(hit) bool { return true }, r.marks...)
	}
	c.Status = NotDone
	if done {
		c.Status = Done
	}
	return c
}
