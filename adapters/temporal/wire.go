package temporal

import (
	"errors"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// A question is a call of a port as it stands in the history: no activation
// code, no bytes of a license file. Which fields it has is a matter of the
// method.
type question struct {
	Plan        string               `json:"plan"`           // its digest
	Text        string               `json:"text,omitempty"` // the plan itself, for a worker that does not have it yet
	Method      string               `json:"method"`
	Environment string               `json:"environment,omitempty"`
	Role        license.Role         `json:"role,omitempty"` // whose activation code
	Serial      license.SerialNumber `json:"serial,omitempty"`
	Digest      license.Digest       `json:"digest,omitempty"`
	Module      string               `json:"module,omitempty"`
	Label       *adapters.Label      `json:"label,omitempty"`
	Case        *adapters.Case       `json:"case,omitempty"`
	Key         string               `json:"key,omitempty"`
	Question    *adapters.Question   `json:"question,omitempty"`
	After       uint64               `json:"after,omitempty"`
	Entries     []journal.Entry      `json:"entries,omitempty"`
	Room        bool                 `json:"room,omitempty"` // of AppendJournal: the way back has begun, see journal.Reserver
}

// An answer is what came of a call.
type answer struct {
	NoPlan bool `json:"noPlan,omitempty"` // nothing was done: the worker needs the plan

	Yes         bool                     `json:"yes,omitempty"`
	Text        string                   `json:"text,omitempty"`
	File        *fileAnswer              `json:"file,omitempty"`
	Installed   *installed               `json:"installed,omitempty"`
	Publication *adapters.Publication    `json:"publication,omitempty"`
	Registered  []environment.Registered `json:"registered,omitempty"`
	Stored      []adapters.Stored        `json:"stored,omitempty"`
	Answer      *adapters.Answer         `json:"answer,omitempty"`
	Entries     []journal.Entry          `json:"entries,omitempty"`
	Described   map[string]string        `json:"described,omitempty"`
	Repaired    int64                    `json:"repaired,omitempty"` // of ReadJournal: see journal.Repairer

	Testimony []adapters.Testimony `json:"testimony,omitempty"`
	Failure   *failure             `json:"failure,omitempty"`
}

// A failure is an error of an adapter.
type failure struct {
	Text  string        `json:"text"`
	Kinds []string      `json:"kinds,omitempty"` // what it wraps, of kinds
	Hold  *journal.Hold `json:"hold,omitempty"`
}

// A kind is an error that the core asks for, with the name that it travels under.
type kind struct {
	name string
	err  error
}

// kinds are all of them, in a fixed order.
func kinds() []kind {
	all := []kind{
		{"uncertain", adapters.ErrUncertain}, {"gone", license.ErrGone},
		{"opaque", license.ErrOpaque}, {"empty", license.ErrEmpty}, {"tooLarge", license.ErrTooLarge}, {"webPage", license.ErrWebPage},
		{"truncated", license.ErrTruncated}, {"trailing", license.ErrTrailing},
		{"locked", journal.ErrLocked}, {"corrupt", journal.ErrCorrupt}, {"foreign", journal.ErrForeign}, {"seq", journal.ErrSeq},
		{"entryTooLarge", journal.ErrTooLarge}, {"full", journal.ErrFull},
	}
	for _, c := range adapters.Conditions() {
		all = append(all, kind{c.Condition(), c})
	}
	return all
}

// fail returns what travels of an error; nil for nil.
func fail(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error()}
	// Of several conditions the first one counts (adapters.ConditionOf), so it
	// stays the first.
	var first *adapters.Condition
	if errors.As(err, &first) {
		f.Kinds = append(f.Kinds, first.Condition())
	}
	for _, k := range kinds() {
		if errors.Is(err, k.err) && k.err != error(first) {
			f.Kinds = append(f.Kinds, k.name)
		}
	}
	_ = errors.As(err, &f.Hold)
	return f
}

// failed is an error that has traveled.
type failed struct {
	text  string
	wraps []error
}

func (f failed) Error() string   { return f.text }
func (f failed) Unwrap() []error { return f.wraps }

func (f *failure) err() error {
	if f == nil {
		return nil
	}
	e := failed{text: f.Text}
	all := kinds()
	for _, name := range f.Kinds {
		for _, k := range all {
			if k.name == name {
				e.wraps = append(e.wraps, k.err)
			}
		}
	}
	if f.Hold != nil {
		e.wraps = append(e.wraps, f.Hold)
	}
	return e
}

// A fileAnswer is a license file without its bytes.
type fileAnswer struct {
	Digest  license.Digest `json:"digest"`
	Size    int            `json:"size"`
	Details details        `json:"details"`
	Refused *failure       `json:"refused,omitempty"`
	Worker  string         `json:"worker"` // the queue of the worker that has the bytes
}

// A code is an activation code: one of the plan's by its role, any other in
// clear, since it is what the report must name.
type code struct {
	Role  license.Role `json:"role"`
	Clear string       `json:"clear,omitempty"`
}

func codeOf(p migration.Plan, c license.ActivationCode) code {
	switch {
	case c.IsZero():
		return code{Role: license.None}
	case c == p.Source:
		return code{Role: license.Source}
	case c == p.Target:
		return code{Role: license.Target}
	}
	return code{license.Other, c.Reveal()}
}

func (c code) in(p migration.Plan) license.ActivationCode {
	switch c.Role {
	case license.Source:
		return p.Source
	case license.Target:
		return p.Target
	}
	other, _ := license.ParseActivationCode(c.Clear) // it was one
	return other
}

// details and installed have their code as it travels.
type details struct {
	license.Details
	Code code
}

type installed struct {
	license.Installed
	Code code
}
