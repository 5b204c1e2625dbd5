package filevault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// permitted are the names through which this package may reach a file system.
// Whatever could open an existing backup for writing, rename onto it, truncate
// or unlink it is not among them (reliability.md BK2); what creates and removes
// is counted below.
var permitted = []string{
	"fs.ErrNotExist",
	"disk.Aside", "disk.Directory", "disk.FS", "disk.Info", "disk.Open", "disk.RefusedError", "disk.WriteAll",
	// of a directory
	"d.Close", "d.CreateNew", "d.Info", "d.Link", "d.Lstat", "d.Names", "d.OpenFile to read", "d.Path", "d.Remove", "d.Sync", "d.SyncParent",
	// of a file
	"f.Close", "f.Stat", "f.Sync",
}

func TestNoCodeCouldChangeOrRemoveABackup(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	calls := map[string]int{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(e.Name())
		require.NoError(t, err)
		for name, n := range fileCalls(t, e.Name(), string(source)) {
			calls[name] += n
		}
	}
	for name := range calls {
		require.Contains(t, permitted, name)
	}
	require.Equal(t, 1, calls["d.Remove"], "in one place, which removes only temporary names")
	require.Equal(t, 1, calls["d.CreateNew"], "in one place, which creates what did not exist")
	require.Equal(t, 1, calls["disk.WriteAll"], "and there it is written")
}

func TestTheSourceCheckNoticesWhatItForbids(t *testing.T) {
	for _, statement := range []string{
		`d.Root.Rename("a", "b")`, `os.Rename("a", "b")`, `os.Truncate("a", 0)`, `f.Truncate(0)`, `os.WriteFile("a", nil, 0)`,
		`d.OpenFile("a", true)`, `d.OpenFile("a", write)`, `d.OpenOrCreate("a")`, `d.OpenIfThere("a", false)`, `os.RemoveAll("a")`,
		`d.Root.OpenFile("a", true)`, `os.OpenFile("a", os.O_RDWR|os.O_TRUNC, 0)`, `f.WriteAt(nil, 0)`, `d.Root.Remove("a")`, `syscall.Unlink("a")`,
	} {
		calls := fileCalls(t, "wrong.go", "package p\nfunc _() { "+statement+" }")
		require.NotEmpty(t, calls)
		bad := slices.ContainsFunc(slices.Collect(keys(calls)), func(name string) bool { return !slices.Contains(permitted, name) })
		require.True(t, bad, statement)
	}
}

// fileCalls counts what source takes from the packages and values through
// which files are reached.
func fileCalls(t *testing.T, name, source string) map[string]int {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
	require.NoError(t, err)
	calls := map[string]int{}
	reads := map[*ast.SelectorExpr]bool{} // OpenFile that opens for reading
	ast.Inspect(parsed, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 2 {
			sel, isSelector := call.Fun.(*ast.SelectorExpr)
			if write, ok := call.Args[1].(*ast.Ident); ok && isSelector && write.Name == "false" {
				reads[sel] = true
			}
		}
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of := ""
		switch x := sel.X.(type) {
		case *ast.Ident:
			of = x.Name
		case *ast.SelectorExpr:
			of = x.Sel.Name // d.Root
		}
		switch of {
		case "d", "safe":
			if !ast.IsExported(sel.Sel.Name) || sel.Sel.Name == "Twice" {
				return true // one of this package
			}
			called := "d." + sel.Sel.Name
			if reads[sel] {
				called += " to read"
			}
			calls[called]++
		case "os", "fs", "syscall", "disk", "f", "Root", "Directory", "ioutil", "unix":
			calls[of+"."+sel.Sel.Name]++
		}
		return true
	})
	return calls
}

func keys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
