package temporal

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/golden"
)

func TestReadmeCodeIsCompiled(t *testing.T) { golden.Compiled(t, "README.md") }

// Every activity, verb and query that there is stands in the README.
func TestReadmeNamesEverything(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("handlers.go")
	require.NoError(t, err)
	names := regexp.MustCompile(`(?:update|query)\("([a-z]+)"`).FindAllStringSubmatch(string(source), -1)
	require.Len(t, names, 10)
	for _, name := range names {
		require.Contains(t, string(b), "| `"+name[1]+"` |", "the table has %s", name[1])
	}
	for _, name := range []string{WorkflowName, FleetName, strings.TrimSuffix(activityName(""), "."), WorkflowID("NAME"), fleetID("NAME")} {
		require.Contains(t, string(b), "`"+name, name)
	}
}
