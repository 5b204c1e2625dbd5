package migrationtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/reliability/model"
	"github.com/changeover-go/changeover/migration"
)

// Effects say what effects of one's own leave in the facts when they are done,
// for guards that ask about it. An effect that is not named leaves nothing.
type Effects map[machine.EffectName]func(*environment.Facts)

// checkFaults is how many things go wrong at most, and checkStates how many
// states are walked through then.
const (
	checkFaults = 2
	checkStates = 150_000
)

// Check walks through everything that can happen to a run of the plan under
// the tables that opts.Extend changes, shortest first, and fails t with the
// shortest way to a broken promise, to a state that nothing leads on from, or
// to one from which no end can be reached. Everything that can happen with one
// thing going wrong is covered - a death of the process, a lost answer, a
// refusal, a change by somebody else, and so on - and much of what can happen
// with two.
//
// The plan may have at most four environments; two are enough to find what
// there is to be found, and much faster. Of opts, which may be nil, only Extend
// is used: no step is called. An effect that the procedure does not have may,
// for Check, answer each trigger that leads on from its state, state each
// condition that it catches, fail, or leave open what it did; what it leaves in
// the facts is said by effects, which may be nil.
//
// Check says nothing about steps: that yours do what their table says is for
// their own tests, and for [Sweep].
func Check(t testing.TB, plan migration.Plan, opts *changeover.Options, effects Effects) {
	t.Helper()
	for faults := 1; faults <= checkFaults; faults++ {
		result, err := model.Explore(t.Context(), config(plan, opts, effects, faults), checkStates)
		if err != nil {
			t.Fatal(err)
		}
		if story := result.Story; story != nil {
			t.Fatalf("%s\n\n%s\nThe same as Mermaid:\n\n%s\nAnd as a test:\n\n%s",
				story.Broken, story, story.Mermaid(), replay(story.Moves, faults))
		}
		if result.Edges != nil && faults == checkFaults {
			t.Logf("transitions that were not taken: %s", strings.Join(result.Edges, ", "))
		}
		t.Logf("%d states, %d moves, at most %d things going wrong, everything walked through: %v", result.States, result.Moves, faults, result.Whole)
	}
}

func config(plan migration.Plan, opts *changeover.Options, effects Effects, faults int) model.Config {
	cfg := model.Config{Plan: plan, Faults: faults, After: effects}
	if opts != nil {
		cfg.Extend = opts.Extend
	}
	return cfg
}

// replay writes a test that makes the moves again.
func replay(moves string, faults int) string {
	return fmt.Sprintf("func TestCounterexample(t *testing.T) {\n\tmigrationtest.Replay(t, plan, opts, effects, \"%d: %s\")\n}\n", faults, moves)
}

// Replay makes the moves again that [Check] has found and printed, tells them
// in detail, and fails t if they still end in something broken. Moves that the
// tables do not permit any more break nothing.
func Replay(t testing.TB, plan migration.Plan, opts *changeover.Options, effects Effects, moves string) {
	t.Helper()
	var faults int
	before, after, ok := strings.Cut(moves, ": ")
	if _, err := fmt.Sscan(before, &faults); err != nil || !ok {
		t.Fatalf("%q is nothing that Check prints", moves)
	}
	story, err := model.Replay(config(plan, opts, effects, faults), after, true)
	switch {
	case err != nil:
		t.Log(err)
	case story.Broken != "":
		t.Fatal(story)
	default:
		t.Log(story)
	}
}
