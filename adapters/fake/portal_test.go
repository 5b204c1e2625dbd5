package fake_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestPortal(t *testing.T) {
	t.Run("a download is the same every time", func(t *testing.T) {
		s := newScene(t)
		require.Equal(t, s.file(s.source, quality).Digest(), s.file(s.source, quality).Digest())
	})
	t.Run("downloads that are distinct say the same", func(t *testing.T) {
		s := newScene(t)
		s.DistinctDownloads(true)
		a, b := s.file(s.source, quality), s.file(s.source, quality)
		require.NotEqual(t, a.Digest(), b.Digest())
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, a))
		shown := s.page(quality)
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, b))
		require.Equal(t, shown, s.page(quality))
	})
	t.Run("a serial number that was dropped is not found, until Support adds it", func(t *testing.T) {
		s := newScene(t)
		s.DropSerial(s.source, quality.Name)
		registered, err := s.Portal.SerialRegistered(t.Context(), s.source, quality)
		require.NoError(t, err)
		require.False(t, registered)
		_, err = s.Portal.FetchLicense(t.Context(), s.source, quality)
		require.ErrorIs(t, err, adapters.ErrSerialNotFound)
		require.ErrorIs(t, s.Portal.RegisterSerial(t.Context(), s.source, quality), adapters.ErrNoSlot)
		_, err = s.Portal.FetchLicense(t.Context(), s.source, production)
		require.NoError(t, err, "another environment is not concerned")
		s.AddSerial(s.source, quality.Name)
		s.AddSerial(s.source, quality.Name)
		_, err = s.Portal.FetchLicense(t.Context(), s.source, quality)
		require.NoError(t, err)
	})
	t.Run("registering takes up one slot of the environment's kind, once", func(t *testing.T) {
		s := newScene(t)
		s.Slots(s.target, environment.Quality, 2)
		for range 3 {
			require.NoError(t, s.Portal.RegisterSerial(t.Context(), s.target, quality))
		}
		second, third := quality, quality
		second.Serial, third.Serial = "2", "3"
		require.NoError(t, s.Portal.RegisterSerial(t.Context(), s.target, second))
		err := s.Portal.RegisterSerial(t.Context(), s.target, third)
		require.ErrorIs(t, err, adapters.ErrNoSlot)
		require.ErrorContains(t, err, "Quality: ")
		registered, err := s.Portal.SerialRegistered(t.Context(), s.target, third)
		require.NoError(t, err)
		require.False(t, registered)
	})
	t.Run("nothing is registered without a serial number or a code", func(t *testing.T) {
		s := newScene(t)
		blank := quality
		blank.Serial = ""
		err := s.Portal.RegisterSerial(t.Context(), s.target, blank)
		require.ErrorContains(t, err, "there is no serial number")
		require.Nil(t, adapters.ConditionOf(err))
		require.ErrorIs(t, s.Portal.RegisterSerial(t.Context(), license.ActivationCode{}, quality), adapters.ErrNoSlot)
		require.Empty(t, s.Effects())
	})
	t.Run("a word that is set is shown by licenses issued from then on", func(t *testing.T) {
		s := newScene(t)
		before := s.file(s.source, quality)
		s.SetIPP(s.source, quality.Name, "Beschützt")
		require.NoError(t, s.ServiceCenter.UploadLicense(t.Context(), quality, before))
		require.Equal(t, license.Ignore, s.page(quality).IPP)
		s.upload(s.source, quality)
		require.Equal(t, license.IPP("Beschützt"), s.page(quality).IPP)
		s.upload(s.source, production)
		require.Equal(t, license.Ignore, s.page(production).IPP)
	})
	t.Run("a correction gives new files to all environments", func(t *testing.T) {
		s := newScene(t)
		s.SetIPP(s.target, quality.Name, license.Ignore)
		s.UseFile(s.target, production.Name, someFile(s))
		var before []license.Digest
		for _, env := range all() {
			before = append(before, s.file(s.target, env).Digest())
		}
		s.Reissue(s.target, license.Unprotected)
		for i, env := range all() {
			f := s.upload(s.target, env)
			require.NotEqual(t, before[i], f.Digest())
			require.Equal(t, license.Unprotected, s.page(env).IPP)
		}
	})
	t.Run("a definition can be changed in all but code and serial number", func(t *testing.T) {
		s := newScene(t)
		ends := time.Date(2027, time.March, 31, 0, 0, 0, 0, time.UTC)
		s.Define(s.target, quality.Name, func(d *license.Details) {
			d.Code, d.Serial = s.third, "other"
			d.Type, d.Ends = "Trial", ends
			d.Features = slices.DeleteFunc(d.Features, func(f license.Feature) bool { return f.ID == "HubNodes" })
		})
		s.upload(s.target, quality)
		in := s.page(quality)
		require.Equal(t, s.target, in.Code)
		require.Equal(t, quality.Serial, in.Serial)
		require.Equal(t, "Trial", in.Type)
		require.Equal(t, ends, in.Ends)
		for _, f := range in.Features {
			require.NotEqual(t, "Front-end Servers", f.Name)
		}
	})
	t.Run("exact bytes are served as they are", func(t *testing.T) {
		s := newScene(t)
		junk, err := license.NewFile([]byte("junk"))
		require.NoError(t, err)
		s.UseFile(s.source, quality.Name, junk)
		require.Equal(t, junk.Bytes(), s.file(s.source, quality).Bytes())
		s.UseFile(s.source, quality.Name, license.File{})
		require.NotEqual(t, junk.Digest(), s.file(s.source, quality).Digest())
	})
	t.Run("an opaque license is understood by Service Center alone", func(t *testing.T) {
		s := newScene(t)
		plain := s.file(s.target, quality)
		s.OpaqueLicenses(true)
		f := s.upload(s.target, quality)
		require.NotEqual(t, plain.Digest(), f.Digest())
		_, err := license.Inspect(f)
		require.ErrorIs(t, err, license.ErrOpaque)
		require.Equal(t, s.target, s.page(quality).Code)
		require.Equal(t, license.Unprotected, s.page(quality).IPP)
	})
}

