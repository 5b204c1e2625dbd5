package migrationtest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// A Subject is what [Sweep] runs over and over: a plan, adapters over a test
// double of the systems behind them, and what must come of it.
type Subject struct {
	// Plan is what is migrated, over at most eight environments. Two or three
	// are enough to find what there is to be found, and much faster.
	Plan migration.Plan
	// Set is what is tested: adapters over systems in which nothing has
	// happened yet.
	Set adapters.Set
	// Reopen returns the adapters of the next process, over the same systems,
	// as they are made when a program starts again; nil: they outlive the
	// process that made them.
	Reopen func() (adapters.Set, error)
	// Options may bring tables and steps of one's own; nil: none. Effects are
	// always carried out inline, and without a Clock waits cost no time.
	Options *changeover.Options
	// RollBack has the infrastructure taken back, on somebody's word, when the
	// way forward has come to its end; that is swept as well.
	RollBack bool
	// Ends is the verdict that the run must come to when nothing fails; empty:
	// Completed, or RolledBack after RollBack. Whatever fails, it must come to
	// the same one.
	Ends report.Verdict
	// Check looks at the systems when a run is over and returns what is wrong
	// with them, for example a slot that was used up twice; nil: only what the
	// ports show is compared with the run in which nothing failed.
	Check func(ctx context.Context) error
}

// Sweep holds a migration over your own adapters, tables and steps against the
// library's laws, wherever it is hit. It runs it once as it is. Then, each in a
// subtest of its own and with a fresh subject, it loses every call of a port
// before it is made, loses the answer of every call after it was made, and lets
// the process die at every append to the journal, before and after that is
// durable. A next process takes the run up again, and somebody who has looked
// resolves what is in doubt. In the end the same must have come of it, every
// backup must be in the vault, and no law may have been broken on the way.
//
// fresh is called once for every run and makes a subject that shares nothing
// with any other; what it needs to clean up it gives to t.Cleanup. The same
// subject must be made each time, since the points to hit are those of the
// first run.
//
// A failure says which point was hit, which law was broken and what the law
// says, what happened up to there, and how to run that point alone.
//
// It sees what goes through Set. What a step of one's own does past it, it sees
// only in what the ports show afterwards, and in Check.
//
// A conformance suite (package adaptertest) looks at one adapter, sentence by
// sentence; Sweep looks at what becomes of a whole run. Use both.
func Sweep(t *testing.T, fresh func(t testing.TB) Subject) {
	t.Helper()
	plain, err := hit(t.Context(), fresh(t), point{}, nil)
	if err != nil {
		t.Fatal(told(t, err))
	}
	for failed, all := 0, plain.points(); len(all) > 0; all = all[1:] {
		if failed == maxFailed {
			t.Fatalf("%d points failed; the other %d are not tried", failed, len(all))
		}
		if !t.Run(all[0].name, func(t *testing.T) {
			if _, err := hit(t.Context(), fresh(t), all[0], plain); err != nil {
				t.Error(told(t, err))
			}
		}) {
			failed++
		}
	}
}

// maxFailed is how many points may fail: what is wrong is wrong in a hundred
// places.
const maxFailed = 5

// A point is where a run is hit; the zero point is nowhere.
type point struct {
	name string
	call int // number of the call, from 1
	when fault.When
	// append is the number of the append at which the process dies, from 1;
	// durable says that it does so afterwards.
	append  int
	durable bool
}

// errLost is what a call returns that was hit. It wraps no condition, so nobody
// can tell from it whether the call was made.
var errLost = errors.New("the line went dead")

// points returns everywhere where a run like this one can be hit.
func (r *run) points() []point {
	var all []point
	for i, op := range r.calls {
		all = append(all,
			point{name: fmt.Sprintf("call %d is lost: %v", i+1, op), call: i + 1, when: fault.Before},
			point{name: fmt.Sprintf("call %d loses its answer: %v", i+1, op), call: i + 1, when: fault.After})
	}
	for i, what := range r.store.appends {
		all = append(all,
			point{name: fmt.Sprintf("death before append %d: %s", i+1, what), append: i + 1},
			point{name: fmt.Sprintf("death after append %d: %s", i+1, what), append: i + 1, durable: true})
	}
	return all
}

// A Broken says what was found in one run of a [Sweep]. It is an error.
type Broken struct {
	Point string   // where the run was hit; empty: nowhere
	Found []error  // the laws that were broken, and everything else that is wrong
	Trace []string // what happened, in order
}

// Error says what was found and what happened before.
func (b *Broken) Error() string { return b.tell(lastEvents) }

// lastEvents is how much of what happened is told unless all is asked for.
const lastEvents = 40

func (b *Broken) tell(events int) string {
	var s strings.Builder
	if b.Point == "" {
		s.WriteString("nothing was made to fail, and yet\n")
	} else {
		fmt.Fprintf(&s, "%s\n", b.Point)
	}
	for _, err := range b.Found {
		fmt.Fprintf(&s, "  %v\n", err)
	}
	s.WriteString("what happened:\n")
	skip := max(0, len(b.Trace)-events)
	if skip > 0 {
		fmt.Fprintf(&s, "  … (%d before; -v tells them too)\n", skip)
	}
	for _, line := range b.Trace[skip:] {
		fmt.Fprintf(&s, "  %s\n", line)
	}
	return s.String()
}

// Unwrap returns what was found.
func (b *Broken) Unwrap() []error { return b.Found }

// told is a failure as a test prints it.
func told(t *testing.T, err error) string {
	var b *Broken
	if !errors.As(err, &b) {
		return err.Error()
	}
	events := lastEvents
	if testing.Verbose() {
		events = len(b.Trace)
	}
	return b.tell(events) + "again, and nothing else: go test -v -run '" + pattern(t.Name()) + "'"
}

// pattern returns what -run must be for the test of that name alone.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.ReplaceAll(strings.Join(parts, "/"), "'", ".")
}

// ErrTooManyEnvironments says that a plan names more environments than [Sweep]
// can follow.
var ErrTooManyEnvironments = fmt.Errorf("a sweep follows at most %d environments: give it a smaller plan, which finds as much", law.MaxEnvironments)
