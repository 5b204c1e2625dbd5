package steps_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

var errLost = errors.New("the line went dead")

func code(t testing.TB, group string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(strings.Repeat(group+".", 7) + "AOU")
	require.NoError(t, err)
	return c
}

// site is an infrastructure in a simulated world.
func site(t testing.TB, injectors ...*fault.Injector) (*steps.Site, *fake.World) {
	t.Helper()
	env := func(name string, kind environment.Kind, letter string) environment.Environment {
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + strings.ToLower(name) + ".example.test",
			Serial: license.SerialNumber(strings.TrimSuffix(strings.Repeat(strings.Repeat(letter, 3)+"-", 8), "-"))}
	}
	inf := environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
		env("Production", environment.Production, "P"), env("Quality", environment.Quality, "Q"), env("LifeTime", environment.LifeTime, "L"),
	}}
	w := fake.New(inf, code(t, "AAA"), code(t, "BBB"))
	return &steps.Site{
		Infrastructure: inf, Source: code(t, "AAA"), Target: code(t, "BBB"), Module: fake.TestModule,
		Paused: []string{"Production", "Quality"}, Ports: fault.Wrap(w.Set(), injectors...), Clock: new(fake.Clock),
	}, w
}

// console answers readings from a script: a letter is a license with that
// organization's end date, a dot is an error.
type console struct {
	adapters.ServiceCenter
	script string
	reads  int
}

func (c *console) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	c.reads++
	r := c.script[min(c.reads, len(c.script))-1]
	if r == '.' {
		return license.Installed{}, errLost
	}
	return license.Installed{Serial: "S", Server: "S", IPP: license.IPP(r)}, nil
}

// settled is what Stable promises, said in another way: the first wanted run of
// equal readings ends it; else the last run counts; else there is none.
func settled(script string, reads int, wanted string) (shown string, ok bool, used int) {
	for end := 1; end <= len(script); end++ {
		if end < reads {
			continue
		}
		run := script[end-reads : end]
		if run[0] == '.' || strings.Count(run, run[:1]) != reads {
			continue
		}
		shown = run[:1]
		if wanted == "" || shown == wanted {
			return shown, true, end
		}
	}
	return shown, false, len(script)
}

// TestStableBelievesOnlyReadingsThatAgree tries every script of six readings of
// two licenses and an error.
func TestStableBelievesOnlyReadingsThatAgree(t *testing.T) {
	const letters, length = "AB.", 6
	tried := 0
	for n := range 729 {
		script := ""
		for i, rest := 0, n; i < length; i, rest = i+1, rest/3 {
			script += letters[rest%3 : rest%3+1]
		}
		for reads := 1; reads <= 3; reads++ {
			for _, wanted := range []string{"", "A"} {
				tried++
				page := &console{script: script}
				s := &steps.Site{Ports: adapters.Set{ServiceCenter: page}, Clock: new(fake.Clock)}
				var want func(environment.Reading) bool
				if wanted != "" {
					want = func(r environment.Reading) bool { return string(r.IPP) == wanted }
				}
				r, ok, err := s.Stable(t.Context(), "Quality", machine.Settle{Reads: reads, Every: time.Second, Limit: length}, want)
				shown, wantOK, used := settled(script, reads, wanted)
				name := fmt.Sprintf("script %s, %d readings, wanted %q", script, reads, wanted)
				require.Equal(t, wantOK, ok, name)
				require.Equal(t, shown, string(r.IPP), name)
				require.Equal(t, shown == "", err != nil, name)
				require.Equal(t, used, page.reads, name)
				require.Equal(t, time.Duration(used-1)*time.Second, s.Clock.Now().Sub(fake.Start()), name)
				if shown != "" {
					require.False(t, r.At.IsZero(), name)
				}
			}
		}
	}
	t.Logf("%d scripts", tried)
}

