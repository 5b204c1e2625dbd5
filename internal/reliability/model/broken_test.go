package model

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/rollback"
)

type (
	envTable  = machine.Table[environment.Facts]
	lineTable = machine.Table[environment.Line]
)

// without takes guards out of what every state needs and every edge asks.
func without[F any](t machine.Table[F], guards ...machine.GuardName) machine.Table[F] {
	gone := func(g machine.GuardName) bool { return slices.Contains(guards, g) }
	t.States, t.Edges, t.Anywhere = slices.Clone(t.States), slices.Clone(t.Edges), slices.Clone(t.Anywhere)
	for i := range t.States {
		t.States[i].Needs = slices.DeleteFunc(slices.Clone(t.States[i].Needs), gone)
	}
	for _, edges := range [][]machine.Edge{t.Edges, t.Anywhere} {
		for i := range edges {
			edges[i].If = slices.DeleteFunc(slices.Clone(edges[i].If), gone)
		}
	}
	return t
}

// redirect lets an edge lead elsewhere.
func redirect[F any](t machine.Table[F], from machine.State, on machine.Trigger, to machine.State) machine.Table[F] {
	t.Edges = slices.Clone(t.Edges)
	for i := range t.Edges {
		if t.Edges[i].From == from && t.Edges[i].On == on {
			t.Edges[i].To = to
		}
	}
	return t
}

// change changes an effect.
func change[F any](t machine.Table[F], name machine.EffectName, how func(*machine.Effect)) machine.Table[F] {
	t.Effects = slices.Clone(t.Effects)
	for i := range t.Effects {
		if t.Effects[i].Name == name {
			how(&t.Effects[i])
		}
	}
	return t
}

