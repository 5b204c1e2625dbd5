package wire_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// clean checks that an error can be printed and repeats nothing of the request.
func clean(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
	require.NotContains(t, err.Error(), "\x1b")
	require.Equal(t, printable.Whole(err.Error()), err.Error())
	require.Less(t, len(err.Error()), 2000)
}

// uncertain checks that err leaves open whether the request took effect.
func uncertain(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, adapters.ErrUncertain)
	require.NotErrorIs(t, err, adapters.ErrNotReached)
	clean(t, err)
}

// unsent checks that err says that nothing was sent.
func unsent(t *testing.T, err error) {
	t.Helper()
	require.Same(t, adapters.ErrNotReached, adapters.ConditionOf(err))
	clean(t, err)
}

func TestBaseTakesHTTPSAddressesOnly(t *testing.T) {
	for address, want := range map[string]string{
		"https://sc.example.test":         "https://sc.example.test",
		"https://sc.example.test/":        "https://sc.example.test",
		"HTTPS://sc.example.test:8443/x/": "https://sc.example.test:8443/x",
	} {
		u, err := wire.Base(address)
		require.NoError(t, err)
		require.Equal(t, want, u.String())
	}
	for name, tt := range map[string]struct{ address, why string }{
		"plain http":                    {"http://sc.example.test", "plain http"},
		"plain http in capitals":        {"HTTP://sc.example.test", "plain http"},
		"no scheme":                     {"sc.example.test", "not of the form"},
		"another scheme":                {"ftp://sc.example.test", "not of the form"},
		"a scheme alone":                {"https:sc.example.test", "not of the form"},
		"no host":                       {"https:///path", "not of the form"},
		"a port alone":                  {"https://:443", "not of the form"},
		"nothing":                       {"", "not of the form"},
		"a password":                    {"https://admin:" + secret + "@sc.example.test", "password"},
		"a user":                        {"https://" + secret + "@sc.example.test", "user name"},
		"a query":                       {"https://sc.example.test?a=b", "query"},
		"an empty query":                {"https://sc.example.test?", "query"},
		"a fragment":                    {"https://sc.example.test#a", "fragment"},
		"a control character":           {"https://sc.example.test/\x1b[2J", "the address is none"},
		"text that is reordered":        {"http://sc\u202e.example.test", "plain http"},
		"half an escape":                {"https://sc.example.test/%zz", "the address is none"},
		"a password and half an escape": {"https://admin:" + secret + "@sc.example.test/%zz", "the address is none"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.Base(tt.address)
			require.ErrorContains(t, err, tt.why)
			clean(t, err)
		})
	}
}

func TestNewRefusesWhatIsNotSafe(t *testing.T) {
	_, err := wire.New(wire.Options{TLS: &tls.Config{InsecureSkipVerify: true}})
	require.ErrorIs(t, err, wire.ErrUnverified)
	_, err = wire.New(wire.Options{TLS: &tls.Config{ServerName: "one.example.test"}})
	require.ErrorContains(t, err, "ServerName", "every server would be taken for that one")
	_, err = wire.New(wire.Options{Timeout: -time.Second})
	require.ErrorContains(t, err, "cannot be negative")
}

func TestARequestThatIsNotHTTPSIsNotSent(t *testing.T) {
	dialed := false
	c, err := wire.New(wire.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
		dialed = true
		return nil, errors.New("dialed")
	}})
	require.NoError(t, err)
	for _, u := range []*url.URL{nil, {}, {Scheme: "http", Host: host}, {Scheme: "HTTPS", Host: host}, {Scheme: "file", Path: "/etc"}} {
		_, err := c.Do(t.Context(), wire.Request{Method: http.MethodGet, URL: u})
		unsent(t, err)
	}
	_, err = c.Do(t.Context(), wire.Request{Method: "NO METHOD", URL: request(t).URL})
	unsent(t, err)
	r := request(t)
	r.Header = http.Header{"X-Bad": {"a\r\nb"}}
	_, err = c.Do(t.Context(), r)
	unsent(t, err)
	require.False(t, dialed)
}

