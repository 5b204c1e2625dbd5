package screen

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/changeover-go/changeover/internal/golden"
)

func TestFramesAsReviewed(t *testing.T) {
	for _, sc := range scenes() {
		plan, entries := record(t, sc)
		for _, width := range []int{20, 40, 80, 120} {
			t.Run(fmt.Sprintf("%s at %d columns", sc.name, width), func(t *testing.T) {
				m := newModel(plan)
				var b strings.Builder
				for i, e := range entries {
					m.add(e)
					if n := i + 1; n == len(entries) || n%max(len(entries)/4, 1) == 0 {
						frame := m.frame(look{width: width, height: 24, now: e.Time, over: n == len(entries)})
						fmt.Fprintf(&b, "--- entry %d of %d\n%s", n, len(entries), ansi.Strip(frame))
					}
				}
				golden.Compare(t, fmt.Sprintf("testdata/%s-%d.golden", strings.ReplaceAll(sc.name, " ", "-"), width), []byte(b.String()))
			})
		}
	}
}

func TestLinesAsReviewed(t *testing.T) {
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			plan, entries := record(t, sc)
			m := newModel(plan)
			var b strings.Builder
			for _, e := range entries {
				if line := m.add(e); line != "" {
					b.WriteString(line + "\n")
				}
			}
			golden.Compare(t, fmt.Sprintf("testdata/%s.lines.golden", strings.ReplaceAll(sc.name, " ", "-")), []byte(b.String()))
		})
	}
}
