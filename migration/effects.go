package migration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/inorder"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// legSteps carries out what environments ask for in one leg.
type legSteps struct {
	*Runner
	leg   Leg
	rules Rules
}

func (s legSteps) steps() map[machine.EffectName]machine.Step[environment.Facts] {
	type F = environment.Facts
	all := map[machine.EffectName]machine.Step[F]{
		"registerSerial": {Do: s.registerSerial, Observe: s.observeSerial},
		"fetchLicense":   {Do: s.fetchLicense},
		"backUp":         {Do: s.backUp},
		"upload":         {Before: s.beforeUpload, Do: s.upload, Observe: s.observeUpload},
		"verify":         {Do: s.verify},
		"republish":      {Do: s.republish, Observe: steps.RepublishAgain},
	}
	for name, step := range inorder.Of(s.opts.Steps) {
		all[name] = step
	}
	return all
}

// need records what a person must do about a condition that leads to
// NeedsSupport, and which question of the procedure speaks of it. text is safe
// to print.
func (s legSteps) need(c *machine.Call[environment.Facts], condition, text string) {
	faq := 0
	switch {
	case condition == "serialNotFound" && s.leg.Role == license.Source:
		faq = 1
	case condition == "notPrepared" && s.leg.Role == license.Source:
		faq = 2
	case condition == "notPrepared":
		faq = 3
	}
	c.Facts.Need = environment.Need{Condition: condition, Step: string(c.Effect.Name), FAQ: faq, Text: text}
}

// needing records the need for the condition of err, if the effect catches it.
func (s legSteps) needing(c *machine.Call[environment.Facts], err error) error {
	if condition := steps.Caught(c.Effect, err); condition != "" {
		s.need(c, condition, printable.Error(err))
	}
	return err
}

// look reads the environment once and refuses to go on when it is not what the
// plan and the journal say. A reading of another server is not kept: what is
// known of this one would be lost with it.
func (s legSteps) look(ctx context.Context, c *machine.Call[environment.Facts]) error {
	r, err := s.site.Read(ctx, c.Environment)
	if err != nil {
		return steps.Before(err)
	}
	if serial := s.site.Env(c.Environment).Serial; r.Server != serial {
		return steps.SerialChanged(c.Environment, r.Server, serial)
	}
	c.Facts.Reading = r
	switch {
	case r.Role == license.Other || r.Role == license.None:
		return steps.UnknownLicense(c.Environment, r)
	case r.Role == license.Target && !c.Facts.TargetSent:
		return steps.Foreign(printable.Text(c.Environment) + " shows the target license, which this run has not installed")
	}
	return nil
}

func (s legSteps) registerSerial(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	env := s.site.Env(c.Environment)
	if err := s.look(ctx, c); err != nil {
		return "", err
	}
	registered, err := s.site.Ports.Portal.SerialRegistered(ctx, s.site.Target, env)
	if err != nil {
		return "", steps.Before(fmt.Errorf("looking for the serial number of %s: %w", printable.Text(env.Name), err))
	}
	if !registered {
		if err := s.site.Running(ctx); err != nil {
			return "", err
		}
		if err := s.site.Ports.Portal.RegisterSerial(ctx, s.site.Target, env); err != nil {
			return "", s.needing(c, fmt.Errorf("registering the serial number of %s: %w", printable.Text(env.Name), err))
		}
	}
	return "serialRegistered", nil
}

func (s legSteps) observeSerial(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	registered, err := s.site.Ports.Portal.SerialRegistered(ctx, s.site.Target, s.site.Env(c.Environment))
	if err != nil || !registered {
		return machine.NotDone, err
	}
	return "serialRegistered", nil
}

