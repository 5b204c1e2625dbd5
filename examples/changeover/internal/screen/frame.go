package screen

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

// A look is all that decides, beside the model, what the table looks like.
type look struct {
	width, height int // of the terminal
	now           time.Time
	stopping      bool // the run was told to stop
	over          bool // the run has ended: the last picture
}

// Every color stands beside a mark or a word that says the same.
func bold() lipgloss.Style  { return lipgloss.NewStyle().Bold(true) }
func faint() lipgloss.Style { return lipgloss.NewStyle().Faint(true) }

func colorOf(l level) lipgloss.Style {
	style := lipgloss.NewStyle()
	switch l {
	case inDoubt:
		return style.Foreground(lipgloss.Magenta).Bold(true)
	case held:
		return style.Foreground(lipgloss.Red).Bold(true)
	case retrying:
		return style.Foreground(lipgloss.Yellow)
	case working:
		return style.Foreground(lipgloss.Cyan)
	case finished:
		return style.Foreground(lipgloss.Green)
	}
	return style.Faint(true)
}

// Notices of what Ctrl-C does; a short one where there is little room.
const (
	howToStop      = "Ctrl-C stops at the next safe point"
	howToStopShort = "Ctrl-C: stop"
	stopping       = "Stopping at the next safe point; Ctrl-C once more ends at once"
	stoppingShort  = "Stopping..."
)

// frame draws the table: at most one line less than the terminal has, none
// wider than it, and an empty line at the end, for the cursor.
func (m *model) frame(l look) string {
	l.width, l.height = max(l.width, 1), max(l.height, 2)
	for _, r := range m.rows {
		r.learn(m)
	}
	head := m.head(l)
	var foot []string
	if !l.over {
		text, short := howToStop, howToStopShort
		if l.stopping {
			text, short = stopping, stoppingShort
		}
		if ansi.StringWidth(text) > l.width {
			text = short
		}
		foot = append(foot, faint().Render(cut(text, l.width)))
	}
	// What does not fit is left out: first the lines below, then the names of
	// the columns, then the head, then the foot.
	room := l.height - 1 - len(head) - len(foot)
	some := min(len(m.rows), 3)
	recent := m.tail(l, room-1-min(len(m.rows), 5))
	room -= len(recent)
	titles := room > some
	if titles {
		room--
	}
	for ; room < some && len(head) > 0; room++ {
		head = head[1:]
	}
	if room < 1 {
		foot, room = nil, 1
	}
	n := len(m.rows)
	if n > room {
		n = max(room-1, 1) // one line says how many more there are
	}
	rows, left := m.foremost(n)

	c := m.columns(l)
	var lines []string
	lines = append(lines, head...)
	if titles {
		lines = append(lines, c.titles())
	}
	for _, r := range rows {
		lines = append(lines, c.row(m, r, l))
	}
	if more := len(m.rows) - len(rows); more > 0 && room > 1 {
		lines = append(lines, faint().Render(cut(remainder(more, left), l.width)))
	}
	lines = append(lines, recent...)
	lines = append(lines, foot...)
	return strings.Join(lines, "\n") + "\n"
}

// head says what is moved, which licenses are shown, and how far it is; the
// last line matters most.
func (m *model) head(l look) []string {
	first := m.name
	if m.profile != "" {
		first += "  " + m.profile
	}
	if !m.begun.IsZero() {
		first += "  " + elapsed(l.now.Sub(m.begun))
	}
	second := m.line.state
	if m.line.state == "" {
		second = "has not begun"
	} else if m.line.hold != nil || m.line.flying || m.line.doubt || m.line.failed != "" {
		second += ": " + m.now(m.line)
	}
	return []string{
		bold().Render(cut(first, l.width)),
		cut(m.placement(), l.width),
		colorOf(m.line.level()).Render(cut(second, l.width)),
	}
}

// placement counts which licenses the environments show.
func (m *model) placement() string {
	var source, target, other, unread int
	for _, r := range m.rows {
		switch r.license() {
		case "Source":
			source++
		case "Target":
			target++
		case "-":
			unread++
		default:
			other++
		}
	}
	parts := []string{fmt.Sprintf("Source %d", source), fmt.Sprintf("Target %d", target)}
	if other > 0 {
		parts = append(parts, fmt.Sprintf("uncertain %d", other))
	}
	if unread > 0 {
		parts = append(parts, fmt.Sprintf("not read %d", unread))
	}
	return strings.Join(parts, ", ")
}

