package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// notPaused returns those environments of s.Paused whose deployments are not
// paused now.
func (s *Site) notPaused(ctx context.Context) ([]string, error) {
	registered, err := s.Ports.LifeTime.Registered(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the environments of LifeTime: %w", err)
	}
	paused := make(map[string]bool, len(registered))
	for _, r := range registered {
		if r.Paused {
			paused[r.Name] = true
		}
	}
	var going []string
	for _, name := range s.Paused {
		if !paused[name] {
			going = append(going, name)
		}
	}
	return going, nil
}

// Pause pauses what is not paused yet and sees that it is. What is about to be
// paused is the run's own from then on, unless LifeTime says that it was not
// done; record, which must make p durable, is called before each. So what
// somebody else has paused does not count as the run's own, and what the run
// has paused always does, whatever process resumes it (reliability.md PA4).
func (s *Site) Pause(ctx context.Context, p *environment.Pause, record func() error) error {
	p.Seen = false
	going, err := s.notPaused(ctx)
	if err != nil {
		return Before(err)
	}
	for _, name := range going {
		if err := ctx.Err(); err != nil {
			return Before(err)
		}
		before := p.Ours
		if !slices.Contains(before, name) {
			p.Ours = append(slices.Clone(before), name)
		}
		if err := record(); err != nil {
			return err
		}
		if err := s.Ports.LifeTime.PauseDeployments(ctx, s.Env(name)); err != nil {
			if adapters.ConditionOf(err) != nil {
				p.Ours = before // an earlier call that nobody knows the end of stays the run's own
			}
			return fmt.Errorf("pausing deployments to %s: %w", printable.Text(name), err)
		}
	}
	return s.SeePause(ctx, p)
}

// SeePause checks that deployments are paused. A pause that was not seen is an
// error; what it means is for the caller to say.
func (s *Site) SeePause(ctx context.Context, p *environment.Pause) error {
	going, err := s.notPaused(ctx)
	if err != nil {
		return err
	}
	if len(going) > 0 {
		p.Seen = false
		return fmt.Errorf("deployments to %s: %w", printable.Text(strings.Join(going, ", ")), ErrNotPaused)
	}
	p.Seen, p.At = true, s.Clock.Now()
	return nil
}

// ErrNotPaused is wrapped by [Site.SeePause].
var ErrNotPaused = errors.New("are not paused")

// ErrHalted is wrapped by what must not be done any more.
var ErrHalted = errors.New("nothing more may be changed")

// Running returns an error when nothing more may be changed: one that wraps
// [ErrHalted], or ctx's. It is asked right before each call that changes
// something. A step that was given up, because something it called did not heed
// ctx, changes nothing more when it wakes up (reliability.md G13).
func (s *Site) Running(ctx context.Context) error {
	if s.Halted.Load() {
		return Before(ErrHalted)
	}
	return Before(ctx.Err())
}

// StillPaused is called before every upload and republish of the way forward.
// A pause that was lost halts the whole run (reliability.md PA2).
//
// It reads the whole list of LifeTime each time, which over n environments
// makes n times n answers. The port has no smaller question, and to share one
// answer among the environments that ask at the same time would cost a promise:
// where a person answers, what that person stated belongs into the entry of
// each effect that went on because of it.
func (s *Site) StillPaused(ctx context.Context) error {
	err := s.SeePause(ctx, new(environment.Pause))
	if errors.Is(err, ErrNotPaused) {
		s.Halted.Store(true)
	}
	if err != nil {
		return Before(err)
	}
	return s.Running(ctx)
}

// ChangedSince leads from where a sweep has led back to where it is asked for.
const ChangedSince machine.Trigger = "changedSince"

// ResumeDeployments is the step that both procedures end with, when the sweep
// has found the license of role everywhere. A sweep is good for the moment: if
// the run was taken up again since, every environment is looked at before
// deployments go on, and what has changed is for another sweep to judge.
func (s *Site) ResumeDeployments(role license.Role) machine.Step[environment.Line] {
	const done machine.Trigger = "deploymentsResumed"
	return machine.Step[environment.Line]{
		Do: func(ctx context.Context, c *machine.Call[environment.Line]) (machine.Trigger, error) {
			if !s.swept.Swap(false) {
				for _, name := range s.Names() {
					switch r, err := s.Read(ctx, name); {
					case err != nil:
						return "", Before(err)
					case !r.Shows(role):
						return ChangedSince, nil
					}
				}
			}
			return done, s.Resume(ctx, &c.Facts.Pause)
		},
		Observe: func(ctx context.Context, c *machine.Call[environment.Line]) (machine.Trigger, error) {
			ended, err := s.Resumed(ctx, &c.Facts.Pause)
			if err != nil || !ended {
				return machine.NotDone, err
			}
			return done, nil
		},
	}
}

// Resume ends the pauses that the run has set, and no other, and sees that
// they have ended.
func (s *Site) Resume(ctx context.Context, p *environment.Pause) error {
	for _, name := range p.Ours {
		if err := ctx.Err(); err != nil {
			return err // some may have been resumed already
		}
		if err := s.Ports.LifeTime.ResumeDeployments(ctx, s.Env(name)); err != nil {
			return fmt.Errorf("resuming deployments to %s: %w", printable.Text(name), err)
		}
	}
	ended, err := s.Resumed(ctx, p)
	if err != nil {
		return err
	}
	if !ended {
		return errors.New("resumed deployments, but LifeTime still shows a pause")
	}
	return nil
}

// Resumed reports whether the pauses that the run has set have ended.
func (s *Site) Resumed(ctx context.Context, p *environment.Pause) (bool, error) {
	registered, err := s.Ports.LifeTime.Registered(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the environments of LifeTime: %w", err)
	}
	for _, r := range registered {
		if r.Paused && slices.Contains(p.Ours, r.Name) {
			return false, nil
		}
	}
	p.Seen = false
	return true, nil
}

// OpenCase opens the case once, however often it is called.
func (s *Site) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	mask := license.NewMask(s.Source, s.Target)
	c.Subject, c.Body = mask.Text(c.Subject), mask.Text(c.Body)
	reference, err := s.Ports.Support.FindCase(ctx, c.Key)
	if err == nil {
		return printable.Text(reference), nil
	}
	if !errors.Is(err, adapters.ErrCaseNotFound) {
		return "", Before(fmt.Errorf("looking for the support case: %w", err))
	}
	if err := ctx.Err(); err != nil {
		return "", Before(err)
	}
	if reference, err = s.Ports.Support.OpenCase(ctx, c); err != nil {
		return "", fmt.Errorf("opening the support case: %w", err)
	}
	return printable.Text(reference), nil
}
