package fake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A World is an infrastructure and everything around it that the procedures
// touch. The zero value is an empty world and ready to use. It is safe for
// concurrent use and must not be copied.
type World struct {
	// Now tells the time for dates that the world writes down and for licenses
	// that expire. nil means a clock of its own, which begins at [Start] and
	// advances by one second with every change. Set it before the first call;
	// it must not call the world.
	Now func() time.Time

	mu      sync.Mutex
	s       state
	calls   []Call
	asked   []adapters.Question
	answer  func(adapters.Question) (adapters.Answer, error)
	misuses []error
}

// state is everything that [World.Save] keeps.
type state struct {
	Organization string       `json:"organization,omitempty"`
	Source       plainCode    `json:"source,omitzero"`
	Target       plainCode    `json:"target,omitzero"`
	Servers      []server     `json:"environments,omitempty"`
	Accounts     []account    `json:"accounts,omitempty"`
	Backups      []backup     `json:"backups,omitempty"`
	Cases        []openCase   `json:"cases,omitempty"`
	Effects      []effect     `json:"effects,omitempty"`
	Ticks        int          `json:"ticks,omitempty"`       // seconds of the world's own clock
	Deployments  int          `json:"deployments,omitempty"` // that were ever started
	History      []Deployment `json:"history,omitempty"`     // of deployments
	Downloads    int          `json:"downloads,omitempty"`   // that were given a salt
	Distinct     bool         `json:"distinct,omitempty"`    // downloads differ in their bytes
	Opaque       bool         `json:"opaque,omitempty"`      // licenses can be read by Service Center only
}

// Start is the date at which the clocks of this package begin: Monday, 5
// January 2026, 08:00 UTC.
func Start() time.Time { return time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC) }

// New returns a world in which the infrastructure lives under source and is
// ready to move to target:
//
//   - every environment has its serial number, which is registered under
//     source, and runs on an older source license that shows Protected;
//   - the source license that the portal issues now is the refreshed one, which
//     shows Ignore;
//   - under target nothing is registered, but there is a free slot for every
//     environment, and the licenses will show Unprotected;
//   - every environment has the modules [TestModule] and [CustomerModule],
//     published in version 1 and without mark;
//   - LifeTime controls all environments but itself, and nothing is paused.
func New(inf environment.Infrastructure, source, target license.ActivationCode) *World {
	w := &World{s: state{Organization: inf.Name, Source: plainCode{source}, Target: plainCode{target}}}
	for _, env := range inf.Environments {
		w.AddEnvironment(env)
	}
	return w
}

// The modules that every environment has.
const (
	TestModule     = "ECT_Provider"   // the platform's own, which the procedure names as an example
	CustomerModule = "CustomerPortal" // of the infrastructure's owner
)

// Set returns the ports. All of them look at the one world; the ServiceCenter
// is an [adapters.LicenseBackuper] too.
func (w *World) Set() adapters.Set {
	return adapters.Set{
		Portal:        portal{facet{w}},
		ServiceCenter: serviceCenter{facet{w}},
		LifeTime:      lifeTime{facet{w}},
		Vault:         vault{facet{w}},
		Support:       supportDesk{facet{w}},
		Operator:      operator{facet{w}},
	}
}

// facet is a view of the world through one port.
type facet struct{ w *World }

// Describe implements [adapters.Describer].
func (facet) Describe() string { return "simulated world" }

// call carries out one call of a port: nothing happens when ctx is done or when
// the world was misused; otherwise the call is counted and do has the world to
// itself.
func (f facet) call(ctx context.Context, c Call, do func(w *World) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	f.w.calls = append(f.w.calls, c)
	if err := errors.Join(f.w.misuses...); err != nil {
		return err
	}
	return do(f.w)
}

// now tells the world's time.
func (w *World) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return Start().Add(time.Duration(w.s.Ticks) * time.Second)
}

// changed writes down that a call, or a person, has changed something.
func (w *World) changed(c Call, code license.ActivationCode, digest license.Digest) {
	w.s.Ticks++
	w.s.Effects = append(w.s.Effects, effect{Call: c, Code: plainCode{code}, Digest: digest, At: w.now()})
}

// misused writes down that a method was called for something that does not
// exist.
func (w *World) misused(method, what, name string) {
	w.misuses = append(w.misuses, fmt.Errorf("fake: %s: there is no %s %q", method, what, printable.Text(name)))
}

// refused says where and why something was not done; details may be empty.
func refused(where string, condition *adapters.Condition, details string) error {
	if details == "" {
		return fmt.Errorf("%s: %w", printable.Text(where), condition)
	}
	return fmt.Errorf("%s: %w: %s", printable.Text(where), condition, printable.Text(details))
}
