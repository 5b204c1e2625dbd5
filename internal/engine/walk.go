package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// ErrRest is returned by a step whose effect cannot be finished now, although
// nothing is wrong with it: it walked the environments, and some of them wait.
// Nothing is recorded; the effect stays in flight and is issued again when the
// run is resumed.
var ErrRest = errors.New("the effect rests until the run is resumed")

// A Walk takes environments through a table: each as far as it gets, up to
// Limit at a time, in the order of Envs.
type Walk[F any] struct {
	Session *Session
	Machine *machine.Machine[F]
	Steps   map[machine.EffectName]machine.Step[F]
	Leg     string
	Envs    []string
	// Until is a state to rest in although it asks for an effect; empty: go on
	// to the end.
	Until machine.State
	// Limit is how many environments may be under way at once; zero: all.
	Limit int
	// Enter prepares the facts with which an environment begins the table; nil
	// takes them over as they are.
	Enter func(F) F
	// Complete adds to the facts, before each decision, what is not kept with
	// them; nil adds nothing.
	Complete func(*F)
	// React is told of each outcome before it is written, and may add entries
	// that must be durable together with it; nil adds nothing.
	React func(env string, on machine.Trigger, facts F) ([]journal.Entry, error)
	// Witness returns a context in which a step's testimonies reach record;
	// nil: steps testify nothing.
	Witness func(ctx context.Context, record func(journal.Testimony)) context.Context
	// Stopped reports that no further effect may be issued; nil: never. Calls
	// that are under way are waited for.
	Stopped func() bool
	// StopOnHold stops the walk as soon as one environment cannot go on.
	StopOnHold bool

	ready   []*item[F] // may have something to do, in order
	fresh   []*item[F] // wait for their turn, in order
	blocked []*item[F] // were refused by what their state needs
	active  int        // under way: neither fresh nor at rest
	running int        // calls that were started and have not been settled
	back    arrivals[F]
	terms   *terms[F] // of calls that goroutines make; nil: the host keeps them
	table   string    // ID of the table
	halted  bool      // StopOnHold has struck
}

// item is one environment in a walk. Its state and hold are in the session's
// record; its facts are kept decoded.
type item[F any] struct {
	env     string
	facts   F
	begun   bool // it is in the table already: an earlier walk has left it there
	tried   int  // attempts that do not count any more: made before this walk
	counted bool // in active
}

// Run walks until nothing more can be done: everything rests, waits for a
// person, or the walk was stopped. Where each environment stands then is in
// the session's record. An error means that the journal failed, that the table
// cannot go on, or that ctx is done; everything that happened is recorded
// unless the journal itself failed.
func (w *Walk[F]) Run(ctx context.Context) error {
	if err := w.load(); err != nil {
		return err
	}
	pace := w.pace(ctx)
	defer pace.end()
	var (
		failed  error
		calls   []*call[F] // whose intents are being written
		writing bool       // while outcomes are settled
		spare   []*call[F]
	)
	start := func(c *call[F]) {
		w.running++
		pace.start(ctx, c)
	}
	begin := func(err error) {
		if failed == nil {
			failed = err
		}
		for _, c := range calls {
			switch {
			case failed != nil: // no intent on record, no effect
			case ctx.Err() != nil || !w.mayGoOn(c): // while it was written
				c.err = cmp.Or(ctx.Err(), errStopped)
				w.running++
				w.back.put(c)
			default:
				start(c)
			}
		}
		calls = nil
	}
	for {
		if !writing {
			if failed == nil {
				calls, failed = w.issue(ctx)
			}
			var err error
			if writing, err = pace.write(ctx); !writing {
				begin(err)
			}
			if w.running == 0 && !writing {
				if failed == nil && ctx.Err() != nil {
					failed = ctx.Err()
				}
				return failed
			}
		}
		if written, err := pace.await(ctx); written {
			writing = false
			begin(err)
		}
		spare = w.back.take(spare)
		for i, c := range spare {
			spare[i] = nil
			w.running--
			if !c.made && c.err == nil && failed == nil && w.mayGoOn(c) { // it has waited
				start(c)
				continue
			}
			if err := w.settle(ctx, c); err != nil && failed == nil {
				failed = err
			}
		}
	}
}

