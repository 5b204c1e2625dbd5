package law

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A Watch follows one run, over all its processes, from where the engine meets
// its ports, its journal and its clock: wrap them with [Watch.Set],
// [Watch.Store] and [Watch.Clock], inside of which faults may be injected. It
// is safe for concurrent use.
type Watch struct {
	plan  migration.Plan
	rules Rules
	legs  map[string]migration.Leg

	mu      sync.Mutex
	monitor Monitor
	dead    bool
	trace   []Event
	broken  []Violation

	seen   []fingerprint // of the entries that are known to be durable
	acked  int           // how many of them were acknowledged
	epoch  uint64
	fence  int
	server map[string]license.SerialNumber // as last read
	files  map[license.Digest]file
	kept   map[license.Digest]bool // the vault was given it
	proofs []adapters.Stored       // source licenses that the vault keeps in enough copies
	held   map[string][2]bool      // whether somebody said that an environment must wait, and said so under another hold
	moved  map[string]bool         // waits for a person because its serial number has changed
	open   map[uint8]bool          // a call has left open what was done, and nobody has looked or waited since
	swept  bool                    // a sweep is on record, and nothing was to be changed since
	ours   map[string]bool         // the run says that it has paused it, or is about to
	leg    map[string]string       // the leg that an environment is in
}

// file is what is known of a license file by its digest.
type file struct {
	role    Role
	serials []license.SerialNumber // one that can be read, or all that it was said to be for
	opaque  bool
	fence   int
}

// fingerprint tells entries of a journal apart.
type fingerprint struct {
	kind                     journal.Kind
	epoch                    uint64
	env, effect, trigger, to string
	facts                    int
}

func fingerprintOf(e journal.Entry) fingerprint {
	return fingerprint{e.Kind, e.Epoch, e.Env, e.Effect, e.Trigger, e.To, len(e.Facts)}
}

// NewWatch returns a watch over a run of the plan, which is valid and names at
// most [MaxEnvironments] environments. What rules leave open is filled in.
func NewWatch(plan migration.Plan, rules Rules) (*Watch, error) {
	plan = plan.Effective()
	profile, ok := migration.FindProfile(plan.Profile)
	if !ok || len(plan.Infrastructure.Environments) > MaxEnvironments {
		return nil, fmt.Errorf("a watch needs a known profile and at most %d environments", MaxEnvironments)
	}
	rules.Environments = len(plan.Infrastructure.Environments)
	if rules.Reads == 0 {
		rules.Reads = Reads
	}
	w := &Watch{plan: plan, rules: rules, legs: map[string]migration.Leg{}, server: map[string]license.SerialNumber{},
		files: map[license.Digest]file{}, kept: map[license.Digest]bool{}, leg: map[string]string{}, held: map[string][2]bool{}, moved: map[string]bool{}, open: map[uint8]bool{}}
	for _, leg := range profile.Legs {
		w.legs[leg.Name] = leg
		w.rules.Final = roleOf(leg.Role)
	}
	return w, nil
}

func roleOf(r license.Role) Role {
	switch r {
	case license.Source:
		return Source
	case license.Target:
		return Target
	case license.Other:
		return Third
	case license.None:
		return None
	}
	return Unknown
}

// codeRole says whose activation code it is.
func (w *Watch) codeRole(code license.ActivationCode) Role {
	switch {
	case code.IsZero():
		return None
	case code == w.plan.Source:
		return Source
	case code == w.plan.Target:
		return Target
	}
	return Third
}

func (w *Watch) env(name string) uint8 {
	if name == journal.Infrastructure {
		return Line
	}
	return uint8(slices.IndexFunc(w.plan.Infrastructure.Environments, func(e environment.Environment) bool { return e.Name == name }))
}

// step hands an event to the monitor. It is called with the lock held.
func (w *Watch) step(e Event) {
	w.trace = append(w.trace, e)
	for _, l := range w.monitor.Step(&w.rules, e).Laws() {
		w.breaks(l, w.tell(e))
	}
}

func (w *Watch) breaks(l Law, what string) {
	if !w.rules.Without.Has(l) {
		w.broken = append(w.broken, Violation{l, what})
	}
}

// tell says what an event is, with the name of its environment.
func (w *Watch) tell(e Event) string {
	name := "the infrastructure"
	if int(e.Env) < len(w.plan.Infrastructure.Environments) {
		name = w.plan.Infrastructure.Environments[e.Env].Name
	}
	return strings.Replace(e.String(), fmt.Sprintf("[%d]", e.Env), " in "+name, 1)
}

// Step adds an event that only the caller knows of.
func (w *Watch) Step(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step(e)
}