func TestOnlyAVerifiedServerIsSentAnything(t *testing.T) {
	_, elsewhere := identity(t, nil)
	for name, tt := range map[string]struct {
		change func(*x509.Certificate)
		client func(*tls.Config)
		server func(*tls.Config)
	}{
		"signed by nobody that is trusted":  {client: func(c *tls.Config) { c.RootCAs = x509.NewCertPool() }},
		"signed by itself, known to nobody": {client: func(c *tls.Config) { c.RootCAs = nil }},
		"signed by another":                 {change: func(c *x509.Certificate) { c.SerialNumber.SetInt64(2); c.Subject.CommonName = "other" }, client: func(c *tls.Config) { c.RootCAs = elsewhere }},
		"for another host":                  {change: func(c *x509.Certificate) { c.DNSNames = []string{"other.example.test"} }},
		"for no host":                       {change: func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, host }},
		"for a host with a hostile name":    {change: func(c *x509.Certificate) { c.DNSNames = []string{"\x1b[2J.example.test"} }},
		"expired":                           {change: func(c *x509.Certificate) { c.NotAfter = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"not valid yet":                     {change: func(c *x509.Certificate) { c.NotBefore = time.Date(2180, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"over TLS 1.1":                      {server: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }},
		"over TLS 1.1, which the client would take": {
			client: func(c *tls.Config) { c.MinVersion = tls.VersionTLS10 },
			server: func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 },
		},
		"not up to what the client insists on": {client: func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, server: func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }},
	} {
		t.Run(name, func(t *testing.T) {
			certificate, roots := identity(t, tt.change)
			client, config := &tls.Config{RootCAs: roots}, &tls.Config{Certificates: []tls.Certificate{certificate}}
			if tt.client != nil {
				tt.client(client)
			}
			if tt.server != nil {
				tt.server(config)
			}
			sent := make(chan string, 1)
			s := &server{talk: func(conn net.Conn) {
				b, _ := io.ReadAll(tls.Server(conn, config)) // an error: nothing came
				sent <- string(b)
			}}
			c, err := wire.New(wire.Options{TLS: client, Dial: s.dial})
			require.NoError(t, err)
			_, err = c.Do(t.Context(), request(t))
			s.wg.Wait()
			unsent(t, err)
			require.Empty(t, <-sent)
		})
	}
}

func TestTheClientTakesACopyOfTheConfiguration(t *testing.T) {
	certificate, roots := identity(t, nil)
	config := &tls.Config{RootCAs: roots}
	s := answering(certificate, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	c, err := wire.New(wire.Options{TLS: config, Dial: s.dial})
	require.NoError(t, err)
	config.RootCAs = nil
	_, err = c.Do(t.Context(), request(t))
	require.NoError(t, err)
	require.Zero(t, config.MinVersion)
	s.wg.Wait()
}

// The request is what was asked for, and a connection is not used again.
func TestWhatIsSent(t *testing.T) {
	certificate, roots := identity(t, nil)
	var got []string
	s := &server{talk: func(conn net.Conn) {
		c := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}})
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprint(r.Method, " ", r.Host, r.RequestURI, " ", r.Proto, " ", r.Header, " ", r.Close, " ", string(body)))
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: TEXT/XML; charset=UTF-8\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi")
		_ = c.CloseWrite()
	}}
	client, err := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}, Dial: s.dial})
	require.NoError(t, err)
	u, err := url.Parse("https://" + host + "/a%20b?c=d")
	require.NoError(t, err)
	for range 2 {
		answer, err := client.Do(t.Context(), wire.Request{Method: http.MethodPost, URL: u, Header: http.Header{"Content-Type": {"text/xml"}, "SOAPAction": {`"x"`}}, Body: []byte("body")})
		require.NoError(t, err)
		require.Equal(t, wire.Answer{Status: 200, Type: "text/xml", Body: []byte("hi")}, answer)
		s.wg.Wait()
	}
	want := "POST " + host + `/a%20b?c=d HTTP/1.1 map[Connection:[close] Content-Length:[4] Content-Type:[text/xml] Soapaction:["x"] User-Agent:[Go-http-client/1.1]] true body`
	require.Equal(t, []string{want, want}, got)
}

func answer(header, body string) string {
	return "HTTP/1.1 200 OK\r\n" + header + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
}

