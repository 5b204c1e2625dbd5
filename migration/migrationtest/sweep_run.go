package migrationtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A run is one run of a subject, over as many processes as it takes.
type run struct {
	Subject
	point    point
	injector *fault.Injector // nil: no call is hit
	watch    *law.Watch
	store    mortal
	opts     changeover.Options

	opened     bool            // a process was opened before
	calls      []fault.Op      // of the ports
	registered map[string]bool // environments whose registration was answered well

	stands []stand  // at the end of the way forward, and of the way back
	shows  []string // what the ports say of every environment in the end
}

// A stand is how a run stands, as far as two runs can be compared.
type stand struct {
	verdict report.Verdict
	hold    journal.HoldKind // the most important one
}

func (s stand) String() string {
	if s.hold == "" {
		return string(s.verdict)
	}
	return fmt.Sprintf("%s (%s)", s.verdict, s.hold)
}

// maxProcesses is how often a run is taken up again. Twice is enough for one
// fault: to go on, and once more after a doubt was resolved. The others are for
// test doubles whose answers come late.
const maxProcesses = 6

// person is who resolves what is in doubt.
const person = "sweep"

// hit makes a run and hits it at p. It must come to what plain came to, the run
// in which nothing failed; this is that one if plain is nil. The error is a
// [*Broken], or says why the subject cannot be swept at all.
func hit(ctx context.Context, s Subject, p point, plain *run) (*run, error) {
	if len(s.Plan.Infrastructure.Environments) > law.MaxEnvironments {
		return nil, ErrTooManyEnvironments
	}
	r := &run{Subject: s, point: p, registered: map[string]bool{}}
	if s.Options != nil {
		r.opts = *s.Options
	}
	// All that can be known to be wrong is known here.
	if _, err := changeover.New(s.Plan, s.Set, &r.store, &r.opts); err != nil {
		return nil, err
	}
	var err error
	if r.watch, err = law.NewWatch(s.Plan, law.Rules{}); err != nil {
		return nil, err
	}
	if r.opts.Clock == nil {
		r.opts.Clock = new(fake.Clock)
	}
	r.opts.Clock, r.opts.Inline = r.watch.Clock(r.opts.Clock), true
	r.store.dies, r.store.durable, r.store.died = p.append, p.durable, r.watch.Die
	if p.call > 0 {
		r.injector = fault.On(fault.Match{}, p.call-1, p.when, errLost)
	}
	var found []error
	add := func(err error) {
		if err != nil {
			found = append(found, err)
		}
	}
	if err := r.whole(ctx, plain); err != nil {
		add(err)
	} else {
		add(r.look(ctx, plain))
		if r.Check != nil {
			add(r.Check(ctx))
		}
	}
	for _, v := range r.watch.Violations() {
		add(v)
	}
	if len(found) == 0 {
		return r, nil
	}
	b := &Broken{Point: p.name, Found: found, Trace: r.watch.Trace()}
	if r.injector != nil && r.injector.Hit() {
		b.Point = r.injector.String()
	}
	return r, b
}

// A verb is what a process is asked for.
type verb func(ctx context.Context, c *changeover.Changeover) (*report.Report, error)

func forward(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
	rep, err := c.Resume(ctx)
	if errors.Is(err, changeover.ErrNotBegun) {
		return c.Apply(ctx)
	}
	return rep, err
}

func back(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
	return c.RollBack(ctx, person, "the sweep asks for it")
}

// whole makes the whole run: the way forward and, if it is asked for, the way
// back.
func (r *run) whole(ctx context.Context, plain *run) error {
	verbs := []verb{forward}
	if r.RollBack {
		verbs = append(verbs, back)
	}
	var rep *report.Report
	for i, v := range verbs {
		var want *stand
		if plain != nil {
			want = &plain.stands[i]
		}
		var err error
		if rep, err = r.rest(ctx, v, want); err != nil {
			return err
		}
	}
	ends := r.Ends
	if ends == "" {
		ends = report.Completed
		if r.RollBack {
			ends = report.RolledBack
		}
	}
	if rep.Verdict == ends {
		return nil
	}
	err := fmt.Errorf("it ends %s instead of %s", rep.Verdict, ends)
	if rep.Hold != nil {
		err = fmt.Errorf("%w: %w", err, rep.Hold)
	}
	return err
}

// rest runs processes until the run stands as want says; one is enough when
// that is nil, since then nothing fails.
func (r *run) rest(ctx context.Context, v verb, want *stand) (*report.Report, error) {
	for n := 1; ; n++ {
		rep, err := r.process(ctx, v)
		var at stand
		if err == nil {
			at = standOf(rep)
		}
		switch {
		case err == nil && (want == nil || at == *want):
			r.stands = append(r.stands, at)
			return rep, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case want == nil:
			return nil, err
		case n == maxProcesses && err != nil:
			return nil, fmt.Errorf("taken up %d times, it still fails: %w", n, err)
		case n == maxProcesses && rep.Hold != nil:
			return nil, fmt.Errorf("taken up %d times, it stands at %v instead of %v: %w", n, at, *want, rep.Hold)
		case n == maxProcesses:
			return nil, fmt.Errorf("taken up %d times, it stands at %v instead of %v", n, at, *want)
		case err == nil:
			if err := r.resolve(ctx); err != nil {
				return nil, err
			}
		}
	}
}

