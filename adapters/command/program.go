package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
)

// DefaultTimeout is how long a call may take when Options.Timeout is zero. It
// is enough for a publish; a program that asks a person needs more.
const DefaultTimeout = 30 * time.Minute

// Options say which program answers, and what it is given.
type Options struct {
	// Path is the program, an absolute path. It is started directly, never
	// through a shell; a script needs a first line that names its interpreter,
	// or has the interpreter here and itself among Args. Required.
	Path string
	// Args are the arguments, the same for every call. Whoever may list the
	// processes of the machine can read them: put no secret here.
	Args []string
	// Env is the whole environment of the program, of the form NAME=value;
	// nothing is inherited. (Windows adds SYSTEMROOT if it is missing.)
	// Passwords and tokens that the program needs may be handed on here; they
	// are not hidden in what the program prints.
	Env []string
	// Dir is the folder that the program works in, an absolute path; empty:
	// the folder of Path.
	Dir string
	// Timeout is how long one call may take; zero: [DefaultTimeout].
	Timeout time.Duration
	// Log is called with every line that the program writes to stderr, of
	// which [printable text] is left, without activation codes and license
	// bytes that the call handed to it. It is called while the program is
	// running, one line after the other, and for several calls at the same
	// time. It must not block: lines that it has not taken 2 seconds after the
	// program has ended leave the outcome unknown. nil: lines are dropped.
	//
	// [printable text]: https://pkg.go.dev/github.com/changeover-go/changeover/internal/printable
	Log func(line string)
	// Lock is a locked file that the program inherits (as descriptor 3, which
	// it need not know): the lock is held until the program has ended too,
	// even if this process dies before (reliability.md G11). It is for
	// adapters/filejournal.Store.LockFile. nil: none. Refused on Windows,
	// where files cannot be inherited this way.
	Lock *os.File
	// Describe says in a few words what the program is, for the journal and
	// for errors; empty: "program" and Path.
	Describe string
}

// A Program answers for every port by starting a program once for each call. It
// is safe for concurrent use.
type Program struct {
	path, dir, describe string
	args, env           []string
	timeout, patience   time.Duration
	log                 func(line string)
	lock                *os.File
}

var (
	_ adapters.LicensePortal   = (*Program)(nil)
	_ adapters.ServiceCenter   = (*Program)(nil)
	_ adapters.LicenseBackuper = (*Program)(nil)
	_ adapters.LifeTime        = (*Program)(nil)
	_ adapters.BackupVault     = (*Program)(nil)
	_ adapters.SupportDesk     = (*Program)(nil)
	_ adapters.Operator        = (*Program)(nil)
	_ adapters.Describer       = (*Program)(nil)
)

// New returns a program. It reports everything that is wrong with o; it does
// not look at the program itself, which may be put in place later.
func New(o Options) (*Program, error) {
	var wrong []error
	refuse := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf("command: "+format, args...)) }
	if !filepath.IsAbs(o.Path) {
		refuse("the path %q is not absolute: which program is started must not depend on a folder or a search path", printable.Text(o.Path))
	}
	if o.Dir != "" && !filepath.IsAbs(o.Dir) {
		refuse("the folder %q is not absolute", printable.Text(o.Dir))
	}
	if strings.ContainsRune(o.Path+o.Dir, 0) {
		refuse("a path contains a zero byte")
	}
	for i, a := range o.Args {
		if strings.ContainsRune(a, 0) {
			refuse("argument %d contains a zero byte", i+1)
		}
	}
	for i, e := range o.Env { // never shown: it may be a password
		if name, _, ok := strings.Cut(e, "="); !ok || name == "" || strings.ContainsRune(e, 0) {
			refuse("entry %d of the environment is not of the form NAME=value", i+1)
		}
	}
	if o.Timeout < 0 {
		refuse("the time for a call is %v; it cannot be negative", o.Timeout)
	}
	if o.Lock != nil && !inherits {
		refuse("a program cannot inherit a lock on this system: leave Lock out")
	}
	if wrong != nil {
		return nil, errors.Join(wrong...)
	}
	p := &Program{
		path: o.Path, dir: o.Dir, describe: printable.Text(o.Describe), log: o.Log, lock: o.Lock,
		args: slices.Clone(o.Args), env: append([]string{}, o.Env...), // not nil, which would inherit
		timeout: o.Timeout, patience: patience,
	}
	if p.dir == "" {
		p.dir = filepath.Dir(p.path)
	}
	if p.describe == "" {
		p.describe = "program " + printable.Text(p.path)
	}
	if p.timeout == 0 {
		p.timeout = DefaultTimeout
	}
	return p, nil
}

