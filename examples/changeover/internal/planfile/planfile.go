// Package planfile reads what an operator writes: the plan of a changeover with
// the adapters that it is carried out by, as YAML or as JSON. It is for the
// commands of package verbs.
//
// What a plan means is said by migration.ReadPlan alone: this package only
// brings the text into the form that it reads, and its findings back to the
// line and column of the file. All mistakes are told at once, each with the
// line that it stands in. Nothing is contacted, and no credential is read: the
// adapters section holds references to them, and package wiring follows those.
//
// Of YAML it takes what two programs cannot read differently: mappings,
// sequences, comments, and scalars that are plainly a text, a whole number,
// true or false. Anchors, merge keys, tags, several documents and numbers like
// 010 are refused, with what to write instead.
package planfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// MaxBytes is how large a plan file may be.
const MaxBytes = 1 << 20

// A File is a plan file that has been read, and has no mistake in it.
type File struct {
	Plan     migration.Plan
	Adapters Adapters
	// Backups are the directories for backups that the file names; none: those
	// of the state directory.
	Backups []string
	// Warnings are worth knowing and forbid nothing.
	Warnings []Mistake
	// Folder is what relative paths in it were taken from.
	Folder string
	// Text is the file as it was read. The activation codes are in it.
	Text []byte
}

// Open reads the file called name. Relative paths in it are taken from the
// folder that it is in. Its error is a [*Mistakes] when the file can be read
// but not be used.
func Open(name string) (*File, error) {
	// To open a pipe that nobody writes into would never end. Those of the
	// shell, such as /dev/stdin, are open already.
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() && !strings.HasPrefix(name, "/dev/") {
		return nil, fmt.Errorf("%s is not an ordinary file", printable.Whole(name))
	}
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	return Read(name, folder, in)
}

// Read reads a plan file. name is what its mistakes call it, and folder what
// relative paths in it are taken from.
func Read(name, folder string, in io.Reader) (*File, error) {
	text, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	r := &reader{name: name, folder: folder, text: text}
	f := r.file()
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// A reader notes what is wrong with a file while it is read.
type reader struct {
	name, folder string
	text         []byte
	lines        []string
	shown        int // so many of them may be
	mistakes     []Mistake
	mask         license.Mask
	codes        *regexp.Regexp // both codes, as they stand in the file
}

func (r *reader) file() *File {
	if len(r.text) > MaxBytes {
		r.note(place{}, Mistake{Code: "planTooLarge", Text: fmt.Sprintf("the file has more than %d bytes", MaxBytes), Hint: "it was not read"})
		return nil
	}
	text := r.text
	if rest, marked := bytes.CutPrefix(text, []byte("\ufeff")); marked {
		r.note(place{1, 1}, Mistake{Code: "byteOrderMark", Text: "the file begins with a byte order mark", Hint: "save it as UTF-8 without one"})
		text = rest
	}
	r.lines = strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
	if r.shown = slices.IndexFunc(r.lines, speaksOfAdapters); r.shown < 0 {
		r.shown = len(r.lines)
	}
	if at, ok := notUTF8(text); !ok {
		r.note(at, Mistake{Code: "notUTF8", Text: "the file is not valid UTF-8 from here on", Hint: "save it as UTF-8"})
		return nil
	}
	root, ok := r.tree(text)
	if !ok {
		return nil
	}
	r.hide(root)
	f := &File{Text: r.text, Folder: r.folder}
	plan, sections := split(root)
	f.Plan = r.plan(plan)
	names := environments(root) // of the text: the plan is empty when anything is wrong with it
	f.Adapters = r.adapters(node{kind: object}, names)
	for _, section := range sections {
		switch section.key {
		case "adapters":
			f.Adapters = r.adapters(section.node, names)
		case "backups":
			f.Backups = r.backups(section.node)
		}
	}
	for _, w := range f.Plan.Validate().Warnings() {
		f.Warnings = append(f.Warnings, r.located(whereIs(root, w.Where), w))
	}
	return f
}

// environments returns the names that the environments have in the file.
func environments(root node) map[string]bool {
	names := map[string]bool{}
	for _, p := range root.pairs {
		if p.key != "environments" {
			continue
		}
		for _, env := range p.items {
			for _, q := range env.pairs {
				if q.key == "name" && q.kind == text {
					names[q.text] = true
				}
			}
		}
	}
	return names
}

// split takes the sections that are not the plan's out of the root. A section
// that stands twice stays behind, to be found.
func split(root node) (plan node, sections []pair) {
	plan = root
	plan.pairs = nil
	seen := map[string]bool{}
	for _, p := range root.pairs {
		if (p.key == "adapters" || p.key == "backups") && !seen[p.key] {
			seen[p.key] = true
			sections = append(sections, p)
			continue
		}
		plan.pairs = append(plan.pairs, p)
	}
	return plan, sections
}

// hide keeps the codes of the changeover out of everything that is said,
// whatever form they have.
func (r *reader) hide(root node) {
	var codes []license.ActivationCode
	var texts []string
	for _, p := range root.pairs {
		if p.key != "source" && p.key != "target" || p.kind != text {
			continue
		}
		if code, err := license.ParseActivationCode(p.text); err == nil {
			codes = append(codes, code)
			texts = append(texts, regexp.QuoteMeta(code.Reveal()))
		}
	}
	if len(codes) > 0 {
		r.mask = license.NewMask(codes...)
		r.codes = regexp.MustCompile("(?i)" + strings.Join(texts, "|"))
	}
}

func notUTF8(text []byte) (at place, ok bool) {
	if utf8.Valid(text) {
		return place{}, true
	}
	at = place{1, 1}
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		switch {
		case c == utf8.RuneError && size == 1:
			return at, false
		case c == '\n':
			at = place{at.line + 1, 1}
		default:
			at.column++
		}
		text = text[size:]
	}
	return at, true
}