func TestStableAtItsLimits(t *testing.T) {
	read := func(t *testing.T, script string, settle machine.Settle) (*console, environment.Reading, bool, error) {
		s, _ := site(t)
		page := &console{script: script}
		s.Ports.ServiceCenter = page
		r, ok, err := s.Stable(t.Context(), "Quality", settle, nil)
		return page, r, ok, err
	}
	t.Run("zero values mean one reading", func(t *testing.T) {
		page, r, ok, err := read(t, "AB", machine.Settle{})
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, "A", string(r.IPP))
		require.Equal(t, 1, page.reads)
	})
	t.Run("a limit below the number of readings is raised to it", func(t *testing.T) {
		page, _, ok, err := read(t, "AAAA", machine.Settle{Reads: 3, Limit: 1})
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 3, page.reads)
	})
	t.Run("readings that never agree are an error", func(t *testing.T) {
		_, _, ok, err := read(t, "ABABAB", machine.Settle{Reads: 2, Limit: 6})
		require.ErrorContains(t, err, "never agreed")
		require.False(t, ok)
	})
	t.Run("the last error is told when nothing could be read", func(t *testing.T) {
		_, _, _, err := read(t, "......", machine.Settle{Reads: 2, Limit: 6})
		require.ErrorIs(t, err, errLost)
	})
	t.Run("it ends with ctx, while it waits and while it reads", func(t *testing.T) {
		for n := range 4 {
			ctx, cancel := context.WithCancel(t.Context())
			s, w := site(t, fault.On(fault.Match{Method: "InstalledLicense"}, n, fault.Before, fault.Cancel(cancel)))
			w.StaleReadings("Quality", 0)
			_, ok, err := s.Stable(ctx, "Quality", machine.Settle{Reads: 2, Every: time.Second, Limit: 40}, func(environment.Reading) bool { return false })
			require.ErrorIs(t, err, context.Canceled)
			require.False(t, ok)
			require.LessOrEqual(t, len(w.Calls()), n+1)
		}
	})
}

func TestBeforeSaysThatNothingWasDone(t *testing.T) {
	hold := &journal.Hold{Kind: journal.HoldForeign}
	require.NoError(t, steps.Before(nil))
	for _, kept := range []error{hold, fmt.Errorf("in Quality: %w", adapters.ErrPermission)} {
		require.Equal(t, kept, steps.Before(kept), "what has a meaning keeps it")
	}
	for _, plain := range []error{errLost, context.Canceled, fmt.Errorf("no answer: %w", adapters.ErrUncertain),
		fmt.Errorf("%w: %w", adapters.ErrRejected, adapters.ErrUncertain)} {
		err := steps.Before(plain)
		require.ErrorIs(t, err, plain)
		var c interface{ Condition() string }
		require.ErrorAs(t, err, &c)
		require.Equal(t, steps.NotSent, c.Condition(), "%v", plain)
		var u interface{ Uncertain() bool }
		require.ErrorAs(t, err, &u)
		require.False(t, u.Uncertain(), "%v", plain)
	}
	require.Contains(t, steps.Retry().On, steps.NotSent)
}

func TestCaughtIsWhatTheEffectCatches(t *testing.T) {
	effect := machine.Effect{Catch: []machine.Catch{{Condition: "rejected", Trigger: "uploadRejected"}}}
	require.Equal(t, "rejected", steps.Caught(effect, fmt.Errorf("in Quality: %w", adapters.ErrRejected)))
	for _, err := range []error{nil, errLost, adapters.ErrPermission, fmt.Errorf("%w: %w", adapters.ErrRejected, adapters.ErrUncertain)} {
		require.Empty(t, steps.Caught(effect, err), "%v", err)
	}
}