// tail is the last lines, as many as there is room for, below an empty one.
func (m *model) tail(l look, room int) []string {
	n := min(len(m.recent), room-1)
	if n < 1 || l.width < 40 {
		return nil
	}
	lines := []string{""}
	for _, line := range m.recent[len(m.recent)-n:] {
		lines = append(lines, faint().Render(cut(line, l.width)))
	}
	return append(lines, "")
}

// remainder says what is not shown.
func remainder(more int, left [finished + 1]int) string {
	text := fmt.Sprintf("and %d more", more)
	words := [...]string{inDoubt: "in doubt", held: "held", retrying: "trying again", working: "at work", waits: "waiting", notBegun: "not begun", finished: "done"}
	before := ": "
	for level, n := range left {
		if n > 0 {
			text += fmt.Sprintf("%s%d %s", before, n, words[level])
			before = ", "
		}
	}
	return text
}

// columns say how wide what is shown of an environment is; zero: not shown.
type columns struct {
	width                           int // of the whole
	name, license, leg, state, time int
	now                             int
	brief                           bool // state and now share one column
}

const (
	licenseWidth = 7  // Target?
	stateWidth   = 17 // RestoredNotTested
	timeWidth    = 6
	least        = 14 // of the last column, to be of use
	ample        = 29 // of the last column, to say what is waited for
)

// columns leaves out first the leg, then the time, then joins what a narrow
// terminal cannot show side by side.
func (m *model) columns(l look) columns {
	names, legs := 11, 0
	for _, r := range m.rows {
		names = max(names, min(ansi.StringWidth(r.name), maxMargin))
		legs = max(legs, min(ansi.StringWidth(r.leg), 10))
	}
	c := columns{width: l.width, name: names, license: licenseWidth, leg: legs, state: stateWidth, time: timeWidth}
	rest := func() int {
		n := c.width - 2 // the mark
		for _, w := range []int{c.name, c.license, c.leg, c.state, c.time} {
			if w > 0 {
				n -= w + 2
			}
		}
		return n
	}
	if c.now = rest(); c.now < ample {
		c.leg = 0
		c.now = rest()
	}
	if c.now < least {
		c.time = 0
		c.now = rest()
	}
	if c.now < least {
		c.brief, c.state = true, 0
		c.now = rest()
	}
	if c.now < least {
		c.license = 0
		c.now = rest()
	}
	if c.now < least {
		c.name = max((c.width-4)/2, 1)
		c.now = max(rest(), 1)
	}
	return c
}

func (c columns) line(mark, name, license, leg, state, time, now string) string {
	var b strings.Builder
	b.WriteString(mark + " ")
	for _, cell := range []struct {
		text  string
		width int
	}{{name, c.name}, {license, c.license}, {leg, c.leg}, {state, c.state}, {time, c.time}} {
		if cell.width > 0 {
			b.WriteString(pad(cut(cell.text, cell.width), cell.width) + "  ")
		}
	}
	b.WriteString(cut(now, c.now))
	return strings.TrimRight(cut(b.String(), c.width), " ")
}

func (c columns) titles() string {
	now := "NOW"
	if c.brief {
		now = "STATE"
	}
	return faint().Render(c.line(" ", "ENVIRONMENT", "LICENSE", "LEG", "STATE", "TIME", now))
}

func (c columns) row(m *model, r *row, l look) string {
	level := r.level()
	now, state, time := m.now(r), r.state, ""
	if !r.since.IsZero() && !r.finished {
		time = elapsed(l.now.Sub(r.since))
	}
	switch {
	case l.over && r.flying && !r.doubt:
		now = "was under way: " + r.effect
	case c.brief && level == held:
		now = strings.TrimPrefix(strings.TrimPrefix(now, "waits for "), "needs ")
	case c.brief && level >= working && state != "":
		now = state
	}
	return colorOf(level).Render(c.line(marks[level], r.name, r.license(), r.leg, state, time, now))
}

// elapsed is short and coarse: 7s, 4m07s, 3h15m, 2d04h. A time before its
// beginning, on another clock, is none.
func elapsed(d time.Duration) string {
	s := max(int64(d/time.Second), 0)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 60*60:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 24*60*60:
		return fmt.Sprintf("%dh%02dm", s/3600, s/60%60)
	}
	return fmt.Sprintf("%dd%02dh", s/86400, s/3600%24)
}

// cut shortens s to a width, in cells of the terminal.
func cut(s string, width int) string { return ansi.Truncate(s, width, "…") }

// pad fills s up to a width.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}
