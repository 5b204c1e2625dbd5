package filejournal

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzHead: of whatever HEAD is, only slots count that are exactly as slot
// writes them, the newest first, and the newest is never overwritten next.
func FuzzHead(f *testing.F) {
	_, h := header()
	older, newer := mark{Seq: 1, Epoch: 1, Hash: h}.slot(), mark{Seq: 1<<64 - 1, Epoch: 2, Hash: h}.slot()
	for _, head := range [][]byte{nil, older, append(older, newer...), append(newer, older...), append(newer, newer...), newer[:100], append(newer, older[:4095]...), make([]byte, 3*slotLen)} {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		b = b[:min(len(b), 3*slotLen)]
		got := parseHead(b)
		require.Equal(t, (len(b)+slotLen-1)/slotLen, len(got.marks)+got.damaged)
		require.LessOrEqual(t, len(got.marks), 2)
		for i, m := range got.marks {
			at := bytes.Index(b, m.slot())
			require.Zero(t, at%slotLen)
			require.LessOrEqual(t, m.Seq, got.marks[0].Seq)
			if i == 0 && len(got.marks) > 1 && got.marks[1].Seq != m.Seq {
				require.NotEqual(t, at/slotLen, got.next)
			}
		}
	})
}
