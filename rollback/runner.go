// Package rollback is the way back: it puts the source license back wherever a
// target license is, or may be, installed. It looks at what is installed, not
// at how it got there, and needs the journal, the backups and Service Center,
// but neither the Licensing Portal nor anybody's approval. Most programs use
// it through package changeover.
//
// A Runner owns no goroutine while Run is not called, and none outlives it but
// that of an adapter that does not heed its context.
package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Plan is what the way back needs to know of a run.
type Plan struct {
	Infrastructure environment.Infrastructure
	Source, Target license.ActivationCode
	Module         string   // republished as a test where a license was put back
	Order          []string // in which environments are taken back
	Pause          []string // environments whose deployments are to be paused
	Run            string   // name of the run, as in its journal
	Digest         string   // of the migration's plan, as in its journal
}

// Options are what a Runner may be given. A nil *Options, and every zero
// field, has a default; see the fields of the same name in package migration.
type Options struct {
	Logger     *zap.Logger
	Clock      adapters.Clock
	OnEntry    func(journal.Entry)
	Inline     bool
	Tasks      adapters.Tasks
	Grace      time.Duration
	User, Host string
}

// Procedure is the name under which journals keep the definition.
const Procedure = "rollback"

// A Runner takes one infrastructure back.
type Runner struct {
	plan Plan
	site *steps.Site
	opts Options
	line *machine.Machine[environment.Line]
	envs *machine.Machine[environment.Facts]
	host engine.Host
}

// New returns a Runner. It calls no port and does not read the journal.
func New(plan Plan, set adapters.Set, store journal.Store, opts *Options) (*Runner, error) {
	if err := set.Validate(); err != nil {
		return nil, err
	}
	if store == nil {
		return nil, errors.New("the journal store is nil")
	}
	r := &Runner{plan: plan}
	if opts != nil {
		r.opts = *opts
	}
	if r.opts.Clock == nil {
		r.opts.Clock = engine.SystemClock{}
	}
	mask := license.NewMask(plan.Source, plan.Target)
	panicked := func(stack []byte) { r.logger().Error("an adapter panicked", zap.ByteString("stack", stack)) }
	r.site = &steps.Site{
		Infrastructure: plan.Infrastructure, Source: plan.Source, Target: plan.Target, Module: plan.Module,
		Paused: plan.Pause, Ports: steps.Guard(set, mask, panicked), Clock: r.opts.Clock,
	}
	var err error
	if r.line, err = machine.New(InfrastructureTable()); err != nil {
		return nil, err
	}
	if r.envs, err = machine.New(EnvironmentTable()); err != nil {
		return nil, err
	}
	r.host = engine.Host{
		Store: engine.Share(store),
		Opening: journal.Opening{Run: plan.Run, Plan: plan.Digest, Procedure: Procedure, Definition: r.line.Table().Hash() + " " + r.envs.Table().Hash(),
			Host: r.opts.Host, User: r.opts.User, Adapters: steps.Describe(set)},
		Options: engine.Options{Clock: r.opts.Clock, Logger: r.opts.Logger, OnEntry: r.opts.OnEntry, Grace: r.opts.Grace, Inline: r.opts.Inline,
			Tasks: r.opts.Tasks, Mask: mask},
	}
	return r, nil
}

func (r *Runner) logger() *zap.Logger { return cmp.Or(r.opts.Logger, zap.NewNop()) }

// Run takes the infrastructure back from where the journal says that it
// stands, as far as it gets, and returns the state that it rests in. The line
// must have been stopped on record. Run may be called again at any time; what
// is done is not done twice.
func (r *Runner) Run(ctx context.Context, verb string) (machine.State, error) {
	var at machine.State
	err := r.host.Run(ctx, verb, "", func(sess *engine.Session) error {
		r.site.Begin()
		standing, _ := sess.Standing(journal.Infrastructure)
		line, err := engine.Facts[environment.Line](standing)
		if err != nil {
			return err
		}
		if !line.Latch.Set() {
			return errors.New("the line was not stopped: nothing on record says that the run is to be rolled back")
		}
		if err := sess.Retry(r.opts.User); err != nil {
			return err
		}
		if standing.Table == r.line.Table().ID && machine.State(standing.State) == Mixed {
			if err := engine.Hand[environment.Line](sess, r.line, journal.Infrastructure, TakenUpAgain, r.opts.User, "the rollback is taken up again", nil, nil); err != nil {
				return err
			}
		}
		walk := &engine.Walk[environment.Line]{
			Session: sess, Machine: r.line, Steps: r.lineSteps(sess), Envs: []string{journal.Infrastructure}, Witness: steps.Witness,
		}
		err = walk.Run(ctx)
		standing, _ = sess.Standing(journal.Infrastructure)
		at = machine.State(standing.State)
		return err
	})
	return at, err
}

