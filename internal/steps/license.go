package steps

import (
	"context"
	"errors"
	"fmt"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// An Upload says which file an environment is to get and how to recognize it
// once it is installed.
type Upload struct {
	Role   license.Role
	Serial license.SerialNumber // that the file is for
	Digest license.Digest       // of the file in the vault
	// Shows reports whether a reading shows this file's license.
	Shows func(environment.Reading) bool
}

// Upload takes the file out of the vault, which compares its digest, uploads
// it, and reads until the license shows. Whoever calls it has compared the
// serial number of the file with that of the server. It returns nil only when
// the license shows; until the call is made, every error says that nothing was
// done.
func (s *Site) Upload(ctx context.Context, c *machine.Call[environment.Facts], u Upload) error {
	file, err := s.Ports.Vault.Get(ctx, u.Serial, u.Digest)
	if err != nil {
		return Before(fmt.Errorf("taking the license file for %s out of the vault: %w", printable.Text(c.Environment), err))
	}
	if file.Digest() != u.Digest {
		return Before(fmt.Errorf("the vault gave a file with the digest %s for %s", file.Digest().Short(), u.Digest.Short()))
	}
	if err := s.Running(ctx); err != nil {
		return err
	}
	if err := s.Ports.ServiceCenter.UploadLicense(ctx, s.Env(c.Environment), file); err != nil {
		return fmt.Errorf("uploading the %s license to %s: %w", u.Role, printable.Text(c.Environment), err)
	}
	r, shows, err := s.Stable(ctx, c.Environment, c.Effect.Settle, u.Shows)
	switch {
	case err != nil:
		// Not wrapped: that the page was not reached says nothing of the upload.
		return errors.New("uploaded, but the licensing page cannot be read: " + err.Error())
	case r.Server != u.Serial:
		return SerialChanged(c.Environment, r.Server, u.Serial)
	}
	c.Facts.Reading = r
	if !shows {
		return fmt.Errorf("uploaded, but the licensing page still shows something else: %s", Shown(r))
	}
	return nil
}

// Unaccounted is the note of an environment with a call that nobody knows the
// end of and that nobody will look for any more: its environment has begun
// another table.
const Unaccounted = "unaccounted"

// Account gives a call that is unaccounted for the time that it needs to land.
// What is uploaded before it does would be undone (reliability.md RB8).
func (s *Site) Account(ctx context.Context, c *machine.Call[environment.Facts]) error {
	if c.Facts.Note(Unaccounted) == "" {
		return nil
	}
	if err := s.Clock.Sleep(ctx, c.Effect.Settle.Window); err != nil {
		return Before(err)
	}
	c.Facts.SetNote(Unaccounted, "")
	return nil
}

// ObserveUpload finds out whether an upload in doubt was done
// (reliability.md B6).
func (s *Site) ObserveUpload(ctx context.Context, c *machine.Call[environment.Facts], u Upload) (done bool, err error) {
	r, shows, err := s.Stable(ctx, c.Environment, c.Effect.Settle, u.Shows)
	switch {
	case err != nil:
		return false, err
	case r.Server != u.Serial:
		return false, SerialChanged(c.Environment, r.Server, u.Serial)
	}
	c.Facts.Reading = r
	switch {
	case shows:
		return true, nil
	case r.Role == license.Source || r.Role == license.Target:
		return false, nil // stable, and not this file: the same bytes may be sent again
	default:
		return false, UnknownLicense(c.Environment, r)
	}
}

// Shown says what a reading shows, for people.
func Shown(r environment.Reading) string {
	ipp := "no word for Intellectual Property"
	if r.IPP != "" {
		ipp = "Intellectual Property: " + printable.Text(string(r.IPP))
	}
	switch r.Role {
	case license.None:
		return "no license"
	case "":
		return "nothing that could be read"
	}
	return fmt.Sprintf("%s license %s for %s, %s", r.Role, r.Code, printable.Text(string(r.Serial)), ipp)
}

// Accept marks the file with that digest as taken by the environment.
func Accept(f *environment.Facts, digest license.Digest) {
	backups := append([]environment.Backup(nil), f.Backups...)
	for i := range backups {
		if backups[i].Digest == digest {
			backups[i].Accepted = true
		}
	}
	f.Backups = backups
}

// Republish publishes the test module again and keeps what came of it.
func (s *Site) Republish(ctx context.Context, c *machine.Call[environment.Facts]) error {
	if err := s.Running(ctx); err != nil {
		return err
	}
	p, err := s.Ports.ServiceCenter.RepublishModule(ctx, s.Env(c.Environment), s.Module)
	if err != nil {
		return fmt.Errorf("republishing %s in %s: %w", printable.Text(s.Module), printable.Text(c.Environment), err)
	}
	c.Facts.Publication = environment.Publication{Module: s.Module, Before: printable.Text(p.Before), After: printable.Text(p.After), At: s.Clock.Now()}
	return nil
}

// RepublishAgain is the observation of a republish in doubt: one that still
// runs answers busy, one that does not may be repeated.
func RepublishAgain(context.Context, *machine.Call[environment.Facts]) (machine.Trigger, error) {
	return machine.NotDone, nil
}

// Sweep lets the last change settle, reads every environment until it is
// stable, and hands the readings to keep, in the order of the plan. An
// environment that cannot be read is a hold.
func (s *Site) Sweep(ctx context.Context, settle machine.Settle, keep func(env string, r environment.Reading) error) error {
	if err := s.Clock.Sleep(ctx, settle.Window); err != nil {
		return err
	}
	for _, env := range s.Names() {
		r, _, err := s.Stable(ctx, env, settle, nil)
		if err != nil {
			if ctx.Err() != nil {
				return err
			}
			return &journal.Hold{Kind: journal.HoldUnavailable, Cause: "the final sweep needs a reading of every environment: " + err.Error(),
				Hint: "deployments stay paused; resume tries again"}
		}
		if err := keep(env, r); err != nil {
			return err
		}
	}
	s.swept.Store(true)
	return nil
}
