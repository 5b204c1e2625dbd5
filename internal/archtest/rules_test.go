package archtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rules are tested with small sources that break them: a rule that cannot
// fail protects nothing.

const p = module // short, for sources

func TestImportRules(t *testing.T) {
	plan := []permit{
		{"license", ""},
		{"adapters", "license"},
		{"kit", "adapters testing github.com/stretchr/testify"},
		{"examples/one", "public go.uber.org/zap"},
		{"internal/deep", "license"},
		{".", "license"},
	}
	imports := func(path string) string { return "package x\nimport _ \"" + path + "\"\n" }
	for _, c := range []struct{ name, dir, file, source, want string }{
		{"the standard library is free", "license", "a.go", imports("net/http"), ""},
		{"what is listed passes", "adapters", "a.go", imports(p + "/license"), ""},
		{"what is below a listed module passes", "examples/one", "a.go", imports("go.uber.org/zap/zapcore"), ""},
		{"what is not listed fails", "license", "a.go", imports(p + "/adapters"), "license/a.go: license must not import adapters"},
		{"what is below a listed package of ours fails", "adapters", "a.go", imports(p + "/license/below"), "adapters/a.go: adapters must not import license/below"},
		{"the root package fails where it is not listed", "license", "a.go", imports(p), "license/a.go: license must not import " + p},
		{"a module that begins like a listed one fails", "examples/one", "a.go", imports("go.uber.org/zapper"), "examples/one/a.go: examples/one must not import go.uber.org/zapper"},
		{"testing passes in a test kit", "kit", "a.go", imports("testing/iotest"), ""},
		{"testing fails elsewhere", "license", "a.go", imports("testing"), "license/a.go: license must not import testing"},
		{"tests are free", "license", "a_test.go", imports(p + "/adapters"), ""},
		{"files for other systems are not", "license", "a_windows.go", imports(p + "/adapters"), "license/a_windows.go: license must not import adapters"},
		{"public packages pass for examples", "examples/one", "a.go", imports(p + "/adapters"), ""},
		{"the root passes for examples", "examples/one", "a.go", imports(p), ""},
		{"internal packages fail for examples", "examples/one", "a.go", imports(p + "/internal/deep"), "examples/one/a.go: examples/one must not import internal/deep"},
		{"internal packages further down fail, too", "examples/one", "a.go", imports(p + "/adapters/internal/x"), "examples/one/a.go: examples/one must not import adapters/internal/x"},
		{"examples fail for examples", "examples/one", "a.go", imports(p + "/examples/two"), "examples/one/a.go: examples/one must not import examples/two"},
		{"an unlisted package fails", "stray", "a.go", "package stray\n", "stray is not in the floor plan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkImports(plan, []pkg{parse(t, c.dir, c.file, c.source)}))
		})
	}
	t.Run("a line that stands twice fails", func(t *testing.T) {
		same(t, "a is in the floor plan twice", checkImports([]permit{{"a", ""}, {"a", ""}}, nil))
	})
	t.Run("a permit for an unknown package fails", func(t *testing.T) {
		same(t, "the floor plan lets a import gone, which it does not have", checkImports([]permit{{"a", "gone"}}, nil))
	})
	t.Run("a line without a package fails", func(t *testing.T) {
		same(t, "b is in the floor plan but does not exist", checkExistence([]permit{{"a", ""}, {"b", ""}}, []pkg{{path: "a"}}))
	})
}

