package changeover

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// WriteText writes the preview for a terminal: what was seen, what will happen
// and what will not, and what stands in the way. What changes something is
// marked with a tilde, what a person is asked with a question mark. It returns
// the error of w.
func (p *Preview) WriteText(w io.Writer) error {
	t := &screenful{}
	t.line("%s, %s: from %s to %s", p.Infrastructure, p.Profile, p.Source, p.Target)
	t.line("seen at %s, good until %s", moment(p.Made), moment(p.Expires))
	t.head("Seen")
	t.seen(p.Observed)
	t.head("A run will")
	for i, s := range p.Steps {
		t.step(i+1, s)
	}
	if len(p.Omitted) > 0 {
		t.head("Not part of it")
		for _, o := range p.Omitted {
			t.line("  - %s", o.What)
			t.line("    %s", o.Why)
		}
	}
	t.head("Answered by")
	for _, port := range slices.Sorted(maps.Keys(p.Adapters)) {
		t.line("  %s: %s", port, p.Adapters[port])
	}
	errors := slices.DeleteFunc(slices.Clone(p.Findings), func(f environment.Finding) bool { return f.Warning })
	t.findings("Worth knowing", p.Findings.Warnings())
	t.findings("In the way", errors)
	t.line("")
	t.line("%s", p.summary(len(errors)))
	t.line("Digest of the plan:    %s", p.Plan)
	t.line("Digest of the preview: %s", p.Digest())
	_, err := io.WriteString(w, t.String())
	return err
}

// summary says on one line what is to be done.
func (p *Preview) summary(errors int) string {
	if errors > 0 {
		return fmt.Sprintf("Nothing can be applied: %s in the way. Nothing was changed.", count(errors, "thing is", "things are"))
	}
	changes, asked := 0, 0
	for _, s := range p.Steps {
		if s.Asks != "" {
			asked++
		}
		if s.Changes && len(s.Each) == 0 {
			changes++
		}
		for _, d := range s.Each {
			if d.Changes {
				changes += len(s.Environments)
			}
		}
	}
	return fmt.Sprintf("Ready: %s in %s, %s by a person. Nothing was changed.", count(changes, "change", "changes"),
		count(len(p.Observed), "environment", "environments"), count(asked, "decision", "decisions"))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// A screenful is text.
type screenful struct{ strings.Builder }

// line writes one line, and makes it safe: a preview may have come from
// anywhere.
func (t *screenful) line(format string, args ...any) {
	t.WriteString(strings.TrimRight(printable.Whole(fmt.Sprintf(format, args...)), " ") + "\n")
}

func (t *screenful) head(title string) { t.line(""); t.line("%s:", title) }

func (t *screenful) seen(observed []Observed) {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, o := range observed {
		shows := string(o.Role) + " license " + o.Code
		switch {
		case o.NotRead != "":
			shows = "not read"
		case o.Role == license.None:
			shows = "no license"
		}
		ipp := ""
		if o.IPP != "" {
			ipp = "Intellectual Property: " + string(o.IPP)
		}
		paused := ""
		if o.Paused {
			paused = "deployments paused by " + o.PausedBy
		}
		row := []string{o.Environment, string(o.Kind), shows, ipp, paused}
		for i, cell := range row {
			row[i] = printable.Whole(cell) // no tab may come from within
		}
		fmt.Fprintf(table, "  %s\n", strings.Join(row, "\t"))
	}
	_ = table.Flush() // into memory
	for line := range strings.Lines(b.String()) {
		t.line("%s", strings.TrimRight(line, "\n"))
	}
}

func (t *screenful) step(n int, s Step) {
	t.line("%3d. %s %s", n, mark(s.Changes, s.Asks), s.Text)
	if s.Asks != "" {
		t.line("       asks a person: %s", s.Asks)
	}
	if len(s.Environments) > 0 {
		in := few(s.Environments)
		switch {
		case s.InFlight == 1:
			in += "; one at a time"
		case s.InFlight > 1:
			in += fmt.Sprintf("; up to %d at a time", s.InFlight)
		}
		t.line("       in %s", in)
	}
	if len(s.First) > 0 {
		t.line("       first, alone: %s", few(s.First))
	}
	for _, d := range s.Each {
		t.line("       %s %-14s %s", mark(d.Changes, ""), d.Effect, d.Text)
	}
	switch s.Policy {
	case migration.Collect:
		t.line("       If one cannot go on, the others finish; then Support is asked once, with the whole list.")
	case migration.StopTheLine:
		t.line("       If one cannot go on, nothing more begins anywhere; an intellectual property error takes everything back.")
	}
}

// few names the first of many; Steps have them all.
func few(names []string) string {
	const most = 12
	if n := len(names) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n)
	}
	return strings.Join(names, ", ")
}

func mark(changes bool, asks string) string {
	switch {
	case asks != "":
		return "?"
	case changes:
		return "~"
	}
	return " "
}

func (t *screenful) findings(title string, found environment.Findings) {
	if len(found) == 0 {
		return
	}
	t.head(fmt.Sprintf("%s (%d)", title, len(found)))
	for _, f := range found {
		where := ""
		if f.Where != "" {
			where = f.Where + ": "
		}
		t.line("  - %s%s", where, f.Text)
		if f.Hint != "" {
			t.line("    %s", f.Hint)
		}
	}
}
