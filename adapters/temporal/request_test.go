package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// changed has for every field of a plan, and of what is in it, another value
// than the base has.
var changed = map[string]func(*migration.Plan){
	"Plan.Infrastructure": func(p *migration.Plan) { p.Infrastructure.Name = "Another" },
	"Plan.Source": func(p *migration.Plan) {
		p.Source, _ = license.ParseActivationCode("OTH.P4R.1TY.A7Q.Z2W.X9E.C3R.AOU")
	},
	"Plan.Target": func(p *migration.Plan) {
		p.Target, _ = license.ParseActivationCode("OTH.P4R.1TY.B8P.L5M.V6T.D1Y.BOU")
	},
	"Plan.Profile": func(p *migration.Plan) {
		p.Profile, p.Accept, p.MaxInFlight = migration.AsWritten, map[string][]license.IPP{"refresh": {license.Ignore}}, nil
	},
	"Plan.Module":                 func(p *migration.Plan) { p.Module = fake.CustomerModule },
	"Plan.Accept":                 func(p *migration.Plan) { p.Accept["move"] = []license.IPP{license.Protected} },
	"Plan.Order":                  func(p *migration.Plan) { p.Order = []string{"Production", "Development", "Quality", "LifeTime"} },
	"Plan.First":                  func(p *migration.Plan) { p.First = []string{"Development"} },
	"Plan.MaxInFlight":            func(p *migration.Plan) { p.MaxInFlight["refresh"] = 3 },
	"Plan.MinCopies":              func(p *migration.Plan) { p.MinCopies = 3 },
	"Plan.Pause":                  func(p *migration.Plan) { p.Pause = []string{"Production", "Quality"} },
	"Infrastructure.Name":         func(p *migration.Plan) { p.Infrastructure.Name = "Another" },
	"Infrastructure.Environments": func(p *migration.Plan) { p.Infrastructure.Environments = p.Infrastructure.Environments[1:] },
	"Environment.Name":            func(p *migration.Plan) { p.Infrastructure.Environments[1].Name = "Préproduction" },
	"Environment.Kind":            func(p *migration.Plan) { p.Infrastructure.Environments[1].Kind = environment.Production },
	"Environment.ServiceCenter": func(p *migration.Plan) {
		p.Infrastructure.Environments[1].ServiceCenter = "https://other.example.test"
	},
	"Environment.Serial": func(p *migration.Plan) {
		p.Infrastructure.Environments[1].Serial = "NEW-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ-QQQ"
	},
}

// fields are those of a type, as they stand in changed.
func fields[T any]() (names []string) {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		names = append(names, t.Name()+"."+t.Field(i).Name)
	}
	return names
}

// A plan says the same when it has gone through a request, whatever is in it. A
// field that a plan gets later is missing here first.
func TestARequestHasTheWholePlan(t *testing.T) {
	var known []string
	for name := range changed {
		known = append(known, name)
	}
	require.ElementsMatch(t, slices.Concat(fields[migration.Plan](), fields[environment.Infrastructure](), fields[environment.Environment]()), known,
		"a field that is not written by encodePlan, or not tried here")
	base := func() migration.Plan { return parity.Scenario{Name: "plan", Profile: migration.RefreshAndMove}.Plan() }
	plain, err := NewRequest(base(), nil)
	require.NoError(t, err)
	for name, change := range changed {
		t.Run(name, func(t *testing.T) {
			p := base()
			change(&p)
			require.NotEqual(t, base(), p, "it is another plan")
			r, err := NewRequest(p, nil)
			require.NoError(t, err)
			require.NotEqual(t, string(plain.Plan), string(r.Plan), "the request does not say it")
			again, err := readPlan(r.Plan)
			require.NoError(t, err)
			require.Equal(t, p.Digest(), again.Digest())
			require.NotEqual(t, base().Digest(), again.Digest())
			require.Equal(t, p.Effective(), again.Effective())
		})
	}
	t.Run("only what is required", func(t *testing.T) {
		p := base()
		p.Profile, p.MaxInFlight, p.MinCopies = "", nil, 0
		r, err := NewRequest(p, nil)
		require.NoError(t, err)
		again, err := readPlan(r.Plan)
		require.NoError(t, err)
		require.Equal(t, p.Digest(), again.Digest())
	})
}

