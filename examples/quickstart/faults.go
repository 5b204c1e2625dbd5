package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/migration"
)

// faults are the -fault flags, in the order in which they were given.
type faults []simulator.Fault

// String and Set make it a flag.Value.
func (f *faults) String() string { return "" }

// Set adds one ENVIRONMENT=KIND.
func (f *faults) Set(s string) error {
	env, kind, ok := strings.Cut(s, "=")
	if !ok || env == "" {
		return fmt.Errorf("%q is not ENVIRONMENT=KIND", s)
	}
	if !slices.Contains(kinds(), kind) {
		return fmt.Errorf("there is no fault %q; there are %s", kind, strings.Join(kinds(), ", "))
	}
	*f = append(*f, simulator.Fault{Kind: kind, Environment: env})
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

// check names every environment that the plan does not have.
func (f faults) check(p migration.Plan, direct bool) error {
	var errs []error
	if direct && len(f) > 0 {
		errs = append(errs, errors.New("-fault is for the simulation behind HTTPS; leave -fake out"))
	}
	for _, one := range f {
		if _, ok := p.Infrastructure.Environment(one.Environment); !ok {
			errs = append(errs, fmt.Errorf("-fault %q: the plan has no such environment", one.Environment+"="+one.Kind))
		}
	}
	return errors.Join(errs...)
}
