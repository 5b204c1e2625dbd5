package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// importance lists the kinds of hold, the most important first: what may do
// harm goes before what somebody has said, and that before what is only late.
var importance = []journal.HoldKind{
	journal.HoldMixed, journal.HoldInDoubt, journal.HoldUnknown, journal.HoldSerial, journal.HoldForeign, journal.HoldOperator,
	journal.HoldSupport, journal.HoldApproval, journal.HoldJournal, journal.HoldUnavailable, HoldInterrupted,
}

// rank returns the place of a kind in importance; a kind that is not known
// there could mean anything and comes first.
func rank(kind journal.HoldKind) int { return slices.Index(importance, kind) }

// over reports whether there is nothing to wait for.
func (f *fold) over() bool {
	return f.Verdict == "" || f.Verdict == Completed || f.Verdict == RolledBack
}

// hold returns the most important thing that the run waits for.
func (f *fold) hold() *journal.Hold {
	if f.over() {
		return nil
	}
	var holds []*journal.Hold
	if h := f.lineAt.Hold; h != nil {
		holds = append(holds, f.clean.hold(h))
	}
	if h := f.resting(); h != nil {
		holds = append(holds, h)
	}
	for _, e := range f.Environments {
		if e.Hold != nil {
			holds = append(holds, e.Hold)
		}
	}
	if len(holds) == 0 {
		return f.interrupted()
	}
	return slices.MinFunc(holds, func(a, b *journal.Hold) int { return rank(a.Kind) - rank(b.Kind) })
}

// resting returns what is waited for by being in a state, without a hold in
// the journal; nil: nothing.
func (f *fold) resting() *journal.Hold {
	state := machine.State(f.lineAt.State)
	switch {
	case f.back && state == rollback.Mixed:
		h := f.waiting(journal.HoldMixed, func(e Environment) bool {
			return e.State != rollback.RolledBack && e.State != rollback.RestoredNotTested
		})
		h.Cause = fmt.Sprintf("%s not back, and may hold the target license: %s", are(len(h.Environments)), list(h.Environments))
		h.Hint, h.Verbs = "deployments stay paused; resolve what each of them waits for; resume tries again", []string{"resolve", "resume"}
		return h
	case f.back && state == rollback.RestoredUntested:
		h := f.waiting(journal.HoldSupport, func(e Environment) bool { return e.State == rollback.RestoredNotTested })
		h.Cause = "the source license is back everywhere, but the test republish did not succeed in " + list(h.Environments)
		h.Hint, h.Verbs = "deployments stay paused; resolving the infrastructure takes responsibility for it, with who and why", []string{"resolve"}
		return h
	}
	h := f.waiting(journal.HoldSupport, func(e Environment) bool { return e.State == migration.NeedsSupport })
	if len(h.Environments) == 0 {
		return nil
	}
	h.Cause = fmt.Sprintf("%s for a person, usually at Support: %s", waits(len(h.Environments)), list(h.Environments))
	h.Hint, h.Verbs = "resume asks Support, with one case", []string{"resolve", "rollback"}
	switch {
	case f.back:
		h.Hint, h.Verbs = "ask Support; resolve each environment with what was done, then resume", []string{"resolve"}
	case state == migration.CaseOpen:
		h.Hint = "Support was asked: " + f.line.Case + "; when it has helped, resolve each environment with what was done, then resume"
	}
	return h
}

// waiting begins a hold for the environments that f selects.
func (f *fold) waiting(kind journal.HoldKind, selects func(Environment) bool) *journal.Hold {
	h := &journal.Hold{Kind: kind}
	var since time.Time
	for _, e := range f.Environments {
		if selects(e) {
			h.Environments = append(h.Environments, e.Name)
			if since.IsZero() || !e.Since.IsZero() && e.Since.Before(since) {
				since = e.Since
			}
		}
	}
	h.Since = since
	return h
}

// interrupted is the hold of a run that nothing keeps from going on.
func (f *fold) interrupted() *journal.Hold {
	h := &journal.Hold{Kind: HoldInterrupted, Cause: "the run was stopped between two steps", Hint: "resume goes on where it stopped", Verbs: []string{"resume", "rollback"}}
	h.Since = f.lastAt
	if f.line.Latch.Set() {
		h.Verbs = []string{"resume"} // it goes back already
	}
	var open []string
	for _, at := range f.record.Standings {
		if at.InFlight && f.mutates(at) {
			open = append(open, f.clean.text(at.Effect)+" in "+f.place(at.Env))
			if at.Env != journal.Infrastructure {
				h.Environments = append(h.Environments, f.clean.text(at.Env))
			}
		}
	}
	if len(open) > 0 {
		h.Hint = "resume first looks what came of " + list(open)
	}
	return h
}

// place names where something happened.
func (f *fold) place(env string) string { return f.clean.place(env) }

func (c cleaner) place(env string) string {
	switch env {
	case journal.Infrastructure:
		return "infrastructure"
	case "":
		return "run"
	}
	return c.text(env)
}

// wait says of every environment what it waits for.
func (f *fold) wait() {
	for i, name := range f.plan.Order {
		f.Environments[i].Waits = f.waits(f.Environments[i], name)
	}
}

