package filejournal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

func accept(n uint64) filejournal.Acceptance { return filejournal.Acceptance{Entries: n} }

func TestAJournalWhoseHEADWasLostGoesOnOnceSomebodyAcceptsIt(t *testing.T) {
	dir := stateDir(t)
	states := history(t, dir, 5)
	for name, left := range map[string]state{
		"HEAD is missing":                      {states[3].journal, nil},
		"HEAD is damaged":                      {states[3].journal, bytes.Repeat([]byte("x"), 8192)},
		"HEAD is newer: the journal was cut":   {states[3].journal, states[5].head},
		"HEAD is older":                        {states[3].journal, states[1].head},
		"HEAD is right":                        {states[3].journal, states[3].head},
		"HEAD is missing, and a line is begun": {append(bytes.Clone(states[3].journal), `{"seq":4`...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			store(t, dir, left)
			for _, wrong := range []uint64{0, 2, 4} {
				_, err := filejournal.AcceptHead(dir, accept(wrong), unsynced)
				require.ErrorIs(t, err, journal.ErrCorrupt)
				require.ErrorContains(t, err, "it has 3 entries")
				require.Equal(t, left, load(t, dir), "nothing was changed")
			}
			report, err := filejournal.AcceptHead(dir, accept(3), unsynced)
			require.NoError(t, err)
			require.EqualValues(t, 3, report.Entries)
			require.Contains(t, string(states[3].journal), report.Hash)
			got, _, err := open(dir)
			require.NoError(t, err)
			require.Equal(t, entries(1, 3), got)
			require.NoError(t, appendOne(dir, 3))
		})
	}
}

func TestOnlyAWholeJournalIsAccepted(t *testing.T) {
	dir := stateDir(t)
	whole := history(t, dir, 4)[4]
	for at := range whole.journal {
		changed := bytes.Clone(whole.journal)
		changed[at] ^= 1
		if at == len(changed)-1 { // an unfinished last line
			continue
		}
		store(t, dir, state{changed, nil})
		_, err := filejournal.AcceptHead(dir, accept(4), unsynced)
		require.Error(t, err, "byte %d", at)
		require.Equal(t, state{changed, nil}, load(t, dir))
	}
	store(t, dir, state{})
	_, err := filejournal.AcceptHead(dir, accept(0), unsynced)
	require.ErrorContains(t, err, "there is no entry to accept")
	none := filepath.Join(dir, "none")
	_, err = filejournal.AcceptHead(none, accept(1), unsynced)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, none)
}

func TestAJournalInUseIsNotAccepted(t *testing.T) {
	dir := stateDir(t)
	history(t, dir, 2)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	_, err = filejournal.AcceptHead(dir, accept(2), nil)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.NoError(t, s.Close())
}
