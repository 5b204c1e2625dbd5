package planfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/changeover-go/changeover/migration"
)

// maxDepth is how deep a file may be nested. A plan needs six.
const maxDepth = 32

// maxEntries of a mapping are read, and twice as many of a sequence: more than
// migration.ReadPlan takes, which speaks of the others.
const maxEntries = 2100

// A place is where something stands, as editors count; the zero place is
// nowhere.
type place struct{ line, column int }

func (p place) String() string {
	return "line " + strconv.Itoa(p.line) + ", column " + strconv.Itoa(p.column)
}

type kind int

const (
	null kind = iota
	text
	number
	truth
	list
	object
)

// A node is one value of the file. The text of numbers, truths and null is
// their JSON.
type node struct {
	place
	kind  kind
	text  string
	items []node
	pairs []pair
}

// A pair is one entry of an object; its place is the key's.
type pair struct {
	place place
	key   string
	node
}

// tree reads the text. ok is false when it is not one value.
func (r *reader) tree(in []byte) (root node, ok bool) {
	if trimmed := bytes.TrimSpace(in); len(trimmed) > 0 && trimmed[0] == '{' {
		return r.fromJSON(in)
	}
	return r.fromYAML(in)
}

// fromJSON reads a file that is JSON, as strictly as migration.ReadPlan does.
func (r *reader) fromJSON(in []byte) (node, bool) {
	var whole json.RawMessage
	if json.Unmarshal(in, &whole) != nil {
		// It knows best what is wrong, and where.
		_, err := migration.ReadPlan(bytes.NewReader(in))
		for _, f := range findings(err) {
			at := place{1, 1}
			if m := regexp.MustCompile(`line (\d+), column (\d+)`).FindStringSubmatch(f.Where); m != nil {
				at.line, _ = strconv.Atoi(m[1])
				at.column, _ = strconv.Atoi(m[2])
			}
			f.Where = ""
			r.mistakes = append(r.mistakes, r.located(at, f))
		}
		return node{}, false
	}
	d := jsonReader{in: in, at: place{1, 1}, Decoder: json.NewDecoder(bytes.NewReader(in))}
	d.UseNumber()
	return d.next(), true
}

// A jsonReader reads a text that is known to be JSON.
type jsonReader struct {
	*json.Decoder
	in   []byte
	done int // bytes of in that are counted in at
	at   place
}

func (d *jsonReader) next() node {
	from := int(d.InputOffset())
	for from < len(d.in) && strings.IndexByte(" \t\r\n,:", d.in[from]) >= 0 {
		from++
	}
	for d.done < from {
		c, size := utf8.DecodeRune(d.in[d.done:])
		d.done += size
		d.at.column++
		if c == '\n' {
			d.at = place{d.at.line + 1, 1}
		}
	}
	n := node{place: d.at}
	token, _ := d.Token()
	switch t := token.(type) {
	case json.Delim:
		n.kind = map[json.Delim]kind{'[': list, '{': object}[t]
		for d.More() {
			item := d.next()
			if n.kind == list {
				n.items = append(n.items, item)
			} else {
				n.pairs = append(n.pairs, pair{item.place, item.text, d.next()})
			}
		}
		_, _ = d.Token()
	case string:
		n.kind, n.text = text, t
	case json.Number:
		n.kind, n.text = number, t.String()
	case bool:
		n.kind, n.text = truth, strconv.FormatBool(t)
	default:
		n.kind, n.text = null, "null"
	}
	return n
}

