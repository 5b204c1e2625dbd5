package filejournal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/migration/journal"
)

// unsynced spares a test that opens thousands of journals the disk. What is
// tested there is what is read, not what survives.
var unsynced = &filejournal.Options{Ballast: -1, Disk: disktest.Unsynced()}

// stateDir returns a directory as a store creates it.
func stateDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	require.NoError(t, os.Mkdir(dir, 0o700))
	return dir
}

func entry(seq uint64) journal.Entry {
	e := journal.Entry{Seq: seq, Epoch: 1 + seq/4, Time: time.Date(2026, 11, 23, 8, 30, int(seq), 0, time.UTC), Kind: journal.Noted, Env: "Quality", Text: "número " + fmt.Sprint(seq)}
	if seq%2 == 0 {
		e.Facts = json.RawMessage(`{"targetSent":true}`)
	}
	return e
}

func entries(first, last uint64) []journal.Entry {
	var all []journal.Entry
	for seq := first; seq <= last; seq++ {
		all = append(all, entry(seq))
	}
	return all
}

// state is what the two files of a directory contain; nil: there is none.
type state struct{ journal, head []byte }

func load(t *testing.T, dir string) state {
	t.Helper()
	var s state
	for name, into := range map[string]*[]byte{"journal.jsonl": &s.journal, "HEAD": &s.head} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if !os.IsNotExist(err) {
			require.NoError(t, err)
			*into = b
		}
	}
	return s
}

func store(t *testing.T, dir string, s state) {
	t.Helper()
	for name, b := range map[string][]byte{"journal.jsonl": s.journal, "HEAD": s.head} {
		// Created anew: some file systems write out at once what is truncated.
		name = filepath.Join(dir, name)
		require.NoError(t, os.RemoveAll(name))
		if b != nil {
			require.NoError(t, os.WriteFile(name, b, 0o600))
		}
	}
}

// history writes n entries one by one and returns the state after each; the
// first is the state before them.
func history(t *testing.T, dir string, n uint64) []state {
	t.Helper()
	s, err := filejournal.Open(dir, unsynced)
	require.NoError(t, err)
	states := []state{load(t, dir)}
	for seq := range n {
		require.NoError(t, s.Append(t.Context(), seq, entry(seq+1)))
		states = append(states, load(t, dir))
	}
	require.NoError(t, s.Close())
	return states
}

// open opens the directory, reads all of it and closes it again.
func open(dir string) (got []journal.Entry, repaired int64, err error) {
	s, err := filejournal.Open(dir, unsynced)
	if err != nil {
		return nil, 0, err
	}
	for e, err := range s.Read(context.Background()) {
		if err != nil {
			return got, 0, fmt.Errorf("Open accepts what Read does not: %w", err)
		}
		got = append(got, e)
	}
	return got, s.Repaired(), s.Close()
}

// refused requires that neither Open nor Verify nor Read accept the directory,
// that they do so for one reason, and that it contains where.
func refused(t *testing.T, dir string, want error, where string) {
	t.Helper()
	before := load(t, dir)
	_, _, err := open(dir)
	require.ErrorIs(t, err, want)
	require.Contains(t, err.Error(), where)
	_, verified := filejournal.Verify(t.Context(), dir, nil)
	require.EqualError(t, verified, err.Error())
	for _, read := range filejournal.Read(t.Context(), dir, nil) {
		if read != nil {
			require.EqualError(t, read, err.Error())
			require.Equal(t, before, load(t, dir), "what was refused was changed")
			return
		}
	}
	t.Fatal("Read accepts what Open refuses")
}