func TestAnswersThatAreTaken(t *testing.T) {
	for name, tt := range map[string]struct {
		answer string
		want   wire.Answer
	}{
		"without a body":               {"HTTP/1.1 204 No Content\r\n\r\n", wire.Answer{Status: 204, Body: []byte{}}},
		"without a content type":       {answer("", "hi"), wire.Answer{Status: 200, Body: []byte("hi")}},
		"of a content type":            {answer("Content-Type: application/json\r\n", "{}"), wire.Answer{Status: 200, Type: "application/json", Body: []byte("{}")}},
		"with a charset":               {answer("Content-Type: application/json; charset=\"Utf-8\"\r\n", "{}"), wire.Answer{Status: 200, Type: "application/json", Body: []byte("{}")}},
		"in ASCII":                     {answer("Content-Type: text/plain; charset=US-ASCII\r\n", "hi"), wire.Answer{Status: 200, Type: "text/plain", Body: []byte("hi")}},
		"that say they are plain":      {answer("Content-Encoding: Identity\r\n", "hi"), wire.Answer{Status: 200, Body: []byte("hi")}},
		"in pieces":                    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", wire.Answer{Status: 200, Body: []byte("hi")}},
		"that end with the connection": {"HTTP/1.1 200 OK\r\n\r\nhi", wire.Answer{Status: 200, Body: []byte("hi")}},
		"of failure":                   {"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nhi", wire.Answer{Status: 500, Body: []byte("hi")}},
		"after an early hint":          {"HTTP/1.1 103 Early\r\n\r\n" + answer("", "hi"), wire.Answer{Status: 200, Body: []byte("hi")}},
		"as long as is read":           {answer("", strings.Repeat("x", wire.MaxAnswer)), wire.Answer{Status: 200, Body: []byte(strings.Repeat("x", wire.MaxAnswer))}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, tt.answer)
			require.NoError(t, err)
			require.True(t, got.Status == tt.want.Status && got.Type == tt.want.Type && string(got.Body) == string(tt.want.Body), "%d %s %d bytes", got.Status, got.Type, len(got.Body))
		})
	}
}

func TestAnswersThatAreRefusedLeaveADoubt(t *testing.T) {
	const nasty = "\u202e\u0085"
	for name, tt := range map[string]struct{ answer, why string }{
		"a redirect to another host":         {"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example.test/?" + secret + "\r\nContent-Length: 0\r\n\r\n", "redirects to https://elsewhere.example.test;"},
		"a redirect to plain http":           {"HTTP/1.1 301 Moved\r\nLocation: http://" + host + "/\r\nContent-Length: 0\r\n\r\n", "redirects to http://" + host},
		"a redirect to the same host":        {"HTTP/1.1 307 Again\r\nLocation: https://" + host + "/login\r\nContent-Length: 0\r\n\r\n", "redirects to https://" + host},
		"a redirect to a path":               {"HTTP/1.1 308 Again\r\nLocation: /login?" + secret + "\r\nContent-Length: 0\r\n\r\n", "another path of the same host"},
		"a redirect to nowhere":              {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "no address"},
		"a redirect to what is no address":   {"HTTP/1.1 302 Found\r\nLocation: https://%zz" + nasty + "\r\nContent-Length: 0\r\n\r\n", ""},
		"a redirect with a password":         {"HTTP/1.1 302 Found\r\nLocation: https://a:" + secret + "@elsewhere.example.test/\r\nContent-Length: 0\r\n\r\n", "https://elsewhere.example.test;"},
		"a redirect to a hostile name":       {"HTTP/1.1 302 Found\r\nLocation: https://" + nasty + ".example.test/\r\nContent-Length: 0\r\n\r\n", "redirects"},
		"300":                                {"HTTP/1.1 300 Choices\r\nContent-Length: 0\r\n\r\n", "redirects to no address"},
		"more than is read":                  {answer("", strings.Repeat("x", wire.MaxAnswer+1)), "more than 8388608 bytes"},
		"more than is read, in pieces":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n900000\r\n" + strings.Repeat("x", 0x900000) + "\r\n0\r\n\r\n", "more than 8388608 bytes"},
		"compression that was not asked for": {answer("Content-Encoding: gzip\r\n", "\x1f\x8b"), "encoded as gzip"},
		"a hostile encoding":                 {answer("Content-Encoding: "+nasty+"\r\n", "x"), "encoded as"},
		"another charset":                    {answer("Content-Type: text/xml; charset=utf-16\r\n", "x"), "charset utf-16"},
		"a charset of bytes":                 {answer("Content-Type: text/xml; charset=iso-8859-1\r\n", "x"), "charset iso-8859-1"},
		"a hostile charset":                  {answer("Content-Type: text/xml; charset=\""+nasty+"\"\r\n", "x"), "charset"},
		"a content type that is none":        {answer("Content-Type: ;;"+nasty+"\r\n", "x"), "which is none"},
		"less than it says":                  {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhi", "cut off after 2 bytes"},
		"pieces that end too early":          {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", "cut off"},
		"pieces that are none":               {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + nasty + "\r\n", ""},
		"two lengths":                        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", ""},
		"a header that is too long":          {"HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", 100<<10) + "\r\n\r\n", ""},
		"a header that is none":              {"HTTP/1.1 200 OK\r\n" + nasty + "\r\n\r\n", ""},
		"hints without end":                  {strings.Repeat("HTTP/1.1 103 Early\r\n\r\n", 100), ""},
		"another protocol":                   {"SSH-2.0-" + nasty + "\r\n", ""},
		"half a header":                      {"HTTP/1.1 200 OK\r\nContent-Ty", ""},
		"half a line":                        {"HTTP/1.", ""},
		"nothing":                            {"", ""},
		"a status that is none":              {"HTTP/1.1 xyz OK\r\n\r\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, tt.answer)
			require.Equal(t, wire.Answer{}, got)
			require.ErrorContains(t, err, tt.why)
			uncertain(t, err)
		})
	}
}

