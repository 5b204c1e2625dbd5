package changeover_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// The README is compiled: every Go block stands word for word in a file that
// is tested, named in the comment before it, and every drawing is generated
// from the table that runs. UPDATE_GOLDEN=1 draws them anew.

var (
	drawing   = regexp.MustCompile("(?s)<!-- drawing: ([^>]*?) -->\n```mermaid\n(.*?)```")
	anyDrawn  = regexp.MustCompile("(?m)^```mermaid$")
	planBlock = regexp.MustCompile("(?s)<!-- plan: (\\S+) -->\n```json\n(.*?)```")
	treeBlock = regexp.MustCompile("(?s)<!-- tree -->\n```\n(.*?)```")
)

func readme(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(b)
}

func TestReadmeCodeIsCompiled(t *testing.T) { golden.Compiled(t, "README.md") }

func TestReadmeDrawingsAreGenerated(t *testing.T) {
	profile := migration.Profiles()[0]
	refresh, move := profile.Legs[0], profile.Legs[1]
	tables := map[string]string{
		"one environment, refresh leg": draw(t, migration.EnvironmentTable(refresh, migration.Rules{MinCopies: 1, Accept: []license.IPP{license.Ignore}})),
		"one environment, move leg":    draw(t, migration.EnvironmentTable(move, migration.Rules{MinCopies: 1, Accept: []license.IPP{license.Unprotected}})),
		"one environment, back":        draw(t, rollback.EnvironmentTable()),
		"the infrastructure":           draw(t, migration.InfrastructureTable(profile)),
		"the infrastructure, back":     draw(t, rollback.InfrastructureTable()),
	}
	text := readme(t)
	found := drawing.FindAllStringSubmatch(text, -1)
	require.Len(t, anyDrawn.FindAllString(text, -1), len(found), "every drawing names its table")
	updated := drawing.ReplaceAllStringFunc(text, func(block string) string {
		name := drawing.FindStringSubmatch(block)[1]
		want, ok := tables[name]
		require.True(t, ok, "there is no table %q", name)
		delete(tables, name)
		return "<!-- drawing: " + name + " -->\n```mermaid\n" + want + "```"
	})
	require.Empty(t, tables, "these tables are not drawn")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile("README.md", []byte(updated), 0o644))
		return
	}
	require.Equal(t, updated, text, "the drawings differ from the tables; run the test with UPDATE_GOLDEN=1")
}

func TestReadmePlanIsTheExample(t *testing.T) {
	text := readme(t)
	block := planBlock.FindStringSubmatch(text)
	require.NotNil(t, block)
	want, err := os.ReadFile(block[1])
	require.NoError(t, err)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		text = strings.Replace(text, block[0], "<!-- plan: "+block[1]+" -->\n```json\n"+string(want)+"```", 1)
		require.NoError(t, os.WriteFile("README.md", []byte(text), 0o644))
		return
	}
	require.Equal(t, string(want), block[2])
}

func draw[F any](t *testing.T, table machine.Table[F]) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, table.WriteMermaid(&b))
	return b.String()
}

// TestReadmeTreeIsComplete compares the tree in the README with the folders
// that hold Go files.
func TestReadmeTreeIsComplete(t *testing.T) {
	block := treeBlock.FindStringSubmatch(readme(t))
	require.NotNil(t, block)
	var listed []string
	for line := range strings.Lines(block[1]) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			listed = append(listed, strings.TrimSuffix(name, "/"))
		}
	}
	var folders []string
	require.NoError(t, walkGo(".", &folders))
	slices.Sort(listed)
	slices.Sort(folders)
	require.Equal(t, folders, listed)
}

func walkGo(dir string, folders *[]string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if dir != "." && slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "go.mod" }) {
		*folders = append(*folders, strings.TrimPrefix(dir, "./")) // a module of its own has its own page
		return nil
	}
	hasGo := false
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() && name != "testdata" && !strings.HasPrefix(name, "."):
			if err := walkGo(dir+"/"+name, folders); err != nil {
				return err
			}
		case strings.HasSuffix(name, ".go"):
			hasGo = true
		}
	}
	if path := strings.TrimPrefix(dir, "./"); hasGo && path != "." {
		*folders = append(*folders, path)
	}
	return nil
}
