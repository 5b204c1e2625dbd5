// Package verbs is the command line: what an operator types, and what is
// answered. It is small, because the library does the work: a verb reads the
// plan file (package planfile), has the adapters made (package wiring), calls
// one method of changeover.Changeover, and shows what came of it (packages
// screen and page). It decides nothing about a run.
//
// Everything that a run needs to be taken up again is in its state directory;
// verbs that only look at a run read nothing else, and contact nobody.
package verbs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/screen"
)

// Names that are used where nothing else is said.
const (
	defaultPlan  = "changeover.yaml"
	defaultState = "changeover-state"
)

// An IO is what a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// Run carries out one command and returns what the process exits with: 0
// Completed, or done; 2 RolledBack; 3 Held; 4 Mixed; 1 anything else.
func Run(ctx context.Context, args []string, std IO) int {
	a := &app{std: std}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(std.In)
	root.SetOut(std.Out)
	root.SetErr(std.Err)
	if err := root.ExecuteContext(ctx); err != nil {
		a.json = a.json || asksForJSON(args) // also behind a flag that cannot be read
		a.fail(err)
		return cmp.Or(a.code, 1)
	}
	return a.code
}

// asksForJSON reports whether --json is among the arguments, even as
// --json=nonsense.
func asksForJSON(args []string) bool {
	for _, arg := range args {
		name, value, given := strings.Cut(arg, "=")
		if arg == "--" {
			return false
		}
		if on, err := strconv.ParseBool(value); name == "--json" && (!given || err != nil || on) {
			return true
		}
	}
	return false
}

// An app is one command while it is carried out.
type app struct {
	std IO

	plan, state       string
	json              bool
	plain, accessible bool

	code    int  // what the process exits with
	written bool // the one JSON document was written
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "changeover",
		Short: "Move an OutSystems infrastructure to another activation code, and back",
		Long: `Changeover moves an OutSystems 11 infrastructure from one activation code
(Source) to another (Target), and back. It may be stopped anywhere, by anything,
and goes on exactly there, or says what is in doubt.

A changeover is described in a plan file (--plan), and everything about its run
is kept in a state directory (--state).

Exit codes: 0 Completed, or done; 2 RolledBack; 3 Held (a person must act);
4 Mixed; 1 anything else.`,
		Example: `  changeover init                       # write a plan file
  changeover check                      # everything that is wrong with it
  changeover plan                       # what will happen, nothing is changed
  changeover apply                      # do it
  changeover status                     # from another terminal, at any time`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.plan, "plan", defaultPlan, "the plan `file`")
	flags.StringVar(&a.state, "state", defaultState, "the `directory` of the run")
	flags.BoolVar(&a.json, "json", false, "write one JSON document to stdout, also about an error")
	flags.BoolVar(&a.plain, "plain", false, "plain lines, no table")
	flags.BoolVar(&a.accessible, "accessible", false, "plain lines and plain questions, for screen readers")
	root.AddGroup(&cobra.Group{ID: "begin", Title: "Before a run:"}, &cobra.Group{ID: "run", Title: "A run:"},
		&cobra.Group{ID: "look", Title: "Look at a run, offline:"}, &cobra.Group{ID: "try", Title: "Try it out:"})
	group := func(id string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	group("begin", a.initVerb(), a.checkVerb(), a.planVerb(), a.runbookVerb())
	group("run", a.applyVerb(), a.resumeVerb(), a.rollbackVerb(), a.holdVerb(), a.releaseVerb(), a.resolveVerb())
	group("look", a.statusVerb(), a.explainVerb(), a.reportVerb(), a.diagramVerb(), a.verifyVerb())
	group("try", a.rehearseVerb(), a.simulateVerb())
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if !a.json {
			help(cmd, args)
			return
		}
		var b bytes.Buffer
		cmd.SetOut(&b)
		help(cmd, args)
		_ = a.document(map[string]string{"help": b.String()}) // cobra takes no error here
	})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w\nsee %s --help", err, cmd.CommandPath())
	})
	return root
}

