package changeover_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

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

func code(t testing.TB, s string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(s)
	require.NoError(t, err)
	return c
}

// plan is the infrastructure of the written procedure.
func plan(t testing.TB, profile string) migration.Plan {
	t.Helper()
	env := func(name string, kind environment.Kind, letter string) environment.Environment {
		serial := strings.TrimSuffix(strings.Repeat(strings.Repeat(letter, 3)+"-", 8), "-")
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + strings.ToLower(name) + ".example.test", Serial: license.SerialNumber(serial)}
	}
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			env("Production", environment.Production, "P"), env("Quality", environment.Quality, "Q"),
			env("Development", environment.Development, "D"), env("LifeTime", environment.LifeTime, "L"),
		}},
		Source: code(t, sourceCode), Target: code(t, targetCode), Profile: profile, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}
	switch profile {
	case migration.AsWritten:
		delete(p.Accept, "move")
	case migration.Published:
		delete(p.Accept, "refresh")
	}
	return p
}

// A stage is everything one test needs: a plan, the world that it is about, a
// journal, and a clock that advances when somebody waits.
type stage struct {
	plan  migration.Plan
	world *fake.World
	store *journal.Memory
	clock *fake.Clock
}

func newStage(t testing.TB, profile string) *stage {
	p := plan(t, profile)
	return &stage{plan: p, world: newWorld(t, p), store: new(journal.Memory), clock: new(fake.Clock)}
}

// newWorld returns a new world for the plan. Writing license files is most of
// what that costs, so it is done once and read back.
func newWorld(t testing.TB, p migration.Plan) *fake.World {
	saved := savedWorld(t, p)
	w := new(fake.World)
	require.NoError(t, w.Load(strings.NewReader(saved)))
	return w
}

func savedWorld(t testing.TB, p migration.Plan) string {
	saved, _ := savedWorlds.LoadOrStore(p.Digest(), sync.OnceValue(func() string {
		var b strings.Builder
		require.NoError(t, fake.New(p.Infrastructure, p.Source, p.Target).Save(&b))
		return b.String()
	}))
	return saved.(func() string)()
}

var savedWorlds sync.Map // digest of the plan -> func() string

// ipp makes the move of env end in an intellectual property error: its module
// is marked with the source code, and its target license will be Protected.
func (s *stage) ipp(env string) {
	s.world.SetIPP(s.plan.Target, env, license.Protected)
	s.world.MarkModule(env, s.plan.Module, s.plan.Source)
}

// changeover opens the run anew, as another process would.
func (s *stage) changeover(t testing.TB, injectors ...*fault.Injector) *changeover.Changeover {
	t.Helper()
	c, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), injectors...), s.store, &changeover.Options{Clock: s.clock, Inline: true, User: "tester"})
	require.NoError(t, err)
	return c
}

func (s *stage) shows(role license.Role) func(string) bool {
	want := s.plan.Source
	if role == license.Target {
		want = s.plan.Target
	}
	return func(env string) bool { return s.world.Installed(env).Code == want }
}

func (s *stage) names() []string {
	var names []string
	for _, e := range s.plan.Infrastructure.Environments {
		names = append(names, e.Name)
	}
	return names
}

// everyone requires that every environment shows the license of role and that
// the deployments go on.
func (s *stage) everyone(t testing.TB, role license.Role, msg string) {
	t.Helper()
	for _, env := range s.names() {
		require.True(t, s.shows(role)(env), "%s: %s shows %v", msg, env, s.world.Installed(env))
		require.False(t, s.world.Paused(env), "%s: deployments to %s are still paused", msg, env)
	}
}

