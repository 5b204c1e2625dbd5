package migrationtest_test

import (
	"testing"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/migrationtest"
)

// withSmokeTest puts a state of its own behind the test republish. It is what
// the program gives to changeover.New as Options.Extend.
func withSmokeTest(_ migration.Leg, t machine.Table[environment.Facts]) machine.Table[environment.Facts] {
	return t.Insert(machine.Insertion[environment.Facts]{
		After: migration.Republished, State: "SmokeTested", Doc: "The home page answers.",
		Needs:  []machine.GuardName{"lineRunning"},
		Effect: machine.Effect{Name: "smokeTest", Doc: "Ask the home page for its version.", Retry: machine.Retry{Attempts: 3}},
		On:     "smokeTestPassed", If: []machine.GuardName{"smokeTestSeen"},
		Guards: []machine.Guard[environment.Facts]{{
			Name: "smokeTestSeen", Doc: "The home page has answered.",
			Holds: func(f environment.Facts) (bool, string) { return f.Note("smokeTest") != "", "it has not" },
		}},
	})
}

// In your program this is a test, TestMyTable.
func testMyTable(t *testing.T) {
	source, _ := license.ParseActivationCode("ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU")
	target, _ := license.ParseActivationCode("ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU")
	plan := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "AAA-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "HHH-GGG-FFF-EEE-DDD-CCC-BBB-AAA"},
		}},
		Source: source, Target: target, Profile: migration.Published, Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"move": {license.Protected, license.Unprotected}},
	}
	migrationtest.Check(t, plan, &changeover.Options{Extend: withSmokeTest}, migrationtest.Effects{
		"smokeTest": func(f *environment.Facts) { f.SetNote("smokeTest", "passed") },
	})
}

func ExampleCheck() {
	testMyTable(new(testing.T)) // go test calls it
}
