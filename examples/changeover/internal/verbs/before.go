package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/journal"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/wiring"
)

// checked is what check has found.
type checked struct {
	File     string               `json:"file"`
	Accepted bool                 `json:"accepted"`
	Compared bool                 `json:"compared"` // with LifeTime's inventory
	Findings environment.Findings `json:"findings"`
	Warnings []planfile.Mistake   `json:"warnings"`
}

func (a *app) checkVerb() *cobra.Command {
	var offline bool
	c := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say everything that is wrong with a plan file",
		Long: `Check reads a plan file and says everything that is wrong with it, with line,
column and the line itself. Where a program answers for LifeTime, the plan is
compared with its inventory as well. Nothing is changed.`,
		Example: `  changeover check
  changeover check acme.yaml --offline   # the file alone
  changeover check --json | jq .findings`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.file(args)
			if err != nil {
				return err
			}
			return a.check(cmd.Context(), f, offline)
		},
	}
	c.Flags().BoolVar(&offline, "offline", false, "contact nobody")
	return c
}

func (a *app) check(ctx context.Context, f *planfile.File, offline bool) error {
	out := checked{File: a.plan, Accepted: true, Findings: environment.Findings{}, Warnings: append([]planfile.Mistake{}, f.Warnings...)}
	if !offline && f.Adapters.LifeTime.Use != planfile.Attended {
		only := *f // nobody else is asked, and credentials of others are not needed
		only.Adapters = planfile.Adapters{
			Connect: f.Adapters.Connect, Trust: f.Adapters.Trust, Instant: f.Adapters.Instant, LifeTime: f.Adapters.LifeTime,
		}
		ports, err := connect(ctx, &only, wiring.Options{In: strings.NewReader(""), Out: io.Discard})
		if err != nil {
			return err
		}
		defer ports.Close()
		ports.Vault = none{} // it is not needed, and would be created
		warnings, err := changeover.Check(ctx, f.Plan, ports.Set)
		found := findings(err)
		if err != nil && found == nil {
			return err
		}
		out.Compared, out.Accepted = true, len(found) == 0
		for _, w := range warnings {
			if !within(w, f) { // those of the file are shown with their line
				out.Findings = append(out.Findings, w)
			}
		}
		out.Findings = append(out.Findings, found...)
	}
	if !out.Accepted {
		a.code = 1
	}
	a.warnings(f)
	return a.show(out, func(w io.Writer) error {
		for _, finding := range out.Findings {
			level := "error"
			if finding.Warning {
				level = "warning"
			}
			fmt.Fprintf(w, "%s: %s\n", level, said(finding))
		}
		switch {
		case !out.Accepted:
			fmt.Fprintln(w, "The changeover must not begin like this. Nothing was changed.")
		case out.Compared:
			fmt.Fprintf(w, "%s: in order, and as LifeTime has it. Next: %s\n", printable.Whole(a.plan), a.command("plan"))
		default:
			fmt.Fprintf(w, "%s: in order. LifeTime was not asked. Next: %s\n", printable.Whole(a.plan), a.command("plan"))
		}
		return nil
	})
}

// within reports whether a finding is one about the file itself.
func within(f environment.Finding, file *planfile.File) bool {
	for _, known := range file.Plan.Validate() {
		if known == f {
			return true
		}
	}
	return false
}

// findings takes joined findings apart; nil if err is something else.
func findings(err error) environment.Findings {
	if f, ok := err.(environment.Finding); ok { //nolint:errorlint // only what was joined, not what is wrapped
		return environment.Findings{f}
	}
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // the same
	if !ok {
		return nil
	}
	var all environment.Findings
	for _, e := range joined.Unwrap() {
		found := findings(e)
		if found == nil {
			return nil
		}
		all = append(all, found...)
	}
	return all
}

func (a *app) planVerb() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "Read every environment and say what will happen, and what will not",
		Long: `Plan reads every environment twice, and says what a run will do, step by step,
what it will not do and why, and what stands in the way. It changes nothing.

The plan is saved, bound to what was seen: changeover apply observes again, and
refuses a saved plan that no longer fits. It is good for one run, and for a day.`,
		Example: `  changeover plan
  changeover plan acme.yaml --out acme.json
  changeover plan --json | jq -r .digest`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := a.file(args)
			if err != nil {
				return err
			}
			return a.preview(cmd.Context(), f, out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "save the plan in this `file` (default: plan.json in the state directory)")
	return c
}

