package filejournal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"

	"github.com/changeover-go/changeover/internal/disk"
	"github.com/changeover-go/changeover/migration/journal"
)

// Options are what a store may be given. Nil stands for the zero value.
type Options struct {
	// HeadDir is the directory for HEAD, best on another disk; it is used for
	// one journal only, and has to be named whenever that is opened. Empty: the
	// journal's own directory.
	HeadDir string
	// Ballast is how many bytes are kept back on the disk, so that the way back
	// can be recorded when it is full; see [Store.ReleaseReserve]. Zero: 2 MiB.
	// Negative: none.
	Ballast int64
	// MaxBytes is how large journal.jsonl may become, the last Ballast bytes of
	// which are for the way back. Zero: 1 GiB.
	MaxBytes int64
	// Disk is for this module's own tests, which put a file system that can
	// fail in the place of the system's. Nil: the system's.
	Disk disk.FS
}

// What zero fields of [Options] stand for.
const (
	defaultBallast  = 2 << 20
	defaultMaxBytes = 1 << 30
)

func (o *Options) ballast() int64 {
	if o.Ballast == 0 {
		return defaultBallast
	}
	return max(o.Ballast, 0)
}

func (o *Options) maxBytes() int64 {
	if o.MaxBytes == 0 {
		return defaultMaxBytes
	}
	return o.MaxBytes
}

// A Store is a journal in a directory. [Open] returns it, and [Store.Close]
// gives the directory free. It is safe for concurrent use.
type Store struct {
	dir, headDir *disk.Directory
	lock         disk.File
	repaired     int64
	reserve      int64 // bytes of ballast to keep
	maxBytes     int64

	mu      sync.Mutex
	closed  error     // why nothing is read or written any more
	journal disk.File // nil until the first entry
	head    disk.File // nil until the first entry
	ballast disk.File // nil until the first entry, and once it was released
	slot    int       // of HEAD, to be overwritten next
	begun   bool      // journal and HEAD are durable, and so are their names
	last    mark
	size    int64
	buf     []byte
}

var (
	_ journal.Store    = (*Store)(nil)
	_ journal.Reserver = (*Store)(nil)
	_ journal.Repairer = (*Store)(nil)
)

// ErrUnsafe is wrapped when a directory or file is open to others, is not a
// plain file, or belongs to another user. The message has the command that
// puts it right.
var ErrUnsafe = disk.ErrUnsafe

// Open opens the journal in dir, an empty one if there is none yet, and keeps
// others from opening it. It creates dir, with LOCK in it, but not its parents;
// a journal is created only with its first entry.
//
// It returns journal.ErrLocked, naming who holds it, when the journal is open
// already; [ErrUnsafe] for a directory or file that others can reach;
// journal.ErrCorrupt, naming the line, for what is not as it was written; and
// journal.ErrForeign for what another version wrote.
func Open(dir string, opts *Options) (*Store, error) {
	s := new(Store)
	if _, err := s.open(dir, opts, nil); err != nil {
		return nil, fmt.Errorf("journal in %s: %w", disk.Shown(dir), errors.Join(err, s.release()))
	}
	return s, nil
}

// open opens the journal. Who accepts it as it stands, whatever HEAD says, has
// HEAD written anew.
func (s *Store) open(dir string, opts *Options, accept *Acceptance) (found pass, err error) {
	if opts == nil {
		opts = &Options{}
	}
	s.reserve, s.maxBytes = opts.ballast(), opts.maxBytes()
	if s.dir, err = disk.Open(opts.Disk, dir, accept == nil); err != nil {
		return found, err
	}
	if s.lock, err = acquire(s.dir); err != nil {
		return found, err
	}
	s.headDir = s.dir
	if opts.HeadDir != "" {
		if s.headDir, err = disk.Open(opts.Disk, opts.HeadDir, true); err != nil {
			return found, err
		}
	}
	for _, f := range s.files() {
		if *f.file, err = f.dir.OpenIfThere(f.name, true); err != nil {
			return found, err
		}
	}
	head, err := readHead(s.head)
	if err != nil {
		return found, err
	}
	if err := s.checkRoom(); err != nil {
		return found, err
	}
	if accept != nil {
		head.ignored = true
	}
	if found, err = readThrough(reader(s.journal), head, func(*journal.Entry) error { return nil }); err != nil {
		return found, err
	}
	if accept != nil {
		if err := accept.check(found); err != nil {
			return found, err
		}
	}
	if err := s.repair(found); err != nil {
		return found, err
	}
	s.last, s.size, s.slot, s.repaired = found.last, found.size, head.next, found.unfinished
	if s.begun = s.last.Seq > 0; !s.begun {
		_, s.last.Hash = header()
	}
	if accept != nil {
		return found, s.create(&s.head, s.headDir, headName, append(s.last.slot(), s.last.slot()...))
	}
	return found, nil
}

