//go:build !windows

package filevault

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const (
	modesMatter = true
	// openFlags keep a FIFO that takes a file's place from holding us up.
	openFlags = syscall.O_NONBLOCK
)

func ownedByUs(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// countLinks returns how many names an open file has.
func countLinks(f *os.File) (uint64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errors.New("the system does not say how many names a file has")
	}
	return uint64(stat.Nlink), nil
}

func syncDirectory(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
