package fake_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// FuzzLoad: a world that is loaded is saved in one way, its ports answer, and a
// file that is refused leaves the world as it was.
func FuzzLoad(f *testing.F) {
	code, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	require.NoError(f, err)
	env := environment.Environment{Name: "Quality", Kind: environment.Quality, Serial: "AAA-BBB"}
	for _, w := range []*fake.World{new(fake.World), fake.New(environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{env}}, code, license.ActivationCode{})} {
		var b bytes.Buffer
		require.NoError(f, w.Save(&b))
		f.Add(b.String())
	}
	f.Add(`{"format":"changeover simulated world 1","world":{"environments":[{"environment":{"name":"Quality"},"serial":"A","installed":"AA==","modules":[{"name":"m","version":"x"}]}]}}`)
	f.Add(`{"format":"changeover simulated world 2","world":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		w := fake.New(environment.Infrastructure{Name: "Acme"}, code, license.ActivationCode{})
		saved := func() string {
			var b strings.Builder
			require.NoError(t, w.Save(&b))
			return b.String()
		}
		before := saved()
		if err := w.Load(strings.NewReader(text)); err != nil {
			require.Equal(t, before, saved())
			return
		}
		once := saved()
		require.NoError(t, w.Load(strings.NewReader(once)))
		require.Equal(t, once, saved())
		set := w.Set()
		_, _ = set.ServiceCenter.InstalledLicense(t.Context(), env)
		_, _ = set.ServiceCenter.RepublishModule(t.Context(), env, "m")
		_, _ = set.Portal.FetchLicense(t.Context(), code, env)
		_ = set.Portal.RegisterSerial(t.Context(), code, env)
		_, _ = set.LifeTime.Registered(t.Context())
		_, _ = set.Vault.List(t.Context(), env.Serial)
	})
}
