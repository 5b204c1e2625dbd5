package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

func TestEntriesAreNeverCopiedAsTheyGrow(t *testing.T) {
	const n = 10_000
	var kept entries
	var first []*journal.Entry // of each block, as it was when the block was new
	for seq := uint64(1); seq <= n; seq++ {
		kept.add(journal.Entry{Seq: seq, Facts: []byte("{}")})
		if len(kept.blocks) > len(first) {
			first = append(first, &kept.blocks[len(first)][0])
		}
	}
	room := 0
	for i, b := range kept.blocks {
		require.Same(t, first[i], &b[0], "block %d was moved", i)
		room += cap(b)
	}
	require.Equal(t, n, kept.n)
	require.Less(t, room, n+largestBlock, "at most one block is not full")
	next := uint64(1)
	for e := range kept.all {
		require.Equal(t, next, e.Seq)
		require.Nil(t, e.Facts, "a timeline does not need them")
		next++
	}
	require.EqualValues(t, n+1, next)
}

func TestAFewEntriesTakeLittleRoom(t *testing.T) {
	var kept entries
	kept.add(journal.Entry{Seq: 1})
	require.Equal(t, firstBlock, cap(kept.blocks[0]))
}
