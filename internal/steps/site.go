// Package steps holds the effects that both procedures carry out in the same
// way: reading an environment until its answer is stable, uploading a license
// from the vault, republishing, pausing and resuming deployments, sweeping,
// opening a support case. The procedures decide when; their tables decide what
// an answer means.
package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Site is an infrastructure as steps see it.
type Site struct {
	environment.Infrastructure
	Source, Target license.ActivationCode
	Module         string
	Paused         []string // environments whose deployments must be paused
	Ports          adapters.Set
	Clock          adapters.Clock

	// Halted is set as soon as nothing more may be changed: a step has found
	// deployments going on that should be paused, or the line was stopped. It
	// reaches calls that were decided on before, and wait for another attempt;
	// what lasts is in the journal.
	Halted atomic.Bool

	swept atomic.Bool // a sweep has just ended well
}

// Begin says that a run begins or is taken up again: what was seen before is no
// longer fresh.
func (s *Site) Begin() { s.swept.Store(false) }

// Names of the conditions that the steps themselves state. NotSent: something
// went wrong before anything was sent, so the effect was not done.
const NotSent = "notSent"

// beforeError is an error met before the mutating call was made.
type beforeError struct{ err error }

func (e beforeError) Error() string     { return "nothing was sent: " + e.err.Error() }
func (e beforeError) Unwrap() error     { return e.err }
func (e beforeError) Condition() string { return NotSent }

// Uncertain says that nothing is uncertain, whatever the error below says of
// itself.
func (e beforeError) Uncertain() bool { return false }

// Before marks an error met before the mutating call was made: whatever it is,
// the effect was not done. Conditions and holds keep their meaning.
func Before(err error) error {
	var hold *journal.Hold
	if err == nil || errors.As(err, &hold) || adapters.ConditionOf(err) != nil {
		return err
	}
	return beforeError{err}
}

// PersonTime is how long one call may take by default: a person may stand
// behind any port, and go home in between.
const PersonTime = 24 * time.Hour

// Settle is the default for effects that read a licensing page: Service Center
// is known to take an upload that times out, and to show an old license for a
// while after a good one (facts.md 8, rows 12 and 13).
func Settle() machine.Settle {
	return machine.Settle{Window: 2 * time.Minute, Reads: 2, Every: 15 * time.Second, Limit: 40}
}

// Retry is the default for conditions that are known to pass.
func Retry() machine.Retry {
	return machine.Retry{On: []string{"busy", "notReached", NotSent}, Attempts: 5, First: 15 * time.Second, Max: 5 * time.Minute}
}

// Caught returns the name of the condition that err states if the effect
// catches it; otherwise "".
func Caught(effect machine.Effect, err error) string {
	if condition := adapters.ConditionOf(err); condition != nil {
		for _, caught := range effect.Catch {
			if caught.Condition == condition.Condition() {
				return caught.Condition
			}
		}
	}
	return ""
}

// Begin prepares the facts with which an environment begins a table: what it
// met in the one before is over.
func Begin(f environment.Facts) environment.Facts {
	f.Fetched, f.Need, f.Publication = environment.Fetched{}, environment.Need{}, environment.Publication{}
	return f
}

// Tally adds to a census what is known of one environment's license and
// backups.
func Tally(c *environment.Census, f environment.Facts) {
	if _, ok := f.Restorable(f.Reading.Server); ok {
		c.BackedUp++
	}
	switch {
	case f.Reading.Shows(license.Source):
		c.ShowSource++
	case f.Reading.Shows(license.Target):
		c.ShowTarget++
	}
}

// Env returns the environment called name; steps are only called for
// environments of the site.
func (s *Site) Env(name string) environment.Environment {
	i := slices.IndexFunc(s.Environments, func(e environment.Environment) bool { return e.Name == name })
	if i < 0 {
		return environment.Environment{Name: name}
	}
	return s.Environments[i]
}

// Names returns the environments' names in the order of the plan.
func (s *Site) Names() []string {
	names := make([]string, len(s.Environments))
	for i, e := range s.Environments {
		names[i] = e.Name
	}
	return names
}

// Role says whose activation code it is.
func (s *Site) Role(code license.ActivationCode) license.Role {
	switch code {
	case license.ActivationCode{}:
		return license.None
	case s.Source:
		return license.Source
	case s.Target:
		return license.Target
	}
	return license.Other
}

