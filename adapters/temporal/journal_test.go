package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// An opened journal breaks as a disk does: nothing can be appended until it is
// opened again.
type opened struct {
	kept
	append func(j kept, after uint64, entries []journal.Entry) error
	broken bool
}

func (o *opened) Append(_ context.Context, after uint64, entries ...journal.Entry) error {
	if o.broken {
		return journal.ErrClosed
	}
	err := o.append(o.kept, after, entries)
	o.broken = err != nil && !errors.Is(err, journal.ErrSeq)
	return err
}

// onAppend has f take the place of every append.
func (h *hosted) onAppend(f func(j kept, after uint64, entries []journal.Entry) error) {
	h.host.Journal = func(context.Context, migration.Plan) (Journal, error) { return &opened{kept: h.store, append: f}, nil }
}

func comparable(t *testing.T, store journal.Store) []string {
	t.Helper()
	got, err := parity.Comparable(valid(t, store))
	require.NoError(t, err)
	return got
}

var errDisk = errors.New("input/output error")

// Whatever part of an append has reached the disk when it breaks, the activity
// that comes again stores the rest, and the journal is the same.
func TestEveryAppendTorn(t *testing.T) {
	t.Parallel()
	p := small("torn")
	whole := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	var appends []int // how long each was
	whole.onAppend(func(j kept, after uint64, entries []journal.Entry) error {
		appends = append(appends, len(entries))
		return j.Append(context.Background(), after, entries...)
	})
	_, err := whole.execute(t, nil)
	require.NoError(t, err)
	want := comparable(t, whole.store)
	first := uint64(0)
	for _, long := range appends {
		for stored := range long + 1 {
			h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
			var struck atomic.Bool
			h.onAppend(func(j kept, after uint64, entries []journal.Entry) error {
				if after != first || struck.Swap(true) {
					return j.Append(context.Background(), after, entries...)
				}
				return errors.Join(j.Append(context.Background(), after, entries[:stored]...), errDisk)
			})
			got, err := h.execute(t, nil)
			at := fmt.Sprintf("%d of the %d entries after %d", stored, long, first)
			require.NoError(t, err, at)
			require.Equal(t, report.Completed, got.Verdict, at)
			requireSame(t, want, comparable(t, h.store), at)
			require.True(t, struck.Load(), at)
		}
		first += uint64(long)
	}
}

// A journal that cannot be written stops the run: nothing more is done, the
// status says why, and once it can be written the run goes on where the journal
// stands.
func TestEveryAppendFailsForGood(t *testing.T) {
	t.Parallel()
	p := small("broken disk")
	world := func() *fake.World { return fake.New(p.Infrastructure, p.Source, p.Target) }
	w := world()
	inProcess(t, p, w, new(journal.Memory))
	changed := effects(w)
	for _, stored := range []bool{false, true} {
		rested := 0
		for n := int64(0); ; n++ {
			at := fmt.Sprintf("append %d, stored: %v", n, stored)
			h := newHosted(t, p, world(), kept{new(journal.Memory)})
			var appends atomic.Int64
			var repaired, struck atomic.Bool
			h.onAppend(func(j kept, after uint64, entries []journal.Entry) error {
				if repaired.Load() || appends.Add(1) <= n {
					return j.Append(context.Background(), after, entries...)
				}
				if !struck.Swap(true) && stored {
					return errors.Join(j.Append(context.Background(), after, entries...), errDisk)
				}
				return errDisk
			})
			h.at(resting-time.Hour, func() {
				rested++
				s := h.status(t)
				require.Empty(t, s.Verb, at)
				require.Contains(t, s.Error, changeover.ErrJournal.Error(), at)
				require.Contains(t, s.Error, errDisk.Error(), at)
				repaired.Store(true)
			})
			h.attend(t, 4)
			got, err := h.execute(t, nil)
			if err != nil && n == 0 {
				require.ErrorContains(t, err, errDisk.Error())
				require.Empty(t, effects(h.world), at)
				repaired.Store(true)
				h.begin()
				got, err = h.execute(t, nil)
			}
			require.NoError(t, err, at)
			require.Equal(t, report.Completed, got.Verdict, at)
			require.Equal(t, changed, effects(h.world), at)
			valid(t, h.store)
			if !struck.Load() && n > 0 {
				break
			}
		}
		require.Greater(t, rested, 10)
	}
}

