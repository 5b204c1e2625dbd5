package filejournal

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/changeover-go/changeover/internal/disk"
)

// Holder says which process has the journal in dir open, as far as its LOCK
// says; held is false if none has, or there is no journal. It is for people who
// look at a run: whoever wants to write calls [Open], which decides. It changes
// nothing, but has the lock itself for a moment, in which an Open is refused.
func Holder(dir string, opts *Options) (who string, held bool, err error) {
	if opts == nil {
		opts = &Options{}
	}
	d, err := disk.Open(opts.Disk, dir, false)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("journal in %s: %w", disk.Shown(dir), err)
	}
	defer d.Close()
	f, err := d.OpenIfThere(lockName, true)
	if err != nil || f == nil {
		return "", false, err
	}
	defer f.Close()
	err = f.Lock() // until f is closed
	if errors.Is(err, disk.ErrBusy) {
		return holderOf(f), true, nil
	}
	return "", false, err
}