// The files. LOCK is never removed, and nothing else is ever created.
const (
	lockName    = "LOCK"
	journalName = "journal.jsonl"
	headName    = "HEAD"
	ballastName = "BALLAST"
)

// A place is where a file of the store is kept.
type place struct {
	file *disk.File
	dir  *disk.Directory
	name string
}

func (s *Store) files() []place {
	return []place{{&s.journal, s.dir, journalName}, {&s.head, s.headDir, headName}, {&s.ballast, s.dir, ballastName}}
}

// reader reads the whole of a file, which may be nil.
func reader(f disk.File) io.Reader {
	if f == nil {
		return eof{}
	}
	return io.NewSectionReader(f, 0, 1<<62)
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

func readHead(f disk.File) (head, error) {
	b, err := io.ReadAll(io.LimitReader(reader(f), 3*int64(slotLen)))
	if err != nil {
		return head{}, fmt.Errorf("%s: %w", headName, err)
	}
	return parseHead(b), nil
}

// repair cuts an unfinished line, and writes again what HEAD does not vouch
// for. Those lines were read from memory perhaps: when a sync has failed, the
// kernel may take them for written although they are not.
func (s *Store) repair(found pass) error {
	if found.unfinished > 0 {
		if err := s.journal.Truncate(found.size); err != nil {
			return fmt.Errorf("cut the unfinished last line: %w", err)
		}
	}
	if found.unfinished == 0 && found.vouched == found.size {
		return nil
	}
	buf := make([]byte, 256<<10)
	for at := found.vouched; at < found.size; {
		b := buf[:min(int64(len(buf)), found.size-at)]
		if _, err := s.journal.ReadAt(b, at); err != nil {
			return fmt.Errorf("read the last lines: %w", err)
		}
		if err := disk.WriteAll(s.journal, b, at); err != nil {
			return fmt.Errorf("write the last lines again: %w", err)
		}
		at += int64(len(b))
	}
	return s.journal.Sync()
}

// Repaired implements [journal.Repairer].
func (s *Store) Repaired() int64 { return s.repaired }

// Append implements [journal.Store].
func (s *Store) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return s.closed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := journal.CheckSeq(s.last.Seq, after, entries); err != nil {
		return err
	}
	if len(entries) == 0 {
		return nil
	}
	lines, last, err := s.lines(entries)
	if err != nil {
		return err
	}
	if room := s.room(); int64(len(lines)) > room {
		return fmt.Errorf("%w: journal.jsonl has %d bytes; with %d more it would exceed what it may take", journal.ErrFull, s.size, len(lines))
	}
	if err := s.begin(); err != nil {
		return s.giveUp(err)
	}
	if err := disk.WriteAll(s.journal, lines, s.size); err != nil {
		return s.giveUp(err)
	}
	if err := s.journal.Sync(); err != nil {
		return s.giveUp(err)
	}
	s.last = last
	s.size += int64(len(lines))
	s.buf = last.appendSlot(s.buf[:0]) // the lines are on the disk
	if err := disk.WriteAll(s.head, s.buf, int64(s.slot*slotLen)); err != nil {
		return s.giveUp(err)
	}
	s.slot = 1 - s.slot
	return nil
}

