package temporal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "go.temporal.io/sdk/temporal"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/temporal/internal/parity"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// moments are what a run can rest on.
var moments = []struct {
	name  string
	world func(migration.Plan, *fake.World)
	then  []parity.Act
	over  bool // the workflow has ended by then
}{
	{name: "an approval", world: refuses},
	{name: "an operator's hold", world: refuses, then: []parity.Act{{Verb: "hold", Env: "Production"}}},
	{name: "an operator's hold of the whole", world: refuses, then: []parity.Act{{Verb: "resolve", Env: parity.Whole}, {Verb: "hold", Env: parity.Whole}}},
	{name: "support", world: func(p migration.Plan, w *fake.World) { w.DropSerial(p.Source, "Production") }},
	{name: "a rejected upload", world: func(p migration.Plan, w *fake.World) { w.RejectUploads(p.Target, "Production", "not for you") }},
	{name: "a foreign change", world: func(p migration.Plan, w *fake.World) { w.InstallByHand("Production", p.Target) }},
	{name: "an unknown license", world: func(_ migration.Plan, w *fake.World) { w.InstallByHand("Production", license.ActivationCode{}) }},
	{name: "mixed", world: func(p migration.Plan, w *fake.World) {
		w.SetIPP(p.Target, "LifeTime", license.Protected)
		w.MarkModule("LifeTime", p.Module, p.Source)
		w.RefuseReturn("Production", "This license was replaced.")
	}},
}

// verbs are what somebody can ask for while a run rests.
var verbs = []struct{ verb, env string }{
	{"hold", "Production"}, {"hold", parity.Whole}, {"hold", "LifeTime"}, {"hold", "Nowhere"},
	{"release", "Production"}, {"release", parity.Whole}, {"release", "Nowhere"},
	{"resolve", "Production"}, {"resolve", parity.Whole}, {"resolve", "LifeTime"}, {"resolve", "Nowhere"},
	{"resume", ""}, {"rollback", ""},
}

// act has a verb carried out in process.
func act(t *testing.T, c *changeover.Changeover, verb, env string) error {
	t.Helper()
	var err error
	switch verb {
	case "hold":
		err = c.Hold(t.Context(), env, "ada", "looked")
	case "release":
		err = c.Release(t.Context(), env, "ada", "looked")
	case "resolve":
		err = c.Resolve(t.Context(), env, migration.Resolution{By: "ada", Evidence: "looked"})
	case "resume":
		_, err = c.Resume(t.Context())
	case "rollback":
		_, err = c.RollBack(t.Context(), "ada", "looked")
	}
	return err
}

// Every verb, on whatever a run rests, is accepted or refused as in process, and
// then leaves the same journal. One that is refused changes nothing: no activity,
// no entry.
func TestEveryVerbAtRest(t *testing.T) {
	t.Parallel()
	accepted, refused := map[string]int{}, map[string]int{}
	for _, m := range moments {
		for _, v := range verbs {
			t.Run(fmt.Sprintf("%s %s, resting on %s", v.verb, v.env, m.name), func(t *testing.T) {
				p := small(m.name)
				world := func() *fake.World {
					w := fake.New(p.Infrastructure, p.Source, p.Target)
					m.world(p, w)
					return w
				}
				store := new(journal.Memory)
				c, rep := inProcess(t, p, world(), store)
				require.NotEqual(t, report.Completed, rep.Verdict)
				for _, a := range m.then {
					require.NoError(t, act(t, c, a.Verb, a.Env))
				}
				want := act(t, c, v.verb, v.env)

				h := newHosted(t, p, world(), kept{new(journal.Memory)})
				at := resting
				for _, a := range m.then {
					h.at(at, func() { h.send(a.Verb, command(a.Env)) })
					at += resting
				}
				var u *update
				var calls, entries int
				h.at(at, func() {
					require.Empty(t, h.status(t).Verb)
					calls, entries = len(h.methods()), len(entriesOf(t, h.store))
					u = h.send(v.verb, command(v.env))
				})
				h.at(at+resting, func() {
					if want != nil {
						require.Len(t, h.methods(), calls, "an activity of something refused")
						require.Len(t, entriesOf(t, h.store), entries)
					}
					h.env.CancelWorkflow()
				})
				_, err := h.execute(t, &StartOptions{User: "ada"})
				if err != nil {
					require.ErrorContains(t, err, "canceled")
				}
				if want == nil {
					require.NoError(t, u.err)
					accepted[v.verb]++
				} else {
					require.Error(t, u.err, "in process: %v", want)
					require.False(t, u.accepted, "%v: left a trace in the history", u.err)
					require.True(t, strings.HasPrefix(u.err.Error(), v.verb+": "), "%v", u.err)
					refused[v.verb]++
				}
				requireSame(t, comparable(t, store), comparable(t, h.store))
			})
		}
	}
	for _, verb := range []string{"hold", "release", "resolve"} {
		require.Positive(t, accepted[verb], verb)
		require.Positive(t, refused[verb], verb)
	}
	require.Positive(t, accepted["rollback"])
}

