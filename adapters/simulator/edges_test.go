package simulator_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// An empty answer with status 200 is what LifeTime says to a pause that was
// done: the end of the simulation must not look like it.
func TestARequestThatWaitsWhenTheSimulationEndsIsNotAnswered(t *testing.T) {
	for range 5 {
		r := newRig(t, worldtest.New(t), "")
		key := r.environmentKey(r.Quality)
		received := r.sim.Hang()
		answered := make(chan reply, 1)
		go func() {
			answered <- r.rest("PUT", "/environments/"+key+"/maintenancemode", `{"IsMaintenanceModeEnabled":true}`)
		}()
		<-received
		require.NoError(t, r.sim.Close())
		require.Error(t, (<-answered).err)
		require.False(t, r.World.Paused("Quality"))
	}
}

// Whoever asks for a long answer and does not take it does not hold Close up.
func TestAClientThatDoesNotReadDoesNotKeepTheSimulationOpen(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	person := r.sim.Person()
	c := r.SupportDeskHarness().Case
	for n := range 3 {
		c.Key, c.Subject = fmt.Sprint("large ", n), strings.Repeat("x", 9<<20)
		_, err := person.OpenCase(t.Context(), c)
		require.NoError(t, err)
	}
	r.inject(simulator.Fault{Kind: "answerCut", Operation: "SupportPage"})
	raw, err := r.sim.Dial(t.Context(), "", "")
	require.NoError(t, err)
	config := r.sim.TLS()
	config.ServerName = simulator.PortalHost
	conn := tls.Client(raw, config)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET /support HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n\r\n", simulator.PortalHost, basic)
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1)) // it is being sent
	require.NoError(t, err)
	closed := make(chan error, 1)
	go func() { closed <- r.sim.Close() }()
	select {
	case err := <-closed:
		require.NoError(t, err)
	case <-time.After(5 * time.Second):
		require.Fail(t, "Close waits for the client")
	}
}

// What has no body is cut too.
func TestAnAnswerWithoutABodyIsCut(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	require.Equal(t, 204, r.rest("GET", "/deployments/", "").status)
	r.inject(simulator.Fault{Kind: "answerCut", Operation: "deployments"})
	require.Error(t, r.rest("GET", "/deployments/", "").err)
}

// A change that turns out to be impossible is not left half made, and a world
// is not kept with it.
func TestFaultsThatCannotHappenTogetherDoNotHappen(t *testing.T) {
	alone := environment.Infrastructure{Name: "Alone", Environments: []environment.Environment{
		{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QUA-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
	}}
	source, err := license.ParseActivationCode("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU")
	require.NoError(t, err)
	target, err := license.ParseActivationCode("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU")
	require.NoError(t, err)
	for name, second := range map[string]simulator.Fault{
		"another environment, where there is none":    {Kind: "wrongFile", Environment: "Quality"},
		"a module that the fault before has removed":  {Kind: "ipp", Environment: "Quality"},
		"no code, where only a license can be none":   {Kind: "noSlot", Environment: "Quality", Code: "none"},
		"no code, on a page that shows another's one": {Kind: "flapping", Environment: "Quality", Code: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			w, dir := fake.New(alone, source, target), t.TempDir()
			faults := []simulator.Fault{{Kind: "hang"}, {Kind: "moduleMissing", Environment: "Quality"}, second}
			_, err := simulator.Start(w, &simulator.Options{Dir: dir, Scenario: simulator.Scenario{Faults: faults}})
			require.Error(t, err)
			require.Contains(t, w.Modules("Quality"), fake.TestModule)
			require.NoError(t, w.Err())
			require.NoFileExists(t, filepath.Join(dir, "simulation.json"), "the scenario, once it is right, would be ignored")
			s, err := simulator.Start(w, nil)
			require.NoError(t, err)
			require.Error(t, s.Inject(faults...))
			require.Contains(t, w.Modules("Quality"), fake.TestModule)
			require.NoError(t, s.Close())
			require.NoError(t, w.Err())
		})
	}
}

// A change that has become impossible by the time it is due is said by the
// server, and does not break the world.
func TestAChangeThatHasBecomeImpossibleBreaksNothing(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	r.inject(simulator.Fault{Kind: "busy", Environment: "Quality", Operation: "LicensingPage"})
	r.inject(simulator.Fault{Kind: "moduleMissing", Environment: "Quality"})
	require.Equal(t, 500, r.licensing(r.Quality).status)
	require.NoError(t, r.World.Err())
	require.Equal(t, 200, r.licensing(r.Quality).status)
}

