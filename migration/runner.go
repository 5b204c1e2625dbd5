// Package migration is the forward procedure: the plan, the tables of one
// environment and of the infrastructure, the effects that they ask for, and
// the [Runner] that takes an infrastructure as far as it gets. Most programs
// use it through package changeover, which joins it with the way back
// (package rollback).
//
// A Runner owns no goroutine while Run is not called, and none outlives it but
// that of an adapter that does not heed its context.
package migration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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

// Options are what a Runner may be given. A nil *Options, and every zero
// field, has a default.
type Options struct {
	// Logger gets one line for each journal entry; nil: no log.
	Logger *zap.Logger
	// Clock tells the time and waits; nil: the machine's.
	Clock adapters.Clock
	// OnEntry is called with every entry once it is durable, in order, from one
	// goroutine at a time; nil: nobody is told.
	OnEntry func(journal.Entry)
	// Inline carries out one effect at a time, in the order in which they were
	// decided, whatever the plan's MaxInFlight says: runs become repeatable.
	Inline bool
	// Tasks run what is done side by side; nil: goroutines do. Inline comes
	// first. What a call may take is then for Tasks to say: Grace has no
	// meaning, and no call is given up.
	Tasks adapters.Tasks
	// Grace is how long a call that changes something may go on after ctx is
	// done, so that it ends in an answer and not in doubt; zero: 10 seconds.
	Grace time.Duration
	// User and Host are recorded for people; empty: not recorded.
	User, Host string
	// Extend changes the environments' table of a leg: inserts a state, adds a
	// guard, changes a timeout. nil leaves the tables alone. It must give the
	// same table each time: the journal keeps its hash.
	Extend func(leg Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts]
	// Steps carry out the effects that Extend has added, or replace those of
	// the procedure.
	Steps map[machine.EffectName]machine.Step[environment.Facts]
}

// Procedure is the name under which journals keep the definition.
const Procedure = "migration"

// A Runner takes one infrastructure forward.
type Runner struct {
	plan    Plan
	profile Profile
	site    *steps.Site
	opts    Options
	line    *machine.Machine[environment.Line]
	legs    map[string]*machine.Machine[environment.Facts]

	host engine.Host

	mu    sync.Mutex
	files map[license.Digest]license.File // fetched by this process and not stored yet
}

