package filevault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

var (
	start = time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.FixedZone("UTC+2", 7200))
	label = adapters.Label{Environment: "Production", Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH", Role: license.Source, Origin: environment.OriginPortal}
)

func file(t testing.TB, text string) license.File {
	t.Helper()
	f, err := license.NewFile([]byte(text))
	require.NoError(t, err)
	return f
}

// twoDirs returns two directories that do not exist yet.
func twoDirs(t testing.TB) []string {
	t.Helper()
	dir := t.TempDir()
	return []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
}

func open(t testing.TB, dirs []string, opts *filevault.Options) *filevault.Vault {
	t.Helper()
	if opts == nil {
		opts = &filevault.Options{Now: func() time.Time { return start }}
	}
	v, err := filevault.Open(dirs, opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = v.Close() })
	return v
}

func put(t testing.TB, v *filevault.Vault, l adapters.Label, f license.File) adapters.Stored {
	t.Helper()
	stored, err := v.Put(t.Context(), l, f)
	require.NoError(t, err)
	return stored
}

func list(t testing.TB, v *filevault.Vault, serial license.SerialNumber) []adapters.Stored {
	t.Helper()
	records, err := v.List(t.Context(), serial)
	require.NoError(t, err)
	return records
}

// the returns the only file in dir whose name ends so.
func the(t testing.TB, dir, ext string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"+ext))
	require.NoError(t, err)
	require.Len(t, paths, 1)
	return paths[0]
}

// overwrite replaces a file's content in place.
func overwrite(t testing.TB, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, content, 0o600))
}

func TestABackupComesBackAsItWasPut(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	stored := put(t, v, label, file(t, "license one"))
	require.Equal(t, adapters.Stored{Label: label, Digest: file(t, "license one").Digest(), Generation: 1, Copies: 2, At: start.UTC()}, stored)

	for name, v := range map[string]*filevault.Vault{
		"in the same vault": v, "after opening it again": open(t, dirs, nil), "from the second directory alone": open(t, dirs[1:], nil),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := v.Get(t.Context(), label.Serial, stored.Digest)
			require.NoError(t, err)
			require.Equal(t, "license one", string(f.Bytes()))
			require.Len(t, list(t, v, label.Serial), 1)
		})
	}
}

func TestGenerationsCountPerSerialNumber(t *testing.T) {
	v := open(t, twoDirs(t), nil)
	other := label
	other.Serial, other.Environment = "ZZZ-BBB-CCC-DDD-EEE-FFF-GGG-HHH", "Quality"
	for i := range 12 {
		require.Equal(t, i+1, put(t, v, label, file(t, fmt.Sprint("license ", i))).Generation)
	}
	require.Equal(t, 1, put(t, v, other, file(t, "license 0")).Generation)

	records := list(t, v, label.Serial)
	require.Len(t, records, 12)
	for i, r := range records {
		require.Equal(t, i+1, r.Generation)
		require.Equal(t, file(t, fmt.Sprint("license ", i)).Digest(), r.Digest)
	}
	require.Len(t, list(t, v, other.Serial), 1)
	require.Empty(t, list(t, v, "never seen"))
}

func TestTheSameFileAndLabelIsStoredOnce(t *testing.T) {
	dirs := twoDirs(t)
	now := start
	v := open(t, dirs, &filevault.Options{Now: func() time.Time { now = now.Add(time.Hour); return now }})
	first := put(t, v, label, file(t, "license"))
	put(t, v, label, file(t, "another"))
	require.Equal(t, first, put(t, v, label, file(t, "license")), "with the time of the first")

	for name, change := range map[string]func(*adapters.Label){
		"another origin":      func(l *adapters.Label) { l.Origin = environment.OriginInstalled },
		"another role":        func(l *adapters.Label) { l.Role = license.Target },
		"another environment": func(l *adapters.Label) { l.Environment = "Production 2" },
	} {
		l := label
		change(&l)
		before := len(list(t, v, label.Serial))
		require.Equal(t, before+1, put(t, v, l, file(t, "license")).Generation, name)
		require.Equal(t, before+1, put(t, v, l, file(t, "license")).Generation, name)
	}
}

func TestADirectoryThatLacksTheCopyIsGivenIt(t *testing.T) {
	dirs := twoDirs(t)
	first := put(t, open(t, dirs[:1], nil), label, file(t, "license"))
	require.Equal(t, 1, first.Copies)

	both := open(t, dirs, nil)
	require.Equal(t, 1, list(t, both, label.Serial)[0].Copies)
	again := put(t, both, label, file(t, "license"))
	require.Equal(t, 2, again.Copies)
	again.Copies = 1
	require.Equal(t, first, again)
	require.Equal(t, 2, list(t, both, label.Serial)[0].Copies)
	require.Equal(t, 1, list(t, open(t, dirs[1:], nil), label.Serial)[0].Copies)
}

