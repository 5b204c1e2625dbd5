package pgjournal

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// Conditions of the database, beside those of package journal.
var (
	// ErrOldSchema: the tables are missing, or older than this program.
	ErrOldSchema = errors.New("the tables are older than this program")
	// ErrNewSchema: a newer version of the program has changed the tables.
	ErrNewSchema = errors.New("the tables are newer than this program")
	// ErrReadOnly: the server takes no changes, because it is a standby or was
	// told to take none.
	ErrReadOnly = errors.New("the server is read-only")
	// ErrUnsafe: the server would not keep what it acknowledges, or not as it
	// was written.
	ErrUnsafe = errors.New("the server does not keep what is stored")
)

// A serverError is an error of the driver or the server: safe to print, and with
// what a person can do about it.
type serverError struct {
	err       error
	condition error // nil: none that has a name
	advice    string
}

func (e *serverError) Error() string {
	s := printable.Error(e.err)
	if e.condition != nil {
		s = e.condition.Error() + ": " + s
	}
	if e.advice != "" {
		s += " (" + e.advice + ")"
	}
	return s
}

func (e *serverError) Unwrap() []error {
	if e.condition == nil {
		return []error{e.err}
	}
	return []error{e.condition, e.err}
}

// known says what a code of the server's means for a journal.
var known = []struct {
	code      string // the code, or the class that it begins with
	condition error
	advice    string
}{
	{"25006", ErrReadOnly, "connect to the primary; look at default_transaction_read_only"},
	{"28", nil, "check user and password, and pg_hba.conf on the server"},
	{"3D000", nil, "create the database, then run pgjournal.Migrate"},
	{"3F000", ErrOldSchema, "run pgjournal.Migrate with a role that may create tables"},
	{"42P01", ErrOldSchema, "run pgjournal.Migrate with a role that may create tables"},
	{"42501", nil, "grant the role what the README of pgjournal lists under Permissions"},
	{"53100", journal.ErrFull, "make room on the server's disk; nothing was stored"},
	{"53300", nil, "the server has too many connections: raise max_connections, or use fewer"},
	{"57014", nil, "the statement did not end in time: look for locks in pg_stat_activity"},
	{"57P03", nil, "the server is starting or stopping: try again"},
}

// outside wraps an error of the driver or the server.
func outside(err error) error {
	if err == nil {
		return nil
	}
	e := &serverError{err: err}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		for _, k := range known {
			if len(answer.Code) >= len(k.code) && answer.Code[:len(k.code)] == k.code {
				e.condition, e.advice = k.condition, k.advice
			}
		}
	}
	return e
}

// refused reports whether err is the answer of a server that goes on: then the
// statement has changed nothing. Anything else, and above all an answer that
// ends the session, may come after a commit.
func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.SeverityUnlocalized == "ERROR"
}
