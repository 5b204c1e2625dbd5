//go:build linux || darwin

package screen

import (
	"fmt"
	"html"
	"image/color"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/migration"
)

// The picture of the documentation is the table as a terminal shows it.
func TestThePictureOfTheDocumentation(t *testing.T) {
	plan, entries := record(t, scene{"the picture", func(_ testing.TB, plan migration.Plan, w *fake.World) []*fault.Injector {
		w.DropSerial(plan.Source, "LifeTime")
		return []*fault.Injector{
			fault.On(fault.Match{Method: "UploadLicense", Environment: "Production"}, 0, fault.After, errLost),
			fault.On(fault.Match{Method: "UploadLicense", Environment: "Quality"}, 0, fault.Before, adapters.ErrBusy),
		}
	}})
	m := newModel(plan)
	var frame string
	for _, e := range entries {
		m.add(e)
		seen := map[level]bool{}
		for _, r := range m.rows {
			seen[r.level()] = true
		}
		frame = m.frame(look{width: 100, height: 24, now: e.Time.Add(4e9)})
		if len(seen) == 4 { // one row of each kind
			break
		}
	}
	for _, word := range []string{"in doubt: upload", "tries upload again: busy", "needs Support: serialNotFound"} {
		require.Contains(t, frame, word)
	}
	golden.Compare(t, "../../../../docs/live-table.svg", []byte(svg(t, frame, 100)))
}

// svg draws what a terminal shows as a picture of monospaced text.
func svg(t *testing.T, frame string, width int) string {
	t.Helper()
	const cell, row, margin = 8.4, 19.0, 16.0
	lines := strings.Count(frame, "\n")
	shown := vt.NewEmulator(width, lines+1)
	_, err := shown.WriteString(strings.ReplaceAll(frame, "\n", "\r\n"))
	require.NoError(t, err)
	var b strings.Builder
	w, h := cell*float64(width)+2*margin, row*float64(lines)+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img" aria-label="The live table of changeover apply">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="#1b1f24"/>`+"\n"+`<g font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">`+"\n")
	for y := range lines {
		// One text for each stretch of one style.
		var text, style string
		begin := 0
		flush := func() {
			if strings.TrimSpace(text) != "" {
				fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" textLength="%.1f" %s>%s</text>`+"\n",
					margin+cell*float64(begin), margin+row*(float64(y)+0.75), cell*float64(ansi.StringWidth(text)), style, html.EscapeString(text))
			}
			text = ""
		}
		for x := range width {
			c := shown.CellAt(x, y)
			if c == nil || c.Width == 0 {
				continue
			}
			fill, more := "#d0d7de", ""
			if c.Style.Fg != nil {
				fill = hex(c.Style.Fg)
			}
			if c.Style.Attrs&1 != 0 {
				more = ` font-weight="bold"`
			}
			if c.Style.Attrs&2 != 0 {
				fill = "#8b949e"
			}
			if now := fmt.Sprintf(`fill="%s"%s`, fill, more); now != style || text == "" {
				flush()
				style, begin = now, x
			}
			text += c.Content
		}
		text = strings.TrimRight(text, " ")
		flush()
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

// hex is a color that can be read on the dark ground of the picture.
func hex(c color.Color) string {
	switch c {
	case ansi.Red:
		return "#ff7b72"
	case ansi.Green:
		return "#56d364"
	case ansi.Yellow:
		return "#e3b341"
	case ansi.Magenta:
		return "#d2a8ff"
	case ansi.Cyan:
		return "#76e3ea"
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
