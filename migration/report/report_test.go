package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// forms renders a report in every form, by file ending.
func forms(t testing.TB, r *report.Report) map[string]string {
	t.Helper()
	all := map[string]string{}
	for ending, write := range map[string]func(*bytes.Buffer) error{
		"txt":  func(b *bytes.Buffer) error { return r.WriteText(b) },
		"md":   func(b *bytes.Buffer) error { return r.WriteMarkdown(b) },
		"json": func(b *bytes.Buffer) error { return r.WriteJSON(b) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		all[ending] = b.String()
	}
	return all
}

func TestScenarios(t *testing.T) {
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			s := newStage(t, sc.profile)
			sc.run(s)
			require.NoError(t, s.world.Err())
			r := s.report()
			rendered := forms(t, r)
			for _, ending := range []string{"txt", "md", "json"} {
				if ending == "txt" || sc.pinned {
					golden.Compare(t, "testdata/"+strings.ReplaceAll(sc.name, " ", "-")+"."+ending, []byte(rendered[ending]))
				}
			}
			require.Equal(t, sc.verdict, r.Verdict)
			require.Equal(t, sc.placement, r.Placement)
			if sc.hold == "" {
				require.Nil(t, r.Hold)
			} else {
				require.NotNil(t, r.Hold)
				require.Equal(t, sc.hold, r.Hold.Kind)
				require.NotEmpty(t, r.Hold.Verbs, "every hold says what ends it")
				require.NotEmpty(t, r.Next)
			}
			t.Run("a second reading gives the same bytes", func(t *testing.T) {
				require.Equal(t, rendered, forms(t, s.report()))
			})
			t.Run("no form shows an activation code or is wider than the screen", func(t *testing.T) {
				for ending, text := range rendered {
					require.NotContains(t, text, sourceCode, ending)
					require.NotContains(t, text, targetCode, ending)
				}
				for line := range strings.Lines(rendered["txt"]) {
					require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%s", line)
				}
			})
			t.Run("every environment that cannot go on says why and what ends it", func(t *testing.T) {
				for _, e := range r.Environments {
					if r.Hold == nil {
						require.Empty(t, e.Waits, "%s", e.Name)
					} else if e.Hold != nil || e.Need != nil {
						require.Contains(t, e.Waits, "resol", "%s", e.Name)
					}
				}
			})
		})
	}
}

