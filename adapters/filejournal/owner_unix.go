//go:build unix

package filejournal

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

const (
	checksModes      = true
	syncsDirectories = true
)

// checkOwner refuses what belongs to another user, and a file with a second
// name: whoever has that one can change it.
func checkOwner(info fs.FileInfo, path string) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%w: nothing is known of the owner of %s", ErrUnsafe, shown(path))
	}
	if me := os.Geteuid(); int(stat.Uid) != me {
		return fmt.Errorf("%w: %s belongs to user %d, this process is of user %d; run it as that user, or: chown %d %s", ErrUnsafe, shown(path), stat.Uid, me, me, shown(path))
	}
	if !info.IsDir() && stat.Nlink != 1 {
		return fmt.Errorf("%w: %s has %d names; find the others and remove them: find / -xdev -inum %d", ErrUnsafe, shown(path), stat.Nlink, stat.Ino)
	}
	return nil
}
