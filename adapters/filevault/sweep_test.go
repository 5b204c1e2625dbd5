package filevault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

var (
	errInjected = errors.New("injected: input/output error")
	errCrashed  = errors.New("injected: the process is dead")
)

// putting is one call of the script that the sweeps run.
type putting struct {
	label adapters.Label
	file  license.File
}

// script puts three backups, one of them twice.
func script(t testing.TB) []putting {
	installed := label
	installed.Origin = environment.OriginInstalled
	return []putting{
		{label, file(t, "license one")},
		{label, file(t, "license two")},
		{label, file(t, "license one")},
		{installed, file(t, "license one")},
	}
}

// unsynced leaves out the syncs: what they are good for is a matter of the
// model of power cuts, and thousands of real ones take a minute.
func unsynced(op, _ string, do func() error) error {
	if strings.HasPrefix(op, "sync") {
		return nil
	}
	return do()
}

// play runs the script until a call fails, and returns what was acknowledged.
func play(t testing.TB, dirs []string, opts *filevault.Options) (acknowledged []adapters.Stored, err error) {
	opts.Now = func() time.Time { return start }
	v, err := filevault.Open(dirs, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	for _, p := range script(t) {
		stored, err := v.Put(t.Context(), p.label, p.file)
		if err != nil {
			return acknowledged, err
		}
		acknowledged = append(acknowledged, stored)
	}
	return acknowledged, nil
}

// survived checks what a vault must hold after any interruption: everything
// that was acknowledged, and of everything else all copies or no record. Then
// the script is played to its end.
func survived(t testing.TB, dirs []string, acknowledged []adapters.Stored) error {
	v, err := filevault.Open(dirs, new(filevault.Options).WithAround(unsynced))
	if err != nil {
		return fmt.Errorf("opening again: %w", err)
	}
	defer v.Close()
	contents := map[license.Digest]string{}
	for _, p := range script(t) {
		contents[p.file.Digest()] = string(p.file.Bytes())
	}
	listed, err := v.List(t.Context(), label.Serial)
	if err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	for _, r := range acknowledged {
		if !slices.Contains(listed, r) {
			return fmt.Errorf("generation %d of %s was acknowledged and is lost", r.Generation, r.Serial)
		}
	}
	for _, r := range listed {
		if r.Copies != len(dirs) {
			return fmt.Errorf("generation %d is listed with %d copies", r.Generation, r.Copies)
		}
		f, err := v.Get(t.Context(), r.Serial, r.Digest)
		if err != nil {
			return fmt.Errorf("getting generation %d: %w", r.Generation, err)
		}
		if string(f.Bytes()) != contents[r.Digest] {
			return fmt.Errorf("generation %d has other bytes", r.Generation)
		}
	}
	for i, p := range script(t) {
		stored, err := v.Put(t.Context(), p.label, p.file)
		if err != nil {
			return fmt.Errorf("put %d once more: %w", i, err)
		}
		if i < len(acknowledged) && stored != acknowledged[i] {
			return fmt.Errorf("put %d once more gives another record", i)
		}
		if want := []int{1, 2, 1, 3}[i]; stored.Generation != want {
			return fmt.Errorf("put %d has generation %d, not %d", i, stored.Generation, want)
		}
	}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		if len(entries) != 6 {
			return fmt.Errorf("%d files in %s, not 3 pairs", len(entries), filepath.Base(dir))
		}
	}
	return nil
}

// injector strikes at one operation.
type injector struct {
	at    int  // index of the operation
	after bool // it is carried out, and reported as failed
	torn  bool // half of what it writes is written
	crash bool // and nothing happens any more
	reads bool // reading counts as an operation too; it makes a difference only if it fails
	count int
	dead  bool
	op    string
}

func (i *injector) around(op, path string, do func() error) error {
	if i.dead {
		return errCrashed
	}
	if !i.reads && (op == "list" || op == "open" || op == "read") {
		return unsynced(op, path, do)
	}
	n := i.count
	i.count++
	if n != i.at {
		return unsynced(op, path, do)
	}
	i.op, i.dead = op, i.crash
	if i.after || i.torn {
		if err := unsynced(op, path, do); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if i.torn && op == "write" {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if err := os.Truncate(path, info.Size()/2); err != nil {
			return err
		}
	}
	if i.crash {
		return errCrashed
	}
	return errInjected
}

func TestNoFailureOrCrashAtAnyOperationLosesABackup(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]injector{
		"the operation fails":                          {reads: true},
		"the operation fails although it was done":     {after: true},
		"the operation is done by half":                {torn: true},
		"the process dies before the operation":        {crash: true},
		"the process dies with the write done by half": {crash: true, torn: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ops := map[string]int{}
			n := 0
			for ; ; n++ {
				inj := kind
				inj.at = n
				dirs := twoDirs(t)
				acknowledged, err := play(t, dirs, new(filevault.Options).WithAround(inj.around))
				if inj.op == "" {
					require.NoError(t, err)
					break // every operation has had its turn
				}
				ops[inj.op]++
				require.Error(t, err, "operation %d (%s): the failure was swallowed", n, inj.op)
				require.NoError(t, survived(t, dirs, acknowledged), "operation %d (%s)", n, inj.op)
			}
			t.Logf("%d operations: %v", n, ops)
			want := []string{"close", "create", "link", "list", "mkdir", "open", "read", "remove", "sync", "sync directory", "sync parent", "write"}
			if !kind.reads {
				want = slices.DeleteFunc(want, func(op string) bool { return op == "list" || op == "open" || op == "read" })
			}
			require.Equal(t, want, slices.Sorted(maps.Keys(ops)))
		})
	}
}

