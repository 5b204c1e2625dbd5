package verbs

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"

	"github.com/changeover-go/changeover/examples/changeover/internal/page"
)

func (a *app) runbookVerb() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "runbook [FILE]",
		Short: "Write the manual procedure for a plan as a checklist",
		Long: `Runbook writes what a person does who carries out the plan by hand: a checklist
in Markdown with the exact clicks, made from the same tables that a run follows.`,
		Example: `  changeover runbook > runbook.md
  changeover runbook acme.yaml --out runbook.md`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := a.file(args)
			if err != nil {
				return err
			}
			write := func(w io.Writer) error { return report.WriteRunbook(w, f.Plan) }
			if a.json && out == "" {
				var b strings.Builder
				if err := write(&b); err != nil {
					return err
				}
				return a.document(map[string]string{"runbook": b.String()})
			}
			return a.write(out, write)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write to this `file` instead of stdout")
	return c
}

func (a *app) diagramVerb() *cobra.Command {
	var of, format, out string
	c := &cobra.Command{
		Use:   "diagram",
		Short: "Draw a state machine, with the states of a run marked",
		Long: `Diagram draws one of the tables by which a run goes. If the state directory has a
run, the states in which its environments are and the way that they have taken
are marked. Without one, the table of the plan file is drawn.

The tables are infrastructure, those of the profile's legs (refresh, move), and
for the way back rollback and rollback-infrastructure.`,
		Example: `  changeover diagram
  changeover diagram --of move --format svg --out move.svg
  changeover diagram --of rollback --format dot | dot -Tpng > rollback.png`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			draw, err := a.drawing(cmd.Context(), of, format)
			if err != nil {
				return err
			}
			if a.json && out == "" {
				var b strings.Builder
				if err := draw(&b); err != nil {
					return err
				}
				return a.document(map[string]string{"table": of, "format": format, "diagram": b.String()})
			}
			return a.write(out, draw)
		},
	}
	c.Flags().StringVar(&of, "of", "infrastructure", "the `table` to draw")
	c.Flags().StringVar(&format, "format", "mermaid", "`FORM`: mermaid, dot or svg")
	c.Flags().StringVar(&out, "out", "", "write to this `file` instead of stdout")
	complete(c, "format", "mermaid", "dot", "svg")
	complete(c, "of", "infrastructure", "refresh", "move", "rollback", "rollback-infrastructure")
	return c
}

// drawing returns what draws the table called of.
func (a *app) drawing(ctx context.Context, of, format string) (func(io.Writer) error, error) {
	if !slices.Contains([]string{"mermaid", "dot", "svg"}, format) {
		return nil, fmt.Errorf("there is no format %q; there are mermaid, dot and svg", format)
	}
	var entries []journal.Entry
	state := folder(a.state)
	begun, err := state.begun(ctx)
	if err != nil {
		return nil, err
	}
	var plan migration.Plan
	if begun {
		f, err := state.file()
		if err != nil {
			return nil, err
		}
		for e, err := range state.entries(ctx) {
			if err != nil {
				return nil, err
			}
			entries = append(entries, e)
		}
		plan = f.Plan
	} else {
		f, err := a.file(nil)
		if err != nil {
			return nil, err
		}
		plan = f.Plan
	}
	profile, _ := migration.FindProfile(plan.Effective().Profile)
	names := []string{"infrastructure"}
	for _, leg := range profile.Legs {
		if of == leg.Name {
			return drawn(migration.EnvironmentTable(leg, plan.Rules(leg)), leg.Name, format, entries), nil
		}
		names = append(names, leg.Name)
	}
	switch of {
	case "infrastructure":
		return drawn(migration.InfrastructureTable(profile), "", format, entries), nil
	case "rollback":
		return drawn(rollback.EnvironmentTable(), "", format, entries), nil
	case "rollback-infrastructure":
		return drawn(rollback.InfrastructureTable(), "", format, entries), nil
	}
	names = append(names, "rollback", "rollback-infrastructure")
	return nil, fmt.Errorf("there is no table %q; there are %s", of, strings.Join(names, ", "))
}

// drawn draws a table, with what a journal says of it.
func drawn[F any](t machine.Table[F], leg, format string, entries []journal.Entry) func(io.Writer) error {
	d := machine.Drawing[F]{Table: t, Marks: marksOf(t.ID, leg, entries)}
	switch format {
	case "dot":
		return d.WriteDOT
	case "svg":
		return func(w io.Writer) error { return page.WriteSVG(w, d) }
	}
	return d.WriteMermaid
}

// marksOf returns who is in which state of a table, and which ways were taken.
func marksOf(table, leg string, entries []journal.Entry) []machine.Mark {
	var marks []machine.Mark
	record := new(journal.Record)
	for _, e := range entries {
		if record.Add(e) != nil {
			return nil // status says what is wrong with the journal
		}
		if e.Kind == journal.Outcome && e.To != "" && e.Table == table && (leg == "" || e.Leg == leg) {
			marks = append(marks, machine.Mark{State: machine.State(e.State), On: machine.Trigger(e.Trigger), Who: e.Env})
		}
	}
	for _, at := range record.Standings {
		if at.Table != table || leg != "" && at.Leg != leg {
			continue
		}
		m := machine.Mark{State: machine.State(at.State), Who: at.Env}
		if at.Env == journal.Infrastructure {
			m.Who = ""
		}
		marks = append(marks, m)
	}
	return marks
}
