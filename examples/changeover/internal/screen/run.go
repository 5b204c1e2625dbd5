package screen

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// ErrEndedAtOnce: Ctrl-C came twice. The run was not waited for; its process
// is to end now, and what was under way is in doubt until a resume looks.
var ErrEndedAtOnce = errors.New("ended at once; what was under way is in doubt, and resume looks what came of it")

// Run carries out f and shows what it does, and returns its error.
//
// The first Ctrl-C, or the end of ctx, ends the context of f, which is to come
// to its end at the next safe point. At the second Ctrl-C Run returns
// ErrEndedAtOnce while f goes on: the caller ends the process without cleaning
// up after f. SIGTERM and SIGHUP count as Ctrl-C. Ctrl-Z pauses the process on a
// terminal that is as it was. A panic of f is passed on, on such a terminal too.
func (s *Screen) Run(ctx context.Context, f func(ctx context.Context) error) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	pauses := make(chan os.Signal, 1)
	if asks := suspensions(); len(asks) > 0 { // no signal would mean all of them
		signal.Notify(pauses, asks...)
		defer signal.Stop(pauses)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.begin()
	wait := true
	defer func() {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.end()
		}()
		select {
		case <-ended:
		case <-patience(wait):
		}
	}()
	type ending struct {
		err   error
		panic any
	}
	ended := make(chan ending, 1)
	go func() {
		var e ending
		defer func() {
			if p := recover(); p != nil {
				e.panic = fmt.Sprintf("%v\n\n%s", p, debug.Stack())
			}
			ended <- e
		}()
		e.err = f(ctx)
	}()
	stop, signaled := ctx.Done(), false
	for {
		select {
		case e := <-ended:
			if e.panic != nil {
				panic(e.panic) // the end comes before it is printed
			}
			return e.err
		case <-stop:
			stop = nil
			go s.stop() // who does not read what is printed does not keep us from listening
		case <-pauses:
			s.takeDown(false)
			suspend()
			s.putUp(false)
		case <-signals:
			if signaled {
				wait = false
				return ErrEndedAtOnce
			}
			signaled = true
			cancel()
		}
	}
}

// patience is how long a terminal may take to be left as it was. One that takes
// nothing any more, such as a pipe that nobody reads, must not keep a process
// that was told to end at once.
func patience(wait bool) <-chan time.Time {
	if wait {
		return nil
	}
	return time.After(time.Second)
}

// begin begins to show a run.
func (s *Screen) begin() {
	s.mu.Lock()
	s.model.running, s.stopping = true, false
	s.mu.Unlock()
	s.putUp(false)
}

// stop says that the run was told to stop.
func (s *Screen) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	switch {
	case !s.model.running: // it has ended meanwhile
	case s.open > 0: // behind what a person is about to type
		_, _ = fmt.Fprintln(s.out, "\n"+stopping)
	case !s.drawing:
		_, _ = fmt.Fprintln(s.out, stopping)
	}
}

// end stops showing a run: the last picture stays, and the terminal is as it
// was. A question that is still open has nobody any more who waits for its
// answer.
func (s *Screen) end() {
	s.mu.Lock()
	running := s.model.running
	s.mu.Unlock()
	if !running {
		return
	}
	s.putUp(true)
	s.takeDown(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.model.running = false
	s.settled()
}