// Die says that the process is gone: what it still does is not done. [Watch.Revive]
// begins the next one.
func (w *Watch) Die() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dead {
		w.dead = true
		w.step(Event{Kind: Died})
	}
}

// Revive says that another process takes over.
func (w *Watch) Revive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}

// Call takes what is reported of the run into account.
func (w *Watch) Call(r *report.Report) {
	if r == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	e := Event{Kind: Called, Truthful: true}
	switch r.Verdict {
	case report.Completed:
		e.Verdict = Completed
	case report.RolledBack:
		e.Verdict = RolledBackAll
	case report.Mixed:
		e.Verdict = Mixed
	default:
		e.Verdict = Held
		e.Truthful = r.Hold != nil && r.Hold.Cause != "" && len(r.Hold.Verbs) > 0
	}
	w.step(e)
}

// Violations returns the laws that were broken so far, in order.
func (w *Watch) Violations() []Violation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

// Err joins the violations.
func (w *Watch) Err() error {
	var errs []error
	for _, v := range w.Violations() {
		errs = append(errs, v)
	}
	return errors.Join(errs...)
}

// Trace returns the events so far, told for people.
func (w *Watch) Trace() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := make([]string, len(w.trace))
	for i, e := range w.trace {
		told[i] = w.tell(e)
	}
	return told
}

// Hash returns a number that differs, in all likelihood, when anything that
// happened differs.
func (w *Watch) Hash() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := uint64(14695981039346656037)
	for _, e := range w.trace {
		for _, c := range []byte(e.String()) {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	return h
}

// Store returns a store that passes everything on to store. Each process opens
// its own; what it reads is compared with what earlier ones were told is
// durable (JR6).
func (w *Watch) Store(store journal.Store) journal.Store { return watchedStore{w, store} }

type watchedStore struct {
	w  *Watch
	to journal.Store
}

// ReleaseReserve passes the ability on, if the store has it.
func (s watchedStore) ReleaseReserve() error {
	if r, ok := s.to.(journal.Reserver); ok {
		return r.ReleaseReserve()
	}
	return nil
}

// Repaired passes the ability on, if the store has it.
func (s watchedStore) Repaired() int64 {
	if r, ok := s.to.(journal.Repairer); ok {
		return r.Repaired()
	}
	return 0
}

func (s watchedStore) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	err := s.to.Append(ctx, after, entries...)
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if err != nil || s.w.dead {
		return err
	}
	for _, e := range entries {
		s.w.durable(e)
	}
	s.w.acked = len(s.w.seen)
	return nil
}

func (s watchedStore) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		n := 0
		for e, err := range s.to.Read(ctx) {
			if err != nil {
				yield(e, err)
				return
			}
			s.w.mu.Lock()
			switch {
			case s.w.dead:
			case n < len(s.w.seen) && s.w.seen[n] != fingerprintOf(e):
				s.w.breaks(JR6, fmt.Sprintf("entry %d, which is another one than was written", n+1))
			case n == len(s.w.seen):
				s.w.durable(e) // nobody was told, but it is there
			}
			n++
			s.w.mu.Unlock()
			if !yield(e, nil) {
				return
			}
		}
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		if n < s.w.acked && !s.w.dead {
			s.w.breaks(JR6, fmt.Sprintf("a journal of %d entries, of which %d were acknowledged", n, s.w.acked))
		}
		if n < len(s.w.seen) && !s.w.dead {
			s.w.seen = s.w.seen[:n]
		}
	}
}