// Everything that is wrong with a plan and its options is said at once.
func TestARequestIsRefused(t *testing.T) {
	p := small("refused")
	p.Target = p.Source
	p.Accept = nil
	p.Infrastructure.Environments = slices.Clone(p.Infrastructure.Environments[:1])
	_, err := NewRequest(p, &StartOptions{OnCancel: "shrug", Ask: "the oracle", Heartbeat: time.Millisecond, Patience: -1, Hurry: -2, RollBack: &Command{By: "ada"}})
	require.Error(t, err)
	for _, want := range []string{
		`onCancel is "shrug": take "hold" or "rollback"`, `ask is "the oracle": take "worker" or "update"`, "heartbeat is 1ms", "patience is -1ns", "hurry is -2",
		"rollBack needs", "LifeTime", "accept",
	} {
		require.Contains(t, err.Error(), want)
	}
	require.NotContains(t, err.Error(), p.Source.Reveal())
	t.Run("when its history would not fit", func(t *testing.T) {
		many := small("many")
		for n := len(many.Infrastructure.Environments); n <= maxEnvironments; n++ {
			many.Infrastructure.Environments = append(many.Infrastructure.Environments, environment.Environment{
				Name: fmt.Sprintf("Quality %d", n), Kind: environment.Quality, ServiceCenter: fmt.Sprintf("https://quality%d.example.test", n),
				Serial: license.SerialNumber(fmt.Sprintf("AAA-BBB-CCC-DDD-EEE-FFF-GGG-%03d", n)),
			})
		}
		_, err := NewRequest(many, nil)
		require.EqualError(t, err, "71 environments do not fit in the history of a workflow, which has some 470 of its 51,200 events for each: take at most 70")
		many.Infrastructure.Environments = many.Infrastructure.Environments[:maxEnvironments]
		_, err = NewRequest(many, nil)
		require.NoError(t, err)
	})
	t.Run("by the workflow as well, which somebody else may have begun", func(t *testing.T) {
		good := small("refused")
		h := newHosted(t, good, fake.New(good.Infrastructure, good.Source, good.Target), kept{new(journal.Memory)})
		r, err := NewRequest(good, nil)
		require.NoError(t, err)
		r.OnCancel, r.Hurry, r.Plan = "shrug", -2, []byte(`{"version": 1, "unheard": 1}`)
		h.env.ExecuteWorkflow(WorkflowName, r)
		require.ErrorContains(t, h.env.GetWorkflowError(), "onCancel")
		require.ErrorContains(t, h.env.GetWorkflowError(), "hurry")
		require.ErrorContains(t, h.env.GetWorkflowError(), "unheard")
		require.Empty(t, h.methods())
	})
	t.Run("without a client, and without changing the plan", func(t *testing.T) {
		before, err := json.Marshal(p.Infrastructure)
		require.NoError(t, err)
		_, err = Start(t.Context(), nil, "queue", p, nil)
		require.Error(t, err)
		after, err := json.Marshal(p.Infrastructure)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after))
	})
}

// A worker with other tables leaves a run alone: the task fails, and nothing is
// read or done. One that has the right tables takes it.
func TestTablesOfAnotherVersion(t *testing.T) {
	p := small("version")
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	h.host.Extend = extended
	r, err := NewRequest(p, nil)
	require.NoError(t, err)
	h.env.ExecuteWorkflow(WorkflowName, r)
	err = h.env.GetWorkflowError()
	require.ErrorContains(t, err, "run workers of the version that began it")
	var panicked interface{ StackTrace() string } // what makes the task fail, and not the run
	require.ErrorAs(t, err, &panicked)
	require.Equal(t, []string{"Describe"}, h.methods())
	require.Empty(t, h.world.Calls())
	require.Empty(t, entriesOf(t, h.store))

	r, err = NewRequest(p, &StartOptions{Extend: extended})
	require.NoError(t, err)
	h.begin()
	h.env.ExecuteWorkflow(WorkflowName, r)
	require.NoError(t, h.env.GetWorkflowError())
	var result Result
	require.NoError(t, h.env.GetWorkflowResult(&result))
	require.Equal(t, report.Completed, result.Verdict)
}

