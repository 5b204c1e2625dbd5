package report

import (
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

// A SupportCase is what Support is asked and told: one case, with the whole
// list. Subject and Body are, word for word, what the SupportDesk got, or will
// get.
type SupportCase struct {
	Reference    string     `json:"reference"` // empty: the case has not been opened yet
	Subject      string     `json:"subject"`
	Body         string     `json:"body"` // several lines
	Environments []string   `json:"environments"`
	Questions    []Question `json:"questions"`
}

// A Question is one thing that Support is asked about, for all environments
// that it is about.
type Question struct {
	FAQ          int      `json:"faq,omitempty"` // 1 to 3, of the written procedure; 0: it has no question for this
	Clause       string   `json:"clause"`
	Step         string   `json:"step"` // of the written procedure, at which it was met
	Condition    string   `json:"condition"`
	Environments []string `json:"environments"`
}

// supportCase returns the case that matters now; nil if there is nothing to ask.
func (f *fold) supportCase() *SupportCase {
	state := machine.State(f.lineAt.State)
	if f.opened != nil && (f.back && state == rollback.AllRolledBack || !f.back && state == migration.CaseOpen) {
		return f.opened
	}
	if f.over() || len(f.needs(false)) == 0 {
		return nil
	}
	return f.support(false)
}

// needs returns the environments of a case. reported says that the case is the
// report of a rollback, which is about what stopped the line and nothing else.
func (f *fold) needs(reported bool) []steps.Needy {
	var all []steps.Needy
	add := func(name string, need environment.Need) {
		env := find(f.plan, name)
		env.Kind = environment.Kind(f.clean.text(string(env.Kind)))
		all = append(all, steps.Needy{Env: env, Need: need, Reading: f.facts[name].Reading})
	}
	latch := f.line.Latch
	for _, name := range f.plan.Order {
		if latch.Set() && latch.Environment == name {
			add(name, environment.Need{Condition: latch.Condition, Step: latch.Step, Text: latch.Text})
		}
	}
	if reported {
		return all
	}
	for _, name := range f.plan.Order {
		if at, _ := f.record.Standing(name); f.needy(at) {
			add(name, f.facts[name].Need)
		}
	}
	return all
}

// support puts the case together.
func (f *fold) support(reported bool) *SupportCase {
	needy := f.needs(reported)
	kase := steps.Case(f.record.Run, f.plan.Infrastructure.Name, f.plan.Source, f.plan.Target, needy)
	if reported {
		kase = steps.RolledBackCase(f.record.Run, f.plan.Infrastructure, f.plan.Source, f.plan.Target, f.line.Latch)
	}
	c := &SupportCase{Subject: f.clean.body(kase.Subject), Body: f.clean.body(kase.Body), Environments: []string{}, Questions: []Question{}}
	for _, n := range needy {
		name := f.clean.text(n.Env.Name)
		if !slices.Contains(c.Environments, name) {
			c.Environments = append(c.Environments, name)
		}
		q := Question{FAQ: n.FAQ, Clause: clauseOf(n.Need), Step: f.clean.text(steps.StepOf(n.Step)), Condition: n.Condition}
		i := slices.IndexFunc(c.Questions, func(have Question) bool {
			return have.FAQ == q.FAQ && have.Clause == q.Clause && have.Step == q.Step && have.Condition == q.Condition
		})
		if i < 0 {
			i = len(c.Questions)
			c.Questions = append(c.Questions, q)
		}
		c.Questions[i].Environments = append(c.Questions[i].Environments, name)
	}
	return c
}

// clauseOf returns the clause that speaks of a need.
func clauseOf(n environment.Need) string {
	switch {
	case n.FAQ >= 1 && n.FAQ <= 3:
		return fmt.Sprintf("F%d", n.FAQ)
	case n.Condition == "intellectualProperty" && n.Step == "republish":
		return "M2.box"
	case n.Condition == "publishFailed":
		return "G5"
	}
	return clauseOfStep(n.Step)
}

// clauseOfStep returns the clause that asks for an effect; empty if none does.
func clauseOfStep(effect string) string {
	switch effect {
	case "pause":
		return "M1"
	case "fetchLicense":
		return "M2.b"
	case "backUp":
		return "M2.b.2"
	case "upload":
		return "M2.c"
	case "verify":
		return "M2.d"
	case "republish":
		return "M3"
	case "restore":
		return "R2.a"
	case "confirm":
		return "R2.b"
	case "testRestored":
		return "R2.c"
	case "report":
		return "R3"
	case "registerSerial", "openGate":
		return "G1"
	case "sweep", "resumeDeployments":
		return "G3"
	case "openCase":
		return "U1"
	}
	return ""
}
