package journal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

func at(seq uint64) time.Time {
	return time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC).Add(time.Duration(seq) * time.Second)
}

// history numbers and dates entries and gives them the epoch in which they
// stand.
func history(entries ...journal.Entry) []journal.Entry {
	epoch := uint64(0)
	out := slices.Clone(entries)
	for i := range out {
		if out[i].Kind == journal.Opened {
			epoch++
		}
		out[i].Seq, out[i].Epoch, out[i].Time = uint64(i+1), epoch, at(uint64(i+1))
	}
	return out
}

func each(entries []journal.Entry) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func opened(procedure string) journal.Entry {
	return journal.Entry{Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "acme", Plan: "9f2c", Procedure: procedure, Definition: "hash of " + procedure, Verb: "apply"}}
}

func begun(env string) journal.Entry {
	return journal.Entry{Kind: journal.Begun, Env: env, Table: "migration/move", Leg: "move", State: "Paused"}
}

func intent(env, state, effect string, attempt int) journal.Entry {
	return journal.Entry{Kind: journal.Intent, Env: env, State: state, Effect: effect, ID: "id of " + effect, Attempt: attempt}
}

func outcome(env, from, to string) journal.Entry {
	return journal.Entry{Kind: journal.Outcome, Env: env, State: from, Trigger: "went", To: to}
}

func held(env string, kind journal.HoldKind) journal.Entry {
	return journal.Entry{Kind: journal.Held, Env: env, Hold: &journal.Hold{Kind: kind, Cause: "because"}}
}

func kind(env string, k journal.Kind) journal.Entry { return journal.Entry{Kind: k, Env: env} }

// situations are the ways in which an environment can stand, by what leads
// there.
var situations = []struct {
	name string
	path []journal.Entry
}{
	{"not begun", nil},
	{"begun", []journal.Entry{begun("Q")}},
	{"in flight", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1)}},
	{"in doubt", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1), kind("Q", journal.Doubt)}},
	{"failed", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1), kind("Q", journal.Failed)}},
	{"held for support", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1), held("Q", journal.HoldSupport)}},
	{"held in doubt", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1), kind("Q", journal.Doubt), held("Q", journal.HoldInDoubt)}},
	{"held by an operator in flight", []journal.Entry{begun("Q"), intent("Q", "Paused", "fetch", 1), held("Q", journal.HoldOperator)}},
	{"held by an operator at rest", []journal.Entry{begun("Q"), held("Q", journal.HoldOperator)}},
}

// steps are what can come next, one for each kind and then the variants.
var steps = []struct {
	name  string
	entry journal.Entry
}{
	{"opened", opened("migration")},
	{"begun", begun("Q")},
	{"the same intent", intent("Q", "Paused", "fetch", 2)},
	{"another intent", intent("Q", "Paused", "upload", 1)},
	{"an intent in another state", intent("Q", "Uploaded", "fetch", 1)},
	{"outcome", outcome("Q", "Paused", "Fetched")},
	{"an outcome from another state", outcome("Q", "Uploaded", "Fetched")},
	{"failed", kind("Q", journal.Failed)},
	{"doubt", kind("Q", journal.Doubt)},
	{"held for support", held("Q", journal.HoldSupport)},
	{"held in doubt", held("Q", journal.HoldInDoubt)},
	{"held by an operator", held("Q", journal.HoldOperator)},
	{"held without a hold", kind("Q", journal.Held)},
	{"released", kind("Q", journal.Released)},
	{"noted", kind("Q", journal.Noted)},
	{"an unknown kind", kind("Q", "guessed")},
}