func TestTestImportRules(t *testing.T) {
	imports := func(path string) string { return "package x\nimport _ \"" + path + "\"\n" }
	for _, c := range []struct{ name, dir, source, want string }{
		{"siblings stay apart", "migration", imports(p + "/rollback"), "migration/a_test.go: must not import rollback: siblings are joined by their caller"},
		{"in both directions", "rollback", imports(p + "/migration"), "rollback/a_test.go: must not import migration: siblings are joined by their caller"},
		{"their children may be used", "rollback", imports(p + "/migration/journal"), ""},
		{"stateless has one importer", "environment/machine", imports("github.com/qmuntal/stateless"), ""},
		{"stateless has no other importer", "license", imports("github.com/qmuntal/stateless"), "license/a_test.go: must not import github.com/qmuntal/stateless: only environment/machine may"},
		{"testify is agreed to", "license", imports("github.com/stretchr/testify/require"), ""},
		{"other modules are not", "license", imports("example.test/other"), "license/a_test.go: must not import example.test/other: its module is not among those agreed to"},
		{"the test of an example uses what readers can use", "examples/one", imports(p + "/internal/engine"), "examples/one/a_test.go: must not import internal/engine: an example uses what its readers can use"},
		{"and golden files", "examples/one", imports(p + "/internal/golden"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkTestImports([]pkg{parse(t, c.dir, "a_test.go", c.source)}))
		})
	}
}

func TestReachRules(t *testing.T) {
	mod := func(path string, main bool) *struct {
		Path string
		Main bool
	} {
		return &struct {
			Path string
			Main bool
		}{path, main}
	}
	plan := []permit{{".", ""}, {"clean", ""}, {"kit", "testing"}, {"usesKit", ""}}
	g := newGraph([]node{
		{ImportPath: p, Imports: []string{"fmt", "go.uber.org/zap"}, Module: mod(p, true)},
		{ImportPath: p + "/clean", Imports: []string{"fmt"}, Module: mod(p, true)},
		{ImportPath: p + "/kit", Imports: []string{"testing"}, Module: mod(p, true)},
		{ImportPath: p + "/usesKit", Imports: []string{p + "/kit"}, Module: mod(p, true)},
		{ImportPath: "go.uber.org/zap", Imports: []string{"example.test/deep"}, Module: mod("go.uber.org/zap", false)},
		{ImportPath: "example.test/deep", Imports: []string{"testing"}, Module: mod("example.test/deep", false)},
		{ImportPath: "fmt", Standard: true},
		{ImportPath: "testing", Standard: true, Imports: []string{"fmt"}},
	})
	t.Run("testing, test kits and the way to them are named", func(t *testing.T) {
		same(t, strings.Join([]string{
			". reaches testing: " + p + " -> go.uber.org/zap -> example.test/deep -> testing",
			"usesKit reaches " + p + "/kit: " + p + "/usesKit -> " + p + "/kit",
			"usesKit reaches testing: " + p + "/usesKit -> " + p + "/kit -> testing",
		}, "\n"), checkReach(plan, g))
	})
	t.Run("testify is named", func(t *testing.T) {
		same(t, "clean reaches github.com/stretchr/testify/require: "+p+"/clean -> github.com/stretchr/testify/require", checkReach(plan, newGraph([]node{
			{ImportPath: p + "/clean", Imports: []string{"github.com/stretchr/testify/require"}},
		})))
	})
	t.Run("modules are counted once, without ours and the standard library", func(t *testing.T) {
		require.Equal(t, []string{"example.test/deep", "go.uber.org/zap"}, g.modules(p, p+"/clean", p))
	})
	t.Run("a module that was not agreed to is named", func(t *testing.T) {
		same(t, "example.test/deep is compiled in, but was not agreed to", checkModules(programModules, g.modules(p)))
	})
}