func TestAfterAFailureTheSameVaultGoesOn(t *testing.T) {
	for n := 0; ; n++ {
		inj := injector{at: n, reads: true}
		dirs := twoDirs(t)
		v, err := filevault.Open(dirs, (&filevault.Options{Now: func() time.Time { return start }}).WithAround(inj.around))
		if err != nil {
			continue // it was one of opening
		}
		_, err = v.Put(t.Context(), label, file(t, "license"))
		if inj.op == "" {
			require.NoError(t, err)
			require.NoError(t, v.Close())
			return
		}
		require.ErrorIs(t, err, errInjected)
		_, err = v.Put(t.Context(), label, file(t, "license"))
		if inj.op == "sync directory" {
			require.ErrorContains(t, err, "takes nothing more until the vault is opened again", "operation %d", n)
		} else {
			require.NoError(t, err, "operation %d (%s)", n, inj.op)
			require.Len(t, list(t, v, label.Serial), 1)
		}
		require.NoError(t, v.Close())
	}
}

// A disk is a model of what a power cut may leave of the directories: names as
// of the last sync of their directory, plus any of the changes since; content
// as of the last sync of the file.
type disk struct {
	durable map[string]map[string][]byte // directory -> name -> content
	pending []change                     // since the last sync of their directory
	synced  map[string][]byte            // path -> content
	most    int                          // changes that were pending at a cut
}

type change struct {
	dir, name string
	content   []byte // nil: removed
}

func newDisk(dirs []string) *disk {
	d := &disk{durable: map[string]map[string][]byte{}, synced: map[string][]byte{}}
	for _, dir := range dirs {
		d.durable[dir] = map[string][]byte{}
	}
	return d
}

// did tells the disk what was done.
func (d *disk) did(op, path string) {
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	switch op {
	case "create":
		d.pending = append(d.pending, change{dir, name, []byte{}})
	case "sync":
		d.synced[path], _ = os.ReadFile(path)
		for i, c := range d.pending {
			if filepath.Join(c.dir, c.name) == path {
				d.pending[i].content = d.synced[path]
			}
		}
	case "link":
		// The new name has the content that was synced under another.
		content, _ := os.ReadFile(path)
		durable := []byte{}
		for _, b := range d.synced {
			if string(b) == string(content) {
				durable = b
			}
		}
		d.pending = append(d.pending, change{dir, name, durable})
	case "remove":
		d.pending = append(d.pending, change{dir, name, nil})
	case "sync directory":
		var later []change
		for _, c := range d.pending {
			if c.dir == path {
				c.apply(d.durable[path])
			} else {
				later = append(later, c)
			}
		}
		d.pending = later
	}
}

func (c change) apply(names map[string][]byte) {
	if c.content == nil {
		delete(names, c.name)
	} else {
		names[c.name] = c.content
	}
}

// maxPending is how many changes are pending at most in a program that syncs.
const maxPending = 3

// cuts calls check for every state that a power cut may leave now; if more
// than maxPending changes are pending, only for those in which the later ones
// are lost.
func (d *disk) cuts(t testing.TB, check func(dirs []string) error) error {
	d.most = max(d.most, len(d.pending))
	for subset := range 1 << min(len(d.pending), maxPending) {
		root := t.TempDir()
		var dirs []string
		for _, dir := range slices.Sorted(maps.Keys(d.durable)) {
			names := maps.Clone(d.durable[dir])
			for i, c := range d.pending {
				if c.dir == dir && subset&(1<<i) != 0 {
					c.apply(names)
				}
			}
			left := filepath.Join(root, filepath.Base(dir))
			dirs = append(dirs, left)
			if err := os.Mkdir(left, 0o700); err != nil {
				return err
			}
			// A temporary name and a final one of the same content may be one file.
			final := map[string]string{}
			for _, name := range slices.Sorted(maps.Keys(names)) {
				path := filepath.Join(left, name)
				if other, ok := final[string(names[name])]; ok && strings.HasPrefix(name, "tmp-") {
					if err := os.Link(other, path); err != nil {
						return err
					}
					continue
				}
				if err := os.WriteFile(path, names[name], 0o600); err != nil {
					return err
				}
				final[string(names[name])] = path
			}
		}
		if err := check(dirs); err != nil {
			return fmt.Errorf("%d changes pending, subset %b: %w", len(d.pending), subset, err)
		}
	}
	return nil
}

