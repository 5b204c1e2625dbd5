// Package report says how a run stands: a [Report] is a pure function of a plan
// and a journal, so it can be made at any time, offline, while the run goes on
// or years later. It is for people (text, Markdown), for programs (JSON) and
// for Support, whose case it carries word for word. It asks no adapter and
// decides nothing.
//
// It compares the run with the written procedure sentence by sentence
// ([Clauses]). Everything in a report is safe to print: text from outside is
// quoted, activation codes are masked.
package report

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// Version is the version of the JSON form of a [Report]. Fields may be added
// to it under the same version.
const Version = 1

// A Verdict is how a run ended, or stands. It is empty when no run has begun.
type Verdict string

// The verdicts.
const (
	Completed  Verdict = "Completed"  // everything that the profile asks for was done
	RolledBack Verdict = "RolledBack" // every environment shows its source license again
	Held       Verdict = "Held"       // it does not go on by itself; Report.Hold says what it waits for
	Mixed      Verdict = "Mixed"      // environments show, or may show, different activation codes, and must not go on like that
)

// ExitCode returns what a command ends with: 0 Completed, 2 RolledBack, 3 Held,
// 4 Mixed, 1 anything else.
func (v Verdict) ExitCode() int {
	switch v {
	case Completed:
		return 0
	case RolledBack:
		return 2
	case Held:
		return 3
	case Mixed:
		return 4
	}
	return 1
}

// A Placement says which license the environments show, as far as the journal
// knows (reliability.md MX1).
type Placement string

// The placements.
const (
	AllSource     Placement = "AllSource"
	AllTarget     Placement = "AllTarget"
	MixedExpected Placement = "MixedExpected" // on the way from one to the other
	MixedUp       Placement = "Mixed"         // and the run does not know how to go on
	Unknown       Placement = "Unknown"       // not every environment was read, or an upload is in doubt
)

// HoldInterrupted is the kind of hold of a run that simply stopped: its process
// ended, or was told to. It is never journaled.
const HoldInterrupted journal.HoldKind = "interrupted"

// A Report says how a run stands.
type Report struct {
	Version        int                    `json:"version"`
	Run            string                 `json:"run"`  // empty: no run has begun
	Plan           string                 `json:"plan"` // digest
	Infrastructure string                 `json:"infrastructure"`
	Profile        string                 `json:"profile"`
	Source         license.ActivationCode `json:"source"` // prints masked, as every code does
	Target         license.ActivationCode `json:"target"`
	Verdict        Verdict                `json:"verdict"`
	State          machine.State          `json:"state"` // of the infrastructure
	Placement      Placement              `json:"placement"`
	// Hold is the most important thing that the run waits for; nil when it is
	// over. Environments carry their own.
	Hold *journal.Hold `json:"hold"`
	// Next is what to do now, one sentence each.
	Next []string `json:"next"`
	// Environments are in the order of the plan.
	Environments []Environment `json:"environments"`
	Findings     []Finding     `json:"findings"`
	// SupportCase is what Support is, or is to be, asked and told; nil: nothing.
	SupportCase *SupportCase `json:"supportCase"`
	Clauses     []Clause     `json:"clauses"`
	Warnings    []string     `json:"warnings"`

	entries entries
	clean   cleaner
}

// An Environment is how one environment stands.
type Environment struct {
	Name  string           `json:"name"`
	Kind  environment.Kind `json:"kind"`
	State machine.State    `json:"state,omitempty"` // empty: it has not begun
	Leg   string           `json:"leg,omitempty"`
	Since time.Time        `json:"since,omitzero"`
	// Installed is the last stable reading; an effect in doubt may have changed
	// it since, which Waits then says.
	Installed Installed `json:"installed,omitzero"`
	Backup    Backup    `json:"backup"`
	// Hold and Need are what the journal says; Waits says in one sentence what
	// is waited for, why, and which verb ends it.
	Hold  *journal.Hold     `json:"hold,omitempty"`
	Need  *environment.Need `json:"need,omitempty"`
	Waits string            `json:"waits,omitempty"`
	// CanRollBack says that RollBackTo is a proven backup for the serial number
	// that the server has now.
	CanRollBack bool           `json:"canRollBack"`
	RollBackTo  license.Digest `json:"rollBackTo,omitempty"`
}

// Installed is what the licensing page of an environment showed.
type Installed struct {
	Code   string               `json:"code,omitempty"` // masked
	Role   license.Role         `json:"role,omitempty"`
	Serial license.SerialNumber `json:"serial,omitempty"` // the server's own
	IPP    license.IPP          `json:"ipp,omitempty"`
	At     time.Time            `json:"at,omitzero"`
}

// A Backup is what can be put back in an environment.
type Backup struct {
	Digests []license.Digest `json:"digests"` // of the source licenses for its server, oldest first
	Proven  bool             `json:"proven"`  // one of them was read back whole
	Copies  int              `json:"copies"`  // of the one that would be put back
}

// A Level says how much a finding matters.
type Level string