func TestGoModRules(t *testing.T) {
	good := func() goMod {
		var m goMod
		m.Module.Path, m.Go = module, goLine
		return m
	}
	path := func(s string) struct{ Path string } { return struct{ Path string }{s} }
	for _, c := range []struct {
		name   string
		change func(*goMod)
		want   string
	}{
		{"as it should be", func(m *goMod) {}, ""},
		{"another module", func(m *goMod) { m.Module.Path = "example.test/fork" }, `go.mod: the module is "example.test/fork", not "` + module + `"`},
		{"a go line of a patch release", func(m *goMod) { m.Go = "1.26.8" }, `go.mod: the go line is "1.26.8", not "1.26.0": a higher one shuts consumers out`},
		{"a toolchain", func(m *goMod) { m.Toolchain = "go1.27.0" }, "go.mod: the line toolchain go1.27.0 is for commands, not for libraries"},
		{"a replacement", func(m *goMod) {
			m.Replace = append(m.Replace, struct{ Old, New struct{ Path string } }{path("a.test/a"), path("../a")})
		}, "go.mod: replace a.test/a: consumers do not get what is replaced"},
		{"an exclusion", func(m *goMod) { m.Exclude = append(m.Exclude, path("a.test/a")) }, "go.mod: exclude a.test/a: consumers do not get what is excluded"},
		{"a tool", func(m *goMod) { m.Tool = append(m.Tool, path("a.test/a")) }, "go.mod: tool a.test/a: tools are run by version, so that consumers do not get their modules"},
		{"a requirement that was not agreed to", func(m *goMod) {
			m.Require = append(m.Require, struct {
				Path     string
				Indirect bool
			}{"a.test/a", false})
		}, "go.mod: require a.test/a: its module is not among those agreed to"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := good()
			c.change(&m)
			same(t, c.want, checkGoMod(m))
		})
	}
	t.Run("modules and their list agree", func(t *testing.T) {
		same(t, "", checkModuleList("# one a line\n.\nadapters/x\n", []string{"go.mod", "adapters/x/go.mod", "a/testdata/b/go.mod"}))
	})
	t.Run("a module without a line, a line without a module and a line twice fail", func(t *testing.T) {
		same(t, "allmodules: . is listed twice\nallmodules: the module in new is not listed\nallmodules: there is no module in gone",
			checkModuleList(".\n.\ngone\n", []string{"go.mod", "new/go.mod"}))
	})
}

func TestPackageCommentRule(t *testing.T) {
	for _, c := range []struct {
		name, dir string
		sources   []string
		want      string
	}{
		{"a package", "a", []string{"a.go", "// Package a is.\npackage a\n"}, ""},
		{"a name that is wrapped", "a", []string{"a.go", "// Package\n// a is.\npackage a\n"}, ""},
		{"a command", "examples/quickstart", []string{"main.go", "// Command quickstart shows.\npackage main\n"}, ""},
		{"a command by its name", "examples/quickstart", []string{"main.go", "// Quickstart shows.\npackage main\n"}, ""},
		{"none", "a", []string{"a.go", "package a\n"}, "a: no package comment"},
		{"one that stands apart", "a", []string{"a.go", "// Package a is.\n\npackage a\n"}, "a: no package comment"},
		{"one in a test", "a", []string{"a.go", "package a\n", "a_test.go", "// Package a is.\npackage a\n"}, "a: no package comment"},
		{"two", "a", []string{"a.go", "// Package a is.\npackage a\n", "b.go", "// Package a is, too.\npackage a\n"}, "a: several package comments: a/a.go, a/b.go"},
		{"a license header in its place", "a", []string{"a.go", "// Copyright somebody\n// Package a is.\npackage a\n"}, `a/a.go:1: the package comment begins with "Copyright somebody", not with "Package a "`},
		{"another name", "a", []string{"a.go", "// Package ab is.\npackage a\n"}, `a/a.go:1: the package comment begins with "Package ab is.", not with "Package a "`},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, c.want, checkPackageComment(parse(t, c.dir, c.sources...))) })
	}
}

