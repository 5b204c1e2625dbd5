package model

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// What the laws are told of each environment in a run in which nothing goes
// wrong, and in one that goes back, is the same in the model and in the engine.
// In which order environments have their turn is open.
func TestTheModelTellsWhatTheEngineTells(t *testing.T) {
	for _, profile := range migration.Profiles() {
		for _, refused := range []bool{false, true} {
			if refused && profile.Name == migration.AsWritten {
				continue // it installs no target license
			}
			t.Run(profile.Name+map[bool]string{true: " goes back", false: " goes through"}[refused], func(t *testing.T) {
				cfg, err := Named(profile.Name + "/n3/at1/f1")
				require.NoError(t, err)
				require.Equal(t, engineTells(t, cfg.Plan, refused), modelTells(t, cfg, refused))
			})
		}
	}
}

// told are the events of each environment, and of the infrastructure, in order.
type told map[string][]string

// add adds what both tell. Only the engine tells which effect has ended, that
// LifeTime does not list itself, that a reading was the first, and that the
// installed license was stored too.
func (all told) add(s string) {
	for _, other := range []string{"opened", "unproven", "stored", "called", "shown pause", "saw pause"} {
		if strings.HasPrefix(s, other) {
			return
		}
	}
	if strings.HasPrefix(s, "answered") && (strings.Contains(s, "pause") || strings.Contains(s, "resume")) {
		return
	}
	end := strings.IndexByte(s, ']') + 1
	whose := s[strings.IndexByte(s, '['):end]
	if strings.HasPrefix(s, "ended") {
		s = s[:end] + s[strings.LastIndexByte(s, ' '):]
	}
	all[whose] = append(all[whose], s)
}

// engineTells is what a run of the engine tells.
func engineTells(t *testing.T, plan migration.Plan, refused bool) told {
	w := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	if refused {
		name := plan.Infrastructure.Environments[1].Name
		w.SetIPP(plan.Target, name, license.Protected)
		w.MarkModule(name, plan.Module, plan.Source)
	}
	watch, err := law.NewWatch(plan, law.Rules{})
	require.NoError(t, err)
	c, err := changeover.New(plan, watch.Set(w.Set()), watch.Store(new(journal.Memory)),
		&changeover.Options{Clock: watch.Clock(new(fake.Clock)), Inline: true})
	require.NoError(t, err)
	r, err := c.Apply(t.Context())
	require.NoError(t, err)
	require.NoError(t, watch.Err(), r.Verdict)
	events := told{}
	for _, s := range watch.Trace() {
		for i, env := range plan.Infrastructure.Environments {
			s = strings.Replace(s, " in "+env.Name, "["+string(rune('0'+i))+"]", 1)
		}
		events.add(strings.Replace(s, " in the infrastructure", "[255]", 1))
	}
	return events
}

// modelTells is what the model tells of the same.
func modelTells(t *testing.T, cfg Config, refused bool) told {
	events := told{}
	m, err := newModel(cfg)
	require.NoError(t, err)
	m.seen = events.add
	for range 1000 {
		verb, env := byte(0), uint8(0)
		m.possible(func(v byte, e uint8) {
			if verb == 0 && slices.Contains([]byte{runs, works, leads}, v) {
				verb, env = v, e
			}
		})
		if verb == 0 {
			require.True(t, m.done())
			return events
		}
		m.script = script{}
		if leg, ok := m.leg(m.state.envs[1].table); ok && refused && leg.Role == license.Target && env == 1 && verb == works &&
			m.at(1) == migration.IPVerified && m.state.envs[1].phase == intended {
			m.script.picks[1] = 1 // the first condition that republish catches
		}
		m.make(verb, env)
		require.Empty(t, m.breaks())
	}
	t.Fatal("it does not end")
	return nil
}
