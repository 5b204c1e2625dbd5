package hostile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// paths opens stores under hostile paths, each wrong in several ways.
func paths(ctx context.Context, s *session) error {
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	name := strings.ReplaceAll(strings.ReplaceAll(s.attack(), "/", "_"), "\x00", "_")
	// Where a file system does not take a name, that is said of the name too.
	dir := filepath.Join(s.dir, "a"+name[:min(len(name), 150)])
	jo := &filejournal.Options{Ballast: -1, Disk: disktest.Unsynced()}
	vo := &filevault.Options{Disk: disktest.Unsynced()}
	try := func() {
		store, err := filejournal.Open(dir, jo)
		s.lookErr("filejournal.Open", err)
		if err == nil {
			err := store.Append(ctx, 0, journal.Entry{Seq: 1, Kind: journal.Opened, Epoch: 1, Env: s.attack(), Text: s.attack(), Opened: &journal.Opening{Run: s.attack()}})
			s.lookErr("filejournal.Append", err)
			_, err = filejournal.Open(dir, jo) // it is locked
			s.lookErr("filejournal.Open twice", err)
			s.lookErr("filejournal.Close", store.Close())
		}
		_, err = filejournal.Verify(ctx, dir, jo)
		s.lookErr("filejournal.Verify", err)
		_, err = filejournal.AcceptHead(dir, filejournal.Acceptance{Entries: 7}, jo)
		s.lookErr("filejournal.AcceptHead", err)
		vault, err := filevault.Open([]string{dir, dir, filepath.Join(dir, "x"), filepath.Join(dir, "y", "z")}, vo)
		s.lookErr("filevault.Open", err)
		if err == nil {
			s.lookErr("filevault.Close", vault.Close())
		}
		if vault, err = filevault.Open([]string{filepath.Join(dir, "v")}, vo); err == nil {
			f, _ := license.NewFile([]byte(s.attack() + "x"))
			label := adapters.Label{Environment: s.attack(), Serial: license.SerialNumber(s.attack()), Role: license.Role(s.attack()), Origin: s.attack()}
			stored, err := vault.Put(ctx, label, f)
			s.lookErr("filevault.Put", err)
			entries, _ := os.ReadDir(filepath.Join(dir, "v"))
			for _, e := range entries {
				_ = os.Chmod(filepath.Join(dir, "v", e.Name()), 0o644)
			}
			_, err = vault.Get(ctx, label.Serial, stored.Digest)
			s.lookErr("filevault.Get", err)
			_, err = vault.Get(ctx, license.SerialNumber(s.attack()), license.Digest(s.attack()))
			s.lookErr("filevault.Get", err)
			_, err = vault.List(ctx, label.Serial)
			s.lookErr("filevault.List", err)
			s.lookErr("filevault.Close", vault.Close())
		}
		d := attended.New(strings.NewReader(dir+"\n"+dir+"\n"), nowhere{s}, &attended.Options{Who: "x", Dir: filepath.Join(dir, "desk", "x")})
		_, err = d.BackupLicense(ctx, s.plan("").Infrastructure.Environments[0])
		s.lookErr("attended.BackupLicense", err)
	}
	try()
	var errs []error
	for _, harm := range []func() error{
		func() error { return os.Chmod(dir, 0o755) },
		func() error {
			return errors.Join(os.Chmod(dir, 0o700), os.Chmod(filepath.Join(dir, "journal.jsonl"), 0o644))
		},
		func() error { return os.Chmod(filepath.Join(dir, "journal.jsonl"), 0o600) },
		func() error { return os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte(s.attack()+"\n"), 0o600) },
		func() error {
			return errors.Join(os.Remove(filepath.Join(dir, "HEAD")), os.Symlink("x", filepath.Join(dir, "HEAD")))
		},
		func() error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) },
	} {
		if _, err := os.Lstat(dir); err != nil {
			break // the file system does not take this name
		}
		if err := harm(); err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, os.ErrInvalid) && !errors.Is(err, os.ErrExist) {
			errs = append(errs, err)
		}
		try()
	}
	return errors.Join(errs...)
}

// nowhere looks through what is written to it.
type nowhere struct{ s *session }

// Write implements io.Writer.
func (n nowhere) Write(b []byte) (int, error) {
	n.s.look("what people are shown", string(b))
	return len(b), nil
}
