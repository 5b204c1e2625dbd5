//go:build linux

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/tier"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// ballast is what journals keep back: enough for the way back, and no more, so
// that small disks are large enough.
const ballast = 128 << 10

// patience is how long anything may take that takes milliseconds.
const patience = 20 * time.Second

// A scenario is what the world of a play is like, and how the play then ends.
type scenario struct {
	profile      string
	environments int
	ipp          bool // the test republish meets an intellectual property error
}

func (s scenario) ending() report.Verdict {
	if s.ipp {
		return report.RolledBack
	}
	return report.Completed
}

func (s scenario) String() string {
	text := fmt.Sprintf("%s over %d environments", s.profile, s.environments)
	if s.ipp {
		text += ", with an intellectual property error"
	}
	return text
}

// A stage is where one run is played, by one process after the other, or by
// several that should not: its world, the directory that has its state, and all
// that is known of it from outside. It is safe for concurrent use.
type stage struct {
	scenario
	part  part
	plan  migration.Plan
	world *fake.World
	watch *law.Watch
	ports adapters.Set

	mu      sync.Mutex
	holder  *actor            // that holds the state directory
	rival   *actor            // that says so as well
	rumours []string          // of both at work, until it is known whether one of them is dead
	kept    []adapters.Stored // that were acknowledged
	lasting bool              // something was acknowledged by the journal
	trouble []string
}

// newStage sets a stage up in dir, which exists.
func newStage(job *tier.Job, s scenario, dir string) (*stage, error) {
	st := &stage{scenario: s, part: part{Dir: dir, Profile: s.profile, Environments: s.environments, Ballast: ballast}, world: new(fake.World)}
	st.plan = st.part.plan()
	var err error
	if st.watch, err = law.NewWatch(st.plan, law.Rules{Without: job.Without}); err != nil {
		return nil, err
	}
	st.world = fake.New(st.plan.Infrastructure, st.plan.Source, st.plan.Target)
	if s.ipp {
		env := st.plan.Infrastructure.Environments[0].Name
		st.world.SetIPP(st.plan.Target, env, license.Protected)
		st.world.MarkModule(env, st.plan.Module, st.plan.Source)
	}
	set := st.world.Set()
	set.Vault = nil
	st.ports = st.watch.Set(set)
	return st, nil
}

// wrong writes down what should not be. It is called with the lock held.
func (s *stage) wrong(format string, args ...any) {
	s.trouble = append(s.trouble, fmt.Sprintf(format, args...))
}

