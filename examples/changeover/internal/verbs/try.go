package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// faultsFlag adds --fault.
func faultsFlag(c *cobra.Command, faults *[]string) {
	c.Flags().StringArrayVar(faults, "fault", nil, "let `[ENVIRONMENT=]KIND[@OPERATION]` go wrong, for example Quality=ipp (repeatable)")
	var names []string
	for _, k := range simulator.Kinds() {
		names = append(names, cobra.CompletionWithDesc(k.Name, k.Meaning))
	}
	complete(c, "fault", names...)
}

// scenario reads the faults for a world, and says everything that is wrong with
// them.
func scenario(faults []string, w *fake.World) (simulator.Scenario, error) {
	s := simulator.Scenario{Faults: []simulator.Fault{}}
	for _, text := range faults {
		env, what, ok := strings.Cut(text, "=")
		if !ok {
			env, what = "", text
		}
		kind, operation, _ := strings.Cut(what, "@")
		s.Faults = append(s.Faults, simulator.Fault{Kind: kind, Environment: env, Operation: operation})
	}
	b, err := json.Marshal(s)
	if err == nil {
		s, err = simulator.ReadScenario(bytes.NewReader(b), w)
	}
	if err != nil {
		var kinds []string
		for _, k := range simulator.Kinds() {
			kinds = append(kinds, k.Name)
		}
		return s, fmt.Errorf("--fault: %w\nthe kinds are %s", err, strings.Join(kinds, ", "))
	}
	return s, nil
}

func (a *app) rehearseVerb() *cobra.Command {
	var faults []string
	c := &cobra.Command{
		Use:   "rehearse [PLAN]",
		Short: "Carry out a saved plan against a simulation of what was observed",
		Long: `Rehearse starts a simulation in which every environment shows what it showed when
the plan was made, and carries the plan out there, in a directory of its own.
With --fault something goes wrong. Nobody else is contacted.

It exits with what apply would: 0 Completed, 2 RolledBack, 3 Held, 4 Mixed.`,
		Example: `  changeover rehearse
  changeover rehearse --fault Quality=ipp
  changeover rehearse --fault Production=answerLost@SetLicense`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved := folder(a.state).saved()
			if len(args) > 0 {
				saved = args[0]
			}
			f, err := a.file(nil)
			if err != nil {
				return err
			}
			p, err := preview(saved)
			if err != nil {
				return err
			}
			if p.Plan != f.Plan.Digest() {
				return fmt.Errorf("%s was made from another plan than %s has now\nmake a new one: %s", printable.Whole(saved), printable.Whole(a.plan), a.command("plan"))
			}
			return a.rehearse(cmd.Context(), f.Plan, p, faults)
		},
	}
	faultsFlag(c, &faults)
	return c
}

// observedWorld is a world in which everything is as a preview says.
func observedWorld(plan migration.Plan, p *changeover.Preview) (*fake.World, error) {
	inf := plan.Infrastructure
	w := fake.New(inf, plan.Source, plan.Target)
	listed := map[string]bool{}
	for _, l := range p.Inventory {
		listed[l.Name] = true
	}
	third, err := license.ParseActivationCode("REH.EAR.SAL.000.000.000.000.AOU")
	if err != nil {
		return nil, err
	}
	for i, seen := range p.Observed {
		if i >= len(inf.Environments) {
			break
		}
		env := inf.Environments[i]
		if seen.Server != "" && seen.Server != env.Serial {
			w.ChangeSerial(env.Name, seen.Server)
		}
		switch seen.Role {
		case license.Target:
			w.InstallByHand(env.Name, plan.Target)
		case license.Other:
			w.InstallByHand(env.Name, third)
		case license.None:
			w.InstallByHand(env.Name, license.ActivationCode{})
		}
		if seen.Paused {
			w.PauseByHand(env.Name)
		}
		if p.Inventory != nil && env.Kind != environment.LifeTime && !listed[seen.Environment] {
			w.Unregister(env.Name)
		}
	}
	return w, w.Err()
}