// lines returns the lines of entries and the mark behind them.
func (s *Store) lines(entries []journal.Entry) ([]byte, mark, error) {
	const keep = 1 << 20 // the buffer is kept up to this size
	b := s.buf[:0]
	prev := s.last.Hash
	var err error
	for i := range entries {
		start := len(b)
		if b, err = appendEntry(b, &entries[i]); err != nil {
			return nil, mark{}, fmt.Errorf("entry %d has no JSON: %w", entries[i].Seq, err)
		}
		if n := len(b) - start; n > journal.MaxEntry {
			return nil, mark{}, fmt.Errorf("%w: entry %d takes %d bytes, at most %d are accepted", journal.ErrTooLarge, entries[i].Seq, n, journal.MaxEntry)
		}
		b, prev = link(b, start, prev)
	}
	if cap(b) <= keep {
		s.buf = b
	}
	last := entries[len(entries)-1]
	return b, mark{last.Seq, last.Epoch, prev}, nil
}

// room returns how many bytes the journal may still grow: until the way back
// begins, some are left for it.
func (s *Store) room() int64 {
	room := s.maxBytes - s.size
	if s.ballast != nil || !s.begun {
		room -= s.reserve
	}
	return room
}

// begin creates the journal before its first entry. All of it is durable, the
// names too, before there is anything in it that could be lost. The ballast
// comes first: a disk that has no room for it is too full to begin.
func (s *Store) begin() error {
	if s.begun {
		return nil
	}
	if err := s.keepRoom(); err != nil {
		return err
	}
	first, _ := header()
	if err := s.create(&s.journal, s.dir, journalName, first); err != nil {
		return err
	}
	if err := s.create(&s.head, s.headDir, headName, append(s.last.slot(), s.last.slot()...)); err != nil {
		return err
	}
	s.begun, s.size, s.slot = true, int64(len(first)), 0
	return nil
}

// create gives a file, which may be there already, its first content, and makes
// all of it durable.
func (s *Store) create(f *disk.File, dir *disk.Directory, name string, content []byte) error {
	if *f == nil {
		var err error
		if *f, err = dir.OpenOrCreate(name); err != nil {
			return err
		}
	}
	if err := disk.WriteAll(*f, content, 0); err != nil {
		return err
	}
	if err := (*f).Truncate(int64(len(content))); err != nil {
		return err
	}
	if err := (*f).Sync(); err != nil {
		return err
	}
	if err := dir.Sync(); err != nil {
		return err
	}
	return dir.SyncParent()
}

// giveUp closes the store for good after a failed write: what is on the disk
// now is known only to who opens it again. The descriptor is not used any more.
func (s *Store) giveUp(err error) error {
	s.closed = fmt.Errorf("%w: an earlier write failed: %w", journal.ErrClosed, err)
	return fmt.Errorf("journal in %s: %w", disk.Shown(s.dir.Path), err)
}

// Read implements [journal.Store]. It reads what was stored when the loop
// began.
func (s *Store) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		s.mu.Lock()
		closed, file, size, last := s.closed, s.journal, s.size, s.last
		s.mu.Unlock()
		if closed != nil {
			yield(journal.Entry{}, closed)
			return
		}
		var end head
		if last.Seq > 0 {
			end.marks = []mark{last}
		}
		r := io.LimitReader(reader(file), size)
		_, err := readThrough(r, end, stopping(ctx, yield))
		if errors.Is(err, fs.ErrClosed) {
			err = journal.ErrClosed // while it was read
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(journal.Entry{}, err)
		}
	}
}

// stopping hands entries to yield until it has enough or ctx is done.
func stopping(ctx context.Context, yield func(journal.Entry, error) bool) func(*journal.Entry) error {
	return func(e *journal.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !yield(*e, nil) {
			return errStop
		}
		return nil
	}
}

// Close makes HEAD durable, ends the lock, and closes the files. The store then
// returns journal.ErrClosed. Closing again does nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.closed == nil && s.begun {
		err = s.head.Sync()
	}
	s.closed = journal.ErrClosed
	return errors.Join(err, s.release())
}

// release closes everything, the lock last.
func (s *Store) release() error {
	var errs []error
	for _, f := range s.files() {
		if *f.file != nil {
			errs = append(errs, (*f.file).Close())
			*f.file = nil
		}
	}
	if s.headDir != nil && s.headDir != s.dir {
		errs = append(errs, s.headDir.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.dir != nil {
		errs = append(errs, s.dir.Close())
	}
	s.lock, s.dir, s.headDir = nil, nil, nil
	return errors.Join(errs...)
}
