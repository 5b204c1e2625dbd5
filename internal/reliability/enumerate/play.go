package enumerate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/internal/reliability/crashdisk"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A play is a run from its beginning to its end.
type play struct {
	name    string
	profile string
	envs    int
	copies  int
	refused string // the environment whose platform refuses the target license; empty: none
	asked   bool   // a person asks for the way back once it is completed
	verdict report.Verdict
}

// plays are what is enumerated: the way forward, the way back after an
// intellectual property error, and the way back on request; and two that are
// small enough for all pairs.
var plays = [...]play{
	{"forward", migration.RefreshAndMove, 3, 2, "", false, report.Completed},
	{"back", migration.RefreshAndMove, 3, 2, "Quality", false, report.RolledBack},
	{"asked", migration.RefreshAndMove, 3, 2, "", true, report.RolledBack},
	{"small", migration.Published, 2, 1, "", false, report.Completed},
	{"smallback", migration.Published, 2, 1, "Production", false, report.RolledBack},
}

// small reports whether there is time for all that can be done to a play.
func (p *play) small() bool { return p.copies == 1 }

func playNamed(name string) *play {
	for i := range plays {
		if plays[i].name == name {
			p := plays[i]
			return &p
		}
	}
	return nil
}

// stateDir has a parent of its own, which nobody but the journal syncs.
const stateDir = "/run/state"

func (p *play) vaultDirs() []string { return []string{"/vault1", "/vault2"}[:p.copies] }

// An event is an operation on the disk or a call of a port: what a process does
// that anybody else can notice.
type event struct {
	what    string
	path    string
	port    bool
	call    int // number of the port call
	op      fault.Op
	active  bool // it has changed something
	pending int  // items that are not synced, after it
}

func (e event) String() string {
	if e.port {
		return fmt.Sprintf("call %d: %v", e.call, e.op)
	}
	if dir, name := path.Split(e.path); strings.HasPrefix(name, "tmp-") {
		return e.what + " " + dir + "tmp" // the rest is random
	}
	return e.what + " " + e.path
}

// A run is one trial: a world, a disk, and one process after the other.
type run struct {
	play  *play
	plan  migration.Plan
	world *fake.World
	disk  *crashdisk.Disk
	clock *fake.Clock
	watch *law.Watch
	tell  io.Writer // nil: nobody is told

	stored []adapters.Stored // that were acknowledged

	// Of the process that is going on:
	point    *point
	dead     bool
	hit      bool
	events   []event
	calls    []int           // events of port calls that have not come back
	calling  int             // calls so far
	injector *fault.Injector // of a call that fails
	report   *report.Report
}

// worlds are the beginnings of the plays. Writing license files is most of what
// a world costs, so each is made once and read back.
type worlds struct {
	mu   sync.Mutex
	made map[string]string
}

func (w *worlds) of(p *play, plan migration.Plan) (*fake.World, error) {
	w.mu.Lock()
	if w.made == nil {
		w.made = map[string]string{}
	}
	saved, ok := w.made[p.name]
	if !ok {
		world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
		if p.refused != "" {
			world.SetIPP(plan.Target, p.refused, license.Protected)
			world.MarkModule(p.refused, plan.Module, plan.Source)
		}
		var b strings.Builder
		_ = world.Save(&b) // a Builder takes everything
		saved = b.String()
		w.made[p.name] = saved
	}
	w.mu.Unlock()
	world := new(fake.World)
	return world, world.Load(strings.NewReader(saved))
}

func (p *play) begin(w *worlds, without law.Set, tell io.Writer) (*run, error) {
	plan := scene.Plan(p.profile, p.envs)
	plan.MinCopies = p.copies
	watch, err := law.NewWatch(plan, law.Rules{Without: without})
	if err != nil {
		return nil, err
	}
	world, err := w.of(p, plan)
	return &run{play: p, plan: plan, world: world, disk: crashdisk.New(), clock: new(fake.Clock), watch: watch, tell: tell}, err
}

var (
	errDied = errors.New("the process has died")
	errLost = errors.New("the line went dead")
)

