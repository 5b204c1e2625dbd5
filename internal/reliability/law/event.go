package law

import "fmt"

// MaxEnvironments is how many environments a [Monitor] can follow.
const MaxEnvironments = 8

// Line stands for the infrastructure in [Event.Env], of Intended and Ended.
const Line = 255

// A Kind says what an [Event] is.
type Kind uint8

// The kinds of event. The first group is what became durable in the journal,
// the second what was asked of the world, the third what was seen of it.
const (
	Intended   Kind = iota + 1 // the intent of Effect for Env
	Ended                      // the intent of Env is over: Done or not
	Entered                    // Env entered State; with Begins, a table begins anew
	Latched                    // the line is stopped
	GateOpened                 // target licenses may be installed
	Fenced                     // the vendor has corrected the target licenses
	Overridden                 // somebody took responsibility for environments that were not tested
	Opened                     // a process took the run over
	Claimed                    // the run is about to pause deployments to Env
	Called                     // a run is called over, or says why it is not: Verdict

	Asked // a call that changes something is made: Effect, Env, and for uploads Role and what is wrong with the file

	Answered   // the call has come back: Done, or not known (a condition is no event)
	Read       // the licensing page of Env was read: Role, ForServer, Accepted
	Looked     // whether the serial number of Env is registered was read: Done
	ShownPause // whether deployments to Env are paused was read: Done
	SawPause   // that is all of them: Done says that all that must be are paused
	Stored     // the vault has a source license for the server of Env, in enough copies
	Unproven   // the server of Env has another serial number, so its backups are worth nothing
	Slept      // the time that a change needs to settle went by
	KeptBack   // somebody has said that Env must wait
	LetGo      // and that it need not any more
	Died       // the process is gone
)

var kinds = [...]string{Intended: "intended", Ended: "ended", Entered: "entered", Latched: "latched", GateOpened: "gate opened", Fenced: "fenced",
	Overridden: "overridden", Opened: "opened", Claimed: "claimed", Called: "called", Asked: "asked", Answered: "answered", Read: "read", Looked: "looked",
	ShownPause: "shown pause", SawPause: "saw pause", Stored: "stored", Unproven: "unproven", Slept: "slept", KeptBack: "kept back", LetGo: "let go", Died: "died"}

// An Effect is what changes something.
type Effect uint8

// The effects, by what they are called in the tables.
const (
	NoEffect Effect = iota
	Register
	Upload
	Republish
	Restore
	TestRestored
	Pause
	Resume
	Other // an effect of somebody's own, or one that the laws do not speak of
)

var effects = [...]string{NoEffect: "", Register: "registerSerial", Upload: "upload", Republish: "republish", Restore: "restore",
	TestRestored: "testRestored", Pause: "pause", Resume: "resumeDeployments", Other: "other"}

// EffectOf returns the effect that the tables call name.
func EffectOf(name string) Effect {
	for e, n := range effects {
		if n == name {
			return Effect(e)
		}
	}
	return Other
}

// A Role is whose license it is.
type Role uint8

// The roles. Third is a license of neither code; Unknown: nobody has looked.
const (
	Unknown Role = iota
	Source
	Target
	Third
	None
)

var roles = [...]string{Unknown: "unknown", Source: "source", Target: "target", Third: "a third code", None: "no license"}

// A State is one that the laws speak of.
type State uint8

// The states, by what they are called in the tables.
const (
	OtherState State = iota
	LicenseFetched
	BackedUp
	Uploaded
	IPVerified
	Republished
	SerialRegistered
	BackupUploaded
	SourceConfirmed
	RolledBack
	RestoredNotTested
)

var states = [...]string{OtherState: "another state", LicenseFetched: "LicenseFetched", BackedUp: "BackedUp", Uploaded: "Uploaded", IPVerified: "IPVerified",
	Republished: "Republished", SerialRegistered: "SerialRegistered", BackupUploaded: "BackupUploaded", SourceConfirmed: "SourceConfirmed",
	RolledBack: "RolledBack", RestoredNotTested: "RestoredNotTested"}

// StateOf returns the state that the tables call name.
func StateOf(name string) State {
	for s, n := range states {
		if n == name {
			return State(s)
		}
	}
	return OtherState
}

// A Verdict is how a run is said to stand.
type Verdict uint8

// The verdicts.
const (
	Going Verdict = iota
	Completed
	RolledBackAll
	Held
	Mixed
)

// An Event is one moment of a run. Which fields apply is said at the kinds.
type Event struct {
	Kind   Kind
	Env    uint8 // index of the environment in the plan
	Effect Effect
	Role   Role
	State  State
	Leg    Role // of Intended and Entered: whose licenses the leg is about; Unknown on the way back
	// Done, of Ended: the effect was carried out; of Answered: without error;
	// of Looked, ShownPause and SawPause: yes.
	Done   bool
	Begins bool // of Entered: a table begins

	// Attested, of Ended: a person said that it was not done; Certain: the
	// other system did, and nobody had to look.
	Attested, Certain bool

	// What is wrong with an uploaded file.
	WrongServer bool // it is for another serial number than the server states
	Unstored    bool // the vault was never given these bytes
	Stale       bool // it was fetched before the licenses were corrected

	ForServer bool // of Read: the license is for this very server
	Accepted  bool // of Read: the word for Intellectual Property is accepted in the leg

	Verdict  Verdict // of Called
	Truthful bool    // of Called: a run that is not over names its hold
}

// String says what happened, for people.
func (e Event) String() string {
	s := fmt.Sprintf("%s[%d]", kinds[e.Kind], e.Env)
	if e.Effect != NoEffect {
		s += " " + effects[e.Effect]
	}
	switch e.Kind {
	case Entered:
		s += " " + states[e.State]
		if e.Begins {
			s += " (begins)"
		}
	case Asked, Read:
		s += " " + roles[e.Role]
	case Ended, Answered, Looked, ShownPause, SawPause:
		s += fmt.Sprintf(" %v", e.Done)
	case Called:
		s += " " + [...]string{"going", "Completed", "RolledBack", "Held", "Mixed"}[e.Verdict]
	}
	return s
}
