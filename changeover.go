// Package changeover takes an OutSystems infrastructure from one activation
// code (Source) to another (Target), and back. It is the door for programs
// that embed it: fill an adapters.Set, read a migration.Plan, and call the
// verbs of a [Changeover].
//
// Every verb reads the journal first and writes what it does, so a run may be
// stopped anywhere, by anything, and taken up again by another process. What
// a verb returns is a report.Report: what is true of every environment, what
// waits for whom, and how the run stands.
//
// It does not talk to any OutSystems system by itself; the adapters do.
// Logic that the way forward or the way back could hold is in packages
// migration and rollback; this package joins them. It owns no goroutine while
// no verb is called, and none outlives a verb but that of an adapter that does
// not heed its context.
package changeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/engine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// Options are what a Changeover may be given. A nil *Options, and every zero
// field, has a default; the fields are those of package migration.
type Options = migration.Options

// Conditions of the verbs.
var (
	// ErrBegun: the journal has a run already; Resume, not Apply, goes on with
	// it.
	ErrBegun = errors.New("the run has begun already")
	// ErrNotBegun: the journal has no run yet.
	ErrNotBegun = errors.New("no run has begun")
	// ErrRunning: another verb of this Changeover is going on.
	ErrRunning = errors.New("a verb is going on")
	// ErrDefinition: the run was begun with other tables than these.
	ErrDefinition = engine.ErrDefinition
	// ErrJournal: the journal could not be written, so nothing more was done.
	// What was under way is in doubt and is observed on Resume.
	ErrJournal = engine.ErrJournal
	// ErrNotHeld: there is no hold of the kind that the verb ends.
	ErrNotHeld = engine.ErrNotHeld
)

// An UnwrittenError is what a verb returns, wrapping [ErrJournal], when the
// journal could not be written: it has what has happened and is not on record.
type UnwrittenError = engine.UnwrittenError

// A Changeover is one run of one plan over one journal. Its methods may be
// called from several goroutines; only Hold, Status and Explain may be called
// while another verb is going on.
type Changeover struct {
	plan    migration.Plan
	set     adapters.Set
	store   journal.Store
	forward *migration.Runner
	back    *rollback.Runner
	logger  *zap.Logger
	clock   adapters.Clock
	answers map[string]string // port -> what answers for it
	mask    license.Mask      // for what adapters say and verbs return

	running sync.Mutex // held by the verb that is going on
}

// New returns a Changeover, or everything that can be known to be wrong before
// the first call: with the plan, the set, and tables that opts extends. It
// calls no port and touches no file.
func New(plan migration.Plan, set adapters.Set, store journal.Store, opts *Options) (*Changeover, error) {
	if store == nil {
		_, err := migration.New(plan, set, nil, opts)
		return nil, err
	}
	shared := engine.Share(store) // by both ways, which take turns
	forward, err := migration.New(plan, set, shared, opts)
	if err != nil {
		return nil, err
	}
	if opts == nil {
		opts = new(Options)
	}
	plan = forward.Plan()
	back, err := rollback.New(rollback.Plan{
		Infrastructure: plan.Infrastructure, Source: plan.Source, Target: plan.Target, Module: plan.Module,
		Order: plan.Order, Pause: plan.Pause, Run: migration.RunName(plan), Digest: plan.Digest(),
	}, set, shared, &rollback.Options{
		Logger: opts.Logger, Clock: opts.Clock, OnEntry: opts.OnEntry, Inline: opts.Inline, Tasks: opts.Tasks, Grace: opts.Grace,
		User: opts.User, Host: opts.Host,
	})
	if err != nil {
		return nil, err
	}
	mask := license.NewMask(plan.Source, plan.Target)
	c := &Changeover{plan: plan, set: steps.Guard(set, mask, nil), store: store, forward: forward, back: back,
		logger: cmp.Or(opts.Logger, zap.NewNop()), clock: opts.Clock, answers: steps.Describe(set), mask: mask}
	if c.clock == nil {
		c.clock = engine.SystemClock{}
	}
	return c, nil
}

// Check compares a plan with LifeTime's inventory. The error joins everything
// that forbids the migration, the seed's three "do not proceed" rules among
// them; the warnings are worth knowing and forbid nothing. Check changes and
// writes nothing.
func Check(ctx context.Context, plan migration.Plan, set adapters.Set) (warnings environment.Findings, err error) {
	findings := plan.Validate()
	if err := errors.Join(findings.Err(), set.Validate()); err != nil {
		return findings.Warnings(), err
	}
	registered, err := steps.Guard(set, license.NewMask(plan.Source, plan.Target), nil).LifeTime.Registered(ctx)
	if err != nil {
		return findings.Warnings(), fmt.Errorf("reading the environments of LifeTime: %w", err)
	}
	findings = append(findings, plan.Infrastructure.CheckRegistered(registered)...)
	return findings.Warnings(), findings.Err()
}

