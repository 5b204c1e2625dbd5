// Package engine is the loop that both procedures share: decide, record, act,
// record. A [Session] is one process's turn at a journal; a [Walk] takes a set
// of environments through a table. It knows tables and journals; it knows
// neither ports nor licenses, which reach it as steps and facts.
//
// One goroutine decides for a walk, and while a second one writes the journal
// settles what arrives; that shares the next append, together with the intents
// that follow from it. Each effect runs in a goroutine of its own that ends with
// the effect; none outlives [Walk.Run] but that of a call that does not heed its
// context, which is given up. A host may bring [Tasks] of its own instead: then
// nothing here is a goroutine, and whatever waits lets the others go on.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/changeover-go/changeover/internal/inorder"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// A Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// Sleep returns nil after d, or ctx.Err() when ctx is done first.
	Sleep(ctx context.Context, d time.Duration) error
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now implements [Clock].
func (SystemClock) Now() time.Time { return time.Now().UTC() }

// Sleep implements [Clock].
func (SystemClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Options are what a session may be given; every zero field has a default.
type Options struct {
	Clock   Clock               // nil: SystemClock
	Logger  *zap.Logger         // nil: no log
	OnEntry func(journal.Entry) // called for each entry once it is durable, in order, one at a time; nil: nobody
	// Inline carries out one effect at a time, in the order in which they were
	// decided, in the goroutine of Walk.Run.
	Inline bool
	// Tasks run what is done side by side, unless Inline is set; nil:
	// goroutines do.
	Tasks Tasks
	// Grace is how long a mutating call may go on after the caller has given
	// up, so that it ends in an answer and not in doubt; zero: 10 seconds.
	Grace time.Duration
	// Mask hides what must not be recorded in what comes from outside; nil:
	// nothing is hidden.
	Mask Mask
}

// A Mask hides secrets.
type Mask interface {
	Text(s string) string // in text
	JSON(b []byte) []byte // in encoded JSON
}

// journalTimeout bounds one append. It applies although the caller has given
// up: what has happened must be recorded.
const journalTimeout = time.Minute

// maxSpare is how many entries room is kept for from one append to the next.
const maxSpare = 4096

// ErrDefinition is wrapped when a journal was written under other tables than
// those that would continue it.
var ErrDefinition = errors.New("the run was begun with another definition of the procedure")

// ErrJournal is wrapped when the journal could not be written. What was under
// way then is in doubt, and is observed when the run is resumed.
var ErrJournal = errors.New("the journal cannot be written")

// An UnwrittenError says that the journal could not be written, and has what
// has happened and is not on record: it may be durable in part or not at all.
// Nothing needs it to go on, since resuming observes; it is for people, for
// example the answer that somebody gave. It wraps [ErrJournal] and the store's
// error.
type UnwrittenError struct {
	err error

	mu      sync.Mutex
	entries []journal.Entry
}

// Error says why the journal could not be written, and how much is missing.
func (e *UnwrittenError) Error() string {
	s := ErrJournal.Error() + ": " + e.err.Error()
	if n := len(e.Entries()); n > 0 {
		s += fmt.Sprintf(" (has happened and is not on record: %d entries)", n)
	}
	return s
}

// Unwrap returns [ErrJournal] and the store's error.
func (e *UnwrittenError) Unwrap() []error { return []error{ErrJournal, e.err} }

// Entries returns what has happened and is not on record, in order. It is
// complete when the verb has returned. Those that were made after the append
// had failed have no number.
func (e *UnwrittenError) Entries() []journal.Entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.entries)
}

func (e *UnwrittenError) add(entry journal.Entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entries = append(e.entries, entry)
}

// A Session is one process's turn at a journal. Its methods are safe for
// concurrent use.
type Session struct {
	opts    Options
	store   journal.Store
	opening journal.Opening

	mu      sync.Mutex
	changed sync.Cond // writing or telling has ended
	writing bool      // the store writes

	record *journal.Record // includes what is staged
	staged []journal.Entry // numbered, not durable yet, and not being written
	spare  []journal.Entry // empty, to be staged in next
	opened bool            // the Opened entry of this turn is staged or written
	broken error           // the journal can no longer be written
	spilt  *UnwrittenError // broken, if an append has failed

	untold  []journal.Entry // durable, and nobody was told yet
	telling bool            // somebody is being told
}