// A verb that must wait until the run rests is refused while one goes on, with
// every reason at once, at every activity of a run.
func TestEveryVerbWhileOneGoesOn(t *testing.T) {
	p := small("busy")
	whole := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	_, err := whole.execute(t, nil)
	require.NoError(t, err)
	want := comparable(t, whole.store)
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	var sent []*update
	n := 0
	h.onStarted(func(q question) {
		n++
		for _, verb := range []string{"release", "resolve", "resume"} {
			sent = append(sent, h.send(verb, Command{Env: "Production"}))
		}
	})
	got, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Equal(t, report.Completed, got.Verdict)
	require.Greater(t, n, 50)
	busy := 0
	for i, u := range sent {
		require.Error(t, u.err)
		require.False(t, u.accepted)
		text := u.err.Error()
		if strings.Contains(text, errReading.Error()) {
			continue
		}
		busy++
		require.Contains(t, text, changeover.ErrRunning.Error())
		require.Contains(t, text, "who asks for it is missing")
		require.Contains(t, text, "why it is asked for")
		if i%3 != 2 {
			require.True(t, strings.Contains(text, "has not begun") || strings.Contains(text, changeover.ErrNotHeld.Error()), text)
		}
	}
	require.Greater(t, busy, 100)
	requireSame(t, want, comparable(t, h.store))
}

// A run can be held at every activity, forward and on the way back; released and
// resumed, it comes to the end that it would have come to.
func TestHeldAtEveryActivity(t *testing.T) {
	t.Parallel()
	var before []string
	for _, tc := range []struct {
		name  string
		world func(migration.Plan, *fake.World)
	}{{"forward", func(migration.Plan, *fake.World) {}}, {"on the way back", marked}} {
		t.Run(tc.name, func(t *testing.T) {
			p := small("held")
			world := func() *fake.World {
				w := fake.New(p.Infrastructure, p.Source, p.Target)
				tc.world(p, w)
				return w
			}
			w := world()
			_, want := inProcess(t, p, w, new(journal.Memory))
			changed := effects(w)
			h := newHosted(t, p, world(), kept{new(journal.Memory)})
			_, err := h.execute(t, nil)
			require.NoError(t, err)
			held, first := 0, shared(before, h.methods())
			before = h.methods()
			for n := first; ; n++ {
				at := fmt.Sprintf("held at activity %d", n)
				h := newHosted(t, p, world(), kept{new(journal.Memory)})
				var u *update
				i := 0
				h.onStarted(func(question) {
					if i++; i == n+1 {
						u = h.send("hold", command(parity.Whole))
					}
				})
				h.at(resting, func() {
					if h.status(t).Verb == "" && u.err == nil {
						held++
						h.send("release", command(parity.Whole))
					}
				})
				h.at(2*resting, func() { h.send("resume", command("")) })
				h.at(4*resting, h.env.CancelWorkflow)
				got, err := h.execute(t, nil)
				require.NoError(t, err, at)
				require.Equal(t, want.Verdict, got.Verdict, at)
				require.Equal(t, changed, effects(h.world), at)
				if u == nil {
					break
				}
			}
			require.Greater(t, held, 10)
		})
	}
}

