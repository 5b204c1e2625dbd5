package rollback

import (
	"context"
	"errors"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

func (r *Runner) environmentSteps() map[machine.EffectName]machine.Step[environment.Facts] {
	return map[machine.EffectName]machine.Step[environment.Facts]{
		"restore":      {Do: r.restore, Observe: r.observeRestore},
		"confirm":      {Do: r.confirm},
		"testRestored": {Do: r.testRestored, Observe: steps.RepublishAgain},
	}
}

// restore decides, by what is installed and by what was ever sent, whether the
// source license must be put back, and puts it back (RB2).
func (r *Runner) restore(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if c.Facts.Note(unaccounted) != "" {
		// A forward call may still land. What is put back before it does would
		// be undone.
		if err := r.site.Clock.Sleep(ctx, c.Effect.Settle.Window); err != nil {
			return "", steps.Before(err)
		}
		c.Facts.SetNote(unaccounted, "")
	}
	reading, _, err := r.site.Stable(ctx, c.Environment, c.Effect.Settle, nil)
	serial := r.site.Env(c.Environment).Serial
	switch {
	case err != nil && !c.Facts.TargetSent:
		// Nothing was ever sent, and nothing can be seen: do not touch it.
		return "", steps.Before(err)
	case err == nil:
		c.Facts.Reading = reading
		switch {
		case reading.Server != serial:
			return "", steps.SerialChanged(c.Environment, reading.Server, serial)
		case c.Facts.TargetSent || reading.Role == license.Target:
			// in the set
		case reading.Role == license.Source:
			return "nothingToRestore", nil
		default:
			return "", steps.UnknownLicense(c.Environment, reading)
		}
	}
	backup, err := r.backup(ctx, c, serial)
	if err != nil {
		return "", r.needing(c, err)
	}
	c.Facts.Fetched = environment.Fetched{Digest: backup.Digest, Role: license.Source, Serial: serial}
	if err := r.site.Upload(ctx, c, r.upload(c.Facts)); err != nil {
		return "", r.needing(c, err)
	}
	return "backupUploaded", nil
}

func (r *Runner) upload(f environment.Facts) steps.Upload {
	return steps.Upload{Role: license.Source, Serial: f.Fetched.Serial, Digest: f.Fetched.Digest, Blind: true,
		Shows: func(reading environment.Reading) bool { return reading.Shows(license.Source) }}
}

func (r *Runner) observeRestore(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if c.Facts.Fetched.Digest == "" {
		return machine.NotDone, nil // it had not got as far as choosing a file
	}
	done, err := r.site.ObserveUpload(ctx, c, r.upload(c.Facts))
	if err != nil || !done {
		return machine.NotDone, err
	}
	return "backupUploaded", nil
}

// backup chooses the file to put back: the newest proven one that the
// environment has accepted before, the next one if its copies are damaged, and
// what the vault lists if the journal knows of none.
func (r *Runner) backup(ctx context.Context, c *machine.Call[environment.Facts], serial license.SerialNumber) (environment.Backup, error) {
	f := c.Facts
	if len(f.Backups) == 0 {
		listed, err := r.site.Ports.Vault.List(ctx, serial)
		if err != nil && len(listed) == 0 {
			return environment.Backup{}, steps.Before(fmt.Errorf("listing the backups of %s: %w", printable.Text(c.Environment), err))
		}
		for _, s := range listed {
			f.Backups = append(f.Backups, environment.Backup{Digest: s.Digest, Role: s.Role, Serial: s.Serial, Generation: s.Generation,
				Origin: s.Origin, Copies: s.Copies, Proven: s.Copies > 0})
		}
		c.Facts.Backups = f.Backups
	}
	err := fmt.Errorf("there is no backup of a source license of %s for the serial number %s: %w",
		printable.Text(c.Environment), printable.Text(string(serial)), adapters.ErrBackupNotFound)
	for {
		b, ok := f.Restorable(serial)
		if !ok {
			return b, err
		}
		var getErr error
		if _, getErr = r.site.Ports.Vault.Get(ctx, serial, b.Digest); getErr == nil {
			return b, nil
		}
		if !errors.Is(getErr, adapters.ErrBackupDamaged) && !errors.Is(getErr, adapters.ErrBackupNotFound) {
			return b, steps.Before(getErr)
		}
		err = fmt.Errorf("the backup %s of %s: %w", b.Digest.Short(), printable.Text(c.Environment), getErr)
		rest := f.Backups[:0:0]
		for _, other := range f.Backups {
			if other.Digest != b.Digest {
				rest = append(rest, other)
			}
		}
		f.Backups = rest
	}
}

// needing records what a person must do about the conditions that the effect
// catches.
func (r *Runner) needing(c *machine.Call[environment.Facts], err error) error {
	if condition := adapters.ConditionOf(err); condition != nil {
		for _, caught := range c.Effect.Catch {
			if caught.Condition == condition.Condition() {
				c.Facts.Need = environment.Need{Condition: condition.Condition(), Step: string(c.Effect.Name), Text: printable.Text(err.Error())}
			}
		}
	}
	return err
}

func (r *Runner) confirm(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	reading, shown, err := r.site.Stable(ctx, c.Environment, c.Effect.Settle, func(reading environment.Reading) bool { return reading.Shows(license.Source) })
	if err != nil {
		return "", err
	}
	c.Facts.Reading = reading
	if !shown {
		return "", steps.Foreign(fmt.Sprintf("%s was restored and shows %s now", printable.Text(c.Environment), steps.Shown(reading)))
	}
	c.Facts.TargetSent = false
	return "sourceConfirmed", nil
}

func (r *Runner) testRestored(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if err := r.site.Republish(ctx, c); err != nil {
		return "", r.needing(c, err)
	}
	return "restoredTested", nil
}
