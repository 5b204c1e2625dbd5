package migration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

// States of one environment. Each is a fact that has been verified; the tables
// say where each is entered from and left for.
const (
	Paused           machine.State = "Paused"           // begins a leg; deployments are paused
	SerialRegistered machine.State = "SerialRegistered" // move leg only
	LicenseFetched   machine.State = "LicenseFetched"
	BackedUp         machine.State = "BackedUp"
	Uploaded         machine.State = "Uploaded"
	IPVerified       machine.State = "IPVerified"
	Republished      machine.State = "Republished"  // final of a leg
	NeedsSupport     machine.State = "NeedsSupport" // rests until a person has acted
	RollingBack      machine.State = "RollingBack"  // final: package rollback takes over
)

// States of the infrastructure beside those that the stages of a profile
// reach.
const (
	Planned        machine.State = "Planned"
	Surveyed       machine.State = "Surveyed"
	AllPaused      machine.State = "Paused"
	Refreshed      machine.State = "Refreshed"
	Tested         machine.State = "Tested"
	AllBackedUp    machine.State = "BackedUp"
	ModulesChecked machine.State = "ModulesChecked"
	Cleared        machine.State = "Cleared"
	Moved          machine.State = "Moved"
	Swept          machine.State = "Swept"
	Completed      machine.State = "Completed" // final
	CaseNeeded     machine.State = "NeedsSupport"
	CaseOpen       machine.State = "CaseOpen" // rests until Support has helped
	Halted         machine.State = "Halted"   // final: the line is stopped for good
)

// Triggers that are fired by hand or by the coordinator.
const (
	SupportResolved   machine.Trigger = "supportResolved"
	RollbackRequested machine.Trigger = "rollbackRequested"
	ippRejected       machine.Trigger = "ippRejected"
)

// Rules are what a plan decides about the environments' tables.
type Rules struct {
	Accept    []license.IPP // words that a leg accepts; a leg that verifies needs one
	MinCopies int           // of each backup; at least 1
}