// The levels.
const (
	Error   Level = "error"   // it keeps the run from going on, or made it go back
	Warning Level = "warning" // somebody should look at it
	Info    Level = "info"    // it is good to know
)

// A Finding is something that a run met.
type Finding struct {
	Level       Level  `json:"level"`
	Condition   string `json:"condition"` // stable name: of the condition, or of the kind of hold
	Environment string `json:"environment,omitempty"`
	Step        string `json:"step,omitempty"`   // of the written procedure
	Clause      string `json:"clause,omitempty"` // that speaks of it, see Clauses
	Text        string `json:"text"`
	Hint        string `json:"hint,omitempty"`
}

// fold reads a journal.
type fold struct {
	*Report
	plan   migration.Plan // effective
	record journal.Record
	past   *past

	line      environment.Line
	lineAt    journal.Standing
	back      bool                         // the infrastructure is on the way back
	facts     map[string]environment.Facts // decoded and cleaned, by environment
	opened    *SupportCase                 // as it was when Support was last told
	lastAt    time.Time                    // of the last entry
	surveyed  time.Time                    // when every environment had been read; zero: not yet
	heldFor   map[string]string            // environment -> condition of its last hold
	incidents []*incident                  // in the order in which they were first met
	met       map[incident]*incident       // by what they have in common when they are met again
	doubts    map[string]*incident         // environment -> what is not known of it yet
	effects   map[within][]machine.Effect  // of the tables that were asked for
}

// New reads the journal of a run of plan. For an empty journal, Run and Verdict
// are empty. It returns journal.ErrForeign for the journal of another plan,
// journal.ErrCorrupt for one that no run can have written, and the error that
// entries yields.
func New(plan migration.Plan, entries iter.Seq2[journal.Entry, error]) (*Report, error) {
	plan = plan.Effective()
	profile, ok := migration.FindProfile(plan.Profile)
	if !ok {
		return nil, errors.New("the plan has an unknown profile")
	}
	f := &fold{
		Report: &Report{
			Version: Version, Plan: plan.Digest(), Profile: profile.Name, Source: plan.Source, Target: plan.Target,
			Next: []string{}, Environments: []Environment{}, Findings: []Finding{}, Warnings: []string{}, clean: newCleaner(plan),
		},
		plan: plan, past: newPast(plan, profile), facts: map[string]environment.Facts{},
		heldFor: map[string]string{}, met: map[incident]*incident{}, doubts: map[string]*incident{}, effects: map[within][]machine.Effect{},
	}
	f.Infrastructure = f.clean.text(plan.Infrastructure.Name)
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if err := f.add(e); err != nil {
			return nil, err
		}
	}
	if f.record.Last > 0 && f.record.Plan != f.Plan {
		return nil, fmt.Errorf("%w: the journal is of another plan", journal.ErrForeign)
	}
	if err := f.decode(); err != nil {
		return nil, err
	}
	f.Run = f.clean.text(f.record.Run)
	f.State = machine.State(f.clean.text(f.lineAt.State))
	for _, name := range plan.Order {
		f.Environments = append(f.Environments, f.environment(name))
	}
	f.Verdict = f.verdict()
	f.Placement = f.placement()
	f.Hold = f.hold()
	f.wait()
	f.SupportCase = f.supportCase()
	f.find()
	f.warn()
	f.Next = f.next()
	f.Clauses = f.past.clauses()
	return f.Report, nil
}

// add takes one entry in.
func (f *fold) add(e journal.Entry) error {
	if err := f.record.Add(e); err != nil {
		return err
	}
	f.past.add(e)
	f.note(e)
	if e.Kind == journal.Held {
		f.heldFor[e.Env] = e.Condition
	}
	if e.Env == journal.Infrastructure && e.Kind == journal.Outcome {
		switch e.Trigger {
		case "surveyed":
			f.surveyed = e.Time
		case "caseOpened", "reported":
			if err := f.decode(); err != nil {
				return err
			}
			f.opened = f.support(e.Trigger == "reported")
			f.opened.Reference = f.line.Case
		}
	}
	f.entries.add(e)
	f.lastAt = e.Time
	return nil
}

// decode reads what is known of everything from the last facts on record.
func (f *fold) decode() (err error) {
	f.lineAt, _ = f.record.Standing(journal.Infrastructure)
	if f.line, err = engine.Facts[environment.Line](f.lineAt); err != nil {
		return err
	}
	f.line = f.clean.line(f.line)
	f.back = f.lineAt.Table == f.past.lineBack
	for _, name := range f.plan.Order {
		at, _ := f.record.Standing(name)
		facts, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return err
		}
		f.facts[name] = f.clean.facts(facts)
	}
	return nil
}