// durable makes events of an entry. It is called with the lock held.
func (w *Watch) durable(e journal.Entry) {
	w.seen = append(w.seen, fingerprintOf(e))
	env := w.env(e.Env)
	leg := Unknown
	if l, ok := w.legs[e.Leg]; ok {
		leg = roleOf(l.Role)
	}
	switch e.Kind {
	case journal.Opened:
		if e.Epoch <= w.epoch {
			w.breaks(CC2, fmt.Sprintf("entry %d, which opens epoch %d after %d", e.Seq, e.Epoch, w.epoch))
		}
		w.epoch = e.Epoch
		w.step(Event{Kind: Opened})
	case journal.Begun:
		if env != Line {
			w.leg[e.Env] = e.Leg
			w.hold(e.Env, env, [2]bool{w.held[e.Env][0] || w.held[e.Env][1]})
			w.step(Event{Kind: Entered, Env: env, Leg: leg, Begins: true})
		}
	case journal.Intent:
		w.swept = w.swept && env == Line
		w.step(Event{Kind: Intended, Env: env, Effect: EffectOf(e.Effect), Leg: leg})
	case journal.Failed:
		if w.open[env] && e.By == "" && EffectOf(e.Effect) != Other {
			w.breaks(OR2, fmt.Sprintf("entry %d, by which %s in %s was not done, although nobody has looked", e.Seq, e.Effect, printable.Text(e.Env)))
		}
		w.step(Event{Kind: Ended, Env: env, Effect: EffectOf(e.Effect), Attested: e.By != "", Certain: stated(e)})
	case journal.Held:
		operator := e.Hold.Kind == journal.HoldOperator
		if e.Hold.Kind == journal.HoldSerial {
			w.moved[e.Env] = true
		}
		was := w.held[e.Env]
		w.hold(e.Env, env, [2]bool{operator, was[0] && !operator || was[1] && was[0] == operator})
		if e.Hold.Kind != journal.HoldInDoubt && e.Hold.Kind != journal.HoldOperator {
			w.step(Event{Kind: Ended, Env: env, Effect: EffectOf(e.Effect), Certain: stated(e)})
		}
	case journal.Released:
		w.hold(e.Env, env, [2]bool{w.held[e.Env][1]})
		w.attested(e.Env, env)
	case journal.Outcome:
		w.swept = w.swept || env == Line && e.To == "Swept"
		switch {
		case e.Trigger == "ippRejected" || env == Line && e.Trigger == string(migration.RollbackRequested):
			w.step(Event{Kind: Latched})
		case e.Trigger == "gateOpened":
			w.step(Event{Kind: GateOpened})
		case env == Line && e.State == "RestoredNotTested":
			w.step(Event{Kind: Overridden})
		}
		if env != Line {
			w.step(Event{Kind: Entered, Env: env, State: StateOf(e.To), Leg: leg})
		}
		if e.Effect != "" || env != Line {
			w.step(Event{Kind: Ended, Env: env, Effect: EffectOf(e.Effect), Done: true})
		}
	case journal.Noted:
		if env == Line {
			w.fenced(e)
			w.claimed(e)
		}
	}
}

// stated reports whether an entry says that the other system has stated that
// something was not done.
func stated(e journal.Entry) bool { return e.Condition != "" && e.Condition != "notDone" }

// claimed finds out which pauses the run says are, or are about to be, its own.
// It is called with the lock held.
func (w *Watch) claimed(e journal.Entry) {
	var line environment.Line
	if !bytes.Contains(e.Facts, []byte(`"ours"`)) || json.Unmarshal(e.Facts, &line) != nil {
		return
	}
	for _, name := range line.Pause.Ours {
		if !w.ours[name] {
			w.step(Event{Kind: Claimed, Env: w.env(name)})
		}
	}
	w.ours = map[string]bool{}
	for _, name := range line.Pause.Ours {
		w.ours[name] = true
	}
}

// attested takes somebody's word that a server has its planned serial number
// again, until it is read. It is called with the lock held.
func (w *Watch) attested(name string, env uint8) {
	planned, ok := w.plan.Infrastructure.Environment(name)
	if !ok || !w.moved[name] {
		return
	}
	delete(w.moved, name)
	delete(w.server, name)
	if w.provenFor(planned.Serial) {
		w.step(Event{Kind: Stored, Env: env})
	}
}

// hold keeps whether somebody said that an environment must wait: now, and
// under the hold of the procedure that stands before it. It is called with the
// lock held.
func (w *Watch) hold(name string, env uint8, is [2]bool) {
	was := w.held[name]
	w.held[name] = is
	switch before, now := was[0] || was[1], is[0] || is[1]; {
	case now && !before:
		w.step(Event{Kind: KeptBack, Env: env})
	case before && !now:
		w.step(Event{Kind: LetGo, Env: env})
	}
}

// fenced finds out whether the vendor has corrected the licenses.
func (w *Watch) fenced(e journal.Entry) {
	var fence int
	if _, after, ok := strings.Cut(string(e.Facts), `"fence":`); ok {
		_, _ = fmt.Sscanf(after, "%d", &fence)
	}
	if fence > w.fence {
		w.fence = fence
		w.step(Event{Kind: Fenced})
	}
}

// Clock returns a clock that passes everything on to clock.
func (w *Watch) Clock(clock adapters.Clock) adapters.Clock { return watchedClock{w, clock} }

type watchedClock struct {
	w  *Watch
	to adapters.Clock
}

func (c watchedClock) Now() time.Time { return c.to.Now() }

func (c watchedClock) Sleep(ctx context.Context, d time.Duration) error {
	err := c.to.Sleep(ctx, d)
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	if err == nil && d >= Window && !c.w.dead {
		clear(c.w.open)
		c.w.step(Event{Kind: Slept})
	}
	return err
}
