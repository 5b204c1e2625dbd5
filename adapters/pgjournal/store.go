package pgjournal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// Options are what a store may be given. Nil stands for the zero value.
type Options struct {
	// Patience is how long an append goes on once it has begun, connecting
	// again included; a deadline of its context that comes sooner counts. Zero:
	// 30 seconds.
	Patience time.Duration
	// MaxBytes is how many bytes the entries of a journal may take, of which
	// the last 2 MiB, or the last half of less than 4 MiB, are for the way back.
	// Zero: 1 GiB.
	MaxBytes int64
	// BeforeConnect is called before each connection and may change its
	// configuration, which is a copy: for passwords that change. Nil: not
	// called.
	BeforeConnect func(context.Context, *pgx.ConnConfig) error
}

// What zero fields of [Options] stand for, and what is kept for the way back.
const (
	defaultPatience = 30 * time.Second
	defaultMaxBytes = 1 << 30
	reserve         = 2 << 20
)

// A Store is a journal in a database. [Open] returns it, and [Store.Close] lets
// the next one in. It keeps one connection; every Read has one more while it
// lasts. It is safe for concurrent use.
type Store struct {
	config   *pgx.ConnConfig
	opts     Options
	name     string
	patience time.Duration
	maxBytes int64

	mu       sync.Mutex
	closed   error // why nothing is read or written any more
	session  *session
	id       int32  // of the journal
	token    []byte // of this writer
	last     mark
	reserved int64 // bytes that are kept for the way back
}

var (
	_ journal.Store    = (*Store)(nil)
	_ journal.Reserver = (*Store)(nil)
)

// A batch is the entries of one append as the statement takes them.
type batch struct {
	seqs, epochs []int64
	entries      []string
	hashes       [][]byte
	end          mark // behind the last one
}

// Append implements [journal.Store]. The deadline of ctx holds for it also when
// it has begun; that ctx is canceled does not end it then.
//
// Beside the conditions of the contract it returns journal.ErrLocked when
// somebody else has opened the journal after the connection was lost, and
// journal.ErrCorrupt when the end of the journal is not where this store left it.
// journal.ErrFull also says that the disk of the server is full.
func (s *Store) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return s.closed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := journal.CheckSeq(s.last.seq, after, entries); err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	b, err := s.batch(entries)
	if err != nil {
		return err
	}
	work, cancel := context.WithoutCancel(ctx), context.CancelFunc(nil)
	if deadline, ok := ctx.Deadline(); ok {
		work, cancel = context.WithDeadline(work, deadline)
		defer cancel()
	}
	work, cancel = context.WithTimeout(work, s.patience)
	defer cancel()
	err = s.append(work, b)
	switch {
	case err == nil:
		s.last = b.end
		return nil
	case errors.Is(err, journal.ErrFull):
		return s.located(err)
	default:
		return s.giveUp(work, err)
	}
}

// batch encodes entries that follow the last one, if there is room for them.
func (s *Store) batch(entries []journal.Entry) (batch, error) {
	b := batch{end: s.last}
	for i := range entries {
		text, err := encode(&entries[i])
		if err != nil {
			return batch{}, err
		}
		b.end = b.end.next(entries[i].Seq, entries[i].Epoch, text)
		b.seqs = append(b.seqs, int64(entries[i].Seq))
		b.epochs = append(b.epochs, int64(entries[i].Epoch))
		b.entries = append(b.entries, string(text))
		b.hashes = append(b.hashes, b.end.hash)
	}
	if b.end.bytes > s.maxBytes-s.reserved {
		return batch{}, fmt.Errorf("%w: it has %d bytes; with %d more it would exceed what it may take", journal.ErrFull, s.last.bytes, b.end.bytes-s.last.bytes)
	}
	return b, nil
}

// appendSQL moves the end of the journal on and inserts the entries, or does
// nothing when the end, or the writer, is another one.
const appendSQL = `
	WITH moved AS (
		UPDATE changeover.journal SET seq = $1, epoch = $2, bytes = $3, hash = $4
		WHERE id = $5 AND token = $6 AND seq = $7 AND bytes = $8 AND hash = $9
		RETURNING id
	)
	INSERT INTO changeover.entry (journal, seq, epoch, entry, hash)
	SELECT moved.id, e.seq, e.epoch, e.entry::json, e.hash
	FROM moved, unnest($10::bigint[], $11::bigint[], $12::text[], $13::bytea[]) AS e (seq, epoch, entry, hash)`

// append stores b. When it is unknown whether it did, it looks, and goes on
// until that is known or ctx is done.
func (s *Store) append(ctx context.Context, b batch) error {
	for {
		done, err := s.session.Exec(ctx, appendSQL,
			int64(b.end.seq), int64(b.end.epoch), b.end.bytes, b.end.hash,
			s.id, s.token, int64(s.last.seq), s.last.bytes, s.last.hash,
			b.seqs, b.epochs, b.entries, b.hashes)
		switch {
		case err == nil && done.RowsAffected() == int64(len(b.entries)):
			return nil
		case err == nil:
			return s.explain(ctx)
		case isDuplicate(err):
			return fmt.Errorf("%w: there are entries behind entry %d, the last one: somebody else has written them", journal.ErrCorrupt, s.last.seq)
		case refused(err):
			return fmt.Errorf("nothing was stored: %w", outside(err))
		}
		stored, lookErr := s.look(ctx, b)
		switch {
		case lookErr != nil:
			return fmt.Errorf("it is unknown whether the entries %d to %d were stored: %w; %w", b.seqs[0], b.end.seq, outside(err), lookErr)
		case stored:
			return nil
		}
	}
}

// explain says why a statement that succeeded did nothing.
func (s *Store) explain(ctx context.Context) error {
	var mine bool
	var holder string
	var since time.Time
	err := s.session.QueryRow(ctx, "SELECT token = $2, holder, since FROM changeover.journal WHERE id = $1", s.id, s.token).Scan(&mine, &holder, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("nothing was stored: %w: it was deleted", journal.ErrCorrupt)
	case err != nil:
		return fmt.Errorf("nothing was stored: %w", outside(err))
	case !mine:
		return fmt.Errorf("nothing was stored: %w: it was opened by %s", journal.ErrLocked, described(holder, since))
	default:
		return fmt.Errorf("nothing was stored: %w: its end is not where it was left, behind entry %d", journal.ErrCorrupt, s.last.seq)
	}
}

// ReleaseReserve implements [journal.Reserver].
func (s *Store) ReleaseReserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reserved = 0
	return nil
}

// Read implements [journal.Store]. It reads what is stored when the loop begins,
// entry by entry over a connection of its own.
func (s *Store) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		s.mu.Lock()
		closed, last := s.closed, s.last
		s.mu.Unlock()
		if closed != nil {
			yield(journal.Entry{}, closed)
			return
		}
		readInto(ctx, s.config, s.name, &s.opts, last, yield)
	}
}

// Close ends the lock and the connection. The store then returns
// journal.ErrClosed. It waits for an append that has begun. Closing again does
// nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = journal.ErrClosed
	s.release(context.Background()) // nobody can be asked for another
	return nil
}

// giveUp closes the store after an append of which nobody knows what came of
// it, or that cannot succeed.
func (s *Store) giveUp(ctx context.Context, err error) error {
	err = s.located(err)
	s.closed = fmt.Errorf("%w: an earlier append failed: %w", journal.ErrClosed, err)
	s.release(ctx)
	return err
}

func (s *Store) located(err error) error {
	return fmt.Errorf("journal %q: %w", printable.Text(s.name), err)
}