// The points at which a conversation can break off, in order.
const (
	beforeDial   = "before there is a connection"
	beforeTLS    = "before TLS"
	inHandshake  = "in the handshake"
	afterTLS     = "behind the handshake"
	afterRequest = "behind the request"
	inHeader     = "in the header of the answer"
	inBody       = "in the body of the answer"
)

func points() []string {
	return []string{beforeDial, beforeTLS, inHandshake, afterTLS, afterRequest, inHeader, inBody}
}

// known reports whether what breaks off there was provably never sent.
func known(point string) bool {
	return point == beforeDial || point == beforeTLS || point == inHandshake
}

// upTo holds the conversation up to a point, and calls stop there. In a
// handshake the server has read the first bytes, but not answered.
func upTo(point string, config *tls.Config, stop func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		defer stop(conn)
		switch point {
		case beforeTLS:
			return
		case inHandshake:
			_, _ = io.ReadFull(conn, make([]byte, 16))
			return
		}
		c := tls.Server(conn, config)
		if c.Handshake() != nil || point == afterTLS {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		switch point {
		case inHeader:
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
		case inBody:
			_, _ = io.WriteString(c, answer("", "0123456789")[:45])
		}
	}
}

// silent waits until the other side has hung up.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// A server that falls silent at any point is given up at the deadline, or when
// the caller gives up, and nothing is left. The clock is that of the test.
func TestASilentServerIsGivenUp(t *testing.T) {
	certificate, roots := identity(t, nil)
	for _, point := range points() {
		for _, timeout := range []time.Duration{0, 3 * time.Second} {
			t.Run(fmt.Sprintf("%s, at the deadline of %v", point, timeout), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					took, err := fallSilent(t, point, certificate, roots, timeout, func(context.CancelFunc) {})
					limit := timeout
					if limit == 0 {
						limit = wire.DefaultTimeout
					}
					require.LessOrEqual(t, took, limit)
					require.Positive(t, took)
					if !known(point) || timeout > 0 {
						require.ErrorContains(t, err, fmt.Sprintf("no answer within %v", limit))
					}
				})
			})
		}
		t.Run(point+", when the caller gives up", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := fallSilent(t, point, certificate, roots, 0, func(cancel context.CancelFunc) {
					synctest.Wait() // now everything waits for the server
					cancel()
				})
				require.Zero(t, took)
				require.ErrorIs(t, err, context.Canceled)
			})
		})
	}
}

