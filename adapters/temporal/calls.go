package temporal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// methods are the calls that activities make.
var methods = []string{
	"Describe", "FetchLicense", "SerialRegistered", "RegisterSerial", "InstalledLicense", "UploadLicense", "RepublishModule", "BackupLicense",
	"Registered", "PauseDeployments", "ResumeDeployments", "Put", "Get", "List", "OpenCase", "FindCase", "Ask", "ReadJournal", "AppendJournal",
}

func activityName(method string) string { return "changeover." + method }

// calls makes the calls of ports: the worker's side of a caller.
type calls struct {
	host  *Host
	queue string // the worker's own
	spool spool

	mu    sync.Mutex
	sites map[string]*site
	order []string // of the plans' digests, oldest first
}

// A site is what a worker has for one plan.
type site struct {
	plan migration.Plan
	mask license.Mask
	raw  adapters.Set // as the host gave it, for what it says of itself
	set  adapters.Set // guarded: nothing of a panic or of an activation code gets into the history
}

// maxSites is how many plans a worker keeps at most.
const maxSites = 1000

func newCalls(h *Host, queue string) *calls {
	return &calls{host: h, queue: queue, sites: map[string]*site{}}
}

// site returns that of the question; nil if the plan must be sent along.
func (c *calls) site(q question) (*site, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.sites[q.Plan]; ok || q.Text == "" {
		return s, nil
	}
	plan, err := readPlan([]byte(q.Text))
	if err != nil {
		return nil, err
	}
	if plan.Digest() != q.Plan {
		return nil, errors.New("the plan has another digest than the one asked for")
	}
	mask := license.NewMask(plan.Source, plan.Target)
	set, err := c.host.Ports(plan)
	if err == nil {
		err = set.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("the ports of %s: %s", printable.Text(plan.Infrastructure.Name), said(mask, err))
	}
	s := &site{plan, mask, set, steps.Guard(set, mask, nil)}
	c.sites[q.Plan], c.order = s, append(c.order, q.Plan)
	if len(c.order) > maxSites {
		delete(c.sites, c.order[0])
		c.order = c.order[1:]
	}
	return s, nil
}

// Do is the activity.
func (c *calls) Do(ctx context.Context, q question) (a answer, err error) {
	s, err := c.site(q)
	if err != nil && isJournal(q.Method) {
		return answer{}, err // to be repeated: another worker may have its ports
	}
	if err != nil {
		return answer{Failure: fail(fmt.Errorf("%w: %w", err, adapters.ErrNotReached))}, nil
	}
	if s == nil {
		return answer{NoPlan: true}, nil
	}
	defer beat(ctx)()
	var mu sync.Mutex
	witnessed := adapters.WithWitness(ctx, func(t adapters.Testimony) {
		mu.Lock()
		defer mu.Unlock()
		t.By, t.Text = s.mask.Text(t.By), s.mask.Text(t.Text)
		a.Testimony = append(a.Testimony, t)
	})
	err = func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("the adapter panicked: %v", p)
			}
		}()
		return c.do(witnessed, s, q, &a)
	}()
	mu.Lock()
	defer mu.Unlock()
	if permanent := errors.Is(err, journal.ErrCorrupt) || errors.Is(err, journal.ErrForeign) || errors.Is(err, journal.ErrSeq) || errors.Is(err, journal.ErrTooLarge); err != nil && isJournal(q.Method) && !permanent {
		return answer{}, errors.New(said(s.mask, err)) // to be repeated
	}
	if a.Failure = fail(err); a.Failure != nil {
		a.Failure.Text = said(s.mask, err)
	}
	return a, nil
}

// said is what may be told of an error, in the history too.
func said(mask license.Mask, err error) string { return printable.Error(mask.Error(err)) }

func isJournal(method string) bool { return method == "ReadJournal" || method == "AppendJournal" }

// beat tells the server that the worker lives, until the function that it
// returns is called.
func beat(ctx context.Context) func() {
	every := activity.GetInfo(ctx).HeartbeatTimeout / 3
	if every <= 0 {
		return func() {}
	}
	over := make(chan struct{})
	go func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				activity.RecordHeartbeat(ctx)
			case <-over:
				return
			}
		}
	}()
	return func() { close(over) }
}

