//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const (
	modesMatter      = true
	syncsDirectories = true
	locksDirectories = true
	// openFlags keep a FIFO that takes a file's place from holding us up.
	openFlags = syscall.O_NONBLOCK
)

func user() int { return os.Geteuid() }

// ownerAndLinks returns what Stat_t says. Of a file of which the system says
// nothing, nobody is the owner.
func ownerAndLinks(info fs.FileInfo) (owner int, links uint64) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 1<<32 - 1, 1
	}
	return int(stat.Uid), uint64(stat.Nlink)
}

// linksOf is never needed: Stat says it.
func linksOf(*os.File) (uint64, error) { return 1, nil }

// tryLock locks f for this open file. A child that inherits the file holds the
// lock as well.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrBusy
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}
