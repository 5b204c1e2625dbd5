package archtest

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/token"
	"maps"
	"path"
	"strings"
)

// symbols returns what a link can name in a package: its exported symbols,
// methods and fields, as Name or Type.Name.
func symbols(p pkg) map[string]bool {
	names := map[string]bool{}
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				} else {
					names[receiver(d)+"."+d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					case *ast.TypeSpec:
						names[s.Name.Name] = true
						for _, member := range members(s.Type) {
							names[s.Name.Name+"."+member] = true
						}
					}
				}
			}
		}
	}
	for name := range names {
		for part := range strings.SplitSeq(name, ".") {
			if !token.IsExported(part) {
				delete(names, name)
			}
		}
	}
	return names
}

// members returns the names of a struct's fields or an interface's methods.
func members(t ast.Expr) []string {
	var list []*ast.Field
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields.List
	case *ast.InterfaceType:
		list = t.Methods.List
	}
	var names []string
	for _, field := range list {
		for _, n := range field.Names {
			names = append(names, n.Name)
		}
	}
	return names
}

// checkLinks wants every link in a doc comment that leads into this module to
// arrive: [Name], [Type.Method], [pkg.Name] and [full/path.Name].
func checkLinks(pkgs []pkg) []string {
	known := map[string]map[string]bool{}
	byName := map[string]string{}
	for _, p := range pkgs {
		known[p.path] = symbols(p)
		byName[p.name] = p.path
	}
	var wrong []string
	for _, p := range pkgs {
		// As on pkg.go.dev, what one file imports can be named in all.
		imports := map[string]string{}
		for _, f := range p.files {
			if !f.test {
				maps.Copy(imports, f.imports())
			}
		}
		for _, f := range p.files {
			if f.test {
				continue
			}
			for _, group := range docs(f.ast) {
				parser := comment.Parser{
					LookupPackage: func(name string) (string, bool) {
						if path, ok := imports[name]; ok {
							return path, true
						}
						if path, ok := comment.DefaultLookupPackage(name); ok {
							return path, true
						}
						if name == p.name {
							return "", true
						}
						if _, ours := byName[name]; ours {
							wrong = append(wrong, fmt.Sprintf("%s: [%s] is no link, since the package does not import it: write the full path", f.at(group), name))
						}
						return "", false
					},
					LookupSym: func(recv, name string) bool { return true },
				}
				for _, link := range docLinks(parser.Parse(group.Text())) {
					dir, ours := p.path, true
					if link.ImportPath != "" {
						dir, ours = folder(link.ImportPath)
					}
					if !ours {
						continue
					}
					name := link.Name
					if link.Recv != "" {
						name = link.Recv + "." + name
					}
					if names, exists := known[dir]; !exists {
						wrong = append(wrong, fmt.Sprintf("%s: there is no package %s to link to", f.at(group), dir))
					} else if name != "" && !names[name] {
						wrong = append(wrong, fmt.Sprintf("%s: package %s has no %s to link to", f.at(group), dir, name))
					}
				}
			}
		}
	}
	return wrong
}

// imports returns what a file imports, by the name that it has there.
func (f file) imports() map[string]string {
	names := map[string]string{}
	for i, importPath := range f.imported() {
		name := localName(importPath)
		if own := f.ast.Imports[i].Name; own != nil {
			name = own.Name
		}
		names[name] = importPath
	}
	return names
}

// localName is the name under which an import is known without a name of its
// own.
func localName(importPath string) string {
	base := path.Base(importPath)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(importPath))
	}
	return base
}

// docs returns the doc comments of a file: those of the package, of
// declarations, and of fields and methods.
func docs(f *ast.File) []*ast.CommentGroup {
	var groups []*ast.CommentGroup
	add := func(g *ast.CommentGroup) {
		if g != nil {
			groups = append(groups, g)
		}
	}
	add(f.Doc)
	for _, decl := range f.Decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				add(n.Doc)
				return false
			case *ast.GenDecl:
				add(n.Doc)
			case *ast.TypeSpec:
				add(n.Doc)
			case *ast.ValueSpec:
				add(n.Doc)
			case *ast.Field:
				add(n.Doc)
			}
			return true
		})
	}
	return groups
}

// docLinks returns the links to symbols in a parsed comment.
func docLinks(doc *comment.Doc) []*comment.DocLink {
	var links []*comment.DocLink
	var texts func([]comment.Text)
	texts = func(ts []comment.Text) {
		for _, t := range ts {
			switch t := t.(type) {
			case *comment.DocLink:
				links = append(links, t)
			case *comment.Link:
				texts(t.Text)
			}
		}
	}
	var blocks func([]comment.Block)
	blocks = func(bs []comment.Block) {
		for _, b := range bs {
			switch b := b.(type) {
			case *comment.Paragraph:
				texts(b.Text)
			case *comment.List:
				for _, item := range b.Items {
					blocks(item.Content)
				}
			}
		}
	}
	blocks(doc.Content)
	return links
}
