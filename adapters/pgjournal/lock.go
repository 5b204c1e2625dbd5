package pgjournal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

const (
	// notice is how long the server may take to notice that the process that
	// had the lock has ended.
	notice = time.Second
	pause  = 20 * time.Millisecond

	tokenLen = 16
)

// lock takes the advisory lock of the journal, which ends with the session. lost
// is a session of our own that the server may not know to have ended, or nil.
func (s *Store) lock(ctx context.Context, on, lost *session) error {
	waiting, cancel := context.WithTimeout(ctx, notice)
	defer cancel()
	for {
		var locked bool
		if err := on.QueryRow(ctx, "SELECT pg_try_advisory_lock($1, $2)", lockClass, s.id).Scan(&locked); err != nil {
			return outside(err)
		}
		if locked {
			return nil
		}
		if lost != nil {
			// A statement of it may still be waiting, and be committed later.
			const sql = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2`
			if _, err := on.Exec(ctx, sql, lost.PgConn().PID(), lost.began); err != nil {
				return outside(err)
			}
		}
		if wait(waiting, pause) != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var holder string
	var since time.Time
	if err := on.QueryRow(ctx, "SELECT holder, since FROM changeover.journal WHERE id = $1", s.id).Scan(&holder, &since); err != nil {
		return outside(err)
	}
	return fmt.Errorf("%w: it is held by %s", journal.ErrLocked, described(holder, since))
}

func newToken() []byte {
	token := make([]byte, tokenLen)
	rand.Read(token) // never fails
	return token
}

// claim gives the journal a token, after which nobody who has another one can
// append, and returns its end. Whoever writes it already must still be the one
// with the token was; nil: whoever it was.
func (s *Store) claim(ctx context.Context, on *session, token, was []byte) (end mark, err error) {
	// It may have the token already, if an earlier answer was lost.
	const sql = `UPDATE changeover.journal SET token = $2, holder = $3, since = now()
		WHERE id = $1 AND ($4::bytea IS NULL OR token IN ($2, $4)) RETURNING seq, epoch, bytes, hash`
	var seq, epoch int64
	err = on.QueryRow(ctx, sql, s.id, token, holderText(on), was).Scan(&seq, &epoch, &end.bytes, &end.hash)
	switch {
	case err == nil:
		end.seq, end.epoch = uint64(seq), uint64(epoch)
		return end, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return mark{}, outside(err)
	}
	var holder string
	var since time.Time
	err = on.QueryRow(ctx, "SELECT holder, since FROM changeover.journal WHERE id = $1", s.id).Scan(&holder, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return mark{}, fmt.Errorf("%w: it was deleted", journal.ErrCorrupt)
	case err != nil:
		return mark{}, outside(err)
	}
	return mark{}, fmt.Errorf("%w: meanwhile it was opened by %s", journal.ErrLocked, described(holder, since))
}

// holderText says who this is, for people.
func holderText(on *session) string {
	text := fmt.Sprintf("%s, process %d", printable.Text(on.Config().RuntimeParams["application_name"]), os.Getpid())
	if host, err := os.Hostname(); err == nil {
		text += " on " + printable.Text(host)
	}
	return text
}

func described(holder string, since time.Time) string {
	if holder == "" {
		holder = "a process that has not said which"
	}
	return printable.Text(holder) + " since " + since.UTC().Format(time.RFC3339)
}

// Holder says who has the journal called name open; held is false if nobody has,
// or there is no such journal. It is for people who look at a run: whoever wants
// to write calls [Open], which decides. It changes nothing. opts may be nil.
func Holder(ctx context.Context, config *pgx.ConnConfig, name string, opts *Options) (who string, held bool, err error) {
	if opts == nil {
		opts = new(Options)
	}
	on, err := reader(ctx, config, opts)
	if err != nil {
		return "", false, fmt.Errorf("journal %q: %w", printable.Text(name), err)
	}
	defer on.end(ctx)
	const sql = `
		SELECT j.holder, j.since FROM changeover.journal j JOIN pg_locks l
		ON l.locktype = 'advisory' AND l.granted AND l.classid = $2::bigint::oid AND l.objid = j.id::oid AND l.objsubid = 2
		AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
		WHERE j.name = $1`
	var since time.Time
	err = on.QueryRow(ctx, sql, name, lockClass).Scan(&who, &since)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("journal %q: %w", printable.Text(name), outside(err))
	}
	return described(who, since), true, nil
}

// release ends lock and session. The lock is ended first, since the server
// notices the end of a session only a moment later.
func (s *Store) release(ctx context.Context) {
	if s.session == nil {
		return
	}
	if len(s.token) > 0 && !s.session.IsClosed() { // else it never had the lock
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		// If that does not succeed, the lock ends with the session.
		_, _ = s.session.Exec(ctx, "SELECT pg_advisory_unlock($1, $2)", lockClass, s.id)
	}
	s.session.end(ctx)
	s.session = nil
}

// wait returns after d, or with an error as soon as ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	over, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-over.Done()
	return ctx.Err()
}

// isDuplicate reports whether a row was to be inserted that is there already.
func isDuplicate(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "23505"
}
