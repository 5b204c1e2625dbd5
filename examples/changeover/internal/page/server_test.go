package page

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A wire is a network in memory, so that time can be that of a test: what
// blocks on it, blocks for nobody else.
type wire struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
	at    *net.TCPAddr
}

func newWire() *wire {
	return &wire{conns: make(chan net.Conn), done: make(chan struct{}), at: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4711}}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.done) }); return nil }
func (w *wire) Addr() net.Addr { return w.at }

// dial connects.
func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case w.conns <- addressed{far, w.at}:
		return near, nil
	case <-w.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// addressed is a connection that came in at an address.
type addressed struct {
	net.Conn
	at net.Addr
}

func (a addressed) LocalAddr() net.Addr { return a.at }

// A desk is a server that serves, and a client of it.
type desk struct {
	t      *testing.T
	server *Server
	wire   *wire
	client *http.Client
	url    string
	stop   func() // and waits until it has ended
	made   int    // pages
	fail   error
	slow   time.Duration // to make a page
}

func newDesk(t *testing.T, o Options) *desk {
	t.Helper()
	d := &desk{t: t, wire: newWire()}
	v := find(t, "completed")
	s, err := New(func(context.Context) (View, error) {
		d.made++
		time.Sleep(d.slow)
		return v, d.fail
	}, o)
	require.NoError(t, err)
	d.server, d.url = s, s.URL(d.wire.at.String())
	transport := &http.Transport{DialContext: d.wire.dial}
	d.client = &http.Client{Transport: transport}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err = s.Serve(ctx, d.wire)
	}()
	d.stop = func() {
		cancel()
		<-ended
		require.NoError(t, err)
		transport.CloseIdleConnections()
	}
	t.Cleanup(d.stop)
	return d
}

// get asks, and reads the whole answer.
func (d *desk) get(url string) (*http.Response, string) {
	d.t.Helper()
	r, err := d.client.Get(url)
	require.NoError(d.t, err)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	require.NoError(d.t, err)
	return r, string(body)
}

// events asks for events, as a browser that knows the version does, and
// returns a function that waits for the next one.
func (d *desk) events(after string) (next func() string, hangUp func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"events?after="+after, nil)
	require.NoError(d.t, err)
	answer, err := d.client.Do(request)
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, answer.StatusCode)
	require.Equal(d.t, "text/event-stream", answer.Header.Get("Content-Type"))
	lines := bufio.NewScanner(answer.Body)
	return func() string {
			for lines.Scan() {
				if s, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
					return s
				}
			}
			return "over"
		}, func() {
			cancel()
			_ = answer.Body.Close()
		}
}

func TestThePageIsForWhoeverHasTheTokenAndAsksForItByItsAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		base := "http://127.0.0.1:4711/"
		for _, c := range []struct {
			name, method, url, host string
			status                  int
		}{
			{"the page", "GET", d.url, "", 200},
			{"the head of the page", "HEAD", d.url, "", 200},
			{"the head of the events", "HEAD", d.url + "events", "", 200},
			{"no token", "GET", base, "", 404},
			{"another token", "GET", base + strings.Repeat("A", 52) + "/", "", 404},
			{"half a token", "GET", d.url[:len(d.url)-20] + "/", "", 404},
			{"a token without the page", "GET", strings.TrimSuffix(d.url, "/") + "x/", "", 404},
			{"something else", "GET", d.url + "other", "", 404},
			{"something above", "GET", d.url + "../../etc/passwd", "", 404},
			{"a name that was made to point here", "GET", d.url, "evil.example.test:4711", 421},
			{"a name without a port", "GET", d.url, "127.0.0.1", 421},
			{"another port", "GET", d.url, "127.0.0.1:80", 421},
			{"localhost", "GET", d.url, "localhost:4711", 421},
			{"another address of this machine", "GET", d.url, "127.0.0.2:4711", 421},
			{"a post", "POST", d.url, "", 405},
			{"a put", "PUT", d.url, "", 405},
			{"a deletion", "DELETE", d.url, "", 405},
			{"options", "OPTIONS", d.url, "", 405},
			{"an unknown method", "BREW", d.url, "", 405},
			{"a post to the events", "POST", d.url + "events", "", 405},
			{"a post of a page from elsewhere", "POST", d.url, "evil.example.test", 421},
		} {
			request, err := http.NewRequestWithContext(t.Context(), c.method, c.url, nil)
			require.NoError(t, err)
			request.Host = c.host
			answer, err := d.client.Do(request)
			require.NoError(t, err, c.name)
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err, c.name)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, c.status, answer.StatusCode, c.name)
			if c.status != 200 {
				require.Less(t, len(body), 100, "%s: a refusal says nothing of the run", c.name)
				require.NotContains(t, string(body), d.server.token, c.name)
			}
			h := answer.Header
			require.Equal(t, "no-store", h.Get("Cache-Control"), c.name)
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"), c.name)
			require.Equal(t, "no-referrer", h.Get("Referrer-Policy"), c.name)
			policy := h.Get("Content-Security-Policy")
			require.True(t, strings.HasPrefix(policy, "default-src 'none'; "), c.name)
			require.Contains(t, policy, "frame-ancestors 'none'", c.name)
			require.NotContains(t, policy, "unsafe", c.name)
			require.NotContains(t, policy, "http:", c.name)
			require.Empty(t, h.Get("Access-Control-Allow-Origin"), c.name)
		}
	})
}