func (s *stage) entries(t testing.TB) []journal.Entry {
	t.Helper()
	var all []journal.Entry
	for e, err := range s.store.Read(t.Context()) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func TestEveryProfileCompletes(t *testing.T) {
	for profile, role := range map[string]license.Role{
		migration.RefreshAndMove: license.Target, migration.AsWritten: license.Source, migration.Published: license.Target,
	} {
		t.Run(profile, func(t *testing.T) {
			s := newStage(t, profile)
			r, err := s.changeover(t).Apply(t.Context())
			require.NoError(t, err)
			require.Equal(t, report.Completed, r.Verdict)
			s.everyone(t, role, profile)
			require.NoError(t, s.world.Err())
		})
	}
}

func TestEveryProfileCompletesConcurrently(t *testing.T) {
	for _, profile := range []string{migration.RefreshAndMove, migration.AsWritten, migration.Published} {
		t.Run(profile, func(t *testing.T) {
			s := newStage(t, profile)
			s.plan.MaxInFlight = map[string]int{}
			for _, leg := range mustProfile(t, profile).Legs {
				s.plan.MaxInFlight[leg.Name] = 4
			}
			c, err := changeover.New(s.plan, s.world.Set(), s.store, &changeover.Options{Clock: s.clock})
			require.NoError(t, err)
			r, err := c.Apply(t.Context())
			require.NoError(t, err)
			require.Equal(t, report.Completed, r.Verdict)
		})
	}
}

func mustProfile(t *testing.T, name string) migration.Profile {
	p, ok := migration.FindProfile(name)
	require.True(t, ok)
	return p
}

func TestIPPErrorTakesEverythingBack(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.ipp("Quality")
	r, err := s.changeover(t).Apply(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.RolledBack, r.Verdict)
	s.everyone(t, license.Source, "rolled back")
	// Nothing moved forward after the error: Development and LifeTime never saw
	// a target license.
	for _, u := range s.world.Uploads() {
		if u.Environment == "Development" || u.Environment == "LifeTime" {
			require.NotEqual(t, s.plan.Target, u.Code, "%v", u)
		}
	}
}

// sweep runs a scenario with a fault at the n-th call, for every n, and then
// takes it up again until it rests; want says how it must end.
func sweep(t *testing.T, setup func(t *testing.T) *stage, act func(ctx context.Context, c *changeover.Changeover) (*report.Report, error), want report.Verdict, role license.Role) {
	for _, when := range []fault.When{fault.Before, fault.After} {
		n := 0
		for ; ; n++ {
			s := setup(t)
			inj := fault.OnIndex(n, when, fmt.Errorf("injected: %w", adapters.ErrUncertain))
			r, err := act(t.Context(), s.changeover(t, inj))
			if !inj.Hit() {
				require.NoError(t, err)
				break // every call has had its turn
			}
			// An error before the first entry is refused, and leaves nothing behind.
			if err != nil {
				require.Nil(t, r, "%v", inj)
				require.Empty(t, s.entries(t), "%v", inj)
				r, err = act(t.Context(), s.changeover(t))
			}
			for round := 0; err == nil && r.Verdict == report.Held && round < 5; round++ {
				s.settle(t, inj)
				r, err = s.changeover(t).Resume(t.Context())
			}
			require.NoError(t, err, "%v", inj)
			require.Equal(t, want, r.Verdict, "%v", inj)
			s.everyone(t, role, inj.String())
			require.NoError(t, s.world.Err())
		}
		t.Logf("%d calls, fault %v each", n, when)
	}
}

// settle answers what the run waits for, as a person would who has looked.
func (s *stage) settle(t *testing.T, inj *fault.Injector) {
	t.Helper()
	record, err := journal.Replay(s.store.Read(t.Context()))
	require.NoError(t, err)
	for _, at := range record.Standings {
		if at.Hold == nil || at.Hold.Kind == journal.HoldUnavailable || at.Hold.Kind == journal.HoldApproval {
			continue
		}
		require.NoError(t, s.changeover(t).Resolve(t.Context(), at.Env, migration.Resolution{By: "tester", Evidence: "looked, and it was not done", NotDone: true}), "%v: %v", inj, at.Hold)
	}
}

func TestAnyCallMayFailOnce(t *testing.T) {
	apply := func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Apply(ctx) }
	for profile, role := range map[string]license.Role{
		migration.RefreshAndMove: license.Target, migration.AsWritten: license.Source, migration.Published: license.Target,
	} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			sweep(t, func(t *testing.T) *stage { return newStage(t, profile) }, apply, report.Completed, role)
		})
	}
	t.Run("rollback after an IPP error", func(t *testing.T) {
		t.Parallel()
		sweep(t, func(t *testing.T) *stage { s := newStage(t, migration.RefreshAndMove); s.ipp("Quality"); return s }, apply, report.RolledBack, license.Source)
	})
	t.Run("rollback of a completed run", func(t *testing.T) {
		t.Parallel()
		sweep(t, func(t *testing.T) *stage {
			s := newStage(t, migration.RefreshAndMove)
			_, err := s.changeover(t).Apply(t.Context())
			require.NoError(t, err)
			return s
		}, func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
			return c.RollBack(ctx, "tester", "changed our minds")
		}, report.RolledBack, license.Source)
	})
}

