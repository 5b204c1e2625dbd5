package fake_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestNewWorldIsReadyToBeMoved(t *testing.T) {
	s := newScene(t)
	for _, env := range all() {
		t.Run(env.Name, func(t *testing.T) {
			in := s.page(env)
			require.Equal(t, env.Serial, in.Server)
			require.Equal(t, env.Serial, in.Serial)
			require.Equal(t, s.source, in.Code)
			require.Equal(t, license.Protected, in.IPP)
			require.NotEmpty(t, in.Type)
			require.True(t, in.Ends.After(fake.Start()))
			require.NotEmpty(t, in.Features)
			for _, f := range in.Features {
				require.Empty(t, f.ID, "a page shows names")
				require.NotEqual(t, "Intellectual Property", f.Name)
			}

			registered, err := s.Portal.SerialRegistered(t.Context(), s.source, env)
			require.NoError(t, err)
			require.True(t, registered)
			registered, err = s.Portal.SerialRegistered(t.Context(), s.target, env)
			require.NoError(t, err)
			require.False(t, registered)
			_, err = s.Portal.FetchLicense(t.Context(), s.target, env)
			require.ErrorIs(t, err, adapters.ErrSerialNotFound)

			installed, err := s.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), env)
			require.NoError(t, err)
			refreshed, err := s.Portal.FetchLicense(t.Context(), s.source, env)
			require.NoError(t, err)
			require.NotEqual(t, installed.Digest(), refreshed.Digest())

			s.upload(s.source, env)
			in = s.page(env)
			require.Equal(t, s.source, in.Code)
			require.Equal(t, license.Ignore, in.IPP)

			s.upload(s.target, env)
			in = s.page(env)
			require.Equal(t, s.target, in.Code)
			require.Equal(t, env.Serial, in.Serial)
			require.Equal(t, license.Unprotected, in.IPP)

			for _, module := range []string{fake.TestModule, fake.CustomerModule} {
				p, err := s.ServiceCenter.RepublishModule(t.Context(), env, module)
				require.NoError(t, err)
				require.Equal(t, adapters.Publication{Before: "1", After: "1"}, p)
			}

			another := env
			another.Serial = "ANO-THE-RSE-RVE-RDD-EEE-FFF-999"
			require.ErrorIs(t, s.Portal.RegisterSerial(t.Context(), s.target, another), adapters.ErrNoSlot, "one slot for each environment")
		})
	}
	list, err := s.LifeTime.Registered(t.Context())
	require.NoError(t, err)
	require.Equal(t, []environment.Registered{
		{Name: "Production", Address: "prod.example.test"},
		{Name: "Quality", Address: "qa.example.test:8443"},
		{Name: "Development", Address: "dev.example.test"},
	}, list)
}

func TestZeroWorldIsEmptyAndReady(t *testing.T) {
	var w fake.World
	set := w.Set()
	require.NoError(t, set.Validate())
	target := code(t, targetText)

	list, err := set.LifeTime.Registered(t.Context())
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = set.ServiceCenter.InstalledLicense(t.Context(), quality)
	require.ErrorIs(t, err, adapters.ErrNotReached)
	require.ErrorIs(t, set.Portal.RegisterSerial(t.Context(), target, quality), adapters.ErrNoSlot)

	w.AddEnvironment(quality)
	in, err := set.ServiceCenter.InstalledLicense(t.Context(), quality)
	require.NoError(t, err)
	require.Equal(t, license.Installed{Server: quality.Serial}, in)
	_, err = set.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), quality)
	require.ErrorIs(t, err, adapters.ErrNoLicense)
	_, err = set.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
	require.ErrorIs(t, err, adapters.ErrPublishFailed)

	w.Slots(target, environment.Quality, 1)
	require.NoError(t, set.Portal.RegisterSerial(t.Context(), target, quality))
	f, err := set.Portal.FetchLicense(t.Context(), target, quality)
	require.NoError(t, err)
	require.NoError(t, set.ServiceCenter.UploadLicense(t.Context(), quality, f))
	require.Equal(t, target, w.Installed(quality.Name).Code)
	require.NoError(t, w.Err())
}

