package fake

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// account is what the vendor keeps under one activation code.
type account struct {
	Code        plainCode      `json:"code"`
	Slots       []slots        `json:"slots,omitempty"`
	Registered  []registration `json:"registered,omitempty"`
	Definitions []definition   `json:"definitions,omitempty"`
}

// slots counts the free slots for environments of one kind.
type slots struct {
	Kind environment.Kind `json:"kind"`
	Free int              `json:"free"`
}

// registration is a slot that is taken.
type registration struct {
	Environment string               `json:"environment"`
	Kind        environment.Kind     `json:"kind"`
	Serial      license.SerialNumber `json:"serial"`
}

// definition is what the licenses say that are issued for one environment;
// code and serial number come from account and registration.
type definition struct {
	Environment  string            `json:"environment"`
	Revision     int               `json:"revision,omitempty"` // counts the vendor's corrections
	Organization string            `json:"organization"`
	Type         string            `json:"type"`
	Edition      string            `json:"edition"`
	Created      time.Time         `json:"created"`
	Ends         time.Time         `json:"ends,omitzero"`
	Features     []license.Feature `json:"features"`
	Exact        plainFile         `json:"exact,omitzero"` // served instead of everything above

	// The license file issued last, and what it says: compressing is most of
	// what a simulated run costs, so it is done again only when that changes.
	Issued     plainFile `json:"issued,omitzero"`
	IssuedSays string    `json:"issuedSays,omitempty"`
}

// account returns what is kept under code, from now on if need be.
func (w *World) account(code license.ActivationCode) *account {
	if a := w.known(code); a != nil {
		return a
	}
	w.s.Accounts = append(w.s.Accounts, account{Code: plainCode{code}})
	return &w.s.Accounts[len(w.s.Accounts)-1]
}

// known returns what is kept under code, nil if nothing is.
func (w *World) known(code license.ActivationCode) *account {
	for i := range w.s.Accounts {
		if a := &w.s.Accounts[i]; a.Code.ActivationCode == code {
			return a
		}
	}
	return nil
}

// free returns the number of free slots of the kind, to be read and changed.
func (a *account) free(kind environment.Kind) *int {
	i := slices.IndexFunc(a.Slots, func(s slots) bool { return s.Kind == kind })
	if i < 0 {
		i = len(a.Slots)
		a.Slots = append(a.Slots, slots{Kind: kind})
	}
	return &a.Slots[i].Free
}

// registration returns the registration of the serial number; there is none
// in no account.
func (a *account) registration(serial license.SerialNumber) (registration, bool) {
	if a == nil {
		return registration{}, false
	}
	i := slices.IndexFunc(a.Registered, func(r registration) bool { return r.Serial == serial })
	if i < 0 {
		return registration{}, false
	}
	return a.Registered[i], true
}

// register ties a serial number to the account.
func (w *World) register(a *account, r registration) {
	a.Registered = append(a.Registered, r)
	w.definition(a, r.Environment, r.Kind)
}

// definition returns what licenses for the environment say under the account's
// code. Unless that was changed, they show Ignore under the source code and
// Unprotected under every other.
func (w *World) definition(a *account, name string, kind environment.Kind) *definition {
	for i := range a.Definitions {
		if d := &a.Definitions[i]; d.Environment == name {
			return d
		}
	}
	word := license.Unprotected
	if a.Code == w.s.Source {
		word = license.Ignore
	}
	a.Definitions = append(a.Definitions, definition{
		Environment: name, Organization: w.s.Organization, Type: licenseType(kind), Edition: "Enterprise",
		Created:  Start().Truncate(24 * time.Hour),
		Ends:     time.Date(2035, time.December, 31, 0, 0, 0, 0, time.UTC),
		Features: features(kind, word),
	})
	return &a.Definitions[len(a.Definitions)-1]
}

// details puts a definition together with what it is issued for.
func (d *definition) details(code license.ActivationCode, serial license.SerialNumber) license.Details {
	return license.Details{
		Code: code, Serial: serial, Organization: d.Organization, Type: d.Type, Edition: d.Edition,
		Created: d.Created, Ends: d.Ends, Features: slices.Clone(d.Features),
	}
}

// setIPP sets the word for intellectual property.
func (d *definition) setIPP(word license.IPP) {
	for i := range d.Features {
		if d.Features[i].ID == ippID {
			d.Features[i].Limit = string(word)
			return
		}
	}
	d.Features = append(d.Features, license.Feature{ID: ippID, Name: ippName, Limit: string(word)})
}

// issue writes the license file that the vendor gives out now.
func (w *World) issue(a *account, d *definition, serial license.SerialNumber) license.File {
	if !d.Exact.IsZero() {
		return d.Exact.File
	}
	salt := ""
	if d.Revision > 0 {
		salt = fmt.Sprintf("revision %d ", d.Revision)
	}
	if w.s.Distinct {
		w.s.Downloads++
		salt += fmt.Sprintf("download %d", w.s.Downloads)
	}
	details := d.details(a.Code.ActivationCode, serial)
	says := fmt.Sprint(details, salt, w.s.Opaque)
	if d.IssuedSays != says {
		f := LicenseFile(details, salt)
		if w.s.Opaque {
			f = opaque(f)
		}
		d.Issued, d.IssuedSays = plainFile{File: f}, says
	}
	return d.Issued.File
}

// portal is the world's [adapters.LicensePortal].
type portal struct{ facet }

var _ adapters.LicensePortal = portal{}

// FetchLicense implements [adapters.LicensePortal].
func (p portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (file license.File, err error) {
	err = p.call(ctx, Call{"LicensePortal", "FetchLicense", env.Name}, func(w *World) error {
		a := w.known(code)
		r, ok := a.registration(env.Serial)
		if !ok {
			return refused(env.Name, adapters.ErrSerialNotFound, code.String())
		}
		file = w.issue(a, w.definition(a, r.Environment, r.Kind), r.Serial)
		return nil
	})
	return file, err
}

// SerialRegistered implements [adapters.LicensePortal].
func (p portal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (registered bool, err error) {
	err = p.call(ctx, Call{"LicensePortal", "SerialRegistered", env.Name}, func(w *World) error {
		_, registered = w.known(code).registration(env.Serial)
		return nil
	})
	return registered, err
}

// RegisterSerial implements [adapters.LicensePortal]. A serial number that is
// registered already takes up no second slot.
func (p portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	c := Call{"LicensePortal", "RegisterSerial", env.Name}
	return p.call(ctx, c, func(w *World) error {
		if env.Serial == "" {
			return fmt.Errorf("%s: there is no serial number to register", printable.Text(env.Name))
		}
		a := w.account(code)
		if _, ok := a.registration(env.Serial); ok {
			return nil
		}
		free := a.free(env.Kind)
		if *free <= 0 {
			return refused(env.Name, adapters.ErrNoSlot, string(env.Kind))
		}
		*free--
		w.register(a, registration{env.Name, env.Kind, env.Serial})
		w.changed(c, code, "")
		return nil
	})
}
