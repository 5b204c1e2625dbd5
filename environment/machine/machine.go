package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/qmuntal/stateless"
)

// A Machine executes a table. It has no state of its own: every call names the
// state and the facts. It is safe for concurrent use.
type Machine[F any] struct {
	table   Table[F]
	sm      *stateless.StateMachine
	nodes   map[State]*node[F]
	guards  map[GuardName]*Guard[F]
	effects map[EffectName]*Effect
}

// node is a compiled state: its ways out in the order of the table, those of
// Anywhere last.
type node[F any] struct {
	Node
	out []Edge
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
		guards:  make(map[GuardName]*Guard[F], len(t.Guards)),
		effects: make(map[EffectName]*Effect, len(t.Effects)),
	}
	for i := range t.Guards {
		m.guards[t.Guards[i].Name] = &t.Guards[i]
	}
	for i := range t.Effects {
		m.effects[t.Effects[i].Name] = &t.Effects[i]
	}
	// One stateless machine serves all: the state lives in a cell that each
	// Fire brings along in its context. FiringImmediate has no queue that
	// could carry work from one Fire into the next.
	m.sm = stateless.NewStateMachineWithExternalStorage(
		func(ctx context.Context) (stateless.State, error) { return cellOf(ctx).state, nil },
		func(ctx context.Context, to stateless.State) error { cellOf(ctx).state = to.(State); return nil },
		stateless.FiringImmediate,
	)
	m.sm.OnUnhandledTrigger(func(context.Context, stateless.State, stateless.Trigger, []string) error { return errUnhandled })
	for _, s := range t.States {
		n := &node[F]{Node: s, out: t.out(s.State)}
		m.nodes[s.State] = n
		conf := m.sm.Configure(s.State)
		for _, e := range n.out {
			guards := make([]stateless.GuardFunc, len(e.If))
			for i, name := range e.If {
				holds := m.guards[name].Holds
				guards[i] = func(_ context.Context, args ...any) bool {
					ok, _ := holds(*args[0].(*F))
					return ok
				}
			}
			if e.To == s.State {
				conf.PermitReentry(e.On, guards...)
			} else {
				conf.Permit(e.On, e.To, guards...)
			}
		}
	}
	return m, nil
}

// out returns the edges that leave s: its own, then those of Anywhere.
func (t Table[F]) out(s State) []Edge {
	var out []Edge
	for _, e := range t.Edges {
		if e.From == s {
			out = append(out, e)
		}
	}
	for _, e := range t.Anywhere {
		if e.To != s && !slices.Contains(e.Except, s) {
			e.From = s
			out = append(out, e)
		}
	}
	return out
}

// cell carries the state of one Fire; it is its own context.
type cell struct {
	context.Context
	state State
}

func cellOf(ctx context.Context) *cell { return ctx.(*cell) }

var errUnhandled = errors.New("unhandled")

// Table returns a copy of the table that is executed.
func (m *Machine[F]) Table() Table[F] { return m.table.clone() }

// Initial returns the initial state.
func (m *Machine[F]) Initial() State { return m.table.Initial }

// Node returns what the table says of a state; ok is false for a state that it
// does not have.
func (m *Machine[F]) Node(s State) (n Node, ok bool) {
	c, ok := m.nodes[s]
	if !ok {
		return Node{}, false
	}
	return c.Node, true
}

// Effect returns the effect called name; ok is false if there is none.
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
	Evidence string    `json:"evidence,omitempty"`
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
	Reasons []Reason
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

// Fire returns the state that on leads to from at, or a [*RefusedError] with
// every guard that does not hold.
func (m *Machine[F]) Fire(at State, on Trigger, facts F) (State, error) {
	n, ok := m.nodes[at]
	if !ok {
		return "", fmt.Errorf("%s: state %q: %w", m.table.ID, at, ErrUnknownState)
	}
	c := &cell{Context: context.Background(), state: at}
	switch err := m.sm.FireCtx(c, on, &facts); {
	case err == nil:
		return c.state, nil
	case !errors.Is(err, errUnhandled):
		return "", fmt.Errorf("%s: %w", m.table.ID, err)
	}
	refused := &RefusedError{Table: m.table.ID, State: at, Trigger: on}
	for _, e := range n.out {
		if e.On == on {
			refused.Reasons = m.unmet(e.If, facts)
		}
	}
	return "", refused
}

// Needs returns every reason why the effect that at asks for may not be issued
// now; none means that it may.
func (m *Machine[F]) Needs(at State, facts F) []Reason {
	n, ok := m.nodes[at]
	if !ok {
		return nil
	}
	return m.unmet(n.Needs, facts)
}

func (m *Machine[F]) unmet(names []GuardName, facts F) []Reason {
	var reasons []Reason
	for _, name := range names {
		g := m.guards[name]
		if ok, evidence := g.Holds(facts); !ok {
			reasons = append(reasons, Reason{name, g.Doc, evidence})
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
// happening.
func (m *Machine[F]) Explain(at State, facts F) (Explanation, error) {
	n, ok := m.nodes[at]
	if !ok {
		return Explanation{}, fmt.Errorf("%s: state %q: %w", m.table.ID, at, ErrUnknownState)
	}
	ex := Explanation{State: at, Doc: n.Doc, Effect: n.Do, Final: n.Final, Needs: m.unmet(n.Needs, facts)}
	for _, e := range n.out {
		ex.Ways = append(ex.Ways, Way{e.On, e.To, m.unmet(e.If, facts)})
	}
	return ex, nil
}
