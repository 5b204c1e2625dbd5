package law_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A run with everything that it takes, watched.
type run struct {
	plan  migration.Plan
	world *fake.World
	store *journal.Memory
	clock *fake.Clock
	watch *law.Watch
}

func code(t testing.TB, s string) license.ActivationCode {
	c, err := license.ParseActivationCode(s)
	require.NoError(t, err)
	return c
}

func newRun(t testing.TB, profile string) *run {
	env := func(name string, kind environment.Kind, letter string) environment.Environment {
		serial := strings.TrimSuffix(strings.Repeat(strings.Repeat(letter, 3)+"-", 8), "-")
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + strings.ToLower(name) + ".example.test", Serial: license.SerialNumber(serial)}
	}
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			env("Production", environment.Production, "P"), env("Quality", environment.Quality, "Q"), env("LifeTime", environment.LifeTime, "L"),
		}},
		Source: code(t, "AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU"), Target: code(t, "BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU"), Profile: profile, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}
	switch profile {
	case migration.AsWritten:
		delete(p.Accept, "move")
	case migration.Published:
		delete(p.Accept, "refresh")
	}
	w, err := law.NewWatch(p, law.Rules{})
	require.NoError(t, err)
	return &run{plan: p, world: newWorld(t, p), store: new(journal.Memory), clock: new(fake.Clock), watch: w}
}

// newWorld returns a new world. Writing license files is most of what that
// costs, so it is done once and read back.
func newWorld(t testing.TB, p migration.Plan) *fake.World {
	saved := savedWorld(p)
	w := new(fake.World)
	require.NoError(t, w.Load(strings.NewReader(saved)))
	return w
}

var savedWorlds sync.Map // digest of the plan -> string

func savedWorld(p migration.Plan) string {
	if saved, ok := savedWorlds.Load(p.Digest()); ok {
		return saved.(string)
	}
	var b strings.Builder
	_ = fake.New(p.Infrastructure, p.Source, p.Target).Save(&b)
	savedWorlds.Store(p.Digest(), b.String())
	return b.String()
}

func (r *run) open(t testing.TB, store journal.Store, injectors ...*fault.Injector) *changeover.Changeover {
	r.watch.Revive()
	c, err := changeover.New(r.plan, r.watch.Set(fault.Wrap(r.world.Set(), injectors...)), r.watch.Store(store),
		&changeover.Options{Clock: r.watch.Clock(r.clock), Inline: true, User: "tester"})
	require.NoError(t, err)
	return c
}

func (r *run) lawful(t testing.TB, rep *report.Report, err error) {
	t.Helper()
	if err == nil {
		r.watch.Call(rep)
	}
	if bad := r.watch.Err(); bad != nil {
		trace := r.watch.Trace()
		t.Log(strings.Join(trace, "\n"))
		require.NoError(t, bad)
	}
}

func (r *run) ipp(env string) {
	r.world.SetIPP(r.plan.Target, env, license.Protected)
	r.world.MarkModule(env, r.plan.Module, r.plan.Source)
}

// A run that keeps every promise breaks no law, whatever call fails and however
// often it is taken up again.
func TestNoLawIsBrokenWhateverCallFails(t *testing.T) {
	for _, profile := range []string{migration.RefreshAndMove, migration.AsWritten, migration.Published} {
		for _, ipp := range []bool{false, true} {
			for _, when := range []fault.When{fault.Before, fault.After} {
				calls := 0
				for n := 0; ; n++ {
					r := newRun(t, profile)
					if ipp {
						r.ipp("Quality")
					}
					injector := fault.OnIndex(n, when, errors.New("the line went dead"))
					rep, err := r.open(t, r.store, injector).Apply(t.Context())
					r.lawful(t, rep, err)
					for range 2 {
						rep, err = r.open(t, r.store).Resume(t.Context())
						if err == nil && rep.Verdict == report.Held {
							for _, env := range []string{journal.Infrastructure, "Production", "Quality", "LifeTime"} {
								_ = r.open(t, r.store).Resolve(t.Context(), env, migration.Resolution{By: "tester", Evidence: "looked", NotDone: true})
							}
						}
						r.lawful(t, rep, err)
					}
					rep, err = r.open(t, r.store).RollBack(t.Context(), "tester", "to see")
					r.lawful(t, rep, err)
					if !injector.Hit() {
						break
					}
					calls++
				}
				require.Greater(t, calls, 20)
			}
		}
	}
}

// mortal dies at one append, before or after it is durable.
type mortal struct {
	*journal.Memory
	run   *run
	left  int
	after bool
	died  bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if m.died {
		return errDead
	}
	if m.left--; m.left >= 0 {
		return m.Memory.Append(ctx, after, entries...)
	}
	m.died = true
	if m.after {
		_ = m.Memory.Append(ctx, after, entries...)
	}
	m.run.watch.Die()
	return errDead
}

func TestNoLawIsBrokenWhereverTheProcessDies(t *testing.T) {
	for _, ipp := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for n := 0; ; n++ {
				r := newRun(t, migration.RefreshAndMove)
				if ipp {
					r.ipp("Quality")
				}
				store := &mortal{Memory: r.store, run: r, left: n, after: after}
				rep, err := r.open(t, store).Apply(t.Context())
				if !store.died {
					r.lawful(t, rep, err)
					break
				}
				require.Error(t, err)
				rep, err = r.open(t, r.store).Resume(t.Context())
				if errors.Is(err, changeover.ErrNotBegun) {
					rep, err = r.open(t, r.store).Apply(t.Context())
				}
				require.NoError(t, err)
				r.lawful(t, rep, err)
				if rep.Verdict == report.Held {
					// A registration that was never sent looks like one that is on
					// its way: only a person may say so (OR3).
					require.Equal(t, journal.HoldInDoubt, rep.Hold.Kind)
					for _, env := range rep.Hold.Environments {
						require.NoError(t, r.open(t, r.store).Resolve(t.Context(), env, migration.Resolution{By: "tester", Evidence: "looked", NotDone: true}))
					}
					rep, err = r.open(t, r.store).Resume(t.Context())
					require.NoError(t, err)
					r.lawful(t, rep, err)
				}
				want := report.Completed
				if ipp {
					want = report.RolledBack
				}
				require.Equal(t, want, rep.Verdict, "append %d", n)
			}
		}
	}
}
