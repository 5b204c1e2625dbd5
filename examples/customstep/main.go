// Customstep extends the procedure without forking it: a smoke test after the
// test republish, as a state of its own, and a guard that lets the smoke test
// begin only when somebody has left the change window open. The extended table
// is validated when the run is opened, drawn, and walked.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "customstep:", err)
		os.Exit(1)
	}
}

// SmokeTested is a fact like every other state: it is entered only when the
// smoke test has passed.
const SmokeTested machine.State = "SmokeTested"

// smoke is the evidence that the step leaves and the guard asks for.
const smoke = "smokeTest"

// extend puts SmokeTested behind Republished in every leg.
func extend(_ migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts] {
	return t.
		Insert(machine.Insertion[environment.Facts]{
			After: migration.Republished, State: SmokeTested, Doc: "The customer's home page answers.",
			Needs: []machine.GuardName{"lineRunning"},
			Effect: machine.Effect{
				Name: "smokeTest", Doc: "Ask the customer's home page for its version.",
				Retry: machine.Retry{On: []string{"busy", "notReached"}, Attempts: 3},
			},
			On: "smokeTestPassed", If: []machine.GuardName{"smokeTestSeen"},
			Guards: []machine.Guard[environment.Facts]{{
				Name: "smokeTestSeen", Doc: "The home page has answered with its version.",
				Holds: func(f environment.Facts) (bool, string) { return f.Note(smoke) != "", "it has not" },
			}},
		}).
		Require(migration.BackedUp, machine.Guard[environment.Facts]{
			Name: "noUnknownWord", Doc: "The page shows a word for Intellectual Property that we have seen before.",
			Holds: func(f environment.Facts) (bool, string) {
				switch f.Reading.IPP {
				case license.Ignore, license.Protected, license.Unprotected:
					return true, ""
				}
				return false, "it shows something else"
			},
		})
}

// smokeTest carries the effect out. A plain error would mean that nobody knows
// how it went; it changes nothing, so it would simply be repeated.
func smokeTest(_ context.Context, c *machine.Call[environment.Facts]) (machine.Trigger, error) {
	c.Facts.SetNote(smoke, "home page of "+c.Environment+" answered")
	return "smokeTestPassed", nil
}

func run(ctx context.Context, out io.Writer) error {
	plan, err := examplePlan()
	if err != nil {
		return err
	}
	leg := migration.Profiles()[0].Legs[1]
	if err := extend(leg, migration.EnvironmentTable(leg, plan.Rules(leg))).WriteMermaid(out); err != nil {
		return err
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	c, err := changeover.New(plan, world.Set(), new(journal.Memory), &changeover.Options{
		Clock: new(fake.Clock), Inline: true, // simulated time, one call after the other
		Extend: extend,
		Steps:  map[machine.EffectName]machine.Step[environment.Facts]{"smokeTest": {Do: smokeTest}},
		OnEntry: func(e journal.Entry) {
			if e.To == string(SmokeTested) {
				fmt.Fprintf(out, "%s (%s): %s\n", e.Env, e.Leg, e.To)
			}
		},
	})
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, r.Verdict)
	return nil
}

// examplePlan is a small infrastructure; a program of yours reads its plan
// with migration.ReadPlan.
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
