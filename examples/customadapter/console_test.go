package main

import (
	"testing"
	"time"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// TestConsole runs every clause of the contract against the adapter, each in a
// fresh world.
func TestConsole(t *testing.T) {
	adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
		plan, err := examplePlan()
		if err != nil {
			t.Fatal(err)
		}
		world, server := simulate(&plan)
		t.Cleanup(server.Close)
		env, other := plan.Infrastructure.Environments[0], plan.Infrastructure.Environments[1]
		shows := world.Installed(env.Name)
		shows.Features = nil // our admin service does not pass them on

		return adaptertest.ServiceCenterHarness{
			ServiceCenter: &Console{Client: server.Client()},
			Env:           env, Shows: shows,
			File: file(plan.Target, env), FileCode: plan.Target,
			Foreign: file(plan.Target, other), CannotReject: true,
			Other: other, OtherFile: file(plan.Target, other),
			Module:         plan.Module,
			Published:      func() string { return world.Published(env.Name, plan.Module) },
			PublishByOther: func() { world.PublishByOther(env.Name, plan.Module) },
			MakeBusy:       func() { world.LockModule(env.Name, plan.Module, 1) },
			MakeBroken:     func() { world.BreakModule(env.Name, plan.Module, "compilation failed") },
			MakeForeign: func() {
				world.SetIPP(plan.Source, env.Name, license.Protected)
				world.InstallByHand(env.Name, plan.Source)
				world.MarkModule(env.Name, plan.Module, plan.Target)
			},
		}
	})
}

// file is a license file as the vendor would issue it.
func file(code license.ActivationCode, env environment.Environment) license.File {
	return fake.LicenseFile(license.Details{
		Code: code, Serial: env.Serial, Type: "Production", Ends: time.Date(2035, time.December, 31, 0, 0, 0, 0, time.UTC),
		Features: []license.Feature{{ID: "IPP", Name: "Intellectual Property", Limit: string(license.Unprotected)}},
	}, "")
}
