//go:build !linux

package limit

import "os"

// syncData has the disk keep what was written to f; the other systems' Sync
// also keeps when.
func syncData(f *os.File) error { return f.Sync() }
