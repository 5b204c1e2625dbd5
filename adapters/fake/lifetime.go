package fake

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// lifeTime is the world's [adapters.LifeTime].
type lifeTime struct{ facet }

var _ adapters.LifeTime = lifeTime{}

// Registered implements [adapters.LifeTime]. Addresses are host names, as
// LifeTime has them.
func (l lifeTime) Registered(ctx context.Context) (list []environment.Registered, err error) {
	err = l.call(ctx, Call{"LifeTime", "Registered", ""}, func(w *World) error {
		for _, s := range w.s.Servers {
			if s.Controlled {
				list = append(list, environment.Registered{
					Name: s.Environment.Name, Address: host(s.Environment.ServiceCenter),
					Cloud: s.Cloud, Paused: s.Paused, Running: slices.Clone(s.Running),
				})
			}
		}
		return nil
	})
	return list, err
}

func host(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host
}

// PauseDeployments implements [adapters.LifeTime].
func (l lifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	c := Call{"LifeTime", "PauseDeployments", env.Name}
	return l.control(ctx, c, env, func(w *World, s *server) error {
		if len(s.Running) > 0 {
			return refused(env.Name, adapters.ErrBusy, "running: "+strings.Join(s.Running, ", "))
		}
		w.pause(s, c, true)
		return nil
	})
}

// ResumeDeployments implements [adapters.LifeTime].
func (l lifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	c := Call{"LifeTime", "ResumeDeployments", env.Name}
	return l.control(ctx, c, env, func(w *World, s *server) error {
		w.pause(s, c, false)
		return nil
	})
}

// pause pauses or resumes deployments to an environment.
func (w *World) pause(s *server, c Call, paused bool) {
	if s.Paused != paused {
		s.Paused = paused
		w.changed(c, license.ActivationCode{}, "")
	}
}

// control carries out a call for an environment that LifeTime controls.
func (l lifeTime) control(ctx context.Context, c Call, env environment.Environment, do func(*World, *server) error) error {
	return l.call(ctx, c, func(w *World) error {
		i := slices.IndexFunc(w.s.Servers, func(s server) bool { return s.Controlled && s.Environment.Name == env.Name })
		if i < 0 {
			return refused(env.Name, adapters.ErrUnknownEnvironment, "")
		}
		if w.s.Servers[i].Cloud {
			return refused(env.Name, adapters.ErrPermission, "the vendor pauses the deployments of a cloud environment")
		}
		return do(w, &w.s.Servers[i])
	})
}