func TestNamesComeFromHashesOnly(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	hostile := adapters.Label{Environment: "../../CON\x1b[2J\u202e", Serial: "../serial", Role: license.Source, Origin: environment.OriginPortal}
	stored := put(t, v, hostile, file(t, "license"))
	require.Equal(t, hostile, stored.Label)
	require.Equal(t, hostile, list(t, v, hostile.Serial)[0].Label)

	name := regexp.MustCompile(`^[0-9a-f]{32}-000001-[0-9a-f]{64}\.(lic|json)$`)
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 2)
		for _, e := range entries {
			require.Regexp(t, name, e.Name())
		}
		manifest, err := os.ReadFile(the(t, dir, ".json"))
		require.NoError(t, err)
		require.NotContains(t, string(manifest), "\x1b")
		require.NotContains(t, string(manifest), "\u202e")
	}
}

func TestPutRefusesWhatWouldNotComeBack(t *testing.T) {
	v := open(t, twoDirs(t), nil)
	for name, change := range map[string]func(*adapters.Label){
		"an empty serial number":  func(l *adapters.Label) { l.Serial = "" },
		"a name that is no UTF-8": func(l *adapters.Label) { l.Environment = "\xff" },
		"a very long name":        func(l *adapters.Label) { l.Environment = strings.Repeat("x", 1025) },
		"a very long role":        func(l *adapters.Label) { l.Role = license.Role(strings.Repeat("x", 1025)) },
		"an origin no UTF-8":      func(l *adapters.Label) { l.Origin = "\xc3\x28" },
	} {
		t.Run(name, func(t *testing.T) {
			l := label
			change(&l)
			_, err := v.Put(t.Context(), l, file(t, "license"))
			require.Error(t, err)
			require.Nil(t, adapters.ConditionOf(err))
			require.Empty(t, list(t, v, l.Serial))
		})
	}
	_, err := v.Put(t.Context(), label, license.File{})
	require.ErrorContains(t, err, "no file")

	far := open(t, twoDirs(t), &filevault.Options{Now: func() time.Time { return time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }})
	_, err = far.Put(t.Context(), label, file(t, "license"))
	require.ErrorContains(t, err, "clock")
}

func TestTheLongestLabelFitsAManifest(t *testing.T) {
	v := open(t, twoDirs(t), nil)
	long := label
	for _, part := range []string{strings.Repeat("\x01", 1024), strings.Repeat("\u202e", 341), strings.Repeat("\U000E0001", 256)} {
		long.Environment, long.Role, long.Origin = part, license.Role(part), part
		put(t, v, long, file(t, "license"))
	}
	require.Len(t, list(t, v, label.Serial), 3)
}

func TestADamagedCopyIsPassedOver(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"a flipped bit":    func(t *testing.T, path string) { overwrite(t, path, []byte("licensf")) },
		"a cut":            func(t *testing.T, path string) { overwrite(t, path, []byte("licens")) },
		"nothing left":     func(t *testing.T, path string) { overwrite(t, path, nil) },
		"something added":  func(t *testing.T, path string) { overwrite(t, path, []byte("license ")) },
		"far too large":    func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, license.MaxFileBytes+1)) },
		"it has gone away": func(t *testing.T, path string) { require.NoError(t, os.Remove(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dirs := twoDirs(t)
			v := open(t, dirs, nil)
			stored := put(t, v, label, file(t, "license"))
			whole := put(t, v, label, file(t, "whole"))
			path := func(dir string) string {
				paths, err := filepath.Glob(filepath.Join(dir, "*-"+string(stored.Digest)+".lic"))
				require.NoError(t, err)
				require.Len(t, paths, 1)
				return paths[0]
			}

			damage(t, path(dirs[0]))
			f, err := v.Get(t.Context(), label.Serial, stored.Digest)
			require.NoError(t, err)
			require.Equal(t, "license", string(f.Bytes()))
			records := list(t, v, label.Serial)
			require.Equal(t, []int{1, 2}, []int{records[0].Copies, records[1].Copies})

			damage(t, path(dirs[1]))
			_, err = v.Get(t.Context(), label.Serial, stored.Digest)
			if name == "it has gone away" {
				require.ErrorIs(t, err, adapters.ErrBackupNotFound)
			} else {
				require.ErrorIs(t, err, adapters.ErrBackupDamaged)
				require.Same(t, adapters.ErrBackupDamaged, adapters.ConditionOf(err))
			}
			require.NotContains(t, err.Error(), "licens")
			records = list(t, v, label.Serial)
			require.Equal(t, []int{0, 2}, []int{records[0].Copies, records[1].Copies})

			// It can be stored again, and is whole then.
			again := put(t, v, label, file(t, "license"))
			require.Equal(t, 2, again.Copies)
			if name != "it has gone away" {
				require.Equal(t, 3, again.Generation, "what is damaged is left as it is")
			}
			require.Equal(t, again, put(t, v, label, file(t, "license")))
			_, err = v.Get(t.Context(), label.Serial, stored.Digest)
			require.NoError(t, err)
			require.Equal(t, whole, list(t, v, label.Serial)[1])
		})
	}
}

func TestADamagedManifestIsNamedAndHidesNothing(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	stored := put(t, v, label, file(t, "license"))
	damaged := []string{the(t, dirs[0], ".json"), the(t, dirs[1], ".json")}
	content, err := os.ReadFile(damaged[0])
	require.NoError(t, err)
	second := put(t, v, label, file(t, "second"))

	t.Run("every flipped bit and every cut is noticed", func(t *testing.T) {
		for i := range content {
			for _, mask := range []byte{0x01, 0x20, 0x80} {
				flipped := append([]byte(nil), content...)
				flipped[i] ^= mask
				overwrite(t, damaged[0], flipped)
				records, err := v.List(t.Context(), label.Serial)
				require.ErrorIs(t, err, filevault.ErrManifest, "byte %d, mask %#x", i, mask)
				require.Contains(t, err.Error(), filepath.Base(damaged[0]))
				require.Equal(t, []adapters.Stored{stored, second}, records)
			}
			overwrite(t, damaged[0], content[:i])
			_, err := v.List(t.Context(), label.Serial)
			require.ErrorIs(t, err, filevault.ErrManifest, "cut at %d", i)
		}
	})
	t.Run("so is everything that JSON would forgive", func(t *testing.T) {
		text := string(content)
		for _, other := range []string{
			text + text, text + " ", " " + text, strings.TrimSuffix(text, "\n"),
			strings.Replace(text, `"role"`, `"Role"`, 1),
			strings.Replace(text, `{`, `{"version":1,`, 1),
			strings.Replace(text, `{`, `{"extra":1,`, 1),
			strings.Replace(text, `"version":1`, `"version":2`, 1),
			strings.Repeat(text, 100), "null\n", "{}\n", "[]\n",
		} {
			overwrite(t, damaged[0], []byte(other))
			_, err := v.List(t.Context(), label.Serial)
			require.ErrorIs(t, err, filevault.ErrManifest, other)
		}
	})
	t.Run("and the manifest of another backup", func(t *testing.T) {
		paths, err := filepath.Glob(filepath.Join(dirs[0], "*-"+string(second.Digest)+".json"))
		require.NoError(t, err)
		other, err := os.ReadFile(paths[0])
		require.NoError(t, err)
		overwrite(t, damaged[0], other)
		_, err = v.List(t.Context(), label.Serial)
		require.ErrorIs(t, err, filevault.ErrManifest)
	})
	t.Run("the bytes are served when every manifest is damaged", func(t *testing.T) {
		overwrite(t, damaged[0], []byte("garbage"))
		overwrite(t, damaged[1], []byte("garbage"))
		records, err := v.List(t.Context(), label.Serial)
		require.ErrorIs(t, err, filevault.ErrManifest)
		require.Contains(t, err.Error(), damaged[0])
		require.Contains(t, err.Error(), damaged[1])
		require.Equal(t, []adapters.Stored{second}, records)
		f, err := v.Get(t.Context(), label.Serial, stored.Digest)
		require.NoError(t, err)
		require.Equal(t, "license", string(f.Bytes()))
	})
	t.Run("the generation is not given away again", func(t *testing.T) {
		again := put(t, v, label, file(t, "license"))
		require.Equal(t, 3, again.Generation)
		require.Equal(t, 2, again.Copies)
	})
}

