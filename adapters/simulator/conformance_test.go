package simulator_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
)

// start serves a world until the test ends.
func start(t *testing.T, scene worldtest.Scene, o *simulator.Options) *simulator.Simulator {
	t.Helper()
	s, err := simulator.Start(scene.World, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestAPersonIsALicensePortal(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
		scene := copies(t)
		s := start(t, scene, nil)
		h := scene.LicensePortalHarness(t)
		h.Portal = s.Person()
		h.Hang = s.Hang
		return h
	})
}

func TestAPersonIsASupportDesk(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	adaptertest.TestSupportDesk(t, func(t *testing.T) adaptertest.SupportDeskHarness {
		scene := copies(t)
		s := start(t, scene, nil)
		h := scene.SupportDeskHarness()
		h.Desk = s.Person()
		h.Hang = s.Hang
		return h
	})
}
