package journaltest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

func TestMemoryPasses(t *testing.T) {
	TestStore(t, func(t *testing.T) Harness { return Harness{Store: new(journal.Memory)} })
}

func TestTheReferenceStorePasses(t *testing.T) {
	TestStore(t, func(t *testing.T) Harness { return newDisk(nil).harness() })
}

// TestEveryClauseCanFail runs the whole suite against stores that break one
// sentence each, and wants exactly that clause to fail.
func TestEveryClauseCanFail(t *testing.T) {
	type wrongly struct {
		clause string
		store  string // what is wrong with it
		wrap   func(*open) journal.Store
		spoil  func(*Harness, *disk)
	}
	wrong := []wrongly{
		{clause: "a new store is empty", store: "greets", wrap: read(func(all []journal.Entry) []journal.Entry {
			if len(all) == 0 {
				return plain(1, 1)
			}
			return all
		})},
		{clause: "an entry comes back in every field", store: "rounds times to microseconds", wrap: read(each(func(e *journal.Entry) {
			if e.By != "" {
				e.Time = e.Time.Truncate(time.Microsecond)
			}
		}))},
		{clause: "a batch keeps its order", store: "sorts batches backwards", wrap: read(func(all []journal.Entry) []journal.Entry {
			if len(all) == 6 {
				slices.Reverse(all[:4])
			}
			return all
		})},
		{clause: "another last entry is refused", store: "accepts an entry from the future", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if after > s.last() && len(entries) > 0 {
				return nil
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "another last entry is refused", store: "gives up after ErrSeq", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, append: func(ctx context.Context, after uint64, entries []journal.Entry) error {
				if after == 0 && s.last() == 2 {
					s.close()
				}
				return s.append(ctx, after, entries)
			}}
		}},
		{clause: "a gap in a batch is refused whole", store: "looks at the first entry of a batch only", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if len(entries) > 1 && entries[0].Seq == after+1 {
				s.force(entries)
				return nil
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "a gap in a batch is refused whole", store: "stores the good beginning of a bad batch", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			err := s.append(ctx, after, entries)
			if errors.Is(err, journal.ErrSeq) && len(entries) > 1 && entries[0].Seq == s.last()+1 {
				s.force(entries[:1])
			}
			return err
		})},
		{clause: "no entries are no change", store: "refuses an empty batch", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if len(entries) == 0 {
				return errors.New("nothing to append")
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "no entries are no change", store: "does not look at after in an empty batch", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if len(entries) == 0 {
				return nil
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "a large entry is stored whole", store: "cuts text", wrap: read(each(func(e *journal.Entry) {
			if n := len(encode(*e)); n > 1<<16 && n <= journal.MaxEntry {
				e.Text = e.Text[:1<<16]
			}
		}))},
		{clause: "a larger entry is refused or stored whole", store: "cuts what is too large", wrap: read(each(func(e *journal.Entry) {
			if len(encode(*e)) > journal.MaxEntry {
				e.Text = e.Text[:1<<16]
			}
		}))},
		{clause: "a larger entry is refused or stored whole", store: "stores what stands before the large entry", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			for i, e := range entries {
				if len(e.Text) > journal.MaxEntry/2 && len(encode(e)) > journal.MaxEntry {
					s.force(entries[:i])
					return journal.ErrTooLarge
				}
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "what a caller changes afterwards is not stored", store: "keeps the caller's hold", wrap: func(s *open) journal.Store {
			holds := map[uint64]*journal.Hold{}
			return &wrongStore{
				open: s,
				append: func(ctx context.Context, after uint64, entries []journal.Entry) error {
					for _, e := range entries {
						if e.Hold != nil {
							holds[e.Seq] = e.Hold
						}
					}
					return s.append(ctx, after, entries)
				},
				read: func(all []journal.Entry) []journal.Entry {
					for i, e := range all {
						if hold := holds[e.Seq]; hold != nil {
							all[i].Hold = hold
						}
					}
					return all
				},
			}
		}},
		{clause: "what a caller changes afterwards is not stored", store: "hands out its own opening", wrap: func(s *open) journal.Store {
			var own *journal.Opening
			return &wrongStore{open: s, read: func(all []journal.Entry) []journal.Entry {
				if len(all) > 0 && all[0].Opened != nil {
					if own == nil {
						own = all[0].Opened
					}
					all[0].Opened = own
				}
				return all
			}}
		}},
		{clause: "a reader may stop early", store: "goes on calling", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
				all(func(e journal.Entry, err error) bool {
					yield(e, err)
					return true
				})
			}}
		}},
		{clause: "appending goes on while somebody reads", store: "blocks appends while it is read", wrap: func(s *open) journal.Store {
			token := make(chan struct{}, 1)
			return &wrongStore{
				open: s,
				append: func(ctx context.Context, after uint64, entries []journal.Entry) error {
					token <- struct{}{}
					defer func() { <-token }()
					return s.append(ctx, after, entries)
				},
				drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
					token <- struct{}{}
					defer func() { <-token }()
					all(yield)
				},
			}
		}},
		{clause: "appending goes on while somebody reads", store: "ends a reading when something is appended", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
				began := s.last()
				all(func(e journal.Entry, err error) bool { return s.last() == began && yield(e, err) })
			}}
		}},
		{clause: "one of many appenders wins", store: "checks, and then stores", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, append: func(ctx context.Context, after uint64, entries []journal.Entry) error {
				if err := ctx.Err(); err != nil || len(entries) == 0 {
					return s.append(ctx, after, entries)
				}
				if s.closed.Load() {
					return journal.ErrClosed
				}
				if err := journal.CheckSeq(s.last(), after, entries); err != nil {
					return err
				}
				<-time.After(1) // in a bubble: until everybody has checked
				s.force(entries)
				return nil
			}}
		}},
		{clause: "a canceled append stores nothing", store: "pays no heed to the context", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			return s.append(context.WithoutCancel(ctx), after, entries)
		})},
		{clause: "a canceled append stores nothing", store: "stores all the same", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if err := s.append(context.WithoutCancel(ctx), after, entries); err != nil {
				return err
			}
			return ctx.Err()
		})},
		{clause: "a canceled read is not a short journal", store: "simply ends", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
				all(func(e journal.Entry, err error) bool { return !errors.Is(err, context.Canceled) && yield(e, err) })
			}}
		}},
		{clause: "entries outlive the store", store: "loses the last entry", spoil: func(h *Harness, d *disk) {
			reopen := h.Reopen
			h.Reopen = func() (journal.Store, error) {
				d.entries = d.entries[:len(d.entries)-1]
				return reopen()
			}
		}},
		{clause: "entries outlive the store", store: "cannot be appended to again", spoil: func(h *Harness, d *disk) {
			reopen := h.Reopen
			h.Reopen = func() (journal.Store, error) {
				s, err := reopen()
				return &wrongStore{open: s.(*open), append: func(context.Context, uint64, []journal.Entry) error { return journal.ErrSeq }}, err
			}
		}},
		{clause: "a second opener is refused", store: "lets everybody in", spoil: func(h *Harness, d *disk) {
			h.OpenSecond = func() (journal.Store, error) { return &open{disk: d}, nil }
		}},
		{clause: "a second opener is refused", store: "throws the first one out", spoil: func(h *Harness, d *disk) {
			second, first := h.OpenSecond, h.Store.(*open)
			h.OpenSecond = func() (journal.Store, error) {
				s, err := second()
				if err != nil {
					first.closed.Store(true)
				}
				return s, err
			}
		}},
		{clause: "closing lets the next one in", store: "keeps its lock for ever", spoil: func(h *Harness, d *disk) {
			h.OpenSecond = func() (journal.Store, error) { return nil, journal.ErrLocked }
		}},
		{clause: "a closed store says so", store: "can be appended to after Close", wrap: appending(func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error {
			if s.closed.Load() {
				s.force(entries)
				return nil
			}
			return s.append(ctx, after, entries)
		})},
		{clause: "a closed store says so", store: "is empty after Close", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
				if !s.closed.Load() {
					all(yield)
				}
			}}
		}},
		{clause: "a changed entry is found", store: "believes what it finds", spoil: func(h *Harness, d *disk) {
			h.Damage = func(seq uint64) error {
				d.entries[seq-1].Text = "changed"
				return nil
			}
		}},
		{clause: "a changed entry is found", store: "passes over what is damaged", wrap: func(s *open) journal.Store {
			return &wrongStore{open: s, drive: func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool) {
				all(func(e journal.Entry, err error) bool { return errors.Is(err, journal.ErrCorrupt) || yield(e, err) })
			}}
		}},
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[journal.Entry]()) {
		wrong = append(wrong, wrongly{clause: "an entry comes back in every field", store: "loses the field " + field.Name, wrap: read(each(func(e *journal.Entry) {
			if v := reflect.ValueOf(e).Elem().FieldByIndex(field.Index); e.By != "" || field.Name == "Opened" {
				v.SetZero()
			}
		}))})
	}
	covered := map[string]bool{}
	for _, w := range wrong {
		covered[w.clause] = true
		t.Run(w.clause+", but the store "+w.store, func(t *testing.T) {
			var failed []string
			for _, c := range clauses() {
				synctest.Test(t, func(t *testing.T) {
					d := newDisk(w.wrap)
					h := d.harness()
					if w.spoil != nil {
						w.spoil(&h, d)
					}
					if c.check(t.Context(), h) != nil {
						failed = append(failed, c.name)
					}
				})
			}
			require.Equal(t, []string{w.clause}, failed)
		})
	}
	for _, c := range clauses() {
		require.True(t, covered[c.name], "no wrong store breaks the clause %q", c.name)
	}
}

