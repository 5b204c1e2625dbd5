package report_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/environment/machine"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
	"github.com/changeover-go/changeover/rollback"
)

// sentences is how many sentences the written procedure has in each place,
// counted by hand: an introduction to a list is one sentence, and so is each
// item that says something of its own.
var sentences = []struct {
	ref string
	n   int
}{
	{"summary", 1},
	{"introduction", 5},
	{"scenario", 5},
	{"important box", 4},
	{"migration, before step 1", 3},
	{"migration step 1", 1},
	{"migration step 2", 2},
	{"migration step 2a", 1},
	{"migration step 2b", 2},
	{"migration step 2c", 2},
	{"migration step 2d", 3},
	{"migration step 2e", 1},
	{"box before migration step 3", 1},
	{"migration step 3", 3},
	{"rollback step 1", 2},
	{"rollback step 2", 1},
	{"rollback step 2a", 2},
	{"rollback step 2b", 1},
	{"rollback step 2c", 3},
	{"rollback step 3", 1},
	{"something unexpected", 1},
	{"question 1", 3},
	{"question 2", 3},
	{"question 3", 3},
}

func TestEverySentenceHasAClause(t *testing.T) {
	clauses := report.Clauses()
	for _, s := range sentences {
		require.NotEmpty(t, clauses, "%s", s.ref)
		for n := range s.n {
			require.Equal(t, s.ref, clauses[0].Ref, "sentence %d", n+1)
			clauses = clauses[1:]
		}
	}
	require.NotEmpty(t, clauses)
	for _, c := range clauses {
		require.Equal(t, "not in the text", c.Ref, "%s is a sentence too many", c.ID)
		require.Equal(t, report.Gap, c.Kind, "%s", c.ID)
	}
}

func TestClausesAreWellFormed(t *testing.T) {
	ids := map[string]bool{}
	for _, c := range report.Clauses() {
		require.False(t, ids[c.ID], "%s stands twice", c.ID)
		ids[c.ID] = true
		require.NotEmpty(t, c.Says, "%s", c.ID)
		require.Contains(t, []report.ClauseKind{report.ByState, report.ByGuard, report.ByEffect, report.ByPolicy, report.Gap}, c.Kind, "%s", c.ID)
		require.Equal(t, c.Kind == report.Gap, c.Why != "", "%s: a gap has a reason, and nothing else has", c.ID)
		if c.Kind != report.Gap {
			require.NotEmpty(t, c.Names, "%s", c.ID)
		}
		require.Empty(t, c.Status)
		require.Empty(t, c.Evidence)
	}
	for _, effect := range []string{"pause", "fetchLicense", "backUp", "upload", "verify", "republish", "restore", "confirm", "testRestored"} {
		step := steps.StepOf(effect)
		require.True(t, slices.ContainsFunc(report.Clauses(), func(c report.Clause) bool { return c.Ref == step }), "no clause is of %s", step)
	}
}

// names collects what clauses may refer to, by kind.
type names map[report.ClauseKind]map[string]bool

func (n names) add(kind report.ClauseKind, name string) {
	if n[kind] == nil {
		n[kind] = map[string]bool{}
	}
	n[kind][name] = true
}

func collect[F any](n names, t machine.Table[F]) {
	for _, s := range t.States {
		n.add(report.ByState, string(s.State))
	}
	for _, g := range t.Guards {
		n.add(report.ByGuard, string(g.Name))
	}
	for _, e := range t.Effects {
		n.add(report.ByEffect, string(e.Name))
	}
}