// load sorts the environments into those under way and those still to begin.
func (w *Walk[F]) load() error {
	w.table = w.Machine.Table().ID
	for _, env := range w.Envs {
		it := &item[F]{env: env}
		standing, known := w.Session.Standing(env)
		var err error
		if it.facts, err = Facts[F](standing); err != nil {
			return err
		}
		if !known || standing.Table != w.table || standing.Leg != w.Leg {
			w.fresh = append(w.fresh, it)
			continue
		}
		it.begun, it.tried = true, standing.Attempt
		if !standing.InFlight {
			w.fresh = append(w.fresh, it)
			continue
		}
		it.tried--
		w.ready = append(w.ready, it)
	}
	return nil
}

// issue decides what is to be done next, stages the intents, and returns the
// calls to make once they are durable.
func (w *Walk[F]) issue(ctx context.Context) ([]*call[F], error) {
	var calls []*call[F]
	for ctx.Err() == nil && !w.stopped() {
		var it *item[F]
		switch {
		case len(w.ready) > 0:
			// What is under way already goes first, even over the limit: it may
			// have been taken over from an earlier walk.
			it, w.ready = w.ready[0], w.ready[1:]
		case len(w.fresh) > 0 && (w.Limit <= 0 || w.active < w.Limit):
			it, w.fresh = w.fresh[0], w.fresh[1:]
			if _, hold := w.Session.standing(it.env); hold != nil {
				w.rest(it, true)
				continue
			}
			if !it.begun {
				if err := w.begin(it); err != nil {
					return nil, err
				}
			}
		default:
			return calls, nil
		}
		if !it.counted {
			it.counted = true
			w.active++
		}
		c, err := w.next(it)
		if err != nil {
			return nil, err
		}
		if c != nil {
			calls = append(calls, c)
		}
	}
	return calls, nil
}

// stopped reports that nothing more may be issued.
func (w *Walk[F]) stopped() bool { return w.halted || w.Stopped != nil && w.Stopped() }

// rest takes it out of those under way; short says that it has not got where
// it should.
func (w *Walk[F]) rest(it *item[F], short bool) {
	if it.counted {
		it.counted = false
		w.active--
	}
	if short && w.StopOnHold {
		w.halted = true
	}
}

func (w *Walk[F]) begin(it *item[F]) error {
	if w.Enter != nil {
		it.facts = w.Enter(it.facts)
	}
	it.tried = 0
	return w.stage(it, journal.Entry{Kind: journal.Begun, State: string(w.Machine.Initial())}, true)
}

// stage completes an entry about it and stages it, together with more.
func (w *Walk[F]) stage(it *item[F], e journal.Entry, withFacts bool, more ...journal.Entry) error {
	e.Env, e.Table, e.Leg = it.env, w.table, w.Leg
	if withFacts {
		var err error
		if e.Facts, err = Encode(it.facts); err != nil {
			return err
		}
	}
	if len(more) == 0 {
		return w.Session.Stage(e)
	}
	return w.Session.Stage(append([]journal.Entry{e}, more...)...)
}

// next stages the intent of what it is to do now and returns the call; nil if
// it rests, waits for a person, or is refused.
func (w *Walk[F]) next(it *item[F]) (*call[F], error) {
	at, hold := w.Session.standing(it.env)
	state := machine.State(at.State)
	node, known := w.Machine.Node(state)
	switch {
	case !known:
		return nil, fmt.Errorf("%s: %q: %w", w.table, at.State, machine.ErrUnknownState)
	case hold != nil:
		w.rest(it, true)
		return nil, nil
	case node.Do == "" || state == w.Until:
		w.rest(it, !node.Final && state != w.Until)
		return nil, nil
	}
	effect, _ := w.Machine.Effect(node.Do)
	step, ok := w.Steps[node.Do]
	if !ok || step.Do == nil || effect.Mutates && step.Observe == nil {
		return nil, fmt.Errorf("%s: no step carries out and observes the effect %q of state %s", w.table, node.Do, state)
	}
	c := &call[F]{item: it, do: step.Do, Call: machine.Call[F]{
		ID: effectID(w.Session.opening.Plan, w.table, it.env, at.Steps, node.Do), Environment: it.env, Leg: w.Leg,
		State: state, Effect: effect, Attempt: max(at.Attempt, 1),
	}}
	if at.InFlight && effect.Mutates {
		// An earlier process, or an answer that nobody understood, left it
		// open whether this was done. Look before anything else.
		c.do, c.observe, c.wait = step.Observe, true, effect.Settle.Window
		if !at.Doubt {
			if err := w.stage(it, journal.Entry{Kind: journal.Doubt, State: at.State, Effect: at.Effect, ID: at.ID, Attempt: at.Attempt,
				Text: "the run was interrupted between intent and outcome"}, false); err != nil {
				return nil, err
			}
		}
		c.Facts = w.complete(it.facts)
		return c, nil
	}
	if reasons := w.Machine.Needs(state, w.complete(it.facts)); len(reasons) > 0 {
		w.blocked = append(w.blocked, it)
		w.rest(it, true)
		return nil, nil
	}
	if !at.InFlight {
		c.Attempt = at.Attempt + 1
		if tries := c.Attempt - it.tried; tries > 1 {
			c.wait = effect.Retry.Wait(tries - 1)
		}
		changed := step.Before != nil
		if changed {
			it.facts = step.Before(it.facts)
		}
		if err := w.stage(it, journal.Entry{Kind: journal.Intent, State: at.State, Effect: string(effect.Name), ID: c.ID, Attempt: c.Attempt}, changed); err != nil {
			return nil, err
		}
	}
	c.Facts = w.complete(it.facts)
	return c, nil
}