// Code returns the activation code of Source or Target.
func (s *Site) Code(role license.Role) license.ActivationCode {
	if role == license.Target {
		return s.Target
	}
	return s.Source
}

// Read reads an environment once.
func (s *Site) Read(ctx context.Context, env string) (environment.Reading, error) {
	in, err := s.Ports.ServiceCenter.InstalledLicense(ctx, s.Env(env))
	if err != nil {
		return environment.Reading{}, fmt.Errorf("reading the installed license of %s: %w", printable.Text(env), err)
	}
	r := environment.Reading{Role: s.Role(in.Code), Server: in.Server, Serial: in.Serial, IPP: in.IPP, Type: in.Type, Ends: in.Ends, At: s.Clock.Now()}
	if !in.Code.IsZero() {
		r.Code = in.Code.String()
	}
	return r, nil
}

// Stable reads an environment until settle.Reads readings in a row agree and
// want accepts them (nil accepts any), at most settle.Limit times. It returns
// the last reading that was stable, and whether want accepted it. The error is
// that of the last reading if none was stable.
func (s *Site) Stable(ctx context.Context, env string, settle machine.Settle, want func(environment.Reading) bool) (r environment.Reading, ok bool, err error) {
	var last environment.Reading
	agree, stable := 0, false
	for i := range max(settle.Limit, settle.Reads, 1) {
		if i > 0 {
			if err := s.Clock.Sleep(ctx, settle.Every); err != nil {
				return r, false, err
			}
		}
		next, readErr := s.Read(ctx, env)
		if readErr != nil {
			if ctx.Err() != nil {
				return r, false, readErr
			}
			agree, err = 0, readErr
			continue
		}
		at := next.At
		next.At, last.At = time.Time{}, time.Time{}
		if agree > 0 && next == last {
			agree++
		} else {
			agree = 1
		}
		last = next
		if agree >= max(settle.Reads, 1) {
			r, stable = next, true
			r.At = at
			if want == nil || want(r) {
				return r, true, nil
			}
		}
	}
	switch {
	case stable:
		return r, false, nil
	case err != nil:
		return r, false, err
	default:
		return r, false, fmt.Errorf("the readings of %s never agreed", printable.Text(env))
	}
}

// SerialChanged is the hold for a server whose serial number is not the one
// that the plan, the license or the backup is for (facts.md 8, row 1).
func SerialChanged(env string, server, want license.SerialNumber) *journal.Hold {
	return &journal.Hold{Kind: journal.HoldSerial,
		Cause: fmt.Sprintf("the server of %s has the serial number %s, not %s", printable.Text(env), printable.Text(string(server)), printable.Text(string(want))),
		Hint:  "licenses and backups for the old serial number are of no use to this server; ask Support for files for the new one, or undo the hardware change"}
}

// UnknownLicense is the hold for an environment that shows neither Source nor
// Target.
func UnknownLicense(env string, r environment.Reading) *journal.Hold {
	cause := fmt.Sprintf("%s shows the activation code %s, which is neither source nor target", printable.Text(env), r.Code)
	if r.Role == license.None {
		cause = printable.Text(env) + " shows no license"
	}
	return &journal.Hold{Kind: journal.HoldUnknown, Cause: cause, Hint: "find out who installed it; then resolve, or roll back"}
}

// Foreign is the hold for a world that differs from the journal.
func Foreign(cause string) *journal.Hold {
	return &journal.Hold{Kind: journal.HoldForeign, Cause: cause, Hint: "find out who changed it and why; then resolve with what you found, or roll back"}
}

// Witness puts what adapters testify on the record of a call.
func Witness(ctx context.Context, record func(journal.Testimony)) context.Context {
	return adapters.WithWitness(ctx, func(t adapters.Testimony) {
		record(journal.Testimony{By: printable.Text(t.By), At: t.At, Text: printable.Text(t.Text)})
	})
}

// Describe says what answers for each port.
func Describe(set adapters.Set) map[string]string {
	said := func(port any) string { return printable.Text(adapters.Describe(port)) }
	return map[string]string{
		"LicensePortal": said(set.Portal), "ServiceCenter": said(set.ServiceCenter), "LifeTime": said(set.LifeTime),
		"BackupVault": said(set.Vault), "SupportDesk": said(set.Support), "Operator": said(set.Operator),
	}
}
