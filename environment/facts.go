package environment

import (
	"time"

	"github.com/changeover-go/changeover/license"
)

// Facts is what is known of one environment: the struct over which guards
// decide and which the journal keeps with every outcome. It holds digests and
// masks, never a license or an activation code.
type Facts struct {
	// Fetched is the license file of the current leg.
	Fetched Fetched `json:"fetched,omitzero"`
	// Backups are the files kept for this environment, oldest first.
	Backups []Backup `json:"backups,omitempty"`
	// Reading is the last stable reading of the installed license.
	Reading Reading `json:"reading,omitzero"`
	// TargetSent is set, durably and before the call, when a target license is
	// about to be uploaded, and when a backup is about to be put back whoever
	// sent what is there; it is cleared only when Source has been confirmed
	// afterwards (reliability.md RB2, RB5).
	TargetSent bool `json:"targetSent,omitempty"`
	// Publication is the last test republish.
	Publication Publication `json:"publication,omitzero"`
	// Need is what a person must do before this environment can go on.
	Need Need `json:"need,omitzero"`
	// Notes are facts of states that users added to the table.
	Notes []Note `json:"notes,omitempty"`

	// Line is the infrastructure's facts at the moment of the decision. It is
	// journaled under the infrastructure, not here.
	Line Line `json:"-"`
}

// Fetched describes a license file that the portal gave for the current leg.
type Fetched struct {
	Digest   license.Digest       `json:"digest"`
	Role     license.Role         `json:"role"`               // by inspection, or attested
	Serial   license.SerialNumber `json:"serial"`             // by inspection, or attested
	Type     string               `json:"type,omitempty"`     // license type, for example "Production"
	IPP      license.IPP          `json:"ipp,omitempty"`      // word for "Intellectual Property", by inspection
	Ends     time.Time            `json:"ends,omitzero"`      // end date, if it has one
	Expired  bool                 `json:"expired,omitempty"`  // at the time it was fetched
	Attested bool                 `json:"attested,omitempty"` // identity stated by a person: the file is opaque
	Lacks    []string             `json:"lacks,omitempty"`    // what it has less of than the source license
	Fence    int                  `json:"fence,omitempty"`    // Line.Fence when it was fetched
}

// Backup describes a license file in the vault.
type Backup struct {
	Digest     license.Digest       `json:"digest"`
	Role       license.Role         `json:"role"`
	Serial     license.SerialNumber `json:"serial"`
	Generation int                  `json:"generation"`
	Origin     string               `json:"origin"` // OriginPortal or OriginInstalled
	Copies     int                  `json:"copies"` // that were re-read and had the digest
	// Proven means that the copies were re-read from durable storage and that
	// the file is for this environment's observed serial number
	// (reliability.md BK1). Accepted means more: the environment has taken
	// these very bytes.
	Proven   bool `json:"proven,omitempty"`
	Accepted bool `json:"accepted,omitempty"`
}

// Where a backup came from.
const (
	OriginPortal    = "portal"    // downloaded from the Licensing Portal
	OriginInstalled = "installed" // downloaded from Service Center: the installed license
)

// Restorable returns the newest proven backup of a source license for serial;
// one that the environment has accepted before is preferred.
func (f Facts) Restorable(serial license.SerialNumber) (Backup, bool) {
	var best Backup
	for _, b := range f.Backups {
		if b.Role != license.Source || !b.Proven || b.Serial != serial || serial == "" {
			continue
		}
		if best.Digest == "" || b.Accepted || !best.Accepted {
			best = b
		}
	}
	return best, best.Digest != ""
}

// A Reading is a stable reading of what is installed in an environment: the
// same answer several times in a row.
type Reading struct {
	Role   license.Role         `json:"role"`             // whose code is shown; None: no license
	Code   string               `json:"code,omitempty"`   // masked
	Server license.SerialNumber `json:"server,omitempty"` // the server's own serial number
	Serial license.SerialNumber `json:"serial,omitempty"` // the license's serial number
	IPP    license.IPP          `json:"ipp,omitempty"`
	Type   string               `json:"type,omitempty"`
	Ends   time.Time            `json:"ends,omitzero"`
	At     time.Time            `json:"at"`
}