// Open replays the journal and checks that opening may continue it. It writes
// nothing: the session's first append brings the Opened entry along.
func Open(ctx context.Context, store journal.Store, opening journal.Opening, opts Options) (*Session, error) {
	if opts.Clock == nil {
		opts.Clock = SystemClock{}
	}
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	if opts.Grace == 0 {
		opts.Grace = 10 * time.Second
	}
	if opts.Tasks == nil || opts.Inline {
		opts.Tasks = goroutines{}
	}
	record, err := journal.Replay(store.Read(ctx))
	if err != nil {
		return nil, err
	}
	if record.Last > 0 {
		if record.Plan != opening.Plan {
			return nil, fmt.Errorf("%w: the journal is of the plan with digest %.12s, this plan has %.12s; use the plan that the run was begun with, or another state directory", journal.ErrForeign, record.Plan, opening.Plan)
		}
		if hash, ok := record.Definitions[opening.Procedure]; ok && hash != opening.Definition {
			return nil, fmt.Errorf("%w: %s had the hash %.12s and has %.12s now; finish the run with the version that began it", ErrDefinition, opening.Procedure, hash, opening.Definition)
		}
		opening.Run = record.Run
	}
	opening.Format = journal.Format
	if r, ok := store.(journal.Repairer); ok {
		opening.Repaired = r.Repaired()
	}
	s := &Session{opts: opts, store: store, opening: opening, record: record}
	s.changed.L = &s.mu
	return s, nil
}

// Now returns the session's time.
func (s *Session) Now() time.Time { return s.opts.Clock.Now() }

// Clock returns the session's clock.
func (s *Session) Clock() Clock { return s.opts.Clock }

// Logger returns the session's log, never nil.
func (s *Session) Logger() *zap.Logger { return s.opts.Logger }

// Standing returns what the journal says of env.
func (s *Session) Standing(env string) (journal.Standing, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Standing(env)
}

// standing returns what the journal says of env, and the hold that keeps it
// from going on: its own, or that of somebody who stopped the whole
// infrastructure.
func (s *Session) standing(env string) (at journal.Standing, hold *journal.Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, _ = s.record.Standing(env)
	if at.Hold != nil {
		return at, at.Hold
	}
	if all, _ := s.record.Standing(journal.Infrastructure); all.Hold != nil && all.Hold.Kind == journal.HoldOperator {
		return at, all.Hold
	}
	return at, nil
}

// Empty reports whether the journal has no entry yet.
func (s *Session) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.record.Last == 0
}

// Stage numbers and dates entries and makes them part of the record. They are
// durable only after the next [Session.Flush], before which nothing may be
// done on the strength of them.
func (s *Session) Stage(entries ...journal.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		s.spill(entries)
		return s.broken
	}
	if !s.opened && len(entries) > 0 {
		s.opened = true
		opening := s.opening
		if err := s.stage(journal.Entry{Kind: journal.Opened, Epoch: s.record.Epoch + 1, Opened: &opening}); err != nil {
			return err
		}
	}
	for _, e := range entries {
		e.Epoch = s.record.Epoch
		if err := s.stage(e); err != nil {
			return err
		}
	}
	return nil
}

func (s *Session) stage(e journal.Entry) error {
	e.Seq, e.Time = s.record.Last+1, s.Now()
	s.mask(&e)
	if err := s.record.Add(e); err != nil {
		s.broken = fmt.Errorf("an entry was made that cannot be replayed: %w", err)
		return s.broken
	}
	s.staged = append(s.staged, e)
	return nil
}

// mask hides secrets in everything of an entry that may come from outside. It
// is the one way into the journal, the log and reports.
func (s *Session) mask(e *journal.Entry) {
	mask := s.opts.Mask
	if mask == nil {
		return
	}
	e.Text, e.By, e.Condition, e.Facts = mask.Text(e.Text), mask.Text(e.By), mask.Text(e.Condition), mask.JSON(e.Facts)
	if e.Hold != nil {
		h := *e.Hold
		h.Cause, h.Hint, h.Holder = mask.Text(h.Cause), mask.Text(h.Hint), mask.Text(h.Holder)
		e.Hold = &h
	}
	e.Testimony = slices.Clone(e.Testimony)
	for i, t := range e.Testimony {
		e.Testimony[i].By, e.Testimony[i].Text = mask.Text(t.By), mask.Text(t.Text)
	}
	if e.Opened != nil {
		o := *e.Opened
		o.Host, o.User, o.Adapters = mask.Text(o.Host), mask.Text(o.User), maps.Clone(o.Adapters)
		for port, what := range inorder.Of(o.Adapters) {
			o.Adapters[port] = mask.Text(what)
		}
		e.Opened = &o
	}
}

// dirty reports whether something is staged that can still be written.
func (s *Session) dirty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.staged) > 0 && s.broken == nil
}

