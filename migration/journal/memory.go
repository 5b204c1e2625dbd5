package journal

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
)

// Memory is a Store that forgets: for tests and rehearsals. The zero value is
// ready. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	entries []Entry
}

var _ Store = (*Memory)(nil)

// Append implements [Store].
func (m *Memory) Append(ctx context.Context, after uint64, entries ...Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := CheckSeq(uint64(len(m.entries)), after, entries); err != nil {
		return err
	}
	for i := range entries {
		m.entries = append(m.entries, entries[i].clone())
	}
	return nil
}

// Read implements [Store].
func (m *Memory) Read(ctx context.Context) iter.Seq2[Entry, error] {
	m.mu.Lock()
	entries := m.entries[:len(m.entries):len(m.entries)] // which never change
	m.mu.Unlock()
	return func(yield func(Entry, error) bool) {
		for i := range entries {
			if err := ctx.Err(); err != nil {
				yield(Entry{}, err)
				return
			}
			if !yield(entries[i].clone(), nil) {
				return
			}
		}
	}
}

// CheckSeq returns ErrSeq unless after is last and the entries count on from
// it. Stores share it.
func CheckSeq(last, after uint64, entries []Entry) error {
	if after != last {
		return fmt.Errorf("%w: the last entry is %d, not %d", ErrSeq, last, after)
	}
	for i := range entries {
		if seq, want := entries[i].Seq, after+uint64(i)+1; seq != want {
			return fmt.Errorf("%w: entry %d of the batch has number %d, not %d", ErrSeq, i+1, seq, want)
		}
	}
	return nil
}

// clone shares nothing with e that a caller could change.
func (e *Entry) clone() Entry {
	c := *e
	c.Facts = slices.Clone(e.Facts)
	c.Testimony = slices.Clone(e.Testimony)
	if e.Hold != nil {
		h := *e.Hold
		h.Environments, h.Verbs = slices.Clone(h.Environments), slices.Clone(h.Verbs)
		c.Hold = &h
	}
	if e.Opened != nil {
		o := *e.Opened
		o.Adapters = maps.Clone(o.Adapters)
		c.Opened = &o
	}
	return c
}
