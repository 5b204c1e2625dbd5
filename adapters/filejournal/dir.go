package filejournal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
)

// The files. LOCK is never removed, and nothing else is ever created.
const (
	lockName    = "LOCK"
	journalName = "journal.jsonl"
	headName    = "HEAD"
)

// ErrUnsafe is wrapped when a directory or file is open to others, is not a
// plain file, or belongs to another user. The message has the command that
// puts it right.
var ErrUnsafe = errors.New("the state directory is not safe")

// A File is an open file, as far as the store needs one; *os.File is one.
type File interface {
	// ReadAt reads as io.ReaderAt does.
	ReadAt(p []byte, off int64) (int, error)
	// WriteAt writes as io.WriterAt does.
	WriteAt(p []byte, off int64) (int, error)
	// Truncate cuts the file to size bytes.
	Truncate(size int64) error
	// Sync returns when what was written would survive a power cut. After an
	// error the store does not call it again.
	Sync() error
	// Close closes the file.
	Close() error
}

// A directory is one that was found safe. Nothing outside it is reached
// through it.
type directory struct {
	root *os.Root
	path string
	wrap func(name string, f File) File
}

// openDirectory opens a directory; create says that it may be created, but not
// its parents.
func openDirectory(path string, create bool, wrap func(string, File) File) (*directory, error) {
	if path == "" {
		return nil, errors.New("no directory is named")
	}
	if create {
		switch err := os.Mkdir(path, 0o700); {
		case err == nil:
			if err := os.Chmod(path, 0o700); err != nil { // whatever the umask is
				return nil, err
			}
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	d := &directory{root, path, wrap}
	info, err := root.Stat(".")
	if err == nil {
		err = checkAccess(info, path, 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return d, nil
}

// open opens a file of the directory, with the flags of package os.
func (d *directory) open(name string, flag int) (*os.File, error) {
	for {
		before, err := d.root.Lstat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0:
			f, err := d.root.OpenFile(name, flag|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrExist) {
				continue // another process was faster
			}
			if err != nil {
				return nil, err
			}
			if err := f.Chmod(0o600); err != nil { // whatever the umask is
				return nil, errors.Join(err, f.Close())
			}
			return f, nil
		case err != nil:
			return nil, err
		}
		// Looked at before it is opened, since opening can have an effect.
		if err := d.check(name, before); err != nil {
			return nil, err
		}
		f, err := d.root.OpenFile(name, flag&^os.O_CREATE, 0)
		if err != nil {
			return nil, err
		}
		if after, err := f.Stat(); err != nil || !os.SameFile(before, after) {
			return nil, errors.Join(fmt.Errorf("%w: %s was replaced while it was opened", ErrUnsafe, d.name(name)), err, f.Close())
		}
		return f, nil
	}
}

// openIfThere opens a file that need not be there; nil if it is not.
func (d *directory) openIfThere(name string, flag int) (File, error) {
	f, err := d.open(name, flag)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return d.wrapped(name, f), nil
}

// has reports whether the file of that name is f, still.
func (d *directory) has(name string, f *os.File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := d.root.Lstat(name)
	return err == nil && os.SameFile(mine, there)
}

// check refuses what is no file of ours.
func (d *directory) check(name string, info fs.FileInfo) error {
	path := filepath.Join(d.path, name)
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is no regular file but %s; look at what it is, then: rm %s", ErrUnsafe, shown(path), kindOf(info.Mode()), shown(path))
	}
	return checkAccess(info, path, 0o600)
}

// checkAccess refuses what others can reach.
func checkAccess(info fs.FileInfo, path string, mode fs.FileMode) error {
	if err := checkOwner(info, path); err != nil {
		return err
	}
	if has := info.Mode().Perm(); checksModes && has&^mode != 0 {
		return fmt.Errorf("%w: %s has mode %#o; run: chmod %o %s", ErrUnsafe, shown(path), has, mode, shown(path))
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsDir():
		return "a directory"
	default:
		return "a device, pipe or socket"
	}
}

// sync makes what was created in the directory durable.
func (d *directory) sync() error {
	if !syncsDirectories {
		return nil
	}
	f, err := d.root.Open(".")
	if err != nil {
		return err
	}
	return syncClose(d.wrapped(".", f))
}

// syncParent makes the directory itself durable. A parent that may not be read
// is not ours, and neither is what it contains.
func (d *directory) syncParent() error {
	if !syncsDirectories {
		return nil
	}
	f, err := os.Open(filepath.Dir(filepath.Clean(d.path)))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncClose(d.wrapped("..", f))
}

func syncClose(f File) error { return errors.Join(f.Sync(), f.Close()) }

func (d *directory) wrapped(name string, f *os.File) File {
	if d.wrap == nil {
		return f
	}
	return d.wrap(name, f)
}

// name returns the path of a file, for a message.
func (d *directory) name(file string) string { return shown(filepath.Join(d.path, file)) }

// shown returns a path as a shell takes it, safe to print.
func shown(path string) string {
	elements := strings.Split(path, string(filepath.Separator))
	for i, e := range elements {
		elements[i] = printable.Text(e)
	}
	path = strings.Join(elements, string(filepath.Separator))
	if strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(`/\:._-+@%,=`, r))
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
