package pgjournal_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/migration/journal"
)

// What somebody may do to a journal of five entries.
var damages = []struct {
	name, sql string
	read      int // entries that a reader is yielded before the error
	says      string
	opens     bool // its end does not show it
}{
	{"a changed entry", `UPDATE changeover.entry SET entry = replace(entry::text, 'Quality', 'quality')::json WHERE seq = 3`, 2, "entry 3 was changed", true},
	{"one space more", `UPDATE changeover.entry SET entry = (entry::text || ' ')::json WHERE seq = 3`, 2, "entry 3 was changed", true},
	{"a changed last entry", `UPDATE changeover.entry SET entry = replace(entry::text, 'Quality', 'quality')::json WHERE seq = 5`, 4, "entry 5 was changed", true},
	{"a changed hash", `UPDATE changeover.entry SET hash = sha256('') WHERE seq = 3`, 2, "entry 3 was changed", true},
	{"an entry that was changed together with its hash", `UPDATE changeover.entry e SET entry = '{"seq":3,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}',
		hash = sha256(p.hash || '{"seq":3,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}') FROM changeover.entry p WHERE e.seq = 3 AND p.seq = 2`, 3, "entry 4 was changed, or does not follow", true},
	{"a last entry that was changed together with its hash", `UPDATE changeover.entry e SET entry = '{"seq":5,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}',
		hash = sha256(p.hash || '{"seq":5,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}') FROM changeover.entry p WHERE e.seq = 5 AND p.seq = 4`, 5, "entry 5", false},
	{"another epoch", `UPDATE changeover.entry SET epoch = 2 WHERE seq = 3`, 2, "entry 3 was changed: it says of itself that it is entry 3 of epoch 1", true},
	{"a deleted entry", `DELETE FROM changeover.entry WHERE seq = 3`, 2, "entry 3 is missing: entry 4 follows entry 2", true},
	{"a deleted first entry", `DELETE FROM changeover.entry WHERE seq = 1`, 0, "entry 1 is missing: entry 2 follows entry 0", true},
	{"a deleted last entry", `DELETE FROM changeover.entry WHERE seq = 5`, 4, "entry 5 is missing: it was cut", false},
	{"no entry left", `DELETE FROM changeover.entry`, 0, "entry 1 is missing: it was cut, and ended with entry 5", false},
	{"two entries that changed places", `UPDATE changeover.entry SET seq = seq + 100; UPDATE changeover.entry SET seq = CASE seq WHEN 102 THEN 3 WHEN 103 THEN 2 ELSE seq - 100 END`, 1, "entry 2 was changed", true},
	{"an entry that is there twice", `ALTER TABLE changeover.entry DROP CONSTRAINT entry_pkey; INSERT INTO changeover.entry SELECT * FROM changeover.entry WHERE seq = 3`, 3, "entry 3 is there twice", true},
	{"an entry numbered zero", `ALTER TABLE changeover.entry DROP CONSTRAINT entry_seq_check; INSERT INTO changeover.entry SELECT journal, 0, epoch, entry, hash FROM changeover.entry WHERE seq = 3`, 0, "entry 0 has a number that no entry can have", true},
	{"an entry with a negative number", `ALTER TABLE changeover.entry DROP CONSTRAINT entry_seq_check; INSERT INTO changeover.entry SELECT journal, -1, epoch, entry, hash FROM changeover.entry WHERE seq = 3`, 0, "entry -1 has a number that no entry can have", true},
	{"an entry without a number", `ALTER TABLE changeover.entry DROP CONSTRAINT entry_pkey; ALTER TABLE changeover.entry ALTER seq DROP NOT NULL; UPDATE changeover.entry SET seq = NULL WHERE seq = 5`, 4, "entry 5 has no number", false},
	{"an entry behind the last one", `INSERT INTO changeover.entry SELECT journal, 6, epoch, entry, hash FROM changeover.entry WHERE seq = 3`, 5, "entry 6 was changed", false},
	{"an entry behind the last one that follows from it", `INSERT INTO changeover.entry SELECT journal, 6, 1, '{"seq":6,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}',
		sha256(hash || '{"seq":6,"epoch":1,"time":"2026-11-23T08:30:03Z","kind":"noted"}') FROM changeover.entry WHERE seq = 5`, 6, "entry 6 is the last one, and not the one with which it is said to end, 5", false},
	{"an entry that is larger than any can be", `UPDATE changeover.entry SET entry = ('"' || repeat('x', 1048576) || '"')::json WHERE seq = 3`, 2, "entry 3 has 1048578 bytes, more than any entry can", true},
	{"an entry that is no JSON", `ALTER TABLE changeover.entry ALTER entry TYPE text; UPDATE changeover.entry e SET entry = '{"seq":3', hash = sha256(p.hash || '{"seq":3') FROM changeover.entry p WHERE e.seq = 3 AND p.seq = 2`, 2, "entry 3: the journal is damaged or was changed: it is not valid JSON", true},
	{"two values in one entry", `ALTER TABLE changeover.entry ALTER entry TYPE text; UPDATE changeover.entry e SET entry = e.entry || e.entry, hash = sha256(p.hash || convert_to(e.entry || e.entry, 'UTF8')) FROM changeover.entry p WHERE e.seq = 3 AND p.seq = 2`, 2, "entry 3: the journal is damaged or was changed: it is not valid JSON", true},
	{"an empty entry", `ALTER TABLE changeover.entry ALTER entry DROP NOT NULL; UPDATE changeover.entry SET entry = NULL WHERE seq = 3`, 2, "entry 3 is empty", true},
	{"the end of the journal, moved back", `UPDATE changeover.journal SET seq = 4`, 5, "entry 5 is the last one, and not the one with which it is said to end, 4", false},
	{"the end of the journal, moved on", `UPDATE changeover.journal SET seq = 6`, 5, "entry 6 is missing", false},
	{"another sum of bytes", `UPDATE changeover.journal SET bytes = bytes - 1`, 5, "entry 5 is the last one", true},
	{"all of it deleted", `DELETE FROM changeover.entry; DELETE FROM changeover.journal`, 0, "it was deleted", true},
}

