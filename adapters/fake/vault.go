package fake

import (
	"context"
	"errors"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// copies is how often the vault keeps every file.
const copies = 2

// backup is a record of the vault and its file. Only the number of whole
// copies ever changes.
type backup struct {
	Record adapters.Stored `json:"record"`
	File   plainFile       `json:"file"`
}

// vault is the world's [adapters.BackupVault].
type vault struct{ facet }

var _ adapters.BackupVault = vault{}

// Put implements [adapters.BackupVault]. A file of which a copy was damaged is
// stored anew, as a further generation.
func (v vault) Put(ctx context.Context, label adapters.Label, file license.File) (stored adapters.Stored, err error) {
	c := Call{"BackupVault", "Put", label.Environment}
	err = v.call(ctx, c, func(w *World) error {
		if file.IsZero() || label.Serial == "" {
			return errors.New(printable.Text(label.Environment) + ": a backup needs a file and a serial number")
		}
		generation := 1
		for _, b := range w.s.Backups {
			if b.Record.Serial != label.Serial {
				continue
			}
			if b.Record.Label == label && b.Record.Digest == file.Digest() && b.Record.Copies == copies {
				stored = b.Record
				return nil
			}
			generation = b.Record.Generation + 1
		}
		w.changed(c, license.ActivationCode{}, file.Digest())
		stored = adapters.Stored{Label: label, Digest: file.Digest(), Generation: generation, Copies: copies, At: w.now()}
		w.s.Backups = append(w.s.Backups, backup{stored, plainFile{File: file}})
		return nil
	})
	return stored, err
}

// Get implements [adapters.BackupVault].
func (v vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (file license.File, err error) {
	err = v.call(ctx, Call{"BackupVault", "Get", ""}, func(w *World) error {
		condition := adapters.ErrBackupNotFound
		for _, b := range w.s.Backups {
			if b.Record.Serial != serial || b.Record.Digest != digest {
				continue
			}
			if b.Record.Copies > 0 {
				file = b.File.File
				return nil
			}
			condition = adapters.ErrBackupDamaged
		}
		return refused(string(serial), condition, "sha256 "+digest.Short())
	})
	return file, err
}

// List implements [adapters.BackupVault].
func (v vault) List(ctx context.Context, serial license.SerialNumber) (list []adapters.Stored, err error) {
	err = v.call(ctx, Call{"BackupVault", "List", ""}, func(w *World) error {
		for _, b := range w.s.Backups {
			if b.Record.Serial == serial {
				list = append(list, b.Record)
			}
		}
		return nil
	})
	return list, err
}
