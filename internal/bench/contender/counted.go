package contender

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/changeover-go/changeover/migration/journal"
)

// A Counted store takes down how many entries each append had, so that the
// bytes of each append can be found in the file afterwards.
type Counted struct {
	journal.Store
	Appends []int
}

// Append implements [journal.Store].
func (c *Counted) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	c.Appends = append(c.Appends, len(entries))
	return c.Store.Append(ctx, after, entries...)
}

// Close closes the store.
func (c *Counted) Close() error { return closeStore(c.Store) }

// Chunks returns what each append has written, given the directory that the
// contender was started in.
func (c *Counted) Chunks(dir string) ([][]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, "state", "journal.jsonl"))
	if err != nil {
		return nil, err
	}
	_, b, _ = bytes.Cut(b, []byte("\n")) // the first line says what the file is
	var chunks [][]byte
	for _, lines := range c.Appends {
		end := 0
		for range lines {
			n := bytes.IndexByte(b[end:], '\n')
			if n < 0 {
				return nil, fmt.Errorf("the journal has fewer lines than were appended")
			}
			end += n + 1
		}
		chunks, b = append(chunks, b[:end]), b[end:]
	}
	return chunks, nil
}

// OneByOne is a store that appends each entry by itself: what would be left if
// entries did not share a sync. A check that it passes checks nothing.
type OneByOne struct{ journal.Store }

// Append implements [journal.Store].
func (o OneByOne) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	for _, e := range entries {
		if err := o.Store.Append(ctx, after, e); err != nil {
			return err
		}
		after = e.Seq
	}
	return nil
}

// Close closes the store.
func (o OneByOne) Close() error { return closeStore(o.Store) }

func closeStore(s journal.Store) error {
	if closer, ok := s.(interface{ Close() error }); ok {
		return closer.Close()
	}
	return nil
}