// fallSilent makes a call to a server that falls silent at a point, checks what
// it answers, and says how long it took.
func fallSilent(t *testing.T, point string, certificate tls.Certificate, roots *x509.CertPool, timeout time.Duration, meanwhile func(context.CancelFunc)) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &server{talk: upTo(point, &tls.Config{Certificates: []tls.Certificate{certificate}}, silent)}
	dial := s.pipe
	if point == beforeDial {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	c, err := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}, Dial: dial, Timeout: timeout})
	require.NoError(t, err)
	began := time.Now()
	done := make(chan error, 1)
	go func() {
		_, err := c.Do(ctx, request(t))
		done <- err
	}()
	meanwhile(cancel)
	err = <-done
	took := time.Since(began)
	if known(point) {
		unsent(t, err)
	} else {
		uncertain(t, err)
	}
	s.wg.Wait()
	require.Equal(t, took, time.Since(began), "the connection ends with the call")
	return took, err
}

// A server that resets the connection, over a real one.
func TestAConnectionThatIsResetAtEachPoint(t *testing.T) {
	certificate, roots := identity(t, nil)
	for _, point := range points()[1:] {
		for name, stop := range map[string]func(net.Conn){
			"reset":  func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) },
			"closed": func(net.Conn) {},
		} {
			t.Run(name+" "+point, func(t *testing.T) {
				s := &server{talk: upTo(point, &tls.Config{Certificates: []tls.Certificate{certificate}}, stop)}
				c, err := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}, Dial: s.dial})
				require.NoError(t, err)
				_, err = c.Do(t.Context(), request(t))
				if known(point) {
					unsent(t, err)
				} else {
					uncertain(t, err)
				}
				s.wg.Wait()
			})
		}
	}
}

func TestAServerThatCannotBeDialedIsNotReached(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := ln.Addr().String()
	require.NoError(t, ln.Close())
	for name, address := range map[string]string{"nobody listens": gone, "there is no such host": "nowhere.invalid."} {
		t.Run(name, func(t *testing.T) {
			c, err := wire.New(wire.Options{Timeout: 5 * time.Second})
			require.NoError(t, err)
			_, err = c.Do(t.Context(), wire.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: address}})
			unsent(t, err)
		})
	}
	t.Run("the dialer says why", func(t *testing.T) {
		c, err := wire.New(wire.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, errors.New("jump host\x1b[2J\u202e")
		}})
		require.NoError(t, err)
		_, err = c.Do(t.Context(), request(t))
		require.ErrorContains(t, err, `jump host\u001b[2J\u202e`)
		unsent(t, err)
	})
	t.Run("the context is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c, err := wire.New(wire.Options{})
		require.NoError(t, err)
		_, err = c.Do(ctx, request(t))
		require.ErrorIs(t, err, context.Canceled)
		unsent(t, err)
	})
}

func TestTextTakesWhatTheCallerCanRead(t *testing.T) {
	b, err := wire.Answer{Status: 200, Type: "text/xml", Body: []byte("\ufeff<a/>")}.Text("application/json", "text/xml")
	require.NoError(t, err)
	require.Equal(t, "<a/>", string(b))
	for name, a := range map[string]wire.Answer{
		"another type":   {Status: 200, Type: "text/plain", Body: []byte("<a/>")},
		"no type":        {Status: 200, Body: []byte("<a/>")},
		"a page":         {Status: 200, Type: "text/html", Body: []byte("<a/>")},
		"a hostile type": {Status: 200, Type: "text/\u202e", Body: []byte("<a/>")},
		"not UTF-8":      {Status: 200, Type: "text/xml", Body: []byte("<a\xff/>")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Text("text/xml")
			clean(t, err)
		})
	}
}

func TestConditionsOfStatuses(t *testing.T) {
	want := map[int]*adapters.Condition{
		401: adapters.ErrPermission, 403: adapters.ErrPermission, 429: adapters.ErrBusy,
		404: adapters.ErrUnsupported, 405: adapters.ErrUnsupported, 410: adapters.ErrUnsupported, 501: adapters.ErrUnsupported,
	}
	for status := range 1000 {
		require.Same(t, want[status], wire.Answer{Status: status}.Condition(), "%d", status)
	}
}
