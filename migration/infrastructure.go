package migration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// lineSteps carry out what the infrastructure's machine asks for.
func (r *Runner) lineSteps(sess *engine.Session) map[machine.EffectName]machine.Step[environment.Line] {
	type L = environment.Line
	all := map[machine.EffectName]machine.Step[L]{
		"survey": {Do: r.survey},
		"pause": {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
			return "paused", r.pause(ctx, sess, &c.Facts)
		}},
		"attestModules": {Do: r.attestModules},
		"openGate": {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
			return r.openGate(ctx, sess, c)
		}},
		"sweep":             {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) { return r.sweep(ctx, sess, c) }},
		"resumeDeployments": r.site.ResumeDeployments(r.profile.Legs[len(r.profile.Legs)-1].Role),
		"openCase": {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
			return r.openCase(ctx, sess, c)
		}},
	}
	// Opening a case looks for it first, so looking is the same as doing.
	open := all["openCase"]
	open.Observe = open.Do
	all["openCase"] = open
	for _, leg := range r.profile.Legs {
		for _, st := range leg.Stages {
			all[st.Effect] = machine.Step[L]{Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
				return r.stage(ctx, sess, c, leg, st)
			}}
		}
	}
	return all
}

// survey compares the world with the plan. It changes nothing.
func (r *Runner) survey(ctx context.Context, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	registered, err := r.site.Ports.LifeTime.Registered(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the environments of LifeTime: %w", err)
	}
	var found []*journal.Hold
	for _, f := range r.plan.Infrastructure.CheckRegistered(registered) {
		if !f.Warning {
			found = append(found, steps.Foreign(f.Where+" "+f.Text))
		}
	}
	for _, env := range r.site.Environments {
		reading, _, err := r.site.Stable(ctx, env.Name, c.Effect.Settle, nil)
		if err != nil {
			return "", err
		}
		switch {
		case reading.Server != env.Serial:
			found = append(found, steps.SerialChanged(env.Name, reading.Server, env.Serial))
		case reading.Role == license.Other || reading.Role == license.None:
			found = append(found, steps.UnknownLicense(env.Name, reading))
		case reading.Role == license.Target:
			found = append(found, steps.Foreign(printable.Text(env.Name)+" shows the target license already"))
		}
	}
	if len(found) > 0 {
		causes := make([]string, len(found))
		for i, h := range found {
			causes[i] = h.Cause
		}
		return "", &journal.Hold{Kind: found[0].Kind, Cause: strings.Join(causes, "; "), Hint: "the plan presupposes the source license everywhere; nothing was touched"}
	}
	return "surveyed", nil
}

func (r *Runner) pause(ctx context.Context, sess *engine.Session, line *environment.Line) error {
	return r.site.Pause(ctx, &line.Pause, func() error {
		if err := engine.Note(sess, journal.Infrastructure, func(l *environment.Line) { l.Pause = line.Pause }); err != nil {
			return err
		}
		return sess.Flush(ctx)
	})
}

// seePause sees that deployments are still paused. When they are not, somebody
// must be told before anything else changes (reliability.md PA2); once they
// were, and it is on record that the pause was lost, it is set again.
func (r *Runner) seePause(ctx context.Context, sess *engine.Session, line *environment.Line) error {
	known := line.Pause.Seen
	err := r.site.SeePause(ctx, &line.Pause)
	switch {
	case errors.Is(err, steps.ErrNotPaused) && known:
		return pauseLost(line)
	case errors.Is(err, steps.ErrNotPaused):
		return r.pause(ctx, sess, line)
	}
	return err
}

// pauseLost records that deployments go on, and returns the hold.
func pauseLost(line *environment.Line) *journal.Hold {
	line.Pause.Seen = false
	return &journal.Hold{Kind: journal.HoldForeign, Cause: "somebody has resumed deployments that must be paused",
		Hint: "find out who, and what was deployed; then resolve with what you found, which pauses them again, or roll back"}
}