func (w *Walk[F]) complete(facts F) F {
	if w.Complete != nil {
		w.Complete(&facts)
	}
	return facts
}

// effectID is the same for every attempt at one effect in one visit of its
// state, over crashes and hosts: the idempotency key of OR1.
func effectID(plan, table, env string, steps int, effect machine.EffectName) string {
	b := make([]byte, 0, 256)
	for _, part := range []string{plan, table, env} {
		b = append(append(b, part...), 0)
	}
	b = append(strconv.AppendInt(b, int64(steps), 10), 0)
	sum := sha256.Sum256(append(b, effect...))
	return hex.EncodeToString(sum[:12])
}

// settle stages what came of a call and puts its environment back in line.
func (w *Walk[F]) settle(ctx context.Context, r *call[F]) error {
	if w.terms != nil {
		w.terms.forget(r)
	}
	it := r.item
	it.facts = r.Facts
	entry := journal.Entry{State: string(r.State), Effect: string(r.Effect.Name), ID: r.ID, Attempt: r.Attempt, Testimony: r.testimony()}
	if r.err != nil {
		entry.Text = printable.Error(r.err)
	}
	condition := conditionOf(r.err)
	var hold *journal.Hold
	switch {
	case r.err == nil && r.trigger != machine.NotDone:
		if r.observe {
			entry.Text = "observed: it was done"
		}
		return w.fire(it, r, entry)

	case !r.made && !r.patient(), r.observe && ctx.Err() != nil && r.err != nil:
		w.rest(it, false) // in flight or in doubt, as it was; the next walk takes it up
		return nil

	case !r.made:
		w.rest(it, false)
		entry.Kind, entry.Condition = journal.Failed, "interrupted"
		return w.stage(it, entry, true)

	case r.err == nil && r.observe: // certainly not done
		entry.Kind, entry.Condition, entry.Text = journal.Failed, "notDone", "observed: it was not done"
		if r.Effect.Once {
			return w.hold(it, entry, &journal.Hold{Kind: journal.HoldInDoubt, Cause: "it was not seen done, and must not be repeated without a person",
				Hint: "look for yourself; then resolve it as done or not done, with what was seen"})
		}
		return w.again(it, r, entry)

	case r.err == nil:
		return fmt.Errorf("%s: the step of %q returned neither a trigger nor an error", w.table, r.Effect.Name)

	case errors.Is(r.err, ErrJournal):
		return r.err

	case errors.Is(r.err, ErrRest), ctx.Err() != nil && !r.Effect.Mutates && condition == "":
		w.rest(it, false) // stays in flight; the next walk issues it again
		return nil

	case errors.As(r.err, &hold):
		copied := *hold
		return w.hold(it, entry, &copied)

	case condition != "" && !r.observe:
		entry.Kind, entry.Condition = journal.Failed, condition
		for _, c := range r.Effect.Catch {
			if c.Condition == condition {
				r.trigger = c.Trigger
				return w.fire(it, r, entry)
			}
		}
		for _, on := range r.Effect.Retry.On {
			if on == condition {
				return w.again(it, r, entry)
			}
		}
		return w.hold(it, entry, &journal.Hold{Kind: journal.HoldSupport, Cause: entry.Text,
			Hint: "nothing was done; remove the cause, then resolve the hold and resume"})

	case !r.Effect.Mutates:
		entry.Kind, entry.Condition = journal.Failed, "unknown"
		return w.again(it, r, entry)

	case ctx.Err() != nil:
		entry.Kind = journal.Doubt
		w.rest(it, false)
		return w.stage(it, entry, true)

	case r.observe:
		return w.hold(it, entry, &journal.Hold{Kind: journal.HoldInDoubt, Cause: "it is not known whether this was done, and looking did not tell: " + entry.Text,
			Hint: "look for yourself; then resolve it as done or not done, with what was seen"})

	default:
		entry.Kind = journal.Doubt
		w.ready = append(w.ready, it)
		return w.stage(it, entry, true)
	}
}

