package report_test

import (
	"context"
	"errors"
	"strings"
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
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Unprotected, license.Protected}},
	}
	switch profile {
	case migration.AsWritten:
		delete(p.Accept, "move")
	case migration.Published:
		delete(p.Accept, "refresh")
	}
	return p
}

// A stage is everything that one run needs.
type stage struct {
	t     testing.TB
	plan  migration.Plan
	world *fake.World
	store *journal.Memory
	clock *fake.Clock
}

func newStage(t testing.TB, profile string) *stage {
	p := plan(t, profile)
	return &stage{t: t, plan: p, world: fake.New(p.Infrastructure, p.Source, p.Target), store: new(journal.Memory), clock: new(fake.Clock)}
}

// changeover opens the run anew, as another process would.
func (s *stage) changeover(injectors ...*fault.Injector) *changeover.Changeover {
	s.t.Helper()
	c, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), injectors...), s.store, &changeover.Options{Clock: s.clock, Inline: true, User: "tester"})
	require.NoError(s.t, err)
	return c
}

// apply runs as far as it gets; the error must be wanted, which may be nil.
func (s *stage) apply(wanted error, injectors ...*fault.Injector) {
	s.t.Helper()
	_, err := s.changeover(injectors...).Apply(s.t.Context())
	require.ErrorIs(s.t, err, wanted)
}

func (s *stage) entries() []journal.Entry {
	s.t.Helper()
	var all []journal.Entry
	for e, err := range s.store.Read(s.t.Context()) {
		require.NoError(s.t, err)
		all = append(all, e)
	}
	return all
}

// report reads the journal anew, as somebody offline would.
func (s *stage) report() *report.Report {
	s.t.Helper()
	r, err := report.New(s.plan, s.store.Read(s.t.Context()))
	require.NoError(s.t, err)
	return r
}

// ipp makes the move of env end in an intellectual property error.
func (s *stage) ipp(env string) {
	s.world.SetIPP(s.plan.Target, env, license.Protected)
	s.world.MarkModule(env, s.plan.Module, s.plan.Source)
}

// nth strikes the n-th call of a method for an environment, counted from 0.
func nth(method, env string, n int, when fault.When, err error) *fault.Injector {
	return fault.On(fault.Match{Method: method, Environment: env}, n, when, err)
}

// A scenario is a run, and what its report must say.
type scenario struct {
	name, profile string
	run           func(*stage)
	verdict       report.Verdict
	placement     report.Placement
	hold          journal.HoldKind
	pinned        bool // golden files of every form, not of the text alone
}

var errLost = errors.New("the connection was lost")