func TestARequestThatDidNotComeInOnLoopbackIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		d.wire.at = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711}
		answer, _ := d.get(d.server.URL("192.0.2.1:4711"))
		require.Equal(t, http.StatusMisdirectedRequest, answer.StatusCode)
	})
}

func TestOnlyLoopbackIsListenedOn(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0", ":0", "192.0.2.1:0", "localhost:0", "example.test:80", "127.0.0.1"} {
		l, err := Listen(t.Context(), address)
		require.Error(t, err, address)
		require.Nil(t, l, address)
	}
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestTokensAreLongAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		s, err := New(func(context.Context) (View, error) { return View{}, nil }, Options{})
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(s.token), 52, "of 32 letters: 256 bits")
		require.False(t, seen[s.token])
		seen[s.token] = true
	}
	_, err := New(nil, Options{})
	require.Error(t, err)
}

func TestAReaderIsToldOfEveryChangeThatItDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		next, hangUp := d.events("1")
		defer hangUp()
		begun := time.Now()
		go func() {
			time.Sleep(time.Minute)
			d.server.Changed()
		}()
		require.Equal(t, "changed", next())
		require.Equal(t, time.Minute, time.Since(begun), "it was told at once, and not before")

		late, hangUpLate := d.events("1") // made before the change, connected after it
		defer hangUpLate()
		require.Equal(t, "changed", late())
		require.Equal(t, time.Minute, time.Since(begun))
	})
}

func TestChangesThatComeTogetherAreOneEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{Every: time.Second})
		defer d.stop()
		next, hangUp := d.events("1")
		defer hangUp()
		begun := time.Now()
		go func() {
			for range 25_000 {
				d.server.Changed()
				time.Sleep(time.Millisecond)
			}
		}()
		n := 0
		for time.Since(begun) < 25*time.Second {
			require.Equal(t, "changed", next())
			n++
		}
		require.InDelta(t, 26, n, 1, "25 seconds, an event a second")
		synctest.Wait()
	})
}

func TestAPageThatTakesLongIsMadeLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		d.slow = 2 * time.Second
		d.get(d.url)
		next, hangUp := d.events("0")
		defer hangUp()
		require.Equal(t, "changed", next())
		begun := time.Now()
		d.server.Changed()
		require.Equal(t, "changed", next())
		require.Equal(t, 20*time.Second, time.Since(begun))
	})
}

func TestAPageIsMadeOnceForAllReadersOfAVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		_, first := d.get(d.url)
		_, second := d.get(d.url)
		require.Equal(t, first, second)
		require.Equal(t, 1, d.made)
		require.Contains(t, first, `data-version="1"`)
		d.server.Changed()
		_, third := d.get(d.url)
		require.Contains(t, third, `data-version="2"`)
		require.Equal(t, 2, d.made)

		d.server.Changed()
		d.fail = errors.New("the journal is at /srv/secret")
		answer, body := d.get(d.url)
		require.Equal(t, http.StatusInternalServerError, answer.StatusCode)
		require.NotContains(t, body, "secret", "what is wrong is for the person at the command")
		d.fail = nil
		answer, _ = d.get(d.url)
		require.Equal(t, http.StatusOK, answer.StatusCode, "and it is tried again")
	})
}

