package filejournal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

func TestTheHolderIsNamedAndNothingIsChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	held := func() bool {
		t.Helper()
		who, held, err := filejournal.Holder(dir, nil)
		require.NoError(t, err)
		if held {
			require.Contains(t, who, fmt.Sprintf("process %d", os.Getpid()))
		} else {
			require.Empty(t, who)
		}
		return held
	}
	require.False(t, held(), "there is no directory")
	require.NoDirExists(t, dir)
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.False(t, held(), "there is no journal")
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, names)

	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.True(t, held())
	require.NoError(t, s.Append(t.Context(), 0, journal.Entry{Seq: 1, Epoch: 1, Kind: journal.Opened}), "who holds it goes on")
	require.True(t, held())
	_, err = filejournal.Open(dir, nil)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, s.Close())
	require.False(t, held())
	again, err := filejournal.Open(dir, nil)
	require.NoError(t, err, "whoever has looked holds nothing")
	require.NoError(t, again.Close())
}
