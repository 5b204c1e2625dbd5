//go:build unix

package disk_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/disk"
)

// foreign is a file system in which what has one of the names belongs to
// somebody else: only root can make one.
type foreign struct {
	disk.OS
	name string
}

func (f foreign) Lstat(path string) (disk.Info, error) {
	info, err := f.OS.Lstat(path)
	if filepath.Base(path) == f.name {
		info.Owner++
	}
	return info, err
}

func TestADirectoryOfAnotherUserIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	_, err := disk.Open(foreign{name: "state"}, dir, true)
	require.ErrorIs(t, err, disk.ErrUnsafe)
	var refused *disk.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Command, "chown ")
	d, err := disk.Open(foreign{}, dir, false)
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

func TestAFileThatWasReplacedIsNoticed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	d, err := disk.Open(nil, dir, true)
	require.NoError(t, err)
	f, err := d.OpenOrCreate("LOCK")
	require.NoError(t, err)
	require.True(t, d.Has("LOCK", f))
	require.NoError(t, os.Rename(filepath.Join(dir, "LOCK"), filepath.Join(dir, "old")))
	require.False(t, d.Has("LOCK", f), "it is gone")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "LOCK"), nil, 0o600))
	require.False(t, d.Has("LOCK", f), "it is another")
	require.NoError(t, os.Remove(filepath.Join(dir, "LOCK")))
	require.NoError(t, os.Symlink("old", filepath.Join(dir, "LOCK")))
	require.False(t, d.Has("LOCK", f), "it is a link to it")
	require.NoError(t, f.Close())
	require.NoError(t, d.Close())
}

func TestADirectoryIsNotReachedThroughALink(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Symlink(dir, filepath.Join(dir, "link")))
	_, err := disk.Open(nil, filepath.Join(dir, "link"), true)
	require.ErrorIs(t, err, disk.ErrUnsafe)
	require.ErrorContains(t, err, "symbolic link")
}

func TestALockIsHeldByOneOpenFile(t *testing.T) {
	d, err := disk.Open(nil, filepath.Join(t.TempDir(), "state"), true)
	require.NoError(t, err)
	first, err := d.OpenOrCreate("LOCK")
	require.NoError(t, err)
	second, err := d.OpenOrCreate("LOCK")
	require.NoError(t, err)
	require.NoError(t, first.Lock())
	require.ErrorIs(t, second.Lock(), disk.ErrBusy)
	require.NoError(t, first.Close())
	require.NoError(t, second.Lock())
	require.NoError(t, second.Close())
	require.NoError(t, d.Close())
}