func details(t testing.TB) license.Details {
	return license.Details{
		Code: code(t, sourceText), Serial: quality.Serial, Organization: `Ärger & "Söhne" <GmbH>`, Type: "Quality", Edition: "Enterprise",
		Created: time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC), Ends: time.Date(2035, time.December, 31, 0, 0, 0, 0, time.UTC),
		Features: []license.Feature{{ID: "IPP", Name: "Intellectual Property", Limit: "Ignore"}, {ID: "Users", Name: "IT Users", Limit: "50"}},
	}
}

func TestLicenseFile(t *testing.T) {
	t.Run("reads back as it was written", func(t *testing.T) {
		want := details(t)
		for _, salt := range []string{"", "one", "two"} {
			got, err := license.Inspect(fake.LicenseFile(want, salt))
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
	})
	t.Run("keeps times to the second", func(t *testing.T) {
		want := details(t)
		want.Created = time.Date(2026, time.January, 5, 8, 30, 59, 0, time.UTC)
		got, err := license.Inspect(fake.LicenseFile(want, ""))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
	t.Run("has the observed structure and says that it is simulated", func(t *testing.T) {
		b := fake.LicenseFile(details(t), "salt").Bytes()
		require.Equal(t, []byte{0x78, 0xda}, b[:2])
		z, err := zlib.NewReader(bytes.NewReader(b))
		require.NoError(t, err)
		text, err := io.ReadAll(z)
		require.NoError(t, err)
		require.Equal(t, `<License Signature="simulated, not signed: salt" Schema="1" UID="`+sourceText+`"`+
			` Creation="2026-01-05" Term="2035-12-31" Warn="30" Grace="30" Organization="Ärger &amp; &#34;Söhne&#34; &lt;GmbH&gt;"`+
			` Type="Quality" Edition="Enterprise" Serial="`+string(quality.Serial)+`"><Features>`+
			`<Feature Id="IPP" Name="Intellectual Property" Limit="Ignore"></Feature>`+
			`<Feature Id="Users" Name="IT Users" Limit="50"></Feature></Features></License>`, string(text))
	})
	t.Run("is older where it is installed than what the portal issues", func(t *testing.T) {
		s := newScene(t)
		backup, err := s.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(t.Context(), quality)
		require.NoError(t, err)
		installed, err := license.Inspect(backup)
		require.NoError(t, err)
		refreshed, err := license.Inspect(s.file(s.source, quality))
		require.NoError(t, err)
		require.True(t, installed.Created.Before(refreshed.Created))
		require.Empty(t, license.Compare(installed.Features, refreshed.Features), "it has nothing more")
	})
	t.Run("leaves out what is zero", func(t *testing.T) {
		got, err := license.Inspect(fake.LicenseFile(license.Details{Code: code(t, sourceText), Serial: "S"}, ""))
		require.NoError(t, err)
		require.Equal(t, license.Details{Code: code(t, sourceText), Serial: "S"}, got)
	})
	t.Run("is no file when it would be too large", func(t *testing.T) {
		noise := make([]byte, license.MaxFileBytes*5/4) // base64 takes back a third, and zlib a quarter
		_, err := rand.NewChaCha8([32]byte{}).Read(noise)
		require.NoError(t, err)
		huge := details(t)
		huge.Organization = base64.StdEncoding.EncodeToString(noise)
		require.True(t, fake.LicenseFile(huge, "").IsZero())
	})
}

func TestDamagedLicenseIsNeverInstalledAsAnother(t *testing.T) {
	s := newScene(t)
	file := s.upload(s.target, quality)
	good, want := file.Bytes(), s.page(quality)
	s.InstallByHand(quality.Name, license.ActivationCode{})
	for i := range good {
		for _, mask := range []byte{0x01, 0x80, 0xff} {
			damaged := slices.Clone(good)
			damaged[i] ^= mask
			f, err := license.NewFile(damaged)
			require.NoError(t, err)
			err = s.ServiceCenter.UploadLicense(t.Context(), quality, f)
			if err == nil { // bits that pad the end of the stream mean nothing
				require.Equal(t, want, s.page(quality), "byte %d, mask %#x", i, mask)
				s.InstallByHand(quality.Name, license.ActivationCode{})
				continue
			}
			require.ErrorIs(t, err, adapters.ErrRejected, "byte %d, mask %#x", i, mask)
		}
		cut, err := license.NewFile(good[:max(i, 1)])
		require.NoError(t, err)
		require.ErrorIs(t, s.ServiceCenter.UploadLicense(t.Context(), quality, cut), adapters.ErrRejected, "cut at byte %d", i)
	}
}
