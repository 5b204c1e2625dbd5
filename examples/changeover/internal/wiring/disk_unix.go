//go:build unix

package wiring

import (
	"os"
	"path/filepath"
	"syscall"
)

// diskOf returns the number of the file system that a directory is in, or will
// be in.
func diskOf(dir string) (disk uint64, ok bool) {
	for {
		info, err := os.Stat(dir)
		if err == nil {
			s, ok := info.Sys().(*syscall.Stat_t)
			if !ok {
				return 0, false
			}
			return uint64(s.Dev), true //nolint:unconvert // its type differs between systems
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return 0, false
		}
		dir = parent
	}
}
