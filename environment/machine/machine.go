package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/qmuntal/stateless"

	"github.com/changeover-go/changeover/internal/printable"
)

// A Machine executes a table. It has no state of its own: every call names the
// state and the facts. It is safe for concurrent use.
type Machine[F any] struct {
	table   Table[F]
	sm      *stateless.StateMachine
	nodes   map[State]*node[F]
	effects map[EffectName]*Effect
}

// node is a compiled state, with its ways out in the order of the table, those
// of Anywhere last. Keys are names as stateless takes them, boxed once.
type node[F any] struct {
	Node
	key   stateless.State
	needs []*Guard[F]
	out   []way[F]
}

type way[F any] struct {
	Edge
	key    stateless.Trigger
	guards []*Guard[F]
}

// New compiles a table. It returns what [Table.Validate] reports.
func New[F any](t Table[F]) (*Machine[F], error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	t = t.clone()
	m := &Machine[F]{
		table:   t,
		nodes:   make(map[State]*node[F], len(t.States)),
		effects: make(map[EffectName]*Effect, len(t.Effects)),
	}
	for i := range t.Effects {
		m.effects[t.Effects[i].Name] = &t.Effects[i]
	}
	named := make(map[GuardName]*Guard[F], len(t.Guards))
	for i := range t.Guards {
		named[t.Guards[i].Name] = &t.Guards[i]
	}
	guards := func(names []GuardName) []*Guard[F] {
		guards := make([]*Guard[F], len(names))
		for i, name := range names {
			guards[i] = named[name]
		}
		return guards
	}
	// One stateless machine serves all: the state lives in a cell that each
	// Fire brings along as its context. FiringImmediate has no queue that could
	// carry work from one Fire into the next.
	m.sm = stateless.NewStateMachineWithExternalStorage(
		func(ctx context.Context) (stateless.State, error) { return ctx.(*cell).state, nil },
		func(ctx context.Context, to stateless.State) error { ctx.(*cell).state = to; return nil },
		stateless.FiringImmediate,
	)
	m.sm.OnUnhandledTrigger(func(ctx context.Context, at stateless.State, on stateless.Trigger, _ []string) error {
		return &RefusedError{Table: t.ID, State: at.(State), Trigger: on.(Trigger), Reasons: ctx.(*cell).unmet}
	})
	ways := t.ways()
	for _, s := range t.States {
		n := &node[F]{Node: s, key: s.State, needs: guards(s.Needs)}
		m.nodes[s.State] = n
		conf := m.sm.Configure(n.key)
		for _, e := range ways[s.State] {
			n.out = append(n.out, way[F]{Edge: e, key: e.On, guards: guards(e.If)})
			conditions := make([]stateless.GuardFunc, len(e.If))
			for i, name := range e.If {
				conditions[i] = func(ctx context.Context, _ ...any) bool { return ctx.(*cell).holds(name) }
			}
			if e.To == s.State {
				conf.PermitReentry(e.On, conditions...)
			} else {
				conf.Permit(e.On, e.To, conditions...)
			}
		}
	}
	return m, nil
}

// cell carries one Fire through stateless, as its context: the state, and
// which guards do not hold. Guards are asked before, so that each is asked
// once, and the facts, which may be large, stay on the stack of Fire.
type cell struct {
	context.Context
	state stateless.State
	unmet []Reason
}

func (c *cell) holds(name GuardName) bool {
	return !slices.ContainsFunc(c.unmet, func(r Reason) bool { return r.Guard == name })
}

// ask asks the guard, and returns the reason if it does not hold.
func (g *Guard[F]) ask(facts *F) (r Reason, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			r, ok = g.reason(fmt.Sprintf("the guard panicked: %v", p)), false
		}
	}()
	ok, evidence := g.Holds(*facts)
	if ok {
		return Reason{}, true
	}
	return g.reason(evidence), false
}

func (g *Guard[F]) reason(evidence string) Reason {
	return Reason{g.Name, g.Doc, printable.Text(evidence)}
}

// Table returns a copy of the table that is executed.
func (m *Machine[F]) Table() Table[F] { return m.table.clone() }

// Initial returns the initial state.
func (m *Machine[F]) Initial() State { return m.table.Initial }

// Node returns what the table says of a state; ok is false for a state that it
// does not have. The caller must not change what it refers to.
func (m *Machine[F]) Node(s State) (n Node, ok bool) {
	c, ok := m.nodes[s]
	if !ok {
		return Node{}, false
	}
	return c.Node, true
}