func TestWhatCannotBeReadIsNeitherDamagedNorMissing(t *testing.T) {
	broken := fmt.Errorf("input/output error")
	dirs := twoDirs(t)
	stored := put(t, open(t, dirs, nil), label, file(t, "license"))
	for _, op := range []string{"list", "read"} {
		t.Run(op, func(t *testing.T) {
			on := filepath.Base(dirs[0])
			armed := false
			v := open(t, dirs, new(filevault.Options).WithAround(func(o, path string, do func() error) error {
				if armed && o == op && strings.Contains(path, string(filepath.Separator)+on) {
					return broken
				}
				return do()
			}))
			armed = true
			_, err := v.Get(t.Context(), label.Serial, stored.Digest)
			require.NoError(t, err, "the other directory has it")
			records, err := v.List(t.Context(), label.Serial)
			require.ErrorIs(t, err, broken)
			require.Len(t, records, 1)
			_, err = v.Put(t.Context(), label, file(t, "new"))
			require.ErrorIs(t, err, broken)

			_, err = v.Get(t.Context(), label.Serial, license.Digest(strings.Repeat("0", 64)))
			if op == "list" {
				require.Nil(t, adapters.ConditionOf(err), "it may be in the directory that cannot be listed")
			} else {
				require.ErrorIs(t, err, adapters.ErrBackupNotFound)
			}
			on = "" // both
			_, err = v.Get(t.Context(), label.Serial, stored.Digest)
			require.ErrorIs(t, err, broken)
			require.Nil(t, adapters.ConditionOf(err))
		})
	}
}

func TestOpenRefusesWithEveryReason(t *testing.T) {
	dir := t.TempDir()
	_, err := filevault.Open(nil, nil)
	require.ErrorContains(t, err, "no directory")

	same := filepath.Join(dir, "same")
	inTheWay := filepath.Join(dir, "file")
	overwrite(t, inTheWay, nil)
	_, err = filevault.Open([]string{same, filepath.Join(dir, ".", "same"), inTheWay, filepath.Join(dir, "no", "parent")}, nil)
	require.ErrorContains(t, err, "are the same directory")
	require.ErrorContains(t, err, "is not a directory")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoDirExists(t, filepath.Join(dir, "no"))
}

