package simulator_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestAScenarioNamesEverythingThatIsWrongAtOnce(t *testing.T) {
	scene := worldtest.New(t)
	_, err := simulator.ReadScenario(strings.NewReader(`{"faults": [
		{"kind": "answerLost", "environment": "Quality", "operation": "SetLicense"},
		{"kind": "explode\u001b", "environment": "Staging", "operation": "Reboot", "often": 3, "why": ""},
		{"kind": "thirdCode"},
		{"kind": "falseWithText", "operation": "environments"},
		{"kind": "notReached", "operation": "SetLicense"},
		{"kind": "publishFails", "environment": "Quality", "module": "Nothing"},
		{"kind": "elsewhere", "environment": "Quality", "other": "Quality"},
		{"kind": "changedByHand", "environment": "Quality", "code": "ABC", "skip": -1},
		{"kind": "serialChanged", "environment": "Quality", "serial": " "},
		{"kind": 7}
	], "version": 1}`), scene.World)
	require.Error(t, err)
	for _, want := range []string{
		`there is no key "version"`,
		`faults[1]: there is no kind "explode\u001b"; there is no operation "Reboot"; there is no environment "Staging"`,
		`faults[1]: there is no key "often"`, `faults[1]: there is no key "why"`,
		`faults[2]: thirdCode needs an environment`,
		`faults[3]: falseWithText does not happen to environments`,
		`faults[4]: notReached happens before any operation is known`,
		`faults[5]: there is no module "Nothing" in "Quality"`,
		`faults[6]: there is no other environment "Quality"`,
		`faults[7]: there is no code "ABC"; there are source, target, third and none; skip and count cannot be negative`,
		`faults[8]: serial: `, `faults[9]: json: `,
	} {
		require.Contains(t, err.Error(), want)
	}
	require.NotContains(t, err.Error(), "faults[0]")
	require.NotContains(t, err.Error(), "\x1b")
}

func TestAScenarioIsOneObjectOfLimitedSize(t *testing.T) {
	scene := worldtest.New(t)
	for name, text := range map[string]string{
		"empty": "", "a list": "[]", "no faults": "{}", "two objects": `{"faults":[]} {}`, "null": "null",
		"faults that are no list": `{"faults":{}}`, "too large": `{"faults":[]}` + strings.Repeat(" ", simulator.MaxScenario),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := simulator.ReadScenario(strings.NewReader(text), scene.World)
			require.Error(t, err)
		})
	}
	s, err := simulator.ReadScenario(strings.NewReader(`{"faults":[]}`), scene.World)
	require.NoError(t, err)
	require.Empty(t, s.Faults)
}

// What one fault is wrong about keeps all others from happening.
func TestFaultsAreInjectedAllOrNone(t *testing.T) {
	scene := worldtest.New(t)
	faults := []simulator.Fault{{Kind: "thirdCode", Environment: "Quality"}, {Kind: "nothing"}}
	_, err := simulator.Start(scene.World, &simulator.Options{Scenario: simulator.Scenario{Faults: faults}})
	require.ErrorContains(t, err, `faults[1]: there is no kind "nothing"`)
	s := start(t, scene, nil)
	require.Error(t, s.Inject(faults...))
	require.Equal(t, scene.Source, scene.Installed("Quality").Code)
}

func TestFaultsAreSetAndEffectsReadOverTheWire(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	for _, token := range []string{"", "x", r.sim.AdminToken() + "x"} {
		got := r.send("POST", "https://"+simulator.AdminHost+"/faults", map[string]string{simulator.AdminHeader: token}, `{"faults":[{"kind":"thirdCode","environment":"Quality"}]}`)
		require.Equal(t, 401, got.status)
	}
	require.Equal(t, r.Source, r.installed(r.Quality))
	got := r.admin("POST", "/faults", `{"faults":[{"kind":"hang","environment":"Quality","skip":2},{"kind":"thirdCode","environment":"Quality"}]}`)
	require.Equal(t, 200, got.status)
	require.JSONEq(t, `{"faults":[{"kind":"hang","environment":"Quality","skip":2,"times":1}]}`, got.body)
	require.NotEqual(t, r.Source, r.installed(r.Quality))
	got = r.admin("POST", "/faults", `{"faults":[{"kind":"x"},{"kind":"y"}],"z":1}`)
	require.Equal(t, 400, got.status)
	var wrong struct{ Errors []string }
	require.NoError(t, json.Unmarshal([]byte(got.body), &wrong))
	require.Len(t, wrong.Errors, 3)
	var effects []string
	require.NoError(t, json.Unmarshal([]byte(r.admin("GET", "/effects", "").body), &effects))
	require.Len(t, effects, 1)
	require.Contains(t, effects[0], "InstallByHand in Quality")
	require.NotContains(t, effects[0], "THI")
	require.Equal(t, len(simulator.Kinds()), strings.Count(r.admin("GET", "/kinds", "").body, `"Meaning"`))
	require.Equal(t, len(simulator.Operations()), strings.Count(r.admin("GET", "/operations", "").body, `"Meaning"`))
	require.Equal(t, 404, r.admin("GET", "/", "").status)
	require.Equal(t, 404, r.admin("DELETE", "/faults", "").status)
	got = r.send("POST", r.sim.URL()+"/at/"+simulator.AdminHost+"/faults", map[string]string{simulator.AdminHeader: r.sim.AdminToken()}, `{"faults":[]}`)
	require.Equal(t, 200, got.status)
}

func TestEveryKindAndOperationHasANameAndASentence(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range simulator.Kinds() {
		require.NotEmpty(t, k.Meaning, k.Name)
		require.False(t, seen[k.Name], k.Name)
		seen[k.Name] = true
	}
	clear(seen)
	for _, op := range simulator.Operations() {
		require.NotEmpty(t, op.Meaning, op.Name)
		require.False(t, seen[op.Name], op.Name)
		seen[op.Name] = true
	}
}

func FuzzReadScenario(f *testing.F) {
	f.Add([]byte(`{"faults":[{"kind":"hang","environment":"Quality","skip":2},{"kind":"thirdCode","environment":"Quality"}]}`))
	f.Add([]byte(`{"faults":[{"kind":"x\u001b"}],"y":1}`))
	f.Add([]byte(`[`))
	env := environment.Environment{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "Q-1"}
	w := fake.New(environment.Infrastructure{Name: "Example", Environments: []environment.Environment{env}}, license.ActivationCode{}, license.ActivationCode{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := simulator.ReadScenario(strings.NewReader(string(b)), w)
		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			return
		}
		again, err := json.Marshal(s)
		require.NoError(t, err)
		twice, err := simulator.ReadScenario(strings.NewReader(string(again)), w)
		if len(s.Faults) > 0 {
			require.NoError(t, err)
			require.Equal(t, s, twice)
		}
	})
}
