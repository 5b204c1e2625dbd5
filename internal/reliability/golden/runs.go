package golden

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Run is one that ends, or is left, in a way of its own.
type Run struct {
	Name    string // of its folder: the profile and the ending
	profile string
	play    func(*Stage) error
}

// Play makes the run, with its journal in a new directory. prepare, which may
// be nil, is called before it begins.
func (r Run) Play(ctx context.Context, dir string, prepare func(*Stage)) (*Stage, error) {
	plan, err := migration.ReadPlan(strings.NewReader(planOf(r.profile)))
	if err != nil {
		return nil, err
	}
	s := newStage(ctx, plan, dir)
	if prepare != nil {
		prepare(s)
	}
	if err := r.play(s); err != nil {
		return nil, fmt.Errorf("%s: %w", r.Name, err)
	}
	return s, s.World.Err()
}

// Find returns the run of that name.
func Find(name string) (Run, error) {
	all := Runs()
	i := slices.IndexFunc(all, func(r Run) bool { return r.Name == name })
	if i < 0 {
		return Run{}, fmt.Errorf("there is no run %q", name)
	}
	return all[i], nil
}

// planOf returns the plan of a run, as a file.
func planOf(profile string) string {
	accept := map[string]string{
		migration.RefreshAndMove: `"refresh": ["Ignore"], "move": ["Protected", "Unprotected"]`,
		migration.AsWritten:      `"refresh": ["Ignore"]`,
		migration.Published:      `"move": ["Protected", "Unprotected"]`,
	}[profile]
	return `{
  "version": 1,
  "infrastructure": "Acme",
  "source": "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU",
  "target": "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU",
  "profile": "` + profile + `",
  "module": "ECT_Provider",
  "environments": [
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PRD-AAA-BBB-CCC-DDD-EEE-FFF-GG1"},
    {"name": "Quality", "kind": "quality", "serviceCenter": "https://qa.example.test", "serial": "QUA-AAA-BBB-CCC-DDD-EEE-FFF-GG2"},
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LTM-AAA-BBB-CCC-DDD-EEE-FFF-GG3"}
  ],
  "accept": {` + accept + `}
}
`
}

// protect makes the platform refuse the test module of an environment when it
// has its target license.
func (s *Stage) protect(env string) {
	s.World.SetIPP(s.Plan.Target, env, license.Protected)
	s.World.MarkModule(env, s.Plan.Module, s.Plan.Source)
}

// Runs returns the runs, in the order of their folders.
func Runs() []Run {
	const refresh, written, published = migration.RefreshAndMove, migration.AsWritten, migration.Published
	third, _ := license.ParseActivationCode("JKL.M1N.P2Q.R3S.T4U.V5W.X6Y.AOU")
	return []Run{
		{"as-written-completed", written, (*Stage).apply},
		{"as-written-interrupted-in-an-upload", written, func(s *Stage) error {
			s.after("ServiceCenter", "UploadLicense", "Quality", 0, s.die)
			return s.apply()
		}},
		{"as-written-rolled-back-on-request", written, func(s *Stage) error {
			if err := s.apply(); err != nil {
				return err
			}
			return s.rollBack()
		}},
		{"as-written-support", written, func(s *Stage) error {
			s.World.DropSerial(s.Plan.Source, "Quality")
			return s.apply()
		}},
		{"published-completed", published, (*Stage).apply},
		{"published-interrupted-in-an-upload", published, func(s *Stage) error {
			s.after("ServiceCenter", "UploadLicense", "Quality", 0, s.die)
			return s.apply()
		}},
		{"published-not-approved", published, func(s *Stage) error {
			s.World.Answer(func(q adapters.Question) (adapters.Answer, error) {
				if q.Kind == adapters.AskApproval {
					return adapters.Answer{}, adapters.ErrRefused
				}
				return adapters.Answer{By: "grace", At: s.clock.Now(), Text: "looked"}, nil
			})
			return s.apply()
		}},
		{"published-rolled-back", published, func(s *Stage) error {
			s.protect("Quality")
			return s.apply()
		}},
		{"refresh-and-move-completed", refresh, (*Stage).apply},
		{"refresh-and-move-foreign-change", refresh, func(s *Stage) error {
			s.after("ServiceCenter", "UploadLicense", "Quality", 1, s.die)
			if err := s.apply(); err != nil {
				return err
			}
			s.World.InstallByHand("Quality", third)
			return s.resume()
		}},
		{"refresh-and-move-interrupted-in-a-registration", refresh, func(s *Stage) error {
			s.after("LicensePortal", "RegisterSerial", "Quality", 0, s.die)
			return s.apply()
		}},
		{"refresh-and-move-interrupted-in-a-restore", refresh, func(s *Stage) error {
			s.protect("Quality")
			s.after("ServiceCenter", "UploadLicense", "Production", 2, s.die)
			return s.apply()
		}},
		{"refresh-and-move-interrupted-in-an-upload", refresh, func(s *Stage) error {
			s.after("ServiceCenter", "UploadLicense", "Quality", 1, s.die)
			return s.apply()
		}},
		{"refresh-and-move-mixed", refresh, func(s *Stage) error {
			s.protect("Quality")
			s.World.RefuseReturn("Production", "this code is not accepted any more")
			return s.apply()
		}},
		{"refresh-and-move-not-tested", refresh, func(s *Stage) error {
			s.protect("Quality")
			s.after("ServiceCenter", "UploadLicense", "Quality", 1, func() { s.World.BreakModule("Production", s.Plan.Module, "compilation failed") })
			return s.apply()
		}},
		{"refresh-and-move-operator", refresh, func(s *Stage) error {
			return s.Process(func(c *changeover.Changeover) error {
				s.World.Answer(func(adapters.Question) (adapters.Answer, error) {
					err := c.Hold(s.ctx, journal.Infrastructure, "grace", "not before the weekend")
					return adapters.Answer{By: "grace", At: s.clock.Now(), Text: "go on"}, err
				})
				_, err := c.Apply(s.ctx)
				return err
			})
		}},
		{"refresh-and-move-rolled-back", refresh, func(s *Stage) error {
			s.protect("Quality")
			return s.apply()
		}},
		{"refresh-and-move-rolled-back-on-request", refresh, func(s *Stage) error {
			if err := s.apply(); err != nil {
				return err
			}
			return s.rollBack()
		}},
		{"refresh-and-move-serial-changed", refresh, func(s *Stage) error {
			s.after("ServiceCenter", "UploadLicense", "Quality", 1, s.die)
			if err := s.apply(); err != nil {
				return err
			}
			s.World.ChangeSerial("Quality", "QUA-AAA-BBB-CCC-DDD-EEE-FFF-NEW")
			return s.resume()
		}},
		{"refresh-and-move-support", refresh, func(s *Stage) error {
			s.World.SetIPP(s.Plan.Source, "Production", license.Protected)
			s.World.DropSerial(s.Plan.Source, "Quality")
			return s.apply()
		}},
	}
}