// fromYAML reads a file that is YAML. Where tabs keep it from being read, they
// are told, all of them, and what else is wrong as well.
func (r *reader) fromYAML(in []byte) (node, bool) {
	if at, ok := oddLineEnd(string(in)); !ok {
		r.note(at, Mistake{Code: "oddLineEnd", Text: "here is a line end that editors do not show as one", Hint: "end lines with a line feed; in a value in double quotes write \\N, \\L, \\P or \\r"})
		return node{}, false
	}
	documents, err := load(in)
	shift := map[int]int{} // columns by which a line was moved
	if err != nil {
		if in = r.untab(in, shift); len(shift) > 0 {
			documents, err = load(in)
		}
	}
	if err != nil {
		r.notYAML(err, shift)
		return node{}, false
	}
	if len(documents) == 0 || len(documents[0].Content) == 0 {
		r.note(place{1, 1}, Mistake{Code: "emptyFile", Text: "the file is empty", Hint: "changeover init writes one"})
		return node{}, false
	}
	for _, d := range documents[1:] {
		r.note(place{d.Line, d.Column}, Mistake{Code: "severalDocuments", Text: "a second document begins here", Hint: "a plan file has one; remove the line ---, or what follows it"})
	}
	c := converter{reader: r, shift: shift}
	return c.node(documents[0].Content[0], "", 0), true
}

