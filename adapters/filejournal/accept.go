package filejournal

import (
	"errors"
	"fmt"

	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/migration/journal"
)

// An Acceptance is what a person says of a journal that HEAD does not vouch
// for.
type Acceptance struct {
	// Entries is how many entries the journal is to have. [Open] names it when
	// it refuses the journal; who repeats it has seen what is accepted.
	Entries uint64
}

func (a Acceptance) check(found pass) error {
	switch {
	case found.last.Seq == 0:
		return fmt.Errorf("%w: there is no entry to accept", journal.ErrCorrupt)
	case found.last.Seq != a.Entries:
		return fmt.Errorf("%w: it has %d entries, and %d were to be accepted", journal.ErrCorrupt, found.last.Seq, a.Entries)
	}
	return nil
}

// AcceptHead makes the end of the journal in dir its HEAD, after HEAD was lost,
// or an older copy of the journal was put back. It is for a person who has found
// out that nothing was done since the last entry, or what: a journal that was
// cut does not know of the effects that it lost. Nothing calls it by itself.
//
// Every line must be whole and follow from the one before it, else it returns
// what [Open] does. What it returns of the journal is what was accepted.
func AcceptHead(dir string, accept Acceptance, opts *Options) (Report, error) {
	s := new(Store)
	found, err := s.open(dir, opts, &accept)
	if err = errors.Join(err, s.release()); err != nil {
		return Report{}, fmt.Errorf("journal in %s: %w", disk.Shown(dir), err)
	}
	return found.report(), nil
}
