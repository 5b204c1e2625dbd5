// Package worldtest holds the harnesses with which the suites of package
// adaptertest look at a fake.World. It is for the tests below package
// adapters: of the fake itself, of the suites, and of whatever wraps a port.
package worldtest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A Scene is a world of four environments under Source, and what there is to
// know of it.
type Scene struct {
	*fake.World
	Set                   adapters.Set
	Source, Target, Third license.ActivationCode
	Quality, Dev          environment.Environment
	Production, LifeTime  environment.Environment

	// License files that the world would issue under Target, and one of Third
	// for Quality that it turns down.
	ForQuality, ForDev, Rejected license.File
}

// New returns a scene.
func New(t *testing.T) Scene {
	t.Helper()
	s := Scene{
		Source: code(t, "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"),
		Target: code(t, "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"),
		Third:  code(t, "TTT.HHH.III.RRR.DDD.333.333.AOU"),
		Quality: environment.Environment{
			Name: "Quality", Kind: environment.Quality,
			ServiceCenter: "https://qa.example.test", Serial: "QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111",
		},
		Dev: environment.Environment{
			Name: "Development", Kind: environment.Development,
			ServiceCenter: "https://dev.example.test", Serial: "DDD-AAA-BBB-CCC-DDD-EEE-FFF-222",
		},
		Production: environment.Environment{
			Name: "Production", Kind: environment.Production,
			ServiceCenter: "https://prod.example.test", Serial: "PPP-AAA-BBB-CCC-DDD-EEE-FFF-444",
		},
		LifeTime: environment.Environment{
			Name: "LifeTime", Kind: environment.LifeTime,
			ServiceCenter: "https://lt.example.test", Serial: "LLL-AAA-BBB-CCC-DDD-EEE-FFF-333",
		},
	}
	inf := environment.Infrastructure{
		Name:         "Example",
		Environments: []environment.Environment{s.Quality, s.Dev, s.Production, s.LifeTime},
	}
	s.World = fake.New(inf, s.Source, s.Target)
	s.RejectUploads(s.Third, s.Quality.Name, "There was an internal error installing the license")
	for _, env := range inf.Environments {
		s.Slots(s.Target, env.Kind, 3)
	}

	portal := s.Copy(t).Set.Portal
	target := func(env environment.Environment) license.File {
		require.NoError(t, portal.RegisterSerial(t.Context(), s.Target, env))
		file, err := portal.FetchLicense(t.Context(), s.Target, env)
		require.NoError(t, err)
		return file
	}
	s.ForQuality, s.ForDev = target(s.Quality), target(s.Dev)
	s.Rejected = fake.LicenseFile(license.Details{Code: s.Third, Serial: s.Quality.Serial}, "")
	return s.Copy(t)
}

// Copies returns a function that makes scenes just like s is now. That their
// worlds were never asked for something that they do not have is checked when
// their tests end.
func (s Scene) Copies(t *testing.T) func(t *testing.T) Scene {
	t.Helper()
	var saved bytes.Buffer
	require.NoError(t, s.Save(&saved))
	return func(t *testing.T) Scene {
		t.Helper()
		w := new(fake.World)
		require.NoError(t, w.Load(bytes.NewReader(saved.Bytes())))
		t.Cleanup(func() { require.NoError(t, w.Err()) })
		s := s
		s.World, s.Set = w, w.Set()
		return s
	}
}

// Copy returns a scene just like s is now.
func (s Scene) Copy(t *testing.T) Scene {
	t.Helper()
	return s.Copies(t)(t)
}

func code(t *testing.T, text string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(text)
	require.NoError(t, err)
	return c
}

// LicensePortalHarness returns a harness for the world's portal.
func (s Scene) LicensePortalHarness(t *testing.T) adaptertest.LicensePortalHarness {
	return adaptertest.LicensePortalHarness{
		Portal:       s.Set.Portal,
		Env:          s.Quality,
		Other:        s.Dev,
		Registered:   s.Source,
		Unregistered: s.Target,
		FreeSlots:    func() int { return s.freeSlots(t, s.Target, s.Quality.Kind) },
		RemoveSlots:  func() { s.Slots(s.Target, s.Quality.Kind, 0) },
	}
}