func TestNoCallWithoutIntentOnRecord(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	watch := fault.Watch(func(op fault.Op) {
		record, err := journal.Replay(s.store.Read(t.Context()))
		require.NoError(t, err)
		if record.Last == 0 {
			require.Equal(t, "Registered", op.Method, "the inventory is read before the run begins")
			return
		}
		require.True(t, slices.ContainsFunc(record.Standings, func(at journal.Standing) bool {
			return at.InFlight && (op.Environment == "" || at.Env == op.Environment || at.Env == journal.Infrastructure)
		}), "%v: no intent is on record", op)
	})
	r, err := s.changeover(t, watch).Apply(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, r.Verdict)
}

func TestCancelDuringAnyCall(t *testing.T) {
	t.Parallel()
	n := 0
	for ; ; n++ {
		s := newStage(t, migration.RefreshAndMove)
		ctx, cancel := context.WithCancel(t.Context())
		inj := fault.OnIndex(n, fault.Before, fault.Cancel(cancel))
		r, err := s.changeover(t, inj).Apply(ctx)
		cancel()
		if !inj.Hit() {
			require.NoError(t, err)
			break
		}
		if len(s.entries(t)) == 0 {
			continue
		}
		// What the call did is on record, or it is in doubt on record.
		for _, u := range s.world.Uploads() {
			require.True(t, slices.ContainsFunc(s.entries(t), func(e journal.Entry) bool {
				return e.Env == u.Environment && e.Effect == "upload" && (e.Kind == journal.Outcome || e.Kind == journal.Doubt)
			}), "%v: %v is not on record", inj, u)
		}
		for round := 0; r.Verdict == report.Held && round < 5; round++ {
			s.settle(t, inj)
			r, err = s.changeover(t).Resume(t.Context())
			require.NoError(t, err, "%v", inj)
		}
		require.Equal(t, report.Completed, r.Verdict, "%v", inj)
		s.everyone(t, license.Target, inj.String())
	}
	t.Logf("%d calls", n)
}

// roomy is a store that keeps room back for the way back.
type roomy struct {
	journal.Store
	released int
	at       uint64 // how many entries there were then
	err      error
}

func (r *roomy) ReleaseReserve() error {
	if r.released++; r.released == 1 {
		for range r.Read(context.Background()) {
			r.at++
		}
	}
	return r.err
}

func TestTheReserveIsReleasedWhenTheWayBackBegins(t *testing.T) {
	open := func(t *testing.T, s *stage, store journal.Store) *changeover.Changeover {
		c, err := changeover.New(s.plan, s.world.Set(), store, &changeover.Options{Clock: s.clock, Inline: true, User: "tester"})
		require.NoError(t, err)
		return c
	}
	t.Run("by an intellectual property error, and not before", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.ipp("Quality")
		store := &roomy{Store: s.store}
		r, err := open(t, s, store).Apply(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.RolledBack, r.Verdict)
		require.Positive(t, store.released)
		require.Contains(t, []journal.Kind{journal.Outcome, journal.Noted}, s.entries(t)[store.at-1].Kind)
		require.Equal(t, "RollingBack", s.entries(t)[store.at-1].To, "the last thing on record is that the line is stopped")
	})
	t.Run("by somebody, before it is on record", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		store := &roomy{Store: s.store, err: errors.New("no such luck")}
		c := open(t, s, store)
		_, err := c.Apply(t.Context())
		require.NoError(t, err)
		require.Zero(t, store.released, "a run that completes has no use for it")
		entries := len(s.entries(t))
		r, err := c.RollBack(t.Context(), "tester", "changed our minds")
		require.NoError(t, err, "that there is none is no reason not to try")
		require.Equal(t, report.RolledBack, r.Verdict)
		require.EqualValues(t, entries, store.at)
	})
}
