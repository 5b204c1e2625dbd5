package contender

import (
	"context"
	"fmt"
	"time"

	"github.com/looplab/fsm"
)

// A LooplabFSM is bare looplab/fsm: it keeps nothing.
type LooplabFSM struct{}

// Name implements [Contender].
func (LooplabFSM) Name() string { return "looplab/fsm, bare" }

// Version implements [Contender].
func (LooplabFSM) Version() string { return version("github.com/looplab/fsm") }

// Durable implements [Contender].
func (LooplabFSM) Durable() bool { return false }

// Settings implements [Contender].
func (LooplabFSM) Settings() string {
	return "a machine for each instance, no callbacks, effects between two calls of Event"
}

// Start implements [Contender].
func (LooplabFSM) Start(context.Context, string) error { return nil }

// RunInstances implements [Contender].
func (LooplabFSM) RunInstances(ctx context.Context, n, inFlight int, mark Mark) error {
	var events fsm.Events
	for k := range Steps {
		events = append(events, fsm.EventDesc{Name: "done", Src: []string{fmt.Sprint(k)}, Dst: fmt.Sprint(k + 1)})
	}
	return each(ctx, n, inFlight, func(ctx context.Context, i int) error {
		m := fsm.NewFSM("0", events, nil)
		for k := range Steps {
			mark(i, k, time.Now())
			if err := m.Event(ctx, "done"); err != nil {
				return err
			}
		}
		return nil
	})
}

// Stop implements [Contender].
func (LooplabFSM) Stop() error { return nil }
