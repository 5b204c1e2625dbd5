//go:build linux

package process

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// What a process says. All but the calls of the ports, which go by the name of
// the method, tell what is so.
const (
	opened   = "opened"   // it holds the state directory
	refused  = "refused"  // it does not get the state directory
	appended = "appended" // Entries are durable
	stored   = "stored"   // File is in the vault
	taken    = "taken"    // File was taken from the vault
	slept    = "slept"    // Wait went by
	ended    = "ended"    // the verb is over: Report or Failure
	closing  = "closing"  // it is about to let go of the state directory
)

// A message is a question of a process, or the answer. Which fields it has is
// a matter of what it does.
type message struct {
	Do string `json:"do,omitempty"`

	Env    environment.Environment  `json:"env,omitzero"`
	Code   string                   `json:"code,omitempty"` // the code itself: nothing of this is ever printed
	File   []byte                   `json:"file,omitempty"`
	Text   string                   `json:"text,omitempty"`
	Yes    bool                     `json:"yes,omitempty"`
	PID    int                      `json:"pid,omitempty"`
	Wait   time.Duration            `json:"wait,omitempty"`
	After  uint64                   `json:"after,omitempty"`
	Listed []environment.Registered `json:"listed,omitempty"`

	Installed   license.Installed    `json:"-"`
	Publication adapters.Publication `json:"publication,omitzero"`
	Case        adapters.Case        `json:"case,omitzero"`
	Question    adapters.Question    `json:"question,omitzero"`
	Answer      adapters.Answer      `json:"answer,omitzero"`
	Label       adapters.Label       `json:"label,omitzero"`
	Stored      adapters.Stored      `json:"stored,omitzero"`
	Entries     []journal.Entry      `json:"entries,omitempty"`
	Verdict     report.Verdict       `json:"verdict,omitempty"`
	Hold        *journal.Hold        `json:"hold,omitempty"`
	Locked      bool                 `json:"locked,omitempty"`  // of refused: by another process
	Resolve     []resolution         `json:"resolve,omitempty"` // of an answer to ended: what a person has found

	Shown     *shown `json:"shown,omitempty"` // Installed, as it goes over the wire
	Failed    bool   `json:"failed,omitempty"`
	Failure   string `json:"failure,omitempty"`
	Condition string `json:"condition,omitempty"`
	Uncertain bool   `json:"uncertain,omitempty"`
}

// shown is a licensing page with the code itself in place of the masked one.
type shown struct {
	license.Installed
	Code string
}

// A resolution is what a person has found out about an effect in doubt.
type resolution struct {
	Env     string
	NotDone bool
}

// fail puts an error into a message, and [message.err] takes it out again.
func (m *message) fail(err error) {
	if err == nil {
		return
	}
	m.Failed, m.Failure, m.Uncertain = true, err.Error(), errors.Is(err, adapters.ErrUncertain)
	if c := adapters.ConditionOf(err); c != nil {
		m.Condition = c.Condition()
	}
}

func (m *message) err() error {
	if !m.Failed {
		return nil
	}
	if m.Uncertain {
		return fmt.Errorf("%s: %w", m.Failure, adapters.ErrUncertain)
	}
	for _, c := range adapters.Conditions() {
		if c.Condition() == m.Condition {
			return fmt.Errorf("%s: %w", m.Failure, c)
		}
	}
	return errors.New(m.Failure)
}

// A line carries messages, one at a time in each direction.
type line struct {
	in  *json.Decoder
	out io.Writer
}

func newLine(rw io.ReadWriter) *line { return &line{json.NewDecoder(rw), rw} }

func (l *line) send(m *message) error {
	m.Shown = nil
	if m.Installed.Server != "" || !m.Installed.Code.IsZero() {
		m.Shown = &shown{m.Installed, m.Installed.Code.Reveal()}
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = l.out.Write(append(b, '\n'))
	return err
}

func (l *line) receive(m *message) error {
	if err := l.in.Decode(m); err != nil {
		return err
	}
	if m.Shown == nil {
		return nil
	}
	m.Installed = m.Shown.Installed
	if m.Shown.Code == "" {
		return nil
	}
	code, err := license.ParseActivationCode(m.Shown.Code)
	m.Installed.Code = code
	return err
}
