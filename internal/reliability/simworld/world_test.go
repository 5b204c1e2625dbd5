package simworld_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/internal/reliability/simworld"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// options are those of a world over two environments in which the faults
// happen, at every call.
func options(faults ...simworld.Fault) simworld.Options {
	o := simworld.Options{Environments: scene.Plan(migration.RefreshAndMove, 2).Infrastructure.Environments, Seed: 1, Word: license.Unprotected, Window: law.Window}
	for _, f := range faults {
		o.On, o.Rate = o.On|1<<f, 1<<16
	}
	return o
}

// The library reads the files of the world as what they are, although neither
// knows of the other.
func TestLicenseFilesAreReadAsWhatTheyAre(t *testing.T) {
	o := options()
	for _, env := range o.Environments {
		for role, code := range map[license.Role]string{license.Source: scene.Source, license.Target: scene.Target} {
			w := simworld.New(o)
			set := w.Set()
			if role == license.Target {
				require.NoError(t, set.Portal.RegisterSerial(t.Context(), scene.Code(code), env))
			}
			f, err := set.Portal.FetchLicense(t.Context(), scene.Code(code), env)
			require.NoError(t, err)
			d, err := license.Inspect(f)
			require.NoError(t, err)
			require.Equal(t, scene.Code(code), d.Code)
			require.Equal(t, env.Serial, d.Serial)
			require.NotEmpty(t, d.IPP())
			require.NoError(t, set.ServiceCenter.UploadLicense(t.Context(), env, f))
			in, err := set.ServiceCenter.InstalledLicense(t.Context(), env)
			require.NoError(t, err)
			require.Equal(t, d.Code, in.Code)
			require.Equal(t, d.IPP(), in.IPP)
			require.Equal(t, d.Ends, in.Ends)
		}
	}
}

// What is done late shows within the settling time, and never before it was
// done; what is done later than that is excused.
func TestWhatIsDoneLateShowsWithinTheSettlingTime(t *testing.T) {
	for seed := range uint64(200) {
		for _, fault := range []simworld.Fault{simworld.Late, simworld.LateBeyond, simworld.Stale, simworld.Flapping, simworld.Twice} {
			o := options(fault)
			o.Seed = seed
			o.Rate = 0
			calm := simworld.New(o)
			env := o.Environments[0]
			require.NoError(t, calm.Set().Portal.RegisterSerial(t.Context(), scene.Code(scene.Target), env))
			file, err := calm.Set().Portal.FetchLicense(t.Context(), scene.Code(scene.Target), env)
			require.NoError(t, err)

			o.Rate = 1 << 16
			w := simworld.New(o)
			for range 2 { // the world knows the files that it gave
				_, _ = w.Set().Portal.FetchLicense(t.Context(), scene.Code(scene.Target), env)
				_ = w.Set().Portal.RegisterSerial(t.Context(), scene.Code(scene.Target), env)
				w.Wait(100 * time.Hour)
			}
			err = w.Set().ServiceCenter.UploadLicense(t.Context(), env, file)
			require.True(t, err == nil || errors.Is(err, adapters.ErrUncertain), "%v", err)
			w.Calm()
			w.Wait(law.Window)
			in, err := w.Set().ServiceCenter.InstalledLicense(t.Context(), env)
			require.NoError(t, err)
			if fault != simworld.LateBeyond {
				require.Equal(t, scene.Code(scene.Target), in.Code, "%v, seed %d", fault, seed)
				require.False(t, w.Excused(0))
				continue
			}
			require.Equal(t, scene.Code(scene.Source), in.Code)
			w.Wait(1000 * time.Hour)
			require.Equal(t, license.Target, w.Installed(0))
			require.True(t, w.Excused(0))
		}
	}
}

func TestADeadProcessDoesNothing(t *testing.T) {
	o := options()
	for fuse := range 3 {
		w := simworld.New(o)
		deaths := 0
		w.OnDeath = func() { deaths++ }
		w.Begin(nil, fuse)
		err := w.Set().LifeTime.PauseDeployments(t.Context(), o.Environments[0])
		_, paused := w.Paused(0)
		require.Equal(t, fuse > 0, paused)
		require.Equal(t, fuse < 2, w.Dead())
		require.Equal(t, fuse < 2, errors.Is(err, simworld.ErrDead))
		if w.Dead() {
			require.Equal(t, 1, deaths)
			require.ErrorIs(t, w.Set().LifeTime.PauseDeployments(t.Context(), o.Environments[0]), simworld.ErrDead)
			require.ErrorIs(t, w.Clock().Sleep(t.Context(), time.Hour), simworld.ErrDead)
			require.Zero(t, w.Now())
		}
	}
}

func TestWhatTheTruthForbidsIsNoticed(t *testing.T) {
	o := options()
	w := simworld.New(o)
	set := w.Set()
	require.NoError(t, set.Portal.RegisterSerial(t.Context(), scene.Code(scene.Target), o.Environments[0]))
	require.NoError(t, set.Portal.RegisterSerial(t.Context(), scene.Code(scene.Target), o.Environments[0]))
	require.Len(t, w.Broken, 1, "registered again")
	f, err := set.Portal.FetchLicense(t.Context(), scene.Code(scene.Target), o.Environments[0])
	require.NoError(t, err)
	require.NoError(t, set.ServiceCenter.UploadLicense(t.Context(), o.Environments[0], f))
	require.NoError(t, set.LifeTime.ResumeDeployments(t.Context(), o.Environments[0]))
	require.Len(t, w.Broken, 2, "resumed although mixed")
}

func TestEveryFaultHasAName(t *testing.T) {
	seen := map[string]bool{}
	for f := simworld.NoFault + 1; f < simworld.Faults; f++ {
		require.NotEmpty(t, f.String())
		require.False(t, seen[f.String()], "%v", f)
		seen[f.String()] = true
	}
}
