package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// width is how many characters a line of text has at most.
const width = 80

// headline says what a verdict means.
func (r *Report) headline() string {
	switch r.Verdict {
	case Completed:
		return "Completed"
	case RolledBack:
		return "RolledBack: every environment shows its source license again"
	case Held:
		if r.Hold != nil && r.Hold.Kind == HoldInterrupted {
			return "Held: the run was stopped, and can be resumed"
		}
		return "Held: a person must act"
	case Mixed:
		return "Mixed: some environments may still hold the target license"
	}
	return "Nothing has begun"
}

// about says which run it is, line by line.
func (r *Report) about() []string {
	lines := []string{
		"Infrastructure " + r.Infrastructure + ", profile " + r.Profile,
		fmt.Sprintf("From %s to %s", r.Source, r.Target),
	}
	if r.Run != "" {
		lines = append(lines, fmt.Sprintf("Run %s, in %s; licenses: %s", r.Run, r.State, r.Placement))
	}
	return lines
}

// shows says in a few words what is installed.
func (i Installed) shows() string {
	switch {
	case i.Role == "":
		return "not read yet"
	case i.Role == license.None:
		return "no license"
	case i.IPP == "":
		return string(i.Role)
	}
	return string(i.Role) + ", " + string(i.IPP)
}

// backup says in a few words what could be put back.
func (e Environment) backup() string {
	switch {
	case e.CanRollBack:
		return plural(e.Backup.Copies, "copy", "copies")
	case e.Backup.Proven:
		return "of no use" // it is for another serial number
	case len(e.Backup.Digests) > 0:
		return "not proven"
	}
	return "none"
}

// reason says in one word why an environment waits.
func (e Environment) reason() string {
	switch {
	case e.Waits == "":
		return "-"
	case e.Hold != nil:
		return string(e.Hold.Kind)
	case e.Need != nil:
		return e.Need.Condition
	case e.Waits == onResume:
		return "to resume"
	case strings.HasSuffix(e.Waits, forOthers):
		return "for others"
	}
	return string(journal.HoldInDoubt)
}

// title says what a finding is and where it was met.
func (f Finding) title() string {
	s := f.Condition
	if f.Environment != "" {
		s += " in " + f.Environment
	}
	if f.Step != "" {
		s += ", at " + f.Step
	}
	if f.Clause != "" {
		s += ", clause " + f.Clause
	}
	return s
}

// count counts the clauses of each status.
func count(clauses []Clause) string {
	n := map[ClauseStatus]int{}
	for _, c := range clauses {
		n[c.Status]++
	}
	return fmt.Sprintf("%d done, %d not done, %d not applicable, %s", n[Done], n[NotDone], n[NotApplicable], plural(n[IsGap], "gap", "gaps"))
}

// opened says whether the case is open.
func (c SupportCase) opened() string { return cmp.Or(c.Reference, "not opened yet") }

// WriteText writes the report for a terminal: at most 80 characters a line, the
// verdict first, then what to do. The timeline is left out. It returns the
// error of w.
func (r *Report) WriteText(w io.Writer) error {
	p := new(page)
	p.line("", r.headline())
	for _, s := range r.about() {
		p.line("  ", s)
	}
	p.section("What to do now", len(r.Next))
	for _, s := range r.Next {
		p.item(s)
	}
	p.section("Environments", len(r.Environments))
	rows := [][]string{{"name", "state", "installed", "backup", "waits"}}
	for _, e := range r.Environments {
		rows = append(rows, []string{e.Name, cmp.Or(string(e.State), "-"), e.Installed.shows(), e.backup(), e.reason()})
	}
	p.table(rows, []int{16, 17, 19, 10, width})
	p.section("Findings", len(r.Findings))
	for _, f := range r.Findings {
		p.item(string(f.Level) + ": " + f.title())
		p.line("    ", f.Text)
		if f.Hint != "" {
			p.line("    ", "-> "+f.Hint)
		}
	}
	if c := r.SupportCase; c != nil {
		p.section("Support case: "+c.opened(), 1)
		p.line("  ", c.Subject)
		for line := range strings.Lines("\n" + c.Body) {
			p.line("  ", strings.TrimSuffix(line, "\n"))
		}
	}
	p.section("Warnings", len(r.Warnings))
	for _, s := range r.Warnings {
		p.item(s)
	}
	p.section("Clauses of the written procedure: "+count(r.Clauses), len(r.Clauses))
	for _, of := range []struct {
		status ClauseStatus
		title  string
	}{{NotDone, "not done: "}, {IsGap, "gaps, which docs/clauses.md explains: "}} {
		var ids []string
		for _, c := range r.Clauses {
			if c.Status == of.status {
				ids = append(ids, c.ID)
			}
		}
		if len(ids) > 0 {
			p.item(of.title + strings.Join(ids, ", "))
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

// A page is text that is wrapped.
type page struct{ bytes.Buffer }

// section begins a part with a title, unless it would have no content.
func (p *page) section(title string, content int) {
	if content > 0 {
		p.WriteByte('\n')
		p.line("", title)
	}
}

// item writes an entry of a list.
func (p *page) item(s string) { p.wrapped("  - ", "    ", s) }

// line writes text behind an indent, on as many lines as it takes; text that
// is indented itself, or an item of a list, goes on below where it began.
func (p *page) line(indent, s string) {
	text := strings.TrimLeft(s, " ")
	indent += s[:len(s)-len(text)]
	others := indent
	if strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "-> ") {
		others += strings.Repeat(" ", strings.IndexByte(text, ' ')+1)
	}
	p.wrapped(indent, others, text)
}

func (p *page) wrapped(first, others, s string) {
	indent := first
	for _, line := range wrap(s, width-len(others)) {
		p.WriteString(strings.TrimRight(indent+line, " "))
		p.WriteByte('\n')
		indent = others
	}
}

// table writes rows in columns that are as wide as they need to be, at most as
// wide as given, and the last one at most as wide as there is room; a cell that
// is wider goes on below.
func (p *page) table(rows [][]string, most []int) {
	widths := make([]int, len(most))
	room := width
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
		widths[i] = min(widths[i], most[i], room-2)
		room -= 2 + widths[i]
	}
	for _, row := range rows {
		cells, lines := make([][]string, len(row)), 0
		for i, cell := range row {
			cells[i] = wrap(cell, widths[i])
			lines = max(lines, len(cells[i]))
		}
		for n := range lines {
			line := ""
			for i := range cells {
				cell := ""
				if n < len(cells[i]) {
					cell = cells[i][n]
				}
				line += "  " + cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			}
			p.WriteString(strings.TrimRight(line, " "))
			p.WriteByte('\n')
		}
	}
}

// wrap breaks text at blanks into lines of at most so many runes; a word that
// is longer is broken. There is at least one line.
func wrap(s string, most int) []string {
	most = max(most, 1)
	var lines []string
	line, length := "", 0
	for word := range strings.FieldsSeq(s) {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n <= most {
			line, length = line+" "+word, length+1+n
			continue
		}
		if length > 0 {
			lines = append(lines, line)
		}
		runes := []rune(word)
		for len(runes) > most {
			lines = append(lines, string(runes[:most]))
			runes = runes[most:]
		}
		line, length = string(runes), len(runes)
	}
	return append(lines, line)
}
