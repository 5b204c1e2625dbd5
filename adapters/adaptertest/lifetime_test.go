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
)

func newLifeTime(t *testing.T, s worldtest.Scene) (adaptertest.LifeTimeHarness, *lifeTime) {
	h := s.LifeTimeHarness()
	sys := newSystem(t)
	h.System = sys.harness()
	p := &lifeTime{h.LifeTime.Registered, h.LifeTime.PauseDeployments, h.LifeTime.ResumeDeployments}
	h.LifeTime = p
	for _, m := range lifeTimeMethods() {
		m.wrap(p, sys.reach)
	}
	return h, p
}

func lifeTimeMethods() []method[lifeTime] {
	return []method[lifeTime]{
		{name: "Registered", wrap: func(p *lifeTime, around around) {
			inner := p.registered
			p.registered = func(ctx context.Context) (list []environment.Registered, err error) {
				err = around(ctx, func(ctx context.Context) error {
					list, err = inner(ctx)
					return err
				})
				return list, err
			}
		}},
		{name: "PauseDeployments", mutates: true, wrap: func(p *lifeTime, around around) {
			inner := p.pause
			p.pause = func(ctx context.Context, env environment.Environment) error {
				return around(ctx, func(ctx context.Context) error { return inner(ctx, env) })
			}
		}},
		{name: "ResumeDeployments", mutates: true, wrap: func(p *lifeTime, around around) {
			inner := p.resume
			p.resume = func(ctx context.Context, env environment.Environment) error {
				return around(ctx, func(ctx context.Context) error { return inner(ctx, env) })
			}
		}},
	}
}

