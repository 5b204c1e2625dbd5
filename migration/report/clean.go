package report

import (
	"slices"
	"strings"
	"unicode"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// A cleaner makes text of a journal safe to print. Journals are written safe;
// a report does not rely on it, since a journal may come from anywhere. The
// zero value knows no plan and masks codes of the usual form only.
type cleaner struct{ mask license.Mask }

func newCleaner(plan migration.Plan) cleaner {
	return cleaner{license.NewMask(plan.Source, plan.Target)}
}

// text makes one line safe.
func (c cleaner) text(s string) string { return printable.Text(c.mask.Text(s)) }

// whole makes a sentence safe, all of it: what was found and why.
func (c cleaner) whole(s string) string { return printable.Whole(c.mask.Text(s)) }

// body makes a text of several lines safe, all of it.
func (c cleaner) body(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = c.whole(line)
	}
	return strings.Join(lines, "\n")
}

// digest makes a digest safe to cut, as Short does: one byte, one character.
func (c cleaner) digest(d license.Digest) license.Digest {
	return license.Digest(strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, c.text(string(d))))
}

func (c cleaner) texts(list []string) []string {
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = c.text(s)
	}
	return list
}

func (c cleaner) hold(h *journal.Hold) *journal.Hold {
	return &journal.Hold{
		Kind: journal.HoldKind(c.text(string(h.Kind))), Cause: c.whole(h.Cause), Effect: c.text(h.Effect), Environments: c.texts(h.Environments),
		Holder: c.text(h.Holder), Since: h.Since, Verbs: c.texts(h.Verbs), Hint: c.text(h.Hint),
	}
}

func (c cleaner) need(n environment.Need) environment.Need {
	return environment.Need{Condition: c.text(n.Condition), Step: c.text(n.Step), FAQ: n.FAQ, Text: c.whole(n.Text), Evidence: c.whole(n.Evidence)}
}

func (c cleaner) reading(r environment.Reading) environment.Reading {
	r.Role, r.Code, r.Type, r.IPP = license.Role(c.text(string(r.Role))), c.text(r.Code), c.text(r.Type), license.IPP(c.text(string(r.IPP)))
	r.Server, r.Serial = license.SerialNumber(c.text(string(r.Server))), license.SerialNumber(c.text(string(r.Serial)))
	return r
}

// facts cleans what reports show of an environment.
func (c cleaner) facts(f environment.Facts) environment.Facts {
	f.Reading, f.Need = c.reading(f.Reading), c.need(f.Need)
	f.Fetched.Digest, f.Fetched.Lacks = c.digest(f.Fetched.Digest), c.texts(f.Fetched.Lacks)
	f.Backups = slices.Clone(f.Backups)
	for i := range f.Backups {
		b := &f.Backups[i]
		b.Digest, b.Serial = c.digest(b.Digest), license.SerialNumber(c.text(string(b.Serial)))
	}
	f.Notes = slices.Clone(f.Notes)
	for i := range f.Notes {
		f.Notes[i].Value = c.text(f.Notes[i].Value)
	}
	return f
}

// line cleans what reports show of the infrastructure.
func (c cleaner) line(l environment.Line) environment.Line {
	l.Case = c.text(l.Case)
	l.Latch.Condition, l.Latch.Step, l.Latch.Text = c.text(l.Latch.Condition), c.text(l.Latch.Step), c.whole(l.Latch.Text)
	l.Override.By, l.Override.Text = c.text(l.Override.By), c.text(l.Override.Text)
	return l
}
