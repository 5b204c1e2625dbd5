package crashdisk_test

import (
	"io/fs"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/internal/reliability/crashdisk"
)

// writing returns a disk with a directory that is durable, and a file in it
// that has "old", durably, over which "new!" was written; its other name is
// not synced.
func writing(t *testing.T) (*crashdisk.Disk, *disk.Directory, disk.File) {
	d := crashdisk.New()
	dir, err := disk.Open(d, "/state", true)
	require.NoError(t, err)
	f, err := dir.CreateNew("file")
	require.NoError(t, err)
	require.NoError(t, disk.WriteAll(f, []byte("old"), 0))
	require.NoError(t, f.Sync())
	require.NoError(t, dir.Sync())
	require.NoError(t, dir.SyncParent())
	require.Zero(t, d.Pending())
	require.NoError(t, disk.WriteAll(f, []byte("new!"), 0))
	require.NoError(t, dir.Link("file", "other"))
	require.Equal(t, []string{"4 bytes at 0", "name other"}, d.Unsynced())
	return d, dir, f
}

// left returns what a directory has.
func left(t *testing.T, d *crashdisk.Disk) map[string]string {
	got := map[string]string{}
	dir, err := d.Open("/state")
	if err != nil {
		require.ErrorIs(t, err, fs.ErrNotExist)
		return nil
	}
	names, err := dir.Names()
	require.NoError(t, err)
	for _, name := range names {
		f, err := dir.OpenFile(name, false)
		require.NoError(t, err)
		b := make([]byte, 10)
		n, _ := f.ReadAt(b, 0)
		got[name] = string(b[:n])
	}
	return got
}

func TestAPowerCutLeavesAnyPartOfWhatWasNotSynced(t *testing.T) {
	for survivors, want := range map[crashdisk.Survivors]map[string]string{
		"none":    {"file": "old"},
		"all":     {"file": "new!", "other": "new!"},
		"x0":      {"file": "old"},
		"x1":      {"file": "new!"},
		"x2":      {"file": "old", "other": "old"},
		"x3":      {"file": "new!", "other": "new!"},
		"first":   {"file": "new!"},
		"last":    {"file": "old", "other": "old"},
		"butlast": {"file": "new!"},
		"torn":    {"file": "ned", "other": "ned"},
		"zeros":   {"file": "old\x00", "other": "old\x00"},
	} {
		t.Run(string(survivors), func(t *testing.T) {
			parsed, err := crashdisk.ParseSurvivors(string(survivors))
			require.NoError(t, err)
			d, dir, f := writing(t)
			d.Cut(parsed)
			require.Equal(t, want, left(t, d))
			require.Zero(t, d.Pending())
			require.ErrorIs(t, f.Sync(), crashdisk.ErrDead)
			require.ErrorIs(t, dir.Sync(), crashdisk.ErrDead)
			d.Cut("none")
			require.Equal(t, want, left(t, d), "what a power cut has left is durable")
		})
	}
}

func TestAProcessThatEndsLeavesEverythingAndItIsNotSynced(t *testing.T) {
	d, _, f := writing(t)
	d.Kill()
	require.ErrorIs(t, f.Sync(), crashdisk.ErrDead)
	require.Equal(t, map[string]string{"file": "new!", "other": "new!"}, left(t, d))
	d.Cut("none")
	require.Equal(t, map[string]string{"file": "old"}, left(t, d))
}

func TestASyncIsForWhatItSyncs(t *testing.T) {
	t.Run("of a file: its content", func(t *testing.T) {
		d, _, f := writing(t)
		require.NoError(t, f.Sync())
		d.Cut("none")
		require.Equal(t, map[string]string{"file": "new!"}, left(t, d))
	})
	t.Run("of a directory: its names", func(t *testing.T) {
		d, dir, _ := writing(t)
		require.NoError(t, dir.Remove("file"))
		require.NoError(t, dir.Sync())
		d.Cut("none")
		require.Equal(t, map[string]string{"other": "old"}, left(t, d))
	})
	t.Run("of a parent: the directory", func(t *testing.T) {
		d := crashdisk.New()
		dir, err := disk.Open(d, "/state", true)
		require.NoError(t, err)
		_, err = dir.CreateNew("file")
		require.NoError(t, err)
		require.NoError(t, dir.Sync())
		d.Cut("none")
		require.Nil(t, left(t, d))
	})
	t.Run("that fails: nothing, and the next one neither", func(t *testing.T) {
		d, _, f := writing(t)
		d.Forget("/state/file")
		require.NoError(t, f.Sync())
		require.Equal(t, "new!", left(t, d)["file"])
		d.Cut("all")
		require.Equal(t, map[string]string{"file": "old", "other": "old"}, left(t, d))
	})
}

func TestALockEndsWithTheProcess(t *testing.T) {
	d, dir, f := writing(t)
	require.NoError(t, f.Lock())
	require.NoError(t, dir.Lock())
	again, err := disk.Open(d, "/state", false)
	require.NoError(t, err)
	require.ErrorIs(t, again.Lock(), disk.ErrBusy)
	same, err := again.OpenFile("file", true)
	require.ErrorIs(t, err, disk.ErrUnsafe, "it has two names")
	require.Nil(t, same)
	d.Kill()
	again, err = disk.Open(d, "/state", false)
	require.NoError(t, err)
	require.NoError(t, again.Lock())
	require.NoError(t, dir.Close(), "late, and of no effect")
	last, err := disk.Open(d, "/state", false)
	require.NoError(t, err)
	require.ErrorIs(t, last.Lock(), disk.ErrBusy)
}

func TestAllSubsetsOfAFewAreTried(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	require.Equal(t, []crashdisk.Survivors{"none"}, crashdisk.All(0, 2, r))
	require.Len(t, crashdisk.All(6, 2, r), 2+64)
	require.Len(t, crashdisk.All(7, 2, r), 7+2)
	for _, s := range crashdisk.All(7, 2, r) {
		_, err := crashdisk.ParseSurvivors(string(s))
		require.NoError(t, err)
	}
	for _, s := range []string{"", "some", "x", "xg", "s-1"} {
		_, err := crashdisk.ParseSurvivors(s)
		require.Error(t, err)
	}
}
