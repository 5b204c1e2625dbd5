package verbs

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// A request asks the process that carries on a run to hold it. It is a file in
// the state directory, and is gone once the hold is in the journal. A request
// that no process has taken is taken by the next one: a stop that somebody has
// asked for is never lost.
type request struct {
	Environment string `json:"environment"` // as in the journal
	By          string `json:"by"`
	Why         string `json:"why"`
}

// glance is how often requests are looked for.
const glance = 200 * time.Millisecond

func (d folder) requests() []string {
	names, err := filepath.Glob(filepath.Join(escaped(string(d)), "hold-*.json"))
	if err != nil {
		return nil
	}
	slices.Sort(names)
	return names
}

// escaped keeps a path from being a pattern.
func escaped(path string) string {
	if os.PathSeparator == '\\' {
		return path // there is no escape there
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// takeHolds hands requests to the run until ctx is done.
func (c *conducted) takeHolds(ctx context.Context, state folder) {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	told := map[string]bool{}
	for {
		for _, name := range state.requests() {
			if err := c.takeHold(ctx, name); err != nil && ctx.Err() == nil && !told[name] {
				told[name] = true
				fmt.Fprintf(c.screen.Out(), "a request to hold cannot be taken: %s\n", said(err))
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (c *conducted) takeHold(ctx context.Context, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	var r request
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return fmt.Errorf("%s is no request", printable.Whole(filepath.Base(name)))
	}
	if err := c.changeover.Hold(ctx, r.Environment, r.By, r.Why); err != nil {
		return err
	}
	return os.Remove(name)
}

// deciding are the flags of verbs by which somebody decides something.
type deciding struct{ by, why string }

// whom returns the environment that arguments name; without one it is the run.
func whom(f *planfile.File, args []string) (string, error) {
	if len(args) == 0 {
		return journal.Infrastructure, nil
	}
	if _, ok := f.Plan.Infrastructure.Environment(args[0]); ok {
		return args[0], nil
	}
	var names []string
	for _, env := range f.Plan.Infrastructure.Environments {
		names = append(names, printable.Text(env.Name))
	}
	return "", fmt.Errorf("there is no environment %q\nthere are %s; without a name it is the whole run", args[0], strings.Join(names, ", "))
}

// called is what an environment is called in an answer.
func called(env string) string {
	if env == journal.Infrastructure {
		return "the run"
	}
	return printable.Text(env)
}

// decided is the answer of a verb by which somebody has decided something.
type decided struct {
	Environment string `json:"environment"`
	Done        string `json:"done"`
	Next        string `json:"next"`
}

func (a *app) decision(env, done, next string) error {
	return a.show(decided{env, done, next}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s. Next: %s\n", called(env), done, next)
		return err
	})
}

func (a *app) holdVerb() *cobra.Command {
	var d deciding
	c := &cobra.Command{
		Use:   "hold [ENVIRONMENT] --why TEXT",
		Short: "Stop a run, or one environment, at the next safe point",
		Long: `Hold stops the run, or one environment, at the next safe point, also while
changeover apply is at work in another terminal. Only changeover release lets it
go on, once that apply has ended.

A request is left in the state directory as hold-*.json, for the process that
carries on the run, and is taken within a second; hold waits for that.`,
		Example: `  changeover hold --why "the change window ends at six"
  changeover hold Production --why "a call from the night shift"`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.hold(cmd.Context(), d, args)
		},
	}
	d.flags(c)
	return c
}

func (d *deciding) flags(c *cobra.Command) {
	c.Flags().StringVar(&d.why, "why", "", "the reason, for the record")
	byFlag(c, &d.by)
}

func (d *deciding) complete() error {
	if strings.TrimSpace(d.why) == "" {
		return errors.New("say why, for the record: --why TEXT")
	}
	if strings.TrimSpace(d.by) == "" {
		return errors.New("say who, for the record: --by NAME")
	}
	return nil
}

func (a *app) hold(ctx context.Context, d deciding, args []string) error {
	if err := d.complete(); err != nil {
		return err
	}
	state := folder(a.state)
	r, f, err := state.report(ctx)
	if err != nil {
		return err
	}
	env, err := whom(f, args)
	if err != nil {
		return err
	}
	if r.Verdict == report.Completed || r.Verdict == report.RolledBack {
		return fmt.Errorf("the run is over (%s): there is nothing to hold\nsee %s", r.Verdict, a.command("status"))
	}
	done, next := "held; nothing more begins there", a.command("release")
	err = a.decide(ctx, f, func(c *changeover.Changeover) error { return c.Hold(ctx, env, d.by, d.why) })
	if !errors.Is(err, journal.ErrLocked) {
		if err != nil {
			return err
		}
		return a.decision(env, done, next)
	}
	name, err := state.ask(request{env, d.by, d.why})
	if err != nil {
		return err
	}
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			return a.decision(env, done, next)
		}
		if _, held, err := filejournal.Holder(a.state, nil); err != nil || !held {
			// The run has ended meanwhile, and the request is still there.
			err = errors.Join(err, a.decide(ctx, f, func(c *changeover.Changeover) error { return c.Hold(ctx, env, d.by, d.why) }))
			if err == nil {
				_ = os.Remove(name) // it may be gone
				return a.decision(env, done, next)
			}
			if !errors.Is(err, journal.ErrLocked) {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the request stands, and is taken as soon as the run can: %w", ctx.Err())
		}
	}
}

// ask leaves a request.
func (d folder) ask(r request) (name string, err error) {
	b, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	name = d.path("hold-" + rand.Text() + ".json")
	return name, replace(name, append(b, '\n'))
}

// decide opens the journal, records a decision, and closes it.
func (a *app) decide(ctx context.Context, f *planfile.File, record func(*changeover.Changeover) error) (err error) {
	store, err := a.journal()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	user, host := me()
	c, err := changeover.New(f.Plan, nobody(), store, &changeover.Options{User: user, Host: host})
	if err != nil {
		return err
	}
	if _, err := c.Status(ctx); err != nil {
		return err
	}
	return record(c)
}

func (a *app) releaseVerb() *cobra.Command {
	var d deciding
	c := &cobra.Command{
		Use:   "release [ENVIRONMENT] --why TEXT",
		Short: "End a hold that somebody has asked for",
		Long: `Release ends the hold of changeover hold. changeover resume then goes on. While
changeover apply or resume is at work in another terminal it is refused: it can
be released when that has ended, or was stopped.`,
		Example: `  changeover release --why "the next change window has begun"`,
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := d.complete(); err != nil {
				return err
			}
			return a.settle(cmd.Context(), args, "released", func(c *changeover.Changeover, env string) error {
				return c.Release(cmd.Context(), env, d.by, d.why)
			})
		},
	}
	d.flags(c)
	return c
}

func (a *app) resolveVerb() *cobra.Command {
	var evidence, by string
	var notDone bool
	c := &cobra.Command{
		Use:   "resolve [ENVIRONMENT] --evidence TEXT",
		Short: "Record what was found and done about what a run waits for",
		Long: `Resolve records, with evidence, that what an environment waits for has been
settled: Support has helped, or somebody has looked what came of an effect in
doubt. changeover resume then goes on, and observes before it acts. While
changeover apply or resume is at work in another terminal it is refused.

With --not-done somebody states that an effect in doubt was not done, so that it
may be done again. Without it, it is observed again.`,
		Example: `  changeover resolve Quality --evidence "case 4711: the serial number was added"
  changeover resolve Production --not-done --evidence "the portal does not list it"`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(evidence) == "" {
				return errors.New("say what was found and done, for the record: --evidence TEXT")
			}
			return a.settle(cmd.Context(), args, "resolved", func(c *changeover.Changeover, env string) error {
				return c.Resolve(cmd.Context(), env, migration.Resolution{By: by, Evidence: evidence, NotDone: notDone})
			})
		},
	}
	c.Flags().StringVar(&evidence, "evidence", "", "what was found and done, for the record")
	c.Flags().BoolVar(&notDone, "not-done", false, "an effect in doubt was found not to have been done")
	byFlag(c, &by)
	return c
}

// settle records a decision about a run that is not going on.
func (a *app) settle(ctx context.Context, args []string, done string, record func(c *changeover.Changeover, env string) error) error {
	_, f, err := folder(a.state).report(ctx)
	if err != nil {
		return err
	}
	env, err := whom(f, args)
	if err != nil {
		return err
	}
	err = a.decide(ctx, f, func(c *changeover.Changeover) error { return record(c, env) })
	if errors.Is(err, changeover.ErrNotHeld) {
		return fmt.Errorf("%s has no hold that this verb ends\nsee what it waits for: %s", called(env), a.command("explain"))
	}
	if err != nil {
		return err
	}
	return a.decision(env, done, a.command("resume"))
}
