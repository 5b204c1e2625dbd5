package filejournal

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

// chained returns a journal of entries and a HEAD that ends with it.
func chained(t testing.TB, entries ...journal.Entry) (file, headFile []byte) {
	t.Helper()
	b, h := header()
	for i := range entries {
		entries[i].Seq = uint64(i + 1)
		start := len(b)
		var err error
		b, err = appendEntry(b, &entries[i])
		require.NoError(t, err)
		b, h = link(b, start, h)
	}
	m := mark{Seq: uint64(len(entries)), Hash: h}
	return b, append(m.slot(), m.slot()...)
}

// FuzzReadThrough: whatever two files are given, reading them ends in one of
// the two refusals, or accounts for every byte; and what it accepts it accepts
// again without the tail.
func FuzzReadThrough(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 3))
	for n := range 4 {
		var entries []journal.Entry
		for range n {
			entries = append(entries, randomEntry(r))
		}
		file, headFile := chained(f, entries...)
		f.Add(file, headFile)
		f.Add(append(file, `{"seq":`...), headFile)
	}
	f.Fuzz(func(t *testing.T, file, headFile []byte) {
		head := parseHead(headFile)
		var seq uint64
		each := func(e *journal.Entry) error {
			seq++
			require.Equal(t, seq, e.Seq)
			return nil
		}
		found, err := readThrough(bytes.NewReader(file), head, each)
		if err != nil {
			text := err.Error()
			require.True(t, strings.Contains(text, journal.ErrCorrupt.Error()) || strings.Contains(text, journal.ErrForeign.Error()), text)
			return
		}
		require.EqualValues(t, len(file), found.size+found.unfinished)
		require.LessOrEqual(t, found.vouched, found.size)
		require.Equal(t, seq, found.last.Seq)
		seq = 0
		again, err := readThrough(iotest.OneByteReader(bytes.NewReader(file[:found.size])), head, each)
		require.NoError(t, err)
		found.unfinished = 0
		require.Equal(t, found, again)
	})
}

func TestSlotsHaveOneLength(t *testing.T) {
	_, h := header()
	for _, m := range []mark{{Hash: h}, {Seq: 1, Epoch: 10, Hash: h}, {Seq: 1<<64 - 1, Epoch: 1<<64 - 1, Hash: h}} {
		require.Len(t, m.slot(), slotLen)
		got := parseHead(m.slot())
		require.Equal(t, head{marks: []mark{m}, next: 1}, got)
	}
}

func TestTheNewerSlotOfHEADCounts(t *testing.T) {
	_, h := header()
	older, newer := mark{Seq: 4, Hash: h}, mark{Seq: 5, Hash: h}
	torn := append(newer.slot()[:60:60], older.slot()[60:]...)
	for _, tt := range []struct {
		name string
		file []byte
		want head
	}{
		{"none", nil, head{}},
		{"the second is newer", append(older.slot(), newer.slot()...), head{marks: []mark{newer, older}, next: 0}},
		{"the first is newer", append(newer.slot(), older.slot()...), head{marks: []mark{newer, older}, next: 1}},
		{"both are equal, in a new journal", append(older.slot(), older.slot()...), head{marks: []mark{older, older}, next: 1}},
		{"the first is torn", append(torn, older.slot()...), head{marks: []mark{older}, next: 0, damaged: 1}},
		{"the second is torn", append(older.slot(), torn...), head{marks: []mark{older}, next: 1, damaged: 1}},
		{"the second is missing", older.slot(), head{marks: []mark{older}, next: 1}},
		{"both are torn", append(torn, torn...), head{damaged: 2}},
		{"there is a third", bytes.Repeat(older.slot(), 3), head{marks: []mark{older, older}, next: 1, damaged: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, parseHead(tt.file)) })
	}
}
