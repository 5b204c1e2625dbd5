package pgtest

import (
	"os/exec"
	"syscall"
)

// as has cmd run as that user.
func as(cmd *exec.Cmd, uid, gid int) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// room returns how many bytes are free on the disk of a directory; zero: it is
// not there.
func room(dir string) uint64 {
	var disk syscall.Statfs_t
	if syscall.Statfs(dir, &disk) != nil {
		return 0
	}
	return disk.Bavail * uint64(disk.Bsize)
}

// kill ends a process as the kernel does when memory runs out.
func kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }
