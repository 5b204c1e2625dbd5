package filejournal_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/migration/journal"
)

// ballast returns how large BALLAST is; -1: there is none.
func ballast(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Lstat(filepath.Join(dir, "BALLAST"))
	if os.IsNotExist(err) {
		return -1
	}
	require.NoError(t, err)
	return info.Size()
}

func TestTheBallastIsKeptUntilItIsReleased(t *testing.T) {
	dir := stateDir(t)
	opts := &filejournal.Options{Ballast: 10_000, Disk: unsynced.Disk}
	for round := range uint64(5) {
		s, err := filejournal.Open(dir, opts)
		require.NoError(t, err)
		if round == 0 {
			require.EqualValues(t, -1, ballast(t, dir), "a run that is refused before its first entry leaves nothing")
		}
		require.NoError(t, s.Append(t.Context(), round, entry(round+1)))
		switch {
		case round < 3:
			require.EqualValues(t, 10_000, ballast(t, dir))
		case round == 3:
			require.NoError(t, s.ReleaseReserve())
			fallthrough
		default:
			require.Zero(t, ballast(t, dir), "it does not come back")
			require.NoError(t, s.ReleaseReserve(), "again does nothing")
		}
		require.NoError(t, s.Close())
	}
}

func TestTheBallastCanBeLeftOut(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, unsynced)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entry(1)))
	require.NoError(t, s.ReleaseReserve())
	require.EqualValues(t, -1, ballast(t, dir))
	require.NoError(t, s.Close())
}

func TestTheBallastIsAsLargeAsAskedFor(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, &filejournal.Options{Disk: unsynced.Disk})
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entry(1)))
	require.EqualValues(t, 2<<20, ballast(t, dir))
	require.NoError(t, s.Close())
}

// A disk has room for some bytes; what is truncated gives its room back.
type room struct {
	left int64
	size map[string]int64
}

func (r *room) around(op *disktest.Op, do func() error) error {
	size := r.size[op.Path]
	switch op.Kind {
	case "write":
		if size = max(size, op.At+int64(op.Len)); size-r.size[op.Path] > r.left {
			return syscall.ENOSPC
		}
	case "truncate":
		size = op.At
	case "sync", "sync directory", "sync parent":
		return nil
	}
	err := do()
	r.left -= size - r.size[op.Path]
	r.size[op.Path] = size
	return err
}

func TestADiskThatIsTooFullForTheBallastIsTooFullToBegin(t *testing.T) {
	dir := stateDir(t)
	r := &room{left: 50_000, size: map[string]int64{}}
	opts := &filejournal.Options{Ballast: 60_000, Disk: disktest.On(r.around)}
	s, err := filejournal.Open(dir, opts)
	require.NoError(t, err)
	err = s.Append(t.Context(), 0, entry(1))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "the run is not begun: there is no room for the 60000 bytes of "+filepath.Join(dir, "BALLAST"))
	require.NoError(t, s.Close())
	require.NoFileExists(t, filepath.Join(dir, "journal.jsonl"))
	require.Zero(t, ballast(t, dir), "the room is given back")

	r.left += 100_000 // somebody makes room
	s, err = filejournal.Open(dir, opts)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entry(1)))
	require.EqualValues(t, 60_000, ballast(t, dir))
	require.NoError(t, s.Close())
}

func TestTheWayBackIsRecordedOnAFullDisk(t *testing.T) {
	dir := stateDir(t)
	r := &room{left: 60_000, size: map[string]int64{}}
	opts := &filejournal.Options{Ballast: 20_000, Disk: disktest.On(r.around)}
	last, err := uint64(0), error(nil)
	s, openErr := filejournal.Open(dir, opts)
	require.NoError(t, openErr)
	for ; err == nil; last++ {
		err = s.Append(t.Context(), last, entry(last+1))
	}
	last--
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, s.ReleaseReserve(), journal.ErrClosed, "a store that has failed does nothing more")
	require.NoError(t, s.Close())

	s, err = filejournal.Open(dir, opts)
	require.NoError(t, err)
	require.NoError(t, s.ReleaseReserve())
	for range 20 {
		require.NoError(t, s.Append(t.Context(), last, entry(last+1)))
		last++
	}
	require.NoError(t, s.Close())
}

func TestTheJournalHasACapOfWhichSomeIsForTheWayBack(t *testing.T) {
	dir := stateDir(t)
	opts := &filejournal.Options{MaxBytes: 10_000, Ballast: 4_000, Disk: unsynced.Disk}
	s, err := filejournal.Open(dir, opts)
	require.NoError(t, err)
	size := func() int { return len(load(t, dir).journal) }
	fill := func(from uint64) (last uint64) {
		for last = from; ; last++ {
			before := load(t, dir)
			if err = s.Append(t.Context(), last, entry(last+1)); err != nil {
				require.ErrorIs(t, err, journal.ErrFull)
				require.Equal(t, before, load(t, dir), "nothing was written")
				return last
			}
		}
	}
	last := fill(0)
	require.Greater(t, size(), 5_000)
	require.LessOrEqual(t, size(), 6_000)
	big := entry(last + 1)
	big.Text = strings.Repeat("x", 9_000)
	require.ErrorIs(t, s.Append(t.Context(), last, big), journal.ErrFull, "the store goes on")

	require.NoError(t, s.ReleaseReserve())
	fill(last)
	require.Greater(t, size(), 9_000)
	require.LessOrEqual(t, size(), 10_000)
	require.NoError(t, s.Close())
	_, _, err = open(dir)
	require.NoError(t, err, "a full journal can be read")
}
