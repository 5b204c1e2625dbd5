//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package screen

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), getModes)
	return err == nil
}

// hush switches the echo off and returns what switches it on again.
func hush(f *os.File) (undo func()) {
	before, err := unix.IoctlGetTermios(int(f.Fd()), getModes)
	if err != nil {
		return func() {}
	}
	quiet := *before
	quiet.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(int(f.Fd()), setModes, &quiet) != nil {
		return func() {}
	}
	return func() { _ = unix.IoctlSetTermios(int(f.Fd()), setModes, before) } // the terminal may be gone
}

// forget throws away what was typed and not read.
func forget(f *os.File) {
	if modes, err := unix.IoctlGetTermios(int(f.Fd()), getModes); err == nil {
		_ = unix.IoctlSetTermios(int(f.Fd()), setModesForget, modes)
	}
}

// suspensions are the signals that ask a process to pause (Ctrl-Z), and suspend
// does so until it is continued.
func suspensions() []os.Signal { return []os.Signal{syscall.SIGTSTP} }

func suspend() {
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	defer signal.Stop(continued)
	if syscall.Kill(os.Getpid(), syscall.SIGSTOP) == nil {
		<-continued // the signal to stop may take its time
	}
}
