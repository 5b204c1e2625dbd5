package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

func newDesk(t *testing.T, s worldtest.Scene) (adaptertest.SupportDeskHarness, *desk) {
	h := s.SupportDeskHarness()
	sys := newSystem(t)
	h.System = sys.harness()
	p := &desk{h.Desk.OpenCase, h.Desk.FindCase}
	h.Desk = p
	for _, m := range deskMethods() {
		m.wrap(p, sys.reach)
	}
	return h, p
}

func deskMethods() []method[desk] {
	return []method[desk]{
		{name: "OpenCase", mutates: true, wrap: func(p *desk, around around) {
			inner := p.open
			p.open = func(ctx context.Context, c adapters.Case) (reference string, err error) {
				err = around(ctx, func(ctx context.Context) error {
					reference, err = inner(ctx, c)
					return err
				})
				return reference, err
			}
		}},
		{name: "FindCase", wrap: func(p *desk, around around) {
			inner := p.find
			p.find = func(ctx context.Context, key string) (reference string, err error) {
				err = around(ctx, func(ctx context.Context) error {
					reference, err = inner(ctx, key)
					return err
				})
				return reference, err
			}
		}},
	}
}

func TestSuiteOfSupportDesk(t *testing.T) {
	type (
		H = adaptertest.SupportDeskHarness
		P = desk
	)
	const (
		opens    = "OpenCase returns the reference of a case that FindCase finds"
		opensOne = "OpenCase opens one case"
		same     = "OpenCase with the key of an open case returns that case's reference"
		none     = "OpenCase with the key of an open case opens none"
		eachKey  = "OpenCase opens a case for each key"
		notFound = "FindCase does not find what was not opened"
	)
	// onOpen changes the n-th opening with a key; open makes it with whatever case.
	onOpen := func(do func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error)) func(*H, *P) {
		return func(_ *H, p *P) {
			inner, n := p.open, map[string]int{}
			p.open = func(ctx context.Context, c adapters.Case) (string, error) {
				if ctx.Err() != nil {
					return inner(ctx, c)
				}
				n[c.Key]++
				return do(n[c.Key], c, func(c adapters.Case) (string, error) { return inner(ctx, c) })
			}
		}
	}
	// referring changes every reference that the desk gives.
	referring := func(change func(h *H, key, reference string) string) func(*H, *P) {
		return func(h *H, p *P) {
			open, find := p.open, p.find
			p.open = func(ctx context.Context, c adapters.Case) (string, error) {
				reference, err := open(ctx, c)
				if err == nil {
					reference = change(h, c.Key, reference)
				}
				return reference, err
			}
			p.find = func(ctx context.Context, key string) (string, error) {
				reference, err := find(ctx, key)
				if err == nil {
					reference = change(h, key, reference)
				}
				return reference, err
			}
		}
	}
	// looking changes how it is answered that there is no case with the key of
	// Case, once Other is open.
	looking := func(with func(error) error) func(*H, *P) {
		return func(h *H, p *P) {
			open, find, opened := p.open, p.find, false
			p.open = func(ctx context.Context, c adapters.Case) (string, error) {
				opened = opened || ctx.Err() == nil && c == h.Other
				return open(ctx, c)
			}
			p.find = func(ctx context.Context, key string) (string, error) {
				reference, err := find(ctx, key)
				if errors.Is(err, adapters.ErrCaseNotFound) && opened && key == h.Case.Key {
					err = with(err)
				}
				return reference, err
			}
		}
	}
	wrongs := []wrong[H, P]{
		{opens, "the reference is empty", referring(func(h *H, key, reference string) string {
			if key == h.Case.Key {
				return ""
			}
			return reference
		})},
		{opens, "another reference is found, unless somebody looked before", func(_ *H, p *P) {
			open, find, looked, opened := p.open, p.find, false, false
			p.open = func(ctx context.Context, c adapters.Case) (string, error) {
				opened = opened || ctx.Err() == nil && !looked
				return open(ctx, c)
			}
			p.find = func(ctx context.Context, key string) (string, error) {
				reference, err := find(ctx, key)
				looked = true
				if opened && err == nil {
					reference += "0"
				}
				return reference, err
			}
		}},
		{opensOne, "a second case is opened for good measure", onOpen(func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error) {
			reference, err := open(c)
			if n == 1 && err == nil {
				c.Key += ", again"
				_, err = open(c)
			}
			return reference, err
		})},
		{opensOne, "no case is opened that is counted", func(h *H, p *P) {
			opened, less := h.Opened, 0
			onOpen(func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error) {
				less = 1
				return open(c)
			})(h, p)
			h.Opened = func() int { return opened() - less }
		}},
		{same, "the second reference is another one", onOpen(func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error) {
			reference, err := open(c)
			if n == 2 {
				reference += fmt.Sprint(n)
			}
			return reference, err
		})},
		{same, "the subject decides, not the key", func(h *H, p *P) {
			subjects := map[string]string{}
			onOpen(func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error) {
				reference, err := open(c)
				if was, ok := subjects[c.Key]; ok && was != c.Subject {
					reference += "0"
				} else {
					subjects[c.Key] = c.Subject
				}
				return reference, err
			})(h, p)
		}},
		{none, "the second call opens another", onOpen(func(n int, c adapters.Case, open func(adapters.Case) (string, error)) (string, error) {
			reference, err := open(c)
			if n == 2 && err == nil {
				c.Key += ", again"
				_, err = open(c)
			}
			return reference, err
		})},
		{eachKey, "all have the same reference", referring(func(*H, string, string) string { return "CASE" })},
		{notFound, "an empty reference and no error", looking(func(error) error { return nil })},
		{notFound, "an error without condition", looking(func(error) error { return errors.New("no") })},
		{notFound, "an uncertain error", looking(func(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) })},
		{notFound, "whatever case there is", func(h *H, p *P) {
			inner := p.find
			p.find = func(ctx context.Context, key string) (string, error) {
				reference, err := inner(ctx, key)
				if errors.Is(err, adapters.ErrCaseNotFound) && key == h.Case.Key {
					if other, err := inner(ctx, h.Other.Key); err == nil {
						return other, nil
					}
				}
				return reference, err
			}
		}},
		{several, "the second case is not found again", func(h *H, p *P) {
			inner, opened := p.find, false
			open := p.open
			p.open = func(ctx context.Context, c adapters.Case) (string, error) {
				opened = opened || c == h.Other
				return open(ctx, c)
			}
			p.find = func(ctx context.Context, key string) (string, error) {
				if key == h.Other.Key && opened {
					return "", adapters.ErrCaseNotFound
				}
				return inner(ctx, key)
			}
		}},
	}
	subject[H, P]{adaptertest.SupportDeskClauses(), newDesk, deskMethods()}.check(t, wrongs)
}
