package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/changeover-go/changeover/internal/printable"
)

// Standing is what a journal says of one environment, or of the
// infrastructure.
type Standing struct {
	Env      string
	Table    string // ID of the table that it is in
	Leg      string
	State    string
	Since    time.Time // when it entered State
	InFlight bool      // an intent has neither outcome nor failure
	Doubt    bool      // and it was found that nobody knows what came of it
	Effect   string    // of the last intent in this state, in flight or not
	ID       string    // of that effect
	Attempt  int       // number of the last attempt in this state; zero: none
	Steps    int       // how many states it has entered so far, over all tables
	Hold     *Hold     // nil: it does not wait for a person
	Facts    json.RawMessage
	Seq      uint64 // of the last entry about it

	// beneath waits under Hold, and shows again when Hold is released: an
	// operator's hold and one of the procedure can stand at the same time, and
	// the end of one must not end the other.
	beneath *Hold
}

// A Record is a replayed journal.
type Record struct {
	Run     string // name of the run; empty for an empty journal
	Plan    string // digest of the plan
	Preview string // digest of the preview that the run was begun from; empty: from none
	Started time.Time
	Last    uint64 // Seq of the last entry
	Epoch   uint64 // of the last Opened entry
	// Definitions holds the hash of each procedure's tables, by procedure.
	Definitions map[string]string
	// Standings are in the order in which the environments first appear.
	Standings []Standing

	index map[string]int // environment -> place in Standings
}

// Standing returns what is known of env; ok is false if nothing is.
func (r *Record) Standing(env string) (s Standing, ok bool) {
	i, ok := r.index[env]
	if !ok {
		return Standing{}, false
	}
	return r.Standings[i], true
}

// Replay folds a journal into what it says. It is a pure function of the
// entries. It returns an error that names the entry: ErrCorrupt for one that
// no writer can have written there (out of order, of an older epoch, of an
// unknown kind, about an environment that has not begun, or at odds with what
// the entries before it say), and ErrForeign for one of another format, run,
// plan or definition.
func Replay(entries iter.Seq2[Entry, error]) (*Record, error) {
	r := new(Record)
	for e, err := range entries {
		if err != nil {
			return nil, err
		}
		if err := r.Add(e); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Add folds the next entry into the record; see [Replay]. The zero Record is
// an empty journal. After an error the record is of no use.
func (r *Record) Add(e Entry) error {
	if r.index == nil {
		r.index, r.Definitions = map[string]int{}, map[string]string{}
	}
	switch err := r.add(&e); {
	case err == nil:
		return nil
	case errors.Is(err, ErrForeign):
		return fmt.Errorf("entry %d: %w", e.Seq, err)
	default:
		return fmt.Errorf("%w: entry %d %w", ErrCorrupt, e.Seq, err)
	}
}

func (r *Record) add(e *Entry) error {
	if e.Seq != r.Last+1 {
		return fmt.Errorf("follows entry %d", r.Last)
	}
	r.Last = e.Seq
	if e.Kind == Opened {
		return r.open(e)
	}
	switch {
	case r.Epoch == 0:
		return errors.New("comes before the journal was opened")
	case e.Epoch != r.Epoch:
		return fmt.Errorf("is of epoch %d, in epoch %d", e.Epoch, r.Epoch)
	case e.Env == "":
		return errors.New("is about no environment")
	}
	i, known := r.index[e.Env]
	if !known {
		if e.Kind != Begun {
			return fmt.Errorf("is about %s, which has not begun", quote(e.Env))
		}
		i = len(r.Standings)
		r.index[e.Env] = i
		r.Standings = append(r.Standings, Standing{Env: e.Env})
	}
	s := &r.Standings[i]
	s.Seq = e.Seq
	if len(e.Facts) > 0 {
		s.Facts = e.Facts
	}
	return s.add(e)
}

func (s *Standing) add(e *Entry) error {
	switch e.Kind {
	case Begun:
		// What a hold of the procedure waited for was a matter of the table
		// that is left; what an operator said stands.
		var hold *Hold
		for _, h := range []*Hold{s.Hold, s.beneath} {
			if h != nil && h.Kind == HoldOperator {
				hold = h
			}
		}
		*s = Standing{Env: s.Env, Table: e.Table, Leg: e.Leg, State: e.State, Since: e.Time, Steps: s.Steps + 1, Hold: hold, Facts: s.Facts, Seq: s.Seq}
	case Intent:
		if e.State != s.State {
			return fmt.Errorf("is an intent in %s, but %s is in %s", quote(e.State), quote(s.Env), quote(s.State))
		}
		if s.InFlight && e.ID != s.ID {
			return fmt.Errorf("is an intent for %s in %s, where %s is in flight", quote(e.Effect), quote(s.Env), quote(s.Effect))
		}
		s.InFlight, s.Doubt = true, false
		s.Effect, s.ID, s.Attempt = e.Effect, e.ID, e.Attempt
	case Outcome:
		if e.State != s.State {
			return fmt.Errorf("leaves %s, but %s is in %s", quote(e.State), quote(s.Env), quote(s.State))
		}
		s.State, s.Since = e.To, e.Time
		s.Steps++
		s.InFlight, s.Doubt, s.Effect, s.ID, s.Attempt = false, false, "", "", 0
	case Failed:
		s.InFlight, s.Doubt = false, false
	case Doubt:
		if !s.InFlight {
			return fmt.Errorf("doubts an effect in %s, where none is in flight", quote(s.Env))
		}
		s.Doubt = true
	case Held:
		if e.Hold == nil {
			return errors.New("is a hold that says nothing")
		}
		if s.Hold != nil && (s.Hold.Kind == HoldOperator) != (e.Hold.Kind == HoldOperator) {
			s.beneath = s.Hold
		}
		s.Hold = e.Hold
		if e.Hold.Kind != HoldInDoubt && e.Hold.Kind != HoldOperator {
			s.InFlight, s.Doubt = false, false
		}
	case Released:
		s.Hold, s.beneath = s.beneath, nil
	case Noted:
	default:
		return fmt.Errorf("is of the unknown kind %s", quote(string(e.Kind)))
	}
	return nil
}

func (r *Record) open(e *Entry) error {
	o := e.Opened
	switch {
	case o == nil:
		return errors.New("opens nothing")
	case o.Format != Format:
		return fmt.Errorf("%w: it is of format %d, this version reads format %d", ErrForeign, o.Format, Format)
	case e.Epoch != r.Epoch+1:
		return fmt.Errorf("opens epoch %d after epoch %d", e.Epoch, r.Epoch)
	case r.Last > 1 && o.Run != r.Run:
		return fmt.Errorf("%w: it opens the run %s in the journal of the run %s", ErrForeign, quote(o.Run), quote(r.Run))
	case r.Last > 1 && o.Plan != r.Plan:
		return fmt.Errorf("%w: it opens the run with another plan", ErrForeign)
	case r.Last > 1 && o.Preview != "":
		return errors.New("begins the run from a preview, but the run has begun")
	}
	if hash, seen := r.Definitions[o.Procedure]; seen && hash != o.Definition {
		return fmt.Errorf("%w: it changes the definition of %s within the run", ErrForeign, quote(o.Procedure))
	}
	if r.Last == 1 {
		r.Run, r.Plan, r.Preview, r.Started = o.Run, o.Plan, o.Preview, e.Time
	}
	r.Epoch = e.Epoch
	r.Definitions[o.Procedure] = o.Definition
	return nil
}

// quote makes a name from a journal safe to print.
func quote(name string) string { return `"` + printable.Text(name) + `"` }
