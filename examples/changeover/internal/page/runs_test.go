package page

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

const (
	sourceCode = "AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU"
	targetCode = "BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU"
)

// A run is everything that one run needs.
type run struct {
	t     testing.TB
	plan  migration.Plan
	world *fake.World
	store *journal.Memory
	clock *slowClock
}

// A slowClock takes some seconds for everything, so that pictures have
// something to show.
type slowClock struct {
	mu   sync.Mutex
	now  time.Time
	n    int
	step time.Duration
}

func (c *slowClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.now = c.now.Add(c.step + time.Duration(c.n*c.n%7)*c.step/2)
	return c.now
}

func (c *slowClock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.pass(d)
	return nil
}

func (c *slowClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// names are those of the written procedure.
func names4() []string { return []string{"Production", "Quality", "Development", "LifeTime"} }

// newRun returns a run of environments with these names; the first one is
// Production, the last one LifeTime.
func newRun(t testing.TB, profile string, names []string) *run {
	t.Helper()
	parse := func(s string) license.ActivationCode {
		c, err := license.ParseActivationCode(s)
		require.NoError(t, err)
		return c
	}
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme"},
		Source:         parse(sourceCode), Target: parse(targetCode), Profile: profile, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Unprotected, license.Protected}},
	}
	for i, name := range names {
		kind := environment.Quality
		switch {
		case i == len(names)-1:
			kind = environment.LifeTime
		case i == 0:
			kind = environment.Production
		case name == "Development":
			kind = environment.Development
		}
		p.Infrastructure.Environments = append(p.Infrastructure.Environments, environment.Environment{
			Name: name, Kind: kind, ServiceCenter: fmt.Sprintf("https://e%d.example.test", i),
			Serial: license.SerialNumber(fmt.Sprintf("A%02d-B%02d-CCC-DDD-EEE-FFF-GGG-HHH", i/100, i%100)),
		})
	}
	switch profile {
	case migration.AsWritten:
		delete(p.Accept, "move")
	case migration.Published:
		delete(p.Accept, "refresh")
	}
	return &run{
		t: t, plan: p, world: fake.New(p.Infrastructure, p.Source, p.Target), store: new(journal.Memory),
		clock: &slowClock{now: fake.Start(), step: 900 * time.Millisecond},
	}
}

func (r *run) changeover(injectors ...*fault.Injector) *changeover.Changeover {
	r.t.Helper()
	c, err := changeover.New(r.plan, fault.Wrap(r.world.Set(), injectors...), r.store, &changeover.Options{Clock: r.clock, Inline: true, User: "ada"})
	require.NoError(r.t, err)
	return c
}

func (r *run) apply(injectors ...*fault.Injector) {
	r.t.Helper()
	_, err := r.changeover(injectors...).Apply(r.t.Context())
	require.NoError(r.t, err)
}

// cut keeps the journal up to the first entry for which f says so, as a kill
// right after it does.
func (r *run) cut(f func(journal.Entry) bool) {
	r.t.Helper()
	var kept []journal.Entry
	for e, err := range r.store.Read(r.t.Context()) {
		require.NoError(r.t, err)
		kept = append(kept, e)
		if f(e) {
			r.store = new(journal.Memory)
			require.NoError(r.t, r.store.Append(r.t.Context(), 0, kept...))
			return
		}
	}
	require.Fail(r.t, "there is no such entry")
}

func (r *run) entries() (all []journal.Entry) {
	r.t.Helper()
	for e, err := range r.store.Read(r.t.Context()) {
		require.NoError(r.t, err)
		all = append(all, e)
	}
	return all
}

// view reads the journal anew.
func (r *run) view() View {
	r.t.Helper()
	rep, err := report.New(r.plan, r.store.Read(r.t.Context()))
	require.NoError(r.t, err)
	return View{Report: rep, Plan: r.plan}
}

func (r *run) ipp(env string) {
	r.world.SetIPP(r.plan.Target, env, license.Protected)
	r.world.MarkModule(env, r.plan.Module, r.plan.Source)
}

// A scene is a run of which a page is made.
type scene struct {
	name    string
	verdict report.Verdict
	view    func(t testing.TB) View
}

func scenes() []scene {
	simple := func(profile string, do func(r *run)) func(t testing.TB) View {
		return func(t testing.TB) View {
			r := newRun(t, profile, names4())
			do(r)
			return r.view()
		}
	}
	return []scene{
		{"nothing has begun", "", simple(migration.RefreshAndMove, func(*run) {})},
		{"completed", report.Completed, simple(migration.RefreshAndMove, func(r *run) { r.apply() })},
		{"as written", report.Completed, simple(migration.AsWritten, func(r *run) { r.apply() })},
		{"published", report.Completed, simple(migration.Published, func(r *run) { r.apply() })},
		{"rolled back", report.RolledBack, simple(migration.RefreshAndMove, func(r *run) { r.ipp("Development"); r.apply() })},
		{"held for Support", report.Held, simple(migration.RefreshAndMove, func(r *run) {
			r.world.DropSerial(r.plan.Source, "Quality")
			r.world.SetIPP(r.plan.Source, "LifeTime", license.Protected)
			r.apply()
		})},
		{"mixed", report.Mixed, simple(migration.RefreshAndMove, func(r *run) {
			r.ipp("Development")
			r.world.RefuseReturn("Quality", "the license is of another infrastructure")
			r.apply()
		})},
		{"eventful", report.Completed, eventful},
		{"in the middle", report.Held, middle},
		{"in the middle, live", report.Held, func(t testing.TB) View {
			v := middle(t)
			v.Live, v.Now = true, v.Report.Timeline()[len(v.Report.Timeline())-1].Time.Add(20*time.Second)
			return v
		}},
		{"hostile names", report.Mixed, func(t testing.TB) View {
			names := []string{`<script>alert("1")</script>`, "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd", strings.Repeat("W", 64), `"><img src=x onerror=alert(1)>`, "&amp;{{.}}' style=x"}
			r := newRun(t, migration.RefreshAndMove, names)
			r.plan.Infrastructure.Name = "</title><script>alert(2)</script>"
			r.ipp(names[2])
			r.world.RefuseReturn(names[1], `<b onclick="alert(3)">no</b> javascript:alert(4)`)
			r.apply()
			return r.view()
		}},
	}
}

