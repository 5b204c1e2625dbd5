package tamper

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/internal/reliability/golden"
	"github.com/changeover-go/changeover/migration/journal"
)

// files is what a journal's directory has; nil: no such file.
type files struct{ journal, head []byte }

// A material is a journal as a run has left it, and as it was before.
type material struct {
	run     string
	flips   bool      // every byte of it is flipped in every way
	rotate  bool      // but in one way only, which changes from byte to byte
	cuts    bool      // it is cut at every byte, and every byte of HEAD is flipped and cut
	states  []files   // after each append; the last is how it was left
	lines   [][]byte  // of the journal as it was left
	entries [][]byte  // that it holds, as JSON
	other   *material // another journal
}

func (m *material) name() string { return m.run }
func (m *material) last() files  { return m.states[len(m.states)-1] }

// newMaterial makes a run and keeps its directory after every append.
func newMaterial(ctx context.Context, run golden.Run, dir string) (*material, error) {
	m := &material{run: run.Name}
	var errs []error
	s, err := run.Play(ctx, dir, func(s *golden.Stage) {
		s.Appended = func() {
			f, err := readFiles(s.Dir, s.Dir)
			m.states, errs = append(m.states, f), append(errs, err)
		}
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	f, err := readFiles(s.Dir, s.Dir)
	m.states = append(m.states, f)
	m.lines = slices.Collect(bytes.Lines(f.journal))
	if err == nil {
		m.entries, err = collect(filejournal.Read(ctx, s.Dir, nil))
	}
	return m, err
}

func readFiles(dir, headDir string) (f files, err error) {
	var errs []error
	f.journal, err = os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	errs = append(errs, err)
	f.head, err = os.ReadFile(filepath.Join(headDir, "HEAD"))
	return f, errors.Join(append(errs, err)...)
}

// put makes a file have that content; nil: there is none.
func put(path string, content []byte) error {
	if content == nil {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	return errors.Join(err, f.Truncate(int64(len(content))), f.Close())
}

// A place is a directory in which a journal is put to be read.
type place struct {
	*material
	dir, headDir string
}

func (p place) options() *filejournal.Options {
	o := &filejournal.Options{Ballast: -1, Disk: disktest.Unsynced()} // what is read does not depend on the disk
	if p.headDir != p.dir {
		o.HeadDir = p.headDir
	}
	return o
}

// read puts files into the directory and says what comes of them.
func (p place) read(ctx context.Context, f files) (class, error) {
	if err := errors.Join(put(filepath.Join(p.dir, "journal.jsonl"), f.journal), put(filepath.Join(p.headDir, "HEAD"), f.head)); err != nil {
		return "", err
	}
	found, errVerify := filejournal.Verify(ctx, p.dir, p.options())
	store, errOpen := filejournal.Open(p.dir, p.options())
	switch {
	case (errVerify == nil) != (errOpen == nil), errVerify != nil && errVerify.Error() != errOpen.Error():
		if store != nil {
			errOpen = errors.Join(errOpen, store.Close())
		}
		return "", fmt.Errorf("filejournal.Verify and Open differ: %v; %v", errVerify, errOpen)
	case errVerify != nil:
		return refused, p.named(f, errVerify)
	}
	entries, err := collect(store.Read(ctx))
	repaired := store.Repaired()
	if err := errors.Join(err, store.Close()); err != nil {
		return "", fmt.Errorf("it was opened, and then: %w", err)
	}
	if repaired != found.Unfinished {
		return "", fmt.Errorf("filejournal.Verify speaks of %d unfinished bytes, Open has cut %d", found.Unfinished, repaired)
	}
	return p.classify(f, found, entries)
}

// collect reads the entries as JSON.
func collect(all iter.Seq2[journal.Entry, error]) (entries [][]byte, err error) {
	for e, err := range all {
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		entries = append(entries, b)
	}
	return entries, nil
}

// named reports whether a refusal says what is wrong, and where.
func (p place) named(f files, err error) error {
	if !errors.Is(err, journal.ErrCorrupt) && !errors.Is(err, journal.ErrForeign) {
		return fmt.Errorf("it is refused, but not as damaged: %w", err)
	}
	if bytes.Equal(f.journal, p.last().journal) {
		if !strings.Contains(err.Error(), "HEAD") {
			return fmt.Errorf("it does not name HEAD: %w", err)
		}
		return nil
	}
	// A line shows what was done to the chain where it does not follow from the
	// one before it. As long as all follow, only HEAD can tell.
	lines := slices.Collect(bytes.Lines(f.journal))
	broken, whole := firstBroken(lines, p.lines[0])
	told := err.Error()
	switch {
	case strings.Contains(told, fmt.Sprintf("line %d:", broken)):
	case strings.Contains(told, "HEAD") && strings.Contains(told, "line ") && (whole || broken > firstDifference(p.lines, lines)):
	default:
		return fmt.Errorf("line %d, in which it shows, is not named: %w", broken, err)
	}
	return nil
}

// firstDifference returns the number of the first line that is another one.
func firstDifference(a, b [][]byte) int {
	i := 0
	for i < len(a) && i < len(b) && bytes.Equal(a[i], b[i]) {
		i++
	}
	return i + 1
}

// firstBroken returns the number of the first line that is not sealed, is not
// the header every journal begins with, or does not follow from the one before it. If all do, whole is true and the number is
// that of the line that would come next; so it is of a last line without an end.
func firstBroken(lines [][]byte, header []byte) (n int, whole bool) {
	before := ""
	for i, line := range lines {
		if !bytes.HasSuffix(line, []byte("\n")) {
			return i + 1, true
		}
		cut := bytes.LastIndex(line, []byte(hashKey))
		if cut < 0 || string(line) != string(line[:cut])+hashKey+sum(line[:cut])+lineEnd {
			return i + 1, false
		}
		if i == 0 && !bytes.Equal(line, header) {
			return 1, false
		}
		if i > 0 && !bytes.HasSuffix(line[:cut], []byte(prevKey+before+`"`)) {
			return i + 1, false
		}
		before = sum(line[:cut])
	}
	return len(lines) + 1, true
}

// What package filejournal says of the end of a line.
const (
	prevKey = `,"prev":"`
	hashKey = `,"hash":"`
	lineEnd = "\"}\n"
)

func sum(text []byte) string {
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:])
}

// classify says of which class a journal is that was taken.
func (p place) classify(f files, found filejournal.Report, entries [][]byte) (class, error) {
	for i, e := range entries {
		if i >= len(p.entries) || !bytes.Equal(e, p.entries[i]) {
			return "", fmt.Errorf("it is taken, and its entry %d is not the one that was written", i+1)
		}
	}
	switch all := len(entries) == len(p.entries); {
	case all && bytes.Equal(f.journal, p.last().journal) && bytes.Equal(f.head, p.last().head):
		return unchanged, nil
	case all && found.DamagedSlots > 0:
		return oneSlot, nil
	case all && found.Unfinished > 0:
		return torn, nil
	case all:
		return oldHead, nil
	case slices.ContainsFunc(p.states, func(s files) bool { return bytes.Equal(s.journal, f.journal) && bytes.Equal(s.head, f.head) }):
		return together, nil
	}
	return unknown, nil
}
