package fake

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// server is one environment: its hardware, its Service Center, and what
// LifeTime knows of it.
type server struct {
	Environment environment.Environment `json:"environment"` // as it was added
	Serial      license.SerialNumber    `json:"serial"`      // of the hardware, now
	Installed   plainFile               `json:"installed,omitzero"`
	Left        []plainCode             `json:"left,omitempty"` // codes that it was under before
	Modules     []unit                  `json:"modules,omitempty"`

	Rejects      []rejection `json:"rejects,omitempty"`
	RefuseReturn string      `json:"refuseReturn,omitempty"`

	Stale     int       `json:"stale,omitempty"`     // readings by which the page lags behind an upload
	Lag       int       `json:"lag,omitempty"`       // of which so many are left
	Shown     plainFile `json:"shown,omitzero"`      // what the page shows meanwhile
	LateNext  bool      `json:"lateNext,omitempty"`  // the next upload takes effect later
	LateBy    int       `json:"lateBy,omitempty"`    // by so many calls
	Pending   plainFile `json:"pending,omitzero"`    // an upload that has not taken effect yet
	PendingBy Call      `json:"pendingBy,omitzero"`  // who has sent it
	PendingIn int       `json:"pendingIn,omitempty"` // and in how many calls it will

	Controlled bool     `json:"controlled,omitempty"` // by LifeTime
	Cloud      bool     `json:"cloud,omitempty"`
	Paused     bool     `json:"paused,omitempty"`
	Running    []string `json:"running,omitempty"`

	Unabortable bool `json:"unabortable,omitempty"` // what is running cannot be aborted
}

// rejection is a code whose licenses Service Center turns down, and its words.
type rejection struct {
	Code plainCode `json:"code"`
	Text string    `json:"text"`
}

// unit is a module of one environment.
type unit struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Mark    plainCode `json:"mark,omitzero"`     // the code that its intellectual property belongs to
	Locks   int       `json:"locks,omitempty"`   // publishes that will find it locked
	Broken  string    `json:"broken,omitempty"`  // the error with which its publishes finish
	Overrun bool      `json:"overrun,omitempty"` // somebody else publishes during the next publish
}

// module returns the module of that name, nil if there is none.
func (s *server) module(name string) *unit {
	for i := range s.Modules {
		if m := &s.Modules[i]; m.Name == name {
			return m
		}
	}
	return nil
}

// license says what the installed license holds; ok is false if there is none.
func (s *server) license() (license.Details, bool) {
	if s.Installed.IsZero() {
		return license.Details{}, false
	}
	return s.Installed.read()
}

// install puts the file in place of the installed license. The page shows it
// after lag readings.
func (s *server) install(f license.File, lag int) {
	if old, ok := s.license(); ok {
		if d, _ := read(f); d.Code != old.Code {
			s.Left = append(s.Left, plainCode{old.Code})
		}
	}
	if s.Lag == 0 {
		s.Shown = s.Installed
	}
	s.Installed, s.Lag = plainFile{File: f}, lag
}

// page is what the licensing page shows when the file is installed.
func (s *server) page(f *plainFile) license.Installed {
	in := license.Installed{Server: s.Serial}
	if d, ok := f.read(); ok {
		in.Code, in.Serial, in.Type, in.Ends = d.Code, d.Serial, d.Type, d.Ends
		in.IPP, in.Features = ippOf(d.Features)
		for i := range in.Features {
			in.Features[i].ID = "" // a page shows names
		}
	}
	return in
}

// serviceCenter is the world's [adapters.ServiceCenter].
type serviceCenter struct{ facet }

var (
	_ adapters.ServiceCenter   = serviceCenter{}
	_ adapters.LicenseBackuper = serviceCenter{}
)

// reach carries out a call at the Service Center of env. An upload that was
// still under way may take effect first.
func (c serviceCenter) reach(ctx context.Context, call Call, env environment.Environment, do func(*World, *server) error) error {
	return c.call(ctx, call, func(w *World) error {
		i := slices.IndexFunc(w.s.Servers, func(s server) bool {
			if env.ServiceCenter == "" {
				return s.Environment.Name == env.Name
			}
			return s.Environment.ServiceCenter == env.ServiceCenter
		})
		if i < 0 {
			return refused(env.Name, adapters.ErrNotReached, "no such host")
		}
		s := &w.s.Servers[i]
		if !s.Pending.IsZero() {
			if s.PendingIn--; s.PendingIn < 0 {
				w.take(s, s.PendingBy, s.Pending.File)
				s.Pending = plainFile{}
			}
		}
		return do(w, s)
	})
}

// take lets an accepted upload take effect. The installed license once more
// changes nothing.
func (w *World) take(s *server, c Call, f license.File) {
	if f.Digest() == s.Installed.Digest() {
		return
	}
	d, _ := read(f)
	s.install(f, s.Stale)
	w.changed(c, d.Code, f.Digest())
}

