package adaptertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/license"
)

func newVault(t *testing.T, s worldtest.Scene) (adaptertest.BackupVaultHarness, *vault) {
	h := s.BackupVaultHarness(t)
	sys := newSystem(t)
	h.System = sys.harness()
	stored, reopen := h.Vault, h.Reopen
	p := &vault{
		put: func(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
			return stored.Put(ctx, label, file)
		},
		get: func(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
			return stored.Get(ctx, serial, digest)
		},
		list: func(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
			return stored.List(ctx, serial)
		},
	}
	h.Vault = p
	h.Reopen = func() adapters.BackupVault {
		stored = reopen()
		return p
	}
	for _, m := range vaultMethods() {
		m.wrap(p, sys.reach)
	}
	return h, p
}

func vaultMethods() []method[vault] {
	return []method[vault]{
		{name: "Put", mutates: true, wrap: func(p *vault, around around) {
			inner := p.put
			p.put = func(ctx context.Context, label adapters.Label, file license.File) (stored adapters.Stored, err error) {
				err = around(ctx, func(ctx context.Context) error {
					stored, err = inner(ctx, label, file)
					return err
				})
				return stored, err
			}
		}},
		{name: "Get", wrap: func(p *vault, around around) {
			inner := p.get
			p.get = func(ctx context.Context, serial license.SerialNumber, digest license.Digest) (file license.File, err error) {
				err = around(ctx, func(ctx context.Context) error {
					file, err = inner(ctx, serial, digest)
					return err
				})
				return file, err
			}
		}},
		{name: "List", wrap: func(p *vault, around around) {
			inner := p.list
			p.list = func(ctx context.Context, serial license.SerialNumber) (list []adapters.Stored, err error) {
				err = around(ctx, func(ctx context.Context) error {
					list, err = inner(ctx, serial)
					return err
				})
				return list, err
			}
		}},
	}
}