// EnvironmentTable returns the table that one environment walks through in a
// leg.
func EnvironmentTable(leg Leg, rules Rules) machine.Table[environment.Facts] {
	settle, retry := steps.Settle(), steps.Retry()
	needs := []machine.GuardName{"lineRunning"}
	mutating := append(slices.Clone(needs), "deploymentsPaused")
	upload := append(slices.Clone(mutating), "sourceBackupProven", "fileCurrent")
	if leg.Role == license.Target {
		upload = append(upload, "gateOpen", "everyoneBackedUp")
	}
	t := machine.Table[environment.Facts]{
		ID:      "migration/" + leg.Name,
		Initial: Paused,
		States: []machine.Node{
			{State: Paused, Doc: "Deployments are observed or attested paused, and the environment is about to begin the leg.", Do: "fetchLicense", Needs: needs},
			{State: LicenseFetched, Doc: "The portal has given a license file of this leg's activation code for this environment's observed serial number.", Do: "backUp", Needs: needs},
			{State: BackedUp, Doc: "The file, and a source license to go back to, were stored, read back and found whole.", Do: "upload", Needs: upload},
			{State: Uploaded, Doc: "Service Center shows this leg's activation code for this server.", Do: "verify", Needs: needs},
			{State: IPVerified, Doc: "The licensing page shows an accepted word for Intellectual Property.", Do: "republish", Needs: mutating},
			{State: Republished, Doc: "The test module was published again without errors: the leg is over for this environment.", Final: true},
			{State: NeedsSupport, Doc: "A person must act, usually by asking Support, before this environment can go on."},
			{State: RollingBack, Doc: "Going forward is over; the rollback procedure takes the environment from here.", Final: true},
		},
		Edges: []machine.Edge{
			{From: Paused, On: "licenseFetched", To: LicenseFetched, If: []machine.GuardName{"fileOfThisLeg", "fileForThisServer", "fileNotExpired", "fileNotTrial"}},
			{From: Paused, On: "serialNotFound", To: NeedsSupport},
			{From: Paused, On: "notPrepared", To: NeedsSupport},
			{From: Paused, On: "fileRefused", To: NeedsSupport},
			{From: LicenseFetched, On: "backedUp", To: BackedUp, If: []machine.GuardName{"fileBackedUp", "sourceBackupProven"}},
			{From: BackedUp, On: "uploaded", To: Uploaded, If: []machine.GuardName{"licenseShown"}},
			{From: BackedUp, On: "uploadRejected", To: NeedsSupport},
			{From: Uploaded, On: "ipVerified", To: IPVerified, If: []machine.GuardName{"licenseShown", "ippAccepted"}},
			{From: Uploaded, On: "notPrepared", To: NeedsSupport},
			{From: IPVerified, On: "republished", To: Republished, If: []machine.GuardName{"publicationClean"}},
			{From: IPVerified, On: ippRejected, To: RollingBack, If: []machine.GuardName{"sourceBackupProven"}},
			{From: IPVerified, On: "publishFailed", To: NeedsSupport},
			{From: NeedsSupport, On: SupportResolved, To: Paused, If: []machine.GuardName{"evidenceRecorded"}},
		},
		Anywhere: []machine.Edge{
			{On: RollbackRequested, To: RollingBack, If: []machine.GuardName{"sourceBackupProven"}},
		},
		Guards: environmentGuards(leg, rules),
		Effects: []machine.Effect{
			{
				Name: "fetchLicense", Doc: "Read what is installed, then obtain the license file from the Licensing Portal.",
				Timeout: steps.PersonTime, Retry: retry, Settle: settle,
				Catch: []machine.Catch{{Condition: "serialNotFound", Trigger: "serialNotFound"}, {Condition: "notPrepared", Trigger: "notPrepared"}},
			},
			{
				Name: "backUp", Doc: "Store the file, and the installed license where it can be downloaded, and prove the source backup; storing again does no harm.",
				Timeout: steps.PersonTime, Retry: retry,
			},
			{
				Name: "upload", Doc: "Upload the license file in Service Center and wait until the licensing page shows it.",
				Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
				Catch: []machine.Catch{{Condition: "wrongEnvironment", Trigger: "uploadRejected"}, {Condition: "rejected", Trigger: "uploadRejected"}},
			},
			{
				Name: "verify", Doc: "Read the licensing page until it is stable and compare the word for Intellectual Property.",
				Timeout: steps.PersonTime, Retry: retry, Settle: settle,
			},
			{
				Name: "republish", Doc: "Publish the published version of the test module again.",
				Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
				Catch: []machine.Catch{{Condition: "intellectualProperty", Trigger: ippRejected}, {Condition: "publishFailed", Trigger: "publishFailed"}},
			},
		},
	}
	if leg.Role != license.Target {
		return t
	}
	register := append(slices.Clone(mutating), "sourceBackupProven", "gateOpen", "everyoneBackedUp")
	return t.Insert(machine.Insertion[environment.Facts]{
		After: Paused, State: SerialRegistered, Doc: "The environment's serial number is registered under the target activation code.",
		Needs: register, On: "serialRegistered",
		Edges: []machine.Edge{{From: Paused, On: "noSlot", To: NeedsSupport}},
		Effect: machine.Effect{
			Name: "registerSerial", Doc: "Register the serial number under the target activation code, unless it is registered already; never twice.",
			Mutates: true, Once: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
			Catch: []machine.Catch{{Condition: "noSlot", Trigger: "noSlot"}},
		},
		Guards: []machine.Guard[environment.Facts]{
			{Name: "gateOpen", Doc: "Somebody has approved the installation of target licenses.", Holds: func(f environment.Facts) (bool, string) {
				return f.Line.Gate.Given, "nobody has"
			}},
			{Name: "everyoneBackedUp", Doc: "Every environment has a proven backup of its source license.", Holds: func(f environment.Facts) (bool, string) {
				c := f.Line.Census
				return c.Total > 0 && c.BackedUp == c.Total, fmt.Sprintf("%d of %d have", c.BackedUp, c.Total)
			}},
		},
	})
}

