package changeover_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// The scenarios tell what happens when something goes wrong, and look for the
// answer in the world and in the journal, not in the engine.

const whole = journal.Infrastructure

var (
	errLost = errors.New("the line went dead")
	errDead = errors.New("the process is dead")
)

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
		case e.Effect == "registerSerial" && (e.Kind == journal.Failed || e.Kind == journal.Outcome || e.Kind == journal.Held && e.Hold.Kind != journal.HoldInDoubt):
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
			waiting := report.Held
			if c.kind == journal.HoldMixed {
				waiting = report.Mixed
			}
			require.Equal(t, waiting, r.Verdict, "%v", r.Next)
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
			require.Equal(t, waiting, s.resume(t).Verdict, "resume alone does not end it")
			s.held(t, c.env, c.kind)
			if c.env == whole {
				require.Len(t, s.world.Effects(), calls, "and nothing is changed meanwhile")
			}
			if c.mend != nil {
				s.resolve(t, c.env)
				require.Equal(t, waiting, s.resume(t).Verdict, "resolved, but not mended: it is found again")
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

func TestOnlyReleaseEndsAnOperatorsHold(t *testing.T) {
	hold := func(env string) func(c *changeover.Changeover) error {
		return func(c *changeover.Changeover) error {
			return c.Hold(context.Background(), env, "somebody", "wait for the freeze")
		}
	}
	for _, at := range []struct{ name, method, env string }{
		{"while licenses are refreshed", "FetchLicense", "Quality"},
		{"while a license is uploaded", "UploadLicense", "Quality"},
		{"while the gate is asked for", "Ask", ""},
		{"while the module is republished", "RepublishModule", "Quality"},
	} {
		for _, held := range []string{"Quality", whole} {
			t.Run("a hold of "+held+" "+at.name, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, migration.RefreshAndMove)
				var c *changeover.Changeover
				var changes int
				c = s.changeover(t, meanwhile("", at.method, at.env, 0, func() {
					require.NoError(t, hold(held)(c))
					require.Error(t, hold(held)(c), "it is held already")
					changes = len(s.world.Effects())
				}))
				r, err := c.Apply(t.Context())
				require.NoError(t, err)
				require.Equal(t, report.Held, r.Verdict)
				s.held(t, held, journal.HoldOperator)
				if held == whole {
					require.LessOrEqual(t, len(s.world.Effects()), changes+len(s.names()), "what was under way comes to its end, and nothing more")
				}
				require.Equal(t, report.Held, s.resume(t).Verdict, "resume does not end it")
				s.held(t, held, journal.HoldOperator)
				require.ErrorIs(t, s.changeover(t).Resolve(t.Context(), held, migration.Resolution{By: "tester", Evidence: "no"}), changeover.ErrNotHeld)
				s.held(t, held, journal.HoldOperator)
				require.NoError(t, s.changeover(t).Release(t.Context(), held, "somebody", "the freeze is over"))
				s.completed(t, s.resume(t))
			})
		}
	}
	t.Run("a hold from another process, after the run has come to rest", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.apply(t, failing("Operator", "Ask", "", adapters.ErrNotReached))
		s.held(t, whole, journal.HoldUnavailable)
		require.NoError(t, hold("Development")(s.changeover(t)))
		changes := s.uploads(s.plan.Target, "")
		require.Equal(t, report.Held, s.resume(t).Verdict)
		require.Equal(t, changes, s.uploads(s.plan.Target, ""), "where one stops all, one that is held keeps the others from moving")
		require.NoError(t, s.changeover(t).Release(t.Context(), "Development", "somebody", "go on"))
		s.completed(t, s.resume(t))
	})
	t.Run("an operator's hold and one of the procedure end one after the other", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		var c *changeover.Changeover
		c = s.changeover(t,
			meanwhile("", "UploadLicense", "Quality", 0, func() { require.NoError(t, hold("Quality")(c)) }),
			failing("", "UploadLicense", "Quality", adapters.ErrPermission))
		_, err := c.Apply(t.Context())
		require.NoError(t, err)
		s.held(t, "Quality", journal.HoldSupport)
		s.resolve(t, "Quality")
		s.held(t, "Quality", journal.HoldOperator)
		require.NoError(t, s.changeover(t).Release(t.Context(), "Quality", "somebody", "go on"))
		s.completed(t, s.resume(t))
	})
	t.Run("a rollback ends both", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		var c *changeover.Changeover
		c = s.changeover(t,
			meanwhile("", "Ask", "", 0, func() { require.NoError(t, hold(whole)(c)) }),
			failing("", "Ask", "", adapters.ErrRefused))
		_, err := c.Apply(t.Context())
		require.NoError(t, err)
		s.held(t, whole, journal.HoldApproval)
		s.rolledBack(t, s.rollBack(t))
	})
}

func TestASerialNumberIsNeverRegisteredTwice(t *testing.T) {
	// register counts attempts, whether or not they reach the portal.
	register := func(n *int) *fault.Injector {
		return fault.Watch(func(op fault.Op) {
			if op.Method == "RegisterSerial" && op.Environment == "Quality" {
				*n++
			}
		})
	}
	start := func(t *testing.T, when fault.When) (*stage, *int) {
		s, n := newStage(t, migration.RefreshAndMove), new(int)
		s.apply(t, register(n), fault.On(fault.Match{Method: "RegisterSerial", Environment: "Quality"}, 0, when, errLost))
		require.Equal(t, 1, *n)
		return s, n
	}
	t.Run("an answer that was lost after it was done is found by looking", func(t *testing.T) {
		s, n := start(t, fault.After)
		s.completed(t, s.resumeIfHeld(t, register(n)))
		require.Equal(t, 1, *n)
	})
	t.Run("one that was not done waits, however often the run is resumed", func(t *testing.T) {
		s, n := start(t, fault.Before)
		for range 3 {
			s.held(t, "Quality", journal.HoldInDoubt)
			require.Equal(t, report.Held, s.resume(t, register(n)).Verdict)
		}
		require.Equal(t, 1, *n)
	})
	t.Run("a look that fails before it leaves no doubt", func(t *testing.T) {
		s, n := newStage(t, migration.RefreshAndMove), 0
		s.apply(t, register(&n), failing("LicensePortal", "SerialRegistered", "Quality", fmt.Errorf("no answer: %w", adapters.ErrUncertain)))
		s.held(t, "Quality", journal.HoldUnavailable)
		require.Zero(t, n)
		s.completed(t, s.resume(t, register(&n)))
		require.Equal(t, 1, n)
	})
	t.Run("resolved as not done, it is issued again", func(t *testing.T) {
		s, n := start(t, fault.Before)
		require.NoError(t, s.changeover(t).Resolve(t.Context(), "Quality", migration.Resolution{By: "tester", Evidence: "the portal does not have it", NotDone: true}))
		s.completed(t, s.resume(t, register(n)))
		require.Equal(t, 2, *n)
	})
	t.Run("resolved as done, it is observed and not issued again", func(t *testing.T) {
		s, n := start(t, fault.Before)
		s.world.AddSerial(s.plan.Target, "Quality")
		s.resolve(t, "Quality")
		s.completed(t, s.resume(t, register(n)))
		require.Equal(t, 1, *n)
	})
	t.Run("nor when everybody fetches again while nobody knows", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.plan.MaxInFlight = map[string]int{"move": 4}
		s.world.SetIPP(s.plan.Target, "Production", license.Ignore)
		n, waits := 0, make(chan struct{})
		c, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), register(&n),
			meanwhile("LicensePortal", "RegisterSerial", "Quality", 0, func() { <-waits }),
			failing("LicensePortal", "RegisterSerial", "Quality", errLost),
		), s.store, &changeover.Options{Clock: s.clock, OnEntry: func(e journal.Entry) {
			if e.Env == "Production" && e.To == string(migration.NeedsSupport) {
				close(waits)
			}
		}})
		require.NoError(t, err)
		_, err = c.Apply(t.Context())
		require.NoError(t, err)
		require.True(t, s.standing(t, "Quality").InFlight)
		s.world.Reissue(s.plan.Target, license.Unprotected)
		s.resolve(t, "Production")
		require.Equal(t, report.Held, s.resume(t, register(&n)).Verdict)
		s.held(t, "Quality", journal.HoldInDoubt)
		require.Equal(t, 1, n)
	})
}

// resumeIfHeld takes the run up again unless it is over.
func (s *stage) resumeIfHeld(t testing.TB, injectors ...*fault.Injector) *report.Report {
	t.Helper()
	r, err := s.changeover(t).Status(t.Context())
	require.NoError(t, err)
	if r.Verdict == report.Held {
		r = s.resume(t, injectors...)
	}
	return r
}

// TestALostPauseStopsEverything loses the pause at every call of a run. As soon
// as LifeTime has been asked again, nothing is uploaded, republished or
// registered until somebody has resolved it.
func TestALostPauseStopsEverything(t *testing.T) {
	t.Parallel()
	held := 0
	for n := 0; ; n++ {
		s := newStage(t, migration.RefreshAndMove)
		s.plan.MaxInFlight = map[string]int{"move": 4}
		lost, known, asked := false, false, false
		inj := fault.OnIndex(n, fault.Before, fault.Cancel(func() {
			s.world.ResumeByHand("Production")
			lost = len(s.standing(t, whole).Facts) > 0 && s.line(t).Pause.Seen
		}))
		watch := func(hard bool) *fault.Injector {
			return fault.Watch(func(op fault.Op) {
				switch op.Method {
				case "Registered":
					asked, known = true, lost && !s.world.Paused("Production")
				case "PauseDeployments":
					require.False(t, known && hard, "%v: paused again before anybody was told", inj)
					lost, known = false, false
				case "UploadLicense", "RepublishModule", "RegisterSerial":
					require.False(t, known, "%v: %v although the pause was lost", inj, op)
					require.True(t, asked || op.Method == "RegisterSerial", "%v: %v without a look at the deployments", inj, op)
					asked = false
				}
			})
		}
		r := s.apply(t, watch(true), inj)
		if !inj.Hit() {
			break
		}
		if r.Verdict != report.Completed {
			held++
			require.Equal(t, report.Held, r.Verdict)
			s.held(t, whole, journal.HoldForeign)
			require.Equal(t, report.Held, s.resume(t, watch(true)).Verdict, "%v", inj)
			s.resolve(t, whole)
			r = s.resume(t, watch(false))
		}
		s.completed(t, r)
	}
	require.Greater(t, held, 50)
}