// Flush makes everything that is staged durable, in one append; what is staged
// meanwhile waits for the next one. It does not give up with ctx: what has
// happened is recorded. After an error the session writes nothing more.
func (s *Session) Flush(ctx context.Context) error {
	err := s.write(ctx)
	s.tell()
	return err
}

func (s *Session) write(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	await(ctx, s.opts.Tasks, &s.changed, func() bool { return !s.writing })
	batch, err := s.staged, s.broken
	if err != nil || len(batch) == 0 {
		return err
	}
	s.staged, s.spare = s.spare, nil
	if err = s.append(ctx, batch); err != nil {
		s.spilt = &UnwrittenError{err: err}
		s.broken = s.spilt
		s.spill(append(batch, s.staged...))
		return s.broken
	}
	if s.opts.OnEntry != nil || s.opts.Logger.Core().Enabled(zap.WarnLevel) { // somebody listens
		s.untold = append(s.untold, batch...)
	}
	if cap(batch) <= maxSpare {
		clear(batch)
		s.spare = batch[:0]
	}
	return nil
}

// append hands entries to the store, although the caller may have given up. It
// is called with the lock held, which it gives up meanwhile.
func (s *Session) append(ctx context.Context, entries []journal.Entry) error {
	s.writing = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.writing = false
		s.changed.Broadcast()
	}()
	ctx, cancel := s.opts.Tasks.WithTimeout(context.WithoutCancel(ctx), journalTimeout)
	defer cancel()
	return s.store.Append(ctx, entries[0].Seq-1, entries...)
}

// spill keeps what can no longer be written, and logs what of it has happened:
// an outcome that is lost is not lost to people. It is called with the lock
// held.
func (s *Session) spill(entries []journal.Entry) {
	if s.spilt == nil {
		return
	}
	for _, e := range entries {
		if e.Kind == journal.Intent || e.Kind == journal.Opened {
			continue // it was to happen, and did not
		}
		e.Time = s.Now()
		s.mask(&e)
		s.spilt.add(e)
		s.logEntry(e, unwritten)
	}
}

// tell tells log and OnEntry what has become durable, in order and from one
// goroutine at a time. It holds no lock meanwhile, so that whoever is told may
// hold the run; what becomes durable meanwhile is told by whoever is telling
// already.
func (s *Session) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.telling {
		return
	}
	s.telling = true
	defer func() {
		s.telling = false
		s.changed.Broadcast()
	}()
	for len(s.untold) > 0 {
		e := s.untold[0]
		s.untold = s.untold[1:]
		s.tellOf(e)
	}
}

// wait returns when nobody is being told any more.
func (s *Session) wait(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	await(ctx, s.opts.Tasks, &s.changed, func() bool { return !s.telling })
}

// tellOf gives up the lock meanwhile.
func (s *Session) tellOf(e journal.Entry) {
	s.mu.Unlock()
	defer s.mu.Lock()
	s.logEntry(e, string(e.Kind))
	if s.opts.OnEntry != nil {
		s.opts.OnEntry(e)
	}
}

// unwritten is the message of a line of log that is all that there is of an
// entry.
const unwritten = "not in the journal"

// logEntry writes one line of log for an entry; the journal, not the log, is
// the record.
func (s *Session) logEntry(e journal.Entry, message string) {
	level := zap.InfoLevel
	if message == unwritten || e.Kind == journal.Doubt || e.Kind == journal.Held || e.Kind == journal.Failed {
		level = zap.WarnLevel
	}
	line := s.opts.Logger.Check(level, message)
	if line == nil {
		return
	}
	fields := []zap.Field{zap.Uint64("seq", e.Seq)}
	for _, f := range [][2]string{
		{"environment", printable.Text(e.Env)}, {"leg", e.Leg}, {"state", e.State}, {"effect", e.Effect},
		{"trigger", e.Trigger}, {"to", e.To}, {"condition", e.Condition}, {"text", e.Text},
	} {
		if f[1] != "" {
			fields = append(fields, zap.String(f[0], f[1]))
		}
	}
	line.Write(fields...)
}

// Facts decodes the facts of a standing; the zero F if it has none.
func Facts[F any](standing journal.Standing) (F, error) {
	var facts F
	if len(standing.Facts) == 0 {
		return facts, nil
	}
	if err := json.Unmarshal(standing.Facts, &facts); err != nil {
		return facts, fmt.Errorf("%w: the facts of %q cannot be read: %w", journal.ErrCorrupt, standing.Env, err)
	}
	return facts, nil
}

// Encode encodes facts for an entry.
func Encode(facts any) (json.RawMessage, error) {
	b, err := json.Marshal(facts)
	if err != nil {
		return nil, fmt.Errorf("the facts cannot be encoded: %w", err)
	}
	return printable.JSON(b), nil
}
