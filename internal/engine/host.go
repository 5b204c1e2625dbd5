package engine

import (
	"context"
	"sync"

	"github.com/changeover-go/changeover/migration/journal"
)

// A Host takes turns at one journal: one for each verb, and at most one at a
// time. Both procedures' runners have one.
type Host struct {
	Store   journal.Store
	Opening journal.Opening // but for the verb
	Options Options

	mu   sync.Mutex
	live *Session // of the run that is going on; nil: none
}

// Open begins a turn for the verb.
func (h *Host) Open(ctx context.Context, verb string) (*Session, error) { return h.open(ctx, verb, "") }

func (h *Host) open(ctx context.Context, verb, preview string) (*Session, error) {
	opening := h.Opening
	opening.Verb, opening.Preview = verb, preview
	return Open(ctx, h.Store, opening, h.Options)
}

// Run begins a turn that [Host.Hold] can join, and ends with f. preview is the
// digest of what a run is begun from, or empty.
func (h *Host) Run(ctx context.Context, verb, preview string, f func(*Session) error) error {
	s, err := h.open(ctx, verb, preview)
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.live = s
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.live = nil
		h.mu.Unlock()
		s.wait() // somebody who holds the run may be telling of its last entries
	}()
	return f(s)
}

// Hold stops the run, or one environment, at the next safe point: nothing more
// is issued until somebody releases the hold. It may be called while a run is
// going on.
func (h *Host) Hold(ctx context.Context, env, by, why string) error {
	h.mu.Lock()
	s := h.live
	h.mu.Unlock()
	if s == nil {
		var err error
		if s, err = h.Open(ctx, "hold"); err != nil {
			return err
		}
	}
	if err := s.Hold(env, by, why); err != nil {
		return err
	}
	return s.Flush(ctx)
}

// Release ends an operator's hold.
func (h *Host) Release(ctx context.Context, env, by, why string) error {
	s, err := h.Open(ctx, "release")
	if err != nil {
		return err
	}
	if err := s.Release(env, by, why, false, journal.HoldOperator); err != nil {
		return err
	}
	return s.Flush(ctx)
}
