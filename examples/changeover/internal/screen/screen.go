// Package screen is the terminal of the command: what is printed while a run
// goes on, and the questions that are asked on the same terminal. It is for the
// verbs, which hand it every journal entry ([Screen.OnEntry]) and let it carry
// out the run ([Screen.Run]). It decides nothing about the run.
//
// # Lines and table
//
// By default one plain line is printed for each thing that has happened:
// transitions, failed attempts, doubts, holds and their end. On a terminal a
// table takes their place that is drawn anew at most four times a second, in
// the midst of what is printed, so that its last picture stays.
//
// The table reads no key. The terminal stays in line mode and turns Ctrl-C into
// a signal, as always; only the echo is switched off, so that a key that is hit
// does not push the table about. Run puts that back in every case in which it
// still can: when the run ends, when it panics, and at the second Ctrl-C.
//
// # Questions
//
// Whoever asks during a run reads from [Screen.In] and writes to [Screen.Out]:
// the table goes away with the first word, lines wait, what was typed before
// the question is thrown away, and the table comes back a moment after the last
// answer. [Screen.Confirm], [Screen.Input] and [Screen.Choose] ask before and
// after a run. The end of the input never means yes and never takes a default.
//
// Text from outside is printed only through package internal/printable, with
// activation codes masked.
package screen

import (
	"io"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// Options say on which terminal, and how, things are shown.
type Options struct {
	In  io.Reader // where answers are read; only the screen may read from it
	Out io.Writer // where everything is shown
	// Plan is the plan of the run. It may be the zero plan where there is none
	// yet.
	Plan migration.Plan
	// Plain asks for lines and line prompts on a terminal too.
	Plain bool
	// Accessible asks for the same, for screen readers; ACCESSIBLE in the
	// environment does so too.
	Accessible bool
	NoColor    bool // so does NO_COLOR in the environment
	Times      bool // each line begins with the time of its entry
	// Environ are the variables that are heeded: TERM, CI, NO_COLOR and
	// ACCESSIBLE, and those that say which colors a terminal has. nil: those
	// of the process.
	Environ []string
	// Now tells the time, on the clock of the run; nil: time.Now.
	Now func() time.Time
}

// A Screen shows one run and asks. Its methods may be called from several
// goroutines.
type Screen struct {
	in      *source
	out     io.Writer // one write at a time
	canvas  io.Writer // the same, for the table alone
	environ []string
	now     func() time.Time
	times   bool
	inTTY   *os.File // nil: answers do not come from a terminal
	forms   bool     // questions are asked with forms

	// turn is held while the table is put up or taken down.
	turn  sync.Mutex
	table *table // nil: it is not up

	// mu guards what follows.
	mu       sync.Mutex
	model    *model
	drawing  bool // Run shows a table instead of lines
	open     int  // conversations on the terminal
	settling *time.Timer
	waiting  []string // lines that came during a conversation
	stopping bool     // the run was told to stop
}

// settle is how long after the last word of a conversation it is over: a
// program that asks several things in a row does so at once.
const settle = 300 * time.Millisecond

// New returns a screen. It prints nothing.
func New(o Options) *Screen {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NoColor {
		o.Environ = append(slices.Clip(o.Environ), "NO_COLOR=1")
	}
	s := &Screen{
		in: newSource(o.In), out: &atATime{w: o.Out}, canvas: o.Out, environ: o.Environ, now: o.Now, times: o.Times,
		model: newModel(o.Plan),
	}
	s.inTTY = terminal(o.In)
	s.drawing = !o.Plain && !o.Accessible && terminal(o.Out) != nil && drawable(o.Environ)
	s.forms = s.drawing && s.inTTY != nil
	return s
}

// drawable reports whether the environment speaks of a terminal that a table
// can be drawn on, for somebody who looks at it.
func drawable(environ []string) bool {
	name := variable(environ, "TERM")
	if name == "dumb" || name == "" && runtime.GOOS != "windows" {
		return false
	}
	return variable(environ, "CI") == "" && variable(environ, "ACCESSIBLE") == ""
}

// variable returns the value of a variable; of several the last counts.
func variable(environ []string, name string) string {
	for _, v := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// terminal returns f as a file if it is a terminal, and nil if it is not.
func terminal(f any) *os.File {
	if file, ok := f.(*os.File); ok && file != nil && isTerminal(file) {
		return file
	}
	return nil
}

// Replay tells the screen what the journal has already, without showing it as
// news: call it before a run is taken up again. It returns the error that
// entries yields.
func (s *Screen) Replay(entries iter.Seq2[journal.Entry, error]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, err := range entries {
		if err != nil {
			return err
		}
		s.model.fold(e)
	}
	return nil
}

// OnEntry shows what has just become durable. It is made for the option of the
// same name of a run. The table never keeps the run waiting; a line does, while
// nobody reads what is printed.
func (s *Screen) OnEntry(e journal.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.model.add(e)
	if line == "" || s.model.running && s.drawing {
		return
	}
	if s.times {
		line = e.Time.Local().Format(time.TimeOnly) + "  " + line
	}
	s.say(line)
}

// say prints a line, or keeps it until the conversation is over. mu is held.
// That nobody reads what is shown stops no run: errors of the terminal are not
// the run's.
func (s *Screen) say(line string) {
	if s.model.running && (s.open > 0 || s.settling != nil) {
		s.waiting = append(s.waiting, line)
		return
	}
	_, _ = io.WriteString(s.out, line+"\n")
}

// Pause calls f while the terminal belongs to f: there is no table, and lines
// wait until f has returned.
func (s *Screen) Pause(f func()) {
	s.enter()
	defer s.leave()
	f()
}

// atATime lets one write at a time through.
type atATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (a *atATime) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.w.Write(p)
}

// In returns the reader for whoever asks during a run: a person's answers, one
// line for each Read.
func (s *Screen) In() io.Reader { return reader{s} }

// Out returns the writer for whoever asks during a run.
func (s *Screen) Out() io.Writer { return writer{s} }

type reader struct{ s *Screen }

func (r reader) Read(p []byte) (int, error) {
	r.s.enter()
	defer r.s.leave()
	return r.s.in.Read(p)
}

type writer struct{ s *Screen }

func (w writer) Write(p []byte) (int, error) {
	w.s.enter()
	defer w.s.leave()
	return w.s.out.Write(p)
}

// enter begins a part of a conversation: afterwards there is no table.
func (s *Screen) enter() {
	s.mu.Lock()
	begins := s.open == 0 && s.settling == nil
	s.open++
	if s.settling != nil {
		s.settling.Stop()
		s.settling = nil
	}
	s.mu.Unlock()
	s.takeDown(false)
	if begins {
		s.forget()
	}
}

// forget throws away what was typed before there was a question.
func (s *Screen) forget() {
	if s.in.forget(); s.inTTY != nil {
		forget(s.inTTY)
	}
}

// leave ends a part of a conversation. If no other follows, the table comes
// back.
func (s *Screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open--; s.open > 0 {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(settle, func() {
		s.mu.Lock()
		over := s.settling == t
		if over {
			s.settled()
		}
		s.mu.Unlock()
		if over {
			s.putUp(false)
		}
	})
	s.settling = t
}

// settled ends the conversation and prints the lines that have waited for it.
// mu is held.
func (s *Screen) settled() {
	if s.settling != nil {
		s.settling.Stop()
		s.settling = nil
	}
	lines := s.waiting
	s.waiting = nil
	for _, line := range lines {
		s.say(line)
	}
}