// process is one process: it takes the run as far as it gets. What it returns
// is errDied if it came to its point and that is a crash.
func (r *run) process(ctx context.Context, at *point) error {
	r.point, r.dead, r.hit, r.events, r.calls, r.calling, r.injector, r.report = at, false, false, nil, nil, 0, nil, nil
	r.watch.Revive()
	ended := make(chan error, 1)
	go func() {
		err := errDied // unless it comes to the end of this function
		defer func() { ended <- err }()
		r.crashIf(-1)
		err = r.live(ctx)
	}()
	err := <-ended
	r.hit = r.hit || r.injector != nil && r.injector.Hit()
	if !r.dead {
		r.disk.Kill() // it has closed everything, and ends
	}
	return err
}

// crashIf ends the process if that is what its point asks for after the event.
func (r *run) crashIf(n int) {
	if r.point == nil || r.point.at != n || !r.point.crash() {
		return
	}
	r.dead, r.hit = true, true
	r.watch.Die()
	if s := r.point.survivors(); s != "" {
		r.say("the power is cut; not synced were %v", r.disk.Unsynced())
		r.disk.Cut(s)
	} else {
		r.say("the process is killed")
		r.disk.Kill()
	}
	runtime.Goexit()
}

func (r *run) say(format string, args ...any) {
	if r.tell != nil {
		fmt.Fprintf(r.tell, format+"\n", args...)
	}
}

// add adds an event and returns its number.
func (r *run) add(e event) int {
	r.events = append(r.events, e)
	r.say("%5d %v", len(r.events)-1, e)
	return len(r.events) - 1
}

// around is what happens around an operation on the disk.
func (r *run) around(op *disktest.Op, do func() error) error {
	if r.dead {
		return errDied
	}
	before := r.disk.Pending()
	n := r.add(event{what: op.Kind, path: op.Path})
	err := r.strike(n, op, do)
	e := &r.events[n]
	e.pending = r.disk.Pending()
	e.active = e.pending != before && path.Base(op.Path) != "LOCK" // whose text is for people
	r.crashIf(n)
	return err
}

// strike carries an operation out, or fails it.
func (r *run) strike(n int, op *disktest.Op, do func() error) error {
	p := r.point
	if p == nil || p.crash() || p.call() || n < p.at || n > p.at && !p.always {
		return do()
	}
	fails := func(err error) error {
		r.hit = true
		return &fs.PathError{Op: op.Kind, Path: op.Path, Err: err}
	}
	reads := op.Kind == "open" || op.Kind == "list" || op.Kind == "read" || op.Kind == "close"
	grows := op.Kind == "write" || op.Kind == "create" || op.Kind == "mkdir" || op.Kind == "link"
	switch {
	case p.how == eio:
		return fails(syscall.EIO)
	case p.how == erofs && !reads && !op.Syncs():
		return fails(syscall.EROFS)
	case p.how == enospc && grows:
		return fails(syscall.ENOSPC)
	case p.how == short && op.Kind == "write":
		op.Len /= 2
		return errors.Join(do(), fails(syscall.ENOSPC))
	case p.how == done && !reads:
		return errors.Join(do(), fails(syscall.EIO))
	case p.how == drop && op.Kind == "sync":
		r.disk.Forget(op.Path)
		return fails(syscall.EIO)
	}
	return do()
}

// injectors make events of port calls, and fail those that the point is about.
func (r *run) injectors() []*fault.Injector {
	var op fault.Op
	injectors := []*fault.Injector{
		fault.Watch(func(o fault.Op) { op = o }),
		fault.Always(fault.Match{}, fault.Before, fault.Cancel(func() {
			if !r.dead {
				r.calls = append(r.calls, r.add(event{port: true, call: r.calling, op: op, active: changes(op.Method)}))
				r.calling++
			}
		})),
		fault.Always(fault.Match{}, fault.After, fault.Cancel(func() {
			if r.dead {
				return
			}
			n := r.calls[len(r.calls)-1]
			r.calls = r.calls[:len(r.calls)-1]
			r.events[n].pending = r.disk.Pending()
			r.crashIf(n)
		})),
	}
	p := r.point
	if p == nil || !p.call() {
		return injectors
	}
	when, err := fault.Before, errLost
	switch p.how {
	case unanswered:
		when = fault.After
	case notReached:
		err = adapters.ErrNotReached
	}
	r.injector = fault.OnIndex(p.at, when, err)
	return append(injectors, r.injector)
}