func TestSuiteOfBackupVault(t *testing.T) {
	type (
		H      = adaptertest.BackupVaultHarness
		P      = vault
		label  = adapters.Label
		stored = adapters.Stored
		serial = license.SerialNumber
		digest = license.Digest
	)
	const (
		puts        = "Put returns the record of the file"
		generations = "Put counts generations for each serial number"
		putAgain    = "Put of the same file and label again stores nothing"
		otherLabel  = "Put of the same file under another label stores it again"
		keepsOthers = "Put changes no other record or file"
		durable     = "what Put has stored is there after a crash"
		gets        = "Get returns the bytes that were stored"
		notThere    = "Get does not find what was not stored for the serial number"
		damaged     = "Get says that no copy is whole"
		passesOver  = "Get passes over damaged copies"
		lists       = "List returns the records, oldest generation first"
		counts      = "List counts the copies that are whole now"
		copies      = "List returns a copy"
	)
	// onRecord changes records alike wherever they are returned.
	onRecord := func(change func(h *H, s *stored)) func(*H, *P) {
		return func(h *H, p *P) {
			put, list := p.put, p.list
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				s, err := put(ctx, l, f)
				if err == nil {
					change(h, &s)
				}
				return s, err
			}
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				l, err := list(ctx, n)
				for i := range l {
					change(h, &l[i])
				}
				return l, err
			}
		}
	}
	onList := func(change func(h *H, n serial, l []stored) []stored) func(*H, *P) {
		return func(h *H, p *P) {
			inner := p.list
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				l, err := inner(ctx, n)
				if err == nil {
					l = change(h, n, l)
				}
				return l, err
			}
		}
	}
	// failing changes how Get fails.
	failing := func(c *adapters.Condition, with func(error) error) func(*H, *P) {
		return func(_ *H, p *P) {
			inner := p.get
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				f, err := inner(ctx, n, d)
				if errors.Is(err, c) {
					err = with(err)
				}
				return f, err
			}
		}
	}
	fine := func(error) error { return nil }
	plain := func(error) error { return errors.New("no") }
	uncertain := func(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) }

	wrongs := []wrong[H, P]{
		{puts, "the time is missing", onRecord(func(_ *H, s *stored) { s.At = time.Time{} })},
		{puts, "the label is incomplete", onRecord(func(_ *H, s *stored) {
			if s.Generation == 1 {
				s.Environment = ""
			}
		})},
		{puts, "the digest is missing", onRecord(func(_ *H, s *stored) {
			if s.Generation == 1 {
				s.Digest = ""
			}
		})},
		{puts, "a copy was not read back", func(h *H, p *P) {
			damage, any := h.Damage, false
			h.Damage = func(n serial, d digest, copies int) { any = true; damage(n, d, copies) }
			onRecord(func(_ *H, s *stored) {
				if !any && s.Generation == 1 {
					s.Copies--
				}
			})(h, p)
		}},
		{generations, "they count from zero", onRecord(func(_ *H, s *stored) { s.Generation-- })},
		{generations, "they count on for another serial number", onRecord(func(h *H, s *stored) {
			if s.Serial == h.Other {
				s.Generation += 10
			}
		})},
		{putAgain, "it is stored again", func(_ *H, p *P) {
			inner := p.put
			seen := map[label]map[digest]bool{}
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				s, err := inner(ctx, l, f)
				if err != nil {
					return s, err
				}
				if seen[l][f.Digest()] {
					l.Environment += ", again"
					return inner(ctx, l, f)
				}
				if seen[l] == nil {
					seen[l] = map[digest]bool{}
				}
				seen[l][f.Digest()] = true
				return s, nil
			}
		}},
		{putAgain, "its record is another one", func(_ *H, p *P) {
			inner := p.put
			last := map[serial]int{}
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				s, err := inner(ctx, l, f)
				if err == nil && s.Generation <= last[l.Serial] {
					s.Generation = last[l.Serial] + 1
				}
				last[l.Serial] = s.Generation
				return s, err
			}
		}},
		{otherLabel, "the label is not looked at", func(_ *H, p *P) {
			inner := p.put
			first := map[serial]map[digest]stored{}
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				if s, ok := first[l.Serial][f.Digest()]; ok {
					return s, nil
				}
				s, err := inner(ctx, l, f)
				if err == nil {
					if first[l.Serial] == nil {
						first[l.Serial] = map[digest]stored{}
					}
					first[l.Serial][f.Digest()] = s
				}
				return s, err
			}
		}},
		{keepsOthers, "a backup for another serial number removes the oldest", func(h *H, p *P) {
			put, removed := p.put, false
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				removed = removed || l.Serial == h.Other
				return put(ctx, l, f)
			}
			onList(func(h *H, n serial, l []stored) []stored {
				if removed && n == h.Serial {
					l = l[1:]
				}
				return l
			})(h, p)
		}},
		{keepsOthers, "a file is replaced by the third", func(h *H, p *P) {
			get, list, listed := p.get, p.list, 0
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				l, err := list(ctx, n)
				listed = len(l)
				return l, err
			}
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				f, err := get(ctx, n, d)
				if n == h.Serial && listed == 3 && err == nil {
					return newest(ctx, list, get, n)
				}
				return f, err
			}
			put := p.put
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				listed = 0
				return put(ctx, l, f)
			}
		}},
		{durable, "nothing is there", func(h *H, p *P) {
			h.Reopen = func() adapters.BackupVault { return worldtest.New(t).Set.Vault }
		}},
		{durable, "the last file is not there", func(h *H, p *P) {
			inner := h.Reopen
			h.Reopen = func() adapters.BackupVault {
				again := inner()
				return &vault{again.Put, again.Get, func(ctx context.Context, n serial) ([]stored, error) {
					l, err := again.List(ctx, n)
					return l[:max(0, len(l)-1)], err
				}}
			}
		}},
		{gets, "the newest file, unless the list was read before", func(_ *H, p *P) {
			get, list, listed := p.get, p.list, false
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				listed = true
				return list(ctx, n)
			}
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				f, err := get(ctx, n, d)
				if err == nil && !listed {
					return newest(ctx, list, get, n)
				}
				return f, err
			}
		}},
		{notThere, "no error", failing(adapters.ErrBackupNotFound, fine)},
		{notThere, "an error without condition", failing(adapters.ErrBackupNotFound, plain)},
		{notThere, "an uncertain error", failing(adapters.ErrBackupNotFound, uncertain)},
		{notThere, "the file of another serial number", func(h *H, p *P) {
			inner := p.get
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				f, err := inner(ctx, n, d)
				if errors.Is(err, adapters.ErrBackupNotFound) {
					return inner(ctx, h.Serial, d)
				}
				return f, err
			}
		}},
		{damaged, "the damaged file", failing(adapters.ErrBackupDamaged, fine)},
		{damaged, "an error without condition", failing(adapters.ErrBackupDamaged, plain)},
		{damaged, "another condition", failing(adapters.ErrBackupDamaged, func(error) error { return adapters.ErrBackupNotFound })},
		{passesOver, "one damaged copy is enough", func(h *H, p *P) {
			damage, any := h.Damage, false
			h.Damage = func(n serial, d digest, copies int) { any = true; damage(n, d, copies) }
			inner := p.get
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				if any {
					return license.File{}, adapters.ErrBackupDamaged
				}
				return inner(ctx, n, d)
			}
		}},
		{lists, "the newest first", onList(func(_ *H, _ serial, l []stored) []stored {
			if len(l) > 4 {
				slices.Reverse(l)
			}
			return l
		})},
		{lists, "in the order of names", onList(func(_ *H, _ serial, l []stored) []stored {
			if len(l) > 10 {
				l[1], l[9] = l[9], l[1]
			}
			return l
		})},
		{lists, "those of other serial numbers too", func(h *H, p *P) {
			inner := p.list
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				l, err := inner(ctx, n)
				if n == h.Other && err == nil && len(l) == 0 {
					return inner(ctx, h.Serial)
				}
				return l, err
			}
		}},
		{counts, "as many as were written", onList(func(h *H, _ serial, l []stored) []stored {
			for i := range l {
				l[i].Copies = h.Copies
			}
			return l
		})},
		{counts, "what is damaged is left out", onList(func(_ *H, _ serial, l []stored) []stored {
			return slices.DeleteFunc(l, func(s stored) bool { return s.Copies == 0 })
		})},
		{copies, "the list is kept and given out again", func(h *H, p *P) {
			kept := map[serial][]stored{}
			put, list, damage := p.put, p.list, h.Damage
			h.Damage = func(n serial, d digest, copies int) { delete(kept, n); damage(n, d, copies) }
			p.put = func(ctx context.Context, l label, f license.File) (stored, error) {
				if ctx.Err() == nil {
					delete(kept, l.Serial)
				}
				return put(ctx, l, f)
			}
			p.list = func(ctx context.Context, n serial) ([]stored, error) {
				if l := kept[n]; l != nil && ctx.Err() == nil {
					return l, nil
				}
				l, err := list(ctx, n)
				if err == nil {
					kept[n] = l
				}
				return l, err
			}
		}},
		{several, "a second serial number is mixed up with the first", func(h *H, p *P) {
			inner := p.get
			p.get = func(ctx context.Context, n serial, d digest) (license.File, error) {
				f, err := inner(ctx, n, d)
				if n == h.Other && err == nil {
					return license.NewFile([]byte("something"))
				}
				return f, err
			}
		}},
	}
	subject[H, P]{adaptertest.BackupVaultClauses(), newVault, vaultMethods()}.check(t, wrongs)
}

// newest returns the file of the last generation.
func newest(ctx context.Context, list func(context.Context, license.SerialNumber) ([]adapters.Stored, error), get func(context.Context, license.SerialNumber, license.Digest) (license.File, error), n license.SerialNumber) (license.File, error) {
	l, err := list(ctx, n)
	if err != nil {
		return license.File{}, err
	}
	return get(ctx, n, l[len(l)-1].Digest)
}
