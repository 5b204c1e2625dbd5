package filejournal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/migration/journal"
)

// A disk stands between a store and the files of a directory. The files have
// what was written; durable has what a power cut leaves for certain. It may
// fail one operation, and it writes down all of them.
type disk struct {
	dir     string
	durable map[string][]byte // by file; what was synced of it
	dirty   map[string][]span // by file; what was written since
	named   map[string]bool   // files whose name is durable
	log     []string
	fail    func(op int, name, kind string) *fault
	failed  *fault
	watch   func() // called after each operation
}

type span struct{ from, to int64 }

// A fault says how an operation fails.
type fault struct {
	err   error
	part  func(n int) int // how much of a write is done; nil: nothing
	after bool            // all of it is done
}

func newDisk(dir string) *disk {
	return &disk{dir: dir, durable: map[string][]byte{}, dirty: map[string][]span{}, named: map[string]bool{}}
}

func (d *disk) options() *filejournal.Options {
	return &filejournal.Options{Ballast: -1, Disk: disktest.On(d.around)}
}

// around passes on what changes nothing, and LOCK, which is no record.
func (d *disk) around(op *disktest.Op, do func() error) error {
	name := filepath.Base(op.Path)
	switch {
	case name == "LOCK":
		return do()
	case op.Kind == "sync directory":
		return d.sync(".")
	case op.Kind == "sync parent":
		return d.sync("..")
	case op.Kind == "sync":
		return d.sync(name)
	case op.Kind == "write":
		return d.write(name, op, do)
	case op.Kind == "truncate":
		return d.truncate(name, op.At, do)
	}
	return do()
}

// do writes an operation down and returns how it is to fail.
func (d *disk) do(name, kind string) *fault {
	op := len(d.log)
	d.log = append(d.log, kind+" "+name)
	if d.fail == nil {
		return nil
	}
	f := d.fail(op, name, kind)
	if f != nil {
		d.failed = f
		d.log[op] += " fails"
	}
	return f
}

func (d *disk) done() {
	if d.watch != nil {
		d.watch()
	}
}

func (d *disk) written(name string, from, to int64) {
	d.dirty[name] = append(d.dirty[name], span{from, to})
}

// settled makes what is dirty durable, unless it fails: then the kernel takes
// it for written all the same.
func (d *disk) settled(name string, fails bool) error {
	if name == "." || name == ".." {
		if !fails && name == "." {
			for file := range d.dirty {
				d.named[file] = true
			}
		}
		return nil
	}
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		return err
	}
	if !fails {
		d.durable[name] = d.apply(name, b, d.dirty[name])
	}
	d.dirty[name] = nil
	return nil
}

// apply returns the durable content of a file with the spans taken from b.
func (d *disk) apply(name string, b []byte, spans []span) []byte {
	out := bytes.Clone(d.durable[name])
	for _, s := range spans {
		if s.from == truncated {
			out = out[:min(int64(len(out)), s.to)]
			continue
		}
		to := min(s.to, int64(len(b)))
		if grow := to - int64(len(out)); grow > 0 {
			out = append(out, make([]byte, grow)...)
		}
		if s.from < to {
			copy(out[s.from:to], b[s.from:to])
		}
	}
	return out
}

const truncated = -1 // a span that cuts the file at to

func (d *disk) write(name string, op *disktest.Op, do func() error) error {
	defer d.done()
	fault := d.do(name, "write")
	if fault != nil && !fault.after {
		n := 0
		if fault.part != nil {
			n = fault.part(op.Len)
		}
		op.Len = n
	}
	if err := do(); err != nil {
		return err
	}
	d.written(name, op.At, op.At+int64(op.Len))
	if fault != nil {
		return fault.err
	}
	return nil
}

func (d *disk) truncate(name string, size int64, do func() error) error {
	defer d.done()
	fault := d.do(name, "truncate")
	if fault != nil && !fault.after {
		return fault.err
	}
	if err := do(); err != nil {
		return err
	}
	d.written(name, truncated, size)
	if fault != nil {
		return fault.err
	}
	return nil
}

// sync leaves out the real one.
func (d *disk) sync(name string) error {
	defer d.done()
	fault := d.do(name, "sync")
	err := d.settled(name, fault != nil && !fault.after)
	if fault != nil {
		return fault.err
	}
	return err
}

