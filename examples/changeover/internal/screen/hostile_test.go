package screen

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// fits requires that a frame can be drawn in a terminal of that size and moves
// nothing in it.
func fits(t *testing.T, frame string, l look) {
	t.Helper()
	require.True(t, strings.HasSuffix(frame, "\n"), "the cursor rests below the table")
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	if len(lines)+1 > max(l.height, 2) {
		t.Fatalf("%d lines are too many for %dx%d:\n%s", len(lines), l.width, l.height, frame)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > max(l.width, 1) {
			t.Fatalf("%q is too wide for %dx%d", line, l.width, l.height)
		}
		harmless(t, ansi.Strip(line))
	}
}

// harmless requires that a line has nothing in it that a terminal obeys.
func harmless(t *testing.T, line string) {
	t.Helper()
	if at := strings.IndexFunc(line, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) }); at >= 0 {
		t.Fatalf("%q has a character that a terminal obeys, or that hides, at byte %d", line, at)
	}
}

func TestEveryFrameFits(t *testing.T) {
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			plan, entries := record(t, sc)
			m := newModel(plan)
			for i, e := range entries {
				m.add(e)
				for _, width := range []int{-1 + i%3, 7 + i%13, 20 + i%20, 40, 41 + i%39, 80, 131} {
					l := look{width: width, height: i % 26, now: e.Time, stopping: i%2 == 0, over: i%3 == 0}
					fits(t, m.frame(l), l)
				}
			}
		})
	}
	t.Run("of the last entry in every size", func(t *testing.T) {
		plan, entries := record(t, scenes()[3])
		m := newModel(plan)
		for _, e := range entries[:93] {
			m.add(e)
		}
		for width := 0; width < 140; width += 3 {
			for height := range 28 {
				l := look{width: width, height: height, now: start()}
				frame := m.frame(l)
				fits(t, frame, l)
				if width >= 20 && height >= 3 {
					require.Contains(t, frame, "Rolling", "%dx%d: an environment is always shown:\n%s", width, height, frame)
				}
			}
		}
	})
}

// hostileNames are texts that would harm a terminal, or its columns.
var hostileNames = []string{
	"\x1b[2J\x1b[31mred", "a\rb", "two\nlines", "tab\there", "\u202egnirts", "zero\u200bwidth", "\x9b31m", "\x07bell",
	"漢字漢字漢字漢字漢字漢字漢字漢字", "é́́́́́́ combining", "👩\u200d👩\u200d👧\u200d👦 family", "ｆｕｌｌｗｉｄｔｈ", "العربية", strings.Repeat("long ", 100), "", " ", "\xff\xfe", "%s%d", "\U000e0041",
}

func TestNothingFromOutsideMovesTheTerminal(t *testing.T) {
	for i, name := range hostileNames {
		t.Run(fmt.Sprintf("name %d", i), func(t *testing.T) {
			plan := acme(t)
			plan.Infrastructure.Name = name
			plan.Infrastructure.Environments[0].Name = name
			m := newModel(plan)
			hold := &journal.Hold{Kind: journal.HoldKind(name), Cause: name, Holder: name, Effect: name, Hint: name}
			now := start()
			for seq, e := range []journal.Entry{
				{Kind: journal.Opened, Opened: &journal.Opening{Run: name, Verb: name, User: name}},
				{Kind: journal.Begun, Env: name, State: name, Leg: name, Table: name},
				{Kind: journal.Intent, Env: name, State: name, Effect: name, Attempt: 2},
				{Kind: journal.Failed, Env: name, State: name, Effect: name, Condition: name, Text: name, By: name},
				{Kind: journal.Doubt, Env: name, State: name, Effect: name, Text: name},
				{Kind: journal.Held, Env: name, State: name, Hold: hold},
				{Kind: journal.Held, Env: journal.Infrastructure, State: name, Hold: &journal.Hold{Kind: journal.HoldOperator, Holder: name, Cause: name}},
				{Kind: journal.Released, Env: name, State: name, Text: name, By: name},
				{Kind: journal.Outcome, Env: name, State: name, To: name, Trigger: name, Facts: []byte(`{"need":{"condition":"x` + "\u202e" + `"},"reading":{"role":"` + "target" + `"}}`)},
				{Kind: journal.Kind(name), Env: name, State: name, Text: name, Testimony: []journal.Testimony{{By: name, Text: name}}},
				{Kind: journal.Outcome, Env: name, To: string(migration.NeedsSupport), Facts: []byte(`{`)},
			} {
				e.Seq, e.Time = uint64(seq+1), now
				line := m.add(e)
				harmless(t, line)
				for _, size := range [][2]int{{20, 8}, {40, 24}, {80, 24}, {120, 50}} {
					l := look{width: size[0], height: size[1], now: now}
					fits(t, m.frame(l), l)
				}
			}
		})
	}
}