func (s legSteps) fetchLicense(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	c.Facts.Need = environment.Need{}
	if err := s.look(ctx, c); err != nil {
		return "", err
	}
	if err := s.fetch(ctx, c); err != nil {
		return "", s.needing(c, err)
	}
	// A file that is not what it should be is never stored, let alone
	// uploaded: the guards of licenseFetched say so before the vault sees it.
	var refused *machine.RefusedError
	if _, err := s.legs[s.leg.Name].Fire(fetchesIn(s.leg), "licenseFetched", c.Facts); errors.As(err, &refused) {
		found := make([]string, len(refused.Reasons))
		for i, reason := range refused.Reasons {
			found[i] = reason.Evidence
		}
		s.need(c, "fileRefused", "the portal gave a file that must not be used: "+strings.Join(found, "; "))
		// Nothing of it stays, so that no later step takes it for one that was
		// accepted; another environment may have the same bytes.
		c.Facts.Fetched = environment.Fetched{}
		return "fileRefused", nil
	}
	return "licenseFetched", nil
}

// fetchesIn is the state from which a leg fetches its license.
func fetchesIn(leg Leg) machine.State {
	if leg.Role == license.Target {
		return SerialRegistered
	}
	return Paused
}

// fetch obtains the file and says in the facts what it is.
func (s legSteps) fetch(ctx context.Context, c *machine.Call[environment.Facts]) error {
	env := s.site.Env(c.Environment)
	code := s.site.Code(s.leg.Role)
	file, err := s.site.Ports.Portal.FetchLicense(ctx, code, env)
	if err != nil {
		return fmt.Errorf("fetching the %s license of %s: %w", s.leg.Role, printable.Text(env.Name), err)
	}
	fetched := environment.Fetched{Digest: file.Digest(), Fence: c.Facts.Line.Fence}
	switch details, err := license.Inspect(file); {
	case err == nil:
		fetched.Role, fetched.Serial = s.site.Role(details.Code), details.Serial
		fetched.Type, fetched.IPP, fetched.Ends = details.Type, details.IPP(), details.Ends
		fetched.Expired = !details.Ends.IsZero() && !s.site.Clock.Now().Before(details.Ends.Add(24*time.Hour))
		fetched.Lacks = s.lacks(ctx, c, details.Features)
	case errors.Is(err, license.ErrOpaque):
		answer, askErr := s.site.Ports.Operator.Ask(ctx, adapters.Question{
			Kind: adapters.AskAttestation, Subject: "licenseIdentity", Environment: env.Name,
			Text: fmt.Sprintf("Is this file the %s license of %s, issued for the serial number %s under the activation code %s?",
				s.leg.Role, printable.Text(env.Name), printable.Text(string(env.Serial)), code),
			Details: []string{"The file cannot be inspected: " + printable.Error(err), "It has the SHA-256 " + string(file.Digest())},
		})
		if askErr != nil {
			return fmt.Errorf("the license file of %s cannot be inspected, and nobody attested what it is: %w", printable.Text(env.Name), askErr)
		}
		adapters.Testify(ctx, adapters.Testimony{By: answer.By, At: answer.At, Text: "attested the identity of the file " + file.Digest().Short() + ". " + answer.Text})
		fetched.Role, fetched.Serial, fetched.Attested = s.leg.Role, env.Serial, true
	default:
		return fmt.Errorf("the license file of %s: %w", printable.Text(env.Name), err)
	}
	c.Facts.Fetched = fetched
	s.keep(file)
	return nil
}

// lacks compares a target license with the source license that it replaces.
// It is for people: what cannot be compared is left out.
func (s legSteps) lacks(ctx context.Context, c *machine.Call[environment.Facts], target []license.Feature) []string {
	backup, ok := c.Facts.Restorable(c.Facts.Reading.Server)
	if s.leg.Role != license.Target || !ok {
		return nil
	}
	file, err := s.site.Ports.Vault.Get(ctx, backup.Serial, backup.Digest)
	if err != nil {
		return nil
	}
	source, err := license.Inspect(file)
	if err != nil {
		return nil
	}
	var lacks []string
	for _, l := range license.Compare(source.Features, target) {
		lacks = append(lacks, printable.Text(l.String()))
	}
	return lacks
}

