package journal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

// A preview is used up by the entry that begins the run: no other may name one.
func TestARunBeginsFromAPreviewOnce(t *testing.T) {
	opening := func(seq uint64, preview string) journal.Entry {
		return journal.Entry{Seq: seq, Epoch: seq, Kind: journal.Opened,
			Opened: &journal.Opening{Format: journal.Format, Run: "run", Plan: "plan", Procedure: "migration", Definition: "hash", Verb: "apply", Preview: preview}}
	}
	for _, c := range []struct {
		name, first, second string
		ok                  bool
	}{
		{"from none", "", "", true},
		{"from one", "digest", "", true},
		{"from one, and again", "digest", "digest", false},
		{"from one, and from another", "digest", "other", false},
		{"from none, and then from one", "", "digest", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := new(journal.Record)
			require.NoError(t, r.Add(opening(1, c.first)))
			require.Equal(t, c.first, r.Preview)
			err := r.Add(opening(2, c.second))
			if c.ok {
				require.NoError(t, err)
				require.Equal(t, c.first, r.Preview)
				return
			}
			require.ErrorIs(t, err, journal.ErrCorrupt)
		})
	}
}