func (a *app) preview(ctx context.Context, f *planfile.File, out string) error {
	state := folder(a.state)
	if err := a.unbegun(ctx); err != nil {
		return err
	}
	if out == "" || filepath.Clean(out) == state.saved() {
		out = state.saved()
	} else if err := a.mayWrite(out); err != nil {
		return err
	}
	if err := state.make(); err != nil {
		return err
	}
	s := a.screen(f.Plan)
	w, err := a.wire(ctx, f, s, nil, false, nil)
	if err != nil {
		return err
	}
	defer w.Close()
	c, err := changeover.New(f.Plan, w.Set, looker{state}, &changeover.Options{Clock: w.Clock})
	if err != nil {
		return err
	}
	p, err := c.Plan(ctx)
	if err != nil {
		return err
	}
	a.warnings(f)
	ready := p.Findings.Err() == nil
	if !ready {
		a.code = 1
	} else if err := a.keepLocked(ctx, f, p, out); err != nil {
		return err
	}
	return a.show(p, func(w io.Writer) error {
		if err := p.WriteText(w); err != nil || !ready {
			return err
		}
		words := []string{"apply"}
		if out != state.saved() {
			words = append(words, word(out))
		}
		_, err := fmt.Fprintf(w, "Saved in %s. Next: %s\nWithout a terminal: --yes %s\n", printable.Whole(out), a.command(words...), p.Digest())
		return err
	})
}

// unbegun refuses a directory that has a run.
func (a *app) unbegun(ctx context.Context) error {
	begun, err := folder(a.state).begun(ctx)
	if begun && err == nil {
		err = fmt.Errorf("%w in %s\ngo on with it: %s; see %s, or name another directory with --state", changeover.ErrBegun, printable.Whole(a.state), a.command("resume"), a.command("status"))
	}
	return err
}

// keepLocked keeps a plan while no run can begin.
func (a *app) keepLocked(ctx context.Context, f *planfile.File, p *changeover.Preview, out string) (err error) {
	store, err := a.journal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return a.keep(ctx, f, p, out)
}

// keep saves a plan, and the file that it was made from. Whoever calls it has
// the journal open: what a run has begun with is never replaced.
func (a *app) keep(ctx context.Context, f *planfile.File, p *changeover.Preview, out string) error {
	state := folder(a.state)
	if err := a.unbegun(ctx); err != nil {
		return err
	}
	if err := replace(state.origin(), []byte(f.Folder)); err != nil {
		return err
	}
	if err := replace(state.kept(), f.Text); err != nil {
		return err
	}
	return save(out, p)
}

// journal opens the journal, for this process alone.
func (a *app) journal() (*filejournal.Store, error) {
	store, err := filejournal.Open(a.state, nil)
	if errors.Is(err, journal.ErrLocked) {
		err = fmt.Errorf("%w\nit can be decided when that process has ended, or was stopped: %s, or %s", err, a.command("status"), a.command("hold"))
	}
	return store, err
}

// wire makes the adapters, with the person at this terminal.
func (a *app) wire(ctx context.Context, f *planfile.File, s shown, lock *os.File, back bool, approve approval) (*wiring.Ports, error) {
	state := folder(a.state)
	dirs, oneDisk := wiring.Backups(f, a.state)
	if oneDisk && !a.json && !f.Adapters.Instant {
		a.note("warning: all backups are on one disk: name directories on two with backups: in the plan file")
	}
	user, _ := me()
	return connect(ctx, f, wiring.Options{
		In: s.In(), Out: s.Out(), User: user, Backups: dirs, Desk: state.desk(), Lock: lock, Back: back, Approve: approve,
		Log: func(line string) { fmt.Fprintln(s.Out(), line) },
	})
}

// connect makes the adapters. Where they reach a simulation that was not
// started, it says so: real systems are never without waits.
func connect(ctx context.Context, f *planfile.File, o wiring.Options) (*wiring.Ports, error) {
	ports, err := wiring.Connect(ctx, f, o)
	if _, missing := os.Stat(f.Adapters.Trust); err != nil && f.Adapters.Instant && f.Adapters.Trust != "" && errors.Is(missing, os.ErrNotExist) {
		err = fmt.Errorf("%w\nthese adapters reach a simulation; start it: changeover simulate", err)
	}
	return ports, err
}
