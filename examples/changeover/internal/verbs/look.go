package verbs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/migration/report"

	"github.com/changeover-go/changeover/examples/changeover/internal/page"
	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/wiring"
)

func (a *app) statusVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say how the run stands: verdict, mixed or not, what can be rolled back",
		Long: `Status reads the journal, also while changeover apply is at work in another
terminal: the verdict so far, what every environment shows, what waits for whom,
and which backup could be put back right now. It contacts nobody.

It exits with what apply would: 0 Completed, 2 RolledBack, 3 Held or still going
on, 4 Mixed.`,
		Example: `  changeover status
  changeover status --state acme --json | jq -r .verdict`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

// look reads how a run stands, and who carries it on at this moment.
func (a *app) look(ctx context.Context) (*report.Report, *planfile.File, string, error) {
	who, held, err := filejournal.Holder(a.state, nil)
	if err != nil {
		return nil, nil, "", err
	}
	if !held {
		who = ""
	}
	r, f, err := folder(a.state).report(ctx)
	return r, f, who, err
}

func (a *app) status(ctx context.Context) error {
	r, _, who, err := a.look(ctx)
	if err != nil {
		return err
	}
	underWay(r, who)
	document, err := withRunning(r, who)
	if err != nil {
		return err
	}
	err = a.show(document, func(w io.Writer) error {
		if err := headed(w, r, who, r.WriteText); err != nil {
			return err
		}
		fmt.Fprintln(w, "\nCan be put back right now")
		for _, env := range r.Environments {
			what := "nothing: no backup is proven for the serial number of its server"
			if env.CanRollBack {
				what = "the source license " + env.RollBackTo.Short()
			}
			fmt.Fprintf(w, "  %s: %s\n", env.Name, what)
		}
		return nil
	})
	if err == nil {
		a.end(r.Verdict)
	}
	return err
}

// underWay takes out of a report what it says of a run that nobody carries on,
// if somebody does.
func underWay(r *report.Report, who string) {
	if who == "" || r.Hold == nil || r.Hold.Kind != report.HoldInterrupted {
		return
	}
	r.Hold, r.Next = nil, []string{"Nothing: it goes on by itself, as far as it gets."}
	for i := range r.Environments {
		env := &r.Environments[i]
		if env.Hold != nil && env.Hold.Kind == report.HoldInterrupted {
			env.Hold = nil
		}
		if env.Hold == nil && env.Need == nil {
			env.Waits = "" // it is worked on, or its turn comes
		}
	}
}

// headed writes a report with a headline that fits a run that is going on.
func headed(w io.Writer, r *report.Report, who string, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	text := b.String()
	if who != "" && r.Hold == nil && r.Verdict == report.Held {
		text = strings.Replace(text, "Held: a person must act", "Going on, carried on by "+who, 1)
	}
	_, err := io.WriteString(w, text)
	return err
}

// withRunning is a report with one more field, running: who carries on the run
// at this moment.
func withRunning(r *report.Report, who string) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	b, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(b, &fields)
	}
	if err == nil {
		fields["running"], err = json.Marshal(who)
	}
	return fields, err
}

// explained is what explain says.
type explained struct {
	Environment string              `json:"environment"`
	Explanation machine.Explanation `json:"explanation"`
	Waits       string              `json:"waits,omitempty"`
	Next        []string            `json:"next"`
	Running     string              `json:"running,omitempty"`
}

func (a *app) explainVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [ENVIRONMENT]",
		Short: "Say why nothing is happening, and what would release it",
		Long: `Explain says of an environment, or of the run, what it waits for, which effect its
state asks for, which guards keep that from being done, and every way out of the
state with what speaks against it. It contacts nobody.`,
		Example: `  changeover explain
  changeover explain Production`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), args) },
	}
}

