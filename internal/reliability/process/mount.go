//go:build linux

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// mountMark begins the names of the directories on which disks are mounted; the
// number of the process follows. By it the next one finds what a killed one has
// left.
const mountMark = "changeover-disk-"

// mountPoint returns a new directory for a disk.
func mountPoint(job *tier.Job) (string, error) {
	return os.MkdirTemp(job.Dir, mountMark+strconv.Itoa(os.Getpid())+"-")
}

const (
	memoryDir  = "/dev/shm"
	memoryMark = "changeover-memory-"
)

// inMemory returns a new directory in a file system in memory, if there is one:
// what a killed process wrote is in the kernel's hands either way, and a disk
// would only make us wait.
func inMemory(job *tier.Job) (string, error) {
	entries, err := os.ReadDir(memoryDir)
	if err != nil {
		return os.MkdirTemp(job.Dir, "memory")
	}
	for _, e := range entries {
		if abandoned(e.Name(), memoryMark) {
			if err := os.RemoveAll(filepath.Join(memoryDir, e.Name())); err != nil {
				return "", err
			}
		}
	}
	return os.MkdirTemp(memoryDir, memoryMark+strconv.Itoa(os.Getpid())+"-")
}

// abandoned reports whether a name was made by a process that is gone.
func abandoned(name, mark string) bool {
	rest, ours := strings.CutPrefix(name, mark)
	owner, _, _ := strings.Cut(rest, "-")
	if _, err := strconv.Atoi(owner); !ours || err != nil {
		return false
	}
	_, err := os.Stat("/proc/" + owner)
	return errors.Is(err, os.ErrNotExist)
}

// sweepUp unmounts what processes have left that are gone.
func sweepUp() error {
	table, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	var errs []error
	for row := range strings.Lines(string(table)) {
		words := strings.Fields(row)
		if len(words) > 1 && abandoned(filepath.Base(words[1]), mountMark) {
			errs = append(errs, syscall.Unmount(words[1], syscall.MNT_DETACH))
		}
	}
	return errors.Join(errs...)
}

// A disk is a file system in a file, whose power can be cut.
type disk struct {
	kind  string
	image string
	at    string
}

// sizes of the images, which are mostly holes. XFS refuses smaller ones.
var sizes = map[string]int64{"ext4": 64 << 20, "xfs": 300 << 20}

// newDisk makes a disk and mounts it.
func newDisk(job *tier.Job, kind string) (*disk, error) {
	at, err := mountPoint(job)
	if err != nil {
		return nil, err
	}
	d := &disk{kind, at + ".image", at}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(d.image, sizes[kind]); err != nil {
		return nil, err
	}
	if err := command("mkfs."+kind, "-q", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

func (d *disk) mount() error { return command("mount", "-t", d.kind, "-o", "loop", d.image, d.at) }

func (d *disk) unmount() error { return command("umount", d.at) }

// cut cuts the power: what the disk was not told to keep is gone, the journal of
// the file system included. Then it is mounted again.
func (d *disk) cut() error {
	const (
		shutDown = 0x8004587d // the forced shutdown of ext4 and XFS
		noFlush  = 2          // without writing the log first
	)
	f, err := os.Open(d.at)
	if err != nil {
		return err
	}
	how := uint32(noFlush)
	err = ioctl(f, shutDown, &how)
	if err := errors.Join(err, f.Close(), d.unmount()); err != nil {
		return fmt.Errorf("cutting the power of %s: %w", d.kind, err)
	}
	return d.mount()
}

// close unmounts the disk, whatever state it is in.
func (d *disk) close() error {
	return errors.Join(syscall.Unmount(d.at, syscall.MNT_DETACH), os.Remove(d.image), os.Remove(d.at))
}

func command(words ...string) error {
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, out)
	}
	return nil
}
