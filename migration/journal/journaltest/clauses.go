package journaltest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/migration/journal"
)

// patience bounds the waits of clauses in which a wrong store would block for
// ever.
const patience = 30 * time.Second

func clauses() []clause {
	return []clause{
		{"a new store is empty", "Read yields nothing before anything was appended", nil, isEmpty},
		{"an entry comes back in every field", "what Append stored, Read yields, field by field, the times to the nanosecond", nil, keepsFields},
		{"a batch keeps its order", "the entries of one Append are read in the order in which they were handed over, after those of earlier ones", nil, keepsOrder},
		{"another last entry is refused", "Append returns ErrSeq, stores nothing and goes on when after is not the Seq of the last entry", nil, refusesAfter},
		{"a gap in a batch is refused whole", "Append returns ErrSeq, stores nothing and goes on when the entries do not count on from after", nil, refusesGap},
		{"no entries are no change", "Append without entries stores nothing; it still returns ErrSeq when after is not the last entry", nil, acceptsNothing},
		{"a large entry is stored whole", "an entry of up to journal.MaxEntry bytes of JSON is stored", nil, keepsLarge},
		{"a larger entry is refused or stored whole", "an entry of more than journal.MaxEntry bytes is refused with ErrTooLarge, nothing of its batch is stored, and the store goes on; or it is stored like any other", nil, handlesTooLarge},
		{"what a caller changes afterwards is not stored", "the store keeps nothing that its callers can change after Append, and hands out nothing that they can change for the next reader", nil, keepsItsOwn},
		{"a reader may stop early", "a loop that breaks off is not called again, and the store goes on", nil, stopsEarly},
		{"appending goes on while somebody reads", "a reader in the middle does not stop Append, and is yielded all entries that were stored when it began, in order", nil, readsWhileAppending},
		{"one of many appenders wins", "of several appends after the same entry exactly one succeeds, the others return ErrSeq and store nothing", nil, letsOneWin},
		{"a canceled append stores nothing", "Append returns the error of a context that is done, stores nothing, and goes on under another context", nil, obeysAppendContext},
		{"a canceled read is not a short journal", "Read under a context that is done yields its error, and does not simply end", nil, obeysReadContext},
		{"entries outlive the store", "what Append has acknowledged is read after the storage was opened again, and Append goes on after it", []string{"Reopen"}, survivesReopen},
		{"a second opener is refused", "opening storage that is open returns ErrLocked and does the first store no harm", []string{"OpenSecond"}, excludes},
		{"closing lets the next one in", "storage that was closed can be opened by somebody else, who reads what was stored", []string{"OpenSecond", "Close"}, releases},
		{"a closed store says so", "Append and Read of a closed store return ErrClosed", []string{"Close"}, closes},
		{"a changed entry is found", "Read yields the entries before one that is not as it was written, then one error that is ErrCorrupt, and ends", []string{"Damage"}, findsDamage},
	}
}

func isEmpty(ctx context.Context, h Harness) error {
	return expect(ctx, h.Store, nil)
}

func keepsFields(ctx context.Context, h Harness) error {
	entries := everyField()
	for i, e := range entries {
		if err := h.Store.Append(ctx, uint64(i), e); err != nil {
			return fmt.Errorf("append entry %d: %w", e.Seq, err)
		}
	}
	return expect(ctx, h.Store, entries)
}

func keepsOrder(ctx context.Context, h Harness) error {
	first, then := plain(1, 4), plain(5, 6)
	if err := h.Store.Append(ctx, 0, first...); err != nil {
		return fmt.Errorf("append four entries: %w", err)
	}
	if err := h.Store.Append(ctx, 4, then...); err != nil {
		return fmt.Errorf("append two more: %w", err)
	}
	return expect(ctx, h.Store, append(first, then...))
}

func refusesAfter(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 2)
	if err != nil {
		return err
	}
	for _, after := range []uint64{0, 1, 3, 1 << 63} {
		err := h.Store.Append(ctx, after, plain(after+1, after+1)...)
		if !errors.Is(err, journal.ErrSeq) {
			return fmt.Errorf("append after %d when the last entry is 2: got %v, want ErrSeq", after, err)
		}
	}
	return goesOn(ctx, h.Store, stored)
}

func refusesGap(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 2)
	if err != nil {
		return err
	}
	for _, batch := range [][]uint64{{4}, {2}, {3, 5}, {3, 3}, {3, 4, 4}, {3, 2}, {0}} {
		var entries []journal.Entry
		for _, seq := range batch {
			entries = append(entries, plain(seq, seq)...)
		}
		if err := h.Store.Append(ctx, 2, entries...); !errors.Is(err, journal.ErrSeq) {
			return fmt.Errorf("append a batch numbered %v after 2: got %v, want ErrSeq", batch, err)
		}
	}
	return goesOn(ctx, h.Store, stored)
}

