package report_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// TestRunbookPage keeps docs/runbook.md what WriteRunbook makes of the plan of
// examples/quickstart.
func TestRunbookPage(t *testing.T) {
	f, err := os.Open("../../examples/quickstart/plan.json")
	require.NoError(t, err)
	p, err := migration.ReadPlan(f)
	require.NoError(t, errors.Join(err, f.Close()))
	golden.Compare(t, "../../docs/runbook.md", []byte(runbook(t, p)))
}

func runbook(t testing.TB, p migration.Plan) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, report.WriteRunbook(&b, p))
	return b.String()
}

// A box is a step of a runbook, as a program reads it.
type box struct {
	env, effect, title, clause string
	clicks, goOn, otherwise    []string
	noted                      bool
	part                       int // of the runbook, from 1
	number, wantNumber         int
}

var (
	boxLine   = regexp.MustCompile(`^- \[ \] \*\*(\d+)\. (.*?)(?: \(([^()]*), clause ([\w.]+)\))?\*\* <!-- (\w+) -->$`)
	clickLine = regexp.MustCompile(`^  \d+\. (.+)$`)
	underLine = regexp.MustCompile(`^    - (.+)$`)
)

// boxes reads a runbook.
func boxes(t testing.TB, p migration.Plan, text string) []box {
	t.Helper()
	var all []box
	part := 0
	under := ""
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if strings.HasPrefix(l, "## ") {
			part++
		}
		if m := boxLine.FindStringSubmatch(l); m != nil {
			b := box{title: m[2], clause: m[4], effect: m[5], part: part, env: journal.Infrastructure, wantNumber: len(all) + 1}
			_, err := fmt.Sscan(m[1], &b.number)
			require.NoError(t, err)
			for _, e := range p.Infrastructure.Environments {
				if strings.HasPrefix(b.title, e.Name+": ") {
					b.env = e.Name
				}
			}
			all, under = append(all, b), ""
			continue
		}
		if len(all) == 0 {
			continue
		}
		b := &all[len(all)-1]
		switch {
		case clickLine.MatchString(l):
			b.clicks = append(b.clicks, clickLine.FindStringSubmatch(l)[1])
		case l == "  - Go on when:", l == "  - Otherwise:":
			under = strings.Trim(l, " -:")
		case under == "Go on when" && underLine.MatchString(l):
			b.goOn = append(b.goOn, underLine.FindStringSubmatch(l)[1])
		case under == "Otherwise" && underLine.MatchString(l):
			b.otherwise = append(b.otherwise, underLine.FindStringSubmatch(l)[1])
		case strings.HasPrefix(l, "  - Who, when, what was seen: ...."):
			b.noted = true
		}
	}
	return all
}

// A turn is an effect in an environment.
type turn struct{ env, effect string }

// turns returns what a runbook has people do, as a run does it: an effect of
// the infrastructure is one, in however many boxes.
func turns(p migration.Plan, all []box, part int) []turn {
	line := map[string]bool{}
	profile, _ := migration.FindProfile(p.Profile)
	for _, e := range slices.Concat(migration.InfrastructureTable(profile).Effects, rollback.InfrastructureTable().Effects) {
		line[string(e.Name)] = true
	}
	var out []turn
	for _, b := range all {
		next := turn{b.env, b.effect}
		if line[b.effect] {
			next.env = journal.Infrastructure
		}
		if b.part == part && !slices.Contains(out[max(len(out)-1, 0):], next) {
			out = append(out, next)
		}
	}
	return out
}

// begun returns the effects that a run has begun, but those that only take the
// environments through a stage.
func begun(t testing.TB, s *stage, procedure string) []turn {
	profile, _ := migration.FindProfile(s.plan.Profile)
	stages := []string{"restoreLicenses"}
	for _, leg := range profile.Legs {
		for _, st := range leg.Stages {
			stages = append(stages, string(st.Effect))
		}
	}
	var out []turn
	for e, err := range s.store.Read(t.Context()) {
		require.NoError(t, err)
		if e.Kind == journal.Intent && e.Attempt == 1 && strings.HasPrefix(e.Table, procedure) && !slices.Contains(stages, e.Effect) {
			out = append(out, turn{e.Env, e.Effect})
		}
	}
	return out
}

func TestARunbookIsInTheOrderOfARun(t *testing.T) {
	for _, profile := range migration.Profiles() {
		for _, first := range [][]string{nil, {"Development"}, {"LifeTime", "Quality"}} {
			t.Run(fmt.Sprintf("%s, canaries %v", profile.Name, first), func(t *testing.T) {
				s := newStage(t, profile.Name)
				s.plan.First = first
				s.plan.MaxInFlight = map[string]int{}
				for _, leg := range profile.Legs {
					s.plan.MaxInFlight[leg.Name] = 1
				}
				text := runbook(t, s.plan)
				all := boxes(t, s.plan, text)
				s.apply(nil)
				require.Equal(t, begun(t, s, "migration/"), turns(s.plan, all, 1))
				for _, q := range s.world.Questions() {
					require.Contains(t, text, strings.NewReplacer("*", `\*`, "#", `\#`).Replace(q.Text), "what a run asks, the runbook asks")
				}
				_, err := s.changeover().RollBack(t.Context(), "Ada", "as agreed")
				require.NoError(t, err)
				back, want := begun(t, s, "rollback/"), turns(s.plan, all, 3)
				if profile.Name == migration.AsWritten { // nothing was moved, so nothing is put back
					want = slices.DeleteFunc(want, func(x turn) bool { return x.effect == "confirm" || x.effect == "testRestored" })
				}
				// The way back takes all environments at once: each in its order.
				for _, env := range append([]string{journal.Infrastructure}, s.plan.Effective().Order...) {
					of := func(list []turn) (out []string) {
						for _, x := range list {
							if x.env == env {
								out = append(out, x.effect)
							}
						}
						return out
					}
					require.NotEmpty(t, of(want), env)
					require.Equal(t, of(back), of(want), env)
				}
			})
		}
	}
}

