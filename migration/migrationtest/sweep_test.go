package migrationtest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/migrationtest"
	"github.com/changeover-go/changeover/migration/report"
)

// sweepPlan is a plan over two environments: as many as it takes for one to be
// ahead of the other.
func sweepPlan(t testing.TB, profile string) migration.Plan {
	t.Helper()
	code := func(s string) license.ActivationCode {
		c, err := license.ParseActivationCode(s)
		require.NoError(t, err)
		return c
	}
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PPP-PPP-PPP-PPP-PPP-PPP-PPP-PPP"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-LLL-LLL-LLL-LLL-LLL-LLL-LLL"},
		}},
		Source: code("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU"), Target: code("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU"), Profile: profile, Module: "ECT_Provider",
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

// sweepSubject is one that is right, over a world that change may change.
func sweepSubject(t testing.TB, profile string, change func(*fake.World, *migrationtest.Subject)) migrationtest.Subject {
	t.Helper()
	p := sweepPlan(t, profile)
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	s := migrationtest.Subject{Plan: p, Set: w.Set()}
	if change != nil {
		change(w, &s)
	}
	return s
}

func TestSweepFindsNothingWrongWithTheSimulatedWorld(t *testing.T) {
	migrationtest.Sweep(t, func(t testing.TB) migrationtest.Subject {
		return sweepSubject(t, migration.Published, func(w *fake.World, s *migrationtest.Subject) {
			s.Check = func(context.Context) error { return registeredOnce(w) }
		})
	})
}

// The library's own tiers sweep these in full.
func TestSweepFindsNothingWrongElsewhere(t *testing.T) {
	for _, c := range []struct {
		name, profile string
		change        func(*fake.World, *migrationtest.Subject)
	}{
		{"to the letter", migration.AsWritten, nil},
		{"there and back", migration.RefreshAndMove, func(_ *fake.World, s *migrationtest.Subject) { s.RollBack = true }},
		{"the line is stopped", migration.RefreshAndMove, func(w *fake.World, s *migrationtest.Subject) {
			w.SetIPP(s.Plan.Target, "Production", license.Protected)
			w.MarkModule("Production", s.Plan.Module, s.Plan.Source)
			s.Ends = report.RolledBack
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			every(t, 9, func(t testing.TB) migrationtest.Subject { return sweepSubject(t, c.profile, c.change) })
		})
	}
}

// every tries each nth point of a sweep.
func every(t *testing.T, n int, fresh func(testing.TB) migrationtest.Subject) {
	t.Helper()
	names, hitAt, err := migrationtest.Points(t.Context(), t, fresh)
	require.NoError(t, err)
	for i := 0; i < len(names); i += n {
		require.NoError(t, hitAt(i))
	}
}

// The vault is made again by every process, as a program makes it.
func TestSweepReopensTheAdapters(t *testing.T) {
	every(t, 29, func(t testing.TB) migrationtest.Subject { // each writes to the disk
		return sweepSubject(t, migration.AsWritten, func(w *fake.World, s *migrationtest.Subject) {
			dirs := []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")}
			s.Reopen = func() (adapters.Set, error) {
				set := w.Set()
				vault, err := filevault.Open(dirs, &filevault.Options{Now: new(fake.Clock).Now})
				if err == nil {
					t.Cleanup(func() { _ = vault.Close() })
				}
				set.Vault = vault
				return set, err
			}
			var err error
			s.Set, err = s.Reopen()
			require.NoError(t, err)
		})
	})
}

// registeredOnce says what was registered twice.
func registeredOnce(w *fake.World) error {
	seen := map[string]bool{}
	for _, e := range w.Effects() {
		if e.Method == "RegisterSerial" {
			if seen[e.Environment] {
				return fmt.Errorf("%s was registered twice", e.Environment)
			}
			seen[e.Environment] = true
		}
	}
	return nil
}

// Adapters that are wrong, each in one way.
type (
	forgetful struct{ adapters.BackupVault }
	boastful  struct{ adapters.ServiceCenter }
	blind     struct{ adapters.LicensePortal }
	greedy    struct {
		adapters.LicensePortal
		slots *int
	}
	touchy struct {
		adapters.ServiceCenter
		seen map[license.Digest]bool
	}
	careless struct {
		adapters.LifeTime
		paused bool
	}
)

func (forgetful) Put(_ context.Context, label adapters.Label, f license.File) (adapters.Stored, error) {
	return adapters.Stored{Label: label, Digest: f.Digest(), Generation: 1, Copies: 2, At: fake.Start()}, nil
}

func (boastful) UploadLicense(context.Context, environment.Environment, license.File) error {
	return nil
}

func (blind) SerialRegistered(context.Context, license.ActivationCode, environment.Environment) (bool, error) {
	return false, nil
}

func (g greedy) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	*g.slots++
	return g.LicensePortal.RegisterSerial(ctx, code, env)
}

// UploadLicense installs nothing when the same file comes again.
func (s touchy) UploadLicense(ctx context.Context, env environment.Environment, f license.File) error {
	if s.seen[f.Digest()] {
		return adapters.ErrRejected
	}
	s.seen[f.Digest()] = true
	return s.ServiceCenter.UploadLicense(ctx, env, f)
}

// Registered says what was asked for last, whoever has changed it since.
func (l *careless) Registered(ctx context.Context) ([]environment.Registered, error) {
	all, err := l.LifeTime.Registered(ctx)
	for i := range all {
		all[i].Paused = l.paused
	}
	return all, err
}

func (l *careless) PauseDeployments(context.Context, environment.Environment) error {
	l.paused = true
	return nil
}

func TestSweepNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fake.World, *migrationtest.Subject)
		says   []string // of the first failure
	}{
		{"a Service Center that says done and is not", func(_ *fake.World, s *migrationtest.Subject) {
			s.Set.ServiceCenter = boastful{s.Set.ServiceCenter}
		}, []string{"nothing was made to fail", "it ends Held instead of Completed"}},
		{"a Service Center that takes no file twice", func(_ *fake.World, s *migrationtest.Subject) {
			s.Set.ServiceCenter = touchy{s.Set.ServiceCenter, map[license.Digest]bool{}}
			s.RollBack = true
		}, []string{"nothing was made to fail", "instead of RolledBack"}},
		{"a portal that does not show what it has registered", func(_ *fake.World, s *migrationtest.Subject) {
			s.Set.Portal = blind{s.Set.Portal}
		}, []string{"after LicensePortal.RegisterSerial in Production: the line went dead", "RegisterSerial has returned nil, and then SerialRegistered says"}},
		{"a portal that uses up a slot at every call", func(_ *fake.World, s *migrationtest.Subject) {
			slots := 0
			s.Set.Portal = greedy{s.Set.Portal, &slots}
			s.Check = func(context.Context) error {
				if slots > 1 {
					return fmt.Errorf("%d slots were used up", slots)
				}
				return nil
			}
		}, []string{"nothing was made to fail", "2 slots were used up"}},
		{"a vault that forgets", func(_ *fake.World, s *migrationtest.Subject) {
			s.Set.Vault = forgetful{s.Set.Vault}
		}, []string{"nothing was made to fail", "there is no such backup"}},
		{"a vault that forgets when the process ends", func(w *fake.World, s *migrationtest.Subject) {
			s.Reopen = func() (adapters.Set, error) {
				set := w.Set()
				p := s.Plan
				set.Vault = fake.New(p.Infrastructure, p.Source, p.Target).Set().Vault
				return set, nil
			}
		}, []string{"the backups:", "there is no such backup"}},
		{"a LifeTime that does not see that a pause has ended", func(_ *fake.World, s *migrationtest.Subject) {
			s.Set.LifeTime = &careless{LifeTime: s.Set.LifeTime}
		}, []string{"nothing was made to fail", "(unavailable) in *", "observed: it was not done"}},
		{"a step that says uploaded and uploads nothing", func(_ *fake.World, s *migrationtest.Subject) {
			s.Plan = sweepPlan(t, migration.Published)
			nothing := func(context.Context, *machine.Call[environment.Facts]) (machine.Trigger, error) {
				return "uploaded", nil
			}
			s.Options = &changeover.Options{Steps: map[machine.EffectName]machine.Step[environment.Facts]{"upload": {Do: nothing, Observe: nothing}}}
		}, []string{"nothing was made to fail", `BackedUp refuses "uploaded": licenseShown`}},
		{"a table that lost the guard against that", func(_ *fake.World, s *migrationtest.Subject) {
			s.Plan = sweepPlan(t, migration.Published)
			nothing := func(context.Context, *machine.Call[environment.Facts]) (machine.Trigger, error) {
				return "uploaded", nil
			}
			s.Options = &changeover.Options{
				Steps: map[machine.EffectName]machine.Step[environment.Facts]{"upload": {Do: nothing, Observe: nothing}},
				Extend: func(_ migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts] {
					t.Edges = slices.Clone(t.Edges)
					for i, e := range t.Edges {
						if e.On == "uploaded" {
							t.Edges[i].If = nil
						}
					}
					return t
				},
			}
		}, []string{"nothing was made to fail", "OR2 is broken by entered in Production Uploaded (No state is entered on an answer that left open what was done;"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			names, hitAt, err := migrationtest.Points(t.Context(), t, func(t testing.TB) migrationtest.Subject { return sweepSubject(t, "", c.change) })
			for i := 0; i < len(names) && err == nil; i++ {
				err = hitAt(i)
			}
			require.Error(t, err)
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
			var broken *migrationtest.Broken
			require.ErrorAs(t, err, &broken)
			require.NotEmpty(t, broken.Trace)
		})
	}
}

func TestSweepRefusesWhatItCannotFollow(t *testing.T) {
	big := sweepPlan(t, "")
	for i := range 7 {
		env := big.Infrastructure.Environments[0]
		env.Name, env.Kind = fmt.Sprintf("Development %d", i), environment.Development
		env.ServiceCenter = fmt.Sprintf("https://dev%d.example.test", i)
		env.Serial = license.SerialNumber(strings.Replace(string(env.Serial), "PPP", fmt.Sprintf("D%02d", i), 1))
		big.Infrastructure.Environments = append(big.Infrastructure.Environments, env)
	}
	for _, c := range []struct {
		name    string
		subject migrationtest.Subject
		says    string
	}{
		{"nine environments", migrationtest.Subject{Plan: big}, "at most 8 environments"},
		{"no adapters", migrationtest.Subject{Plan: sweepPlan(t, "")}, "adapters.Set: Portal is nil"},
		{"no plan", migrationtest.Subject{}, "source"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := migrationtest.Points(t.Context(), t, func(testing.TB) migrationtest.Subject { return c.subject })
			require.ErrorContains(t, err, c.says)
			var broken *migrationtest.Broken
			require.False(t, errors.As(err, &broken))
		})
	}
}

func TestSweepHitsEveryCallAndEveryAppend(t *testing.T) {
	names, _, err := migrationtest.Points(t.Context(), t, func(t testing.TB) migrationtest.Subject { return sweepSubject(t, "", nil) })
	require.NoError(t, err)
	for _, want := range []string{"is lost: ServiceCenter.UploadLicense in LifeTime", "loses its answer: LicensePortal.RegisterSerial in Production",
		"death before append 1: ", "death after append 1: "} {
		require.True(t, slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, want) }), "%s in %q", want, names)
	}
	require.Greater(t, len(names), 150)
}
