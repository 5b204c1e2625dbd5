//go:build !unix

package wiring

import (
	"path/filepath"
	"strings"
)

// diskOf returns a number for the volume that a directory is in.
func diskOf(dir string) (disk uint64, ok bool) {
	dir, err := filepath.Abs(dir)
	for _, c := range strings.ToUpper(filepath.VolumeName(dir)) {
		disk = disk*31 + uint64(c)
	}
	return disk, err == nil
}
