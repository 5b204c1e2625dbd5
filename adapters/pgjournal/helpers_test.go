package pgjournal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

// noted returns the entries numbered from first to last.
func noted(first, last uint64) []journal.Entry {
	var all []journal.Entry
	for seq := first; seq <= last; seq++ {
		all = append(all, journal.Entry{
			Seq: seq, Epoch: 1, Time: time.Date(2026, 11, 23, 8, 30, int(seq%60), 0, time.UTC), Kind: journal.Noted, Env: "Quality",
			Text: fmt.Sprintf("entry %d", seq), Facts: json.RawMessage(`{"installed":"Source","proven":true}`),
		})
	}
	return all
}

func collect(entries iter.Seq2[journal.Entry, error]) (all []journal.Entry, err error) {
	for e, err := range entries {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// holds checks that a store has the entries up to last, each once, and that its
// whole journal is as it was written.
func holds(t testing.TB, s journal.Store, last uint64) {
	t.Helper()
	all, err := collect(s.Read(context.WithoutCancel(t.Context())))
	require.NoError(t, err)
	require.Equal(t, noted(1, last), all)
}
