package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/migration"
)

// An outside is everything around the run, reached over HTTPS or directly.
type outside struct {
	set       adapters.Set
	injectors []*fault.Injector
	url       string // of the simulation's pages, if it has any
	close     func() error
}

// Close ends the simulation.
func (o *outside) Close() error { return o.close() }

// kept is where the state directory keeps the outside between two runs of the
// program. It plays the part of the others' systems, so it holds the activation
// codes in clear.
func (o *options) kept(direct bool) string {
	if direct {
		return filepath.Join(o.state, "world")
	}
	return filepath.Join(o.state, "simulation")
}

func (o *options) outside(plan migration.Plan, world *fake.World, clock adapters.Clock) (*outside, error) {
	if o.fake {
		return o.direct(world)
	}
	return o.wired(plan, world, clock)
}

// wired serves the world over HTTPS and reaches it as a real one is reached.
func (o *options) wired(plan migration.Plan, world *fake.World, clock adapters.Clock) (*outside, error) {
	s, err := simulator.Start(world, &simulator.Options{Dir: o.kept(false), Scenario: simulator.Scenario{Faults: o.faults}})
	if err != nil {
		return nil, err
	}
	set, err := reach(s, plan, clock, s.Dial)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &outside{set: set, url: s.URL(), close: s.Close}, nil
}

// A dialer opens connections.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// reach puts the adapters together. Only where the simulation is, whom it
// trusts, and that somebody does a person's part tell it from a real one.
func reach(s *simulator.Simulator, plan migration.Plan, clock adapters.Clock, dial dialer) (adapters.Set, error) {
	person := s.Person() // reads the licensing page, and operates the vendor's portal
	center, err1 := servicecenter.New(plan.Infrastructure, servicecenter.Options{
		Credentials: func(context.Context, environment.Environment) (servicecenter.Credential, error) {
			return servicecenter.Credential{User: simulator.DefaultUser, Password: simulator.DefaultPassword}, nil
		},
		Page: person, TLS: s.TLS(), Dial: dial, Timeout: requestTimeout, Clock: clock, PublishTimeout: publishTimeout,
	})
	life, err2 := lifetime.New(plan.Infrastructure, lifetime.Options{
		Token:  func(context.Context) (string, error) { return simulator.DefaultToken, nil },
		Reason: "rehearsal", TLS: s.TLS(), Dial: dial, Timeout: requestTimeout,
	})
	set := s.World().Set() // its operator says yes
	set.Portal, set.Support, set.ServiceCenter, set.LifeTime = person, person, center, life
	return set, errors.Join(err1, err2)
}

// A simulation answers at once or never.
const (
	requestTimeout = 3 * time.Second
	publishTimeout = time.Minute // by the clock whose waits pass at once
)

// direct calls the world itself.
func (o *options) direct(world *fake.World) (*outside, error) {
	k := &keeper{world: world, file: filepath.Join(o.kept(true), "world.json")}
	if err := k.open(); err != nil {
		return nil, err
	}
	// The world remembers what was done to it before the run hears of it, as
	// the real one does: the program may be killed at any moment.
	keep := fault.Always(fault.Match{}, fault.After, fault.Cancel(k.save))
	return &outside{set: world.Set(), injectors: []*fault.Injector{keep}, close: func() error { return k.err }}, nil
}

// A keeper saves the world whenever something in it has changed.
type keeper struct {
	world *fake.World
	file  string

	mu    sync.Mutex
	saved bool
	known int // effects that were saved
	err   error
}

// open loads the world, or saves it for the first time.
func (k *keeper) open() error {
	f, err := os.Open(k.file)
	if err == nil {
		defer f.Close()
		return k.world.Load(f)
	}
	if errors.Is(err, os.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(k.file), 0o700); err == nil {
			k.save()
			err = k.err
		}
	}
	return err
}

func (k *keeper) save() {
	k.mu.Lock()
	defer k.mu.Unlock()
	effects := len(k.world.Effects())
	if k.saved && effects == k.known {
		return
	}
	k.saved, k.known = true, effects
	var b bytes.Buffer
	err := k.world.Save(&b)
	if err == nil {
		err = os.WriteFile(k.file+".next", b.Bytes(), 0o600)
	}
	if err == nil {
		err = os.Rename(k.file+".next", k.file)
	}
	k.err = errors.Join(k.err, err)
}