func (s legSteps) backUp(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	file, ok := s.kept(c.Facts.Fetched.Digest)
	var err error
	if ok {
		err = s.look(ctx, c) // a backup for another serial number would be worth nothing
	} else {
		file, err = s.fetchAgain(ctx, c)
	}
	if err == nil {
		err = s.store(ctx, c, file, c.Facts.Fetched.Role, environment.OriginPortal)
	}
	if errors.Is(err, license.ErrGone) {
		if file, err = s.fetchAgain(ctx, c); err == nil {
			err = s.store(ctx, c, file, c.Facts.Fetched.Role, environment.OriginPortal)
		}
	}
	if err != nil {
		return "", err
	}
	if err := s.storeInstalled(ctx, c); err != nil {
		return "", err
	}
	if source, ok := c.Facts.Restorable(c.Facts.Reading.Server); ok {
		if _, err := s.site.Ports.Vault.Get(ctx, source.Serial, source.Digest); err != nil {
			return "", fmt.Errorf("reading the source backup of %s again: %w", printable.Text(c.Environment), err)
		}
	}
	s.forget(file.Digest())
	return "backedUp", nil
}

// fetchAgain is for when whoever fetched the file is gone. What the portal gives
// now may have other bytes: it is a new file, held to the same guards.
func (s legSteps) fetchAgain(ctx context.Context, c *machine.Call[environment.Facts]) (license.File, error) {
	t, err := s.fetchLicense(ctx, c)
	if err == nil && t != "licenseFetched" {
		err = &journal.Hold{Kind: journal.HoldSupport, Cause: c.Facts.Need.Text, Hint: "the portal gave another file than before"}
	}
	if err != nil {
		return license.File{}, err
	}
	file, _ := s.kept(c.Facts.Fetched.Digest)
	return file, nil
}

// store puts a file into the vault and its record into the facts.
func (s legSteps) store(ctx context.Context, c *machine.Call[environment.Facts], file license.File, role license.Role, origin string) error {
	stored, err := s.site.Ports.Vault.Put(ctx, adapters.Label{
		Environment: c.Environment, Serial: c.Facts.Reading.Server, Role: role, Origin: origin,
	}, file)
	if errors.Is(err, license.ErrGone) {
		s.forget(file.Digest()) // the next attempt fetches it again
	}
	if err != nil {
		return fmt.Errorf("storing a license file of %s: %w", printable.Text(c.Environment), err)
	}
	if stored.Copies < s.rules.MinCopies {
		return &journal.Hold{Kind: journal.HoldSupport, Cause: fmt.Sprintf("the vault keeps %d whole of %s, the plan demands %d",
			stored.Copies, printable.Text(c.Environment), s.rules.MinCopies), Hint: "give the vault another place to store to, or mend the one that fails"}
	}
	backup := environment.Backup{
		Digest: stored.Digest, Role: role, Serial: stored.Serial, Generation: stored.Generation, Origin: origin, Copies: stored.Copies,
		Proven: stored.Digest == file.Digest() && stored.Serial == c.Facts.Reading.Server,
	}
	backups := make([]environment.Backup, 0, len(c.Facts.Backups)+1)
	for _, b := range c.Facts.Backups {
		if b.Digest == backup.Digest && b.Origin == origin && b.Serial == backup.Serial {
			backup.Accepted = b.Accepted
			continue
		}
		backups = append(backups, b)
	}
	c.Facts.Backups = append(backups, backup)
	return nil
}