// powerCuts plays the script once for each operation, cuts the power after it,
// and returns the first violation. Operations called skip are left out, as by
// a program that forgets them.
func powerCuts(t testing.TB, skip string) (states, most int, err error) {
	for n := 0; ; n++ {
		dirs := twoDirs(t)
		d := newDisk(dirs)
		count, dead := 0, false
		acknowledged, _ := play(t, dirs, new(filevault.Options).WithAround(func(op, path string, do func() error) error {
			if dead {
				return errCrashed
			}
			if op == skip {
				return nil
			}
			if err := unsynced(op, path, do); err != nil {
				return err
			}
			d.did(op, path)
			if count++; count > n {
				dead = true
				return errCrashed
			}
			return nil
		}))
		if !dead {
			return states, most, nil
		}
		err := d.cuts(t, func(dirs []string) error { states++; return survived(t, dirs, acknowledged) })
		most = max(most, d.most)
		if err != nil {
			return states, most, fmt.Errorf("power cut after operation %d: %w", n, err)
		}
	}
}

func TestNoPowerCutLosesABackup(t *testing.T) {
	t.Parallel()
	states, most, err := powerCuts(t, "")
	require.NoError(t, err)
	t.Logf("%d states, at most %d changes pending", states, most)
	require.LessOrEqual(t, most, maxPending, "no state was left out")
	require.Greater(t, states, 200)
}

func TestTheModelOfPowerCutsNoticesAMissingSync(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"sync", "sync directory"} {
		_, _, err := powerCuts(t, op)
		require.Error(t, err, "without %q", op)
		t.Logf("without %q: %v", op, err)
	}
}

func TestAPutDoesWhatDurabilityAsksInThisOrder(t *testing.T) {
	dirs := twoDirs(t)
	var ops []string
	v := open(t, dirs, new(filevault.Options).WithAround(func(op, path string, do func() error) error {
		if op != "list" {
			ops = append(ops, fmt.Sprintf("%s %s%s", filepath.Base(filepath.Dir(path)), op, filepath.Ext(path)))
		}
		return do()
	}))
	ops = nil
	put(t, v, label, file(t, "license"))
	var got []string
	for _, op := range ops {
		if ext := filepath.Ext(op); ext == "" || strings.Contains(op, "link") { // what is there already is read
			got = append(got, op)
		}
	}
	var want []string
	for _, ext := range []string{".lic", ".json"} {
		for _, dir := range []string{"a", "b"} {
			parent := filepath.Base(filepath.Dir(dirs[0]))
			want = append(want, dir+" create", dir+" write", dir+" sync", dir+" close", dir+" open", dir+" read", dir+" close", dir+" link"+ext,
				parent+" sync directory", dir+" remove", parent+" sync directory")
		}
	}
	require.Equal(t, want, got)
}

func TestWhatIsStoredIsNeverTouchedAgain(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	put(t, v, label, file(t, "license one"))
	before := map[string]os.FileInfo{}
	for _, dir := range dirs {
		for _, ext := range []string{".lic", ".json"} {
			path := the(t, dir, ext)
			info, err := os.Lstat(path)
			require.NoError(t, err)
			before[path] = info
		}
	}
	for range 2 {
		_, err := play(t, dirs, new(filevault.Options))
		require.NoError(t, err)
	}
	for path, was := range before {
		is, err := os.Lstat(path)
		require.NoError(t, err)
		require.True(t, os.SameFile(was, is))
		require.Equal(t, was.ModTime(), is.ModTime())
		require.Equal(t, was.Size(), is.Size())
		require.Equal(t, was.Mode(), is.Mode())
	}
}

func TestAPutThatFindsTheFileStillMakesSureOfTheNames(t *testing.T) {
	// An earlier Put may have been cut off between the link and the sync.
	dirs := twoDirs(t)
	put(t, open(t, dirs, nil), label, file(t, "license"))
	synced := map[string]int{}
	v := open(t, dirs, new(filevault.Options).WithAround(func(op, path string, do func() error) error {
		if op == "sync directory" {
			synced[path]++
		}
		return do()
	}))
	put(t, v, label, file(t, "license"))
	for _, dir := range dirs {
		require.Positive(t, synced[dir])
	}
}
