package temporal

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	goBlock = regexp.MustCompile("(?s)<!-- (\\S+\\.go) -->\n```go\n(.*?)```")
	anyGo   = regexp.MustCompile("(?m)^```go$")
)

// The README is compiled: every Go block stands word for word in a file that is
// compiled, named in the comment before it.
func TestReadmeCodeIsCompiled(t *testing.T) {
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := goBlock.FindAllStringSubmatch(string(b), -1)
	require.NotEmpty(t, blocks)
	require.Len(t, anyGo.FindAllString(string(b), -1), len(blocks), "every Go block names the file that it is from")
	for _, block := range blocks {
		source, err := os.ReadFile(block[1])
		require.NoError(t, err)
		require.Contains(t, string(source), block[2])
	}
}

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
