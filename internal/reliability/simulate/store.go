package simulate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/changeover-go/changeover/migration/journal"
)

// store is the journal as a program sees it: that of the run that it serves.
type store struct{ s *station }

func (st store) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	err := st.s.store.Append(ctx, after, entries...)
	for _, e := range entries {
		if e.Trigger == "backedUp" && err == nil {
			st.s.fetched--
		}
	}
	return err
}

func (st store) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return st.s.store.Read(ctx)
}

// disk keeps the journal of a run. Appending to it can fail, and the process
// can die at it: before, in the middle, and after.
type disk struct {
	r         *run
	entries   []journal.Entry
	appending bool
	closed    bool // it has failed, and is of no use to this process any more
}

var errDisk = errors.New("input/output error")

// Append implements [journal.Store].
func (d *disk) Append(_ context.Context, after uint64, entries ...journal.Entry) error {
	d.appending = true
	defer func() { d.appending = false }()
	if alive := !d.r.world.Dead(); d.r.world.Point() {
		if alive {
			d.r.count(crashBefore)
		}
		return errDisk
	}
	if d.closed {
		return journal.ErrClosed
	}
	if err := journal.CheckSeq(uint64(len(d.entries)), after, entries); err != nil {
		d.r.fail("the journal is written by two: %v", err)
		return err
	}
	if d.r.badDisk() {
		d.closed = true
		n := d.r.rng.IntN(len(entries) + 1)
		d.entries = append(d.entries, entries[:n]...)
		d.r.count(appendFails)
		d.r.tell("fault: the journal fails, having stored %d of %d entries", n, len(entries))
		return errDisk
	}
	if d.r.world.Point() {
		n := d.r.rng.IntN(len(entries) + 1)
		d.entries = append(d.entries, entries[:n]...)
		if n == len(entries) {
			d.r.count(crashAfter)
		} else {
			d.r.count(crashWithin)
		}
		d.r.tell("it had stored %d of %d entries", n, len(entries))
		return errDisk
	}
	d.entries = append(d.entries, entries...)
	for _, e := range entries {
		d.r.entry(e)
	}
	return nil
}

// Read implements [journal.Store].
func (d *disk) Read(context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		if d.r.world.Dead() {
			yield(journal.Entry{}, errDisk)
			return
		}
		for _, e := range d.entries {
			if d.r.thorough {
				var err error
				if e, err = copied(e); err != nil {
					yield(e, err)
					return
				}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// copied is the entry as it would come from a file.
func copied(e journal.Entry) (c journal.Entry, err error) {
	b, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}

// taken is a journal that another process has open.
type taken struct{}

func (taken) Append(context.Context, uint64, ...journal.Entry) error {
	return fmt.Errorf("somebody else: %w", journal.ErrLocked)
}

func (taken) Read(context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		yield(journal.Entry{}, fmt.Errorf("somebody else: %w", journal.ErrLocked))
	}
}