// TestEveryPrefixHasAReport reads the journals of the pinned scenarios up to
// each of their entries: status may be asked at any time.
func TestEveryPrefixHasAReport(t *testing.T) {
	for _, sc := range scenarios() {
		if !sc.pinned {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			s := newStage(t, sc.profile)
			sc.run(s)
			entries := s.entries()
			for n := range entries {
				prefix := new(journal.Memory)
				require.NoError(t, prefix.Append(t.Context(), 0, entries[:n]...))
				r, err := report.New(s.plan, prefix.Read(t.Context()))
				require.NoError(t, err)
				switch r.Verdict {
				case report.Held, report.Mixed:
					require.NotNil(t, r.Hold, "after entry %d", n)
				case report.Completed, report.RolledBack:
					require.EqualValues(t, r.Verdict, r.State, "after entry %d: not before the infrastructure's last state", n)
					require.Nil(t, r.Hold, "after entry %d", n)
					require.Contains(t, []report.Placement{report.AllSource, report.AllTarget}, r.Placement, "after entry %d", n)
				default:
					require.Zero(t, n)
				}
				require.Len(t, r.Timeline(), n)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	for verdict, want := range map[report.Verdict]int{
		report.Completed: 0, report.RolledBack: 2, report.Held: 3, report.Mixed: 4, "": 1, "Nonsense": 1,
	} {
		require.Equal(t, want, verdict.ExitCode(), "%q", verdict)
	}
}

// TestSupportGotTheseWords compares the case of the report with the one that
// the support desk has.
func TestSupportGotTheseWords(t *testing.T) {
	compared := 0
	for _, sc := range scenarios() {
		t.Run(sc.name, func(t *testing.T) {
			s := newStage(t, sc.profile)
			sc.run(s)
			r, cases := s.report(), s.world.Cases()
			if len(cases) == 0 {
				if r.SupportCase != nil {
					require.Empty(t, r.SupportCase.Reference, "the case is not open")
				}
				return
			}
			compared++
			require.NotNil(t, r.SupportCase)
			last := cases[len(cases)-1]
			require.Equal(t, last.Subject, r.SupportCase.Subject)
			require.Equal(t, last.Body, r.SupportCase.Body)
			require.NotEmpty(t, r.SupportCase.Reference)
			require.Contains(t, r.SupportCase.Body, "Moving to a new Activation Code")
			var asked []string
			for _, q := range r.SupportCase.Questions {
				asked = append(asked, q.Environments...)
				require.NotEmpty(t, q.Step)
				require.Contains(t, r.SupportCase.Body, q.Step)
			}
			require.ElementsMatch(t, r.SupportCase.Environments, asked)
			for _, env := range r.SupportCase.Environments {
				require.Contains(t, r.SupportCase.Body, env)
			}
		})
	}
	require.Greater(t, compared, 5, "scenarios with a case")
}

func TestTwoMissingSerialNumbersAreOneCase(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.DropSerial(s.plan.Source, "Quality")
	s.world.DropSerial(s.plan.Source, "Development")
	s.apply(nil)
	r := s.report()
	require.Len(t, s.world.Cases(), 1)
	require.Equal(t, []string{"Quality", "Development"}, r.SupportCase.Environments)
	require.Equal(t, []report.Question{{FAQ: 1, Clause: "F1", Step: "migration step 2b", Condition: "serialNotFound", Environments: []string{"Quality", "Development"}}}, r.SupportCase.Questions)
	require.Equal(t, []string{"Quality", "Development"}, r.Hold.Environments)
}

func TestJSONHasTheFieldsOfTheDesign(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.ipp("Quality")
	s.apply(nil)
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(forms(t, s.report())["json"]), &fields))
	for _, name := range []string{"version", "run", "plan", "verdict", "hold", "environments", "findings", "supportCase", "clauses", "timeline"} {
		require.Contains(t, fields, name)
	}
	require.EqualValues(t, 1, fields["version"])
	require.Equal(t, s.plan.Digest(), fields["plan"])
	require.Len(t, fields["timeline"], len(s.entries()))
}

func TestAsWrittenSaysWhatTheTextLeavesOut(t *testing.T) {
	s := newStage(t, migration.AsWritten)
	s.apply(nil)
	r := s.report()
	require.Contains(t, r.Warnings[0], "never installs the license of the target activation code")
	for ending, text := range forms(t, r) {
		require.Contains(t, text, "never installs", ending)
	}
	for _, c := range r.Clauses {
		if c.ID == "proc.3" {
			require.Equal(t, report.NotDone, c.Status, "the infrastructure has not moved")
		}
	}
}

func TestJournalsThatAreNotOfThisPlanAreRefused(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.apply(nil)
	other := s.plan
	other.Module = "OtherModule"
	_, err := report.New(other, s.store.Read(t.Context()))
	require.ErrorIs(t, err, journal.ErrForeign)

	unknown := s.plan
	unknown.Profile = "nonsense"
	_, err = report.New(unknown, s.store.Read(t.Context()))
	require.ErrorContains(t, err, "profile")

	entries := s.entries()
	for i := range entries {
		if entries[i].Env == "Quality" && len(entries[i].Facts) > 0 {
			entries[i].Facts = json.RawMessage(`{"backups":7}`)
		}
	}
	_, err = report.New(s.plan, sequence(entries))
	require.ErrorIs(t, err, journal.ErrCorrupt)
	_, err = report.New(s.plan, sequence(entries[1:]))
	require.ErrorIs(t, err, journal.ErrCorrupt)
	_, err = report.New(s.plan, func(yield func(journal.Entry, error) bool) { yield(journal.Entry{}, errLost) })
	require.ErrorIs(t, err, errLost)
}

// sequence yields entries as a store does.
func sequence(entries []journal.Entry) func(yield func(journal.Entry, error) bool) {
	return func(yield func(journal.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// failing is a writer that takes nothing.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errLost }

func TestErrorsOfTheWriterAreReturned(t *testing.T) {
	r := newStage(t, migration.AsWritten).report()
	require.ErrorIs(t, r.WriteText(failing{}), errLost)
	require.ErrorIs(t, r.WriteMarkdown(failing{}), errLost)
	require.ErrorIs(t, r.WriteJSON(failing{}), errLost)
}

// TestTheMostImportantHoldIsTheOneOfTheRun lets two environments hold, for
// every pair of kinds.
func TestTheMostImportantHoldIsTheOneOfTheRun(t *testing.T) {
	kinds := []journal.HoldKind{ // the most important first
		"a kind of a later version", journal.HoldMixed, journal.HoldInDoubt, journal.HoldUnknown, journal.HoldSerial, journal.HoldForeign,
		journal.HoldOperator, journal.HoldSupport, journal.HoldApproval, journal.HoldUnavailable,
	}
	p := plan(t, migration.RefreshAndMove)
	for i, first := range kinds {
		for j, second := range kinds {
			held := func(seq uint64, env string, kind journal.HoldKind) []journal.Entry {
				return []journal.Entry{
					{Seq: seq, Epoch: 1, Kind: journal.Begun, Env: env, Table: "migration/refresh", Leg: "refresh", State: "Paused"},
					{Seq: seq + 1, Epoch: 1, Kind: journal.Held, Env: env, State: "Paused", Hold: &journal.Hold{Kind: kind, Cause: "a cause", Environments: []string{env}}},
				}
			}
			entries := []journal.Entry{{Seq: 1, Epoch: 1, Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "run", Plan: p.Digest()}}}
			entries = append(append(entries, held(2, "Quality", first)...), held(4, "Development", second)...)
			r, err := report.New(p, sequence(entries))
			require.NoError(t, err)
			require.Equal(t, kinds[min(i, j)], r.Hold.Kind)
			require.Equal(t, first == journal.HoldMixed || second == journal.HoldMixed, r.Verdict == report.Mixed)
			for _, e := range r.Environments {
				switch e.Name {
				case "Quality":
					require.Equal(t, first, e.Hold.Kind)
				case "Development":
					require.Equal(t, second, e.Hold.Kind)
				default:
					require.Nil(t, e.Hold, "%s", e.Name)
				}
			}
		}
	}
}

func TestACaseCannotEndItsFence(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.DropSerial(s.plan.Source, "Quality")
	s.apply(nil)
	r := s.report()
	r.SupportCase.Body = "before\n```\n<b>out</b> of it\n````\n<b>still</b>\n"
	markdown(t, forms(t, r)["md"])
}

func TestPlacementOfRunsThatWereKilled(t *testing.T) {
	for _, c := range []struct {
		name             string
		env, effect, leg string
		want             report.Placement
	}{
		{"before the survey nothing is known", "*", "survey", "", report.Unknown},
		{"the survey has read everything", "*", "pause", "", report.AllSource},
		{"a source license in place of a source license is no doubt", "Quality", "upload", "refresh", report.AllSource},
		{"a registration installs nothing", "Production", "registerSerial", "move", report.AllSource},
		{"the first target license may be installed", "Production", "upload", "move", report.Unknown},
		{"some are known to differ", "Quality", "upload", "move", report.MixedExpected},
		{"the last one may be the only one that differs", "LifeTime", "upload", "move", report.Unknown},
		{"a publish installs nothing", "LifeTime", "republish", "move", report.AllTarget},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t, migration.RefreshAndMove)
			s.cut(c.env, c.effect, c.leg)
			r := s.report()
			require.Equal(t, c.want, r.Placement)
			require.Equal(t, report.Held, r.Verdict)
		})
	}
	t.Run("a restore may have changed it", func(t *testing.T) {
		s := newStage(t, migration.RefreshAndMove)
		_, err := s.changeover().Apply(t.Context())
		require.NoError(t, err)
		_, err = s.changeover().RollBack(t.Context(), "Ada", "we changed our minds")
		require.NoError(t, err)
		s.keep("Production", "restore", "")
		r := s.report()
		require.Equal(t, report.Unknown, r.Placement)
		require.Equal(t, []string{"resume"}, r.Hold.Verbs, "it goes back already")
	})
}

