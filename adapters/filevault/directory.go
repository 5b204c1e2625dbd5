package filevault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A RefusedError says why a file or directory is not trusted: others than the
// owner could have changed it, or could read it. It is never put right
// silently.
type RefusedError = disk.RefusedError

// errDamaged marks content that is not what was written: reading it again will
// not help.
var errDamaged = errors.New("damaged")

// A directory holds one copy of the vault.
type directory struct {
	*disk.Directory
	// unsynced is the first failure to sync the directory. Nothing is stored
	// after it: a later sync that succeeds would prove nothing
	// (reliability.md, finding 4).
	unsynced error
}

// openDirectory makes sure that the directory lasts: one that is empty may have
// been created a moment ago, by a process that did not live to sync its parent.
func openDirectory(fsys disk.FS, path string) (*directory, error) {
	safe, err := disk.Open(fsys, path, true)
	if err != nil {
		return nil, err
	}
	d := &directory{Directory: safe}
	safe.Twice = d.twice
	names, err := d.list()
	if err == nil && len(names) == 0 {
		err = d.SyncParent()
	}
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// path returns where a file is, for a message.
func (d *directory) path(name string) string { return printable.Whole(filepath.Join(d.Path, name)) }

// names lists the vault's files for a serial number, in the order of their
// generations.
func (d *directory) names(serial string) ([]name, error) {
	all, err := d.list()
	var names []name
	for _, s := range all {
		if n, ok := parseName(s); ok && n.serial == serial {
			names = append(names, n)
		}
	}
	return names, err
}

// list lists the directory, sorted by name.
func (d *directory) list() ([]string, error) {
	names, err := d.Names()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable.Whole(d.Path), err)
	}
	return names, nil
}

// readManifest returns the manifest with that name.
func (d *directory) readManifest(n name) (manifest, error) {
	b, err := d.read(n.manifest(), maxManifestBytes)
	if err != nil {
		if errors.Is(err, errDamaged) {
			err = fmt.Errorf("%w: %w", ErrManifest, err)
		}
		return manifest{}, err
	}
	m, err := decodeManifest(b)
	if err == nil && m.name().base() != n.base() {
		err = errors.New("it belongs to another backup")
	}
	if err != nil {
		return manifest{}, fmt.Errorf("%w: %w: %s: %w", ErrManifest, errDamaged, d.path(n.manifest()), err)
	}
	return m, nil
}

// readBytes returns the bytes with that name; they have its digest.
func (d *directory) readBytes(n name) ([]byte, error) {
	b, err := d.read(n.bytes(), license.MaxFileBytes)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != string(n.digest) {
		return nil, fmt.Errorf("%w: %s: the bytes have another digest", errDamaged, d.path(n.bytes()))
	}
	return b, nil
}

// checkBytes reports whether the bytes with that name are whole.
func (d *directory) checkBytes(n name) error {
	_, err := d.readBytes(n)
	return err
}

// read returns the content of a file that is safe and not larger than limit.
func (d *directory) read(name string, limit int64) (b []byte, err error) {
	f, err := d.OpenFile(name, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size > limit {
		return nil, fmt.Errorf("%w: %s: %d bytes, at most %d are read", errDamaged, d.path(name), info.Size, limit)
	}
	// It may grow while it is read.
	if b, err = io.ReadAll(io.NewSectionReader(f, 0, limit+1)); err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%w: %s: more than %d bytes", errDamaged, d.path(name), limit)
	}
	return b, err
}

// twice permits the second name that a crash leaves behind: that of the
// temporary file.
func (d *directory) twice(name string, info disk.Info) bool {
	return isTemp(name) || d.linked(info, isTemp)
}

// linked reports whether one of the directory's files that is called so is the
// file that info describes.
func (d *directory) linked(info disk.Info, called func(string) bool) bool {
	names, err := d.list()
	return err == nil && slices.ContainsFunc(names, func(name string) bool {
		other, err := d.Lstat(name)
		return err == nil && called(name) && other.Same(info)
	})
}

// store stores content under a name that is new, or has that content already.
func (d *directory) store(name string, content []byte) (err error) {
	if d.unsynced != nil {
		return fmt.Errorf("%s takes nothing more until the vault is opened again: %w", printable.Whole(d.Path), d.unsynced)
	}
	if _, err := d.Lstat(name); err == nil {
		// Another process may have put it there, or an earlier call that was
		// never answered.
		return errors.Join(d.compare(name, content), d.sync())
	}
	temp := newTemp()
	if err := d.write(temp, content); err != nil {
		return errors.Join(err, d.remove(temp))
	}
	if err := d.compare(temp, content); err != nil {
		return errors.Join(err, d.remove(temp))
	}
	if err := d.Link(temp, name); err != nil {
		return errors.Join(err, d.remove(temp))
	}
	if err := d.sync(); err != nil {
		return err
	}
	if err := d.remove(temp); err != nil {
		return err
	}
	return d.sync()
}

// write writes a new temporary file and syncs it.
func (d *directory) write(temp string, content []byte) error {
	f, err := d.CreateNew(temp)
	if err != nil {
		return err
	}
	if err = disk.WriteAll(f, content, 0); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// compare reads a file back.
func (d *directory) compare(name string, content []byte) error {
	b, err := d.read(name, int64(len(content)))
	if err == nil && sha256.Sum256(b) != sha256.Sum256(content) {
		err = fmt.Errorf("%w: %s: what was read back is not what was written", errDamaged, d.path(name))
	}
	return err
}

// sync makes the directory's names durable.
func (d *directory) sync() error {
	err := d.Sync()
	if err != nil {
		d.unsynced = fmt.Errorf("%s: %w", printable.Whole(d.Path), err)
	}
	return err
}

// removeLeftovers removes the temporary files of a process that died. A file
// that only looks like one is refused.
func (d *directory) removeLeftovers() error {
	names, err := d.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isTemp(name) {
			continue
		}
		f, err := d.OpenFile(name, false)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if info.Links == 2 && !d.linked(info, func(s string) bool { _, ok := parseName(s); return ok }) {
			path := filepath.Join(d.Path, name)
			return &RefusedError{Path: path, Problem: "looks like a temporary file of the vault, but has another name elsewhere", Command: disk.Aside(path)}
		}
		if err := errors.Join(d.remove(name), d.sync()); err != nil {
			return err
		}
	}
	return nil
}

const tempPrefix = "tmp-"

// newTemp returns a name that nobody can predict.
func newTemp() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return tempPrefix + hex.EncodeToString(b[:])
}

func isTemp(name string) bool {
	digits, ok := strings.CutPrefix(name, tempPrefix)
	return ok && isHex(digits, 32)
}

// remove is the only place that removes anything, and it removes nothing but
// temporary names.
func (d *directory) remove(temp string) error {
	if !isTemp(temp) {
		return fmt.Errorf("%s is not a temporary file", printable.Whole(temp))
	}
	err := d.Remove(temp)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
