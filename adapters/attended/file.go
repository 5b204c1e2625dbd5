package attended

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// load reads the license file at a path that a person typed. Its errors are
// told to the person, and do not repeat the path.
func load(path string) (license.File, fs.FileInfo, error) {
	if n := len(path); n > 1 && (path[0] == '"' || path[0] == '\'') && path[n-1] == path[0] {
		path = path[1 : n-1] // as a terminal writes a file that is dropped on it
	}
	info, err := os.Stat(path)
	if err != nil {
		return license.File{}, nil, reason(err)
	}
	if !info.Mode().IsRegular() {
		return license.File{}, nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return license.File{}, nil, reason(err)
	}
	content, err := io.ReadAll(io.LimitReader(f, license.MaxFileBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return license.File{}, nil, reason(err)
	}
	file, err := license.NewFile(content)
	return file, info, err
}

// reason leaves out of an error what the person knows and what may be hostile:
// the path.
func reason(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no such file")
	}
	return err
}

// existing takes the path of a license file.
func existing(into *license.File) func(string) error {
	return func(path string) (err error) {
		*into, _, err = load(path)
		return err
	}
}

// issued takes the path of a license file for that serial number under that
// code, either of which may be empty. A file that says it is another one is
// taken when its path is typed twice: how it says so is not documented.
func issued(into *license.File, c license.ActivationCode, serial license.SerialNumber) func(string) error {
	sure := insist()
	return func(path string) error {
		file, _, err := load(path)
		if err != nil {
			return err
		}
		*into = file
		details, err := license.Inspect(file)
		switch {
		case errors.Is(err, license.ErrOpaque):
			return nil
		case err != nil:
			return err
		case serial != "" && details.Serial != serial:
			return sure(path, "the file is for the serial number "+serialOf(details.Serial))
		case !c.IsZero() && details.Code != c:
			return sure(path, "the file is for the activation code "+details.Code.String())
		}
		return nil
	}
}

// handOver lays the file out for an upload and returns its path. Nothing is
// ever replaced: the same file lies under the same name already.
func (d *Desk) handOver(env environment.Environment, file license.File) (string, error) {
	switch {
	case file.IsZero():
		return "", errors.New("there is no file to hand over")
	case d.opts.Dir == "":
		return "", fmt.Errorf("%w: there is no directory in which to hand over the file (Options.Dir)", adapters.ErrUnsupported)
	}
	path, err := layOut(d.opts.Dir, env.Key()+"-"+string(file.Digest()[:16])+".lic", file)
	if err != nil {
		// The person has not been asked for anything yet.
		return "", fmt.Errorf("%w: handing over the file in %s: %w", adapters.ErrNotReached, printable.Whole(d.opts.Dir), err)
	}
	return path, nil
}

func layOut(dir, name string, file license.File) (path string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", reason(err)
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return "", reason(err)
	case !info.IsDir():
		return "", errors.New("it is not a directory")
	case openToOthers(info):
		return "", fmt.Errorf("other users can enter it (mode %04o); run: chmod 700 -- '%s'", info.Mode().Perm(), strings.ReplaceAll(printable.Whole(dir), "'", `'\''`))
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", reason(err)
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return filepath.Join(dir, name), sameFile(root, name, file)
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(file.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, root.Remove(name))
	}
	return filepath.Join(dir, name), nil
}

// sameFile checks that what lies there is the file, and closed to others.
func sameFile(root *os.Root, name string, file license.File) error {
	inTheWay := func(why string) error {
		return fmt.Errorf("%s %s; move it away", name, why)
	}
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return inTheWay("is not a regular file")
	case openToOthers(info):
		return inTheWay("is open to other users")
	case info.Size() != int64(file.Size()):
		return inTheWay("is not the file that was laid out")
	}
	content, err := root.ReadFile(name)
	if err != nil {
		return err
	}
	if found, err := license.NewFile(content); err != nil || found.Digest() != file.Digest() {
		return inTheWay("is not the file that was laid out")
	}
	return nil
}

// openToOthers reports whether other users may use a file. Windows does not say so in
// the mode.
func openToOthers(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}