func acceptsNothing(ctx context.Context, h Harness) error {
	if err := h.Store.Append(ctx, 0); err != nil {
		return fmt.Errorf("append nothing to an empty store: %w", err)
	}
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	if err := h.Store.Append(ctx, 1); err != nil {
		return fmt.Errorf("append nothing: %w", err)
	}
	if err := h.Store.Append(ctx, 0); !errors.Is(err, journal.ErrSeq) {
		return fmt.Errorf("append nothing after 0 when the last entry is 1: got %v, want ErrSeq", err)
	}
	return goesOn(ctx, h.Store, stored)
}

func keepsLarge(ctx context.Context, h Harness) error {
	large := sized(1, journal.MaxEntry)
	if err := h.Store.Append(ctx, 0, large); err != nil {
		return fmt.Errorf("append an entry of %d bytes: %w", journal.MaxEntry, err)
	}
	return goesOn(ctx, h.Store, []journal.Entry{large})
}

func handlesTooLarge(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	batch := append(plain(2, 2), sized(3, journal.MaxEntry+1))
	switch err := h.Store.Append(ctx, 1, batch...); {
	case err == nil:
		stored = append(stored, batch...)
	case !errors.Is(err, journal.ErrTooLarge):
		return fmt.Errorf("append an entry of %d bytes: got %v, want nil or ErrTooLarge", journal.MaxEntry+1, err)
	}
	return goesOn(ctx, h.Store, stored)
}

func keepsItsOwn(ctx context.Context, h Harness) error {
	spoil := func(entries []journal.Entry) {
		for _, e := range entries {
			if e.Hold != nil {
				e.Hold.Cause, e.Hold.Environments[0], e.Hold.Verbs[0] = "spoiled", "spoiled", "spoiled"
			}
			if e.Opened != nil {
				e.Opened.Run, e.Opened.Adapters["ServiceCenter"] = "spoiled", "spoiled"
			}
			for i := range e.Testimony {
				e.Testimony[i].By = "spoiled"
			}
			for i := range e.Facts {
				e.Facts[i] = 'x'
			}
		}
	}
	mine := everyField()
	for i, e := range mine {
		if err := h.Store.Append(ctx, uint64(i), e); err != nil {
			return fmt.Errorf("append entry %d: %w", e.Seq, err)
		}
	}
	stored, err := snapshot(ctx, h.Store)
	if err != nil {
		return err
	}
	spoil(mine)
	for _, who := range []string{"the caller changed what it had appended", "a reader changed what it had read"} {
		read, err := collect(h.Store.Read(ctx))
		if err != nil {
			return err
		}
		if string(encode(read)) != stored {
			return fmt.Errorf("the journal is another one after %s", who)
		}
		spoil(read)
	}
	return nil
}

func stopsEarly(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 3)
	if err != nil {
		return err
	}
	for stop := 1; stop <= 3; stop++ {
		calls := 0
		h.Store.Read(ctx)(func(journal.Entry, error) bool {
			calls++
			return calls < stop
		})
		if calls != stop {
			return fmt.Errorf("a reader that wanted %d entries was called %d times", stop, calls)
		}
	}
	return goesOn(ctx, h.Store, stored)
}

func readsWhileAppending(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 3)
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(h.Store.Read(ctx))
	defer stop()
	var read []journal.Entry
	take := func() (bool, error) {
		e, err, ok := next()
		if ok && err == nil {
			read = append(read, e)
		}
		return ok, err
	}
	if _, err := take(); err != nil {
		return err
	}
	appended := make(chan error, 1)
	go func() { appended <- h.Store.Append(ctx, 3, plain(4, 4)...) }()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case err := <-appended:
		if err != nil {
			return fmt.Errorf("append while somebody reads: %w", err)
		}
	case <-limit.C:
		return errors.New("append waits for the reader")
	}
	for {
		ok, err := take()
		if err != nil {
			return fmt.Errorf("read on after an append: %w", err)
		}
		if !ok {
			break
		}
	}
	stored = append(stored, plain(4, 4)...)
	if len(read) < 3 || len(read) > 4 {
		return fmt.Errorf("a reader was yielded %d entries; 3 were stored when it began, 4 when it ended", len(read))
	}
	return compare(read, stored[:len(read)])
}