// Describe implements [adapters.Describer].
func (p *Program) Describe() string { return p.describe }

// call makes one call: take turns the program's answer into the port's, and
// refuses what cannot be true.
func call[Q, A, R any](ctx context.Context, p *Program, m method[Q, A], about string, q Q, s secrets, take func(A) (R, error)) (R, error) {
	var zero R
	where := p.describe + ": " + m.name
	if about != "" {
		where += ` of "` + printable.Text(about) + `"`
	}
	unknown := func(why string) error { return fmt.Errorf("%s: %w: %s", where, adapters.ErrUncertain, why) }

	request, err := m.request(q)
	if err != nil || len(request) > maxMessage {
		return zero, fmt.Errorf("%s: a request that cannot be written: %w", where, adapters.ErrUnsupported)
	}
	e := p.run(ctx, request, s)
	switch {
	case errors.Is(e.err, errNotStarted):
		return zero, fmt.Errorf("%s: %w: %w", where, adapters.ErrNotReached, e.err)
	case e.err != nil:
		return zero, fmt.Errorf("%s: %w: %w", where, adapters.ErrUncertain, e.err)
	case e.code == exitDone:
		var a A
		said, err := m.read(e.stdout, &a)
		var r R
		if err == nil {
			r, err = take(a)
		}
		if err != nil {
			return zero, unknown("its answer cannot be taken: " + s.text(err.Error()))
		}
		testify(ctx, s, said)
		return r, nil
	}

	// Not done: what it says may be followed by nothing, or by who stated it.
	reason := ""
	if e.last != "" {
		reason = ": " + e.last
	}
	var said []testimony
	if len(e.stdout) > 0 {
		said, err = m.read(e.stdout, new(none))
	}
	condition := conditionOf(e.code)
	switch {
	case condition == nil:
		testify(ctx, s, said)
		return zero, unknown(fmt.Sprintf("it ended with exit code %d", e.code) + reason)
	case err != nil:
		return zero, unknown(fmt.Sprintf("it ended with the exit code of %s, but wrote what does not belong to it: %s", condition.Condition(), s.text(err.Error())) + reason)
	}
	testify(ctx, s, said)
	return zero, fmt.Errorf("%s: %w%s", where, condition, reason)
}

// read reads an answer into what a points to.
func (m method[Q, A]) read(text []byte, a any) ([]testimony, error) {
	var head answerHead
	err := read(text, &head, a)
	switch {
	case err != nil:
		return nil, err
	case head.Version != schemaVersion:
		return nil, fmt.Errorf("it is of version %d, not %d", head.Version, schemaVersion)
	case head.Method != m.name:
		return nil, errors.New("it is the answer of another method: " + head.Method)
	}
	return head.Testimony, nil
}

// What is kept of what a program says that somebody stated: a journal takes
// entries of some size only (journal.MaxEntry).
const (
	maxTestimony   = 2000 // bytes of one
	maxTestimonies = 100
)

// testify puts on record what the program says that somebody stated.
func testify(ctx context.Context, s secrets, said []testimony) {
	for _, t := range said[:min(len(said), maxTestimonies)] {
		text := s.hide(t.Text)
		if len(text) > maxTestimony {
			text = strings.ToValidUTF8(text[:maxTestimony], "") + "..."
		}
		adapters.Testify(ctx, adapters.Testimony{By: s.text(t.By), At: t.At, Text: printable.Whole(text)})
	}
}
