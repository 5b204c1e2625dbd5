// Package attended answers for every port through a person: a [Desk] says what
// to do on which page, asks what was seen there, checks the answer, and tells
// the journal who stated it and when. It is for everybody whose portal,
// Service Center or LifeTime no program can operate, which on day one is
// everybody. It never acts by itself, and decides nothing.
//
// # Answers
//
// Every question names the answers it takes; one that it does not understand
// is put again with the reason, a few times. The answer "no" to a question that
// reads leads to a list of reasons, the conditions of package adapters. After
// an instruction to change something the person answers "done", "not done",
// which leads to the list, or "unknown". Nobody answering is never a yes:
//
//   - An [adapters.Operator] question is refused ([adapters.ErrRefused]) by
//     everything but "yes", and by the end of the input.
//   - When an instruction has been shown and the input ends, the context is
//     done, or no answer is understood, the person may have followed it: the
//     error wraps [adapters.ErrUncertain].
//   - Every other call then fails with an error that says no more than that,
//     and wraps [io.ErrUnexpectedEOF] at the end of the input.
//
// A value that is possible but unusual, such as an activation code of another
// form, is taken when it is typed twice.
//
// # Files
//
// License files come and go by path. A file to be uploaded is written to
// Options.Dir, 0600, under a name that derives from hashes; it may be deleted
// after the run. A file that the person names is read with a size limit.
//
// # Secrets
//
// License bytes are never printed. Activation codes are printed masked, with
// the role they have in the changeover, unless Options.Reveal says that the
// person has to be told them. Text from outside, names and server messages
// above all, is printed only through package internal/printable.
//
// # The vault
//
// A person can keep backups too, but a program does it better: prefer
// adapters/filevault, which needs nobody. The attended vault reads every copy
// back from the path that the person gives, and hands out a record line that
// the person keeps with the copies; it is for storage that cannot be reached as
// a directory for good, such as media in a safe.
//
// # Goroutines
//
// Questions of several callers are put one call after the other. While it
// waits for a line, a Desk owns one goroutine, which reads; a call that is
// canceled returns at once and leaves that goroutine waiting for the line. If
// the line comes before the next question is put, it was not meant for that
// question: it is put aside, and the person told so. If it comes afterwards, it
// is the answer.
package attended

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Options may be nil.
type Options struct {
	// Who is the person's name, for the record; if it is empty, the first
	// question asks for it.
	Who string
	// Now gives the time of what is stated; nil means time.Now.
	Now func() time.Time
	// Dir is the directory in which files for uploads are laid out. It is
	// created if only it is missing; it must be closed to other users. If it
	// is empty, uploads and backups are answered with
	// [adapters.ErrUnsupported].
	Dir string
	// Source and Target are the two activation codes of the changeover, so
	// that prompts can call them the old and the new one. They may be zero.
	Source, Target license.ActivationCode
	// Reveal prints activation codes in full where the person has to enter
	// them in the portal. By default they are masked, since a terminal is
	// often recorded; the person then has to know them.
	Reveal bool
	// Tries is how often a question is put before its call fails; zero means 3.
	Tries int
}

// A Desk is a person behind a terminal. It implements every port. It is safe
// for concurrent use.
type Desk struct {
	in   *bufio.Reader
	out  io.Writer
	opts Options
	turn chan struct{} // holds a token while a call is being answered

	// What follows belongs to the call whose turn it is.
	who       string
	pending   chan line // delivers the line that is being read; nil: none is
	inventory []environment.Registered
}

var (
	_ adapters.LicensePortal   = (*Desk)(nil)
	_ adapters.ServiceCenter   = (*Desk)(nil)
	_ adapters.LicenseBackuper = (*Desk)(nil)
	_ adapters.LifeTime        = (*Desk)(nil)
	_ adapters.BackupVault     = (*Desk)(nil)
	_ adapters.SupportDesk     = (*Desk)(nil)
	_ adapters.Operator        = (*Desk)(nil)
	_ adapters.Describer       = (*Desk)(nil)
)

// New returns a desk that asks on out and reads the answers from in, a line
// each.
func New(in io.Reader, out io.Writer, opts *Options) *Desk {
	if opts == nil {
		opts = new(Options)
	}
	d := &Desk{in: bufio.NewReaderSize(in, maxLineBytes+2), out: out, opts: *opts, turn: make(chan struct{}, 1)}
	d.who = printable.Text(strings.TrimSpace(opts.Who))
	if d.opts.Now == nil {
		d.opts.Now = time.Now
	}
	if d.opts.Tries <= 0 {
		d.opts.Tries = 3
	}
	return d
}