func TestCaseHasTheWholeListUnderEachQuestion(t *testing.T) {
	s, _ := site(t)
	needy := []steps.Needy{
		{Env: s.Environments[0], Need: environment.Need{Condition: "serialNotFound", Step: "fetchLicense", FAQ: 1, Text: "the serial number is not registered under this activation code"}},
		{Env: s.Environments[1], Need: environment.Need{Condition: "notPrepared", Step: "verify", FAQ: 2, Text: "Intellectual Property is Protected; the refresh leg accepts Ignore"}},
		{Env: s.Environments[2], Need: environment.Need{Condition: "notPrepared", Step: "verify", FAQ: 3, Text: "Intellectual Property is Ignore; the move leg accepts Protected or Unprotected"}},
		{Env: environment.Environment{Name: "Evil\x1b[2J\n- Production", Kind: environment.Quality, Serial: "X\u202eY"}, Need: environment.Need{Condition: "rejected", Step: "upload", Text: "turned down:\r\nall is well"}},
		{Env: s.Environments[0], Need: environment.Need{Condition: "serialNotFound", Step: "fetchLicense", FAQ: 1, Text: "a second one"}},
		{Env: s.Environments[1], Need: environment.Need{Condition: "noSlot", Step: "registerSerial", Text: "no free slot"}},
	}
	c := steps.Case("run-1", "Acme\u2028", s.Source, s.Target, needy)
	golden.Compare(t, "testdata/case.txt", []byte(c.Key+"\n"+c.Subject+"\n\n"+c.Body))
	require.Equal(t, c, steps.Case("run-1", "Acme\u2028", s.Source, s.Target, needy), "asking again asks the same")
	for name, other := range map[string]adapters.Case{
		"another run":  steps.Case("run-2", "Acme", s.Source, s.Target, needy),
		"another list": steps.Case("run-1", "Acme", s.Source, s.Target, needy[1:]),
	} {
		require.NotEqual(t, c.Key, other.Key, name)
	}
	require.NotContains(t, c.Body+c.Subject+c.Key, s.Source.Reveal())
	require.NotContains(t, c.Body+c.Subject+c.Key, s.Target.Reveal())
}

func TestStepOfNamesTheStepOfTheArticle(t *testing.T) {
	for effect, step := range map[string]string{
		"pause": "migration step 1", "fetchLicense": "migration step 2b", "backUp": "migration step 2b", "upload": "migration step 2c",
		"verify": "migration step 2d", "republish": "migration step 3", "restore": "rollback step 2a", "confirm": "rollback step 2b",
		"testRestored": "rollback step 2c", "registerSerial": "registerSerial (the article has no step for it)",
	} {
		require.Equal(t, step, steps.StepOf(effect))
	}
}

func TestPauseIsTheRunsOwnBeforeItIsMade(t *testing.T) {
	s, w := site(t)
	w.PauseByHand("Quality")
	var p environment.Pause
	recorded := 0
	require.NoError(t, s.Pause(t.Context(), &p, func() error {
		recorded++
		require.Equal(t, []string{"Production"}, p.Ours)
		require.False(t, w.Paused("Production"), "nothing is paused before it is on record")
		return nil
	}))
	require.Equal(t, 1, recorded)
	require.True(t, p.Seen)
	require.True(t, w.Paused("Production"))

	t.Run("pausing again records and pauses nothing", func(t *testing.T) {
		changes := len(w.Effects())
		require.NoError(t, s.Pause(t.Context(), &p, func() error { return errLost }))
		require.Len(t, w.Effects(), changes)
	})
	t.Run("a pause of somebody else that was lost is the run's own when it is set again", func(t *testing.T) {
		w.ResumeByHand("Quality")
		require.NoError(t, s.Pause(t.Context(), &p, func() error { return nil }))
		require.Equal(t, []string{"Production", "Quality"}, p.Ours)
	})
	t.Run("a lost one of the run's own is not its own twice", func(t *testing.T) {
		w.ResumeByHand("Production")
		require.NoError(t, s.Pause(t.Context(), &p, func() error { return nil }))
		require.ElementsMatch(t, []string{"Production", "Quality"}, p.Ours)
	})
	t.Run("what cannot be recorded is not paused", func(t *testing.T) {
		s, w := site(t)
		var p environment.Pause
		require.ErrorIs(t, s.Pause(t.Context(), &p, func() error { return errLost }), errLost)
		require.False(t, p.Seen)
		require.Empty(t, w.Effects())
	})
	t.Run("what is not seen is not believed", func(t *testing.T) {
		s, _ := site(t, fault.Always(fault.Match{Method: "PauseDeployments", Environment: "Quality"}, fault.Before, nil))
		var p environment.Pause
		require.ErrorIs(t, s.Pause(t.Context(), &p, func() error { return nil }), steps.ErrNotPaused)
		require.False(t, p.Seen)
	})
}