// Apply begins the run and takes the infrastructure forward as far as it gets;
// after an intellectual property error it takes it back. It returns
// [ErrBegun] when the journal has entries already, and refuses, having written
// nothing, what [Check] refuses.
//
// The report is never nil when something was written. When ctx is done, Apply
// lets what is under way come to its end and returns the report and ctx's
// error.
func (c *Changeover) Apply(ctx context.Context) (*report.Report, error) {
	return c.verb(ctx, func() error {
		if err := c.unbegun(ctx); err != nil {
			return err
		}
		if _, err := Check(ctx, c.plan, c.set); err != nil {
			return err
		}
		return c.run(ctx, "apply", "")
	})
}

// ApplyPreview is Apply for a preview that somebody has approved. It looks at
// everything again, and returns a [*StaleError], having changed and written
// nothing, when the plan, the tables or the world are not those of the preview
// any more, or when it has expired; and its findings when they forbid the run.
//
// The journal records the preview's digest. With that it is used up for this
// journal: from then on ApplyPreview returns [ErrBegun], and Resume goes on.
// Another, empty journal could begin with it until it expires. RollBack never
// needs a preview.
func (c *Changeover) ApplyPreview(ctx context.Context, p *Preview) (*report.Report, error) {
	return c.verb(ctx, func() error {
		if err := c.unbegun(ctx); err != nil {
			return err
		}
		if err := c.stillHolds(ctx, p); err != nil {
			return err
		}
		return c.run(ctx, "apply", p.Digest())
	})
}

// Plan reads LifeTime's list and every environment, and returns what a run
// would do and what forbids it. It changes nothing and writes nothing. It does
// not stop at what it finds: an environment that cannot be read is a finding,
// and the others are read all the same. The Licensing Portal is not asked.
//
// The error is [ErrBegun] when the journal has a run already, [ErrRunning], or
// why nothing could be found out: ctx is done, or the journal cannot be read.
func (c *Changeover) Plan(ctx context.Context) (*Preview, error) {
	if !c.running.TryLock() {
		return nil, ErrRunning
	}
	defer c.running.Unlock()
	if err := c.unbegun(ctx); err != nil {
		return nil, c.mask.Error(err)
	}
	p, err := c.preview(ctx)
	return p, c.mask.Error(err)
}

// unbegun returns an error unless a run can begin in the journal.
func (c *Changeover) unbegun(ctx context.Context) error {
	record, err := c.record(ctx)
	switch {
	case err != nil:
		return err
	case record.Last > 0 && record.Plan != c.plan.Digest():
		return fmt.Errorf("%w: it is of another plan; use another state directory", journal.ErrForeign)
	case record.Last > 0:
		return ErrBegun
	}
	return nil
}

// Resume takes the run up again where the journal says that it stands, forward
// or back. What was in doubt is observed first.
func (c *Changeover) Resume(ctx context.Context) (*report.Report, error) {
	return c.verb(ctx, func() error {
		if err := c.begun(ctx); err != nil {
			return err
		}
		return c.run(ctx, "resume", "")
	})
}

// RollBack stops the line for good, on the word of by, and takes the
// infrastructure back. It may be called at any time, after Completed too, and
// needs neither the Licensing Portal nor an approval.
func (c *Changeover) RollBack(ctx context.Context, by, why string) (*report.Report, error) {
	return c.verb(ctx, func() error {
		if by == "" || why == "" {
			return errors.New("a rollback needs who asks for it and why")
		}
		if err := c.begun(ctx); err != nil {
			return err
		}
		c.makeRoom()
		if err := c.forward.RequestRollback(ctx, by, why); err != nil {
			return err
		}
		return c.run(ctx, "rollback", "")
	})
}

// run goes forward, and back if the line was stopped. preview is the digest of
// what the run is begun from, or empty.
func (c *Changeover) run(ctx context.Context, verb, preview string) error {
	record, err := c.record(ctx)
	if err != nil {
		return err
	}
	at, _ := record.Standing(journal.Infrastructure)
	if !onTheWayBack(at) {
		state, err := c.forward.RunFrom(ctx, verb, preview)
		if err != nil || state != migration.Halted {
			return err
		}
	}
	c.makeRoom()
	_, err = c.back.Run(ctx, verb)
	return err
}

// makeRoom has the store give up what it keeps back for the way back. That it
// cannot is no reason not to try: whether the journal can be written shows soon
// enough.
func (c *Changeover) makeRoom() {
	if r, ok := c.store.(journal.Reserver); ok {
		if err := r.ReleaseReserve(); err != nil {
			c.logger.Warn("the journal's reserve cannot be given free", zap.Error(err))
		}
	}
}

func onTheWayBack(at journal.Standing) bool { return at.Table == rollback.InfrastructureTable().ID }