// TestEveryKindInEverySituation is the whole table of what may follow what,
// and where it leads: in flight (F), in doubt (D), held (the kind), state.
func TestEveryKindInEverySituation(t *testing.T) {
	want := strings.TrimSpace(`
not begun                     | opened: | begun: Paused | the same intent: refused | another intent: refused | an intent in another state: refused | outcome: refused | an outcome from another state: refused | failed: refused | doubt: refused | held for support: refused | held in doubt: refused | held by an operator: refused | held without a hold: refused | released: refused | noted: refused | an unknown kind: refused
begun                         | opened: Paused | begun: Paused | the same intent: Paused F | another intent: Paused F | an intent in another state: refused | outcome: Fetched | an outcome from another state: refused | failed: Paused | doubt: refused | held for support: Paused support | held in doubt: Paused inDoubt | held by an operator: Paused operator | held without a hold: refused | released: Paused | noted: Paused | an unknown kind: refused
in flight                     | opened: Paused F | begun: Paused | the same intent: Paused F | another intent: refused | an intent in another state: refused | outcome: Fetched | an outcome from another state: refused | failed: Paused | doubt: Paused F D | held for support: Paused support | held in doubt: Paused F inDoubt | held by an operator: Paused F operator | held without a hold: refused | released: Paused F | noted: Paused F | an unknown kind: refused
in doubt                      | opened: Paused F D | begun: Paused | the same intent: Paused F | another intent: refused | an intent in another state: refused | outcome: Fetched | an outcome from another state: refused | failed: Paused | doubt: Paused F D | held for support: Paused support | held in doubt: Paused F D inDoubt | held by an operator: Paused F D operator | held without a hold: refused | released: Paused F D | noted: Paused F D | an unknown kind: refused
failed                        | opened: Paused | begun: Paused | the same intent: Paused F | another intent: Paused F | an intent in another state: refused | outcome: Fetched | an outcome from another state: refused | failed: Paused | doubt: refused | held for support: Paused support | held in doubt: Paused inDoubt | held by an operator: Paused operator | held without a hold: refused | released: Paused | noted: Paused | an unknown kind: refused
held for support              | opened: Paused support | begun: Paused | the same intent: Paused F support | another intent: Paused F support | an intent in another state: refused | outcome: Fetched support | an outcome from another state: refused | failed: Paused support | doubt: refused | held for support: Paused support | held in doubt: Paused inDoubt | held by an operator: Paused operator | held without a hold: refused | released: Paused | noted: Paused support | an unknown kind: refused
held in doubt                 | opened: Paused F D inDoubt | begun: Paused | the same intent: Paused F inDoubt | another intent: refused | an intent in another state: refused | outcome: Fetched inDoubt | an outcome from another state: refused | failed: Paused inDoubt | doubt: Paused F D inDoubt | held for support: Paused support | held in doubt: Paused F D inDoubt | held by an operator: Paused F D operator | held without a hold: refused | released: Paused F D | noted: Paused F D inDoubt | an unknown kind: refused
held by an operator in flight | opened: Paused F operator | begun: Paused operator | the same intent: Paused F operator | another intent: refused | an intent in another state: refused | outcome: Fetched operator | an outcome from another state: refused | failed: Paused operator | doubt: Paused F D operator | held for support: Paused support | held in doubt: Paused F inDoubt | held by an operator: Paused F operator | held without a hold: refused | released: Paused F | noted: Paused F operator | an unknown kind: refused
held by an operator at rest   | opened: Paused operator | begun: Paused operator | the same intent: Paused F operator | another intent: Paused F operator | an intent in another state: refused | outcome: Fetched operator | an outcome from another state: refused | failed: Paused operator | doubt: refused | held for support: Paused support | held in doubt: Paused inDoubt | held by an operator: Paused operator | held without a hold: refused | released: Paused | noted: Paused operator | an unknown kind: refused
`)
	var got strings.Builder
	for _, s := range situations {
		fmt.Fprintf(&got, "%-29s", s.name)
		for _, next := range steps {
			entries := history(append(append([]journal.Entry{opened("migration")}, s.path...), next.entry)...)
			fmt.Fprintf(&got, " | %s:", next.name)
			record, err := journal.Replay(each(entries))
			if err != nil {
				require.ErrorIs(t, err, journal.ErrCorrupt)
				require.ErrorContains(t, err, fmt.Sprintf("entry %d ", len(entries)))
				got.WriteString(" refused")
				continue
			}
			standing, ok := record.Standing("Q")
			if !ok {
				continue
			}
			got.WriteString(" " + standing.State)
			if standing.InFlight {
				got.WriteString(" F")
			}
			if standing.Doubt {
				got.WriteString(" D")
			}
			if standing.Hold != nil {
				got.WriteString(" " + string(standing.Hold.Kind))
			}
			if next.name != "opened" {
				require.EqualValues(t, len(entries), standing.Seq)
			}
		}
		got.WriteString("\n")
	}
	require.Equal(t, want, strings.TrimSpace(got.String()))
}

