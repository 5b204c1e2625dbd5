package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/changeover-go/changeover/internal/printable"
)

// patience is how long the program's output is waited for once the program has
// ended: a process that it left behind may hold the pipes for good.
const patience = 2 * time.Second

// An ending is how a program ended.
type ending struct {
	code   int    // its exit code
	stdout []byte // all of it
	last   string // line of stderr, safe to print
	// err is why nothing of the above counts.
	err error
}

// errNotStarted is wrapped by the ending of a program that was never run.
var errNotStarted = errors.New("the program was not started")

// run runs the program once.
func (p *Program) run(ctx context.Context, request []byte, s secrets) ending {
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, fmt.Errorf("no answer within %v", p.timeout))
	defer cancel()
	in, out, diagnostics := bytes.NewReader(request), &capped{stop: cancel}, &lines{secrets: s, log: p.log}
	cmd := exec.CommandContext(ctx, p.path, p.args...)
	cmd.Env, cmd.Dir = p.env, p.dir
	stdout, stderr := &drained{Writer: out}, &drained{Writer: diagnostics}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, stdout, stderr
	if p.lock != nil {
		cmd.ExtraFiles = []*os.File{p.lock}
	}
	ownGroup(cmd)
	cmd.Cancel = func() error { return killGroup(cmd) }
	cmd.WaitDelay = p.patience
	if err := cmd.Start(); err != nil {
		return ending{err: fmt.Errorf("%w: %w", errNotStarted, said{err})}
	}
	err := cmd.Wait()
	// What it has left behind must not go on when the call is over. The number
	// of the group is not given away while the group has a member; when it has
	// none, it is still too early for the numbers to have come round.
	_ = killGroup(cmd)
	diagnostics.end()
	e := ending{code: cmd.ProcessState.ExitCode(), stdout: out.kept.Bytes(), last: diagnostics.last}
	_, exited := errors.AsType[*exec.ExitError](err)
	switch cause := context.Cause(ctx); {
	case out.over:
		e.err = fmt.Errorf("%w: more than %d bytes", errTooMuch, maxMessage)
	case cause != nil:
		e.err = cause // whatever it said then, it may have been killed amid it
	case errors.Is(err, exec.ErrWaitDelay), !stdout.ended, !stderr.ended: // whatever its exit code: that may be at work still
		e.err = errors.New("it ended, but a process that it left behind holds its output open")
	case e.code < 0:
		e.err = fmt.Errorf("it ended with %v", cmd.ProcessState)
	case err != nil && !exited:
		e.err = said{err}
	case e.code == exitDone && in.Len() > 0:
		e.err = errors.New("it ended without having read its request")
	}
	return e
}

// said is an error with a text that is safe to print.
type said struct{ error }

func (s said) Error() string { return printable.Text(s.error.Error()) }
func (s said) Unwrap() error { return s.error }
