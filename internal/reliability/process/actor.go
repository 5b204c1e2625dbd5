//go:build linux

package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// An actor is a process on a stage.
type actor struct {
	stage  *stage
	cmd    *exec.Cmd
	stderr bytes.Buffer
	gone   chan struct{} // closed when all that it said was heard
	over   chan struct{} // closed when it does not run any more, and was waited for
	killed atomic.Bool   // it is to be killed, or was
	heard  atomic.Int64  // messages
	script script

	// What it said of itself, to be read when it is gone.
	refused string // why it did not get the state directory
	locked  bool   // because another process has it
	ended   bool
	failure string
	verdict report.Verdict
	hold    *journal.Hold
	closed  bool
}

// A script is what happens to an actor. The zero value: nothing.
type script struct {
	program string   // to run in place of this one
	prefix  []string // command that runs the program
	// at is called for each message, before and after it is acted on; false:
	// the message is lost, as it is when its sender is dead.
	at func(a *actor, n int, m *message, done bool) bool
}

// start lets a process play the verb.
func (s *stage) start(verb string, sc script) (*actor, error) {
	p := s.part
	p.Verb, p.Traced = verb, len(sc.prefix) > 0
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	// A pair of connected sockets needs no name, and ends with its process.
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	if err := syscall.SetNonblock(ends[0], true); err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(ends[0]), "process"), os.NewFile(uintptr(ends[1]), "world")
	defer theirs.Close()
	program := sc.program
	if program == "" {
		program = "/proc/self/exe"
		if len(sc.prefix) > 0 { // who runs it is somebody else
			if program, err = os.Executable(); err != nil {
				return nil, errors.Join(err, ours.Close())
			}
		}
	}
	words := append(append([]string(nil), sc.prefix...), program)
	a := &actor{stage: s, cmd: exec.Command(words[0], words[1:]...), gone: make(chan struct{}), over: make(chan struct{}), script: sc}
	// One thread at a time is enough for a process that does one thing at a
	// time, and leaves the other core to another play. The race detector would
	// sleep for a second at the end.
	a.cmd.Env = append(os.Environ(), variable+"="+string(text), "GOMAXPROCS=1", "GOGC=off", "GORACE=atexit_sleep_ms=0")
	a.cmd.ExtraFiles = []*os.File{theirs}
	a.cmd.Stderr = &a.stderr
	a.cmd.WaitDelay = patience
	if err := a.cmd.Start(); err != nil {
		return nil, errors.Join(err, ours.Close())
	}
	go a.serve(ours)
	return a, nil
}

// serve answers until nothing more comes.
func (a *actor) serve(f *os.File) {
	l := newLine(f)
	for n := 1; ; n++ {
		var q message
		if l.receive(&q) != nil {
			break
		}
		a.heard.Add(1)
		if a.script.at != nil && !a.script.at(a, n, &q, false) {
			break
		}
		m := a.stage.answer(a, &q)
		if a.script.at != nil && !a.script.at(a, n, &q, true) {
			break
		}
		if l.send(&m) != nil {
			break
		}
	}
	_ = f.Close()
	a.stage.left(a)
	close(a.gone)
}

func (a *actor) pid() int { return a.cmd.Process.Pid }

// kill ends it as the kernel does when memory runs out.
func (a *actor) kill() {
	a.killed.Store(true)
	_ = a.cmd.Process.Kill()
}

// dead reports that it was waited for.
func (a *actor) dead() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// wait waits for the end and reports whether it was killed.
func (a *actor) wait() (killed bool, err error) {
	hangs := time.AfterFunc(3*patience, a.kill)
	err = a.cmd.Wait()
	late := !hangs.Stop()
	close(a.over)
	<-a.gone
	if late {
		return true, errors.New("a process did not come to its end")
	}
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true, nil
		}
		return false, fmt.Errorf("a process ended by itself: %w: %s", err, a.stderr.String())
	}
	return false, err
}

// quiet reports that it ended without a complaint.
func (a *actor) quiet() bool { return a.failure == "" && a.refused == "" && a.hold == nil }

// String says how it ended.
func (a *actor) String() string {
	switch {
	case a.refused != "":
		return "refused (" + a.refused + ")"
	case a.failure != "":
		return "with an error (" + a.failure + ")"
	case a.hold != nil:
		return fmt.Sprintf("%s, %v", a.verdict, a.hold)
	}
	return string(a.verdict)
}
