package report_test

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A report is read from the journal alone: by another process, on another
// machine, or years later.
func ExampleNew() {
	source, _ := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	target, _ := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	plan := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PRD-AAA-BBB-CCC-DDD-EEE-FFF-GG1"},
			{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: "QUA-AAA-BBB-CCC-DDD-EEE-FFF-GG2"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LTM-AAA-BBB-CCC-DDD-EEE-FFF-GG4"},
		}},
		Source: source, Target: target, Module: fake.TestModule,
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Unprotected}},
	}
	world, store, ctx := fake.New(plan.Infrastructure, source, target), new(journal.Memory), context.Background()
	world.DropSerial(source, "Quality")
	c, err := changeover.New(plan, world.Set(), store, &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Apply(ctx); err != nil {
		fmt.Println(err)
		return
	}

	r, err := report.New(plan, store.Read(ctx))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Verdict, r.Verdict.ExitCode())
	fmt.Println(r.Hold.Cause)
	for _, q := range r.SupportCase.Questions {
		fmt.Println("question", q.FAQ, "at", q.Step, "for", q.Environments)
	}
	// Output:
	// Held 3
	// 1 environment waits for a person, usually at Support: Quality
	// question 1 at migration step 2b for [Quality]
}

func ExampleSentence() {
	fmt.Println(report.Sentence(journal.Entry{Kind: journal.Outcome, Env: "Production", State: "Uploaded", Trigger: "ipVerified", To: "IPVerified"}))
	fmt.Println(report.Sentence(journal.Entry{Kind: journal.Doubt, Env: "Quality", State: "BackedUp", Effect: "upload", Text: "the connection was lost"}))
	// Output:
	// Production  Uploaded -> IPVerified  (ipVerified)
	// Quality  BackedUp: upload is in doubt: the connection was lost
}
