// Package machine is the kernel of changeover: declarative state machines that
// can be validated, explained, drawn and extended as data. It is for the
// procedures (packages migration and rollback), for hosts that drive them, and
// for users who extend a procedure.
//
// A [Table] is the definition; [New] validates and compiles it into a
// [Machine], which holds no state of its own and serves any number of
// environments from any number of goroutines. Deciding is pure: no I/O, no
// clock, no context, no goroutine, no order of maps. Effects are only named
// here; a host carries them out ([Do]) and hands their outcome back as a
// trigger.
//
// Transitions are executed by github.com/qmuntal/stateless, which no other
// package imports. Its entry and exit actions are never used: a state is
// entered only when what its name says has been verified.
package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// A State is a fact about an environment or an infrastructure, named by a
// participle: BackedUp. Journals keep it, so it is never renamed or reused.
type State string

// A Trigger is something that has happened, in the past tense: backedUp.
type Trigger string

// An EffectName names work that a state asks for, in the imperative: backUp.
type EffectName string

// A GuardName names a guard, as the fact that it asserts: backupProven.
type GuardName string

// A Table defines a procedure over facts of type F. It is data: methods that
// extend it return a changed copy. The zero value is empty; [Table.Validate]
// says what a table lacks.
type Table[F any] struct {
	ID      string // names the definition in journals, for example "migration/move"
	Initial State
	States  []Node
	Edges   []Edge
	// Anywhere are edges that leave every state but their own destination, and
	// those listed in Except: a person or a coordinator may fire them at any
	// time. From is empty.
	Anywhere []Edge
	Guards   []Guard[F]
	Effects  []Effect

	// mistakes are made by extending methods and reported by Validate.
	mistakes []error
}

// A Node is a state and what it asks for.
type Node struct {
	State State
	Doc   string // one sentence: what is true in this state
	// Do is the effect that the state asks for; empty for a state that rests.
	Do EffectName
	// Needs are the guards that must hold before the effect may be issued.
	Needs []GuardName
	// Final marks a state in which the procedure may end.
	Final bool
}

// An Edge is a permitted transition.
type Edge struct {
	From State
	On   Trigger
	To   State
	// If are the guards that must hold before the destination may be claimed.
	If []GuardName
	// Except are states that an edge of Table.Anywhere does not leave.
	Except []State
}

// A Guard is a named pure condition over facts.
type Guard[F any] struct {
	Name GuardName
	Doc  string // one sentence: what holds
	// Holds decides. When it does not hold, evidence says what was found
	// instead, for a person; it must not contain a secret.
	Holds func(F) (ok bool, evidence string)
}

// An Effect describes work in the world: how it may be repeated, how long it
// may take, and what its failures mean. The work itself is a [Do].
type Effect struct {
	Name EffectName
	Doc  string // one sentence: what is done, and through which port
	// Mutates says that the effect changes something outside. An unknown
	// outcome of it is observed before anything else happens; an effect that
	// only reads is simply repeated.
	Mutates bool
	// Once forbids issuing the effect again, without a person, after any
	// attempt whose outcome was not known to be "not done".
	Once bool
	// Timeout is how long one attempt may take; zero means no limit.
	Timeout time.Duration
	Retry   Retry
	Settle  Settle
	// Catch routes conditions to triggers. A condition that is neither caught
	// nor retried holds the run for a person.
	Catch []Catch
}

// Retry says which conditions are tried again without looking first, and when.
// The n-th wait is First doubled n-1 times, at most Max.
type Retry struct {
	On       []string // names of conditions, for example "busy"
	Attempts int      // in all; zero means one
	First    time.Duration
	Max      time.Duration
}

// Wait returns how long to wait after the n-th attempt, n counting from 1.
func (r Retry) Wait(n int) time.Duration {
	wait := r.First
	for range n - 1 {
		wait *= 2
		if r.Max > 0 && wait >= r.Max {
			return r.Max
		}
	}
	return wait
}

// Settle says how the world is given time to show what was done: after an
// unknown outcome, Window passes before the first look; a reading counts when
// Reads readings in a row agree; readings are Every apart and given up after
// Limit readings.
type Settle struct {
	Window time.Duration
	Reads  int
	Every  time.Duration
	Limit  int
}

// A Catch routes a condition to a trigger.
type Catch struct {
	Condition string
	Trigger   Trigger
}

// clone copies everything that an extension may change.
func (t Table[F]) clone() Table[F] {
	t.States = slices.Clone(t.States)
	for i := range t.States {
		t.States[i].Needs = slices.Clone(t.States[i].Needs)
	}
	t.Edges = cloneEdges(t.Edges)
	t.Anywhere = cloneEdges(t.Anywhere)
	t.Guards = slices.Clone(t.Guards)
	t.Effects = slices.Clone(t.Effects)
	t.mistakes = slices.Clone(t.mistakes)
	return t
}