// A run that is taken back while it goes on is held first, then goes back, from
// every activity.
func TestRolledBackAtEveryActivity(t *testing.T) {
	t.Parallel()
	p := small("taken back")
	back := 0
	for n := 0; ; n++ {
		at := fmt.Sprintf("rolled back at activity %d", n)
		h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
		var u *update
		i, asked := 0, false
		h.onStarted(func(q question) {
			if i++; i == n+1 {
				u = h.send("rollback", command(""))
			}
			asked = asked || u == nil && q.Method == "Ask"
		})
		h.attend(t, 3)
		got, err := h.execute(t, nil)
		require.NoError(t, err, at)
		if u == nil {
			require.Equal(t, report.Completed, got.Verdict, at)
			break
		}
		if u.err != nil { // nothing was begun yet
			require.Equal(t, report.Completed, got.Verdict, at)
			continue
		}
		back++
		require.Equal(t, report.RolledBack, got.Verdict, at)
		requireSource(t, h, at)
		for _, e := range h.world.Uploads() {
			require.True(t, asked || e.Code != p.Target, "%s: %v: the run was not stopped", at, e)
		}
	}
	require.Greater(t, back, 40)
}

// requireSource requires that every environment has the source license, and
// that nothing is paused.
func requireSource(t *testing.T, h *hosted, at string) {
	t.Helper()
	for _, env := range h.plan.Infrastructure.Environments {
		require.Equal(t, h.plan.Source, h.world.Installed(env.Name).Code, at)
		require.False(t, h.world.Paused(env.Name), at)
	}
}

// A cancellation, at every activity, has the run held or taken back, and the
// workflow ends as canceled. Begun again, a run that is held goes on to its end.
func TestCanceledAtEveryActivity(t *testing.T) {
	t.Parallel()
	p := small("canceled")
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	inProcess(t, p, w, new(journal.Memory))
	changed := effects(w)
	for _, on := range []string{OnCancelHold, OnCancelRollBack} {
		t.Run(on, func(t *testing.T) {
			canceled := 0
			for n := 0; ; n++ {
				at := fmt.Sprintf("canceled at activity %d", n)
				h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
				i, struck := 0, false
				h.onStarted(func(question) {
					if i++; i == n+1 {
						struck = true
						h.env.CancelWorkflow()
					}
				})
				got, err := h.execute(t, &StartOptions{OnCancel: on})
				if !struck {
					require.NoError(t, err)
					break
				}
				if err == nil { // it was over before it could be stopped
					over := report.Completed
					if on == OnCancelRollBack {
						over = report.RolledBack
						requireSource(t, h, at)
					}
					require.Equal(t, over, got.Verdict, at)
					continue
				}
				var stopped *sdk.CanceledError
				require.ErrorAs(t, err, &stopped, at)
				canceled++
				record, err := journal.Replay(h.store.Read(t.Context()))
				require.NoError(t, err, at)
				if record.Last == 0 {
					require.Empty(t, h.world.Effects(), at)
				} else if on == OnCancelHold {
					line, _ := record.Standing(journal.Infrastructure)
					require.NotNil(t, line.Hold, at)
					require.Equal(t, "cancellation", line.Hold.Holder, at)
				}
				h.begin()
				h.at(resting, func() { h.send("release", command(parity.Whole)) })
				h.at(2*resting, func() { h.send("resume", command("")) })
				h.at(4*resting, h.env.CancelWorkflow)
				got, err = h.execute(t, nil)
				require.NoError(t, err, at)
				if record.Last > 0 && on == OnCancelRollBack {
					require.Equal(t, report.RolledBack, got.Verdict, at)
					continue
				}
				require.Equal(t, report.Completed, got.Verdict, at)
				require.Equal(t, changed, effects(h.world), at)
			}
			if on == OnCancelHold {
				require.Greater(t, canceled, 40)
			}
		})
	}
}