func TestResumeEndsOnlyThePausesOfTheRun(t *testing.T) {
	s, w := site(t)
	w.PauseByHand("Quality")
	var p environment.Pause
	require.NoError(t, s.Pause(t.Context(), &p, func() error { return nil }))
	ended, err := s.Resumed(t.Context(), &p)
	require.NoError(t, err)
	require.False(t, ended)
	require.True(t, p.Seen)
	require.NoError(t, s.Resume(t.Context(), &p))
	require.False(t, p.Seen)
	require.False(t, w.Paused("Production"))
	require.True(t, w.Paused("Quality"))
	ended, err = s.Resumed(t.Context(), &p)
	require.NoError(t, err)
	require.True(t, ended)

	t.Run("a pause that stays is not believed to have ended", func(t *testing.T) {
		s, _ := site(t, fault.Always(fault.Match{Method: "ResumeDeployments"}, fault.Before, nil))
		var p environment.Pause
		require.NoError(t, s.Pause(t.Context(), &p, func() error { return nil }))
		require.Error(t, s.Resume(t.Context(), &p))
		require.True(t, p.Seen)
	})
}

func TestALostPauseHaltsEverything(t *testing.T) {
	s, w := site(t)
	require.NoError(t, s.Pause(t.Context(), new(environment.Pause), func() error { return nil }))
	require.NoError(t, s.StillPaused(t.Context()))
	require.NoError(t, s.Running(t.Context()))
	w.ResumeByHand("Quality")
	err := s.StillPaused(t.Context())
	require.ErrorIs(t, err, steps.ErrNotPaused)
	require.ErrorContains(t, err, "Quality")
	require.ErrorIs(t, s.Running(t.Context()), steps.ErrHalted)
	w.PauseByHand("Quality")
	require.ErrorIs(t, s.StillPaused(t.Context()), steps.ErrHalted, "a pause that comes back by itself does not put it right")
}

// call is an upload in Quality.
func call(s *steps.Site) *machine.Call[environment.Facts] {
	return &machine.Call[environment.Facts]{Environment: "Quality", Effect: machine.Effect{Settle: machine.Settle{Reads: 2, Every: time.Second, Limit: 4}}}
}

// upload is a target license for Quality that is in the vault.
func upload(t *testing.T, s *steps.Site, w *fake.World) steps.Upload {
	t.Helper()
	env := s.Env("Quality")
	w.AddSerial(s.Target, env.Name)
	file, err := w.Set().Portal.FetchLicense(t.Context(), s.Target, env)
	require.NoError(t, err)
	_, err = w.Set().Vault.Put(t.Context(), adapters.Label{Environment: env.Name, Serial: env.Serial, Role: license.Target, Origin: environment.OriginPortal}, file)
	require.NoError(t, err)
	return steps.Upload{Role: license.Target, Serial: env.Serial, Digest: file.Digest(), Shows: func(r environment.Reading) bool { return r.Shows(license.Target) }}
}

func TestUploadIsDoneWhenThePageShowsIt(t *testing.T) {
	t.Run("it shows", func(t *testing.T) {
		s, w := site(t)
		c := call(s)
		require.NoError(t, s.Upload(t.Context(), c, upload(t, s, w)))
		require.True(t, c.Facts.Reading.Shows(license.Target))
	})
	t.Run("it does not show in time", func(t *testing.T) {
		s, w := site(t)
		w.StaleReadings("Quality", 9)
		err := s.Upload(t.Context(), call(s), upload(t, s, w))
		require.ErrorContains(t, err, "still shows something else")
		require.Nil(t, adapters.ConditionOf(err))
	})
	t.Run("the page is not reached afterwards, which says nothing of the upload", func(t *testing.T) {
		s, w := site(t, fault.Always(fault.Match{Method: "InstalledLicense"}, fault.Before, adapters.ErrNotReached))
		err := s.Upload(t.Context(), call(s), upload(t, s, w))
		require.Error(t, err)
		require.Nil(t, adapters.ConditionOf(err))
		require.Len(t, w.Uploads(), 1)
	})
	t.Run("a file that is not in the vault is not sent", func(t *testing.T) {
		s, w := site(t)
		u := upload(t, s, w)
		u.Digest = license.Digest(strings.Repeat("0", 64))
		require.ErrorIs(t, s.Upload(t.Context(), call(s), u), adapters.ErrBackupNotFound)
		require.Empty(t, w.Uploads())
	})
	t.Run("nor is one that the vault gives in its place", func(t *testing.T) {
		s, w := site(t)
		u := upload(t, s, w)
		s.Ports.Vault = lyingVault{s.Ports.Vault}
		err := s.Upload(t.Context(), call(s), u)
		var condition interface{ Condition() string }
		require.ErrorAs(t, err, &condition)
		require.Equal(t, steps.NotSent, condition.Condition())
		require.Empty(t, w.Uploads())
	})
}

// lyingVault gives another file than the one that it was asked for.
type lyingVault struct{ adapters.BackupVault }

func (lyingVault) Get(context.Context, license.SerialNumber, license.Digest) (license.File, error) {
	return license.NewFile([]byte("something else"))
}

// TestAnUploadInDoubtIsObserved is the resume table of reliability.md B6.
func TestAnUploadInDoubtIsObserved(t *testing.T) {
	holdOf := func(err error) journal.HoldKind {
		var hold *journal.Hold
		if !errors.As(err, &hold) {
			return ""
		}
		return hold.Kind
	}
	for _, c := range []struct {
		name string
		what func(t *testing.T, s *steps.Site, w *fake.World)
		done bool
		hold journal.HoldKind
		err  bool
	}{
		{"the page shows it: done", func(_ *testing.T, s *steps.Site, w *fake.World) { w.InstallByHand("Quality", s.Target) }, true, "", false},
		{"the page shows the license before: not done", func(*testing.T, *steps.Site, *fake.World) {}, false, "", false},
		{"the page shows a third code: unknown", func(t *testing.T, _ *steps.Site, w *fake.World) { w.InstallByHand("Quality", code(t, "CCC")) }, false, journal.HoldUnknown, false},
		{"the page shows no license: unknown", func(_ *testing.T, _ *steps.Site, w *fake.World) {
			w.InstallByHand("Quality", license.ActivationCode{})
		}, false, journal.HoldUnknown, false},
		{"the server is another one", func(_ *testing.T, _ *steps.Site, w *fake.World) { w.ChangeSerial("Quality", "ANOTHER") }, false, journal.HoldSerial, false},
		{"the page cannot be read", func(_ *testing.T, s *steps.Site, _ *fake.World) { s.Ports.ServiceCenter = &console{script: "."} }, false, "", true},
		{"the page flaps", func(_ *testing.T, s *steps.Site, _ *fake.World) { s.Ports.ServiceCenter = &console{script: "ABAB"} }, false, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := site(t)
			u := upload(t, s, w)
			c.what(t, s, w)
			called := call(s)
			done, err := s.ObserveUpload(t.Context(), called, u)
			require.Equal(t, c.done, done)
			require.Equal(t, c.hold, holdOf(err))
			require.Equal(t, c.err || c.hold != "", err != nil, "%v", err)
			if c.hold == journal.HoldSerial {
				require.Zero(t, called.Facts.Reading, "a reading of another server is not kept")
			}
		})
	}
}

