package report

import (
	"slices"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/migration"
)

// A ClauseKind says by what a clause of the written procedure is kept.
type ClauseKind string

// The kinds of clause.
const (
	ByState  ClauseKind = "state"  // a state of a table is the fact that it asks for
	ByGuard  ClauseKind = "guard"  // a guard refuses to go on without it
	ByEffect ClauseKind = "effect" // an effect does it
	ByPolicy ClauseKind = "policy" // a check of the plan, a profile or a failure policy keeps it
	Gap      ClauseKind = "gap"    // nothing keeps it, or the text lacks it; Why says more
)

// A ClauseStatus says what became of a clause in a run.
type ClauseStatus string

// What becomes of a clause.
const (
	Done          ClauseStatus = "done"          // the evidence shows it
	NotDone       ClauseStatus = "notDone"       // not, or not everywhere yet
	NotApplicable ClauseStatus = "notApplicable" // the profile, or the course of the run, has no place for it
	IsGap         ClauseStatus = "gap"           // see Why
)

// A Clause is one sentence of the written procedure, or one thing that it
// leaves out, and what keeps it.
type Clause struct {
	ID   string `json:"id"`   // stable: M migration, R rollback, F frequently asked question, G gap
	Ref  string `json:"ref"`  // where the sentence stands, for example "migration step 2b"
	Says string `json:"says"` // the sentence, in our words
	// Kind and Names say what keeps the clause: names of states, guards and
	// effects of the tables, codes of findings about the plan, failure policies
	// and profiles.
	Kind  ClauseKind `json:"kind"`
	Names []string   `json:"names,omitempty"`
	Why   string     `json:"why,omitempty"` // of a gap: the reason
	// Status and Evidence, the sequence numbers of journal entries, are of one
	// run; [Clauses] leaves them empty.
	Status   ClauseStatus `json:"status,omitempty"`
	Evidence []uint64     `json:"evidence,omitempty"`
}

// Clauses returns every sentence of the written procedure, in its order, and
// then what the text leaves out. Docs/clauses.md is this list.
func Clauses() []Clause {
	rules := rules()
	clauses := make([]Clause, len(rules))
	for i, r := range rules {
		clauses[i] = r.Clause
	}
	return clauses
}

// A mark names what entries of a journal can show: a scope and what happened
// in it, "target:uploaded". The scopes are source and target, for the
// environments in legs of that role, and back, for those on the way back;
// line and lineBack, for the infrastructure; and run.
type mark string

// A rule is a clause and what shows, in a run, that it was kept.
type rule struct {
	Clause
	when  func(*past) bool // it applies; nil: always
	marks []mark           // any of which shows it
	each  bool             // in every environment, not just once
	check func(*past) bool // replaces marks and each, which then are evidence only
}

func uploadsSource(p *past) bool {
	return slices.ContainsFunc(p.profile.Legs, func(l migration.Leg) bool { return p.role(l.Name) == "source" && l.Verifies() })
}

func wentBack(p *past) bool { return p.seen("lineBack:begun") }

func hasHappened(m mark) func(*past) bool { return func(p *past) bool { return p.seen(m) } }

// productionFirst reports whether the environment with which the source leg
// began is one of Production, if there is any.
func productionFirst(p *past) bool {
	begun := p.hits["source:begun"]
	if len(begun) == 0 {
		return false
	}
	kind := func(name string) environment.Kind { return find(p.plan, name).Kind }
	return kind(begun[0].env) == environment.Production ||
		!slices.ContainsFunc(p.plan.Order, func(name string) bool { return kind(name) == environment.Production })
}

// fetchedAgain reports whether every environment has fetched its license of
// the target code again since Support has corrected them last.
func fetchedAgain(p *past) bool {
	corrected := p.hits["target:supportResolved"]
	if len(corrected) == 0 {
		return false
	}
	last := corrected[len(corrected)-1].seq
	return p.everywhere(func(h hit) bool { return h.seq > last }, "target:licenseFetched")
}

// The marks of several clauses.
const (
	opened     mark = "run:opened"
	neverLeft  mark = "back:nothingToRestore" // an environment that never left the source license is back already
	caseOpened mark = "line:caseOpened"
)

// forReaders is why a sentence is a gap that asks for nothing.
const forReaders = "It speaks to the reader; there is nothing in it for a program to do."

