package inbox_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func ExampleInbox() {
	dir, err := os.MkdirTemp("", "inbox") // nobody else can enter it
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	box, err := inbox.New(dir, nil) // Options.Next: attended.New(...), for what a folder cannot answer
	if err != nil {
		log.Fatal(err)
	}

	env := environment.Environment{Name: "Quality", Kind: environment.Quality, Serial: "QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111"}
	code, err := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	if err != nil {
		log.Fatal(err)
	}
	_, err = box.FetchLicense(context.Background(), code, env)
	fmt.Println("nothing there yet:", adapters.ConditionOf(err).Condition())

	// Somebody saves what the portal gives out, under whatever name.
	file := fake.LicenseFile(license.Details{Code: code, Serial: env.Serial}, "")
	if err := os.WriteFile(filepath.Join(dir, "license (3).lic"), file.Bytes(), 0o600); err != nil {
		log.Fatal(err)
	}
	found, err := box.FetchLicense(context.Background(), code, env)
	fmt.Println("found:", found.Digest() == file.Digest(), err)
	// Output:
	// nothing there yet: busy
	// found: true <nil>
}
