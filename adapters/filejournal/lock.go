package filejournal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// A holder is what LOCK says of the process that holds it. Nothing is decided
// by it. Since when, the file's time says.
type holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// acquire locks the directory until it is closed or the process ends, and LOCK,
// which tells who holds it and can be inherited. LOCK alone would not do: who
// removes it, because it seems to be left over, would let a second process in.
func acquire(d *disk.Directory) (disk.File, error) {
	f, err := d.OpenOrCreate(lockName)
	if err != nil {
		return nil, err
	}
	if err = d.Lock(); err == nil {
		err = f.Lock()
	}
	if errors.Is(err, disk.ErrBusy) {
		err = fmt.Errorf("%w: %s is held by %s", journal.ErrLocked, d.Name(lockName), holderOf(f))
	}
	if err == nil && !d.Has(lockName, f) {
		// Somebody has replaced it meanwhile; a process may inherit that one.
		err = fmt.Errorf("%w: %s was replaced while it was opened; try again", journal.ErrLocked, d.Name(lockName))
	}
	if err == nil {
		err = describe(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// describe writes who holds the lock.
func describe(f disk.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // it is for people only
	}
	text, err := json.Marshal(holder{os.Getpid(), host})
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if err := disk.WriteAll(f, text, 0); err != nil {
		return err
	}
	return f.Truncate(int64(len(text)))
}

// holderOf says who holds the lock, as far as LOCK says it.
func holderOf(f disk.File) string {
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
		who += " since " + info.Time.UTC().Format(time.RFC3339)
	}
	return who
}

// LockFile returns LOCK, for processes that act on behalf of this one: a child
// that is given it (os/exec.Cmd.ExtraFiles) keeps the journal locked until it
// ends, even if this process dies before, so that no new run begins while the
// child is still at work. It stays the store's; do not close it. It returns
// errors.ErrUnsupported where children cannot inherit it.
func (s *Store) LockFile() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return nil, s.closed
	}
	if f := disk.Inherited(s.lock); f != nil && runtime.GOOS != "windows" {
		return f, nil
	}
	return nil, errors.ErrUnsupported
}
