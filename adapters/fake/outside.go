package fake

import (
	"slices"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// What a server needs to know that shows the world to others, as package
// adapters/simulator does. Nothing here counts as a call.

// Infrastructure returns the environments as they were added, in that order.
func (w *World) Infrastructure() environment.Infrastructure {
	w.mu.Lock()
	defer w.mu.Unlock()
	inf := environment.Infrastructure{Name: w.s.Organization}
	for _, s := range w.s.Servers {
		inf.Environments = append(inf.Environments, s.Environment)
	}
	return inf
}

// Source returns the code that a world of [New] begins under.
func (w *World) Source() license.ActivationCode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.s.Source.ActivationCode
}

// Target returns the code that a world of [New] is ready to move to.
func (w *World) Target() license.ActivationCode {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.s.Target.ActivationCode
}

// Time returns the world's time; see [World.Now].
func (w *World) Time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now()
}

// An Account is what the vendor's portal shows under one activation code.
type Account struct {
	Code       license.ActivationCode
	Slots      []Slots // in the order in which the kinds came
	Registered []Registration
}

// Slots counts the free slots for environments of one kind.
type Slots struct {
	Kind environment.Kind
	Free int
}

// A Registration is an environment that has a slot.
type Registration struct {
	Environment string // as it was called when it was registered
	Kind        environment.Kind
	Serial      license.SerialNumber
}

// Accounts returns what the vendor keeps, code by code.
func (w *World) Accounts() []Account {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Account
	for _, a := range w.s.Accounts {
		shown := Account{Code: a.Code.ActivationCode}
		for _, s := range a.Slots {
			shown.Slots = append(shown.Slots, Slots(s))
		}
		for _, r := range a.Registered {
			shown.Registered = append(shown.Registered, Registration(r))
		}
		out = append(out, shown)
	}
	return out
}

// Modules returns the names of the environment's modules.
func (w *World) Modules(name string) (modules []string) {
	w.at("Modules", name, func(s *server) {
		for _, m := range s.Modules {
			modules = append(modules, m.Name)
		}
	})
	return modules
}

// RemoveModule removes a module from the environment, if it is there.
func (w *World) RemoveModule(name, module string) {
	w.at("RemoveModule", name, func(s *server) {
		s.Modules = slices.DeleteFunc(s.Modules, func(m unit) bool { return m.Name == module })
	})
}

// Publishable returns the error with which a republish of the module would be
// refused now; nil if it would not. A lock of [World.LockModule] that it meets
// is used up, as by the republish itself. It is the first of the two steps of a
// publish; nothing is published.
func (w *World) Publishable(name, module string) (err error) {
	w.at("Publishable", name, func(s *server) { _, err = w.refuses(s, name, module) })
	return err
}

// A DeploymentState says what has become of a deployment.
type DeploymentState string

// The states of a deployment.
const (
	Running  DeploymentState = "running"
	Finished DeploymentState = "finished"
	Aborted  DeploymentState = "aborted"
)

// A Deployment is one that was started by [World.StartDeployment].
type Deployment struct {
	Name        string          `json:"name"` // deployment-1, deployment-2 …
	Environment string          `json:"environment"`
	Started     time.Time       `json:"started"`
	State       DeploymentState `json:"state"`
}

// Deployments returns all that were ever started, oldest first.
func (w *World) Deployments() []Deployment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.s.History)
}

// deployed writes down what has become of a deployment.
func (w *World) deployed(names []string, state DeploymentState) {
	for i := range w.s.History {
		if slices.Contains(names, w.s.History[i].Name) {
			w.s.History[i].State = state
		}
	}
}

// Unabortable says whether deployments to the environment have gone too far to
// be aborted (facts.md 2.2).
func (w *World) Unabortable(name string, on bool) {
	w.at("Unabortable", name, func(s *server) { s.Unabortable = on })
}

// AbortDeployments aborts the deployments to the environment that are running,
// as maintenance mode does (facts.md 2.3). It returns ErrBusy, and aborts
// nothing, when they cannot be aborted.
func (w *World) AbortDeployments(name string) (err error) {
	w.at("AbortDeployments", name, func(s *server) {
		switch {
		case len(s.Running) == 0:
		case s.Unabortable:
			err = refused(name, adapters.ErrBusy, "the running deployments cannot be aborted any more")
		default:
			w.deployed(s.Running, Aborted)
			s.Running = nil
			w.changed(Call{Method: "AbortDeployments", Environment: name}, license.ActivationCode{}, "")
		}
	})
	return err
}

// InstalledFile returns the license file that is really installed; the zero
// File if none is.
func (w *World) InstalledFile(name string) (file license.File) {
	w.at("InstalledFile", name, func(s *server) { file = s.Installed.File })
	return file
}
