package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
)

// A SupportDeskHarness is what [TestSupportDesk] needs to know and to do.
type SupportDeskHarness struct {
	System

	// Desk is the adapter under test. Every clause needs it.
	Desk adapters.SupportDesk

	// Case and Other are two cases with different keys; there is no case with
	// either key yet. Every clause needs Case, those about several cases need
	// Other. Against a real desk they should say that they are a test.
	Case, Other adapters.Case

	// Opened tells, past the adapter, how many cases have been opened at the
	// desk in all. It is for the clauses that count cases; nil is an
	// inability.
	Opened func() int
}

func (h SupportDeskHarness) incomplete() error {
	var r required
	r.field("Desk", h.Desk != nil)
	r.field("Case", h.Case.Key != "")
	r.field("Other", h.Other.Key != "" && h.Other.Key != h.Case.Key)
	return r.err()
}

// TestSupportDesk checks that a [adapters.SupportDesk] keeps its contract. It
// calls newHarness once for every clause.
func TestSupportDesk(t *testing.T, newHarness func(t *testing.T) SupportDeskHarness) {
	test(t, supportDeskClauses(), newHarness)
}

func (h SupportDeskHarness) cannotCount() string {
	return declared("Opened (nil)", h.Opened == nil)
}

func (h SupportDeskHarness) open(ctx context.Context, c adapters.Case) (string, error) {
	reference, err := h.Desk.OpenCase(ctx, c)
	return reference, success("OpenCase", err)
}

// finds checks that FindCase returns reference for key.
func (h SupportDeskHarness) finds(ctx context.Context, key, reference string) error {
	got, err := h.Desk.FindCase(ctx, key)
	if err != nil {
		return success("FindCase", err)
	}
	if got != reference {
		return fmt.Errorf("FindCase returned the reference %q, want %q", printable.Text(got), printable.Text(reference))
	}
	return nil
}

// state is what can be found at the desk.
func (h SupportDeskHarness) state(ctx context.Context) ([]string, error) {
	var state []string
	for _, key := range []string{h.Case.Key, h.Other.Key} {
		reference, err := h.Desk.FindCase(ctx, key)
		if err != nil && adapters.ConditionOf(err) != adapters.ErrCaseNotFound {
			return nil, success("FindCase", err)
		}
		state = append(state, key+": "+reference)
	}
	if h.Opened != nil {
		state = append(state, fmt.Sprintf("%d cases", h.Opened()))
	}
	return state, nil
}

// lane is what one part of a run does while another does the same: it looks
// for the case, opens it, and looks again.
func (h SupportDeskHarness) lane(c adapters.Case) []call {
	return []call{{name: "FindCase and OpenCase", do: func(ctx context.Context) error {
		_, _ = h.Desk.FindCase(ctx, c.Key) // what it answers is for other clauses
		reference, err := h.Desk.OpenCase(ctx, c)
		if err != nil {
			return err
		}
		return h.finds(ctx, c.Key, reference)
	}}}
}

func supportDeskClauses() []clause[SupportDeskHarness] {
	type H = SupportDeskHarness
	clauses := []clause[H]{
		{
			name: "OpenCase returns the reference of a case that FindCase finds",
			text: "OpenCase opens one case and returns its reference; FindCase returns the reference of the case with that key",
			check: func(ctx context.Context, h H) error {
				reference, err := h.open(ctx, h.Case)
				if err != nil {
					return err
				}
				if reference == "" {
					return errors.New("OpenCase returned an empty reference and no error")
				}
				return h.finds(ctx, h.Case.Key, reference)
			},
		},
		{
			name:      "OpenCase opens one case",
			text:      "OpenCase opens one case",
			inability: H.cannotCount,
			check: func(ctx context.Context, h H) error {
				before := h.Opened()
				if _, err := h.open(ctx, h.Case); err != nil {
					return err
				}
				if opened := h.Opened() - before; opened != 1 {
					return fmt.Errorf("OpenCase opened %d cases", opened)
				}
				return nil
			},
		},
		{
			name: "OpenCase with the key of an open case returns that case's reference",
			text: "when a case with the same key is open already, OpenCase returns that one's reference, whatever else the case says",
			check: func(ctx context.Context, h H) error {
				first, err := h.open(ctx, h.Case)
				if err != nil {
					return err
				}
				reworded := h.Case
				reworded.Subject, reworded.Body = h.Other.Subject, h.Other.Body
				for _, c := range []adapters.Case{h.Case, reworded} {
					again, err := h.open(ctx, c)
					if err != nil {
						return err
					}
					if again != first {
						return fmt.Errorf("OpenCase returned the reference %q, and %q for the same key", printable.Text(first), printable.Text(again))
					}
				}
				return nil
			},
		},
		{
			name:      "OpenCase with the key of an open case opens none",
			text:      "when a case with the same key is open already, OpenCase opens none",
			inability: H.cannotCount,
			check: func(ctx context.Context, h H) error {
				if _, err := h.open(ctx, h.Case); err != nil {
					return err
				}
				before := h.Opened()
				if _, err := h.open(ctx, h.Case); err != nil {
					return err
				}
				if opened := h.Opened() - before; opened != 0 {
					return fmt.Errorf("OpenCase opened %d further cases with the same key", opened)
				}
				return nil
			},
		},
		{
			name: "OpenCase opens a case for each key",
			text: "only a case with the same key is the same case: another key gets a case of its own",
			check: func(ctx context.Context, h H) error {
				first, err := h.open(ctx, h.Case)
				if err != nil {
					return err
				}
				second, err := h.open(ctx, h.Other)
				if err != nil {
					return err
				}
				if first == second {
					return fmt.Errorf("OpenCase returned the reference %q for two keys", printable.Text(first))
				}
				return nil
			},
		},
		{
			name: "FindCase does not find what was not opened",
			text: "FindCase returns ErrCaseNotFound when there is no case with that key",
			check: func(ctx context.Context, h H) error {
				_, none := h.Desk.FindCase(ctx, h.Case.Key)
				if _, err := h.open(ctx, h.Other); err != nil {
					return err
				}
				_, other := h.Desk.FindCase(ctx, h.Case.Key)
				return errors.Join(
					refusal("FindCase", none, adapters.ErrCaseNotFound),
					refusal("FindCase after another case was opened", other, adapters.ErrCaseNotFound))
			},
		},
	}
	return append(clauses, general[H]{
		calls: func(h H) []call {
			return []call{
				{name: "OpenCase", mutates: true, do: func(ctx context.Context) error {
					_, err := h.Desk.OpenCase(ctx, h.Case)
					return err
				}},
				{name: "FindCase", do: func(ctx context.Context) error {
					_, err := h.Desk.FindCase(ctx, h.Case.Key)
					return err
				}},
			}
		},
		refused: func(h H) []call {
			return []call{{name: "FindCase of what is not there", do: func(ctx context.Context) error {
				_, err := h.Desk.FindCase(ctx, h.Case.Key)
				return err
			}}}
		},
		state: func(h H) stateFunc { return h.state },
		several: func(ctx context.Context, h H) error {
			return together(ctx, h.lane(h.Case), h.lane(h.Other))
		},
	}.clauses()...)
}
