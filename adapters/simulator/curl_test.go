package simulator_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// curlWorld is the world of the command without a plan.
func curlWorld(t *testing.T) (*fake.World, license.File) {
	t.Helper()
	source, err := license.ParseActivationCode("AAA.AAA.A1A.A0A.AAA.AAA.AAA.AAA")
	require.NoError(t, err)
	target, err := license.ParseActivationCode("BBB.BBB.B1B.B0B.BBB.BBB.BBB.BBB")
	require.NoError(t, err)
	production := environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prd.example.test", Serial: "PRD-AAA-AAA-AAA-AAA-AAA-AAA-AAA"}
	w := fake.New(environment.Infrastructure{Name: "Example", Environments: []environment.Environment{
		production,
		{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LIF-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
	}}, source, target)
	return w, fake.LicenseFile(license.Details{Code: target, Serial: production.Serial, Type: "Production"}, "")
}

// The requests are typed from facts.md; curl is what everybody has. Without it
// this fails: nothing else shows that a stranger's client gets on with the
// simulation.
func TestCurlGetsTheDocumentedAnswers(t *testing.T) {
	_, err := exec.LookPath("curl")
	require.NoError(t, err, "curl is needed for this test")
	w, file := curlWorld(t)
	s, err := simulator.Start(w, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	path := filepath.Join(t.TempDir(), "license.lic")
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	out, err := exec.CommandContext(t.Context(), "sh", "testdata/curl.sh", strings.TrimPrefix(s.URL(), "https://"), path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.True(t, strings.HasSuffix(string(out), "all as documented\n"), string(out))
}

func TestAnEmptyListOfEnvironmentsHasNoBody(t *testing.T) {
	_, err := exec.LookPath("curl")
	require.NoError(t, err, "curl is needed for this test")
	w, _ := curlWorld(t)
	w.Unregister("Production")
	s, err := simulator.Start(w, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	out, err := exec.CommandContext(t.Context(), "curl", "-k", "-s", "-S", "-w", "%{http_code}",
		"--connect-to", "::"+strings.TrimPrefix(s.URL(), "https://"), "-H", "Authorization: Bearer "+simulator.DefaultToken,
		"https://lt.example.test/lifetimeapi/rest/v2/environments/").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "204", string(out))
}
