//go:build unix

package command

import (
	"os"
	"os/exec"
	"syscall"
)

// inherits says that a program can be given a descriptor.
const inherits = true

// ownGroup makes the program the leader of a process group, so that all that
// it starts can be ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the group at once. A program is not asked first: it could
// refuse, and what it has done is unknown either way.
func killGroup(cmd *exec.Cmd) error {
	if syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) != nil {
		return os.ErrProcessDone
	}
	return nil
}
