package verbs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/examples/changeover/internal/verbs"
)

// all are the verbs.
func all() []string {
	return []string{
		"init", "check", "plan", "apply", "status", "explain", "hold", "release", "resolve", "resume", "rollback",
		"report", "runbook", "diagram", "verify", "rehearse", "simulate",
	}
}

func call(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = verbs.Run(t.Context(), args, verbs.IO{In: strings.NewReader(""), Out: &o, Err: &e})
	return code, o.String(), e.String()
}

func TestEveryVerbHelps(t *testing.T) {
	_, root, _ := call(t, "--help")
	for _, verb := range all() {
		t.Run(verb, func(t *testing.T) {
			code, out, errOut := call(t, verb, "--help")
			require.Zero(t, code)
			require.Empty(t, errOut)
			require.Regexp(t, `(?m)^Examples:\n  changeover `+verb+`\b`, out)
			require.Contains(t, out, "--json")
			require.Contains(t, out, "--state")
			require.Regexp(t, `(?m)^  `+verb+` +[A-Z]`, root, "it is in the list")
			for line := range strings.Lines(out) {
				require.LessOrEqual(t, len([]rune(line)), 130, line)
			}
		})
	}
	listed := regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`).FindAllStringSubmatch(root, -1)
	require.Len(t, listed, len(all())+2, "and completion, help")
}

func TestShellsCanCompleteIt(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		t.Run(shell, func(t *testing.T) {
			code, out, _ := call(t, "completion", shell)
			require.Zero(t, code)
			require.Contains(t, out, "changeover")
			require.Greater(t, len(out), 1000)
		})
	}
	for _, c := range []struct {
		line string
		want []string
	}{
		{"rep", []string{"report"}},
		{"report --format ", []string{"html", "csv", "markdown"}},
		{"diagram --of ", []string{"rollback-infrastructure"}},
		{"rehearse --fault ", []string{"ipp", "answerLost"}},
	} {
		t.Run("what follows "+c.line, func(t *testing.T) {
			_, out, _ := call(t, append([]string{"__complete"}, strings.Split(c.line, " ")...)...)
			for _, want := range c.want {
				require.Contains(t, out, want)
			}
		})
	}
}

func TestAnErrorIsADocumentToo(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, verb := range all() {
		for name, args := range map[string][]string{
			"where there is nothing":     {verb, "--json"},
			"with a flag there is not":   {verb, "--json", "--color"},
			"before it a wrong flag":     {verb, "--color", "--json"},
			"and it is not plain":        {verb, "--json=maybe"},
			"with arguments too many":    {verb, "--json", "a", "b", "c"},
			"with a file that is folder": {verb, "--json", "--plan", ".", "--state", "."},
		} {
			t.Run(verb+" "+name, func(t *testing.T) {
				code, out, errOut := call(t, args...)
				if verb == "init" && strings.Contains(name, "nothing") {
					errOut = "" // it asks there
				}
				require.Equal(t, 1, code)
				require.Empty(t, errOut)
				var f struct {
					Error    string
					ExitCode int
				}
				d := json.NewDecoder(strings.NewReader(out))
				require.NoError(t, d.Decode(&f), out)
				require.False(t, d.More())
				require.NotEmpty(t, f.Error)
				require.Equal(t, 1, f.ExitCode)
			})
		}
	}
}

func TestHelpIsADocumentToo(t *testing.T) {
	for _, line := range []string{"--json", "help --json", "--help --json", "apply --json --help", "help apply --json", "completion --json"} {
		t.Run(line, func(t *testing.T) {
			code, out, errOut := call(t, strings.Fields(line)...)
			require.Zero(t, code)
			require.Empty(t, errOut)
			var d map[string]string
			require.NoError(t, json.Unmarshal([]byte(out), &d), out)
			require.Contains(t, d["help"], "Usage:")
		})
	}
	code, out, errOut := call(t, "status", "--bogus", "--json=false")
	require.Equal(t, 1, code)
	require.Empty(t, out)
	require.Contains(t, errOut, "unknown flag: --bogus")
	_, out, errOut = call(t, "status", "--bogus", "--", "--json")
	require.Empty(t, out, "behind -- it is no flag")
	require.NotEmpty(t, errOut)
}

// begun prepares a run that a fault holds up, and returns its directory.
func begun(t *testing.T, faults ...string) (dir string, sim *terminal) {
	t.Helper()
	dir = t.TempDir()
	t.Chdir(dir)
	code, _, errOut := call(t, "init", "--example")
	require.Zero(t, code, errOut)
	line := "changeover simulate"
	for _, f := range faults {
		line += " --fault " + f
	}
	sim = open(t, dir, line)
	sim.await(t, "interrupt it to end")
	code, _, errOut = call(t, "plan")
	require.Zero(t, code, errOut)
	return dir, sim
}

func digest(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("changeover-state/plan.json")
	require.NoError(t, err)
	var p struct{ Digest string }
	require.NoError(t, json.Unmarshal(b, &p))
	return p.Digest
}

// TestWhoLooksAtARunContactsNobody gives every port to a program that leaves a
// trace, in the plan file that was kept.
func TestWhoLooksAtARunContactsNobody(t *testing.T) {
	dir, sim := begun(t, "Quality=serialMissing") // so that there is something to hold
	code, _, errOut := call(t, "apply", "--yes", digest(t))
	require.Equal(t, 3, code, errOut)
	require.NoError(t, sim.cmd.Process.Kill())
	require.NoError(t, os.RemoveAll("simulation"))

	trace := filepath.Join(dir, "trace")
	b, err := os.ReadFile("changeover-state/plan.yaml")
	require.NoError(t, err)
	plan, _, found := bytes.Cut(b, []byte("\nadapters:"))
	require.True(t, found)
	trapped := string(plan) + "\nadapters:\n  connect: {command: [trap, " + trace + "]}\n"
	for _, port := range []string{"portal", "serviceCenter", "lifeTime", "vault", "support", "operator"} {
		trapped += "  " + port + ": {use: command, command: [trap, " + trace + "]}\n"
	}
	require.NoError(t, os.WriteFile("changeover-state/plan.yaml", []byte(trapped), 0o600))
	for _, args := range [][]string{
		{"status"}, {"status", "--json"}, {"explain"}, {"explain", "Quality"}, {"verify"}, {"report"}, {"report", "--format", "html"},
		{"report", "--format", "csv"}, {"diagram"}, {"diagram", "--of", "move", "--format", "svg"}, {"hold", "--why", "x"}, {"release", "--why", "x"},
	} {
		code, _, errOut := call(t, args...)
		if args[0] == "status" {
			code -= 3 // the run is Held
		}
		require.Zero(t, code, "%v %s", args, errOut)
		require.NoFileExists(t, trace, args)
	}
	// The trap is one.
	require.NoError(t, os.WriteFile("trapped.yaml", []byte(trapped), 0o600))
	code, _, _ = call(t, "check", "--plan", "trapped.yaml")
	require.Equal(t, 1, code)
	require.FileExists(t, trace)
}

func TestOnlyTheNameOpensTheGate(t *testing.T) {
	for name, typed := range map[string]string{
		"another letter case":  "example\n",
		"the end of the input": "\x04",
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := begun(t)
			term := open(t, dir, "changeover apply")
			term.await(t, `Type "Example" to go on`)
			term.types(t, typed)
			require.Equal(t, 3, term.ends(t), term.text())
			require.Contains(t, term.text(), "Held")
			require.NotContains(t, term.text(), "gateOpened")
		})
	}
	t.Run("and only the name begins a rollback", func(t *testing.T) {
		dir, _ := begun(t)
		code, _, errOut := call(t, "apply", "--yes", digest(t))
		require.Zero(t, code, errOut)
		before, err := os.ReadFile("changeover-state/journal.jsonl")
		require.NoError(t, err)
		term := open(t, dir, "changeover rollback --why test")
		term.await(t, `Type "Example" to go on`)
		term.types(t, "Exampl\n")
		require.Equal(t, 1, term.ends(t), term.text())
		after, err := os.ReadFile("changeover-state/journal.jsonl")
		require.NoError(t, err)
		require.Equal(t, before, after)
		term = open(t, dir, "changeover rollback --why test")
		term.await(t, `Type "Example" to go on`)
		term.types(t, "Example\n")
		require.Equal(t, 2, term.ends(t), term.text())
	})
}

func TestThePageShowsTheRunWhileItIsAtWork(t *testing.T) {
	dir, _ := begun(t, "Quality=hang@DownloadLicense")
	term := open(t, dir, "changeover apply --page --plain")
	term.await(t, "Quality         begins in Paused, leg refresh")
	address := regexp.MustCompile(`live page: (http://127\.0\.0\.1:\d+/\S+)`).FindStringSubmatch(term.text())
	require.NotNil(t, address, term.text())
	get := func(url string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	code, body := get(address[1])
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, body, "Quality")
	code, _ = get(address[1][:len(address[1])-4])
	require.NotEqual(t, http.StatusOK, code, "without its token it is not shown")
	require.NoError(t, term.cmd.Process.Signal(os.Interrupt))
	require.Equal(t, 3, term.ends(t), term.text())
}

func TestACanceledCommandEnds(t *testing.T) {
	t.Chdir(t.TempDir())
	_, _, _ = call(t, "init", "--example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	require.Zero(t, verbs.Run(ctx, []string{"simulate"}, verbs.IO{In: strings.NewReader(""), Out: &out, Err: &out}), out.String())
}
