package page

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// audit requires that a careful person finds nothing wrong with the page as it
// is laid out now.
func (b *tab) audit() {
	b.t.Helper()
	js, err := os.ReadFile("testdata/audit.js")
	require.NoError(b.t, err)
	var wrong []string
	b.eval(strings.TrimSpace(string(js)), &wrong)
	require.Empty(b.t, wrong, strings.Join(wrong, "\n"))
}

// prefer sets what the page is to be shown as: for "screen" or "print", "light"
// or "dark".
func (b *tab) prefer(media, scheme string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	require.NoError(b.t, err)
}

// resize changes the window.
func (b *tab) resize(width int64) {
	b.t.Helper()
	require.NoError(b.t, chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900)))
}

// unfold opens everything that can be opened, or only every so many.
func (b *tab) unfold(every int) {
	b.t.Helper()
	var n int
	b.eval(fmt.Sprintf(`[...document.querySelectorAll('details')].filter((d, i) => i %% %d === 0).map((d) => d.open = true).length`, every), &n)
	require.Positive(b.t, n)
}

// save writes the page of v to a file, and returns its address.
func save(t testing.TB, v View) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(path, []byte(render(t, v)), 0o600))
	return "file://" + path
}

// All that needs a browser shares one: it takes longer to start than a page to
// look at.
func TestBrowser(t *testing.T) {
	chrome := browser(t)
	type test struct {
		name     string
		test     func(*testing.T, context.Context)
		parallel bool // it does not need the focus
	}
	tests := []test{
		{"everything is reached by keyboard, in order, with visible focus", keyboardReachesEverything, false},
		{"the live page shows each entry and keeps what its reader has opened", liveShowsEachEntry, false},
		{"the page of every ending is laid out well", everyEndingIsLaidOut, true},
		{"the page of a thousand environments is laid out well", aThousandAreLaidOut, true},
		{"cards stand side by side where there is room", cardsStandSideBySide, true},
		{"the page fits on paper", itFitsOnPaper, true},
		{"pictures stand by themselves and are readable", picturesAreReadable, true},
		{"the live page runs no script but its own", liveRunsNoOtherScript, true},
	}
	if *update {
		tests = append(tests, test{"screenshots for the documentation are small", screenshots, true})
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			if c.parallel {
				t.Parallel()
			}
			c.test(t, chrome)
		})
	}
}

func everyEndingIsLaidOut(t *testing.T, b context.Context) {
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			v := s.view(t)
			require.Equal(t, s.verdict, v.Report.Verdict)
			address := save(t, v)
			tab := open(t, b, address, 1280)
			tab.audit()
			tab.unfold(1)
			tab.resize(400)
			tab.audit()
			tab.prefer("screen", "dark")
			tab.audit()
			tab.quiet(address)
		})
	}
}

func aThousandAreLaidOut(t *testing.T, b context.Context) {
	address := save(t, many(t))
	tab := open(t, b, address, 1280)
	tab.audit()
	tab.resize(400)
	tab.unfold(8)
	tab.audit()
	tab.quiet(address)
}

func cardsStandSideBySide(t *testing.T, b context.Context) {
	tab := open(t, b, save(t, find(t, "completed")), 1280)
	places := func(selector string) (boxes []struct{ X, Y, Width float64 }) {
		tab.eval(fmt.Sprintf(`[...document.querySelectorAll('%s')].map((e) => { const r = e.getBoundingClientRect(); return {X: r.x, Y: r.y, Width: r.width}; })`, selector), &boxes)
		return boxes
	}
	for _, c := range []struct {
		selector string
		n, row   int // how many, and how many of them in the first row of a wide window
	}{{".card", 4, 4}, {"figure", 3, 3}, {".verdict > div", 3, 3}} {
		tab.resize(1280)
		wide := places(c.selector)
		require.Len(t, wide, c.n)
		for i := 1; i < c.row; i++ {
			require.InDelta(t, wide[0].Y, wide[i].Y, 1, c.selector)
			require.GreaterOrEqual(t, wide[i].X, wide[i-1].X+wide[i-1].Width, c.selector)
		}
		tab.resize(400)
		narrow := places(c.selector)
		require.Greater(t, narrow[c.n-1].Y, narrow[0].Y, c.selector)
	}
}

func keyboardReachesEverything(t *testing.T, b context.Context) {
	for _, width := range []int64{1280, 400} {
		t.Run(fmt.Sprintf("at %d pixels", width), func(t *testing.T) {
			tab := open(t, b, save(t, find(t, "mixed")), width)
			var wanted []string
			const key = `((e) => e.tagName + ':' + (e.id || e.getAttribute('href') || e.parentElement.id || e.textContent.trim().slice(0, 20)))`
			tab.eval(`[...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')].map(`+key+`)`, &wanted)
			require.Greater(t, len(wanted), 12)
			for i, want := range wanted {
				tab.press("\t")
				var got struct {
					Key, Outline string
					Width        float64
					In           bool
				}
				tab.eval(`((e) => { const s = getComputedStyle(e), r = e.getBoundingClientRect(); return {Key: `+key+`(e), Outline: s.outlineStyle, Width: parseFloat(s.outlineWidth), In: r.bottom > 0 && r.top < innerHeight}; })(document.activeElement)`, &got)
				require.Equal(t, want, got.Key, "stop %d", i)
				require.Equal(t, "solid", got.Outline, want)
				require.GreaterOrEqual(t, got.Width, 2.0, want)
				require.True(t, got.In, "%s has the focus and cannot be seen", want)
			}
			// The first stop skips to the report.
			var open bool
			tab.eval(`(document.querySelector('#lane-1 summary').focus(), true)`, &open)
			tab.press("\r")
			tab.eval(`document.querySelector('#lane-1').open`, &open)
			require.True(t, open, "Enter opens a lane")
		})
	}
}

func itFitsOnPaper(t *testing.T, b context.Context) {
	tab := open(t, b, save(t, find(t, "rolled back")), 1280)
	tab.prefer("print", "dark") // paper is white, whatever the screen is
	tab.resize(688)             // A4 without its margins
	tab.audit()
	var paper struct {
		Clauses bool
		Nav     bool
		Ground  string
	}
	tab.eval(`({Clauses: document.querySelector('#all-clauses table').checkVisibility(), Nav: document.querySelector('nav').checkVisibility(), Ground: getComputedStyle(document.body).backgroundColor})`, &paper)
	require.True(t, paper.Clauses, "the clauses are printed")
	require.False(t, paper.Nav, "links within the page are not")
	require.Equal(t, "rgb(255, 255, 255)", paper.Ground)
}
