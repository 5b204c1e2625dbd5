package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
	"unicode"
)

// checkPackageComment wants one comment for the package, which begins as godoc
// expects.
func checkPackageComment(p pkg) []string {
	var wrong []string
	var found []string
	for _, f := range p.files {
		if f.test || f.ast.Doc == nil {
			continue
		}
		found = append(found, f.path)
		begins := []string{"Package " + p.name + " "}
		if p.name == "main" {
			name := path.Base(p.path)
			begins = []string{"Command " + name + " ", string(unicode.ToUpper(rune(name[0]))) + name[1:] + " "}
		}
		text := f.ast.Doc.Text()
		if !beginsWithOne(text, begins) {
			line, _, _ := strings.Cut(text, "\n")
			wrong = append(wrong, fmt.Sprintf("%s: the package comment begins with %q, not with %q", f.at(f.ast.Doc), line, begins[0]))
		}
	}
	switch {
	case len(found) == 0:
		wrong = append(wrong, p.path+": no package comment")
	case len(found) > 1:
		wrong = append(wrong, fmt.Sprintf("%s: several package comments: %s", p.path, strings.Join(found, ", ")))
	}
	return wrong
}

// beginsWithOne compares after folding white space: comments are wrapped.
func beginsWithOne(text string, begins []string) bool {
	text = strings.Join(strings.Fields(text), " ")
	for _, b := range begins {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

// checkDocumented wants a comment on everything exported: one that begins with
// the name for types, functions and methods; one on the declaration, the group
// or the line for constants and variables; one on each method of an interface
// that has several. The fields of a struct are covered by its comment.
func checkDocumented(p pkg) []string {
	if p.name == "main" || isInternal(p.path) {
		return nil
	}
	var wrong []string
	for _, f := range p.files {
		if f.test {
			continue
		}
		lacks := func(n ast.Node, name string) {
			wrong = append(wrong, fmt.Sprintf("%s: %s has no comment that begins with its name", f.at(n), name))
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if name, ok := exportedFunc(d); ok && !beginsWithName(d.Doc, d.Name.Name) {
					lacks(d, name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						if !s.Name.IsExported() {
							continue
						}
						if doc := s.Doc; !beginsWithName(doc, s.Name.Name) && !beginsWithName(d.Doc, s.Name.Name) {
							lacks(s, s.Name.Name)
						}
						if i, ok := s.Type.(*ast.InterfaceType); ok && len(i.Methods.List) > 1 {
							for _, m := range i.Methods.List {
								for _, name := range m.Names {
									if name.IsExported() && !beginsWithName(m.Doc, name.Name) {
										lacks(m, s.Name.Name+"."+name.Name)
									}
								}
							}
						}
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
								wrong = append(wrong, fmt.Sprintf("%s: %s has no comment", f.at(s), name.Name))
							}
						}
					}
				}
			}
		}
	}
	return wrong
}

// exportedFunc returns the name of a function, or of a method of an exported
// type, that others can call.
func exportedFunc(d *ast.FuncDecl) (name string, ok bool) {
	if !d.Name.IsExported() {
		return "", false
	}
	if d.Recv == nil {
		return d.Name.Name, true
	}
	base := receiver(d)
	return base + "." + d.Name.Name, token.IsExported(base)
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	expr := d.Recv.List[0].Type
	for {
		switch x := expr.(type) {
		case *ast.StarExpr:
			expr = x.X
		case *ast.ParenExpr:
			expr = x.X
		case *ast.IndexExpr:
			expr = x.X
		case *ast.IndexListExpr:
			expr = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// beginsWithName reports whether a comment begins with the name, after an
// article if there is one.
func beginsWithName(doc *ast.CommentGroup, name string) bool {
	if doc == nil {
		return false
	}
	words := strings.Fields(doc.Text())
	if len(words) > 1 && (words[0] == "A" || words[0] == "An" || words[0] == "The") {
		words = words[1:]
	}
	if len(words) == 0 {
		return false
	}
	first := strings.TrimRight(words[0], ".,:;")
	return first == name || strings.TrimSuffix(first, "'s") == name
}
