package inbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// maxFiles is how many entries a folder may have: a folder with more is not one
// for license files.
const maxFiles = 1000

// A found file is what lies in the folder under one name.
type found struct {
	shown string // its name, safe to print
	why   string // why it does not fit; empty: it does
	// What it holds, if it fits. Others are not kept in memory: there may be
	// many, and large ones.
	file    license.File
	details license.Details
}

// open opens the folder, if nobody but its owner can write to it.
func open(dir string) (disk.Root, error) {
	shown := disk.Shown(dir)
	refuse := func(problem, command string) (disk.Root, error) {
		return nil, fmt.Errorf("%w: %w", adapters.ErrUnsupported, &disk.RefusedError{Path: dir, Problem: problem, Command: command})
	}
	info, err := disk.OS{}.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no folder %s; run: mkdir -m 700 %[2]s", adapters.ErrUnsupported, shown)
	case err != nil:
		return nil, plain(err)
	case info.Mode&fs.ModeSymlink != 0:
		return refuse("is a symbolic link; name the folder itself", "readlink -f "+shown)
	case !info.Mode.IsDir():
		return refuse("is not a folder", "ls -l "+shown)
	case info.Owner >= 0 && info.Owner != os.Geteuid():
		return refuse(fmt.Sprintf("belongs to another user, %d", info.Owner), fmt.Sprintf("chown %d %s", os.Geteuid(), shown))
	case openToOthers(info):
		return refuse(fmt.Sprintf("has mode %#o, so that other users can write to it", info.Mode.Perm()), "chmod go-w "+shown)
	}
	root, err := disk.OS{}.Open(dir)
	if err != nil {
		return nil, plain(err)
	}
	if now, err := root.Stat(); err != nil || !now.Same(info) {
		return nil, errors.Join(fmt.Errorf("the folder %s was replaced while it was opened", shown), root.Close())
	}
	return root, nil
}

// openToOthers reports whether other users can write. Windows does not say so
// in the mode.
func openToOthers(info disk.Info) bool {
	return runtime.GOOS != "windows" && info.Mode.Perm()&0o022 != 0
}

// list inspects every file in the folder, in the order of their names; unfit
// says why a license is not the one that is looked for.
func list(ctx context.Context, dir string, mask license.Mask, unfit func(license.Details) string) (all []found, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", adapters.ErrNotReached, err)
	}
	root, err := open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	names, err := root.Names()
	switch {
	case err != nil:
		return nil, plain(err)
	case len(names) > maxFiles:
		return nil, fmt.Errorf("%w: the folder %s has %d files, at most %d are looked at; use one for license files only",
			adapters.ErrUnsupported, disk.Shown(dir), len(names), maxFiles)
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", adapters.ErrNotReached, err)
		}
		// A person may name a file after the activation code.
		f := found{shown: `"` + printable.Text(mask.Text(name)) + `"`}
		file, err := load(root, name)
		var details license.Details
		if err == nil {
			details, err = license.Inspect(file)
		}
		if err != nil {
			f.why = reason(err)
		} else if f.why = unfit(details); f.why == "" {
			f.file, f.details = file, details
		}
		all = append(all, f)
	}
	return all, nil
}

// Reasons why a file is of no use, besides those of package license.
var (
	errNotRegular = errors.New("is not a regular file")
	errWritable   = errors.New("can be written to by other users; run chmod go-w on it")
	errChanging   = errors.New("is being written")
)

// load reads a file, and no other than the regular file that has that name:
// no link leads elsewhere, and a pipe in its place is not waited for.
func load(root disk.Root, name string) (file license.File, err error) {
	info, err := root.Lstat(name)
	switch {
	case err != nil:
		return license.File{}, plain(err)
	case !info.Mode.IsRegular():
		return license.File{}, errNotRegular
	case openToOthers(info):
		return license.File{}, errWritable
	case info.Size > license.MaxFileBytes:
		return license.File{}, license.ErrTooLarge
	}
	f, err := root.OpenFile(name, false)
	if err != nil {
		return license.File{}, plain(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if now, err := f.Stat(); err != nil || !now.Same(info) {
		return license.File{}, errChanging
	}
	content, err := io.ReadAll(io.NewSectionReader(f, 0, license.MaxFileBytes+1))
	if err != nil {
		return license.File{}, plain(err)
	}
	if now, err := f.Stat(); err != nil || now.Size != int64(len(content)) {
		return license.File{}, errChanging
	}
	return license.NewFile(content)
}

// reason says why a file is of no use.
func reason(err error) string {
	for _, r := range []struct {
		is   error
		text string
	}{
		{license.ErrEmpty, "is empty, so it is not whole yet"},
		{license.ErrTruncated, "is not whole yet, or was damaged on the way"},
		{errChanging, "is being written, so it is not whole yet"},
		{fs.ErrNotExist, "has gone while it was looked at"},
		{license.ErrTrailing, "goes on after its end: download it again"},
		{license.ErrTooLarge, "is too large for a license file"},
		{license.ErrWebPage, "is a web page, not a license file"},
		{license.ErrOpaque, "cannot be inspected: it is no license file, or one that a person has to vouch for"},
	} {
		if errors.Is(err, r.is) {
			return r.text
		}
	}
	return printable.Text(err.Error())
}

// plain leaves out of an error what may be hostile: the path.
func plain(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", at.Op, at.Err)
	}
	return err
}