// A worker that was started anew at every activity asks for the plan, once each
// time, and does nothing before it has it.
func TestAWorkerThatDoesNotKnowThePlan(t *testing.T) {
	p := small("forgetful")
	whole := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	_, err := whole.execute(t, nil)
	require.NoError(t, err)
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	var asked atomic.Int64
	h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
		if q.Text == "" {
			h.calls.mu.Lock()
			h.calls.sites = map[string]*site{}
			h.calls.mu.Unlock()
		}
		a, err := do()
		if a.NoPlan {
			asked.Add(1)
		}
		return a, err
	}
	got, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Equal(t, report.Completed, got.Verdict)
	require.Equal(t, effects(whole.world), effects(h.world))
	requireSame(t, comparable(t, whole.store), comparable(t, h.store))
	require.Equal(t, len(whole.methods())+int(asked.Load()), len(h.methods()))
	require.Greater(t, int(asked.Load()), len(whole.methods())/2)
}

// Ports that cannot be had are the reason that nothing begins, or that a call is
// repeated, and never one to do something else.
func TestPortsThatCannotBeHad(t *testing.T) {
	p := small("ports")
	errPorts := errors.New("the safe with the passwords is locked")
	for _, tc := range []struct {
		name string
		set  func(*fake.World) (adapters.Set, error)
		want []string
	}{
		{"refused", func(*fake.World) (adapters.Set, error) { return adapters.Set{}, errPorts }, []string{errPorts.Error()}},
		{"incomplete", func(w *fake.World) (adapters.Set, error) {
			set := w.Set()
			set.Portal, set.Vault = nil, nil
			return set, nil
		}, []string{"Portal", "Vault"}},
	} {
		t.Run(tc.name+" at the beginning", func(t *testing.T) {
			w := fake.New(p.Infrastructure, p.Source, p.Target)
			h := newHosted(t, p, w, kept{new(journal.Memory)})
			h.host.Ports = func(migration.Plan) (adapters.Set, error) { return tc.set(w) }
			_, err := h.execute(t, nil)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
			require.Empty(t, w.Calls())
			require.Empty(t, entriesOf(t, h.store))
		})
		for _, method := range []string{"PauseDeployments", "RegisterSerial", "Put", "UploadLicense", "RepublishModule", "ResumeDeployments", "AppendJournal"} {
			t.Run(tc.name+" for a while, at "+method, func(t *testing.T) {
				w := fake.New(p.Infrastructure, p.Source, p.Target)
				h := newHosted(t, p, w, kept{new(journal.Memory)})
				var locked atomic.Bool
				h.host.Ports = func(migration.Plan) (adapters.Set, error) {
					if locked.Load() {
						return tc.set(w)
					}
					return w.Set(), nil
				}
				struck := 0
				h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
					h.calls.mu.Lock()
					locked.Store(q.Method == method && struck < 4)
					if locked.Load() { // a worker that was started anew, and must be told the plan
						h.calls.sites = map[string]*site{}
						struck++
					}
					h.calls.mu.Unlock()
					return do()
				}
				h.attend(t, 6)
				got, err := h.execute(t, nil)
				require.NoError(t, err)
				require.Equal(t, report.Completed, got.Verdict)
				require.Equal(t, 4, struck)
				want := fake.New(p.Infrastructure, p.Source, p.Target)
				inProcess(t, p, want, new(journal.Memory))
				require.Equal(t, effects(want), effects(w))
				for _, e := range valid(t, h.store) {
					require.NotEqual(t, journal.Doubt, e.Kind, "nothing was done, and that is known: %v", e.Text)
					require.NotEqual(t, "uncertain", e.Condition)
				}
			})
		}
	}
}
