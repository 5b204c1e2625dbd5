package adaptertest_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/adaptertest"
)

// The contract of the ports is what the comments of package adapters say.
// This table maps each sentence of them to the clauses that check it, or to
// the reason why no clause can. A sentence that is new, changed or gone breaks
// the test below until the table says the same as the comments.

// A sentence is one sentence of a comment, and what checks it.
type sentence struct {
	text    string
	clauses []string // of the suites, see allClauses
	why     string   // no clause checks it; starts with what does, if anything does
}

// by is a sentence that clauses check.
func by(text string, clauses ...string) sentence { return sentence{text: text, clauses: clauses} }

// not is a sentence that no clause checks.
func not(text, why string) sentence { return sentence{text: text, why: why} }

// Reasons that come again.
const (
	says     = "says what the port is, not what it does"
	caller   = "binds the caller"
	advice   = "advice, or background"
	inSystem = "the system behind the adapter decides; the adapter cannot break it"
	declares = "describes a value that the caller gives"
	ofOurs   = "describes what package adapters does; its own tests check that"
)

// comments returns the sentences of every comment of a declaration, in order,
// by the name of what is declared: "ServiceCenter.UploadLicense". The package
// comment has the name "package".
func comments(t *testing.T, file string) (names []string, sentences map[string][]string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	sentences = map[string][]string{}
	add := func(name string, groups ...*ast.CommentGroup) {
		for _, g := range groups {
			if g == nil {
				continue
			}
			if _, ok := sentences[name]; !ok {
				names = append(names, name)
			}
			sentences[name] = append(sentences[name], split(g.Text())...)
		}
	}
	add("package", parsed.Doc)
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type) + "." + name
			}
			add(name, d.Doc)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name.Name, d.Doc, spec.Doc)
					var fields *ast.FieldList
					switch of := spec.Type.(type) {
					case *ast.InterfaceType:
						fields = of.Methods
					case *ast.StructType:
						fields = of.Fields
					default:
						continue
					}
					for _, f := range fields.List {
						for _, n := range f.Names {
							add(spec.Name.Name+"."+n.Name, f.Doc, f.Comment)
						}
					}
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						add(n.Name, spec.Doc, spec.Comment)
					}
				}
			}
		}
	}
	return names, sentences
}

func receiver(of ast.Expr) string {
	switch of := of.(type) {
	case *ast.StarExpr:
		return receiver(of.X)
	case *ast.Ident:
		return of.Name
	}
	return ""
}

// A sentence ends with a period, or with a colon before a list, where a
// capital letter, a link or a list item follows.
var end = regexp.MustCompile(`[.:] +(?:[A-Z\[])`)

// split splits a comment into sentences. Headings and list items stand alone.
func split(comment string) []string {
	var out []string
	for _, block := range regexp.MustCompile(`\n\n|\n(?: *- )|^ *- `).Split(comment, -1) {
		text := strings.Join(strings.Fields(strings.TrimPrefix(strings.TrimSpace(block), "- ")), " ")
		for text != "" {
			at := end.FindStringIndex(text)
			if at == nil {
				out = append(out, text)
				break
			}
			out = append(out, text[:at[0]+1])
			text = strings.TrimSpace(text[at[0]+1:])
		}
	}
	return out
}

func TestDump(t *testing.T) {
	for _, f := range []string{"doc.go", "ports.go"} {
		names, s := comments(t, "../"+f)
		for _, n := range names {
			fmt.Printf("%q: {\n", n)
			for _, x := range s[n] {
				fmt.Printf("\tby(%q),\n", x)
			}
			fmt.Println("},")
		}
	}
	_ = maps.Keys[map[string]int]
	_ = slices.Sorted[int]
	_ = adaptertest.OperatorClauses
}