// batches is the history that the tests of this file write.
func batches() [][]journal.Entry {
	return [][]journal.Entry{entries(1, 1), entries(2, 4), entries(5, 5)}
}

// write appends batches until one fails and returns the last entry that was
// acknowledged, and the error.
func write(s *filejournal.Store, batches [][]journal.Entry) (acknowledged uint64, err error) {
	for _, batch := range batches {
		if err := s.Append(context.Background(), batch[0].Seq-1, batch...); err != nil {
			return acknowledged, err
		}
		acknowledged = batch[len(batch)-1].Seq
	}
	return acknowledged, nil
}

func TestEverythingIsDurableInOrder(t *testing.T) {
	d := newDisk(stateDir(t))
	s, err := filejournal.Open(d.dir, d.options())
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(d.dir, "journal.jsonl"), "a run that is refused before its first entry leaves no journal")
	_, err = write(s, batches()[:2])
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.Equal(t, []string{
		"write journal.jsonl", "truncate journal.jsonl", "sync journal.jsonl", "sync .", "sync ..", // the header
		"write HEAD", "truncate HEAD", "sync HEAD", "sync .", "sync ..",
		"write journal.jsonl", "sync journal.jsonl", "write HEAD", // one entry
		"write journal.jsonl", "sync journal.jsonl", "write HEAD", // three entries
		"sync HEAD", // Close
	}, d.log)

	d.log = nil
	s, err = filejournal.Open(d.dir, d.options())
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 4, entry(5)))
	require.NoError(t, s.Close())
	require.Equal(t, []string{"write journal.jsonl", "sync journal.jsonl", "write HEAD", "sync HEAD"}, d.log)
}

// TestEveryOperationMayFail fails the n-th operation for every n, in every way,
// and requires that the store gives up, uses the file no more, and that what
// it had acknowledged is there when it is opened again.
func TestEveryOperationMayFail(t *testing.T) {
	ways := map[string]fault{
		"with an I/O error and nothing done":   {err: syscall.EIO},
		"with an I/O error and all of it done": {err: syscall.EIO, after: true},
		"because the disk is full, half done":  {err: syscall.ENOSPC, part: func(n int) int { return n / 2 }},
		"because the disk is full at the end":  {err: syscall.ENOSPC, part: func(n int) int { return n - 1 }},
		"by writing less without saying so":    {part: func(n int) int { return n / 2 }},
	}
	for way, how := range ways {
		t.Run(way, func(t *testing.T) {
			for n := 0; ; n++ {
				d := newDisk(stateDir(t))
				d.fail = func(op int, _, kind string) *fault {
					if op != n || how.err == nil && kind != "write" {
						return nil
					}
					return &how
				}
				s, err := filejournal.Open(d.dir, d.options())
				require.NoError(t, err)
				acknowledged, err := write(s, batches())
				operations := len(d.log)
				if d.failed != nil && err != nil {
					want := how.err
					if want == nil {
						want = io.ErrShortWrite
					}
					require.ErrorIs(t, err, want, "%v", d.log)
					require.NotErrorIs(t, err, journal.ErrClosed)
					err = s.Append(t.Context(), acknowledged, entry(acknowledged+1))
					require.ErrorIs(t, err, journal.ErrClosed)
					require.ErrorIs(t, err, want, "the cause is named again")
					for _, err := range s.Read(t.Context()) {
						require.ErrorIs(t, err, journal.ErrClosed)
					}
					require.NoError(t, s.Close())
					require.Len(t, d.log, operations, "a file that failed is used no more: %v", d.log)
				} else {
					require.NoError(t, err)
					if err := s.Close(); d.failed != nil {
						require.ErrorIs(t, err, how.err)
					} else {
						require.NoError(t, err)
					}
				}
				recovers(t, d.dir, acknowledged, fmt.Sprint(d.log))
				if len(d.log) <= n {
					return // every operation has had its turn
				}
			}
		})
	}
}

// recovers requires that the directory can be opened, has at least what was
// acknowledged, nothing but what was appended, and can be written on to the end.
func recovers(t *testing.T, dir string, acknowledged uint64, when string) {
	t.Helper()
	got, _, err := open(dir)
	require.NoError(t, err, when)
	require.GreaterOrEqual(t, len(got), int(acknowledged), when)
	require.LessOrEqual(t, len(got), 5, when)
	if len(got) > 0 {
		require.Equal(t, entries(1, uint64(len(got))), got, when)
	}
	require.NoError(t, appendOne(dir, uint64(len(got))), when)
}

// TestAPowerCutLosesNothingThatWasAcknowledged cuts the power after every
// operation. Of what was written and not synced any beginning may have reached
// the journal, or zeros in its place; either of HEAD's notes may have reached it
// or not, or half; and names that were not synced may be missing.
func TestAPowerCutLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	d := newDisk(stateDir(t))
	var acknowledged uint64
	type cut struct {
		acknowledged uint64
		journals     [][]byte
		heads        [][]byte
		operations   string
	}
	var cuts []cut
	d.watch = func() {
		c := cut{acknowledged: acknowledged, operations: strings.Join(d.log, ", ")}
		now := load(t, d.dir)
		whole := d.apply("journal.jsonl", now.journal, d.dirty["journal.jsonl"])
		durable := d.durable["journal.jsonl"]
		for n := len(durable); n <= len(whole); n++ {
			c.journals = append(c.journals, whole[:n])
			c.journals = append(c.journals, append(bytes.Clone(durable), make([]byte, n-len(durable))...))
		}
		if !d.named["journal.jsonl"] {
			c.journals = append(c.journals, nil)
		}
		notes := d.dirty["HEAD"]
		for i := range 1 << min(len(notes), 3) { // any of the last three notes
			var kept []span
			for j, note := range notes[max(0, len(notes)-3):] {
				if i&(1<<j) != 0 {
					kept = append(kept, note)
				}
			}
			head := d.apply("HEAD", now.head, kept)
			c.heads = append(c.heads, head)
			if len(kept) > 0 {
				last := kept[len(kept)-1]
				last.to = last.from + 60 // within the text of the slot
				c.heads = append(c.heads, d.apply("HEAD", now.head, append(kept[:len(kept)-1:len(kept)-1], last)))
			}
		}
		if !d.named["HEAD"] {
			c.heads = append(c.heads, nil)
		}
		cuts = append(cuts, c)
	}
	s, err := filejournal.Open(d.dir, d.options())
	require.NoError(t, err)
	for _, batch := range batches() {
		n, err := write(s, [][]journal.Entry{batch})
		require.NoError(t, err)
		acknowledged = n
	}
	require.NoError(t, s.Close())

	dir, tried := stateDir(t), 0
	for _, c := range cuts {
		for i, j := range c.journals {
			heads := c.heads
			if len(c.journals) > 50 && i%16 > 3 {
				heads = heads[i%len(heads):][:1]
			}
			for _, h := range heads {
				store(t, dir, state{j, h})
				recovers(t, dir, c.acknowledged, c.operations)
				tried++
			}
		}
	}
	t.Logf("%d states after %d power cuts", tried, len(cuts))
	require.Greater(t, tried, 1000)
}

// TestAFailedSyncIsNotBelieved: after a failed sync the kernel holds pages for
// written that are not. Who opens the journal again reads them, builds on them,
// and must have made them durable before.
func TestAFailedSyncIsNotBelieved(t *testing.T) {
	d := newDisk(stateDir(t))
	s, err := filejournal.Open(d.dir, d.options())
	require.NoError(t, err)
	_, err = write(s, batches()[:1])
	require.NoError(t, err)
	d.fail = func(_ int, name, kind string) *fault {
		if kind == "sync" && name == "journal.jsonl" {
			return &fault{err: syscall.EIO}
		}
		return nil
	}
	_, err = write(s, batches()[1:2])
	require.ErrorIs(t, err, syscall.EIO)
	require.NoError(t, s.Close())

	d.fail = nil
	s, err = filejournal.Open(d.dir, d.options())
	require.NoError(t, err)
	acknowledged, err := write(s, batches()[2:])
	require.NoError(t, err)
	require.NoError(t, s.Close())

	store(t, d.dir, state{d.durable["journal.jsonl"], d.durable["HEAD"]}) // the power is cut
	recovers(t, d.dir, acknowledged, "")
}