// oddLineEnd finds a line end that YAML counts and editors do not: with one,
// every line that is told after it would be another.
func oddLineEnd(text string) (at place, ok bool) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	i := strings.IndexAny(text, "\r\u0085\u2028\u2029")
	if i < 0 {
		return place{}, true
	}
	before := text[:i]
	return place{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])}, false
}

// plan has migration.ReadPlan read the tree, and brings its findings back to
// where they belong.
func (r *reader) plan(root node) migration.Plan {
	var w writer
	w.value(root)
	plan, err := migration.ReadPlan(&w.text)
	for _, f := range findings(err) {
		where := places.ReplaceAllStringFunc(f.Where, func(s string) string { return w.place(s).String() })
		f.Hint = places.ReplaceAllStringFunc(f.Hint, func(s string) string { return w.place(s).String() })
		at := place{}
		if in := places.FindString(f.Where); in != "" {
			at = w.place(in)
		} else if f.Where == "" && f.Code != "planTooLarge" && f.Code != "moreMistakes" {
			at = place{1, 1}
		}
		if at != (place{}) && r.known(at) {
			continue // it follows from what was said about this value already
		}
		if f.Code == "unknownKey" && !strings.Contains(where, ".") {
			f.Hint += ", backups, adapters"
		}
		f.Where = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(where, at.String()), " ("), ")")
		r.mistakes = append(r.mistakes, r.located(at, f))
	}
	return plan
}

// places are how migration.ReadPlan says where something is.
var places = regexp.MustCompile(`line (\d+), column \d+`)

// known reports whether something was said about the value at a place.
func (r *reader) known(at place) bool {
	for _, m := range r.mistakes {
		if m.Line == at.line && m.Column == at.column {
			return true
		}
	}
	return false
}

// findings takes a joined error apart.
func findings(err error) environment.Findings {
	var f environment.Finding
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all environment.Findings
		for _, e := range joined.Unwrap() {
			all = append(all, findings(e)...)
		}
		return all
	}
	if errors.As(err, &f) {
		return environment.Findings{f}
	}
	if err != nil {
		return environment.Findings{{Code: "unreadable", Text: err.Error()}}
	}
	return nil
}

// backups reads the directories that backups are kept in.
func (r *reader) backups(n node) []string {
	var dirs []string
	for _, item := range r.items("backups", n) {
		dirs = append(dirs, r.path(element("backups", len(dirs)), item))
	}
	if n.kind == list && len(n.items) == 0 {
		r.note(n.place, Mistake{Path: "backups", Code: "noBackups", Text: "no directory is named", Hint: "name two, best on different disks, or leave backups out"})
	}
	return dirs
}

// A writer writes a tree as JSON, every key and every value on a line of its
// own, and remembers where the file has what stands in a line.
type writer struct {
	text   bytes.Buffer
	places []place
}

func (w *writer) line(at place, parts ...string) {
	for _, p := range parts {
		w.text.WriteString(p)
	}
	w.text.WriteByte('\n')
	w.places = append(w.places, at)
}

func (w *writer) value(n node) {
	switch n.kind {
	case object:
		w.line(n.place, "{")
		for i, p := range n.pairs {
			w.line(p.place, quoted(p.key), ":")
			w.value(p.node)
			w.comma(i, len(n.pairs))
		}
		w.line(n.place, "}")
	case list:
		w.line(n.place, "[")
		for i, item := range n.items {
			w.value(item)
			w.comma(i, len(n.items))
		}
		w.line(n.place, "]")
	case text:
		w.line(n.place, quoted(n.text))
	default:
		w.line(n.place, n.text)
	}
}

func (w *writer) comma(i, of int) {
	if i+1 < of {
		w.line(place{}, ",")
	}
}

// place returns where the file has what a place in the JSON is about.
func (w *writer) place(in string) place {
	line, err := strconv.Atoi(places.FindStringSubmatch(in)[1])
	if err != nil || line < 1 || line > len(w.places) {
		return place{1, 1}
	}
	return w.places[line-1]
}