func TestDocumentedRule(t *testing.T) {
	for _, c := range []struct{ name, dir, source, want string }{
		{"a function", "a", "// F does.\nfunc F() {}", ""},
		{"a function without", "a", "func F() {}", "a/a.go:2: F has no comment that begins with its name"},
		{"a function with another's", "a", "// G does.\nfunc F() {}", "a/a.go:3: F has no comment that begins with its name"},
		{"an article", "a", "// A T is.\ntype T int", ""},
		{"an article alone", "a", "// A\ntype T int", "a/a.go:3: T has no comment that begins with its name"},
		{"a group of types", "a", "type (\n// T is.\nT int\nU int\n)", "a/a.go:5: U has no comment that begins with its name"},
		{"a method", "a", "// T is.\ntype T int\nfunc (t *T) M() {}", "a/a.go:4: T.M has no comment that begins with its name"},
		{"a method of a generic type", "a", "// T is.\ntype T[A any] struct{}\nfunc (t *T[A]) M() {}", "a/a.go:4: T.M has no comment that begins with its name"},
		{"a method of two parameters", "a", "// T is.\ntype T[A, B any] struct{}\nfunc (t T[A, B]) M() {}", "a/a.go:4: T.M has no comment that begins with its name"},
		{"a method of a hidden type", "a", "type t int\nfunc (x t) M() {}", ""},
		{"hidden things", "a", "type t int\nfunc f() {}\nvar v = 1\nconst c = 1", ""},
		{"a constant", "a", "const C = 1", "a/a.go:2: C has no comment"},
		{"a constant with a remark", "a", "const C = 1 // one", ""},
		{"a group of constants", "a", "// The letters.\nconst (\nC = 1\nD = 2\n)", ""},
		{"a group with one bare constant", "a", "const (\n// C is.\nC = 1\nD = 2\n)", "a/a.go:5: D has no comment"},
		{"a variable", "a", "var ErrX = f()\nfunc f() error { return nil }", "a/a.go:2: ErrX has no comment"},
		{"an interface of one method", "a", "// I is.\ntype I interface{ M() }", ""},
		{"an interface of several", "a", "// I is.\ntype I interface {\n// M does.\nM()\nN()\n}", "a/a.go:6: I.N has no comment that begins with its name"},
		{"an internal package", "internal/a", "func F() {}", ""},
		{"an internal package further down", "b/internal/a", "func F() {}", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkDocumented(parse(t, c.dir, "a.go", "package a\n"+c.source+"\n")))
		})
	}
	t.Run("tests need none", func(t *testing.T) {
		same(t, "", checkDocumented(parse(t, "a", "a_test.go", "package a\nfunc F() {}\n")))
	})
	t.Run("commands need none", func(t *testing.T) {
		same(t, "", checkDocumented(parse(t, "a", "a.go", "package main\nfunc F() {}\n")))
	})
}

