package migrationtest_test

import (
	"testing"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/migrationtest"
)

// newSubject is called for every run: nothing of what one did is seen by the
// next. Put your adapters into the set, each over a test double of the system
// that it talks to.
func newSubject(t testing.TB) migrationtest.Subject {
	source, err1 := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	target, err2 := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	plan := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "HHH-GGG-FFF-EEE-DDD-CCC-BBB-AAA"},
		}},
		Source: source, Target: target, Profile: migration.Published, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"move": {license.Protected, license.Unprotected}},
	}
	world := fake.New(plan.Infrastructure, source, target)
	set := world.Set()
	// set.ServiceCenter = myconsole.New(…)
	return migrationtest.Subject{Plan: plan, Set: set}
}

// In your program this is a test, TestMyAdapters.
func testMyAdapters(t *testing.T) { migrationtest.Sweep(t, newSubject) }

func ExampleSweep() {
	testMyAdapters(new(testing.T)) // go test calls it
}
