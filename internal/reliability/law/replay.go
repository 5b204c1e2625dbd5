package law

import (
	"bytes"
	"fmt"
	"iter"
	"reflect"

	"github.com/changeover-go/changeover/migration/journal"
)

// Replayed replays what should be the same journal twice and compares what is
// said of it (JR1). Times are compared as moments: one of the two may have been
// written down and read back.
func Replayed(one, two iter.Seq2[journal.Entry, error]) []Violation {
	a, errA := journal.Replay(one)
	b, errB := journal.Replay(two)
	switch {
	case errA != nil || errB != nil:
		return []Violation{{JR1, fmt.Sprintf("a journal that cannot be replayed: %v, %v", errA, errB)}}
	case a.Run != b.Run || a.Plan != b.Plan || a.Last != b.Last || a.Epoch != b.Epoch || !reflect.DeepEqual(a.Definitions, b.Definitions) || len(a.Standings) != len(b.Standings):
		return []Violation{{JR1, "a journal that says different things of the run"}}
	}
	for i, s := range a.Standings {
		t := b.Standings[i]
		if !bytes.Equal(s.Facts, t.Facts) || !s.Since.Equal(t.Since) || (s.Hold == nil) != (t.Hold == nil) || s.Hold != nil && s.Hold.Error() != t.Hold.Error() ||
			s.Env != t.Env || s.Table != t.Table || s.Leg != t.Leg || s.State != t.State || s.InFlight != t.InFlight || s.Doubt != t.Doubt ||
			s.Effect != t.Effect || s.ID != t.ID || s.Attempt != t.Attempt || s.Steps != t.Steps || s.Seq != t.Seq {
			return []Violation{{JR1, fmt.Sprintf("a journal that says different things of environment %d", i+1)}}
		}
	}
	return nil
}