// eventful meets everything that a timeline tells apart and completes all the
// same.
func eventful(t testing.TB) View {
	r := newRun(t, migration.RefreshAndMove, names4())
	r.world.Answer(func(q adapters.Question) (adapters.Answer, error) {
		r.clock.pass(3 * time.Minute)
		return adapters.Answer{By: "Grace Hopper", At: r.clock.Now(), Text: "approved"}, nil
	})
	r.world.DropSerial(r.plan.Source, "Development")
	busy := func(method, env string, n int) *fault.Injector {
		return fault.On(fault.Match{Method: method, Environment: env}, n, fault.Before, adapters.ErrBusy)
	}
	r.apply()
	r.world.AddSerial(r.plan.Source, "Development")
	r.clock.pass(16 * time.Hour)
	c := r.changeover()
	require.NoError(t, c.Resolve(t.Context(), "Development", migration.Resolution{By: "Ada Lovelace", Evidence: "Support has registered it, case 4711"}))
	c = r.changeover(
		busy("RepublishModule", "Quality", 0), busy("RepublishModule", "Quality", 1),
		fault.On(fault.Match{Method: "UploadLicense", Environment: "Production"}, 0, fault.After, errors.New("the connection was lost")),
		fault.On(fault.Match{Method: "UploadLicense", Environment: "Production"}, 1, fault.After, errors.New("the connection was lost")),
		fault.Watch(func(op fault.Op) {
			if op.Method == "RegisterSerial" && op.Environment == "Quality" {
				require.NoError(t, c.Hold(t.Context(), "Development", "Ada Lovelace", "the release is today"))
			}
		}))
	_, err := c.Resume(t.Context())
	require.NoError(t, err)
	r.clock.pass(40 * time.Minute)
	require.NoError(t, r.changeover().Release(t.Context(), "Development", "Ada Lovelace", "the release is out"))
	_, err = r.changeover().Resume(t.Context())
	require.NoError(t, err)
	return r.view()
}

// middle was killed while Quality's target license was uploaded.
func middle(t testing.TB) View {
	r := newRun(t, migration.RefreshAndMove, names4())
	r.apply()
	r.cut(func(e journal.Entry) bool {
		return e.Kind == journal.Intent && e.Env == "Quality" && e.Effect == "upload" && e.Leg == "move"
	})
	return r.view()
}

// many is a run of a thousand environments, of which three wait. It is made
// from a run of four, two of which are told many times.
func many(t testing.TB) View {
	four := newRun(t, migration.RefreshAndMove, names4())
	four.plan.Order = []string{"Production", "Development", "LifeTime", "Quality"} // Quality waits last
	four.world.SetIPP(four.plan.Target, "Quality", license.Ignore)
	four.apply()
	twins := map[string][]string{"Production": {"Production"}, "LifeTime": {"LifeTime"}, journal.Infrastructure: {journal.Infrastructure}, "": {""}}
	names := []string{"Production"}
	for i := range 998 {
		of, name := "Development", fmt.Sprintf("Environment %03d", i)
		if i%300 == 70 {
			of = "Quality"
		}
		twins[of], names = append(twins[of], name), append(names, name)
	}
	all := newRun(t, migration.RefreshAndMove, append(names, "LifeTime"))
	var entries []journal.Entry
	digest := all.plan.Digest()
	for _, e := range four.entries() {
		for _, name := range twins[e.Env] {
			e.Env, e.Seq = name, uint64(len(entries)+1)
			if e.Opened != nil {
				opened := *e.Opened
				opened.Plan, e.Opened = digest, &opened
			}
			entries = append(entries, e)
		}
	}
	// One of them is talkative.
	note := entries[slices.IndexFunc(entries, func(e journal.Entry) bool {
		return e.To == string(migration.NeedsSupport) && e.Env == "Environment 070"
	})]
	note.Kind, note.State, note.To, note.Trigger, note.Effect, note.ID, note.Attempt = journal.Noted, note.To, "", "", "", "", 0
	for range 1_000 {
		note.Seq = uint64(len(entries) + 1)
		entries = append(entries, note)
	}
	require.Greater(t, len(entries), 25_000)
	require.NoError(t, all.store.Append(t.Context(), 0, entries...))
	return all.view()
}

// render returns the page as text.
func render(t testing.TB, v View) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, Write(&b, v))
	return b.String()
}

func find(t testing.TB, name string) View {
	t.Helper()
	all := scenes()
	i := slices.IndexFunc(all, func(s scene) bool { return s.name == name })
	require.GreaterOrEqual(t, i, 0)
	return all[i].view(t)
}