func letsOneWin(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	const appenders = 8
	results := make([]error, appenders)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range appenders {
		wg.Go(func() {
			e := plain(2, 2)[0]
			e.Attempt = i + 1
			<-start
			results[i] = h.Store.Append(ctx, 1, e)
		})
	}
	close(start)
	wg.Wait()
	won := 0
	for i, err := range results {
		switch {
		case err == nil:
			won++
			winner := plain(2, 2)[0]
			winner.Attempt = i + 1
			stored = append(stored, winner)
		case !errors.Is(err, journal.ErrSeq):
			return fmt.Errorf("an appender got %v, want ErrSeq", err)
		}
	}
	if won != 1 {
		return fmt.Errorf("%d of %d appenders succeeded, want 1", won, appenders)
	}
	return goesOn(ctx, h.Store, stored)
}

func obeysAppendContext(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := h.Store.Append(done, 1, plain(2, 2)...); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("append under a canceled context: got %v, want context.Canceled", err)
	}
	return goesOn(ctx, h.Store, stored)
}

func obeysReadContext(ctx context.Context, h Harness) error {
	if _, err := fill(ctx, h.Store, 2); err != nil {
		return err
	}
	done, cancel := context.WithCancel(ctx)
	defer cancel()
	read := 0
	for _, err := range h.Store.Read(done) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("read under a canceled context: got %v, want context.Canceled", err)
			}
			return nil
		}
		read++
		cancel()
	}
	return fmt.Errorf("read ended without an error after %d of 2 entries", read)
}

func survivesReopen(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 3)
	if err != nil {
		return err
	}
	store, err := h.Reopen()
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	return goesOn(ctx, store, stored)
}

func excludes(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	if _, err := h.OpenSecond(); !errors.Is(err, journal.ErrLocked) {
		return fmt.Errorf("open what is open: got %v, want ErrLocked", err)
	}
	return goesOn(ctx, h.Store, stored)
}

func releases(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 1)
	if err != nil {
		return err
	}
	if err := h.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	second, err := h.OpenSecond()
	if err != nil {
		return fmt.Errorf("open what was closed: %w", err)
	}
	return goesOn(ctx, second, stored)
}

func closes(ctx context.Context, h Harness) error {
	if _, err := fill(ctx, h.Store, 1); err != nil {
		return err
	}
	if err := h.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	if err := h.Store.Append(ctx, 1, plain(2, 2)...); !errors.Is(err, journal.ErrClosed) {
		return fmt.Errorf("append to a closed store: got %v, want ErrClosed", err)
	}
	if _, err := collect(h.Store.Read(ctx)); !errors.Is(err, journal.ErrClosed) {
		return fmt.Errorf("read from a closed store: got %v, want ErrClosed", err)
	}
	return nil
}

func findsDamage(ctx context.Context, h Harness) error {
	stored, err := fill(ctx, h.Store, 3)
	if err != nil {
		return err
	}
	if err := h.Damage(2); err != nil {
		return fmt.Errorf("damage entry 2: %w", err)
	}
	var read []journal.Entry
	var errs []error
	for e, err := range h.Store.Read(ctx) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if len(errs) > 0 {
			return fmt.Errorf("entry %d was yielded after the error %v", e.Seq, errs[0])
		}
		read = append(read, e)
	}
	if len(errs) != 1 || !errors.Is(errs[0], journal.ErrCorrupt) {
		return fmt.Errorf("with entry 2 damaged, read yielded the errors %v, want one ErrCorrupt", errs)
	}
	return compare(read, stored[:1])
}

// fill appends the first n plain entries one by one and returns them.
func fill(ctx context.Context, s journal.Store, n uint64) ([]journal.Entry, error) {
	entries := plain(1, n)
	for i, e := range entries {
		if err := s.Append(ctx, uint64(i), e); err != nil {
			return nil, fmt.Errorf("append entry %d: %w", e.Seq, err)
		}
	}
	return entries, nil
}

// goesOn checks that the store holds exactly stored and takes one entry more.
func goesOn(ctx context.Context, s journal.Store, stored []journal.Entry) error {
	if err := expect(ctx, s, stored); err != nil {
		return err
	}
	last := uint64(len(stored))
	more := plain(last+1, last+1)
	if err := s.Append(ctx, last, more...); err != nil {
		return fmt.Errorf("append entry %d afterwards: %w", last+1, err)
	}
	return expect(ctx, s, append(stored[:last:last], more...))
}

// snapshot returns what the store holds, as text.
func snapshot(ctx context.Context, s journal.Store) (string, error) {
	all, err := collect(s.Read(ctx))
	return string(encode(all)), err
}

// sized returns an entry that takes exactly n bytes of JSON.
func sized(seq uint64, n int) journal.Entry {
	e := plain(seq, seq)[0]
	e.Text = "x"
	e.Text = strings.Repeat("x", n-len(encode(e))+1)
	return e
}
