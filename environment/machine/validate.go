package machine

import (
	"errors"
	"fmt"
)

// Validate reports every mistake of the table at once: unnamed, unknown,
// undocumented or doubly defined states, guards and effects; two edges for one
// state and trigger; conditions that are handled twice; states that cannot be
// reached, that nothing leads out of, or from which no end can be reached;
// effects without a way out; guards and effects that nothing uses; and what
// went wrong while the table was extended.
func (t Table[F]) Validate() error {
	v := &validation[F]{
		Table:   t,
		states:  map[State]bool{},
		guards:  map[GuardName]bool{},
		effects: map[EffectName]*Effect{},
		asked:   map[GuardName]bool{},
		ways:    t.ways(),
	}
	v.errs = append(v.errs, t.mistakes...)
	if t.ID == "" {
		v.add("the table has no ID")
	}
	v.defined()
	v.named()
	v.reach()
	if len(v.errs) == 0 {
		return nil
	}
	return fmt.Errorf("table %q: %w", t.ID, errors.Join(v.errs...))
}

type validation[F any] struct {
	Table[F]
	states  map[State]bool
	guards  map[GuardName]bool
	effects map[EffectName]*Effect
	asked   map[GuardName]bool // guards that something names
	ways    map[State][]Edge
	errs    []error
}