// answer does what a process asks for.
func (s *stage) answer(a *actor, q *message) (m message) {
	ctx := context.Background() // a world does not end with those who watch it
	if q.Do == opened {
		s.enter(a)
		return m
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Do == refused {
		a.refused, a.locked = q.Failure, q.Locked
		return m
	}
	if s.holder != a {
		s.wrong("process %d works and does not hold the state directory: %s", a.pid(), q.Do)
	} else if s.rival != nil {
		s.rumours = append(s.rumours, fmt.Sprintf("processes %d and %d hold the state directory at once: %s", a.pid(), s.rival.pid(), q.Do))
	}
	var err error
	var code license.ActivationCode
	if q.Code != "" {
		if code, err = license.ParseActivationCode(q.Code); err != nil {
			m.fail(err)
			return m
		}
	}
	var file license.File
	if q.File != nil {
		if file, err = license.NewFile(q.File); err != nil {
			m.fail(err)
			return m
		}
	}
	switch q.Do {
	case "FetchLicense":
		if file, err = s.ports.Portal.FetchLicense(ctx, code, q.Env); err == nil {
			m.File = file.Bytes()
		}
	case "SerialRegistered":
		m.Yes, err = s.ports.Portal.SerialRegistered(ctx, code, q.Env)
	case "RegisterSerial":
		err = s.ports.Portal.RegisterSerial(ctx, code, q.Env)
	case "InstalledLicense":
		m.Installed, err = s.ports.ServiceCenter.InstalledLicense(ctx, q.Env)
	case "UploadLicense":
		err = s.ports.ServiceCenter.UploadLicense(ctx, q.Env, file)
	case "RepublishModule":
		m.Publication, err = s.ports.ServiceCenter.RepublishModule(ctx, q.Env, q.Text)
	case "BackupLicense":
		if file, err = s.ports.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(ctx, q.Env); err == nil {
			m.File = file.Bytes()
		}
	case "Registered":
		m.Listed, err = s.ports.LifeTime.Registered(ctx)
	case "PauseDeployments":
		err = s.ports.LifeTime.PauseDeployments(ctx, q.Env)
	case "ResumeDeployments":
		err = s.ports.LifeTime.ResumeDeployments(ctx, q.Env)
	case "OpenCase":
		m.Text, err = s.ports.Support.OpenCase(ctx, q.Case)
	case "FindCase":
		m.Text, err = s.ports.Support.FindCase(ctx, q.Text)
	case "Ask":
		m.Answer, err = s.ports.Operator.Ask(ctx, q.Question)
	case slept:
		err = s.watch.Clock(new(fake.Clock)).Sleep(ctx, q.Wait)
	case appended:
		s.lasting = true
		err = s.watch.Store(past{}).Append(ctx, q.After, q.Entries...)
	case stored:
		s.kept = append(s.kept, q.Stored)
		_, err = s.watch.Set(adapters.Set{Vault: past{stored: q.Stored}}).Vault.Put(ctx, q.Label, file)
	case taken:
		_, err = s.watch.Set(adapters.Set{Vault: past{file: file}}).Vault.Get(ctx, q.Label.Serial, file.Digest())
	case ended:
		a.ended, a.failure, a.verdict, a.hold = true, q.Failure, q.Verdict, q.Hold
		m.Resolve = s.look(q)
	case closing:
		a.closed = true
		s.leave(a)
	default:
		err = fmt.Errorf("nobody knows %q", q.Do)
	}
	m.fail(err)
	return m
}

// past answers for what a process has done already and tells of.
type past struct {
	adapters.BackupVault
	journal.Store
	stored adapters.Stored
	file   license.File
}

func (past) Append(context.Context, uint64, ...journal.Entry) error { return nil }

func (p past) Put(context.Context, adapters.Label, license.File) (adapters.Stored, error) {
	return p.stored, nil
}

func (p past) Get(context.Context, license.SerialNumber, license.Digest) (license.File, error) {
	return p.file, nil
}

// enter takes note of a process that holds the state directory now. The one
// that held it before may be dead, and what it said last not yet heard; or this
// one was killed as soon as it had said so, and is heard after its successor.
// Whoever is killed is marked before: two that were not are two at once.
func (s *stage) enter(a *actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.holder != nil {
		before := s.holder
		s.rival = a
		s.mu.Unlock()
		late := time.NewTimer(patience / 4)
		select {
		case <-before.gone:
		case <-a.over:
		case <-late.C:
		}
		intime := late.Stop()
		s.mu.Lock()
		if !a.killed.Load() && !before.killed.Load() {
			s.trouble = append(s.trouble, s.rumours...)
		}
		s.rival, s.rumours = nil, nil
		switch {
		case !intime:
			s.wrong("processes %d and %d hold the state directory at once", before.pid(), a.pid())
			s.holder = nil
		case a.dead():
			return
		}
	}
	s.holder = a
	s.watch.Revive()
	// What became durable although nobody was told comes first.
	for _, err := range s.watch.Store(onDisk(s.part.state())).Read(context.Background()) {
		if err != nil {
			s.wrong("process %d accepts a journal that cannot be read: %v", a.pid(), err)
		}
	}
}

// left is leave, of a process that was heard to its end.
func (s *stage) left(a *actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave(a)
}

// leave takes note of a process that is gone, or about to let go. It is called
// with the lock held.
func (s *stage) leave(a *actor) {
	if s.holder != a {
		return
	}
	s.holder = nil
	if !a.closed {
		s.watch.Die()
	}
}

// onDisk is the journal in a directory, for reading only.
type onDisk string

func (dir onDisk) Append(context.Context, uint64, ...journal.Entry) error {
	return errors.ErrUnsupported
}

func (dir onDisk) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return filejournal.Read(ctx, string(dir), nil)
}