// New returns a Runner, or everything that is wrong with the plan, the set and
// the extended tables. It calls no port and does not read the journal.
func New(plan Plan, set adapters.Set, store journal.Store, opts *Options) (*Runner, error) {
	var errs []error
	errs = append(errs, plan.Validate().Err(), set.Validate())
	if store == nil {
		errs = append(errs, errors.New("the journal store is nil (use adapters/filejournal, or journal.Memory in tests)"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r := &Runner{plan: plan.Effective(), legs: map[string]*machine.Machine[environment.Facts]{}, files: map[license.Digest]license.File{}}
	if opts != nil {
		r.opts = *opts
	}
	if r.opts.Clock == nil {
		r.opts.Clock = engine.SystemClock{}
	}
	r.profile, _ = FindProfile(r.plan.Profile)
	mask := license.NewMask(plan.Source, plan.Target)
	panicked := func(stack []byte) { r.logger().Error("an adapter panicked", zap.ByteString("stack", stack)) }
	r.site = &steps.Site{
		Infrastructure: r.plan.Infrastructure, Source: r.plan.Source, Target: r.plan.Target, Module: r.plan.Module,
		Paused: r.plan.Pause, Ports: steps.Guard(set, mask, panicked), Clock: r.opts.Clock,
	}
	var err error
	var hash string
	if r.line, err = machine.New(InfrastructureTable(r.profile)); err != nil {
		errs = append(errs, err)
	} else {
		hash = r.line.Table().Hash()
	}
	for _, leg := range r.profile.Legs {
		t := EnvironmentTable(leg, r.plan.Rules(leg))
		if r.opts.Extend != nil {
			t = r.opts.Extend(leg, t)
		}
		m, err := machine.New(t)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r.legs[leg.Name] = m
		hash += " " + t.Hash()
		carried := legSteps{Runner: r, leg: leg}.steps()
		for _, e := range t.Effects {
			if s, ok := carried[e.Name]; !ok || s.Do == nil || e.Mutates && s.Observe == nil {
				errs = append(errs, fmt.Errorf("table %q: no step carries out, and observes, the effect %q (see Options.Steps)", t.ID, e.Name))
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	r.host = engine.Host{
		Store: engine.Share(store),
		Opening: journal.Opening{Run: RunName(r.plan), Plan: r.plan.Digest(), Procedure: Procedure, Definition: hash,
			Host: r.opts.Host, User: r.opts.User, Adapters: steps.Describe(set)},
		Options: engine.Options{Clock: r.opts.Clock, Logger: r.opts.Logger, OnEntry: r.opts.OnEntry, Grace: r.opts.Grace, Inline: r.opts.Inline,
			Tasks: r.opts.Tasks, Mask: mask},
	}
	return r, nil
}

// RunName returns the name that journals give to the run of a plan.
func RunName(p Plan) string { return "run-" + p.Digest()[:12] }

// Plan returns the plan with every default filled in.
func (r *Runner) Plan() Plan { return r.plan }

// Definition identifies the tables as they were extended; journals keep it.
func (r *Runner) Definition() string { return r.host.Opening.Definition }

// LineTable returns the table of the infrastructure's own machine.
func (r *Runner) LineTable() machine.Table[environment.Line] { return r.line.Table() }

// LegTable returns the table that environments walk in a leg of the profile,
// as it was extended; for any other leg an empty one.
func (r *Runner) LegTable(leg Leg) machine.Table[environment.Facts] {
	if m, ok := r.legs[leg.Name]; ok {
		return m.Table()
	}
	return machine.Table[environment.Facts]{}
}

// Explain returns what may and may not happen to env, given what the journal
// says of it; ok is false when env is in no table of this procedure.
func (r *Runner) Explain(record *journal.Record, env string) (ex machine.Explanation, ok bool, err error) {
	at, known := record.Standing(env)
	if !known {
		return ex, false, nil
	}
	line, err := r.lineNow(record)
	if err != nil {
		return ex, false, err
	}
	if env == journal.Infrastructure {
		if at.Table != r.line.Table().ID {
			return ex, false, nil
		}
		ex, err = r.line.Explain(machine.State(at.State), line)
		return ex, true, err
	}
	m, mine := r.legs[at.Leg]
	if !mine || m.Table().ID != at.Table {
		return ex, false, nil
	}
	facts, err := engine.Facts[environment.Facts](at)
	if err != nil {
		return ex, false, err
	}
	facts.Line = line
	ex, err = m.Explain(machine.State(at.State), facts)
	return ex, true, err
}

// lineNow returns the infrastructure's facts with the census of this moment:
// the one on record was taken when the last stage or sweep began or ended.
func (r *Runner) lineNow(record *journal.Record) (environment.Line, error) {
	at, _ := record.Standing(journal.Infrastructure)
	line, err := engine.Facts[environment.Line](at)
	if err != nil || at.Table != r.line.Table().ID {
		return line, err
	}
	var reached func(journal.Standing) bool
	node, _ := r.line.Node(machine.State(at.State))
	for _, leg := range r.profile.Legs {
		for _, st := range leg.Stages {
			if st.Effect == node.Do {
				reached = r.reached(leg, st.Until)
			}
		}
	}
	line.Census, err = r.census(record, reached)
	return line, err
}

func (r *Runner) logger() *zap.Logger { return cmp.Or(r.opts.Logger, zap.NewNop()) }

// Run takes the infrastructure forward from where the journal says that it
// stands, as far as it gets, and returns the state that it rests in. When ctx
// is done it issues nothing more, lets what is under way come to its end, and
// returns ctx's error; whatever has happened is on record. Holds for what was
// unavailable or not approved are ended first: a run that is taken up again
// tries and asks again.
func (r *Runner) Run(ctx context.Context, verb string) (machine.State, error) {
	return r.RunFrom(ctx, verb, "")
}

// RunFrom is Run for a run that begins from a preview, whose digest goes on
// record with the opening; an empty one is none.
func (r *Runner) RunFrom(ctx context.Context, verb, preview string) (machine.State, error) {
	var at machine.State
	err := r.host.Run(ctx, verb, preview, func(sess *engine.Session) error {
		r.site.Begin()
		if err := sess.Retry(r.opts.User); err != nil {
			return err
		}
		if err := r.helped(sess); err != nil {
			return err
		}
		walk := &engine.Walk[environment.Line]{
			Session: sess, Machine: r.line, Steps: r.lineSteps(sess), Envs: []string{journal.Infrastructure}, Witness: steps.Witness,
		}
		err := walk.Run(ctx)
		standing, _ := sess.Standing(journal.Infrastructure)
		at = machine.State(standing.State)
		if err == nil && at == Halted {
			err = r.handOver(ctx, sess, r.opts.User)
		}
		return err
	})
	return at, err
}

// Hold stops the run, or one environment, at the next safe point: nothing more
// is issued until somebody releases the hold. env is an environment's name, or
// journal.Infrastructure. It may be called while Run is going on.
func (r *Runner) Hold(ctx context.Context, env, by, why string) error {
	return r.host.Hold(ctx, env, by, why)
}

// Release ends an operator's hold.
func (r *Runner) Release(ctx context.Context, env, by, why string) error {
	return r.host.Release(ctx, env, by, why)
}

// A Resolution is what somebody found and did about what an environment waits
// for.
type Resolution struct {
	By       string // who; required
	Evidence string // what was found and done; required
	// NotDone says that an effect in doubt was found not to have been done, so
	// that it may be issued again. Otherwise it is observed again.
	NotDone bool
}

// Resolve records what was found and done about an environment that waits for
// a person. When the vendor had to correct the target licenses (FAQ 3), every
// environment fetches its target license again.
func (r *Runner) Resolve(ctx context.Context, env string, res Resolution) error {
	if res.By == "" || res.Evidence == "" {
		return errors.New("a resolution needs who made it and what was found and done")
	}
	return r.host.Run(ctx, "resolve", "", func(sess *engine.Session) error { return r.resolve(ctx, sess, env, res) })
}

func (r *Runner) resolve(ctx context.Context, sess *engine.Session, env string, res Resolution) error {
	at, _ := sess.Standing(env)
	if at.Hold != nil {
		if err := sess.Release(env, res.By, res.Evidence, res.NotDone, engine.Resolvable()...); err != nil {
			return err
		}
		return sess.Flush(ctx)
	}
	m, mine := r.legs[at.Leg]
	if !mine || machine.State(at.State) != NeedsSupport {
		return fmt.Errorf("%q: %w", env, engine.ErrNotHeld)
	}
	facts, err := engine.Facts[environment.Facts](at)
	if err != nil {
		return err
	}
	// The fence goes first: after a crash in between, the environment still
	// waits, and whoever resolves it again raises the fence again.
	if facts.Need.FAQ == 3 {
		if err := r.fence(sess, at.Leg); err != nil {
			return err
		}
	}
	if err := engine.Hand(sess, m, env, SupportResolved, res.By, res.Evidence, nil, func(f *environment.Facts) { f.Need.Evidence = printable.Text(res.Evidence) }); err != nil {
		return err
	}
	return sess.Flush(ctx)
}

// helped takes the infrastructure out of CaseOpen, or of NeedsSupport before
// the case was opened, when no environment waits for Support any more.
func (r *Runner) helped(sess *engine.Session) error {
	at, _ := sess.Standing(journal.Infrastructure)
	if state := machine.State(at.State); at.Table != r.line.Table().ID || state != CaseOpen && state != CaseNeeded {
		return nil
	}
	census, err := r.census(sess, nil)
	if err != nil || census.NeedSupport > 0 {
		return err
	}
	return engine.Hand(sess, r.line, journal.Infrastructure, SupportResolved, r.opts.User, "no environment waits for Support any more", nil,
		func(l *environment.Line) { l.Census = census })
}

// fence voids every target file fetched so far and takes every environment of
// the leg that may have one back to its beginning (PL5).
func (r *Runner) fence(sess *engine.Session, leg string) error {
	if err := engine.Note(sess, journal.Infrastructure, func(l *environment.Line) { l.Fence++ }); err != nil {
		return err
	}
	m := r.legs[leg]
	for _, env := range r.plan.Order {
		at, _ := sess.Standing(env)
		state := machine.State(at.State)
		// What waits for a person begins anew when that person has acted; what
		// is at the beginning has no file yet, and its serial number may be
		// registered already, although nobody knows (OR3).
		if at.Leg != leg || at.Table != m.Table().ID || state == NeedsSupport || state == m.Initial() {
			continue
		}
		facts, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return err
		}
		if facts = steps.Begin(facts); at.InFlight {
			facts.SetNote(steps.Unaccounted, at.Effect)
		}
		raw, err := engine.Encode(facts)
		if err != nil {
			return err
		}
		if err := sess.Stage(journal.Entry{Kind: journal.Begun, Env: env, Table: m.Table().ID, Leg: leg, State: string(m.Initial()),
			Text: "the target licenses were corrected and are fetched again", Facts: raw}); err != nil {
			return err
		}
		// What was found in the world is no matter of the table that is begun
		// anew: only somebody's word ends it.
		if h := at.Hold; h != nil && slices.Contains([]journal.HoldKind{journal.HoldSerial, journal.HoldForeign, journal.HoldUnknown}, h.Kind) {
			if err := sess.Stage(journal.Entry{Kind: journal.Held, Env: env, Table: m.Table().ID, Leg: leg, State: string(m.Initial()), Hold: h}); err != nil {
				return err
			}
		}
	}
	return nil
}

// RequestRollback stops the line for good, on somebody's word: nothing is
// issued any more, and package rollback takes over.
func (r *Runner) RequestRollback(ctx context.Context, by, why string) error {
	return r.host.Run(ctx, "rollback", "", func(sess *engine.Session) error { return r.requestRollback(ctx, sess, by, why) })
}

func (r *Runner) requestRollback(ctx context.Context, sess *engine.Session, by, why string) error {
	at, ok := sess.Standing(journal.Infrastructure)
	if !ok {
		return errors.New("nothing was begun, so there is nothing to roll back")
	}
	if at.Table == r.line.Table().ID && machine.State(at.State) != Halted {
		if err := engine.Hand(sess, r.line, journal.Infrastructure, RollbackRequested, by, why, nil, func(l *environment.Line) {
			l.Latch = environment.Latch{Condition: "operator", Environment: journal.Infrastructure, Step: "rollback", Text: printable.Text(why)}
		}); err != nil {
			return err
		}
	}
	// Whoever asks for the way back also ends what holds the whole run: an
	// operator's hold, one of the procedure, or both.
	for ; at.Hold != nil; at, _ = sess.Standing(journal.Infrastructure) {
		if err := sess.Release(journal.Infrastructure, by, "rollback: "+why, false, append(engine.Resolvable(), journal.HoldOperator)...); err != nil {
			return err
		}
	}
	return r.handOver(ctx, sess, by)
}

// handOver takes every environment that has begun, and has a backup to go back
// to, into RollingBack. The others have nothing to give up. What an environment
// waited for is over: nothing of it may keep the environment from being taken
// back (RB3). Only an operator's hold stays.
func (r *Runner) handOver(ctx context.Context, sess *engine.Session, by string) error {
	for _, env := range r.plan.Order {
		at, ok := sess.Standing(env)
		m := r.legs[at.Leg]
		if !ok || m == nil || at.Table != m.Table().ID {
			continue
		}
		if at.Hold != nil && at.Hold.Kind != journal.HoldOperator {
			if err := sess.Release(env, by, "the line was stopped", false, engine.Resolvable()...); err != nil {
				return err
			}
		}
		if machine.State(at.State) == RollingBack || at.InFlight {
			continue
		}
		var refused *machine.RefusedError
		if err := engine.Hand(sess, m, env, RollbackRequested, by, "the line was stopped", nil, nil); err != nil && !errors.As(err, &refused) {
			return err
		}
	}
	return sess.Flush(ctx)
}

func (r *Runner) keep(f license.File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[f.Digest()] = f
}

func (r *Runner) kept(d license.Digest) (license.File, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.files[d]
	return f, ok
}

func (r *Runner) forget(d license.Digest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, d)
}

// standings are what a session, and a replayed journal, say of environments.
type standings interface {
	Standing(env string) (journal.Standing, bool)
}

// census counts the environments; reached, which may be nil, says which of
// them have done all that is asked.
func (r *Runner) census(all standings, reached func(journal.Standing) bool) (environment.Census, error) {
	c := environment.Census{Total: len(r.plan.Order)}
	for _, env := range r.plan.Order {
		at, ok := all.Standing(env)
		if !ok {
			continue
		}
		f, err := engine.Facts[environment.Facts](at)
		if err != nil {
			return c, err
		}
		steps.Tally(&c, f)
		switch {
		case at.Hold != nil:
			c.Held++
		case machine.State(at.State) == NeedsSupport:
			c.NeedSupport++
		case reached != nil && reached(at):
			c.Reached++
		}
	}
	return c, nil
}

// reached returns what tells whether an environment has come to the end of a
// stage, or is past it.
func (r *Runner) reached(leg Leg, until machine.State) func(journal.Standing) bool {
	later := func(name string) bool {
		at := slices.IndexFunc(r.profile.Legs, func(l Leg) bool { return l.Name == name })
		mine := slices.IndexFunc(r.profile.Legs, func(l Leg) bool { return l.Name == leg.Name })
		return at > mine
	}
	m := r.legs[leg.Name]
	onward := map[machine.State]bool{}
	for s := until; s != "" && !onward[s]; {
		onward[s] = true
		next := machine.State("")
		for _, e := range m.Table().Edges {
			if e.From == s { // the first edge of a state leads on
				next = e.To
				break
			}
		}
		s = next
	}
	return func(at journal.Standing) bool {
		state := machine.State(at.State)
		if at.Leg != leg.Name {
			return later(at.Leg)
		}
		n, _ := m.Node(state)
		return n.Final && state != RollingBack || onward[state]
	}
}
