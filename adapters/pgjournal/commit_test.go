package pgjournal_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
)

// transactions counts those that have written anything, in a server of one's own.
const transactions = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

// TestAnAppendIsOneMessageAndOneCommit counts what an append of any size costs.
func TestAnAppendIsOneMessageAndOneCommit(t *testing.T) {
	t.Parallel()
	own := pgtest.Start(t)
	proxy := pgtest.NewProxy(t, own)
	require.NoError(t, pgjournal.Migrate(t.Context(), own.Config(t, "postgres"), nil))
	s := open(t, proxy.Config(t, "postgres"), nil)
	last := uint64(0)
	for _, batch := range []uint64{1, 2, 64, 500} {
		before := own.Ask(t, "postgres", transactions)
		proxy.Arm(pgtest.Cut{After: -1}, nil)
		const appends = 10
		for range appends {
			require.NoError(t, s.Append(t.Context(), last, noted(last+1, last+batch)...))
			last += batch
		}
		sent, _, _ := proxy.Disarm()
		waits := 0
		starts := ends(sent)
		for _, at := range starts[:len(starts)-1] {
			if sent[at] == 'S' { // Sync: what is before it is carried out, committed and answered
				waits++
			}
		}
		require.Equal(t, appends, waits, "in batches of %d", batch)
		require.EqualValues(t, appends, own.Ask(t, "postgres", transactions)-before, "in batches of %d", batch)
	}
}

// TestManyJournalsShareTheirSyncs appends to many journals at once. The server
// syncs its log for those that are ready together; that it waits a millisecond
// for others makes the figure one of the program, not of the disk.
func TestManyJournalsShareTheirSyncs(t *testing.T) {
	t.Parallel()
	own := pgtest.StartIn(t, "", "commit_delay=1000", "commit_siblings=2")
	config := own.Config(t, "postgres")
	require.NoError(t, pgjournal.Migrate(t.Context(), config, nil))
	const journals, appends = 48, 20
	stores := make([]*pgjournal.Store, journals)
	for i := range stores {
		var err error
		stores[i], err = pgjournal.Open(t.Context(), config, fmt.Sprintf("Acme %d", i), nil)
		require.NoError(t, err)
	}
	syncs := syncsSQL(t, own)
	before := own.Ask(t, "postgres", syncs)
	errs := make([]error, journals)
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for n := range uint64(appends) {
				if errs[i] == nil {
					errs[i] = s.Append(t.Context(), n, noted(n+1, n+1)...)
				}
			}
		})
	}
	wg.Wait()
	for i, s := range stores {
		require.NoError(t, errs[i])
		require.NoError(t, s.Close())
	}
	// A session reports what it has done at its end.
	for own.Ask(t, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'changeover'") > 0 {
		require.NoError(t, t.Context().Err())
	}
	perAppend := float64(own.Ask(t, "postgres", syncs)-before) / (journals * appends)
	t.Logf("%d journals at once: %.2f syncs of the log for each append", journals, perAppend)
	require.Positive(t, perAppend)
	require.Less(t, perAppend, 1.0)
}

// syncsSQL asks how often the log was synced, which versions count in different
// places.
func syncsSQL(t *testing.T, s *pgtest.Server) string {
	t.Helper()
	if s.Ask(t, "postgres", "SELECT count(*) FROM pg_attribute WHERE attrelid = 'pg_stat_wal'::regclass AND attname = 'wal_sync'") > 0 {
		return "SELECT wal_sync FROM pg_stat_wal"
	}
	return "SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal'"
}
