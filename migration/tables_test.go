package migration_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

var rules = migration.Rules{Accept: []license.IPP{license.Ignore}, MinCopies: 1}

// TestTablesAreValidAndPinned compares every cell of every table with a golden
// matrix: a change of a table shows as a change of refusals too.
func TestTablesAreValidAndPinned(t *testing.T) {
	for _, p := range migration.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			table := migration.InfrastructureTable(p)
			require.NoError(t, table.Validate())
			pin(t, p.Name+"-infrastructure", table)
			for _, leg := range p.Legs {
				table := migration.EnvironmentTable(leg, rules)
				require.NoError(t, table.Validate())
				pin(t, p.Name+"-"+leg.Name, table)
			}
		})
	}
}

func pin[F any](t *testing.T, name string, table machine.Table[F]) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, table.WriteMatrix(&b))
	golden.Compare(t, "testdata/matrix/"+name+".txt", b.Bytes())
}

// TestStateNamesAreForever pins the words that journals keep. A name that is
// missing here was renamed or removed, and journals with it can no longer be
// read: that needs a migration of journals, not a change of this list.
func TestStateNamesAreForever(t *testing.T) {
	forever := map[machine.State]bool{}
	for _, s := range []machine.State{
		"Paused", "SerialRegistered", "LicenseFetched", "BackedUp", "Uploaded", "IPVerified", "Republished", "NeedsSupport", "RollingBack",
		"Planned", "Surveyed", "Refreshed", "Tested", "ModulesChecked", "Cleared", "Moved", "Swept", "Completed", "CaseOpen", "Halted",
	} {
		forever[s] = false
	}
	mark := func(s machine.State) {
		_, known := forever[s]
		require.True(t, known, "the new state %s must be added to the list", s)
		forever[s] = true
	}
	for _, p := range migration.Profiles() {
		for _, n := range migration.InfrastructureTable(p).States {
			mark(n.State)
		}
		for _, leg := range p.Legs {
			for _, n := range migration.EnvironmentTable(leg, rules).States {
				mark(n.State)
			}
		}
	}
	for s, seen := range forever {
		require.True(t, seen, "the state %s has gone", s)
	}
}

// TestNoUploadWithoutItsNeeds pins the promises that no table may lose: what
// must hold before a license is uploaded.
func TestNoUploadWithoutItsNeeds(t *testing.T) {
	for _, p := range migration.Profiles() {
		for _, leg := range p.Legs {
			table := migration.EnvironmentTable(leg, rules)
			for _, n := range table.States {
				if n.Do != "upload" {
					continue
				}
				for _, g := range []machine.GuardName{"lineRunning", "deploymentsPaused", "sourceBackupProven", "fileCurrent"} {
					require.Contains(t, n.Needs, g, "%s, leg %s", p.Name, leg.Name)
				}
				if leg.Role == license.Target {
					require.Contains(t, n.Needs, machine.GuardName("gateOpen"))
					require.Contains(t, n.Needs, machine.GuardName("everyoneBackedUp"))
				}
			}
			for _, e := range table.Effects {
				require.Equal(t, e.Mutates, map[machine.EffectName]bool{"upload": true, "republish": true, "registerSerial": true}[e.Name],
					fmt.Sprintf("%s mutates or not", e.Name))
			}
		}
	}
}