// faq is a world in which Support must be asked, and what Support does then.
type faq struct {
	name  string
	upset func(s *stage, env string)
	mend  func(s *stage, env string)
	words string // of the question in the written procedure
}

func faqs() []faq {
	return []faq{
		{"FAQ 1: the serial number is not found",
			func(s *stage, env string) { s.world.DropSerial(s.plan.Source, env) },
			func(s *stage, env string) { s.world.AddSerial(s.plan.Source, env) },
			"Question 1 of its FAQ"},
		{"FAQ 2: the source license is not prepared",
			func(s *stage, env string) { s.world.SetIPP(s.plan.Source, env, license.Protected) },
			func(s *stage, env string) { s.world.SetIPP(s.plan.Source, env, license.Ignore) },
			"Question 2 of its FAQ"},
	}
}

func TestSupportIsAskedOnceWithTheWholeList(t *testing.T) {
	for _, q := range faqs() {
		t.Run(q.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			q.upset(s, "Production")
			q.upset(s, "Development")
			require.Equal(t, report.Held, s.apply(t).Verdict)
			for _, env := range []string{"Quality", "LifeTime"} {
				require.Equal(t, string(migration.IPVerified), s.standing(t, env).State, "%s is finished first", env)
			}
			cases := s.world.Cases()
			require.Len(t, cases, 1)
			require.Contains(t, cases[0].Body, q.words)
			for _, env := range s.names() {
				require.Equal(t, env == "Production" || env == "Development", strings.Contains(cases[0].Body, "- "+env), cases[0].Body)
			}
			require.Equal(t, report.Held, s.resume(t).Verdict, "the case is open, and nothing goes on by itself")

			q.mend(s, "Production")
			s.resolve(t, "Production")
			require.Equal(t, report.Held, s.resume(t).Verdict, "one still waits")
			require.Zero(t, s.uploads(s.plan.Target, ""))
			require.ErrorIs(t, s.changeover(t).Resolve(t.Context(), "Production", migration.Resolution{By: "tester", Evidence: "again"}), changeover.ErrNotHeld)
			q.mend(s, "Development")
			s.resolve(t, "Development")
			s.completed(t, s.resume(t))
			require.Len(t, s.world.Cases(), 1)
		})
		t.Run(q.name+", and one environment is held for another reason", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			q.upset(s, "Production")
			q.upset(s, "LifeTime")
			s.apply(t, failing("ServiceCenter", "UploadLicense", "Quality", adapters.ErrPermission))
			s.held(t, "Quality", journal.HoldSupport)
			require.Empty(t, s.world.Cases(), "the list is not complete")
			s.resume(t)
			require.Empty(t, s.world.Cases(), "nor is it now")
			s.resolve(t, "Quality")
			s.resume(t)
			require.Len(t, s.world.Cases(), 1, "now it is")
			for _, env := range []string{"Production", "LifeTime"} {
				q.mend(s, env)
				s.resolve(t, env)
			}
			s.completed(t, s.resume(t))
			require.Len(t, s.world.Cases(), 1)
		})
		t.Run(q.name+", resolved before the list is complete", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			q.upset(s, "Production")
			s.apply(t, failing("ServiceCenter", "UploadLicense", "Quality", adapters.ErrPermission))
			q.mend(s, "Production")
			s.resolve(t, "Production")
			s.resolve(t, "Quality")
			s.completed(t, s.resume(t))
			require.Empty(t, s.world.Cases(), "nobody needed one")
		})
		t.Run(q.name+", resolved but not mended", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			q.upset(s, "Production")
			s.apply(t)
			s.resolve(t, "Production")
			require.Equal(t, report.Held, s.resume(t).Verdict)
			require.Equal(t, string(migration.NeedsSupport), s.standing(t, "Production").State)
			q.mend(s, "Production")
			s.resolve(t, "Production")
			s.completed(t, s.resume(t))
		})
	}
}

// TestACorrectedTargetLicenseIsFetchedEverywhere is FAQ 3, met by each
// environment in turn.
func TestACorrectedTargetLicenseIsFetchedEverywhere(t *testing.T) {
	for _, env := range []string{"Production", "Quality", "Development", "LifeTime"} {
		for _, inFlight := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s, %d in flight", env, inFlight), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, migration.RefreshAndMove)
				s.plan.MaxInFlight = map[string]int{"move": inFlight}
				s.world.SetIPP(s.plan.Target, env, license.Ignore)
				require.Equal(t, report.Held, s.apply(t).Verdict)
				require.Equal(t, 3, s.facts(t, env).Need.FAQ)
				require.Len(t, s.world.Cases(), 1)
				require.Contains(t, s.world.Cases()[0].Body, "Question 3 of its FAQ")

				old := map[license.Digest]bool{} // target licenses that were ever stored
				for _, name := range s.names() {
					for _, b := range s.backups(name) {
						old[b.Digest] = old[b.Digest] || b.Role == license.Target
					}
				}
				before := len(s.world.Uploads())
				s.world.Reissue(s.plan.Target, license.Unprotected)
				s.resolve(t, env)
				require.Equal(t, 1, s.line(t).Fence)
				s.completed(t, s.resume(t))
				for _, u := range s.world.Uploads()[before:] {
					require.False(t, old[u.Digest], "%v is of an earlier fence", u)
				}
				for _, name := range s.names() {
					f := s.facts(t, name)
					require.Equal(t, 1, f.Fetched.Fence, name)
					require.False(t, old[f.Fetched.Digest], "%s was not fetched again", name)
				}
			})
		}
	}
	t.Run("after a crash between the words of the resolution", func(t *testing.T) {
		t.Parallel()
		for keep, size := 0, 1; keep <= size; keep++ {
			s := newStage(t, migration.RefreshAndMove)
			s.plan.MaxInFlight = map[string]int{"move": 4}
			s.world.SetIPP(s.plan.Target, "LifeTime", license.Ignore)
			s.apply(t)
			s.world.Reissue(s.plan.Target, license.Unprotected)
			store := &tornStore{Memory: s.store, keep: keep}
			c, err := changeover.New(s.plan, s.world.Set(), store, &changeover.Options{Clock: s.clock, Inline: true})
			require.NoError(t, err)
			require.ErrorIs(t, c.Resolve(t.Context(), "LifeTime", migration.Resolution{By: "tester", Evidence: "Support has corrected it"}), errDead)
			size = store.size
			require.Greater(t, size, 4)
			if s.standing(t, "LifeTime").State == string(migration.NeedsSupport) {
				s.resolve(t, "LifeTime")
			}
			s.completed(t, s.resume(t))
			for _, name := range s.names() {
				f := s.facts(t, name)
				require.Equal(t, s.line(t).Fence, f.Fetched.Fence, "%d of %d entries survive: %s", keep, size, name)
				require.GreaterOrEqual(t, f.Fetched.Fence, 1)
			}
		}
	})
}

// tornStore dies in the append after skip others and keeps the first few of its
// entries, as the contract of a store permits.
type tornStore struct {
	*journal.Memory
	skip, keep int
	dead       bool
	size       int // of the append in which it died
}

func (s *tornStore) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if s.dead {
		return errDead
	}
	if s.skip--; s.skip >= 0 {
		return s.Memory.Append(ctx, after, entries...)
	}
	s.dead, s.size = true, len(entries)
	if err := s.Memory.Append(ctx, after, entries[:min(s.keep, len(entries))]...); err != nil {
		return err
	}
	return errDead
}

// oracle looks at every change of a license, of a registration or of a module
// before it reaches the world, and says what is wrong with it. It knows the
// plan, the world and the journal, and nothing of the engine.
func (s *stage) oracle(t testing.TB) *fault.Injector { return s.judge(t, true) }

// judge is the oracle; where calls overlap, one that was under way when the line
// was stopped may come to its end.
func (s *stage) judge(t testing.TB, strict bool) *fault.Injector {
	vault := s.world.Set().Vault
	backedUp := func(env string) bool {
		all, err := vault.List(context.Background(), s.env(env).Serial)
		require.NoError(t, err)
		return slices.ContainsFunc(all, func(b adapters.Stored) bool { return b.Role == license.Source && b.Copies > 0 })
	}
	return fault.Watch(func(op fault.Op) {
		if !slices.Contains([]string{"UploadLicense", "RepublishModule", "RegisterSerial"}, op.Method) {
			return
		}
		record, err := journal.Replay(s.store.Read(context.Background()))
		if err != nil {
			t.Errorf("%v: %v", op, err)
			return
		}
		var line environment.Line
		var f environment.Facts
		all, _ := record.Standing(whole)
		at, _ := record.Standing(op.Environment)
		if err := errors.Join(json.Unmarshal(all.Facts, &line), json.Unmarshal(at.Facts, &f)); err != nil {
			t.Errorf("%v: %v", op, err)
			return
		}
		back := strings.HasPrefix(at.Table, "rollback/")
		must := func(holds bool, what string) {
			if !holds {
				t.Errorf("%v in %s of %s: %s", op, at.State, at.Table, what)
			}
		}
		must(at.InFlight, "no intent is on record")
		must(line.Latch.Set() || !back, "the line was not stopped")
		must(!line.Latch.Set() || back || !strict, "the line was stopped")
		must(backedUp(op.Environment), "there is no backup")
		if back {
			return
		}
		must(line.Pause.Seen, "the pause was not seen")
		for _, name := range s.plan.Effective().Pause {
			must(s.world.Paused(name), "deployments to "+name+" go on")
		}
		if at.Leg != "move" {
			return
		}
		must(line.Gate.Given, "nobody has approved it")
		must(slices.ContainsFunc(s.world.Questions(), func(q adapters.Question) bool { return q.Subject == "move" }), "nobody was asked")
		for _, name := range s.names() {
			must(backedUp(name), name+" has no backup")
		}
		if op.Method == "UploadLicense" {
			must(f.TargetSent, "it is not on record that a target license is sent")
			must(f.Fetched.Fence == line.Fence, "the file is of an earlier fence")
		}
	})
}

// concurrently begins a run with four environments in flight and real
// goroutines.
func (s *stage) concurrently(t testing.TB, opts changeover.Options, injectors ...*fault.Injector) *changeover.Changeover {
	t.Helper()
	s.plan.MaxInFlight = map[string]int{}
	p, ok := migration.FindProfile(s.plan.Profile)
	require.True(t, ok)
	for _, leg := range p.Legs {
		s.plan.MaxInFlight[leg.Name] = 4
	}
	if opts.Clock == nil {
		opts.Clock = s.clock
	}
	c, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), append(injectors, s.judge(t, false))...), s.store, &opts)
	require.NoError(t, err)
	return c
}

