package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the folder of the module, seen from this package's tests.
const root = "../.."

// A pkg is a parsed package: every file of its folder, whatever the operating
// system that the file is for.
type pkg struct {
	path  string // folder within the module; "." for the root
	name  string
	files []file
}

// A file is a parsed Go file.
type file struct {
	path string // within the module, with slashes
	test bool
	ast  *ast.File
	fset *token.FileSet
}

// at names the place of a node as path:line.
func (f file) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(n.Pos()).Line)
}

// folder turns the import path of a package of this module into its folder;
// ours is false for any other import path.
func folder(importPath string) (dir string, ours bool) {
	if importPath == module {
		return ".", true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// parse parses sources into a package; sources alternate between the name of a
// file and its text. It serves the tests of the rules.
func parse(t *testing.T, dir string, sources ...string) pkg {
	t.Helper()
	p := pkg{path: dir}
	fset := token.NewFileSet()
	for i := 0; i < len(sources); i += 2 {
		f, err := parser.ParseFile(fset, sources[i], sources[i+1], parser.ParseComments)
		require.NoError(t, err)
		test := strings.HasSuffix(sources[i], "_test.go")
		if !test {
			p.name = f.Name.Name
		}
		p.files = append(p.files, file{path.Join(dir, sources[i]), test, f, fset})
	}
	return p
}

// load parses every package of the module.
func load(t *testing.T) []pkg {
	t.Helper()
	var pkgs []pkg
	fset := token.NewFileSet()
	type listed struct {
		ImportPath, Name, Dir                                        string
		GoFiles, CgoFiles, IgnoredGoFiles, TestGoFiles, XTestGoFiles []string
	}
	for _, l := range goList[listed](t, nil, "-json=ImportPath,Name,Dir,GoFiles,CgoFiles,IgnoredGoFiles,TestGoFiles,XTestGoFiles", "./...") {
		dir, ours := folder(l.ImportPath)
		require.True(t, ours, l.ImportPath)
		p := pkg{path: dir, name: l.Name}
		names := slices.Concat(l.GoFiles, l.CgoFiles, l.IgnoredGoFiles, l.TestGoFiles, l.XTestGoFiles)
		slices.Sort(names)
		for _, name := range names {
			f, err := parser.ParseFile(fset, filepath.Join(l.Dir, name), nil, parser.ParseComments)
			require.NoError(t, err)
			p.files = append(p.files, file{path.Join(dir, name), strings.HasSuffix(name, "_test.go"), f, fset})
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

// goList runs go list -json and decodes the stream that it prints.
func goList[T any](t *testing.T, env []string, args ...string) []T {
	t.Helper()
	out := run(t, env, "go", append([]string{"list"}, args...)...)
	var all []T
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var one T
		if err := dec.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, one)
	}
}

// run runs a command in the module's folder and returns what it prints.
func run(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%v\n%s", cmd, &stderr)
	return out
}

// tree lists the files of the repository that are tracked, or would be, with
// slashes and in order.
func tree(t *testing.T) []string {
	t.Helper()
	out := run(t, nil, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
	var files []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil { // not one that was deleted a moment ago
			files = append(files, name)
		}
	}
	slices.Sort(files)
	return files
}