// InstalledLicense implements [adapters.ServiceCenter].
func (c serviceCenter) InstalledLicense(ctx context.Context, env environment.Environment) (in license.Installed, err error) {
	err = c.reach(ctx, Call{"ServiceCenter", "InstalledLicense", env.Name}, env, func(w *World, s *server) error {
		shown := &s.Installed
		if s.Lag > 0 {
			s.Lag--
			shown = &s.Shown
		}
		in = s.page(shown)
		return nil
	})
	return in, err
}

// UploadLicense implements [adapters.ServiceCenter].
func (c serviceCenter) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	call := Call{"ServiceCenter", "UploadLicense", env.Name}
	return c.reach(ctx, call, env, func(w *World, s *server) error {
		if err := w.accepts(s, env.Name, file); err != nil {
			return err
		}
		if s.LateNext {
			s.LateNext = false
			s.Pending, s.PendingBy, s.PendingIn = plainFile{File: file}, call, s.LateBy
			return fmt.Errorf("%s: no answer to the upload: %w", printable.Text(env.Name), adapters.ErrUncertain)
		}
		w.take(s, call, file)
		return nil
	})
}

// accepts says why a Service Center turns a file down; nil if it does not.
func (w *World) accepts(s *server, where string, file license.File) error {
	d, ok := read(file)
	old, _ := s.license()
	switch {
	case s.Cloud:
		return refused(where, adapters.ErrPermission, "the vendor installs the licenses of a cloud environment")
	case !ok:
		return refused(where, adapters.ErrRejected, "There was an internal error installing the license")
	case d.Serial != s.Serial:
		return refused(where, adapters.ErrWrongEnvironment, "the file is for "+string(d.Serial)+", the server is "+string(s.Serial))
	case w.expired(d):
		return refused(where, adapters.ErrRejected, "This server license has expired.")
	case s.RefuseReturn != "" && d.Code != old.Code && slices.Contains(s.Left, plainCode{d.Code}):
		return refused(where, adapters.ErrRejected, s.RefuseReturn)
	}
	for _, r := range s.Rejects {
		if r.Code.ActivationCode == d.Code {
			return refused(where, adapters.ErrRejected, r.Text)
		}
	}
	return nil
}

// expired reports whether the license has ended. It is good for the whole day
// of its end date.
func (w *World) expired(d license.Details) bool {
	return !d.Ends.IsZero() && !w.now().Before(d.Ends.Add(24*time.Hour))
}

// RepublishModule implements [adapters.ServiceCenter].
func (c serviceCenter) RepublishModule(ctx context.Context, env environment.Environment, name string) (p adapters.Publication, err error) {
	call := Call{"ServiceCenter", "RepublishModule", env.Name}
	err = c.reach(ctx, call, env, func(w *World, s *server) error {
		d, err := w.refuses(s, env.Name, name)
		if err != nil {
			return err
		}
		m := s.module(name)
		p.Before = m.Version
		if m.Overrun {
			m.Overrun = false
			m.Version = next(m.Version)
		}
		p.After = m.Version
		if word, _ := ippOf(d.Features); word == license.Protected {
			m.Mark = plainCode{d.Code}
		}
		w.changed(call, d.Code, "")
		return nil
	})
	return p, err
}

// refuses says why a republish of the module is refused; nil if it is not. It
// returns what the installed license says.
func (w *World) refuses(s *server, where, name string) (license.Details, error) {
	m := s.module(name)
	if m == nil {
		return license.Details{}, refused(where, adapters.ErrModuleNotFound, name)
	}
	if m.Locks > 0 {
		m.Locks--
		return license.Details{}, refused(where, adapters.ErrBusy, "Your module is currently being locked by another operation.")
	}
	d, ok := s.license()
	word, _ := ippOf(d.Features)
	enforced := word == license.Protected || word == license.Unprotected
	switch {
	case !ok:
		return d, refused(where, adapters.ErrPublishFailed, "No license was found for this server")
	case d.Serial != s.Serial:
		return d, refused(where, adapters.ErrPublishFailed, "The license found is not valid for this server because it was issued to a server with serial number '"+string(d.Serial)+"'")
	case w.expired(d):
		return d, refused(where, adapters.ErrPublishFailed, "This server license has expired.")
	case enforced && !m.Mark.IsZero() && m.Mark.ActivationCode != d.Code:
		return d, refused(where, adapters.ErrIntellectualProperty, "Intellectual Property Error: This module is under Intellectual Property Protection, so you cannot publish it to your environment.")
	case m.Broken != "":
		return d, refused(where, adapters.ErrPublishFailed, m.Broken)
	}
	return d, nil
}

// next is the version that a publish creates.
func next(version string) string {
	n, err := strconv.Atoi(version)
	if err != nil {
		return version + ".1"
	}
	return strconv.Itoa(n + 1)
}

// BackupLicense implements [adapters.LicenseBackuper]: the bytes that were
// uploaded, even while the page still shows the license before.
func (c serviceCenter) BackupLicense(ctx context.Context, env environment.Environment) (file license.File, err error) {
	err = c.reach(ctx, Call{"ServiceCenter", "BackupLicense", env.Name}, env, func(_ *World, s *server) error {
		if s.Installed.IsZero() {
			return refused(env.Name, adapters.ErrNoLicense, "")
		}
		file = s.Installed.File
		return nil
	})
	return file, err
}
