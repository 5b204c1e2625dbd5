package screen

import (
	"os"

	"golang.org/x/sys/windows"
)

func isTerminal(f *os.File) bool {
	var mode uint32
	return windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
}

// hush switches the echo off and returns what switches it on again.
func hush(f *os.File) (undo func()) {
	console := windows.Handle(f.Fd())
	var before uint32
	if windows.GetConsoleMode(console, &before) != nil || windows.SetConsoleMode(console, before&^windows.ENABLE_ECHO_INPUT) != nil {
		return func() {}
	}
	return func() { _ = windows.SetConsoleMode(console, before) } // the console may be gone
}

// forget throws away what was typed and not read.
func forget(f *os.File) { _ = windows.FlushConsoleInputBuffer(windows.Handle(f.Fd())) }

// suspensions: no process is paused from a terminal here.
func suspensions() []os.Signal { return nil }

func suspend() {}
