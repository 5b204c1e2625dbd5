package pgjournal_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// troubled is a store that does something before its n-th append.
type troubled struct {
	journal.Store
	appends int
	before  func(n int)
}

func (s *troubled) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	s.appends++
	s.before(s.appends)
	return s.Store.Append(ctx, after, entries...)
}

// scene returns the plan of the quickstart and a world for it.
func scene(t testing.TB) (migration.Plan, adapters.Set) {
	t.Helper()
	f, err := os.Open("../../examples/quickstart/plan.json")
	require.NoError(t, err)
	defer f.Close()
	plan, err := migration.ReadPlan(f)
	require.NoError(t, err)
	return plan, fake.New(plan.Infrastructure, plan.Source, plan.Target).Set()
}

func host(t testing.TB, plan migration.Plan, ports adapters.Set, store journal.Store) *changeover.Changeover {
	t.Helper()
	c, err := changeover.New(plan, ports, store, &changeover.Options{Clock: new(fake.Clock)})
	require.NoError(t, err)
	return c
}

// TestAServerThatIsKilledDuringARun kills the server before appends of a run, and
// starts it again: at once, while the append tries to reach it, or only when the
// run has ended for lack of a journal, and is resumed.
func TestAServerThatIsKilledDuringARun(t *testing.T) {
	t.Run("killed, and back while the append waits", func(t *testing.T) {
		t.Parallel()
		own := pgtest.Start(t)
		config := own.Config(t, "postgres")
		require.NoError(t, pgjournal.Migrate(t.Context(), config, nil))
		store := open(t, config, nil)
		plan, ports := scene(t)
		kills := map[int]func() error{3: own.Kill, 14: func() error { return own.Stop("immediate") }, 25: own.Kill}
		started := make(chan error, 1)
		started <- nil
		watched := &troubled{Store: store, before: func(n int) {
			if kill := kills[n]; kill != nil {
				delete(kills, n)
				require.NoError(t, <-started)
				require.NoError(t, kill())
				go func() { started <- own.Start() }()
			}
		}}
		r, err := host(t, plan, ports, watched).Apply(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Completed, r.Verdict)
		require.Empty(t, kills)
		require.NoError(t, <-started)
		found, err := pgjournal.Verify(t.Context(), config, "Acme", nil)
		require.NoError(t, err)
		require.Positive(t, found.Entries)
	})
	t.Run("killed, and back after the run was given up", func(t *testing.T) {
		t.Parallel()
		own := pgtest.Start(t)
		config := own.Config(t, "postgres")
		require.NoError(t, pgjournal.Migrate(t.Context(), config, nil))
		plan, ports := scene(t)
		attempts := 0
		for {
			attempts++
			store, err := pgjournal.Open(t.Context(), config, "Acme", &pgjournal.Options{Patience: 300 * time.Millisecond})
			require.NoError(t, err)
			dead := false
			watched := &troubled{Store: store, before: func(n int) {
				if n == 13 {
					dead = true
					require.NoError(t, own.Kill())
				}
			}}
			verb := host(t, plan, ports, watched).Resume
			if attempts == 1 {
				verb = host(t, plan, ports, watched).Apply
			}
			r, err := verb(t.Context())
			require.NoError(t, store.Close())
			if !dead {
				require.NoError(t, err)
				require.Equal(t, report.Completed, r.Verdict)
				break
			}
			require.ErrorIs(t, err, changeover.ErrJournal)
			require.NoError(t, own.Start())
		}
		require.Greater(t, attempts, 2)
	})
}
