package temporal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// WorkflowName is the name of the workflow of one infrastructure.
const WorkflowName = "changeover.Migration"

// What a cancellation of the workflow means, and who answers the operator's
// questions.
const (
	OnCancelHold     = "hold"     // the run is held, and the workflow ends
	OnCancelRollBack = "rollback" // the run goes back first

	AskWorker = "worker" // the Operator of the worker's ports, in an activity
	AskUpdate = "update" // whoever sends the update "answer"; no worker waits meanwhile
)

const (
	defaultHeartbeat = 30 * time.Second
	defaultPatience  = time.Hour
	personTime       = 24 * time.Hour // that a call may take whose effect has no timeout
)

// A Request begins a run, or takes one up. [NewRequest] makes one.
type Request struct {
	Plan       json.RawMessage `json:"plan"`       // as migration.ReadPlan reads it
	Definition string          `json:"definition"` // of the tables, as Changeover.Definition returns it
	User       string          `json:"user,omitempty"`
	OnCancel   string          `json:"onCancel,omitempty"`
	Ask        string          `json:"ask,omitempty"`
	Heartbeat  time.Duration   `json:"heartbeat,omitempty"`
	Patience   time.Duration   `json:"patience,omitempty"`
	Hurry      int             `json:"hurry,omitempty"`
	RollBack   *Command        `json:"rollBack,omitempty"`
}

// A Command is what somebody asks for: the argument of every update.
type Command struct {
	Env     string `json:"env,omitempty"`     // of hold, release, resolve; journal.Infrastructure: the whole run
	By      string `json:"by"`                // who
	Why     string `json:"why"`               // or what was found and done
	NotDone bool   `json:"notDone,omitempty"` // of resolve
	ID      string `json:"id,omitempty"`      // of the question that is answered
	No      bool   `json:"no,omitempty"`      // the answer is no
}

// A Result is how a run ended.
type Result struct {
	Run     string         `json:"run"`
	Verdict report.Verdict `json:"verdict"`
	Entries uint64         `json:"entries"`
}

// A Status is how a run stands.
type Status struct {
	Verb   string          `json:"verb,omitempty"`   // that is going on; empty: the run rests
	Error  string          `json:"error,omitempty"`  // of the last verb
	Report json.RawMessage `json:"report,omitempty"` // as Report.WriteJSON writes it; none: nothing is on record yet
}

// run is one workflow.
type run struct {
	host     *Host
	request  Request
	store    *store
	c        *changeover.Changeover
	asked    asked
	verb     string // that is going on
	err      error  // of the last verb
	next     []order
	canceled bool
	serving  int // updates that are being carried out
}

// An order is a verb for the main coroutine.
type order struct {
	verb string
	Command
}

// migration is the workflow of one infrastructure.
func (h *Host) migration(w workflow.Context, request Request) (Result, error) {
	r := &run{host: h, request: request}
	workflow.Go(w, func(w workflow.Context) {
		if workflow.Await(w, func() bool { return false }) != nil { // the workflow is canceled
			w, _ = workflow.NewDisconnectedContext(w)
			r.cancel(within(context.Background(), w))
		}
	})
	w, _ = workflow.NewDisconnectedContext(w)
	ctx := within(context.Background(), w)
	if err := errors.Join(r.handle(w), r.begin(ctx, w)); err != nil {
		return Result{}, nonRetryable(err)
	}
	if r.canceled {
		return Result{}, sdk.NewCanceledError()
	}
	return r.loop(ctx, w)
}

func (r *run) begin(ctx context.Context, w workflow.Context) error {
	plan, err := readPlan(r.request.Plan)
	if err := errors.Join(err, r.request.check()); err != nil {
		return err
	}
	at := &caller{plan: plan, digest: plan.Digest(), text: string(r.request.Plan), heartbeat: cmp.Or(r.request.Heartbeat, defaultHeartbeat),
		patience: cmp.Or(r.request.Patience, defaultPatience)}
	r.store = &store{caller: at, behind: true}
	var a answer
	if err := r.store.patiently(ctx, question{Method: "Describe", Text: at.text}, &a); err != nil {
		return err
	}
	at.described = a.Described
	var asks adapters.Operator = operator{at, &r.asked}
	if r.request.Ask == AskUpdate {
		asks = &r.asked
	}
	files := &whereabouts{map[license.Digest]string{}, map[license.Digest]license.SerialNumber{}}
	c, err := changeover.New(plan, at.set(files, asks), r.store, &changeover.Options{
		Clock: clock{w, max(r.request.Hurry, 1)}, Tasks: tasks{}, User: r.request.User, Host: "Temporal " + workflow.GetInfo(w).WorkflowExecution.RunID, Extend: r.host.Extend,
	})
	if err != nil {
		return err
	}
	if d := c.Definition(); d != r.request.Definition {
		// Not an error of the run: the task fails, and is tried again until a
		// worker takes it that has the tables of the one that began it.
		panic(fmt.Sprintf("the run was begun with tables of the definition %.12s, and this worker has %.12s: run workers of the version that began it", r.request.Definition, d))
	}
	if err := r.store.catchUp(ctx); err != nil {
		return err
	}
	r.c = c
	return nil
}