func TestSuiteOfLifeTime(t *testing.T) {
	type (
		H   = adaptertest.LifeTimeHarness
		P   = lifeTime
		env = environment.Environment
		row = environment.Registered
	)
	const (
		lists         = "Registered lists the environments that LifeTime controls"
		listsOnly     = "Registered changes nothing"
		running       = "Registered shows a running deployment"
		pauses        = "PauseDeployments pauses the environment"
		pauseAgain    = "PauseDeployments again changes nothing"
		busy          = "PauseDeployments does not abort a running deployment"
		pauseUnknown  = "PauseDeployments refuses an environment that LifeTime does not control"
		resumes       = "ResumeDeployments ends the pause"
		resumeAgain   = "ResumeDeployments again changes nothing"
		resumeUnknown = "ResumeDeployments refuses an environment that LifeTime does not control"
	)
	// onList changes the list.
	onList := func(change func(h *H, list []row) []row) func(*H, *P) {
		return func(h *H, p *P) {
			inner := p.registered
			p.registered = func(ctx context.Context) ([]row, error) {
				list, err := inner(ctx)
				if err == nil {
					list = change(h, list)
				}
				return list, err
			}
		}
	}
	// counting counts the calls of a method for the first environment whose
	// context is not done.
	counting := func(do func(ctx context.Context, n int, call func() error) error, call func(context.Context, env) error, h *H) func(context.Context, env) error {
		n := 0
		return func(ctx context.Context, e env) error {
			if ctx.Err() != nil || e.Name != h.Controlled[0].Name {
				return call(ctx, e)
			}
			n++
			return do(ctx, n, func() error { return call(ctx, e) })
		}
	}
	onPause := func(do func(ctx context.Context, n int, call func() error) error) func(*H, *P) {
		return func(h *H, p *P) { p.pause = counting(do, p.pause, h) }
	}
	onResume := func(do func(ctx context.Context, n int, call func() error) error) func(*H, *P) {
		return func(h *H, p *P) { p.resume = counting(do, p.resume, h) }
	}
	// refusing changes how a call is refused.
	refusing := func(pick func(*P) *func(context.Context, env) error, c *adapters.Condition, with func(error) error) func(*H, *P) {
		return func(_ *H, p *P) {
			method := pick(p)
			inner := *method
			*method = func(ctx context.Context, e env) error {
				err := inner(ctx, e)
				if errors.Is(err, c) {
					return with(err)
				}
				return err
			}
		}
	}
	pause := func(p *P) *func(context.Context, env) error { return &p.pause }
	resume := func(p *P) *func(context.Context, env) error { return &p.resume }
	fine := func(error) error { return nil }
	plain := func(error) error { return errors.New("no") }
	uncertain := func(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) }

	wrongs := []wrong[H, P]{
		{lists, "LifeTime itself is listed", onList(func(h *H, list []row) []row {
			return append(list, row{Name: h.Unknown.Name})
		})},
		{lists, "an environment is listed twice", onList(func(_ *H, list []row) []row { return append(list, list[0]) })},
		{lists, "an environment is missing", onList(func(_ *H, list []row) []row { return list[:len(list)-1] })},
		{listsOnly, "the third reading in a row resumes", func(h *H, p *P) {
			row := 0
			for _, m := range lifeTimeMethods() {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					if row++; m.name != "Registered" || ctx.Err() != nil {
						row = 0
					}
					if row >= 3 {
						_ = p.resume(ctx, h.Controlled[0])
					}
					return call(ctx)
				})
			}
		}},
		{running, "no deployment is shown", onList(func(_ *H, list []row) []row {
			for i := range list {
				list[i].Running = nil
			}
			return list
		})},
		{pauses, "the pause is lost if the list was read just before", func(h *H, p *P) {
			calls, start := 0, h.StartDeployment
			h.StartDeployment = func() { calls++; start() }
			for _, m := range lifeTimeMethods() {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					calls++
					return call(ctx)
				})
			}
			inner := p.pause
			p.pause = func(ctx context.Context, e env) error {
				if calls == 1 && ctx.Err() == nil && e != h.Unknown {
					return nil
				}
				return inner(ctx, e)
			}
		}},
		{pauseAgain, "the second call is an error", onPause(func(_ context.Context, n int, call func() error) error {
			if n == 2 {
				return adapters.ErrBusy
			}
			return call()
		})},
		{pauseAgain, "the second call resumes", func(h *H, p *P) {
			onPause(func(ctx context.Context, n int, call func() error) error {
				if n == 2 {
					return p.resume(ctx, h.Controlled[0])
				}
				return call()
			})(h, p)
		}},
		{busy, "no error", refusing(pause, adapters.ErrBusy, fine)},
		{busy, "an error without condition", refusing(pause, adapters.ErrBusy, plain)},
		{busy, "an uncertain error", refusing(pause, adapters.ErrBusy, uncertain)},
		{busy, "the deployment is aborted", func(h *H, p *P) {
			aborted := false
			onPause(func(_ context.Context, _ int, call func() error) error {
				err := call()
				aborted = errors.Is(err, adapters.ErrBusy)
				return err
			})(h, p)
			onList(func(_ *H, list []row) []row {
				for i := range list {
					if aborted {
						list[i].Running = nil
					}
				}
				return list
			})(h, p)
		}},
		{busy, "it is paused all the same", func(h *H, p *P) {
			aborted := false
			onPause(func(_ context.Context, _ int, call func() error) error {
				err := call()
				aborted = errors.Is(err, adapters.ErrBusy)
				return err
			})(h, p)
			onList(func(_ *H, list []row) []row {
				list[0].Paused = list[0].Paused || aborted
				return list
			})(h, p)
		}},
		{pauseUnknown, "no error", refusing(pause, adapters.ErrUnknownEnvironment, fine)},
		{pauseUnknown, "an error without condition", refusing(pause, adapters.ErrUnknownEnvironment, plain)},
		{pauseUnknown, "another environment is paused", func(h *H, p *P) {
			inner := p.pause
			p.pause = func(ctx context.Context, e env) error {
				err := inner(ctx, e)
				if errors.Is(err, adapters.ErrUnknownEnvironment) {
					_ = inner(ctx, h.Controlled[0])
				}
				return err
			}
		}},
		{resumes, "the pause is not ended", func(h *H, p *P) {
			onResume(func(ctx context.Context, _ int, call func() error) error {
				if err := call(); err != nil {
					return err
				}
				return p.pause(ctx, h.Controlled[0])
			})(h, p)
		}},
		{resumeAgain, "the second call is an error", onResume(func(_ context.Context, n int, call func() error) error {
			if n == 2 {
				return errors.New("not paused")
			}
			return call()
		})},
		{resumeAgain, "the second call pauses", func(h *H, p *P) {
			onResume(func(ctx context.Context, n int, call func() error) error {
				if n == 2 {
					return p.pause(ctx, h.Controlled[0])
				}
				return call()
			})(h, p)
		}},
		{resumeUnknown, "no error", refusing(resume, adapters.ErrUnknownEnvironment, fine)},
		{resumeUnknown, "an error without condition", refusing(resume, adapters.ErrUnknownEnvironment, plain)},
		{resumeUnknown, "another environment is resumed", func(h *H, p *P) {
			inner := p.resume
			p.resume = func(ctx context.Context, e env) error {
				err := inner(ctx, e)
				if errors.Is(err, adapters.ErrUnknownEnvironment) {
					_ = inner(ctx, h.Controlled[0])
				}
				return err
			}
		}},
		{several, "resuming one environment resumes no other than the first", func(h *H, p *P) {
			inner := p.resume
			p.resume = func(ctx context.Context, e env) error {
				if e == h.Controlled[1] {
					e = h.Controlled[0]
				}
				return inner(ctx, e)
			}
		}},
	}
	subject[H, P]{adaptertest.LifeTimeClauses(), newLifeTime, lifeTimeMethods()}.check(t, wrongs)
}