func (a *app) rehearse(ctx context.Context, plan migration.Plan, p *changeover.Preview, faults []string) (err error) {
	world, err := observedWorld(plan, p)
	if err != nil {
		return err
	}
	wrong, err := scenario(faults, world)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "changeover-rehearsal-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := simulator.Start(world, &simulator.Options{Scenario: wrong})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	store, err := filejournal.Open(filepath.Join(dir, "journal"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	vault, err := filevault.Open([]string{filepath.Join(dir, "backups"), filepath.Join(dir, "copies")}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	clock := new(fake.Clock) // waits of minutes pass at once
	set, err := rehearsed(s, plan, clock)
	if err != nil {
		return err
	}
	set.Vault = vault
	screen := a.screen(plan)
	c, err := changeover.New(plan, set, store, &changeover.Options{Clock: clock, User: "rehearsal", OnEntry: screen.OnEntry})
	if err != nil {
		return err
	}
	var r *report.Report
	err = screen.Run(ctx, func(ctx context.Context) error {
		r, err = c.Apply(ctx)
		return err
	})
	if r == nil {
		return err
	}
	if err := a.show(r, func(w io.Writer) error {
		fmt.Fprintln(w, "\nThis was a rehearsal; nothing real was touched.")
		return r.WriteText(w)
	}); err != nil {
		return err
	}
	a.end(r.Verdict)
	return err
}

// rehearsed are adapters that reach a simulation as a real one is reached; only
// a person's part is played.
func rehearsed(s *simulator.Simulator, plan migration.Plan, clock adapters.Clock) (adapters.Set, error) {
	const patience, publish = 3 * time.Second, time.Minute // a simulation answers at once or never
	person := s.Person()
	center, err1 := servicecenter.New(plan.Infrastructure, servicecenter.Options{
		Credentials: func(context.Context, environment.Environment) (servicecenter.Credential, error) {
			return servicecenter.Credential{User: s.User(), Password: s.Password()}, nil
		},
		Page: person, TLS: s.TLS(), Dial: s.Dial, Timeout: patience, Clock: clock, PublishTimeout: publish,
	})
	life, err2 := lifetime.New(plan.Infrastructure, lifetime.Options{
		Token:  func(context.Context) (string, error) { return s.Token(), nil },
		Reason: "rehearsal", TLS: s.TLS(), Dial: s.Dial, Timeout: patience,
	})
	set := s.World().Set() // its operator says yes
	set.Portal, set.Support, set.ServiceCenter, set.LifeTime = person, person, center, life
	return set, errors.Join(err1, err2)
}

// reached says how a simulation is reached.
type reached struct {
	URL       string   `json:"url"`
	Address   string   `json:"address"`
	Directory string   `json:"directory"`
	Files     []string `json:"files"` // in the directory: what adapters refer to
}

func (a *app) simulateVerb() *cobra.Command {
	var faults []string
	var dir, address string
	c := &cobra.Command{
		Use:   "simulate [FILE]",
		Short: "Serve a simulation of the plan's environments until interrupted",
		Long: `Simulate serves the environments of a plan, made up, over HTTPS on loopback, with
pages for a person. How to reach it is written into files of a directory
(--dir), which adapters can refer to: address, certificate.pem, user, password,
token. After a restart it goes on with the world that is kept there.

Nothing of it is a real system, and the activation codes are kept in the clear:
use a plan with made-up codes, as changeover init --example writes one.`,
		Example: `  changeover simulate
  changeover simulate acme.yaml --dir simulation --fault Quality=ipp`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.file(args)
			if err != nil {
				return err
			}
			return a.simulate(cmd.Context(), f, dir, address, faults)
		},
	}
	c.Flags().StringVar(&dir, "dir", "simulation", "keep the world, and how to reach it, in this `directory`")
	c.Flags().StringVar(&address, "address", "127.0.0.1:0", "listen at this loopback `address`")
	faultsFlag(c, &faults)
	return c
}

func (a *app) simulate(ctx context.Context, f *planfile.File, dir, address string, faults []string) (err error) {
	world := fake.New(f.Plan.Infrastructure, f.Plan.Source, f.Plan.Target)
	wrong, err := scenario(faults, world)
	if err != nil {
		return err
	}
	if err := folder(dir).make(); err != nil {
		return err
	}
	s, err := simulator.Start(world, &simulator.Options{Dir: filepath.Join(dir, "world"), Address: address, Scenario: wrong})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	address = strings.TrimPrefix(s.URL(), "https://")
	files := []struct{ name, content string }{
		{"address", address + "\n"}, {"certificate.pem", string(s.CertificatePEM())},
		{"user", s.User() + "\n"}, {"password", s.Password() + "\n"}, {"token", s.Token() + "\n"},
	}
	at := reached{URL: s.URL(), Address: address, Directory: dir}
	for _, f := range files {
		at.Files = append(at.Files, f.name)
		if err := replace(filepath.Join(dir, f.name), []byte(f.content)); err != nil {
			return err
		}
	}
	err = a.show(at, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "simulation, not a real system: %s\nhow to reach it: %s in %s\ninterrupt it to end\n", at.URL, strings.Join(at.Files, ", "), printable.Whole(dir))
		return err
	})
	if err == nil {
		<-ctx.Done()
	}
	return err
}
