package wire_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/changeover-go/changeover/internal/wire"
)

// No call leaves a connection or a goroutine behind, whatever became of it. The
// environment names a proxy that nobody must use: who stands between is named
// by Options.Dial. It is set before the first call, since net/http looks once.
func TestMain(m *testing.M) {
	if err := os.Setenv("HTTPS_PROXY", "http://127.0.0.1:1"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const (
	host   = "sc.example.test"
	secret = "PASSWORD-0123456789"
)

// identity makes a certificate for host that signs itself and is good for
// longer than any clock of a test shows.
func identity(t testing.TB, change func(*x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2190, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// A server holds one conversation for every connection.
type server struct {
	wg   sync.WaitGroup
	talk func(conn net.Conn)
}

// dial connects to the server over the loopback.
func (s *server) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.wg.Go(func() {
		defer ln.Close()
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		s.talk(conn)
	})
	return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
}

// pipe connects to the server without a network, for a clock that the test
// turns.
func (s *server) pipe(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	s.wg.Go(func() {
		defer theirs.Close()
		s.talk(theirs)
	})
	return ours, nil
}

// request is a request that contains what must not be printed.
func request(t testing.TB) wire.Request {
	t.Helper()
	u, err := url.Parse("https://" + host + "/path?q=" + secret)
	require.NoError(t, err)
	return wire.Request{Method: http.MethodPost, URL: u, Header: http.Header{"Authorization": {secret}}, Body: []byte("<body>" + secret + "</body>")}
}

// answering is a server that reads one request and gives that answer.
func answering(certificate tls.Certificate, answer string) *server {
	return &server{talk: func(conn net.Conn) {
		c := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}})
		r, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
		_ = c.CloseWrite() // who has hung up need not hear it
	}}
}

// ask makes one call to a server that gives that answer.
func ask(t *testing.T, answer string) (wire.Answer, error) {
	t.Helper()
	certificate, roots := identity(t, nil)
	s := answering(certificate, answer)
	defer s.wg.Wait()
	c, err := wire.New(wire.Options{TLS: &tls.Config{RootCAs: roots}, Dial: s.dial})
	require.NoError(t, err)
	return c.Do(t.Context(), request(t))
}