func TestACanceledCallChangesNothing(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	stored := put(t, v, label, file(t, "license"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.Put(ctx, label, file(t, "more"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = v.Get(ctx, label.Serial, stored.Digest)
	require.ErrorIs(t, err, context.Canceled)
	_, err = v.List(ctx, label.Serial)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []adapters.Stored{stored}, list(t, v, label.Serial))
}

func TestACallThatWaitsForAnotherCanBeCanceled(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	v := open(t, twoDirs(t), new(filevault.Options).WithAround(func(op, _ string, do func() error) error {
		if op == "write" {
			once.Do(func() { close(entered); <-leave })
		}
		return do()
	}))
	done := make(chan error, 1)
	go func() {
		_, err := v.Put(t.Context(), label, file(t, "slow"))
		done <- err
	}()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.Put(ctx, label, file(t, "impatient"))
	require.ErrorIs(t, err, context.Canceled)
	close(leave)
	require.NoError(t, <-done)
	require.Len(t, list(t, v, label.Serial), 1)
}

func TestCancellationIsNoticedBetweenDirectories(t *testing.T) {
	dirs := twoDirs(t)
	ctx, cancel := context.WithCancel(t.Context())
	v := open(t, dirs, new(filevault.Options).WithAround(func(op, path string, do func() error) error {
		if op == "link" {
			cancel()
		}
		return do()
	}))
	_, err := v.Put(ctx, label, file(t, "license"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotEmpty(t, the(t, dirs[0], ".lic"))
	entries, err := os.ReadDir(dirs[1])
	require.NoError(t, err)
	require.Empty(t, entries)
	require.Empty(t, list(t, v, label.Serial), "an unfinished Put leaves no record")
}

func TestConcurrentPutsLoseNothing(t *testing.T) {
	dirs := twoDirs(t)
	v := open(t, dirs, nil)
	const serials, files = 4, 5
	var wg sync.WaitGroup
	for s := range serials {
		for f := range files {
			wg.Go(func() {
				l := label
				l.Serial = license.SerialNumber(fmt.Sprint("serial ", s))
				for range 2 {
					if _, err := v.Put(t.Context(), l, file(t, fmt.Sprint("license ", f))); err != nil {
						t.Error(err)
					}
					if _, err := v.List(t.Context(), l.Serial); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	for s := range serials {
		records := list(t, v, license.SerialNumber(fmt.Sprint("serial ", s)))
		require.Len(t, records, files)
		for i, r := range records {
			require.Equal(t, i+1, r.Generation)
			require.Equal(t, 2, r.Copies)
		}
	}
}

func TestTwoVaultsOnTheSameDirectoriesLoseNothing(t *testing.T) {
	dirs := twoDirs(t)
	vaults := []*filevault.Vault{open(t, dirs, nil), open(t, dirs, nil)}
	var mu sync.Mutex
	acknowledged := map[license.Digest]bool{}
	var wg sync.WaitGroup
	for i, v := range vaults {
		for n := range 20 {
			wg.Go(func() {
				f := file(t, fmt.Sprint("license ", i, " ", n))
				// It may fail, since the other removes what looks like a leftover.
				if _, err := v.Put(t.Context(), label, f); err == nil {
					mu.Lock()
					defer mu.Unlock()
					acknowledged[f.Digest()] = true
				}
			})
		}
	}
	wg.Wait()
	t.Logf("%d of 40 acknowledged", len(acknowledged))
	require.NotEmpty(t, acknowledged)
	v := open(t, dirs, nil)
	listed := map[license.Digest]bool{}
	for _, r := range list(t, v, label.Serial) {
		listed[r.Digest] = r.Copies == 2
	}
	for digest := range acknowledged {
		require.True(t, listed[digest])
		_, err := v.Get(t.Context(), label.Serial, digest)
		require.NoError(t, err)
	}
}

func TestAClosedVaultAnswersWithAnError(t *testing.T) {
	v := open(t, twoDirs(t), nil)
	stored := put(t, v, label, file(t, "license"))
	require.NoError(t, v.Close())
	_, err := v.Put(t.Context(), label, file(t, "more"))
	require.Error(t, err)
	_, err = v.Get(t.Context(), label.Serial, stored.Digest)
	require.Error(t, err)
	require.Nil(t, adapters.ConditionOf(err))
	_, err = v.List(t.Context(), label.Serial)
	require.Error(t, err)
}

func TestOpeningAndReadingChangeNothing(t *testing.T) {
	dirs := twoDirs(t)
	stored := put(t, open(t, dirs, nil), label, file(t, "license"))
	leftover := filepath.Join(dirs[0], "tmp-0123456789abcdef0123456789abcdef")
	overwrite(t, leftover, []byte("unfinished"))
	require.NoError(t, os.Link(the(t, dirs[1], ".lic"), filepath.Join(dirs[1], "tmp-0123456789abcdef0123456789abcdef")))

	v := open(t, dirs, nil)
	require.Equal(t, 2, list(t, v, label.Serial)[0].Copies)
	_, err := v.Get(t.Context(), label.Serial, stored.Digest)
	require.NoError(t, err)
	require.FileExists(t, leftover)

	put(t, v, label, file(t, "more"))
	for _, dir := range dirs {
		leftovers, err := filepath.Glob(filepath.Join(dir, "tmp-*"))
		require.NoError(t, err)
		require.Empty(t, leftovers, "the next Put tidies up")
	}
}

func TestDescribe(t *testing.T) {
	require.Equal(t, "files, copies kept: 2", adapters.Describe(open(t, twoDirs(t), nil)))
}

// A manifest that is accepted is the one way of writing it, and a byte more or
// less is refused.
func FuzzManifest(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "vault")
	v, err := filevault.Open([]string{dir}, &filevault.Options{Now: func() time.Time { return start }})
	require.NoError(f, err)
	_, err = v.Put(f.Context(), label, file(f, "license"))
	require.NoError(f, errors.Join(err, v.Close()))
	content, err := os.ReadFile(the(f, dir, ".json"))
	require.NoError(f, err)
	f.Add(content)
	f.Add(bytes.ToUpper(content))
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := filevault.RewriteManifest(b)
		if err != nil {
			return
		}
		require.Equal(t, string(b), again)
		_, err = filevault.RewriteManifest(append(b, ' '))
		require.Error(t, err)
		_, err = filevault.RewriteManifest(b[:len(b)-1])
		require.Error(t, err)
	})
}

// A name that is accepted is one that the vault gives.
func FuzzName(f *testing.F) {
	f.Add("dd6f726c1b77d9ccac2bbdbfb63b6c1c-000001-cc1d3b0234846714b0aeda6cc34b057b4305bb83dd447fb88f816efeb59a4e96.lic")
	f.Add("dd6f726c1b77d9ccac2bbdbfb63b6c1c-000000-cc1d3b0234846714b0aeda6cc34b057b4305bb83dd447fb88f816efeb59a4e96.json")
	f.Add("../-+1-/.lic")
	f.Fuzz(func(t *testing.T, s string) {
		if again, ok := filevault.RewriteName(s); ok {
			require.Equal(t, s, again)
			require.Regexp(t, `^[0-9a-f]{32}-[0-9]{6}-[0-9a-f]{64}\.(lic|json)$`, s)
		}
	})
}
