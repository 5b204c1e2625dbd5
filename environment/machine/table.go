package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
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

// An Edge is a permitted transition. An edge whose To is its From leaves the
// state and enters it again: its effect is asked for once more.
type Edge struct {
	From State
	On   Trigger
	To   State
	// If are the guards that must hold before the destination may be claimed.
	If []GuardName
	// Except are states that an edge of Table.Anywhere does not leave.
	Except []State
}

// leaves reports whether the edge, one of Table.Anywhere, leaves s.
func (e Edge) leaves(s State) bool { return e.To != s && !slices.Contains(e.Except, s) }

// A Guard is a named pure condition over facts.
type Guard[F any] struct {
	Name GuardName
	Doc  string // one sentence: what holds
	// Holds decides. When it does not hold, evidence says what was found
	// instead, for a person; it must not contain a secret, and is made safe to
	// print. A guard that panics does not hold, and its panic is the evidence:
	// a slip in a guard refuses, it does not end a run between two steps.
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
	On       []string // names of conditions, for example "busy"; none of them is caught
	Attempts int      // in all; zero means one
	First    time.Duration
	Max      time.Duration // zero means no limit
}

// Wait returns how long to wait after the n-th attempt, n counting from 1.
func (r Retry) Wait(n int) time.Duration {
	limit := r.Max
	if limit == 0 {
		limit = math.MaxInt64
	}
	wait := min(r.First, limit)
	for i := 1; i < n && 0 < wait && wait < limit; i++ {
		if wait > limit/2 { // doubled, it would be over the limit, or overflow
			return limit
		}
		wait *= 2
	}
	return wait
}

// Settle says how the world is given time to show what was done: after an
// unknown outcome, Window passes before the first look; a reading counts when
// Reads readings in a row agree; readings are Every apart and given up after
// Limit readings.
type Settle struct {
	Window time.Duration
	Reads  int // zero means one
	Every  time.Duration
	Limit  int // zero means as many as Reads
}

// A Catch routes a condition to a trigger.
type Catch struct {
	Condition string
	Trigger   Trigger
}