// TestClausesNameWhatExists holds every name against the tables, the profiles
// and what the checks of a plan find.
func TestClausesNameWhatExists(t *testing.T) {
	have := names{}
	collect(have, rollback.EnvironmentTable())
	collect(have, rollback.InfrastructureTable())
	for _, p := range migration.Profiles() {
		have.add(report.ByPolicy, p.Name)
		collect(have, migration.InfrastructureTable(p))
		for _, leg := range p.Legs {
			collect(have, migration.EnvironmentTable(leg, migration.Rules{Accept: []license.IPP{license.Ignore}, MinCopies: 1}))
			for _, s := range leg.Stages {
				have.add(report.ByPolicy, string(s.Policy))
			}
		}
	}
	for _, f := range slices.Concat(badPlans(t), badInventory(t)) {
		have.add(report.ByPolicy, f.Code)
	}
	for _, c := range report.Clauses() {
		for i, name := range c.Names {
			var kinds []report.ClauseKind
			for kind := range have {
				if have[kind][name] {
					kinds = append(kinds, kind)
				}
			}
			require.NotEmpty(t, kinds, "%s names %s, which does not exist", c.ID, name)
			if i == 0 && c.Kind != report.Gap {
				require.Contains(t, kinds, c.Kind, "%s is kept by a %s, but %s is none", c.ID, c.Kind, name)
			}
		}
	}
}

// badPlans returns what is found in plans that are wrong in many ways.
func badPlans(t *testing.T) environment.Findings {
	p := plan(t, migration.RefreshAndMove)
	none := migration.Plan{}
	same := p
	same.Target = same.Source
	envs := p.Infrastructure.Environments
	twice := p
	twice.Infrastructure.Environments = append(slices.Clone(envs), envs[0], envs[3])
	many := p
	for n := range environment.MaxEnvironments + 1 {
		many.Infrastructure.Environments = append(slices.Clip(many.Infrastructure.Environments), environment.Environment{Name: fmt.Sprint("E", n)})
	}
	other := p
	other.Order, other.Pause = []string{"LifeTime", "Quality", "Development", "Production"}, []string{"Quality"}
	other.Accept = nil
	noLifeTime := p
	noLifeTime.Infrastructure.Environments = envs[:3]
	var found environment.Findings
	for _, p := range []migration.Plan{none, same, twice, many, other, noLifeTime} {
		found = append(found, p.Validate()...)
	}
	return found
}

// badInventory returns what is found when LifeTime lists something else.
func badInventory(t *testing.T) environment.Findings {
	inf := plan(t, migration.RefreshAndMove).Infrastructure
	return inf.CheckRegistered([]environment.Registered{{Name: "Stranger", Address: "stranger.example.test"}})
}

