package report_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// hostile returns a plan and a journal in which text follows every string that
// a report could show: names, facts, holds. It changes the entries.
func hostile(t testing.TB, p migration.Plan, entries []journal.Entry, text string) migration.Plan {
	t.Helper()
	add := func(at *string) {
		if *at != "" && *at != journal.Infrastructure {
			*at += text
		}
	}
	p.Infrastructure.Name += text
	p.Infrastructure.Environments = slices.Clone(p.Infrastructure.Environments)
	for i := range p.Infrastructure.Environments {
		e := &p.Infrastructure.Environments[i]
		add(&e.Name)
		serial := string(e.Serial)
		add(&serial)
		e.Serial = license.SerialNumber(serial)
		if e.Kind == environment.Quality { // the others decide who is paused
			e.Kind += environment.Kind(text)
		}
	}
	digest := p.Digest()
	for i := range entries {
		e := &entries[i]
		for _, at := range []*string{&e.Env, &e.Leg, &e.Effect, &e.ID, &e.Condition, &e.Text, &e.By} {
			add(at)
		}
		if e.Hold != nil {
			for _, at := range []*string{&e.Hold.Cause, &e.Hold.Effect, &e.Hold.Holder, &e.Hold.Hint} {
				add(at)
			}
			for i := range e.Hold.Environments {
				add(&e.Hold.Environments[i])
			}
			for i := range e.Hold.Verbs {
				add(&e.Hold.Verbs[i])
			}
		}
		for i := range e.Testimony {
			add(&e.Testimony[i].By)
			add(&e.Testimony[i].Text)
		}
		if e.Opened != nil {
			e.Opened.Plan = digest
			for _, at := range []*string{&e.Opened.Run, &e.Opened.Procedure, &e.Opened.Definition, &e.Opened.Verb, &e.Opened.Host, &e.Opened.User} {
				add(at)
			}
		}
		if len(e.Facts) > 0 {
			var facts any
			require.NoError(t, json.Unmarshal(e.Facts, &facts))
			var err error
			e.Facts, err = json.Marshal(follow(facts, text))
			require.NoError(t, err)
		}
	}
	return p
}

// follow puts text behind every string of facts, but for times, which would
// not be read, and roles, which decide what is shown at all.
func follow(v any, text string) any {
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil || v == "" || v == "source" || v == "target" || v == journal.Infrastructure {
			return v
		}
		return v + text
	case []any:
		for i := range v {
			v[i] = follow(v[i], text)
		}
	case map[string]any:
		for name := range v { // each on its own: the order does not show
			v[name] = follow(v[name], text)
		}
	}
	return v
}

var rawCode = regexp.MustCompile("(?i)" + regexp.QuoteMeta(sourceCode) + "|" + regexp.QuoteMeta(targetCode))

// harmless requires that no form of the report lets text through raw.
func harmless(t testing.TB, r *report.Report) {
	t.Helper()
	for ending, text := range forms(t, r) {
		require.True(t, utf8.ValidString(text), ending)
		require.NotRegexp(t, rawCode, text, ending)
		for _, c := range text {
			if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029') {
				require.Fail(t, "a raw character", "%s has %U", ending, c)
			}
		}
		switch ending {
		case "txt":
			for line := range strings.Lines(text) {
				require.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%s", line)
			}
		case "md":
			markdown(t, text)
		case "json":
			var read map[string]any
			require.NoError(t, json.Unmarshal([]byte(text), &read))
		}
	}
	text, rows := table(t, r)
	require.NotRegexp(t, rawCode, text)
	for _, row := range rows {
		for _, cell := range row {
			require.False(t, strings.ContainsFunc(cell, unicode.IsControl), "%q", cell)
			require.NotRegexp(t, formula, cell)
		}
	}
}

var (
	unescaped = regexp.MustCompile("(^|[^\\\\])(\\\\\\\\)*[|`*_\\[\\]#]")
	entity    = regexp.MustCompile(`&(#\d+|amp|lt|gt);`)
	bar       = regexp.MustCompile(`\\*\|`)
	barAfter  = regexp.MustCompile(`((?:^|[^\\])(?:\\\\)*)\|`)
	fence     = regexp.MustCompile("^```+")
)