// Set returns a set in which the desk answers for every port. Replace what a
// program can do, the vault first.
func (d *Desk) Set() adapters.Set {
	return adapters.Set{Portal: d, ServiceCenter: d, LifeTime: d, Vault: d, Support: d, Operator: d}
}

// Describe implements [adapters.Describer].
func (d *Desk) Describe() string { return "attended" }

// call waits for its turn, finds out who answers, prints the title and runs
// the conversation.
func (d *Desk) call(ctx context.Context, title string, conversation func() error) error {
	err := ctx.Err()
	if err == nil {
		select {
		case d.turn <- struct{}{}:
			defer func() { <-d.turn }()
			err = d.introduce(ctx)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err == nil {
		err = d.print("\n=== " + title + " ===\n")
	}
	if err == nil {
		err = conversation()
	}
	if err != nil {
		return fmt.Errorf("attended: %s: %w", title, err)
	}
	return nil
}

// introduce asks who is there, once.
func (d *Desk) introduce(ctx context.Context) error {
	if d.who != "" {
		return nil
	}
	return d.ask(ctx, "Your name, for the record:", d.word(&d.who))
}

// testify puts on record what the person stated.
func (d *Desk) testify(ctx context.Context, format string, args ...any) {
	adapters.Testify(ctx, adapters.Testimony{By: d.who, At: d.opts.Now(), Text: fmt.Sprintf(format, args...)})
}

func (d *Desk) print(text string) error {
	_, err := io.WriteString(d.out, text)
	return err
}

// steps prints numbered instructions.
func (d *Desk) steps(steps ...string) error {
	var b strings.Builder
	for i, s := range steps {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, s)
	}
	return d.print(b.String())
}

// ask puts a question until accept takes the answer. What accept returns
// instead is told to the person; it does not repeat the answer, which may be a
// secret in the wrong place.
func (d *Desk) ask(ctx context.Context, question string, accept func(answer string) error) error {
	if d.lateLine() {
		if err := d.print("(A line that was typed before this question was put aside.)\n"); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		if err := d.print(question + "\n> "); err != nil {
			return err
		}
		answer, err := d.line(ctx)
		if err != nil {
			return err
		}
		if err = errTooLong; len(answer) <= maxLineBytes {
			answer = strings.TrimSpace(answer)
			if err = accept(answer); err != nil && answer == "" {
				err = errNothing
			}
		}
		if err == nil {
			return nil
		}
		if try == d.opts.Tries {
			return fmt.Errorf("no answer was understood in %d tries; the last: %w", try, err)
		}
		if err := d.print("That cannot be taken: " + err.Error() + ".\n"); err != nil {
			return err
		}
	}
}

// maxLineBytes is the longest answer that is taken; a path or a record line
// fits.
const maxLineBytes = 4 << 10

var (
	errTooLong = fmt.Errorf("the answer is longer than %d bytes", maxLineBytes)
	errNothing = errors.New("nothing was typed")
)

// A line is what was read: an answer, possibly cut off after the limit.
type line struct {
	text string
	err  error
}

// lateLine reports whether the answer to a question that was given up has
// arrived, and forgets it.
func (d *Desk) lateLine() bool {
	select {
	case <-d.pending: // a nil channel delivers nothing
		d.pending = nil
		return true
	default:
		return false
	}
}

// line waits for the next line.
func (d *Desk) line(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if d.pending == nil {
		delivery := make(chan line, 1) // so that the reader never waits for us
		d.pending = delivery
		go func() { delivery <- readLine(d.in) }()
	}
	select {
	case l := <-d.pending:
		d.pending = nil
		return l.text, l.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// readLine reads to the end of the line. Of a line that is too long it returns
// a beginning that is too long as well.
func readLine(in *bufio.Reader) line {
	text, err := in.ReadSlice('\n')
	l := string(text) // the buffer is used again
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = in.ReadSlice('\n')
	}
	switch {
	case err == nil, errors.Is(err, io.EOF) && l != "":
		return line{text: strings.TrimRight(l, "\r\n")}
	case errors.Is(err, io.EOF):
		return line{err: fmt.Errorf("the input has ended: %w", io.ErrUnexpectedEOF)}
	}
	return line{err: fmt.Errorf("reading the answer: %w", err)}
}
