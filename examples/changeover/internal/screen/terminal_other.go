//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package screen

import "os"

// No table is drawn where nobody knows how to ask for a terminal's modes.
func isTerminal(*os.File) bool { return false }

func hush(*os.File) (undo func()) { return func() {} }

func forget(*os.File) {}

// suspensions: no process is paused from a terminal here.
func suspensions() []os.Signal { return nil }

func suspend() {}
