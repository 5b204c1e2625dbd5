package adaptertest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/adapters"
)

// An OperatorHarness is what [TestOperator] needs to know and to do. The suite
// makes the questions itself.
type OperatorHarness struct {
	System

	// Operator is the adapter under test. Every clause needs it.
	Operator adapters.Operator

	// Say makes the person answer every question from now on with yes or with
	// no. Every clause needs it.
	Say func(yes bool)

	// SayNothing makes nobody answer from now on, so that the adapter has to
	// give up by itself. It is for the clause about silence; nil is an
	// inability.
	SayNothing func()

	// EndInput ends the input from which answers are read. It is for the
	// clause about the end of input; nil is an inability.
	EndInput func()

	// Shown tells what the person has been shown so far. It is for the clause
	// about the question; nil is an inability.
	Shown func() string
}

func (h OperatorHarness) incomplete() error {
	var r required
	r.field("Operator", h.Operator != nil)
	r.field("Say", h.Say != nil)
	return r.err()
}

// TestOperator checks that a [adapters.Operator] keeps its contract. It calls
// newHarness once for every clause.
func TestOperator(t *testing.T, newHarness func(t *testing.T) OperatorHarness) {
	test(t, operatorClauses(), newHarness)
}

// questions are one of each kind, for the infrastructure and for an
// environment.
func questions() []adapters.Question {
	return []adapters.Question{
		{
			Kind: adapters.AskApproval, Subject: "move",
			Text:    "May target licenses be installed now?",
			Details: []string{"4 of 4 environments are backed up.", "Deployments are paused."},
		},
		{
			Kind: adapters.AskAttestation, Subject: "modulesChecked", Environment: "Quality",
			Text:    "Have all modules been checked?",
			Details: []string{"Open the application that checks activation codes."},
		},
	}
}

// answers checks that the answer to q is a yes with its evidence.
func (h OperatorHarness) answers(ctx context.Context, q adapters.Question) error {
	a, err := h.Operator.Ask(ctx, q)
	what := fmt.Sprintf("Ask (%s)", q.Kind)
	switch {
	case err != nil:
		return success(what, err)
	case a.By == "":
		return fmt.Errorf("%s returned an answer that does not say who gave it", what)
	case a.At.IsZero():
		return fmt.Errorf("%s returned an answer that does not say when it was given", what)
	}
	return nil
}

// refuses checks that the answer to every question is ErrRefused.
func (h OperatorHarness) refuses(ctx context.Context) error {
	for _, q := range questions() {
		_, err := h.Operator.Ask(ctx, q)
		if err := refusal(fmt.Sprintf("Ask (%s)", q.Kind), err, adapters.ErrRefused); err != nil {
			return err
		}
	}
	return nil
}

func operatorClauses() []clause[OperatorHarness] {
	type H = OperatorHarness
	clauses := []clause[H]{
		{
			name:      "Ask puts the question to the person",
			text:      "Ask puts a question: the person sees its text, the environment that it is about, and what to know or do before answering",
			inability: func(h H) string { return declared("Shown (nil)", h.Shown == nil) },
			check: func(ctx context.Context, h H) error {
				h.Say(true)
				for _, q := range questions() {
					if _, err := h.Operator.Ask(ctx, q); err != nil {
						return success("Ask", err)
					}
					shown := h.Shown()
					for _, part := range append([]string{q.Text, q.Environment}, q.Details...) {
						if !strings.Contains(shown, part) {
							return fmt.Errorf("the person was not shown %q", part)
						}
					}
				}
				return nil
			},
		},
		{
			name: "Ask returns a yes with who gave it and when",
			text: "Ask returns the answer, with who gave it and when; By is never empty",
			check: func(ctx context.Context, h H) error {
				h.Say(true)
				for _, q := range questions() {
					if err := h.answers(ctx, q); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "Ask says that the answer is no",
			text: "Ask returns ErrRefused when the answer is no",
			check: func(ctx context.Context, h H) error {
				h.Say(false)
				return h.refuses(ctx)
			},
		},
		{
			name:      "Ask takes silence for no",
			text:      "Ask returns ErrRefused when nobody answers: silence never means yes",
			inability: func(h H) string { return declared("SayNothing (nil)", h.SayNothing == nil) },
			check: func(ctx context.Context, h H) error {
				h.SayNothing()
				return h.refuses(ctx)
			},
		},
		{
			name:      "Ask takes the end of input for no",
			text:      "Ask returns ErrRefused at the end of input",
			inability: func(h H) string { return declared("EndInput (nil)", h.EndInput == nil) },
			check: func(ctx context.Context, h H) error {
				h.EndInput()
				return h.refuses(ctx)
			},
		},
		{
			name: "Ask asks again every time",
			text: "the same call may come again; adapters do not remember and do not decide: a question that is asked again is put to the person again",
			check: func(ctx context.Context, h H) error {
				q := questions()[0]
				for _, yes := range []bool{true, false, true} {
					h.Say(yes)
					_, err := h.Operator.Ask(ctx, q)
					if got := err == nil; got != yes {
						return fmt.Errorf("the person says yes: %v, Ask returns a yes: %v", yes, got)
					}
				}
				return nil
			},
		},
	}
	return append(clauses, general[H]{
		calls: func(h H) []call {
			h.Say(true)
			var calls []call
			for _, q := range questions() {
				calls = append(calls, call{name: fmt.Sprintf("Ask (%s)", q.Kind), do: func(ctx context.Context) error {
					_, err := h.Operator.Ask(ctx, q)
					return err
				}})
			}
			return calls
		},
		refused: func(h H) []call {
			h.Say(false)
			return []call{{name: "Ask, answered with no", do: func(ctx context.Context) error {
				_, err := h.Operator.Ask(ctx, questions()[0])
				return err
			}}}
		},
		state: func(H) stateFunc { // a question changes nothing that could be read back
			return func(context.Context) ([]string, error) { return nil, nil }
		},
		several: func(ctx context.Context, h H) error {
			h.Say(true)
			var lanes [][]call
			for _, name := range []string{"Production", "Quality", "Development"} {
				q := questions()[1]
				q.Environment = name
				lanes = append(lanes, []call{{name: "Ask", do: func(ctx context.Context) error {
					_, err := h.Operator.Ask(ctx, q)
					return err
				}}})
			}
			return together(ctx, lanes...)
		},
	}.clauses()...)
}
