package temporal

import (
	"slices"
	"sync"
	"time"

	"github.com/changeover-go/changeover/license"
)

// A spool keeps the bytes of files that were fetched, in the memory of the
// worker. Those that are stored stay for a while: the run stores them once more
// when a later call of the same effect fails. What is not there any more is
// fetched again.
type spool struct {
	now   func() time.Time // nil: the machine's
	mu    sync.Mutex
	files map[license.Digest]spooled
	order []license.Digest // oldest first
	bytes int
}

type spooled struct {
	license.File
	at time.Time
}

// What a worker keeps at most, and how long.
const (
	spooledTime  = time.Hour
	spooledFiles = 256
	spooledBytes = 64 << 20
)

func (s *spool) keep(f license.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[license.Digest]spooled{}
	}
	s.remove(f.Digest())
	s.files[f.Digest()] = spooled{f, s.expire()}
	s.order = append(s.order, f.Digest())
	for s.bytes += f.Size(); len(s.order) > spooledFiles || s.bytes > spooledBytes; {
		s.remove(s.order[0])
	}
}

func (s *spool) find(d license.Digest) (license.File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	f, ok := s.files[d]
	return f.File, ok
}

// expire removes what is too old, and returns the time. It is called with the
// lock held.
func (s *spool) expire() time.Time {
	now := time.Now
	if s.now != nil {
		now = s.now
	}
	at := now()
	for len(s.order) > 0 && at.Sub(s.files[s.order[0]].at) >= spooledTime {
		s.remove(s.order[0])
	}
	return at
}

// remove is called with the lock held.
func (s *spool) remove(d license.Digest) {
	f, ok := s.files[d]
	if !ok {
		return
	}
	s.bytes -= f.Size()
	delete(s.files, d)
	s.order = slices.DeleteFunc(s.order, func(one license.Digest) bool { return one == d })
}
