package tamper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
)

// backups is a vault in two directories with the licenses of two environments.
type backups struct{ labels []adapters.Label }

func newBackups() *backups {
	b := new(backups)
	for i, env := range []string{"Production", "Quality"} {
		b.labels = append(b.labels, adapters.Label{Environment: env, Serial: scene.Serial(i, 0), Role: license.Source, Origin: "portal"})
	}
	return b
}

func (b *backups) name() string { return "backups" }

// A vault is where it is tampered with.
type vault struct {
	dirs    []string
	stored  []adapters.Stored
	content map[string][]byte // by name of the file, equal in both directories
	names   []string
}

func (v *vault) open() (*filevault.Vault, error) {
	return filevault.Open(v.dirs, &filevault.Options{Now: new(fake.Clock).Now, Disk: disktest.Unsynced()})
}

// newVault fills a new vault.
func (b *backups) newVault(ctx context.Context, dir string) (*vault, error) {
	v := &vault{dirs: []string{filepath.Join(dir, "one"), filepath.Join(dir, "two")}, content: map[string][]byte{}}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	open, err := v.open()
	if err != nil {
		return nil, err
	}
	for _, label := range b.labels {
		for revision := range 2 {
			f := fake.LicenseFile(license.Details{Code: scene.Code(scene.Source), Serial: label.Serial, Organization: fmt.Sprint("Acme ", revision)}, "")
			s, err := open.Put(ctx, label, f)
			if err != nil {
				return nil, errors.Join(err, open.Close())
			}
			v.stored = append(v.stored, s)
		}
	}
	entries, err := os.ReadDir(v.dirs[0])
	for _, e := range entries {
		b, readErr := os.ReadFile(filepath.Join(v.dirs[0], e.Name()))
		err = errors.Join(err, readErr)
		v.names, v.content[e.Name()] = append(v.names, e.Name()), b
	}
	return v, errors.Join(err, open.Close())
}

// restore makes both directories what they were.
func (v *vault) restore() error {
	var errs []error
	for _, dir := range v.dirs {
		entries, err := os.ReadDir(dir)
		errs = append(errs, err)
		for _, e := range entries {
			if v.content[e.Name()] == nil {
				errs = append(errs, os.Remove(filepath.Join(dir, e.Name())))
			}
		}
		for _, name := range v.names {
			errs = append(errs, put(filepath.Join(dir, name), v.content[name]))
		}
	}
	return errors.Join(errs...)
}