func (c *calls) do(ctx context.Context, s *site, q question, a *answer) (err error) {
	env := s.environment(q.Environment)
	switch q.Method {
	case "Describe":
		a.Described = describe(s.raw)
	case "FetchLicense":
		return c.fetched(s, a)(s.set.Portal.FetchLicense(ctx, s.code(q.Role), env))
	case "BackupLicense":
		b, ok := s.set.ServiceCenter.(adapters.LicenseBackuper)
		if !ok {
			return adapters.ErrUnsupported
		}
		return c.fetched(s, a)(b.BackupLicense(ctx, env))
	case "SerialRegistered":
		a.Yes, err = s.set.Portal.SerialRegistered(ctx, s.code(q.Role), env)
	case "RegisterSerial":
		err = s.set.Portal.RegisterSerial(ctx, s.code(q.Role), env)
	case "InstalledLicense":
		in, err := s.set.ServiceCenter.InstalledLicense(ctx, env)
		if err != nil {
			return err
		}
		a.Installed = &installed{in, codeOf(s.plan, in.Code)}
	case "UploadLicense":
		file, err := s.set.Vault.Get(ctx, q.Serial, q.Digest)
		if err != nil {
			err = fmt.Errorf("taking the license file out of the vault: %w", err)
			if adapters.ConditionOf(err) == nil {
				err = fmt.Errorf("%v: %w", err, adapters.ErrNotReached) // nothing was sent, whatever the vault says
			}
			return err
		}
		if file.Digest() != q.Digest {
			return fmt.Errorf("the vault gave another file: %w", adapters.ErrNotReached)
		}
		return s.set.ServiceCenter.UploadLicense(ctx, env, file)
	case "RepublishModule":
		p, err := s.set.ServiceCenter.RepublishModule(ctx, env, q.Module)
		a.Publication = &p
		return err
	case "Registered":
		a.Registered, err = s.set.LifeTime.Registered(ctx)
	case "PauseDeployments":
		err = s.set.LifeTime.PauseDeployments(ctx, env)
	case "ResumeDeployments":
		err = s.set.LifeTime.ResumeDeployments(ctx, env)
	case "Put":
		file, ok := c.spool.find(q.Digest)
		if !ok {
			return fmt.Errorf("%w: %w: this worker does not have it", adapters.ErrNotReached, license.ErrGone)
		}
		stored, err := s.set.Vault.Put(ctx, *q.Label, file)
		if err != nil {
			return err
		}
		a.Stored = []adapters.Stored{stored}
	case "Get":
		file, err := s.set.Vault.Get(ctx, q.Serial, q.Digest)
		if err != nil {
			return err
		}
		a.File = c.answer(s, file)
	case "List":
		a.Stored, err = s.set.Vault.List(ctx, q.Serial)
	case "OpenCase":
		a.Text, err = s.set.Support.OpenCase(ctx, *q.Case)
	case "FindCase":
		a.Text, err = s.set.Support.FindCase(ctx, q.Key)
	case "Ask":
		got, err := s.set.Operator.Ask(ctx, *q.Question)
		got.By, got.Text = s.mask.Text(got.By), s.mask.Text(got.Text)
		a.Answer = &got
		return err
	case "ReadJournal":
		return c.readJournal(ctx, s, q, a)
	case "AppendJournal":
		return c.appendJournal(ctx, s, q)
	default:
		err = fmt.Errorf("this worker does not know the call %s", q.Method)
	}
	return err
}

func (c *calls) fetched(s *site, a *answer) func(license.File, error) error {
	return func(file license.File, err error) error {
		if err == nil {
			c.spool.keep(file)
			a.File = c.answer(s, file)
		}
		return err
	}
}

func (c *calls) answer(s *site, file license.File) *fileAnswer {
	found, err := license.Inspect(file)
	f := &fileAnswer{Digest: file.Digest(), Size: file.Size(), Details: details{found, codeOf(s.plan, found.Code)}, Refused: fail(err), Worker: c.queue}
	return f
}

func (s *site) code(role license.Role) license.ActivationCode {
	if role == license.Target {
		return s.plan.Target
	}
	return s.plan.Source
}

func (s *site) environment(name string) environment.Environment {
	env, ok := s.plan.Infrastructure.Environment(name)
	if !ok {
		env.Name = name
	}
	return env
}

func describe(set adapters.Set) map[string]string {
	said := map[string]string{
		"LicensePortal": adapters.Describe(set.Portal), "ServiceCenter": adapters.Describe(set.ServiceCenter), "LifeTime": adapters.Describe(set.LifeTime),
		"BackupVault": adapters.Describe(set.Vault), "SupportDesk": adapters.Describe(set.Support), "Operator": adapters.Describe(set.Operator),
	}
	if _, ok := set.ServiceCenter.(adapters.LicenseBackuper); ok {
		said["LicenseBackuper"] = "yes"
	}
	return said
}

// pageBytes is how much of a journal goes into one activity, either way, unless
// an entry alone is larger. The server takes 2 MB.
const pageBytes = 512 << 10

// sizeOf returns how much of a page an entry takes.
func sizeOf(e journal.Entry) (int, error) {
	text, err := json.Marshal(e)
	return len(text), err
}

// readJournal reads what is after q.After, as much as goes into one answer.
func (c *calls) readJournal(ctx context.Context, s *site, q question, a *answer) (err error) {
	j, err := c.host.Journal(ctx, s.plan)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if r, ok := j.(journal.Repairer); ok {
		a.Repaired = r.Repaired()
	}
	size := 0
	for e, err := range j.Read(ctx) {
		if err != nil {
			return err
		}
		if e.Seq <= q.After {
			continue
		}
		n, err := sizeOf(e)
		if err != nil {
			return err
		}
		if size += n; size > pageBytes && len(a.Entries) > 0 {
			break
		}
		a.Entries = append(a.Entries, e)
	}
	return nil
}

// appendJournal appends once, however often it is called: what is there already
// is compared, and the rest follows it.
func (c *calls) appendJournal(ctx context.Context, s *site, q question) (err error) {
	j, err := c.host.Journal(ctx, s.plan)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	if r, ok := j.(journal.Reserver); ok && q.Room {
		if err := r.ReleaseReserve(); err != nil {
			activity.GetLogger(ctx).Warn("the journal's reserve cannot be given free", "error", said(s.mask, err)) // shows soon enough
		}
	}
	err = j.Append(ctx, q.After, q.Entries...)
	if !errors.Is(err, journal.ErrSeq) {
		return err
	}
	there := uint64(0)
	for e, readErr := range j.Read(ctx) {
		if readErr != nil {
			return readErr
		}
		if e.Seq <= q.After {
			continue
		}
		if there == uint64(len(q.Entries)) || !equal(e, q.Entries[there]) {
			return fmt.Errorf("%w: somebody else writes it", err)
		}
		there++
	}
	if there == 0 {
		return err
	}
	return j.Append(ctx, q.After+there, q.Entries[there:]...)
}

// equal compares entries as they are written.
func equal(a, b journal.Entry) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
