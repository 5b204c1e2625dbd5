package page

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a [Server] may be given. Every zero field has a default.
type Options struct {
	// Every is the shortest time between two pages, however many entries come
	// meanwhile; zero: half a second.
	Every time.Duration
	// Readers may be connected at once; zero: 16. The others are turned away.
	Readers int
}

// A Server shows a run live: read-only, on loopback, to whoever has the token.
// It answers GET and HEAD of the page and of the events that say that the page
// has changed, and nothing else. It never makes the run wait: a reader that
// does not read is dropped. It keeps no goroutine while nobody asks.
type Server struct {
	source  func(context.Context) (View, error)
	options Options
	look    *look
	token   string

	readers chan struct{} // as many as may be connected

	mu      sync.Mutex
	version uint64        // counts calls of Changed
	changed chan struct{} // closed with the next one
	ended   bool
	over    chan struct{} // closed when ended

	// One page is made at a time, and all readers of a version get the same.
	making chan struct{}
	made   []byte
	madeOf uint64
	took   atomic.Int64 // nanoseconds, for the last one
}

// Limits of what a reader may ask for, and how slowly.
const (
	headerBytes = 8 << 10
	patience    = 5 * time.Second // for a reader to take or send something
	farewell    = time.Second     // for readers to take what came last
	heartbeat   = 15 * time.Second
)

// New returns a Server of what source returns. source is called when a page is
// asked for and something has changed, never twice at once; its error is not
// shown to readers, who get a plain refusal. It returns the error of a source
// that is missing.
func New(source func(context.Context) (View, error), o Options) (*Server, error) {
	if source == nil {
		return nil, errors.New("there is nothing to show: source is nil")
	}
	l, err := load()
	if err != nil {
		return nil, err
	}
	if o.Every <= 0 {
		o.Every = 500 * time.Millisecond
	}
	if o.Readers <= 0 {
		o.Readers = 16
	}
	return &Server{
		source: source, options: o, look: l, token: rand.Text() + rand.Text(), // 2 x 128 bits
		readers: make(chan struct{}, o.Readers), changed: make(chan struct{}), over: make(chan struct{}), making: make(chan struct{}, 1), version: 1,
	}, nil
}

// Changed says that there is a new entry. It never blocks, and may be called
// from any goroutine.
func (s *Server) Changed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.version++
	close(s.changed)
	s.changed = make(chan struct{})
}

// end tells the readers that nothing more will come.
func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.changed)
		close(s.over)
	}
}

// now returns the version, what is closed when it is over, and whether it is
// the last one.
func (s *Server) now() (version uint64, changed <-chan struct{}, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, s.changed, s.ended
}

// URL returns what a person opens in a browser on this machine, for a server
// that listens on address. It holds the token: whoever knows it may look.
func (s *Server) URL(address string) string { return "http://" + address + "/" + s.token + "/" }

// Listen listens on address, for example "127.0.0.1:0". It refuses what is not
// a numeric loopback address, since others could then reach the page.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the address of the page: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the page is shown on loopback only: use 127.0.0.1 or [::1] in place of %q", host)
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// Serve answers on l until ctx is done, closes l, and returns when no goroutine
// of its own is left. It returns nil when it ended because of ctx, and
// otherwise the error of l.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: patience, ReadTimeout: patience, IdleTimeout: 30 * time.Second, MaxHeaderBytes: headerBytes,
		ErrorLog: log.New(io.Discard, "", 0), // the terminal belongs to the run
	}
	limited := &limit{Listener: l, free: make(chan struct{}, 4*s.options.Readers), closed: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(limited) }()
	select {
	case err := <-done:
		s.end()
		return err
	case <-ctx.Done():
	}
	s.end() // the events end by themselves, so that nobody is cut off
	if len(s.readers) > 0 {
		<-time.After(farewell) // they fetch the last page
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if server.Shutdown(last) != nil {
		_ = server.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler answers for the page. It must be served by an http.Server on a
// loopback listener, as [Server.Serve] does; what comes in any other way is
// refused.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.look.policy(true)+"; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !local(r) {
			http.Error(w, "this page answers to its own address only", http.StatusMisdirectedRequest)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "this page is for reading only", http.StatusMethodNotAllowed)
			return
		}
		token, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
			http.NotFound(w, r)
			return
		}
		select {
		case s.readers <- struct{}{}:
			defer func() { <-s.readers }()
		default:
			h.Set("Retry-After", "5")
			http.Error(w, "too many readers", http.StatusServiceUnavailable)
			return
		}
		switch rest {
		case "":
			s.page(w, r)
		case "events":
			s.events(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// local reports whether a request came in on a loopback address and names that
// very address as its host. A page from elsewhere whose name was made to point
// here names another (DNS rebinding).
func local(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	// A browser leaves out the port of http itself.
	return ok && at.IP.IsLoopback() && (r.Host == at.String() || r.Host+":80" == at.String())
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	html, err := s.make(r.Context())
	if err != nil {
		http.Error(w, "the report cannot be made now", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(html)))
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * patience))
	_, _ = w.Write(html)
}

// make returns the page as it is now.
func (s *Server) make(ctx context.Context) ([]byte, error) {
	select {
	case s.making <- struct{}{}:
		defer func() { <-s.making }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	version, _, _ := s.now()
	if s.made != nil && s.madeOf == version {
		return s.made, nil
	}
	begun := time.Now()
	v, err := s.source(ctx)
	if err != nil {
		return nil, err
	}
	v.version, v.served = version, true
	var b bytes.Buffer
	if err := s.look.write(&b, v); err != nil {
		return nil, err
	}
	s.made, s.madeOf = b.Bytes(), version
	s.took.Store(int64(time.Since(begun)))
	return s.made, nil
}

// events sends one event for each version that the reader does not know yet,
// leaving out those that come too quickly.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	out := http.NewResponseController(w)
	send := func(text string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(patience)) // a reader that does not read is dropped
		_, err := w.Write([]byte(text))
		return err == nil && out.Flush() == nil
	}
	w.Header().Set("Content-Type", "text/event-stream")
	known, _ := strconv.ParseUint(r.URL.Query().Get("after"), 10, 64)
	if !send("retry: 2000\n\n") || r.Method == http.MethodHead {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		version, changed, ended := s.now()
		if version != known {
			known = version
			if !send("data: changed\n\n") || !s.rest(r.Context()) {
				return
			}
			continue
		}
		if ended {
			send("event: end\ndata: ended\n\n")
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			if !send(":\n\n") {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// rest waits between two pages, unless the run has ended. A page that takes long
// to make, because the journal has grown, is made less often. It reports false
// when ctx is done before.
func (s *Server) rest(ctx context.Context) bool {
	const share = 10 // pages take at most one part in so many of a processor
	t := time.NewTimer(max(s.options.Every, share*time.Duration(s.took.Load())))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.over:
		return true
	case <-ctx.Done():
		return false
	}
}

// A limit accepts no more connections than may be open at once.
type limit struct {
	net.Listener
	free   chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept waits for room, then for a connection.
func (l *limit) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &limitedConn{Conn: c, free: l.free}, nil
}

// Close ends Accept too when it waits for room.
func (l *limit) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A limitedConn gives its room back when it is closed.
type limitedConn struct {
	net.Conn
	free chan struct{}
	once sync.Once
}

// Close closes the connection, once or more often.
func (c *limitedConn) Close() error {
	c.once.Do(func() { <-c.free })
	return c.Conn.Close()
}