// Hold stops the way back, or one environment, at the next safe point; see the
// method of the same name in package migration.
func (r *Runner) Hold(ctx context.Context, env, by, why string) error {
	return r.host.Hold(ctx, env, by, why)
}

// Release ends an operator's hold.
func (r *Runner) Release(ctx context.Context, env, by, why string) error {
	return r.host.Release(ctx, env, by, why)
}

// Resolve records what was found and done about an environment that waits for
// a person, or, for the infrastructure, that somebody takes responsibility for
// environments whose test republish did not succeed. notDone says that an
// effect in doubt was found not to have been done.
func (r *Runner) Resolve(ctx context.Context, env, by, evidence string, notDone bool) error {
	if by == "" || evidence == "" {
		return errors.New("a resolution needs who made it and what was found and done")
	}
	return r.host.Run(ctx, "resolve", "", func(sess *engine.Session) error { return r.resolve(ctx, sess, env, by, evidence, notDone) })
}

func (r *Runner) resolve(ctx context.Context, sess *engine.Session, env, by, evidence string, notDone bool) (err error) {
	at, _ := sess.Standing(env)
	switch {
	case at.Hold != nil:
		err = sess.Release(env, by, evidence, notDone, engine.Resolvable()...)
	case env == journal.Infrastructure && machine.State(at.State) == RestoredUntested:
		err = engine.Hand(sess, r.line, env, SupportResolved, by, evidence, nil, func(l *environment.Line) {
			l.Override = environment.Approval{Given: true, By: printable.Text(by), At: sess.Now(), Text: printable.Text(evidence)}
		})
	case at.Table == r.envs.Table().ID && machine.State(at.State) == NeedsSupport:
		err = engine.Hand(sess, r.envs, env, SupportResolved, by, evidence, nil, func(f *environment.Facts) { f.Need.Evidence = printable.Text(evidence) })
	default:
		err = fmt.Errorf("%s: %w", printable.Text(env), engine.ErrNotHeld)
	}
	if err != nil {
		return err
	}
	return sess.Flush(ctx)
}

// Definition identifies the tables; journals keep it.
func (r *Runner) Definition() string { return r.host.Opening.Definition }

// Explain returns what may and may not happen to env; ok is false when env is
// in no table of this procedure.
func (r *Runner) Explain(record *journal.Record, env string) (ex machine.Explanation, ok bool, err error) {
	at, known := record.Standing(env)
	switch {
	case known && at.Table == r.line.Table().ID:
		line, err := engine.Facts[environment.Line](at)
		if err != nil {
			return ex, false, err
		}
		// The census on record was taken when the last effect ended.
		if line.Census, _, err = r.census(record); err != nil {
			return ex, false, err
		}
		ex, err = r.line.Explain(machine.State(at.State), line)
		return ex, true, err
	case known && at.Table == r.envs.Table().ID:
		facts, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return ex, false, err
		}
		ex, err = r.envs.Explain(machine.State(at.State), facts)
		return ex, true, err
	}
	return ex, false, nil
}

// lineSteps carry out what the infrastructure asks for.
func (r *Runner) lineSteps(sess *engine.Session) map[machine.EffectName]machine.Step[environment.Line] {
	type L = environment.Line
	report := func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) { return r.report(ctx, sess, c) }
	return map[machine.EffectName]machine.Step[L]{
		"pause": {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
			return "paused", r.site.Pause(ctx, &c.Facts.Pause, func() error {
				if err := engine.Note(sess, journal.Infrastructure, func(l *L) { l.Pause = c.Facts.Pause }); err != nil {
					return err
				}
				return sess.Flush(ctx)
			})
		}},
		"restoreLicenses": {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) {
			return r.restoreAll(ctx, sess, c)
		}},
		"sweep":             {Do: func(ctx context.Context, c *machine.Call[L]) (machine.Trigger, error) { return r.sweep(ctx, sess, c) }},
		"resumeDeployments": r.site.ResumeDeployments(license.Source),
		"report":            {Do: report, Observe: report}, // looks for the case before it opens one
	}
}

