package filejournal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

// BenchmarkAppend compares an append with a bare write and sync of the same
// bytes, taking turns on one disk, so that both meet the same weather. The
// figure to look at is "x bare".
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 16, 512} {
		b.Run(fmt.Sprintf("batch of %d", batch), func(b *testing.B) {
			dir := filepath.Join(b.TempDir(), "state")
			s, err := filejournal.Open(dir, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			bare, err := os.Create(filepath.Join(b.TempDir(), "bare"))
			if err != nil {
				b.Fatal(err)
			}
			defer bare.Close()
			entries := make([]journal.Entry, batch)
			for i := range entries {
				entries[i] = step(uint64(i) + 1)
			}
			last, at := uint64(0), int64(0)
			next := func() []journal.Entry {
				for i := range entries {
					entries[i].Seq = last + uint64(i) + 1
				}
				return entries
			}
			if err := s.Append(b.Context(), last, next()...); err != nil {
				b.Fatal(err)
			}
			last += uint64(batch)
			info, err := os.Stat(filepath.Join(dir, "journal.jsonl"))
			if err != nil {
				b.Fatal(err)
			}
			line := bytes.Repeat([]byte("x"), int(info.Size()))
			var ours, theirs time.Duration
			b.ReportAllocs()
			for b.Loop() {
				entries := next()
				began := time.Now()
				if err := s.Append(b.Context(), last, entries...); err != nil {
					b.Fatal(err)
				}
				ours += time.Since(began)
				last += uint64(batch)

				began = time.Now()
				if _, err := bare.WriteAt(line, at); err != nil {
					b.Fatal(err)
				}
				if err := bare.Sync(); err != nil {
					b.Fatal(err)
				}
				theirs += time.Since(began)
				at += int64(len(line))
			}
			b.ReportMetric(0, "ns/op") // both together: says nothing
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N*batch), "ns/entry")
			b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
		})
	}
}

// BenchmarkRead reads a journal of 100,000 entries with all its checks, and
// replays it; in turns, the same bytes are read and hashed, and that is all. The
// figures to look at are "entries/s" and "x-bare".
func BenchmarkRead(b *testing.B) {
	const n = 100_000
	dir := filepath.Join(b.TempDir(), "state")
	s, err := filejournal.Open(dir, unsynced)
	if err != nil {
		b.Fatal(err)
	}
	entries := []journal.Entry{{Seq: 1, Epoch: 1, Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format}}}
	for i := range 100 {
		entries = append(entries, journal.Entry{Seq: uint64(i + 2), Epoch: 1, Kind: journal.Begun, Env: environment(i), State: "BackedUp"})
	}
	for seq := uint64(len(entries)); seq < n; {
		seq++
		entries = append(entries, step(seq))
	}
	if err := s.Append(b.Context(), 0, entries...); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	var ours, theirs time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		record, err := journal.Replay(filejournal.Read(b.Context(), dir, nil))
		if err != nil || record.Last != n {
			b.Fatal(err, record)
		}
		ours += time.Since(began)

		began = time.Now()
		if err := hashed(filepath.Join(dir, "journal.jsonl")); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(began)
	}
	b.ReportMetric(0, "ns/op") // both together: says nothing
	b.ReportMetric(float64(n*b.N)/ours.Seconds(), "entries/s")
	b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
}

// hashed reads a file and hashes it.
func hashed(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{sha256.New()}, struct{ io.Reader }{f}, make([]byte, 64<<10))
	return err
}

func environment(i int) string { return fmt.Sprintf("Environment %d", i%100) }

// step is an entry of the usual size: now an intent, now the outcome of it.
func step(seq uint64) journal.Entry {
	e := journal.Entry{
		Seq: seq, Epoch: 1, Time: time.Date(2026, 11, 23, 8, 30, 0, 123456789, time.UTC).Add(time.Duration(seq) * time.Millisecond),
		Kind: journal.Intent, Env: environment(int(seq / 2)), Table: "migration/move", Leg: "move", State: "BackedUp", Effect: "upload", ID: "0123456789abcdef01234567", Attempt: 1,
	}
	if seq%2 == 1 {
		e.Kind, e.Trigger, e.To = journal.Outcome, "uploaded", "BackedUp"
		e.Facts = json.RawMessage(`{"fetched":{"digest":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","role":"target","serial":"AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},"targetSent":true}`)
	}
	return e
}
