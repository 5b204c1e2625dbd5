package lifetime_test

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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/environment"
)

const (
	token         = "token-0123456789-abcdef"
	productionKey = "0d1f3a52-9f3e-4c11-8a77-5b1f4f7a0001"
	qualityKey    = "0d1f3a52-9f3e-4c11-8a77-5b1f4f7a0002"
	deploymentKey = "77aa3a52-9f3e-4c11-8a77-5b1f4f7a00d1"
)

var production = environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prd.example.test"}

func plan(address string) environment.Infrastructure {
	return environment.Infrastructure{Name: "acme", Environments: []environment.Environment{
		production, {Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: address},
	}}
}

// A server is a LifeTime whose answers are written out, byte for byte.
type server struct {
	t      *testing.T
	addr   string
	config *tls.Config
	// answer returns what is sent for a request; nothing: the connection is
	// closed. It may block.
	answer func(r *http.Request) string

	mu  sync.Mutex
	raw []string // requests as they came
}

// setUp is how every server and every client of it speaks TLS. Sessions are
// taken up again, since hundreds of servers are made.
var setUp = sync.OnceValues(func() (pair struct{ server, client *tls.Config }, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"lt.example.com"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pair, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return pair, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	curves := []tls.CurveID{tls.X25519}
	pair.server = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, CurvePreferences: curves}
	pair.client = &tls.Config{RootCAs: roots, CurvePreferences: curves, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	return pair, nil
})

// newServer starts a server that is gone when the test ends.
func newServer(t *testing.T, answer func(r *http.Request) string) *server {
	t.Helper()
	pair, err := setUp()
	require.NoError(t, err)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", pair.server)
	require.NoError(t, err)
	s := &server{t: t, addr: ln.Addr().String(), config: pair.client, answer: answer}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, ln.Close())
		wg.Wait()
	})
	return s
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	var raw bytes.Buffer
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
	if err != nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.raw = append(s.raw, raw.String())
	s.mu.Unlock()
	_, _ = io.WriteString(conn, s.answer(r)) // who has given up need not hear it
}

// requests returns the requests so far, as "METHOD path".
func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.raw {
		line, _, _ := strings.Cut(r, " HTTP/1.1\r\n")
		out = append(out, strings.Replace(line, "/lifetimeapi/rest/v2", "", 1))
	}
	return out
}

func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", s.addr)
}

// client returns a client whose LifeTime is the server.
func (s *server) client(change func(*lifetime.Options)) *lifetime.Client {
	s.t.Helper()
	o := lifetime.Options{
		Token: func(context.Context) (string, error) { return token, nil },
		TLS:   s.config, Dial: s.dial,
	}
	if change != nil {
		change(&o)
	}
	c, err := lifetime.New(plan("https://lt.example.com"), o)
	require.NoError(s.t, err)
	return c
}

// reply writes out an answer.
func reply(status int, kind, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, kind, len(body), body)
}

func ok(body string) string { return reply(200, "application/json; charset=utf-8", body) }

const noContent = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"

// documented is an error in the form of the facts (2).
func documented(status int, text string) string {
	return reply(status, "application/json", fmt.Sprintf(`{"Errors":[%q],"StatusCode":%d}`, text, status))
}

// env is an environment as the facts (2.1) have it.
func env(key, name, rest string) string {
	return fmt.Sprintf(`{"Key":"%s","Name":"%s","OSVersion":"11.27.0.1","Order":2,"HostName":"%s.example.test","UseHTTPS":true,`+
		`"EnvironmentType":"","NumberOfFrontEnds":2,"ApplicationServerType":".NET","ApplicationServer":"IIS","DatabaseProvider":"SQLServer"%s}`,
		key, name, strings.ToLower(name), rest)
}

// A world is a LifeTime that answers as the facts say.
type world struct {
	mu          sync.Mutex
	offline     string // JSON of IsOffline; empty: the field is missing
	cloud       bool
	deployments string // the list; empty: there is none
	status      string
	deaf        bool // answers 200 and switches nothing
}

func (w *world) rest() string {
	rest := fmt.Sprintf(`,"IsCloudEnvironment":%v`, w.cloud)
	if w.offline != "" {
		rest += `,"IsOffline":` + w.offline
	}
	return rest
}

func (w *world) answer(r *http.Request) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/lifetimeapi/rest/v2")
	switch {
	case path == "/environments/":
		return ok("[" + env(productionKey, "Production", w.rest()) + "," + env(qualityKey, "Quality", `,"IsCloudEnvironment":false,"IsOffline":false`) + "]")
	case path == "/environments/"+productionKey+"/":
		return ok(env(productionKey, "Production", w.rest()))
	case path == "/environments/"+productionKey+"/maintenancemode" && r.Method == http.MethodPut:
		body, _ := io.ReadAll(r.Body)
		if !w.deaf {
			w.offline = fmt.Sprint(bytes.Contains(body, []byte(`"IsMaintenanceModeEnabled":true`)))
		}
		return reply(200, "text/plain", "")
	case path == "/deployments/" && w.deployments == "" || strings.Contains(r.URL.RawQuery, qualityKey):
		return noContent
	case path == "/deployments/":
		return ok(w.deployments)
	case strings.HasSuffix(path, "/status/"):
		return ok(w.status)
	}
	return documented(404, "no such resource")
}

// deployed is a deployment as the facts (2.2) have it.
func deployed(key, target, started string) string {
	return fmt.Sprintf(`{"Key":"%s","SourceEnvironmentKey":"%s","TargetEnvironmentKey":"%s","DetailsURL":"https://lt.example.com/x","Notes":"Sprint 7",`+
		`"CreatedOn":"2018-10-10T15:02:10.853Z","CreatedBy":"9","CreatedByUsername":"admin","SavedOn":"1900-01-01T00:00:00","SavedBy":"","StartedOn":"%s",`+
		`"StartedBy":"9","AbortedOn":"1900-01-01T00:00:00","ApplicationOperations":[{"ApplicationKey":"a","ApplicationVersionKey":"b","DeploymentOperation":"Deploy","DeploymentZoneKey":""}]}`,
		key, qualityKey, target, started)
}

func status(word, info string) string {
	return fmt.Sprintf(`{"DeploymentStatus":"%s","Info":"%s","DeploymentLog":[{"Instant":"2018-10-10T15:02:10","Message":"Validating","Type":"Info"}]}`, word, info)
}

// No call leaves a connection or a goroutine behind, whatever became of it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