// late notes that a call has come back that was given up. What it says counts
// for nothing: where it matters, somebody has looked meanwhile, or will
// (reliability.md G13). It is written with whatever is written next, and lost
// if the session is over.
func (w *Walk[F]) late(r *call[F]) {
	text := "a call that was given up has come back: it was done"
	if r.err != nil {
		text = "a call that was given up has come back: " + printable.Error(r.err)
	}
	if mask := w.Session.opts.Mask; mask != nil {
		text = mask.Text(text)
	}
	_ = w.Session.Stage(journal.Entry{Kind: journal.Noted, Env: r.item.env, Table: w.table, Leg: w.Leg, State: string(r.State),
		Effect: string(r.Effect.Name), ID: r.ID, Attempt: r.Attempt, Text: text, Testimony: r.testimony()})
	w.Session.Logger().Warn("late answer", zap.String("environment", printable.Text(r.item.env)), zap.String("effect", string(r.Effect.Name)), zap.String("text", text))
}

// fire takes the transition, or holds when a guard refuses to claim it.
func (w *Walk[F]) fire(it *item[F], r *call[F], entry journal.Entry) error {
	to, err := w.Machine.Fire(r.State, r.trigger, w.complete(it.facts))
	if err != nil {
		var refused *machine.RefusedError
		if !errors.As(err, &refused) || len(refused.Reasons) == 0 {
			return err // the table does not know the trigger: a mistake in a step
		}
		return w.hold(it, entry, &journal.Hold{Kind: journal.HoldSupport, Cause: printable.Error(err),
			Hint: "what was done does not show as it should; look; then resolve the hold to try again, or roll back"})
	}
	entry.Kind, entry.Trigger, entry.To = journal.Outcome, string(r.trigger), string(to)
	it.tried = 0
	var more []journal.Entry
	if w.React != nil {
		var failed error
		if more, failed = w.React(it.env, r.trigger, it.facts); failed != nil {
			return errors.Join(failed, w.stage(it, entry, true))
		}
	}
	if err := w.stage(it, entry, true, more...); err != nil {
		return err
	}
	w.ready = append(w.ready, it)
	// What others were refused for may have changed.
	w.ready = append(w.ready, w.blocked...)
	w.blocked = nil
	return nil
}

// again stages a failed attempt and lines the environment up for another, or
// holds when all attempts are used up.
func (w *Walk[F]) again(it *item[F], r *call[F], entry journal.Entry) error {
	if r.Attempt-it.tried < max(r.Effect.Retry.Attempts, 1) {
		w.ready = append(w.ready, it)
		return w.stage(it, entry, true)
	}
	return w.hold(it, entry, &journal.Hold{Kind: journal.HoldUnavailable,
		Cause: fmt.Sprintf("given up after %d attempts: %s", r.Attempt-it.tried, entry.Text),
		Hint:  "nothing was done; resume tries again"})
}

// hold stages a hold in place of what entry would have said.
func (w *Walk[F]) hold(it *item[F], entry journal.Entry, h *journal.Hold) error {
	h.Effect, h.Since = entry.Effect, w.Session.Now()
	if len(h.Environments) == 0 {
		h.Environments = []string{it.env}
	}
	h.Cause = printable.Whole(h.Cause)
	if h.Verbs == nil {
		h.Verbs = VerbsFor(h.Kind)
	}
	entry.Kind, entry.Hold = journal.Held, h
	w.rest(it, true)
	return w.stage(it, entry, true)
}

// VerbsFor returns what ends a hold of the kind.
func VerbsFor(kind journal.HoldKind) []string {
	switch kind {
	case journal.HoldOperator:
		return []string{"release", "rollback"}
	case journal.HoldApproval, journal.HoldUnavailable, journal.HoldJournal:
		return []string{"resume", "rollback"}
	default:
		return []string{"resolve", "rollback"}
	}
}

// conditionOf returns the name of the condition that err states; "" if it
// states none.
func conditionOf(err error) string {
	var c interface{ Condition() string }
	var u interface{ Uncertain() bool }
	if err == nil || !errors.As(err, &c) || errors.As(err, &u) && u.Uncertain() {
		return ""
	}
	return c.Condition()
}