func TestARepairThatFailsIsReportedAndTriedAgain(t *testing.T) {
	dir := stateDir(t)
	states := history(t, dir, 3)
	for n := range 4 {
		store(t, dir, state{append(bytes.Clone(states[3].journal), `{"seq`...), states[1].head})
		d := newDisk(dir)
		d.fail = func(op int, _, _ string) *fault {
			if op == n {
				return &fault{err: syscall.EIO}
			}
			return nil
		}
		s, err := filejournal.Open(dir, d.options())
		if n == 3 {
			require.Equal(t, []string{"truncate journal.jsonl", "write journal.jsonl", "sync journal.jsonl"}, d.log)
			require.NoError(t, err)
			d.fail = nil
			require.NoError(t, s.Close())
			return
		}
		require.ErrorIs(t, err, syscall.EIO)
		got, _, err := open(dir)
		require.NoError(t, err)
		require.Equal(t, entries(1, 3), got)
	}
}

func TestReadingAndAppendingAtOnce(t *testing.T) {
	s, err := filejournal.Open(stateDir(t), unsynced)
	require.NoError(t, err)
	var wg sync.WaitGroup
	const n = 200
	wg.Go(func() {
		for seq := range uint64(n) {
			if err := s.Append(context.Background(), seq, entry(seq+1)); err != nil {
				t.Errorf("append: %v", err)
			}
		}
	})
	for range 2 {
		wg.Go(func() {
			for last := 0; last < n; {
				last = 0
				for e, err := range s.Read(context.Background()) {
					if err != nil {
						t.Errorf("read: %v", err)
						return
					}
					last = int(e.Seq)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Close())
}

func TestClosingWhileSomebodyReads(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, unsynced)
	require.NoError(t, err)
	var all []journal.Entry
	for seq := range uint64(50) {
		e := entry(seq + 1)
		e.Text = strings.Repeat("x", 10_000) // more than is read at once
		all = append(all, e)
	}
	require.NoError(t, s.Append(t.Context(), 0, all...))
	var got error
	for e, err := range s.Read(t.Context()) {
		if got = err; err == nil && e.Seq == 1 {
			require.NoError(t, s.Close())
			require.NoError(t, s.Close(), "closing again does nothing")
		}
	}
	require.ErrorIs(t, got, journal.ErrClosed)
}

func TestAJournalThatIsCutUnderAnOpenStoreIsNoticed(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entries(1, 3)...))
	whole := load(t, dir).journal
	lines := bytes.SplitAfter(whole, []byte("\n"))
	require.NoError(t, os.Truncate(filepath.Join(dir, "journal.jsonl"), int64(len(whole)-len(lines[3]))))
	var errs []error
	for _, err := range s.Read(t.Context()) {
		errs = append(errs, err)
	}
	require.Len(t, errs, 3)
	require.ErrorIs(t, errs[2], journal.ErrCorrupt)
	require.NoError(t, s.Close())
}

func TestWhatIsRefusedBeforeItIsWrittenLeavesNothing(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	huge := entry(1)
	huge.Text = strings.Repeat("x", journal.MaxEntry)
	require.ErrorIs(t, s.Append(t.Context(), 0, huge), journal.ErrTooLarge)
	bad := entry(1)
	bad.Facts = []byte("{")
	require.Error(t, s.Append(t.Context(), 0, bad))
	require.NoError(t, s.Append(t.Context(), 0))
	require.Equal(t, state{}, load(t, dir))
	require.NoError(t, s.Append(t.Context(), 0, entry(1)), "the store goes on")
	require.NoError(t, s.Close())
}

func TestAnErrorOfTheFilesCloseIsReported(t *testing.T) {
	broken := errors.New("broken")
	opts := &filejournal.Options{Disk: disktest.On(func(op *disktest.Op, do func() error) error {
		if op.Kind == "close" && slices.Contains([]string{"HEAD", "journal.jsonl"}, filepath.Base(op.Path)) {
			return errors.Join(broken, do())
		}
		return do()
	})}
	s, err := filejournal.Open(stateDir(t), opts)
	require.NoError(t, err)
	require.NoError(t, s.Append(t.Context(), 0, entry(1)))
	require.ErrorIs(t, s.Close(), broken)
}