func TestEveryCall(t *testing.T) {
	for _, c := range portCalls() {
		prepared := func(t *testing.T) *scene {
			s := newScene(t)
			if c.call.Method == "Get" {
				_, err := s.Vault.Put(t.Context(), adapters.Label{Serial: quality.Serial}, someFile(s))
				require.NoError(t, err)
			}
			if c.call.Method == "FindCase" {
				_, err := s.Support.OpenCase(t.Context(), adapters.Case{Key: "key"})
				require.NoError(t, err)
			}
			if c.call.Method == "ResumeDeployments" {
				s.PauseByHand(quality.Name)
			}
			return s
		}
		t.Run(fmt.Sprint(c.call), func(t *testing.T) {
			t.Run("is counted, and changes what it should", func(t *testing.T) {
				s := prepared(t)
				before, calls, effects := saved(t, s.World), len(s.Calls()), len(s.Effects())
				require.NoError(t, c.do(t.Context(), s.Set, s))
				require.Equal(t, []fake.Call{c.call}, s.Calls()[calls:])
				if c.reads {
					require.Equal(t, before, saved(t, s.World))
					return
				}
				require.Len(t, s.Effects(), effects+1)
				require.Equal(t, c.call, s.Effects()[effects].Call)
			})
			t.Run("changes nothing more when it comes again", func(t *testing.T) {
				s := prepared(t)
				require.NoError(t, c.do(t.Context(), s.Set, s))
				once := saved(t, s.World)
				require.NoError(t, c.do(t.Context(), s.Set, s))
				if c.call.Method != "RepublishModule" { // which publishes again, with the same result
					require.Equal(t, once, saved(t, s.World))
				}
			})
			t.Run("does nothing when its context is done", func(t *testing.T) {
				s := prepared(t)
				before, calls := saved(t, s.World), s.Calls()
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				require.ErrorIs(t, c.do(ctx, s.Set, s), context.Canceled)
				require.Equal(t, before, saved(t, s.World))
				require.Equal(t, calls, s.Calls())
			})
			t.Run("fails in a world that was misused", func(t *testing.T) {
				s := prepared(t)
				before := saved(t, s.World)
				w := new(fake.World)
				require.NoError(t, w.Load(bytesOf(before)))
				w.Unregister("Qualtiy")
				err := c.do(t.Context(), w.Set(), s)
				require.ErrorContains(t, err, `Unregister: there is no environment "Qualtiy"`)
				require.Nil(t, adapters.ConditionOf(err))
				require.Equal(t, before, saved(t, w))
			})
		})
	}
}

func TestMisuseIsNamed(t *testing.T) {
	const no = "no\x1bsuch"
	target := code(t, targetText)
	for method, misuse := range map[string]func(*fake.World){
		"SetCloud":         func(w *fake.World) { w.SetCloud(no, true) },
		"Unregister":       func(w *fake.World) { w.Unregister(no) },
		"DropSerial":       func(w *fake.World) { w.DropSerial(target, no) },
		"AddSerial":        func(w *fake.World) { w.AddSerial(target, no) },
		"SetIPP":           func(w *fake.World) { w.SetIPP(target, no, license.Ignore) },
		"Define":           func(w *fake.World) { w.Define(target, no, func(*license.Details) {}) },
		"UseFile":          func(w *fake.World) { w.UseFile(target, no, license.File{}) },
		"RejectUploads":    func(w *fake.World) { w.RejectUploads(target, no, "text") },
		"RefuseReturn":     func(w *fake.World) { w.RefuseReturn(no, "text") },
		"StaleReadings":    func(w *fake.World) { w.StaleReadings(no, 1) },
		"LateUpload":       func(w *fake.World) { w.LateUpload(no, 1) },
		"ChangeSerial":     func(w *fake.World) { w.ChangeSerial(no, "X") },
		"InstallByHand":    func(w *fake.World) { w.InstallByHand(no, target) },
		"AddModule":        func(w *fake.World) { w.AddModule(no, "M") },
		"MarkModule":       func(w *fake.World) { w.MarkModule(quality.Name, no, target) },
		"LockModule":       func(w *fake.World) { w.LockModule(quality.Name, no, 1) },
		"BreakModule":      func(w *fake.World) { w.BreakModule(quality.Name, no, "text") },
		"PublishByOther":   func(w *fake.World) { w.PublishByOther(quality.Name, no) },
		"StartDeployment":  func(w *fake.World) { w.StartDeployment(no) },
		"FinishDeployment": func(w *fake.World) { w.FinishDeployment(no) },
		"PauseByHand":      func(w *fake.World) { w.PauseByHand(no) },
		"ResumeByHand":     func(w *fake.World) { w.ResumeByHand(no) },
		"DamageBackup":     func(w *fake.World) { w.DamageBackup(quality.Serial, no, 0) },
		"Installed":        func(w *fake.World) { w.Installed(no) },
		"Published":        func(w *fake.World) { w.Published(quality.Name, no) },
		"Paused":           func(w *fake.World) { w.Paused(no) },
		"Modules":          func(w *fake.World) { w.Modules(no) },
		"RemoveModule":     func(w *fake.World) { w.RemoveModule(no, "M") },
		"Unabortable":      func(w *fake.World) { w.Unabortable(no, true) },
		"InstalledFile":    func(w *fake.World) { w.InstalledFile(no) },
		"Publishable":      func(w *fake.World) { _ = w.Publishable(no, "M") },
		"AbortDeployments": func(w *fake.World) { _ = w.AbortDeployments(no) },
	} {
		t.Run(method, func(t *testing.T) {
			w := fake.New(infrastructure(), code(t, sourceText), target)
			misuse(w)
			require.ErrorContains(t, w.Err(), "fake: "+method+": there is no ")
			require.ErrorContains(t, w.Err(), `"no\\u001bsuch"`)
			_, err := w.Set().LifeTime.Registered(t.Context())
			require.ErrorContains(t, err, w.Err().Error())
		})
	}
}