func TestActivationCodesAreMasked(t *testing.T) {
	plan := acme(t)
	var err error
	plan.Source, err = license.ParseActivationCode("unusual-code-of-acme")
	require.NoError(t, err)
	for _, code := range []string{plan.Source.Reveal(), plan.Target.Reveal(), "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"} {
		m := newModel(plan)
		var shown strings.Builder
		for _, e := range []journal.Entry{
			{Kind: journal.Begun, Env: "Quality", State: "Paused", Text: code},
			{Kind: journal.Failed, Env: "Quality", State: "Paused", Effect: "upload", Condition: code, Text: code, By: code},
			{Kind: journal.Held, Env: "Quality", State: "Paused", Hold: &journal.Hold{Kind: journal.HoldOperator, Holder: code, Cause: code}},
		} {
			shown.WriteString(m.add(e) + m.frame(look{width: 300, height: 40}))
		}
		require.NotContains(t, shown.String(), code)
		require.Contains(t, shown.String(), "***")
	}
}

func TestAThousandEnvironments(t *testing.T) {
	plan := acme(t)
	for i := range 996 {
		plan.Infrastructure.Environments = append(plan.Infrastructure.Environments, environment.Environment{Name: fmt.Sprintf("Tenant %03d", i), Kind: environment.Development})
	}
	m := newModel(plan)
	name := func(i int) string { return plan.Infrastructure.Environments[i].Name }
	at := start()
	add := func(e journal.Entry) {
		e.Time = at
		m.add(e)
	}
	for i := range 1000 {
		add(journal.Entry{Kind: journal.Begun, Env: name(i), Table: "migration/move", Leg: "move", State: "Paused"})
		if i%2 == 0 {
			add(journal.Entry{Kind: journal.Outcome, Env: name(i), Table: "migration/move", State: "IPVerified", To: "Republished"})
		}
	}
	add(journal.Entry{Kind: journal.Intent, Env: name(701), State: "Paused", Effect: "registerSerial", Attempt: 1})
	add(journal.Entry{Kind: journal.Doubt, Env: name(701), State: "Paused", Effect: "registerSerial"})
	add(journal.Entry{Kind: journal.Held, Env: name(903), State: "Paused", Hold: &journal.Hold{Kind: journal.HoldSupport, Cause: "nobody answers"}})
	add(journal.Entry{Kind: journal.Intent, Env: name(501), State: "Paused", Effect: "registerSerial", Attempt: 1})
	frame := ansi.Strip(m.frame(look{width: 80, height: 12, now: at}))
	fits(t, frame, look{width: 80, height: 12})
	lines := strings.Split(frame, "\n")
	require.Contains(t, frame, "ENVIRONMENT")
	rows := lines[4:]
	require.Contains(t, rows[0], "? Tenant 697", frame)
	require.Contains(t, rows[1], "! Tenant 899", frame)
	require.Contains(t, rows[2], "> Tenant 497", frame)
	require.Contains(t, frame, "and 995 more: 495 waiting, 500 done\n")

	t.Run("are drawn four times a second at little cost", func(t *testing.T) {
		best := tick
		for range 20 {
			began := time.Now()
			m.frame(look{width: 80, height: 24, now: at})
			best = min(best, time.Since(began))
		}
		t.Log(best)
		require.Less(t, best, tick/10, "a frame takes more than a tenth of the time between two")
	})
}
