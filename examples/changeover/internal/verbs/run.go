package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/page"
	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/screen"
)

// shown is a terminal on which adapters ask.
type shown interface {
	In() io.Reader
	Out() io.Writer
}

// approval answers the gate.
type approval = func(ctx context.Context, q adapters.Question) (adapters.Answer, error)

// running are the flags of the verbs that take a run forward or back.
type running struct {
	yes  string
	page string
	back bool // what only the way forward needs may be missing
}

func (r *running) flags(c *cobra.Command) {
	c.Flags().StringVar(&r.yes, "yes", "", "approve, beforehand, the saved plan with this `digest`")
	c.Flags().StringVar(&r.page, "page", "", "show the run live in a browser; with --page=`ADDRESS` at that loopback address")
	c.Flags().Lookup("page").NoOptDefVal = "127.0.0.1:0"
}

func (a *app) applyVerb() *cobra.Command {
	var r running
	c := &cobra.Command{
		Use:   "apply [PLAN]",
		Short: "Begin the run of a saved plan, and take it as far as it gets",
		Long: `Apply observes every environment again, refuses a saved plan that no longer
fits, and then does what the plan says. Before target licenses are installed it
asks for the name of the infrastructure; --yes DIGEST answers beforehand.

Ctrl-C stops at the next safe point, a second one at once. In either case, and
after a kill or a loss of power, changeover resume goes on.`,
		Example: `  changeover apply
  changeover apply acme.json --plan acme.yaml --state acme
  changeover apply --yes 4b1f6c2e9a07 --json < /dev/null   # from automation
  changeover apply --page                                  # and watch it in a browser`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			saved := folder(a.state).saved()
			if len(args) > 0 {
				saved = args[0]
			}
			return a.apply(cmd.Context(), saved, r)
		},
	}
	r.flags(c)
	return c
}

func (a *app) apply(ctx context.Context, saved string, r running) error {
	f, err := a.file(nil)
	if err != nil {
		return err
	}
	p, err := preview(saved)
	if err != nil {
		return err
	}
	if p.Plan != f.Plan.Digest() {
		return fmt.Errorf("%s was made from another plan than %s has now\nmake a new one: %s", printable.Whole(saved), printable.Whole(a.plan), a.command("plan"))
	}
	if err := a.mayBegin(r, p); err != nil {
		return err
	}
	state := folder(a.state)
	if err := a.unbegun(ctx); err != nil {
		return err
	}
	if err := state.make(); err != nil {
		return err
	}
	return a.conduct(ctx, f, r, func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
		if err := a.keep(ctx, f, p, state.saved()); err != nil {
			return nil, err
		}
		return c.ApplyPreview(ctx, p)
	})
}

// mayBegin refuses to begin what nobody can approve.
func (a *app) mayBegin(r running, p *changeover.Preview) error {
	switch {
	case r.yes != "":
		return agrees(r.yes, p.Digest())
	case a.terminal():
		return nil
	}
	return fmt.Errorf("nobody can approve this: there is no terminal, and no --yes. Nothing was begun\nwhoever has read the plan adds --yes %.12s", p.Digest())
}

// agrees compares what was approved with the digests that may be meant. The
// beginning of one is enough, as it is shown in twelve characters.
func agrees(yes string, digests ...string) error {
	for _, d := range digests {
		if len(yes) >= shortDigest && strings.HasPrefix(d, yes) {
			return nil
		}
	}
	if len(digests) == 0 {
		return errors.New("--yes approves a saved plan, and there is none")
	}
	const need = "twelve characters of it, at least"
	return fmt.Errorf("--yes names another plan than the saved one, whose digest is %s (%s). Nothing was changed", digests[0], need)
}

// shortDigest is how many characters of a digest say which one is meant.
const shortDigest = 12

func (a *app) terminal() bool {
	f, ok := a.std.In.(*os.File)
	return ok && term.IsTerminal(f.Fd())
}

func (a *app) resumeVerb() *cobra.Command {
	var r running
	c := &cobra.Command{
		Use:   "resume",
		Short: "Go on with a run, forward or back, where the journal says that it stands",
		Long: `Resume takes the run up again, after a stop, a kill, a loss of power, or when what
it waited for has been done. What was in doubt is observed first.`,
		Example: `  changeover resume
  changeover resume --state acme --plan acme.yaml --yes 4b1f6c2e9a07`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := a.taken(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.conduct(cmd.Context(), f, r, func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
				return c.Resume(ctx)
			})
		},
	}
	r.flags(c)
	return c
}

