package servicecenter_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
)

// simulated is the account of the simulated systems.
func simulated(context.Context, environment.Environment) (servicecenter.Credential, error) {
	return servicecenter.Credential{User: simulator.DefaultUser, Password: simulator.DefaultPassword}, nil
}

// conforms runs the suite over a simulator; change sets the options.
func conforms(t *testing.T, lag int, change func(o *servicecenter.Options, s *simulator.Simulator, h *adaptertest.ServiceCenterHarness)) {
	copies := worldtest.New(t).Copies(t)
	adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
		scene := copies(t)
		s, err := simulator.Start(scene.World, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		h := scene.ServiceCenterHarness(lag)
		h.Secrets = []string{simulator.DefaultPassword, basicOf(simulator.DefaultUser, simulator.DefaultPassword)}
		h.Hang = s.Hang
		o := servicecenter.Options{Credentials: simulated, Page: s.Person(), TLS: s.TLS(), Dial: s.Dial, Clock: new(clock)}
		change(&o, s, &h)
		h.ServiceCenter, err = servicecenter.New(environment.Infrastructure{
			Name: "Example", Environments: []environment.Environment{scene.Quality, scene.Dev, scene.Production, scene.LifeTime},
		}, o)
		require.NoError(t, err)
		return h
	})
}

func TestServiceCenterConforms(t *testing.T) {
	conforms(t, 0, func(*servicecenter.Options, *simulator.Simulator, *adaptertest.ServiceCenterHarness) {})
}

func TestServiceCenterWithAPageThatLagsConforms(t *testing.T) {
	conforms(t, 2, func(*servicecenter.Options, *simulator.Simulator, *adaptertest.ServiceCenterHarness) {})
}

func TestServiceCenterWithAPreparedSolutionConforms(t *testing.T) {
	conforms(t, 0, func(o *servicecenter.Options, _ *simulator.Simulator, h *adaptertest.ServiceCenterHarness) {
		o.Solution = h.Module // in the simulation every module has a solution of its name
	})
}

func TestServiceCenterWithABackupLinkConforms(t *testing.T) {
	conforms(t, 0, func(o *servicecenter.Options, s *simulator.Simulator, h *adaptertest.ServiceCenterHarness) {
		o.Page = servicecenter.BackupLink{
			Path: "/ServiceCenter/Licensing/Backup", Credentials: simulated, NoLicense: http.StatusConflict,
			TLS: s.TLS(), Dial: s.Dial,
		}
		h.Shows.Features = nil // a file has the features' ids, the page has not
	})
}