// stage walks the environments through one part of a leg.
func (r *Runner) stage(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line], leg Leg, st Stage) (machine.Trigger, error) {
	line := &c.Facts
	reached := r.reached(leg, st.Until)
	count := func() (err error) {
		line.Census, err = r.census(sess, reached)
		return err
	}
	if err := count(); err != nil {
		return "", err
	}
	if err := r.latchOf(sess, line, leg); err != nil {
		return "", err
	}
	r.site.Halted.Store(false) // what an earlier run has met is on record
	// Where one stops all, one that is held already keeps the others from
	// going on.
	stands := st.Policy == StopTheLine && line.Census.Held > 0
	if !line.Latch.Set() && !stands {
		if err := r.seePause(ctx, sess, line); err != nil {
			return "", err
		}
		for _, envs := range r.groups(leg, st) {
			envs = slices.DeleteFunc(envs, func(env string) bool {
				at, ok := sess.Standing(env)
				return ok && reached(at)
			})
			if err := r.walk(ctx, sess, line, leg, st, envs); err != nil {
				return "", err
			}
			if err := count(); err != nil {
				return "", err
			}
			if line.Latch.Set() || slices.ContainsFunc(envs, func(env string) bool { at, _ := sess.Standing(env); return !reached(at) }) {
				break // a canary has not come through
			}
		}
	}
	census := line.Census
	switch {
	case line.Latch.Set():
		return ippRejected, nil
	case r.site.Halted.Load():
		return "", pauseLost(line)
	case census.Reached == census.Total:
		return machine.Trigger(lowerFirst(string(st.Reached))), nil
	case census.NeedSupport > 0 && (st.Policy == StopTheLine || census.NeedSupport+census.Reached == census.Total):
		return "supportNeeded", nil
	}
	return "", engine.ErrRest
}

// groups returns the environments in the order of the plan; canaries, where
// the stage stops the line, in a group of their own before the others.
func (r *Runner) groups(leg Leg, st Stage) [][]string {
	if st.Policy != StopTheLine || len(r.plan.First) == 0 {
		return [][]string{slices.Clone(r.plan.Order)}
	}
	others := slices.DeleteFunc(slices.Clone(r.plan.Order), func(env string) bool { return slices.Contains(r.plan.First, env) })
	return [][]string{slices.Clone(r.plan.First), others}
}

func (r *Runner) walk(ctx context.Context, sess *engine.Session, line *environment.Line, leg Leg, st Stage, envs []string) error {
	carried := legSteps{Runner: r, leg: leg, rules: r.plan.Rules(leg)}
	w := &engine.Walk[environment.Facts]{
		Session: sess, Machine: r.legs[leg.Name], Steps: carried.steps(), Leg: leg.Name, Envs: envs, Until: st.Until, Limit: r.plan.MaxInFlight[leg.Name],
		Enter: steps.Begin, Complete: func(f *environment.Facts) { f.Line = *line }, Witness: steps.Witness,
		StopOnHold: st.Policy == StopTheLine,
		Stopped:    r.site.Halted.Load,
		React: func(env string, on machine.Trigger, f environment.Facts) ([]journal.Entry, error) {
			if on != ippRejected {
				return nil, nil
			}
			// The latch is durable together with the outcome that closes it.
			line.Latch = latch(env, f)
			r.site.Halted.Store(true)
			at, _ := sess.Standing(journal.Infrastructure)
			raw, err := engine.Encode(*line)
			return []journal.Entry{{Kind: journal.Noted, Env: journal.Infrastructure, Table: at.Table, State: at.State, Text: "the line is stopped", Facts: raw}}, err
		},
	}
	return w.Run(ctx)
}

// latch says why env stops the line. A step that is not of this package may
// not have said why.
func latch(env string, f environment.Facts) environment.Latch {
	return environment.Latch{Condition: cmp.Or(f.Need.Condition, string(ippRejected)), Environment: env, Step: f.Need.Step, Text: f.Need.Text}
}

// latchOf sets the latch if an environment of the leg has met what stops the
// line: a crash can keep that outcome and lose the latch, which follows it in
// the same append.
func (r *Runner) latchOf(sess *engine.Session, line *environment.Line, leg Leg) error {
	for _, env := range r.plan.Order {
		at, _ := sess.Standing(env)
		if line.Latch.Set() || at.Leg != leg.Name || machine.State(at.State) != RollingBack {
			continue
		}
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return err
		}
		line.Latch = latch(env, f)
	}
	return nil
}

func (r *Runner) attestModules(ctx context.Context, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	answer, err := r.ask(ctx, adapters.Question{
		Kind: adapters.AskAttestation, Subject: "modulesChecked",
		Text:    "Has ActivationCodeCheck found every module of every environment clean?",
		Details: []string{"It lists modules that are marked for another activation code and could not be published after the move."},
	})
	if err != nil {
		return "", err
	}
	adapters.Testify(ctx, adapters.Testimony{By: answer.By, At: answer.At, Text: "attested that every module is clean. " + printable.Text(answer.Text)})
	return "modulesAttested", nil
}

