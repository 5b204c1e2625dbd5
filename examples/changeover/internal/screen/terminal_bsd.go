//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package screen

import "golang.org/x/sys/unix"

const (
	getModes       = unix.TIOCGETA
	setModes       = unix.TIOCSETA
	setModesForget = unix.TIOCSETAF
)
