package archtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// imported returns the import paths of a file, in order.
func (f file) imported() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value) // the parser has accepted it
		paths = append(paths, p)
	}
	return paths
}

// standard reports whether an import path is one of the standard library: its
// first element has no dot.
func standard(importPath string) bool {
	first, _, _ := strings.Cut(importPath, "/")
	return !strings.Contains(first, ".")
}

// underTesting reports whether an import path is testing or below it.
func underTesting(importPath string) bool {
	return importPath == "testing" || strings.HasPrefix(importPath, "testing/")
}

// forTests reports whether an import path belongs to a module for tests.
func forTests(importPath string) bool {
	return slices.ContainsFunc(testOnly, func(m string) bool { return importPath == m || strings.HasPrefix(importPath, m+"/") })
}

// isInternal reports whether a package is out of reach for other modules.
func isInternal(dir string) bool { return slices.Contains(strings.Split(dir, "/"), "internal") }

// kit reports whether a line of the floor plan is a test kit.
func (p permit) kit() bool { return slices.Contains(strings.Fields(p.may), "testing") }

// permits reports whether the line allows an import.
func (p permit) permits(importPath string) bool {
	if underTesting(importPath) {
		return p.kit()
	}
	if standard(importPath) {
		return true
	}
	dir, ours := folder(importPath)
	for _, may := range strings.Fields(p.may) {
		switch {
		case ours && may == dir:
			return true
		case ours && may == "public" && !isInternal(dir) && !strings.HasPrefix(dir, examplesFolder):
			return true
		case !ours && (importPath == may || strings.HasPrefix(importPath, may+"/")):
			return true
		}
	}
	return false
}

// checkImports holds packages against the floor plan.
func checkImports(plan []permit, pkgs []pkg) []string {
	var wrong []string
	lines := map[string]permit{}
	for _, p := range plan {
		if _, twice := lines[p.pkg]; twice {
			wrong = append(wrong, p.pkg+" is in the floor plan twice")
		}
		lines[p.pkg] = p
		for _, may := range strings.Fields(p.may) {
			if may != "public" && may != "testing" && standardOurs(may) && !slices.ContainsFunc(plan, func(q permit) bool { return q.pkg == may }) {
				wrong = append(wrong, fmt.Sprintf("the floor plan lets %s import %s, which it does not have", p.pkg, may))
			}
		}
	}
	for _, p := range pkgs {
		line, ok := lines[p.path]
		if !ok {
			wrong = append(wrong, p.path+" is not in the floor plan")
			continue
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, path := range f.imported() {
				if !line.permits(path) {
					wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", f.path, p.path, strings.TrimPrefix(path, module+"/")))
				}
			}
		}
	}
	return wrong
}

// standardOurs reports whether a word of the floor plan names a package of
// this module: no host stands at its front.
func standardOurs(word string) bool { return standard(word) || word == "." }

// checkExistence returns the lines of the floor plan without a package.
func checkExistence(plan []permit, pkgs []pkg) []string {
	var wrong []string
	for _, p := range plan {
		if !slices.ContainsFunc(pkgs, func(q pkg) bool { return q.path == p.pkg }) {
			wrong = append(wrong, p.pkg+" is in the floor plan but does not exist")
		}
	}
	return wrong
}

// checkTestImports holds tests against the floor plan: siblings stay apart,
// what has a single importer has no other, examples use what their readers can
// use, and no module is imported that nobody has agreed to.
func checkTestImports(pkgs []pkg) []string {
	var wrong []string
	for _, p := range pkgs {
		for _, f := range p.files {
			for _, path := range f.imported() {
				dir, ours := folder(path)
				refuse := func(why string) {
					wrong = append(wrong, fmt.Sprintf("%s: must not import %s: %s", f.path, strings.TrimPrefix(path, module+"/"), why))
				}
				for _, s := range siblings {
					if ours && (p.path == s[0] && dir == s[1] || p.path == s[1] && dir == s[0]) {
						refuse("siblings are joined by their caller")
					}
				}
				if only, ok := single[path]; ok && p.path != only {
					refuse("only " + only + " may")
				}
				if ours && strings.HasPrefix(p.path, examplesFolder) && isInternal(dir) && dir != "internal/golden" {
					refuse("an example uses what its readers can use")
				}
				if !ours && !standard(path) && !slices.ContainsFunc(slices.Concat(programModules, testModules), func(m string) bool {
					return path == m || strings.HasPrefix(path, m+"/")
				}) {
					refuse("its module is not among those agreed to")
				}
			}
		}
	}
	return wrong
}

// A node is a package in the graph of everything that is compiled.
type node struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct {
		Path string
		Main bool
	}
}

// graph is what go list -deps prints, by import path.
type graph map[string]node

func newGraph(nodes []node) graph {
	g := make(graph, len(nodes))
	for _, n := range nodes {
		g[n.ImportPath] = n
	}
	return g
}