func environmentGuards(leg Leg, rules Rules) []machine.Guard[environment.Facts] {
	type F = environment.Facts
	return []machine.Guard[F]{
		{Name: "lineRunning", Doc: "The line was not stopped.", Holds: func(f F) (bool, string) {
			l := f.Line.Latch
			return !l.Set(), fmt.Sprintf("stopped by %s in %s", l.Condition, printable.Text(l.Environment))
		}},
		{Name: "deploymentsPaused", Doc: "Deployments were seen or attested paused.", Holds: func(f F) (bool, string) {
			return f.Line.Pause.Seen, "they were not"
		}},
		{Name: "fileOfThisLeg", Doc: "The file is a " + string(leg.Role) + " license.", Holds: func(f F) (bool, string) {
			return f.Fetched.Role == leg.Role, fmt.Sprintf("it is a license of %s", or(string(f.Fetched.Role), "nobody knows whom"))
		}},
		{Name: "fileForThisServer", Doc: "The file is for the serial number that the server itself states.", Holds: func(f F) (bool, string) {
			return f.Fetched.Serial != "" && f.Fetched.Serial == f.Reading.Server,
				fmt.Sprintf("it is for %s, the server states %s", printable.Text(string(f.Fetched.Serial)), printable.Text(string(f.Reading.Server)))
		}},
		{Name: "fileNotExpired", Doc: "The license in the file has not expired.", Holds: func(f F) (bool, string) {
			return !f.Fetched.Expired, "it ended on " + f.Fetched.Ends.Format(time.DateOnly)
		}},
		{Name: "fileNotTrial", Doc: "The file is not a trial license.", Holds: func(f F) (bool, string) {
			return !strings.EqualFold(f.Fetched.Type, "trial"), "its type is " + printable.Text(f.Fetched.Type)
		}},
		{Name: "fileCurrent", Doc: "The file was fetched after the vendor's last correction of the licenses.", Holds: func(f F) (bool, string) {
			return f.Fetched.Fence == f.Line.Fence, fmt.Sprintf("it was fetched before correction %d", f.Line.Fence)
		}},
		{Name: "fileBackedUp", Doc: fmt.Sprintf("The file is in the vault in at least %s that were read back.", count(rules.MinCopies, "copy", "copies")), Holds: func(f F) (bool, string) {
			for _, b := range f.Backups {
				if b.Digest == f.Fetched.Digest && b.Serial == f.Reading.Server {
					return b.Proven && b.Copies >= rules.MinCopies, fmt.Sprintf("%d whole", b.Copies)
				}
			}
			return false, "it is not there"
		}},
		{Name: "sourceBackupProven", Doc: "A source license for the observed serial number is in the vault, read back and found whole.", Holds: func(f F) (bool, string) {
			_, ok := f.Restorable(f.Reading.Server)
			return ok, "there is none for " + or(printable.Text(string(f.Reading.Server)), "a server that was not read yet")
		}},
		{Name: "licenseShown", Doc: "The licensing page shows the " + string(leg.Role) + " license, for this server.", Holds: func(f F) (bool, string) {
			return f.Reading.Shows(leg.Role), "it shows " + steps.Shown(f.Reading)
		}},
		{Name: "ippAccepted", Doc: "The word for Intellectual Property is " + words(rules.Accept) + ".", Holds: func(f F) (bool, string) {
			return slices.Contains(rules.Accept, f.Reading.IPP), "it is " + or(printable.Text(string(f.Reading.IPP)), "not shown")
		}},
		{Name: "publicationClean", Doc: "The publish finished without errors and left the same version published.", Holds: func(f F) (bool, string) {
			p := f.Publication
			return p.Module != "" && p.Errors == 0 && p.Before != "" && p.Before == p.After,
				fmt.Sprintf("%d errors, version %s before and %s after", p.Errors, p.Before, p.After)
		}},
		{Name: "evidenceRecorded", Doc: "Somebody has stated what was done about it.", Holds: func(f F) (bool, string) {
			return f.Need.Evidence != "", "nobody has"
		}},
	}
}

