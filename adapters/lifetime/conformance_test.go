package lifetime_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
)

func TestLifeTimeOverHTTPSConforms(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	adaptertest.TestLifeTime(t, func(t *testing.T) adaptertest.LifeTimeHarness {
		scene := copies(t)
		s, err := simulator.Start(scene.World, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		h := scene.LifeTimeHarness()
		inf := environment.Infrastructure{Environments: append([]environment.Environment{scene.LifeTime}, h.Controlled...)}
		h.LifeTime, err = lifetime.New(inf, lifetime.Options{
			Token: func(context.Context) (string, error) { return simulator.DefaultToken, nil },
			TLS:   s.TLS(), Dial: s.Dial,
		})
		require.NoError(t, err)
		h.Secrets, h.Hang = []string{simulator.DefaultToken}, s.Hang
		return h
	})
}