func (v *validation[F]) add(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// defined checks what the table defines.
func (v *validation[F]) defined() {
	for _, n := range v.States {
		if n.State == "" {
			v.add("a state has no name")
			continue
		}
		if v.states[n.State] {
			v.add("state %q is defined twice", n.State)
		}
		v.states[n.State] = true
		if n.Doc == "" {
			v.add("state %q is not documented", n.State)
		}
	}
	for _, g := range v.Guards {
		if g.Name == "" {
			v.add("a guard has no name")
			continue
		}
		if v.guards[g.Name] {
			v.add("guard %q is defined twice", g.Name)
		}
		v.guards[g.Name] = true
		if g.Doc == "" {
			v.add("guard %q is not documented", g.Name)
		}
		if g.Holds == nil {
			v.add("guard %q decides nothing: Holds is nil", g.Name)
		}
	}
	for i := range v.Effects {
		e := &v.Effects[i]
		if e.Name == "" {
			v.add("an effect has no name")
			continue
		}
		if v.effects[e.Name] != nil {
			v.add("effect %q is defined twice", e.Name)
		}
		v.effects[e.Name] = e
		v.effect(e)
	}
}

func (v *validation[F]) effect(e *Effect) {
	if e.Doc == "" {
		v.add("effect %q is not documented", e.Name)
	}
	if e.Timeout < 0 || e.Retry.Attempts < 0 || e.Retry.First < 0 || e.Retry.Max < 0 ||
		e.Settle.Window < 0 || e.Settle.Reads < 0 || e.Settle.Every < 0 || e.Settle.Limit < 0 {
		v.add("effect %q has a negative duration or count", e.Name)
	}
	if e.Settle.Limit > 0 && e.Settle.Limit < e.Settle.Reads {
		v.add("effect %q gives up after %d readings but wants %d that agree", e.Name, e.Settle.Limit, e.Settle.Reads)
	}
	if len(e.Retry.On) > 0 && e.Retry.Attempts < 2 {
		v.add("effect %q retries conditions but has only one attempt", e.Name)
	}
	handled := map[string]bool{}
	condition := func(name string) {
		if name == "" {
			v.add("effect %q handles a condition without a name", e.Name)
		} else if handled[name] {
			v.add("effect %q handles the condition %q twice", e.Name, name)
		}
		handled[name] = true
	}
	for _, c := range e.Catch {
		condition(c.Condition)
	}
	for _, name := range e.Retry.On {
		condition(name)
	}
}

// named checks what the table names: that it is defined, and named once.
func (v *validation[F]) named() {
	v.state("Initial", v.Initial)
	performed := map[EffectName]bool{}
	for _, n := range v.States {
		where := fmt.Sprintf("state %q", n.State)
		v.ask(where, n.Needs)
		if n.Do == "" {
			if len(n.Needs) > 0 {
				v.add("%s needs guards but asks for no effect", where)
			}
			continue
		}
		performed[n.Do] = true
		if n.Final {
			v.add("%s is final but asks for the effect %q", where, n.Do)
		}
		e := v.effects[n.Do]
		if e == nil {
			v.add("%s asks for the unknown effect %q", where, n.Do)
			continue
		}
		known := map[Trigger]bool{}
		for _, way := range v.ways[n.State] {
			known[way.On] = true
		}
		for _, c := range e.Catch {
			if !known[c.Trigger] {
				v.add("effect %q turns the condition %q into %q, which %s does not know", e.Name, c.Condition, c.Trigger, where)
			}
		}
	}

	type cell struct {
		from State
		on   Trigger
	}
	taken := map[cell]bool{}
	for _, e := range v.Edges {
		where := fmt.Sprintf("edge %q from %q", e.On, e.From)
		v.state(where, e.From)
		v.edge(where, e)
		if len(e.Except) > 0 {
			v.add("%s has exceptions, which only edges from anywhere can have", where)
		}
		if taken[cell{e.From, e.On}] {
			v.add("%s is defined twice", where)
		}
		taken[cell{e.From, e.On}] = true
	}
	anywhere := map[Trigger]bool{}
	for _, e := range v.Anywhere {
		where := fmt.Sprintf("edge %q from anywhere", e.On)
		v.edge(where, e)
		if e.From != "" {
			v.add("%s names the state %q", where, e.From)
		}
		for _, s := range e.Except {
			v.state(where, s)
		}
		if anywhere[e.On] {
			v.add("%s is defined twice", where)
		}
		anywhere[e.On] = true
		for _, n := range v.States {
			if e.leaves(n.State) && taken[cell{n.State, e.On}] {
				v.add("%s stands beside an edge of state %q for the same trigger", where, n.State)
			}
		}
	}

	for _, g := range v.Guards {
		if g.Name != "" && !v.asked[g.Name] {
			v.add("guard %q is not used", g.Name)
		}
	}
	for _, e := range v.Effects {
		if e.Name != "" && !performed[e.Name] {
			v.add("no state asks for the effect %q", e.Name)
		}
	}
}

func (v *validation[F]) state(where string, s State) {
	if !v.states[s] {
		v.add("%s names the unknown state %q", where, s)
	}
}

func (v *validation[F]) edge(where string, e Edge) {
	if e.On == "" {
		v.add("%s has no trigger", where)
	}
	v.state(where, e.To)
	v.ask(where, e.If)
}

func (v *validation[F]) ask(where string, names []GuardName) {
	here := map[GuardName]bool{}
	for _, g := range names {
		if !v.guards[g] {
			v.add("%s names the unknown guard %q", where, g)
		}
		if here[g] {
			v.add("%s names the guard %q twice", where, g)
		}
		here[g], v.asked[g] = true, true
	}
}

// reach checks where one can get to, leaving guards aside.
func (v *validation[F]) reach() {
	if !v.states[v.Initial] {
		return // named has said so; nothing can be reached from nowhere
	}
	var final []State
	to, from := map[State][]State{}, map[State][]State{}
	for _, n := range v.States {
		if n.Final {
			final = append(final, n.State)
		}
		for _, e := range v.ways[n.State] {
			from[e.To] = append(from[e.To], n.State)
			if v.states[e.To] {
				to[n.State] = append(to[n.State], e.To)
			}
		}
	}
	reached := spread([]State{v.Initial}, to)
	ends := spread(final, from) // states from which a final one can be reached
	if len(ends) == 0 {
		v.add("no state is final")
	}
	leads := map[State]bool{} // states with an edge of their own
	for _, e := range v.Edges {
		leads[e.From] = true
	}
	for _, n := range v.States {
		switch {
		case n.State == "":
		case !reached[n.State]:
			v.add("state %q cannot be reached from %q", n.State, v.Initial)
		case n.Do != "" && !leads[n.State]:
			v.add("state %q asks for the effect %q but has no way out for it", n.State, n.Do)
		case !n.Final && len(v.ways[n.State]) == 0:
			v.add("state %q is stuck: it is not final and nothing leads out of it", n.State)
		case !ends[n.State] && len(ends) > 0:
			v.add("no end can be reached from state %q", n.State)
		}
	}
}

// spread returns the states that can be got to from some, these included.
func spread(from []State, next map[State][]State) map[State]bool {
	seen := map[State]bool{}
	for len(from) > 0 {
		last := len(from) - 1
		s := from[last]
		from = from[:last]
		if !seen[s] {
			seen[s] = true
			from = append(from, next[s]...)
		}
	}
	return seen
}