// look is a person who reads the report and, where something is in doubt,
// goes and looks. It is called with the lock held.
func (s *stage) look(q *message) (found []resolution) {
	ctx := context.Background()
	if q.Failed {
		return nil
	}
	r, err := report.New(s.plan, filejournal.Read(ctx, s.part.state(), nil))
	if err != nil {
		s.wrong("the journal has no report: %v", err)
		return nil
	}
	if r.Verdict != q.Verdict {
		s.wrong("the process reports %s, the journal %s", q.Verdict, r.Verdict)
	}
	s.watch.Call(r)
	if q.Hold == nil || q.Hold.Kind != journal.HoldInDoubt {
		return nil
	}
	for _, env := range s.plan.Infrastructure.Environments {
		if slices.Contains(q.Hold.Environments, env.Name) && q.Hold.Effect == "registerSerial" {
			done, err := s.world.Set().Portal.SerialRegistered(ctx, s.plan.Target, env)
			if err != nil {
				s.wrong("looking whether the serial number of %s is registered: %v", env.Name, err)
			}
			found = append(found, resolution{env.Name, !done})
		}
	}
	return found
}

// judge says what is wrong with a run that has ended; like is what a run that
// nothing happened to has changed.
func (s *stage) judge(a *actor, like string) error {
	if got := s.effects(); like != "" && got != like {
		s.say("the world was changed in another way than without interruption:\n%s\ninstead of\n%s", got, like)
	}
	return s.judgeEnding(a, s.ending())
}

// judgeEnding says what is wrong with a run that should have ended so.
func (s *stage) judgeEnding(a *actor, want report.Verdict) error {
	if a.failure != "" || a.refused != "" || a.verdict != want {
		s.say("the run ends %s instead of %s: %s", a, want, a.stderr.String())
	}
	for _, env := range s.plan.Infrastructure.Environments {
		if code := s.world.Installed(env.Name).Code; want == report.RolledBack && code != s.plan.Source {
			s.say("the run ends %s, and %s has a license of %v", want, env.Name, code)
		}
	}
	return s.check()
}

func (s *stage) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong(format, args...)
}

// check says what is wrong with a run, wherever it stands, while no process has
// it.
func (s *stage) check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := context.Background()
	_, err := filejournal.Verify(ctx, s.part.state(), nil)
	if s.lasting || !errors.Is(err, os.ErrNotExist) { // before its first entry, it need not be there
		if err != nil {
			s.wrong("the journal does not verify: %v", err)
		}
		s.watch.Revive()
		for _, err := range s.watch.Store(onDisk(s.part.state())).Read(ctx) {
			if err != nil {
				s.wrong("the journal cannot be read: %v", err)
			}
		}
	}
	if err := s.backups(ctx); err != nil {
		s.wrong("%v", err)
	}
	if err := errors.Join(s.watch.Err(), s.world.Err()); err != nil {
		s.wrong("%v", err)
	}
	if len(s.trouble) == 0 {
		return nil
	}
	return errors.New(strings.Join(s.trouble, "\n"))
}

// backups looks for what the vault has acknowledged, in each of its directories
// alone, since each is to be a vault of its own.
func (s *stage) backups(ctx context.Context) error {
	if len(s.kept) == 0 {
		return nil
	}
	for _, dir := range s.part.vaults() {
		v, err := filevault.Open([]string{dir}, nil)
		if err != nil {
			return fmt.Errorf("a vault that has acknowledged backups: %w", err)
		}
		for _, k := range s.kept {
			list, err := v.List(ctx, k.Serial)
			i := slices.IndexFunc(list, func(l adapters.Stored) bool { return l.Digest == k.Digest && l.Label == k.Label })
			if err != nil || i < 0 || list[i].Copies != 1 {
				return errors.Join(fmt.Errorf("the backup %s of %s was acknowledged and is lost in %s", k.Digest.Short(), k.Environment, dir), err, v.Close())
			}
		}
		if err := v.Close(); err != nil {
			return err
		}
	}
	return nil
}

// effects tells what was changed in each environment, in order. What came twice
// in a row is told once: a process that dies before it has the answer may do it
// again.
func (s *stage) effects() string {
	var b bytes.Buffer
	names := []string{""}
	for _, env := range s.plan.Infrastructure.Environments {
		names = append(names, env.Name)
	}
	all := s.world.Effects()
	for _, name := range names {
		last := ""
		for _, e := range all {
			if text := e.String(); e.Environment == name && text != last {
				fmt.Fprintln(&b, text)
				last = text
			}
		}
	}
	return b.String()
}
