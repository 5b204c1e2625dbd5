package adapters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A LicensePortal issues license files: the vendor's Licensing Portal or
// Customer Portal. It has no public API (facts.md 5.1); a person usually stands
// behind it.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestLicensePortal].
type LicensePortal interface {
	// FetchLicense returns the license file that the portal issues for the
	// environment's serial number under code. It changes nothing. It returns
	// ErrSerialNotFound when that serial number is not registered under code.
	// The bytes may differ from one download to the next.
	FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error)

	// SerialRegistered reports whether the environment's serial number is
	// registered under code. It changes nothing.
	SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error)

	// RegisterSerial registers the environment's serial number under code. It
	// takes up a slot that only the vendor can give back, so it is never
	// called twice without somebody having looked. It returns ErrNoSlot, and
	// registers nothing, when no slot of the environment's kind is free. After
	// it returns nil, SerialRegistered reports true and FetchLicense finds the
	// file.
	RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error
}

// A ServiceCenter is the management console of one environment.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestServiceCenter].
type ServiceCenter interface {
	// InstalledLicense reads the server's own serial number and the licensing
	// page. It changes nothing. A server without a license gives an Installed
	// without a code, and no error.
	InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error)

	// UploadLicense installs the file. It returns ErrWrongEnvironment when the
	// file is for another serial number, and ErrRejected when Service Center
	// turns it down for another reason; both install nothing. After it
	// returns nil, InstalledLicense shows the file's activation code, at once
	// or after a while. Uploading the same file again changes nothing more.
	UploadLicense(ctx context.Context, env environment.Environment, file license.File) error

	// RepublishModule publishes the version of the module that is published
	// now, waits for the end, and says which version was published before and
	// after. It returns ErrModuleNotFound when there is no such module,
	// ErrBusy when another publish holds the module, ErrIntellectualProperty
	// when the platform refuses the module's origin, and ErrPublishFailed when
	// the publish finished with any other error.
	RepublishModule(ctx context.Context, env environment.Environment, module string) (Publication, error)
}

// A Publication is what a republish did.
type Publication struct {
	Before string // published version before
	After  string // published version after; the same, unless somebody else published
}

// LifeTime is the console that manages the environments and the deployments
// between them.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestLifeTime].
type LifeTime interface {
	// Registered lists the environments that LifeTime controls, LifeTime
	// itself excepted, with the state of their deployments. It changes
	// nothing.
	Registered(ctx context.Context) ([]environment.Registered, error)

	// PauseDeployments pauses deployments to the environment. After it returns
	// nil, Registered shows the environment paused. Pausing again changes
	// nothing. It returns ErrBusy, and pauses nothing, while a deployment to
	// the environment is running that the pause would abort. It returns
	// ErrUnknownEnvironment when LifeTime does not control the environment.
	PauseDeployments(ctx context.Context, env environment.Environment) error

	// ResumeDeployments ends the pause. After it returns nil, Registered does
	// not show the environment paused. Resuming again changes nothing. It
	// returns ErrUnknownEnvironment when LifeTime does not control the
	// environment.
	ResumeDeployments(ctx context.Context, env environment.Environment) error
}

// A BackupVault keeps license files for good. What is in it is never changed
// or removed.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestBackupVault].
type BackupVault interface {
	// Put stores the file as the next generation for label.Serial and returns
	// its record when every copy has been written to durable storage, read
	// back, and found to have the file's digest; Stored.Copies says how many
	// those are. A file with the same digest and label that is stored already
	// is not stored again: its record is returned. No other record or file
	// changes.
	Put(ctx context.Context, label Label, file license.File) (Stored, error)

	// Get reads the file with that digest for that serial number and compares
	// it with the digest. It returns ErrBackupNotFound when there is none, and
	// ErrBackupDamaged when no copy has that digest any more. A damaged copy
	// is passed over when another is whole.
	Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error)

	// List returns the records for the serial number, oldest generation first.
	// Each was read back, and Stored.Copies counts the copies that are whole
	// now; a record whose copies are all damaged is listed with zero.
	List(ctx context.Context, serial license.SerialNumber) ([]Stored, error)
}

// A Label says what a backup is. It contains no secret.
type Label struct {
	Environment string               // for people
	Serial      license.SerialNumber // the server's serial number as observed
	Role        license.Role         // whose license it is
	Origin      string               // environment.OriginPortal or environment.OriginInstalled
}

// Stored is the record of a backup.
type Stored struct {
	Label
	Digest     license.Digest
	Generation int // counts from 1 for each serial number
	Copies     int // that were read back and had the digest
	At         time.Time
}