func TestEveryFieldIsSet(t *testing.T) {
	joined := map[string]bool{}
	for _, e := range everyField() {
		for _, key := range strings.Split(string(encode(e)), `"`) {
			joined[key] = true
		}
	}
	for _, field := range []string{
		"seq", "epoch", "time", "kind", "env", "table", "leg", "state", "effect", "id", "attempt", "trigger", "to", "condition", "text", "by",
		"hold", "testimony", "facts", "opened", "cause", "environments", "holder", "since", "verbs", "hint", "format", "run", "plan", "procedure",
		"definition", "verb", "host", "user", "adapters", "at",
	} {
		require.True(t, joined[field], field)
	}
}

// A disk is storage that a store can be opened on.
type disk struct {
	wrap func(*open) journal.Store // what a store does wrong; nil: nothing

	mu      sync.Mutex
	entries []journal.Entry
	damaged uint64 // number of the entry that is; zero: none
	locked  bool
}

func newDisk(wrap func(*open) journal.Store) *disk { return &disk{wrap: wrap} }

func (d *disk) open() (journal.Store, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locked {
		return nil, journal.ErrLocked
	}
	d.locked = true
	s := &open{disk: d}
	if d.wrap != nil {
		return d.wrap(s), nil
	}
	return s, nil
}

