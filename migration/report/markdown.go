package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteMarkdown writes the whole report, with every clause and the timeline,
// as GitHub renders it. Text from the run cannot become markup. It returns the
// error of w.
func (r *Report) WriteMarkdown(w io.Writer) error {
	p := new(document)
	p.heading(1, r.headline())
	p.list(r.about())
	p.section("What to do now", len(r.Next))
	p.list(r.Next)
	p.section("Environments", len(r.Environments))
	p.table("name", "kind", "state", "since", "installed", "backup", "waits")
	for _, e := range r.Environments {
		installed := e.Installed.shows()
		if e.Installed.Code != "" {
			installed += ", " + e.Installed.Code
		}
		p.row(e.Name, string(e.Kind), cmp.Or(string(e.State), "-"), moment(e.Since), installed,
			strings.TrimSpace(e.backup()+" "+e.RollBackTo.Short()), cmp.Or(e.Waits, "-"))
	}
	p.section("Findings", len(r.Findings))
	if len(r.Findings) > 0 {
		p.table("level", "what", "text", "hint")
		for _, f := range r.Findings {
			p.row(string(f.Level), f.title(), f.Text, cmp.Or(f.Hint, "-"))
		}
	}
	if c := r.SupportCase; c != nil {
		p.section("Support case: "+c.opened(), 1)
		p.paragraph(c.Subject)
		p.code(c.Body)
	}
	p.section("Warnings", len(r.Warnings))
	p.list(r.Warnings)
	p.section("The written procedure, clause by clause: "+count(r.Clauses), len(r.Clauses))
	p.table("clause", "where", "says", "status", "evidence (entries)")
	for _, c := range r.Clauses {
		p.row(c.ID, c.Ref, strings.TrimSpace(c.Says+" "+c.Why), string(c.Status), cmp.Or(evidence(c.Evidence), "-"))
	}
	p.section("Timeline", r.entries.n)
	if r.entries.n > 0 {
		p.table("entry", "time", "what")
		for e := range r.entries.all {
			p.row(fmt.Sprint(e.Seq), moment(e.Time), r.clean.sentence(e))
		}
	}
	_, err := w.Write(p.Bytes())
	return err
}

// moment writes a time to the second, in UTC.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// evidence lists sequence numbers; a long list is cut.
func evidence(seqs []uint64) string {
	names := make([]string, len(seqs))
	for i, n := range seqs {
		names[i] = fmt.Sprint(n)
	}
	return list(names)
}

// A document is Markdown.
type document struct{ bytes.Buffer }

// markup takes the meaning away from everything that could be markup: HTML,
// links and names of users by entities, the rest by backslashes.
func markup(s string) string { return unmarked.Replace(s) }

var unmarked = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;", "://", ":&#47;&#47;", "www.", "www&#46;",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`, "#", `\#`, "|", `\|`, "~", `\~`, "$", `\$`,
)

func (p *document) heading(level int, s string) {
	fmt.Fprintf(p, "%s %s\n\n", strings.Repeat("#", level), markup(s))
}

// section begins a part with a heading, unless it would have no content.
func (p *document) section(title string, content int) {
	if content > 0 {
		p.WriteByte('\n')
		p.heading(2, title)
	}
}

func (p *document) paragraph(s string) { fmt.Fprintf(p, "%s\n\n", markup(s)) }

func (p *document) list(items []string) {
	for _, s := range items {
		fmt.Fprintf(p, "- %s\n", markup(s))
	}
}

// table begins a table, row goes on with it.
func (p *document) table(titles ...string) {
	p.row(titles...)
	p.WriteString("|" + strings.Repeat("---|", len(titles)) + "\n")
}

func (p *document) row(cells ...string) {
	p.WriteByte('|')
	for _, c := range cells {
		p.WriteString(" " + markup(c) + " |")
	}
	p.WriteByte('\n')
}

// code writes text as it is, between fences that it cannot end.
func (p *document) code(s string) {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	fmt.Fprintf(p, "%stext\n%s\n%s\n", fence, strings.TrimSuffix(s, "\n"), fence)
}

// WriteClauses writes [Clauses] as a page of Markdown: what keeps each sentence
// of the written procedure, and what the text leaves out. It returns the error
// of w.
func WriteClauses(w io.Writer) error {
	p := new(document)
	p.heading(1, "The written procedure, clause by clause")
	p.paragraph("Every sentence of the article is a clause. A state, guard, effect or policy of the tables keeps it, or it is a gap, with the reason. " +
		"The wording is ours. The report of a run says of each clause whether it was done, and which entries of the journal show it.")
	p.table("clause", "where", "says", "kept by", "names")
	for _, c := range Clauses() {
		p.row(c.ID, c.Ref, strings.TrimSpace(c.Says+" "+c.Why), string(c.Kind), cmp.Or(strings.Join(c.Names, ", "), "-"))
	}
	_, err := w.Write(p.Bytes())
	return err
}
