//go:build !unix

package command

import "os/exec"

// inherits says that a program can be given a descriptor.
const inherits = false

// ownGroup does nothing: there are no process groups here.
func ownGroup(*exec.Cmd) {}

// killGroup ends the program. What it has started goes on; it is for the
// program to see to that.
func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