func TestNobodyRollsBackToALicenseForAnotherServer(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.apply(nil, fault.Watch(func(op fault.Op) {
		if op.Method == "RegisterSerial" && op.Environment == "Production" {
			s.world.ChangeSerial("Quality", "ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ-ZZZ")
		}
	}))
	for _, e := range s.report().Environments {
		require.Equal(t, e.Name != "Quality", e.CanRollBack, "%s", e.Name)
		require.Equal(t, e.Name != "Quality", e.RollBackTo != "", "%s", e.Name)
		require.NotEmpty(t, e.Backup.Digests, "%s", e.Name)
	}
}

func TestThePausesAreAccountedFor(t *testing.T) {
	s := newStage(t, migration.RefreshAndMove)
	s.world.PauseByHand("Production")
	s.apply(nil)
	conditions := func(r *report.Report) (all []string) {
		for _, f := range r.Findings {
			all = append(all, f.Condition)
		}
		return all
	}
	require.Contains(t, conditions(s.report()), "foreignPause")

	s = newStage(t, migration.RefreshAndMove)
	s.world.SetIPP(s.plan.Source, "LifeTime", license.Protected)
	s.apply(nil)
	require.Contains(t, conditions(s.report()), "paused")
	require.NotContains(t, conditions(s.report()), "foreignPause")
}

func TestTheSentenceOfAnOpeningSaysWhatWasCut(t *testing.T) {
	e := journal.Entry{Seq: 1, Epoch: 1, Kind: journal.Opened, Opened: &journal.Opening{Run: "run", Verb: "resume", Procedure: "migration"}}
	require.NotContains(t, report.Sentence(e), "cut")
	e.Opened.Repaired = 17
	require.Contains(t, report.Sentence(e), "an unfinished last entry of 17 bytes was cut")
}