// A journal that another worker has open is waited for.
func TestTheJournalIsInUseForAWhile(t *testing.T) {
	p := small("locked")
	whole := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	_, err := whole.execute(t, nil)
	require.NoError(t, err)
	want := comparable(t, whole.store)
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	var opens atomic.Int64
	h.host.Journal = func(context.Context, migration.Plan) (Journal, error) {
		if opens.Add(1)%4 != 0 { // three times of four
			return nil, journal.ErrLocked
		}
		return h.store, nil
	}
	got, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Equal(t, report.Completed, got.Verdict)
	requireSame(t, want, comparable(t, h.store))
}

// A journal of some megabytes, begun in process, is read in pages that each fit
// into an answer.
func TestALongJournalIsReadInPages(t *testing.T) {
	const most = 2 << 20 // that a payload may have
	p := small("pages")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	refuses(p, w)
	store := kept{new(journal.Memory)}
	_, rep := inProcess(t, p, w, store)
	require.Equal(t, report.Held, rep.Verdict)
	last := uint64(len(entriesOf(t, store)))
	record, err := journal.Replay(store.Read(t.Context()))
	require.NoError(t, err)
	at, _ := record.Standing("Production")
	for i := range uint64(60) { // what somebody has noted, over and over
		require.NoError(t, store.Append(t.Context(), last+i, journal.Entry{
			Seq: last + i + 1, Epoch: 1, Kind: journal.Noted, Env: "Production", Table: at.Table, Leg: at.Leg, State: at.State, Facts: at.Facts,
			Testimony: []journal.Testimony{{By: "ada", Text: strings.Repeat("seen ", 20_000)}},
		}))
	}
	w.Answer(nil)
	h := newHosted(t, p, w, store)
	var largest atomic.Int64
	h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
		a, err := do()
		text, _ := json.Marshal(a)
		if int64(len(text)) > largest.Load() {
			largest.Store(int64(len(text)))
		}
		return a, err
	}
	got, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Equal(t, report.Completed, got.Verdict)
	require.Less(t, largest.Load(), int64(most))
	pages := 0
	for _, method := range h.methods() {
		if method == "ReadJournal" {
			pages++
		}
	}
	require.Greater(t, pages, 5)
	require.Len(t, valid(t, store), int(got.Entries))
}

// refuses has the operator say no.
func refuses(_ migration.Plan, w *fake.World) {
	w.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
}

// A run goes from one host to the other at rest, over the real store.
func TestARunIsTakenOver(t *testing.T) {
	setup := func(t *testing.T, name string) (*hosted, *fake.World, migration.Plan, func() *filejournal.Store) {
		p := small(name)
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		refuses(p, w)
		dir := filepath.Join(t.TempDir(), "state")
		open := func() *filejournal.Store {
			s, err := filejournal.Open(dir, nil)
			require.NoError(t, err)
			return s
		}
		h := newHosted(t, p, w, kept{})
		h.host.Journal = func(context.Context, migration.Plan) (Journal, error) { return filejournal.Open(dir, nil) }
		return h, w, p, open
	}
	t.Run("begun in process, ended by a workflow", func(t *testing.T) {
		h, w, p, open := setup(t, "there")
		s := open()
		_, rep := inProcess(t, p, w, s)
		require.Equal(t, report.Held, rep.Verdict)
		require.NoError(t, s.Close())
		w.Answer(nil)
		got, err := h.execute(t, nil)
		require.NoError(t, err)
		require.Equal(t, report.Completed, got.Verdict)
		require.Equal(t, rep.Run, got.Run)
		s = open()
		require.Len(t, valid(t, s), int(got.Entries))
		require.NoError(t, s.Close())
	})
	t.Run("begun by a workflow, ended in process", func(t *testing.T) {
		h, w, p, open := setup(t, "back")
		h.at(resting, h.env.CancelWorkflow)
		_, err := h.execute(t, nil)
		require.Error(t, err)
		w.Answer(nil)
		s := open()
		c, err := changeover.New(p, w.Set(), s, &changeover.Options{Clock: new(fake.Clock)})
		require.NoError(t, err)
		rep, err := c.Resume(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Completed, rep.Verdict)
		require.NoError(t, c.Verify(t.Context()))
		require.NoError(t, s.Close())
	})
}

