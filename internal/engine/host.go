package engine

import (
	"context"
	"sync"

	"github.com/changeover-go/changeover/migration/journal"
)

// A Host takes turns at one journal: one for each verb, and one at a time. Both
// procedures' runners have one, and share the turns by sharing a store.
type Host struct {
	Store   *Shared
	Opening journal.Opening // but for the verb
	Options Options
}

// Shared is a store whose hosts take turns.
type Shared struct {
	journal.Store

	mu      sync.Mutex
	changed sync.Cond
	taken   bool     // somebody has a turn
	live    *Session // that others may join; nil: none, or not yet, or not any more
	guests  int      // that have joined it
}

// Share returns the store for all hosts of one journal. What is shared already
// stays so.
func Share(store journal.Store) *Shared {
	if s, ok := store.(*Shared); ok {
		return s
	}
	s := &Shared{Store: store}
	s.changed.L = &s.mu
	return s
}

// Run has a turn for the verb, as soon as nobody else has one: it reads the
// journal, and ends with f. [Host.Hold] can join it. preview is the digest of
// what a run is begun from, or empty.
func (h *Host) Run(ctx context.Context, verb, preview string, f func(*Session) error) error {
	turns, tasks := h.Store, h.tasks()
	turns.mu.Lock()
	await(ctx, tasks, &turns.changed, func() bool { return !turns.taken })
	turns.taken = true
	turns.mu.Unlock()
	defer func() {
		turns.mu.Lock()
		defer turns.mu.Unlock()
		turns.taken = false
		turns.changed.Broadcast()
	}()
	opening := h.Opening
	opening.Verb, opening.Preview = verb, preview
	s, err := Open(ctx, turns.Store, opening, h.Options)
	if err != nil {
		return err
	}
	turns.show(s)
	defer func() {
		turns.mu.Lock()
		// Until then others may join: a guest who is told of what it wrote, and
		// holds again, waits for nobody.
		await(ctx, tasks, &turns.changed, func() bool { return turns.guests == 0 })
		turns.live = nil
		turns.mu.Unlock()
		s.wait(ctx) // somebody who holds the run may be telling of its last entries
	}()
	return f(s)
}

func (t *Shared) show(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live = s
	t.changed.Broadcast()
}

func (h *Host) tasks() Tasks {
	if h.Options.Tasks == nil || h.Options.Inline {
		return goroutines{}
	}
	return h.Options.Tasks
}

// Hold stops the run, or one environment, at the next safe point: nothing more
// is issued until somebody releases the hold. It may be called at any time: it
// joins the turn that somebody has, or has one of its own.
func (h *Host) Hold(ctx context.Context, env, by, why string) error {
	hold := func(s *Session) error {
		if err := s.Hold(env, by, why); err != nil {
			return err
		}
		return s.Flush(ctx)
	}
	turns := h.Store
	turns.mu.Lock()
	await(ctx, h.tasks(), &turns.changed, func() bool { return !turns.taken || turns.live != nil })
	s := turns.live
	if s == nil {
		turns.mu.Unlock()
		return h.Run(ctx, "hold", "", hold)
	}
	turns.guests++
	turns.mu.Unlock()
	defer func() {
		turns.mu.Lock()
		defer turns.mu.Unlock()
		turns.guests--
		turns.changed.Broadcast()
	}()
	return hold(s)
}

// Release ends an operator's hold.
func (h *Host) Release(ctx context.Context, env, by, why string) error {
	return h.Run(ctx, "release", "", func(s *Session) error {
		if err := s.Release(env, by, why, false, journal.HoldOperator); err != nil {
			return err
		}
		return s.Flush(ctx)
	})
}