func profiles() []string {
	var names []string
	for _, p := range migration.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

func TestNoTargetLicenseBeforeEveryBackup(t *testing.T) {
	for _, profile := range profiles() {
		t.Run(profile+": every change finds what it needs", func(t *testing.T) {
			t.Parallel()
			for range 5 {
				s := newStage(t, profile)
				r, err := s.concurrently(t, changeover.Options{}).Apply(t.Context())
				require.NoError(t, err)
				require.Equal(t, report.Completed, r.Verdict)
				s.lawful(t)
			}
		})
		for _, env := range []string{"Production", "Quality", "Development", "LifeTime"} {
			t.Run(profile+": the backup of "+env+" fails", func(t *testing.T) {
				t.Parallel()
				s := newStage(t, profile)
				r, err := s.concurrently(t, changeover.Options{}, failing("BackupVault", "Put", env, errors.New("no space left"))).Apply(t.Context())
				require.NoError(t, err)
				require.Equal(t, report.Held, r.Verdict)
				s.held(t, env, journal.HoldUnavailable)
				require.Zero(t, s.reached("RegisterSerial", ""))
				require.Zero(t, s.uploads(s.plan.Target, ""))
				require.Zero(t, s.reached("UploadLicense", env), "nothing is uploaded where there is no backup")
				require.Zero(t, s.reached("Ask", ""), "nobody is asked before")

				r, err = s.concurrently(t, changeover.Options{}).Resume(t.Context())
				require.NoError(t, err)
				require.Equal(t, report.Completed, r.Verdict)
			})
		}
	}
	t.Run("the written order is kept in every run that is not concurrent", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.completed(t, s.apply(t, s.oracle(t)))
	})
	t.Run("fewer copies than the plan demands are no backup", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.plan.MinCopies = 3 // the simulated vault keeps two
		require.Equal(t, report.Held, s.apply(t).Verdict)
		for _, env := range s.names() {
			s.held(t, env, journal.HoldSupport)
		}
		require.Empty(t, s.world.Uploads())
	})
}

func TestAfterAnIPPErrorNothingMovesForward(t *testing.T) {
	for _, env := range []string{"Production", "Quality", "Development", "LifeTime"} {
		t.Run("four in flight, refused in "+env, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				s := newStage(t, migration.RefreshAndMove)
				s.ipp(env)
				r, err := s.concurrently(t, changeover.Options{}).Apply(t.Context())
				require.NoError(t, err)
				s.rolledBack(t, r)
				require.Equal(t, "intellectualProperty", s.line(t).Latch.Condition)
				require.Equal(t, env, s.line(t).Latch.Environment)
			}
		})
		t.Run("one at a time, refused while the source licenses are tested in "+env, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			s.world.SetIPP(s.plan.Source, env, license.Protected)
			s.plan.Accept["refresh"] = []license.IPP{license.Ignore, license.Protected}
			s.world.MarkModule(env, s.plan.Module, s.plan.Target)
			s.rolledBack(t, s.apply(t, s.oracle(t)))
			require.Zero(t, s.reached("RegisterSerial", ""))
			require.Equal(t, 4, len(s.world.Uploads()), "only the refreshed licenses were uploaded, and nothing was restored")
		})
	}
	// What was decided on and waits for its second attempt is not done any more.
	for _, late := range []struct {
		effect machine.EffectName
		method string
		nth    int // of the calls of the method, in Development
	}{{"registerSerial", "RegisterSerial", 0}, {"upload", "UploadLicense", 1}, {"republish", "RepublishModule", 1}} {
		t.Run(fmt.Sprintf("not even the effect %s when it waits for another attempt", late.effect), func(t *testing.T) {
			t.Parallel()
			const long = 7 * time.Hour
			s := newStage(t, migration.RefreshAndMove)
			s.ipp("Quality")
			clock := &gatedClock{Clock: s.clock, gated: long, waiting: make(chan struct{}), open: make(chan struct{})}
			reached := 0
			c := s.concurrently(t, changeover.Options{
				Clock: clock,
				Extend: func(_ migration.Leg, table machine.Table[environment.Facts]) machine.Table[environment.Facts] {
					for i := range table.Effects {
						if table.Effects[i].Name == late.effect {
							table.Effects[i].Retry.First, table.Effects[i].Retry.Max = long, long
						}
					}
					return table
				},
				OnEntry: func(e journal.Entry) {
					if e.Trigger == "ippRejected" && e.Env == "Quality" {
						reached = s.reached(late.method, "Development")
						close(clock.open)
					}
				},
			},
				fault.On(fault.Match{Method: late.method, Environment: "Development"}, late.nth, fault.Before, adapters.ErrBusy),
				meanwhile("ServiceCenter", "RepublishModule", "Quality", 1, func() { <-clock.waiting }),
			)
			r, err := c.Apply(t.Context())
			require.NoError(t, err)
			s.rolledBack(t, r)
			require.Equal(t, late.nth, reached, "it was busy, and waited")
			for _, e := range s.world.Effects() {
				require.False(t, e.Environment == "Development" && e.Method == late.method && e.Code == s.plan.Target, "%v", e)
			}
		})
	}
	t.Run("nor when a step that is not of this library says no more than that", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		c, err := changeover.New(s.plan, s.world.Set(), s.store, &changeover.Options{Clock: s.clock, Inline: true,
			Steps: map[machine.EffectName]machine.Step[environment.Facts]{"republish": {
				Do: func(_ context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
					return "", adapters.ErrIntellectualProperty
				},
				Observe: func(context.Context, *machine.Call[environment.Facts]) (machine.Trigger, error) {
					return machine.NotDone, nil
				},
			}}})
		require.NoError(t, err)
		r, err := c.Apply(t.Context())
		require.NoError(t, err)
		s.rolledBack(t, r)
		require.True(t, s.line(t).Latch.Set())
	})
}

// gatedClock does not wake up from waits of one length before it is opened.
type gatedClock struct {
	*fake.Clock
	gated         time.Duration
	once          sync.Once
	waiting, open chan struct{}
}

func (c *gatedClock) Sleep(ctx context.Context, d time.Duration) error {
	if d == c.gated {
		c.once.Do(func() { close(c.waiting) })
		<-c.open
	}
	return c.Clock.Sleep(ctx, d)
}

// A state of the infrastructure from which a rollback is asked for.
func untilGate(t testing.TB, s *stage) {
	s.world.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
	require.Equal(t, report.Held, s.apply(t).Verdict)
	s.held(t, whole, journal.HoldApproval)
}

func untilCompleted(t testing.TB, s *stage) { require.Equal(t, report.Completed, s.apply(t).Verdict) }

// noPortal makes every call of the portal and every question to the operator
// fail, in the way that is hardest to go on from.
func noPortal() []*fault.Injector {
	return []*fault.Injector{failing("LicensePortal", "", "", errLost), failing("Operator", "", "", errLost)}
}

func TestRollbackTakesBackWhatHoldsATargetLicense(t *testing.T) {
	t.Run("every environment after a completed run, without portal and operator", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		calls := s.reached("FetchLicense", "") + s.reached("SerialRegistered", "") + s.reached("RegisterSerial", "") + s.reached("Ask", "")
		s.rolledBack(t, s.rollBack(t, append(noPortal(), s.oracle(t))...))
		require.Equal(t, calls, s.reached("FetchLicense", "")+s.reached("SerialRegistered", "")+s.reached("RegisterSerial", "")+s.reached("Ask", ""))
		require.Len(t, s.world.Cases(), 1)
	})
	t.Run("nothing, when no target license was ever sent", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		s.world.Answer(nil)
		uploads, publishes := s.reached("UploadLicense", ""), s.reached("RepublishModule", "")
		s.rolledBack(t, s.rollBack(t, noPortal()...))
		require.Equal(t, uploads, s.reached("UploadLicense", ""))
		require.Equal(t, publishes, s.reached("RepublishModule", ""))
	})
	t.Run("nothing, when the run was held before anything was paused, and no pause stays behind", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		require.Equal(t, report.Held, s.apply(t, failing("ServiceCenter", "InstalledLicense", "Quality", adapters.ErrPermission)).Verdict)
		s.rolledBack(t, s.rollBack(t))
		require.Empty(t, s.world.Uploads())
	})
	t.Run("what was installed by hand where the run never came", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		s.world.Answer(nil)
		s.world.InstallByHand("Development", s.plan.Target)
		s.rolledBack(t, s.rollBack(t, noPortal()...))
		require.Equal(t, 2, s.uploads(s.plan.Source, "Development"), "refreshed once, restored once")
		require.Equal(t, 1, s.uploads(s.plan.Source, "Quality"))
	})
	t.Run("an environment in doubt, although it shows its source license", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		// The answer of the upload is lost, and then the page cannot be read.
		s.apply(t, append(readings("Quality", 13, 60), fault.On(fault.Match{Method: "UploadLicense", Environment: "Quality"}, 1, fault.Before, errLost))...)
		s.held(t, "Quality", journal.HoldInDoubt)
		require.True(t, s.shows(license.Source)("Quality"))
		s.rolledBack(t, s.rollBack(t, noPortal()...))
		require.Equal(t, 2, s.reached("UploadLicense", "Quality"), "refreshed once, and restored all the same")
	})
	t.Run("an environment whose page cannot be read, if a target license was sent", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		uploads := s.reached("UploadLicense", "")
		s.rollBack(t, failing("ServiceCenter", "InstalledLicense", "Quality", errLost))
		require.Equal(t, uploads+4, s.reached("UploadLicense", ""), "it is attempted like all the others")
		for round := 0; s.standing(t, whole).State != string(rollback.AllRolledBack) && round < 3; round++ {
			if at := s.standing(t, "Quality"); at.Hold != nil && at.Hold.Kind == journal.HoldInDoubt {
				s.resolve(t, "Quality")
			}
			s.resume(t)
		}
		s.everyone(t, license.Source, "in the end")
	})
	t.Run("not an environment that cannot be read and was never sent one", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		s.world.Answer(nil)
		uploads := s.reached("UploadLicense", "")
		require.Equal(t, report.Held, s.rollBack(t, failing("ServiceCenter", "InstalledLicense", "Quality", errLost)).Verdict)
		s.held(t, "Quality", journal.HoldUnavailable)
		require.True(t, s.world.Paused("Production"))
		s.rolledBack(t, s.resume(t))
		require.Equal(t, uploads, s.reached("UploadLicense", ""))
	})
	t.Run("not an environment with a license of somebody else, which keeps the run from ending", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		s.world.Answer(nil)
		s.world.InstallByHand("Quality", code(t, "CCC.CCC.CCC.CCC.CCC.CCC.CCC.COU"))
		require.Equal(t, report.Held, s.rollBack(t).Verdict)
		s.held(t, "Quality", journal.HoldUnknown)
		s.world.InstallByHand("Quality", s.plan.Source)
		s.resolve(t, "Quality")
		s.rolledBack(t, s.resume(t))
	})
}

