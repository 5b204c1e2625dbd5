package engine

import (
	"errors"
	"fmt"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// ErrNotHeld is wrapped when a hold is to be ended that is not there, or not
// by that verb.
var ErrNotHeld = errors.New("there is no such hold")

// Hand stages a transition that nobody carried out: a person, or the
// coordinator, says that something has happened. change, which may be nil,
// changes the facts before the guards are asked. It returns a
// [*machine.RefusedError] when a guard refuses.
func Hand[F any](s *Session, m *machine.Machine[F], env string, on machine.Trigger, by, text string, complete func(*F), change func(*F)) error {
	at, ok := s.Standing(env)
	if !ok {
		return fmt.Errorf("%s has not begun", printable.Text(env))
	}
	facts, err := Facts[F](at)
	if err != nil {
		return err
	}
	if change != nil {
		change(&facts)
	}
	asked := facts
	if complete != nil {
		complete(&asked)
	}
	to, err := m.Fire(machine.State(at.State), on, asked)
	if err != nil {
		return err
	}
	raw, err := Encode(facts)
	if err != nil {
		return err
	}
	return s.Stage(journal.Entry{Kind: journal.Outcome, Env: env, Table: at.Table, Leg: at.Leg, State: at.State,
		Trigger: string(on), To: string(to), By: printable.Text(by), Text: printable.Text(text), Facts: raw})
}

// Note stages facts of an environment that changed without a transition.
func Note[F any](s *Session, env string, change func(*F)) error {
	at, ok := s.Standing(env)
	if !ok {
		return fmt.Errorf("%s has not begun", printable.Text(env))
	}
	facts, err := Facts[F](at)
	if err != nil {
		return err
	}
	change(&facts)
	raw, err := Encode(facts)
	if err != nil {
		return err
	}
	return s.Stage(journal.Entry{Kind: journal.Noted, Env: env, Table: at.Table, Leg: at.Leg, State: at.State, Facts: raw})
}

// Hold stages an operator's hold on an environment, or on the whole
// infrastructure. What is under way comes to its end; nothing more is issued.
func (s *Session) Hold(env, by, why string) error {
	at, ok := s.Standing(env)
	if !ok {
		return fmt.Errorf("%s has not begun", printable.Text(env))
	}
	if at.Hold != nil {
		return fmt.Errorf("%s is held already: %w", printable.Text(env), at.Hold)
	}
	return s.Stage(journal.Entry{Kind: journal.Held, Env: env, Table: at.Table, Leg: at.Leg, State: at.State, Hold: &journal.Hold{
		Kind: journal.HoldOperator, Cause: printable.Text(why), Environments: []string{env}, Holder: printable.Text(by), Since: s.Now(),
		Verbs: VerbsFor(journal.HoldOperator),
	}})
}

// Resolvable are the kinds of hold that end when somebody says what they found
// and did: all but an operator's.
func Resolvable() []journal.HoldKind {
	return []journal.HoldKind{journal.HoldApproval, journal.HoldSupport, journal.HoldInDoubt, journal.HoldForeign, journal.HoldMixed,
		journal.HoldSerial, journal.HoldUnknown, journal.HoldUnavailable}
}

// Release stages the end of a hold of one of the kinds, decided by somebody.
// notDone says that the effect in doubt was found not to have been done, so
// that it may be issued again; otherwise it is observed again.
func (s *Session) Release(env, by, why string, notDone bool, kinds ...journal.HoldKind) error {
	at, ok := s.Standing(env)
	if !ok || at.Hold == nil {
		return fmt.Errorf("%s: %w", printable.Text(env), ErrNotHeld)
	}
	permitted := false
	for _, kind := range kinds {
		permitted = permitted || at.Hold.Kind == kind
	}
	if !permitted {
		return fmt.Errorf("%s: %w: what holds is %s, which ends by %v", printable.Text(env), ErrNotHeld, at.Hold.Kind, at.Hold.Verbs)
	}
	e := journal.Entry{Env: env, Table: at.Table, Leg: at.Leg, State: at.State, By: printable.Text(by), Text: printable.Text(why)}
	e.Kind = journal.Released
	if !at.InFlight || !notDone {
		return s.Stage(e)
	}
	failed := e
	failed.Kind, failed.Effect, failed.ID, failed.Attempt, failed.Condition = journal.Failed, at.Effect, at.ID, at.Attempt, "notDone"
	return s.Stage(e, failed)
}

// Retry stages the end of every hold that resuming a run ends by itself: what
// was not reached or not approved is tried or asked again.
func (s *Session) Retry(by string) error {
	for _, env := range s.Environments() {
		if at, _ := s.Standing(env); at.Hold != nil && (at.Hold.Kind == journal.HoldUnavailable || at.Hold.Kind == journal.HoldApproval) {
			if err := s.Release(env, by, "resumed", false, at.Hold.Kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// Environments returns everything that the journal knows, the infrastructure
// included, in the order in which it first appeared.
func (s *Session) Environments() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.record.Standings))
	for i, st := range s.record.Standings {
		names[i] = st.Env
	}
	return names
}
