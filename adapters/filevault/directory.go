package filevault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A RefusedError says why a file or directory is not trusted: others than the
// owner could have changed it, or could read it. It is never put right
// silently.
type RefusedError struct {
	Path    string
	Problem string // for example "other users may read it (mode 0644)"
	Command string // what to run after having looked at it
}

// Error says what is wrong and what to run.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("refused: %s %s; look at it, then run: %s", printable.Whole(e.Path), e.Problem, e.Command)
}

// errDamaged marks content that is not what was written: reading it again will
// not help.
var errDamaged = errors.New("damaged")

// A directory holds one copy of the vault.
type directory struct {
	path   string // absolute
	root   *os.Root
	info   fs.FileInfo
	around func(op, path string, do func() error) error
	// unsynced is the first failure to sync the directory. Nothing is stored
	// after it: a later sync that succeeds would prove nothing
	// (reliability.md, finding 4).
	unsynced error
}

func openDirectory(path string, around func(op, path string, do func() error) error) (*directory, error) {
	if around == nil {
		around = func(_, _ string, do func() error) error { return do() }
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &directory{path: path, around: around}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := d.do("mkdir", "", func() error { return os.Mkdir(path, 0o700) }); err != nil {
			return nil, printableError(err)
		}
	}
	if d.info, err = os.Lstat(path); err != nil {
		return nil, printableError(err)
	}
	if err := checkDirectory(path, d.info); err != nil {
		return nil, err
	}
	if d.root, err = os.OpenRoot(path); err != nil {
		return nil, printableError(err)
	}
	if err := d.settle(); err != nil {
		return nil, errors.Join(err, d.root.Close())
	}
	return d, nil
}

// settle makes sure that the directory is the one that was checked, and that
// it lasts: one that is empty may have been created a moment ago, by a process
// that did not live to sync its parent.
func (d *directory) settle() error {
	info, err := d.root.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(info, d.info) {
		return fmt.Errorf("%s was replaced while it was opened", printable.Whole(d.path))
	}
	entries, err := d.entries()
	if err != nil || len(entries) > 0 {
		return err
	}
	return d.do("sync parent", "", func() error {
		parent, err := os.OpenRoot(filepath.Dir(d.path))
		if err != nil {
			return printableError(err)
		}
		return errors.Join(syncDirectory(parent), parent.Close())
	})
}

// printableError makes the path in an error safe to print.
func printableError(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: at.Op, Path: printable.Whole(at.Path), Err: at.Err}
	}
	return err
}

func checkDirectory(path string, info fs.FileInfo) error {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return &RefusedError{path, "is a symbolic link; name the directory itself", "readlink -f -- " + quote(path)}
	case !info.IsDir():
		return &RefusedError{path, "is not a directory", aside(path)}
	case !ownedByUs(info):
		return &RefusedError{path, "belongs to another user", `chown -- "$(id -u)" ` + quote(path)}
	case loose(info, 0o700):
		return &RefusedError{path, fmt.Sprintf("can be entered by other users (mode %04o)", info.Mode().Perm()), "chmod 700 -- " + quote(path)}
	}
	return nil
}

// do passes an operation through the seam for tests.
func (d *directory) do(op, name string, f func() error) error {
	return d.around(op, filepath.Join(d.path, name), f)
}

// names lists the vault's files for a serial number, in the order of their
// generations.
func (d *directory) names(serial string) ([]name, error) {
	entries, err := d.entries()
	var names []name
	for _, e := range entries {
		if n, ok := parseName(e.Name()); ok && n.serial == serial {
			names = append(names, n)
		}
	}
	return names, err
}

// entries lists the directory, sorted by name.
func (d *directory) entries() (entries []fs.DirEntry, err error) {
	err = d.do("list", "", func() (err error) {
		entries, err = fs.ReadDir(d.root.FS(), ".")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable.Whole(d.path), err)
	}
	return entries, nil
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
		return manifest{}, fmt.Errorf("%w: %w: %s: %w", ErrManifest, errDamaged, printable.Whole(filepath.Join(d.path, n.manifest())), err)
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
		return nil, fmt.Errorf("%w: %s: the bytes have another digest", errDamaged, printable.Whole(filepath.Join(d.path, n.bytes())))
	}
	return b, nil
}

// checkBytes reports whether the bytes with that name are whole.
func (d *directory) checkBytes(n name) error {
	_, err := d.readBytes(n)
	return err
}

// read returns the content of a file that is regular, ours, closed to others,
// known by no other name, and not larger than limit.
func (d *directory) read(name string, limit int64) (b []byte, err error) {
	err = d.do("read", name, func() (err error) {
		path := filepath.Join(d.path, name)
		f, info, err := d.open(name)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		if info.Size() > limit {
			return fmt.Errorf("%w: %s: %d bytes, at most %d are read", errDamaged, printable.Whole(path), info.Size(), limit)
		}
		// It may grow while it is read.
		if b, err = io.ReadAll(io.LimitReader(f, limit+1)); err == nil && int64(len(b)) > limit {
			err = fmt.Errorf("%w: %s: more than %d bytes", errDamaged, printable.Whole(path), limit)
		}
		return err
	})
	return b, err
}

