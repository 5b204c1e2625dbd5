package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

// newOperator returns a harness with an operator whose input can end.
func newOperator(t *testing.T, s worldtest.Scene) (adaptertest.OperatorHarness, *operator) {
	h := s.OperatorHarness()
	sys := newSystem(t)
	h.System = sys.harness()
	p := &operator{h.Operator.Ask}
	h.Operator = p
	ended := false
	h.EndInput = func() { ended = true }
	inner := p.ask
	p.ask = func(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
		if ended {
			return adapters.Answer{}, fmt.Errorf("%w: %w", adapters.ErrRefused, io.EOF)
		}
		return inner(ctx, q)
	}
	for _, m := range operatorMethods() {
		m.wrap(p, sys.reach)
	}
	return h, p
}

func operatorMethods() []method[operator] {
	return []method[operator]{
		{name: "Ask", wrap: func(p *operator, around around) {
			inner := p.ask
			p.ask = func(ctx context.Context, q adapters.Question) (answer adapters.Answer, err error) {
				err = around(ctx, func(ctx context.Context) error {
					answer, err = inner(ctx, q)
					return err
				})
				return answer, err
			}
		}},
	}
}

func TestSuiteOfOperator(t *testing.T) {
	type (
		H = adaptertest.OperatorHarness
		P = operator
		A = adapters.Answer
		Q = adapters.Question
	)
	const (
		puts      = "Ask puts the question to the person"
		yes       = "Ask returns a yes with who gave it and when"
		no        = "Ask says that the answer is no"
		silence   = "Ask takes silence for no"
		end       = "Ask takes the end of input for no"
		everyTime = "Ask asks again every time"
	)
	ask := func(change func(q *Q), answer func(a *A, err error) error) func(*H, *P) {
		return func(_ *H, p *P) {
			inner := p.ask
			p.ask = func(ctx context.Context, q Q) (A, error) {
				if change != nil {
					change(&q)
				}
				a, err := inner(ctx, q)
				if answer != nil && ctx.Err() == nil {
					err = answer(&a, err)
				}
				return a, err
			}
		}
	}
	// when changes what is answered once a hook was called: the one that hook
	// points to.
	when := func(hook func(*H) *func(), with func(q Q) error) func(*H, *P) {
		return func(h *H, p *P) {
			called := false
			inner, callback := p.ask, *hook(h)
			*hook(h) = func() { called = true; callback() }
			p.ask = func(ctx context.Context, q Q) (A, error) {
				a, err := inner(ctx, q)
				if called && ctx.Err() == nil {
					return A{By: "nobody", At: time.Now()}, with(q)
				}
				return a, err
			}
		}
	}
	sayNothing := func(h *H) *func() { return &h.SayNothing }
	endInput := func(h *H) *func() { return &h.EndInput }
	fine := func(Q) error { return nil }
	// saidNo changes what is answered when the person said no.
	saidNo := func(with func(q Q) error) func(*H, *P) {
		return func(h *H, p *P) {
			said, silent := true, false
			say, nothing, end := h.Say, h.SayNothing, h.EndInput
			h.Say = func(yes bool) { said = yes; say(yes) }
			h.SayNothing = func() { silent = true; nothing() }
			h.EndInput = func() { silent = true; end() }
			inner := p.ask
			p.ask = func(ctx context.Context, q Q) (A, error) {
				a, err := inner(ctx, q)
				if !said && !silent && ctx.Err() == nil {
					return A{By: "somebody", At: time.Now()}, with(q)
				}
				return a, err
			}
		}
	}
	wrongs := []wrong[H, P]{
		{puts, "without the text", ask(func(q *Q) { q.Text = "Go on?" }, nil)},
		{puts, "without the environment", ask(func(q *Q) { q.Environment = "" }, nil)},
		{puts, "without the last of the details", ask(func(q *Q) { q.Details = q.Details[:len(q.Details)-1] }, nil)},
		{yes, "nobody is named", ask(nil, func(a *A, err error) error { a.By = ""; return err })},
		{yes, "the time is missing", ask(nil, func(a *A, err error) error { a.At = time.Time{}; return err })},
		{no, "an error without condition", saidNo(func(Q) error { return errors.New("the person said no") })},
		{no, "an uncertain error", saidNo(func(Q) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, adapters.ErrRefused) })},
		{no, "an attestation is taken for given", saidNo(func(q Q) error {
			if q.Kind == adapters.AskAttestation {
				return nil
			}
			return adapters.ErrRefused
		})},
		{silence, "silence is taken for yes", when(sayNothing, fine)},
		{silence, "an error without condition", when(sayNothing, func(Q) error { return errors.New("no answer") })},
		{end, "it is taken for yes", when(endInput, fine)},
		{end, "an error without condition", when(endInput, func(Q) error { return io.EOF })},
		{everyTime, "the first answer is remembered", func(_ *H, p *P) {
			type outcome struct {
				a   A
				err error
			}
			inner, known := p.ask, map[string]outcome{}
			p.ask = func(ctx context.Context, q Q) (A, error) {
				if ctx.Err() != nil {
					return inner(ctx, q)
				}
				key := fmt.Sprint(q)
				o, ok := known[key]
				if !ok {
					o.a, o.err = inner(ctx, q)
					known[key] = o
				}
				return o.a, o.err
			}
		}},
		{several, "only one environment is asked about", func(_ *H, p *P) {
			inner := p.ask
			p.ask = func(ctx context.Context, q Q) (A, error) {
				if q.Environment == "Development" {
					return A{}, adapters.ErrRefused
				}
				return inner(ctx, q)
			}
		}},
	}
	subject[H, P]{adaptertest.OperatorClauses(), newOperator, operatorMethods()}.check(t, wrongs)
}
