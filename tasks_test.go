package changeover_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// turns are the tasks of a host that lets one of them go on at a time, and
// chooses the next by a seed. They hand over in ports, stores, clocks and Wait;
// whoever holds a lock meanwhile that another one wants stops everything.
type turns struct {
	rng   *rand.Rand
	tasks []*turn // that wait
	now   *turn   // that goes on
	all   sync.WaitGroup
}

type turn struct {
	ready func() bool
	go_   chan struct{}
}

func newTurns(seed uint64) *turns {
	return &turns{rng: rand.New(rand.NewPCG(seed, 7)), now: newTurn(nil)}
}

func newTurn(ready func() bool) *turn { return &turn{ready: ready, go_: make(chan struct{}, 1)} }

func (t *turns) Go(ctx context.Context, f func(context.Context)) {
	one := newTurn(nil)
	t.tasks = append(t.tasks, one)
	t.all.Go(func() {
		<-one.go_
		f(ctx)
		t.pass()
	})
}

// pass lets another one go on that can.
func (t *turns) pass() {
	able := slices.Collect(func(yield func(*turn) bool) {
		for _, one := range t.tasks {
			if (one.ready == nil || one.ready()) && !yield(one) {
				return
			}
		}
	})
	if len(able) == 0 {
		panic(fmt.Sprintf("%d tasks wait for each other", len(t.tasks)))
	}
	t.now = able[t.rng.IntN(len(able))]
	t.tasks = slices.DeleteFunc(t.tasks, func(one *turn) bool { return one == t.now })
	t.now.go_ <- struct{}{}
}

func (t *turns) Wait(_ context.Context, ready func() bool) {
	me := t.now
	me.ready = ready
	t.tasks = append(t.tasks, me)
	t.pass()
	<-me.go_
	me.ready = nil
}

func (t *turns) yield(ctx context.Context) { t.Wait(ctx, func() bool { return true }) }

func (t *turns) WithTimeout(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// Everything that takes time lets others go on.
type (
	turnedConsole struct {
		adapters.ServiceCenter
		adapters.LicenseBackuper
		*turns
	}
	turnedLifeTime struct {
		adapters.LifeTime
		*turns
	}
	turnedStore struct {
		*journal.Memory
		*turns
		busy bool
		over int // appends that began before another had ended
	}
	turnedClock struct {
		adapters.Clock
		*turns
	}
)

func (c turnedConsole) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	c.yield(ctx)
	return c.ServiceCenter.InstalledLicense(ctx, env)
}

func (c turnedConsole) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	c.yield(ctx)
	defer c.yield(ctx)
	return c.ServiceCenter.UploadLicense(ctx, env, file)
}

func (c turnedConsole) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	c.yield(ctx)
	defer c.yield(ctx)
	return c.ServiceCenter.RepublishModule(ctx, env, module)
}

func (l turnedLifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	l.yield(ctx)
	return l.LifeTime.Registered(ctx)
}

func (s *turnedStore) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if s.busy {
		s.over++
	}
	s.busy = true
	s.yield(ctx)
	s.yield(ctx)
	s.busy = false
	return s.Memory.Append(ctx, after, entries...)
}

func (c turnedClock) Sleep(ctx context.Context, d time.Duration) error {
	c.yield(ctx)
	return c.Clock.Sleep(ctx, d)
}

// turned gives the stage a host that takes turns.
func (s *stage) turned(t *testing.T, host *turns) (*changeover.Changeover, *turnedStore) {
	set := s.world.Set()
	set.ServiceCenter = turnedConsole{set.ServiceCenter, set.ServiceCenter.(adapters.LicenseBackuper), host}
	set.LifeTime = turnedLifeTime{set.LifeTime, host}
	store := &turnedStore{Memory: s.store, turns: host}
	c, err := changeover.New(s.plan, set, store, &changeover.Options{Clock: turnedClock{s.clock, host}, Tasks: host, User: "tester"})
	require.NoError(t, err)
	return c, store
}

// ofEach is what a journal says of each environment, in order, but for times.
func ofEach(entries []journal.Entry) map[string][]string {
	all := map[string][]string{}
	for _, e := range entries {
		if e.Kind == journal.Opened {
			continue
		}
		all[e.Env] = append(all[e.Env], fmt.Sprint(e.Kind, e.State, e.Effect, e.Trigger, e.To, e.ID, e.Attempt, e.Condition))
	}
	return all
}

