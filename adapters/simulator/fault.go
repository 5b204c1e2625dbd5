package simulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A Fault is something that goes wrong. Kind says what ([Kinds]); the other
// fields say where and when, and what they mean beyond that is said by the
// kind.
//
// Most kinds happen to requests. A fault waits for the requests of Operation
// that concern Environment, lets Skip of them pass, and happens to the next
// Times. The other kinds change the world: at once, or, if Operation is given,
// just before such a request is carried out; the request may be one that
// concerns no environment, such as a list. One request suffers one fault at
// most, besides changes of the world; those that were injected first come
// first.
type Fault struct {
	Kind string `json:"kind"`
	// Environment is the name of the environment concerned; empty: any.
	Environment string `json:"environment,omitempty"`
	// Operation is one of [Operations]; empty: those that the kind is about.
	Operation string `json:"operation,omitempty"`
	// Skip is how many such requests pass first.
	Skip int `json:"skip,omitempty"`
	// Times is to how many it happens; zero: as often as the kind says, mostly
	// once; -1: to all.
	Times int `json:"times,omitempty"`
	// Count is how many requests later, how many readings, how many publishes.
	Count int `json:"count,omitempty"`
	// Done says that what was asked for is done all the same.
	Done bool `json:"done,omitempty"`
	// AfterRestart says that it takes effect only after a restart.
	AfterRestart bool `json:"afterRestart,omitempty"`
	// Text is what the server says; empty: what it usually says.
	Text string `json:"text,omitempty"`
	// Code is an activation code: source, target, third (of nobody), or, for
	// changedByHand only, none.
	Code string `json:"code,omitempty"`
	// Word is the word for Intellectual Property; Missing takes the feature out
	// of the license.
	Word    string `json:"word,omitempty"`
	Missing bool   `json:"missing,omitempty"`
	// Module is the module concerned; empty: fake.TestModule.
	Module string `json:"module,omitempty"`
	// Serial is another serial number; empty: a made-up one.
	Serial string `json:"serial,omitempty"`
	// Other is another environment; empty: the next one.
	Other string `json:"other,omitempty"`
	// Unabortable says that a running deployment cannot be aborted.
	Unabortable bool `json:"unabortable,omitempty"`
}

// check says everything that is wrong with a fault.
func (f Fault) check(w *fake.World) error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	k, ok := kindNamed(f.Kind)
	if !ok {
		wrong("there is no kind \"%s\"", printable.Text(f.Kind))
	}
	op := operationNamed(f.Operation)
	switch {
	case f.Operation != "" && op.Name == "":
		wrong("there is no operation \"%s\"", printable.Text(f.Operation))
	case ok && f.Operation != "" && k.on != nil && !k.on(op):
		wrong("%s does not happen to %s", f.Kind, f.Operation)
	case ok && f.Operation != "" && k.tls:
		wrong("%s happens before any operation is known", f.Kind)
	}
	inf := w.Infrastructure()
	_, known := inf.Environment(f.Environment)
	switch {
	case f.Environment != "" && !known:
		wrong("there is no environment \"%s\"", printable.Text(f.Environment))
	case ok && f.Environment == "" && k.needsEnvironment:
		wrong("%s needs an environment", f.Kind)
	}
	if _, ok := inf.Environment(f.Other); f.Other != "" && (!ok || f.Other == f.Environment) {
		wrong("there is no other environment \"%s\"", printable.Text(f.Other))
	}
	if ok && known && k.needsModule && !slices.Contains(w.Modules(f.Environment), f.module()) {
		wrong("there is no module \"%s\" in \"%s\"", printable.Text(f.module()), printable.Text(f.Environment))
	}
	if f.Code != "" && !slices.Contains([]string{"source", "target", "third", "none"}, f.Code) {
		wrong("there is no code \"%s\"; there are source, target, third and none", printable.Text(f.Code))
	}
	if f.Code == "none" && f.Kind != "changedByHand" {
		wrong("the code none is for changedByHand only")
	}
	if f.Serial != "" {
		if _, err := license.ParseSerialNumber(f.Serial); err != nil {
			wrong("serial: %w", err)
		}
	}
	if f.Skip < 0 || f.Count < 0 || f.Times < -1 {
		wrong("skip and count cannot be negative, and times not less than -1")
	}
	return errors.Join(errs...)
}

func (f Fault) module() string { return either(f.Module, fake.TestModule) }

// happensTo reports whether a fault is about a request.
func (f Fault) happensTo(k kind, op Operation, env string) bool {
	switch {
	case op.Name == "" || k.tls:
		return false
	case f.Environment != "" && f.Environment != env && !(k.change != nil && op.shared):
		return false
	case f.Operation != "":
		return f.Operation == op.Name
	}
	return k.on == nil || k.on(op)
}

// Inject lets faults happen: all of them, or none when something is wrong with
// one, or one makes another impossible; the error then names everything that
// is wrong.
func (s *Simulator) Inject(faults ...Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.inject(faults); err != nil {
		return err
	}
	s.keep()
	return nil
}

func (s *Simulator) inject(faults []Fault) error {
	err := check(faults, s.world)
	var trial platform // one fault may make another impossible
	if err == nil {
		trial, err = s.platform().copy()
	}
	if err == nil {
		err = trial.inject(faults)
	}
	if err == nil {
		err = s.platform().inject(faults)
	}
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	return nil
}

// change lets a fault that changes the world happen, unless it has become
// impossible.
func (p platform) change(f Fault) error {
	k, _ := kindNamed(f.Kind)
	err := f.check(p.world)
	if err == nil {
		err = k.change(p, f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.Kind, err)
	}
	return nil
}

func (p platform) inject(faults []Fault) error {
	for _, f := range faults {
		k, _ := kindNamed(f.Kind)
		if k.change != nil && f.Operation == "" {
			if err := p.change(f); err != nil {
				return err
			}
			continue
		}
		if f.Times == 0 {
			f.Times = max(k.times, 1)
			if k.always {
				f.Times = -1
			}
		}
		p.m.Faults = append(p.m.Faults, f)
	}
	return nil
}

func check(faults []Fault, w *fake.World) error {
	var errs []error
	for i, f := range faults {
		if err := f.check(w); err != nil {
			errs = append(errs, fmt.Errorf("faults[%d]: %s", i, strings.ReplaceAll(err.Error(), "\n", "; ")))
		}
	}
	return errors.Join(errs...)
}

// take finds the faults that happen to a request now, changes of the world
// first, and counts them.
func (m *memory) take(op Operation, env string) (changes []Fault, happens *Fault) {
	rest := m.Faults[:0:0]
	for _, f := range m.Faults {
		k, _ := kindNamed(f.Kind)
		switch {
		case !f.happensTo(k, op, env):
		case f.Skip > 0:
			f.Skip--
		case k.change != nil:
			changes = append(changes, f)
			f.Times -= min(max(f.Times, 0), 1)
		case happens == nil:
			taken := f
			happens = &taken
			f.Times -= min(max(f.Times, 0), 1)
		}
		if f.Times != 0 {
			rest = append(rest, f)
		}
	}
	m.Faults = rest
	return changes, happens
}