func TestAJournalCutAnywhereIsAPrefixOrRefused(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	states := history(t, dir, 6)
	whole := states[6].journal
	ends := []int{0} // where the lines end; the header's first
	for i, c := range whole {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	for head, s := range states {
		for cut := range len(whole) + 1 {
			if head%3 != 0 && cut%7 != head {
				continue // each byte for the HEAD of none, half and all entries
			}
			lines, _ := slices.BinarySearch(ends, cut+1)
			lines-- // whole lines before the cut
			store(t, dir, state{whole[:cut], s.head})
			have := max(lines-1, 0)
			if have < head || s.head == nil && have > 0 {
				refused(t, dir, journal.ErrCorrupt, map[bool]string{true: "HEAD is missing", false: "cut or replaced"}[s.head == nil])
				continue
			}
			got, repaired, err := open(dir)
			require.NoError(t, err, "HEAD of entry %d, cut at %d", head, cut)
			require.Len(t, got, have)
			require.EqualValues(t, cut-ends[lines], repaired)
			require.Equal(t, whole[:ends[lines]], load(t, dir).journal)
			require.NoError(t, appendOne(dir, uint64(have)))
			got, repaired, err = open(dir)
			require.NoError(t, err)
			require.Equal(t, entries(1, uint64(have+1)), got)
			require.Zero(t, repaired)
		}
	}
}

func appendOne(dir string, after uint64) error {
	s, err := filejournal.Open(dir, unsynced)
	if err != nil {
		return err
	}
	if err := s.Append(context.Background(), after, entry(after+1)); err != nil {
		return err
	}
	return s.Close()
}

func TestZerosBehindTheJournalAreCut(t *testing.T) {
	dir := stateDir(t)
	states := history(t, dir, 3)
	for _, text := range []string{"", `{"seq":4,"ep`} {
		for _, zeros := range []int{1, 511, 4096, 3 << 20} {
			tail := append([]byte(text), make([]byte, zeros)...)
			store(t, dir, state{slices.Concat(states[3].journal, tail), states[3].head})
			report, err := filejournal.Verify(t.Context(), dir, nil)
			require.NoError(t, err)
			require.EqualValues(t, len(tail), report.Unfinished)
			got, repaired, err := open(dir)
			require.NoError(t, err)
			require.Equal(t, entries(1, 3), got)
			require.EqualValues(t, len(tail), repaired)
			require.Equal(t, states[3], load(t, dir))
		}
	}
}

func TestEveryChangedByteOfTheJournalIsFoundInItsLine(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	whole := history(t, dir, 5)[5]
	line := 1
	for i, c := range whole.journal {
		for _, mask := range []byte{0x01, 0x20, 0xff} {
			changed := bytes.Clone(whole.journal)
			changed[i] ^= mask
			store(t, dir, state{changed, whole.head})
			if line == 1 {
				_, _, err := open(dir)
				require.Error(t, err)
				if strings.Contains(err.Error(), journal.ErrForeign.Error()) {
					continue // the version was changed
				}
			}
			refused(t, dir, journal.ErrCorrupt, fmt.Sprintf("line %d:", line))
		}
		if c == '\n' {
			line++
		}
	}
}

func TestEveryChangedByteOfHEADIsNoticed(t *testing.T) {
	t.Parallel()
	dir := stateDir(t)
	whole := history(t, dir, 5)[5]
	for i := range whole.head {
		if whole.head[i] == ' ' && i%97 != 0 {
			continue // one space is like another
		}
		for _, mask := range []byte{0x01, 0x20, 0xff} {
			changed := bytes.Clone(whole.head)
			changed[i] ^= mask
			store(t, dir, state{whole.journal, changed})
			report, err := filejournal.Verify(t.Context(), dir, nil)
			require.NoError(t, err)
			require.Equal(t, 1, report.DamagedSlots)
			got, _, err := open(dir)
			require.NoError(t, err, "one slot is enough")
			require.Len(t, got, 5)

			half := len(changed) / 2
			changed[(i+half)%len(changed)] ^= mask
			store(t, dir, state{whole.journal, changed})
			refused(t, dir, journal.ErrCorrupt, "HEAD is missing or damaged")
		}
	}
}

func TestRecordsLostRepeatedOrMovedAreFoundInTheirLine(t *testing.T) {
	dir := stateDir(t)
	whole := history(t, dir, 6)[6]
	lines := bytes.SplitAfter(bytes.TrimSuffix(whole.journal, nil), []byte("\n"))
	lines = lines[:len(lines)-1]
	try := func(what string, line int, changed ...[][]byte) {
		t.Helper()
		t.Log(what)
		store(t, dir, state{bytes.Join(slices.Concat(changed...), nil), whole.head})
		refused(t, dir, journal.ErrCorrupt, fmt.Sprintf("line %d:", line))
	}
	for i := range lines {
		n := i + 1
		try(fmt.Sprintf("line %d is lost", n), n, lines[:i], lines[i+1:])
		try(fmt.Sprintf("line %d is there twice", n), n+1, lines[:i+1], lines[i:])
		for j := i + 1; j < len(lines); j++ {
			swapped := slices.Clone(lines)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			try(fmt.Sprintf("lines %d and %d are exchanged", n, j+1), n, swapped)
			try(fmt.Sprintf("line %d is copied behind line %d", n, j+1), j+2, lines[:j+1], lines[i:i+1], lines[j+1:])
		}
		try(fmt.Sprintf("an empty line stands before line %d", n), n, lines[:i], [][]byte{[]byte("\n")}, lines[i:])
		store(t, dir, state{bytes.Join(slices.Concat(lines[:i], [][]byte{bytes.Repeat([]byte("x"), 2<<20), []byte("\n")}, lines[i:]), nil), whole.head})
		refused(t, dir, journal.ErrCorrupt, fmt.Sprintf("line %d: it is longer than any line can be", n))
	}
}

func TestAnotherJournalInItsPlaceIsRefused(t *testing.T) {
	dir, otherDir := stateDir(t), stateDir(t)
	mine := history(t, dir, 3)[3]
	s, err := filejournal.Open(otherDir, unsynced)
	require.NoError(t, err)
	for seq := range uint64(5) {
		e := entry(seq + 1)
		e.Env = "Production"
		require.NoError(t, s.Append(t.Context(), seq, e))
	}
	require.NoError(t, s.Close())
	other := load(t, otherDir)
	store(t, dir, state{other.journal, mine.head})
	refused(t, dir, journal.ErrCorrupt, "cut or replaced")

	lines, others := bytes.SplitAfter(mine.journal, []byte("\n")), bytes.SplitAfter(other.journal, []byte("\n"))
	for n := 2; n < 5; n++ { // ours up to line n, then the other's, with its HEAD
		store(t, dir, state{bytes.Join(slices.Concat(lines[:n], others[n:]), nil), other.head})
		refused(t, dir, journal.ErrCorrupt, fmt.Sprintf("line %d: it does not follow", n+1))
	}
}

func TestAnOlderDirectoryIsRefusedByAHEADElsewhere(t *testing.T) {
	parent := stateDir(t)
	dir, headDir := filepath.Join(parent, "state"), filepath.Join(parent, "head")
	opts := &filejournal.Options{HeadDir: headDir, Ballast: -1, Disk: unsynced.Disk}
	s, err := filejournal.Open(dir, opts)
	require.NoError(t, err)
	var older []state
	for seq := range uint64(4) {
		require.NoError(t, s.Append(t.Context(), seq, entry(seq+1)))
		older = append(older, load(t, dir))
	}
	require.NoError(t, s.Close())
	require.Nil(t, older[0].head, "HEAD is elsewhere")

	for _, old := range older[:3] {
		store(t, dir, old)
		_, err := filejournal.Open(dir, opts)
		require.ErrorIs(t, err, journal.ErrCorrupt)
		require.ErrorContains(t, err, "cut or replaced")
	}
	store(t, dir, older[3])
	s, err = filejournal.Open(dir, opts)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = filejournal.Open(dir, nil)
	require.ErrorIs(t, err, journal.ErrCorrupt, "without naming the place of HEAD")
}

func TestAnotherVersionIsRefusedAsForeign(t *testing.T) {
	dir := stateDir(t)
	whole := history(t, dir, 2)[2]
	lines := bytes.SplitAfter(whole.journal, []byte("\n"))
	t.Run("the format is newer", func(t *testing.T) {
		store(t, dir, state{slices.Concat(sealed(`{"journal":"changeover","version":2,"codec":"x"`), lines[1], lines[2]), whole.head})
		refused(t, dir, journal.ErrForeign, "line 1:")
	})
	t.Run("an entry has a member that is unknown", func(t *testing.T) {
		dir := stateDir(t)
		prev := string(lines[0][len(lines[0])-67 : len(lines[0])-3])
		newer := sealed(`{"seq":1,"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted","mood":"good","prev":"` + prev + `"`)
		store(t, dir, state{slices.Concat(lines[0], newer), headOf(1, newer)})
		refused(t, dir, journal.ErrForeign, "line 2:")
	})
	t.Run("an entry with a right hash is no JSON", func(t *testing.T) {
		dir := stateDir(t)
		prev := string(lines[0][len(lines[0])-67 : len(lines[0])-3])
		newer := sealed(`{"seq":1,"epoch":1,"time":noon,"prev":"` + prev + `"`)
		store(t, dir, state{slices.Concat(lines[0], newer), headOf(1, newer)})
		refused(t, dir, journal.ErrCorrupt, "line 2:")
	})
	t.Run("an entry with a right hash has a wrong number", func(t *testing.T) {
		dir := stateDir(t)
		prev := string(lines[0][len(lines[0])-67 : len(lines[0])-3])
		newer := sealed(`{"seq":7,"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted","prev":"` + prev + `"`)
		store(t, dir, state{slices.Concat(lines[0], newer), headOf(1, newer)})
		refused(t, dir, journal.ErrCorrupt, "line 2: it is numbered 7")
	})
}

func TestVerifyReports(t *testing.T) {
	dir := stateDir(t)
	states := history(t, dir, 5)
	report, err := filejournal.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	last := states[5].journal
	require.Equal(t, filejournal.Report{Entries: 5, Epoch: 2, Hash: string(last[len(last)-67 : len(last)-3]), Bytes: int64(len(last))}, report)

	store(t, dir, state{append(bytes.Clone(last), `{"seq":6`...), states[3].head})
	report, err = filejournal.Verify(t.Context(), dir, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, report.Unvouched)
	require.EqualValues(t, 8, report.Unfinished)

	t.Run("a directory without a journal", func(t *testing.T) {
		report, err := filejournal.Verify(t.Context(), stateDir(t), nil)
		require.NoError(t, err)
		require.Equal(t, filejournal.Report{}, report)
	})
	t.Run("no directory", func(t *testing.T) {
		dir := filepath.Join(stateDir(t), "none")
		_, err := filejournal.Verify(t.Context(), dir, nil)
		require.ErrorIs(t, err, os.ErrNotExist)
		require.NoDirExists(t, dir)
	})
	t.Run("a canceled context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := filejournal.Verify(ctx, dir, nil)
		require.ErrorIs(t, err, context.Canceled)
	})
}
