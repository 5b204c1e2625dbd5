package screen

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// acme is the infrastructure of the written procedure.
func acme(t testing.TB) migration.Plan {
	t.Helper()
	env := func(name string, kind environment.Kind, letter string) environment.Environment {
		serial := strings.TrimSuffix(strings.Repeat(strings.Repeat(letter, 3)+"-", 8), "-")
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + strings.ToLower(name) + ".example.test", Serial: license.SerialNumber(serial)}
	}
	code := func(s string) license.ActivationCode {
		c, err := license.ParseActivationCode(s)
		require.NoError(t, err)
		return c
	}
	return migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			env("Production", environment.Production, "P"), env("Quality", environment.Quality, "Q"),
			env("Development", environment.Development, "D"), env("LifeTime", environment.LifeTime, "L"),
		}},
		Source: code("AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU"), Target: code("BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU"), Module: "ECT_Provider",
		Accept: map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Unprotected, license.Protected}},
	}
}

// A scene is a run over the simulated world of package fake.
type scene struct {
	name string
	set  func(t testing.TB, plan migration.Plan, w *fake.World) []*fault.Injector
}

var errLost = errors.New("the connection was lost")

func scenes() []scene {
	type injectors = []*fault.Injector
	on := func(method, env string, n int, when fault.When, err error) *fault.Injector {
		return fault.On(fault.Match{Method: method, Environment: env}, n, when, err)
	}
	return []scene{
		{"completed", func(testing.TB, migration.Plan, *fake.World) injectors { return nil }},
		{"in doubt", func(_ testing.TB, plan migration.Plan, w *fake.World) injectors {
			down := false
			return injectors{on("RegisterSerial", "Production", 0, fault.After, errLost), fault.Watch(func(op fault.Op) {
				if op.Method == "RegisterSerial" {
					down = true
				} else if down && op.Method == "SerialRegistered" {
					w.DropSerial(plan.Target, "Production")
				}
			})}
		}},
		{"held", func(_ testing.TB, plan migration.Plan, w *fake.World) injectors {
			w.DropSerial(plan.Source, "Quality")
			return injectors{on("UploadLicense", "Production", 0, fault.Before, adapters.ErrBusy)}
		}},
		{"rolled back", func(_ testing.TB, plan migration.Plan, w *fake.World) injectors {
			w.SetIPP(plan.Target, "Quality", license.Protected)
			w.MarkModule("Quality", plan.Module, plan.Source)
			return nil
		}},
	}
}

// start is when the runs of the tests begin.
func start() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) }

// record carries a scene out and returns its journal, with an entry every seven
// seconds.
func record(t testing.TB, sc scene) (migration.Plan, []journal.Entry) {
	t.Helper()
	plan := acme(t)
	w := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	var entries []journal.Entry
	c, err := changeover.New(plan, fault.Wrap(w.Set(), sc.set(t, plan, w)...), new(journal.Memory), &changeover.Options{
		Clock: new(fake.Clock), Inline: true, User: "Ada",
		OnEntry: func(e journal.Entry) {
			e.Time = start().Add(time.Duration(len(entries)) * 7 * time.Second)
			entries = append(entries, e)
		},
	})
	require.NoError(t, err)
	_, err = c.Apply(context.Background()) // t may be none that runs
	require.NoError(t, err)
	require.Greater(t, len(entries), 20)
	return plan, entries
}
