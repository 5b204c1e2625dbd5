// Package inbox takes license files from a folder: a person downloads them from
// the Licensing Portal, all at once and under whatever names, and an [Inbox]
// finds the one for each environment. It is for everybody who would rather save
// files than type paths (adapters/attended); together with somebody who answers
// what a folder cannot, it is a whole [adapters.LicensePortal]. It never
// creates, changes, moves or removes a file, looks into no folder below, and
// starts no goroutine.
//
// # Which file
//
// A file belongs to an environment by what it says of itself (license.Inspect):
// by its serial number and its activation code, never by its name. The same
// bytes under two names are one file. Of several different files that fit, the
// one whose date of creation is the latest is taken: after a correction by
// Support all target licenses are downloaded again, and the older ones may
// still lie there. If a date is missing, or two are latest, none is taken, and
// the error names them: leave one.
//
// What is in the folder is believed at any time. Before a correction is reported
// as done, the files that it corrects must have been downloaded again, or moved
// away: a folder does not tell an old answer of the portal from a new one.
//
// A license file whose structure is not the observed one may be perfectly good
// (facts.md 4), but nobody can tell whose it is: it is named, and left to
// Options.Next, where a person can vouch for it.
//
// # Answers
//
// Where no file fits, Options.Next is asked. Without it FetchLicense answers
// [adapters.ErrBusy], since a file may be on its way: the procedures try again a
// few times and then wait for a person. The error names every file in the
// folder with the reason why it does not fit: for another serial number, of
// another activation code, expired, not whole yet, not a license. Between
// several files that fit no waiting decides: that is [adapters.ErrUnsupported],
// and so is a folder that others than its owner can write to.
//
// A file that fits also shows that its serial number is registered. That it is
// not registered, no folder can show; nor can a folder register it.
package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Options may be nil.
type Options struct {
	// Next answers what the folder cannot, for example a person at the portal
	// (adapters/attended); nil: nobody does.
	Next adapters.LicensePortal
	// Now tells whether a license has expired, and says when a file was taken;
	// nil means time.Now.
	Now func() time.Time
}

// An Inbox is a folder of license files. It is safe for concurrent use.
type Inbox struct {
	dir  string
	next adapters.LicensePortal
	now  func() time.Time
}

var (
	_ adapters.LicensePortal = (*Inbox)(nil)
	_ adapters.Describer     = (*Inbox)(nil)
)

// New returns an inbox for a folder. The folder must be there, and nobody but
// its owner may be able to write to it; that is looked at again in every call.
func New(dir string, o *Options) (*Inbox, error) {
	if o == nil {
		o = new(Options)
	}
	b := &Inbox{dir: dir, next: o.Next, now: o.Now}
	if b.now == nil {
		b.now = time.Now
	}
	f, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("inbox: %w", err)
	}
	return b, f.Close()
}

// Describe names the folder, and who answers what it cannot.
func (b *Inbox) Describe() string {
	text := "license files that a person puts into " + printable.Whole(b.dir)
	if b.next != nil {
		text += ", otherwise: " + adapters.Describe(b.next)
	}
	return text
}

// FetchLicense returns the one file that is for the environment's serial number
// under code and has not expired. It says on the record which one that is.
func (b *Inbox) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	fits, others, err := b.look(ctx, code, env)
	if err != nil {
		return license.File{}, err
	}
	if len(fits) > 0 {
		taken, ok := latest(fits)
		if !ok {
			return license.File{}, fmt.Errorf("%s: several different license files fit, and their dates do not tell which is the latest; leave one of them: %s: %w",
				printable.Text(env.Name), names(fits), adapters.ErrUnsupported)
		}
		b.testify(ctx, "a person had put %s there: %v", taken.shown, taken.file)
		return taken.file, nil
	}
	found := fmt.Sprintf("no file in %s is the license of %s for the serial number %s under activation code %s: %s",
		printable.Whole(b.dir), printable.Text(env.Name), printable.Text(string(env.Serial)), code, reasons(others))
	if b.next == nil {
		return license.File{}, fmt.Errorf("%s: %w", found, adapters.ErrBusy)
	}
	file, err := b.next.FetchLicense(ctx, code, env)
	if err != nil {
		return license.File{}, fmt.Errorf("%s; then: %w", found, err)
	}
	return file, nil
}

