package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"
)

// Windows has access lists in place of modes, and makes directory entries
// durable by itself or not at all. A file that is open cannot be removed there,
// so that locking it is enough.
const (
	modesMatter      = false
	syncsDirectories = false
	locksDirectories = false
	openFlags        = 0
)

func user() int { return -1 }

func ownerAndLinks(fs.FileInfo) (owner int, links uint64) { return -1, 0 }

// linksOf returns how many names an open file has.
func linksOf(f *os.File) (uint64, error) {
	var info syscall.ByHandleFileInformation
	if err := syscall.GetFileInformationByHandle(syscall.Handle(f.Fd()), &info); err != nil {
		return 0, err
	}
	return uint64(info.NumberOfLinks), nil
}

const (
	lockfileFailImmediately = 1
	lockfileExclusiveLock   = 2

	errorLockViolation = syscall.Errno(33)
)

// tryLock locks one byte of f, far behind its end: Windows keeps others from
// reading what is locked, and they are to read who holds the lock.
func tryLock(f *os.File) error {
	lockFileEx := syscall.NewLazyDLL("kernel32.dll").NewProc("LockFileEx")
	if err := lockFileEx.Find(); err != nil {
		return err
	}
	place := syscall.Overlapped{OffsetHigh: 1 << 30}
	ok, _, err := lockFileEx.Call(f.Fd(), lockfileExclusiveLock|lockfileFailImmediately, 0, 1, 0, uintptr(unsafe.Pointer(&place)))
	switch {
	case ok != 0:
		return nil
	case errors.Is(err, errorLockViolation) || errors.Is(err, syscall.ERROR_IO_PENDING):
		return ErrBusy
	default:
		return os.NewSyscallError("LockFileEx", err)
	}
}