// taken reads what a run is taken up again with: the plan file as it is now,
// since accounts and programs may have moved. The way back needs neither it nor
// the saved plan.
func (a *app) taken(ctx context.Context, r running) (*planfile.File, error) {
	_, kept, err := folder(a.state).report(ctx)
	if err != nil {
		return nil, err
	}
	f := kept
	if _, err := os.Stat(a.plan); r.back && errors.Is(err, os.ErrNotExist) {
		a.note("there is no plan file %s; %s, as it was kept, is used", printable.Whole(a.plan), printable.Whole(folder(a.state).kept()))
	} else if f, err = a.file(nil); err != nil {
		return nil, err
	}
	if f.Plan.Digest() != kept.Plan.Digest() {
		return nil, fmt.Errorf("the run in %s is of another plan than %s has now\nput the plan back as it was (%s); its adapters may change", printable.Whole(a.state), printable.Whole(a.plan), printable.Whole(folder(a.state).kept()))
	}
	if r.yes == "" {
		return f, nil
	}
	var digests []string
	if p, err := preview(folder(a.state).saved()); err == nil {
		digests = append(digests, p.Digest())
	}
	if r.back {
		digests = append(digests, kept.Plan.Digest())
	}
	return f, agrees(r.yes, digests...)
}

func (a *app) rollbackVerb() *cobra.Command {
	r := running{back: true}
	var why, by string
	c := &cobra.Command{
		Use:   "rollback --why TEXT",
		Short: "Stop the line for good, and take the infrastructure back",
		Long: `Rollback puts the source license back wherever the target license is, or may be.
It may be called at any time after a run has begun, after Completed too. It asks
for the name of the infrastructure; --yes DIGEST answers beforehand, with the
digest of the saved plan or, where that is lost, with that of the plan, as its
run is called: --yes 6bc095bda189 for run-6bc095bda189.

It needs the state directory, the backups, Service Center and LifeTime. A portal,
support desk or operator that cannot be reached keeps nothing from going back;
Support is told once that is mended, with changeover resolve and resume. Where the plan file is lost, the
one that was kept in the state directory is used.`,
		Example: `  changeover rollback --why "the new contract was withdrawn"`,
		Args:    atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(why) == "" {
				return errors.New("say why, for the record: --why TEXT")
			}
			f, err := a.taken(cmd.Context(), r)
			if err != nil {
				return err
			}
			if r.yes == "" {
				if !a.terminal() {
					return errors.New("nobody can confirm this: there is no terminal, and no --yes. Nothing was begun")
				}
				name := f.Plan.Infrastructure.Name
				if err := a.screen(f.Plan).Confirm(cmd.Context(), "Take all of "+name+" back to its source license?", name); err != nil {
					return err
				}
			}
			return a.conduct(cmd.Context(), f, r, func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
				return c.RollBack(ctx, by, why)
			})
		},
	}
	r.flags(c)
	c.Flags().StringVar(&why, "why", "", "the reason, for the record")
	byFlag(c, &by)
	return c
}

func byFlag(c *cobra.Command, by *string) {
	name, _ := me()
	c.Flags().StringVar(by, "by", name, "who decides, for the record")
}

// conduct carries out a verb of the run, shows what happens meanwhile, and then
// how the run stands.
func (a *app) conduct(ctx context.Context, f *planfile.File, r running, verb func(context.Context, *changeover.Changeover) (*report.Report, error)) error {
	state := folder(a.state)
	store, err := a.journal()
	if err != nil {
		return err
	}
	// Who reads stdout may go; the run goes on. What is written then fails, and
	// that is known to the screen. It holds until the process ends.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	run := &conducted{app: a, file: f, store: store, screen: a.screen(f.Plan)}
	if err := run.open(ctx, r); err != nil {
		return errors.Join(err, run.close())
	}
	if err := run.screen.Replay(store.Read(ctx)); err != nil {
		return errors.Join(err, run.close())
	}
	var shown *report.Report
	err = run.screen.Run(ctx, func(ctx context.Context) error {
		stop := run.beside(ctx, state)
		var err error
		shown, err = verb(ctx, run.changeover)
		return errors.Join(err, stop())
	})
	if errors.Is(err, screen.ErrEndedAtOnce) {
		// The verb may still be at work: nothing is taken away from under it,
		// the end of the process is what ends it.
		a.note("how to go on: %s", a.command("resume"))
		return err
	}
	return a.ended(shown, err, run.close())
}

// ended says how a run stands after a verb.
func (a *app) ended(r *report.Report, err, closing error) error {
	if unwritten, ok := errors.AsType[*changeover.UnwrittenError](err); ok {
		for _, e := range unwritten.Entries() {
			a.note("not in the journal: %s", report.Sentence(e))
		}
	}
	stopped := errors.Is(err, context.Canceled)
	if r == nil {
		return errors.Join(err, closing)
	}
	if err := a.show(r, func(w io.Writer) error { _, _ = fmt.Fprintln(w); return r.WriteText(w) }); err != nil {
		a.note("how the run stands could not be written (%s); see it: %s", said(err), a.command("status"))
	}
	switch {
	case stopped && inDoubt(r):
		a.note("stopped, as you asked; what is in doubt is looked at first when it goes on: %s", a.command("resume"))
	case stopped:
		a.note("stopped, as you asked, at a safe point; how to go on: %s", a.command("resume"))
	}
	if err != nil && !stopped || closing != nil {
		a.code = 1
		return errors.Join(err, closing)
	}
	a.end(r.Verdict)
	if r.Verdict == report.Held && !stopped {
		a.note("how to go on: %s, when that has been done", a.command("resume"))
	}
	return nil
}

