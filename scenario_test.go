package changeover_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// The scenarios tell what happens when something goes wrong, and look for the
// answer in the world and in the journal, not in the engine.

const whole = journal.Infrastructure

var errLost = errors.New("the line went dead")

// meanwhile does something just before the nth call of that kind is passed on.
func meanwhile(port, method, env string, nth int, do func()) *fault.Injector {
	return fault.On(fault.Match{Port: port, Method: method, Environment: env}, nth, fault.Before, fault.Cancel(do))
}

// failing makes every call of that kind fail with err and do nothing.
func failing(port, method, env string, err error) *fault.Injector {
	return fault.Always(fault.Match{Port: port, Method: method, Environment: env}, fault.Before, err)
}

// apply and resume call the verb, which must not fail, as a new process.
func (s *stage) apply(t testing.TB, injectors ...*fault.Injector) *report.Report {
	t.Helper()
	r, err := s.changeover(t, injectors...).Apply(t.Context())
	require.NoError(t, err)
	return r
}

func (s *stage) resume(t testing.TB, injectors ...*fault.Injector) *report.Report {
	t.Helper()
	r, err := s.changeover(t, injectors...).Resume(t.Context())
	require.NoError(t, err)
	return r
}

func (s *stage) rollBack(t testing.TB, injectors ...*fault.Injector) *report.Report {
	t.Helper()
	r, err := s.changeover(t, injectors...).RollBack(t.Context(), "tester", "changed our minds")
	require.NoError(t, err)
	return r
}

// resolve resolves what env waits for.
func (s *stage) resolve(t testing.TB, env string) {
	t.Helper()
	require.NoError(t, s.changeover(t).Resolve(t.Context(), env, migration.Resolution{By: "tester", Evidence: "looked"}))
}

func (s *stage) standing(t testing.TB, env string) journal.Standing {
	t.Helper()
	record, err := journal.Replay(s.store.Read(t.Context()))
	require.NoError(t, err)
	at, _ := record.Standing(env)
	return at
}

// held requires that env is held, for that reason.
func (s *stage) held(t testing.TB, env string, kind journal.HoldKind) *journal.Hold {
	t.Helper()
	at := s.standing(t, env)
	require.NotNil(t, at.Hold, "%s is in %s and not held", env, at.State)
	require.Equal(t, kind, at.Hold.Kind, "%v", at.Hold)
	return at.Hold
}

func (s *stage) facts(t testing.TB, env string) (f environment.Facts) {
	t.Helper()
	require.NoError(t, json.Unmarshal(s.standing(t, env).Facts, &f))
	return f
}

func (s *stage) line(t testing.TB) (l environment.Line) {
	t.Helper()
	require.NoError(t, json.Unmarshal(s.standing(t, whole).Facts, &l))
	return l
}

func (s *stage) env(name string) environment.Environment {
	env, _ := s.plan.Infrastructure.Environment(name)
	return env
}

// reached counts the calls of a method that reached the world; an empty env
// counts all environments.
func (s *stage) reached(method, env string) int {
	n := 0
	for _, c := range s.world.Calls() {
		if c.Method == method && c.Port != "" && (env == "" || env == c.Environment) {
			n++
		}
	}
	return n
}

// uploads counts the licenses of a code that were installed through the port.
func (s *stage) uploads(code license.ActivationCode, env string) int {
	n := 0
	for _, u := range s.world.Uploads() {
		if u.Code == code && (env == "" || env == u.Environment) {
			n++
		}
	}
	return n
}

// completed requires that the run is over and well.
func (s *stage) completed(t testing.TB, r *report.Report) {
	t.Helper()
	require.Equal(t, report.Completed, r.Verdict, "%v", r.Next)
	s.everyone(t, license.Target, "completed")
	s.lawful(t)
}

func (s *stage) rolledBack(t testing.TB, r *report.Report) {
	t.Helper()
	require.Equal(t, report.RolledBack, r.Verdict, "%v", r.Next)
	s.everyone(t, license.Source, "rolled back")
	s.lawful(t)
}

// lawful checks what must hold for every journal, whatever has happened.
func (s *stage) lawful(t testing.TB) {
	t.Helper()
	require.NoError(t, s.world.Err())
	entries := s.entries(t)
	var latched, approved bool
	open := map[string]bool{} // environments with an attempt to register that was not seen undone
	for _, e := range entries {
		forward := e.Kind == journal.Intent && strings.HasPrefix(e.Table, "migration/") && e.Env != whole
		mutates := slices.Contains([]string{"registerSerial", "upload", "republish"}, e.Effect)
		switch {
		case forward && mutates && latched:
			require.Fail(t, "a forward effect after the line was stopped", "entry %d: %s of %s", e.Seq, e.Effect, e.Env)
		case forward && mutates && e.Leg == "move" && !approved:
			require.Fail(t, "a target license before the gate", "entry %d: %s of %s", e.Seq, e.Effect, e.Env)
		case e.Kind == journal.Intent && e.Effect == "restore" && !latched:
			require.Fail(t, "a restore before the line was stopped", "entry %d", e.Seq)
		case forward && e.Effect == "registerSerial":
			require.False(t, open[e.Env], "entry %d: registering %s a second time", e.Seq, e.Env)
			open[e.Env] = true
		case e.Kind == journal.Failed && e.Effect == "registerSerial":
			open[e.Env] = false
		case e.Trigger == "ippRejected", e.Trigger == string(migration.RollbackRequested):
			latched = true
		case e.Trigger == "gateOpened":
			approved = true
		}
	}
}

