package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// handle answers updates, which are the operator's verbs, and queries.
//
// A verb that cannot be carried out is refused by its validator, with every
// reason: a refused update leaves no trace in the history. What may happen is
// for the tables to say (Changeover.Explain), and for what the journal says of
// holds.
func (r *run) handle(w workflow.Context) error {
	var errs []error
	update := func(name string, refuse func(Command) []error, f func(context.Context, Command) error) {
		errs = append(errs, workflow.SetUpdateHandlerWithOptions(w, name,
			func(w workflow.Context, c Command) error {
				w, _ = workflow.NewDisconnectedContext(w)
				r.serving++
				defer func() { r.serving-- }()
				return f(within(context.Background(), w), c)
			},
			workflow.UpdateHandlerOptions{Description: name + " of a changeover", Validator: func(_ workflow.Context, c Command) error {
				if r.c == nil {
					return fmt.Errorf("%s: %w", name, errReading)
				}
				reasons := refuse(c)
				if c.By == "" {
					reasons = append(reasons, errors.New("who asks for it is missing"))
				}
				if c.Why == "" && name != "answer" {
					reasons = append(reasons, errors.New("why it is asked for, or what was found, is missing"))
				}
				if err := errors.Join(reasons...); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			}}))
	}
	update("hold", r.refuseHold, func(ctx context.Context, c Command) error { return r.c.Hold(ctx, c.Env, c.By, c.Why) })
	update("release", r.refuseRelease, func(ctx context.Context, c Command) error { return r.c.Release(ctx, c.Env, c.By, c.Why) })
	update("resolve", r.refuseResolve, func(ctx context.Context, c Command) error {
		return r.c.Resolve(ctx, c.Env, migration.Resolution{By: c.By, Evidence: c.Why, NotDone: c.NotDone})
	})
	update("resume", func(Command) []error { return r.idle() }, func(_ context.Context, c Command) error {
		r.next = append(r.next, order{"resume", c})
		return nil
	})
	update("rollback", r.refuseRollBack, func(ctx context.Context, c Command) error {
		r.stop(ctx, order{"rollback", c})
		return nil
	})
	update("answer", func(c Command) []error { return r.asked.refuse(c) }, func(ctx context.Context, c Command) error {
		return r.asked.answer(ctx, c)
	})
	query := func(name string, f any) { errs = append(errs, workflow.SetQueryHandler(w, name, f)) }
	query("status", r.status)
	query("explain", func(env string) (machine.Explanation, error) {
		if r.c == nil {
			return machine.Explanation{}, errReading
		}
		return r.c.Explain(context.Background(), env)
	})
	query("report", r.report)
	query("questions", func() ([]Question, error) { return r.asked.open(), nil })
	return errors.Join(errs...)
}

// errReading: the workflow has begun, and its journal is not known yet.
var errReading = errors.New("the run is just being read; try again in a moment")

// standing returns what the journal says of env.
func (r *run) standing(env string) (journal.Standing, []error) {
	record, err := journal.Replay(r.store.Read(context.Background()))
	if err != nil {
		return journal.Standing{}, []error{err}
	}
	at, ok := record.Standing(env)
	if !ok {
		return at, []error{fmt.Errorf("%q has not begun", env)}
	}
	return at, nil
}

// idle refuses what must wait until the run rests.
func (r *run) idle() []error {
	if r.busy() {
		return []error{fmt.Errorf("%w; hold the run, and wait until it rests", changeover.ErrRunning)}
	}
	return nil
}

func (r *run) refuseHold(c Command) []error {
	at, reasons := r.standing(c.Env)
	if at.Hold != nil {
		reasons = append(reasons, fmt.Errorf("%q is held already: %w", c.Env, at.Hold))
	}
	return reasons
}

func (r *run) refuseRelease(c Command) []error {
	at, reasons := r.standing(c.Env)
	switch {
	case reasons != nil:
	case at.Hold == nil:
		reasons = append(reasons, fmt.Errorf("%q: %w", c.Env, changeover.ErrNotHeld))
	case at.Hold.Kind != journal.HoldOperator:
		reasons = append(reasons, fmt.Errorf("%q: %w: what holds is %s, which ends by %v", c.Env, changeover.ErrNotHeld, at.Hold.Kind, at.Hold.Verbs))
	}
	return append(reasons, r.idle()...)
}

func (r *run) refuseResolve(c Command) []error {
	at, reasons := r.standing(c.Env)
	switch {
	case reasons != nil:
	case at.Hold != nil && at.Hold.Kind == journal.HoldOperator:
		reasons = append(reasons, fmt.Errorf("%q: %w: what holds is %s, which ends by %v", c.Env, changeover.ErrNotHeld, at.Hold.Kind, at.Hold.Verbs))
	case at.Hold == nil && c.Env == journal.Infrastructure && !strings.HasPrefix(at.Table, "rollback/"):
		reasons = append(reasons, fmt.Errorf("%q: %w: what waits for somebody's word is an environment", c.Env, changeover.ErrNotHeld))
	case at.Hold == nil:
		reasons = append(reasons, r.unresolvable(c.Env)...)
	}
	return append(reasons, r.idle()...)
}

// unresolvable returns why no word of a person leads env on.
func (r *run) unresolvable(env string) []error {
	ex, err := r.c.Explain(context.Background(), env)
	if err != nil {
		return []error{err}
	}
	return leads(ex, migration.SupportResolved, fmt.Errorf("%q: %w: nothing waits for somebody's word in %s", env, changeover.ErrNotHeld, ex.State))
}

func (r *run) refuseRollBack(Command) []error {
	at, reasons := r.standing(journal.Infrastructure)
	if reasons != nil || machine.State(at.State) == migration.Halted || strings.HasPrefix(at.Table, "rollback/") {
		return reasons // it goes back already, and may be taken up again
	}
	ex, err := r.c.Explain(context.Background(), journal.Infrastructure)
	if err != nil {
		return []error{err}
	}
	return leads(ex, migration.RollbackRequested, fmt.Errorf("%s has no way back", ex.State))
}

// leads returns why nothing that somebody says leads on from a state; none: it
// does, and the guards are asked with what was said.
func leads(ex machine.Explanation, on machine.Trigger, otherwise error) []error {
	for _, way := range ex.Ways {
		if way.On == on {
			return nil
		}
	}
	return []error{otherwise}
}

func (r *run) status() (Status, error) {
	s := Status{Verb: r.verb}
	if r.err != nil {
		s.Error = r.err.Error()
	}
	text, err := r.report("json")
	switch {
	case errors.Is(err, errReading) || errors.Is(err, changeover.ErrNotBegun):
		return s, nil // nothing is on record yet
	case err != nil:
		return s, err
	}
	s.Report = json.RawMessage(text)
	return s, nil
}

func (r *run) report(format string) (string, error) {
	if r.c == nil {
		return "", errReading
	}
	rep, err := r.c.Status(context.Background())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	switch format {
	case "text":
		err = rep.WriteText(&b)
	case "markdown":
		err = rep.WriteMarkdown(&b)
	case "csv":
		err = rep.WriteCSV(&b)
	case "json":
		err = rep.WriteJSON(&b)
	default:
		err = fmt.Errorf("there is no report as %q: take text, markdown, json or csv", format)
	}
	return b.String(), err
}
