package report_test

import (
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// table reads the CSV of a report as a spreadsheet does.
func table(t testing.TB, r *report.Report) (text string, rows [][]string) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteCSV(&b))
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll() // all of the same width
	require.NoError(t, err)
	return b.String(), rows
}

func TestTheTimelineIsOneRowAnEntry(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			s := newStage(t, sc.profile)
			sc.run(s)
			r := s.report()
			text, rows := table(t, r)
			if sc.name == "completed" {
				golden.Compare(t, "testdata/completed.csv", []byte(text))
			}
			events := r.Timeline()
			require.Len(t, rows, len(events)+1)
			for i, e := range events {
				doubt, observed := "", ""
				if e.Doubt {
					doubt = "yes"
				}
				if e.Observed {
					observed = "yes"
				}
				require.Equal(t, []string{fmt.Sprint(e.Seq), e.Time.UTC().Format(time.RFC3339), string(e.Kind), e.Environment, e.Leg, string(e.State), string(e.Trigger), string(e.To),
					e.Effect, e.Condition, string(e.Hold), doubt, observed, e.By, e.What}, rows[i+1])
			}
			require.NotContains(t, text, sourceCode)
			require.NotContains(t, text, targetCode)
		})
	}
}

// formula is what a spreadsheet computes, where cells end at a comma or at a
// semicolon.
var formula = regexp.MustCompile("(?:^|;)[\\s\u00a0]*[=+\\-@＝＋－＠\t\r]")

func TestNoCellIsAFormula(t *testing.T) {
	p := plan(t, migration.RefreshAndMove)
	for _, begin := range []string{"=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "＋", "－", "＠", "\u00a0=", "x;=", "x; =", ";;+"} {
		t.Run(fmt.Sprintf("%q", begin), func(t *testing.T) {
			evil := begin + `HYPERLINK("https://evil.test","a, b")`
			_, rows := table(t, reportOf(t, p, []journal.Entry{
				{Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "run", Plan: p.Digest(), User: evil}},
				{Kind: journal.Begun, Env: journal.Infrastructure, State: "Planned"},
				{Kind: journal.Noted, Env: journal.Infrastructure, State: "Planned", Text: evil, By: evil, Condition: evil, Effect: evil, Leg: evil, To: evil},
			}))
			for _, row := range rows {
				for _, cell := range row {
					require.NotRegexp(t, formula, cell)
				}
			}
			require.Contains(t, strings.Join(rows[3], "|"), "HYPERLINK", "it is shown all the same")
		})
	}
	t.Run("what is none is left as it is", func(t *testing.T) {
		_, rows := table(t, reportOf(t, p, []journal.Entry{
			{Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "run", Plan: p.Digest(), User: `Ada "=", Lovelace`}},
		}))
		require.Equal(t, `Ada "=", Lovelace`, rows[1][13])
	})
}

func reportOf(t testing.TB, p migration.Plan, entries []journal.Entry) *report.Report {
	t.Helper()
	for i := range entries {
		entries[i].Seq, entries[i].Epoch = uint64(i+1), 1
	}
	r, err := report.New(p, sequence(entries))
	require.NoError(t, err)
	return r
}

func TestCSVReturnsTheErrorOfTheWriter(t *testing.T) {
	s := newStage(t, migration.AsWritten)
	require.ErrorIs(t, s.report().WriteCSV(failing{}), errLost)
	s.world.SetIPP(s.plan.Source, "Quality", license.Protected)
	s.apply(nil)
	require.ErrorIs(t, s.report().WriteCSV(failing{}), errLost)
}

// A timeline has what a drawing of the run needs: every edge that it names is
// one of the table that it names.
func TestATimelineCanBeDrawn(t *testing.T) {
	type edge struct {
		table    string
		from, to machine.State
		on       machine.Trigger
	}
	known := map[edge]bool{}
	learn := func(id string, edges, anywhere []machine.Edge, states []machine.Node) {
		for _, e := range edges {
			known[edge{id, e.From, e.To, e.On}] = true
		}
		for _, e := range anywhere {
			for _, n := range states {
				known[edge{id, n.State, e.To, e.On}] = true
			}
		}
	}
	for _, profile := range migration.Profiles() {
		line := migration.InfrastructureTable(profile)
		learn(line.ID, line.Edges, line.Anywhere, line.States)
		for _, leg := range profile.Legs {
			env := migration.EnvironmentTable(leg, migration.Rules{})
			learn(env.ID, env.Edges, env.Anywhere, env.States)
		}
	}
	line, env := rollback.InfrastructureTable(), rollback.EnvironmentTable()
	learn(line.ID, line.Edges, line.Anywhere, line.States)
	learn(env.ID, env.Edges, env.Anywhere, env.States)
	drawn, held := 0, 0
	for _, sc := range scenarios() {
		s := newStage(t, sc.profile)
		sc.run(s)
		for i, e := range s.report().Timeline() {
			if e.Kind == journal.Outcome {
				drawn++
				require.True(t, known[edge{e.Table, e.State, e.To, e.Trigger}], "%s: %+v", sc.name, e)
			}
			if e.Kind == journal.Held {
				held++
				require.Equal(t, s.entries()[i].Hold.Kind, e.Hold)
				continue
			}
			require.Empty(t, e.Hold)
		}
	}
	require.NotZero(t, drawn)
	require.NotZero(t, held)
}
