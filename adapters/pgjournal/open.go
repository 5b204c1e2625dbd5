package pgjournal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/changeover-go/changeover/migration/journal"
)

// maxName is how many runes the name of a journal may have.
const maxName = 200

// Open opens the journal called name, an empty one if there is none yet, and
// keeps others from opening it. The name is best that of the infrastructure. Of
// config, which pgx.ParseConfig and the Config of a pool return, a copy is made.
// opts may be nil.
//
// The connection must be one session of the server from beginning to end: a
// pooler in between works in session mode only.
//
// It returns journal.ErrLocked, naming who holds it, when the journal is open
// already; journal.ErrCorrupt when its end is not as it was written (the rest is
// checked by whoever reads it); [ErrOldSchema], [ErrNewSchema], [ErrReadOnly] and
// [ErrUnsafe] for a database that cannot keep it. Together with its last entry a
// journal is checked when it is opened; Read and [Verify] check all of it.
func Open(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options) (*Store, error) {
	s := &Store{config: config, name: name, patience: defaultPatience, maxBytes: defaultMaxBytes}
	if opts != nil {
		s.opts = *opts
	}
	if err := s.open(ctx); err != nil {
		s.release(ctx)
		return nil, s.located(err)
	}
	return s, nil
}

// configure takes the options over, and returns everything that is wrong with
// what Open was given.
func (s *Store) configure() error {
	var found []error
	if s.config == nil {
		found = append(found, errors.New("the configuration is nil: take one from pgx.ParseConfig"))
	} else {
		s.config = s.config.Copy()
	}
	switch {
	case s.name == "":
		found = append(found, errors.New("the name is empty: take that of the infrastructure"))
	case !utf8.ValidString(s.name) || strings.ContainsFunc(s.name, unicode.IsControl):
		found = append(found, errors.New("the name has control characters, or is not UTF-8: leave them out"))
	case utf8.RuneCountInString(s.name) > maxName:
		found = append(found, fmt.Errorf("the name has %d characters: at most %d are accepted", utf8.RuneCountInString(s.name), maxName))
	}
	switch {
	case s.opts.Patience < 0:
		found = append(found, fmt.Errorf("the option Patience is %v: take zero for %v", s.opts.Patience, defaultPatience))
	case s.opts.Patience > 0:
		s.patience = s.opts.Patience
	}
	switch {
	case s.opts.MaxBytes < 0:
		found = append(found, fmt.Errorf("the option MaxBytes is %d: take zero for %d", s.opts.MaxBytes, defaultMaxBytes))
	case s.opts.MaxBytes > 0:
		s.maxBytes = s.opts.MaxBytes
	}
	s.reserved = min(reserve, s.maxBytes/2)
	return errors.Join(found...)
}

func (s *Store) open(ctx context.Context) error {
	if err := s.configure(); err != nil {
		return err
	}
	on, err := connect(ctx, s.config, &s.opts)
	if err != nil {
		return err
	}
	s.session = on
	if err := on.check(ctx); err != nil {
		return err
	}
	if _, err := version(ctx, on); err != nil {
		return err
	}
	if s.id, err = s.row(ctx); err != nil {
		return err
	}
	if err := s.lock(ctx, on, nil); err != nil {
		return err
	}
	s.token = newToken()
	if s.last, err = s.claim(ctx, on, s.token, nil); err != nil {
		return err
	}
	if err := s.checkEnd(ctx); err != nil {
		return err
	}
	_, err = on.Prepare(ctx, appendSQL, appendSQL)
	return outside(err)
}

// row returns the ID of the journal, which is created if there is none.
func (s *Store) row(ctx context.Context) (id int32, err error) {
	const find = "SELECT id FROM changeover.journal WHERE name = $1"
	err = s.session.QueryRow(ctx, find, s.name).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		const create = "INSERT INTO changeover.journal (name, hash) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
		if _, err = s.session.Exec(ctx, create, s.name, start(s.name).hash); err == nil {
			err = s.session.QueryRow(ctx, find, s.name).Scan(&id)
		}
	}
	return id, outside(err)
}

// checkEnd compares the end that the journal's row names with the last entry.
func (s *Store) checkEnd(ctx context.Context) error {
	var seq, epoch int64
	var hash []byte
	const sql = "SELECT coalesce(seq, 0), coalesce(epoch, 0), hash FROM changeover.entry WHERE journal = $1 ORDER BY seq DESC LIMIT 1"
	err := s.session.QueryRow(ctx, sql, s.id).Scan(&seq, &epoch, &hash)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		hash = start(s.name).hash
	case err != nil:
		return outside(err)
	}
	if uint64(seq) != s.last.seq || uint64(epoch) != s.last.epoch || !bytes.Equal(hash, s.last.hash) {
		return fmt.Errorf("%w: its last entry is %d, and it is said to end with entry %d, or that was changed: pgjournal.Verify names the entry", journal.ErrCorrupt, seq, s.last.seq)
	}
	return nil
}

// look finds out, after the connection was lost, whether b was stored. Then, or
// if nothing of it was, the store can go on. It tries until it knows or ctx is
// done.
func (s *Store) look(ctx context.Context, b batch) (stored bool, err error) {
	lost, token := s.session, newToken()
	lost.end(ctx)
	for between := pause; ; between = min(2*between, notice) {
		stored, err = s.resume(ctx, lost, token, b)
		if err == nil || final(err) {
			return stored, err
		}
		if wait(ctx, between) != nil {
			return false, err
		}
	}
}

// final reports whether trying again cannot lead to another answer.
func final(err error) bool {
	for _, condition := range []error{journal.ErrLocked, journal.ErrCorrupt, ErrOldSchema, ErrNewSchema, ErrUnsafe} {
		if errors.Is(err, condition) {
			return true
		}
	}
	var answer *pgconn.PgError
	return errors.As(err, &answer) && strings.HasPrefix(answer.Code, "28") // user and password
}

// resume connects again, as the same writer with a new token, and compares.
func (s *Store) resume(ctx context.Context, lost *session, token []byte, b batch) (stored bool, err error) {
	on, err := connect(ctx, s.config, &s.opts)
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			on.end(ctx)
		}
	}()
	if err := on.check(ctx); err != nil {
		return false, err
	}
	if err := s.lock(ctx, on, lost); err != nil {
		return false, err
	}
	end, err := s.claim(ctx, on, token, s.token)
	if err != nil {
		return false, err
	}
	switch {
	case end.equal(b.end):
		stored = true
	case !end.equal(s.last):
		return false, fmt.Errorf("%w: it ends with entry %d, where %d, or %d, was stored: an older copy may have taken its place", journal.ErrCorrupt, end.seq, s.last.seq, b.end.seq)
	}
	if _, err := on.Prepare(ctx, appendSQL, appendSQL); err != nil {
		return false, outside(err)
	}
	s.session, s.token = on, token
	return stored, nil
}
