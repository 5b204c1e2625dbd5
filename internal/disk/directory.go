package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
)

// ErrUnsafe is wrapped when a directory or file is open to others, is not what
// it should be, or belongs to another user.
var ErrUnsafe = errors.New("not safe from others")

// A RefusedError says why a file or directory is not trusted: others than the
// owner could have changed it, or could read it. It is never put right
// silently. It wraps [ErrUnsafe].
type RefusedError struct {
	Path    string
	Problem string // for example "has mode 0644, so that other users can read it"
	Command string // what to run after having looked at it
}

// Error says what is wrong and what to run.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v: %s %s; look at it, then run: %s", ErrUnsafe, Shown(e.Path), e.Problem, e.Command)
}

// Unwrap returns [ErrUnsafe].
func (e *RefusedError) Unwrap() error { return ErrUnsafe }

// A Directory is an open directory that was found safe, and opens no file that
// is not.
type Directory struct {
	Root
	Path string // absolute
	Info Info
	// Twice reports whether a file that has two names may have them; nil: none
	// may. Who has the other name could change the file.
	Twice func(name string, info Info) bool
}

// Open opens a directory of a file system; nil stands for [OS]. With create it
// creates the directory, but not its parent, if there is none.
func Open(fsys FS, path string, create bool) (*Directory, error) {
	if fsys == nil {
		fsys = OS{}
	}
	if path == "" {
		return nil, errors.New("no directory is named")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &Directory{Path: path}
	d.Info, err = fsys.Lstat(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err := fsys.Mkdir(path); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, safe(err)
		}
		d.Info, err = fsys.Lstat(path)
	}
	switch {
	case err != nil:
		return nil, safe(err)
	case d.Info.Mode&fs.ModeSymlink != 0:
		return nil, &RefusedError{path, "is a symbolic link; name the directory itself", "readlink -f " + Shown(path)}
	case !d.Info.Mode.IsDir():
		return nil, &RefusedError{path, "is not a directory", Aside(path)}
	}
	if err := checkAccess(d.Info, path, 0o700); err != nil {
		return nil, err
	}
	if d.Root, err = fsys.Open(path); err != nil {
		return nil, safe(err)
	}
	if info, err := d.Root.Stat(); err != nil || !info.Same(d.Info) {
		return nil, errors.Join(d.replaced(""), err, d.Close())
	}
	return d, nil
}

// safe makes the path in an error safe to print.
func safe(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: at.Op, Path: printable.Whole(at.Path), Err: at.Err}
	}
	return err
}

// Name returns the path of a file, for a message.
func (d *Directory) Name(file string) string { return Shown(filepath.Join(d.Path, file)) }

func (d *Directory) replaced(name string) error {
	return fmt.Errorf("%w: %s was replaced while it was opened", ErrUnsafe, d.Name(name))
}

// OpenFile implements [Root]. It refuses what is no file of ours.
func (d *Directory) OpenFile(name string, write bool) (File, error) {
	// Looked at before it is opened, since opening can have an effect.
	path := filepath.Join(d.Path, name)
	before, err := d.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case !before.Mode.IsRegular():
		return nil, &RefusedError{path, "is not a regular file but " + kindOf(before.Mode), Aside(path)}
	}
	f, err := d.Root.OpenFile(name, write)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Same(before):
		err = d.replaced(name)
	default:
		err = checkAccess(info, path, 0o600)
		if err == nil && info.Links > 1 && (info.Links > 2 || d.Twice == nil || !d.Twice(name, info)) {
			err = &RefusedError{path, fmt.Sprintf("has %d names, and who has another one can change it", info.Links),
				fmt.Sprintf("cp -p %s %s && mv %[2]s %[1]s", Shown(path), Shown(path+".copy"))}
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// OpenOrCreate opens a file for reading and writing, and creates it if there
// is none.
func (d *Directory) OpenOrCreate(name string) (File, error) {
	for {
		f, err := d.OpenFile(name, true)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		// Another process may be faster.
		if f, err = d.CreateNew(name); !errors.Is(err, fs.ErrExist) {
			return f, err
		}
		if _, err := d.Lstat(name); err != nil {
			return nil, err
		}
	}
}

// OpenIfThere opens a file that need not be there; nil if it is not.
func (d *Directory) OpenIfThere(name string, write bool) (File, error) {
	f, err := d.OpenFile(name, write)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

// Has reports whether the file of that name is f, still.
func (d *Directory) Has(name string, f File) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := d.Lstat(name)
	return err == nil && there.Same(mine)
}

// checkAccess refuses what others can reach.
func checkAccess(info Info, path string, mode fs.FileMode) error {
	if me := user(); info.Owner >= 0 && info.Owner != me {
		return &RefusedError{path, fmt.Sprintf("belongs to another user: to %d, this process is of %d", info.Owner, me), fmt.Sprintf("chown %d %s", me, Shown(path))}
	}
	if has := info.Mode.Perm(); modesMatter && has&^mode != 0 {
		return &RefusedError{path, fmt.Sprintf("has mode %#o, which is open to other users or to execution", has), fmt.Sprintf("chmod %o %s", mode, Shown(path))}
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

// Aside is the command that moves something out of the way.
func Aside(path string) string { return "mv " + Shown(path) + " " + Shown(path+".refused") }

// Shown returns a path as a shell takes it, safe to print.
func Shown(path string) string {
	path = printable.Whole(path)
	if path == "" || strings.HasPrefix(path, "-") || strings.ContainsFunc(path, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(`/\:._-+@%,=`, r))
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}

// WriteAll writes the whole of b at a place of f.
func WriteAll(f io.WriterAt, b []byte, at int64) error {
	n, err := f.WriteAt(b, at)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
