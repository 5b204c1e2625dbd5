package migration

import (
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
)

// A Policy says what a stage does when an environment cannot go on. The
// written procedure has both.
type Policy string

// The policies.
const (
	// Collect finishes every other environment and then asks Support once,
	// with the whole list (seed, FAQ 1 and 2).
	Collect Policy = "collect"
	// StopTheLine issues nothing more anywhere as soon as one environment
	// cannot go on (seed, step 2: "pause the procedure for other environments").
	StopTheLine Policy = "stopTheLine"
)

// A Profile is a reading of the written procedure, as data: which legs every
// environment walks, and what lies between them.
type Profile struct {
	Name string
	Doc  string
	Legs []Leg
	// PauseAll pauses deployments to every registered environment; otherwise
	// only those to Production (seed, step 1).
	PauseAll bool
}

// A Leg takes every environment through the environment's table, or through
// the part of it that it needs.
type Leg struct {
	Name string
	Role license.Role // whose license it is about
	// CheckModules asks a person, before the leg, to attest that no module is
	// marked as protected (facts.md 1.3: ActivationCodeCheck).
	CheckModules bool
	// Gate asks for an approval before the leg, and demands that every
	// environment has a proven backup.
	Gate   bool
	Stages []Stage
}

// A Stage is a part of a leg that all environments finish before any goes on.
type Stage struct {
	Effect  machine.EffectName // what the infrastructure's machine calls it
	Doc     string             // of Effect
	Until   machine.State      // where environments rest; empty: at the end of their table
	Reached machine.State      // state of the infrastructure when all are there
	Meaning string             // documentation of Reached
	Policy  Policy
}

// Verifies reports whether environments check the Intellectual Property word
// in this leg, so that the plan must say which words are accepted.
func (l Leg) Verifies() bool { return l.Stages[len(l.Stages)-1].Until != BackedUp }

// Names of the profiles.
const (
	RefreshAndMove = "refresh-and-move"
	AsWritten      = "as-written"
	Published      = "published"
)

func refreshLeg() Leg {
	return Leg{Name: "refresh", Role: license.Source, Stages: []Stage{
		{
			Effect: "refreshLicenses", Doc: "Take every environment through fetching, backing up, uploading and checking its source license.",
			Until: IPVerified, Reached: Refreshed, Meaning: "Every environment shows a source license that is prepared for the migration.", Policy: Collect,
		},
		{
			Effect: "testLicenses", Doc: "Republish the test module in every environment.",
			Reached: Tested, Meaning: "Every environment has republished the test module under its refreshed source license.", Policy: StopTheLine,
		},
	}}
}

func moveLeg() Leg {
	return Leg{Name: "move", Role: license.Target, Gate: true, Stages: []Stage{{
		Effect: "moveLicenses", Doc: "Take every environment through registering, fetching, backing up, uploading, checking and testing its target license.",
		Reached: Moved, Meaning: "Every environment shows its target license and has republished the test module under it.", Policy: StopTheLine,
	}}}
}

// Profiles returns the three profiles, the default one first.
func Profiles() []Profile {
	backup := Leg{Name: "backup", Role: license.Source, Stages: []Stage{{
		Effect: "backUpLicenses", Doc: "Take every environment through fetching and backing up its source license.",
		Until: BackedUp, Reached: AllBackedUp, Meaning: "Every environment has a proven backup of its source license.", Policy: Collect,
	}}}
	move := moveLeg()
	move.CheckModules = true
	return []Profile{
		{
			Name: RefreshAndMove,
			Doc:  "Refresh every source license and test it, as the procedure is written; then move every environment to its target license, which the procedure presupposes.",
			Legs: []Leg{refreshLeg(), moveLeg()},
		},
		{
			Name: AsWritten,
			Doc:  "The procedure to the letter: refresh every source license and test it. The text never installs a target license, so neither does this profile.",
			Legs: []Leg{refreshLeg()},
		},
		{
			Name: Published, PauseAll: true,
			Doc:  "The article as published since 2021: back up every source license, check the modules, then move every environment to its target license.",
			Legs: []Leg{backup, move},
		},
	}
}

// FindProfile returns the profile called name; ok is false if there is none.
func FindProfile(name string) (p Profile, ok bool) {
	for _, p := range Profiles() {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}
