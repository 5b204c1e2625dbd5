package simulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

// accounts are the credentials that the simulation accepts.
type accounts struct{ user, password, token string }

// platform is everything that a call can change: the world, and what the
// servers remember of it.
type platform struct {
	world *fake.World
	m     *memory
	accounts
	hideOffline bool // LifeTime leaves IsOffline out
}

// memory is what the simulated servers remember besides the world. All of it
// survives a restart.
type memory struct {
	Publications []publication  `json:"publications,omitempty"`
	Faults       []Fault        `json:"faults,omitempty"`  // that are still to come
	Pending      []pending      `json:"pending,omitempty"` // calls that take effect later
	Flips        map[string]int `json:"flips,omitempty"`   // readings of the flapping page of each environment
	Origins      []origin       `json:"origins,omitempty"` // of modules that belong to somebody else
}

// origin is the text with which a module that belongs to somebody else is
// refused; empty: the world's.
type origin struct {
	Environment string `json:"environment"`
	Module      string `json:"module"`
	Text        string `json:"text,omitempty"`
}

// copy returns a platform just like it, for what is to happen to nothing.
func (p platform) copy() (platform, error) {
	var b bytes.Buffer
	if err := p.world.Save(&b); err != nil {
		return p, err
	}
	w := new(fake.World)
	if err := w.Load(&b); err != nil {
		return p, err
	}
	w.Now = p.world.Now
	m := *p.m
	m.Publications = nil
	for _, pub := range p.m.Publications {
		m.Publications = append(m.Publications, pub.copy())
	}
	p.world, p.m = w, &m
	return p, nil
}

// known reports whether these are the credentials of the one account.
func (a accounts) known(user, password string) bool {
	return same(user, a.user) && same(password, a.password)
}

func same(given, want string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

// signedIn reports whether a call has those of Basic authentication.
func (a accounts) signedIn(c call) bool {
	user, password, ok := c.basic()
	return ok && a.known(user, password)
}

// environment returns the environment of that name.
func (p platform) environment(name string) environment.Environment {
	env, _ := p.world.Infrastructure().Environment(name)
	return env
}

// key is the key of something with a name, in the form of a GUID.
func key(kind, name string) string {
	h := sha256.Sum256([]byte("changeover simulation\x00" + kind + "\x00" + name))
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// said is the text with which the world refuses something, without the
// condition in front of it, which no real server knows.
func said(where string, err error) string {
	text := err.Error()
	if c := adapters.ConditionOf(err); c != nil {
		text = strings.TrimPrefix(text, printable.Text(where)+": "+c.Error())
		text = strings.TrimPrefix(text, ": ")
		if text == "" {
			text = c.Error()
		}
	}
	return text
}

// served is a route that was found: which operation, on which environment, and
// what it does.
type served struct {
	op   string // one of Operations; empty: not among them
	env  string // name of the environment concerned; may be empty
	does func(ctx context.Context, p platform) answer
}