func TestAHostMayBringItsOwnTasks(t *testing.T) {
	for _, profile := range []string{migration.RefreshAndMove, migration.AsWritten, migration.Published} {
		plain := newStage(t, profile)
		_, err := plain.changeover(t).Apply(t.Context())
		require.NoError(t, err)
		want := ofEach(plain.entries(t))
		for seed := range uint64(40) {
			t.Run(fmt.Sprintf("%s, seed %d", profile, seed), func(t *testing.T) {
				s, host := newStage(t, profile), newTurns(seed)
				c, store := s.turned(t, host)
				r, err := c.Apply(t.Context())
				require.NoError(t, err)
				require.Equal(t, report.Completed, r.Verdict)
				require.Equal(t, want, ofEach(s.entries(t)))
				require.Zero(t, store.over, "two appends went on at once")
				require.Empty(t, host.tasks)
				host.all.Wait()
			})
		}
	}
}

func TestAHostThatBringsItsTasksMayHoldTheRun(t *testing.T) {
	held := 0
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			s, host := newStage(t, migration.RefreshAndMove), newTurns(seed)
			c, store := s.turned(t, host)
			begun, done := false, false
			host.Go(t.Context(), func(ctx context.Context) {
				after := 1 + int(seed)*2
				host.Wait(ctx, func() bool { return done || len(s.entries(t)) > after })
				if !done {
					begun = true
					require.NoError(t, c.Hold(ctx, journal.Infrastructure, "ada", "a look"))
				}
				done = true
			})
			r, err := c.Apply(t.Context())
			require.NoError(t, err)
			over := done
			done = true
			host.Wait(t.Context(), func() bool { return len(host.tasks) == 1 }) // this one
			require.Zero(t, store.over, "two appends went on at once")
			if begun && over && r.Verdict == report.Held {
				held++
				require.Equal(t, journal.HoldOperator, r.Hold.Kind)
				require.NoError(t, c.Release(t.Context(), journal.Infrastructure, "ada", "looked"))
				r, err = c.Resume(t.Context())
				require.NoError(t, err)
			}
			if r.Verdict == report.Held { // the hold came with the last append
				require.NoError(t, c.Release(t.Context(), journal.Infrastructure, "ada", "looked"))
				r, err = c.Resume(t.Context())
				require.NoError(t, err)
			}
			require.Equal(t, report.Completed, r.Verdict)
		})
	}
	require.Greater(t, held, 30)
}

// forgetful loses the bytes of the first file that it is given.
type forgetful struct {
	adapters.BackupVault
	lost *int
}

func (f forgetful) Put(ctx context.Context, l adapters.Label, file license.File) (adapters.Stored, error) {
	if *f.lost == 0 {
		*f.lost++
		return adapters.Stored{}, fmt.Errorf("%w: %w", adapters.ErrNotReached, license.ErrGone)
	}
	return f.BackupVault.Put(ctx, l, file)
}

func TestAFileWhoseBytesAreGoneIsFetchedAgain(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	set, lost := s.world.Set(), 0
	set.Vault = forgetful{set.Vault, &lost}
	c, err := changeover.New(s.plan, set, s.store, &changeover.Options{Clock: s.clock, Inline: true})
	require.NoError(t, err)
	r, err := c.Apply(t.Context())
	require.NoError(t, err)
	require.Equal(t, report.Completed, r.Verdict)
	require.Equal(t, 1, lost)
	fetched := 0
	for _, call := range s.world.Calls() {
		if call.Method == "FetchLicense" {
			fetched++
		}
	}
	require.Equal(t, 2*len(s.names())+1, fetched, "both legs of every environment, and one again")
}

func TestTheDefinitionKnowsTheTiming(t *testing.T) {
	definition := func(extend func(migration.Leg, machine.Table[environment.Facts]) machine.Table[environment.Facts]) string {
		s := newStage(t, migration.RefreshAndMove)
		c, err := changeover.New(s.plan, s.world.Set(), s.store, &changeover.Options{Extend: extend})
		require.NoError(t, err)
		require.Equal(t, c.Definition(), c.Definition())
		return c.Definition()
	}
	first := definition(nil)
	require.Equal(t, first, definition(nil))
	for name, change := range map[string]func(*machine.Effect){
		"timeout":  func(e *machine.Effect) { e.Timeout++ },
		"attempts": func(e *machine.Effect) { e.Retry.Attempts++ },
		"settle":   func(e *machine.Effect) { e.Settle.Reads++ },
	} {
		require.NotEqual(t, first, definition(func(leg migration.Leg, table machine.Table[environment.Facts]) machine.Table[environment.Facts] {
			if leg.Name != "move" {
				return table
			}
			for _, e := range table.Effects {
				if e.Name == "upload" {
					change(&e)
					table = table.Replace(e)
				}
			}
			return table
		}), name)
	}
}
