package filejournal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"

	"github.com/changeover-go/changeover/migration/journal"
)

// Options are what a store may be given. Nil stands for the zero value.
type Options struct {
	// HeadDir is the directory for HEAD, best on another disk; it is used for
	// one journal only, and has to be named whenever that is opened. Empty: the
	// journal's own directory.
	HeadDir string
	// File is called for each file that is opened (LOCK excepted), by name ("."
	// and ".." are the directory and its parent, which are only synced), and
	// returns what is used in its place. It is for tests, since an *os.File
	// cannot be made to fail. Nil: f itself.
	File func(name string, f File) File
}

// A Store is a journal in a directory. [Open] returns it, and [Store.Close]
// gives the directory free. It is safe for concurrent use.
type Store struct {
	dir, headDir *directory
	lock         *os.File
	repaired     int64

	mu      sync.Mutex
	closed  error // why nothing is read or written any more
	journal File  // nil until the first entry
	head    File  // nil until the first entry
	slot    int   // of HEAD, to be overwritten next
	begun   bool  // journal and HEAD are durable, and so are their names
	last    mark
	size    int64
	buf     []byte
}

var _ journal.Store = (*Store)(nil)

// Open opens the journal in dir, an empty one if there is none yet, and keeps
// others from opening it. It creates dir, with LOCK in it, but not its parents;
// a journal is created only with its first entry.
//
// It returns journal.ErrLocked, naming who holds it, when the journal is open
// already; [ErrUnsafe] for a directory or file that others can reach;
// journal.ErrCorrupt, naming the line, for what is not as it was written; and
// journal.ErrForeign for what another version wrote.
func Open(dir string, opts *Options) (*Store, error) {
	if opts == nil {
		opts = &Options{}
	}
	s := new(Store)
	if err := s.open(dir, opts); err != nil {
		return nil, fmt.Errorf("journal in %s: %w", shown(dir), errors.Join(err, s.release()))
	}
	return s, nil
}

func (s *Store) open(dir string, opts *Options) (err error) {
	if s.dir, err = openDirectory(dir, true, opts.File); err != nil {
		return err
	}
	if s.lock, err = acquire(s.dir); err != nil {
		return err
	}
	s.headDir = s.dir
	if opts.HeadDir != "" {
		if s.headDir, err = openDirectory(opts.HeadDir, true, opts.File); err != nil {
			return err
		}
	}
	var head head
	if s.head, err = s.headDir.openIfThere(headName, os.O_RDWR); err != nil {
		return err
	}
	if head, err = readHead(s.head); err != nil {
		return err
	}
	if s.journal, err = s.dir.openIfThere(journalName, os.O_RDWR); err != nil {
		return err
	}
	found, err := readThrough(reader(s.journal), head, func(journal.Entry) error { return nil })
	if err != nil {
		return err
	}
	if err := s.repair(found); err != nil {
		return err
	}
	s.last, s.size, s.slot, s.repaired = found.last, found.size, head.next, found.unfinished
	if s.begun = s.last.Seq > 0; !s.begun {
		_, s.last.Hash = header()
	}
	return nil
}

// reader reads the whole of a file, which may be nil.
func reader(f File) io.Reader {
	if f == nil {
		return eof{}
	}
	return io.NewSectionReader(f, 0, 1<<62)
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

func readHead(f File) (head, error) {
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
		if err := write(s.journal, b, at); err != nil {
			return fmt.Errorf("write the last lines again: %w", err)
		}
		at += int64(len(b))
	}
	return s.journal.Sync()
}

func write(f File, b []byte, at int64) error {
	n, err := f.WriteAt(b, at)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

// Repaired returns how many bytes of an unfinished last line Open has cut: an
// append that nobody was told had succeeded.
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
	if err := s.begin(); err != nil {
		return s.giveUp(err)
	}
	if err := write(s.journal, lines, s.size); err != nil {
		return s.giveUp(err)
	}
	if err := s.journal.Sync(); err != nil {
		return s.giveUp(err)
	}
	s.last = last
	s.size += int64(len(lines))
	if err := write(s.head, last.slot(), int64(s.slot*slotLen)); err != nil {
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

// begin creates the journal before its first entry. All of it is durable, the
// names too, before there is anything in it that could be lost.
func (s *Store) begin() error {
	if s.begun {
		return nil
	}
	first, _ := header()
	for _, f := range []struct {
		file    *File
		dir     *directory
		name    string
		content []byte
	}{
		{&s.journal, s.dir, journalName, first},
		{&s.head, s.headDir, headName, append(s.last.slot(), s.last.slot()...)},
	} {
		if *f.file == nil {
			created, err := f.dir.open(f.name, os.O_RDWR|os.O_CREATE)
			if err != nil {
				return err
			}
			*f.file = f.dir.wrapped(f.name, created)
		}
		if err := write(*f.file, f.content, 0); err != nil {
			return err
		}
		if err := (*f.file).Truncate(int64(len(f.content))); err != nil {
			return err
		}
		if err := (*f.file).Sync(); err != nil {
			return err
		}
		if err := f.dir.sync(); err != nil {
			return err
		}
		if err := f.dir.syncParent(); err != nil {
			return err
		}
	}
	s.begun, s.size, s.slot = true, int64(len(first)), 0
	return nil
}

// giveUp closes the store for good after a failed write: what is on the disk
// now is known only to who opens it again. The descriptor is not used any more.
func (s *Store) giveUp(err error) error {
	s.closed = fmt.Errorf("%w: an earlier write failed: %w", journal.ErrClosed, err)
	return fmt.Errorf("journal in %s: %w", shown(s.dir.path), err)
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
func stopping(ctx context.Context, yield func(journal.Entry, error) bool) func(journal.Entry) error {
	return func(e journal.Entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !yield(e, nil) {
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
	for _, f := range []*File{&s.journal, &s.head} {
		if *f != nil {
			errs = append(errs, (*f).Close())
			*f = nil
		}
	}
	if s.headDir != nil && s.headDir != s.dir {
		errs = append(errs, s.headDir.root.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if s.dir != nil {
		errs = append(errs, s.dir.root.Close())
	}
	s.lock, s.dir, s.headDir = nil, nil, nil
	return errors.Join(errs...)
}