func standOf(rep *report.Report) stand {
	s := stand{verdict: rep.Verdict}
	if rep.Hold != nil {
		s.hold = rep.Hold.Kind
	}
	return s
}

// process lets the next process do something.
func (r *run) process(ctx context.Context, v verb) (*report.Report, error) {
	c, err := r.open()
	if err != nil {
		return nil, err
	}
	rep, err := v(ctx, c)
	if err == nil {
		r.watch.Call(rep)
	}
	return rep, err
}

// open begins the next process.
func (r *run) open() (*changeover.Changeover, error) {
	set, err := r.adapters()
	if err != nil {
		return nil, err
	}
	r.watch.Revive()
	r.store.dead = false
	set.Portal = remembering{set.Portal, r}
	injectors := []*fault.Injector{fault.Watch(func(op fault.Op) { r.calls = append(r.calls, op) })}
	if r.injector != nil {
		injectors = append(injectors, r.injector)
	}
	return changeover.New(r.Plan, r.watch.Set(fault.Wrap(set, injectors...)), r.watch.Store(&r.store), &r.opts)
}

// adapters returns those of the next process.
func (r *run) adapters() (adapters.Set, error) {
	if !r.opened || r.Reopen == nil {
		r.opened = true
		return r.Set, nil
	}
	set, err := r.Reopen()
	if err == nil {
		err = set.Validate()
	}
	if err != nil {
		return set, fmt.Errorf("Subject.Reopen: %w", err)
	}
	return set, nil
}

// resolve is somebody who looks at everything that is in doubt and says what
// was found.
func (r *run) resolve(ctx context.Context) error {
	record, err := journal.Replay(r.store.Read(ctx))
	if err != nil {
		return err
	}
	for _, at := range record.Standings {
		if at.Hold == nil || at.Hold.Kind != journal.HoldInDoubt {
			continue
		}
		if law.EffectOf(at.Effect) == law.Register && r.registered[at.Env] {
			return fmt.Errorf("in %s RegisterSerial has returned nil, and then SerialRegistered says that the serial number is not registered: nobody could know that it must not be registered again", printable.Text(at.Env))
		}
		c, err := r.open()
		if err != nil {
			return err
		}
		if err := c.Resolve(ctx, at.Env, migration.Resolution{By: person, Evidence: "looked at the systems: it was not done", NotDone: true}); err != nil {
			return fmt.Errorf("resolving the doubt in %s: %w", printable.Text(at.Env), err)
		}
	}
	return nil
}

// remembering is a portal of which is known what it has registered.
type remembering struct {
	adapters.LicensePortal
	r *run
}

// Describe implements [adapters.Describer].
func (p remembering) Describe() string { return adapters.Describe(p.LicensePortal) }

// RegisterSerial passes the call on.
func (p remembering) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	err := p.LicensePortal.RegisterSerial(ctx, code, env)
	if err == nil {
		p.r.registered[env.Name] = true
	}
	return err
}

// look compares what the ports show in the end with what they show in the run
// in which nothing failed, and every backup with the journal.
func (r *run) look(ctx context.Context, plain *run) error {
	set, err := r.adapters()
	if err != nil {
		return err
	}
	c, err := changeover.New(r.Plan, set, &r.store, &r.opts)
	if err != nil {
		return err
	}
	var found []error
	if err := c.Verify(ctx); err != nil {
		found = append(found, fmt.Errorf("the backups: %w", err))
	}
	registered, err := set.LifeTime.Registered(ctx)
	if err != nil {
		return errors.Join(append(found, err)...)
	}
	for i, env := range r.Plan.Infrastructure.Environments {
		in, err := set.ServiceCenter.InstalledLicense(ctx, env)
		if err != nil {
			found = append(found, err)
			continue
		}
		paused := slices.ContainsFunc(registered, func(r environment.Registered) bool { return r.Name == env.Name && r.Paused })
		shows := fmt.Sprintf("%s shows the license of %v for %s with the word %s, deployments paused: %v", printable.Text(env.Name), in.Code,
			printable.Text(string(in.Serial)), printable.Text(string(in.IPP)), paused)
		if r.shows = append(r.shows, shows); plain != nil && plain.shows[i] != shows {
			found = append(found, fmt.Errorf("%s; without the fault, %s", shows, plain.shows[i]))
		}
	}
	return errors.Join(found...)
}
