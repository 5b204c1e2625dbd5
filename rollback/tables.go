package rollback

import (
	"fmt"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

// States of one environment. The tables say where each is entered from and
// left for.
const (
	RollingBack       machine.State = "RollingBack"       // begins the way back
	BackupUploaded    machine.State = "BackupUploaded"    //
	SourceConfirmed   machine.State = "SourceConfirmed"   //
	RolledBack        machine.State = "RolledBack"        // final
	RestoredNotTested machine.State = "RestoredNotTested" // final: the source license is back, the test republish failed
	NeedsSupport      machine.State = "NeedsSupport"      // rests until a person has acted
)

// States of the infrastructure.
const (
	Stopped          machine.State = "RollingBack"       // begins the way back: the line is stopped
	Paused           machine.State = "Paused"            //
	Restored         machine.State = "Restored"          //
	Swept            machine.State = "Swept"             //
	Resumed          machine.State = "Resumed"           //
	AllRolledBack    machine.State = "RolledBack"        // final
	RestoredUntested machine.State = "RestoredNotTested" // rests until a person takes responsibility
	Mixed            machine.State = "Mixed"             // rests: some environments may still hold the target license
)

// Triggers that are fired by hand or by the coordinator.
const (
	SupportResolved machine.Trigger = "supportResolved"
	TakenUpAgain    machine.Trigger = "takenUpAgain"
)

// EnvironmentTable returns the table that one environment walks back through.
// It looks at what is installed, not at how it got there.
func EnvironmentTable() machine.Table[environment.Facts] {
	type F = environment.Facts
	settle, retry := steps.Settle(), steps.Retry()
	return machine.Table[F]{
		ID:      "rollback/environment",
		Initial: RollingBack,
		States: []machine.Node{
			{State: RollingBack, Doc: "Nothing goes forward any more; whether the source license must be put back is about to be seen.", Do: "restore"},
			{State: BackupUploaded, Doc: "The backed-up source license was uploaded and shows.", Do: "confirm"},
			{State: SourceConfirmed, Doc: "The licensing page shows the source activation code for this server, in several readings.", Do: "testRestored"},
			{State: RolledBack, Doc: "The source license is in place, and tested if it had to be put back.", Final: true},
			{State: RestoredNotTested, Doc: "The source license is in place, but the test republish did not succeed.", Final: true},
			{State: NeedsSupport, Doc: "A person must act, usually by asking Support, before this environment can go on."},
		},
		Edges: []machine.Edge{
			{From: RollingBack, On: "backupUploaded", To: BackupUploaded, If: []machine.GuardName{"sourceShown"}},
			{From: RollingBack, On: "nothingToRestore", To: RolledBack, If: []machine.GuardName{"sourceShown", "targetNeverSent"}},
			{From: RollingBack, On: "noBackup", To: NeedsSupport},
			{From: RollingBack, On: "restoreRejected", To: NeedsSupport},
			{From: BackupUploaded, On: "sourceConfirmed", To: SourceConfirmed, If: []machine.GuardName{"sourceShown"}},
			{From: BackupUploaded, On: "sourceNotShown", To: NeedsSupport},
			{From: SourceConfirmed, On: "restoredTested", To: RolledBack, If: []machine.GuardName{"sourceShown", "publicationClean"}},
			{From: SourceConfirmed, On: "testFailed", To: RestoredNotTested},
			{From: NeedsSupport, On: SupportResolved, To: RollingBack, If: []machine.GuardName{"evidenceRecorded"}},
		},
		Guards: []machine.Guard[F]{
			{Name: "sourceShown", Doc: "The licensing page shows the source license, for this server.", Holds: func(f F) (bool, string) {
				return f.Reading.Shows(license.Source), "it shows " + steps.Shown(f.Reading)
			}},
			{Name: "targetNeverSent", Doc: "No target license was sent to the environment that was not taken back since.", Holds: func(f F) (bool, string) {
				return !f.TargetSent, "one was"
			}},
			{Name: "publicationClean", Doc: "The publish finished without errors and left the same version published.", Holds: func(f F) (bool, string) {
				p := f.Publication
				return p.Module != "" && p.Errors == 0 && p.Before != "" && p.Before == p.After,
					fmt.Sprintf("%d errors, version %s before and %s after", p.Errors, printable.Text(p.Before), printable.Text(p.After))
			}},
			{Name: "evidenceRecorded", Doc: "Somebody has stated what was done about it.", Holds: func(f F) (bool, string) {
				return f.Need.Evidence != "", "nobody has"
			}},
		},
		Effects: []machine.Effect{
			{
				Name: "restore", Doc: "Read what is installed; upload the backed-up source license if a target license is, or may be, in place.",
				Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
				Catch: []machine.Catch{
					{Condition: "backupNotFound", Trigger: "noBackup"}, {Condition: "backupDamaged", Trigger: "noBackup"},
					{Condition: "wrongEnvironment", Trigger: "restoreRejected"}, {Condition: "rejected", Trigger: "restoreRejected"},
				},
			},
			{Name: "confirm", Doc: "Read the licensing page until it shows the source license several times in a row.", Timeout: steps.PersonTime, Retry: retry, Settle: settle},
			{
				Name: "testRestored", Doc: "Publish the published version of the test module again.",
				Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle,
				Catch: []machine.Catch{
					{Condition: "intellectualProperty", Trigger: "testFailed"}, {Condition: "publishFailed", Trigger: "testFailed"},
					{Condition: "moduleNotFound", Trigger: "testFailed"},
				},
			},
		},
	}
}

// InfrastructureTable returns the table of the infrastructure on its way back.
func InfrastructureTable() machine.Table[environment.Line] {
	type L = environment.Line
	settle, retry := steps.Settle(), steps.Retry()
	return machine.Table[L]{
		ID:      "rollback/infrastructure",
		Initial: Stopped,
		States: []machine.Node{
			{State: Stopped, Doc: "The line is stopped; deployments are about to be seen paused.", Do: "pause", Needs: []machine.GuardName{"lineStopped"}},
			{State: Paused, Doc: "Deployments are observed or attested paused.", Do: "restoreLicenses"},
			{State: Restored, Doc: "Every environment has gone back.", Do: "sweep"},
			{State: Swept, Doc: "A sweep after the last change has found the source license everywhere.", Do: "resumeDeployments"},
			{State: Resumed, Doc: "The deployments that the run had paused go on.", Do: "report"},
			{State: AllRolledBack, Doc: "Everything is as it was, and Support knows what happened.", Final: true},
			{State: RestoredUntested, Doc: "Every environment shows the source license, but not every test republish succeeded; deployments stay paused until somebody takes responsibility."},
			{State: Mixed, Doc: "Some environments may still hold the target license; deployments stay paused."},
		},
		Edges: []machine.Edge{
			{From: Stopped, On: "paused", To: Paused, If: []machine.GuardName{"deploymentsPaused"}},
			{From: Paused, On: "restored", To: Restored, If: []machine.GuardName{"everyoneRolledBack"}},
			{From: Paused, On: "notTested", To: RestoredUntested},
			{From: Paused, On: "notRestored", To: Mixed},
			{From: Restored, On: "swept", To: Swept, If: []machine.GuardName{"everyoneShowsSource"}},
			{From: Restored, On: "notRestored", To: Mixed},
			{From: Swept, On: "deploymentsResumed", To: Resumed},
			{From: Swept, On: steps.ChangedSince, To: Restored},
			{From: Resumed, On: "reported", To: AllRolledBack, If: []machine.GuardName{"caseRecorded"}},
			{From: RestoredUntested, On: SupportResolved, To: Restored, If: []machine.GuardName{"responsibilityTaken"}},
			{From: Mixed, On: TakenUpAgain, To: Paused},
		},
		Guards: []machine.Guard[L]{
			{Name: "lineStopped", Doc: "It is on record why the line was stopped.", Holds: func(l L) (bool, string) { return l.Latch.Set(), "it is not" }},
			{Name: "deploymentsPaused", Doc: "Deployments were seen or attested paused.", Holds: func(l L) (bool, string) { return l.Pause.Seen, "they were not" }},
			{Name: "everyoneRolledBack", Doc: "Every environment shows the source license and was tested if it was restored.", Holds: func(l L) (bool, string) {
				c := l.Census
				return c.Total > 0 && c.Reached == c.Total && c.Untested == 0, fmt.Sprintf("%d of %d, %d not tested", c.Reached, c.Total, c.Untested)
			}},
			{Name: "everyoneShowsSource", Doc: "Every environment shows its source license.", Holds: func(l L) (bool, string) {
				return l.Census.Total > 0 && l.Census.ShowSource == l.Census.Total, fmt.Sprintf("%d of %d do", l.Census.ShowSource, l.Census.Total)
			}},
			{Name: "caseRecorded", Doc: "The support case has a reference.", Holds: func(l L) (bool, string) { return l.Case != "", "it has none" }},
			{Name: "responsibilityTaken", Doc: "Somebody has taken responsibility for environments that were not tested.", Holds: func(l L) (bool, string) {
				return l.Override.Given, "nobody has"
			}},
		},
		Effects: []machine.Effect{
			{Name: "pause", Doc: "Pause the deployments that go on, having noted which, and see that they are paused; pausing again does no harm.", Timeout: steps.PersonTime, Retry: retry},
			{Name: "restoreLicenses", Doc: "Take every environment back; one that fails never stops another."},
			{Name: "sweep", Doc: "Let the last change settle, then read every environment once more; one that shows the target license again goes back again.", Timeout: steps.PersonTime, Retry: retry, Settle: settle},
			{Name: "resumeDeployments", Doc: "Resume the deployments that this run has paused, unless something has changed since the sweep.", Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle},
			{Name: "report", Doc: "Report to Support what happened, unless the case is open already.", Mutates: true, Timeout: steps.PersonTime, Retry: retry, Settle: settle},
		},
	}
}