func TestACaseIsOpenedOnce(t *testing.T) {
	s, w := site(t)
	c := steps.Case("run-1", "Acme", s.Source, s.Target, nil)
	first, err := s.OpenCase(t.Context(), c)
	require.NoError(t, err)
	again, err := s.OpenCase(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, w.Cases(), 1)

	t.Run("when nobody knows whether it is open, nothing is opened", func(t *testing.T) {
		s, w := site(t, fault.Always(fault.Match{Method: "FindCase"}, fault.Before, errLost))
		_, err := s.OpenCase(t.Context(), c)
		require.ErrorIs(t, err, errLost)
		require.Empty(t, w.Cases())
	})
}

func TestTheSweepReadsEveryEnvironmentAfterTheWindow(t *testing.T) {
	settle := machine.Settle{Window: time.Minute, Reads: 2, Every: time.Second, Limit: 4}
	s, w := site(t)
	w.InstallByHand("LifeTime", s.Target)
	var kept []string
	var shown []license.Role
	require.NoError(t, s.Sweep(t.Context(), settle, func(env string, r environment.Reading) error {
		require.False(t, r.At.Before(fake.Start().Add(time.Minute)), "nothing is read before the last change has settled")
		kept, shown = append(kept, env), append(shown, r.Role)
		return nil
	}))
	require.Equal(t, s.Names(), kept)
	require.Equal(t, []license.Role{license.Source, license.Source, license.Target}, shown)

	s, _ = site(t, fault.Always(fault.Match{Method: "InstalledLicense", Environment: "Quality"}, fault.Before, errLost))
	err := s.Sweep(t.Context(), settle, func(string, environment.Reading) error { return nil })
	var hold *journal.Hold
	require.ErrorAs(t, err, &hold)
	require.Equal(t, journal.HoldUnavailable, hold.Kind)
}

func TestRolesAndNames(t *testing.T) {
	s, _ := site(t)
	for want, c := range map[license.Role]license.ActivationCode{license.Source: s.Source, license.Target: s.Target, license.Other: code(t, "CCC"), license.None: {}} {
		require.Equal(t, want, s.Role(c))
	}
	require.Equal(t, s.Source, s.Code(license.Source))
	require.Equal(t, s.Target, s.Code(license.Target))
	require.Equal(t, environment.Environment{Name: "nowhere"}, s.Env("nowhere"))
	described := steps.Describe(s.Ports)
	require.Len(t, described, 6)
	for _, port := range []string{"LicensePortal", "ServiceCenter", "LifeTime", "BackupVault", "SupportDesk", "Operator"} {
		require.Equal(t, "simulated world", described[port])
	}
	require.Equal(t, "no license", steps.Shown(environment.Reading{Role: license.None}))
	require.Equal(t, "nothing that could be read", steps.Shown(environment.Reading{}))
	require.NotContains(t, steps.Shown(environment.Reading{Role: license.Other, Serial: "\x1b", IPP: "\u202e"}), "\x1b")
	require.Equal(t, []string{"Production", "Quality", "LifeTime"}, s.Names())
}

func TestAcceptMarksOnlyThatFileAndSharesNothing(t *testing.T) {
	f := environment.Facts{Backups: []environment.Backup{{Digest: "a"}, {Digest: "b"}}}
	before := f
	steps.Accept(&f, "b")
	require.Equal(t, []environment.Backup{{Digest: "a"}, {Digest: "b", Accepted: true}}, f.Backups)
	require.False(t, before.Backups[1].Accepted)
}

func TestWitnessesAreSafeToPrint(t *testing.T) {
	var heard []journal.Testimony
	ctx := steps.Witness(t.Context(), func(w journal.Testimony) { heard = append(heard, w) })
	adapters.Testify(ctx, adapters.Testimony{By: "som\x1bebody", Text: "I \u202esaw it"})
	require.Equal(t, []journal.Testimony{{By: `som\u001bebody`, Text: `I \u202esaw it`}}, heard)
}
