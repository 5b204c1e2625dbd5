package host_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/internal/bench/host"
)

func TestWhatIsNotThereIsOnNoFileSystem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent")
	if _, err := host.Of(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want an error that names %s", err, path)
	}
}

// Linux has what a process may look at in /proc, and never on a disk.
func TestAFileSystemOfAnotherKindHasANameToo(t *testing.T) {
	fs, err := host.Of("/proc")
	if want := (host.FileSystem{Name: "file system of type 0x9fa0"}); err != nil || fs != want {
		t.Errorf("got %+v, %v, want %+v", fs, err, want)
	}
}

// /dev/shm is in memory wherever there is one.
func TestAFileSystemInMemoryLies(t *testing.T) {
	fs, err := host.Of("/dev/shm")
	if err == nil && fs != (host.FileSystem{Name: "tmpfs", Lies: true}) {
		t.Errorf("got %+v", fs)
	}
}