// readings loses the answers of some readings of the licensing page of env,
// counted from 0.
func readings(env string, from, to int) []*fault.Injector {
	var lost []*fault.Injector
	for n := from; n < to; n++ {
		lost = append(lost, fault.On(fault.Match{Method: "InstalledLicense", Environment: env}, n, fault.Before, errLost))
	}
	return lost
}

func TestOneEnvironmentNeverKeepsAnotherFromGoingBack(t *testing.T) {
	// back requires that all but one environment are back.
	allBut := func(t *testing.T, s *stage, left string) {
		t.Helper()
		for _, env := range s.names() {
			require.Equal(t, env != left, s.shows(license.Source)(env), env)
			if env != left {
				require.Equal(t, string(rollback.RolledBack), s.standing(t, env).State, env)
			}
		}
		require.True(t, s.world.Paused("Production"), "deployments stay paused")
	}
	for _, env := range []string{"Production", "Quality", "Development", "LifeTime"} {
		t.Run(env+" turns its old license down: mixed, until that is undone", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			untilCompleted(t, s)
			s.world.RefuseReturn(env, "This license was replaced.")
			require.Equal(t, report.Mixed, s.rollBack(t).Verdict)
			allBut(t, s, env)
			require.Equal(t, string(rollback.NeedsSupport), s.standing(t, env).State)
			require.Contains(t, s.facts(t, env).Need.Text, "This license was replaced.")
			require.Equal(t, report.Mixed, s.resume(t).Verdict, "resume alone changes nothing")
			require.Equal(t, report.Mixed, s.rollBack(t).Verdict, "nor does another rollback")
			s.resolve(t, env)
			require.Equal(t, report.Mixed, s.resume(t).Verdict, "resolved, but not undone")
			s.world.RefuseReturn(env, "")
			s.resolve(t, env)
			s.rolledBack(t, s.resume(t))
		})
		t.Run("all backups of "+env+" are damaged: mixed, until there is another copy", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			untilCompleted(t, s)
			s.damage(env)
			require.ErrorContains(t, s.changeover(t).Verify(t.Context()), env)
			require.Equal(t, report.Mixed, s.rollBack(t).Verdict)
			allBut(t, s, env)
			require.Equal(t, "backupDamaged", s.facts(t, env).Need.Condition)
			s.copyBack(t, env)
			s.resolve(t, env)
			s.rolledBack(t, s.resume(t))
		})
		t.Run("the serial number of "+env+" has changed since", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			untilCompleted(t, s)
			s.world.ChangeSerial(env, "ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ")
			require.Equal(t, report.Mixed, s.rollBack(t).Verdict)
			allBut(t, s, env)
			s.held(t, env, journal.HoldSerial)
			s.world.ChangeSerial(env, s.env(env).Serial)
			s.resolve(t, env)
			s.rolledBack(t, s.resume(t))
		})
		t.Run(env+" does not let the restored license be uploaded for lack of a permission", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			untilCompleted(t, s)
			require.Equal(t, report.Mixed, s.rollBack(t, failing("ServiceCenter", "UploadLicense", env, adapters.ErrPermission)).Verdict)
			allBut(t, s, env)
			s.held(t, env, journal.HoldSupport)
			s.resolve(t, env)
			s.rolledBack(t, s.resume(t))
		})
	}
	t.Run("the newest backup is damaged: an older one is used", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		f := s.facts(t, "Quality")
		newest, ok := f.Restorable(s.env("Quality").Serial)
		require.True(t, ok)
		s.world.DamageBackup(newest.Serial, newest.Digest, 0)
		require.Error(t, s.changeover(t).Verify(t.Context()))
		s.rolledBack(t, s.rollBack(t))
		require.NotEqual(t, newest.Digest, s.facts(t, "Quality").Fetched.Digest)
		require.Equal(t, license.Protected, s.world.Installed("Quality").IPP, "the license from before the refresh")
	})
	t.Run("a backup that the journal does not know of is used if it says itself that it is one", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		require.Equal(t, report.Held, s.apply(t, failing("ServiceCenter", "InstalledLicense", "Quality", adapters.ErrPermission)).Verdict)
		// Another run, for which another code was the source, has left its files.
		other := license.Details{Code: code(t, "CCC.CCC.CCC.CCC.CCC.CCC.CCC.COU"), Serial: s.env("Quality").Serial, Type: "Quality"}
		_, err := s.world.Set().Vault.Put(t.Context(), adapters.Label{Environment: "Quality", Serial: other.Serial, Role: license.Source, Origin: environment.OriginPortal}, fake.LicenseFile(other, ""))
		require.NoError(t, err)
		s.world.InstallByHand("Quality", s.plan.Target)
		require.Equal(t, report.Mixed, s.rollBack(t).Verdict)
		require.Equal(t, s.plan.Target, s.world.Installed("Quality").Code, "no license of a third code is installed")
		s.copyBack(t, "Quality")
		s.resolve(t, "Quality")
		s.rolledBack(t, s.resume(t))
	})
}

func TestARestoredEnvironmentThatCannotBeTestedNeedsSomebodysWord(t *testing.T) {
	for _, refused := range []string{"broken", "marked", "gone"} {
		t.Run("the module is "+refused, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			untilCompleted(t, s)
			var injectors []*fault.Injector
			switch refused {
			case "broken":
				s.world.BreakModule("Quality", s.plan.Module, "the database is full")
			case "marked":
				s.world.MarkModule("Quality", s.plan.Module, s.plan.Target)
				injectors = append(injectors, failing("ServiceCenter", "RepublishModule", "Quality", adapters.ErrIntellectualProperty))
			case "gone":
				injectors = append(injectors, failing("ServiceCenter", "RepublishModule", "Quality", adapters.ErrModuleNotFound))
			}
			require.Equal(t, report.Held, s.rollBack(t, injectors...).Verdict)
			require.Equal(t, string(rollback.RestoredNotTested), s.standing(t, "Quality").State)
			for _, env := range s.names() {
				require.True(t, s.shows(license.Source)(env))
			}
			require.True(t, s.world.Paused("Production"))
			require.Equal(t, report.Held, s.resume(t).Verdict, "nothing but somebody's word ends it")
			require.True(t, s.world.Paused("Production"))
			s.resolve(t, whole)
			s.rolledBack(t, s.resume(t))
			require.Equal(t, "tester", s.line(t).Override.By)
		})
	}
	t.Run("a word given does not count for a target license that lands afterwards", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		s.world.BreakModule("Quality", s.plan.Module, "the database is full")
		s.rollBack(t)
		s.resolve(t, whole)
		s.world.InstallByHand("Development", s.plan.Target)
		require.Equal(t, report.Mixed, s.resume(t).Verdict)
		require.True(t, s.world.Paused("Production"))
	})
}

func TestRollbackMayBeAskedForAtAnyTime(t *testing.T) {
	t.Run("twice", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		s.rolledBack(t, s.rollBack(t))
		changes, cases := len(s.world.Effects()), len(s.world.Cases())
		s.rolledBack(t, s.rollBack(t))
		s.rolledBack(t, s.resume(t))
		require.Len(t, s.world.Effects(), changes)
		require.Len(t, s.world.Cases(), cases)
	})
	t.Run("never before anything was begun", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		r, err := s.changeover(t).RollBack(t.Context(), "tester", "to be sure")
		require.ErrorIs(t, err, changeover.ErrNotBegun)
		require.Nil(t, r)
		require.Empty(t, s.entries(t))
		require.Empty(t, s.world.Effects())
	})
	t.Run("not without a name and a reason", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		untilCompleted(t, s)
		entries := len(s.entries(t))
		for _, by := range []string{"", "tester"} {
			_, err := s.changeover(t).RollBack(t.Context(), by, "")
			require.Error(t, err)
		}
		require.Len(t, s.entries(t), entries)
	})
	// Every entry of a run is a moment at which somebody may change their mind.
	for _, profile := range []string{migration.RefreshAndMove, migration.Published} { // as-written is the beginning of the first
		t.Run("after any call of "+profile, func(t *testing.T) {
			t.Parallel()
			n := 0
			for ; ; n++ {
				s := newStage(t, profile)
				ctx, cancel := context.WithCancel(t.Context())
				inj := fault.OnIndex(n, fault.After, fault.Cancel(cancel))
				_, err := s.changeover(t, inj).Apply(ctx)
				cancel()
				if !inj.Hit() {
					require.NoError(t, err)
					break
				}
				if len(s.entries(t)) == 0 {
					continue
				}
				s.rolledBack(t, s.rollBack(t, append(noPortal(), s.oracle(t))...))
			}
			t.Logf("%d calls", n)
		})
	}
}

// TestWhatMayStillLandIsWaitedFor dies while a target license is uploaded to the
// first environment, and goes back: the restore waits for the upload to settle.
func TestWhatMayStillLandIsWaitedFor(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	ctx, cancel := context.WithCancel(t.Context())
	store := &tornStore{Memory: s.store, skip: 1 << 20}
	c, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), fault.On(fault.Match{Method: "UploadLicense", Environment: "Production"}, 1, fault.Before, fault.Cancel(func() { store.skip = 0 }))),
		store, &changeover.Options{Clock: s.clock, Inline: true})
	require.NoError(t, err)
	_, err = c.Apply(ctx)
	cancel()
	require.ErrorIs(t, err, changeover.ErrJournal)
	require.True(t, s.standing(t, "Production").InFlight)
	died, first := s.clock.Now(), time.Time{}
	s.rolledBack(t, s.rollBack(t, fault.Watch(func(op fault.Op) {
		if op.Environment == "Production" && op.Port == "ServiceCenter" && first.IsZero() {
			first = s.clock.Now()
		}
	})))
	require.GreaterOrEqual(t, first.Sub(died), 2*time.Minute)
}

