package pgjournal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

const (
	connectTimeout = 10 * time.Second
	// After a context has ended, this is how long the server has to say what
	// became of the statement that it was then told to give up.
	lastAnswer = 2 * time.Second
	// How long the end of a session may take.
	goodbye = 5 * time.Second
)

// A session is a connection and what the server says of it.
type session struct {
	*pgx.Conn
	began time.Time // by the server's clock; with the process ID it has a session's identity
}

// connect opens a session. Nothing of config is changed.
func connect(ctx context.Context, config *pgx.ConnConfig, opts *Options) (*session, error) {
	config = config.Copy()
	if opts.BeforeConnect != nil {
		if err := opts.BeforeConnect(ctx, config); err != nil {
			return nil, fmt.Errorf("before connecting: %w", outside(err))
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "changeover"
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: lastAnswer}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, outside(err)
	}
	s := &session{Conn: conn}
	if err := s.prepare(ctx); err != nil {
		s.end(ctx)
		return nil, err
	}
	return s, nil
}

// prepare sets what a role or a database may have set otherwise: a commit waits
// for the disk, an idle session stays, and a client that is gone without a word
// is noticed within half a minute.
func (s *session) prepare(ctx context.Context) error {
	const sql = `
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
		UNION ALL SELECT set_config('default_transaction_isolation', 'read committed', false)
		UNION ALL SELECT set_config('idle_session_timeout', '0', false)
		UNION ALL SELECT set_config('tcp_keepalives_idle', '10', false)
		UNION ALL SELECT set_config('tcp_keepalives_interval', '5', false)
		UNION ALL SELECT set_config('tcp_keepalives_count', '3', false)`
	if _, err := s.Exec(ctx, sql); err != nil {
		return outside(err)
	}
	return outside(s.QueryRow(ctx, "SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").Scan(&s.began))
}

// check returns everything about the server that speaks against keeping a
// journal there.
func (s *session) check(ctx context.Context) error {
	var encoding, fsync, readOnly string
	var standby bool
	const sql = `SELECT current_setting('server_encoding'), current_setting('fsync'), current_setting('transaction_read_only'), pg_is_in_recovery()`
	if err := s.QueryRow(ctx, sql).Scan(&encoding, &fsync, &readOnly, &standby); err != nil {
		return outside(err)
	}
	var found []error
	if encoding != "UTF8" {
		found = append(found, fmt.Errorf("%w: the database has the encoding %q: create one with the encoding UTF8", ErrUnsafe, encoding))
	}
	if fsync != "on" {
		found = append(found, fmt.Errorf("%w: fsync is off, so that a power cut may lose any of it: set fsync=on", ErrUnsafe))
	}
	switch {
	case standby:
		found = append(found, fmt.Errorf("%w: it is a standby: connect to the primary", ErrReadOnly))
	case readOnly != "off":
		found = append(found, fmt.Errorf("%w: default_transaction_read_only is on for this server, database or role", ErrReadOnly))
	}
	return errors.Join(found...)
}

// end ends the session, even if ctx is done. What is wrong with a connection
// that nobody uses any more is of no interest.
func (s *session) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	_ = s.Close(ctx)
}
