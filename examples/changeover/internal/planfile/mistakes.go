package planfile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

// A Mistake is one thing that is wrong with a plan file, or worth knowing about
// it. Everything in it is safe to print.
type Mistake struct {
	Line   int    `json:"line,omitempty"`   // counts from 1; zero: it is about what is not there
	Column int    `json:"column,omitempty"` // in characters, from 1
	Path   string `json:"path,omitempty"`   // of the value, for example "environments[0].kind"
	Code   string `json:"code"`             // stable name
	Text   string `json:"text"`
	Hint   string `json:"hint,omitempty"` // what to do about it
	Source string `json:"source,omitempty"`

	caret int // in Source
}

// String says where and what, and shows the line with a mark below it.
func (m Mistake) String() string {
	var b strings.Builder
	if m.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", m.Line, m.Column)
	}
	if m.Path != "" {
		b.WriteString(m.Path + ": ")
	}
	fmt.Fprintf(&b, "%s (%s)\n", m.Text, m.Code)
	if m.Source != "" {
		fmt.Fprintf(&b, "%6d | %s\n       | %s^\n", m.Line, m.Source, strings.Repeat(" ", m.caret))
	}
	if m.Hint != "" {
		fmt.Fprintf(&b, "         %s\n", m.Hint)
	}
	return b.String()
}

// Mistakes is everything that is wrong with a plan file, in the order of the
// file; what is missing comes last.
type Mistakes struct {
	File string
	List []Mistake
}

// Error shows every mistake with the line that it stands in.
func (m *Mistakes) Error() string {
	var b strings.Builder
	count := "1 mistake"
	if len(m.List) != 1 {
		count = fmt.Sprintf("%d mistakes", len(m.List))
	}
	fmt.Fprintf(&b, "%s: %s", printable.Text(m.File), count)
	for _, one := range m.List {
		b.WriteString("\n\n" + strings.TrimSuffix(one.String(), "\n"))
	}
	return b.String()
}

// maxMistakes are shown.
const maxMistakes = 200

func (r *reader) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	all := r.mistakes
	slices.SortStableFunc(all, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(uint(a.Line-1), uint(b.Line-1)), cmp.Compare(a.Column, b.Column)) // without a line: last
	})
	if len(all) > maxMistakes {
		more := Mistake{Code: "moreMistakes", Text: fmt.Sprintf("there are %d more mistakes", len(all)-maxMistakes), Hint: "mend these first"}
		all = append(all[:maxMistakes:maxMistakes], more)
	}
	return &Mistakes{File: r.name, List: all}
}

// note adds a mistake at a place.
func (r *reader) note(at place, m Mistake) {
	r.mistakes = append(r.mistakes, r.located(at, environment.Finding{Code: m.Code, Where: m.Path, Text: m.Text, Hint: m.Hint}))
}

// located makes a mistake of a finding: safe to print, with the line of the
// file.
func (r *reader) located(at place, f environment.Finding) Mistake {
	safe := func(s string) string { return printable.Text(r.mask.Text(s)) }
	if at.line > len(r.lines) { // the reader of YAML sometimes counts one too many at the end
		at = place{len(r.lines), 1}
	}
	m := Mistake{Line: at.line, Column: at.column, Path: safe(f.Where), Code: f.Code, Text: safe(f.Text), Hint: safe(f.Hint)}
	if at.line > 0 && at.line <= len(r.lines) {
		m.Source, m.caret = r.excerpt(at)
		if at.line > r.shown || strings.HasPrefix(m.Path, "adapters") {
			m.Source, m.caret = instead(m.Path)
		}
	}
	return m
}

// speaksOfAdapters reports whether a line may begin that section. Credentials
// that should not be in the file stand there, so from the first such line on no
// line is shown, however the text goes on.
func speaksOfAdapters(line string) bool {
	return strings.Contains(strings.ToLower(line), "adapters") && !strings.HasPrefix(strings.TrimSpace(line), "#")
}

// instead is what is shown in the place of a line: the key, and nothing of the
// value.
func instead(path string) (shown string, caret int) {
	if path == "" {
		return "···", 0
	}
	key := path[strings.LastIndexByte(path, '.')+1:] + ": "
	return key + "···", len([]rune(key))
}

// room is how many characters of a line are shown, before the mark and from it
// on.
const room = 60

// excerpt returns the line at a place as it may be shown, and where in it the
// mark belongs.
func (r *reader) excerpt(at place) (shown string, caret int) {
	line := []rune(r.hidden(at.line))
	mark := min(max(at.column-1, 0), len(line))
	before, after := line[:mark], line[mark:]
	if len(before) > room {
		before = append([]rune("…"), before[len(before)-room:]...)
	}
	if len(after) > room {
		after = append(slices.Clone(after[:room]), '…')
	}
	left := printable.Whole(strings.ReplaceAll(string(before), "\t", " "))
	right := printable.Whole(strings.ReplaceAll(string(after), "\t", "→"))
	return left + right, len([]rune(left))
}

// confidential finds what no answer may show: the values of keys that hold an
// activation code or a credential. Others may stand in such a line.
var confidential = regexp.MustCompile(`(?i)((?:source|target|pass[a-z]*|pwd|secret[a-z]*|token[a-z]*|user[a-z]*|key)["']?\s*:\s*)("(?:\\.|[^"\\])*"?|'[^']*'?|[^\s{\[|>,}#&*!][^,}#]*)`)

// opening is a line whose value stands in the lines below it.
var opening = regexp.MustCompile(`(?i)(?:source|target|pass[a-z]*|pwd|secret[a-z]*|token[a-z]*)["']?\s*:\s*[|>]?[-+0-9]*\s*$`)

// hidden returns a line with as many dots in the place of what is confidential.
func (r *reader) hidden(number int) string {
	line := r.lines[number-1]
	if number > 1 && opening.MatchString(r.lines[number-2]) && !strings.Contains(line, ":") {
		return dots(line)
	}
	line = confidential.ReplaceAllStringFunc(line, func(s string) string {
		parts := confidential.FindStringSubmatch(s)
		return parts[1] + dots(parts[2])
	})
	if r.codes == nil {
		return usualCode.ReplaceAllStringFunc(line, dots)
	}
	return r.codes.ReplaceAllStringFunc(usualCode.ReplaceAllStringFunc(line, dots), dots)
}

// usualCode is an activation code of the usual form, or most of one.
var usualCode = regexp.MustCompile(`(?i)[A-Z0-9]{3}(\.[A-Z0-9]{3}){3,}`)

func dots(s string) string { return strings.Repeat("·", len([]rune(s))) }