// What makes a hold of each kind, and what ends it.
func TestEveryHoldIsReachedAndItsVerbEndsIt(t *testing.T) {
	const changed = "ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ"
	third := func(t *testing.T) license.ActivationCode { return code(t, "CCC.CCC.CCC.CCC.CCC.CCC.CCC.COU") }
	for _, c := range []struct {
		name string
		env  string // that is held
		kind journal.HoldKind
		// upset makes what goes wrong; mend undoes it.
		upset func(t *testing.T, s *stage) []*fault.Injector
		mend  func(t *testing.T, s *stage)
		// resumes says that resume alone ends the hold.
		resumes bool
		// again is the kind that replaces the first one when nothing was
		// mended; empty: the same.
		again journal.HoldKind
	}{
		{name: "a gate that is refused waits for approval, and resume asks again", env: whole, kind: journal.HoldApproval, resumes: true,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				s.world.Answer(func(q adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
				return nil
			},
			mend: func(_ *testing.T, s *stage) { s.world.Answer(nil) }},
		{name: "a portal that is not reached makes the environment unavailable, and resume tries again", env: "Quality", kind: journal.HoldUnavailable, resumes: true,
			upset: func(*testing.T, *stage) []*fault.Injector {
				return []*fault.Injector{failing("LicensePortal", "FetchLicense", "Quality", adapters.ErrNotReached)}
			}},
		{name: "a page that is down before the upload makes the environment unavailable", env: "Quality", kind: journal.HoldUnavailable, resumes: true,
			upset: func(*testing.T, *stage) []*fault.Injector {
				// Two readings for the survey, one for the fetch, five attempts.
				var down []*fault.Injector
				for n := 3; n < 8; n++ {
					down = append(down, fault.On(fault.Match{Method: "InstalledLicense", Environment: "Quality"}, n, fault.Before, errLost))
				}
				return down
			}},
		{name: "a missing permission waits for a person", env: "Quality", kind: journal.HoldSupport,
			upset: func(*testing.T, *stage) []*fault.Injector {
				return []*fault.Injector{failing("ServiceCenter", "UploadLicense", "Quality", adapters.ErrPermission)}
			}},
		{name: "a backup that was damaged since waits before the gate", env: whole, kind: journal.HoldSupport,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("ServiceCenter", "RepublishModule", "LifeTime", 0, func() { s.damage("Quality") })}
			},
			mend: func(t *testing.T, s *stage) { s.copyBack(t, "Quality") }},
		{name: "a target license that somebody installs before the fetch is a foreign change", env: "Quality", kind: journal.HoldForeign,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("LicensePortal", "FetchLicense", "Production", 0, func() { s.world.InstallByHand("Quality", s.plan.Target) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "a target license that somebody installs before the upload is a foreign change", env: "Quality", kind: journal.HoldForeign,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("BackupVault", "Put", "Quality", 0, func() { s.world.InstallByHand("Quality", s.plan.Target) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "a target license that somebody installs after the upload is a foreign change", env: "Quality", kind: journal.HoldForeign,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{after("ServiceCenter", "UploadLicense", "Quality", 0, 2, func() { s.world.InstallByHand("Quality", s.plan.Target) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "deployments that somebody resumes are a foreign change", env: whole, kind: journal.HoldForeign,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("LicensePortal", "FetchLicense", "Quality", 1, func() { s.world.ResumeByHand("Production") })}
			}},
		{name: "an environment that has gone back before the final sweep makes a mixed infrastructure", env: whole, kind: journal.HoldMixed,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("ServiceCenter", "RepublishModule", "LifeTime", 1, func() { s.world.InstallByHand("Development", s.plan.Source) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Development", s.plan.Target) }},
		{name: "a serial number that has changed before the survey", env: whole, kind: journal.HoldSerial,
			upset: func(_ *testing.T, s *stage) []*fault.Injector { s.world.ChangeSerial("Quality", changed); return nil },
			mend:  func(_ *testing.T, s *stage) { s.world.ChangeSerial("Quality", s.env("Quality").Serial) }},
		{name: "a serial number that changes before the source license is uploaded", env: "Quality", kind: journal.HoldSerial,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("BackupVault", "Put", "Quality", 0, func() { s.world.ChangeSerial("Quality", changed) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.ChangeSerial("Quality", s.env("Quality").Serial) }},
		{name: "a serial number that changes before it is registered under the target code", env: "Quality", kind: journal.HoldSerial,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("LicensePortal", "RegisterSerial", "Production", 0, func() { s.world.ChangeSerial("Quality", changed) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.ChangeSerial("Quality", s.env("Quality").Serial) }},
		{name: "a serial number that changes before the target license is uploaded", env: "Quality", kind: journal.HoldSerial,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("LicensePortal", "FetchLicense", "Quality", 1, func() { s.world.ChangeSerial("Quality", changed) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.ChangeSerial("Quality", s.env("Quality").Serial) }},
		{name: "a serial number that changes after the target license is uploaded", env: "Quality", kind: journal.HoldSerial,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{after("ServiceCenter", "UploadLicense", "Quality", 1, 2, func() { s.world.ChangeSerial("Quality", changed) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.ChangeSerial("Quality", s.env("Quality").Serial) }},
		{name: "a license of a third code found by the survey", env: whole, kind: journal.HoldUnknown,
			upset: func(t *testing.T, s *stage) []*fault.Injector { s.world.InstallByHand("Quality", third(t)); return nil },
			mend:  func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "a license of a third code found before the upload", env: "Quality", kind: journal.HoldUnknown,
			upset: func(t *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("BackupVault", "Put", "Quality", 0, func() { s.world.InstallByHand("Quality", third(t)) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "a license that somebody takes away", env: "Quality", kind: journal.HoldUnknown,
			upset: func(_ *testing.T, s *stage) []*fault.Injector {
				return []*fault.Injector{meanwhile("LicensePortal", "RegisterSerial", "Production", 0, func() { s.world.InstallByHand("Quality", license.ActivationCode{}) })}
			},
			mend: func(_ *testing.T, s *stage) { s.world.InstallByHand("Quality", s.plan.Source) }},
		{name: "a registration without an answer that was not done is in doubt", env: "Quality", kind: journal.HoldInDoubt,
			upset: func(*testing.T, *stage) []*fault.Injector {
				return []*fault.Injector{failing("LicensePortal", "RegisterSerial", "Quality", errLost)}
			},
			mend: func(_ *testing.T, s *stage) { s.world.AddSerial(s.plan.Target, "Quality") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			r := s.apply(t, c.upset(t, s)...)
			require.Equal(t, report.Held, r.Verdict, "%v", r.Next)
			hold := s.held(t, c.env, c.kind)
			require.NotEmpty(t, hold.Cause)
			require.NotEmpty(t, hold.Hint)
			require.Contains(t, hold.Verbs, "rollback")
			require.True(t, s.world.Paused("Production") || c.kind == journal.HoldForeign || s.reached("PauseDeployments", "") == 0, "a hold releases no pause")

			require.ErrorIs(t, s.changeover(t).Release(t.Context(), c.env, "tester", "go on"), changeover.ErrNotHeld, "release ends only an operator's hold")
			if c.resumes {
				require.Contains(t, hold.Verbs, "resume")
				if c.mend != nil {
					c.mend(t, s)
				}
				s.completed(t, s.resume(t))
				return
			}
			require.Contains(t, hold.Verbs, "resolve")
			calls := len(s.world.Effects())
			require.Equal(t, report.Held, s.resume(t).Verdict, "resume alone does not end it")
			s.held(t, c.env, c.kind)
			if c.env == whole {
				require.Len(t, s.world.Effects(), calls, "and nothing is changed meanwhile")
			}
			if c.mend != nil {
				s.resolve(t, c.env)
				require.Equal(t, report.Held, s.resume(t).Verdict, "resolved, but not mended: it is found again")
				s.held(t, c.env, c.kind)
				c.mend(t, s)
			}
			s.resolve(t, c.env)
			s.completed(t, s.resume(t))
		})
	}
}

// after does something before the call of a Service Center that is the gap-th
// one after the nth of the method, in env.
func after(port, method, env string, nth, gap int, do func()) *fault.Injector {
	var mu sync.Mutex
	seen, since := 0, -1
	return fault.Watch(func(op fault.Op) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case op.Port != port || op.Environment != env:
		case since >= 0:
			if since++; since == gap {
				do()
			}
		case op.Method == method:
			if seen == nth {
				since = 0
			}
			seen++
		}
	})
}

// backups returns what the world's vault has for env.
func (s *stage) backups(env string) []adapters.Stored {
	all, _ := s.world.Set().Vault.List(context.Background(), s.env(env).Serial)
	return all
}

// damage damages every copy of every backup of env.
func (s *stage) damage(env string) {
	for _, b := range s.backups(env) {
		s.world.DamageBackup(b.Serial, b.Digest, 0)
	}
}

// copyBack puts every source license that was ever installed in env into the
// vault again, as somebody does who has another copy of it.
func (s *stage) copyBack(t testing.TB, env string) {
	t.Helper()
	set := s.world.Set()
	file, err := set.Portal.FetchLicense(t.Context(), s.plan.Source, s.env(env))
	require.NoError(t, err)
	_, err = set.Vault.Put(t.Context(), adapters.Label{Environment: env, Serial: s.env(env).Serial, Role: license.Source, Origin: environment.OriginPortal}, file)
	require.NoError(t, err)
}
