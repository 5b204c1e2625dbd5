//go:build !linux

package pgtest

import (
	"os"
	"os/exec"
)

// Elsewhere the tests need no other user, and no disk in memory.

func as(*exec.Cmd, int, int) {}

func room(string) uint64 { return 0 }

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}