// atMost allows so many arguments, and says what to do about more.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return fmt.Errorf("unexpected argument %q\nsee %s --help", args[n], cmd.CommandPath())
		}
		return nil
	}
}

// show writes what a command has to say: one JSON document, or text. It returns
// the error of stdout.
func (a *app) show(v any, text func(io.Writer) error) error {
	if a.json {
		return a.document(v)
	}
	var b bytes.Buffer
	if err := text(&b); err != nil {
		return err
	}
	_, err := a.std.Out.Write(b.Bytes())
	return err
}

func (a *app) document(v any) error {
	a.written = true
	return indented(a.std.Out, v)
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// A failure is an error as a JSON document.
type failure struct {
	Error       string             `json:"error"`
	Mistakes    []planfile.Mistake `json:"mistakes,omitempty"`
	Differences []string           `json:"differences,omitempty"`
	ExitCode    int                `json:"exitCode"`
}

// fail says what went wrong.
func (a *app) fail(err error) {
	text := said(err)
	if !a.json || a.written {
		fmt.Fprintln(a.std.Err, "changeover: "+text)
		return
	}
	f := failure{Error: text, ExitCode: cmp.Or(a.code, 1)}
	if m, ok := errors.AsType[*planfile.Mistakes](err); ok {
		f.Mistakes = m.List
	}
	if s, ok := errors.AsType[*changeover.StaleError](err); ok {
		f.Differences = s.Differences
	}
	_ = a.document(f) // nobody is left to be told
}

// said is what an error says, safe to print.
func said(err error) string {
	if s, ok := errors.AsType[*changeover.StaleError](err); ok {
		return changeover.ErrStale.Error() + "; nothing was changed. What differs:\n  - " +
			strings.Join(s.Differences, "\n  - ") + "\nmake a new one: changeover plan"
	}
	lines := strings.Split(err.Error(), "\n")
	const most = 2000
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… and %d more lines", len(lines)-most))
	}
	for i, line := range lines {
		lines[i] = printable.Whole(line)
	}
	return strings.Join(lines, "\n")
}

// note says something beside the result.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.std.Err, format+"\n", args...)
}

// end sets what the process exits with from how a run stands.
func (a *app) end(v report.Verdict) { a.code = v.ExitCode() }

// command says how another verb is called for the same run.
func (a *app) command(words ...string) string {
	words = append([]string{"changeover"}, words...)
	if a.plan != defaultPlan {
		words = append(words, "--plan", word(a.plan))
	}
	if a.state != defaultState {
		words = append(words, "--state", word(a.state))
	}
	return strings.Join(words, " ")
}

// word puts a path into quotes where a shell needs them.
func word(s string) string {
	s = printable.Whole(s)
	if strings.ContainsAny(s, " \t'\"$`\\*?[]{}()<>|&;!#~") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// file reads the plan file.
func (a *app) file(args []string) (*planfile.File, error) {
	if len(args) > 0 {
		a.plan = args[0]
	}
	f, err := planfile.Open(a.plan)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no plan file %s\nwrite one with changeover init, or name yours with --plan", printable.Whole(a.plan))
	}
	return f, err
}

// warnings shows what is worth knowing about a plan file.
func (a *app) warnings(f *planfile.File) {
	if a.json {
		return
	}
	for _, w := range f.Warnings {
		a.note("warning: %s", strings.TrimSuffix(w.String(), "\n"))
	}
}

// screen returns the terminal. What is shown on the way goes to stderr where
// stdout is for a document.
func (a *app) screen(plan migration.Plan) *screen.Screen {
	out := a.std.Out
	if a.json {
		out = a.std.Err
	}
	return screen.New(screen.Options{In: a.std.In, Out: out, Plan: plan, Plain: a.plain || a.json, Accessible: a.accessible})
}

// me is who runs the command, and where, for the record.
func me() (name, host string) {
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // it is for people
	}
	return cmp.Or(name, "somebody"), host
}
