package fake_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/license"
)

func TestUpload(t *testing.T) {
	t.Run("the license of another server is refused and changes nothing", func(t *testing.T) {
		s := newScene(t)
		f := s.file(s.target, production)
		before := s.page(quality)
		err := s.ServiceCenter.UploadLicense(t.Context(), quality, f)
		require.ErrorIs(t, err, adapters.ErrWrongEnvironment)
		require.ErrorContains(t, err, "Quality: ")
		require.Equal(t, before, s.page(quality))
		require.Empty(t, s.Uploads())
	})
	t.Run("a code that is turned down stays turned down until it is not", func(t *testing.T) {
		s := newScene(t)
		s.RejectUploads(s.target, quality.Name, "over the limit")
		f := s.file(s.target, quality)
		for range 2 {
			err := s.ServiceCenter.UploadLicense(t.Context(), quality, f)
			require.ErrorIs(t, err, adapters.ErrRejected)
			require.ErrorContains(t, err, "over the limit")
			require.Equal(t, s.source, s.page(quality).Code)
		}
		s.upload(s.source, quality)
		s.RejectUploads(s.target, quality.Name, "")
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, f))
	})
	t.Run("a way back can be refused", func(t *testing.T) {
		s := newScene(t)
		s.RefuseReturn(quality.Name, "no way back")
		back := s.upload(s.source, quality)
		s.upload(s.target, quality)
		err := s.ServiceCenter.UploadLicense(t.Context(), quality, back)
		require.ErrorIs(t, err, adapters.ErrRejected)
		require.ErrorContains(t, err, "no way back")
		require.Equal(t, s.target, s.page(quality).Code)
		s.upload(s.source, production)
		s.InstallByHand(quality.Name, s.source)
		s.Reissue(s.source, license.Ignore)
		s.upload(s.source, quality) // whose code it has not left
		s.InstallByHand(quality.Name, s.target)
		s.RefuseReturn(quality.Name, "")
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, back))
	})
	t.Run("a license that has ended is turned down from the day after", func(t *testing.T) {
		s := newScene(t)
		var clock fake.Clock
		s.World.Now = clock.Now
		today := fake.Start().Truncate(24 * time.Hour)
		for _, c := range []struct {
			ends  time.Time
			taken bool
		}{{today.AddDate(0, 0, 1), true}, {today, true}, {today.AddDate(0, 0, -1), false}, {time.Time{}, true}} {
			s.Define(s.target, quality.Name, func(d *license.Details) { d.Ends = c.ends })
			err := s.ServiceCenter.UploadLicense(t.Context(), quality, s.file(s.target, quality))
			if c.taken {
				require.NoError(t, err, "%v", c.ends)
			} else {
				require.ErrorIs(t, err, adapters.ErrRejected, "%v", c.ends)
			}
		}
	})
	t.Run("others have no business in a cloud environment", func(t *testing.T) {
		s := newScene(t)
		f := s.file(s.target, quality)
		s.SetCloud(quality.Name, true)
		require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), quality, f), adapters.ErrPermission)
		require.ErrorIs(t, s.LifeTime.PauseDeployments(t.Context(), quality), adapters.ErrPermission)
		list, err := s.LifeTime.Registered(t.Context())
		require.NoError(t, err)
		require.True(t, list[1].Cloud)
	})
	t.Run("nothing, junk and a file that ends early are turned down", func(t *testing.T) {
		s := newScene(t)
		junk, err := license.NewFile([]byte("x\x9c junk"))
		require.NoError(t, err)
		require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), quality, license.File{}), adapters.ErrRejected)
		require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), quality, junk), adapters.ErrRejected)
	})
	t.Run("the Service Center that answers is the one at the address", func(t *testing.T) {
		s := newScene(t)
		crossed := quality
		crossed.ServiceCenter = production.ServiceCenter
		require.Equal(t, production.Serial, s.page(crossed).Server)
		require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), crossed, s.file(s.target, quality)), adapters.ErrWrongEnvironment)
		named := quality
		named.ServiceCenter = ""
		require.Equal(t, quality.Serial, s.page(named).Server)
		crossed.ServiceCenter = "https://elsewhere.example.test"
		_, err := s.ServiceCenter.InstalledLicense(t.Context(), crossed)
		require.ErrorIs(t, err, adapters.ErrNotReached)
	})
}

