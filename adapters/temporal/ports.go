package temporal

import (
	"context"
	"errors"
	"fmt"
	"time"

	sdk "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// caller makes calls of ports into activities. It is the workflow's side; calls
// is the worker's.
type caller struct {
	plan      migration.Plan
	digest    string
	text      string // of the plan
	heartbeat time.Duration
	patience  time.Duration // with the journal
	described map[string]string
}

// once: what may be repeated is for the tables to say.
var once = &sdk.RetryPolicy{MaximumAttempts: 1}

// do makes the call. An error that is not the adapter's own says nothing of
// what was done: the worker is gone, or the time is over.
func (c *caller) do(ctx context.Context, q question) (answer, error) {
	return c.on(ctx, "", 0, q)
}

// on makes the call on the worker of that queue, which must begin it in time;
// without a queue, on any.
func (c *caller) on(ctx context.Context, queue string, soon time.Duration, q question) (answer, error) {
	w := of(ctx)
	options := workflow.ActivityOptions{
		TaskQueue: queue, ScheduleToStartTimeout: soon, StartToCloseTimeout: personTime, HeartbeatTimeout: c.heartbeat, RetryPolicy: once,
	}
	if at, ok := ctx.Deadline(); ok {
		options.StartToCloseTimeout = max(at.Sub(workflow.Now(w)), time.Second)
	}
	a, err := c.ask(workflow.WithActivityOptions(w, options), q)
	if err != nil {
		return answer{}, lostError{q.Method, err}
	}
	for _, t := range a.Testimony {
		adapters.Testify(ctx, t)
	}
	return a, a.Failure.err()
}

// ask has the call made. The plan, which has the activation codes, goes along
// only to a worker that does not have it yet.
func (c *caller) ask(w workflow.Context, q question) (answer, error) {
	q.Plan = c.digest
	for {
		var a answer
		if err := workflow.ExecuteActivity(w, activityName(q.Method), q).Get(w, &a); err != nil || !a.NoPlan {
			return a, err
		}
		q.Text = c.text
	}
}

// lostError is what became of an activity that has no answer.
type lostError struct {
	method string
	err    error
}

func (e lostError) Error() string {
	return fmt.Sprintf("the worker that was to call %s has not answered: %v", e.method, e.err)
}
func (e lostError) Unwrap() error { return e.err }

// unstarted reports whether no worker has begun the activity.
func unstarted(err error) bool {
	var timeout *sdk.TimeoutError
	return errors.As(err, &timeout) && timeout.TimeoutType().String() == "ScheduleToStart"
}

func (c *caller) role(of license.ActivationCode) license.Role { return codeOf(c.plan, of).Role }

// reference is the file of an answer.
func (c *caller) reference(a answer) (license.File, error) {
	if a.File == nil {
		return license.File{}, errors.New("the worker gave no file")
	}
	details := a.File.Details.Details
	details.Code = a.File.Details.Code.in(c.plan)
	return license.Reference(a.File.Digest, a.File.Size, details, a.File.Refused.err()), nil
}

// set returns the ports. What only says something is taken from what the worker
// has described. asks answers for the operator.
func (c *caller) set(w *whereabouts, asks adapters.Operator) adapters.Set {
	set := adapters.Set{
		Portal: portal{c, w}, LifeTime: lifeTime{c}, Vault: vault{c, w}, Support: supportDesk{c}, Operator: asks,
	}
	if console := (console{c, w}); c.described["LicenseBackuper"] != "" {
		set.ServiceCenter = backupConsole{console}
	} else {
		set.ServiceCenter = console
	}
	return set
}

// whereabouts say where the bytes of files are: with the worker that fetched
// them, and in the vault, under the serial number that they were read by.
type whereabouts struct {
	worker map[license.Digest]string
	serial map[license.Digest]license.SerialNumber
}

type portal struct {
	*caller
	files *whereabouts
}

func (p portal) Describe() string { return p.described["LicensePortal"] }

func (p portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	return p.fetched(p.do(ctx, question{Method: "FetchLicense", Environment: env.Name, Role: p.role(code)}))(p.files)
}

// fetched takes down where the bytes of a file are.
func (c *caller) fetched(a answer, err error) func(*whereabouts) (license.File, error) {
	return func(w *whereabouts) (license.File, error) {
		if err != nil {
			return license.File{}, err
		}
		f, err := c.reference(a)
		if err == nil {
			w.worker[f.Digest()] = a.File.Worker
		}
		return f, err
	}
}

func (p portal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	a, err := p.do(ctx, question{Method: "SerialRegistered", Environment: env.Name, Role: p.role(code)})
	return a.Yes, err
}

func (p portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	_, err := p.do(ctx, question{Method: "RegisterSerial", Environment: env.Name, Role: p.role(code)})
	return err
}

type console struct {
	*caller
	files *whereabouts
}

func (s console) Describe() string { return s.described["ServiceCenter"] }

func (s console) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	a, err := s.do(ctx, question{Method: "InstalledLicense", Environment: env.Name})
	if err != nil {
		return license.Installed{}, err
	}
	in := a.Installed.Installed
	in.Code = a.Installed.Code.in(s.plan)
	return in, nil
}

