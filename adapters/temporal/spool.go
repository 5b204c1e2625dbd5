package temporal

import (
	"slices"
	"sync"

	"github.com/changeover-go/changeover/license"
)

// A spool keeps the bytes of files that were fetched and not stored yet, in the
// memory of the worker. What does not fit any more is fetched again.
type spool struct {
	mu    sync.Mutex
	files map[license.Digest]license.File
	order []license.Digest // oldest first
	bytes int
}

// What a worker keeps at most.
const (
	spooledFiles = 256
	spooledBytes = 64 << 20
)

func (s *spool) keep(f license.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files == nil {
		s.files = map[license.Digest]license.File{}
	}
	s.remove(f.Digest())
	s.files[f.Digest()] = f
	s.order = append(s.order, f.Digest())
	for s.bytes += f.Size(); len(s.order) > spooledFiles || s.bytes > spooledBytes; {
		s.remove(s.order[0])
	}
}

func (s *spool) find(d license.Digest) (license.File, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[d]
	return f, ok
}

// drop is for a file that is stored.
func (s *spool) drop(d license.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(d)
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