// TestALateUploadNeverEndsInAMixedInfrastructure lets a target license be
// installed ever later after its upload has got no answer, and goes back
// meanwhile.
func TestALateUploadNeverEndsInAMixedInfrastructure(t *testing.T) {
	t.Parallel()
	mixed := 0
	for by := range 60 {
		s := newStage(t, migration.RefreshAndMove)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.changeover(t,
			meanwhile("ServiceCenter", "UploadLicense", "Quality", 1, func() { s.world.LateUpload("Quality", by) }),
			fault.On(fault.Match{Method: "UploadLicense", Environment: "Quality"}, 1, fault.After, fault.Cancel(cancel))).Apply(ctx)
		require.ErrorIs(t, err, context.Canceled)
		r := s.rollBack(t)
		for round := 0; r.Verdict != report.RolledBack && round < 3; round++ {
			mixed++
			require.Equal(t, report.Mixed, r.Verdict, "by %d", by)
			require.True(t, s.world.Paused("Production"), "deployments stay paused")
			if s.standing(t, "Quality").State == string(rollback.NeedsSupport) {
				s.resolve(t, "Quality")
			}
			r = s.resume(t)
		}
		// What is under way when everything is over cannot be seen by anybody.
		require.Equal(t, report.RolledBack, r.Verdict, "by %d", by)
		for _, env := range s.names() {
			require.True(t, s.shows(license.Source)(env), "by %d: %s", by, env)
		}
	}
	t.Logf("%d times the late license was found after the restore", mixed)
	require.Positive(t, mixed)
}

// begun returns the environments in the order in which they began a leg.
func (s *stage) begun(t testing.TB, leg string) []string {
	t.Helper()
	var names []string
	for _, e := range s.entries(t) {
		if e.Kind == journal.Begun && e.Env != whole && e.Leg == leg {
			names = append(names, e.Env)
		}
	}
	return names
}

// finished returns the environments in the order in which they ended a leg.
func (s *stage) finished(t testing.TB, leg string) []string {
	t.Helper()
	var names []string
	for _, e := range s.entries(t) {
		if e.To == string(migration.Republished) && e.Leg == leg {
			names = append(names, e.Env)
		}
	}
	return names
}

// crowd returns how many environments were at most under way in a leg at once,
// by what the journal says.
func (s *stage) crowd(t testing.TB, leg string, rest migration.Stage) int {
	t.Helper()
	under, most := map[string]bool{}, 0
	for _, e := range s.entries(t) {
		if e.Env == whole || e.Leg != leg {
			continue
		}
		if e.Kind == journal.Begun {
			under[e.Env] = true
		}
		most = max(most, len(under))
		if e.To == string(migration.Republished) || rest.Until != "" && e.To == string(rest.Until) {
			delete(under, e.Env)
		}
	}
	return most
}

func TestThePlanSaysInWhichOrderAndHowManyAtOnce(t *testing.T) {
	t.Run("as written: Production first, then the others", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		slices.Reverse(s.plan.Infrastructure.Environments)
		s.world = newWorld(t, s.plan)
		s.completed(t, s.apply(t))
		for _, leg := range []string{"refresh", "move"} {
			require.Equal(t, []string{"Production", "LifeTime", "Development", "Quality"}, s.begun(t, leg))
		}
	})
	t.Run("an order of the plan's own", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.plan.Order = []string{"LifeTime", "Development", "Quality", "Production"}
		s.completed(t, s.apply(t))
		for _, leg := range []string{"refresh", "move"} {
			require.Equal(t, s.plan.Order, s.begun(t, leg))
			require.Equal(t, s.plan.Order, s.finished(t, leg))
		}
	})
	t.Run("a canary is moved alone before the others", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.plan.First = []string{"Development"}
		r, err := s.concurrently(t, changeover.Options{}).Apply(t.Context())
		require.NoError(t, err)
		s.completed(t, r)
		require.Equal(t, []string{"Development", "Production", "Quality", "LifeTime"}, s.begun(t, "move"))
		require.Equal(t, "Development", s.finished(t, "move")[0])
		require.Equal(t, "Development", s.finished(t, "refresh")[0])
	})
	t.Run("a canary that does not come through keeps the others from beginning", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.plan.First = []string{"Development"}
		s.world.RejectUploads(s.plan.Target, "Development", "This license is not for this version.")
		r, err := s.concurrently(t, changeover.Options{}).Apply(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Held, r.Verdict)
		require.Equal(t, []string{"Development"}, s.begun(t, "move"))
		require.Len(t, s.world.Cases(), 1)
		s.world.RejectUploads(s.plan.Target, "Development", "")
		s.resolve(t, "Development")
		s.completed(t, s.resume(t))
	})
	for limit := 1; limit <= 4; limit++ {
		t.Run(fmt.Sprintf("at most %d in flight", limit), func(t *testing.T) {
			t.Parallel()
			for _, inline := range []bool{false, true} {
				s := newStage(t, migration.RefreshAndMove)
				s.plan.MaxInFlight = map[string]int{"refresh": limit, "move": limit}
				c, err := changeover.New(s.plan, s.world.Set(), s.store, &changeover.Options{Clock: s.clock, Inline: inline})
				require.NoError(t, err)
				r, err := c.Apply(t.Context())
				require.NoError(t, err)
				s.completed(t, r)
				require.Equal(t, limit, s.crowd(t, "refresh", migration.Stage{Until: migration.IPVerified}))
				require.Equal(t, limit, s.crowd(t, "move", migration.Stage{}))
			}
		})
	}
}

func TestOnlyPausesOfTheRunAreResumed(t *testing.T) {
	scope := map[string][]string{
		migration.RefreshAndMove: {"Production"}, migration.AsWritten: {"Production"}, migration.Published: {"Production", "Quality", "Development"},
	}
	for _, profile := range profiles() {
		t.Run(profile+": what is paused meanwhile", func(t *testing.T) {
			t.Parallel()
			s := newStage(t, profile)
			untilPaused := s.reachedWhilePaused(t)
			r := s.apply(t, untilPaused.watch)
			require.Equal(t, report.Completed, r.Verdict)
			require.Equal(t, scope[profile], untilPaused.names)
			for _, env := range s.names() {
				require.False(t, s.world.Paused(env))
			}
		})
	}
	for _, goingBack := range []bool{false, true} {
		for _, by := range [][]string{{"Production"}, {"Quality"}, {"Production", "Quality", "Development"}} {
			t.Run(fmt.Sprintf("somebody else has paused %v before, and the run goes back: %v", by, goingBack), func(t *testing.T) {
				t.Parallel()
				s := newStage(t, migration.Published)
				if goingBack {
					s.ipp("Quality")
				}
				for _, env := range by {
					s.world.PauseByHand(env)
				}
				r := s.apply(t)
				require.Equal(t, map[bool]report.Verdict{false: report.Completed, true: report.RolledBack}[goingBack], r.Verdict)
				for _, env := range s.names() {
					require.Equal(t, slices.Contains(by, env), s.world.Paused(env), env)
				}
			})
		}
	}
	t.Run("somebody else pauses between the survey and the pause", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		// The first list is for the check, the second for the survey.
		r := s.apply(t, meanwhile("LifeTime", "Registered", "", 2, func() { s.world.PauseByHand("Production") }))
		require.Equal(t, report.Completed, r.Verdict)
		require.True(t, s.world.Paused("Production"), "that pause is not the run's to end")
	})
	t.Run("a run that dies while it pauses ends its pause all the same", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := s.changeover(t, fault.On(fault.Match{Method: "PauseDeployments"}, 0, fault.After, fault.Cancel(cancel))).Apply(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.True(t, s.world.Paused("Production"))
		s.completed(t, s.resume(t))
	})
	t.Run("a deployment that runs is waited for", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.world.StartDeployment("Production")
		require.Equal(t, report.Held, s.apply(t).Verdict)
		s.held(t, whole, journal.HoldUnavailable)
		require.Empty(t, s.world.Uploads())
		s.world.FinishDeployment("Production")
		s.completed(t, s.resume(t))
	})
	t.Run("an environment that LifeTime does not know is refused before anything is written", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.world.Unregister("Quality")
		r, err := s.changeover(t).Apply(t.Context())
		require.Error(t, err)
		require.Nil(t, r)
		require.Empty(t, s.entries(t))
	})
	t.Run("one that leaves LifeTime between the check and the survey is found by the survey", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.apply(t, meanwhile("LifeTime", "Registered", "", 1, func() { s.world.Unregister("Quality") }))
		require.Contains(t, s.held(t, whole, journal.HoldForeign).Cause, "Quality")
		require.Empty(t, s.world.Effects(), "nothing was touched")
	})
}

// pausedSeen collects which environments are paused while licenses change.
type pausedSeen struct {
	names []string
	watch *fault.Injector
}

func (s *stage) reachedWhilePaused(t testing.TB) *pausedSeen {
	p := new(pausedSeen)
	p.watch = fault.Watch(func(op fault.Op) {
		if op.Method != "UploadLicense" {
			return
		}
		var names []string
		for _, env := range s.names() {
			if s.world.Paused(env) {
				names = append(names, env)
			}
		}
		if p.names != nil {
			require.Equal(t, p.names, names)
		}
		p.names = names
	})
	return p
}

