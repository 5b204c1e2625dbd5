package changeover

import (
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// A Step is an effect of the infrastructure's table, in the order in which a
// run comes to it.
type Step struct {
	Effect  string `json:"effect"` // as in the table and in the journal
	Text    string `json:"text"`   // what it does
	Changes bool   `json:"changes,omitempty"`
	// Asks is what a person has to approve or attest; empty: nothing. Whatever
	// an attended adapter does is asked of a person too, see
	// [Preview.Adapters].
	Asks string `json:"asks,omitempty"`
	// Environments are those that it is about, in the order in which they have
	// their turn; without them it is about the infrastructure as a whole.
	Environments []string `json:"environments,omitempty"`

	// The rest is of a step that takes each of its environments through a part
	// of a leg.

	Leg      string   `json:"leg,omitempty"`
	Each     []Doing  `json:"each,omitempty"`     // what each environment goes through, in order
	First    []string `json:"first,omitempty"`    // canaries: no other environment begins before they are through
	InFlight int      `json:"inFlight,omitempty"` // how many environments may be under way at once
	// Policy says what becomes of the others when one cannot go on.
	Policy migration.Policy `json:"policy,omitempty"`
}

// A Doing is an effect of an environment's table.
type Doing struct {
	Effect  string `json:"effect"`
	Text    string `json:"text"`
	Changes bool   `json:"changes,omitempty"`
	// Reaches is the state, and Seen what must be seen before it is claimed.
	Reaches string   `json:"reaches"`
	Seen    []string `json:"seen,omitempty"`
}

// An Omission is something that a run does not do, although somebody might
// expect it.
type Omission struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// steps follows the infrastructure's table from its beginning to its end, along
// the edges on which all goes well: the first of each state.
func (c *Changeover) steps(observed []Observed) []Step {
	profile, _ := migration.FindProfile(c.plan.Profile)
	ours := slices.DeleteFunc(names(c.plan.Pause), func(name string) bool { // the run pauses and resumes no other
		return slices.ContainsFunc(observed, func(o Observed) bool { return o.Environment == name && o.Paused })
	})
	table := c.forward.LineTable()
	list := []Step{}
	for _, at := range table.Course(table.Initial, "") {
		s := Step{Effect: string(at.Effect.Name), Text: at.Effect.Doc, Changes: at.Effect.Mutates}
		switch s.Effect {
		case "pause":
			s.Changes, s.Environments = len(ours) > 0, ours
		case "resumeDeployments":
			s.Changes, s.Environments = len(ours) > 0, ours
		case "attestModules":
			s.Asks = "somebody who has seen it attests that ActivationCodeCheck found every module clean"
		case "openGate":
			s.Asks = "somebody approves that target licenses are installed from now on"
		}
		for _, leg := range profile.Legs {
			for i, stage := range leg.Stages {
				if string(stage.Effect) == s.Effect {
					s = c.stage(s, leg, i)
				}
			}
		}
		list = append(list, s)
	}
	return list
}

// stage adds to a step what it does in each environment.
func (c *Changeover) stage(s Step, leg migration.Leg, i int) Step {
	stage, table := leg.Stages[i], c.forward.LegTable(leg)
	from := table.Initial
	if i > 0 {
		from = leg.Stages[i-1].Until
	}
	for _, at := range table.Course(from, stage.Until) {
		d := Doing{Effect: string(at.Effect.Name), Text: at.Effect.Doc, Changes: at.Effect.Mutates, Reaches: string(at.Edge.To)}
		for _, name := range at.Edge.If {
			for _, g := range table.Guards {
				if g.Name == name {
					d.Seen = append(d.Seen, g.Doc)
				}
			}
		}
		s.Changes = s.Changes || d.Changes
		s.Each = append(s.Each, d)
	}
	s.Leg, s.Policy, s.InFlight, s.Environments = leg.Name, stage.Policy, c.plan.MaxInFlight[leg.Name], names(c.plan.Order)
	if stage.Policy == migration.StopTheLine && len(c.plan.First) > 0 {
		s.First = names(c.plan.First)
		others := slices.DeleteFunc(s.Environments, func(name string) bool { return slices.Contains(s.First, name) })
		s.Environments = slices.Concat(s.First, others)
	}
	return s
}

func names(list []string) []string {
	clean := make([]string, len(list))
	for i, name := range list {
		clean[i] = printable.Text(name)
	}
	return clean
}

// omitted says what a run of this plan does not do, and why.
func (c *Changeover) omitted(observed []Observed) []Omission {
	profile, _ := migration.FindProfile(c.plan.Profile)
	list := []Omission{}
	add := func(what, why string) { list = append(list, Omission{what, why}) }
	leg := func(holds func(migration.Leg) bool) bool { return slices.ContainsFunc(profile.Legs, holds) }
	if !leg(func(l migration.Leg) bool { return l.Role == license.Target }) {
		add("No target license is installed anywhere: when the run is over, every environment still has a source license.",
			fmt.Sprintf("The written procedure never installs one, and the profile %s follows it to the letter; the profile %s installs them.", profile.Name, migration.RefreshAndMove))
	}
	if !leg(func(l migration.Leg) bool { return l.Role == license.Source && l.Verifies() }) {
		add("Source licenses are not refreshed.", fmt.Sprintf("The profile %s only backs them up, before it moves every environment.", profile.Name))
	}
	if !leg(func(l migration.Leg) bool { return l.CheckModules }) && leg(func(l migration.Leg) bool { return l.Role == license.Target }) {
		add("Nobody is asked whether ActivationCodeCheck found the modules clean.", fmt.Sprintf("Only the profile %s asks that; the test republish after the refresh finds out for one module.", migration.Published))
	}
	var going []string
	for _, env := range c.plan.Infrastructure.Environments {
		if !slices.Contains(c.plan.Pause, env.Name) {
			going = append(going, printable.Text(env.Name))
		}
	}
	if len(going) > 0 {
		add("Deployments are not paused: "+few(going)+".", "The plan does not name them; LifeTime never controls itself.")
	}
	for _, o := range observed {
		if o.Paused {
			add("Deployments to "+o.Environment+" are not resumed.", "They were paused before the run, by "+o.PausedBy+", who has to resume them.")
		}
	}
	return list
}
