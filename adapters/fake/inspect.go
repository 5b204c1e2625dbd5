package fake

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A Call is a call of a port that reached the world, whatever came of it. Port
// is the name of the interface in package adapters. Environment is empty where
// the call names none. A change made by hand has no Port.
type Call struct {
	Port        string `json:"port,omitempty"`
	Method      string `json:"method"`
	Environment string `json:"environment,omitempty"`
}

// String gives the call in a form like "ServiceCenter.UploadLicense in
// Production".
func (c Call) String() string {
	s := c.Method
	if c.Port != "" {
		s = c.Port + "." + s
	}
	if c.Environment != "" {
		s += " in " + printable.Text(c.Environment)
	}
	return s
}

// An Effect is something that was changed, by a call or by hand.
type Effect struct {
	Call
	Code   license.ActivationCode // of the license concerned; zero if none is
	Digest license.Digest         // of the file concerned; empty if none is
	At     time.Time              // in the world's time
}

// String gives the effect in a form like "ServiceCenter.UploadLicense in
// Production: ***.AOU #0a1b2c3d, sha256 0123456789ab".
func (e Effect) String() string {
	s := e.Call.String()
	if !e.Code.IsZero() {
		s += fmt.Sprintf(": %s", e.Code)
	}
	if e.Digest != "" {
		s += ", sha256 " + e.Digest.Short()
	}
	return s
}

// effect is an Effect as it is saved.
type effect struct {
	Call   Call           `json:"call"`
	Code   plainCode      `json:"code,omitzero"`
	Digest license.Digest `json:"digest,omitempty"`
	At     time.Time      `json:"at"`
}

// Err says what was asked of the world that it does not have: an environment or
// module that was named wrongly.
func (w *World) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.misuses...)
}

// Calls returns the calls of all ports, in the order in which they came. Calls
// whose context was done already are not among them.
func (w *World) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

// Effects returns everything that was changed, in order. A call that changed
// nothing, for example because it came again, is not among them.
func (w *World) Effects() []Effect {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]Effect, len(w.s.Effects))
	for i, e := range w.s.Effects {
		out[i] = Effect{e.Call, e.Code.ActivationCode, e.Digest, e.At}
	}
	return out
}

// Uploads returns those of [World.Effects] that installed a license through a
// port.
func (w *World) Uploads() []Effect {
	return slices.DeleteFunc(w.Effects(), func(e Effect) bool { return e.Method != "UploadLicense" })
}

// Installed returns what is really installed in the environment, whatever its
// licensing page shows.
func (w *World) Installed(name string) (in license.Installed) {
	w.at("Installed", name, func(s *server) { in = s.page(&s.Installed) })
	return in
}

// Published returns the published version of a module.
func (w *World) Published(name, module string) (version string) {
	w.atModule("Published", name, module, func(m *unit) { version = m.Version })
	return version
}

// Paused reports whether deployments to the environment are paused.
func (w *World) Paused(name string) (paused bool) {
	w.at("Paused", name, func(s *server) { paused = s.Paused })
	return paused
}

// Cases returns the support cases, in the order in which they were opened.
func (w *World) Cases() []adapters.Case {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]adapters.Case, len(w.s.Cases))
	for i, c := range w.s.Cases {
		out[i] = c.Case
	}
	return out
}

// Questions returns what the operator was asked, in order.
func (w *World) Questions() []adapters.Question {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]adapters.Question, len(w.asked))
	for i, q := range w.asked {
		out[i] = cloneQuestion(q)
	}
	return out
}