func cloneEdges(edges []Edge) []Edge {
	edges = slices.Clone(edges)
	for i := range edges {
		edges[i].If = slices.Clone(edges[i].If)
		edges[i].Except = slices.Clone(edges[i].Except)
	}
	return edges
}

// An Insertion adds a state to a table; see [Table.Insert].
type Insertion[F any] struct {
	After  State  // the state that it comes after
	State  State  // the new state
	Doc    string // what is true in it
	Effect Effect // what After asks for from now on
	Needs  []GuardName
	On     Trigger     // fired when the effect is done; leads from After to State
	If     []GuardName // what must hold for that
	Edges  []Edge      // further ways out of After, for the conditions that Effect catches
	Guards []Guard[F]  // guards that Needs, If and Edges name and the table lacks
}

// Insert puts a new state behind ins.After. The new state takes over what
// After asked for: its effect, needs, ways out and finality; After asks for
// the new effect instead. A mistake is reported by [Table.Validate].
func (t Table[F]) Insert(ins Insertion[F]) Table[F] {
	t = t.clone()
	at := slices.IndexFunc(t.States, func(n Node) bool { return n.State == ins.After })
	if at < 0 {
		t.mistakes = append(t.mistakes, fmt.Errorf("insert %q after %q: there is no such state", ins.State, ins.After))
		return t
	}
	successor := t.States[at]
	successor.State, successor.Doc = ins.State, ins.Doc
	t.States[at].Do, t.States[at].Needs, t.States[at].Final = ins.Effect.Name, ins.Needs, false
	t.States = slices.Insert(t.States, at+1, successor)
	for i := range t.Edges {
		if t.Edges[i].From == ins.After {
			t.Edges[i].From = ins.State
		}
	}
	edges := append([]Edge{{From: ins.After, On: ins.On, To: ins.State, If: ins.If}}, ins.Edges...)
	first := slices.IndexFunc(t.Edges, func(e Edge) bool { return e.From == ins.State })
	if first < 0 {
		first = len(t.Edges)
	}
	t.Edges = slices.Insert(t.Edges, first, edges...)
	t.Effects = append(t.Effects, ins.Effect)
	t.Guards = append(t.Guards, ins.Guards...)
	return t
}

// Require adds a guard to what the state needs before its effect may be
// issued.
func (t Table[F]) Require(state State, g Guard[F]) Table[F] {
	t = t.clone()
	at := slices.IndexFunc(t.States, func(n Node) bool { return n.State == state })
	if at < 0 {
		t.mistakes = append(t.mistakes, fmt.Errorf("require %q in %q: there is no such state", g.Name, state))
		return t
	}
	t.States[at].Needs = append(t.States[at].Needs, g.Name)
	t.Guards = append(t.Guards, g)
	return t
}

// Guard adds a guard to the edges that leave from on trigger.
func (t Table[F]) Guard(from State, on Trigger, g Guard[F]) Table[F] {
	t = t.clone()
	at := slices.IndexFunc(t.Edges, func(e Edge) bool { return e.From == from && e.On == on })
	if at < 0 {
		t.mistakes = append(t.mistakes, fmt.Errorf("guard %q on %q from %q: there is no such edge", g.Name, on, from))
		return t
	}
	t.Edges[at].If = append(t.Edges[at].If, g.Name)
	t.Guards = append(t.Guards, g)
	return t
}

// Replace puts an effect in the place of the one with the same name, for
// example to change its timeout.
func (t Table[F]) Replace(e Effect) Table[F] {
	t = t.clone()
	at := slices.IndexFunc(t.Effects, func(old Effect) bool { return old.Name == e.Name })
	if at < 0 {
		t.mistakes = append(t.mistakes, fmt.Errorf("replace effect %q: there is no such effect", e.Name))
		return t
	}
	t.Effects[at] = e
	return t
}

// Hash identifies the definition in journals. It covers what decides about
// the meaning of a journal: states, edges, guard names, effects and how they
// may be repeated; not the documentation, and not the timing.
func (t Table[F]) Hash() string {
	t = t.clone()
	for i := range t.States {
		t.States[i].Doc = ""
	}
	type effect struct {
		Name          EffectName
		Mutates, Once bool
		Catch         []Catch
	}
	effects := make([]effect, len(t.Effects))
	for i, e := range t.Effects {
		effects[i] = effect{e.Name, e.Mutates, e.Once, e.Catch}
	}
	guards := make([]GuardName, len(t.Guards))
	for i, g := range t.Guards {
		guards[i] = g.Name
	}
	b, err := json.Marshal([]any{t.ID, t.Initial, t.States, t.Edges, t.Anywhere, guards, effects})
	if err != nil {
		panic("machine: plain data did not marshal: " + err.Error()) // cannot happen: strings, bools and slices only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
