package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// OS is the file system of the operating system.
type OS struct{}

var _ FS = OS{}

// Mkdir implements [FS].
func (OS) Mkdir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	return os.Chmod(path, 0o700) // whatever the umask is
}

// Lstat implements [FS].
func (OS) Lstat(path string) (Info, error) { return described(os.Lstat(path)) }

// Open implements [FS].
func (OS) Open(path string) (Root, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &osRoot{root: root}, nil
}

func described(info fs.FileInfo, err error) (Info, error) {
	if err != nil {
		return Info{}, err
	}
	owner, links := ownerAndLinks(info)
	return Info{Mode: info.Mode(), Size: info.Size(), Time: info.ModTime(), Owner: owner, Links: links, System: info}, nil
}

type osRoot struct {
	root   *os.Root
	locked *os.File // the directory, while it is locked
}

func (r *osRoot) Stat() (Info, error) { return described(r.root.Stat(".")) }

func (r *osRoot) Lstat(name string) (Info, error) { return described(r.root.Lstat(name)) }

func (r *osRoot) Names() ([]string, error) {
	entries, err := fs.ReadDir(r.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (r *osRoot) OpenFile(name string, write bool) (File, error) {
	flag := os.O_RDONLY
	if write {
		flag = os.O_RDWR
	}
	return opened(r.root.OpenFile(name, flag|openFlags, 0))
}

func (r *osRoot) CreateNew(name string) (File, error) {
	f, err := r.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Chmod(0o600); err != nil { // whatever the umask is
		return nil, errors.Join(err, f.Close())
	}
	return osFile{f}, nil
}

func opened(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (r *osRoot) Link(name, second string) error { return r.root.Link(name, second) }

func (r *osRoot) Remove(name string) error { return r.root.Remove(name) }

func (r *osRoot) Sync() error {
	if !syncsDirectories {
		return nil
	}
	return synced(r.root.Open("."))
}

func (r *osRoot) SyncParent() error {
	if !syncsDirectories {
		return nil
	}
	err := synced(os.Open(filepath.Dir(r.root.Name())))
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

func synced(f *os.File, err error) error {
	if err != nil {
		return safe(err)
	}
	return errors.Join(f.Sync(), f.Close())
}

func (r *osRoot) Lock() error {
	if !locksDirectories {
		return nil
	}
	f, err := r.root.Open(".")
	if err != nil {
		return err
	}
	if err := tryLock(f); err != nil {
		return errors.Join(err, f.Close())
	}
	r.locked = f
	return nil
}

func (r *osRoot) Close() error {
	if r.locked != nil {
		return errors.Join(r.locked.Close(), r.root.Close())
	}
	return r.root.Close()
}

// osFile is an [os.File] that can be locked.
type osFile struct{ *os.File }

func (f osFile) Stat() (Info, error) {
	info, err := described(f.File.Stat())
	if err == nil && info.Links == 0 {
		info.Links, err = linksOf(f.File)
	}
	return info, err
}

func (f osFile) Lock() error { return tryLock(f.File) }

// Inherited returns the file of the operating system behind f, which a child
// process can inherit; nil if there is none.
func Inherited(f File) *os.File {
	if f, ok := f.(osFile); ok {
		return f.File
	}
	return nil
}