// inDoubt reports whether it is not known of some effect what came of it.
func inDoubt(r *report.Report) bool {
	return slices.ContainsFunc(r.Findings, func(f report.Finding) bool {
		return f.Condition == string(journal.HoldInDoubt) && f.Level == report.Warning
	}) || slices.ContainsFunc(r.Environments, func(e report.Environment) bool {
		return e.Hold != nil && e.Hold.Kind == journal.HoldInDoubt
	})
}

// A conducted is a run while a verb carries it on.
type conducted struct {
	*app
	file       *planfile.File
	store      *filejournal.Store
	screen     *screen.Screen
	ports      io.Closer
	changeover *changeover.Changeover
	page       *page.Server
	listener   net.Listener // of the page
	over       atomic.Bool  // the verb has returned
}

func (c *conducted) open(ctx context.Context, r running) error {
	lock, err := c.store.LockFile()
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	ports, err := c.wire(ctx, c.file, c.screen, lock, r.back, c.approve(r))
	if err != nil {
		return err
	}
	c.ports = ports
	if r.page != "" {
		if c.page, err = page.New(c.view, page.Options{}); err != nil {
			return err
		}
		if c.listener, err = page.Listen(ctx, r.page); err != nil {
			return fmt.Errorf("--page: %w", err)
		}
	}
	user, host := me()
	c.changeover, err = changeover.New(c.file.Plan, ports.Set, c.store, &changeover.Options{
		Clock: ports.Clock, User: user, Host: host,
		OnEntry: func(e journal.Entry) {
			c.screen.OnEntry(e)
			if c.page != nil {
				c.page.Changed()
			}
		},
	})
	return err
}

func (c *conducted) close() error {
	err := c.store.Close()
	if c.ports != nil {
		err = errors.Join(err, c.ports.Close())
	}
	if c.listener != nil {
		_ = c.listener.Close() // it is closed already if the page was shown
	}
	return err
}

// approve answers the gate: by the digest that was approved beforehand, or by
// typing the name of the infrastructure.
func (c *conducted) approve(r running) approval {
	return func(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
		user, _ := me()
		answer := adapters.Answer{By: user, At: time.Now()}
		if r.yes != "" {
			answer.Text = "approved the saved plan " + r.yes[:shortDigest] + " beforehand"
			return answer, nil
		}
		name := c.file.Plan.Infrastructure.Name
		if !c.terminal() {
			return answer, fmt.Errorf("%w: there is no terminal, and no --yes", adapters.ErrRefused)
		}
		for _, line := range q.Details {
			fmt.Fprintln(c.screen.Out(), "  "+printable.Text(line))
		}
		if err := c.screen.Confirm(ctx, q.Text, name); err != nil {
			if ctx.Err() != nil {
				return answer, ctx.Err()
			}
			return answer, fmt.Errorf("%w: %w", adapters.ErrRefused, err)
		}
		answer.Text = "typed the name of the infrastructure"
		return answer, nil
	}
}

// beside does what goes on beside a run: it takes the requests of changeover
// hold, and shows the page. What it returns ends that.
func (c *conducted) beside(ctx context.Context, state folder) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 2)
	parts := 1
	go func() { c.takeHolds(ctx, state); ended <- nil }()
	if c.page != nil {
		parts++
		c.note("live page: %s", c.page.URL(c.listener.Addr().String()))
		go func() { ended <- c.page.Serve(ctx, c.listener) }()
	}
	return func() error {
		c.over.Store(true)
		if parts > 1 {
			// Whoever looks at the page sees how it ended.
			c.page.Changed()
			select {
			case <-time.After(lastLook):
			case <-ctx.Done():
			}
		}
		cancel()
		var errs []error
		for range parts {
			errs = append(errs, <-ended)
		}
		return errors.Join(errs...)
	}
}

// lastLook is how long the page is shown after the end: enough for a browser
// to fetch it once more.
const lastLook = 2 * time.Second

func (c *conducted) view(ctx context.Context) (page.View, error) {
	r, err := report.New(c.file.Plan, c.store.Read(ctx))
	return page.View{Report: r, Plan: c.file.Plan, Now: time.Now(), Live: !c.over.Load()}, err
}
