package page

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

func TestThePageOfEveryEndingSaysWhatTheReportSays(t *testing.T) {
	words := map[report.Verdict]string{"": "Not begun", report.Completed: "Completed", report.RolledBack: "Rolled back", report.Held: "Held", report.Mixed: "Mixed"}
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			v := s.view(t)
			html := render(t, v)
			said := said(html)
			word := words[s.verdict]
			if v.Live {
				word = "Running"
			}
			require.Contains(t, said, word)
			r := v.Report
			if !v.Live {
				for _, next := range r.Next {
					require.Contains(t, said, next, "what to do")
				}
			}
			for _, e := range r.Environments {
				require.Contains(t, said, e.Name)
				for _, d := range e.Backup.Digests {
					require.Contains(t, said, string(d))
				}
				if e.Waits != "" && !v.Live {
					require.Contains(t, said, e.Waits)
				}
			}
			for _, f := range r.Findings {
				require.Contains(t, said, f.Text)
				require.Contains(t, said, f.Hint)
			}
			for _, c := range r.Clauses {
				require.Contains(t, said, c.Says)
			}
			for _, w := range r.Warnings {
				require.Contains(t, said, w)
			}
			if c := r.SupportCase; c != nil {
				require.Contains(t, said, squeeze(c.Body))
			}
			for _, e := range r.Timeline() {
				_, what, _ := strings.Cut(e.What, "  ")
				require.Contains(t, said, squeeze(what))
			}
			require.Contains(t, said, r.Plan)
			require.Contains(t, said, r.Run)
		})
	}
}

// said is the text of a page, as somebody reads it.
func said(html string) string {
	s := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`).ReplaceAllString(html, "")
	s = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&#43;", "+", "&amp;", "&").Replace(s)
	return squeeze(s)
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestAFileHoldsNoScriptAndNamesNoOtherPlace(t *testing.T) {
	for _, s := range scenes() {
		html := render(t, s.view(t))
		require.NotContains(t, html, "<script", s.name)
		tags := regexp.MustCompile(`="[^"]*"`).ReplaceAllString(html, "=")
		require.NotRegexp(t, `(?i)<[^>]*\s(on[a-z]+|style|src|action|srcset|poster)\s*=`, tags, s.name)
		require.NotRegexp(t, `(?i)url\((?:[^#])`, html, s.name)
		require.NotContains(t, html, "@import", s.name)
		for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(html, -1) {
			require.Regexp(t, `^(#[a-z]+|data:,)$`, m[1], s.name)
		}
	}
}

func TestNoActivationCodeIsShown(t *testing.T) {
	for _, s := range scenes() {
		v := s.view(t)
		html := render(t, v)
		for _, code := range []string{v.Plan.Source.Reveal(), v.Plan.Target.Reveal()} {
			require.NotContains(t, html, code, s.name)
			require.NotContains(t, html, code[:15], s.name)
		}
		require.Contains(t, html, v.Plan.Source.String(), "it is named by its mask")
	}
}

func TestThePageOfManyIsCutAndSaysWhatIsLeftOut(t *testing.T) {
	v := many(t)
	html := render(t, v)
	require.Less(t, len(html), 2<<20)
	text := said(html)
	require.Equal(t, mostLanes, strings.Count(html, `class="lane"`))
	require.Contains(t, text, "961 more environments are left out here", "1,000 and the infrastructure, of which 40 are shown")
	require.Contains(t, text, "more entries are left out here")
	require.LessOrEqual(t, strings.Count(html, `<span class="seq">`), mostEntries)
	require.Contains(t, text, "Of 1000 environments these 4 wait for somebody")
	require.Equal(t, 4, strings.Count(html, `<li class="card `))
	require.Equal(t, 1000+len(backedUp(v))+len(v.Report.Clauses), strings.Count(html, `<tr><th scope="row">`))
	for _, name := range []string{"Environment 070", "Environment 370", "Environment 670", "Environment 970"} {
		require.Contains(t, html, `<span class="name"><bdi>`+name, "what has something to tell has a lane")
	}
}

func backedUp(v View) (list []report.Environment) {
	for _, e := range v.Report.Environments {
		if len(e.Backup.Digests) > 0 {
			list = append(list, e)
		}
	}
	list, _ = most(list, mostBackups)
	return list
}

func TestWriteReturnsWhatIsWrong(t *testing.T) {
	require.Error(t, Write(io.Discard, View{}), "there is no report")
	full := errors.New("the disk is full")
	err := Write(iotest.TruncateWriter(io.Discard, 0), find(t, "nothing has begun"))
	require.NoError(t, err)
	require.ErrorIs(t, Write(failing{full}, find(t, "nothing has begun")), full)
	var b strings.Builder
	v := find(t, "nothing has begun")
	v.Plan = migration.Plan{Profile: "unknown"} // nothing can be drawn, the rest is shown
	require.NoError(t, Write(&b, v))
	require.NotContains(t, b.String(), "<figure>")
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestTheSameReportGivesTheSamePage(t *testing.T) {
	v := find(t, "mixed")
	first := render(t, v)
	for range 5 {
		require.Equal(t, first, render(t, v))
	}
}