// rules are the sentences of the written procedure. The wording is ours.
func rules() []rule {
	all := make([]rule, 0, 96) // a report is made after each verb: these are not copied as they grow
	ref := ""
	add := func(r rule) {
		r.Ref = ref
		all = append(all, r)
	}
	kept := func(id, says string, kind ClauseKind, names ...string) rule {
		return rule{Clause: Clause{ID: id, Says: says, Kind: kind, Names: names}}
	}
	gap := func(id, says, why string, names ...string) rule {
		return rule{Clause: Clause{ID: id, Says: says, Kind: Gap, Why: why, Names: names}}
	}
	shown := func(r rule, marks ...mark) rule { r.marks = marks; return r }
	each := func(r rule, marks ...mark) rule { r.marks, r.each = marks, true; return r }
	when := func(applies func(*past) bool, r rule) rule { r.when = applies; return r }

	ref = "summary"
	add(shown(kept("sum.1", "The licenses of one existing infrastructure are replaced: another activation code takes the place of the one before.", ByPolicy, "noActivationCode", "sameActivationCode"), opened))

	ref = "introduction"
	add(shown(kept("int.1", "A customer may have to change the activation code of an infrastructure, which is a set of environments.", ByPolicy, "noActivationCode", "sameActivationCode"), opened))
	add(gap("int.2", "A company that splits into several, each with a license of its own, is one reason.", forReaders))
	add(shown(kept("int.3", "Done correctly, the change causes no downtime and everything keeps working.", ByGuard, "everyoneShows", "publicationClean"), "line:deploymentsResumed"))
	add(shown(kept("int.4", "The case that is covered: an infrastructure as a whole, with its LifeTime, goes from a source code to a target code.", ByPolicy, "leftOut", "noLifeTime"), opened))
	add(when(wentBack, shown(kept("int.5", "There is a way back if something goes wrong.", ByState, "RollingBack", "RolledBack"), "lineBack:begun")))

	ref = "scenario"
	add(shown(kept("pre.1", "The example has one LifeTime and environments for development, quality and production.", ByPolicy, "noEnvironments", "noLifeTime", "severalLifeTimes"), opened))
	add(shown(kept("pre.2", "More environments are no obstacle as long as three requirements hold.", ByPolicy, "tooManyEnvironments", "duplicateName"), opened))
	add(shown(kept("pre.2a", "First: the LifeTime of the infrastructure controls every environment that is to change.", ByPolicy, "notControlled"), opened))
	add(shown(kept("pre.2b", "Second: every environment that this LifeTime controls changes.", ByPolicy, "leftOut"), opened))
	add(shown(kept("pre.2c", "Third: LifeTime itself changes, too.", ByPolicy, "noLifeTime"), opened))

	ref = "important box"
	add(shown(kept("imp.1", "There are three cases in which the change must not begin.", ByPolicy, "notControlled", "leftOut", "noLifeTime"), opened))
	add(shown(kept("imp.1a", "An environment that is to change belongs to another LifeTime.", ByPolicy, "notControlled"), opened))
	add(shown(kept("imp.1b", "An environment of this LifeTime is to keep its code.", ByPolicy, "leftOut"), opened))
	add(shown(kept("imp.1c", "LifeTime is to keep its code.", ByPolicy, "noLifeTime"), opened))

	ref = "migration, before step 1"
	add(gap("proc.1", "Read everything before you begin.", forReaders))
	add(gap("proc.2", "Ask Support first if anything is unclear.", forReaders))
	add(shown(kept("proc.3", "What follows takes the infrastructure from the source code to the target code.", ByPolicy, migration.RefreshAndMove, migration.Published), "line:moved"))

	ref = "migration step 1"
	add(shown(kept("M1", "Deployments to Production are paused.", ByEffect, "pause", "deploymentsPaused"), "line:paused"))

	ref = "migration step 2"
	add(when(uploadsSource, shown(kept("M2", "Every environment gets a new file of its license under the source code.", ByEffect, "refreshLicenses", "everyoneReached"), "line:refreshed")))
	first := kept("M2.2", "Production comes first.", ByPolicy, "orderDeviates")
	first.marks, first.check = []mark{"source:begun"}, productionFirst
	add(first)
	ref = "migration step 2a"
	add(each(kept("M2.a", "The Licensing Portal is asked under the source code.", ByEffect, "fetchLicense"), "source:licenseFetched"))
	ref = "migration step 2b"
	add(each(kept("M2.b", "The environment's serial number is looked up there and its license file is downloaded.", ByState, "LicenseFetched", "fileOfThisLeg", "fileForThisServer"), "source:licenseFetched"))
	add(each(kept("M2.b.2", "The file is kept as a backup.", ByState, "BackedUp", "fileBackedUp", "sourceBackupProven"), "source:backedUp"))
	ref = "migration step 2c"
	add(when(uploadsSource, each(kept("M2.c", "A license is uploaded on the licensing page of the environment's Service Center.", ByEffect, "upload"), "source:uploaded")))
	add(when(uploadsSource, each(kept("M2.c.2", "It is the very file that was downloaded before.", ByState, "Uploaded", "fileBackedUp", "fileCurrent", "licenseShown"), "source:uploaded")))
	ref = "migration step 2d"
	add(when(uploadsSource, each(kept("M2.d", "The same page is searched for the feature Intellectual Property.", ByEffect, "verify"), "source:ipVerified")))
	add(when(uploadsSource, each(kept("M2.d.2", "The word Ignore means that all is well.", ByState, "IPVerified", "ippAccepted"), "source:ipVerified")))
	add(when(hasHappened("source:notPrepared"), shown(kept("M2.d.3", "Any other word means that the license is not prepared: the questions say what to do.", ByState, "NeedsSupport", "ippAccepted"), "source:notPrepared")))
	ref = "migration step 2e"
	add(when(uploadsSource, shown(kept("M2.e", "All of this is done for the other environments as well.", ByGuard, "everyoneReached", "Refreshed"), "line:refreshed")))
	ref = "box before migration step 3"
	add(when(func(p *past) bool { return p.seen("source:ippRejected") || p.seen("target:ippRejected") },
		shown(kept("M2.box", "An intellectual property error in the next step stops every other environment and leads to the rollback.", ByPolicy, string(migration.StopTheLine), "lineRunning", "Halted"), "lineBack:begun")))
	ref = "migration step 3"
	republished := []mark{"source:republished", "target:republished"}
	add(each(kept("M3", "A module is published again as a test, in every environment.", ByEffect, "republish"), republished...))
	add(each(kept("M3.2", "The module is found among the modules of Service Center.", ByEffect, "republish"), republished...))
	add(each(kept("M3.3", "The version that is published is published once more.", ByState, "Republished", "publicationClean"), republished...))

	ref = "rollback step 1"
	add(when(wentBack, shown(kept("R1", "Deployments to Production are paused.", ByEffect, "pause", "deploymentsPaused"), "lineBack:paused")))
	add(when(func(p *past) bool { return wentBack(p) && !p.profile.PauseAll },
		shown(kept("R1.2", "Elsewhere, development may go on meanwhile.", ByPolicy, "pauseDeviates"), "lineBack:paused")))
	ref = "rollback step 2"
	add(when(wentBack, each(kept("R2", "Wherever a license of the target code is installed, the backed up file is put back.", ByEffect, "restoreLicenses", "restore", "everyoneRolledBack"), "back:backupUploaded", neverLeft)))
	ref = "rollback step 2a"
	add(when(wentBack, each(kept("R2.a", "A license is uploaded on the licensing page of each such environment.", ByEffect, "restore"), "back:backupUploaded", neverLeft)))
	add(when(wentBack, each(kept("R2.a.2", "It is that environment's own backup.", ByState, "BackupUploaded", "sourceShown"), "back:backupUploaded", neverLeft)))
	ref = "rollback step 2b"
	add(when(wentBack, each(kept("R2.b", "The page shows the source code again.", ByState, "SourceConfirmed", "sourceShown"), "back:sourceConfirmed", neverLeft)))
	ref = "rollback step 2c"
	tested := []mark{"back:restoredTested", neverLeft}
	add(when(wentBack, each(kept("R2.c", "A module is published again as a test.", ByEffect, "testRestored"), tested...)))
	add(when(wentBack, each(kept("R2.c.2", "The module is found among the modules of Service Center.", ByEffect, "testRestored"), tested...)))
	add(when(wentBack, each(kept("R2.c.3", "The version that is published is published once more.", ByState, "RolledBack", "publicationClean"), tested...)))
	ref = "rollback step 3"
	add(when(wentBack, shown(kept("R3", "Support is told what happened and asked how to go on.", ByEffect, "report", "caseRecorded"), "lineBack:reported")))

	ref = "something unexpected"
	add(when(func(p *past) bool { return p.seen("run:needed") }, shown(kept("U1", "Whatever else happens: the questions, or Support, who is told the article and the step.", ByState, "NeedsSupport", "openCase", "report"), caseOpened, "lineBack:reported")))

	ref = "question 1"
	lost := hasHappened("source:serialNotFound")
	add(when(lost, shown(kept("F1", "The portal does not have the serial number under the source code.", ByState, "NeedsSupport"), "source:serialNotFound")))
	add(when(lost, shown(kept("F1.2", "Support has another way to get the file.", ByEffect, "openCase"), caseOpened)))
	add(when(lost, shown(kept("F1.3", "All environments are tried first, so that Support gets the whole list at once.", ByPolicy, string(migration.Collect), "everyoneReached"), "line:supportNeeded")))
	ref = "question 2"
	unprepared := hasHappened("source:notPrepared")
	add(when(unprepared, shown(kept("F2", "The uploaded license of the source code is not prepared.", ByState, "NeedsSupport", "ippAccepted"), "source:notPrepared")))
	add(when(unprepared, shown(kept("F2.2", "Support has another way to get the file.", ByEffect, "openCase"), caseOpened)))
	add(when(unprepared, shown(kept("F2.3", "All uploads are finished first, so that Support gets the list of every environment without the word Ignore.", ByPolicy, string(migration.Collect), "everyoneReached"), "line:supportNeeded")))
	ref = "question 3"
	wrong := hasHappened("target:notPrepared")
	add(when(wrong, shown(kept("F3", "The uploaded license of the target code is not prepared.", ByState, "NeedsSupport", "ippAccepted"), "target:notPrepared")))
	add(when(wrong, shown(kept("F3.2", "Support corrects the definition of the license.", ByEffect, "openCase"), caseOpened)))
	again := kept("F3.3", "Then the licenses of the target code are obtained again, for every environment.", ByGuard, "fileCurrent")
	again.marks, again.check = []mark{"target:supportResolved", "target:licenseFetched"}, fetchedAgain
	add(when(wrong, again))

	ref = "not in the text"
	add(shown(gap("G1", "The licenses of the target code are registered, fetched and installed.",
		"No step of the text ever installs a license of the target activation code, although its title, the rollback and question 3 presuppose it. "+
			"The profiles refresh-and-move and published have a leg for it; as-written, which is the text to the letter, has none.",
		"moveLicenses", "registerSerial", "gateOpen", "everyoneBackedUp"), "target:uploaded"))
	add(shown(gap("G2", "The backup that the rollback puts back was made in step 2b.",
		"The text cites step 3, which makes none. The newest proven backup that the environment has accepted is put back.",
		"sourceBackupProven", "restore"), "back:backupUploaded"))
	add(shown(gap("G3", "Deployments are resumed in the end.",
		"The text pauses them twice and never resumes them. A run resumes what it has paused, and only after a sweep that found the same activation code everywhere.",
		"sweep", "resumeDeployments"), "line:deploymentsResumed", "lineBack:deploymentsResumed"))
	add(shown(gap("G4", "Both procedures pause the same deployments.",
		"The text says of the rollback alone that development elsewhere may go on; the published article pauses everything on the way forward and only Production on the way back. "+
			"A run pauses what its plan says, and keeps it paused on the way back.",
		"pause", "pauseDeviates"), "line:paused", "lineBack:paused"))
	add(shown(gap("G5", "Which errors of a publish are intellectual property errors, and what is done about any other error.",
		"The text names neither. The adapter classifies: intellectual property stops the line, any other error waits for a person.",
		"republish", "testRestored", "NeedsSupport"), "source:ippRejected", "target:ippRejected", "source:publishFailed", "target:publishFailed"))
	add(shown(gap("G6", "Which words for Intellectual Property a prepared license of the target code shows.",
		"Question 3 does not say, and the published article accepts other words than the text does for the source code. The plan says which are accepted.",
		"ippAccepted", "nothingAccepted"), "target:ipVerified", "target:notPrepared"))
	return all
}