func TestReplayNamesWhatIsWrong(t *testing.T) {
	whole := func() []journal.Entry {
		return history(opened("migration"), begun("Q"), intent("Q", "Paused", "fetch", 1), opened("migration"), outcome("Q", "Paused", "Fetched"), opened("rollback"))
	}
	_, err := journal.Replay(each(whole()))
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		change func(e []journal.Entry) []journal.Entry
		want   error
		says   string
	}{
		{"the first entry is missing", func(e []journal.Entry) []journal.Entry { return e[1:] }, journal.ErrCorrupt, "entry 2 follows entry 0"},
		{"an entry in the middle is missing", func(e []journal.Entry) []journal.Entry { return slices.Delete(e, 2, 3) }, journal.ErrCorrupt, "entry 4 follows entry 2"},
		{"an entry is there twice", func(e []journal.Entry) []journal.Entry { return slices.Insert(e, 3, e[2]) }, journal.ErrCorrupt, "entry 3 follows entry 3"},
		{"two entries are exchanged", func(e []journal.Entry) []journal.Entry { e[1], e[2] = e[2], e[1]; return e }, journal.ErrCorrupt, "entry 3 follows entry 1"},
		{"it does not begin with Opened", func(e []journal.Entry) []journal.Entry { return history(begun("Q")) }, journal.ErrCorrupt, "entry 1 comes before the journal was opened"},
		{"an entry is of an older epoch", func(e []journal.Entry) []journal.Entry { e[4].Epoch = 1; return e }, journal.ErrCorrupt, "entry 5 is of epoch 1, in epoch 2"},
		{"an entry is of a newer epoch", func(e []journal.Entry) []journal.Entry { e[2].Epoch = 2; return e }, journal.ErrCorrupt, "entry 3 is of epoch 2, in epoch 1"},
		{"an epoch is left out", func(e []journal.Entry) []journal.Entry { e[3].Epoch = 3; return e }, journal.ErrCorrupt, "entry 4 opens epoch 3 after epoch 1"},
		{"an epoch is opened twice", func(e []journal.Entry) []journal.Entry { e[3].Epoch = 1; return e }, journal.ErrCorrupt, "entry 4 opens epoch 1 after epoch 1"},
		{"an opening opens nothing", func(e []journal.Entry) []journal.Entry { e[3].Opened = nil; return e }, journal.ErrCorrupt, "entry 4 opens nothing"},
		{"an entry is about nobody", func(e []journal.Entry) []journal.Entry { e[1].Env = ""; return e }, journal.ErrCorrupt, "entry 2 is about no environment"},
		{"an entry is about somebody else", func(e []journal.Entry) []journal.Entry { e[2].Env = "P\x1b"; return e }, journal.ErrCorrupt, `entry 3 is about "P\u001b", which has not begun`},
		{"the format is newer", func(e []journal.Entry) []journal.Entry { e[0].Opened.Format = 2; return e }, journal.ErrForeign, "entry 1: the journal is of another version, run or plan: it is of format 2, this version reads format 1"},
		{"the run is another", func(e []journal.Entry) []journal.Entry { e[3].Opened.Run = "other"; return e }, journal.ErrForeign, `entry 4: the journal is of another version, run or plan: it opens the run "other" in the journal of the run "acme"`},
		{"the plan is another", func(e []journal.Entry) []journal.Entry { e[3].Opened.Plan = "other"; return e }, journal.ErrForeign, "entry 4: the journal is of another version, run or plan: it opens the run with another plan"},
		{"the definition is another", func(e []journal.Entry) []journal.Entry { e[3].Opened.Definition = "other"; return e }, journal.ErrForeign, `entry 4: the journal is of another version, run or plan: it changes the definition of "migration"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			record, err := journal.Replay(each(tt.change(whole())))
			require.Nil(t, record)
			require.ErrorIs(t, err, tt.want)
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, tt.want == journal.ErrForeign, !strings.Contains(err.Error(), journal.ErrCorrupt.Error()), "it is the one or the other")
		})
	}
}

func TestReplayHandsOnWhatTheStoreSays(t *testing.T) {
	record, err := journal.Replay(func(yield func(journal.Entry, error) bool) {
		if yield(history(opened("migration"))[0], nil) {
			yield(journal.Entry{}, journal.ErrClosed)
		}
	})
	require.Nil(t, record)
	require.ErrorIs(t, err, journal.ErrClosed)
}

func TestAnEmptyJournalSaysNothing(t *testing.T) {
	record, err := journal.Replay(each(nil))
	require.NoError(t, err)
	require.Equal(t, new(journal.Record), record)
	_, ok := record.Standing("Q")
	require.False(t, ok)
}

func TestWhatAStandingKeeps(t *testing.T) {
	facts := func(e journal.Entry, f string) journal.Entry { e.Facts = json.RawMessage(f); return e }
	record, err := journal.Replay(each(history(
		opened("migration"),
		begun(journal.Infrastructure),
		facts(begun("Q"), `{"n":1}`),
		intent("Q", "Paused", "fetch", 1),
		kind("Q", journal.Failed),
		intent("Q", "Paused", "fetch", 2),
		facts(outcome("Q", "Paused", "Fetched"), `{"n":2}`),
		intent("Q", "Fetched", "backUp", 1),
		opened("rollback"),
		journal.Entry{Kind: journal.Begun, Env: "P", Table: "rollback/environment", State: "RollingBack"},
	)))
	require.NoError(t, err)
	require.Equal(t, "acme", record.Run)
	require.Equal(t, "9f2c", record.Plan)
	require.Equal(t, at(1), record.Started)
	require.EqualValues(t, 10, record.Last)
	require.EqualValues(t, 2, record.Epoch)
	require.Equal(t, map[string]string{"migration": "hash of migration", "rollback": "hash of rollback"}, record.Definitions)
	var order []string
	for _, s := range record.Standings {
		order = append(order, s.Env)
	}
	require.Equal(t, []string{journal.Infrastructure, "Q", "P"}, order, "the order in which they first appear")
	q, ok := record.Standing("Q")
	require.True(t, ok)
	require.Equal(t, journal.Standing{
		Env: "Q", Table: "migration/move", Leg: "move", State: "Fetched", Since: at(7), InFlight: true, Effect: "backUp", ID: "id of backUp", Attempt: 1,
		Steps: 2, Facts: json.RawMessage(`{"n":2}`), Seq: 8,
	}, q)
}

// TestNothingReleasesAnOperatorsHoldButARelease: whatever else happens to an
// environment that an operator has stopped, it still stands stopped.
func TestNothingReleasesAnOperatorsHoldButARelease(t *testing.T) {
	stopped := []journal.Entry{opened("migration"), begun("Q"), intent("Q", "Paused", "fetch", 1), held("Q", journal.HoldOperator)}
	for name, then := range map[string][]journal.Entry{
		"an outcome":                           {outcome("Q", "Paused", "Fetched")},
		"a failure":                            {kind("Q", journal.Failed)},
		"a doubt":                              {kind("Q", journal.Doubt)},
		"another table":                        {begun("Q")},
		"another process":                      {opened("migration")},
		"a note":                               {kind("Q", journal.Noted)},
		"a hold of the procedure that is over": {held("Q", journal.HoldSupport), kind("Q", journal.Released)},
		"two holds of the procedure and a release": {held("Q", journal.HoldUnavailable), held("Q", journal.HoldSupport), kind("Q", journal.Released)},
		"a hold of the procedure and a new table":  {held("Q", journal.HoldSupport), begun("Q")},
		"another stop, and a hold in between":      {held("Q", journal.HoldSupport), held("Q", journal.HoldOperator), begun("Q")},
	} {
		t.Run(name, func(t *testing.T) {
			entries := append(slices.Clone(stopped), then...)
			record, err := journal.Replay(each(history(entries...)))
			require.NoError(t, err)
			q, _ := record.Standing("Q")
			require.NotNil(t, q.Hold)
			require.Equal(t, journal.HoldOperator, q.Hold.Kind)

			record, err = journal.Replay(each(history(append(entries, kind("Q", journal.Released))...)))
			require.NoError(t, err)
			q, _ = record.Standing("Q")
			require.True(t, q.Hold == nil || q.Hold.Kind != journal.HoldOperator, "a release does end it")
		})
	}
	t.Run("and it hides no hold of the procedure", func(t *testing.T) {
		record, err := journal.Replay(each(history(opened("migration"), begun("Q"), held("Q", journal.HoldSupport), held("Q", journal.HoldOperator), kind("Q", journal.Released))))
		require.NoError(t, err)
		q, _ := record.Standing("Q")
		require.NotNil(t, q.Hold)
		require.Equal(t, journal.HoldSupport, q.Hold.Kind)
	})
}

// random returns a valid history: a model decides what may come next, without
// Replay.
func random(r *rand.Rand, n int) []journal.Entry {
	type env struct {
		state    string
		inFlight string
	}
	envs := map[string]*env{}
	states, effects := []string{"Paused", "Fetched", "BackedUp"}, []string{"fetch", "backUp", "upload"}
	names := []string{journal.Infrastructure, "Production", "Quality", "Development"}
	entries := []journal.Entry{opened("migration")}
	for len(entries) < n {
		name := names[r.IntN(len(names))]
		state := states[r.IntN(len(states))]
		e := envs[name]
		if e == nil || r.IntN(20) == 0 {
			entry := begun(name)
			entry.State = state
			entries = append(entries, entry)
			envs[name] = &env{state: state}
			continue
		}
		var entry journal.Entry
		switch r.IntN(9) {
		case 0:
			entry = opened([]string{"migration", "rollback"}[r.IntN(2)])
		case 1, 2:
			effect := effects[r.IntN(len(effects))]
			if e.inFlight != "" {
				effect = e.inFlight
			}
			e.inFlight = effect
			entry = intent(name, e.state, effect, r.IntN(3))
		case 3, 4:
			entry = outcome(name, e.state, state)
			e.state, e.inFlight = state, ""
		case 5:
			entry = kind(name, journal.Failed)
			e.inFlight = ""
		case 6:
			if e.inFlight == "" {
				continue
			}
			entry = kind(name, journal.Doubt)
		case 7:
			hold := []journal.HoldKind{journal.HoldOperator, journal.HoldSupport, journal.HoldInDoubt, journal.HoldMixed}[r.IntN(4)]
			entry = held(name, hold)
			if hold == journal.HoldSupport || hold == journal.HoldMixed {
				e.inFlight = ""
			}
		case 8:
			entry = kind(name, []journal.Kind{journal.Released, journal.Noted}[r.IntN(2)])
		}
		if r.IntN(3) == 0 && entry.Kind != journal.Opened {
			entry.Facts = json.RawMessage(fmt.Sprintf(`{"n":%d}`, len(entries)))
		}
		entries = append(entries, entry)
	}
	return history(entries...)
}

// lastOf returns the last entry about env that matches.
func lastOf(entries []journal.Entry, env string, match func(journal.Entry) bool) (journal.Entry, bool) {
	for _, e := range slices.Backward(entries) {
		if e.Env == env && match(e) {
			return e, true
		}
	}
	return journal.Entry{}, false
}

func TestRandomHistories(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 400 {
		entries := random(r, 2+r.IntN(60))
		record, err := journal.Replay(each(entries))
		require.NoError(t, err)

		// Replay is a function: of the entries, in one go or one by one.
		again, err := journal.Replay(each(entries))
		require.NoError(t, err)
		require.Equal(t, record, again)
		var stepwise journal.Record
		for _, e := range entries {
			require.NoError(t, stepwise.Add(e))
		}
		require.Equal(t, *record, stepwise)

		// What it says can be read off the entries from the end.
		for _, s := range record.Standings {
			about, _ := lastOf(entries, s.Env, func(journal.Entry) bool { return true })
			require.Equal(t, about.Seq, s.Seq)
			entered, _ := lastOf(entries, s.Env, func(e journal.Entry) bool { return e.Kind == journal.Begun || e.Kind == journal.Outcome })
			if entered.Kind == journal.Begun {
				require.Equal(t, entered.State, s.State)
			} else {
				require.Equal(t, entered.To, s.State)
			}
			require.Equal(t, entered.Time, s.Since)
			facts, _ := lastOf(entries, s.Env, func(e journal.Entry) bool { return e.Facts != nil })
			require.Equal(t, facts.Facts, s.Facts)
			flight, ok := lastOf(entries, s.Env, func(e journal.Entry) bool {
				ended := e.Kind == journal.Held && e.Hold.Kind != journal.HoldOperator && e.Hold.Kind != journal.HoldInDoubt
				return ended || slices.Contains([]journal.Kind{journal.Begun, journal.Intent, journal.Outcome, journal.Failed, journal.Doubt}, e.Kind)
			})
			require.True(t, ok)
			require.Equal(t, flight.Kind == journal.Intent || flight.Kind == journal.Doubt, s.InFlight)
			require.Equal(t, flight.Kind == journal.Doubt, s.Doubt)
			tried, ok := lastOf(entries[entered.Seq:], s.Env, func(e journal.Entry) bool { return e.Kind == journal.Intent })
			require.Equal(t, []any{ok, tried.Effect, tried.ID, tried.Attempt}, []any{ok, s.Effect, s.ID, s.Attempt})
			steps := 0
			for _, e := range entries {
				if e.Env == s.Env && (e.Kind == journal.Begun || e.Kind == journal.Outcome) {
					steps++
				}
			}
			require.Equal(t, steps, s.Steps)
		}

		// Any entry lost, repeated or moved is found, with its number.
		i := r.IntN(len(entries) - 1)
		for what, changed := range map[string][]journal.Entry{
			"lost":     slices.Delete(slices.Clone(entries), i, i+1),
			"repeated": slices.Insert(slices.Clone(entries), i, entries[i]),
		} {
			_, err = journal.Replay(each(changed))
			require.ErrorIs(t, err, journal.ErrCorrupt, what)
			require.ErrorContains(t, err, "follows entry", what)
		}
	}
}

func TestEveryFieldOfAnEntrySurvivesJSON(t *testing.T) {
	var e journal.Entry
	set(t, reflect.ValueOf(&e).Elem(), "e")
	b, err := json.Marshal(e)
	require.NoError(t, err)
	var back journal.Entry
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, e, back)

	t.Run("and the names of the fields are the format", func(t *testing.T) {
		require.JSONEq(t, `{
			"seq": 7, "epoch": 7, "time": "2026-11-23T08:30:07Z", "kind": "e.Kind", "env": "e.Env", "table": "e.Table", "leg": "e.Leg",
			"state": "e.State", "effect": "e.Effect", "id": "e.ID", "attempt": 7, "trigger": "e.Trigger", "to": "e.To",
			"condition": "e.Condition", "text": "e.Text", "by": "e.By",
			"hold": {"kind": "e.Hold.Kind", "cause": "e.Hold.Cause", "effect": "e.Hold.Effect", "environments": ["e.Hold.Environments"],
				"holder": "e.Hold.Holder", "since": "2026-11-23T08:30:07Z", "verbs": ["e.Hold.Verbs"], "hint": "e.Hold.Hint"},
			"testimony": [{"by": "e.Testimony.By", "at": "2026-11-23T08:30:07Z", "text": "e.Testimony.Text"}],
			"facts": {"n": 7},
			"opened": {"format": 7, "run": "e.Opened.Run", "plan": "e.Opened.Plan", "procedure": "e.Opened.Procedure", "repaired": 7,
				"definition": "e.Opened.Definition", "verb": "e.Opened.Verb", "preview": "e.Opened.Preview", "host": "e.Opened.Host", "user": "e.Opened.User",
				"adapters": {"port": "e.Opened.Adapters"}}
		}`, string(b))
	})
	t.Run("and what does not apply is left out", func(t *testing.T) {
		b, err := json.Marshal(journal.Entry{Kind: journal.Noted})
		require.NoError(t, err)
		require.JSONEq(t, `{"seq": 0, "epoch": 0, "time": "0001-01-01T00:00:00Z", "kind": "noted"}`, string(b))
	})
}

// set gives every field below v a value that names it.
func set(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(at(7)))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"n":7}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Struct:
		for i := range v.NumField() {
			set(t, v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(t, v.Elem(), name)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(t, v.Index(0), name)
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"port": name}))
	default:
		t.Fatalf("%s is of a kind that this test does not know", name)
	}
}

func TestMemoryKeepsEntriesOfItsOwn(t *testing.T) {
	var e journal.Entry
	set(t, reflect.ValueOf(&e).Elem(), "e")
	e.Seq = 1
	var m journal.Memory
	require.NoError(t, m.Append(t.Context(), 0, e))
	before, err := json.Marshal(e)
	require.NoError(t, err)
	spoil := func(e journal.Entry) {
		e.Facts[0] = 'x'
		e.Testimony[0].By = "x"
		e.Hold.Cause, e.Hold.Environments[0], e.Hold.Verbs[0] = "x", "x", "x"
		e.Opened.Run, e.Opened.Adapters["port"] = "x", "x"
	}
	spoil(e)
	for range 2 {
		for got, err := range m.Read(t.Context()) {
			require.NoError(t, err)
			after, err := json.Marshal(got)
			require.NoError(t, err)
			require.Equal(t, string(before), string(after))
			spoil(got)
		}
	}
}

func TestCheckSeq(t *testing.T) {
	for last := range uint64(4) {
		for after := range uint64(4) {
			for first := range uint64(6) {
				for second := range uint64(7) {
					entries := []journal.Entry{{Seq: first}, {Seq: second}}
					err := journal.CheckSeq(last, after, entries)
					if after == last && first == after+1 && second == after+2 {
						require.NoError(t, err)
					} else {
						require.ErrorIs(t, err, journal.ErrSeq)
					}
				}
			}
		}
	}
}

func TestAHoldSaysWhyAndWhatToDo(t *testing.T) {
	for want, h := range map[string]*journal.Hold{
		"held (operator): stop": {Kind: journal.HoldOperator, Cause: "stop"},
		`held (support) in Quality, P\u001b: not found (ask Support)`: {Kind: journal.HoldSupport, Cause: "not found", Environments: []string{"Quality", "P\x1b"}, Hint: "ask Support"},
	} {
		require.EqualError(t, h, want)
	}
}

// FuzzReplay: whatever entries are given, Replay refuses them with one of its
// two errors, or says of them what is consistent in itself.
func FuzzReplay(f *testing.F) {
	for seed := range uint64(10) {
		b, err := json.Marshal(random(rand.New(rand.NewPCG(seed, 1)), 30))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var entries []journal.Entry
		if json.Unmarshal(b, &entries) != nil {
			return
		}
		record, err := journal.Replay(each(entries))
		again, err2 := journal.Replay(each(entries))
		require.Equal(t, err, err2)
		require.Equal(t, record, again)
		if err != nil {
			corrupt, foreign := strings.Contains(err.Error(), journal.ErrCorrupt.Error()), strings.Contains(err.Error(), journal.ErrForeign.Error())
			require.True(t, corrupt || foreign, "%v", err)
			return
		}
		require.EqualValues(t, len(entries), record.Last)
		seen := map[string]bool{"": true}
		for _, s := range record.Standings {
			require.False(t, seen[s.Env])
			seen[s.Env] = true
			require.True(t, s.InFlight || !s.Doubt, "a doubt is about something in flight")
			require.LessOrEqual(t, s.Seq, record.Last)
			require.Positive(t, s.Steps)
			byName, ok := record.Standing(s.Env)
			require.True(t, ok)
			require.Equal(t, s, byName)
		}
	})
}

func TestMemoryObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var m journal.Memory
	require.NoError(t, m.Append(ctx, 0, history(opened("migration"))...))
	cancel()
	require.ErrorIs(t, m.Append(ctx, 1), context.Canceled)
	for _, err := range m.Read(ctx) {
		require.ErrorIs(t, err, context.Canceled)
	}
}
