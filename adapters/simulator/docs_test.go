package simulator_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/simulator"
)

const page = "../../docs/adapters.md"

var (
	consoleBlock  = regexp.MustCompile("(?s)<!-- console -->\n```console\n\\$ ((?:[^\n]*\\\\\n)*[^\n]*)\n(.*?)```")
	scenarioBlock = regexp.MustCompile("(?s)<!-- scenario -->\n```json\n(.*?)```")
	kindsBlock    = regexp.MustCompile("(?s)<!-- kinds -->\n(.*?)<!-- /kinds -->")
)

// TestTheDocumentationIsWhatHappens runs every command of docs/adapters.md and
// compares what it prints. UPDATE_GOLDEN=1 writes it anew.
func TestTheDocumentationIsWhatHappens(t *testing.T) {
	had, err := os.ReadFile(page)
	require.NoError(t, err)
	w, _ := curlWorld(t)
	s, err := simulator.Start(w, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()

	commands := 0
	want := consoleBlock.ReplaceAllStringFunc(string(had), func(block string) string {
		commands++
		command := consoleBlock.FindStringSubmatch(block)[1]
		run := exec.CommandContext(t.Context(), "sh", "-c", command)
		run.Env = append(os.Environ(), "address="+strings.TrimPrefix(s.URL(), "https://"))
		out, err := run.CombinedOutput()
		require.NoError(t, err, "%s\n%s", command, out)
		return fmt.Sprintf("<!-- console -->\n```console\n$ %s\n%s\n```", command, bytes.TrimRight(out, "\n"))
	})
	require.Equal(t, strings.Count(string(had), "```console"), commands, "every command is run")
	var kinds strings.Builder
	kinds.WriteString("<!-- kinds -->\n\n| kind | what happens |\n|---|---|\n")
	for _, k := range simulator.Kinds() {
		fmt.Fprintf(&kinds, "| %s | %s |\n", k.Name, k.Meaning)
	}
	kinds.WriteString("\n<!-- /kinds -->")
	want = kindsBlock.ReplaceAllLiteralString(want, kinds.String())
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(page, []byte(want), 0o644))
	} else {
		require.Equal(t, want, string(had), "run the test with UPDATE_GOLDEN=1")
	}

	scenarios := scenarioBlock.FindAllStringSubmatch(string(had), -1)
	require.NotEmpty(t, scenarios)
	for _, block := range scenarios {
		scenario, err := simulator.ReadScenario(strings.NewReader(block[1]), w)
		require.NoError(t, err)
		require.NoError(t, s.Inject(scenario.Faults...))
	}
}
