package temporal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/adapters"
)

// A Question is what a run asks its operator, with [AskUpdate].
type Question struct {
	ID string `json:"id"` // for the answer
	adapters.Question
	Since time.Time `json:"since"`
}

// asked are the questions of a run, answered by updates: an operator that no
// worker waits for.
type asked struct {
	questions []*pending
	count     int
}

type pending struct {
	Question
	answer    *adapters.Answer
	refused   bool
	withdrawn bool
	cancel    func() // of the activity that asks the worker's operator; nil: an update is to answer
}

// Describe implements adapters.Describer.
func (*asked) Describe() string { return "whoever sends the update answer" }

// errWithdrawn: nothing was answered, and nothing done.
var errWithdrawn = fmt.Errorf("the run was stopped before anybody answered: %w", adapters.ErrNotReached)

// Ask implements adapters.Operator.
func (a *asked) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	w := of(ctx)
	a.count++
	p := &pending{Question: Question{ID: strconv.Itoa(a.count), Question: q, Since: workflow.Now(w).UTC()}}
	defer a.add(p)()
	over := func() bool { return p.answer != nil || p.withdrawn }
	if at, ok := ctx.Deadline(); ok {
		if answered, err := workflow.AwaitWithTimeout(w, max(at.Sub(workflow.Now(w)), time.Second), over); err != nil || !answered {
			return adapters.Answer{}, errors.Join(fmt.Errorf("nobody has answered in time: %w", adapters.ErrNotReached), err)
		}
	} else if err := workflow.Await(w, over); err != nil {
		return adapters.Answer{}, err
	}
	switch {
	case p.withdrawn:
		return adapters.Answer{}, errWithdrawn
	case p.refused:
		return adapters.Answer{}, fmt.Errorf("%s said no: %s: %w", p.answer.By, p.answer.Text, adapters.ErrRefused)
	}
	return *p.answer, nil
}

// add takes p down until the function that it returns is called.
func (a *asked) add(p *pending) (remove func()) {
	a.questions = append(a.questions, p)
	return func() { a.questions = slices.DeleteFunc(a.questions, func(one *pending) bool { return one == p }) }
}

// open returns the questions that nobody has answered.
func (a *asked) open() []Question {
	open := []Question{}
	for _, p := range a.questions {
		if p.open() {
			open = append(open, p.Question)
		}
	}
	return open
}

// open reports whether an update may still answer.
func (p *pending) open() bool { return p.answer == nil && !p.withdrawn && p.cancel == nil }

func (a *asked) find(id string) *pending {
	for _, p := range a.questions {
		if p.ID == id && p.open() {
			return p
		}
	}
	return nil
}

func (a *asked) refuse(c Command) []error {
	if a.find(c.ID) == nil {
		return []error{fmt.Errorf("no question %q is open: the query questions lists those that are", c.ID)}
	}
	return nil
}

func (a *asked) answer(ctx context.Context, c Command) error {
	p := a.find(c.ID)
	if p == nil {
		return fmt.Errorf("the question %q is not open any more", c.ID)
	}
	p.refused = c.No
	p.answer = &adapters.Answer{By: c.By, At: workflow.Now(of(ctx)).UTC(), Text: c.Why}
	return nil
}

// withdraw ends what is asked: the run is stopped.
func (a *asked) withdraw() {
	for _, p := range a.questions {
		if p.withdrawn = true; p.cancel != nil {
			p.cancel()
		}
	}
}