// Every second reading is one of the same page.
func TestPagesFlapEachForItself(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	r.inject(simulator.Fault{Kind: "flapping", Code: "target"})
	for _, want := range []license.ActivationCode{r.Source, r.Target, r.Source, r.Target} {
		require.Equal(t, want.Reveal(), r.shows(r.Quality))
		require.Equal(t, want.Reveal(), r.shows(r.Production))
	}
}

// A refreshed license has the code of the one before.
func TestARefreshedLicenseGoesElsewhereToo(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	file, err := r.World.Set().Portal.FetchLicense(t.Context(), r.Source, r.Quality)
	require.NoError(t, err)
	quality, production := r.World.InstalledFile("Quality"), r.World.InstalledFile("Production")
	require.NotEqual(t, quality.Digest(), file.Digest())
	r.inject(simulator.Fault{Kind: "elsewhere", Environment: "Quality", Other: "Production"})
	require.Contains(t, r.setLicense(r.Quality, file).body, success)
	require.Equal(t, quality.Digest(), r.World.InstalledFile("Quality").Digest())
	require.NotEqual(t, production.Digest(), r.World.InstalledFile("Production").Digest())
}

func TestALateUploadWaitsForRequestsToItsEnvironmentBehindARestartToo(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	r.inject(simulator.Fault{Kind: "late", Operation: "SetLicense", Environment: "Quality", AfterRestart: true})
	require.Error(t, r.setLicense(r.Quality, r.ForQuality).err)
	r.restart()
	for range 3 {
		r.platformInfo(r.Production)
	}
	require.Equal(t, r.Source, r.installed(r.Quality))
	r.platformInfo(r.Quality)
	require.Equal(t, r.Target, r.installed(r.Quality))
}

// Key and certificate are two files: between the two the program may be killed.
func TestAKeyThatIsNotTheCertificatesIsReplacedWithIt(t *testing.T) {
	r := newRig(t, worldtest.New(t), t.TempDir())
	other := newRig(t, worldtest.New(t), t.TempDir())
	require.NoError(t, r.sim.Close())
	key, err := os.ReadFile(filepath.Join(other.dir, "simulator.key"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(r.dir, "simulator.key"), key, 0o600))
	r.restart()
	require.Equal(t, http.StatusOK, r.platformInfo(r.Quality).status)
}

// A small request that unfolds into millions of elements is not kept in memory.
func TestARequestOfManyElementsIsRefused(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	got := r.post(r.Quality, "OutSystemsPlatform", "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo", soap("GetPlatformInfo", strings.Repeat("<a/>", 2_000)))
	require.Equal(t, 500, got.status)
	require.Contains(t, got.body, "too many elements")
}

// witness looks at what is kept whenever a line is logged.
type witness struct {
	path string
	seen []bool
}

func (w *witness) Write(line []byte) (int, error) {
	b, err := os.ReadFile(w.path)
	w.seen = append(w.seen, err == nil && strings.Contains(string(b), "UploadLicense"))
	return len(line), nil
}

// A line about an effect that a kill then takes back would be a lie.
func TestAnEffectIsKeptBeforeItIsLogged(t *testing.T) {
	scene, dir := worldtest.New(t), t.TempDir()
	log := &witness{path: filepath.Join(dir, "simulation.json")}
	s, err := simulator.Start(scene.World, &simulator.Options{Dir: dir, Log: log})
	require.NoError(t, err)
	require.NoError(t, s.Person().UploadLicense(t.Context(), scene.Quality, scene.ForQuality))
	require.NoError(t, s.Close())
	require.Equal(t, []bool{true}, log.seen)
}

// What never began is not gone on with.
func TestASimulationThatCannotListenKeepsNoWorld(t *testing.T) {
	dir := t.TempDir()
	_, err := simulator.Start(worldtest.New(t).World, &simulator.Options{Dir: dir, Address: "192.0.2.1:0", Scenario: simulator.Scenario{Faults: []simulator.Fault{{Kind: "hang"}}}})
	require.Error(t, err)
	require.NoFileExists(t, filepath.Join(dir, "simulation.json"))
}

func TestWithoutFaultsTheListIsEmpty(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	require.JSONEq(t, `{"faults":[]}`, r.admin("GET", "/faults", "").body)
	require.JSONEq(t, `{"faults":[]}`, r.admin("POST", "/faults", `{"faults":[{"kind":"thirdCode","environment":"Quality"}]}`).body)
}
