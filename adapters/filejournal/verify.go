package filejournal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/changeover-go/changeover/migration/journal"
)

// A Report says what [Verify] found in a journal that is whole.
type Report struct {
	Entries    uint64 // how many there are
	Epoch      uint64 // of the last entry
	Hash       string // of the last line; empty if there is no journal
	Bytes      int64  // of all whole lines
	Unfinished int64  // bytes of an unfinished last line, which Open will cut
	// Unvouched counts the last entries of which HEAD does not know yet. After
	// a crash there may be some; who opens the journal makes them durable.
	Unvouched uint64
	// DamagedSlots counts the slots of HEAD that are not whole. A power cut can
	// damage one; a journal without a whole slot is refused.
	DamagedSlots int
}

// Verify reads the journal in dir from the first to the last line, checks
// every one, and compares the end with HEAD. It needs no lock and changes
// nothing, so it may run beside the process that writes. Its error names the
// first line that is not as it was written; see [Open].
func Verify(ctx context.Context, dir string, opts *Options) (Report, error) {
	found, head, err := read(dir, opts, func(journal.Entry) error { return ctx.Err() })
	if err != nil {
		return Report{}, err
	}
	r := Report{
		Entries: found.last.Seq, Epoch: found.last.Epoch, Bytes: found.size, Unfinished: found.unfinished,
		Unvouched: found.last.Seq, DamagedSlots: head.damaged,
	}
	if found.size > 0 {
		r.Hash = string(found.last.Hash[:])
	}
	if len(head.marks) > 0 {
		r.Unvouched -= head.marks[0].Seq
	}
	return r, nil
}

// Read reads the journal in dir as [Store.Read] does, but without a lock, so
// that a journal can be looked at while another process writes it. An
// unfinished last line is not yielded. A directory without a journal yields
// nothing.
func Read(ctx context.Context, dir string, opts *Options) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		if _, _, err := read(dir, opts, stopping(ctx, yield)); err != nil && !errors.Is(err, errStop) {
			yield(journal.Entry{}, err)
		}
	}
}

// read reads HEAD, and then the journal, which is at least as long.
func read(path string, opts *Options, each func(journal.Entry) error) (found pass, head head, err error) {
	if opts == nil {
		opts = &Options{}
	}
	defer func() {
		if err != nil && !errors.Is(err, errStop) {
			err = fmt.Errorf("journal in %s: %w", shown(path), err)
		}
	}()
	dir, err := openDirectory(path, false, opts.File)
	if err != nil {
		return found, head, err
	}
	defer func() { err = errors.Join(err, dir.root.Close()) }()
	headDir := dir
	if opts.HeadDir != "" {
		if headDir, err = openDirectory(opts.HeadDir, false, opts.File); err != nil {
			return found, head, err
		}
		defer func() { err = errors.Join(err, headDir.root.Close()) }()
	}
	for _, f := range []struct {
		dir  *directory
		name string
		read func(File) error
	}{
		{headDir, headName, func(f File) (err error) { head, err = readHead(f); return err }},
		{dir, journalName, func(f File) (err error) { found, err = readThrough(reader(f), head, each); return err }},
	} {
		file, err := f.dir.openIfThere(f.name, os.O_RDONLY)
		if err != nil {
			return found, head, err
		}
		err = f.read(file)
		if file != nil {
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			return found, head, err
		}
	}
	return found, head, nil
}
