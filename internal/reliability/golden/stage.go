package golden

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A Stage is a run and the systems around it: a plan, a simulated world, and a
// journal in a directory.
type Stage struct {
	Plan  migration.Plan
	World *fake.World
	Dir   string // of the journal

	// Appended is called after every append to the journal; nil: nobody is told.
	Appended func()

	ctx   context.Context
	clock *fake.Clock
	hit   *fault.Injector // strikes the next process; nil: nothing does
	dead  bool            // the process has died
}

// newStage returns a stage on which nothing has happened; the directory must
// not exist.
func newStage(ctx context.Context, plan migration.Plan, dir string) *Stage {
	return &Stage{Plan: plan, World: fake.New(plan.Infrastructure, plan.Source, plan.Target), Dir: dir, ctx: ctx, clock: new(fake.Clock)}
}

// open returns the stage of a run that was committed, in a copy.
func open(ctx context.Context, files map[string][]byte, dir string) (*Stage, error) {
	plan, err := migration.ReadPlan(bytes.NewReader(files[planFile]))
	if err != nil {
		return nil, err
	}
	s := &Stage{Plan: plan, World: new(fake.World), Dir: dir, ctx: ctx, clock: new(fake.Clock)}
	return s, errors.Join(s.World.Load(bytes.NewReader(files[worldFile])), lay(files, dir))
}

// Process runs f as one process, with the journal open.
func (s *Stage) Process(f func(*changeover.Changeover) error) error {
	// Ballast is nothing to read, and what is written does not depend on syncs.
	store, err := filejournal.Open(s.Dir, &filejournal.Options{Ballast: -1, Disk: disktest.Unsynced()})
	if err != nil {
		return err
	}
	set := s.World.Set()
	if s.hit != nil {
		set = fault.Wrap(set, s.hit)
	}
	c, err := changeover.New(s.Plan, set, mortal{store, s}, &changeover.Options{Clock: s.clock, Inline: true, User: "ada", Host: "ops-1"})
	if err == nil {
		err = f(c)
	}
	if s.dead {
		err = nil // as was wanted
	}
	s.hit, s.dead = nil, false
	return errors.Join(err, store.Close())
}

// mortal is the journal of a process that may die.
type mortal struct {
	*filejournal.Store
	s *Stage
}

// Append implements [journal.Store].
func (m mortal) Append(ctx context.Context, after uint64, entries ...journal.Entry) error {
	if m.s.dead {
		return errors.New("the process is dead")
	}
	err := m.Store.Append(ctx, after, entries...)
	if err == nil && m.s.Appended != nil {
		m.s.Appended()
	}
	return err
}

// after does something when, in the next process, the nth call of that kind,
// counted from 0, has taken effect.
func (s *Stage) after(port, method, env string, nth int, do func()) {
	s.hit = fault.On(fault.Match{Port: port, Method: method, Environment: env}, nth, fault.After, fault.Cancel(do))
}

// die lets the process die: nothing that it still does is recorded.
func (s *Stage) die() { s.dead = true }

func (s *Stage) apply() error {
	return s.Process(func(c *changeover.Changeover) error { _, err := c.Apply(s.ctx); return err })
}

func (s *Stage) resume() error {
	return s.Process(func(c *changeover.Changeover) error { _, err := c.Resume(s.ctx); return err })
}

func (s *Stage) rollBack() error {
	return s.Process(func(c *changeover.Changeover) error {
		_, err := c.RollBack(s.ctx, "grace", "the window is over")
		return err
	})
}

// tell says how the run stands and what the systems show.
func (s *Stage) tell() (string, error) {
	var rep *report.Report
	err := s.Process(func(c *changeover.Changeover) (err error) { rep, err = c.Status(s.ctx); return err })
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s, %s, licenses: %s\n", rep.Verdict, kind(rep.Hold), rep.State, rep.Placement)
	for _, e := range rep.Environments {
		state := string(e.State)
		if e.Leg != "" {
			state = e.Leg + "/" + state
		}
		if state == "" {
			state = "not begun"
		}
		fmt.Fprintf(&b, "  %s: %s%s; shows %s", e.Name, state, kind(e.Hold), s.shows(e.Name))
		if s.World.Paused(e.Name) {
			b.WriteString(", paused")
		}
		b.WriteByte('\n')
	}
	return b.String(), s.World.Err()
}

// kind is what a hold waits for, in parentheses.
func kind(h *journal.Hold) string {
	if h == nil {
		return ""
	}
	return " (" + string(h.Kind) + ")"
}

// shows says whose license is really installed.
func (s *Stage) shows(env string) license.Role {
	switch s.World.Installed(env).Code {
	case license.ActivationCode{}:
		return license.None
	case s.Plan.Source:
		return license.Source
	case s.Plan.Target:
		return license.Target
	}
	return license.Other
}

// files returns the files of the run, but for what is expected of it.
func (s *Stage) files(plan []byte) (map[string][]byte, error) {
	files := map[string][]byte{planFile: plan}
	var world bytes.Buffer
	if err := s.World.Save(&world); err != nil {
		return nil, err
	}
	files[worldFile] = world.Bytes()
	for _, name := range []string{journalFile, headFile} {
		var err error
		if files[name], err = os.ReadFile(s.Dir + "/" + name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// secrets returns what no output may contain: the plan's codes, and the license
// files as the world's file has them.
func secrets(files map[string][]byte) []string {
	var all []string
	for _, text := range strings.Split(string(files[planFile]), `"`) {
		if strings.Count(text, ".") == 7 {
			all = append(all, text)
		}
	}
	for _, text := range strings.Split(string(files[worldFile]), `"`) {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil && len(b) > 100 {
			all = append(all, text, string(b))
		}
	}
	return all
}
