package filejournal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// A holder is what LOCK says of the process that holds it. Nothing is decided
// by it. Since when, the file's time says.
type holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// errBusy is returned by tryLock when another open file has the lock.
var errBusy = errors.New("locked")

// acquire locks the directory until the file is closed or the process ends.
func acquire(d *directory) (*os.File, error) {
	// A LOCK that somebody removed or replaced meanwhile locks nothing.
	for range 10 {
		f, err := d.open(lockName, os.O_RDWR|os.O_CREATE)
		if err != nil {
			return nil, err
		}
		if err := tryLock(f); err != nil {
			if errors.Is(err, errBusy) {
				err = fmt.Errorf("%w: %s is held by %s", journal.ErrLocked, d.name(lockName), holderOf(f))
			}
			return nil, errors.Join(err, f.Close())
		}
		if !d.has(lockName, f) {
			if err := f.Close(); err != nil {
				return nil, err
			}
			continue
		}
		if err := describe(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
	return nil, fmt.Errorf("%w: %s is replaced again and again", journal.ErrLocked, d.name(lockName))
}

// describe writes who holds the lock.
func describe(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // it is for people only
	}
	text, err := json.Marshal(holder{os.Getpid(), host})
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if _, err := f.WriteAt(text, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

// holderOf says who holds the lock, as far as LOCK says it.
func holderOf(f *os.File) string {
	var h holder
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 4096))
	if err != nil || json.Unmarshal(text, &h) != nil || h.PID == 0 {
		return "a process that has not said which"
	}
	who := fmt.Sprintf("process %d", h.PID)
	if h.Host != "" {
		who += " on " + printable.Text(h.Host)
	}
	if info, err := f.Stat(); err == nil {
		who += " since " + info.ModTime().UTC().Format(time.RFC3339)
	}
	return who
}
