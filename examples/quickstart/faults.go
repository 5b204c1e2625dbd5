package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
)

// faults are the -fault flags, in the order in which they were given.
type faults []simulator.Fault

// String and Set make it a flag.Value.
func (f *faults) String() string { return "" }

// Set adds one [ENVIRONMENT=]KIND[@OPERATION].
func (f *faults) Set(s string) error {
	env, what, ok := strings.Cut(s, "=")
	if !ok {
		env, what = "", s
	}
	kind, operation, _ := strings.Cut(what, "@")
	*f = append(*f, simulator.Fault{Kind: kind, Environment: env, Operation: operation})
	return nil
}

// kinds are the names of all faults.
func kinds() []string {
	var names []string
	for _, k := range simulator.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// check says everything that is wrong with the flags, before anything is begun.
func (f faults) check(w *fake.World, direct bool) error {
	if direct && len(f) > 0 {
		return errors.New("-fault is for the simulation behind HTTPS; leave -fake out")
	}
	scenario, err := json.Marshal(simulator.Scenario{Faults: append([]simulator.Fault{}, f...)})
	if err == nil {
		_, err = simulator.ReadScenario(bytes.NewReader(scenario), w)
	}
	if err != nil {
		return fmt.Errorf("-fault: %w\nthe kinds are %s", err, strings.Join(kinds(), ", "))
	}
	return nil
}
