package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// A folder is the state directory of a run:
//
//	LOCK journal.jsonl HEAD BALLAST  the journal (package filejournal)
//	backups/ copies/                 the backups, twice (package filevault)
//	plan.json                        the saved plan: what was seen, what will happen
//	plan.yaml                        the plan file as it was read
//	folder                           where that was: relative paths in it begin there
//	desk/                            license files laid out for a person to upload
//	hold-*.json                      requests of changeover hold, until the run has taken them
//
// As license files do, plan.yaml has the activation codes in it.
type folder string

func (d folder) path(name string) string { return filepath.Join(string(d), name) }

func (d folder) saved() string  { return d.path("plan.json") }
func (d folder) kept() string   { return d.path("plan.yaml") }
func (d folder) origin() string { return d.path("folder") }
func (d folder) desk() string   { return d.path("desk") }

// make creates the directory. One that others can enter is refused.
func (d folder) make() error {
	if err := os.Mkdir(string(d), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Stat(string(d))
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", printable.Whole(string(d)))
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others can enter %s\nclose it: chmod 700 %s", printable.Whole(string(d)), word(string(d)))
	}
	return nil
}

// mayWrite refuses a file that --out must not replace: one of the run, the plan
// file, and what is no ordinary file.
func (a *app) mayWrite(out string) error {
	info, err := os.Lstat(out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("--out: %s is not an ordinary file, and is not replaced\nname another one, or leave --out away and redirect stdout", printable.Whole(out))
	}
	if plan, err := os.Stat(a.plan); err == nil && info != nil && os.SameFile(info, plan) {
		return fmt.Errorf("--out: %s is the plan file, and is not replaced\nname another one", printable.Whole(out))
	}
	within, err := inside(out, a.state)
	if within {
		err = fmt.Errorf("--out: %s is in the directory of the run, where nothing else is written\nname another one", printable.Whole(out))
	}
	return err
}

// inside reports whether a file is, or would be, in a directory or below it,
// whatever both are called.
func inside(name, dir string) (bool, error) {
	want, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at, err := filepath.Abs(filepath.Dir(name))
	if err == nil {
		at, err = filepath.EvalSymlinks(at)
	}
	for err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(at); err == nil && os.SameFile(info, want) {
			return true, nil
		}
		if filepath.Dir(at) == at {
			return false, err
		}
		at = filepath.Dir(at)
	}
	return false, err
}

// replace writes a file whole or not at all. Only its owner can read it.
func replace(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// entries reads the journal without a lock.
func (d folder) entries(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return filejournal.Read(ctx, string(d), nil)
}

// begun reports whether the directory has a run.
func (d folder) begun(ctx context.Context) (bool, error) {
	if _, err := os.Stat(string(d)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	for _, err := range d.entries(ctx) {
		return err == nil, err
	}
	return false, nil
}

// file reads the plan file as it was kept. Nothing in it is contacted by who
// only looks at a run.
func (d folder) file() (*planfile.File, error) {
	b, err := os.ReadFile(d.kept())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no run\nname its directory with --state, or begin: changeover plan", printable.Whole(string(d)))
	}
	if err != nil {
		return nil, err
	}
	origin, err := os.ReadFile(d.origin())
	if err != nil {
		return nil, err
	}
	return planfile.Read(d.kept(), string(origin), bytes.NewReader(b))
}

// report says how the run stands, from what the directory has alone.
func (d folder) report(ctx context.Context) (*report.Report, *planfile.File, error) {
	f, err := d.file()
	if err != nil {
		return nil, nil, err
	}
	r, err := report.New(f.Plan, d.entries(ctx))
	if errors.Is(err, journal.ErrForeign) {
		err = fmt.Errorf("%w\nif %s was changed, put it back as it was when the run began", err, printable.Whole(d.kept()))
	}
	if err != nil {
		return nil, nil, err
	}
	if r.Run == "" {
		return nil, nil, fmt.Errorf("%w in %s\nbegin it: changeover apply", changeover.ErrNotBegun, printable.Whole(string(d)))
	}
	return r, f, nil
}

// save writes a preview.
func save(name string, p *changeover.Preview) error {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return replace(name, append(b, '\n'))
}

// preview reads a saved plan.
func preview(name string) (*changeover.Preview, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no saved plan %s\nmake one: changeover plan", printable.Whole(name))
	}
	if err != nil {
		return nil, err
	}
	p, err := changeover.ReadPreview(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable.Whole(name), err)
	}
	return p, nil
}

// A looker is a journal that is only looked at.
type looker struct{ folder }

// Append implements journal.Store.
func (l looker) Append(_ context.Context, _ uint64, entries ...journal.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	return fmt.Errorf("%w: it is only looked at", journal.ErrLocked)
}

// Read implements journal.Store.
func (l looker) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	if _, err := os.Stat(string(l.folder)); errors.Is(err, fs.ErrNotExist) {
		return func(func(journal.Entry, error) bool) {}
	}
	return l.entries(ctx)
}