// reach returns the packages that are compiled with from, itself included,
// each with the package that first asked for it.
func (g graph) reach(from string) (order []string, via map[string]string) {
	via = map[string]string{from: ""}
	order = []string{from}
	for i := 0; i < len(order); i++ {
		for _, path := range g[order[i]].Imports {
			if _, seen := via[path]; !seen {
				via[path] = order[i]
				order = append(order, path)
			}
		}
	}
	return order, via
}

// checkReach returns how production packages reach testing, testify, or a test
// kit of ours.
func checkReach(plan []permit, g graph) []string {
	var wrong []string
	kits := map[string]bool{}
	for _, p := range plan {
		kits[p.pkg] = p.kit()
	}
	for _, p := range plan {
		from := module + "/" + p.pkg
		if p.pkg == "." {
			from = module
		}
		if _, exists := g[from]; p.kit() || !exists {
			continue
		}
		order, via := g.reach(from)
		for _, path := range order {
			dir, ours := folder(path)
			if !underTesting(path) && !forTests(path) && !(ours && kits[dir]) {
				continue
			}
			way := path
			for at := via[path]; at != ""; at = via[at] {
				way = at + " -> " + way
			}
			wrong = append(wrong, fmt.Sprintf("%s reaches %s: %s", p.pkg, path, way))
		}
	}
	return wrong
}

// modules returns the modules of others that are compiled with from, in order.
func (g graph) modules(from ...string) []string {
	var mods []string
	for _, f := range from {
		order, _ := g.reach(f)
		for _, path := range order {
			if n := g[path]; !n.Standard && n.Module != nil && !n.Module.Main {
				mods = append(mods, n.Module.Path)
			}
		}
	}
	slices.Sort(mods)
	return slices.Compact(mods)
}

// checkModules returns the modules that were not agreed to.
func checkModules(agreed, found []string) []string {
	var wrong []string
	for _, m := range found {
		if !slices.Contains(agreed, m) {
			wrong = append(wrong, m+" is compiled in, but was not agreed to")
		}
	}
	return wrong
}

// A goMod is what go mod edit -json prints, as far as there are rules for it.
type goMod struct {
	Module    struct{ Path string }
	Go        string
	Toolchain string
	Require   []struct {
		Path     string
		Indirect bool
	}
	Replace []struct{ Old, New struct{ Path string } }
	Exclude []struct{ Path string }
	Tool    []struct{ Path string }
}

// checkGoMod holds the go.mod of the core module against what consumers expect
// of it.
func checkGoMod(m goMod) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf("go.mod: "+format, args...)) }
	if m.Module.Path != module {
		add("the module is %q, not %q", m.Module.Path, module)
	}
	if m.Go != goLine {
		add("the go line is %q, not %q: a higher one shuts consumers out", m.Go, goLine)
	}
	if m.Toolchain != "" {
		add("the line toolchain %s is for commands, not for libraries", m.Toolchain)
	}
	for _, r := range m.Replace {
		add("replace %s: consumers do not get what is replaced", r.Old.Path)
	}
	for _, e := range m.Exclude {
		add("exclude %s: consumers do not get what is excluded", e.Path)
	}
	for _, tool := range m.Tool {
		add("tool %s: tools are run by version, so that consumers do not get their modules", tool.Path)
	}
	for _, r := range m.Require {
		if !r.Indirect && !slices.Contains(programModules, r.Path) && !slices.Contains(testOnly, r.Path) {
			add("require %s: its module is not among those agreed to", r.Path)
		}
	}
	return wrong
}

// checkModuleList compares the list of module folders with the go.mod files of
// the tree.
func checkModuleList(list string, files []string) []string {
	var wrong, listed []string
	for line := range strings.Lines(list) {
		dir := strings.TrimSpace(line)
		if dir == "" || strings.HasPrefix(dir, "#") {
			continue
		}
		if slices.Contains(listed, dir) {
			wrong = append(wrong, fmt.Sprintf("%s: %s is listed twice", moduleListFile, dir))
		}
		listed = append(listed, dir)
	}
	var found []string
	for _, name := range files {
		if name == "go.mod" {
			found = append(found, ".")
		} else if dir, ok := strings.CutSuffix(name, "/go.mod"); ok && !strings.Contains(dir, "testdata") {
			found = append(found, dir)
		}
	}
	for _, dir := range found {
		if !slices.Contains(listed, dir) {
			wrong = append(wrong, fmt.Sprintf("%s: the module in %s is not listed", moduleListFile, dir))
		}
	}
	for _, dir := range listed {
		if !slices.Contains(found, dir) {
			wrong = append(wrong, fmt.Sprintf("%s: there is no module in %s", moduleListFile, dir))
		}
	}
	return wrong
}

// renderFloorPlan writes the floor plan as the table of CONTRIBUTING.md.
func renderFloorPlan(plan []permit) string {
	var b strings.Builder
	b.WriteString("\n| package | may import |\n|---|---|\n")
	for _, p := range plan {
		name := p.pkg
		if name == "." {
			name = "(root)"
		}
		may := "nothing of ours"
		if words := strings.Fields(p.may); len(words) > 0 {
			may = "`" + strings.Join(words, "` `") + "`"
			may = strings.ReplaceAll(may, "`public`", "any public package")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, may)
	}
	b.WriteString("\n")
	return b.String()
}