func TestLinkRule(t *testing.T) {
	b := parse(t, "b", "b.go", "package b\ntype T struct{ Field, hidden int }\nfunc (T) Method() {}\ntype I interface{ Do() }\nconst C = 1\nvar V = 1\nfunc F() {}\n")
	for _, c := range []struct{ name, comment, want string }{
		{"own symbols", "[F], [T], [T.Field], [T.M] and [*T]", ""},
		{"an own symbol that is gone", "[Gone]", "a/a.go:4: package a has no Gone to link to"},
		{"an own method that is gone", "[T.Gone]", "a/a.go:4: package a has no T.Gone to link to"},
		{"an imported package", "[b], [b.T], [b.T.Field], [b.T.Method], [b.I.Do], [b.C], [b.V] and [b.F]", ""},
		{"a symbol of an imported package that is gone", "[b.Gone]", "a/a.go:4: package b has no Gone to link to"},
		{"a field that is hidden", "[b.T.hidden]", ""},
		{"a full path", "[" + p + "/b.F] and [" + p + "/b]", ""},
		{"a full path to a symbol that is gone", "[" + p + "/b.Gone]", "a/a.go:4: package b has no Gone to link to"},
		{"a full path to a package that is gone", "[" + p + "/gone.F]", "a/a.go:4: there is no package gone to link to"},
		{"the standard library", "[fmt.Printf] and [strings.Nothing]", ""},
		{"a package that is not imported", "[c.F]", "a/a.go:4: [c] is no link, since the package does not import it: write the full path"},
		{"plain brackets", "[guardName] and [x.Y], a[I], [1]", ""},
		{"in a list", "Things:\n//   - [Gone]", "a/a.go:4: package a has no Gone to link to"},
		{"in a heading, which has no links", "Text.\n//\n// # About [Gone]\n//\n// Text.", ""},
		{"in an example of code", "Text:\n//\n//\t[Gone]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := parse(t, "a", "a.go", "// Package a is.\npackage a\nimport \""+p+"/b\"\n// F does: "+c.comment+"\nfunc F() {}\ntype T struct { Field b.T }\nfunc (*T) M() {}\n")
			same(t, c.want, checkLinks([]pkg{a, b, parse(t, "c", "c.go", "package c\nfunc F() {}\n")}))
		})
	}
	t.Run("another file's import", func(t *testing.T) {
		a := parse(t, "a", "a.go", "package a\nimport _ \"fmt\"\n", "b.go", "package a\nimport \""+p+"/b\"\nvar v b.T\n", "c.go", "package a\n// F does [b.F] and [b.Gone].\nfunc F() {}\n")
		same(t, "a/c.go:2: package b has no Gone to link to", checkLinks([]pkg{a, b}))
	})
	for _, c := range []struct{ name, source, want string }{
		{"of the package", "// Package a is [Gone].\npackage a\n", "a/a.go:1: package a has no Gone to link to"},
		{"of a field", "package a\ntype t struct {\n// See [Gone].\nf int\n}\n", "a/a.go:3: package a has no Gone to link to"},
		{"of a method of an interface", "package a\ntype t interface {\n// See [Gone].\nf()\n}\n", "a/a.go:3: package a has no Gone to link to"},
		{"of a constant", "package a\nconst (\n// See [Gone].\nc = 1\n)\n", "a/a.go:3: package a has no Gone to link to"},
	} {
		t.Run("in the comment "+c.name, func(t *testing.T) { same(t, c.want, checkLinks([]pkg{parse(t, "a", "a.go", c.source)})) })
	}
}