// restoreAll takes every environment back, whatever becomes of the others
// (RB3).
func (r *Runner) restoreAll(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	for _, env := range r.plan.Order {
		// A forward call that nobody knows the end of may still land: remember
		// it beyond the table that it belonged to (RB8).
		at, ok := sess.Standing(env)
		if ok && at.Table != r.envs.Table().ID && at.InFlight {
			if err := engine.Note(sess, env, func(f *environment.Facts) { f.SetNote(steps.Unaccounted, at.Effect) }); err != nil {
				return "", err
			}
		}
	}
	w := &engine.Walk[environment.Facts]{
		Session: sess, Machine: r.envs, Steps: r.environmentSteps(sess), Envs: r.plan.Order, Witness: steps.Witness,
		Enter: steps.Begin, Complete: func(f *environment.Facts) { f.Line = c.Facts },
	}
	if err := w.Run(ctx); err != nil {
		return "", err
	}
	census, mixed, err := r.census(sess)
	if err != nil {
		return "", err
	}
	c.Facts.Census = census
	switch {
	case census.Reached == census.Total:
		return "restored", nil
	case census.Reached+census.Untested == census.Total:
		return "notTested", nil
	case mixed:
		return "notRestored", nil
	default:
		return "", engine.ErrRest
	}
}

// standings are what a session, and a replayed journal, say of environments.
type standings interface {
	Standing(env string) (journal.Standing, bool)
}

// census counts the environments; mixed says that one which is not back holds,
// or may hold, a target license.
func (r *Runner) census(all standings) (c environment.Census, mixed bool, err error) {
	c.Total = len(r.plan.Order)
	for _, env := range r.plan.Order {
		at, ok := all.Standing(env)
		if !ok {
			continue
		}
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return c, mixed, err
		}
		steps.Tally(&c, f)
		state := machine.State(at.State)
		switch {
		case at.Table == r.envs.Table().ID && state == RolledBack:
			c.Reached++
			continue
		case at.Table == r.envs.Table().ID && state == RestoredNotTested:
			c.Untested++
			continue
		case at.Hold != nil:
			c.Held++
		case state == NeedsSupport:
			c.NeedSupport++
		}
		mixed = mixed || f.TargetSent || f.Reading.Role == license.Target
	}
	return c, mixed, nil
}

func (r *Runner) sweep(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	if err := r.site.Sweep(ctx, c.Effect.Settle, func(env string, reading environment.Reading) error {
		return engine.Note(sess, env, func(f *environment.Facts) { f.Reading = reading })
	}); err != nil {
		return "", err
	}
	census, _, err := r.census(sess)
	if err != nil {
		return "", err
	}
	c.Facts.Census = census
	again, err := r.beginAgain(sess)
	switch {
	case err != nil:
		return "", err
	case again:
		return "notRestored", nil
	}
	if census.ShowSource != census.Total {
		return "", &journal.Hold{Kind: journal.HoldMixed, Cause: fmt.Sprintf("%d of %d environments show the source license", census.ShowSource, census.Total),
			Hint: "deployments stay paused; find out what changed, then resolve and resume"}
	}
	return "swept", nil
}

// beginAgain takes environments that are back, and were found with a target
// license all the same, to the beginning of the way back (RB2): an upload that
// nobody waited for any more has landed, or somebody has installed it. The
// infrastructure rests until somebody takes the run up again.
func (r *Runner) beginAgain(sess *engine.Session) (again bool, err error) {
	for _, env := range r.plan.Order {
		at, _ := sess.Standing(env)
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return false, err
		}
		node, _ := r.envs.Node(machine.State(at.State))
		if node.Final && f.Reading.Role != license.Target {
			continue
		}
		again = true
		raw, err := engine.Encode(steps.Begin(f))
		if err != nil {
			return false, err
		}
		if err := sess.Stage(journal.Entry{Kind: journal.Begun, Env: env, Table: r.envs.Table().ID, State: string(r.envs.Initial()),
			Text: "it shows the target license again and must be taken back again", Facts: raw}); err != nil {
			return false, err
		}
	}
	return again, nil
}

// report tells Support why the run was rolled back (seed, rollback step 3).
func (r *Runner) report(ctx context.Context, sess *engine.Session, c *machine.Call[environment.Line]) (machine.Trigger, error) {
	reference, err := r.site.OpenCase(ctx, steps.RolledBackCase(c.ID, r.plan.Infrastructure, r.plan.Source, r.plan.Target, c.Facts.Latch))
	if err != nil {
		return "", err
	}
	c.Facts.Case = reference
	return "reported", nil
}
