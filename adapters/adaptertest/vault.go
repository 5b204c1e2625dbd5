package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A BackupVaultHarness is what [TestBackupVault] needs to know and to do. The
// suite makes the files and labels itself.
type BackupVaultHarness struct {
	System

	// Vault is the adapter under test. Every clause needs it.
	Vault adapters.BackupVault

	// Serial and Other are two serial numbers for which nothing is in the
	// vault. Every clause needs Serial; those about several serial numbers
	// need Other.
	Serial, Other license.SerialNumber

	// Copies is how many copies the vault keeps of each file; at least one.
	// Every clause about Stored.Copies needs it.
	Copies int

	// Damage changes, past the adapter, that many whole copies of the file in
	// the vault. It is for the clauses about damaged copies; nil is an
	// inability.
	Damage func(serial license.SerialNumber, digest license.Digest, copies int)

	// Reopen returns an adapter for the same storage that knows nothing but
	// what is stored, as after a crash. It is for the clause about durable
	// storage; nil is an inability.
	Reopen func() adapters.BackupVault
}

func (h BackupVaultHarness) incomplete() error {
	var r required
	r.field("Vault", h.Vault != nil)
	r.field("Serial", h.Serial != "")
	r.field("Other", h.Other != "" && h.Other != h.Serial)
	r.field("Copies", h.Copies > 0)
	return r.err()
}

// TestBackupVault checks that a [adapters.BackupVault] keeps its contract. It
// calls newHarness once for every clause.
func TestBackupVault(t *testing.T, newHarness func(t *testing.T) BackupVaultHarness) {
	test(t, backupVaultClauses(), newHarness)
}

// vaultFile returns the n-th license file that the suite stores.
func vaultFile(n int) license.File {
	b := fmt.Appendf([]byte{0x78, 0xda, 0, 0xff}, "license file %d of the conformance suite", n)
	file, err := license.NewFile(b)
	if err != nil {
		return license.File{} // not reached: b is small and no web page
	}
	return file
}

func vaultLabel(serial license.SerialNumber) adapters.Label {
	return adapters.Label{Environment: "Quality", Serial: serial, Role: license.Source, Origin: environment.OriginPortal}
}

// put stores the n-th file for serial.
func (h BackupVaultHarness) put(ctx context.Context, serial license.SerialNumber, n int) (adapters.Stored, error) {
	s, err := h.Vault.Put(ctx, vaultLabel(serial), vaultFile(n))
	return s, success("Put", err)
}

// gets checks that Get returns the bytes of the n-th file.
func (h BackupVaultHarness) gets(ctx context.Context, serial license.SerialNumber, n int) error {
	want := vaultFile(n)
	got, err := h.Vault.Get(ctx, serial, want.Digest())
	if err != nil {
		return success("Get", err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		return fmt.Errorf("another file came back from Get: %v, want %v", got, want)
	}
	return nil
}

// lists checks that List returns exactly these records.
func (h BackupVaultHarness) lists(ctx context.Context, serial license.SerialNumber, want ...adapters.Stored) error {
	got, err := h.Vault.List(ctx, serial)
	if err != nil {
		return success("List", err)
	}
	return differ("List", records(want), records(got))
}

// differ reports the first record that is not as expected.
func differ(what string, want, got []string) error {
	if w, g, ok := firstDifference(want, got); ok {
		return fmt.Errorf("%s returned the record %q, want %q", what, printable.Text(g), printable.Text(w))
	}
	return nil
}

func records(list []adapters.Stored) []string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("generation %d: %s %s %s %s %s, %d copies, %s",
			s.Generation, s.Digest.Short(), s.Environment, s.Serial, s.Role, s.Origin, s.Copies, s.At.UTC()))
	}
	return out
}

// state is what is in the vault for Serial and Other.
func (h BackupVaultHarness) state(ctx context.Context) ([]string, error) {
	var state []string
	for _, serial := range []license.SerialNumber{h.Serial, h.Other} {
		list, err := h.Vault.List(ctx, serial)
		if err != nil {
			return nil, success("List", err)
		}
		state = append(state, records(list)...)
	}
	return state, nil
}

func (h BackupVaultHarness) cannotDamage() string {
	return declared("Damage (nil)", h.Damage == nil)
}

func (h BackupVaultHarness) calls() []call {
	return []call{
		{name: "Put", mutates: true, do: func(ctx context.Context) error {
			_, err := h.Vault.Put(ctx, vaultLabel(h.Serial), vaultFile(1))
			return err
		}},
		{name: "Get", do: func(ctx context.Context) error {
			_, err := h.Vault.Get(ctx, h.Serial, vaultFile(1).Digest())
			return err
		}},
		{name: "List", do: func(ctx context.Context) error {
			_, err := h.Vault.List(ctx, h.Serial)
			return err
		}},
	}
}