// markdown requires that only the report's own markup is markup: the cells of
// each row of a table are as many as its titles, and nothing else stands
// unescaped.
func markdown(t testing.TB, text string) {
	t.Helper()
	open, columns := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if f := fence.FindString(line); open == "" && f != "" {
			open = f
			continue
		}
		if open != "" {
			if line == open {
				open = ""
			}
			continue
		}
		require.NotContains(t, line, "<")
		require.NotContains(t, line, "://")
		require.NotContains(t, line, "@")
		line = entity.ReplaceAllString(line, "")
		if cells, row := strings.CutPrefix(line, "|"); row {
			if strings.Trim(cells, "-|") == "" {
				continue
			}
			require.True(t, strings.HasSuffix(cells, " |"), "%s", line)
			bars := 0
			for _, m := range bar.FindAllString(cells, -1) {
				if strings.Count(m, `\`)%2 == 0 {
					bars++
				}
			}
			if columns == 0 {
				columns = bars
			}
			require.Equal(t, columns, bars, "%s", line)
			cells = barAfter.ReplaceAllString(cells, "$1 ")
			require.NotRegexp(t, unescaped, cells)
			continue
		}
		columns = 0
		line = strings.TrimLeft(line, "#")
		require.NotRegexp(t, unescaped, line)
	}
	require.Empty(t, open, "the fence is closed")
}

// attacks are texts that did harm somewhere.
func attacks() []string {
	return []string{
		"", "\x1b[2J\x1b[31mred", "line\nbreak\r\ttab", "\u202egnp.exe", "\u200b\u2060\ufeff", "\xff\xfe", "| a | b |", "<script>alert(1)</script>",
		"<!-- ", "```", "\n```\nout of the fence", "````````", "[click](https://evil.example)", "![x](http://evil.example/x.png)", "@everyone #1 ~~no~~ $x$",
		"\\", "\\|", "\\\\|", "&lt;b&gt;", "\u2028\u2029\u0085", "\x00", "% s%n%d", "{{.}}", sourceCode, strings.ToLower(targetCode), "x" + sourceCode + targetCode + "x",
		strings.Repeat("é\u0301", 300), strings.Repeat("wide ", 200), strings.Repeat("x", 5000), "\U000e0041\U0001f600", "www.evil.example https://evil.example",
	}
}

// holdAgainst requires that a report of the journal, in every form, lets text through
// only harmless.
func holdAgainst(t testing.TB, p migration.Plan, entries []journal.Entry, text string) {
	t.Helper()
	p = hostile(t, p, entries, text)
	r, err := report.New(p, sequence(entries))
	require.NoError(t, err)
	harmless(t, r)
	for _, e := range entries {
		line := report.Sentence(e)
		require.False(t, rawCode.MatchString(line), "%s", line)
		require.False(t, strings.ContainsFunc(line, unicode.IsControl), "%q", line)
	}
}

// TestHostileTextOfARealRun does with the journal of a whole run, there and
// back, what FuzzHostileText does with a short one.
func TestHostileTextOfARealRun(t *testing.T) {
	for _, sc := range scenarios() {
		if sc.name == "mixed" {
			s := newStage(t, sc.profile)
			sc.run(s)
			for _, text := range attacks() {
				holdAgainst(t, s.plan, s.entries(), text)
			}
			return
		}
	}
	require.Fail(t, "there is no such scenario")
}

// everything is a short journal with an entry of every kind, and facts of every
// kind.
func everything(t testing.TB, p migration.Plan) []journal.Entry {
	t.Helper()
	encode := func(facts any) json.RawMessage {
		raw, err := json.Marshal(facts)
		require.NoError(t, err)
		return raw
	}
	at := time.Date(2026, time.January, 5, 8, 0, 0, 0, time.UTC)
	serial := p.Infrastructure.Environments[1].Serial
	facts := environment.Facts{
		Fetched:    environment.Fetched{Digest: "0123", Lacks: []string{"a lack"}, Attested: true},
		Backups:    []environment.Backup{{Digest: "0123", Role: license.Source, Serial: serial, Copies: 1, Proven: true, Origin: environment.OriginPortal}},
		Reading:    environment.Reading{Role: license.Source, Code: "a code", Server: serial, Serial: serial, IPP: license.Ignore, Type: "a type", At: at},
		TargetSent: true,
		Need:       environment.Need{Condition: "rejected", Step: "upload", Text: "a need"},
		Notes:      []environment.Note{{Name: "installedBackup", Value: "a note"}},
	}
	line := environment.Line{
		Pause: environment.Pause{Seen: true, Ours: []string{"Production"}}, Override: environment.Approval{Given: true, By: "Ada", Text: "an override"},
		Latch: environment.Latch{Condition: "intellectualProperty", Environment: "Production", Step: "republish", Text: "a latch"}, Case: "a case",
	}
	table := migration.InfrastructureTable(mustProfile(t, p.Profile)).ID
	entries := []journal.Entry{
		{Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "a run", Plan: p.Digest(), Procedure: "a procedure", Verb: "a verb", User: "Ada", Host: "a host"}},
		{Kind: journal.Begun, Env: journal.Infrastructure, Table: table, State: "Planned", Facts: encode(line)},
		{Kind: journal.Outcome, Env: journal.Infrastructure, Table: table, State: "Planned", Trigger: "paused", To: "CaseOpen", Text: "a text", By: "Ada"},
		{Kind: journal.Held, Env: journal.Infrastructure, Table: table, State: "CaseOpen", Hold: &journal.Hold{Kind: journal.HoldOperator, Cause: "a cause", Holder: "Ada", Hint: "a hint", Verbs: []string{"release"}}},
	}
	for _, env := range p.Effective().Order {
		in := journal.Entry{Env: env, Table: "migration/refresh", Leg: "refresh", State: "Paused", Effect: "fetchLicense", ID: "an id", Attempt: 2}
		add := func(kind journal.Kind, change func(*journal.Entry)) {
			e := in
			e.Kind = kind
			if change != nil {
				change(&e)
			}
			entries = append(entries, e)
		}
		add(journal.Begun, func(e *journal.Entry) { e.Facts = encode(facts) })
		add(journal.Intent, nil)
		add(journal.Doubt, func(e *journal.Entry) { e.Text = "a doubt" })
		add(journal.Failed, func(e *journal.Entry) { e.Condition, e.Text = "a condition", "a failure" })
		add(journal.Noted, func(e *journal.Entry) { e.Text = "a note" })
		switch env {
		case "Quality":
			add(journal.Held, func(e *journal.Entry) {
				e.Condition, e.Hold = "permission", &journal.Hold{Kind: journal.HoldSupport, Cause: "a cause", Effect: "upload", Environments: []string{env}}
			})
		case "Development":
			add(journal.Held, func(e *journal.Entry) { e.Hold = &journal.Hold{Kind: journal.HoldInDoubt, Cause: "a cause"} })
			add(journal.Released, func(e *journal.Entry) { e.By, e.Text = "Ada", "a reason" })
		default:
			add(journal.Outcome, func(e *journal.Entry) {
				e.Trigger, e.To, e.Testimony = "serialNotFound", "NeedsSupport", []journal.Testimony{{By: "Ada", Text: "a testimony"}}
			})
		}
	}
	for i := range entries {
		entries[i].Seq, entries[i].Epoch, entries[i].Time = uint64(i+1), 1, at
	}
	return entries
}

func mustProfile(t testing.TB, name string) migration.Profile {
	t.Helper()
	p, ok := migration.FindProfile(name)
	require.True(t, ok)
	return p
}

// FuzzHostileText puts text wherever text from outside can stand: no form of
// the report lets it through raw.
func FuzzHostileText(f *testing.F) {
	for _, text := range attacks() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = text[:min(len(text), 8<<10)] // it stands in a hundred places
		p := plan(t, migration.RefreshAndMove)
		holdAgainst(t, p, everything(t, p), text)
	})
}
