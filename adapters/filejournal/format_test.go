package filejournal_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

// This file is the description of the format in the package comment, written a
// second time: it shares no code with the package.

// sealed ends a line as the package comment says.
func sealed(line string) []byte {
	return fmt.Appendf(nil, "%s,\"hash\":\"%x\"}\n", line, sha256.Sum256([]byte(line)))
}

// headOf is a HEAD whose slots both end at line.
func headOf(seq uint64, line []byte) []byte {
	return append(slotOf(seq, line), slotOf(seq, line)...)
}

func slotOf(seq uint64, line []byte) []byte {
	slot := fmt.Sprintf(`{"version":1,"seq":%d,"epoch":%d,"hash":"%s"`, seq, 1, line[len(line)-67:len(line)-3])
	sum := sha256.Sum256([]byte(slot))
	return fmt.Appendf(nil, "%-4095s\n", fmt.Sprintf(`%s,"sum":"%x"}`, slot, sum[:8]))
}

func TestTheFormatIsTheDocumentedOne(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entries(1, 2)...))
	require.NoError(t, s.Append(t.Context(), 2, entry(3)))
	require.NoError(t, s.Close())

	want := sealed(`{"journal":"changeover","version":1`)
	line, before := want, want
	for _, e := range entries(1, 3) {
		b, err := json.Marshal(e)
		require.NoError(t, err)
		before, line = line, sealed(fmt.Sprintf(`%s,"prev":"%s"`, b[:len(b)-1], line[len(line)-67:len(line)-3]))
		want = append(want, line...)
	}
	got := load(t, dir)
	require.Equal(t, string(want), string(got.journal))
	require.Equal(t, string(slotOf(2, before))+string(slotOf(3, line)), string(got.head), "the slots take turns")
}

// TestGoldenJournals reads a journal of every version of the format. A new
// version adds a directory; none is ever rewritten.
func TestGoldenJournals(t *testing.T) {
	golden := goldenEntries()
	for _, version := range []string{"v1"} {
		t.Run(version, func(t *testing.T) {
			dir, from := stateDir(t), filepath.Join("testdata", version)
			if os.Getenv("UPDATE_GOLDEN") == "1" {
				s, err := filejournal.Open(dir, nil)
				require.NoError(t, err)
				require.NoError(t, s.Append(t.Context(), 0, golden...))
				require.NoError(t, s.Close())
				require.NoError(t, os.MkdirAll(from, 0o755))
				written := load(t, dir)
				require.NoError(t, os.WriteFile(filepath.Join(from, "journal.jsonl"), written.journal, 0o644))
				require.NoError(t, os.WriteFile(filepath.Join(from, "HEAD"), written.head, 0o644))
			}
			store(t, dir, load(t, from))
			got, _, err := open(dir)
			require.NoError(t, err)
			require.Equal(t, golden, got)
			require.Equal(t, load(t, from), load(t, dir), "reading changes nothing")
		})
	}
}

func goldenEntries() []journal.Entry {
	at := time.Date(2026, 11, 23, 8, 30, 0, 123456789, time.UTC)
	return []journal.Entry{
		{Seq: 1, Epoch: 1, Time: at, Kind: journal.Opened, Opened: &journal.Opening{
			Format: 1, Run: "acme", Plan: "9f2c", Procedure: "migration", Definition: "77aa", Verb: "apply", Host: "host", User: "ana",
			Adapters: map[string]string{"LifeTime": "LifeTime API", "ServiceCenter": "attended"},
		}},
		{Seq: 2, Epoch: 1, Time: at, Kind: journal.Begun, Env: "Produção", Table: "migration/move", Leg: "move", State: "Paused"},
		{Seq: 3, Epoch: 1, Time: at, Kind: journal.Intent, Env: "Produção", Table: "migration/move", Leg: "move", State: "Paused", Effect: "fetchLicense", ID: "e1", Attempt: 1},
		{
			Seq: 4, Epoch: 1, Time: at, Kind: journal.Outcome, Env: "Produção", Table: "migration/move", Leg: "move", State: "Paused", Effect: "fetchLicense", ID: "e1", Attempt: 1,
			Trigger: "licenseFetched", To: "LicenseFetched", Testimony: []journal.Testimony{{By: "Ana", At: at, Text: "downloaded \"it\"\n"}},
			Facts: json.RawMessage(`{"fetched":{"digest":"ab<>&","role":"target"},"n":9007199254740993}`),
		},
		{Seq: 5, Epoch: 1, Time: at, Kind: journal.Held, Env: "Produção", Effect: "upload", Condition: "rejected", Text: "turned down", Hold: &journal.Hold{
			Kind: journal.HoldSupport, Cause: "turned down", Effect: "upload", Environments: []string{"Produção"}, Holder: "engine", Since: at, Verbs: []string{"resolve", "rollback"}, Hint: "ask Support",
		}},
		{Seq: 6, Epoch: 1, Time: at, Kind: journal.Released, Env: "Produção", By: "Ana", Text: "corrected"},
	}
}
