package limit

import (
	"os"
	"syscall"
)

// syncData has the disk keep what was written to f.
func syncData(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