func TestAReaderThatDoesNotReadIsDroppedAndTheRunNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{Readers: 2})
		defer d.stop()
		c, err := d.wire.dial(t.Context(), "", "")
		require.NoError(t, err)
		defer c.Close()
		_, err = io.WriteString(c, "GET /"+d.server.token+"/events?after=1 HTTP/1.1\r\nHost: 127.0.0.1:4711\r\n\r\n")
		require.NoError(t, err)
		begun := time.Now()
		for range 1_000 {
			d.server.Changed()
		}
		require.Zero(t, time.Since(begun), "Changed waits for nobody")
		synctest.Wait()
		require.Len(t, d.server.readers, 1)
		time.Sleep(patience + time.Second)
		require.Empty(t, d.server.readers, "its place is free again")
	})
}

func TestAReaderThatNeverFinishesItsRequestIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		defer d.stop()
		c, err := d.wire.dial(t.Context(), "", "")
		require.NoError(t, err)
		_, err = io.WriteString(c, "GET / HTTP/1.1\r\nHost: ")
		require.NoError(t, err)
		begun := time.Now()
		_, err = io.ReadAll(c)
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(begun), patience+time.Second)
	})
}

func TestTooManyReadersAreTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{Readers: 3})
		defer d.stop()
		var hangUps []func()
		for range 3 {
			_, hangUp := d.events("1")
			hangUps = append(hangUps, hangUp)
		}
		answer, _ := d.get(d.url)
		require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
		require.Equal(t, "5", answer.Header.Get("Retry-After"))
		hangUps[0]()
		synctest.Wait()
		answer, _ = d.get(d.url)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		hangUps[1]()
		hangUps[2]()

		// And so are too many connections, without a request.
		var open []net.Conn
		for range 4 * 3 {
			c, err := d.wire.dial(t.Context(), "", "")
			if err != nil {
				break
			}
			open = append(open, c)
			if len(open) == 4*3-1 { // one is kept alive by the client
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := d.wire.dial(ctx, "", "")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, c := range open {
			_ = c.Close()
		}
	})
}

// synctest fails a test that leaves a goroutine behind.
func TestItEndsWithItsContextAndTellsItsReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Options{})
		d.slow = time.Minute
		d.get(d.url) // so that a reader would rest for ten minutes after each event
		next, hangUp := d.events("1")
		defer hangUp()
		silent, err := d.wire.dial(t.Context(), "", "") // sends nothing
		require.NoError(t, err)
		defer silent.Close()
		d.server.Changed()
		require.Equal(t, "changed", next())
		begun := time.Now()
		go func() {
			time.Sleep(time.Second)
			d.server.Changed()
			d.stop()
		}()
		require.Equal(t, "changed", next(), "what came last is not lost")
		require.Equal(t, "ended", next())
		require.Equal(t, "over", next())
		d.slow = 0
		answer, _ := d.get(d.url)
		require.Equal(t, http.StatusOK, answer.StatusCode, "the last page can be fetched")
		d.stop()
		require.LessOrEqual(t, time.Since(begun), time.Second+2*farewell)
		_, err = d.client.Get(d.url)
		require.Error(t, err)
		d.server.Changed() // does no harm
	})
}

func TestAListenerThatFailsEndsIt(t *testing.T) {
	s, err := New(func(context.Context) (View, error) { return View{}, nil }, Options{})
	require.NoError(t, err)
	l, err := Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Error(t, s.Serve(t.Context(), l))
}

func TestTheHostIsTheAddressThatWasConnectedTo(t *testing.T) {
	for _, c := range []struct {
		at, host string
		local    bool
	}{
		{"127.0.0.1:4711", "127.0.0.1:4711", true},
		{"127.0.0.1:4711", "127.0.0.1", false},
		{"127.0.0.1:80", "127.0.0.1", true},
		{"[::1]:80", "[::1]", true},
		{"127.0.0.1:80", "127.0.0.2", false},
		{"127.0.0.1:80", "", false},
		{"192.0.2.1:80", "192.0.2.1", false},
	} {
		at, err := net.ResolveTCPAddr("tcp", c.at)
		require.NoError(t, err)
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, at), http.MethodGet, "/", nil)
		r.Host = c.host
		require.Equal(t, c.local, local(r), c)
	}
}