// changes reports whether a method of a port changes anything but files.
func changes(method string) bool {
	switch method {
	case "RegisterSerial", "UploadLicense", "RepublishModule", "PauseDeployments", "ResumeDeployments", "OpenCase":
		return true
	}
	return false
}

// acknowledging writes down what the vault says it has stored.
type acknowledging struct {
	adapters.BackupVault
	r *run
}

func (v acknowledging) Put(ctx context.Context, label adapters.Label, f license.File) (adapters.Stored, error) {
	stored, err := v.BackupVault.Put(ctx, label, f)
	if err == nil {
		v.r.stored = append(v.r.stored, stored)
	}
	return stored, err
}

// maxVerbs bounds what a process, and the person beside it, do.
const maxVerbs = 12

// live takes the run as far as it gets. The person beside it looks, resolves
// what waits for somebody, and goes on.
func (r *run) live(ctx context.Context) (err error) {
	fsys := disktest.Through(r.disk, r.around)
	store, err := filejournal.Open(stateDir, &filejournal.Options{Ballast: 512, Disk: fsys})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	vault, err := filevault.Open(r.play.vaultDirs(), &filevault.Options{Now: r.clock.Now, Disk: fsys})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, vault.Close()) }()
	set := r.world.Set()
	set.Vault = vault
	set = fault.Wrap(set, r.injectors()...)
	set.Vault = acknowledging{set.Vault, r}
	c, err := changeover.New(r.plan, r.watch.Set(set), r.watch.Store(store),
		&changeover.Options{Clock: r.watch.Clock(r.clock), Inline: true, User: "operator", Host: "host"})
	if err != nil {
		return err
	}
	for range maxVerbs {
		rep, err := c.Resume(ctx)
		if errors.Is(err, changeover.ErrNotBegun) {
			rep, err = c.Apply(ctx)
		}
		if err != nil {
			return err
		}
		if rep.Verdict == report.Completed && r.play.asked {
			r.watch.Call(rep)
			if rep, err = c.RollBack(ctx, "operator", "to see"); err != nil {
				return err
			}
		}
		r.watch.Call(rep)
		r.report = rep
		r.say("      %s", rep.Verdict)
		if rep.Verdict == r.play.verdict {
			return nil
		}
		if err := r.resolve(ctx, c, rep); err != nil {
			return err
		}
	}
	return fmt.Errorf("the run does not end: %s, %v", r.report.Verdict, r.report.Hold)
}

// resolve does what a person does about a hold: look, and say what was seen.
func (r *run) resolve(ctx context.Context, c *changeover.Changeover, rep *report.Report) error {
	hold := rep.Hold
	if hold == nil {
		return fmt.Errorf("the verdict is %s, and there is no hold", rep.Verdict)
	}
	r.say("      %v", hold)
	for _, v := range hold.Verbs {
		if v == "resume" {
			return nil
		}
	}
	for _, name := range hold.Environments {
		if err := c.Resolve(ctx, name, migration.Resolution{By: "operator", Evidence: "looked", NotDone: !r.wasDone(ctx, hold, name)}); err != nil {
			return err
		}
	}
	return nil
}

// wasDone looks whether what is in doubt was done.
func (r *run) wasDone(ctx context.Context, hold *journal.Hold, name string) bool {
	if hold.Kind != journal.HoldInDoubt || law.EffectOf(hold.Effect) != law.Register {
		return false // what else there is may be repeated
	}
	for _, env := range r.plan.Infrastructure.Environments {
		if env.Name == name {
			there, err := r.world.Set().Portal.SerialRegistered(ctx, r.plan.Target, env)
			return err == nil && there
		}
	}
	return false
}
