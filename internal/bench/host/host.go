// Package host says on what the benchmark runs: a figure without it says
// nothing. It names the file system above all, since some acknowledge a sync
// without having written anything.
package host

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// A FileSystem is what a directory lies on.
type FileSystem struct {
	Name string
	// Lies says that a sync returns although nothing would survive a power
	// cut: a file system in memory.
	Lies bool
}

// String names the file system, and what is to be thought of it.
func (f FileSystem) String() string {
	if f.Lies {
		return f.Name + ", a disk that lies about sync"
	}
	return f.Name
}

// Describe returns the machine in one line.
func Describe() string {
	return fmt.Sprintf("%s, %d CPUs, %s %s/%s", processor(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// processor returns the name that Linux has for it.
func processor() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, name, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(name)
		}
	}
	return "unknown processor"
}