// storeInstalled keeps the installed license too, where Service Center can be
// asked for it. That it cannot is normal, and noted.
func (s legSteps) storeInstalled(ctx context.Context, c *machine.Call[environment.Facts]) error {
	b, ok := s.site.Ports.ServiceCenter.(adapters.LicenseBackuper)
	if !ok {
		c.Facts.SetNote("installedBackup", "the adapter cannot download the installed license")
		return nil
	}
	file, err := b.BackupLicense(ctx, s.site.Env(c.Environment))
	switch condition := adapters.ConditionOf(err); {
	case condition != nil:
		c.Facts.SetNote("installedBackup", printable.Text(condition.Error()))
		return nil
	case err != nil:
		return fmt.Errorf("downloading the installed license of %s: %w", printable.Text(c.Environment), err)
	}
	// What cannot be inspected is kept too, but nobody may rely on it.
	role := license.Role("")
	if details, err := license.Inspect(file); err == nil && details.Serial == c.Facts.Reading.Server {
		role = s.site.Role(details.Code)
	}
	return s.store(ctx, c, file, role, environment.OriginInstalled)
}

func (s legSteps) beforeUpload(f environment.Facts) environment.Facts {
	if s.leg.Role == license.Target {
		f.TargetSent = true
	}
	return f
}

// uploadOf says which file goes up and how it shows: by its code and serial
// number, and, where the file could be inspected, by its word and end date,
// which tell a refreshed source license from the one before it.
func (s legSteps) uploadOf(f environment.Facts) steps.Upload {
	return steps.Upload{Role: s.leg.Role, Serial: f.Fetched.Serial, Digest: f.Fetched.Digest, Shows: func(r environment.Reading) bool {
		if !r.Shows(s.leg.Role) {
			return false
		}
		return f.Fetched.Attested || r.IPP == f.Fetched.IPP && sameDay(r.Ends, f.Fetched.Ends)
	}}
}

// sameDay compares end dates, of which a page may show none.
func sameDay(page, file time.Time) bool {
	return page.IsZero() || file.IsZero() || page.Format(time.DateOnly) == file.Format(time.DateOnly)
}

func (s legSteps) upload(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if err := s.site.Account(ctx, c); err != nil {
		return "", err
	}
	if err := s.look(ctx, c); err != nil {
		return "", err
	}
	if err := s.site.StillPaused(ctx); err != nil {
		return "", err
	}
	if err := s.site.Upload(ctx, c, s.uploadOf(c.Facts)); err != nil {
		return "", s.needing(c, err)
	}
	steps.Accept(&c.Facts, c.Facts.Fetched.Digest)
	return "uploaded", nil
}

func (s legSteps) observeUpload(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if c.Facts.Fetched.Attested {
		// Nothing on the page tells an opaque file from the one before it, and
		// sending the same bytes again does no harm.
		return machine.NotDone, nil
	}
	done, err := s.site.ObserveUpload(ctx, c, s.uploadOf(c.Facts))
	if err != nil || !done {
		return machine.NotDone, err
	}
	steps.Accept(&c.Facts, c.Facts.Fetched.Digest)
	return "uploaded", nil
}

func (s legSteps) verify(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	r, shown, err := s.site.Stable(ctx, c.Environment, c.Effect.Settle, func(r environment.Reading) bool { return r.Shows(s.leg.Role) })
	if err != nil {
		return "", err
	}
	if serial := s.site.Env(c.Environment).Serial; r.Server != serial {
		return "", steps.SerialChanged(c.Environment, r.Server, serial)
	}
	c.Facts.Reading = r
	switch {
	case !shown:
		return "", steps.Foreign(fmt.Sprintf("%s showed the %s license before and shows %s now", printable.Text(c.Environment), s.leg.Role, steps.Shown(r)))
	case r.IPP == "":
		return "", fmt.Errorf("the licensing page of %s shows no word for Intellectual Property", printable.Text(c.Environment))
	}
	for _, word := range s.rules.Accept {
		if r.IPP == word {
			return "ipVerified", nil
		}
	}
	s.need(c, "notPrepared", fmt.Sprintf("Intellectual Property is %s; the %s leg accepts %s", printable.Text(string(r.IPP)), s.leg.Name, words(s.rules.Accept)))
	return "notPrepared", nil
}

func (s legSteps) republish(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if err := s.site.StillPaused(ctx); err != nil {
		return "", err
	}
	if err := s.site.Republish(ctx, c); err != nil {
		return "", s.needing(c, err)
	}
	return "republished", nil
}