// InfrastructureTable returns the table of the infrastructure's own machine
// for a profile. Its stages walk the environments.
func InfrastructureTable(p Profile) machine.Table[environment.Line] {
	settle, retry := steps.Settle(), steps.Retry()
	t := machine.Table[environment.Line]{
		ID:      "migration/infrastructure/" + p.Name,
		Initial: Planned,
		States: []machine.Node{
			{State: Planned, Doc: "The plan was accepted; nothing was touched.", Do: "survey"},
			{State: Surveyed, Doc: "Every environment was read and shows the source license for the planned serial number.", Do: "pause"},
		},
		Edges: []machine.Edge{
			{From: Planned, On: "surveyed", To: Surveyed},
			{From: Surveyed, On: "paused", To: AllPaused, If: []machine.GuardName{"deploymentsPaused"}},
		},
		Anywhere: []machine.Edge{{On: RollbackRequested, To: Halted}},
		Guards: []machine.Guard[environment.Line]{
			{Name: "deploymentsPaused", Doc: "Deployments were seen or attested paused.", Holds: func(l environment.Line) (bool, string) {
				return l.Pause.Seen, "they were not"
			}},
			{Name: "everyoneReached", Doc: "Every environment has done all that the stage asks of it.", Holds: func(l environment.Line) (bool, string) {
				return l.Census.Total > 0 && l.Census.Reached == l.Census.Total, fmt.Sprintf("%d of %d have", l.Census.Reached, l.Census.Total)
			}},
			{Name: "caseRecorded", Doc: "The support case has a reference.", Holds: func(l environment.Line) (bool, string) {
				return l.Case != "", "it has none"
			}},
			{Name: "nobodyNeedsSupport", Doc: "No environment waits for Support any more.", Holds: func(l environment.Line) (bool, string) {
				return l.Census.NeedSupport == 0, fmt.Sprintf("%d wait", l.Census.NeedSupport)
			}},
			{Name: "latchSet", Doc: "It is on record why the line was stopped.", Holds: func(l environment.Line) (bool, string) {
				return l.Latch.Set(), "it is not"
			}},
		},
		Effects: []machine.Effect{
			{Name: "survey", Doc: "Read LifeTime's list and every licensing page, and compare them with the plan.", Timeout: steps.PersonTime, Retry: retry, Settle: settle},
			{Name: "pause", Doc: "Pause the deployments that nobody has paused yet, having noted which, and see that they are; pausing again does no harm.", Timeout: steps.PersonTime, Retry: retry},
		},
	}
	t.Anywhere[0].If = []machine.GuardName{"latchSet"}
	at := AllPaused
	doc := "Deployments are observed or attested paused."
	ask := func(effect machine.Effect, on machine.Trigger, to machine.State, guards ...machine.GuardName) {
		t.States = append(t.States, machine.Node{State: at, Doc: doc, Do: effect.Name})
		t.Effects = append(t.Effects, effect)
		t.Edges = append(t.Edges, machine.Edge{From: at, On: on, To: to, If: guards})
	}
	reach := func(to machine.State, meaning string) { at, doc = to, meaning }
	final := license.Source
	for _, leg := range p.Legs {
		final = leg.Role
		if leg.CheckModules {
			ask(machine.Effect{Name: "attestModules", Doc: "Ask a person whether ActivationCodeCheck found every module clean.", Timeout: steps.PersonTime, Retry: retry}, "modulesAttested", ModulesChecked)
			reach(ModulesChecked, "A person has attested that no module is marked for another activation code.")
		}
		if leg.Gate {
			t.Guards = append(t.Guards,
				machine.Guard[environment.Line]{Name: "gateApproved", Doc: "Somebody has approved the installation of target licenses.", Holds: func(l environment.Line) (bool, string) {
					return l.Gate.Given, "nobody has"
				}},
				machine.Guard[environment.Line]{Name: "everyoneBackedUp", Doc: "Every environment has a proven backup of its source license.", Holds: func(l environment.Line) (bool, string) {
					return l.Census.Total > 0 && l.Census.BackedUp == l.Census.Total, fmt.Sprintf("%d of %d have", l.Census.BackedUp, l.Census.Total)
				}})
			ask(machine.Effect{Name: "openGate", Doc: "Read every backup again and ask for the approval to install target licenses.", Timeout: steps.PersonTime, Retry: retry}, "gateOpened", Cleared, "gateApproved", "everyoneBackedUp")
			reach(Cleared, "Every environment has a proven backup, and somebody has approved the installation of target licenses.")
		}
		for _, s := range leg.Stages {
			from := at
			ask(machine.Effect{Name: s.Effect, Doc: s.Doc, Retry: retry}, machine.Trigger(lowerFirst(string(s.Reached))), s.Reached, "everyoneReached")
			t.Edges = append(t.Edges, machine.Edge{From: from, On: "supportNeeded", To: CaseNeeded})
			if s.Until == "" {
				t.Edges = append(t.Edges, machine.Edge{From: from, On: ippRejected, To: Halted, If: []machine.GuardName{"latchSet"}})
			}
			reach(s.Reached, s.Meaning)
		}
	}
	t.Guards = append(t.Guards, machine.Guard[environment.Line]{
		Name: "everyoneShows", Doc: "Every environment shows its " + string(final) + " license.", Holds: func(l environment.Line) (bool, string) {
			n := l.Census.ShowSource
			if final == license.Target {
				n = l.Census.ShowTarget
			}
			return l.Census.Total > 0 && n == l.Census.Total, fmt.Sprintf("%d of %d do", n, l.Census.Total)
		},
	})
	moved := at
	ask(machine.Effect{Name: "sweep", Doc: "Let the last change settle, then read every environment once more.", Timeout: steps.PersonTime, Retry: retry, Settle: settle}, "swept", Swept, "everyoneShows")
	reach(Swept, "A sweep after the last change has found the same activation code everywhere.")
	ask(machine.Effect{Name: "resumeDeployments", Doc: "Resume the deployments that this run has paused, unless something has changed since the sweep.", Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle}, "deploymentsResumed", Completed)
	t.Edges = append(t.Edges, machine.Edge{From: Swept, On: steps.ChangedSince, To: moved})
	t.States = append(t.States,
		machine.Node{State: Completed, Doc: "The procedure is done and deployments go on.", Final: true},
		machine.Node{State: CaseNeeded, Doc: "Environments wait for a person, and the list of them is complete.", Do: "openCase"},
		machine.Node{State: CaseOpen, Doc: "Support was asked, once, with the whole list."},
		machine.Node{State: Halted, Doc: "The line is stopped for good; the rollback procedure takes over.", Final: true},
	)
	t.Effects = append(t.Effects, machine.Effect{
		Name: "openCase", Doc: "Open one support case with the whole list, unless it is open already.",
		Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
	})
	t.Edges = append(t.Edges,
		machine.Edge{From: CaseNeeded, On: "caseOpened", To: CaseOpen, If: []machine.GuardName{"caseRecorded"}},
		machine.Edge{From: CaseNeeded, On: SupportResolved, To: AllPaused, If: []machine.GuardName{"nobodyNeedsSupport"}},
		machine.Edge{From: CaseOpen, On: SupportResolved, To: AllPaused, If: []machine.GuardName{"nobodyNeedsSupport"}},
	)
	return t
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func words(accept []license.IPP) string {
	if len(accept) == 0 {
		return "of no known kind (the plan accepts none)"
	}
	quoted := make([]string, len(accept))
	for i, w := range accept {
		quoted[i] = printable.Text(string(w))
	}
	return strings.Join(quoted, " or ")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }
