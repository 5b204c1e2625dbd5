// Mixed shows ports that are answered in different ways in one run: the
// vendor's portal, Support and the approvals by the person at this terminal,
// the Service Center of Development by a program, the other Service Centers and
// LifeTime over HTTPS, the backups on disk. The other side is a simulation on
// loopback, whose pages the person can open in a browser.
//
//	go run ./examples/mixed
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == asProgram {
		os.Exit(program(ctx, os.Stdin, os.Stdout, os.Stderr))
	}
	if err := run(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mixed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	dir, err := os.MkdirTemp("", "changeover-mixed-")
	if err != nil {
		return err
	}
	plan, err := examplePlan()
	if err != nil {
		return err
	}
	s, err := simulator.Start(fake.New(plan.Infrastructure, plan.Source, plan.Target), nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return change(ctx, plan, s, dir, in, out)
}

func examplePlan() (migration.Plan, error) {
	source, err1 := license.ParseActivationCode("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU")
	target, err2 := license.ParseActivationCode("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU")
	return migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PPP-PPP-PPP-PPP-PPP-PPP-PPP-PPP"},
			{Name: "Development", Kind: environment.Development, ServiceCenter: "https://dev.example.test", Serial: "DDD-DDD-DDD-DDD-DDD-DDD-DDD-DDD"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LLL-LLL-LLL-LLL-LLL-LLL-LLL-LLL"},
		}},
		Source: source, Target: target, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
	}, errors.Join(err1, err2)
}

// change moves the simulated infrastructure. Journal, backups and the inbox are
// in dir; the person answers on in.
func change(ctx context.Context, plan migration.Plan, s *simulator.Simulator, dir string, in io.Reader, out io.Writer) error {
	downloads := filepath.Join(dir, "downloads")
	if err := os.Mkdir(downloads, 0o700); err != nil {
		return err
	}
	store, err := filejournal.Open(filepath.Join(dir, "journal"), nil)
	if err != nil {
		return err
	}
	defer store.Close()
	vault, err := filevault.Open([]string{filepath.Join(dir, "backups"), filepath.Join(dir, "copies")}, nil)
	if err != nil {
		return err
	}
	defer vault.Close()
	lock, err := store.LockFile()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}

	desk := attended.New(in, out, &attended.Options{
		Who: "the person at the terminal", Source: plan.Source, Target: plan.Target, Reveal: true,
	})
	portal, err1 := inbox.New(downloads, &inbox.Options{Next: desk})
	development, err2 := programAt(s, dir, lock)
	others, err3 := overHTTPS(plan.Infrastructure, s.TLS(), s.Dial)
	life, err4 := lifetime.New(plan.Infrastructure, lifetime.Options{
		Token: func(context.Context) (string, error) { return simulator.DefaultToken, nil },
		TLS:   s.TLS(), Dial: s.Dial,
	})
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	set := adapters.Set{
		Portal: portal,
		ServiceCenter: adapters.PerEnvironment{
			Default: others,
			By:      map[string]adapters.ServiceCenter{"Development": development},
		},
		LifeTime: life,
		Vault:    vault,
		Support:  desk,
		Operator: desk,
	}

	fmt.Fprintf(out, "The simulation's pages: %s\nSave license files in: %s\n", s.URL(), downloads)
	c, err := changeover.New(plan, set, store, &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err != nil {
		return err
	}
	return r.WriteText(out)
}

// overHTTPS is the Service Center of every environment, as the vendor's own
// scripts reach it. Who reads the licensing page is another question: here the
// link Backup License is followed, which a real one may have elsewhere.
func overHTTPS(inf environment.Infrastructure, trust *tls.Config, dial func(context.Context, string, string) (net.Conn, error)) (*servicecenter.Client, error) {
	account := func(context.Context, environment.Environment) (servicecenter.Credential, error) {
		return servicecenter.Credential{User: simulator.DefaultUser, Password: simulator.DefaultPassword}, nil
	}
	return servicecenter.New(inf, servicecenter.Options{
		Credentials: account,
		Page:        &servicecenter.BackupLink{Path: simulator.BackupPath, Credentials: account, TLS: trust, Dial: dial},
		TLS:         trust, Dial: dial, Clock: new(fake.Clock),
	})
}

// The program that answers for Development is this one, started once more. What
// it needs to know is in its environment.
const (
	asProgram     = "as-program"
	addressIn     = "SIMULATION_ADDRESS"
	certificateIn = "SIMULATION_CERTIFICATE"
)

func programAt(s *simulator.Simulator, dir string, lock *os.File) (*command.Program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	certificate := filepath.Join(dir, "certificate.pem")
	if err := os.WriteFile(certificate, s.CertificatePEM(), 0o600); err != nil {
		return nil, err
	}
	return command.New(command.Options{
		Path: self, Args: []string{asProgram}, Lock: lock, Describe: "our Service Center script",
		Env: []string{addressIn + "=" + s.URL(), certificateIn + "=" + certificate},
	})
}

// program answers one call, on the other side of package command.
func program(ctx context.Context, in io.Reader, out, errOut io.Writer) int {
	var set adapters.Set
	if err := reach(&set); err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	return command.Serve(ctx, set, in, out, errOut)
}

func reach(set *adapters.Set) error {
	pem, err := os.ReadFile(os.Getenv(certificateIn))
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	plan, err := examplePlan()
	if err != nil {
		return err
	}
	address := strings.TrimPrefix(os.Getenv(addressIn), "https://")
	set.ServiceCenter, err = overHTTPS(plan.Infrastructure, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		})
	return err
}