func TestAWrongFileReachesNeitherVaultNorServer(t *testing.T) {
	const env = "Quality"
	details := func(s *stage, code license.ActivationCode) license.Details {
		return license.Details{Code: code, Serial: s.env(env).Serial, Organization: "Acme", Type: "Quality", Features: []license.Feature{{ID: "IPP", Name: "Intellectual Property", Limit: "Ignore"}}}
	}
	raw := func(t *testing.T, b []byte) license.File {
		f, err := license.NewFile(b)
		require.NoError(t, err)
		return f
	}
	for _, c := range []struct {
		name string
		file func(t *testing.T, s *stage, d license.Details) license.File
		says []string
	}{
		{"the file of another environment", func(_ *testing.T, s *stage, d license.Details) license.File {
			d.Serial = s.env("Production").Serial
			return fake.LicenseFile(d, "")
		}, []string{"it is for PPP-", "the server states QQQ-"}},
		{"a file under the other activation code", func(_ *testing.T, s *stage, d license.Details) license.File {
			if d.Code == s.plan.Source {
				d.Code = s.plan.Target
			} else {
				d.Code = s.plan.Source
			}
			return fake.LicenseFile(d, "")
		}, []string{"it is a license of"}},
		{"a file under a third activation code", func(t *testing.T, _ *stage, d license.Details) license.File {
			d.Code = code(t, "CCC.CCC.CCC.CCC.CCC.CCC.CCC.COU")
			return fake.LicenseFile(d, "")
		}, []string{"it is a license of"}},
		{"an expired file", func(_ *testing.T, _ *stage, d license.Details) license.File {
			d.Ends = fake.Start().AddDate(0, 0, -3)
			return fake.LicenseFile(d, "")
		}, []string{"it ended on 2026-01-02"}},
		{"a trial license", func(_ *testing.T, _ *stage, d license.Details) license.File {
			d.Type = "TRIAL"
			return fake.LicenseFile(d, "")
		}, []string{"its type is TRIAL"}},
		{"everything at once", func(_ *testing.T, s *stage, d license.Details) license.File {
			d.Type, d.Ends, d.Serial = "Trial", fake.Start().AddDate(-1, 0, 0), s.env("Production").Serial
			if d.Code == s.plan.Source {
				d.Code = s.plan.Target
			} else {
				d.Code = s.plan.Source
			}
			return fake.LicenseFile(d, "")
		}, []string{"it is a license of", "it is for PPP-", "it ended on 2025", "its type is Trial"}},
		{"a file that was cut off", func(t *testing.T, _ *stage, d license.Details) license.File {
			b := fake.LicenseFile(d, "").Bytes()
			return raw(t, b[:len(b)/2])
		}, nil},
		{"a file with something behind it", func(t *testing.T, _ *stage, d license.Details) license.File {
			return raw(t, append(fake.LicenseFile(d, "").Bytes(), "<!-- -->"...))
		}, nil},
	} {
		for _, leg := range []string{"refresh", "move"} {
			t.Run(c.name+", in the leg "+leg, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, migration.RefreshAndMove)
				of := s.plan.Source
				if leg == "move" {
					of = s.plan.Target
				}
				wrong := c.file(t, s, details(s, of))
				s.world.UseFile(of, env, wrong)
				require.Equal(t, report.Held, s.apply(t, s.oracle(t)).Verdict)
				at := s.standing(t, env)
				if c.says == nil {
					s.held(t, env, journal.HoldUnavailable)
					require.Contains(t, at.Hold.Cause, "the license file of "+env)
				} else {
					require.Equal(t, string(migration.NeedsSupport), at.State)
					need := s.facts(t, env).Need
					require.Equal(t, "fileRefused", need.Condition)
					require.Equal(t, "fetchLicense", need.Step)
					for _, words := range c.says {
						require.Contains(t, need.Text, words)
					}
					require.Contains(t, s.world.Cases()[0].Body, "- "+env)
				}
				for _, b := range s.backups(env) {
					require.NotEqual(t, wrong.Digest(), b.Digest, "it is in the vault")
				}
				for _, u := range s.world.Uploads() {
					require.NotEqual(t, wrong.Digest(), u.Digest, "it was uploaded")
				}
				s.world.UseFile(of, env, license.File{})
				if c.says != nil {
					s.resolve(t, env)
				}
				s.completed(t, s.resume(t))
			})
		}
	}
}

func TestAFileThatCannotBeInspectedNeedsSomebodysWord(t *testing.T) {
	opaque := func(t *testing.T) *stage {
		s := newStage(t, migration.RefreshAndMove)
		s.world.OpaqueLicenses(true)
		return s
	}
	t.Run("attested, it goes all the way, and the word is on record", func(t *testing.T) {
		t.Parallel()
		s := opaque(t)
		s.completed(t, s.apply(t, s.oracle(t)))
		asked := map[string]int{}
		for _, q := range s.world.Questions() {
			if q.Subject == "licenseIdentity" {
				asked[q.Environment]++
				require.NotContains(t, q.Text+strings.Join(q.Details, ""), sourceCode)
				require.NotContains(t, q.Text+strings.Join(q.Details, ""), targetCode)
			}
		}
		witnessed := map[string]int{}
		for _, e := range s.entries(t) {
			for _, w := range e.Testimony {
				if strings.Contains(w.Text, "attested the identity of the file") {
					require.Equal(t, fake.OperatorName, w.By)
					witnessed[e.Env]++
				}
			}
		}
		for _, env := range s.names() {
			require.Equal(t, 2, asked[env], env)
			require.Equal(t, 2, witnessed[env], env)
		}
	})
	t.Run("and back, by the same files", func(t *testing.T) {
		t.Parallel()
		s := opaque(t)
		s.ipp("Development")
		s.rolledBack(t, s.apply(t, s.oracle(t)))
	})
	t.Run("refused, it waits, and nothing of it is stored or uploaded", func(t *testing.T) {
		t.Parallel()
		s := opaque(t)
		s.world.Answer(func(q adapters.Question) (adapters.Answer, error) {
			if q.Environment == "Quality" {
				return adapters.Answer{}, adapters.ErrRefused
			}
			return adapters.Answer{By: "somebody", Text: "I have looked"}, nil
		})
		require.Equal(t, report.Held, s.apply(t).Verdict)
		s.held(t, "Quality", journal.HoldSupport)
		require.Empty(t, s.backups("Quality"))
		require.Zero(t, s.reached("UploadLicense", "Quality"))
		s.world.Answer(nil)
		s.resolve(t, "Quality")
		s.completed(t, s.resume(t))
	})
	// Nothing on the page tells the refreshed license from the one before it, so
	// an upload without an answer is made again and not believed.
	t.Run("an upload of it without an answer is made again", func(t *testing.T) {
		t.Parallel()
		s := opaque(t)
		s.completed(t, s.apply(t, fault.On(fault.Match{Method: "UploadLicense", Environment: "Quality"}, 0, fault.Before, errLost)))
		require.Equal(t, 1, s.uploads(s.plan.Source, "Quality"), "the refreshed license was installed")
	})
}

func TestDownloadsThatDifferAreFilesOfTheirOwn(t *testing.T) {
	t.Parallel()
	for n := 0; ; n++ {
		s := newStage(t, migration.RefreshAndMove)
		s.world.DistinctDownloads(true)
		ctx, cancel := context.WithCancel(t.Context())
		inj := fault.On(fault.Match{Method: "FetchLicense"}, n, fault.After, fault.Cancel(cancel))
		r, err := s.changeover(t, inj, s.oracle(t)).Apply(ctx)
		cancel()
		if inj.Hit() {
			r = s.resume(t, s.oracle(t))
			err = nil
		}
		require.NoError(t, err)
		s.completed(t, r)
		for _, env := range s.names() {
			f := s.facts(t, env)
			require.True(t, slices.ContainsFunc(f.Backups, func(b environment.Backup) bool { return b.Digest == f.Fetched.Digest && b.Accepted }), "what is installed in %s is in the vault", env)
			require.NoError(t, s.changeover(t).Verify(t.Context()))
		}
		if !inj.Hit() {
			require.Equal(t, 8, n)
			break
		}
	}
}

// ending is what a run leaves behind in the world.
func (s *stage) ending(t testing.TB) string {
	t.Helper()
	require.NoError(t, s.world.Err())
	var b strings.Builder
	for _, env := range s.names() {
		in := s.world.Installed(env)
		registered := 0
		for _, e := range s.world.Effects() {
			if e.Method == "RegisterSerial" && e.Environment == env {
				registered++
			}
		}
		fmt.Fprintf(&b, "%s: %s %s, module %s, paused %t, registered %d times\n", env, in.Code, in.IPP, s.world.Published(env, s.plan.Module), s.world.Paused(env), registered)
	}
	fmt.Fprintf(&b, "%d cases", len(s.world.Cases()))
	return b.String()
}

// A play is a run from its beginning to where it rests.
type play struct {
	name    string
	profile string
	setup   func(t testing.TB, s *stage)
	act     func(ctx context.Context, c *changeover.Changeover) (*report.Report, error)
}

func applying(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
	r, err := c.Apply(ctx)
	if errors.Is(err, changeover.ErrBegun) {
		return c.Resume(ctx)
	}
	return r, err
}

func rollingBack(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
	return c.RollBack(ctx, "tester", "changed our minds")
}

func plays() []play {
	none := func(testing.TB, *stage) {}
	together := func(_ testing.TB, s *stage) { s.plan.MaxInFlight = map[string]int{"move": 4} }
	return []play{
		{migration.RefreshAndMove, migration.RefreshAndMove, none, applying},
		{migration.AsWritten, migration.AsWritten, none, applying},
		{migration.Published, migration.Published, none, applying},
		{"an IPP error", migration.RefreshAndMove, func(_ testing.TB, s *stage) { s.ipp("Quality") }, applying},
		{"an IPP error with four in flight", migration.RefreshAndMove, func(t testing.TB, s *stage) { together(t, s); s.ipp("Quality") }, applying},
		{"a rollback", migration.RefreshAndMove, func(t testing.TB, s *stage) { untilCompleted(t, s) }, rollingBack},
		{"a rollback before the gate", migration.RefreshAndMove, func(t testing.TB, s *stage) { untilGate(t, s); s.world.Answer(nil) }, rollingBack},
	}
}

// finish acts until the run is over, as somebody does who looks.
func (s *stage) finish(t testing.TB, p play) report.Verdict {
	t.Helper()
	r, err := p.act(t.Context(), s.changeover(t))
	for round := 0; err == nil && r.Verdict == report.Held && round < 4; round++ {
		for _, env := range append(s.names(), whole) {
			if at := s.standing(t, env); at.Hold != nil && slices.Contains(at.Hold.Verbs, "resolve") {
				require.NoError(t, s.changeover(t).Resolve(t.Context(), env, migration.Resolution{By: "tester", Evidence: "looked", NotDone: true}))
			}
		}
		r, err = s.changeover(t).Resume(t.Context())
	}
	require.NoError(t, err)
	return r.Verdict
}

// crash plays with a process that dies in its n-th append, and keeps the first
// few entries of it. It returns how many entries the append had; zero if the
// process did not come to it.
func (s *stage) crash(t testing.TB, p play, n, keep int) int {
	t.Helper()
	store := &tornStore{Memory: s.store, skip: n, keep: keep}
	c, err := changeover.New(s.plan, s.world.Set(), store, &changeover.Options{Clock: s.clock, Inline: true})
	require.NoError(t, err)
	_, err = p.act(t.Context(), c)
	if store.dead {
		require.ErrorIs(t, err, changeover.ErrJournal)
	}
	return store.size
}

