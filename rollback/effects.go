package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

func (r *Runner) environmentSteps(sess *engine.Session) map[machine.EffectName]machine.Step[environment.Facts] {
	return map[machine.EffectName]machine.Step[environment.Facts]{
		"restore": {Do: func(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
			return r.restore(ctx, sess, c)
		}, Observe: r.observeRestore},
		"confirm":      {Do: r.confirm},
		"testRestored": {Do: r.testRestored, Observe: steps.RepublishAgain},
	}
}

// restore decides, by what is installed and by what was ever sent, whether the
// source license must be put back, and puts it back (RB2).
func (r *Runner) restore(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	helped := c.Facts.Need.Evidence != "" // somebody has acted since the last attempt
	if helped {
		c.Facts.SetNote(steps.Unaccounted, "restore")
	}
	if err := r.site.Account(ctx, c); err != nil {
		return "", err
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
		case helped && reading.Shows(license.Source):
			// The source license was put back by hand. A backup that Service
			// Center turns down, or that does not exist, must not keep the
			// environment from being back; it is confirmed and tested as any.
			return "backupUploaded", nil
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
		return "", needing(c, err)
	}
	if !c.Facts.TargetSent {
		// Somebody else has sent the target license. Once it is replaced nothing
		// shows that any more; what is put back is confirmed and tested all the
		// same.
		c.Facts.TargetSent = true
		if err := engine.Note(sess, c.Environment, func(f *environment.Facts) { f.TargetSent = true }); err != nil {
			return "", err
		}
		if err := sess.Flush(ctx); err != nil {
			return "", err
		}
	}
	c.Facts.Fetched = environment.Fetched{Digest: backup.Digest, Role: license.Source, Serial: serial}
	if err := r.site.Upload(ctx, c, r.upload(c.Facts)); err != nil {
		return "", needing(c, err)
	}
	return "backupUploaded", nil
}

func (r *Runner) upload(f environment.Facts) steps.Upload {
	return steps.Upload{Role: license.Source, Serial: f.Fetched.Serial, Digest: f.Fetched.Digest,
		Shows: func(reading environment.Reading) bool { return reading.Shows(license.Source) }}
}

func (r *Runner) observeRestore(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	// Which file was chosen is on record only with the end of the call. It does
	// not matter: the source license for this server shows, or it does not.
	u := r.upload(c.Facts)
	u.Serial = r.site.Env(c.Environment).Serial
	done, err := r.site.ObserveUpload(ctx, c, u)
	switch {
	case err != nil || !done:
		return machine.NotDone, err
	case !c.Facts.TargetSent:
		return "nothingToRestore", nil // neither the run nor the way back has sent anything
	}
	return "backupUploaded", nil
}

// backup chooses the file to put back: the newest proven one that the
// environment has accepted before, the next one if its copies are damaged, and
// what else the vault has if the journal knows of none that is whole.
func (r *Runner) backup(ctx context.Context, c *machine.Call[environment.Facts], serial license.SerialNumber) (environment.Backup, error) {
	none := fmt.Errorf("there is no backup of a source license of %s for the serial number %s: %w",
		printable.Text(c.Environment), printable.Text(string(serial)), adapters.ErrBackupNotFound)
	left, listed := slices.Clone(c.Facts.Backups), false
	for {
		b, ok := environment.Facts{Backups: left}.Restorable(serial)
		switch {
		case ok:
		case listed:
			return b, none
		default:
			var err error
			if left, err = r.unknown(ctx, c, serial); err != nil {
				return b, steps.Before(err)
			}
			listed = true
			continue
		}
		_, err := r.site.Ports.Vault.Get(ctx, serial, b.Digest)
		if err == nil {
			return b, nil
		}
		if !damaged(err) {
			return b, steps.Before(err)
		}
		none = fmt.Errorf("the backup %s of %s: %w", b.Digest.Short(), printable.Text(c.Environment), err)
		left = slices.DeleteFunc(left, func(other environment.Backup) bool { return other.Digest == b.Digest })
	}
}

// unknown returns, and adds to the facts, the source licenses that the vault
// has for the serial number and the journal does not know of. Their labels are
// not enough: another run may have called another code its source.
func (r *Runner) unknown(ctx context.Context, c *machine.Call[environment.Facts], serial license.SerialNumber) ([]environment.Backup, error) {
	stored, err := r.site.Ports.Vault.List(ctx, serial)
	if err != nil && len(stored) == 0 {
		return nil, fmt.Errorf("listing the backups of %s: %w", printable.Text(c.Environment), err)
	}
	var found []environment.Backup
	for _, s := range stored {
		if slices.ContainsFunc(c.Facts.Backups, func(b environment.Backup) bool { return b.Digest == s.Digest && b.Serial == s.Serial }) {
			continue
		}
		file, err := r.site.Ports.Vault.Get(ctx, serial, s.Digest)
		switch {
		case damaged(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("reading a backup of %s: %w", printable.Text(c.Environment), err)
		}
		details, err := license.Inspect(file)
		if err != nil || r.site.Role(details.Code) != license.Source || details.Serial != serial {
			continue
		}
		found = append(found, environment.Backup{Digest: s.Digest, Role: license.Source, Serial: serial, Generation: s.Generation,
			Origin: s.Origin, Copies: s.Copies, Proven: s.Copies > 0})
	}
	c.Facts.Backups = slices.Concat(c.Facts.Backups, found)
	return found, nil
}

func damaged(err error) bool {
	return errors.Is(err, adapters.ErrBackupDamaged) || errors.Is(err, adapters.ErrBackupNotFound)
}

// need records what a person must do.
func need(c *machine.Call[environment.Facts], condition, text string) {
	c.Facts.Need = environment.Need{Condition: condition, Step: string(c.Effect.Name), Text: printable.Whole(text)}
}

// needing records the need for the condition of err, if the effect catches it.
func needing(c *machine.Call[environment.Facts], err error) error {
	if condition := steps.Caught(c.Effect, err); condition != "" {
		need(c, condition, err.Error())
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
		// The next attempt begins with looking and, if need be, restoring again;
		// but somebody should know first what keeps undoing it.
		need(c, "sourceNotShown", fmt.Sprintf("%s was restored and shows %s now", printable.Text(c.Environment), steps.Shown(reading)))
		return "sourceNotShown", nil
	}
	c.Facts.TargetSent = false
	return "sourceConfirmed", nil
}

func (r *Runner) testRestored(ctx context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	if err := r.site.Republish(ctx, c); err != nil {
		return "", needing(c, err)
	}
	return "restoredTested", nil
}
