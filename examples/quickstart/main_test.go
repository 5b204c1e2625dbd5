package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/license"
)

// quickstart runs the program and returns its exit code and what it printed.
func quickstart(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func stateDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	return dir
}

type reported struct {
	Verdict      string
	Environments []struct {
		Name, State string
		Installed   struct{ Role string }
	}
	SupportCase struct {
		Body         string
		Environments []string
	}
	Timeline []struct{ What, Condition string }
}

func readReport(t *testing.T, out string) (r reported) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(out), &r), "%s", out)
	return r
}

// TestLicenseFilesBeside pins the files beside the program: they are what the
// simulated portal would issue for the plan. UPDATE_GOLDEN=1 writes them anew.
func TestLicenseFilesBeside(t *testing.T) {
	plan, err := (&options{}).readPlan()
	require.NoError(t, err)
	w := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	for _, env := range plan.Infrastructure.Environments {
		require.NoError(t, w.Set().Portal.RegisterSerial(t.Context(), plan.Target, env))
		for role, code := range map[license.Role]license.ActivationCode{license.Source: plan.Source, license.Target: plan.Target} {
			want, err := w.Set().Portal.FetchLicense(t.Context(), code, env)
			require.NoError(t, err)
			path := filepath.FromSlash(licensePath(env.Name, role))
			if os.Getenv("UPDATE_GOLDEN") != "" {
				require.NoError(t, os.MkdirAll("licenses", 0o755))
				require.NoError(t, os.WriteFile(path, want.Bytes(), 0o644))
			}
			b, err := os.ReadFile(path)
			require.NoError(t, err, "run the test with UPDATE_GOLDEN=1")
			got, err := license.NewFile(b)
			require.NoError(t, err)
			wantDetails, err := license.Inspect(want)
			require.NoError(t, err)
			gotDetails, err := license.Inspect(got)
			require.NoError(t, err)
			require.Equal(t, wantDetails, gotDetails, "%s", path)
		}
	}
}

func TestWithoutFaultsItCompletes(t *testing.T) {
	code, out, errOut := quickstart(t, "-state", stateDir(t))
	require.Equal(t, 0, code, "%s%s", out, errOut)
	require.Contains(t, out, "Completed")
	require.Empty(t, errOut)
}

func TestAnIPPErrorIsRolledBack(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-fault", "Quality=ipp", "-json")
	require.Equal(t, 2, code)
	r := readReport(t, out)
	require.Equal(t, "RolledBack", r.Verdict)
	for _, env := range r.Environments {
		require.Equal(t, "source", env.Installed.Role, "%s", env.Name)
	}
	require.Contains(t, r.SupportCase.Body, "migration step 3")
}

func TestMissingSerialsAreCollectedInOneCase(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-fault", "Development=serialMissing", "-fault", "Quality=serialMissing", "-json")
	require.Equal(t, 3, code)
	r := readReport(t, out)
	require.Equal(t, "Held", r.Verdict)
	require.Equal(t, []string{"Quality", "Development"}, r.SupportCase.Environments, "both, in the order of the plan")
	require.Contains(t, r.SupportCase.Body, "Quality")
	require.Contains(t, r.SupportCase.Body, "Development")
}

func TestALostAnswerIsObserved(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-fault", "Production=answerLost@SetLicense", "-json")
	require.Equal(t, 0, code)
	lines := ""
	for _, e := range readReport(t, out).Timeline {
		lines += e.What + "\n"
	}
	require.Contains(t, lines, "doubt")
	require.Contains(t, lines, "observed")
}

func TestAsWrittenNeverInstallsTheTarget(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-profile", "as-written")
	require.Equal(t, 0, code)
	require.Contains(t, out, "never installs")
	require.NotContains(t, out, "target license")
}

func TestARollbackThatDoesNotReachEveryoneIsMixed(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-fault", "Development=ipp", "-fault", "Quality=restoreFails")
	require.Equal(t, 4, code, "%s", out)
}

func TestAFaultCanHappenToAnyEnvironment(t *testing.T) {
	code, out, _ := quickstart(t, "-state", stateDir(t), "-fault", "offlineUnknown")
	require.Equal(t, 3, code, "%s", out)
	require.Contains(t, out, "IsOffline")
}

func TestTheWorldCanBeCalledDirectly(t *testing.T) {
	dir := stateDir(t)
	code, out, errOut := quickstart(t, "-state", dir, "-fake")
	require.Equal(t, 0, code, "%s%s", out, errOut)
	require.Contains(t, out, "Completed")
	require.NotContains(t, out, "https://")
	code, _, errOut = quickstart(t, "-state", dir, "-fake")
	require.Equal(t, 0, code, "what is kept is gone on with: %s", errOut)
	code, _, errOut = quickstart(t, "-state", dir)
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "begun with -fake")
}

func TestAnInterruptedRunIsTakenUpAgain(t *testing.T) {
	dir := stateDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errOut bytes.Buffer
	// The run is told to stop as soon as Production shows its target license.
	w := writerFunc(func(b []byte) (int, error) {
		if strings.Contains(string(b), "IPVerified") && strings.Contains(out.String(), "Moved") == false && strings.Contains(string(b), "Production") {
			cancel()
		}
		return out.Write(b)
	})
	code := run(ctx, []string{"-state", dir}, w, &errOut)
	cancel()
	require.Equal(t, 3, code, "%s%s", out.String(), errOut.String())
	require.Contains(t, out.String(), "stopped between two steps")
	code, again, errText := quickstart(t, "-state", dir)
	require.Equal(t, 0, code, "%s%s", again, errText)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func TestRefusalsWriteNothing(t *testing.T) {
	for name, args := range map[string][]string{
		"no such plan":                       {"-plan", "no-such-file.json"},
		"unknown profile":                    {"-profile", "nonsense"},
		"unknown fault":                      {"-fault", "Quality=nonsense"},
		"unknown environment":                {"-fault", "Nowhere=ipp"},
		"any, of a kind that happens to one": {"-fault", "ipp"},
		"a fault without a wire":             {"-fault", "Quality=ipp", "-fake"},
		"stray argument":                     {"stray"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stateDir(t)
			code, out, errOut := quickstart(t, append([]string{"-state", dir}, args...)...)
			require.Equal(t, 1, code)
			require.Empty(t, out)
			require.NotEmpty(t, errOut)
			require.NoDirExists(t, dir)
		})
	}
}

func TestAStateDirectoryOfAnotherPlanIsRefused(t *testing.T) {
	dir := stateDir(t)
	code, _, _ := quickstart(t, "-state", dir)
	require.Equal(t, 0, code)
	code, _, errOut := quickstart(t, "-state", dir, "-profile", "as-written")
	require.Equal(t, 1, code)
	require.Contains(t, errOut, "another state directory")
}
