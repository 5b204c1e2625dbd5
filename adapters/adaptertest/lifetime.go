package adaptertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

// A LifeTimeHarness is what [TestLifeTime] needs to know and to do.
type LifeTimeHarness struct {
	System

	// LifeTime is the adapter under test. Every clause needs it.
	LifeTime adapters.LifeTime

	// Controlled are all environments that LifeTime controls, so LifeTime
	// itself is not among them. None is paused, and no deployment is running.
	// Every clause uses the first; the clause about calls for different
	// environments uses the second too, and is skipped if there is only one.
	Controlled []environment.Environment

	// Unknown is an environment that LifeTime does not control. The clauses
	// about ErrUnknownEnvironment need it.
	Unknown environment.Environment

	// StartDeployment starts a deployment to the first environment that does
	// not end by itself and that a pause would abort. It is for the clause
	// about ErrBusy; nil is an inability.
	StartDeployment func()
}

func (h LifeTimeHarness) incomplete() error {
	var r required
	r.field("LifeTime", h.LifeTime != nil)
	r.field("Controlled", len(h.Controlled) > 0)
	r.field("Unknown", h.Unknown.Name != "")
	return r.err()
}

// TestLifeTime checks that a [adapters.LifeTime] keeps its contract. It calls
// newHarness once for every clause.
func TestLifeTime(t *testing.T, newHarness func(t *testing.T) LifeTimeHarness) {
	test(t, lifeTimeClauses(), newHarness)
}

func (h LifeTimeHarness) env() environment.Environment { return h.Controlled[0] }

