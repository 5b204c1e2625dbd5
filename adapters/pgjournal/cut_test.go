package pgjournal_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/adapters/pgjournal/internal/pgtest"
	"github.com/changeover-go/changeover/migration/journal"
)

// TestAConnectionThatIsCutAnywhere cuts the connection of an append after every
// byte of the answer, and behind, before and in every message of the request.
// Wherever it was cut, the append succeeds, and the journal has the entries once.
func TestAConnectionThatIsCutAnywhere(t *testing.T) {
	for _, silent := range []bool{false, true} {
		name := "the server notices"
		if silent {
			name = "the server does not notice"
		}
		t.Run(name, func(t *testing.T) {
			db := database(t)
			proxy := pgtest.NewProxy(t, server)
			s := open(t, proxy.Config(t, db), nil)

			// What a normal append sends and is answered.
			require.NoError(t, s.Append(t.Context(), 0, noted(1, 2)...))
			proxy.Arm(pgtest.Cut{After: -1}, nil)
			require.NoError(t, s.Append(t.Context(), 2, noted(3, 4)...))
			sent, answered, _ := proxy.Disarm()
			require.NotEmpty(t, sent)
			require.NotEmpty(t, answered)
			last := uint64(4)

			for _, cut := range cuts(sent, answered) {
				cut.Silent = silent
				proxy.Arm(cut, nil)
				require.NoError(t, s.Append(t.Context(), last, noted(last+1, last+2)...), "%+v", cut)
				_, _, happened := proxy.Disarm()
				require.True(t, happened, "%+v", cut)
				last += 2
			}
			holds(t, s, last)
		})
	}
}

// cuts are the places where a connection is cut.
func cuts(sent, answered []byte) (all []pgtest.Cut) {
	for _, end := range ends(sent) {
		for _, after := range []int{end - 1, end, end + 1} {
			if after > 0 && after <= len(sent) {
				all = append(all, pgtest.Cut{After: after})
			}
		}
	}
	for after := range len(answered) { // behind the last byte nothing is lost
		all = append(all, pgtest.Cut{FromServer: true, After: after})
	}
	return all
}

// ends are the places in b, which is a sequence of messages, behind each message:
// one byte for its type, and four for the length of what follows the type.
func ends(b []byte) []int {
	all := []int{0}
	for at := 0; at+5 <= len(b); {
		at += 1 + int(binary.BigEndian.Uint32(b[at+1:]))
		all = append(all, at)
	}
	return all
}

// TestAConnectionThatIsCutWhileItLooks cuts the connection of an append, and then
// the connection with which the store looks what came of it, after every byte of
// the answers that it gets.
func TestAConnectionThatIsCutWhileItLooks(t *testing.T) {
	db := database(t)
	proxy := pgtest.NewProxy(t, server)
	s := open(t, proxy.Config(t, db), nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))

	last := uint64(1)
	for after := 0; ; after += 17 {
		var first bool
		proxy.Arm(pgtest.Cut{FromServer: true, After: 1}, func() {
			first = true
			proxy.Arm(pgtest.Cut{FromServer: true, After: after}, nil)
		})
		require.NoError(t, s.Append(t.Context(), last, noted(last+1, last+1)...), "%d", after)
		_, _, again := proxy.Disarm()
		require.True(t, first)
		last++
		if !again {
			break // the answers have fewer bytes
		}
	}
	require.Greater(t, last, uint64(20))
	holds(t, s, last)
}

