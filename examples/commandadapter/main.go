// Commandadapter shows package adapters/command from both sides: in a migration
// of a fake.World, an external program answers for the Service Center of
// Production. The program is this one, started again with another argument for
// every call; it could be a script in any language. What it operates is
// simulated too, and kept in a file between two calls.
//
// configurationtool.ps1, beside this file, is such a script for a server that
// has the vendor's Configuration Tool.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == serve {
		os.Exit(serviceCenter(context.Background(), os.Args[2]))
	}
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "commandadapter:", err)
		os.Exit(1)
	}
}

// serve is the argument with which this program is the external one.
const serve = "servicecenter"

// run is our side: it puts the program before one port of one environment.
func run(ctx context.Context, out io.Writer) (err error) {
	plan, err := examplePlan()
	if err != nil {
		return err
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	dir, err := os.MkdirTemp("", "commandadapter")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server := filepath.Join(dir, "production.json")
	if err := save(world, server); err != nil {
		return err
	}

	path, err := os.Executable() // always an absolute path
	if err != nil {
		return err
	}
	program, err := command.New(command.Options{
		Path: path, Args: []string{serve, server},
		Timeout:  time.Minute,
		Log:      func(line string) { fmt.Fprintln(os.Stderr, "the program says:", line) },
		Describe: "our script",
		// With a filejournal.Store, add Lock: its LockFile. Then nobody begins
		// anew while a script of a run that was killed is still at work.
	})
	if err != nil {
		return err
	}
	set := world.Set()
	set.ServiceCenter = adapters.PerEnvironment{
		Default: set.ServiceCenter,
		By:      map[string]adapters.ServiceCenter{"Production": program},
	}
	c, err := changeover.New(plan, set, new(journal.Memory), &changeover.Options{
		Clock: new(fake.Clock), Inline: true, // simulated time, one call after the other; leave both out in earnest
	})
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, r.Verdict)
	in, err := program.InstalledLicense(ctx, plan.Infrastructure.Environments[0])
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Production has the target license:", in.Code == plan.Target)
	return nil
}

// serviceCenter is the other side: one request, one answer, and the exit code.
func serviceCenter(ctx context.Context, server string) int {
	world, err := load(server)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1 // any code that is not in schema.md: nobody knows
	}
	set := adapters.Set{ServiceCenter: world.Set().ServiceCenter}
	code := command.Serve(ctx, set, os.Stdin, os.Stdout, os.Stderr)
	if err := save(world, server); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1 // whatever was answered before
	}
	return code
}

func load(path string) (*fake.World, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	world := new(fake.World)
	return world, world.Load(bytes.NewReader(b))
}

func save(world *fake.World, path string) error {
	var b bytes.Buffer
	if err := world.Save(&b); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

func examplePlan() (migration.Plan, error) {
	source, err1 := license.ParseActivationCode("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU")
	target, err2 := license.ParseActivationCode("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU")
	return migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PPP-PPP-PPP-PPP-PPP-PPP-PPP-PPP"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-LLL-LLL-LLL-LLL-LLL-LLL-LLL"},
		}},
		Source: source, Target: target, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}, errors.Join(err1, err2)
}
