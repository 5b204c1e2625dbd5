package pgjournal

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Report says what [Verify] found in a journal that is whole.
type Report struct {
	Entries uint64 // how many there are
	Epoch   uint64 // of the last entry
	Bytes   int64  // of all entries
	Hash    string // of the last entry, in hex; empty if there is none
}

// Verify reads the journal called name from the first to the last entry, checks
// every one, and compares the end with what the journal's row says. It needs no
// lock and changes nothing, so it may run beside the process that writes, and on
// a standby. Its error names the first entry that is not as it was written; see
// [journal.Store]. A journal that does not exist has no entries. opts may be nil.
func Verify(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options) (Report, error) {
	end, err := read(ctx, config, name, opts, mark{}, func(journal.Entry) bool { return true })
	if err != nil || end.seq == 0 {
		return Report{}, err
	}
	return Report{Entries: end.seq, Epoch: end.epoch, Bytes: end.bytes, Hash: hex.EncodeToString(end.hash)}, nil
}

// Read reads the journal called name as [Store.Read] does, but without a lock, so
// that a journal can be looked at while another process writes it, and on a
// standby. A journal that does not exist yields nothing. opts may be nil.
func Read(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		readInto(ctx, config, name, opts, mark{}, yield)
	}
}

// readInto yields the entries and one error, if there is one.
func readInto(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options, known mark, yield func(journal.Entry, error) bool) {
	_, err := read(ctx, config, name, opts, known, func(e journal.Entry) bool { return yield(e, nil) })
	if err != nil && !errors.Is(err, errStop) {
		yield(journal.Entry{}, err)
	}
}

// errStop ends a reading that nobody wants to go on.
var errStop = errors.New("stopped")

// reader opens a session that looks at journals.
func reader(ctx context.Context, config *pgx.ConnConfig, opts *Options) (*session, error) {
	if config == nil {
		return nil, errors.New("the configuration is nil: take one from pgx.ParseConfig")
	}
	on, err := connect(ctx, config, opts)
	if err != nil {
		return nil, err
	}
	if _, err := version(ctx, on); err != nil {
		on.end(ctx)
		return nil, err
	}
	return on, nil
}

// read hands the entries to each, which ends it by returning false, and returns
// the end of the journal. known is a place that the journal must have.
func read(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options, known mark, each func(journal.Entry) bool) (end mark, err error) {
	if opts == nil {
		opts = new(Options)
	}
	defer func() {
		switch ended := ctx.Err(); {
		case err == nil || errors.Is(err, errStop):
		case ended != nil && !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, ended):
			err = ended // whatever the driver makes of it
		default:
			err = fmt.Errorf("journal %q: %w", printable.Text(name), err)
		}
	}()
	on, err := reader(ctx, config, opts)
	if err != nil {
		return mark{}, err
	}
	defer on.end(ctx)
	// One snapshot, so that the end belongs to the entries.
	tx, err := on.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return mark{}, outside(err)
	}
	var id int32
	var seq, epoch int64
	const sql = "SELECT id, seq, epoch, bytes, hash FROM changeover.journal WHERE name = $1"
	err = tx.QueryRow(ctx, sql, name).Scan(&id, &seq, &epoch, &end.bytes, &end.hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows) && known.seq > 0:
		return mark{}, fmt.Errorf("%w: it was deleted", journal.ErrCorrupt)
	case errors.Is(err, pgx.ErrNoRows):
		return mark{}, nil
	case err != nil:
		return mark{}, outside(err)
	}
	end.seq, end.epoch = uint64(seq), uint64(epoch)
	at := start(name)
	if err := entries(ctx, tx, id, &at, known, each); err != nil {
		return mark{}, err
	}
	switch {
	case at.seq < end.seq || at.seq < known.seq:
		return mark{}, fmt.Errorf("%w: entry %d is missing: it was cut, and ended with entry %d", journal.ErrCorrupt, at.seq+1, max(end.seq, known.seq))
	case !at.equal(end):
		return mark{}, fmt.Errorf("%w: entry %d is the last one, and not the one with which it is said to end, %d", journal.ErrCorrupt, at.seq, end.seq)
	}
	return end, nil
}

// entries reads the entries of a journal and moves at behind each.
func entries(ctx context.Context, tx pgx.Tx, id int32, at *mark, known mark, each func(journal.Entry) bool) (err error) {
	// What is larger than any entry can be stays where it is.
	const sql = `
		SELECT seq, epoch, octet_length(entry::text), CASE WHEN octet_length(entry::text) <= $2 THEN entry::text END, hash
		FROM changeover.entry WHERE journal = $1 ORDER BY seq`
	rows, err := tx.Query(ctx, sql, id, journal.MaxEntry)
	if err != nil {
		return outside(err)
	}
	defer func() {
		if err != nil {
			_ = tx.Conn().PgConn().Conn().Close() // instead of reading the rest
		}
		rows.Close()
	}()
	var row storedRow
	for rows.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		row = storedRow{}
		if err := rows.Scan(&row.seq, &row.epoch, &row.size, &row.entry, &row.hash); err != nil {
			return fmt.Errorf("%w: the entry behind %d cannot be read: %w", journal.ErrCorrupt, at.seq, outside(err))
		}
		e, err := row.check(at)
		if err != nil {
			return err
		}
		if at.seq == known.seq && !at.equal(known) {
			return fmt.Errorf("%w: entry %d, or one before it, was replaced since it was written", journal.ErrCorrupt, at.seq)
		}
		if !each(e) {
			return errStop
		}
	}
	return outside(rows.Err())
}

// A storedRow is an entry as it stands in the table; anything in it may have been
// changed, or be missing.
type storedRow struct {
	seq, epoch, size *int64
	entry, hash      []byte
}

// check returns the entry if it follows at, which it moves behind it.
func (r *storedRow) check(at *mark) (journal.Entry, error) {
	corrupt := func(what string, args ...any) (journal.Entry, error) {
		return journal.Entry{}, fmt.Errorf("%w: entry %s", journal.ErrCorrupt, fmt.Sprintf(what, args...))
	}
	want := at.seq + 1
	switch {
	case r.seq == nil || r.epoch == nil:
		return corrupt("%d has no number, or no epoch", want)
	case *r.seq > 0 && uint64(*r.seq) == at.seq:
		return corrupt("%d is there twice", at.seq)
	case *r.seq < 0 || uint64(*r.seq) < want:
		return corrupt("%d has a number that no entry can have", *r.seq)
	case uint64(*r.seq) > want:
		return corrupt("%d is missing: entry %d follows entry %d", want, *r.seq, at.seq)
	case r.size == nil:
		return corrupt("%d is empty", want)
	case r.entry == nil:
		return corrupt("%d has %d bytes, more than any entry can", want, *r.size)
	}
	next := at.next(want, uint64(*r.epoch), r.entry)
	if !bytes.Equal(next.hash, r.hash) {
		return corrupt("%d was changed, or does not follow from the one before it: its bytes do not have its hash", want)
	}
	e, err := decode(r.entry)
	switch {
	case err != nil:
		return journal.Entry{}, fmt.Errorf("entry %d: %w", want, err)
	case e.Seq != want || e.Epoch != next.epoch:
		return corrupt("%d was changed: it says of itself that it is entry %d of epoch %d", want, e.Seq, e.Epoch)
	}
	*at = next
	return e, nil
}