// Shows reports whether the license of role is installed, for this very server.
func (r Reading) Shows(role license.Role) bool {
	return r.Role == role && r.Serial != "" && r.Serial == r.Server
}

// A Publication is a finished test republish.
type Publication struct {
	Module string    `json:"module"`
	Before string    `json:"before"` // published version before
	After  string    `json:"after"`  // and after: the same, or somebody else published
	Errors int       `json:"errors"`
	At     time.Time `json:"at"`
}

// A Need is something that only a person can get done, usually by asking the
// vendor's Support.
type Need struct {
	Condition string `json:"condition"`     // name of the condition, for example "serialNotFound"
	Step      string `json:"step"`          // the effect that met it
	FAQ       int    `json:"faq,omitempty"` // question of the written procedure that speaks of it, 1 to 3
	Text      string `json:"text"`          // what was found
	// Evidence is what somebody stated when they declared it resolved.
	Evidence string `json:"evidence,omitempty"`
}

// A Note is a fact with a name, for states that users add to a table.
type Note struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Note returns the value of the note called name, or "".
func (f Facts) Note(name string) string {
	for _, n := range f.Notes {
		if n.Name == name {
			return n.Value
		}
	}
	return ""
}

// SetNote sets the note called name.
func (f *Facts) SetNote(name, value string) {
	notes := make([]Note, 0, len(f.Notes)+1)
	for _, n := range f.Notes {
		if n.Name != name {
			notes = append(notes, n)
		}
	}
	f.Notes = append(notes, Note{name, value})
}

// Line is what is known of the infrastructure as a whole: the facts of its own
// machine, and part of every environment's decisions.
type Line struct {
	// Pause is what was last seen or attested of the deployments.
	Pause Pause `json:"pause,omitzero"`
	// Gate is the approval to install target licenses.
	Gate Approval `json:"gate,omitzero"`
	// Latch, once set, forbids every forward effect for good
	// (reliability.md RB1).
	Latch Latch `json:"latch,omitzero"`
	// Override is somebody's word that deployments may go on although not every
	// restored environment was tested (reliability.md PA5).
	Override Approval `json:"override,omitzero"`
	// Fence counts how often the vendor had to correct the target licenses.
	// Files fetched under an earlier count are void (FAQ 3, PL5).
	Fence int `json:"fence,omitempty"`
	// Case names the support case that was opened.
	Case string `json:"case,omitempty"`
	// Census counts the environments; it is taken when a leg or sweep ends.
	Census Census `json:"census,omitzero"`
	// Notes are facts of states that users added to the table.
	Notes []Note `json:"notes,omitempty"`
}

// Pause is the state of deployments.
type Pause struct {
	Seen bool      `json:"seen,omitempty"` // all that must be paused were seen or attested paused
	Ours []string  `json:"ours,omitempty"` // environments that this run pauses, and may resume
	At   time.Time `json:"at,omitzero"`
	By   string    `json:"by,omitempty"` // the person who attested it, if it was attested
}

// Approval is a recorded yes.
type Approval struct {
	Given bool      `json:"given,omitempty"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Text  string    `json:"text,omitempty"`
}

// Latch says why the line was stopped. The zero value means that it was not.
type Latch struct {
	Condition   string `json:"condition,omitempty"`
	Environment string `json:"environment,omitempty"`
	Step        string `json:"step,omitempty"`
	Text        string `json:"text,omitempty"`
}

// Set reports whether the line was stopped.
func (l Latch) Set() bool { return l.Condition != "" }

// A Census counts the environments of an infrastructure by what is known of
// them.
type Census struct {
	Total       int `json:"total"`
	Reached     int `json:"reached"`     // have done all that the leg asks of them
	BackedUp    int `json:"backedUp"`    // have a proven backup of the source license for the observed serial number
	ShowSource  int `json:"showSource"`  // show the source license
	ShowTarget  int `json:"showTarget"`  // show the target license
	NeedSupport int `json:"needSupport"` // wait for a person
	Held        int `json:"held"`        // hold for another reason
	Untested    int `json:"untested"`    // restored, but the test republish did not succeed
}