// Effect returns the effect called name; ok is false if there is none. The
// caller must not change what it refers to.
func (m *Machine[F]) Effect(name EffectName) (e Effect, ok bool) {
	c, ok := m.effects[name]
	if !ok {
		return Effect{}, false
	}
	return *c, true
}

// A Reason says why something is refused: the guard that does not hold, what
// it would assert, and what was found instead.
type Reason struct {
	Guard    GuardName `json:"guard"`
	Doc      string    `json:"doc"`
	Evidence string    `json:"evidence,omitempty"` // safe to print
}

// String puts the reason on one line.
func (r Reason) String() string {
	s := fmt.Sprintf("%s (%s)", r.Guard, strings.TrimSuffix(r.Doc, "."))
	if r.Evidence != "" {
		s += ": " + r.Evidence
	}
	return s
}

// A RefusedError says why a trigger was turned down, with every reason. A
// trigger that the state does not know at all has no reasons.
type RefusedError struct {
	Table   string
	State   State
	Trigger Trigger
	Reasons []Reason // in the order of the edge's guards
}

// Error names table, state, trigger and every reason.
func (e *RefusedError) Error() string {
	if len(e.Reasons) == 0 {
		return fmt.Sprintf("%s: state %s does not know the trigger %q", e.Table, e.State, e.Trigger)
	}
	reasons := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		reasons[i] = r.String()
	}
	return fmt.Sprintf("%s: %s refuses %q: %s", e.Table, e.State, e.Trigger, strings.Join(reasons, "; "))
}

// ErrUnknownState is wrapped when a machine is asked about a state that its
// table does not have.
var ErrUnknownState = errors.New("the table has no such state")

func (m *Machine[F]) unknown(s State) error {
	return fmt.Errorf("%s: state %q: %w", m.table.ID, s, ErrUnknownState)
}

// Fire returns the state that on leads to from at, or a [*RefusedError] with
// every guard that does not hold, or an error that wraps [ErrUnknownState].
// Every guard of the edge is asked exactly once. Fire never panics.
func (m *Machine[F]) Fire(at State, on Trigger, facts F) (State, error) {
	n, ok := m.nodes[at]
	if !ok {
		return "", m.unknown(at)
	}
	c := &cell{Context: context.Background(), state: n.key}
	var key stateless.Trigger
	for i := range n.out {
		if e := &n.out[i]; e.On == on {
			key, c.unmet = e.key, unmet(e.guards, &facts)
		}
	}
	if key == nil { // stateless is to refuse it, too
		key = on
	}
	if err := m.sm.FireCtx(c, key); err != nil {
		return "", err
	}
	return c.state.(State), nil
}

// Needs returns every reason why the effect that at asks for may not be issued
// now; none means that it may. In a state that the table does not have,
// nothing may be issued.
func (m *Machine[F]) Needs(at State, facts F) []Reason {
	n, ok := m.nodes[at]
	if !ok {
		return []Reason{{"stateKnown", "the table has this state", fmt.Sprintf("%q", at)}}
	}
	return unmet(n.needs, &facts)
}

func unmet[F any](guards []*Guard[F], facts *F) []Reason {
	var reasons []Reason
	for _, g := range guards {
		if r, ok := g.ask(facts); !ok {
			reasons = append(reasons, r)
		}
	}
	return reasons
}

// An Explanation says what may and what may not happen in a state, and why.
type Explanation struct {
	State  State      `json:"state"`
	Doc    string     `json:"doc"`
	Effect EffectName `json:"effect,omitempty"` // what the state asks for
	Final  bool       `json:"final,omitempty"`
	Needs  []Reason   `json:"needs,omitempty"` // why the effect may not be issued now
	Ways   []Way      `json:"ways,omitempty"`  // in the order of the table
}

// A Way is one way out of a state.
type Way struct {
	On      Trigger  `json:"on"`
	To      State    `json:"to"`
	Refused []Reason `json:"refused,omitempty"` // why it would be refused now; none: it would be taken
}

// Explain says what may and what may not happen at a state, without anything
// happening. It returns an error that wraps [ErrUnknownState] for a state that
// the table does not have.
func (m *Machine[F]) Explain(at State, facts F) (Explanation, error) {
	n, ok := m.nodes[at]
	if !ok {
		return Explanation{}, m.unknown(at)
	}
	ex := Explanation{State: at, Doc: n.Doc, Effect: n.Do, Final: n.Final, Needs: unmet(n.needs, &facts)}
	for _, e := range n.out {
		ex.Ways = append(ex.Ways, Way{e.On, e.To, unmet(e.guards, &facts)})
	}
	return ex, nil
}