// list returns what Registered shows, by name.
func (h LifeTimeHarness) list(ctx context.Context) ([]environment.Registered, error) {
	list, err := h.LifeTime.Registered(ctx)
	if err != nil {
		return nil, success("Registered", err)
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b environment.Registered) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

func (h LifeTimeHarness) state(ctx context.Context) ([]string, error) {
	list, err := h.list(ctx)
	var state []string
	for _, r := range list {
		state = append(state, fmt.Sprintf("%s: paused %v, running %d deployments (%s)", r.Name, r.Paused, len(r.Running), strings.Join(r.Running, ", ")))
	}
	return state, err
}

// row returns the row of env.
func (h LifeTimeHarness) row(ctx context.Context, env environment.Environment) (environment.Registered, error) {
	list, err := h.list(ctx)
	if err != nil {
		return environment.Registered{}, err
	}
	for _, r := range list {
		if r.Name == env.Name {
			return r, nil
		}
	}
	return environment.Registered{}, fmt.Errorf("the list that Registered returns lacks %s", printable.Text(env.Name))
}

// paused checks whether Registered shows env paused.
func (h LifeTimeHarness) paused(ctx context.Context, env environment.Environment, want bool) error {
	r, err := h.row(ctx, env)
	if err == nil && r.Paused != want {
		err = fmt.Errorf("the list that Registered returns shows %s with paused %v, want %v", printable.Text(env.Name), r.Paused, want)
	}
	return err
}

func (h LifeTimeHarness) pause(ctx context.Context, env environment.Environment) error {
	return success("PauseDeployments", h.LifeTime.PauseDeployments(ctx, env))
}

func (h LifeTimeHarness) resume(ctx context.Context, env environment.Environment) error {
	return success("ResumeDeployments", h.LifeTime.ResumeDeployments(ctx, env))
}

// keeps checks that act changes nothing that Registered shows.
func (h LifeTimeHarness) keeps(ctx context.Context, what string, act func() error) error {
	return keeps(ctx, h.state, what, act)
}

func (h LifeTimeHarness) calls() []call {
	return []call{
		{name: "Registered", do: func(ctx context.Context) error {
			_, err := h.LifeTime.Registered(ctx)
			return err
		}},
		{name: "PauseDeployments", mutates: true, do: func(ctx context.Context) error {
			return h.LifeTime.PauseDeployments(ctx, h.env())
		}},
		{
			name: "ResumeDeployments", mutates: true,
			arrange: func(ctx context.Context) error { return h.pause(ctx, h.env()) },
			do:      func(ctx context.Context) error { return h.LifeTime.ResumeDeployments(ctx, h.env()) },
		},
	}
}

func lifeTimeClauses() []clause[LifeTimeHarness] {
	type H = LifeTimeHarness
	clauses := []clause[H]{
		{
			name: "Registered lists the environments that LifeTime controls",
			text: "Registered lists the environments that LifeTime controls, LifeTime itself excepted: each once, by its name",
			check: func(ctx context.Context, h H) error {
				list, err := h.list(ctx)
				if err != nil {
					return err
				}
				var got, want []string
				for _, r := range list {
					got = append(got, r.Name)
				}
				for _, e := range h.Controlled {
					want = append(want, e.Name)
				}
				slices.Sort(want)
				if !slices.Equal(got, want) {
					return fmt.Errorf("the list that Registered returns has %s, want %s", printable.Text(strings.Join(got, ", ")), printable.Text(strings.Join(want, ", ")))
				}
				return nil
			},
		},
		{
			name: "Registered changes nothing",
			text: "Registered changes nothing: asking again shows the same",
			check: func(ctx context.Context, h H) error {
				if err := h.pause(ctx, h.env()); err != nil {
					return err
				}
				return h.keeps(ctx, "Registered", func() error {
					_, err := h.list(ctx)
					return err
				})
			},
		},
		{
			name:      "Registered shows a running deployment",
			text:      "Registered lists the environments with the state of their deployments: a deployment that is running is named in Running",
			inability: H.cannotDeploy,
			check: func(ctx context.Context, h H) error {
				h.StartDeployment()
				r, err := h.row(ctx, h.env())
				if err == nil && len(r.Running) == 0 {
					err = errors.New("the list that Registered returns shows no running deployment")
				}
				return err
			},
		},
		{
			name: "PauseDeployments pauses the environment",
			text: "after PauseDeployments returns nil, Registered shows the environment paused",
			check: func(ctx context.Context, h H) error {
				if err := h.paused(ctx, h.env(), false); err != nil {
					return err
				}
				if err := h.pause(ctx, h.env()); err != nil {
					return err
				}
				return h.paused(ctx, h.env(), true)
			},
		},
		{
			name: "PauseDeployments again changes nothing",
			text: "pausing again changes nothing, and returns nil",
			check: func(ctx context.Context, h H) error {
				if err := h.pause(ctx, h.env()); err != nil {
					return err
				}
				return h.keeps(ctx, "pausing again", func() error { return h.pause(ctx, h.env()) })
			},
		},
		{
			name:      "PauseDeployments does not abort a running deployment",
			text:      "PauseDeployments returns ErrBusy, and pauses nothing, while a deployment to the environment is running that the pause would abort",
			inability: H.cannotDeploy,
			check: func(ctx context.Context, h H) error {
				h.StartDeployment()
				return h.keeps(ctx, "a pause that was refused", func() error {
					return refusal("PauseDeployments", h.LifeTime.PauseDeployments(ctx, h.env()), adapters.ErrBusy)
				})
			},
		},
		{
			name: "PauseDeployments refuses an environment that LifeTime does not control",
			text: "PauseDeployments returns ErrUnknownEnvironment when LifeTime does not control the environment",
			check: func(ctx context.Context, h H) error {
				return h.keeps(ctx, "a pause that was refused", func() error {
					return refusal("PauseDeployments", h.LifeTime.PauseDeployments(ctx, h.Unknown), adapters.ErrUnknownEnvironment)
				})
			},
		},
		{
			name: "ResumeDeployments ends the pause",
			text: "ResumeDeployments ends the pause; after it returns nil, Registered does not show the environment paused",
			check: func(ctx context.Context, h H) error {
				if err := h.pause(ctx, h.env()); err != nil {
					return err
				}
				if err := h.resume(ctx, h.env()); err != nil {
					return err
				}
				return h.paused(ctx, h.env(), false)
			},
		},
		{
			name: "ResumeDeployments again changes nothing",
			text: "resuming again changes nothing, and returns nil",
			check: func(ctx context.Context, h H) error {
				if err := errors.Join(h.pause(ctx, h.env()), h.resume(ctx, h.env())); err != nil {
					return err
				}
				return h.keeps(ctx, "resuming again", func() error { return h.resume(ctx, h.env()) })
			},
		},
		{
			name: "ResumeDeployments refuses an environment that LifeTime does not control",
			text: "ResumeDeployments returns ErrUnknownEnvironment when LifeTime does not control the environment",
			check: func(ctx context.Context, h H) error {
				if err := h.pause(ctx, h.env()); err != nil {
					return err
				}
				return h.keeps(ctx, "a resume that was refused", func() error {
					return refusal("ResumeDeployments", h.LifeTime.ResumeDeployments(ctx, h.Unknown), adapters.ErrUnknownEnvironment)
				})
			},
		},
	}
	return append(clauses, general[H]{
		calls: H.calls,
		refused: func(h H) []call {
			return []call{
				{name: "PauseDeployments of an unknown environment", mutates: true, do: func(ctx context.Context) error {
					return h.LifeTime.PauseDeployments(ctx, h.Unknown)
				}},
				{name: "ResumeDeployments of an unknown environment", mutates: true, do: func(ctx context.Context) error {
					return h.LifeTime.ResumeDeployments(ctx, h.Unknown)
				}},
			}
		},
		state:     func(h H) stateFunc { return h.state },
		inability: func(h H) string { return declared("Controlled (only one)", len(h.Controlled) < 2) },
		several: func(ctx context.Context, h H) error {
			one, two := h.Controlled[0], h.Controlled[1]
			to := func(do func(context.Context, environment.Environment) error, env environment.Environment) call {
				return call{name: printable.Text(env.Name), do: func(ctx context.Context) error { return do(ctx, env) }}
			}
			look := func(ctx context.Context, _ environment.Environment) error {
				_, err := h.list(ctx)
				return err
			}
			err := together(ctx,
				[]call{to(look, one), to(h.resume, one), to(h.pause, one)},
				[]call{to(look, two), to(h.resume, two), to(h.pause, two), to(h.resume, two)})
			if err != nil {
				return err
			}
			return errors.Join(h.paused(ctx, one, true), h.paused(ctx, two, false))
		},
	}.clauses()...)
}

func (h LifeTimeHarness) cannotDeploy() string {
	return declared("StartDeployment (nil)", h.StartDeployment == nil)
}