func TestEveryBoxOfARunbookIsComplete(t *testing.T) {
	var docs []string
	keep := func(effects []machine.Effect) {
		for _, e := range effects {
			docs = append(docs, e.Doc)
		}
	}
	refs := map[string]bool{"": true}
	for _, c := range report.Clauses() {
		refs[c.ID] = true
	}
	for _, profile := range migration.Profiles() {
		p := plan(t, profile.Name)
		keep(migration.InfrastructureTable(profile).Effects)
		for _, leg := range profile.Legs {
			keep(migration.EnvironmentTable(leg, p.Rules(leg)).Effects)
		}
	}
	keep(rollback.EnvironmentTable().Effects)
	keep(rollback.InfrastructureTable().Effects)
	for _, profile := range migration.Profiles() {
		p := plan(t, profile.Name)
		for _, b := range boxes(t, p, runbook(t, p)) {
			t.Run(fmt.Sprintf("%s, box %d: %s", profile.Name, b.number, b.title), func(t *testing.T) {
				require.Equal(t, b.wantNumber, b.number)
				require.NotEmpty(t, b.clicks)
				for _, click := range b.clicks {
					require.NotContains(t, docs, click, "these are no clicks")
					require.NotContains(t, click, "box 0", "it refers to no box")
				}
				require.NotEmpty(t, b.goOn)
				require.True(t, b.noted)
				require.True(t, refs[b.clause], b.clause)
				if b.effect != "survey" && b.effect != "attestModules" { // no sentence of the text asks for these
					require.NotEmpty(t, b.clause)
				}
			})
		}
	}
}

// Every way out of a state but the one hoped for is under Otherwise, and says
// what to do.
func TestARunbookSaysWhatToDoOtherwise(t *testing.T) {
	other := func(edges []machine.Edge, effects []machine.Node, effect string) (n int) {
		for _, node := range effects {
			if string(node.Do) != effect {
				continue
			}
			for _, e := range edges {
				if e.From == node.State {
					n++
				}
			}
		}
		return n - 1 // one leads on
	}
	for _, profile := range migration.Profiles() {
		p := plan(t, profile.Name)
		leg, legs := 0, profile.Legs
		seen := map[string]bool{}
		for _, b := range boxes(t, p, runbook(t, p)) {
			if b.effect == "openGate" {
				leg++
			}
			table := rollback.EnvironmentTable()
			if b.part == 1 {
				table = migration.EnvironmentTable(legs[min(leg, len(legs)-1)], p.Rules(legs[min(leg, len(legs)-1)]))
			}
			if !slices.ContainsFunc(table.Effects, func(e machine.Effect) bool { return string(e.Name) == b.effect }) {
				require.Len(t, b.otherwise, 1, b.title)
				continue
			}
			seen[b.effect] = true
			require.Len(t, b.otherwise, other(table.Edges, table.States, b.effect), "%s: %s: %q", profile.Name, b.title, b.otherwise)
			for _, o := range b.otherwise {
				require.Regexp(t, `^\S.+: .+\.$`, o)
				require.NotContains(t, o, "It ends with", "a trigger that nobody has explained")
			}
		}
		require.True(t, seen["restore"] && seen["fetchLicense"])
	}
}

func TestARunbookShowsNoSecretAndCannotBecomeMarkup(t *testing.T) {
	p := plan(t, migration.RefreshAndMove)
	const evil = "<img src=x onerror=alert(1)> [a](https://evil.test) `b` | *c* _d_ # $e$ @ada www.evil.test"
	for i := range p.Infrastructure.Environments {
		p.Infrastructure.Environments[i].Name = fmt.Sprintf("%d %s", i, evil)
	}
	p.Infrastructure.Name, p.Module = evil+sourceCode, evil+targetCode
	p.Infrastructure.Environments[0].ServiceCenter += "/" + targetCode
	p.Infrastructure.Environments[1].Serial = sourceCode // pasted into the wrong line
	text := runbook(t, p)
	for _, secret := range []string{sourceCode, targetCode} {
		require.NotContains(t, text, secret)
	}
	for _, bad := range []string{`<img`, `[^\\]\[a`, `[^\\]\]\(`, "[^\\\\]`", `[^\\*]\*[^*\\]`, `[^\\]_d`, `[^\\]\$e`, `@ada`, `https://evil`, `www\.evil`} {
		require.NotRegexp(t, bad, text)
	}
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, "|") {
			require.Equal(t, 6, strings.Count(strings.ReplaceAll(l, `\|`, ""), "|"), l)
		}
	}
	require.Contains(t, text, "https://quality.example.test/ServiceCenter", "an address of the plan can be read")
}

func TestARunbookOfAPlanWithMistakesIsRefused(t *testing.T) {
	p := plan(t, migration.RefreshAndMove)
	p.Module, p.Infrastructure.Environments[1].Serial = "", ""
	var b strings.Builder
	err := report.WriteRunbook(&b, p)
	require.ErrorContains(t, err, "module")
	require.ErrorContains(t, err, "serial")
	require.Equal(t, p.Validate().Err().Error(), err.Error())
	require.Empty(t, b.String())
	_, is := errors.AsType[environment.Finding](err)
	require.True(t, is)
}

func TestARunbookReturnsTheErrorOfTheWriter(t *testing.T) {
	full := errors.New("the disk is full")
	require.ErrorIs(t, report.WriteRunbook(writerFunc(func([]byte) (int, error) { return 0, full }), plan(t, migration.Published)), full)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

var _ io.Writer = writerFunc(nil)