func TestAWriterWhoseJournalSomebodyElseHasOpened(t *testing.T) {
	for _, c := range []struct {
		name  string
		after int // bytes of the answer that arrive
	}{
		{"after its append was carried out", 0},
		{"and whose answer was cut", 3},
	} {
		for _, closes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, the other closed it: %v", c.name, closes), func(t *testing.T) {
				db := database(t)
				proxy := pgtest.NewProxy(t, server)
				s, err := pgjournal.Open(t.Context(), proxy.Config(t, db), "Acme", nil)
				require.NoError(t, err)
				defer s.Close()
				require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))

				var other *pgjournal.Store
				proxy.Arm(pgtest.Cut{FromServer: true, After: c.after}, func() {
					other = open(t, server.Config(t, db, "application_name=other"), nil)
					require.NoError(t, other.Append(t.Context(), 2, noted(3, 3)...))
					if closes {
						require.NoError(t, other.Close())
					}
				})
				err = s.Append(t.Context(), 1, noted(2, 2)...)
				require.ErrorIs(t, err, journal.ErrLocked)
				require.ErrorContains(t, err, "unknown whether the entries 2 to 2 were stored")
				require.ErrorContains(t, err, "other, process ")
				require.ErrorIs(t, s.Append(t.Context(), 1, noted(2, 2)...), journal.ErrClosed)
				_, err = collect(s.Read(t.Context()))
				require.ErrorIs(t, err, journal.ErrClosed)
				if closes {
					other = open(t, server.Config(t, db), nil)
				}
				holds(t, other, 3)
			})
		}
	}
}

// TestAWriterThatDoesNotKnowOfItsLoss is one behind a pooler: its lock was lost
// with a session of which it never heard.
func TestAWriterThatDoesNotKnowOfItsLoss(t *testing.T) {
	db := database(t)
	s := open(t, server.Config(t, db), nil)
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	// What a second writer does when it opens the journal.
	server.Exec(t, db, `UPDATE changeover.journal SET token = 'another', holder = 'the other one'`)
	err := s.Append(t.Context(), 1, noted(2, 2)...)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, "nothing was stored")
	require.ErrorContains(t, err, "the other one")
	require.ErrorIs(t, s.Append(t.Context(), 1, noted(2, 2)...), journal.ErrClosed)
	holds(t, open(t, server.Config(t, db), nil), 1)
}

func TestAServerThatIsGone(t *testing.T) {
	db := database(t)
	proxy := pgtest.NewProxy(t, server)
	s, err := pgjournal.Open(t.Context(), proxy.Config(t, db), "Acme", nil)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Append(t.Context(), 0, noted(1, 1)...))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	proxy.Arm(pgtest.Cut{FromServer: true}, func() { proxy.Refuse(true) })
	err = s.Append(ctx, 1, noted(2, 2)...)
	require.ErrorContains(t, err, "it is unknown whether the entries 2 to 2 were stored")
	require.ErrorIs(t, s.Append(t.Context(), 1, noted(2, 2)...), journal.ErrClosed)

	proxy.Refuse(false)
	holds(t, open(t, proxy.Config(t, db), nil), 2) // who opens it again knows
}

func TestTheLockNamesItsHolder(t *testing.T) {
	db := database(t)
	config := server.Config(t, db)
	_, held, err := pgjournal.Holder(t.Context(), config, "Acme", nil)
	require.NoError(t, err)
	require.False(t, held, "there is no journal")

	s := open(t, server.Config(t, db, "application_name=nightly"), nil)
	who, held, err := pgjournal.Holder(t.Context(), config, "Acme", nil)
	require.NoError(t, err)
	require.True(t, held)
	require.Regexp(t, `^nightly, process \d+ on .+ since 20..-..-..T..:..:..Z$`, who)
	_, err = pgjournal.Open(t.Context(), config, "Acme", nil)
	require.ErrorIs(t, err, journal.ErrLocked)
	require.ErrorContains(t, err, "it is held by "+who)
	open2, err := pgjournal.Open(t.Context(), config, "Beta", nil)
	require.NoError(t, err, "another journal is not locked")
	require.NoError(t, open2.Close())

	require.NoError(t, s.Close())
	_, held, err = pgjournal.Holder(t.Context(), config, "Acme", nil)
	require.NoError(t, err)
	require.False(t, held, "it was closed")
}