// open opens a file for reading and checks that it can be trusted.
func (d *directory) open(name string) (*os.File, fs.FileInfo, error) {
	path := filepath.Join(d.path, name)
	seen, err := d.root.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !seen.Mode().IsRegular() {
		return nil, nil, &RefusedError{path, "is not a regular file (" + seen.Mode().Type().String() + ")", aside(path)}
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = d.check(f, path, seen, info)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

func (d *directory) check(f *os.File, path string, seen, info fs.FileInfo) error {
	links, err := countLinks(f)
	switch {
	case err != nil:
		return err
	case !os.SameFile(seen, info):
		return fmt.Errorf("%s was replaced while it was opened", printable.Whole(path))
	case !ownedByUs(info):
		return &RefusedError{path, "belongs to another user", `chown -- "$(id -u)" ` + quote(path)}
	case loose(info, 0o600):
		return &RefusedError{path, fmt.Sprintf("is open to other users (mode %04o)", info.Mode().Perm()), "chmod 600 -- " + quote(path)}
	case links > 2 || links == 2 && !d.linked(info, isTemp) && !isTemp(filepath.Base(path)):
		return &RefusedError{path, "has another name, through which it can be changed",
			fmt.Sprintf("cp -p -- %s %s && mv -- %[2]s %[1]s", quote(path), quote(path+".copy"))}
	}
	return nil
}

// linked reports whether one of the directory's files that is called so is the
// file that info describes.
func (d *directory) linked(info fs.FileInfo, called func(string) bool) bool {
	entries, err := d.entries()
	if err != nil {
		return false
	}
	for _, e := range entries {
		if other, err := d.root.Lstat(e.Name()); err == nil && called(e.Name()) && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// store stores content under a name that is new, or has that content already.
func (d *directory) store(name string, content []byte) (err error) {
	if d.unsynced != nil {
		return fmt.Errorf("%s takes nothing more until the vault is opened again: %w", printable.Whole(d.path), d.unsynced)
	}
	if _, err := d.root.Lstat(name); err == nil {
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
	if err := d.do("link", name, func() error { return d.root.Link(temp, name) }); err != nil {
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
	var f *os.File
	err := d.do("create", temp, func() (err error) {
		f, err = d.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	})
	if f == nil {
		return err
	}
	for _, step := range []struct {
		op string
		do func() error
	}{
		{"write", func() error { _, err := f.Write(content); return err }},
		{"sync", f.Sync},
	} {
		if err == nil {
			err = d.do(step.op, temp, step.do)
		}
	}
	return errors.Join(err, d.do("close", temp, f.Close))
}

// compare reads a file back.
func (d *directory) compare(name string, content []byte) error {
	b, err := d.read(name, int64(len(content)))
	if err == nil && sha256.Sum256(b) != sha256.Sum256(content) {
		err = fmt.Errorf("%w: %s: what was read back is not what was written", errDamaged, printable.Whole(filepath.Join(d.path, name)))
	}
	return err
}

// sync makes the directory's names durable.
func (d *directory) sync() error {
	err := d.do("sync directory", "", func() error { return syncDirectory(d.root) })
	if err != nil {
		d.unsynced = fmt.Errorf("%s: %w", printable.Whole(d.path), err)
	}
	return err
}

// removeLeftovers removes the temporary files of a process that died. A file
// that only looks like one is refused.
func (d *directory) removeLeftovers() error {
	entries, err := d.entries()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !isTemp(e.Name()) {
			continue
		}
		f, info, err := d.open(e.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		links, err := countLinks(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		if links == 2 && !d.linked(info, func(s string) bool { _, ok := parseName(s); return ok }) {
			path := filepath.Join(d.path, e.Name())
			return &RefusedError{path, "looks like a temporary file of the vault, but has another name elsewhere", aside(path)}
		}
		if err := errors.Join(d.remove(e.Name()), d.sync()); err != nil {
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
	err := d.do("remove", temp, func() error { return d.root.Remove(temp) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// loose reports whether the mode permits more than allowed.
func loose(info fs.FileInfo, allowed fs.FileMode) bool {
	return modesMatter && info.Mode().Perm()&^allowed != 0
}

// aside is the command that moves something out of the way.
func aside(path string) string {
	return "mv -- " + quote(path) + " " + quote(path+".refused")
}

// quote writes a path for a shell.
func quote(path string) string {
	return "'" + strings.ReplaceAll(printable.Whole(path), "'", `'\''`) + "'"
}