// verb runs f as the only one and reports what the journal says afterwards.
func (c *Changeover) verb(ctx context.Context, f func() error) (*report.Report, error) {
	if !c.running.TryLock() {
		return nil, ErrRunning
	}
	defer c.running.Unlock()
	err := f()
	r, statusErr := c.Status(context.WithoutCancel(ctx))
	if errors.Is(statusErr, ErrNotBegun) || err != nil && statusErr != nil {
		return nil, c.mask.Error(err)
	}
	return r, c.mask.Error(errors.Join(err, statusErr))
}

// Status returns what the journal says, without asking any adapter. It returns
// [ErrNotBegun] for an empty journal.
func (c *Changeover) Status(ctx context.Context) (*report.Report, error) {
	r, err := report.New(c.plan, c.store.Read(ctx))
	if err != nil {
		return nil, err
	}
	if r.Run == "" {
		return nil, ErrNotBegun
	}
	return r, nil
}

// Definition identifies the tables of both ways, as they were extended, and
// their timing, which journals leave out: for a host that replays a run and must
// come to the same calls and waits each time.
func (c *Changeover) Definition() string {
	effects := slices.Concat(c.forward.LineTable().Effects, rollback.InfrastructureTable().Effects, rollback.EnvironmentTable().Effects)
	profile, _ := migration.FindProfile(c.plan.Profile)
	for _, leg := range profile.Legs {
		effects = append(effects, c.forward.LegTable(leg).Effects...)
	}
	for i := range effects {
		effects[i].Doc = "" // is for people
	}
	return sum(fmt.Sprintf("%s\n%s\n%+v", c.forward.Definition(), c.back.Definition(), effects))
}

// Explain says what may and what may not happen to an environment now, or to
// the infrastructure (journal.Infrastructure), with every reason. Holds are in
// the report.
func (c *Changeover) Explain(ctx context.Context, env string) (machine.Explanation, error) {
	record, err := c.record(ctx)
	if err != nil {
		return machine.Explanation{}, err
	}
	ex, ok, err := c.forward.Explain(record, env)
	if err == nil && !ok {
		ex, ok, err = c.back.Explain(record, env)
	}
	if err == nil && !ok {
		err = fmt.Errorf("%s has not begun", printable.Text(env))
	}
	return ex, err
}

// Hold stops an environment, or the whole run (journal.Infrastructure), at the
// next safe point; only [Changeover.Release] lets it go on. It may be called
// while another verb is going on.
func (c *Changeover) Hold(ctx context.Context, env, by, why string) error {
	return c.forward.Hold(ctx, env, by, why)
}

// Release ends an operator's hold; Resume goes on.
func (c *Changeover) Release(ctx context.Context, env, by, why string) error {
	if !c.running.TryLock() {
		return ErrRunning
	}
	defer c.running.Unlock()
	return c.forward.Release(ctx, env, by, why)
}

// Resolve records what somebody found and did about what an environment waits
// for; Resume goes on. On the way back, resolving the infrastructure takes
// responsibility for environments whose test republish did not succeed.
func (c *Changeover) Resolve(ctx context.Context, env string, res migration.Resolution) error {
	if !c.running.TryLock() {
		return ErrRunning
	}
	defer c.running.Unlock()
	record, err := c.record(ctx)
	if err != nil {
		return err
	}
	if at, _ := record.Standing(journal.Infrastructure); onTheWayBack(at) {
		return c.back.Resolve(ctx, env, res.By, res.Evidence, res.NotDone)
	}
	return c.forward.Resolve(ctx, env, res)
}

// Verify reads the journal from end to end, and every backup that it speaks of
// out of the vault, and returns everything that is not as it was written,
// joined. It changes nothing.
func (c *Changeover) Verify(ctx context.Context) error {
	record, err := c.record(ctx)
	if err != nil {
		return err
	}
	if record.Last > 0 && record.Plan != c.plan.Digest() {
		return fmt.Errorf("%w: the journal is of another plan", journal.ErrForeign)
	}
	var errs []error
	for _, at := range record.Standings {
		if at.Env == journal.Infrastructure {
			continue
		}
		facts, err := engine.Facts[environment.Facts](at)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, b := range facts.Backups {
			if _, err := c.set.Vault.Get(ctx, b.Serial, b.Digest); err != nil {
				errs = append(errs, fmt.Errorf("the backup %s of %s: %w", b.Digest.Short(), printable.Text(at.Env), err))
			}
		}
	}
	return errors.Join(errs...)
}

func (c *Changeover) record(ctx context.Context) (*journal.Record, error) {
	return journal.Replay(c.store.Read(ctx))
}

func (c *Changeover) begun(ctx context.Context) error {
	record, err := c.record(ctx)
	if err != nil {
		return err
	}
	if record.Last == 0 {
		return ErrNotBegun
	}
	return nil
}
