package servicecenter_test

import (
	"bufio"
	"bytes"
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
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

const (
	user     = "zoë & co"
	password = `#made<up"Opaque`
	serial   = license.SerialNumber("QQQ-AAA-BBB-CCC-DDD-EEE-FFF-111")
	other    = license.SerialNumber("OOO-AAA-BBB-CCC-DDD-EEE-FFF-999")
)

func quality() environment.Environment {
	return environment.Environment{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test", Serial: serial}
}

func plan() environment.Infrastructure {
	return environment.Infrastructure{Name: "Example", Environments: []environment.Environment{quality()}}
}

// A reply is what a server does with one request: it writes raw and hangs up.
type reply struct {
	raw   string
	hangs bool // it writes nothing more, and waits for the other side to hang up
}

// answer is a reply with a status, a content type and a body.
func answer(status int, kind, body string) reply {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	if kind != "" {
		head += "Content-Type: " + kind + "\r\n"
	}
	return reply{raw: fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)}
}

// A server gives prepared replies, one for every connection, and keeps the
// requests. Connections are pipes in memory.
type server struct {
	t       *testing.T
	config  *tls.Config
	replies []reply

	mu       sync.Mutex
	requests []string
	received chan struct{} // a value for every request
	open     sync.WaitGroup
}

// identity is a certificate of the made-up servers, and who trusts it.
var identity = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"*.example.test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(10, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
})

func newServer(t *testing.T, replies ...reply) *server {
	t.Helper()
	certificate, _ := identity()
	s := &server{t: t, replies: replies, received: make(chan struct{}, 1000),
		config: &tls.Config{Certificates: []tls.Certificate{certificate}, SessionTicketsDisabled: true}}
	t.Cleanup(s.open.Wait)
	return s
}

func (s *server) tls() *tls.Config {
	_, pool := identity()
	return &tls.Config{RootCAs: pool, CurvePreferences: []tls.CurveID{tls.CurveP256}} // the fastest
}

// dial opens a connection to the server.
func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	s.open.Go(func() { s.serve(newEager(far)) })
	return near, nil
}

// eager is a connection whose writes do not wait for a reader; without it both
// sides of a pipe could wait until the other one reads.
type eager struct {
	net.Conn
	out    chan []byte
	pumped chan struct{}
}

func newEager(c net.Conn) eager {
	e := eager{c, make(chan []byte, 10_000), make(chan struct{})}
	go func() {
		defer close(e.pumped)
		for b := range e.out {
			if _, err := c.Write(b); err != nil {
				_ = c.Close() // nobody reads any more
			}
		}
	}()
	return e
}

func (e eager) Write(b []byte) (int, error) {
	e.out <- bytes.Clone(b)
	return len(b), nil
}

// Close ends the connection when everything was read.
func (e eager) Close() error {
	close(e.out)
	<-e.pumped
	return e.Conn.Close()
}

func (s *server) serve(raw eager) {
	defer raw.Close()
	conn := tls.Server(raw, s.config)
	var seen bytes.Buffer
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &seen)))
	if err != nil {
		_ = raw.Conn.Close() // not this server's certificate, or nobody there
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		_ = raw.Conn.Close()
		return
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, seen.String())
	s.mu.Unlock()
	reply := reply{raw: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}
	if n < len(s.replies) {
		reply = s.replies[n]
	}
	s.received <- struct{}{}
	gone := make(chan struct{})
	s.open.Go(func() { // who hangs up says so, and waits until that is read
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	})
	if _, err := io.WriteString(conn, reply.raw); err != nil {
		return
	}
	if reply.hangs {
		<-gone
	}
}

// sent returns the requests so far.
func (s *server) sent() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// account is where the tests' credentials come from.
func account(context.Context, environment.Environment) (servicecenter.Credential, error) {
	return servicecenter.Credential{User: user, Password: password}, nil
}

// page is a licensing page that somebody has read.
type page struct {
	in  license.Installed
	err error
}

func (p page) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	return p.in, p.err
}

// clock does not wait; it counts. Calls for several environments share it.
type clock struct {
	mu     sync.Mutex
	waited time.Duration
	asleep func(d time.Duration) error // nil: nothing happens
}

func (c *clock) Now() time.Time { return time.Unix(0, 0) }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited += d
	if c.asleep != nil {
		if err := c.asleep(c.waited); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// client returns a client of the server. Changes may be nil.
func (s *server) client(change func(*servicecenter.Options)) *servicecenter.Client {
	s.t.Helper()
	o := servicecenter.Options{
		Credentials: account, Page: page{}, TLS: s.tls(), Dial: s.dial, Clock: new(clock),
	}
	if change != nil {
		change(&o)
	}
	c, err := servicecenter.New(plan(), o)
	require.NoError(s.t, err)
	return c
}

func (s *server) link() servicecenter.BackupLink {
	return servicecenter.BackupLink{Path: "/ServiceCenter/made-up/backup?kind=installed", Credentials: account, TLS: s.tls(), Dial: s.dial}
}

// envelope is a SOAP answer.
func envelope(content string) string {
	return `<?xml version="1.0" encoding="utf-8"?>` +
		`<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` + content + `</soap:Body></soap:Envelope>`
}

// says is a good SOAP answer of an operation.
func says(op, content string) reply {
	return answer(200, "text/xml; charset=utf-8", envelope(`<`+op+`Response xmlns="http://www.outsystems.com">`+content+`</`+op+`Response>`))
}

func info(serial license.SerialNumber) reply {
	return says("GetPlatformInfo", "<Version>11.27.0.43051</Version><Serial>"+string(serial)+"</Serial>")
}

func description(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("testdata/platformservices.wsdl")
	require.NoError(t, err)
	return string(b)
}

const moduleName = "ECT_Provider"

func modules(names ...string) reply {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("<Module><Name>" + name + "</Name><Key>0d5c8e0a-1111-2222-3333-444455556666</Key><Kind>eSpace</Kind></Module>")
	}
	return says("Modules_Get", "<Found>"+b.String()+"</Found>")
}

func published(version int) reply {
	return says("Module_GetVersions", fmt.Sprintf("<All/><Current>%d</Current><Fault>0</Fault>", version))
}

func staged(body string) reply { return answer(200, "application/json; charset=utf-8", body) }

func news(last int, over bool, messages ...string) reply {
	return says("SolutionPack_GetPublishMessages", fmt.Sprintf("<News>%s</News><Last>%d</Last><Over>%v</Over>", strings.Join(messages, ""), last, over))
}

func message(kind, text, detail string) string {
	return fmt.Sprintf("<Item><Message>%s</Message><Detail>%s</Detail><Type>%s</Type></Item>", text, detail, kind)
}

func goOn() reply    { return says("SolutionPack_PublishContinue", "") }
func aborted() reply { return says("SolutionPack_PublishAbort", "") }

// upTo are the replies of a republish up to the start of the publish.
func upTo(t *testing.T, start reply, rest ...reply) []reply {
	t.Helper()
	return append([]reply{answer(200, "text/xml; charset=utf-8", description(t)), modules("Other", moduleName), published(7), start}, rest...)
}

// means is what an error asserts: the name of a condition, or "unknown".
func means(err error) string {
	switch condition := adapters.ConditionOf(err); {
	case err == nil:
		return "done"
	case condition != nil:
		return condition.Condition()
	}
	return "unknown"
}