// SerialRegistered reports true if there is a file for the environment's serial
// number under code: the portal gives out none for others (facts.md 5.1).
func (b *Inbox) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	fits, _, err := b.look(ctx, code, env)
	switch {
	case err != nil:
		return false, err
	case len(fits) > 0:
		b.testify(ctx, "a person had put %s there, which the portal gives out for a registered serial number only: %v", fits[0].shown, fits[0].file)
		return true, nil
	case b.next == nil:
		return false, fmt.Errorf("%s: no license file in the folder shows that the serial number is registered, and none could show that it is not: %w",
			printable.Text(env.Name), adapters.ErrUnsupported)
	}
	return b.next.SerialRegistered(ctx, code, env)
}

// RegisterSerial hands the call on: a folder registers nothing.
func (b *Inbox) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	if b.next == nil {
		return fmt.Errorf("%s: a folder of license files registers no serial number: %w", printable.Text(env.Name), adapters.ErrUnsupported)
	}
	return b.next.RegisterSerial(ctx, code, env)
}

// look tells the files that are for an environment under a code from the
// others.
func (b *Inbox) look(ctx context.Context, code license.ActivationCode, env environment.Environment) (fits, others []found, err error) {
	if code.IsZero() || env.Serial == "" {
		return nil, nil, fmt.Errorf("%s: there is no activation code or no serial number to look for", printable.Text(env.Name))
	}
	all, err := list(ctx, b.dir, license.NewMask(code), func(d license.Details) string { return b.unfit(d, code, env.Serial) })
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", printable.Text(env.Name), err)
	}
	for _, f := range all {
		if f.why == "" {
			fits = append(fits, f)
		} else {
			others = append(others, f)
		}
	}
	return fits, others, nil
}

// unfit says why a license is not the one that is looked for; empty: it is.
func (b *Inbox) unfit(d license.Details, code license.ActivationCode, serial license.SerialNumber) string {
	switch {
	case d.Serial != serial:
		return "is for the serial number " + printable.Text(string(d.Serial))
	case d.Code != code:
		return "is of the activation code " + d.Code.String()
	case !d.Ends.IsZero() && !b.now().Before(d.Ends.Add(24*time.Hour)): // its last day is one of its days
		return "has expired on " + d.Ends.Format(time.DateOnly)
	}
	return ""
}

// latest returns the file whose date of creation is later than that of every
// other content; ok is false if that cannot be said.
func latest(fits []found) (taken found, ok bool) {
	fits = slices.Clone(fits)
	slices.SortStableFunc(fits, func(a, b found) int { return b.details.Created.Compare(a.details.Created) })
	taken = fits[0]
	for _, f := range fits[1:] {
		if f.file.Digest() != taken.file.Digest() && (f.details.Created.IsZero() || !f.details.Created.Before(taken.details.Created)) {
			return found{}, false
		}
	}
	return taken, true
}

// testify says on the record what the folder had.
func (b *Inbox) testify(ctx context.Context, format string, a ...any) {
	adapters.Testify(ctx, adapters.Testimony{By: "the folder " + printable.Whole(b.dir), At: b.now(), Text: fmt.Sprintf(format, a...)})
}

func names(fits []found) string {
	var out []string
	for _, f := range fits {
		created := "without a date"
		if !f.details.Created.IsZero() {
			created = "created " + f.details.Created.Format(time.RFC3339)
		}
		out = append(out, fmt.Sprintf("%s (%s, sha256 %s)", f.shown, created, f.file.Digest().Short()))
	}
	return strings.Join(out, ", ")
}

func reasons(others []found) string {
	if len(others) == 0 {
		return "it is empty"
	}
	var out []string
	for _, f := range others {
		out = append(out, f.shown+" "+f.why)
	}
	return strings.Join(out, "; ")
}