func TestPageLagsBehindByAsManyReadingsAsWereAskedFor(t *testing.T) {
	for n := range 5 {
		s := newScene(t)
		s.StaleReadings(quality.Name, n)
		before := s.page(quality)
		f := s.upload(s.target, quality)
		require.Equal(t, s.target, s.Installed(quality.Name).Code, "what is installed is not what is shown")
		backup, err := s.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), quality)
		require.NoError(t, err)
		require.Equal(t, f.Digest(), backup.Digest())
		for range n {
			require.Equal(t, before, s.page(quality))
		}
		for range 3 {
			require.Equal(t, s.target, s.page(quality).Code)
		}
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, f), "the same again")
		require.Equal(t, s.target, s.page(quality).Code, "does not lag")
	}
}

func TestPageThatLagsShowsTheOldestLicenseAllTheWhile(t *testing.T) {
	s := newScene(t)
	s.StaleReadings(quality.Name, 2)
	before := s.page(quality)
	s.upload(s.source, quality)
	s.upload(s.target, quality)
	for range 2 {
		require.Equal(t, before, s.page(quality))
	}
	require.Equal(t, s.target, s.page(quality).Code)
}

func TestLateUploadTakesEffectAfterAsManyCallsAsWereAskedFor(t *testing.T) {
	for n := range 5 {
		s := newScene(t)
		s.LateUpload(quality.Name, n)
		f := s.file(s.target, quality)
		err := s.ServiceCenter.UploadLicense(t.Context(), quality, f)
		require.ErrorIs(t, err, adapters.ErrUncertain)
		require.Nil(t, adapters.ConditionOf(err))
		for range n {
			require.Equal(t, s.source, s.page(quality).Code)
			s.page(production) // another Service Center
		}
		require.Equal(t, s.target, s.page(quality).Code, "after %d calls", n)
		require.Len(t, s.Uploads(), 1)
		s.InstallByHand(quality.Name, s.third)
		for range n + 2 {
			require.Equal(t, s.third, s.page(quality).Code, "it takes effect once")
		}
	}
	t.Run("also over an upload that was answered in between", func(t *testing.T) {
		s := newScene(t)
		s.LateUpload(quality.Name, 1)
		require.Error(t, s.ServiceCenter.UploadLicense(t.Context(), quality, s.file(s.target, quality)))
		s.upload(s.source, quality)
		require.Equal(t, s.source, s.Installed(quality.Name).Code)
		require.Equal(t, s.target, s.page(quality).Code)
	})
}

func TestChangedSerialNumber(t *testing.T) {
	s := newScene(t)
	backup := s.file(s.source, quality)
	s.ChangeSerial(quality.Name, "NEW")
	in := s.page(quality)
	require.Equal(t, license.SerialNumber("NEW"), in.Server)
	require.Equal(t, quality.Serial, in.Serial, "the old license is still shown")
	_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
	require.ErrorIs(t, err, adapters.ErrPublishFailed)
	require.ErrorContains(t, err, string(quality.Serial))
	require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), quality, backup), adapters.ErrWrongEnvironment)

	changed := quality
	changed.Serial = "NEW"
	_, err = s.Portal.FetchLicense(t.Context(), s.source, changed)
	require.ErrorIs(t, err, adapters.ErrSerialNotFound)
	s.AddSerial(s.source, quality.Name)
	s.upload(s.source, changed)
	require.Equal(t, license.SerialNumber("NEW"), s.page(quality).Serial)
}

func TestInstallByHand(t *testing.T) {
	s := newScene(t)
	s.StaleReadings(quality.Name, 3)
	s.InstallByHand(quality.Name, s.third)
	require.Equal(t, s.third, s.page(quality).Code)
	s.InstallByHand(quality.Name, license.ActivationCode{})
	require.Equal(t, license.Installed{Server: quality.Serial}, s.page(quality))
	require.Empty(t, s.Uploads())
	require.Len(t, s.Effects(), 2)
	require.Equal(t, "InstallByHand in Quality", s.Effects()[1].String())
}