func (a *app) explain(ctx context.Context, args []string) error {
	r, f, who, err := a.look(ctx)
	if err != nil {
		return err
	}
	env, err := whom(f, args)
	if err != nil {
		return err
	}
	c, err := changeover.New(f.Plan, nobody(), looker{folder(a.state)}, nil)
	if err != nil {
		return err
	}
	ex, err := c.Explain(ctx, env)
	if err != nil {
		return err
	}
	underWay(r, who)
	out := explained{Environment: env, Explanation: ex, Next: r.Next, Running: who}
	if r.Hold != nil {
		out.Waits = r.Hold.Cause
	}
	for _, e := range r.Environments {
		if e.Name == printable.Text(env) {
			out.Waits = e.Waits
		}
	}
	return a.show(out, func(w io.Writer) error {
		_, err := io.WriteString(w, out.String())
		return err
	})
}

// String is the answer for people.
func (e explained) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s is in %s: %s", called(e.Environment), e.Explanation.State, e.Explanation.Doc)
	if e.Running != "" {
		line("The run is going on, carried on by %s.", e.Running)
	}
	besides := "nothing"
	if e.Waits != "" {
		line("It waits: %s", e.Waits)
		besides = "nothing else"
	}
	switch {
	case e.Explanation.Final:
		line("Nothing more is asked for here.")
	case e.Explanation.Effect == "":
		line("It asks for nothing by itself: it rests until somebody acts.")
	case len(e.Explanation.Needs) == 0:
		line("It asks for %s, and %s speaks against that.", e.Explanation.Effect, besides)
	default:
		line("It asks for %s, which must not be done yet:", e.Explanation.Effect)
		for _, why := range e.Explanation.Needs {
			line("  - %s", why)
		}
	}
	if len(e.Explanation.Ways) > 0 {
		line("Ways out:")
		for _, way := range e.Explanation.Ways {
			line("  %s leads to %s", way.On, way.To)
			for _, why := range way.Refused {
				line("    not now: %s", why)
			}
		}
	}
	line("What to do now:")
	for _, next := range e.Next {
		line("  - %s", next)
	}
	return b.String()
}

func (a *app) reportVerb() *cobra.Command {
	var format, out string
	c := &cobra.Command{
		Use:   "report",
		Short: "Write the report of a run: text, markdown, json, csv or html",
		Long: `Report writes what the journal says of a run, at any time, also years later: what
is true of every environment, findings with hints, the case for Support, the
clauses of the written procedure, and the timeline. It contacts nobody.`,
		Example: `  changeover report
  changeover report --format html --out report.html
  changeover report --format csv > timeline.csv`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, f, who, err := a.look(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				format = "json"
			}
			if format != "html" { // which has a form for a run that is going on
				underWay(r, who)
			}
			forms := map[string]func(io.Writer) error{
				"text":     func(w io.Writer) error { return headed(w, r, who, r.WriteText) },
				"markdown": func(w io.Writer) error { return headed(w, r, who, r.WriteMarkdown) },
				"json": func(w io.Writer) error {
					if who == "" {
						return r.WriteJSON(w)
					}
					document, err := withRunning(r, who)
					return errors.Join(err, indented(w, document))
				},
				"csv": r.WriteCSV,
				"html": func(w io.Writer) error {
					return page.Write(w, page.View{Report: r, Plan: f.Plan, Now: time.Now(), Live: who != ""})
				},
			}
			write, ok := forms[format]
			if !ok {
				return fmt.Errorf("there is no format %q; there are text, markdown, json, csv and html", format)
			}
			return a.write(out, write)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`FORM`: text, markdown, json, csv or html")
	c.Flags().StringVar(&out, "out", "", "write to this `file` instead of stdout")
	complete(c, "format", "text", "markdown", "json", "csv", "html")
	return c
}

func complete(c *cobra.Command, flag string, values ...string) {
	// It fails only for a flag that there is not.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// write writes to a file, whole or not at all, or to stdout. With --json, a
// file that was written is named in a document.
func (a *app) write(out string, write func(io.Writer) error) error {
	if out != "" {
		if err := a.mayWrite(out); err != nil {
			return err
		}
	}
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if out == "" {
		a.written = true
		_, err := a.std.Out.Write(b.Bytes())
		return err
	}
	if err := replace(out, b.Bytes()); err != nil {
		return err
	}
	return a.show(map[string]string{"written": out}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "written: %s\n", printable.Whole(out))
		return err
	})
}

