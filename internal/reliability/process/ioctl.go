//go:build linux

package process

import (
	"os"
	"syscall"
	"unsafe"
)

// ioctl is the system call; package syscall has no name for it.
func ioctl(f *os.File, request uintptr, argument *uint32) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(argument)))
	if errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}
