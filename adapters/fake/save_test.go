package fake_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func bytesOf(s string) io.Reader { return strings.NewReader(s) }

// walk does something at random, through the ports or behind their backs, and
// says what came of it.
func walk(t testing.TB, w *fake.World, r *rand.Rand) string {
	set, ctx := w.Set(), t.Context()
	codes := []license.ActivationCode{code(t, sourceText), code(t, targetText), code(t, thirdText)}
	c, env := codes[r.IntN(len(codes))], all()[r.IntN(4)]
	module := []string{fake.TestModule, fake.CustomerModule}[r.IntN(2)]
	word := []license.IPP{license.Ignore, license.Protected, license.Unprotected}[r.IntN(3)]
	n := r.IntN(3)
	switch r.IntN(36) {
	case 0, 1, 2, 3, 4, 5:
		f, err := set.Portal.FetchLicense(ctx, c, env)
		if err != nil {
			return fmt.Sprint(err)
		}
		stored, err := set.Vault.Put(ctx, adapters.Label{Environment: env.Name, Serial: env.Serial, Role: license.Source}, f)
		return fmt.Sprint(stored, err, set.ServiceCenter.UploadLicense(ctx, env, f))
	case 6, 7, 8:
		return fmt.Sprint(set.Portal.RegisterSerial(ctx, c, env))
	case 9, 10, 11:
		return fmt.Sprint(set.ServiceCenter.InstalledLicense(ctx, env))
	case 12, 13, 14:
		return fmt.Sprint(set.ServiceCenter.RepublishModule(ctx, env, module))
	case 15:
		return fmt.Sprint(set.LifeTime.PauseDeployments(ctx, env))
	case 16:
		return fmt.Sprint(set.LifeTime.ResumeDeployments(ctx, env))
	case 17:
		return fmt.Sprint(set.Support.OpenCase(ctx, adapters.Case{Key: fmt.Sprint(n), Body: env.Name}))
	case 18:
		return fmt.Sprint(set.Operator.Ask(ctx, adapters.Question{Subject: "move"}))
	case 19:
		w.SetIPP(c, env.Name, word)
	case 20:
		w.MarkModule(env.Name, module, c)
	case 21:
		w.StaleReadings(env.Name, n)
	case 22:
		w.LateUpload(env.Name, n)
	case 23:
		w.LockModule(env.Name, module, n)
	case 24:
		w.BreakModule(env.Name, module, []string{"", "broken"}[n%2])
	case 25:
		w.PublishByOther(env.Name, module)
	case 26:
		w.StartDeployment(env.Name)
	case 27:
		w.RejectUploads(c, env.Name, []string{"", "rejected"}[n%2])
	case 28:
		w.RefuseReturn(env.Name, []string{"", "no way back"}[n%2])
	case 29:
		w.InstallByHand(env.Name, c)
	case 30:
		w.DistinctDownloads(n == 0)
	case 31:
		w.OpaqueLicenses(n == 0)
	case 32:
		w.Reissue(c, word)
	case 33:
		switch n {
		case 0:
			w.DropSerial(c, env.Name)
		case 1:
			w.UseFile(c, env.Name, fake.LicenseFile(license.Details{Code: c, Serial: env.Serial}, "exact"))
		default:
			w.Slots(c, env.Kind, 1)
		}
	case 34:
		return fmt.Sprint(w.Publishable(env.Name, module), w.AbortDeployments(env.Name), w.Deployments(), w.Accounts(), w.Modules(env.Name))
	case 35:
		w.Unabortable(env.Name, n%2 == 0)
		w.FinishDeployment(env.Name)
	}
	return ""
}