func TestDamageIsNamed(t *testing.T) {
	for _, d := range damages {
		t.Run(d.name, func(t *testing.T) {
			db := database(t)
			config := server.Config(t, db)
			s := open(t, config, nil)
			require.NoError(t, s.Append(t.Context(), 0, noted(1, 5)...))
			server.Exec(t, db, strings.Split(d.sql, "; ")...)

			t.Run("to whoever has it open", func(t *testing.T) {
				_, err := collect(s.Read(t.Context()))
				require.ErrorIs(t, err, journal.ErrCorrupt)
				require.ErrorContains(t, err, d.says)
			})
			if d.name != "all of it deleted" { // of which nobody else knows
				t.Run("to whoever verifies it", func(t *testing.T) {
					_, err := pgjournal.Verify(t.Context(), config, "Acme", nil)
					require.ErrorIs(t, err, journal.ErrCorrupt)
					require.ErrorContains(t, err, d.says)
					all, err := collect(pgjournal.Read(t.Context(), config, "Acme", nil))
					require.ErrorContains(t, err, d.says)
					require.Len(t, all, d.read)
					require.Equal(t, append([]journal.Entry(nil), noted(1, 2)[:min(d.read, 2)]...), all[:min(d.read, 2)])
				})
			}
			t.Run("to whoever opens it, if its end shows it", func(t *testing.T) {
				require.NoError(t, s.Close())
				again, err := pgjournal.Open(t.Context(), config, "Acme", nil)
				if d.opens {
					require.NoError(t, err)
					require.NoError(t, again.Close())
					return
				}
				require.ErrorIs(t, err, journal.ErrCorrupt)
			})
		})
	}
}