// TestRepublish goes through every word, mark and code.
func TestRepublish(t *testing.T) {
	marks := []string{"none", "the installed code", "another code"}
	for _, word := range []license.IPP{license.Ignore, license.Protected, license.Unprotected, "", "Something"} {
		for _, mark := range marks {
			t.Run(fmt.Sprintf("under the word %q, marked with %s", word, mark), func(t *testing.T) {
				s := newScene(t)
				s.SetIPP(s.target, quality.Name, word)
				s.upload(s.target, quality)
				switch mark {
				case marks[1]:
					s.MarkModule(quality.Name, fake.CustomerModule, s.target)
				case marks[2]:
					s.MarkModule(quality.Name, fake.CustomerModule, s.source)
				}
				republish := func() error {
					p, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.CustomerModule)
					if err != nil {
						require.Zero(t, p)
					}
					return err
				}
				if mark == marks[2] && (word == license.Protected || word == license.Unprotected) {
					err := republish()
					require.ErrorIs(t, err, adapters.ErrIntellectualProperty)
					require.ErrorContains(t, err, "Quality: ")
				} else {
					require.NoError(t, republish())
				}
				_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
				require.NoError(t, err, "another module is not concerned")

				// Whether it is marked now shows under a code that it is not of.
				s.SetIPP(s.third, quality.Name, license.Unprotected)
				s.InstallByHand(quality.Name, s.third)
				if mark == marks[0] && word != license.Protected {
					require.NoError(t, republish(), "it has no mark")
				} else {
					require.ErrorIs(t, republish(), adapters.ErrIntellectualProperty, "it has a mark and keeps it")
				}
			})
		}
	}
	t.Run("a module that is locked is busy as often as was asked for", func(t *testing.T) {
		s := newScene(t)
		s.LockModule(quality.Name, fake.TestModule, 2)
		for range 2 {
			_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
			require.ErrorIs(t, err, adapters.ErrBusy)
		}
		_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
		require.NoError(t, err)
	})
	t.Run("a module that is broken finishes with its error until it is repaired", func(t *testing.T) {
		s := newScene(t)
		s.BreakModule(quality.Name, fake.TestModule, "outdated consumer")
		for range 2 {
			_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
			require.ErrorIs(t, err, adapters.ErrPublishFailed)
			require.ErrorContains(t, err, "outdated consumer")
		}
		s.BreakModule(quality.Name, fake.TestModule, "")
		_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
		require.NoError(t, err)
	})
	t.Run("a version that moves meanwhile shows once", func(t *testing.T) {
		s := newScene(t)
		s.PublishByOther(quality.Name, fake.TestModule)
		for _, want := range []adapters.Publication{{Before: "1", After: "2"}, {Before: "2", After: "2"}} {
			p, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
			require.NoError(t, err)
			require.Equal(t, want, p)
		}
		require.Equal(t, "2", s.Published(quality.Name, fake.TestModule))
		require.Equal(t, "1", s.Published(quality.Name, fake.CustomerModule))
	})
	t.Run("nothing is published under a license that has ended", func(t *testing.T) {
		s := newScene(t)
		var clock fake.Clock
		s.World.Now = clock.Now
		require.NoError(t, clock.Sleep(t.Context(), 20*365*24*time.Hour))
		_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, fake.TestModule)
		require.ErrorIs(t, err, adapters.ErrPublishFailed)
	})
	t.Run("a module that does not exist is not found until it is added", func(t *testing.T) {
		s := newScene(t)
		_, err := s.ServiceCenter.RepublishModule(t.Context(), quality, "Probe")
		require.ErrorIs(t, err, adapters.ErrModuleNotFound)
		s.AddModule(quality.Name, "Probe")
		s.AddModule(quality.Name, "Probe")
		_, err = s.ServiceCenter.RepublishModule(t.Context(), quality, "Probe")
		require.NoError(t, err)
	})
}