// freeSlots counts the free slots by using them up, in a world just like it.
func (s Scene) freeSlots(t *testing.T, code license.ActivationCode, kind environment.Kind) int {
	t.Helper()
	portal := s.Copy(t).Set.Portal
	for n := 0; ; n++ {
		serial := license.SerialNumber(fmt.Sprintf("new server %d", n))
		err := portal.RegisterSerial(t.Context(), code, environment.Environment{Name: "New", Kind: kind, Serial: serial})
		if err != nil {
			require.ErrorIs(t, err, adapters.ErrNoSlot)
			return n
		}
	}
}

// ServiceCenterHarness returns a harness for the world's Service Centers, whose
// pages lag behind an upload by so many readings.
func (s Scene) ServiceCenterHarness(lag int) adaptertest.ServiceCenterHarness {
	for _, env := range []environment.Environment{s.Quality, s.Dev} {
		s.StaleReadings(env.Name, lag)
	}
	return adaptertest.ServiceCenterHarness{
		ServiceCenter:  s.Set.ServiceCenter,
		Env:            s.Quality,
		Shows:          s.Installed(s.Quality.Name),
		File:           s.ForQuality,
		FileCode:       s.Target,
		Foreign:        s.ForDev,
		Rejected:       s.Rejected,
		Other:          s.Dev,
		OtherFile:      s.ForDev,
		Readings:       lag,
		RemoveLicense:  func() { s.InstallByHand(s.Quality.Name, license.ActivationCode{}) },
		Module:         fake.CustomerModule,
		Published:      func() string { return s.Published(s.Quality.Name, fake.CustomerModule) },
		PublishByOther: func() { s.PublishByOther(s.Quality.Name, fake.CustomerModule) },
		MakeBusy:       func() { s.LockModule(s.Quality.Name, fake.CustomerModule, 1) },
		MakeForeign:    func() { s.MarkModule(s.Quality.Name, fake.CustomerModule, s.Third) },
		MakeBroken:     func() { s.BreakModule(s.Quality.Name, fake.CustomerModule, "Compilation failed") },
	}
}

// LifeTimeHarness returns a harness for the world's LifeTime.
func (s Scene) LifeTimeHarness() adaptertest.LifeTimeHarness {
	return adaptertest.LifeTimeHarness{
		LifeTime:        s.Set.LifeTime,
		Controlled:      []environment.Environment{s.Quality, s.Dev, s.Production},
		Unknown:         s.LifeTime,
		StartDeployment: func() { s.StartDeployment(s.Quality.Name) },
	}
}

// BackupVaultHarness returns a harness for the world's vault.
func (s Scene) BackupVaultHarness(t *testing.T) adaptertest.BackupVaultHarness {
	const copies = 2
	damaged := map[license.Digest]int{}
	return adaptertest.BackupVaultHarness{
		Vault:  s.Set.Vault,
		Serial: s.Quality.Serial,
		Other:  s.Dev.Serial,
		Copies: copies,
		Damage: func(serial license.SerialNumber, digest license.Digest, n int) {
			damaged[digest] += n
			s.DamageBackup(serial, digest, copies-damaged[digest])
		},
		Reopen: func() adapters.BackupVault { return s.Copy(t).Set.Vault },
	}
}

// SupportDeskHarness returns a harness for the world's Support.
func (s Scene) SupportDeskHarness() adaptertest.SupportDeskHarness {
	return adaptertest.SupportDeskHarness{
		Desk:   s.Set.Support,
		Case:   adapters.Case{Key: "run-1/serialNotFound", Subject: "Serial numbers that are not found", Body: "Quality"},
		Other:  adapters.Case{Key: "run-1/notPrepared", Subject: "Licenses that are not prepared", Body: "Development"},
		Opened: func() int { return len(s.Cases()) },
	}
}

// OperatorHarness returns a harness for the world's operator. Nobody answers when an
// answer is not signed; the world's operator has no input that could end.
func (s Scene) OperatorHarness() adaptertest.OperatorHarness {
	say := func(a adapters.Answer, err error) {
		s.Answer(func(adapters.Question) (adapters.Answer, error) { return a, err })
	}
	return adaptertest.OperatorHarness{
		Operator: s.Set.Operator,
		Say: func(yes bool) {
			if yes {
				say(adapters.Answer{By: "Ada", At: fake.Start().Add(time.Hour), Text: "seen"}, nil)
			} else {
				say(adapters.Answer{}, adapters.ErrRefused)
			}
		},
		SayNothing: func() { say(adapters.Answer{}, nil) },
		Shown: func() string {
			var shown strings.Builder
			for _, q := range s.Questions() {
				shown.WriteString(strings.Join(append([]string{q.Environment, q.Text}, q.Details...), "\n"))
			}
			return shown.String()
		},
	}
}