func TestBanRules(t *testing.T) {
	bans := []ban{
		{what: "time.Now", scope: code, why: "W"},
		{what: "time.Sleep", scope: everywhere, why: "W"},
		{what: "math/rand/v2.*", but: "New NewPCG", scope: everywhere, why: "W"},
		{what: ".Rename", only: "vault", scope: code, why: "W"},
		{what: "panic", scope: code, why: "W"},
		{what: "init", scope: everywhere, why: "W"},
		{what: "os.Exit", scope: library, why: "W"},
		{what: ".Skip", scope: tests, why: "W"},
	}
	plan := []permit{{"kit", "testing"}}
	for _, c := range []struct{ name, dir, file, source, want string }{
		{"a call", "a", "a.go", "import \"time\"\nvar t = time.Now()", "a/a.go:3: time.Now: W"},
		{"a value", "a", "a.go", "import \"time\"\nvar now = time.Now", "a/a.go:3: time.Now: W"},
		{"under another name", "a", "a.go", "import clock \"time\"\nvar t = clock.Now()", "a/a.go:3: time.Now: W"},
		{"by a dot import", "a", "a.go", "import . \"time\"\nvar t = Now()", "a/a.go:2: a dot import hides where names come from"},
		{"a method of the same name", "a", "a.go", "import _ \"time\"\nfunc f(time interface{ Now() }) { time.Now() }", ""},
		{"in a test, where it is allowed", "a", "a_test.go", "import \"time\"\nvar t = time.Now()", ""},
		{"in a test, where it is not", "a", "a_test.go", "import \"time\"\nfunc f() { time.Sleep(1) }", "a/a_test.go:3: time.Sleep: W"},
		{"any name of a package", "a", "a.go", "import \"math/rand/v2\"\nvar n = rand.IntN(3)", "a/a.go:3: math/rand/v2.IntN: W"},
		{"but those excepted", "a", "a.go", "import \"math/rand/v2\"\nvar n = rand.New(rand.NewPCG(1, 2))", ""},
		{"a method", "vault", "a.go", "func f(r interface{ Rename() }) { r.Rename() }", "vault/a.go:2: .Rename: W"},
		{"a method elsewhere", "a", "a.go", "func f(r interface{ Rename() }) { r.Rename() }", ""},
		{"a builtin", "a", "a.go", "func f() { panic(1) }", "a/a.go:2: panic: W"},
		{"a function of its name", "a", "a.go", "func f(panic func(int)) { panic(1) }", ""},
		{"a function init", "a", "a.go", "func init() {}", "a/a.go:2: init: W"},
		{"a method init", "a", "a.go", "type t int\nfunc (t) init() {}", ""},
		{"for tests, in a test", "a", "a_test.go", "func f(t interface{ Skip() }) { t.Skip() }", "a/a_test.go:2: .Skip: W"},
		{"for tests, in a test kit", "kit", "a.go", "func f(t interface{ Skip() }) { t.Skip() }", "kit/a.go:2: .Skip: W"},
		{"for tests, elsewhere", "a", "a.go", "func f(d interface{ Skip() }) { d.Skip() }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkBans(plan, bans, nil, []pkg{parse(t, c.dir, c.file, "package x\n"+c.source+"\n")}))
		})
	}
	for _, c := range []struct{ name, source, want string }{
		{"for libraries, in a library", "package x\nimport \"os\"\nfunc f() { os.Exit(1) }\n", "a/a.go:3: os.Exit: W"},
		{"for libraries, in a command", "package main\nimport \"os\"\nfunc f() { os.Exit(1) }\n", ""},
		{"for all code, in a command", "package main\nfunc f() { panic(1) }\n", "a/a.go:2: panic: W"},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkBans(plan, bans, nil, []pkg{parse(t, "a", "a.go", c.source)}))
		})
	}
	twice := []pkg{
		parse(t, "a/b", "x.go", "package x\nimport \"time\"\nvar t = time.Now()\n"),
		parse(t, "a/b", "y.go", "package x\nimport \"time\"\nvar u = time.Now()\n"),
	}
	for _, c := range []struct {
		name       string
		exceptions []exception
		want       string
	}{
		{"an exception covers a file", []exception{{"a/b/x.go", "time.Now", "Y"}}, "a/b/y.go:3: time.Now: W"},
		{"an exception covers a package", []exception{{"a/b/", "time.Now", "Y"}}, ""},
		{"an exception covers what is below", []exception{{"a/", "time.Now", "Y"}}, ""},
		{"an exception that nothing needs fails", []exception{{"a/", "time.Now", "Y"}, {"a/", "panic", "Y"}}, "nothing needs the exception for panic in a/"},
		{"an exception without a reason fails", []exception{{"a/", "time.Now", ""}}, "the exception for time.Now in a/ has no reason"},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, c.want, checkBans(plan, bans, c.exceptions, twice)) })
	}
}