func scenarios() []scenario {
	apply := func(s *stage) { s.apply(nil) }
	return []scenario{
		{"nothing has begun", migration.RefreshAndMove, func(*stage) {}, "", report.Unknown, "", false},
		{"completed", migration.RefreshAndMove, apply, report.Completed, report.AllTarget, "", true},
		{"as written", migration.AsWritten, apply, report.Completed, report.AllSource, "", true},
		{"published", migration.Published, apply, report.Completed, report.AllTarget, "", true},
		{"rolled back after an intellectual property error", migration.RefreshAndMove, func(s *stage) {
			s.ipp("Quality")
			s.apply(nil)
		}, report.RolledBack, report.AllSource, "", true},
		{"rolled back on request", migration.RefreshAndMove, func(s *stage) {
			s.apply(nil)
			_, err := s.changeover().RollBack(s.t.Context(), "Ada", "we changed our minds")
			require.NoError(s.t, err)
		}, report.RolledBack, report.AllSource, "", false},
		{"two serial numbers are missing", migration.RefreshAndMove, func(s *stage) {
			s.world.DropSerial(s.plan.Source, "Quality")
			s.world.DropSerial(s.plan.Source, "Development")
			s.apply(nil)
		}, report.Held, report.AllSource, journal.HoldSupport, true},
		{"the case is open and one of two is resolved", migration.RefreshAndMove, func(s *stage) {
			s.world.DropSerial(s.plan.Source, "Quality")
			s.world.DropSerial(s.plan.Source, "Development")
			s.apply(nil)
			require.NoError(s.t, s.changeover().Resolve(s.t.Context(), "Quality", migration.Resolution{By: "Ada", Evidence: "Support has registered it"}))
		}, report.Held, report.AllSource, journal.HoldSupport, false},
		{"a source license is not prepared", migration.RefreshAndMove, func(s *stage) {
			s.world.SetIPP(s.plan.Source, "LifeTime", license.Protected)
			s.apply(nil)
		}, report.Held, report.AllSource, journal.HoldSupport, true},
		{"a target license is not prepared", migration.RefreshAndMove, func(s *stage) {
			s.world.SetIPP(s.plan.Target, "Quality", license.Ignore)
			s.apply(nil)
		}, report.Held, report.MixedExpected, journal.HoldSupport, false},
		{"two questions in one case", migration.RefreshAndMove, func(s *stage) {
			s.world.DropSerial(s.plan.Source, "Quality")
			s.world.SetIPP(s.plan.Source, "Development", license.Protected)
			s.apply(nil)
		}, report.Held, report.AllSource, journal.HoldSupport, false},
		{"mixed", migration.RefreshAndMove, func(s *stage) {
			s.ipp("Development")
			s.world.RefuseReturn("Quality", "the license is of another infrastructure")
			s.apply(nil)
		}, report.Mixed, report.MixedUp, journal.HoldMixed, true},
		{"restored and not tested", migration.RefreshAndMove, (*stage).untested, report.Held, report.AllSource, journal.HoldSupport, false},
		{"restored and somebody took responsibility", migration.RefreshAndMove, func(s *stage) {
			s.untested()
			require.NoError(s.t, s.changeover().Resolve(s.t.Context(), journal.Infrastructure, migration.Resolution{By: "Ada", Evidence: "the web service is known to be down"}))
			_, err := s.changeover().Resume(s.t.Context())
			require.NoError(s.t, err)
		}, report.RolledBack, report.AllSource, "", false},
		{"interrupted between two steps", migration.RefreshAndMove, func(s *stage) {
			ctx, cancel := context.WithCancel(s.t.Context())
			defer cancel()
			inj := nth("UploadLicense", "Quality", 1, fault.Before, fault.Cancel(cancel))
			_, err := s.changeover(inj).Apply(ctx)
			require.ErrorIs(s.t, err, context.Canceled)
		}, report.Held, report.MixedExpected, report.HoldInterrupted, true},
		{"killed while an upload was under way", migration.RefreshAndMove, func(s *stage) {
			s.cut("Quality", "upload", "move")
		}, report.Held, report.MixedExpected, report.HoldInterrupted, false},
		{"in doubt and observed", migration.RefreshAndMove, func(s *stage) {
			s.apply(nil, nth("UploadLicense", "Production", 1, fault.After, errLost))
		}, report.Completed, report.AllTarget, "", false},
		{"in doubt and looking does not tell", migration.RefreshAndMove, func(s *stage) {
			down := false
			s.apply(nil,
				nth("RegisterSerial", "Production", 0, fault.After, errLost),
				fault.Watch(func(op fault.Op) {
					if op.Method == "RegisterSerial" {
						down = true
					} else if down && op.Method == "SerialRegistered" {
						s.world.DropSerial(s.plan.Target, "Production")
					}
				}))
		}, report.Held, report.AllSource, journal.HoldInDoubt, true},
		{"held by an operator", migration.RefreshAndMove, func(s *stage) {
			var c *changeover.Changeover
			c = s.changeover(fault.Watch(func(op fault.Op) {
				if op.Method == "RegisterSerial" && op.Environment == "Production" {
					require.NoError(s.t, c.Hold(s.t.Context(), journal.Infrastructure, "Ada", "the release is today"))
				}
			}))
			_, err := c.Apply(s.t.Context())
			require.NoError(s.t, err)
		}, report.Held, report.AllSource, journal.HoldOperator, false},
		{"not approved", migration.RefreshAndMove, func(s *stage) {
			s.world.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
			s.apply(nil)
		}, report.Held, report.AllSource, journal.HoldApproval, false},
		{"the serial number of a server changed", migration.RefreshAndMove, func(s *stage) {
			changed := false
			s.apply(nil, fault.Watch(func(op fault.Op) {
				if op.Method == "RegisterSerial" && !changed {
					changed = true
					s.world.ChangeSerial("Quality", "ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ")
				}
			}))
		}, report.Held, report.MixedExpected, journal.HoldSerial, false},
		{"somebody else has paused", migration.RefreshAndMove, func(s *stage) {
			s.world.PauseByHand("Production")
			s.apply(nil)
		}, report.Completed, report.AllTarget, "", false},
		{"a target license has less", migration.RefreshAndMove, func(s *stage) {
			s.world.Define(s.plan.Target, "Quality", func(d *license.Details) { d.Features = d.Features[:1] })
			s.apply(nil)
		}, report.Completed, report.AllTarget, "", false},
		{"opaque licenses", migration.RefreshAndMove, func(s *stage) {
			s.world.OpaqueLicenses(true)
			s.apply(nil)
		}, report.Completed, report.AllTarget, "", false},
	}
}

// untested rolls a run back, and lets publishing break in Quality on the way.
func (s *stage) untested() {
	s.t.Helper()
	s.ipp("Development")
	seen := 0
	s.apply(nil, fault.Watch(func(op fault.Op) {
		if op.Method == "RepublishModule" && op.Environment == "Development" {
			if seen++; seen == 2 { // under the target license
				s.world.BreakModule("Quality", s.plan.Module, "a web service is gone")
			}
		}
	}))
}

// cut runs to the end and then keeps the journal up to an intent, as a kill
// right after it does.
func (s *stage) cut(env, effect, leg string) {
	s.t.Helper()
	s.apply(nil)
	s.keep(env, effect, leg)
}

func (s *stage) keep(env, effect, leg string) {
	s.t.Helper()
	whole := s.entries()
	for i, e := range whole {
		if e.Kind == journal.Intent && e.Env == env && e.Effect == effect && e.Leg == leg {
			s.store = new(journal.Memory)
			require.NoError(s.t, s.store.Append(s.t.Context(), 0, whole[:i+1]...))
			return
		}
	}
	require.Fail(s.t, "there is no such intent")
}