// read reads everything and says of which class it is. harmed are the names of
// the files that were changed, and in how many directories.
func (v *vault) read(ctx context.Context, harmed []string, copies int) (c class, err error) {
	open, err := v.open()
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, open.Close(), v.restore()) }()
	whole := len(v.dirs) - copies
	c = unchanged
	for _, s := range v.stored {
		bytesHarmed := slices.ContainsFunc(harmed, func(n string) bool { return strings.HasSuffix(n, string(s.Digest)+".lic") })
		f, err := open.Get(ctx, s.Serial, s.Digest)
		switch {
		case err == nil && f.Digest() != s.Digest:
			return "", fmt.Errorf("filevault.Get returns other bytes than were asked for: %s", f.Digest().Short())
		case err == nil && bytesHarmed && whole == 0:
			return "", errors.New("filevault.Get returns a backup of which no copy is as it was")
		case err != nil && (!bytesHarmed || whole > 0):
			return "", fmt.Errorf("filevault.Get does not find the copy that is whole: %w", err)
		case err != nil && !errors.Is(err, adapters.ErrBackupDamaged) && !errors.Is(err, adapters.ErrBackupNotFound):
			return "", fmt.Errorf("filevault.Get does not say that the backup is lost: %w", err)
		case err != nil:
			c = refused
		case bytesHarmed:
			c = otherCopy
		}
	}
	for i, s := range v.stored {
		if i > 0 && v.stored[i-1].Serial == s.Serial {
			continue
		}
		list, err := open.List(ctx, s.Serial)
		for _, got := range list {
			i := slices.IndexFunc(v.stored, func(s adapters.Stored) bool {
				return s.Label == got.Label && s.Digest == got.Digest && s.Generation == got.Generation && s.At.Equal(got.At)
			})
			if i < 0 {
				return "", fmt.Errorf("filevault.List has a record that was never written: %+v", got)
			}
			bytesHarmed := slices.ContainsFunc(harmed, func(n string) bool { return strings.HasSuffix(n, string(got.Digest)+".lic") })
			if bytesHarmed && got.Copies != whole {
				return "", fmt.Errorf("filevault.List counts %d whole copies where there are %d", got.Copies, whole)
			}
		}
		// A manifest that is there and wrong is named.
		for _, name := range harmed {
			manifest := strings.HasSuffix(name, ".json") && strings.Contains(name, string(s.Digest))
			gone := !slices.ContainsFunc(v.dirs, func(dir string) bool {
				b, err := os.ReadFile(filepath.Join(dir, name))
				return err == nil && !bytes.Equal(b, v.content[name])
			})
			if manifest && !gone && err == nil {
				return "", errors.New("filevault.List does not name the manifest that was changed")
			}
			if manifest && !gone {
				c = refused
			}
			if manifest && gone {
				c = otherCopy
				if whole == 0 {
					c = unlisted
				}
			}
		}
		if err != nil && !errors.Is(err, filevault.ErrManifest) {
			return "", fmt.Errorf("filevault.List does not say that a manifest is damaged: %w", err)
		}
	}
	return c, nil
}

// kinds returns the ways of tampering with the vault.
func (b *backups) kinds(ctx context.Context, dir string) ([]kind, error) {
	v, err := b.newVault(ctx, dir)
	if err != nil {
		return nil, err
	}
	// change writes new content under a name, in the first or in both
	// directories, and reads.
	change := func(ctx context.Context, both bool, content map[string][]byte) (class, error) {
		dirs := v.dirs[:1]
		if both {
			dirs = v.dirs
		}
		var harmed []string
		for _, name := range v.names {
			b, ok := content[name]
			if !ok || bytes.Equal(b, v.content[name]) && b != nil {
				continue
			}
			harmed = append(harmed, name)
			for _, dir := range dirs {
				if err := put(filepath.Join(dir, name), b); err != nil {
					return "", err
				}
			}
		}
		return v.read(ctx, harmed, len(dirs))
	}
	// at finds the byte of all files that has a number.
	total := 0
	for _, name := range v.names {
		total += len(v.content[name])
	}
	at := func(i int) (string, int) {
		for _, name := range v.names {
			if i < len(v.content[name]) {
				return name, i
			}
			i -= len(v.content[name])
		}
		return "", 0
	}
	n := len(v.names)
	may := []class{otherCopy, unlisted}
	return []kind{
		{name: "a bit of a file is flipped", n: 2 * len(masks()) * total, may: may, try: func(ctx context.Context, i int) (class, error) {
			name, place := at(i / 2 / len(masks()))
			b := slices.Clone(v.content[name])
			b[place] ^= masks()[i/2%len(masks())]
			return change(ctx, i%2 == 1, map[string][]byte{name: b})
		}},
		{name: "a file is cut", n: 2 * total, may: may, try: func(ctx context.Context, i int) (class, error) {
			name, place := at(i / 2)
			return change(ctx, i%2 == 1, map[string][]byte{name: v.content[name][:place]})
		}},
		{name: "a file is removed", n: 2 * n, may: may, try: func(ctx context.Context, i int) (class, error) {
			return change(ctx, i%2 == 1, map[string][]byte{v.names[i/2]: nil})
		}},
		{name: "two files are swapped", n: 2 * n * n, may: may, try: func(ctx context.Context, i int) (class, error) {
			a, b := v.names[i/2/n], v.names[i/2%n]
			return change(ctx, i%2 == 1, map[string][]byte{a: v.content[b], b: v.content[a]})
		}},
	}, nil
}
