// Simulator serves a simulated OutSystems infrastructure over HTTPS on
// loopback until it is interrupted: for a look at the pages with a browser, for
// trying requests by hand, and for developing an adapter in any language.
//
//	go run ./adapters/simulator/cmd/simulator
//	go run ./adapters/simulator/cmd/simulator -plan my-plan.json -state ./world -scenario faults.json
//
// It prints how to reach it, and a line for every effect that was really
// applied. With -state it goes on, after a restart, with the world that is kept
// there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var plan, scenario string
	o := simulator.Options{Log: out}
	flags := flag.NewFlagSet("simulator", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&plan, "plan", "", "serve the infrastructure of this plan `file`; default: an example")
	flags.StringVar(&o.Dir, "state", "", "keep the world and the certificate in this `directory`, and go on with the world that is there; default: nothing is kept")
	flags.StringVar(&scenario, "scenario", "", "let the faults of this `file` happen; ignored when -state has a world")
	flags.StringVar(&o.Address, "address", "127.0.0.1:0", "listen at this loopback `address`")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 1
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errOut, "simulator: unexpected argument %q; see -help\n", flags.Arg(0))
		return 1
	}
	s, err := start(plan, scenario, o)
	if err == nil {
		explain(out, s)
		<-ctx.Done()
		err = s.Close()
	}
	if err != nil {
		fmt.Fprintln(errOut, "simulator:", strings.TrimPrefix(err.Error(), "simulator: "))
		return 1
	}
	return 0
}

func start(planFile, scenarioFile string, o simulator.Options) (*simulator.Simulator, error) {
	world, err := newWorld(planFile)
	if err != nil {
		return nil, err
	}
	if scenarioFile != "" {
		f, err := os.Open(scenarioFile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if o.Scenario, err = simulator.ReadScenario(f, world); err != nil {
			return nil, err
		}
	}
	return simulator.Start(world, &o)
}

func newWorld(planFile string) (*fake.World, error) {
	if planFile == "" {
		return example()
	}
	f, err := os.Open(planFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	plan, err := migration.ReadPlan(f)
	if err != nil {
		return nil, err
	}
	return fake.New(plan.Infrastructure, plan.Source, plan.Target), nil
}

// example is an infrastructure of four environments.
func example() (*fake.World, error) {
	source, errSource := license.ParseActivationCode("AAA.AAA.A1A.A0A.AAA.AAA.AAA.AAA")
	target, errTarget := license.ParseActivationCode("BBB.BBB.B1B.B0B.BBB.BBB.BBB.BBB")
	return fake.New(environment.Infrastructure{Name: "Example", Environments: []environment.Environment{
		{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prd.example.test", Serial: "PRD-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
		{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qua.example.test", Serial: "QUA-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
		{Name: "Development", Kind: environment.Development, ServiceCenter: "https://dev.example.test", Serial: "DEV-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
		{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LIF-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
	}}, source, target), errors.Join(errSource, errTarget)
}

// explain says how the simulation is reached.
func explain(out io.Writer, s *simulator.Simulator) {
	address := s.URL()
	fmt.Fprintf(out, "simulation, not a real system: %s\n", address)
	fmt.Fprintf(out, "user %s, password %s, LifeTime token %s\n", s.User(), s.Password(), s.Token())
	fmt.Fprintf(out, "admin token %s (header %s)\n", s.AdminToken(), simulator.AdminHeader)
	for _, env := range s.World().Infrastructure().Environments {
		fmt.Fprintf(out, "curl -k --connect-to ::%s %s/ServiceCenter/OutSystemsPlatform.asmx?WSDL\n", address[len("https://"):], env.ServiceCenter)
	}
	fmt.Fprintln(out, "effects:")
}
