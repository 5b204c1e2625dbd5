package filevault_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func Example() {
	if err := keep(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// stored as generation 1, in 2 copies
	// stored again: generation 1
	// read back: license file of 20 bytes, sha256 b42687f3f0d1
}

func keep(ctx context.Context) error {
	base, err := os.MkdirTemp("", "changeover")
	if err != nil {
		return err
	}
	defer os.RemoveAll(base)
	// In earnest the second directory is on another disk.
	vault, err := filevault.Open([]string{filepath.Join(base, "backups"), filepath.Join(base, "second-disk")}, nil)
	if err != nil {
		return err
	}
	defer vault.Close()

	label := adapters.Label{
		Environment: "Production",
		Serial:      "MJB-OGK-XJQ-PUX-NNN-JES-BHP-GUT",
		Role:        license.Source,
		Origin:      environment.OriginPortal,
	}
	file, err := license.NewFile([]byte("a license, as it was"))
	if err != nil {
		return err
	}
	stored, err := vault.Put(ctx, label, file)
	if err != nil {
		return err
	}
	fmt.Printf("stored as generation %d, in %d copies\n", stored.Generation, stored.Copies)
	if stored, err = vault.Put(ctx, label, file); err != nil {
		return err
	}
	fmt.Printf("stored again: generation %d\n", stored.Generation)
	back, err := vault.Get(ctx, label.Serial, stored.Digest)
	if err != nil {
		return err
	}
	fmt.Println("read back:", back)
	return nil
}
