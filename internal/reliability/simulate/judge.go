package simulate

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// judge compares what a process says with the laws and with the truth.
func (r *run) judge(rep *report.Report, err error, stopped bool, what string) {
	switch {
	case err == nil:
		r.watch.Call(rep)
	case stopped && (errors.Is(err, context.Canceled)):
		r.count(canceled)
	case errors.Is(err, changeover.ErrJournal) && r.disk.closed, errors.Is(err, journal.ErrClosed) && r.disk.closed:
	case errors.Is(err, changeover.ErrNotHeld), strings.HasPrefix(what, "hold"), !r.anyBegun():
		// There was nothing to end, to hold or to roll back, or the preconditions
		// do not hold.
	default:
		r.fail("%s: unexpected error: %v", what, err)
	}
	for _, v := range r.watch.Violations() {
		r.fail("%v", v)
	}
	for _, what := range r.world.Broken {
		r.fail("%s", what)
	}
	if rep == nil || err != nil {
		return
	}
	r.tell("report: %s, %s, hold %v", rep.Verdict, rep.Placement, rep.Hold)
	switch rep.Verdict {
	case report.Completed:
		r.truth(rep, r.final)
	case report.RolledBack:
		r.truth(rep, license.Source)
	}
	if r.thorough {
		r.examine(rep)
	}
}

// anyBegun reports whether the journal says more than that somebody has opened
// it.
func (r *run) anyBegun() bool {
	return slices.ContainsFunc(r.disk.entries, func(e journal.Entry) bool { return e.Kind == journal.Begun })
}

// truth compares a report that calls the run over with what is really
// installed (MX1).
func (r *run) truth(rep *report.Report, role license.Role) {
	want := map[license.Role]report.Placement{license.Source: report.AllSource, license.Target: report.AllTarget}[role]
	if rep.Placement != want {
		r.fail("the run is %s, and the placement is %s", rep.Verdict, rep.Placement)
	}
	for i, env := range r.plan.Infrastructure.Environments {
		if is := r.world.Installed(i); is != role && !r.world.Excused(i) {
			r.fail("the run is called %s, but %s has the license of %q", rep.Verdict, env.Name, is)
		}
		if byRun, _ := r.world.Paused(i); byRun {
			r.fail("the run is called %s, but deployments to %s are still paused by it", rep.Verdict, env.Name)
		}
	}
}

// examine looks at all that can be looked at: what the journal alone says,
// twice, and everything that was printed.
func (r *run) examine(rep *report.Report) {
	for _, v := range law.Replayed(r.disk.Read(r.lab.ctx), r.entries()) {
		r.fail("%v", v)
	}
	again, err := report.New(r.plan, r.disk.Read(r.lab.ctx))
	if err != nil || again.Verdict != rep.Verdict || again.Placement != rep.Placement || !reflect.DeepEqual(again.Hold, rep.Hold) {
		r.fail("the journal alone says something else than the run: %v", err)
	}
	for _, form := range []struct {
		name  string
		write func(*strings.Builder) error
	}{
		{"the report as text", func(b *strings.Builder) error { return rep.WriteText(b) }},
		{"the report as Markdown", func(b *strings.Builder) error { return rep.WriteMarkdown(b) }},
		{"the report as JSON", func(b *strings.Builder) error { return rep.WriteJSON(b) }},
		{"the journal", func(b *strings.Builder) error {
			for _, e := range r.disk.entries {
				text, err := encoded(e)
				if err != nil {
					return err
				}
				b.WriteString(text + "\n")
			}
			return nil
		}},
		{"the log", func(b *strings.Builder) error { b.WriteString(r.log.String()); return nil }},
	} {
		var b strings.Builder
		if err := form.write(&b); err != nil {
			r.fail("%s cannot be written: %v", form.name, err)
		}
		for _, v := range law.Clean(form.name, b.String(), scene.Source, scene.Target, scene.Third) {
			r.fail("%v", v)
		}
	}
}

// entries yields the journal as it is in memory.
func (r *run) entries() iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, e := range r.disk.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}
