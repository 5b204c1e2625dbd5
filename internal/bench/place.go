package main

import (
	"fmt"
	"os"

	"github.com/changeover-go/changeover/internal/bench/host"
)

// A place hands out directories on one disk.
type place struct {
	root string
	fs   host.FileSystem
}

// newPlace makes a directory below dir for everything that is measured. It
// refuses a disk that lies about sync, on which every figure would be wrong,
// unless lies are accepted; then the page says so.
func newPlace(dir string, acceptLies bool) (*place, error) {
	root, err := os.MkdirTemp(dir, "changeover-bench-")
	if err != nil {
		return nil, err
	}
	p := &place{root: root}
	// The database server runs as another user, who has to get through.
	if err := os.Chmod(root, 0o755); err != nil {
		return nil, err
	}
	if p.fs, err = host.Of(root); err != nil {
		return nil, err
	}
	if p.fs.Lies && !acceptLies {
		_ = p.remove()
		return nil, fmt.Errorf("%s is on %v: choose a directory on another one with -dir, or say -lies to measure it all the same", dir, p.fs)
	}
	return p, nil
}

// fresh returns an empty directory.
func (p *place) fresh() (string, error) {
	dir, err := os.MkdirTemp(p.root, "")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

func (p *place) remove() error { return os.RemoveAll(p.root) }
