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
// or unlink it is not among them (reliability.md BK2); Remove and the flags for
// creating are counted below.
var permitted = []string{
	// package os and io/fs
	"os.ErrNotExist", "os.Getuid", "os.Geteuid", "os.SameFile", "os.Lstat", "os.Mkdir", "os.OpenRoot", "os.Root", "os.File",
	"os.O_RDONLY", "os.O_WRONLY", "os.O_CREATE", "os.O_EXCL",
	"fs.DirEntry", "fs.ErrNotExist", "fs.FileInfo", "fs.FileMode", "fs.ModeSymlink", "fs.PathError", "fs.ReadDir",
	"syscall.O_NONBLOCK", "syscall.Stat_t", "syscall.ByHandleFileInformation", "syscall.GetFileInformationByHandle", "syscall.Handle",
	// methods of *os.Root
	"root.Close", "root.FS", "root.Link", "root.Lstat", "root.Open", "root.OpenFile", "root.Remove", "root.Stat",
	// methods of *os.File
	"f.Close", "f.Fd", "f.Stat", "f.Sync", "f.Write",
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
	require.Equal(t, 1, calls["root.Remove"], "in one place, which removes only temporary names")
	require.Equal(t, 1, calls["os.O_WRONLY"], "in one place")
	require.Equal(t, 1, calls["os.O_CREATE"], "and there it creates")
	require.Equal(t, 1, calls["os.O_EXCL"], "what did not exist")
	require.Equal(t, 1, calls["f.Write"])
}

func TestTheSourceCheckNoticesWhatItForbids(t *testing.T) {
	for _, statement := range []string{
		`d.root.Rename("a", "b")`, `os.Rename("a", "b")`, `os.Truncate("a", 0)`, `f.Truncate(0)`, `os.WriteFile("a", nil, 0)`,
		`d.root.WriteFile("a", nil, 0)`, `os.RemoveAll("a")`, `d.root.Create("a")`, `os.OpenFile("a", os.O_RDWR|os.O_TRUNC, 0)`,
		`f.WriteAt(nil, 0)`, `d.root.Chmod("a", 0)`, `syscall.Unlink("a")`,
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
	ast.Inspect(parsed, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		of := ""
		switch x := sel.X.(type) {
		case *ast.Ident:
			of = x.Name
		case *ast.SelectorExpr:
			of = x.Sel.Name // d.root
		}
		switch of {
		case "os", "fs", "syscall", "root", "f", "ioutil", "unix":
			calls[of+"."+sel.Sel.Name]++
		case "parent": // a directory that is only synced
			calls["root."+sel.Sel.Name]++
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