// A journal that is not this run's, or not whole, is refused, and nothing is
// changed.
func TestAJournalIsRefused(t *testing.T) {
	p := small("refused")
	begun := func(t *testing.T, p migration.Plan, opts *changeover.Options) kept {
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		refuses(p, w)
		store := kept{new(journal.Memory)}
		opts.Clock = new(fake.Clock)
		c, err := changeover.New(p, w.Set(), store, opts)
		require.NoError(t, err)
		rep, err := c.Apply(t.Context())
		require.NoError(t, err)
		require.Equal(t, report.Held, rep.Verdict)
		return store
	}
	other := p
	other.Module = fake.CustomerModule
	for _, tc := range []struct {
		name  string
		store func(t *testing.T) kept
		open  func(kept) Journal // nil: the store
		want  error
	}{
		{name: "of another plan", store: func(t *testing.T) kept { return begun(t, other, new(changeover.Options)) }, want: journal.ErrForeign},
		{name: "of another definition", store: func(t *testing.T) kept {
			return begun(t, p, &changeover.Options{Extend: extended})
		}, want: changeover.ErrDefinition},
		{name: "damaged", store: func(t *testing.T) kept { return begun(t, p, new(changeover.Options)) },
			open: func(k kept) Journal { return damaged{k} }, want: journal.ErrCorrupt},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := tc.store(t)
			before := entriesOf(t, store)
			w := fake.New(p.Infrastructure, p.Source, p.Target)
			h := newHosted(t, p, w, store)
			if tc.open != nil {
				h.host.Journal = func(context.Context, migration.Plan) (Journal, error) { return tc.open(store), nil }
			}
			said := ""
			h.at(resting, func() { said = h.status(t).Error })
			h.at(2*resting, h.env.CancelWorkflow)
			_, err := h.execute(t, nil)
			require.Error(t, err)
			require.Contains(t, said+err.Error(), tc.want.Error())
			require.Empty(t, w.Effects())
			require.Equal(t, before, entriesOf(t, store))
		})
	}
}

// extended repeats fewer things: tables of another version.
func extended(_ migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts] {
	t.Effects = slices.Clone(t.Effects)
	t.Effects[0].Retry.On = t.Effects[0].Retry.On[1:]
	return t
}

// A damaged journal ends in the middle of a line.
type damaged struct{ kept }

func (d damaged) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for e, err := range d.kept.Read(ctx) {
			if !yield(e, err) {
				return
			}
			break
		}
		yield(journal.Entry{}, fmt.Errorf("line 2: %w", journal.ErrCorrupt))
	}
}

// More than one activity may carry is appended in several, in order; what the
// last of them has left behind is found in the real journal.
func TestALongAppendGoesInPages(t *testing.T) {
	const n = 9
	entries := make([]journal.Entry, n)
	for i := range entries {
		entries[i] = journal.Entry{Seq: uint64(i + 1), Epoch: 1, Kind: journal.Noted, Env: "Production", Text: strings.Repeat("x", pageBytes*2/5)}
		if i == 6 {
			entries[i].Text = strings.Repeat("y", journal.MaxEntry-1000) // alone too large for a page
		}
	}
	for broken := range 6 {
		t.Run(fmt.Sprintf("the disk breaks at append %d", broken), func(t *testing.T) {
			p := small("long")
			h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
			appends := 0
			h.onAppend(func(j kept, after uint64, entries []journal.Entry) error {
				size := 0
				for _, e := range entries {
					n, err := sizeOf(e)
					require.NoError(t, err)
					size += n
				}
				require.True(t, size <= pageBytes || len(entries) == 1, "%d entries of %d bytes", len(entries), size)
				if appends++; appends > broken {
					return errors.Join(j.Append(context.Background(), after, entries[:len(entries)/2]...), errDisk)
				}
				return j.Append(context.Background(), after, entries...)
			})
			h.env.RegisterWorkflowWithOptions(func(w workflow.Context) error {
				ctx := within(context.Background(), w)
				text, err := encodePlan(p)
				require.NoError(t, err)
				s := &store{caller: &caller{plan: p, digest: p.Digest(), text: string(text), heartbeat: time.Minute, patience: time.Second}}
				err = s.Append(ctx, 0, entries...)
				if broken < 5 {
					require.ErrorContains(t, err, errDisk.Error())
					require.True(t, s.behind)
				} else {
					require.NoError(t, err)
				}
				require.NoError(t, s.catchUp(ctx))
				require.Equal(t, entriesOf(t, h.store), entriesOf(t, &s.memory))
				require.Equal(t, len(entriesOf(t, h.store)), int(s.last))
				return nil
			}, workflow.RegisterOptions{Name: "append"})
			h.env.ExecuteWorkflow("append")
			require.NoError(t, h.env.GetWorkflowError())
			got := entriesOf(t, h.store)
			require.Equal(t, entries[:len(got)], got)
			if broken == 5 {
				require.Len(t, got, n)
			}
		})
	}
}
