package contender_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/migration/journal"
)

// Those that need nothing but this program.
func TestEveryInstanceTakesEveryStepInOrder(t *testing.T) {
	for _, c := range []contender.Contender{
		contender.FileJournal(nil), contender.FileJournal(func(s journal.Store) journal.Store { return contender.OneByOne{Store: s} }),
		contender.Memory(), contender.Stateless{}, contender.LooplabFSM{}, new(contender.GoWorkflows),
	} {
		t.Run(c.Name(), func(t *testing.T) {
			if err := c.Start(t.Context(), t.TempDir()); err != nil {
				t.Fatal(err)
			}
			for _, inFlight := range []int{1, 4} {
				var taken [4][contender.Steps]time.Time
				if err := c.RunInstances(t.Context(), len(taken), inFlight, func(i, k int, at time.Time) { taken[i][k] = at }); err != nil {
					t.Fatal(err)
				}
				for i, steps := range taken {
					for k, at := range steps {
						if at.IsZero() || k > 0 && at.Before(steps[k-1]) {
							t.Errorf("%d in flight: instance %d took its steps at %v", inFlight, i, steps)
							break
						}
					}
				}
			}
			if err := c.Stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTheBytesOfAnAppendAreFound(t *testing.T) {
	dir := t.TempDir()
	counts := new(contender.Counted)
	c := contender.FileJournal(func(s journal.Store) journal.Store { counts.Store = s; return counts })
	if err := c.Start(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := c.RunInstances(t.Context(), 1, 1, func(int, int, time.Time) {}); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	chunks, err := counts.Chunks(dir)
	if err != nil {
		t.Fatal(err)
	}
	// The intent of the first step, then each outcome with the next intent.
	if len(chunks) != contender.Steps+1 {
		t.Errorf("%d appends, want one for each step and one before; see %s", len(chunks), filepath.Join(dir, "state"))
	}
	for i, chunk := range chunks {
		if chunk[0] != '{' || chunk[len(chunk)-1] != '\n' {
			t.Errorf("append %d is no whole lines: %q", i, chunk)
		}
	}
}
