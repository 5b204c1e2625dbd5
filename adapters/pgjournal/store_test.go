package pgjournal_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/journal/journaltest"
)

func TestStore(t *testing.T) {
	journaltest.TestStore(t, func(t *testing.T) journaltest.Harness {
		name := database(t)
		config := server.Config(t, name)
		again := func() (journal.Store, error) {
			s, err := pgjournal.Open(t.Context(), config, "Acme", nil)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s, nil
		}
		s := open(t, config, nil)
		return journaltest.Harness{
			Store: s,
			Reopen: func() (journal.Store, error) {
				if err := s.Close(); err != nil {
					return nil, err
				}
				return again()
			},
			OpenSecond: again,
			Close:      s.Close,
			Damage: func(seq uint64) error {
				server.Exec(t, name, fmt.Sprintf(`UPDATE changeover.entry SET entry = replace(entry::text, 'Quality', 'quality')::json WHERE seq = %d`, seq))
				return nil
			},
		}
	})
}

// TestReadersSeeAWholeJournalWhileItGrows reads and verifies a journal again and
// again while it is written: none of it may look damaged.
func TestReadersSeeAWholeJournalWhileItGrows(t *testing.T) {
	config := server.Config(t, database(t))
	s := open(t, config, nil)
	const last = 300
	appended := make(chan error, 1)
	go func() {
		for n := range uint64(last) {
			if err := s.Append(t.Context(), n, noted(n+1, n+1)...); err != nil {
				appended <- err
				return
			}
		}
		appended <- nil
	}()
	seen := uint64(0)
	for seen < last {
		report, err := pgjournal.Verify(t.Context(), config, "Acme", nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, report.Entries, seen)
		all, err := collect(s.Read(t.Context()))
		require.NoError(t, err)
		require.GreaterOrEqual(t, uint64(len(all)), report.Entries)
		seen = uint64(len(all))
	}
	require.NoError(t, <-appended)
}

// TestWhatNoTerminalShowsIsEscaped keeps what people see with psql on one line.
func TestWhatNoTerminalShowsIsEscaped(t *testing.T) {
	db := database(t)
	s := open(t, server.Config(t, db), nil)
	e := noted(1, 1)[0]
	e.Text = "a\u202eb\u0085c\x1b\n<&> é 漢"
	e.Facts = []byte("{\"a\":\"\xff\u2028\\u0000\"}")
	require.NoError(t, s.Append(t.Context(), 0, e))
	var stored string
	require.NoError(t, connect(t, server.Config(t, db)).QueryRow(t.Context(), "SELECT entry::text FROM changeover.entry").Scan(&stored))
	require.Contains(t, stored, `"text":"a\u202eb\u0085c\u001b\n<&> é 漢"`)
	require.Contains(t, stored, `"facts":{"a":"�\u2028\u0000"}`)
	all, err := collect(s.Read(t.Context()))
	require.NoError(t, err)
	require.Equal(t, e.Text, all[0].Text)
}
