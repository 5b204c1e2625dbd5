package host_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/internal/bench/host"
)

func TestADiskThatLiesIsCalledThat(t *testing.T) {
	for want, fs := range map[string]host.FileSystem{
		"ext4":                               {Name: "ext4"},
		"tmpfs, a disk that lies about sync": {Name: "tmpfs", Lies: true},
	} {
		if got := fs.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestEveryDirectoryLiesOnAFileSystem(t *testing.T) {
	fs, err := host.Of(t.TempDir())
	if err != nil || fs.Name == "" {
		t.Errorf("got %+v, %v", fs, err)
	}
}

func TestTheMachineIsDescribedOnOneLine(t *testing.T) {
	got := host.Describe()
	for _, part := range []string{" CPUs, ", runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH} {
		if !strings.Contains(got, part) {
			t.Errorf("%q does not have %q", got, part)
		}
	}
	if strings.ContainsAny(got, "\n|") {
		t.Errorf("%q is not one line of a page", got)
	}
}
