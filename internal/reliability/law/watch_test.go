package law_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/internal/reliability/simworld"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A run with everything that it takes, watched.
type run struct {
	plan  migration.Plan
	world *simworld.World
	store *journal.Memory
	watch *law.Watch
}

// newRun begins a run over two environments, in a world where nothing goes
// wrong but what the test does; with ipp, the first republish under a target
// license is refused in one of them.
func newRun(t testing.TB, profile string, ipp bool) *run {
	p := scene.Plan(profile, 2).Effective()
	w, err := law.NewWatch(p, law.Rules{})
	require.NoError(t, err)
	world := simworld.New(simworld.Options{Environments: p.Infrastructure.Environments, Seed: 1, Word: license.Unprotected, Marked: ipp, Window: law.Window})
	return &run{plan: p, world: world, store: new(journal.Memory), watch: w}
}

// open is a new process.
func (r *run) open(t testing.TB, store journal.Store, injectors ...*fault.Injector) *changeover.Changeover {
	r.watch.Revive()
	c, err := changeover.New(r.plan, r.watch.Set(fault.Wrap(r.world.Set(), injectors...)), r.watch.Store(store),
		&changeover.Options{Clock: r.watch.Clock(r.world.Clock()), Inline: true, User: "tester"})
	require.NoError(t, err)
	return c
}

func (r *run) lawful(t testing.TB, rep *report.Report, err error) {
	t.Helper()
	if err == nil {
		r.watch.Call(rep)
	}
	if bad := r.watch.Err(); bad != nil {
		t.Log(strings.Join(r.watch.Trace(), "\n"))
		require.NoError(t, bad)
	}
}

// resolve says of everything in doubt that it was not done.
func (r *run) resolve(t testing.TB, c *changeover.Changeover, rep *report.Report) {
	for _, env := range rep.Hold.Environments {
		_ = c.Resolve(t.Context(), env, migration.Resolution{By: "tester", Evidence: "looked", NotDone: true})
	}
}

// A run that keeps every promise breaks no law, whatever call fails and however
// often it is taken up again.
func TestNoLawIsBrokenWhateverCallFails(t *testing.T) {
	for _, profile := range migration.Profiles() {
		for _, ipp := range []bool{false, true} {
			for _, when := range []fault.When{fault.Before, fault.After} {
				t.Run(fmt.Sprintf("%s, refused %v, %s", profile.Name, ipp, when), func(t *testing.T) {
					t.Parallel()
					calls := 0
					for n := 0; ; n++ {
						r := newRun(t, profile.Name, ipp)
						injector := fault.OnIndex(n, when, errors.New("the line went dead"))
						rep, err := r.open(t, r.store, injector).Apply(t.Context())
						r.lawful(t, rep, err)
						if !injector.Hit() {
							break
						}
						calls++
						c := r.open(t, r.store)
						if err == nil && rep.Verdict == report.Held {
							r.resolve(t, c, rep)
						}
						rep, err = c.Resume(t.Context())
						r.lawful(t, rep, err)
						rep, err = c.RollBack(t.Context(), "tester", "to see")
						r.lawful(t, rep, err)
					}
					require.Greater(t, calls, 20)
				})
			}
		}
	}
}

// mortal dies at one append, before or after it is durable.
type mortal struct {
	*journal.Memory
	run   *run
	left  int
	after bool
	died  bool
}

var errDead = errors.New("the process is dead")

func (m *mortal) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if m.died {
		return errDead
	}
	if m.left--; m.left >= 0 {
		return m.Memory.Append(ctx, after, entries...)
	}
	m.died = true
	if m.after {
		_ = m.Memory.Append(ctx, after, entries...)
	}
	m.run.watch.Die()
	return errDead
}

