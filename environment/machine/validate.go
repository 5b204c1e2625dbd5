package machine

import (
	"errors"
	"fmt"
)

// Validate reports every mistake of the table at once: unnamed, unknown or
// doubly defined states, guards and effects, two edges for one state and
// trigger, states that cannot be reached, that nothing leads out of, or from
// which no end can be reached, effects without a way out, guards and effects
// that nothing uses, and what went wrong while the table was extended.
func (t Table[F]) Validate() error {
	v := validation[F]{Table: t}
	v.names()
	v.references()
	v.reach()
	if len(v.errs) == 0 {
		return nil
	}
	return fmt.Errorf("table %q: %w", t.ID, errors.Join(v.errs...))
}

type validation[F any] struct {
	Table[F]
	states  map[State]Node
	guards  map[GuardName]bool
	effects map[EffectName]Effect
	errs    []error
}

func (v *validation[F]) add(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// names checks what is defined.
func (v *validation[F]) names() {
	v.errs = append(v.errs, v.mistakes...)
	if v.ID == "" {
		v.add("the table has no ID")
	}
	v.states = make(map[State]Node, len(v.States))
	for _, n := range v.States {
		if n.State == "" {
			v.add("a state has no name")
			continue
		}
		if _, twice := v.states[n.State]; twice {
			v.add("state %q is defined twice", n.State)
		}
		if n.Doc == "" {
			v.add("state %q is not documented", n.State)
		}
		v.states[n.State] = n
	}
	v.guards = make(map[GuardName]bool, len(v.Guards))
	for _, g := range v.Guards {
		switch {
		case g.Name == "":
			v.add("a guard has no name")
		case g.Holds == nil:
			v.add("guard %q decides nothing: Holds is nil", g.Name)
		case g.Doc == "":
			v.add("guard %q is not documented", g.Name)
		}
		if _, twice := v.guards[g.Name]; twice {
			v.add("guard %q is defined twice", g.Name)
		}
		v.guards[g.Name] = false
	}
	v.effects = make(map[EffectName]Effect, len(v.Effects))
	for _, e := range v.Effects {
		if e.Name == "" {
			v.add("an effect has no name")
		} else if e.Doc == "" {
			v.add("effect %q is not documented", e.Name)
		}
		if _, twice := v.effects[e.Name]; twice {
			v.add("effect %q is defined twice", e.Name)
		}
		if e.Timeout < 0 || e.Retry.Attempts < 0 || e.Retry.First < 0 || e.Retry.Max < 0 ||
			e.Settle.Window < 0 || e.Settle.Reads < 0 || e.Settle.Every < 0 || e.Settle.Limit < 0 {
			v.add("effect %q has a negative duration or count", e.Name)
		}
		if e.Settle.Limit > 0 && e.Settle.Limit < e.Settle.Reads {
			v.add("effect %q gives up after %d readings but wants %d that agree", e.Name, e.Settle.Limit, e.Settle.Reads)
		}
		v.effects[e.Name] = e
	}
}

// references checks what is named.
func (v *validation[F]) references() {
	state := func(where string, s State) {
		if _, ok := v.states[s]; !ok {
			v.add("%s names the unknown state %q", where, s)
		}
	}
	guards := func(where string, names []GuardName) {
		for _, g := range names {
			if _, ok := v.guards[g]; !ok {
				v.add("%s names the unknown guard %q", where, g)
			}
			v.guards[g] = true
		}
	}
	state("Initial", v.Initial)
	used := map[EffectName]bool{}
	for _, n := range v.States {
		where := fmt.Sprintf("state %q", n.State)
		guards(where, n.Needs)
		if n.Do == "" {
			if len(n.Needs) > 0 {
				v.add("%s needs guards but asks for no effect", where)
			}
			continue
		}
		if n.Final {
			v.add("%s is final but asks for the effect %q", where, n.Do)
		}
		used[n.Do] = true
		e, ok := v.effects[n.Do]
		if !ok {
			v.add("%s asks for the unknown effect %q", where, n.Do)
			continue
		}
		for _, c := range e.Catch {
			if !v.knows(n.State, c.Trigger) {
				v.add("effect %q turns the condition %q into %q, which %s does not know", e.Name, c.Condition, c.Trigger, where)
			}
		}
	}
	type key struct {
		from State
		on   Trigger
	}
	seen := map[key]bool{}
	for _, e := range v.Edges {
		where := fmt.Sprintf("edge %q from %q", e.On, e.From)
		state(where, e.From)
		state(where, e.To)
		guards(where, e.If)
		if e.On == "" {
			v.add("an edge from %q has no trigger", e.From)
		}
		if len(e.Except) > 0 {
			v.add("%s has exceptions, which only edges from anywhere can have", where)
		}
		if seen[key{e.From, e.On}] {
			v.add("%s is defined twice", where)
		}
		seen[key{e.From, e.On}] = true
	}
	for _, e := range v.Anywhere {
		where := fmt.Sprintf("edge %q from anywhere", e.On)
		state(where, e.To)
		guards(where, e.If)
		if e.On == "" {
			v.add("an edge from anywhere to %q has no trigger", e.To)
		}
		if e.From != "" {
			v.add("%s names the state %q", where, e.From)
		}
		for _, s := range e.Except {
			state(where, s)
		}
		for _, n := range v.States {
			for _, mine := range v.out(n.State) {
				if mine.On == e.On && mine.From == n.State && seen[key{n.State, e.On}] {
					v.add("%s stands beside an edge of state %q for the same trigger", where, n.State)
					break
				}
			}
		}
	}
	for _, g := range v.Guards {
		if !v.guards[g.Name] {
			v.add("guard %q is not used", g.Name)
		}
	}
	for _, e := range v.Effects {
		if !used[e.Name] {
			v.add("no state asks for the effect %q", e.Name)
		}
	}
}

// knows reports whether the state has a way out on the trigger.
func (v *validation[F]) knows(s State, on Trigger) bool {
	for _, e := range v.out(s) {
		if e.On == on {
			return true
		}
	}
	return false
}

// reach checks where one can get to, leaving guards aside.
func (v *validation[F]) reach() {
	reached := map[State]bool{}
	var walk func(State)
	walk = func(s State) {
		if _, known := v.states[s]; !known || reached[s] {
			return
		}
		reached[s] = true
		for _, e := range v.out(s) {
			walk(e.To)
		}
	}
	walk(v.Initial)

	ends := map[State]bool{} // states from which a final one can be reached
	for grown := true; grown; {
		grown = false
		for _, n := range v.States {
			if ends[n.State] {
				continue
			}
			ok := n.Final
			for _, e := range v.out(n.State) {
				ok = ok || ends[e.To]
			}
			if ok {
				ends[n.State], grown = true, true
			}
		}
	}
	for _, n := range v.States {
		own := 0
		for _, e := range v.Edges {
			if e.From == n.State {
				own++
			}
		}
		switch {
		case n.State == "":
		case !reached[n.State]:
			v.add("state %q cannot be reached from %q", n.State, v.Initial)
		case n.Do != "" && own == 0:
			v.add("state %q asks for the effect %q but has no way out for it", n.State, n.Do)
		case !n.Final && len(v.out(n.State)) == 0:
			v.add("state %q is stuck: it is not final and nothing leads out of it", n.State)
		case !ends[n.State]:
			v.add("no end can be reached from state %q", n.State)
		}
	}
}