// TestACrashAnywhereLeavesTheSameWorld kills the process in every append, with
// every part of the append surviving, and compares what the world looks like in
// the end with what it looks like without a crash (reliability.md JR3).
func TestACrashAnywhereLeavesTheSameWorld(t *testing.T) {
	for _, p := range plays() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			calm := newStage(t, p.profile)
			p.setup(t, calm)
			verdict := calm.finish(t, p)
			want := calm.ending(t)
			runs := 0
			for n := 0; ; n++ {
				size := 1
				for keep := 0; keep <= size; keep++ {
					s := newStage(t, p.profile)
					p.setup(t, s)
					if size = s.crash(t, p, n, keep); size == 0 {
						break
					}
					runs++
					require.Equal(t, verdict, s.finish(t, p), "append %d, %d of %d entries survive", n, keep, size)
					require.Equal(t, want, s.ending(t), "append %d, %d of %d entries survive", n, keep, size)
					s.lawful(t)
				}
				if size == 0 {
					t.Logf("%d appends, %d crashes", n, runs)
					break
				}
			}
		})
	}
}

// An upload was made, and then the page is not reached: that says nothing of the
// upload, which must not be made again before somebody, or something, has
// looked (reliability.md OR2).
func TestAPageThatIsNotReachedSaysNothingOfTheUpload(t *testing.T) {
	for _, condition := range []*adapters.Condition{adapters.ErrNotReached, adapters.ErrBusy, adapters.ErrPermission} {
		t.Run(condition.Condition(), func(t *testing.T) {
			s := newStage(t, migration.RefreshAndMove)
			var down []*fault.Injector
			for n := 5; n < 45; n++ { // all readings after the first upload
				down = append(down, fault.On(fault.Match{Method: "InstalledLicense", Environment: "Quality"}, n, fault.Before, condition))
			}
			s.completed(t, s.apply(t, down...))
			require.Equal(t, 2, s.reached("UploadLicense", "Quality"), "one source, one target license")
		})
	}
}

// TestExplanationsAreTrue asks, after every entry of several runs, what may
// happen to everything that has begun. What is explained must agree with what
// the run did next: an effect that was issued lacked nothing, and a trigger that
// was fired led where it was said to lead.
func TestExplanationsAreTrue(t *testing.T) {
	for _, p := range plays() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, p.profile)
			p.setup(t, s)
			s.finish(t, p)
			told := &stage{plan: s.plan, world: s.world, store: new(journal.Memory), clock: s.clock}
			c := told.changeover(t)
			said := map[string]machine.Explanation{}
			for i, e := range s.entries(t) {
				ex := said[e.Env]
				switch e.Kind {
				case journal.Intent:
					require.Equal(t, e.Effect, string(ex.Effect))
					require.Empty(t, ex.Needs, "entry %d: %s of %s was issued", e.Seq, e.Effect, e.Env)
				case journal.Outcome:
					require.True(t, slices.ContainsFunc(ex.Ways, func(w machine.Way) bool { return string(w.On) == e.Trigger && string(w.To) == e.To }),
						"entry %d: %s led %s to %s", e.Seq, e.Trigger, e.Env, e.To)
				}
				require.NoError(t, told.store.Append(t.Context(), uint64(i), e))
				// Only what the entry is about can have changed, and the line.
				for _, env := range []string{e.Env, whole} {
					if env == "" || env == whole && told.standing(t, whole).State == "" {
						continue
					}
					ex, err := c.Explain(t.Context(), env)
					require.NoError(t, err)
					require.Equal(t, told.standing(t, env).State, string(ex.State))
					require.NotEmpty(t, ex.Doc)
					for _, way := range ex.Ways {
						for _, r := range append(way.Refused, ex.Needs...) {
							require.NotEmpty(t, r.Guard)
							require.NotEmpty(t, r.Doc)
							require.NotEmpty(t, r.Evidence)
						}
					}
					said[env] = ex
				}
			}
			_, err := c.Explain(t.Context(), "nowhere")
			require.Error(t, err)
		})
	}
	t.Run("the census is that of the moment", func(t *testing.T) {
		t.Parallel()
		s := newStage(t, migration.RefreshAndMove)
		s.apply(t, failing("ServiceCenter", "UploadLicense", "Quality", adapters.ErrPermission))
		ex, err := s.changeover(t).Explain(t.Context(), whole)
		require.NoError(t, err)
		way := func(on machine.Trigger) machine.Way {
			i := slices.IndexFunc(ex.Ways, func(w machine.Way) bool { return w.On == on })
			require.GreaterOrEqual(t, i, 0, "%v", ex.Ways)
			return ex.Ways[i]
		}
		require.Equal(t, machine.State("Paused"), ex.State)
		require.Contains(t, way("refreshed").Refused[0].Evidence, "3 of 4")

		s.resolve(t, "Quality")
		s.resume(t, failing("ServiceCenter", "UploadLicense", "LifeTime", adapters.ErrPermission))
		ex, err = s.changeover(t).Explain(t.Context(), whole)
		require.NoError(t, err)
		require.Equal(t, machine.State("Cleared"), ex.State)
		require.Contains(t, way("moved").Refused[0].Evidence, "3 of 4")
		ex, err = s.changeover(t).Explain(t.Context(), "LifeTime")
		require.NoError(t, err)
		require.Empty(t, ex.Needs, "the upload may be issued as soon as the hold is over")
	})
}

func TestLookingChangesNothing(t *testing.T) {
	for _, p := range plays() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, p.profile)
			p.setup(t, s)
			_, err := p.act(t.Context(), s.changeover(t, failing("ServiceCenter", "RepublishModule", "Development", adapters.ErrPermission)))
			require.NoError(t, err)
			entries, effects := s.entries(t), s.world.Effects()
			c := s.changeover(t, fault.Watch(func(op fault.Op) { require.Equal(t, "BackupVault", op.Port, "looking asks only the vault") }))
			for range 2 {
				_, err = c.Status(t.Context())
				require.NoError(t, err)
				for _, env := range append(s.names(), whole) {
					_, _ = c.Explain(t.Context(), env)
				}
				require.NoError(t, c.Verify(t.Context()))
			}
			require.Equal(t, entries, s.entries(t))
			require.Equal(t, effects, s.world.Effects())

			env := "Quality"
			s.damage(env)
			err = c.Verify(t.Context())
			if len(s.facts(t, env).Backups) > 0 {
				require.ErrorIs(t, err, adapters.ErrBackupDamaged)
				require.ErrorContains(t, err, env)
				require.NotContains(t, err.Error(), "Production")
			}
		})
	}
}

func TestVerbsThatDoNotFitAreRefused(t *testing.T) {
	t.Run("apply on a run that has begun", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		entries := len(s.entries(t))
		r, err := s.changeover(t).Apply(t.Context())
		require.ErrorIs(t, err, changeover.ErrBegun)
		require.Equal(t, report.Held, r.Verdict)
		require.Len(t, s.entries(t), entries)
	})
	t.Run("everything else on one that has not", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		c := s.changeover(t)
		_, err := c.Resume(t.Context())
		require.ErrorIs(t, err, changeover.ErrNotBegun)
		_, err = c.Status(t.Context())
		require.ErrorIs(t, err, changeover.ErrNotBegun)
		_, err = c.Explain(t.Context(), whole)
		require.Error(t, err)
		require.Error(t, c.Hold(t.Context(), whole, "tester", "stop"))
		require.ErrorIs(t, c.Release(t.Context(), whole, "tester", "go on"), changeover.ErrNotHeld)
		require.ErrorIs(t, c.Resolve(t.Context(), "Quality", migration.Resolution{By: "tester", Evidence: "looked"}), changeover.ErrNotHeld)
		require.NoError(t, c.Verify(t.Context()))
		require.Empty(t, s.entries(t))
		require.Empty(t, s.world.Effects())
	})
	t.Run("a second verb while one is going on", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		var c *changeover.Changeover
		asked := 0
		c = s.changeover(t, fault.Watch(func(op fault.Op) {
			if op.Method != "UploadLicense" {
				return
			}
			asked++
			ctx := context.Background()
			_, err := c.Apply(ctx)
			require.ErrorIs(t, err, changeover.ErrRunning)
			_, err = c.Resume(ctx)
			require.ErrorIs(t, err, changeover.ErrRunning)
			_, err = c.RollBack(ctx, "tester", "now")
			require.ErrorIs(t, err, changeover.ErrRunning)
			require.ErrorIs(t, c.Release(ctx, whole, "tester", "now"), changeover.ErrRunning)
			require.ErrorIs(t, c.Resolve(ctx, whole, migration.Resolution{By: "tester", Evidence: "now"}), changeover.ErrRunning)
			_, err = c.Status(ctx)
			require.NoError(t, err)
			_, err = c.Explain(ctx, op.Environment)
			require.NoError(t, err)
		}))
		r, err := c.Apply(t.Context())
		require.NoError(t, err)
		s.completed(t, r)
		require.Equal(t, 8, asked)
	})
	t.Run("with another plan than the run was begun with", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		entries := len(s.entries(t))
		s.plan.Module = "Another"
		c := s.changeover(t)
		ctx := t.Context()
		_, err := c.Resume(ctx)
		require.ErrorIs(t, err, journal.ErrForeign)
		_, err = c.RollBack(ctx, "tester", "now")
		require.ErrorIs(t, err, journal.ErrForeign)
		require.ErrorIs(t, c.Hold(ctx, whole, "tester", "now"), journal.ErrForeign)
		require.ErrorIs(t, c.Release(ctx, whole, "tester", "now"), journal.ErrForeign)
		require.ErrorIs(t, c.Resolve(ctx, whole, migration.Resolution{By: "tester", Evidence: "now"}), journal.ErrForeign)
		require.ErrorIs(t, c.Verify(ctx), journal.ErrForeign)
		require.Len(t, s.entries(t), entries)
	})
	t.Run("a resolution without a name or evidence", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		untilGate(t, s)
		for _, res := range []migration.Resolution{{}, {By: "tester"}, {Evidence: "looked"}} {
			require.Error(t, s.changeover(t).Resolve(t.Context(), whole, res))
		}
		s.held(t, whole, journal.HoldApproval)
	})
}

// hostile is text that nobody should see as it is: it clears a terminal,
// reorders what follows, and hides.
const hostile = "\x1b]52;c;AAAA\x07\x1b[2J\u202ereversed\u2066\u200bhidden\r\nINFO all is well\u2028"

// raw are the runes of hostile that must not get through.
const raw = "\x1b\x07\u202e\u2066\u200b\r\n\u2028"

