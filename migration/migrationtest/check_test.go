package migrationtest_test

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/migrationtest"
)

type table = machine.Table[environment.Facts]

// told is a test that remembers what it was told, and ends without being one
// that failed.
type told struct {
	testing.TB
	fatal string
}

func (t *told) Helper()                           {}
func (t *told) Logf(format string, args ...any)   {}
func (t *told) Log(args ...any)                   {}
func (t *told) Fatal(args ...any)                 { t.fatal = fmt.Sprint(args...); runtime.Goexit() }
func (t *told) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }

// failure returns what f tells a test when it ends it; empty: it did not.
func failure(t *testing.T, f func(testing.TB)) string {
	fake, done := &told{TB: t}, make(chan struct{})
	go func() {
		defer close(done)
		f(fake)
	}()
	<-done
	return fake.fatal
}

func TestCheckFindsNothingWrongWithTheProcedures(t *testing.T) {
	for _, profile := range migration.Profiles() {
		t.Run(profile.Name, func(t *testing.T) { migrationtest.Check(t, sweepPlan(t, profile.Name), nil, nil) })
	}
}

// first uploads the source license before anything was backed up.
func first(_ migration.Leg, t table) table {
	t.States, t.Edges = slices.Clone(t.States), slices.Clone(t.Edges)
	at := func(s machine.State) *machine.Node {
		return &t.States[slices.IndexFunc(t.States, func(n machine.Node) bool { return n.State == s })]
	}
	fetched, backedUp := at(migration.LicenseFetched), at(migration.BackedUp)
	fetched.Do, backedUp.Do = backedUp.Do, fetched.Do
	fetched.Needs = []machine.GuardName{"lineRunning", "deploymentsPaused"}
	backedUp.Needs = nil
	for i := range t.Edges {
		switch e := &t.Edges[i]; e.On {
		case "backedUp":
			e.On, e.If = "uploaded", nil
		case "uploaded":
			e.On = "backedUp"
			e.If = []machine.GuardName{"fileBackedUp", "sourceBackupProven", "licenseShown"}
		case "uploadRejected":
			e.From = migration.LicenseFetched
		}
	}
	for i := range t.States { // what nothing asks any more must not be there
		if t.States[i].State == migration.Uploaded {
			t.States[i].Needs = append(slices.Clone(t.States[i].Needs), "fileCurrent")
		}
	}
	return t
}

// stuck waits for a guard that nothing can make hold.
func stuck(_ migration.Leg, t table) table {
	return t.Require(migration.IPVerified, machine.Guard[environment.Facts]{
		Name: "fullMoon", Doc: "The moon is full.", Holds: func(f environment.Facts) (bool, string) { return f.Note("moon") == "full", "it is not" },
	})
}

func TestCheckSaysWhatIsWrongAndHowToGetThere(t *testing.T) {
	for _, test := range []struct {
		name   string
		extend func(migration.Leg, table) table
		want   string
	}{
		{"an upload before the backup", first, "BK1 is broken"},
		{"a state that nothing leads on from", stuck, "MX3 is broken"},
	} {
		t.Run(test.name, func(t *testing.T) {
			plan, opts := sweepPlan(t, migration.AsWritten), &changeover.Options{Extend: test.extend}
			text := failure(t, func(t testing.TB) { migrationtest.Check(t, plan, opts, nil) })
			require.Contains(t, text, test.want)
			require.Contains(t, text, "  1. Infrastructure: a process takes the run up")
			require.Contains(t, text, "sequenceDiagram\n")
			printed := regexp.MustCompile(`migrationtest\.Replay\(t, plan, opts, effects, "(.*)"\)`).FindStringSubmatch(text)
			require.NotNil(t, printed, text)
			again := func(opts *changeover.Options) string {
				return failure(t, func(t testing.TB) { migrationtest.Replay(t, plan, opts, nil, printed[1]) })
			}
			require.Contains(t, again(opts), test.want)
			require.NotContains(t, again(nil), "broken", "with the table as it is shipped")
		})
	}
}

func TestCheckRefusesWhatItCannotWalkThrough(t *testing.T) {
	plan := sweepPlan(t, migration.AsWritten)
	require.Contains(t, failure(t, func(t testing.TB) {
		migrationtest.Check(t, plan, &changeover.Options{Extend: func(_ migration.Leg, t table) table {
			return t.Require("Nowhere", machine.Guard[environment.Facts]{Name: "g", Doc: "It holds.", Holds: func(environment.Facts) (bool, string) { return true, "" }})
		}}, nil)
	}), "there is no such state")
	require.Contains(t, failure(t, func(t testing.TB) { migrationtest.Check(t, migration.Plan{}, nil, nil) }), "environments: there are none")
	require.Contains(t, failure(t, func(t testing.TB) { migrationtest.Replay(t, plan, nil, nil, "nonsense") }), "nothing that Check prints")
}