func (f *fold) waits(e Environment, name string) string {
	at, begun := f.record.Standing(name)
	_, last := f.past.lastLeg()
	switch {
	case f.over():
		return ""
	case e.Hold != nil:
		return sentence(e.Hold)
	case e.Need != nil && e.State == rollback.RestoredNotTested:
		return e.Need.Text + "; resolving the infrastructure takes responsibility for it"
	case e.Need != nil:
		return e.Need.Text + "; resolve ends it, with what was done about it"
	case e.State == migration.NeedsSupport:
		return "a person must act, and nothing on record says why; resolve ends it"
	case at.InFlight && f.mutates(at):
		return "nobody knows yet what came of " + f.clean.text(at.Effect) + "; resume looks"
	case at.Table == f.past.back && e.State == rollback.RolledBack, !f.back && e.Leg == last && e.State == migration.Republished:
		return ""
	case f.Hold != nil && f.Hold.Kind == HoldInterrupted:
		return onResume
	case !begun:
		return "has not begun; " + forOthers
	}
	return forOthers
}

// What an environment waits for that has nothing of its own to wait for.
const (
	onResume  = "resume goes on"
	forOthers = "waits for the others"
)

// lastLeg returns whose license the last leg is about, and its name.
func (p *past) lastLeg() (license.Role, string) {
	last := p.profile.Legs[len(p.profile.Legs)-1]
	return last.Role, last.Name
}

// sentence says what a hold waits for, why, and what ends it. The hold is
// clean.
func sentence(h *journal.Hold) string {
	s := h.Cause
	if h.Effect != "" {
		s = h.Effect + ": " + s
	}
	if h.Holder != "" {
		s = h.Holder + " said stop: " + s
	}
	if h.Hint != "" {
		s += " (" + h.Hint + ")"
	}
	if len(h.Verbs) > 0 {
		s += "; ends by: " + strings.Join(h.Verbs, " or ")
	}
	return s
}

// next says what is to be done now.
func (f *fold) next() []string {
	role, _ := f.past.lastLeg()
	switch f.Verdict {
	case "":
		return []string{"Nothing has begun: apply begins the run."}
	case Completed:
		if role == license.Source {
			return []string{
				"Every environment shows its source license, refreshed and tested, and the deployments that the run had paused go on.",
				"The change of activation code itself is still to be done: the text never installs the license of the target code. The profile " + migration.RefreshAndMove + " does.",
			}
		}
		return []string{"Nothing: every environment shows its target license and was tested, and the deployments that the run had paused go on."}
	case RolledBack:
		s := "Agree with Support how to go on"
		if f.SupportCase != nil && f.SupportCase.Reference != "" {
			s += " (case " + f.SupportCase.Reference + ")"
		}
		return []string{s + ". Another attempt is another run: a new state directory, and a plan that fits what Support says."}
	}
	next := []string{}
	if f.Verdict == Mixed {
		next = append(next, "Do not resume deployments: the environments show, or may show, different activation codes.")
	}
	if h := f.Hold; !slices.ContainsFunc(f.Environments, func(e Environment) bool { return e.Hold == h }) {
		next = append(next, upperFirst(sentence(h))+".")
	}
	if h := f.lineAt.Hold; h != nil && f.Hold.Kind != h.Kind {
		next = append(next, upperFirst(sentence(f.clean.hold(h)))+".")
	}
	for _, e := range f.Environments {
		if e.Hold != nil || e.Need != nil {
			next = append(next, e.Name+": "+e.Waits+".")
		}
	}
	if f.back && f.Hold.Kind != HoldInterrupted && f.SupportCase != nil && f.SupportCase.Reference == "" {
		next = append(next, "Send Support the case of this report: the run reports to Support only when everything is back.")
	}
	return next
}

// warn collects what deviates from the written procedure or deserves a second
// look, and is no incident of this run.
func (f *fold) warn() {
	if role, _ := f.past.lastLeg(); role == license.Source {
		f.Warnings = append(f.Warnings, "The written procedure never installs the license of the target activation code, and the profile "+f.Profile+
			" follows it to the letter: when this run is over, every environment still has a license of the source code.")
	}
	for _, w := range f.plan.Validate().Warnings() {
		f.Warnings = append(f.Warnings, "The plan: "+f.clean.body(w.Error()))
	}
	if f.Verdict == Completed && f.Placement == AllTarget {
		f.Warnings = append(f.Warnings, "Older versions of applications cannot be published any more until their activation code is changed, says the article as published since 2024.")
	}
	for _, at := range f.record.Standings {
		if !slices.Contains(f.plan.Order, at.Env) && at.Env != journal.Infrastructure {
			f.Warnings = append(f.Warnings, "The journal speaks of "+f.clean.text(at.Env)+", which the plan does not have.")
		}
	}
}

// list joins names; a long list is cut, since its whole stands elsewhere.
func list(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

func upperFirst(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func are(n int) string   { return plural(n, "environment is", "environments are") }
func waits(n int) string { return plural(n, "environment waits", "environments wait") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
