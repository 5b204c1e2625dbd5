package environment_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// Every list of up to three backups, of every kind that a backup can be.
func TestTheNewestProvenSourceBackupForTheServerIsRestorable(t *testing.T) {
	const server = license.SerialNumber("S-1")
	var kinds []environment.Backup
	for _, role := range []license.Role{license.Source, license.Target, ""} {
		for _, serial := range []license.SerialNumber{server, "S-2", ""} {
			for _, proven := range []bool{true, false} {
				for _, accepted := range []bool{true, false} {
					kinds = append(kinds, environment.Backup{Role: role, Serial: serial, Proven: proven, Accepted: accepted})
				}
			}
		}
	}
	sweep := func(chosen ...environment.Backup) {
		var f environment.Facts
		want := -1
		for n, b := range chosen {
			b.Digest, b.Generation = license.Digest([]string{"a", "b", "c"}[n]), n+1
			f.Backups = append(f.Backups, b)
			if b.Role == license.Source && b.Serial == server && b.Proven && (want < 0 || b.Accepted || !f.Backups[want].Accepted) {
				want = n
			}
		}
		got, ok := f.Restorable(server)
		require.Equal(t, want >= 0, ok, "%+v", f.Backups)
		if ok {
			require.Equal(t, f.Backups[want], got)
		} else {
			require.Zero(t, got)
		}
		_, ok = f.Restorable("")
		require.False(t, ok, "a server that was not read has no backup")
	}
	sweep()
	for _, a := range kinds {
		sweep(a)
		for _, b := range kinds {
			sweep(a, b)
			for _, c := range kinds {
				sweep(a, b, c)
			}
		}
	}
}

func TestAReadingShowsOnlyALicenseForTheServerItself(t *testing.T) {
	for _, c := range []struct {
		name    string
		reading environment.Reading
		want    bool
	}{
		{"the license of the role for the server", environment.Reading{Role: license.Source, Server: "S-1", Serial: "S-1"}, true},
		{"the license of the other role", environment.Reading{Role: license.Target, Server: "S-1", Serial: "S-1"}, false},
		{"a license for another server", environment.Reading{Role: license.Source, Server: "S-1", Serial: "S-2"}, false},
		{"a license of which no serial number was read", environment.Reading{Role: license.Source, Server: "S-1"}, false},
		{"a server of which no serial number was read", environment.Reading{Role: license.Source, Serial: "S-1"}, false},
		{"nothing", environment.Reading{Role: license.Source}, false},
		{"no license", environment.Reading{Role: license.None, Server: "S-1"}, false},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.want, c.reading.Shows(license.Source)) })
	}
}

func TestNotesAreSetOnACopyAndKeptOnce(t *testing.T) {
	var f environment.Facts
	require.Empty(t, f.Note("a"))
	f.SetNote("a", "1")
	f.SetNote("b", "2")
	before := f
	f.SetNote("a", "3")
	require.Equal(t, []environment.Note{{Name: "b", Value: "2"}, {Name: "a", Value: "3"}}, f.Notes)
	require.Equal(t, "1", before.Note("a"), "facts that were recorded do not change")
	require.Equal(t, "3", f.Note("a"))
}

func TestFactsThatAreNotKnownAreNotWritten(t *testing.T) {
	b, err := json.Marshal(environment.Facts{Line: environment.Line{Case: "C-1"}})
	require.NoError(t, err)
	require.Equal(t, "{}", string(b))
	b, err = json.Marshal(environment.Line{})
	require.NoError(t, err)
	require.Equal(t, "{}", string(b))
}

func TestALatchIsSetByItsCondition(t *testing.T) {
	require.False(t, environment.Latch{}.Set())
	require.True(t, environment.Latch{Condition: "intellectualProperty"}.Set())
}

func TestFindingsJoinWithoutTheWarnings(t *testing.T) {
	a := environment.Finding{Code: "a", Where: "x", Text: "is wrong", Hint: "mend it"}
	b := environment.Finding{Code: "b", Text: "is odd", Warning: true}
	c := environment.Finding{Code: "c", Text: "is wrong too"}
	require.NoError(t, environment.Findings(nil).Err())
	require.NoError(t, environment.Findings{b}.Err())
	require.Equal(t, environment.Findings{b}, environment.Findings{a, b, c}.Warnings())
	err := environment.Findings{a, b, c}.Err()
	require.EqualError(t, err, "x: is wrong (mend it)\nis wrong too")
	var f environment.Finding
	require.True(t, errors.As(err, &f))
	require.Equal(t, a, f)
	require.ErrorIs(t, err, c)
}

func TestOnlyTheListedKindsAreKnown(t *testing.T) {
	require.Equal(t, []environment.Kind{"production", "quality", "development", "lifetime"}, environment.Kinds())
	for _, k := range environment.Kinds() {
		require.True(t, k.Known())
	}
	require.False(t, environment.Kind("").Known())
	require.False(t, environment.Kind("Production").Known())
}
