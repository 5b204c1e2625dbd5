package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
)

// owner returns who is to own a cluster; ok is false if that is who runs the
// test. A server does not run as root.
func owner() (uid, gid int, ok bool, err error) {
	if os.Geteuid() != 0 {
		return 0, 0, false, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		return uid, gid, true, errors.Join(err1, err2)
	}
	return 0, 0, false, errors.New("a PostgreSQL server does not run as root, and there is neither a user postgres nor nobody")
}

// Give hands a file or directory to the owner of the clusters.
func Give(path string) error {
	uid, gid, other, err := owner()
	if err != nil || !other {
		return err
	}
	return os.Chown(path, uid, gid)
}

// unprivileged has cmd run as the owner of the clusters.
func unprivileged(cmd *exec.Cmd) error {
	uid, gid, other, err := owner()
	if err != nil || !other {
		return err
	}
	as(cmd, uid, gid)
	return nil
}
