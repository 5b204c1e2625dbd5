package filejournal

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/changeover-go/changeover/internal/disk"
)

// keepRoom creates the ballast. What is written does not compress, so that no
// file system keeps less room than it says.
func (s *Store) keepRoom() error {
	if s.reserve == 0 {
		return nil
	}
	b := make([]byte, s.reserve)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	err := s.create(&s.ballast, s.dir, ballastName, b)
	if err == nil {
		return nil
	}
	if s.ballast != nil {
		err = errors.Join(err, s.ballast.Truncate(0)) // whoever is short of room needs it now
	}
	return fmt.Errorf("the run is not begun: there is no room for the %d bytes of %s, with which the way back can be recorded on a full disk: %w",
		s.reserve, s.dir.Name(ballastName), err)
}

// checkRoom finds out whether the ballast was given free.
func (s *Store) checkRoom() error {
	if s.ballast == nil {
		return nil
	}
	info, err := s.ballast.Stat()
	if err != nil || info.Size > 0 {
		return err
	}
	f := s.ballast
	s.ballast = nil
	return f.Close()
}

// ReleaseReserve implements [journal.Reserver]: it makes BALLAST empty, and
// lets journal.jsonl grow to its full size.
func (s *Store) ReleaseReserve() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed != nil:
		return s.closed
	case s.ballast == nil:
		return nil
	}
	f := s.ballast
	s.ballast = nil // whatever comes of it: an error of Sync leaves nothing to be tried
	if err := errors.Join(f.Truncate(0), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("journal in %s: giving the ballast free: %w", disk.Shown(s.dir.Path), err)
	}
	return nil
}
