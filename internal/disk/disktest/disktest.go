// Package disktest puts a test between a program and its files: [Through]
// hands every operation to a function, which may watch it, fail it, do it by
// half, or leave it out. It is for the tests of this module, and is not a model
// of a power cut; internal/reliability/crashdisk is.
package disktest

import (
	"path/filepath"

	"github.com/changeover-go/changeover/internal/disk"
)

// An Op is one operation.
type Op struct {
	Kind string // mkdir, open, list, create, link, remove, sync directory, sync parent, read, write, truncate, sync or close
	Path string // of the file or directory; of link, the new name
	Len  int    // of write: the bytes to write; fewer than given are written when it is lowered
	At   int64  // of write: the place; of truncate: the new size
}

// An Around is called for an operation and passes it on to do, or not.
type Around = func(op *Op, do func() error) error

// Through returns a file system that hands every operation on fsys to around,
// but for those that describe files.
func Through(fsys disk.FS, around Around) disk.FS { return through{fsys, around} }

// On is [Through] the system's file system.
func On(around Around) disk.FS { return Through(disk.OS{}, around) }

// Unsynced is the system's file system without the syncs: for tests that open
// thousands of directories and do not ask what survives.
func Unsynced() disk.FS {
	return On(func(op *Op, do func() error) error {
		if op.Syncs() {
			return nil
		}
		return do()
	})
}

// Syncs reports whether the operation waits for the disk.
func (o *Op) Syncs() bool {
	return o.Kind == "sync" || o.Kind == "sync directory" || o.Kind == "sync parent"
}

type through struct {
	disk.FS
	around Around
}

func (t through) Mkdir(path string) error {
	return t.around(&Op{Kind: "mkdir", Path: path}, func() error { return t.FS.Mkdir(path) })
}

func (t through) Open(path string) (disk.Root, error) {
	r, err := t.FS.Open(path)
	if err != nil {
		return nil, err
	}
	return root{r, path, t.around}, nil
}

type root struct {
	disk.Root
	path   string
	around Around
}

func (r root) op(kind, name string) *Op { return &Op{Kind: kind, Path: filepath.Join(r.path, name)} }

func (r root) Names() (names []string, err error) {
	err = r.around(r.op("list", ""), func() (err error) { names, err = r.Root.Names(); return err })
	return names, err
}

func (r root) OpenFile(name string, write bool) (disk.File, error) {
	return r.file("open", name, func() (disk.File, error) { return r.Root.OpenFile(name, write) })
}

func (r root) CreateNew(name string) (disk.File, error) {
	return r.file("create", name, func() (disk.File, error) { return r.Root.CreateNew(name) })
}

func (r root) file(kind, name string, open func() (disk.File, error)) (disk.File, error) {
	var f disk.File
	op := r.op(kind, name)
	err := r.around(op, func() (err error) { f, err = open(); return err })
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		return nil, err
	}
	return file{f, op.Path, r.around}, nil
}

func (r root) Link(name, second string) error {
	return r.around(r.op("link", second), func() error { return r.Root.Link(name, second) })
}

func (r root) Remove(name string) error {
	return r.around(r.op("remove", name), func() error { return r.Root.Remove(name) })
}

func (r root) Sync() error { return r.around(r.op("sync directory", ""), r.Root.Sync) }

func (r root) SyncParent() error { return r.around(r.op("sync parent", ""), r.Root.SyncParent) }

type file struct {
	disk.File
	path   string
	around Around
}

func (f file) ReadAt(p []byte, at int64) (n int, err error) {
	err = f.around(&Op{Kind: "read", Path: f.path, At: at}, func() (err error) { n, err = f.File.ReadAt(p, at); return err })
	return n, err
}

func (f file) WriteAt(p []byte, at int64) (n int, err error) {
	op := &Op{Kind: "write", Path: f.path, Len: len(p), At: at}
	err = f.around(op, func() (err error) { n, err = f.File.WriteAt(p[:op.Len], at); return err })
	return n, err
}

func (f file) Truncate(size int64) error {
	return f.around(&Op{Kind: "truncate", Path: f.path, At: size}, func() error { return f.File.Truncate(size) })
}

func (f file) Sync() error { return f.around(&Op{Kind: "sync", Path: f.path}, f.File.Sync) }

func (f file) Close() error { return f.around(&Op{Kind: "close", Path: f.path}, f.File.Close) }