func (d *disk) harness() Harness {
	first, _ := d.open()
	closeIt := first.(interface{ close() }).close
	return Harness{
		Store: first,
		Reopen: func() (journal.Store, error) {
			closeIt()
			return d.open()
		},
		OpenSecond: d.open,
		Close:      func() error { closeIt(); return nil },
		Damage: func(seq uint64) error {
			d.damaged = seq
			return nil
		},
	}
}

// open is an open disk: a store without a fault.
type open struct {
	disk   *disk
	closed atomic.Bool
}

func (s *open) close() {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.closed.Store(true)
	s.disk.locked = false
}

func (s *open) last() uint64 {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return uint64(len(s.disk.entries))
}

// force stores without looking.
func (s *open) force(entries []journal.Entry) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.disk.entries = append(s.disk.entries, copied(entries)...)
}

// copied shares nothing with entries: Memory sees to that.
func copied(entries []journal.Entry) []journal.Entry {
	var out []journal.Entry
	for _, e := range entries {
		var m journal.Memory
		seq := e.Seq
		e.Seq = 1
		_ = m.Append(context.Background(), 0, e)
		for e := range m.Read(context.Background()) {
			e.Seq = seq
			out = append(out, e)
		}
	}
	return out
}

func (s *open) append(ctx context.Context, after uint64, entries []journal.Entry) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.closed.Load() {
		return journal.ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := journal.CheckSeq(uint64(len(s.disk.entries)), after, entries); err != nil {
		return err
	}
	s.disk.entries = append(s.disk.entries, copied(entries)...)
	return nil
}

func (s *open) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	return s.append(ctx, after, entries)
}

func (s *open) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	s.disk.mu.Lock()
	all := copied(s.disk.entries)
	s.disk.mu.Unlock()
	return func(yield func(journal.Entry, error) bool) {
		if s.closed.Load() {
			yield(journal.Entry{}, journal.ErrClosed)
			return
		}
		for _, e := range all {
			err := ctx.Err()
			if e.Seq == s.disk.damaged {
				err = journal.ErrCorrupt
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// wrongStore is an open store with one thing changed.
type wrongStore struct {
	*open
	append func(ctx context.Context, after uint64, entries []journal.Entry) error
	read   func(all []journal.Entry) []journal.Entry
	drive  func(all iter.Seq2[journal.Entry, error], yield func(journal.Entry, error) bool)
}

func (w *wrongStore) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if w.append != nil {
		return w.append(ctx, after, entries)
	}
	return w.open.Append(ctx, after, entries...)
}

func (w *wrongStore) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	right := w.open.Read(ctx)
	switch {
	case w.drive != nil:
		return func(yield func(journal.Entry, error) bool) { w.drive(right, yield) }
	case w.read != nil:
		return func(yield func(journal.Entry, error) bool) {
			all, err := collect(right)
			for _, e := range w.read(all) {
				if ctx.Err() != nil {
					err = ctx.Err()
					break
				}
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(journal.Entry{}, err)
			}
		}
	}
	return right
}

func appending(f func(s *open, ctx context.Context, after uint64, entries []journal.Entry) error) func(*open) journal.Store {
	return func(s *open) journal.Store {
		return &wrongStore{open: s, append: func(ctx context.Context, after uint64, entries []journal.Entry) error {
			return f(s, ctx, after, entries)
		}}
	}
}

func read(f func(all []journal.Entry) []journal.Entry) func(*open) journal.Store {
	return func(s *open) journal.Store { return &wrongStore{open: s, read: f} }
}

func each(f func(e *journal.Entry)) func([]journal.Entry) []journal.Entry {
	return func(all []journal.Entry) []journal.Entry {
		for i := range all {
			f(&all[i])
		}
		return all
	}
}
