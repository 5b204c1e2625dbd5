package filejournal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/journal/journaltest"
)

func TestStore(t *testing.T) {
	journaltest.TestStore(t, func(t *testing.T) journaltest.Harness {
		dir := t.TempDir() + "/state"
		open := func() (journal.Store, error) {
			s, err := filejournal.Open(dir, nil)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s, nil
		}
		s, err := filejournal.Open(dir, nil)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return journaltest.Harness{
			Store:      s,
			Reopen:     func() (journal.Store, error) { return second(s.Close(), open) },
			OpenSecond: open,
			Close:      s.Close,
			Damage: func(seq uint64) error {
				name := filepath.Join(dir, "journal.jsonl")
				b, err := os.ReadFile(name)
				lines := bytes.SplitAfter(b, []byte("\n"))
				lines[seq][10] ^= 1
				return errors.Join(err, os.WriteFile(name, bytes.Join(lines, nil), 0o600))
			},
		}
	})
}

func second(err error, open func() (journal.Store, error)) (journal.Store, error) {
	if err != nil {
		return nil, err
	}
	return open()
}