// lane is what one environment does while another does the same.
func (h BackupVaultHarness) lane(serial license.SerialNumber) []call {
	var lane []call
	for n := range 3 {
		lane = append(lane, call{name: "Put, Get and List", do: func(ctx context.Context) error {
			if _, err := h.put(ctx, serial, n); err != nil {
				return err
			}
			if err := h.gets(ctx, serial, n); err != nil {
				return err
			}
			_, err := h.Vault.List(ctx, serial)
			return success("List", err)
		}})
	}
	return lane
}

func backupVaultClauses() []clause[BackupVaultHarness] {
	type H = BackupVaultHarness
	clauses := []clause[H]{
		{
			name: "Put returns the record of the file",
			text: "Put stores the file and returns its record: the label, the file's digest, the time, and how many copies were read back and found to have the digest",
			check: func(ctx context.Context, h H) error {
				got, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				if got.At.IsZero() {
					return errors.New("the record that Put returned says no time")
				}
				want := adapters.Stored{Label: vaultLabel(h.Serial), Digest: vaultFile(1).Digest(), Generation: got.Generation, Copies: h.Copies, At: got.At}
				return differ("Put", records([]adapters.Stored{want}), records([]adapters.Stored{got}))
			},
		},
		{
			name: "Put counts generations for each serial number",
			text: "Put stores the file as the next generation for label.Serial; generations count from 1 for each serial number",
			check: func(ctx context.Context, h H) error {
				for _, step := range []struct {
					serial           license.SerialNumber
					file, generation int
				}{{h.Serial, 1, 1}, {h.Serial, 2, 2}, {h.Other, 3, 1}, {h.Serial, 4, 3}} {
					got, err := h.put(ctx, step.serial, step.file)
					if err != nil {
						return err
					}
					if got.Generation != step.generation {
						return fmt.Errorf("the record that Put returned says generation %d, want %d", got.Generation, step.generation)
					}
				}
				return nil
			},
		},
		{
			name: "Put of the same file and label again stores nothing",
			text: "a file with the same digest and label that is stored already is not stored again: its record is returned",
			check: func(ctx context.Context, h H) error {
				first, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				second, err := h.put(ctx, h.Serial, 2)
				if err != nil {
					return err
				}
				again, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				return errors.Join(
					differ("Put of the same file and label", records([]adapters.Stored{first}), records([]adapters.Stored{again})),
					h.lists(ctx, h.Serial, first, second))
			},
		},
		{
			name: "Put of the same file under another label stores it again",
			text: "only a file with the same digest and label is not stored again; under another label it is the next generation",
			check: func(ctx context.Context, h H) error {
				first, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				want := []adapters.Stored{first}
				for _, change := range []func(*adapters.Label){
					func(l *adapters.Label) { l.Role = license.Target },
					func(l *adapters.Label) { l.Origin = environment.OriginInstalled },
					func(l *adapters.Label) { l.Environment = "Production" },
				} {
					label := vaultLabel(h.Serial)
					change(&label)
					got, err := h.Vault.Put(ctx, label, vaultFile(1))
					if err != nil {
						return success("Put", err)
					}
					if got.Label != label || got.Generation != want[len(want)-1].Generation+1 {
						return fmt.Errorf("the record of the same file under another label says generation %d (%s, %s), want the next generation, of that label", got.Generation, got.Role, got.Origin)
					}
					want = append(want, got)
				}
				return h.lists(ctx, h.Serial, want...)
			},
		},
		{
			name: "Put changes no other record or file",
			text: "Put changes no other record or file; what is in a vault is never changed or removed",
			check: func(ctx context.Context, h H) error {
				first, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				second, err := h.put(ctx, h.Serial, 2)
				if err != nil {
					return err
				}
				if _, err := h.put(ctx, h.Other, 3); err != nil {
					return err
				}
				third, err := h.put(ctx, h.Serial, 3)
				if err != nil {
					return err
				}
				return errors.Join(h.lists(ctx, h.Serial, first, second, third), h.gets(ctx, h.Serial, 1), h.gets(ctx, h.Serial, 2), h.gets(ctx, h.Serial, 3))
			},
		},
		{
			name:      "what Put has stored is there after a crash",
			text:      "Put returns when every copy has been written to durable storage",
			inability: func(h H) string { return declared("Reopen (nil)", h.Reopen == nil) },
			check: func(ctx context.Context, h H) error {
				first, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				second, err := h.put(ctx, h.Serial, 2)
				if err != nil {
					return err
				}
				h.Vault = h.Reopen()
				return errors.Join(h.lists(ctx, h.Serial, first, second), h.gets(ctx, h.Serial, 1), h.gets(ctx, h.Serial, 2))
			},
		},
		{
			name: "Get returns the bytes that were stored",
			text: "Get reads the file with that digest for that serial number: its exact bytes",
			check: func(ctx context.Context, h H) error {
				if _, err := h.put(ctx, h.Serial, 1); err != nil {
					return err
				}
				if _, err := h.put(ctx, h.Serial, 2); err != nil {
					return err
				}
				return errors.Join(h.gets(ctx, h.Serial, 2), h.gets(ctx, h.Serial, 1))
			},
		},
		{
			name: "Get does not find what was not stored for the serial number",
			text: "Get returns ErrBackupNotFound when there is no file with that digest for that serial number, whatever there is for another",
			check: func(ctx context.Context, h H) error {
				if _, err := h.put(ctx, h.Serial, 1); err != nil {
					return err
				}
				_, digest := h.Vault.Get(ctx, h.Serial, vaultFile(2).Digest())
				_, serial := h.Vault.Get(ctx, h.Other, vaultFile(1).Digest())
				return errors.Join(
					refusal("Get of another digest", digest, adapters.ErrBackupNotFound),
					refusal("Get for another serial number", serial, adapters.ErrBackupNotFound))
			},
		},
		{
			name:      "Get says that no copy is whole",
			text:      "Get compares the file with the digest and returns ErrBackupDamaged when no copy has that digest any more",
			inability: H.cannotDamage,
			check: func(ctx context.Context, h H) error {
				if _, err := h.put(ctx, h.Serial, 1); err != nil {
					return err
				}
				if err := h.gets(ctx, h.Serial, 1); err != nil {
					return err
				}
				digest := vaultFile(1).Digest()
				h.Damage(h.Serial, digest, h.Copies)
				_, err := h.Vault.Get(ctx, h.Serial, digest)
				return refusal("Get", err, adapters.ErrBackupDamaged)
			},
		},
		{
			name:      "Get passes over damaged copies",
			text:      "a damaged copy is passed over when another is whole",
			inability: func(h H) string { return either(h.cannotDamage(), declared("Copies (only one)", h.Copies < 2)) },
			check: func(ctx context.Context, h H) error {
				if _, err := h.put(ctx, h.Serial, 1); err != nil {
					return err
				}
				for range h.Copies - 1 {
					h.Damage(h.Serial, vaultFile(1).Digest(), 1)
					if err := h.gets(ctx, h.Serial, 1); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "List returns the records, oldest generation first",
			text: "List returns the records for the serial number, oldest generation first; those of other serial numbers are not among them",
			check: func(ctx context.Context, h H) error {
				if err := h.lists(ctx, h.Serial); err != nil {
					return err
				}
				var want []adapters.Stored
				for n := range 12 {
					s, err := h.put(ctx, h.Serial, 20-n)
					if err != nil {
						return err
					}
					want = append(want, s)
				}
				if err := h.lists(ctx, h.Serial, want...); err != nil {
					return err
				}
				return h.lists(ctx, h.Other)
			},
		},
		{
			name:      "List counts the copies that are whole now",
			text:      "each record of List was read back, and Stored.Copies counts the copies that are whole now; a record whose copies are all damaged is listed with zero",
			inability: H.cannotDamage,
			check: func(ctx context.Context, h H) error {
				first, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				second, err := h.put(ctx, h.Serial, 2)
				if err != nil {
					return err
				}
				for whole := h.Copies - 1; whole >= 0; whole-- {
					h.Damage(h.Serial, vaultFile(1).Digest(), 1)
					first.Copies = whole
					if err := h.lists(ctx, h.Serial, first, second); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "List returns a copy",
			text: "what is in a vault is never changed: not by a caller that changes what List returned, either",
			check: func(ctx context.Context, h H) error {
				s, err := h.put(ctx, h.Serial, 1)
				if err != nil {
					return err
				}
				list, err := h.Vault.List(ctx, h.Serial)
				if err != nil {
					return success("List", err)
				}
				for i := range list {
					list[i] = adapters.Stored{}
				}
				return h.lists(ctx, h.Serial, s)
			},
		},
	}
	return append(clauses, general[H]{
		calls: H.calls,
		refused: func(h H) []call {
			return []call{{name: "Get of what is not there", do: func(ctx context.Context) error {
				_, err := h.Vault.Get(ctx, h.Serial, vaultFile(1).Digest())
				return err
			}}}
		},
		state: func(h H) stateFunc { return h.state },
		files: func(H) []license.File { return []license.File{vaultFile(1)} },
		several: func(ctx context.Context, h H) error {
			return together(ctx, h.lane(h.Serial), h.lane(h.Other))
		},
	}.clauses()...)
}