func TestNoLawIsBrokenWhereverTheProcessDies(t *testing.T) {
	for _, ipp := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("refused %v, stored %v", ipp, after), func(t *testing.T) {
				t.Parallel()
				for n := 0; ; n++ {
					r := newRun(t, migration.RefreshAndMove, ipp)
					store := &mortal{Memory: r.store, run: r, left: n, after: after}
					rep, err := r.open(t, store).Apply(t.Context())
					if !store.died {
						r.lawful(t, rep, err)
						break
					}
					require.Error(t, err)
					c := r.open(t, r.store)
					rep, err = c.Resume(t.Context())
					if errors.Is(err, changeover.ErrNotBegun) {
						rep, err = c.Apply(t.Context())
					}
					require.NoError(t, err)
					r.lawful(t, rep, err)
					if rep.Verdict == report.Held {
						// A registration that was never sent looks like one that is on
						// its way: only a person may say so (OR3).
						require.Equal(t, journal.HoldInDoubt, rep.Hold.Kind)
						r.resolve(t, c, rep)
						rep, err = c.Resume(t.Context())
						require.NoError(t, err)
						r.lawful(t, rep, err)
					}
					want := report.Completed
					if ipp {
						want = report.RolledBack
					}
					require.Equal(t, want, rep.Verdict, "append %d", n)
				}
			})
		}
	}
}

// forgetful is a store that has lost or changed what it was given.
type forgetful struct{ entries []journal.Entry }

func (f *forgetful) Append(context.Context, uint64, ...journal.Entry) error { return nil }

func (f *forgetful) Read(context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, e := range f.entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func TestAWatchSeesWhatAJournalForgets(t *testing.T) {
	opened := func(epoch uint64) journal.Entry {
		return journal.Entry{Kind: journal.Opened, Epoch: epoch, Opened: &journal.Opening{}}
	}
	begun := journal.Entry{Kind: journal.Begun, Epoch: 1, Env: "Production"}
	for _, c := range []struct {
		name    string
		written []journal.Entry
		found   []journal.Entry
		breaks  law.Set
	}{
		{"all is there", []journal.Entry{opened(1), begun}, []journal.Entry{opened(1), begun}, 0},
		{"more is there than anybody was told", []journal.Entry{opened(1)}, []journal.Entry{opened(1), begun}, 0},
		{"an entry is lost", []journal.Entry{opened(1), begun}, []journal.Entry{opened(1)}, law.Of(law.JR6)},
		{"an entry is another one", []journal.Entry{opened(1), begun}, []journal.Entry{opened(1), {Kind: journal.Noted, Epoch: 1, Env: "Production"}}, law.Of(law.JR6)},
		{"two processes have one epoch", []journal.Entry{opened(1), opened(1)}, []journal.Entry{opened(1), opened(1)}, law.Of(law.CC2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := law.NewWatch(scene.Plan(migration.RefreshAndMove, 2), law.Rules{})
			require.NoError(t, err)
			store := w.Store(&forgetful{c.found})
			require.NoError(t, store.Append(t.Context(), 0, c.written...))
			for range store.Read(t.Context()) {
			}
			var found law.Set
			for _, v := range w.Violations() {
				found |= law.Of(v.Law)
			}
			require.Equal(t, c.breaks.String(), found.String())
		})
	}
}

func TestTwoReplaysOfOneJournalAreCompared(t *testing.T) {
	r := newRun(t, migration.RefreshAndMove, false)
	_, err := r.open(t, r.store).Apply(t.Context())
	require.NoError(t, err)
	require.Empty(t, law.Replayed(r.store.Read(t.Context()), r.store.Read(t.Context())))
	var entries []journal.Entry
	for e := range r.store.Read(t.Context()) {
		entries = append(entries, e)
	}
	last := slices.Clone(entries)
	last[len(last)-1].To = "Elsewhere"
	for name, other := range map[string][]journal.Entry{"shorter": entries[:len(entries)-1], "another state": last, "damaged": entries[1:]} {
		require.NotEmpty(t, law.Replayed(r.store.Read(t.Context()), (&forgetful{other}).Read(t.Context())), name)
	}
}