// environment says how one environment stands; what it waits for follows when
// all of them are known.
func (f *fold) environment(name string) Environment {
	at, begun := f.record.Standing(name)
	facts, planned := f.facts[name], find(f.plan, name)
	e := Environment{
		Name: f.clean.text(name), Kind: environment.Kind(f.clean.text(string(planned.Kind))),
		State: machine.State(f.clean.text(at.State)), Leg: f.clean.text(at.Leg), Since: at.Since, Backup: Backup{Digests: []license.Digest{}},
	}
	if at.Hold != nil {
		e.Hold = f.clean.hold(at.Hold)
	}
	if facts.Need.Condition != "" && f.needy(at) {
		need := facts.Need
		e.Need = &need
	}
	server := facts.Reading.Server
	switch r := facts.Reading; {
	case r.Role != "":
		e.Installed = Installed{Code: r.Code, Role: r.Role, Serial: r.Server, IPP: r.IPP, At: r.At}
	case !begun && !f.surveyed.IsZero():
		// The survey is over only when every environment shows its source
		// license for the planned serial number.
		e.Installed = Installed{Code: f.Source.String(), Role: license.Source, Serial: license.SerialNumber(f.clean.text(string(planned.Serial))), At: f.surveyed}
	}
	for _, b := range facts.Backups {
		if b.Role == license.Source && b.Serial == server && !slices.Contains(e.Backup.Digests, b.Digest) {
			e.Backup.Digests = append(e.Backup.Digests, b.Digest)
		}
	}
	if b, ok := facts.Restorable(server); ok {
		e.Backup.Proven, e.Backup.Copies = true, b.Copies
		// A reading of another server is not kept, only the hold tells of it.
		if at.Hold == nil || at.Hold.Kind != journal.HoldSerial {
			e.CanRollBack, e.RollBackTo = true, b.Digest
		}
	}
	return e
}

// needy reports whether an environment rests in a state in which its Need
// counts.
func (f *fold) needy(at journal.Standing) bool {
	state := machine.State(at.State)
	return state == migration.NeedsSupport || at.Table == f.past.back && state == rollback.RestoredNotTested
}

// verdict says how the run ended, or that it has not.
func (f *fold) verdict() Verdict {
	state := machine.State(f.lineAt.State)
	switch {
	case f.record.Last == 0:
		return ""
	case f.mixed():
		return Mixed
	case f.back && state == rollback.AllRolledBack:
		return RolledBack
	case !f.back && state == migration.Completed:
		return Completed
	}
	return Held
}

// mixed reports whether the run has found different activation codes where it
// should not, and waits because of it.
func (f *fold) mixed() bool {
	return f.back && machine.State(f.lineAt.State) == rollback.Mixed ||
		slices.ContainsFunc(f.record.Standings, func(at journal.Standing) bool { return at.Hold != nil && at.Hold.Kind == journal.HoldMixed })
}

// placement says which license the environments show.
func (f *fold) placement() Placement {
	source, target, unknown := 0, 0, 0
	for i, name := range f.plan.Order {
		role := f.Environments[i].Installed.Role
		switch {
		case f.changing(name), role != license.Source && role != license.Target:
			unknown++
		case role == license.Source:
			source++
		default:
			target++
		}
	}
	switch {
	case f.Verdict == Mixed:
		return MixedUp
	case source > 0 && target > 0:
		return MixedExpected
	case unknown > 0 || source+target == 0:
		return Unknown
	case source > 0:
		return AllSource
	}
	return AllTarget
}

// changing reports whether an upload that decides between source and target is
// under way or in doubt, so that what was read before may not be true any more.
func (f *fold) changing(name string) bool {
	at, _ := f.record.Standing(name)
	facts := f.facts[name]
	switch at.Effect {
	case "registerSerial", "republish", "testRestored":
		return false // change something, but no license
	}
	return at.InFlight && f.mutates(at) && (facts.TargetSent || facts.Reading.Role == license.Target)
}

// mutates reports whether the effect in flight changes something; one that the
// procedures' own tables do not know counts as one that does.
func (f *fold) mutates(at journal.Standing) bool {
	effects := f.effectsOf(at)
	i := slices.IndexFunc(effects, func(e machine.Effect) bool { return string(e.Name) == at.Effect })
	return i < 0 || effects[i].Mutates
}

// effectsOf returns the effects of the table that at is in. A table is made
// once for all the environments that are in it.
func (f *fold) effectsOf(at journal.Standing) []machine.Effect {
	in := within{at.Table, at.Leg, at.Env == journal.Infrastructure}
	effects, known := f.effects[in]
	if known {
		return effects
	}
	switch {
	case at.Table == f.past.lineBack:
		effects = rollback.InfrastructureTable().Effects
	case at.Table == f.past.back:
		effects = rollback.EnvironmentTable().Effects
	case at.Env == journal.Infrastructure:
		effects = migration.InfrastructureTable(f.past.profile).Effects
	default:
		for _, leg := range f.past.profile.Legs {
			if leg.Name == at.Leg {
				effects = migration.EnvironmentTable(leg, f.plan.Rules(leg)).Effects
			}
		}
	}
	f.effects[in] = effects
	return effects
}

// within is what decides which of the procedures' own tables a standing is in.
type within struct {
	table, leg string
	line       bool // it is the infrastructure's
}
