package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/migration/journal"
)

// An incident is something that an effect met and got over, or has not yet.
type incident struct {
	env, effect, condition string
	doubt                  bool
	id                     string // of the effect in doubt
	times                  int
	text                   string // of the last time
	ended                  string // how the doubt ended; empty: it has not
}

// note takes down what reports say of an entry beyond the standing that it
// leads to.
func (f *fold) note(e journal.Entry) {
	switch {
	case e.Kind == journal.Doubt:
		f.meet(incident{env: e.Env, effect: e.Effect, condition: string(journal.HoldInDoubt), doubt: true, id: e.ID}, e.Text)
		return
	case e.Kind == journal.Failed && e.Condition != "notDone" && e.Condition != "interrupted":
		f.meet(incident{env: e.Env, effect: e.Effect, condition: e.Condition}, e.Text)
	}
	if e.Kind == journal.Outcome || e.Kind == journal.Failed {
		if i := f.doubts[e.Env]; i != nil {
			i.ended = cmp.Or(e.Text, "it was done")
		}
		delete(f.doubts, e.Env)
	}
}

func (f *fold) meet(met incident, text string) {
	i, known := f.met[met]
	if !known {
		copied := met
		i = &copied
		f.met[met] = i
		f.incidents = append(f.incidents, i)
	}
	i.times++
	i.text = text
	if i.doubt {
		i.ended = ""
		f.doubts[i.env] = i // at most one effect of an environment is in doubt
	}
}

// find lists what the run met, the most serious first.
func (f *fold) find() {
	f.findLatch()
	if f.lineAt.Hold != nil && !f.over() {
		f.Findings = append(f.Findings, f.held("", f.clean.hold(f.lineAt.Hold), f.heldFor[journal.Infrastructure]))
	}
	for i, name := range f.plan.Order {
		e := f.Environments[i]
		if e.Hold != nil && !f.over() {
			f.Findings = append(f.Findings, f.held(e.Name, e.Hold, f.heldFor[name]))
		}
		if e.Need != nil {
			level := Error
			if f.over() {
				level = Warning // somebody took responsibility for it
			}
			f.Findings = append(f.Findings, Finding{
				Level: level, Condition: e.Need.Condition, Environment: e.Name, Step: steps.StepOf(e.Need.Step), Clause: clauseOf(*e.Need),
				Text: e.Need.Text, Hint: hintFor(e.Need.Condition, e.Need.FAQ),
			})
		}
	}
	for i, name := range f.plan.Order {
		f.findLacks(f.Environments[i].Name, f.facts[name])
	}
	f.findPauses()
	if o := f.line.Override; o.Given {
		f.Findings = append(f.Findings, Finding{Level: Warning, Condition: "override", Clause: "R2.c",
			Text: "deployments go on although not every restored environment was tested; " + o.By + " took responsibility: " + o.Text})
	}
	f.findIncidents()
	f.findNotes()
	level := []Level{Error, Warning, Info}
	slices.SortStableFunc(f.Findings, func(a, b Finding) int { return slices.Index(level, a.Level) - slices.Index(level, b.Level) })
}

// findLatch says what stopped the line.
func (f *fold) findLatch() {
	l := f.line.Latch
	if !l.Set() {
		return
	}
	found := Finding{Level: Error, Condition: l.Condition, Text: "the line was stopped: " + l.Text}
	if l.Condition == "operator" {
		found.Level = Info // a decision, not an error
	}
	if slices.Contains(f.plan.Order, l.Environment) {
		found.Environment = f.clean.text(l.Environment)
		found.Step = steps.StepOf(l.Step)
		found.Clause = clauseOf(environment.Need{Condition: l.Condition, Step: l.Step})
	}
	found.Hint = hintFor(l.Condition, 0)
	f.Findings = append(f.Findings, found)
}

// held is the finding of a hold; one for support is named for the condition
// that was met.
func (f *fold) held(env string, h *journal.Hold, condition string) Finding {
	found := Finding{Level: Error, Condition: string(h.Kind), Environment: env, Text: h.Cause, Hint: h.Hint}
	if h.Kind == journal.HoldSupport && condition != "" {
		found.Condition = f.clean.text(condition)
	}
	if h.Effect != "" {
		found.Step, found.Clause = steps.StepOf(h.Effect), clauseOfStep(h.Effect)
	}
	return found
}

