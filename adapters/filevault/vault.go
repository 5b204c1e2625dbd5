// Package filevault keeps license files in one or more directories: an
// [adapters.BackupVault] for everybody who has a disk, better two. It never
// changes or removes what it keeps, has no method that could, and neither
// retries nor repairs: what is damaged is passed over and reported.
//
// # Layout
//
// A directory holds two files for each backup, side by side:
//
//	<serial>-<generation>-<digest>.lic   the exact bytes of the license file
//	<serial>-<generation>-<digest>.json  the manifest: label, size and time
//
// where serial is the beginning of the SHA-256 of the serial number,
// generation has six digits and digest is the SHA-256 of the bytes. No name
// contains anything that a person chose. The directories are equal: each holds
// a copy of everything, and any of them alone is a vault. Other files in them
// are left alone.
//
// The manifest is one JSON object on one line that ends with the SHA-256 of
// the rest of it; it is read strictly. [Vault.Get] does not need it, since the
// name of the bytes says everything by which they are asked for and checked.
//
// # What stored means
//
// Each file is written to a temporary file with a random name, synced, closed,
// read back, compared, and then linked to its final name, which fails if that
// exists; then the directory is synced, the temporary name removed, and the
// directory synced again (reliability.md B7). The bytes are stored in every
// directory before the first manifest is. So a crash at any point leaves either
// no record, or one whose copies are all whole; bytes without a manifest are
// taken up by the next Put of the same file. A leftover temporary file is
// removed by the next Put, never by opening or reading.
//
// On Windows directories cannot be synced, and owners and modes are not
// checked; the rest is the same.
package filevault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Options may be nil.
type Options struct {
	// Now gives the time that records carry, for people; nil means time.Now.
	Now func() time.Time

	// Disk is for this module's own tests, which put a file system that can
	// fail in the place of the system's. Nil: the system's.
	Disk disk.FS
}

// A Vault is an open vault. It is safe for concurrent use. Other processes may
// read the same directories; one at a time should write to them, but even two
// cannot lose or change a backup.
type Vault struct {
	dirs []*directory
	now  func() time.Time
	turn chan struct{} // holds a token while a Put is at work
}

var (
	_ adapters.BackupVault = (*Vault)(nil)
	_ adapters.Describer   = (*Vault)(nil)
)

// Open opens a vault whose copies are kept in dirs, best on different disks. A
// directory that is missing is created, its parent is not. Open reports what
// is wrong with any of them: a [*RefusedError] for one that other users can
// enter, that belongs to somebody else or is no directory, and an error for
// one that is named twice.
func Open(dirs []string, opts *Options) (*Vault, error) {
	if opts == nil {
		opts = new(Options)
	}
	v := &Vault{now: opts.Now, turn: make(chan struct{}, 1)}
	if v.now == nil {
		v.now = time.Now
	}
	var errs []error
	if len(dirs) == 0 {
		errs = append(errs, errors.New("filevault: no directory is given"))
	}
	for _, path := range dirs {
		d, err := openDirectory(opts.Disk, path)
		if err != nil {
			errs = append(errs, fmt.Errorf("filevault: %w", err))
			continue
		}
		for _, other := range v.dirs {
			if d.Info.Same(other.Info) {
				errs = append(errs, fmt.Errorf("filevault: %s and %s are the same directory; copies in it would count twice", printable.Whole(other.Path), printable.Whole(d.Path)))
			}
		}
		v.dirs = append(v.dirs, d)
	}
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, v.Close())...)
	}
	return v, nil
}

// Close lets go of the directories. Calls after it fail.
func (v *Vault) Close() error {
	var errs []error
	for _, d := range v.dirs {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// Describe implements [adapters.Describer].
func (v *Vault) Describe() string { return fmt.Sprintf("files, copies kept: %d", len(v.dirs)) }

// Put implements [adapters.BackupVault]. It returns nil only when every
// directory holds the file; Stored.Copies is their number. A directory that
// lacks a copy of a stored file, because it is new or because an earlier Put
// did not get that far, is given one. A file of which a stored copy is damaged
// is stored again, as a new generation, since the damaged one is not touched.
func (v *Vault) Put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	stored, err := v.put(ctx, label, file)
	if err != nil {
		return adapters.Stored{}, fmt.Errorf("filevault: storing a backup for serial number %s: %w", printable.Text(string(label.Serial)), err)
	}
	return stored, nil
}

func (v *Vault) put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	if file.IsZero() {
		return adapters.Stored{}, errors.New("there is no file")
	}
	if err := checkLabel(label); err != nil {
		return adapters.Stored{}, err
	}
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return adapters.Stored{}, ctx.Err()
	}
	for _, d := range v.dirs {
		if err := errors.Join(ctx.Err(), d.removeLeftovers()); err != nil {
			return adapters.Stored{}, err
		}
	}
	s, err := v.survey(ctx, label.Serial)
	if err != nil {
		return adapters.Stored{}, err
	}
	for _, m := range slices.Backward(s.manifests) {
		if m.label() != label || m.Digest != file.Digest() {
			continue
		}
		if fits, err := v.fits(ctx, m); err != nil {
			return adapters.Stored{}, err
		} else if fits {
			return v.store(ctx, m, file)
		}
	}
	m := newManifest(label, file, s.last, v.now())
	if m.encode() == "" {
		return adapters.Stored{}, errors.New("the clock shows a time that cannot be written down")
	}
	for fits := false; !fits; {
		m.Generation++
		if m.Generation > maxGeneration {
			return adapters.Stored{}, fmt.Errorf("there are %d generations already", maxGeneration)
		}
		if fits, err = v.fits(ctx, m); err != nil {
			return adapters.Stored{}, err
		}
	}
	return v.store(ctx, m, file)
}

