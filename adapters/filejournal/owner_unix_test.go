//go:build unix

package filejournal

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ownedBy is a file as another user's would look: only root can make one.
type ownedBy struct {
	fs.FileInfo
	uid uint32
}

func (o ownedBy) Sys() any {
	stat := *o.FileInfo.Sys().(*syscall.Stat_t)
	stat.Uid = o.uid
	return &stat
}

func TestWhatBelongsToAnotherUserIsRefused(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	require.NoError(t, err)
	me := os.Geteuid()
	require.NoError(t, checkOwner(ownedBy{info, uint32(me)}, "state"))
	err = checkOwner(ownedBy{info, uint32(me) + 1}, "state")
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, fmt.Sprintf("chown %d state", me))
}

func TestAFileThatWasReplacedIsNoticed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	d, err := openDirectory(dir, true, nil)
	require.NoError(t, err)
	f, err := d.open(lockName, os.O_RDWR|os.O_CREATE)
	require.NoError(t, err)
	require.True(t, d.has(lockName, f))
	require.NoError(t, os.Rename(filepath.Join(dir, lockName), filepath.Join(dir, "old")))
	require.False(t, d.has(lockName, f), "it is gone")
	require.NoError(t, os.WriteFile(filepath.Join(dir, lockName), nil, 0o600))
	require.False(t, d.has(lockName, f), "it is another")
	require.NoError(t, os.Remove(filepath.Join(dir, lockName)))
	require.NoError(t, os.Symlink("old", filepath.Join(dir, lockName)))
	require.False(t, d.has(lockName, f), "it is a link to it")
	require.NoError(t, f.Close())
	require.NoError(t, d.root.Close())
}