// Questions are answered by updates.
func TestQuestionsByUpdate(t *testing.T) {
	ask := func(h *hosted) (open []Question) {
		got, err := h.env.QueryWorkflow("questions")
		require.NoError(t, err)
		require.NoError(t, got.Get(&open))
		return open
	}
	answer := func(id string, no bool) Command { return Command{ID: id, By: "ada", Why: "seen", No: no} }
	setup := func(t *testing.T) *hosted {
		p := small("questions")
		w := fake.New(p.Infrastructure, p.Source, p.Target)
		w.Answer(func(adapters.Question) (adapters.Answer, error) {
			return adapters.Answer{}, fmt.Errorf("the worker's operator was asked")
		})
		return newHosted(t, p, w, kept{new(journal.Memory)})
	}
	byUpdate := &StartOptions{Ask: AskUpdate}
	const soon = 10 * time.Hour // the run has come to the gate

	t.Run("yes opens the gate, and the journal says who said it", func(t *testing.T) {
		h := setup(t)
		h.at(soon, func() {
			open := ask(h)
			require.Len(t, open, 1)
			require.NotEmpty(t, open[0].Text)
			require.False(t, open[0].Since.IsZero())
			wrong := h.send("answer", answer("no such question", false))
			nobody := h.send("answer", Command{ID: open[0].ID})
			h.at(time.Second, func() {
				require.ErrorContains(t, wrong.err, "no question")
				require.False(t, wrong.accepted)
				require.ErrorContains(t, nobody.err, "who asks for it is missing")
				require.Len(t, ask(h), 1)
				h.send("answer", answer(open[0].ID, false))
			})
		})
		got, err := h.execute(t, byUpdate)
		require.NoError(t, err)
		require.Equal(t, report.Completed, got.Verdict)
		require.NotContains(t, h.methods(), "Ask")
		text, err := json.Marshal(entriesOf(t, h.store))
		require.NoError(t, err)
		require.Regexp(t, `"gate":\{"given":true,"by":"ada","at":"[^"]*","text":"seen"`, string(text))
	})
	t.Run("no leaves the gate closed, and resume asks again", func(t *testing.T) {
		h := setup(t)
		h.at(soon, func() { h.send("answer", answer(ask(h)[0].ID, true)) })
		rested := false
		h.at(resting, func() {
			rested = true
			require.Empty(t, ask(h))
			require.Empty(t, h.status(t).Verb)
			require.Equal(t, report.Held, reportOf(t, h.status(t)).Verdict)
			h.send("resume", command(""))
		})
		h.at(resting+soon, func() { h.send("answer", answer(ask(h)[0].ID, false)) })
		got, err := h.execute(t, byUpdate)
		require.NoError(t, err)
		require.True(t, rested)
		require.Equal(t, report.Completed, got.Verdict)
	})
	t.Run("a rollback withdraws the question", func(t *testing.T) {
		h := setup(t)
		h.at(soon, func() {
			require.Len(t, ask(h), 1)
			h.send("rollback", command(""))
		})
		began := h.env.Now()
		got, err := h.execute(t, byUpdate)
		require.NoError(t, err)
		require.Equal(t, report.RolledBack, got.Verdict)
		requireSource(t, h, "rolled back")
		require.Less(t, h.env.Now().Sub(began), soon+2*time.Hour, "nobody was waited for")
	})
	t.Run("a cancellation withdraws the question", func(t *testing.T) {
		h := setup(t)
		h.at(soon, func() {
			require.Len(t, ask(h), 1)
			h.env.CancelWorkflow()
		})
		began := h.env.Now()
		_, err := h.execute(t, byUpdate)
		var stopped *sdk.CanceledError
		require.ErrorAs(t, err, &stopped)
		require.Less(t, h.env.Now().Sub(began), soon+2*time.Hour, "nobody was waited for")
		record, err := journal.Replay(h.store.Read(t.Context()))
		require.NoError(t, err)
		line, _ := record.Standing(journal.Infrastructure)
		require.NotNil(t, line.Hold)
	})
	t.Run("nobody answers in time", func(t *testing.T) {
		h := setup(t)
		rested := false
		h.at(resting, func() {
			rested = true
			require.Empty(t, ask(h))
			require.Equal(t, report.Held, reportOf(t, h.status(t)).Verdict)
			h.env.CancelWorkflow()
		})
		_, err := h.execute(t, byUpdate)
		require.Error(t, err)
		require.True(t, rested)
	})
}