// TestNothingSecretAndNothingHostileIsPrinted plays every ending with hostile
// answers and looks through everything that is written.
func TestNothingSecretAndNothingHostileIsPrinted(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error))
	}{
		{"completed", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			r, err := start()
			require.NoError(t, err)
			s.completed(t, r)
		}},
		{"rolled back", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			s.ipp("Quality")
			r, err := start(fault.On(fault.Match{Method: "RepublishModule", Environment: "Quality"}, 1, fault.Before, fmt.Errorf("%s: %w", hostile, adapters.ErrIntellectualProperty)))
			require.NoError(t, err)
			s.rolledBack(t, r)
		}},
		{"held by Support's list", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			s.plan.Accept["refresh"] = []license.IPP{license.Ignore, hostile + "!"}
			s.world.SetIPP(s.plan.Source, "Quality", hostile)
			s.world.DropSerial(s.plan.Source, "Development")
			r, err := start(failing("LicensePortal", "FetchLicense", "LifeTime", fmt.Errorf("%s: %w", hostile, adapters.ErrNotPrepared)))
			require.NoError(t, err)
			require.Equal(t, report.Held, r.Verdict)
			require.Len(t, s.world.Cases(), 1)
			require.NoError(t, s.changeover(t).Resolve(t.Context(), "Quality", migration.Resolution{By: hostile, Evidence: hostile}))
		}},
		{"held for a wrong file", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			s.world.UseFile(s.plan.Source, "Quality", fake.LicenseFile(license.Details{Code: s.plan.Target, Serial: s.env("Production").Serial, Type: "trial", Organization: hostile}, ""))
			r, err := start()
			require.NoError(t, err)
			require.Equal(t, report.Held, r.Verdict)
		}},
		{"held in doubt", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			r, err := start(failing("LicensePortal", "RegisterSerial", "Quality", errors.New(hostile)))
			require.NoError(t, err)
			require.Equal(t, report.Held, r.Verdict)
			require.NoError(t, s.changeover(t).Hold(t.Context(), "Production", hostile, hostile))
			require.NoError(t, s.changeover(t).Release(t.Context(), "Production", hostile, hostile))
		}},
		{"mixed", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			_, err := start()
			require.NoError(t, err)
			s.world.RefuseReturn("Quality", hostile)
			r, err := s.changeover(t).RollBack(t.Context(), hostile, hostile)
			require.NoError(t, err)
			require.Equal(t, report.Mixed, r.Verdict)
		}},
		{"refused by whoever was asked", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			s.world.Answer(func(q adapters.Question) (adapters.Answer, error) {
				if q.Kind == adapters.AskApproval {
					return adapters.Answer{}, fmt.Errorf("%s: %w", hostile, adapters.ErrRefused)
				}
				return adapters.Answer{By: hostile, Text: hostile}, nil
			})
			s.world.OpaqueLicenses(true)
			r, err := start()
			require.NoError(t, err)
			require.Equal(t, report.Held, r.Verdict)
		}},
		{"answered with hostile words", func(t *testing.T, s *stage, start func(...*fault.Injector) (*report.Report, error)) {
			s.world.Answer(func(q adapters.Question) (adapters.Answer, error) {
				return adapters.Answer{By: hostile, Text: hostile}, nil
			})
			s.world.OpaqueLicenses(true)
			r, err := start(failing("SupportDesk", "", "", errors.New(hostile)))
			require.NoError(t, err)
			s.completed(t, r)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, migration.RefreshAndMove)
			core, logs := observer.New(zapcore.DebugLevel)
			var printed strings.Builder
			start := func(injectors ...*fault.Injector) (*report.Report, error) {
				co, err := changeover.New(s.plan, fault.Wrap(s.world.Set(), injectors...), s.store,
					&changeover.Options{Clock: s.clock, Inline: true, Logger: zap.New(core), User: "tester", Host: "host"})
				require.NoError(t, err)
				r, err := co.Apply(t.Context())
				if err != nil {
					printed.WriteString(err.Error())
				}
				return r, err
			}
			c.play(t, s, start)
			require.NotZero(t, logs.Len())
			for _, l := range logs.All() {
				text := l.Message
				for _, f := range l.Context {
					text += " " + f.Key + "=" + fmt.Sprint(cmp.Or(f.String, fmt.Sprint(f.Interface), fmt.Sprint(f.Integer)))
				}
				require.False(t, strings.ContainsAny(text, raw), "%q", text)
				printed.WriteString(text)
			}
			for _, e := range s.entries(t) {
				texts := []string{e.Text, e.By, e.Condition, e.Trigger, e.Effect}
				if e.Hold != nil {
					texts = append(texts, e.Hold.Cause, e.Hold.Hint, e.Hold.Holder, e.Hold.Error())
				}
				for _, w := range e.Testimony {
					texts = append(texts, w.By, w.Text)
				}
				for _, text := range texts {
					require.False(t, strings.ContainsAny(text, raw), "entry %d: %q", e.Seq, text)
				}
				b, err := json.Marshal(e)
				require.NoError(t, err)
				printed.Write(b)
			}
			for _, env := range append(s.names(), whole) {
				at := s.standing(t, env)
				f, l := s.facts(t, env), environment.Line{}
				require.NoError(t, json.Unmarshal(at.Facts, &l))
				for _, text := range []string{f.Need.Text, f.Need.Evidence, l.Gate.By, l.Gate.Text, l.Override.Text, l.Latch.Text, l.Case} {
					require.False(t, strings.ContainsAny(text, raw), "facts of %s: %q", env, text)
				}
				ex, err := s.changeover(t).Explain(t.Context(), env)
				require.NoError(t, err)
				said := fmt.Sprintf("%+v", ex)
				require.False(t, strings.ContainsAny(said, raw), "%q", said)
				printed.WriteString(said)
			}
			for _, k := range s.world.Cases() {
				for line := range strings.Lines(k.Subject + "\n" + k.Body) {
					require.False(t, strings.ContainsAny(strings.TrimSuffix(line, "\n"), raw), "%q", line)
				}
				printed.WriteString(k.Key + k.Subject + k.Body)
			}
			for _, q := range s.world.Questions() {
				said := q.Text + strings.Join(q.Details, "")
				require.False(t, strings.ContainsAny(said, raw), "%q", said)
				printed.WriteString(said)
			}
			r, err := s.changeover(t).Status(t.Context())
			require.NoError(t, err)
			b, err := json.Marshal(r)
			require.NoError(t, err)
			printed.Write(b)

			secrets := []string{sourceCode, targetCode, strings.ReplaceAll(sourceCode, ".", ""), sourceCode[:15], targetCode[:15]}
			for _, env := range s.names() {
				for _, b := range s.backups(env) {
					file, err := s.world.Set().Vault.Get(t.Context(), b.Serial, b.Digest)
					require.NoError(t, err)
					// The first two bytes are the same in every stream.
					head := file.Bytes()[2:20]
					secrets = append(secrets, string(head), hex.EncodeToString(head), strings.ToUpper(hex.EncodeToString(head)),
						base64.StdEncoding.EncodeToString(file.Bytes()[:18]), base64.RawURLEncoding.EncodeToString(file.Bytes()[:18]), fmt.Sprint([]byte(head)))
				}
			}
			for _, secret := range secrets {
				require.False(t, strings.Contains(printed.String(), secret), "%q was printed", secret)
			}
		})
	}
	t.Run("a plan with hostile names is refused before anything is written", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		for i, spoil := range []func(p *migration.Plan){
			func(p *migration.Plan) { p.Infrastructure.Name = hostile },
			func(p *migration.Plan) { p.Infrastructure.Environments[1].Name = hostile },
			func(p *migration.Plan) { p.Infrastructure.Environments[1].Serial = license.SerialNumber(hostile) },
			func(p *migration.Plan) { p.Infrastructure.Environments[1].ServiceCenter = hostile },
			func(p *migration.Plan) { p.Module = hostile },
		} {
			p := plan(t, migration.RefreshAndMove)
			spoil(&p)
			_, err := changeover.New(p, s.world.Set(), s.store, nil)
			require.Error(t, err, "plan %d", i)
			for line := range strings.Lines(err.Error()) {
				require.False(t, strings.ContainsAny(strings.TrimSuffix(line, "\n"), raw), "%q", line)
			}
		}
	})
}

// Somebody resolves what one environment waits for; what was found in another
// is still nobody's word.
func TestACorrectionOfTheLicensesEndsNoHoldForWhatWasFound(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.plan.MaxInFlight = map[string]int{"refresh": 4, "move": 4}
	s.world.SetIPP(s.plan.Target, "LifeTime", license.Ignore)
	changed := license.SerialNumber("ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ")
	s.apply(t, after("ServiceCenter", "UploadLicense", "Quality", 1, 3, func() { s.world.ChangeSerial("Quality", changed) }))
	require.Equal(t, string(migration.NeedsSupport), s.standing(t, "LifeTime").State)
	s.held(t, "Quality", journal.HoldSerial)
	s.world.Reissue(s.plan.Target, license.Unprotected)
	s.resolve(t, "LifeTime")
	s.held(t, "Quality", journal.HoldSerial)
	require.Equal(t, string(migration.Paused), s.standing(t, "Quality").State)
	uploads := s.uploads(s.plan.Target, "LifeTime")
	require.Equal(t, report.Held, s.resume(t).Verdict)
	require.Equal(t, uploads, s.uploads(s.plan.Target, "LifeTime"), "nobody goes on meanwhile")
	s.world.ChangeSerial("Quality", s.env("Quality").Serial)
	s.resolve(t, "Quality")
	s.completed(t, s.resume(t))
}

// A sweep is good for the moment: what somebody changes while the run waits to
// resume deployments is seen before it does.
func TestASweepIsNotBelievedWhenTheRunWasTakenUpAgain(t *testing.T) {
	held := failing("LifeTime", "ResumeDeployments", "", adapters.ErrPermission)
	t.Run("on the way forward", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.apply(t, held)
		s.held(t, whole, journal.HoldSupport)
		require.Equal(t, string(migration.Swept), s.standing(t, whole).State)
		s.world.InstallByHand("Quality", s.plan.Source)
		s.resolve(t, whole)
		require.Equal(t, report.Mixed, s.resume(t).Verdict)
		require.True(t, s.world.Paused("Production"))
		s.held(t, whole, journal.HoldMixed)
		s.world.InstallByHand("Quality", s.plan.Target)
		s.resolve(t, whole)
		s.completed(t, s.resume(t))
	})
	t.Run("on the way back", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		s.ipp("Quality")
		s.apply(t, held)
		require.Equal(t, string(rollback.Swept), s.standing(t, whole).State)
		s.world.InstallByHand("LifeTime", s.plan.Target)
		s.resolve(t, whole)
		require.Equal(t, report.Mixed, s.resume(t).Verdict)
		require.True(t, s.world.Paused("Production"))
		s.rolledBack(t, s.resume(t))
	})
}
