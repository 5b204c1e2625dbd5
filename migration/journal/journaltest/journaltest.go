// Package journaltest holds the suite that every [journal.Store] must pass:
// the sentences of its contract, one clause each. It is for authors of stores,
// who run it from a test of their own:
//
//	func TestStore(t *testing.T) {
//		journaltest.TestStore(t, func(t *testing.T) journaltest.Harness {
//			return journaltest.Harness{Store: new(journal.Memory)}
//		})
//	}
//
// It does not cut the power: that Append returns only when the entries are
// durable is for the store's own tests to show.
package journaltest

import (
	"context"
	"testing"

	"github.com/changeover-go/changeover/migration/journal"
)

// A Harness is a new, empty store and what a clause needs besides. A nil
// function declares an inability; the clauses that need it are then skipped,
// and say so.
type Harness struct {
	// Store is the store under test.
	Store journal.Store
	// Reopen closes Store and opens the same storage again. Nil: what is
	// stored does not outlive the store.
	Reopen func() (journal.Store, error)
	// OpenSecond opens the same storage while Store is open, as another
	// process would. Nil: nobody else can reach the storage.
	OpenSecond func() (journal.Store, error)
	// Close closes Store. Nil: the store cannot be closed.
	Close func() error
	// Damage changes what is stored of entry number seq, behind the back of
	// the store. Nil: the storage cannot be changed from outside.
	Damage func(seq uint64) error
}

// can reports whether the harness has the ability called name.
func (h Harness) can(name string) bool {
	switch name {
	case "Reopen":
		return h.Reopen != nil
	case "OpenSecond":
		return h.OpenSecond != nil
	case "Close":
		return h.Close != nil
	case "Damage":
		return h.Damage != nil
	}
	return name == ""
}

// A clause is one sentence of the contract. check returns how it is broken.
type clause struct {
	name  string
	text  string
	needs []string // abilities of the harness
	check func(ctx context.Context, h Harness) error
}

// TestStore runs each clause as a subtest on a harness of its own. newHarness
// releases what it opened with t.Cleanup.
func TestStore(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, c := range clauses() {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			for _, ability := range c.needs {
				if !h.can(ability) {
					t.Skipf("harness: %s is nil", ability)
				}
			}
			if err := c.check(t.Context(), h); err != nil {
				t.Errorf("%v\nthe clause: %s", err, c.text)
			}
		})
	}
}
