// Package disk is the file system as the journal and the vault need it: a
// dozen operations, behind interfaces, and a [Directory] that was found safe
// from others. It is for adapters/filejournal and adapters/filevault, and for
// the tests that put another file system in the place of [OS].
//
// It has no operation that replaces, moves or truncates by name, and none that
// reaches outside a directory. It retries and repairs nothing.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// A FS is where directories are.
type FS interface {
	// Mkdir creates a directory that only its owner can enter, whatever the
	// umask is. Its parent must be there.
	Mkdir(path string) error
	// Lstat describes what has that path, without following a link.
	Lstat(path string) (Info, error)
	// Open opens a directory.
	Open(path string) (Root, error)
}

// A Root is an open directory. Nothing outside it is reached through it: names
// are those of files in it.
type Root interface {
	// Stat describes the directory itself.
	Stat() (Info, error)
	// Lstat describes a file, without following a link.
	Lstat(name string) (Info, error)
	// Names lists the directory, sorted.
	Names() ([]string, error)
	// OpenFile opens a file that is there, for reading or, with write, for both.
	OpenFile(name string, write bool) (File, error)
	// CreateNew creates a file for reading and writing that only its owner can
	// reach, whatever the umask is. It returns fs.ErrExist if the name is taken.
	CreateNew(name string) (File, error)
	// Link gives a file a second name. It returns fs.ErrExist if that is taken.
	Link(name, second string) error
	// Remove takes a name away.
	Remove(name string) error
	// Lock keeps others from locking the directory until it is closed or the
	// process ends; processes that inherit files do not inherit this. It returns
	// [ErrBusy] if it is locked. Where directories cannot be locked, it returns
	// nil and does nothing.
	Lock() error
	// Sync makes the names in the directory durable, SyncParent its own.
	Sync() error
	// SyncParent returns nil for a parent that may not be read: it is not ours,
	// and neither is what it contains.
	SyncParent() error
	// Close closes the directory.
	Close() error
}

// A File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Stat describes the file.
	Stat() (Info, error)
	// Truncate cuts the file, or makes it longer, to size bytes.
	Truncate(size int64) error
	// Sync returns when what was written would survive a power cut. After an
	// error it proves nothing any more.
	Sync() error
	// Lock locks the file for this open file and for processes that inherit it,
	// until it is closed in all of them. It returns [ErrBusy] if it is locked.
	Lock() error
	// Close closes the file.
	Close() error
}

// ErrBusy is returned by [File.Lock] and [Root.Lock] when another has the lock.
var ErrBusy = errors.New("locked")

// An Info describes a file.
type Info struct {
	Mode  fs.FileMode
	Size  int64
	Time  time.Time // of the last change
	Owner int       // the user; negative: the system has other means than owners
	Links uint64    // how many names it has; zero: not known without opening it
	// Number is different for different files, unless System has a description
	// of its own.
	Number uint64
	System fs.FileInfo
}

// Same reports whether both describe one file.
func (i Info) Same(other Info) bool {
	if i.System != nil && other.System != nil {
		return os.SameFile(i.System, other.System)
	}
	return i.System == nil && other.System == nil && i.Number == other.Number
}
