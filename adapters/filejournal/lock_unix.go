//go:build unix

package filejournal

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f for this open file. A child that inherits the file holds the
// lock as well.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errBusy
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}