// verified is what verify says.
type verified struct {
	OK      bool     `json:"ok"`
	Entries uint64   `json:"entries"`
	Hash    string   `json:"hash"`
	Backups []proven `json:"backups"`
	NotRead string   `json:"notRead,omitempty"` // why backups were not
	Wrong   []string `json:"wrong"`
}

// proven is a backup that was read.
type proven struct {
	Environment string `json:"environment"`
	Digest      string `json:"digest"`
	Copies      int    `json:"copies"`
}

func (a *app) verifyVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read the journal and every backup, and say what is not as it was written",
		Long: `Verify reads the journal from its first to its last line, compares its end with
HEAD, and reads every backup that it speaks of out of the vault. Backups that a
program or a person keeps are not read, and it says so. It changes nothing and
contacts nobody. It exits with 1 when anything is not as it was written.`,
		Example: `  changeover verify
  changeover verify --state acme --json | jq .ok`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.verify(cmd.Context()) },
	}
}

func (a *app) verify(ctx context.Context) error {
	f, err := folder(a.state).file()
	if err != nil {
		return err
	}
	out := verified{Backups: []proven{}, Wrong: []string{}}
	wrong := func(err error) {
		if err != nil {
			out.Wrong = append(out.Wrong, strings.Split(said(err), "\n")...)
		}
	}
	journal, err := filejournal.Verify(ctx, a.state, nil)
	wrong(err)
	out.Entries, out.Hash = journal.Entries, journal.Hash
	if err == nil {
		wrong(a.verifyBackups(ctx, f, &out))
	}
	if out.OK = len(out.Wrong) == 0; !out.OK {
		a.code = 1
	}
	return a.show(out, func(w io.Writer) error {
		fmt.Fprintf(w, "journal: %d entries\n", out.Entries)
		for _, b := range out.Backups {
			fmt.Fprintf(w, "backup: %s %s, %d whole copies\n", b.Environment, b.Digest, b.Copies)
		}
		if out.NotRead != "" {
			fmt.Fprintf(w, "backups: not read: %s\n", out.NotRead)
		}
		for _, what := range out.Wrong {
			fmt.Fprintf(w, "wrong: %s\n", what)
		}
		switch {
		case out.OK && out.NotRead != "":
			fmt.Fprintln(w, "What was read is as it was written.")
		case out.OK:
			fmt.Fprintln(w, "Everything is as it was written.")
		}
		return nil
	})
}

func (a *app) verifyBackups(ctx context.Context, f *planfile.File, out *verified) error {
	switch f.Adapters.Vault.Use {
	case planfile.Command:
		out.NotRead = "a program keeps them, and verify contacts nobody"
		return nil
	case planfile.Attended:
		out.NotRead = "a person keeps them, and verify contacts nobody"
		return nil
	}
	dirs, _ := wiring.Backups(f, a.state)
	for _, dir := range dirs {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the directory for backups %s is not there", printable.Whole(dir))
		}
	}
	vault, err := filevault.Open(dirs, nil)
	if err != nil {
		return err
	}
	defer vault.Close()
	set := nobody()
	set.Vault = vault
	c, err := changeover.New(f.Plan, set, looker{folder(a.state)}, nil)
	if err != nil {
		return err
	}
	var errs []error
	for _, env := range f.Plan.Infrastructure.Environments {
		stored, err := vault.List(ctx, env.Serial)
		errs = append(errs, err)
		for _, s := range stored {
			out.Backups = append(out.Backups, proven{printable.Text(env.Name), s.Digest.Short(), s.Copies})
			if s.Copies < len(dirs) {
				errs = append(errs, fmt.Errorf("the backup %s of %s: %d of %d copies are whole", s.Digest.Short(), printable.Text(env.Name), s.Copies, len(dirs)))
			}
		}
	}
	return errors.Join(append(errs, c.Verify(ctx))...)
}