func TestAJournalInThePlaceOfAnotherIsRefused(t *testing.T) {
	db := database(t)
	config := server.Config(t, db)
	s := open(t, config, nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 5)...))
	require.NoError(t, s.Close())
	server.Exec(t, db, `UPDATE changeover.journal SET name = 'Beta'`)
	_, err := pgjournal.Verify(t.Context(), config, "Beta", nil)
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "entry 1 was changed, or does not follow")
}

// TestAJournalThatWasRewrittenIsFoundByItsWriter has entries and end rewritten
// alike, which only shows to whoever has written them.
func TestAJournalThatWasRewrittenIsFoundByItsWriter(t *testing.T) {
	db := database(t)
	s := open(t, server.Config(t, db), nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	server.Exec(t, db,
		`UPDATE changeover.entry SET entry = replace(entry::text, 'Quality', 'quality')::json`,
		`UPDATE changeover.entry SET hash = sha256(sha256(convert_to(E'changeover journal 1\nAcme', 'UTF8')) || convert_to(entry::text, 'UTF8'))`,
		`UPDATE changeover.journal SET hash = e.hash FROM changeover.entry e`)
	_, err := pgjournal.Verify(t.Context(), server.Config(t, db), "Acme", nil)
	require.NoError(t, err)
	_, err = collect(s.Read(t.Context()))
	require.ErrorIs(t, err, journal.ErrCorrupt)
	require.ErrorContains(t, err, "was replaced since it was written")
	require.ErrorIs(t, s.Append(t.Context(), 1, noted(2, 2)...), journal.ErrCorrupt)
}

func TestAnEntryOfAnotherVersionIsRefused(t *testing.T) {
	for name, member := range map[string]string{"an unknown member": `"later":1`, "a value of another kind": `"attempt":"many"`} {
		t.Run(name, func(t *testing.T) {
			db := database(t)
			config := server.Config(t, db)
			s := open(t, config, nil)
			require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
			require.NoError(t, s.Close())
			// As a later version would have written it: its hash is right.
			server.Exec(t, db,
				`UPDATE changeover.entry SET entry = (rtrim(entry::text, '}') || '},`+member+`}')::json`,
				`UPDATE changeover.entry SET hash = sha256(sha256(convert_to(E'changeover journal 1\nAcme', 'UTF8')) || convert_to(entry::text, 'UTF8'))`,
				`UPDATE changeover.journal SET hash = e.hash, bytes = octet_length(e.entry::text) FROM changeover.entry e`)
			_, err := pgjournal.Verify(t.Context(), config, "Acme", nil)
			require.ErrorIs(t, err, journal.ErrForeign)
			require.ErrorContains(t, err, "entry 1: ")
		})
	}
}

// TestAnAppendFindsWhatSomebodyElseHasDone shows that a store does not write
// behind what it has not written.
func TestAnAppendFindsWhatSomebodyElseHasDone(t *testing.T) {
	for _, c := range []struct{ name, sql, says string }{
		{"another end", `UPDATE changeover.journal SET seq = 4`, "nothing was stored: the journal is damaged or was changed: its end is not where it was left, behind entry 5"},
		{"another hash at the end", `UPDATE changeover.journal SET hash = ''`, "its end is not where it was left, behind entry 5"},
		{"an entry behind the last one", `INSERT INTO changeover.entry SELECT journal, 6, epoch, entry, hash FROM changeover.entry WHERE seq = 3`, "there are entries behind entry 5"},
		{"no journal any more", `DELETE FROM changeover.entry; DELETE FROM changeover.journal`, "it was deleted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := database(t)
			s := open(t, server.Config(t, db), nil)
			require.NoError(t, s.Append(t.Context(), 0, noted(1, 5)...))
			server.Exec(t, db, strings.Split(c.sql, "; ")...)
			before := server.Ask(t, db, "SELECT count(*) FROM changeover.entry")
			err := s.Append(t.Context(), 5, noted(6, 6)...)
			require.ErrorIs(t, err, journal.ErrCorrupt)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, before, server.Ask(t, db, "SELECT count(*) FROM changeover.entry"))
			require.ErrorIs(t, s.Append(t.Context(), 5, noted(6, 6)...), journal.ErrClosed)
		})
	}
}