// A SupportDesk opens cases with the vendor's Support.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestSupportDesk].
type SupportDesk interface {
	// OpenCase opens one case and returns its reference. When a case with the
	// same key is open already, it opens none and returns that one's
	// reference.
	OpenCase(ctx context.Context, c Case) (reference string, err error)

	// FindCase returns the reference of the case with that key. It returns
	// ErrCaseNotFound when there is none.
	FindCase(ctx context.Context, key string) (reference string, err error)
}

// A Case is what Support is asked: one case with the whole list.
type Case struct {
	Key     string // derives from the run and what is asked, so that asking twice finds the first
	Subject string
	Body    string // names article and step, as the procedure demands; activation codes are masked
}

// An Operator is the person, or the people, who answer for the run.
//
// Conformance: [github.com/changeover-go/changeover/adapters/adaptertest.TestOperator].
type Operator interface {
	// Ask puts a question and returns the answer, with who gave it and when.
	// It returns ErrRefused when the answer is no, when nobody answers, and at
	// the end of input: silence never means yes.
	Ask(ctx context.Context, q Question) (Answer, error)
}

// A QuestionKind says what an answer will be used for.
type QuestionKind string

// The kinds of question.
const (
	AskApproval    QuestionKind = "approval"    // may the run go on past a gate?
	AskAttestation QuestionKind = "attestation" // is a fact true that no adapter can read?
)

// A Question is put to an Operator.
type Question struct {
	Kind        QuestionKind
	Subject     string   // stable name, for example "move" or "modulesChecked"
	Environment string   // empty: the infrastructure
	Text        string   // the question, to be answered with yes or no
	Details     []string // what to know, or to do, before answering
}

// An Answer is a yes, with its evidence.
type Answer struct {
	By   string // who answered; never empty
	At   time.Time
	Text string // what was seen or said; may be empty
}

// A LicenseBackuper is a ServiceCenter that can also download the installed
// license (the licensing page's link Backup License). It is optional: without
// it the run's journal says that this copy is missing.
type LicenseBackuper interface {
	// BackupLicense returns the installed license's file. It changes nothing.
	// It returns ErrNoLicense when none is installed.
	BackupLicense(ctx context.Context, env environment.Environment) (license.File, error)
}

// A Describer says in a few words what answers for a port, for the journal:
// "attended", "Service Center over SOAP". It is optional.
type Describer interface {
	Describe() string
}

// Describe returns what the port says of itself, or the name of its type.
func Describe(port any) string {
	if d, ok := port.(Describer); ok {
		return d.Describe()
	}
	return fmt.Sprintf("%T", port)
}

// A Clock tells the time and waits. It is not part of a [Set]: the machine's
// own clock serves unless a test or a rehearsal brings another.
type Clock interface {
	// Now returns the time. It is for people and for expiry dates; nothing is
	// decided by comparing the times of two records.
	Now() time.Time
	// Sleep returns nil after d, or ctx.Err() when ctx is done first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Tasks run what a run does side by side, for a host where that is not a matter
// of goroutines: a workflow engine that replays its code needs every step in an
// order of its own (adapters/temporal is such a host). They are not part of a
// [Set]; goroutines serve unless a host brings others. Whatever a run does with
// Tasks, it does from functions that Go runs, or from the caller of a verb, one
// at a time: control goes from one to another only in Wait, and where a port, a
// store or a clock lets others go on.
type Tasks interface {
	// Go runs f beside its caller, at once or later, in a context that has the
	// values of ctx.
	Go(ctx context.Context, f func(ctx context.Context))
	// Wait returns once ready reports true. ready changes nothing.
	Wait(ctx context.Context, ready func() bool)
	// WithTimeout returns a context whose deadline is d from now, in the time
	// that the host goes by. Whether the context ends then, or whoever is
	// called heeds the deadline, is up to the host.
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
}

// Set holds an adapter for every port. All are required; adapters/attended
// answers for any of them through a person.
type Set struct {
	Portal        LicensePortal
	ServiceCenter ServiceCenter
	LifeTime      LifeTime
	Vault         BackupVault
	Support       SupportDesk
	Operator      Operator
}

// Validate names every port that is missing.
func (s Set) Validate() error {
	var errs []error
	for _, p := range []struct {
		name    string
		missing bool
	}{
		{"Portal", s.Portal == nil},
		{"ServiceCenter", s.ServiceCenter == nil},
		{"LifeTime", s.LifeTime == nil},
		{"Vault", s.Vault == nil},
		{"Support", s.Support == nil},
		{"Operator", s.Operator == nil},
	} {
		if p.missing {
			errs = append(errs, fmt.Errorf("adapters.Set: %s is nil (use an adapter of your own, or one of package adapters/attended)", p.name))
		}
	}
	return errors.Join(errs...)
}
