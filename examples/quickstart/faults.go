package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// faults are the -fault flags, in the order in which they were given.
type faults []struct{ env, kind string }

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
	*f = append(*f, struct{ env, kind string }{env, kind})
	return nil
}

// A kind of fault changes the world so that the failure follows from it, or
// returns an injector that loses an answer on the way.
type kind struct {
	name string
	do   func(w *fake.World, plan migration.Plan, env environment.Environment) *fault.Injector
}

// faultKinds are all there is, in the order of the procedure.
var faultKinds = []kind{
	{"serial-missing", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.DropSerial(p.Source, env.Name)
		return nil
	}},
	{"not-prepared", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		show(w, p.Source, env, license.Protected)
		return nil
	}},
	{"target-not-prepared", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		show(w, p.Target, env, "Unknown")
		return nil
	}},
	{"no-slot", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.Slots(p.Target, env.Kind, 0)
		return nil
	}},
	{"upload-rejected", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.RejectUploads(lastCode(p), env.Name, "There was an internal error installing the license")
		return nil
	}},
	{"upload-lost-answer", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		return fault.On(fault.Match{Port: "ServiceCenter", Method: "UploadLicense", Environment: env.Name}, uploads(p)-1, fault.After,
			fmt.Errorf("the connection was lost behind the request: %w", adapters.ErrUncertain))
	}},
	{"stale-read", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.StaleReadings(env.Name, 3)
		return nil
	}},
	{"busy", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.LockModule(env.Name, p.Module, 2)
		return nil
	}},
	{"ipp", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		show(w, p.Target, env, license.Protected)
		w.MarkModule(env.Name, p.Module, p.Source)
		return nil
	}},
	{"publish-fails", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.BreakModule(env.Name, p.Module, "Compilation failed")
		return nil
	}},
	{"serial-changed", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.ChangeSerial(env.Name, "NEW-NEW-NEW-NEW-NEW-NEW-NEW-NEW")
		return nil
	}},
	{"restore-fails", func(w *fake.World, p migration.Plan, env environment.Environment) *fault.Injector {
		w.RefuseReturn(env.Name, "There was an internal error installing the license")
		return nil
	}},
}

// show lets the portal issue licenses with the word, in place of a file that
// was laid out for the environment.
func show(w *fake.World, code license.ActivationCode, env environment.Environment, word license.IPP) {
	w.UseFile(code, env.Name, license.File{})
	w.SetIPP(code, env.Name, word)
}

func kinds() []string {
	var names []string
	for _, k := range faultKinds {
		names = append(names, k.name)
	}
	return names
}

// lastCode is the activation code whose licenses the profile uploads last.
func lastCode(p migration.Plan) license.ActivationCode {
	profile, _ := migration.FindProfile(p.Effective().Profile)
	if profile.Legs[len(profile.Legs)-1].Role == license.Target {
		return p.Target
	}
	return p.Source
}

// uploads counts the licenses that an environment is given on the way forward.
func uploads(p migration.Plan) int {
	profile, _ := migration.FindProfile(p.Effective().Profile)
	n := 0
	for _, leg := range profile.Legs {
		if leg.Verifies() {
			n++
		}
	}
	return n
}

// apply brings the faults into the world; a world that was kept has them
// already, and only the names are checked.
func (f faults) apply(w *fake.World, p migration.Plan, kept bool) ([]*fault.Injector, error) {
	var errs []error
	var injectors []*fault.Injector
	for _, one := range f {
		env, ok := p.Infrastructure.Environment(one.env)
		if !ok {
			errs = append(errs, fmt.Errorf("-fault %q: the plan has no such environment", one.env+"="+one.kind))
			continue
		}
		if kept {
			continue
		}
		at := slices.IndexFunc(faultKinds, func(k kind) bool { return k.name == one.kind })
		if inj := faultKinds[at].do(w, p, env); inj != nil {
			injectors = append(injectors, inj)
		}
	}
	return injectors, errors.Join(append(errs, w.Err())...)
}
