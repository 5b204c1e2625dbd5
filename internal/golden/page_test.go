package golden_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/internal/golden"
)

func TestEveryGoBlockIsFromAFileThatIsCompiled(t *testing.T) {
	const named, code = "<!-- main.go -->\n", "```go\nif ok {\n\treturn\n}\n```\n"
	for name, test := range map[string]struct{ page, source, says string }{
		"word for word":          {named + code, "\tif ok {\n\t\treturn\n\t}\n", ""},
		"another word":           {named + code, "\tif no {\n\t\treturn\n\t}\n", "main.go does not contain this block"},
		"a block without a file": {named + code + "\n" + code, "if ok {\n\treturn\n}\n", "2 Go blocks, 1 of them"},
		"no block":               {"# nothing\n", "", "0 Go blocks"},
		"a file that is missing": {strings.ReplaceAll(named, "main", "none") + code, "", "none.go"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"README.md": test.page, "main.go": test.source} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := failure(t, func(tb testing.TB) { golden.Compiled(tb, filepath.Join(dir, "README.md")) })
			if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
				t.Errorf("it says %q, not %q", got, test.says)
			}
		})
	}
}