// nonRetryable is how a workflow fails: trying again changes nothing.
func nonRetryable(err error) error {
	return sdk.NewNonRetryableApplicationError(err.Error(), "changeover", nil)
}

func readPlan(text []byte) (migration.Plan, error) { return migration.ReadPlan(bytes.NewReader(text)) }

// loop does what is asked for, one verb after the other, until the run is over.
func (r *run) loop(ctx context.Context, w workflow.Context) (Result, error) {
	now := order{verb: "apply"}
	switch {
	case r.request.RollBack != nil:
		now = order{"rollback", *r.request.RollBack}
	case r.store.last > 0:
		now.verb = "resume"
	}
	for {
		rep, err := r.do(ctx, now)
		if rep == nil {
			return Result{}, nonRetryable(err) // nothing was begun
		}
		over := err == nil && (rep.Verdict == report.Completed || rep.Verdict == report.RolledBack)
		// An update may still come, or be at work: a verb begins when it is done.
		_ = workflow.Await(w, func() bool {
			return r.serving == 0 && len(r.next) > 0 || (over || r.canceled) && workflow.AllHandlersFinished(w)
		})
		if r.canceled { // by somebody who does not want it to go on: at the same moment as somebody else has asked for that
			r.next = slices.DeleteFunc(r.next, func(o order) bool { return o.verb != "rollback" })
		}
		if len(r.next) == 0 {
			result := Result{Run: rep.Run, Verdict: rep.Verdict, Entries: r.store.last}
			if over {
				return result, nil
			}
			return result, sdk.NewCanceledError(result)
		}
		now, r.next = r.next[0], r.next[1:]
	}
}

// do carries out a verb. The report is nil only if nothing was ever begun.
func (r *run) do(ctx context.Context, o order) (rep *report.Report, err error) {
	r.verb = o.verb
	defer func() { r.verb, r.err = "", err }()
	if err := r.store.catchUp(ctx); err != nil {
		rep, statusErr := r.c.Status(ctx)
		return rep, errors.Join(err, statusErr)
	}
	switch o.verb {
	case "apply":
		rep, err = r.c.Apply(ctx)
	case "rollback":
		rep, err = r.c.RollBack(ctx, o.By, o.Why)
	default:
		rep, err = r.c.Resume(ctx)
	}
	if rep == nil && r.store.last > 0 {
		rep, _ = r.c.Status(ctx)
	}
	return rep, err
}

// busy reports whether a verb is going on or about to.
func (r *run) busy() bool { return r.c == nil || r.verb != "" || len(r.next) > 0 }

// cancel is for when the workflow is canceled.
func (r *run) cancel(ctx context.Context) {
	by := Command{By: "cancellation", Why: "the workflow was canceled"}
	if r.verb != "" {
		r.hold(ctx, by)
	}
	if r.request.OnCancel == OnCancelRollBack && r.c != nil && r.store.last > 0 {
		r.next = append(r.next, order{"rollback", by})
	}
	r.canceled = true
	r.asked.withdraw()
}

// hold stops the run that is going on. One that has nothing on record yet is
// held as soon as it has; one that is held already, or cannot write its journal,
// comes to rest by itself.
func (r *run) hold(ctx context.Context, c Command) {
	_ = workflow.Await(of(ctx), func() bool { return r.verb == "" || r.store.last > 0 })
	if r.verb == "" {
		return
	}
	if err := r.c.Hold(ctx, journal.Infrastructure, c.By, c.Why); err != nil {
		workflow.GetLogger(of(ctx)).Warn("the run cannot be held", "error", err.Error())
	}
}

// stop stops the run, if it is going on, and has the verb follow.
func (r *run) stop(ctx context.Context, then order) {
	if r.verb != "" {
		r.hold(ctx, then.Command)
	}
	r.next = append(r.next, then)
	r.asked.withdraw()
}
