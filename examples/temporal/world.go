package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/migration"
)

// ports is where your adapters go: it returns the ports through which the
// infrastructure of the plan is reached, for each part the adapter that fits:
//
//	return adapters.Set{
//		Portal: …, ServiceCenter: servicecenter.New(…), LifeTime: lifetime.New(…),
//		Vault: filevault.Open(…), Support: …, Operator: …,
//	}
//
// Here they are a simulated infrastructure in a file, which all workers that
// are given the same directory share. It is read before every call and kept
// before the call returns, as the real one remembers what was done to it: a
// worker may be killed at any moment.
func (w *workerVerb) ports(plan migration.Plan) (adapters.Set, error) {
	dir, err := w.place(plan)
	if err != nil {
		return adapters.Set{}, err
	}
	k := &keeper{dir: dir, world: fake.New(plan.Infrastructure, plan.Source, plan.Target), fatal: w.fatal}
	return fault.Wrap(k.world.Set(),
		fault.Always(fault.Match{}, fault.Before, fault.Cancel(func() { pause(w.pace); k.enter() })),
		fault.Always(fault.Match{}, fault.After, fault.Cancel(func() { k.leave(); pause(w.pace) })),
	), nil
}

// place returns the directory of an infrastructure, whatever its name has in it.
func (w *workerVerb) place(plan migration.Plan) (string, error) {
	sum := sha256.Sum256([]byte(plan.Infrastructure.Name))
	dir := filepath.Join(w.state, hex.EncodeToString(sum[:8]))
	return dir, os.MkdirAll(dir, 0o700)
}

// pause lets a simulated call take its time.
func pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	<-ctx.Done()
}

// A keeper has a simulated infrastructure in a file, world.json, which it reads
// and keeps under a lock.
type keeper struct {
	dir   string
	world *fake.World
	fatal func(error) // ends the process: nothing is answered that was not kept

	mu      sync.Mutex
	lock    *os.File
	changes int
}

func (k *keeper) file() string { return filepath.Join(k.dir, "world.json") }

func (k *keeper) enter() {
	k.mu.Lock()
	if err := k.read(); err != nil {
		k.fatal(fmt.Errorf("reading the simulated infrastructure: %w", err))
	}
}

func (k *keeper) read() (err error) {
	if k.lock, err = lockFile(filepath.Join(k.dir, "world.lock")); err != nil {
		return err
	}
	b, err := os.ReadFile(k.file())
	if errors.Is(err, fs.ErrNotExist) {
		return k.keep() // as fake.New has made it
	}
	if err == nil {
		err = k.world.Load(bytes.NewReader(b))
	}
	k.changes = len(k.world.Effects())
	return err
}

func (k *keeper) leave() {
	defer k.mu.Unlock()
	var err error
	if len(k.world.Effects()) != k.changes {
		err = k.keep()
	}
	if err = errors.Join(err, k.lock.Close()); err != nil {
		k.fatal(fmt.Errorf("keeping the simulated infrastructure: %w", err))
	}
}

func (k *keeper) keep() error {
	var b bytes.Buffer
	if err := k.world.Save(&b); err != nil {
		return err
	}
	if err := os.WriteFile(k.file()+".next", b.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(k.file()+".next", k.file())
}
