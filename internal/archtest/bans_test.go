package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// A use is one place where a file names something that a ban may be about.
type use struct {
	what string // as in ban.what, without wildcards
	at   ast.Node
}

// uses returns what a file names: names of imported packages, methods and
// fields, calls of builtins, and functions called init. It does not know
// types: every method called Remove is .Remove.
func (f file) uses() []use {
	imports := f.imports()
	var found []use
	ast.Inspect(f.ast, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			// A local object hides the package of that name.
			if x, ok := n.X.(*ast.Ident); ok && x.Obj == nil && imports[x.Name] != "" {
				found = append(found, use{imports[x.Name] + "." + n.Sel.Name, n})
			} else {
				found = append(found, use{"." + n.Sel.Name, n})
			}
		case *ast.CallExpr:
			if x, ok := n.Fun.(*ast.Ident); ok && x.Obj == nil {
				found = append(found, use{x.Name, n})
			}
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				found = append(found, use{"init", n})
			}
		}
		return true
	})
	return found
}

// forbids reports whether the ban is about that use.
func (b ban) forbids(what string) bool {
	if b.what == what {
		return true
	}
	prefix, wildcard := strings.CutSuffix(b.what, ".*")
	if !wildcard {
		return false
	}
	dot := strings.LastIndexByte(what, '.')
	return dot >= 0 && what[:dot] == prefix && !slices.Contains(strings.Fields(b.but), what[dot+1:])
}

// concerns reports whether the ban holds in a file.
func (b ban) concerns(p pkg, f file, kit bool) bool {
	if b.only != "" && !slices.Contains(strings.Fields(b.only), p.path) {
		return false
	}
	switch b.scope {
	case code:
		return !f.test
	case library:
		return !f.test && p.name != "main"
	case tests:
		return f.test || kit
	default:
		return true
	}
}

// covers reports whether the exception is for that file.
func (e exception) covers(f file) bool {
	return e.where == f.path || strings.HasSuffix(e.where, "/") && strings.HasPrefix(path.Dir(f.path)+"/", e.where)
}

// checkBans holds packages against the bans. It also returns the exceptions
// that nothing needs, and dot imports, which hide from it.
func checkBans(plan []permit, bans []ban, exceptions []exception, pkgs []pkg) []string {
	var wrong []string
	needed := make([]bool, len(exceptions))
	for _, p := range pkgs {
		kit := slices.ContainsFunc(plan, func(q permit) bool { return q.pkg == p.path && q.kit() })
		for _, f := range p.files {
			for _, spec := range f.ast.Imports {
				if spec.Name != nil && spec.Name.Name == "." {
					wrong = append(wrong, f.at(spec)+": a dot import hides where names come from")
				}
			}
			for _, u := range f.uses() {
				for _, b := range bans {
					if !b.concerns(p, f, kit) || !b.forbids(u.what) {
						continue
					}
					i := slices.IndexFunc(exceptions, func(e exception) bool { return e.what == u.what && e.covers(f) })
					if i < 0 {
						wrong = append(wrong, fmt.Sprintf("%s: %s: %s", f.at(u.at), u.what, b.why))
					} else {
						needed[i] = true
					}
				}
			}
		}
	}
	for i, e := range exceptions {
		if e.why == "" {
			wrong = append(wrong, fmt.Sprintf("the exception for %s in %s has no reason", e.what, e.where))
		}
		if !needed[i] {
			wrong = append(wrong, fmt.Sprintf("nothing needs the exception for %s in %s", e.what, e.where))
		}
	}
	return wrong
}

// checkVariables wants package-level variables to stay as they are declared:
// nothing assigns to them or takes their address, none is a container or lock
// without a value, and those that are exported are conditions.
func checkVariables(p pkg) []string {
	var wrong []string
	declared := map[string]*ast.ValueSpec{}
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			if d, ok := decl.(*ast.GenDecl); ok {
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || d.Tok.String() != "var" {
						continue
					}
					for _, name := range v.Names {
						switch {
						case name.Name == "_":
							continue
						case len(v.Values) == 0 && !embedded(d.Doc) && !embedded(v.Doc):
							wrong = append(wrong, fmt.Sprintf("%s: the variable %s is there to be changed", f.at(name), name.Name))
						case name.IsExported() && !strings.HasPrefix(name.Name, "Err"):
							wrong = append(wrong, fmt.Sprintf("%s: the variable %s can be changed by anybody: make it a function or a constant", f.at(name), name.Name))
						}
						declared[name.Name] = v
					}
				}
			}
		}
	}
	for _, f := range p.files {
		if f.test {
			continue
		}
		changed := func(n ast.Node, target ast.Expr) {
			id := origin(target)
			if id == nil || declared[id.Name] == nil {
				return
			}
			if id.Obj != nil && id.Obj.Decl != declared[id.Name] {
				return // a local variable of the same name
			}
			wrong = append(wrong, fmt.Sprintf("%s: the package's variable %s is changed", f.at(n), id.Name))
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for _, target := range n.Lhs {
					changed(n, target)
				}
			case *ast.IncDecStmt:
				changed(n, n.X)
			case *ast.RangeStmt:
				if n.Key != nil {
					changed(n, n.Key)
				}
				if n.Value != nil {
					changed(n, n.Value)
				}
			case *ast.UnaryExpr:
				if n.Op.String() == "&" {
					changed(n, n.X)
				}
			case *ast.CallExpr:
				if fun, ok := n.Fun.(*ast.Ident); ok && fun.Obj == nil && (fun.Name == "delete" || fun.Name == "clear") && len(n.Args) > 0 {
					changed(n, n.Args[0])
				}
			}
			return true
		})
	}
	return wrong
}

// embedded reports whether a variable gets its value from a file when it is
// compiled.
func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// origin returns the variable at the root of an expression such as v.f[i].
func origin(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		default:
			return nil
		}
	}
}
