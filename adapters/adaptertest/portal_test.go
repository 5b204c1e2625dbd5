package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func newPortal(t *testing.T, s worldtest.Scene) (adaptertest.LicensePortalHarness, *portal) {
	h := s.LicensePortalHarness(t)
	sys := newSystem(t)
	h.System = sys.harness()
	p := &portal{h.Portal.FetchLicense, h.Portal.SerialRegistered, h.Portal.RegisterSerial}
	h.Portal = p
	for _, m := range portalMethods() {
		m.wrap(p, sys.reach)
	}
	return h, p
}

func portalMethods() []method[portal] {
	return []method[portal]{
		{name: "FetchLicense", wrap: func(p *portal, around around) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, code license.ActivationCode, env environment.Environment) (file license.File, err error) {
				err = around(ctx, func(ctx context.Context) error {
					file, err = inner(ctx, code, env)
					return err
				})
				return file, err
			}
		}},
		{name: "SerialRegistered", wrap: func(p *portal, around around) {
			inner := p.registered
			p.registered = func(ctx context.Context, code license.ActivationCode, env environment.Environment) (is bool, err error) {
				err = around(ctx, func(ctx context.Context) error {
					is, err = inner(ctx, code, env)
					return err
				})
				return is, err
			}
		}},
		{name: "RegisterSerial", mutates: true, wrap: func(p *portal, around around) {
			inner := p.register
			p.register = func(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
				return around(ctx, func(ctx context.Context) error { return inner(ctx, code, env) })
			}
		}},
	}
}

func TestSuiteOfLicensePortal(t *testing.T) {
	type (
		H    = adaptertest.LicensePortalHarness
		P    = portal
		code = license.ActivationCode
		env  = environment.Environment
	)
	const (
		returnsFile   = "FetchLicense returns the file of the serial number under the code"
		doesNotFind   = "FetchLicense does not find a serial number that is not registered under the code"
		fetchReads    = "FetchLicense changes nothing"
		reports       = "SerialRegistered reports whether the serial number is registered under the code"
		reportReads   = "SerialRegistered changes nothing"
		registers     = "RegisterSerial registers the serial number under the code"
		takesSlot     = "RegisterSerial takes up one slot"
		noSlot        = "RegisterSerial without a free slot registers nothing"
		registerAgain = "RegisterSerial for a registered serial number takes up no further slot"
	)
	ofTarget := worldtest.New(t).ForQuality
	// notFound changes what FetchLicense answers for a serial number that is not
	// registered.
	notFound := func(change func(error) error) func(*H, *P) {
		return func(_ *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				f, err := inner(ctx, c, e)
				if errors.Is(err, adapters.ErrSerialNotFound) {
					err = change(err)
				}
				return f, err
			}
		}
	}
	// onRegister changes the n-th call of RegisterSerial. register makes it,
	// and occupy takes up a slot for somebody else.
	onRegister := func(change func(n int, register func() error, occupy func()) error) func(*H, *P) {
		return func(_ *H, p *P) {
			inner, n := p.register, 0
			p.register = func(ctx context.Context, c code, e env) error {
				if ctx.Err() == nil {
					n++
				}
				return change(n, func() error { return inner(ctx, c, e) }, func() {
					e := e
					e.Name, e.Serial = "Somebody", "else"
					_ = inner(ctx, c, e)
				})
			}
		}
	}
	wrongs := []wrong[H, P]{
		{returnsFile, "the file is of another code", func(h *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				f, err := inner(ctx, c, e)
				if c == h.Registered && e == h.Env && err == nil {
					return ofTarget, nil
				}
				return f, err
			}
		}},
		{doesNotFind, "no file and no error", func(h *H, p *P) {
			fetch, registered, asked := p.fetch, p.registered, false
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				asked = true
				return registered(ctx, c, e)
			}
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				f, err := fetch(ctx, c, e)
				if errors.Is(err, adapters.ErrSerialNotFound) && !asked {
					err = nil
				}
				return f, err
			}
		}},
		{doesNotFind, "an error without condition", notFound(func(error) error { return errors.New("not found") })},
		{doesNotFind, "an uncertain error", notFound(func(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) })},
		{doesNotFind, "another condition", notFound(func(error) error { return adapters.ErrPermission })},
		{fetchReads, "it registers what it does not find", func(_ *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				f, err := inner(ctx, c, e)
				if errors.Is(err, adapters.ErrSerialNotFound) {
					_ = p.register(ctx, c, e)
				}
				return f, err
			}
		}},
		{reports, "it does not find what is registered", func(h *H, p *P) {
			inner := p.registered
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				is, err := inner(ctx, c, e)
				return is && c != h.Registered, err
			}
		}},
		{reports, "it takes what is not registered for registered", func(h *H, p *P) {
			inner, tried := p.registered, false
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				is, err := inner(ctx, c, e)
				return is || !tried, err
			}
			onRegister(func(n int, register func() error, _ func()) error {
				tried = n > 0
				return register()
			})(h, p)
		}},
		{reportReads, "asking three times registers", func(_ *H, p *P) {
			registered, fetch, row := p.registered, p.fetch, 0
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				is, err := registered(ctx, c, e)
				if row++; !is && err == nil && row == 3 {
					_ = p.register(ctx, c, e)
				}
				return is, err
			}
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				row = 0
				return fetch(ctx, c, e)
			}
		}},
		{registers, "the license is not found afterwards", func(h *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				if c == h.Unregistered && ctx.Err() == nil {
					return license.File{}, adapters.ErrSerialNotFound
				}
				return inner(ctx, c, e)
			}
		}},
		{registers, "the serial number is not shown as registered", func(h *H, p *P) {
			inner := p.registered
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				is, err := inner(ctx, c, e)
				return is && c != h.Unregistered, err
			}
		}},
		{takesSlot, "two slots are gone", onRegister(func(n int, register func() error, occupy func()) error {
			if n == 1 {
				occupy()
			}
			return register()
		})},
		{noSlot, "an error without condition", onRegister(func(_ int, register func() error, _ func()) error {
			if err := register(); err != nil {
				return errors.New("no")
			}
			return nil
		})},
		{noSlot, "it claims to have registered", onRegister(func(_ int, register func() error, _ func()) error {
			if err := register(); !errors.Is(err, adapters.ErrNoSlot) {
				return err
			}
			return nil
		})},
		{noSlot, "the serial number is shown as registered", func(h *H, p *P) {
			failed := false
			registered := p.registered
			p.registered = func(ctx context.Context, c code, e env) (bool, error) {
				is, err := registered(ctx, c, e)
				return is || failed && c == h.Unregistered, err
			}
			onRegister(func(_ int, register func() error, _ func()) error {
				err := register()
				failed = errors.Is(err, adapters.ErrNoSlot)
				return err
			})(h, p)
		}},
		{registerAgain, "it takes up a second slot", onRegister(func(n int, register func() error, occupy func()) error {
			if n == 2 {
				occupy()
			}
			return register()
		})},
		{several, "one environment is taken for another", func(h *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) { return inner(ctx, c, h.Env) }
		}},
		{noSecret, "FetchLicense puts the activation code into its errors", func(h *H, p *P) {
			inner := p.fetch
			p.fetch = func(ctx context.Context, c code, e env) (license.File, error) {
				f, err := inner(ctx, c, e)
				if err != nil {
					err = fmt.Errorf("under %s: %w", c.Reveal(), err)
				}
				return f, err
			}
		}},
	}
	subject[H, P]{adaptertest.LicensePortalClauses(), newPortal, portalMethods()}.check(t, wrongs)
}