func TestAddEnvironmentLeavesAKnownOneAlone(t *testing.T) {
	s := newScene(t)
	before := saved(t, s.World)
	s.AddEnvironment(environment.Environment{Name: quality.Name, Kind: environment.Production, Serial: "other"})
	require.Equal(t, before, saved(t, s.World))
}

func TestTimeAdvancesByOneSecondWithEveryChange(t *testing.T) {
	s := newScene(t)
	for _, env := range all() {
		s.upload(s.target, env)
		s.page(env)
	}
	effects := s.Effects()
	require.Len(t, effects, 8)
	for i, e := range effects {
		require.Equal(t, fake.Start().Add(time.Duration(i+1)*time.Second), e.At)
	}
}

func TestTimeCanComeFromElsewhere(t *testing.T) {
	s := newScene(t)
	var clock fake.Clock
	s.World.Now = clock.Now
	require.NoError(t, clock.Sleep(t.Context(), 36*time.Hour))
	s.InstallByHand(quality.Name, s.target)
	require.Equal(t, fake.Start().Add(36*time.Hour), s.Effects()[0].At)
}

func TestUploadsAreWhatWasInstalledThroughThePort(t *testing.T) {
	s := newScene(t)
	first := s.upload(s.source, quality)
	require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, first)) // changes nothing
	s.InstallByHand(quality.Name, s.third)
	second := s.upload(s.target, production)

	uploads := s.Uploads()
	require.Len(t, uploads, 2)
	require.Equal(t, []any{"Quality", s.source, first.Digest()}, []any{uploads[0].Environment, uploads[0].Code, uploads[0].Digest})
	require.Equal(t, []any{"Production", s.target, second.Digest()}, []any{uploads[1].Environment, uploads[1].Code, uploads[1].Digest})
	require.Equal(t, fmt.Sprintf("ServiceCenter.UploadLicense in Quality: %v, sha256 %s", s.source, first.Digest().Short()), uploads[0].String())
}

func TestCallsPrintReadably(t *testing.T) {
	require.Equal(t, "LifeTime.Registered", fake.Call{Port: "LifeTime", Method: "Registered"}.String())
	require.Equal(t, `ServiceCenter.UploadLicense in a\u001bb`, fake.Call{Port: "ServiceCenter", Method: "UploadLicense", Environment: "a\x1bb"}.String())
	require.Equal(t, "InstallByHand in Quality", fake.Effect{Call: fake.Call{Method: "InstallByHand", Environment: "Quality"}}.String())
}

func TestWhatIsReturnedIsACopy(t *testing.T) {
	s := newScene(t)
	s.StartDeployment(quality.Name)
	s.upload(s.target, production)
	_, err := s.Operator.Ask(t.Context(), adapters.Question{Subject: "move", Details: []string{"read this"}})
	require.NoError(t, err)
	_, err = s.Support.OpenCase(t.Context(), adapters.Case{Key: "key"})
	require.NoError(t, err)
	before := saved(t, s.World)

	s.page(quality).Features[0].Limit = "changed"
	s.Installed(quality.Name).Features[0].Limit = "changed"
	list, err := s.LifeTime.Registered(t.Context())
	require.NoError(t, err)
	list[1].Running[0] = "changed"
	s.Calls()[0].Method = "changed"
	s.Effects()[0].Method = "changed"
	s.Uploads()[0].Method = "changed"
	s.Cases()[0].Subject = "changed"
	s.Questions()[0].Details[0] = "changed"

	require.Equal(t, before, saved(t, s.World))
	require.NotEqual(t, "changed", s.Calls()[0].Method)
	require.Equal(t, "read this", s.Questions()[0].Details[0])
}

func TestCodesAndFilesAreNeverPrinted(t *testing.T) {
	s := newScene(t)
	s.World.Now = nil
	var out string
	add := func(values ...any) {
		for _, v := range values {
			out += fmt.Sprintf("%v %+v %#v %s\n", v, v, v, v)
		}
	}
	file := s.upload(s.target, quality)
	_, err := s.Portal.FetchLicense(t.Context(), s.third, quality)
	add(err)
	s.RejectUploads(s.target, production.Name, "turned down")
	add(s.ServiceCenter.UploadLicense(t.Context(), production, s.file(s.target, production)))
	add(s.ServiceCenter.UploadLicense(t.Context(), development, file))
	s.MarkModule(quality.Name, fake.TestModule, s.source)
	_, err = s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
	add(err)
	add(s.Calls(), s.Effects(), s.Uploads(), s.Installed(quality.Name), s.World, s.Set)
	for _, secret := range []string{sourceText, targetText, thirdText, string(file.Bytes())} {
		require.NotContains(t, out, secret)
	}
}