func TestEachMistakeInATableIsFound(t *testing.T) {
	dropped := func(guards ...machine.GuardName) func(*Config) {
		return func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable { return without(t, guards...) }
		}
	}
	for _, test := range []struct {
		name   string
		config string
		change func(*Config)
		want   string // the law, or what else is said
	}{
		{"the gate is not asked for, and the stage of the move comes first", "published/n2/at1/f0", func(c *Config) {
			c.Line = func(t lineTable) lineTable {
				t = without(t, "everyoneReached")
				return redirect(t, migration.AllBackedUp, "modulesAttested", migration.Cleared)
			}
			dropped("gateOpen", "everyoneBackedUp")(c)
		}, "BK8"},
		{"the line may be stopped and all goes on", "refresh-and-move/n2/at2/f1", func(c *Config) {
			dropped("lineRunning")(c)
			c.reckless = true
		}, "RB1"},
		{"no source backup is asked for", "refresh-and-move/n2/at1/f1", func(c *Config) {
			dropped("sourceBackupProven", "fileBackedUp")(c)
			inner := c.Extend
			c.Extend = func(leg migration.Leg, t envTable) envTable {
				t = inner(leg, t)
				t.States = slices.Clone(t.States)
				for i := range t.States {
					if t.States[i].State == migration.LicenseFetched {
						t.States[i].Do = "upload"
					}
					if t.States[i].State == migration.BackedUp {
						t.States[i].Do = "backUp"
					}
				}
				t.Edges = slices.Clone(t.Edges)
				for i := range t.Edges {
					switch e := &t.Edges[i]; e.On {
					case "backedUp":
						e.From, e.To = migration.BackedUp, migration.Uploaded
					case "uploaded":
						e.From, e.To = migration.LicenseFetched, migration.BackedUp
					}
				}
				return t
			}
		}, "BK1"},
		{"a file for another server is taken", "refresh-and-move/n2/at1/f1", dropped("fileForThisServer"), "BK1"},
		{"a word that is not accepted is taken", "as-written/n2/at1/f1", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				return redirect(without(t, "ippAccepted"), migration.Uploaded, "notPrepared", migration.IPVerified)
			}
		}, "OR4"},
		{"a publish that is not clean is taken", "as-written/n2/at1/f1", dropped("publicationClean"), "OR5"},
		{"a state is skipped", "as-written/n2/at1/f0", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				return redirect(t, migration.Uploaded, "ipVerified", migration.Republished)
			}
		}, "OR6"},
		{"an upload counts as one that only reads", "as-written/n2/at1/f1", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				return change(t, "upload", func(e *machine.Effect) { e.Mutates = false })
			}
		}, "OR1"},
		{"what was put back need not be tested", "refresh-and-move/n2/at1/f1", func(c *Config) {
			c.Back = func(t envTable) envTable {
				return redirect(t, rollback.BackupUploaded, "sourceConfirmed", rollback.RolledBack)
			}
		}, "RB5"},
		{"what was put back need not be confirmed", "refresh-and-move/n2/at1/f1", func(c *Config) {
			c.Back = func(t envTable) envTable {
				return redirect(t, rollback.RollingBack, "backupUploaded", rollback.RolledBack)
			}
		}, "RB"},
		{"what was sent a target license need not go back", "refresh-and-move/n2/at1/f1", func(c *Config) {
			c.BackLine = func(t lineTable) lineTable {
				t.States = slices.Clone(t.States)
				for i := range t.States {
					if t.States[i].State == rollback.Paused {
						t.States[i].Do = "sweep"
					}
					if t.States[i].State == rollback.Restored {
						t.States[i].Do = "restoreLicenses"
					}
				}
				t = without(t, "everyoneShowsSource", "everyoneRolledBack")
				t.Edges = append(slices.Clone(t.Edges), machine.Edge{From: rollback.Paused, On: "swept", To: rollback.Swept})
				return t
			}
		}, "RB3"},
		{"deployments are resumed without a sweep", "refresh-and-move/n2/at1/f0", func(c *Config) {
			c.Line = func(t lineTable) lineTable { return redirect(t, migration.Cleared, "moved", migration.Swept) }
		}, "MX2"},
		{"nobody looks whether everybody shows the source license again", "refresh-and-move/n2/at1/f2", func(c *Config) {
			c.BackLine = func(t lineTable) lineTable {
				return redirect(t, rollback.Paused, "notTested", rollback.Restored)
			}
		}, "PA5"},
		{"nothing leads out of NeedsSupport", "as-written/n2/at1/f1", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				t.Edges = slices.DeleteFunc(slices.Clone(t.Edges), func(e machine.Edge) bool { return e.From == migration.NeedsSupport })
				return t
			}
		}, "is waited for"},
		{"a guard that never holds keeps the run from its end", "as-written/n2/at1/f0", func(c *Config) {
			c.Line = func(t lineTable) lineTable {
				return t.Guard(migration.Tested, "swept", machine.Guard[environment.Line]{
					Name: "never", Doc: "It holds.", Holds: func(environment.Line) (bool, string) { return false, "it does not" },
				})
			}
		}, "no end can be reached"},
		{"a table goes round and round", "as-written/n2/at1/f0", func(c *Config) {
			c.Without = law.Of(law.OR6)
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				return redirect(t, migration.IPVerified, "republished", migration.Uploaded)
			}
		}, "never comes to rest"},
		{"a guard that panics refuses", "as-written/n2/at1/f0", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				return t.Require(migration.BackedUp, machine.Guard[environment.Facts]{
					Name: "slips", Doc: "It holds.", Holds: func(f environment.Facts) (bool, string) { return f.Backups[99].Proven, "" },
				})
			}
		}, "MX3"},
		{"the table does not know what a step answers", "as-written/n2/at1/f1", func(c *Config) {
			c.Extend = func(_ migration.Leg, t envTable) envTable {
				t.Edges = slices.DeleteFunc(slices.Clone(t.Edges), func(e machine.Edge) bool { return e.On == "fileRefused" })
				return t
			}
		}, "does not know"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := Named(test.config)
			require.NoError(t, err)
			test.change(&cfg)
			cfg.unchecked = true
			m, err := newModel(cfg)
			require.NoError(t, err)
			f := explore(t.Context(), m, smallLimit)
			require.NotEmpty(t, f.what, "%d states", f.states)
			require.Contains(t, f.what, test.want, write(f.path))
			// What was found can be told again.
			story, err := Replay(cfg, write(f.path), false)
			require.NoError(t, err)
			if story.Broken != "" {
				require.Equal(t, f.what, story.Broken)
			}
			require.True(t, strings.HasPrefix(story.Mermaid(), "sequenceDiagram\n"))
		})
	}
}

// The line is stopped twice: the walk issues nothing more, and the table lets
// nothing go on. Each is enough.
func TestTheTableStopsTheLineByItself(t *testing.T) {
	cfg, err := Named("as-written/n2/at2/f1")
	require.NoError(t, err)
	cfg.reckless = true
	m, err := newModel(cfg)
	require.NoError(t, err)
	f := explore(t.Context(), m, smallLimit)
	require.Empty(t, f.what)
	require.True(t, f.whole)
}

// A law that is not enforced finds nothing: it is the law that finds the
// mistake.
func TestALawThatIsNotEnforcedFindsNothing(t *testing.T) {
	cfg, err := Named("as-written/n2/at1/f0")
	require.NoError(t, err)
	cfg.unchecked = true
	cfg.Extend = func(_ migration.Leg, t envTable) envTable {
		return redirect(t, migration.Uploaded, "ipVerified", migration.Republished)
	}
	found := func() string {
		m, err := newModel(cfg)
		require.NoError(t, err)
		return explore(t.Context(), m, smallLimit).what
	}
	require.Contains(t, found(), "OR6")
	cfg.Without = law.Of(law.OR6)
	require.NotContains(t, found(), "OR6")
}
