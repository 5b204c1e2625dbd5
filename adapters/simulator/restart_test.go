package simulator_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
)

func TestWhatWasAnsweredSurvivesAKill(t *testing.T) {
	scene := worldtest.New(t)
	r := newRig(t, scene, t.TempDir())
	require.Contains(t, r.setLicense(r.Quality, r.ForQuality).body, success)
	// Nobody gets to close it: what is on disk has to be enough.
	w := new(fake.World)
	s, err := simulator.Start(w, &simulator.Options{Dir: r.dir})
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, r.Target, w.Installed("Quality").Code)
	require.Equal(t, r.World.Effects(), w.Effects())
}

func TestARestartKeepsTheWorldItsPublicationsAndItsCertificate(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	certificate := r.sim.CertificatePEM()
	id, _, _ := r.stage(r.Quality, fake.TestModule, true)
	r.poll(r.Quality, id)
	r.restart()
	require.Equal(t, certificate, r.sim.CertificatePEM())
	other, message, _ := r.stage(r.Quality, fake.TestModule, false)
	require.Zero(t, other)
	require.Contains(t, message, "locked")
	types, _ := r.finish(r.Quality, id)
	require.Contains(t, types, "PublishStop")
	r.restart()
	require.Equal(t, 200, r.platform(r.Quality, "SolutionPack_PublishContinue", fmt.Sprintf("<PublicationId>%d</PublicationId>", id)).status)
	for range 5 {
		r.restart()
		r.poll(r.Quality, id)
	}
	require.Contains(t, r.poll(r.Quality, id).body, "<IsFinished>true")
	require.Equal(t, 1, r.effects("RepublishModule"))
	require.Equal(t, id+1, func() int { next, _, _ := r.stage(r.Quality, fake.TestModule, false); return next }())
}

// A fault of every kind, for every operation that it can happen to, is still
// there after two restarts.
func TestARestartKeepsEveryFaultThatIsStillToCome(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	var faults []simulator.Fault
	probe := start(t, worldtest.New(t), nil) // keeps nothing, which is faster
	for _, kind := range simulator.Kinds() {
		possible := 0
		for _, op := range simulator.Operations() {
			f := simulator.Fault{Kind: kind.Name, Environment: "Quality", Operation: op.Name, Skip: 1 + len(faults), Times: 2}
			if probe.Inject(f) == nil {
				faults = append(faults, f)
				possible++
			}
		}
		require.Equal(t, kind.Name == "notReached", possible == 0, kind.Name)
	}
	faults = append(faults, simulator.Fault{Kind: "notReached", Environment: "Quality", Skip: 9, Times: 2})
	r.inject(faults...)
	before := r.admin("GET", "/faults", "").body
	require.Equal(t, len(faults), strings.Count(before, `"kind"`))
	r.restart()
	r.restart()
	require.JSONEq(t, before, r.admin("GET", "/faults", "").body)
}

func TestALateUploadMayTakeEffectOnlyAfterARestart(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	r.inject(simulator.Fault{Kind: "late", Operation: "SetLicense", Environment: "Quality", AfterRestart: true, Count: 1})
	require.Error(t, r.setLicense(r.Quality, r.ForQuality).err)
	for range 5 {
		r.platformInfo(r.Quality)
	}
	require.Equal(t, r.Source, r.installed(r.Quality))
	r.restart()
	r.platformInfo(r.Quality)
	require.Equal(t, r.Source, r.installed(r.Quality))
	r.platformInfo(r.Quality)
	require.Equal(t, r.Target, r.installed(r.Quality))
}

func TestALateUploadThatIsDueSurvivesARestart(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	r.inject(simulator.Fault{Kind: "late", Operation: "SetLicense", Environment: "Quality", Count: 1})
	require.Error(t, r.setLicense(r.Quality, r.ForQuality).err)
	r.restart()
	r.platformInfo(r.Quality)
	require.Equal(t, r.Source, r.installed(r.Quality))
	r.platformInfo(r.Quality)
	require.Equal(t, r.Target, r.installed(r.Quality))
}

func TestTheScenarioIsForANewWorldOnly(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir(), simulator.Fault{Kind: "thirdCode", Environment: "Quality"})
	require.NotEqual(t, r.Source, r.installed(r.Quality))
	r.World.InstallByHand("Quality", r.Source)
	require.NoError(t, r.sim.Close())
	r.start(simulator.Fault{Kind: "thirdCode", Environment: "Quality"})
	require.Equal(t, r.Source, r.installed(r.Quality))
}

func TestTheLogHasEachEffectOnceInOrder(t *testing.T) {
	scene := worldtest.New(t)
	dir := t.TempDir()
	var log bytes.Buffer
	s, err := simulator.Start(scene.World, &simulator.Options{Dir: dir, Log: &log})
	require.NoError(t, err)
	person := s.Person()
	require.NoError(t, person.UploadLicense(t.Context(), scene.Quality, scene.ForQuality))
	require.NoError(t, person.UploadLicense(t.Context(), scene.Quality, scene.ForQuality))
	require.NoError(t, person.RegisterSerial(t.Context(), scene.Target, scene.Dev))
	scene.PauseByHand("Development")
	require.NoError(t, s.Close())
	s, err = simulator.Start(scene.World, &simulator.Options{Dir: dir, Log: &log})
	require.NoError(t, err)
	_, err = s.Person().OpenCase(t.Context(), scene.SupportDeskHarness().Case)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
	var want []string
	for _, e := range scene.Effects() {
		want = append(want, e.String())
	}
	require.Equal(t, want, lines)
	require.Len(t, lines, 4)
	require.NotContains(t, log.String(), scene.Target.Reveal())
}

func TestWhatIsKeptIsForItsOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	r := newRig(t, worldtest.New(t), dir)
	r.platformInfo(r.Quality)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		require.NoError(t, err)
		if runtime.GOOS != "windows" {
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
		}
	}
	require.Equal(t, []string{"simulation.json", "simulator.key", "simulator.pem"}, names)
}

func TestACertificateThatLacksAHostIsReplaced(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	before := r.sim.CertificatePEM()
	more := r.Quality
	more.Name, more.ServiceCenter = "More", "https://more.example.test"
	r.World.AddEnvironment(more)
	require.NoError(t, r.sim.Close())
	r.restart()
	require.NotEqual(t, before, r.sim.CertificatePEM())
	require.Equal(t, 200, r.platformInfo(more).status)
}

func TestWhatWasKeptAndIsDamagedIsRefused(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, worldtest.New(t), dir)
	r.platformInfo(r.Quality)
	require.NoError(t, r.sim.Close())
	path := filepath.Join(dir, "simulation.json")
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"empty": {}, "cut": whole[:len(whole)-2], "another format": bytes.Replace(whole, []byte("simulation 1"), []byte("simulation 2"), 1),
		"another key": bytes.Replace(whole, []byte(`{"format"`), []byte(`{"x":1,"format"`), 1),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, b, 0o600))
			_, err := simulator.Start(new(fake.World), &simulator.Options{Dir: dir})
			require.ErrorContains(t, err, "simulation.json")
		})
	}
}