// clone shares nothing with t that can be changed.
func (t Table[F]) clone() Table[F] {
	t.States = slices.Clone(t.States)
	for i := range t.States {
		t.States[i].Needs = slices.Clone(t.States[i].Needs)
	}
	t.Edges = cloneEdges(t.Edges)
	t.Anywhere = cloneEdges(t.Anywhere)
	t.Guards = slices.Clone(t.Guards)
	t.Effects = slices.Clone(t.Effects)
	for i := range t.Effects {
		e := &t.Effects[i]
		e.Retry.On, e.Catch = slices.Clone(e.Retry.On), slices.Clone(e.Catch)
	}
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

// ways returns the edges that leave each state: its own, then those of
// Anywhere.
func (t Table[F]) ways() map[State][]Edge {
	ways := make(map[State][]Edge, len(t.States))
	for _, e := range t.Edges {
		ways[e.From] = append(ways[e.From], e)
	}
	for _, n := range t.States {
		for _, e := range t.Anywhere {
			if e.leaves(n.State) {
				e.From = n.State
				ways[n.State] = append(ways[n.State], e)
			}
		}
	}
	return ways
}

// node returns the place of a state in States, or -1.
func (t Table[F]) node(s State) int {
	return slices.IndexFunc(t.States, func(n Node) bool { return n.State == s })
}

// mistake notes what Validate is to report.
func (t *Table[F]) mistake(format string, args ...any) {
	t.mistakes = append(t.mistakes, fmt.Errorf(format, args...))
}

// define adds a guard, unless g only names one that the table has.
func (t *Table[F]) define(g Guard[F]) {
	named := func(have Guard[F]) bool { return have.Name == g.Name }
	if g.Holds == nil && slices.ContainsFunc(t.Guards, named) {
		return
	}
	t.Guards = append(t.Guards, g)
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
	Edges  []Edge      // further ways out of After, for the conditions that Effect catches; From is After, or empty
	Guards []Guard[F]  // guards that Needs, If and Edges name and the table lacks
}

// Insert puts a new state behind ins.After. The new state takes over what
// After asked for: its effect, needs, ways out and finality; After asks for
// the new effect instead. What leaves every state leaves the new one only if
// it left After. A mistake is reported by [Table.Validate].
func (t Table[F]) Insert(ins Insertion[F]) Table[F] {
	t = t.clone()
	at := t.node(ins.After)
	if at < 0 {
		t.mistake("insert %q after %q: there is no such state", ins.State, ins.After)
		return t
	}
	successor := t.States[at]
	successor.State, successor.Doc = ins.State, ins.Doc
	t.States[at].Do, t.States[at].Needs, t.States[at].Final = ins.Effect.Name, slices.Clone(ins.Needs), false
	t.States = slices.Insert(t.States, at+1, successor)

	first := len(t.Edges) // place of the first edge that the new state takes over
	for i := range t.Edges {
		e := &t.Edges[i]
		if e.From != ins.After {
			continue
		}
		e.From, first = ins.State, min(first, i)
		if e.To == ins.After { // what stayed in the state still does, without the new effect
			e.To = ins.State
		}
	}
	for i := range t.Anywhere {
		if e := &t.Anywhere[i]; !e.leaves(ins.After) {
			e.Except = append(e.Except, ins.State)
		}
	}
	edges := append([]Edge{{On: ins.On, To: ins.State, If: ins.If}}, ins.Edges...)
	for i := range edges {
		if from := edges[i].From; from != "" && from != ins.After {
			t.mistake("insert %q after %q: the edge %q leaves %q", ins.State, ins.After, edges[i].On, from)
		}
		edges[i].From = ins.After
	}
	t.Edges = slices.Insert(t.Edges, first, cloneEdges(edges)...)
	t.Effects = append(t.Effects, ins.Effect)
	for _, g := range ins.Guards {
		t.define(g)
	}
	return t
}

// Require adds a guard to what the state needs before its effect may be
// issued. A guard that the table has already is named without Holds. A mistake
// is reported by [Table.Validate].
func (t Table[F]) Require(state State, g Guard[F]) Table[F] {
	t = t.clone()
	at := t.node(state)
	if at < 0 {
		t.mistake("require %q in %q: there is no such state", g.Name, state)
		return t
	}
	t.States[at].Needs = append(t.States[at].Needs, g.Name)
	t.define(g)
	return t
}

// Guard adds a guard to the edge that leaves from on trigger; an empty from
// means the edge of Anywhere. A guard that the table has already is named
// without Holds. A mistake is reported by [Table.Validate].
func (t Table[F]) Guard(from State, on Trigger, g Guard[F]) Table[F] {
	t = t.clone()
	edges := t.Edges
	if from == "" {
		edges = t.Anywhere
	}
	at := slices.IndexFunc(edges, func(e Edge) bool { return e.From == from && e.On == on })
	if at < 0 {
		t.mistake("guard %q on %q from %q: there is no such edge", g.Name, on, from)
		return t
	}
	edges[at].If = append(edges[at].If, g.Name)
	t.define(g)
	return t
}

// Replace puts an effect in the place of the one with the same name, for
// example to change its timeout. A mistake is reported by [Table.Validate].
func (t Table[F]) Replace(e Effect) Table[F] {
	t = t.clone()
	at := slices.IndexFunc(t.Effects, func(old Effect) bool { return old.Name == e.Name })
	if at < 0 {
		t.mistake("replace effect %q: there is no such effect", e.Name)
		return t
	}
	t.Effects[at] = e
	return t
}

// Hash identifies the definition in journals. It covers what decides about
// the meaning of a journal: states, edges, guard names, effects and how they
// may be repeated; not the documentation, not the timing and number of
// attempts, and not the order in which the table lists things.
func (t Table[F]) Hash() string {
	var facts []string
	add := func(format string, args ...any) { facts = append(facts, fmt.Sprintf(format, args...)) }
	add("table %q begins in %q", t.ID, t.Initial)
	for _, n := range t.States {
		add("state %q asks for %q, final %t", n.State, n.Do, n.Final)
		for _, g := range n.Needs {
			add("state %q needs %q", n.State, g)
		}
	}
	// An edge from anywhere is one that leaves the state without a name.
	for _, e := range slices.Concat(t.Edges, t.Anywhere) {
		add("edge from %q on %q to %q", e.From, e.On, e.To)
		for _, g := range e.If {
			add("edge from %q on %q if %q", e.From, e.On, g)
		}
		for _, s := range e.Except {
			add("edge from %q on %q except %q", e.From, e.On, s)
		}
	}
	for _, g := range t.Guards {
		add("guard %q", g.Name)
	}
	for _, e := range t.Effects {
		add("effect %q mutates %t, once %t", e.Name, e.Mutates, e.Once)
		for _, condition := range e.Retry.On {
			add("effect %q retries %q", e.Name, condition)
		}
		for _, c := range e.Catch {
			add("effect %q turns %q into %q", e.Name, c.Condition, c.Trigger)
		}
	}
	slices.Sort(facts)
	sum := sha256.Sum256([]byte(strings.Join(facts, "\n")))
	return hex.EncodeToString(sum[:])
}