// fits reports whether every directory holds, or can still take, the manifest
// and its bytes: nothing else has their names.
func (v *Vault) fits(ctx context.Context, m manifest) (bool, error) {
	for _, d := range v.dirs {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		errBytes := d.checkBytes(m.name())
		found, errManifest := d.readManifest(m.name())
		for _, err := range []error{errBytes, errManifest} {
			switch {
			case errors.Is(err, errDamaged):
				return false, nil
			case err != nil && !errors.Is(err, fs.ErrNotExist):
				return false, err
			}
		}
		if errManifest == nil && found.encode() != m.encode() {
			return false, nil
		}
	}
	return true, nil
}

// store writes what the directories lack of a manifest and its bytes: the
// bytes everywhere, then the manifest everywhere.
func (v *Vault) store(ctx context.Context, m manifest, file license.File) (adapters.Stored, error) {
	for _, part := range []struct {
		name    string
		content []byte
	}{
		{m.name().bytes(), file.Bytes()},
		{m.name().manifest(), []byte(m.encode())},
	} {
		for _, d := range v.dirs {
			if err := ctx.Err(); err != nil {
				return adapters.Stored{}, err
			}
			if err := d.store(part.name, part.content); err != nil {
				return adapters.Stored{}, err
			}
		}
	}
	return m.stored(len(v.dirs)), nil
}

// Get implements [adapters.BackupVault]. The file may come from any directory
// and any generation.
func (v *Vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	file, err := v.get(ctx, serial, digest)
	if err != nil {
		return license.File{}, fmt.Errorf("filevault: backup %s for serial number %s: %w",
			printable.Text(digest.Short()), printable.Text(string(serial)), err)
	}
	return file, nil
}

func (v *Vault) get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	var damaged, failed []error
	for _, d := range v.dirs {
		if err := ctx.Err(); err != nil {
			return license.File{}, err
		}
		names, err := d.names(hashSerial(serial))
		if err != nil {
			failed = append(failed, err)
		}
		for _, n := range names {
			if n.digest != digest || n.kind != kindBytes {
				continue
			}
			switch b, err := d.readBytes(n); {
			case err == nil:
				return license.NewFile(b)
			case errors.Is(err, errDamaged):
				damaged = append(damaged, err)
			default:
				failed = append(failed, err)
			}
		}
	}
	switch {
	case len(failed) > 0: // a whole copy may be behind it
		return license.File{}, errors.Join(append(failed, damaged...)...)
	case len(damaged) > 0:
		return license.File{}, fmt.Errorf("%w: %w", adapters.ErrBackupDamaged, errors.Join(damaged...))
	}
	return license.File{}, adapters.ErrBackupNotFound
}

// List implements [adapters.BackupVault]. It returns what it can read even
// when the error is not nil: the error then names, one by one, the manifests
// that are damaged ([ErrManifest]), the files that were refused
// ([*RefusedError]) and the directories that could not be read. Two writers at
// the same time may give two records the same generation; both are listed.
func (v *Vault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	s, err := v.survey(ctx, serial)
	if s == nil {
		return nil, fmt.Errorf("filevault: %w", err)
	}
	problems := []error{err}
	problems = append(problems, s.damaged...)
	var records []adapters.Stored
	for _, m := range s.manifests {
		copies := 0
		for _, d := range v.dirs {
			if err := ctx.Err(); err != nil {
				return nil, fmt.Errorf("filevault: %w", err)
			}
			switch err := d.checkBytes(m.name()); {
			case err == nil:
				copies++
			case !errors.Is(err, errDamaged) && !errors.Is(err, fs.ErrNotExist):
				problems = append(problems, err)
			}
		}
		records = append(records, m.stored(copies))
	}
	if err := errors.Join(problems...); err != nil {
		return records, fmt.Errorf("filevault: not everything for serial number %s could be read: %w", printable.Text(string(serial)), err)
	}
	return records, nil
}

// A survey is what the directories hold for one serial number.
type survey struct {
	manifests []manifest // each once, oldest generation first
	last      int        // the highest generation that a manifest has, readable or not
	damaged   []error    // manifests that cannot be read
}

// survey reads the manifests in every directory. After an error that is not
// ctx's it still returns what could be read.
func (v *Vault) survey(ctx context.Context, serial license.SerialNumber) (*survey, error) {
	s := new(survey)
	var failed []error
	seen := map[string]bool{}
	for _, d := range v.dirs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		names, err := d.names(hashSerial(serial))
		if err != nil {
			failed = append(failed, err)
		}
		for _, n := range names {
			if n.kind != kindManifest {
				continue
			}
			s.last = max(s.last, n.generation)
			switch m, err := d.readManifest(n); {
			case errors.Is(err, errDamaged):
				s.damaged = append(s.damaged, err)
			case err != nil:
				failed = append(failed, err)
			case !seen[m.encode()]:
				seen[m.encode()] = true
				s.manifests = append(s.manifests, m)
			}
		}
	}
	slices.SortStableFunc(s.manifests, func(a, b manifest) int { return a.Generation - b.Generation })
	return s, errors.Join(failed...)
}