// ask puts a question; a no is a hold until the run is resumed, which asks
// again.
func (r *Runner) ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	answer, err := r.site.Ports.Operator.Ask(ctx, q)
	if errors.Is(err, adapters.ErrRefused) {
		return answer, &journal.Hold{Kind: journal.HoldApproval, Cause: "the answer was not yes: " + q.Text, Hint: "resume asks again"}
	}
	return answer, err
}

// openGate reads every backup again before it asks (BK8, BK9).
func (r *Runner) openGate(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	var err error
	if c.Facts.Census, err = r.census(sess, nil); err != nil {
		return "", err
	}
	var missing, details []string
	for _, env := range r.plan.Order {
		at, _ := sess.Standing(env)
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return "", err
		}
		b, ok := f.Restorable(f.Reading.Server)
		if !ok {
			missing = append(missing, printable.Text(env)+" has none")
			continue
		}
		_, err = r.site.Ports.Vault.Get(ctx, b.Serial, b.Digest)
		switch {
		case errors.Is(err, adapters.ErrBackupDamaged) || errors.Is(err, adapters.ErrBackupNotFound):
			missing = append(missing, printable.Text(env)+": "+err.Error())
			continue
		case err != nil:
			return "", fmt.Errorf("reading the backup of %s again: %w", printable.Text(env), err)
		}
		details = append(details, fmt.Sprintf("%s: backup %s, %s; shows %s", printable.Text(env), b.Digest.Short(), count(b.Copies, "copy", "copies"), steps.Shown(f.Reading)))
	}
	if len(missing) > 0 {
		return "", &journal.Hold{Kind: journal.HoldSupport, Cause: "no target license is installed before every environment has a proven backup: " + strings.Join(missing, "; "),
			Hint: "restore the vault from its copy, then resolve and resume"}
	}
	answer, err := r.ask(ctx, adapters.Question{
		Kind: adapters.AskApproval, Subject: "move",
		Text:    fmt.Sprintf("Install the target licenses of %s in all %d environments of %s now?", r.plan.Target, len(r.plan.Order), printable.Text(r.plan.Infrastructure.Name)),
		Details: details,
	})
	if err != nil {
		return "", err
	}
	c.Facts.Gate = environment.Approval{Given: true, By: printable.Text(answer.By), At: answer.At, Text: printable.Text(answer.Text)}
	adapters.Testify(ctx, adapters.Testimony{By: answer.By, At: answer.At, Text: "approved the installation of target licenses. " + printable.Text(answer.Text)})
	return "gateOpened", nil
}

// sweep reads everything once more, after the last change has settled.
func (r *Runner) sweep(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	if err := r.site.Sweep(ctx, c.Effect.Settle, func(env string, reading environment.Reading) error {
		return engine.Note(sess, env, func(f *environment.Facts) { f.Reading = reading })
	}); err != nil {
		return "", err
	}
	census, err := r.census(sess, nil)
	if err != nil {
		return "", err
	}
	c.Facts.Census = census
	final := r.profile.Legs[len(r.profile.Legs)-1].Role
	if shown := map[license.Role]int{license.Source: census.ShowSource, license.Target: census.ShowTarget}[final]; shown != census.Total {
		return "", &journal.Hold{Kind: journal.HoldMixed, Cause: fmt.Sprintf("%d of %d environments show the %s license", shown, census.Total, final),
			Hint: "deployments stay paused; find out what changed, then resolve and resume, or roll back"}
	}
	return "swept", nil
}

func (r *Runner) openCase(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	var needy []steps.Needy
	for _, env := range r.plan.Order {
		at, _ := sess.Standing(env)
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return "", err
		}
		if machine.State(at.State) == NeedsSupport {
			needy = append(needy, steps.Needy{Env: r.site.Env(env), Need: f.Need, Reading: f.Reading})
		}
	}
	reference, err := r.site.OpenCase(ctx, steps.Case(c.ID, r.plan.Infrastructure.Name, r.plan.Source, r.plan.Target, needy))
	if err != nil {
		return "", err
	}
	c.Facts.Case = reference
	return "caseOpened", nil
}