func (f *fold) findLacks(name string, facts environment.Facts) {
	if len(facts.Fetched.Lacks) > 0 {
		f.Findings = append(f.Findings, Finding{Level: Warning, Condition: "lessThanSource", Environment: name, Clause: "G1",
			Text: "the target license has less than the source license: " + strings.Join(facts.Fetched.Lacks, "; "),
			Hint: "ask Support before the change, or expect the platform to refuse what is missing"})
	}
	if facts.Fetched.Attested {
		f.Findings = append(f.Findings, Finding{Level: Info, Condition: "attestedFile", Environment: name, Step: steps.StepOf("fetchLicense"), Clause: "M2.b",
			Text: "the license file " + facts.Fetched.Digest.Short() + " cannot be inspected; a person has attested what it is"})
	}
}

// findPauses says whose deployments stay paused, and why.
func (f *fold) findPauses() {
	if !f.past.seen("line:paused") {
		return // nobody knows yet who has paused what
	}
	for _, name := range f.plan.Pause {
		ours := slices.Contains(f.line.Pause.Ours, name)
		switch {
		case !ours:
			f.Findings = append(f.Findings, Finding{Level: Warning, Condition: "foreignPause", Environment: f.clean.text(name), Step: steps.StepOf("pause"), Clause: "G3",
				Text: "deployments were paused by somebody else before the run began; the run leaves them paused", Hint: "whoever paused them has to resume them"})
		case f.line.Pause.Seen && !f.over():
			f.Findings = append(f.Findings, Finding{Level: Info, Condition: "paused", Environment: f.clean.text(name), Step: steps.StepOf("pause"), Clause: "M1",
				Text: "deployments are paused until the run is over"})
		}
	}
}

func (f *fold) findIncidents() {
	for _, i := range f.incidents {
		found := Finding{Level: Info, Condition: f.clean.text(i.condition), Step: f.clean.text(steps.StepOf(i.effect)), Clause: clauseOfStep(i.effect)}
		if i.env != journal.Infrastructure {
			found.Environment = f.clean.text(i.env)
		}
		text := f.clean.text(i.text)
		switch {
		case !i.doubt:
			found.Text = "not done, " + plural(i.times, "time", "times") + ": " + text
		case i.ended != "":
			found.Text = "it was not known whether " + f.clean.text(i.effect) + " was done (" + text + "); " + f.clean.text(i.ended)
		case f.inDoubt(i.env):
			continue // the hold says it all
		default:
			found.Level = Warning
			found.Text = "it is not known whether " + f.clean.text(i.effect) + " was done (" + text + ")"
			found.Hint = "resume looks before it does anything else"
		}
		f.Findings = append(f.Findings, found)
	}
}

// inDoubt reports whether somebody has to say what came of an effect.
func (f *fold) inDoubt(env string) bool {
	at, _ := f.record.Standing(env)
	return at.Hold != nil && at.Hold.Kind == journal.HoldInDoubt
}

// findNotes says where the installed license could not be kept besides the
// portal's file; one finding if that is so everywhere.
func (f *fold) findNotes() {
	const note = "installedBackup"
	found := func(env, text string) {
		f.Findings = append(f.Findings, Finding{Level: Info, Condition: note, Environment: env, Step: steps.StepOf("backUp"), Clause: "M2.b.2",
			Text: "the installed license itself is not in the vault, only the portal's file: " + text})
	}
	same := len(f.plan.Order) > 1 && !slices.ContainsFunc(f.plan.Order, func(name string) bool {
		return f.facts[name].Note(note) != f.facts[f.plan.Order[0]].Note(note)
	})
	for i, name := range f.plan.Order {
		text := f.facts[name].Note(note)
		switch {
		case text == "":
		case !same:
			found(f.Environments[i].Name, text)
		case i == 0:
			found("", text)
		}
	}
}

// hintFor says what to do about a condition.
func hintFor(condition string, faq int) string {
	switch condition {
	case "serialNotFound":
		return "Support has another way to get the license file; ask once, for all environments"
	case "notPrepared":
		if faq == 3 {
			return "Support corrects the definition; then every target license is fetched again"
		}
		return "Support has another way to get a prepared license file; ask once, for all environments"
	case "fileRefused":
		return "nothing was stored or uploaded; see that the portal gives the right file, or ask Support for it"
	case "noSlot":
		return "ask Support for a slot, or free one that is not used"
	case "rejected", "wrongEnvironment":
		return "nothing was installed; compare the serial numbers, and ask Support for a file that this server accepts"
	case "intellectualProperty":
		return "ask Support which modules are marked for another activation code, and to clear them, before another attempt"
	case "publishFailed":
		return "see the errors of the publish in Service Center; they are not about intellectual property"
	case "moduleNotFound":
		return "plan a module that every environment has"
	case "sourceNotShown":
		return "find out what keeps undoing the way back; then resolve, which restores again where it must"
	case "backupNotFound", "backupDamaged":
		return "bring back a copy of the vault, or ask Support for the source license file"
	}
	return ""
}
