package filejournal

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

// steps are entries of the usual size: an intent and its outcome, in turns.
func steps(n int) []journal.Entry {
	at := time.Date(2026, 11, 23, 8, 30, 0, 123456789, time.UTC)
	entries := make([]journal.Entry, n)
	for i := range entries {
		e := journal.Entry{
			Seq: uint64(i + 1), Epoch: 1, Time: at.Add(time.Duration(i) * time.Millisecond), Kind: journal.Intent,
			Env: "Production", Table: "migration/move", Leg: "move", State: "BackedUp", Effect: "upload", ID: "0123456789abcdef01234567", Attempt: 1,
		}
		if i%2 == 1 {
			e.Kind, e.Trigger, e.To = journal.Outcome, "uploaded", "BackedUp"
			e.Facts = json.RawMessage(`{"fetched":{"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","role":"target","serial":"AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},"targetSent":true}`)
		}
		entries[i] = e
	}
	return entries
}

func TestAppendingAllocatesNothing(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "state"), nil)
	require.NoError(t, err)
	defer s.Close()
	entries := steps(64)
	last := uint64(0)
	allocated := testing.AllocsPerRun(20, func() { // and once before, which creates the journal
		for i := range entries {
			entries[i].Seq = last + uint64(i) + 1
		}
		err = s.Append(t.Context(), last, entries...)
		last += uint64(len(entries))
	})
	require.NoError(t, err)
	require.Zero(t, allocated)
}

func TestReadingAllocatesWhatIsKept(t *testing.T) {
	entries := steps(2)
	d := newDecoder()
	for i, want := range []float64{1, 2} { // the ID; the ID and the facts
		line, err := appendEntry(nil, &entries[i])
		require.NoError(t, err)
		allocated := testing.AllocsPerRun(20, func() { _, err = d.decode(line[:len(line)-1]) })
		require.NoError(t, err)
		require.Equal(t, want, allocated)
	}
}