// TestClausesOfARun pins which clauses a run has done; the rest of what they
// say is in the golden files.
func TestClausesOfARun(t *testing.T) {
	of := func(run func(*stage), profile string) map[string]report.Clause {
		s := newStage(t, profile)
		run(s)
		found := map[string]report.Clause{}
		last := uint64(len(s.entries()))
		for _, c := range s.report().Clauses {
			found[c.ID] = c
			require.NotEmpty(t, c.Status, "%s", c.ID)
			require.True(t, slices.IsSorted(c.Evidence), "%s", c.ID)
			for _, n := range c.Evidence {
				require.LessOrEqual(t, n, last, "%s", c.ID)
			}
			if c.Status == report.Done {
				require.NotEmpty(t, c.Evidence, "%s is done, but nothing shows it", c.ID)
			}
			require.Equal(t, c.Kind == report.Gap, c.Status == report.IsGap, "%s", c.ID)
		}
		return found
	}
	expect := func(t *testing.T, have map[string]report.Clause, status report.ClauseStatus, ids string) {
		t.Helper()
		for id := range strings.FieldsSeq(ids) {
			require.Contains(t, have, id)
			require.Equal(t, status, have[id].Status, "%s", id)
		}
	}
	apply := func(s *stage) { s.apply(nil) }
	t.Run("a completed run has done everything but the rollback and the questions", func(t *testing.T) {
		have := of(apply, migration.RefreshAndMove)
		expect(t, have, report.Done, "pre.2a imp.1b proc.3 M1 M2 M2.2 M2.a M2.b M2.b.2 M2.c M2.d M2.e M3 M3.3")
		expect(t, have, report.NotApplicable, "M2.d.3 M2.box R1 R2 R2.c R3 U1 F1 F2 F3")
		expect(t, have, report.IsGap, "proc.1 G1 G2 G3 G4 G5 G6")
		require.Len(t, have["M3"].Evidence, 8, "every environment, in two legs")
	})
	t.Run("as published, nothing is refreshed", func(t *testing.T) {
		have := of(apply, migration.Published)
		expect(t, have, report.Done, "M1 M2.a M2.b M2.b.2 M3 proc.3")
		expect(t, have, report.NotApplicable, "M2 M2.c M2.d M2.e")
	})
	t.Run("as written, nothing moves", func(t *testing.T) {
		have := of(apply, migration.AsWritten)
		expect(t, have, report.Done, "M1 M2 M3 int.3")
		expect(t, have, report.NotDone, "proc.3")
		require.Empty(t, have["G1"].Evidence)
	})
	t.Run("an intellectual property error leads through the rollback", func(t *testing.T) {
		have := of(func(s *stage) { s.ipp("Quality"); s.apply(nil) }, migration.RefreshAndMove)
		expect(t, have, report.Done, "M2.box R1 R1.2 R2 R2.a R2.b R2.c R2.c.3 R3 U1 int.5")
		expect(t, have, report.NotDone, "proc.3 int.3")
	})
	t.Run("a mixed infrastructure has not done the rollback", func(t *testing.T) {
		have := of(func(s *stage) {
			s.ipp("Development")
			s.world.RefuseReturn("Quality", "no")
			s.apply(nil)
		}, migration.RefreshAndMove)
		expect(t, have, report.Done, "M2.box R1")
		expect(t, have, report.NotDone, "R2 R2.a R2.b R2.c R3")
	})
	t.Run("the first question asks once, with the whole list", func(t *testing.T) {
		have := of(func(s *stage) { s.world.DropSerial(s.plan.Source, "Quality"); s.apply(nil) }, migration.RefreshAndMove)
		expect(t, have, report.Done, "F1 F1.2 F1.3 U1")
		expect(t, have, report.NotApplicable, "F2 F3 R1 M2.d.3")
		expect(t, have, report.NotDone, "M2 M2.b M2.c M3")
	})
	t.Run("the second question too", func(t *testing.T) {
		have := of(func(s *stage) { s.world.SetIPP(s.plan.Source, "Quality", license.Protected); s.apply(nil) }, migration.RefreshAndMove)
		expect(t, have, report.Done, "F2 F2.2 F2.3 U1 M2.d.3 M2.c")
		expect(t, have, report.NotDone, "M2.d M2.e M3")
	})
	t.Run("the third question fetches every license of the target code again", func(t *testing.T) {
		ask := func(s *stage) { s.world.SetIPP(s.plan.Target, "Quality", license.Ignore); s.apply(nil) }
		have := of(ask, migration.RefreshAndMove)
		expect(t, have, report.Done, "F3 F3.2")
		expect(t, have, report.NotDone, "F3.3")
		resolve := func(s *stage) {
			ask(s)
			s.world.Reissue(s.plan.Target, license.Unprotected)
			require.NoError(t, s.changeover().Resolve(t.Context(), "Quality", migration.Resolution{By: "Ada", Evidence: "Support has corrected it"}))
		}
		have = of(resolve, migration.RefreshAndMove)
		expect(t, have, report.NotDone, "F3.3")
		have = of(func(s *stage) {
			resolve(s)
			r, err := s.changeover().Resume(t.Context())
			require.NoError(t, err)
			require.Equal(t, report.Completed, r.Verdict)
		}, migration.RefreshAndMove)
		expect(t, have, report.Done, "F3 F3.2 F3.3 proc.3")
	})
	t.Run("another order is seen", func(t *testing.T) {
		have := of(func(s *stage) {
			s.plan.Order = []string{"Development", "Quality", "Production", "LifeTime"}
			s.apply(nil)
		}, migration.RefreshAndMove)
		expect(t, have, report.NotDone, "M2.2")
	})
}

// TestClausesPage keeps docs/clauses.md the same as Clauses.
func TestClausesPage(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.WriteClauses(&b))
	golden.Compare(t, "../../docs/clauses.md", b.Bytes())
}