func TestWorldGoesOnAfterLoadingAsIfNothingHadHappened(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for run := range uint64(15) {
		r := rand.New(rand.NewPCG(seed, run))
		w := fake.New(infrastructure(), code(t, sourceText), code(t, targetText))
		for range 60 {
			walk(t, w, r)
		}
		text := saved(t, w)
		again := new(fake.World)
		require.NoError(t, again.Load(bytesOf(text)))
		require.Equal(t, text, saved(t, again))
		require.Equal(t, w.Effects(), again.Effects())
		require.Equal(t, w.Cases(), again.Cases())
		require.Empty(t, again.Calls())
		ra, rb := rand.New(rand.NewPCG(run, seed)), rand.New(rand.NewPCG(run, seed))
		for step := range 60 {
			require.Equal(t, walk(t, w, ra), walk(t, again, rb), "run %d, step %d", run, step)
		}
		for _, world := range []*fake.World{w, again} {
			world.AddEnvironment(environment.Environment{Name: "Late", Kind: environment.Quality, Serial: "L"})
		}
		require.Equal(t, saved(t, w), saved(t, again))
		require.NoError(t, w.Err())
	}
}

func TestLoad(t *testing.T) {
	w := fake.New(infrastructure(), code(t, sourceText), code(t, targetText))
	text := saved(t, w)
	for name, bad := range map[string]string{
		"nothing":               "",
		"no JSON":               "hello",
		"half of it":            text[:len(text)/2],
		"something after it":    text + "{}",
		"another format":        strings.Replace(text, "simulated world 1", "simulated world 2", 1),
		"no world":              `{"format": "changeover simulated world 1"}`,
		"an unknown key":        strings.Replace(text, `"organization"`, `"organisation"`, 1),
		"a code that is none":   strings.Replace(text, `"`+sourceText+`"`, `"\u0007"`, 1),
		"a file that is none":   strings.Replace(text, `"installed": "`, `"installed": "!`, 1),
		"a file that is a page": strings.Replace(text, `"installed": "`, `"exact": "PGh0bWw+", "installed": "`, 1),
	} {
		t.Run(name+" is refused and leaves the world as it was", func(t *testing.T) {
			require.NotEqual(t, text, bad)
			again := fake.New(environment.Infrastructure{Name: "Other", Environments: all()[:1]}, code(t, thirdText), code(t, targetText))
			before := saved(t, again)
			err := again.Load(bytesOf(bad))
			require.ErrorContains(t, err, "loading the simulated world")
			require.NotContains(t, err.Error(), sourceText)
			require.Equal(t, before, saved(t, again))
		})
	}
	t.Run("what cannot be read or written is said", func(t *testing.T) {
		broken := errors.New("broken")
		require.ErrorIs(t, w.Load(iotest.ErrReader(broken)), broken)
		require.ErrorIs(t, w.Save(failing{broken}), broken)
	})
	t.Run("holes in the text make no panics", func(t *testing.T) {
		holes := new(fake.World)
		require.NoError(t, holes.Load(bytesOf(`{"format": "changeover simulated world 1", "world": {
			"environments": [null, {"modules": [null]}], "accounts": [null, {"definitions": [null]}], "backups": [null], "cases": [null], "effects": [null]}}`)))
		for _, c := range portCalls() {
			_ = c.do(t.Context(), holes.Set(), newScene(t))
		}
	})
	t.Run("misuse is forgotten", func(t *testing.T) {
		misused := new(fake.World)
		misused.Unregister("nowhere")
		require.Error(t, misused.Err())
		require.NoError(t, misused.Load(bytesOf(text)))
		require.NoError(t, misused.Err())
	})
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestWorldIsSafeForConcurrentUse means something under -race only.
func TestWorldIsSafeForConcurrentUse(t *testing.T) {
	w := fake.New(infrastructure(), code(t, sourceText), code(t, targetText))
	var clock fake.Clock
	var wg sync.WaitGroup
	for g := range uint64(8) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, g))
			for range 60 {
				walk(t, w, r)
				_, _, _, _, _ = w.Calls(), w.Effects(), w.Cases(), w.Questions(), w.Installed(quality.Name)
				_, _ = clock.Now(), clock.Sleep(t.Context(), 1)
			}
			_ = saved(t, w)
		})
	}
	wg.Wait()
	require.NoError(t, w.Err())
	require.EqualValues(t, 8*60, clock.Now().Sub(fake.Start()))
	for i, e := range w.Effects() {
		require.Equal(t, i+1, int(e.At.Sub(fake.Start()).Seconds()))
	}
}