func (s console) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	_, err := s.do(ctx, question{Method: "UploadLicense", Environment: env.Name, Serial: s.files.serial[file.Digest()], Digest: file.Digest()})
	return err
}

func (s console) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	a, err := s.do(ctx, question{Method: "RepublishModule", Environment: env.Name, Module: module})
	if err != nil {
		return adapters.Publication{}, err
	}
	return *a.Publication, nil
}

type backupConsole struct{ console }

func (s backupConsole) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return s.fetched(s.do(ctx, question{Method: "BackupLicense", Environment: env.Name}))(s.files)
}

type lifeTime struct{ *caller }

func (l lifeTime) Describe() string { return l.described["LifeTime"] }

func (l lifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	a, err := l.do(ctx, question{Method: "Registered"})
	return a.Registered, err
}

func (l lifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	_, err := l.do(ctx, question{Method: "PauseDeployments", Environment: env.Name})
	return err
}

func (l lifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	_, err := l.do(ctx, question{Method: "ResumeDeployments", Environment: env.Name})
	return err
}

type vault struct {
	*caller
	files *whereabouts
}

func (v vault) Describe() string { return v.described["BackupVault"] }

// soon is how long the worker that has a file may take to begin with storing it.
const soon = time.Minute

// Put goes to the worker that has the bytes. When that one is gone, the file is
// to be fetched again.
func (v vault) Put(ctx context.Context, l adapters.Label, file license.File) (adapters.Stored, error) {
	a, err := v.on(ctx, v.files.worker[file.Digest()], soon, question{Method: "Put", Label: &l, Digest: file.Digest()})
	if unstarted(err) {
		err = fmt.Errorf("%w: %w: the worker that fetched it is gone", adapters.ErrNotReached, license.ErrGone)
	}
	if err != nil {
		return adapters.Stored{}, err
	}
	return a.Stored[0], nil
}

func (v vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	a, err := v.do(ctx, question{Method: "Get", Serial: serial, Digest: digest})
	if err != nil {
		return license.File{}, err
	}
	v.files.serial[digest] = serial
	return v.reference(a)
}

func (v vault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	a, err := v.do(ctx, question{Method: "List", Serial: serial})
	return a.Stored, err
}

type supportDesk struct{ *caller }

func (d supportDesk) Describe() string { return d.described["SupportDesk"] }

func (d supportDesk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	a, err := d.do(ctx, question{Method: "OpenCase", Case: &c})
	return a.Text, err
}

func (d supportDesk) FindCase(ctx context.Context, key string) (string, error) {
	a, err := d.do(ctx, question{Method: "FindCase", Key: key})
	return a.Text, err
}

type operator struct {
	*caller
	asked *asked
}

func (o operator) Describe() string { return o.described["Operator"] }

// Ask ends when the run is stopped: the worker need not wait for a person whose
// answer nobody wants any more.
func (o operator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	w, cancel := workflow.WithCancel(of(ctx))
	p := &pending{cancel: cancel}
	defer o.asked.add(p)()
	a, err := o.do(within(ctx, w), question{Method: "Ask", Question: &q})
	if p.withdrawn {
		return adapters.Answer{}, errWithdrawn
	}
	if err != nil {
		return adapters.Answer{}, err
	}
	return *a.Answer, nil
}