func TestVariableRule(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"a value that stays", "var v = map[int]int{}\nfunc f() int { return v[1] }", ""},
		{"a condition", "var ErrX = 1", ""},
		{"an assertion", "var _ int = 1", ""},
		{"no value", "var v int", "a/a.go:2: the variable v is there to be changed"},
		{"embedded", "//go:embed a.json\nvar v string", ""},
		{"embedded and changed", "//go:embed a.json\nvar v string\nfunc f() { v = \"\" }", "a/a.go:4: the package's variable v is changed"},
		{"exported", "var V = 1", "a/a.go:2: the variable V can be changed by anybody: make it a function or a constant"},
		{"assigned", "var v = 1\nfunc f() { v = 2 }", "a/a.go:3: the package's variable v is changed"},
		{"an element assigned", "var v = map[int]int{}\nfunc f() { v[1] = 2 }", "a/a.go:3: the package's variable v is changed"},
		{"a field assigned", "var v = struct{ n int }{1}\nfunc f() { v.n = 2 }", "a/a.go:3: the package's variable v is changed"},
		{"counted", "var v = 1\nfunc f() { v++ }", "a/a.go:3: the package's variable v is changed"},
		{"ranged into", "var v = 1\nfunc f() { for v = range 3 {} }", "a/a.go:3: the package's variable v is changed"},
		{"an element deleted", "var v = map[int]int{}\nfunc f() { delete(v, 1) }", "a/a.go:3: the package's variable v is changed"},
		{"cleared", "var v = map[int]int{}\nfunc f() { clear(v) }", "a/a.go:3: the package's variable v is changed"},
		{"its address taken", "var v = 1\nfunc f() *int { return &v }", "a/a.go:3: the package's variable v is changed"},
		{"hidden by a local one", "var v = 1\nfunc f() { v := 2; v++ }", ""},
		{"hidden by a parameter", "var v = 1\nfunc f(v int) { v++ }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			same(t, c.want, checkVariables(parse(t, "a", "a.go", "package a\n"+c.source+"\n")))
		})
	}
	t.Run("changed in another file", func(t *testing.T) {
		same(t, "a/b.go:2: the package's variable v is changed", checkVariables(parse(t, "a", "a.go", "package a\nvar v = 1\n", "b.go", "package a\nfunc f() { v = 2 }\n")))
	})
	t.Run("changed in a test", func(t *testing.T) {
		same(t, "", checkVariables(parse(t, "a", "a.go", "package a\nvar v = 1\n", "a_test.go", "package a\nfunc f() { v = 2 }\n")))
	})
}

func TestTextRule(t *testing.T) {
	for _, c := range []struct{ name, file, text, want string }{
		{"plain text", "a.md", "text\n", ""},
		{"no newline at the end", "a.md", "text", "a.md: does not end with a newline"},
		{"an empty line at the end", "a.md", "text\n\n", "a.md: ends with an empty line"},
		{"an empty file", "a.md", "", "a.md: empty"},
		{"a carriage return", "a.md", "text\r\nmore\n", "a.md:1: a carriage return"},
		{"bytes that are no text", "a.bin", "\x00\x01", "a.bin: not a text file, and not among the binaries"},
		{"bytes that are no UTF-8", "a.md", "\xff\n", "a.md: not a text file, and not among the binaries"},
		{"a binary", "testdata/a.lic", "\x00\x01", ""},
		{"text that is reordered when shown", "a.md", "one\ntwo \u202e eert\n", "a.md:2: an invisible character: write its escape"},
		{"a byte order mark", "a.md", "\ufefftext\n", "a.md:1: an invisible character: write its escape"},
		{"a home folder", "a.md", "see /ho" + "me/somebody\n", "a.md:1: a path of one machine"},
		{"a root folder in quotes", "a.go", "\"/ro" + "ot/x\"\n", "a.go:1: a path of one machine"},
		{"a folder on Windows", "a.md", "see C:\\Us" + "ers\\x\n", "a.md:1: a path of one machine"},
		{"an address", "a.md", "https://example.test/home/x and a/wo" + "rk/x and $HOME/tmp/x\n", ""},
		{"something left to do", "a.go", "// TO" + "DO: more\n", "a.go:1: what is left to do stands in an issue, not in a file"},
		{"something left to fix", "a.go", "x := 1 // FIX" + "ME\n", "a.go:1: what is left to do stands in an issue, not in a file"},
		{"a name of the standard library", "a.go", "context.TODO\n", ""},
		{"what a fuzzer has found", "testdata/fuzz/FuzzX/1", "string(\"/ro" + "ot/x\")", ""},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, c.want, checkText(c.file, []byte(c.text))) })
	}
}

func TestFloorPlanTable(t *testing.T) {
	require.Equal(t, "\n| package | may import |\n|---|---|\n| `a` | nothing of ours |\n| `(root)` | `a` `b/c` |\n| `d` | any public package `e.test/f` |\n\n",
		renderFloorPlan([]permit{{"a", ""}, {".", "a b/c"}, {"d", "public e.test/f"}}))
}

// same compares findings, one a line, with what is wanted.
func same(t *testing.T, want string, wrong []string) {
	t.Helper()
	require.Equal(t, want, strings.Join(wrong, "\n"))
}
