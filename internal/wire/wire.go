// Package wire makes the HTTPS calls of the adapters and says of each what is
// known of its outcome: answered, provably never sent, or unknown. It is for
// adapters/servicecenter and adapters/lifetime. It knows no protocol above
// HTTP, holds no credentials, keeps no connection, and tries nothing twice.
//
// What it insists on (reliability.md D): https only, TLS 1.2 or newer with a
// verified certificate, no proxy that nobody named, no redirect followed, one
// deadline for every request with its answer, and answers of at most
// [MaxAnswer] bytes of the charset and the form that the caller can read.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
)

const (
	// MaxAnswer is how many bytes an answer may have (reliability.md D).
	MaxAnswer = 8 << 20
	// DefaultTimeout is how long a request and its answer may take.
	DefaultTimeout = 2 * time.Minute

	maxHeader   = 64 << 10         // bytes of an answer's header
	dialTimeout = 15 * time.Second // for the connection, and for TLS on it
)

// Options say how servers are reached. The zero value is ready to use.
type Options struct {
	// TLS is the client's configuration: RootCAs for a private certificate
	// authority, Certificates for servers that ask for one. It may not turn
	// verification off. nil: the system's roots.
	TLS *tls.Config
	// Dial opens the connections, for example through a jump host. It returns
	// when ctx is done. nil: a direct one.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is for one request and its answer; zero: [DefaultTimeout].
	Timeout time.Duration
}

// A Client makes calls. It is safe for concurrent use.
type Client struct {
	tls     *tls.Config
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	timeout time.Duration
}

// ErrUnverified refuses a configuration that would trust any server.
var ErrUnverified = errors.New("TLS.InsecureSkipVerify is set: a license or a password would go to whoever answers; put the certificate authority into TLS.RootCAs instead")

var errOneName = errors.New("TLS.ServerName is set: every server would be taken for that one; leave it out")

// New returns a client. Its error says what is wrong with the options, and wraps
// [ErrUnverified] if they turn verification off.
func New(o Options) (*Client, error) {
	config := new(tls.Config)
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName != "" {
		return nil, errOneName
	}
	if config.InsecureSkipVerify {
		return nil, ErrUnverified
	}
	if o.Timeout < 0 {
		return nil, fmt.Errorf("the time for a request is %v; it cannot be negative", o.Timeout)
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = nil // nothing but HTTP/1.1 is spoken; a configuration that was in use may name others
	c := &Client{tls: config, dial: o.Dial, timeout: o.Timeout}
	if c.timeout == 0 {
		c.timeout = DefaultTimeout
	}
	if c.dial == nil {
		c.dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	return c, nil
}

// client makes a connection for one request: then whether anything was sent is
// a question with an answer. It ends with ctx, and so does opening it, which
// net/http by itself would go on with, for requests to come.
func (c *Client) client(ctx context.Context) *http.Client {
	dial := func(dialing context.Context, network, address string) (net.Conn, error) {
		dialing, cancel := context.WithCancel(dialing)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		conn, err := c.dial(dialing, network, address)
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() }) // it is closed already, or nobody needs it
		}
		return conn, err
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dial, TLSClientConfig: c.tls, TLSHandshakeTimeout: dialTimeout,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Base checks the address of a server and returns it without a slash at the
// end, so that a path can be put behind it. A plan may name the console itself:
// /ServiceCenter at the end is left out. Its error shows no more of the
// address than scheme and host: the rest may be a password.
func Base(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	refuse := func(why string) (*url.URL, error) {
		if u.Host == "" {
			return nil, fmt.Errorf("the address %s", why)
		}
		return nil, fmt.Errorf("the address %s %s", printable.Text(u.Scheme+"://"+u.Host), why)
	}
	switch {
	case err != nil:
		return nil, errors.New("the address is none that can be read; it has to be of the form https://host")
	case strings.EqualFold(u.Scheme, "http"):
		return refuse("is plain http: passwords and licenses go over https only")
	case u.Scheme != "https" || u.Hostname() == "":
		return refuse("is not of the form https://host")
	case u.User != nil:
		return nil, errors.New("the address contains a user name or password: credentials come from their own source")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return refuse("has a query or a fragment: give the server's address only")
	}
	const console = "/servicecenter"
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	if n := len(u.Path) - len(console); n >= 0 && strings.EqualFold(u.Path[n:], console) {
		u.Path = strings.TrimRight(u.Path[:n], "/")
	}
	return u, nil
}

// A Request is what a server is asked.
type Request struct {
	Method string
	URL    *url.URL // https
	Header http.Header
	Body   []byte
}

// An Answer is what a server has said, whatever its status; redirects are not
// among them.
type Answer struct {
	Status int
	Type   string // media type in lower case, for example "text/xml"; empty: none was given
	Body   []byte
}

// Do makes one call. Its error wraps adapters.ErrNotReached when nothing of the
// request was sent, and adapters.ErrUncertain when some of it may have been.
func (c *Client) Do(ctx context.Context, r Request) (Answer, error) {
	if r.URL == nil || r.URL.Scheme != "https" {
		return Answer{}, fmt.Errorf("a request that is not https: %w", adapters.ErrNotReached)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("no answer within %v", c.timeout))
	defer cancel()
	// Once there is a connection with TLS, what is sent cannot be known.
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	failed := func(err error) (Answer, error) {
		meaning := adapters.ErrUncertain
		if !connected.Load() {
			meaning = adapters.ErrNotReached
		}
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return Answer{}, fmt.Errorf("%s: %w: %w", printable.Text(r.URL.Host), meaning, said{err})
	}
	req, err := http.NewRequestWithContext(traced, r.Method, r.URL.String(), body(r.Body))
	if err != nil {
		return failed(err)
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	resp, err := c.client(ctx).Do(req)
	if err != nil {
		err = unwrapped(err)
		if connected.Load() && !ofConnection(err) {
			err = errNoHTTP
		}
		return failed(err)
	}
	defer resp.Body.Close()
	answer, err := read(resp)
	if err != nil {
		return failed(err)
	}
	return answer, nil
}

// errNoHTTP stands for everything that net/http says of an answer that it
// cannot read: it quotes the answer, which may repeat what was sent.
var errNoHTTP = errors.New("what came is no answer in HTTP that can be read")

// ofConnection reports whether an error tells of the connection, and not of
// what came through it.
func ofConnection(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

// said is an error with a text that is safe to print.
type said struct{ error }

func (s said) Error() string { return printable.Text(s.error.Error()) }
func (s said) Unwrap() error { return s.error }

// unwrapped is the error without the address, which may have a query.
func unwrapped(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
