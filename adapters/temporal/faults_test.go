package temporal

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// Whichever call of a port fails, with an error that says nothing and with one
// that says that it is busy, the journal is the one that a process writes. Get is
// left out: where a workflow uploads a file, the worker gets it once more.
func TestEveryCallThatFailsLeavesTheSameJournal(t *testing.T) {
	struck := 0
	for _, call := range []fault.Match{
		{Port: "LicensePortal", Method: "FetchLicense"}, {Port: "LicensePortal", Method: "SerialRegistered"}, {Port: "LicensePortal", Method: "RegisterSerial"},
		{Port: "ServiceCenter", Method: "InstalledLicense"}, {Port: "ServiceCenter", Method: "UploadLicense"}, {Port: "ServiceCenter", Method: "RepublishModule"},
		{Port: "ServiceCenter", Method: "BackupLicense"}, {Port: "LifeTime", Method: "Registered"}, {Port: "LifeTime", Method: "PauseDeployments"},
		{Port: "LifeTime", Method: "ResumeDeployments"}, {Port: "BackupVault", Method: "Put"}, {Port: "Operator", Method: "Ask"},
	} {
		t.Run(call.Method, func(t *testing.T) {
			hit := 0
			for _, how := range []struct {
				name string
				when fault.When
				err  error
			}{
				{"unknown before", fault.Before, errors.New("the line went dead")}, {"unknown after", fault.After, errors.New("the line went dead")},
				{"busy", fault.Before, adapters.ErrBusy},
			} {
				for n := 0; ; n++ {
					p := small(call.Method)
					injector := fault.On(call, n, how.when, how.err)
					set := func() (*fake.World, adapters.Set) {
						w := fake.New(p.Infrastructure, p.Source, p.Target)
						return w, fault.Wrap(w.Set(), injector)
					}
					_, ports := set()
					process := parity.NewProcess(t, p, ports)
					_, _ = process.Apply(t.Context())
					entries, err := process.Journal(t.Context())
					require.NoError(t, err)
					want, err := parity.Comparable(entries)
					require.NoError(t, err)
					if !injector.Hit() {
						break
					}
					hit++

					injector = fault.On(call, n, how.when, how.err)
					w, ports := set()
					h := newHosted(t, p, w, kept{new(journal.Memory)})
					h.host.Ports = func(migration.Plan) (adapters.Set, error) { return ports, nil }
					h.at(resting, h.env.CancelWorkflow)
					_, _ = h.execute(t, &StartOptions{User: "ada"})
					require.True(t, injector.Hit(), "%s, call %d, %s", call.Method, n, how.name)
					got, err := parity.Comparable(entriesOf(t, h.store))
					require.NoError(t, err)
					require.Equal(t, len(want), len(got), "%s, call %d, %s", call.Method, n, how.name)
					for i := range want {
						require.JSONEq(t, want[i], got[i], "%s", fmt.Sprintf("%s, call %d, %s, entry %d", call.Method, n, how.name, i))
					}
				}
			}
			require.Positive(t, hit)
			struck += hit
		})
	}
	t.Logf("%d calls failed", struck)
}
