package filejournal

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/changeover-go/changeover/internal/disk"
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
	found, head, err := read(dir, opts, func(*journal.Entry) error { return ctx.Err() })
	if err != nil {
		return Report{}, err
	}
	r := found.report()
	r.DamagedSlots = head.damaged
	if len(head.marks) > 0 {
		r.Unvouched = r.Entries - head.marks[0].Seq
	} else {
		r.Unvouched = r.Entries
	}
	return r, nil
}

func (p pass) report() Report {
	r := Report{Entries: p.last.Seq, Epoch: p.last.Epoch, Bytes: p.size, Unfinished: p.unfinished}
	if p.size > 0 {
		r.Hash = string(p.last.Hash[:])
	}
	return r
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
func read(path string, opts *Options, each func(*journal.Entry) error) (found pass, head head, err error) {
	if opts == nil {
		opts = &Options{}
	}
	defer func() {
		if err != nil && !errors.Is(err, errStop) {
			err = fmt.Errorf("journal in %s: %w", disk.Shown(path), err)
		}
	}()
	dir, err := disk.Open(opts.Disk, path, false)
	if err != nil {
		return found, head, err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	headDir := dir
	if opts.HeadDir != "" {
		if headDir, err = disk.Open(opts.Disk, opts.HeadDir, false); err != nil {
			return found, head, err
		}
		defer func() { err = errors.Join(err, headDir.Close()) }()
	}
	for _, f := range []struct {
		dir  *disk.Directory
		name string
		read func(disk.File) error
	}{
		{headDir, headName, func(f disk.File) (err error) { head, err = readHead(f); return err }},
		{dir, journalName, func(f disk.File) (err error) { found, err = readThrough(reader(f), head, each); return err }},
	} {
		file, err := f.dir.OpenIfThere(f.name, false)
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
