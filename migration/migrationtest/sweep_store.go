package migrationtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
)

// mortal is a journal in memory whose process dies at one of the appends.
type mortal struct {
	journal.Memory
	dies    int    // number of that append, from 1; zero: it does not die
	durable bool   // it dies when the append is durable already
	died    func() // is told
	dead    bool   // the process is gone; the next one makes this false

	appends []string // told by what each ends with
}

// errDead is what a dead process gets from its journal.
var errDead = errors.New("the process is dead")

// Append implements [journal.Store].
func (m *mortal) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if m.dead {
		return errDead
	}
	if len(entries) > 0 {
		m.appends = append(m.appends, tell(entries[len(entries)-1]))
	}
	if m.dies == 0 || len(m.appends) != m.dies {
		return m.Memory.Append(ctx, after, entries...)
	}
	m.dead = true
	var err error
	if m.durable {
		err = m.Memory.Append(ctx, after, entries...)
	}
	m.died()
	return errors.Join(errDead, err)
}

// tell says in a few words what an entry is.
func tell(e journal.Entry) string {
	what := e.Effect
	if e.Kind == journal.Outcome {
		what = e.To
	}
	if what == "" {
		what = e.State
	}
	return printable.Text(fmt.Sprintf("%s %s %s", e.Kind, what, e.Env))
}