func load(in []byte) (documents []*yaml.Node, err error) {
	loader, err := yaml.NewLoader(bytes.NewReader(in))
	for err == nil {
		var n yaml.Node
		if err = loader.Load(&n); err == nil {
			documents = append(documents, &n)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return documents, err
}

// untab puts spaces in the place of the tabs that lines begin with, and notes
// each of these lines.
func (r *reader) untab(in []byte, shift map[int]int) []byte {
	lines := strings.SplitAfter(string(in), "\n")
	for i, line := range lines {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		tabs := strings.Count(indent, "\t")
		if tabs == 0 || strings.TrimSpace(line) == "" {
			continue
		}
		r.note(place{i + 1, strings.IndexByte(indent, '\t') + 1}, Mistake{Code: "tab", Text: "the line is indented with a tab", Hint: "YAML is indented with spaces"})
		lines[i] = strings.ReplaceAll(indent, "\t", "  ") + line[len(indent):]
		shift[i+1] = tabs
	}
	return []byte(strings.Join(lines, ""))
}

func (r *reader) notYAML(err error, shift map[int]int) {
	at, said := place{1, 1}, err.Error()
	var e *yaml.LoadError
	if errors.As(err, &e) {
		said = e.Message
		if e.ContextMsg != "" {
			said += ", " + e.ContextMsg
		}
		mark := e.Mark
		if strings.Contains(e.Message, "end of stream") && e.ContextMark.Line > 0 {
			mark = e.ContextMark // where it begins is more helpful than the end of the file
		}
		if mark.Line > 0 {
			at = place{mark.Line, max(mark.Column, 1)}
		}
	}
	if len(shift) > 0 {
		return // with so many tabs nobody can say what else is wrong
	}
	m := Mistake{Code: "notYAML", Text: "not YAML: " + said}
	if at.line <= len(r.lines) && strings.ContainsAny(firstOf(r.lines[at.line-1], at.column), "@`%&*!|>") {
		m.Hint = "put the value in quotes"
	}
	if strings.Contains(said, "unknown anchor") { // which it quotes, and which may be half a password
		m.Text = "not YAML: an alias stands for a value that has no such name"
	}
	if strings.Contains(said, "exceeded max depth") {
		m.Code, m.Text = "tooDeep", "the file is nested too deeply"
	}
	r.note(at, m)
}

// firstOf returns the character in that column.
func firstOf(line string, column int) string {
	for i, c := range []rune(line) {
		if i+1 == column {
			return string(c)
		}
	}
	return ""
}

// A converter turns YAML's nodes into ours and notes what a plan file may not
// have.
type converter struct {
	*reader
	shift map[int]int
}

func (c converter) node(y *yaml.Node, path string, depth int) node {
	n := node{place: place{y.Line, max(y.Column-c.shift[y.Line], 1)}, kind: null, text: "null"}
	if depth > maxDepth {
		c.note(n.place, Mistake{Path: path, Code: "tooDeep", Text: "the file is nested too deeply"})
		return n
	}
	switch {
	case y.Kind == yaml.AliasNode:
		c.note(n.place, Mistake{Path: path, Code: "alias", Text: "an alias stands for a value elsewhere", Hint: "write the value itself"})
		return n
	case y.Anchor != "":
		c.note(n.place, Mistake{Path: path, Code: "anchor", Text: "an anchor names this value", Hint: "remove it, and write the value where it is needed"})
	case y.Style&yaml.TaggedStyle != 0:
		c.note(n.place, Mistake{Path: path, Code: "tag", Text: "a tag says what type this value has", Hint: "remove it; a text that looks like a number is put in quotes"})
	}
	if len(y.Content) > 2*maxEntries {
		c.note(n.place, Mistake{Path: path, Code: "tooManyEntries", Text: fmt.Sprintf("there are more than %d entries", maxEntries), Hint: "the others were not read"})
		y.Content = y.Content[:2*maxEntries]
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = object
		for i := 0; i+1 < len(y.Content); i += 2 {
			if p, ok := c.pair(y.Content[i], y.Content[i+1], path, depth); ok {
				n.pairs = append(n.pairs, p)
			}
		}
	case yaml.SequenceNode:
		n.kind = list
		for i, item := range y.Content {
			n.items = append(n.items, c.node(item, element(path, i), depth+1))
		}
	case yaml.ScalarNode:
		c.scalar(y, path, &n)
	}
	return n
}

func (c converter) pair(key, value *yaml.Node, path string, depth int) (pair, bool) {
	at := place{key.Line, max(key.Column-c.shift[key.Line], 1)}
	switch {
	case key.Kind != yaml.ScalarNode:
		c.note(at, Mistake{Path: path, Code: "oddKey", Text: "a key is a word", Hint: "write key: value"})
		return pair{}, false
	case key.Value == "<<" && key.Style == 0:
		c.note(at, Mistake{Path: path, Code: "mergeKey", Text: "<< takes in the keys of another mapping", Hint: "write the keys themselves"})
		return pair{}, false
	case key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
		c.note(at, Mistake{Path: path, Code: "oddKey", Text: "a key has an anchor or a tag", Hint: "remove it"})
	}
	return pair{at, key.Value, c.node(value, member(path, key.Value), depth+1)}, true
}

// scalar reads a scalar. A plain one that two programs could read differently
// is refused.
func (c converter) scalar(y *yaml.Node, path string, n *node) {
	const quotedStyles = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	plain := y.Style&quotedStyles == 0
	switch {
	case !plain:
		n.kind, n.text = text, y.Value
	case y.Value == "" || y.Value == "~" || y.Value == "null":
	case wholeNumber.MatchString(y.Value):
		n.kind, n.text = number, y.Value
	case y.Value == "true" || y.Value == "false":
		n.kind, n.text = truth, y.Value
	default:
		n.kind, n.text = text, y.Value
		if ambiguous.MatchString(y.Value) {
			c.note(n.place, Mistake{Path: path, Code: "ambiguous", Text: "different programs read different things here",
				Hint: `in quotes it is a text; a whole number has only digits and no zero in front; otherwise write true or false`})
		}
	}
}

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	// ambiguous is what one version of YAML, or one program, takes for a number,
	// a date, a truth or nothing, and another for a text.
	ambiguous = regexp.MustCompile(`^(?i:yes|no|on|off|y|n|true|false|null|[-+]?\.inf|\.nan|` +
		`[-+]?[0-9][0-9_,]*|[-+]?0[obx][0-9a-f_]+|[-+]?[0-9_]*\.?[0-9_]+\.?(e[-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|` +
		`[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?)$`)
)

func member(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func quoted(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// whereIs returns the place of the value at a path, or of the innermost one
// that there is.
func whereIs(n node, path string) place {
	path, _, _ = strings.Cut(path, ` "`)
	at := place{}
	for path != "" {
		rest := ""
		switch {
		case path[0] == '[':
			index, after, _ := strings.Cut(path[1:], "]")
			i, err := strconv.Atoi(index)
			if err != nil || i < 0 || i >= len(n.items) {
				return at
			}
			n, rest = n.items[i], after
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			found := false
			for _, p := range n.pairs {
				if p.key == path[:end] {
					n, found = p.node, true
					break
				}
			}
			if !found {
				return at
			}
			rest = path[end:]
		}
		at = n.place
		path = strings.TrimPrefix(rest, ".")
	}
	return at
}
