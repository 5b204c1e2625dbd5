package simulator

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/internal/printable"
)

// What the simulated systems accept unless [Options] say otherwise. They are
// made up. The password has the form of one that was hashed before (facts.md
// 3.2): it is compared, and never computed.
const (
	DefaultUser     = "simulated.admin"
	DefaultPassword = "#simulated-0123456789abcdef"
	DefaultToken    = "simulated-lifetime-token"
)

// Options say how the world is served. The zero value is ready to use.
type Options struct {
	// Address is where to listen, a loopback address with a port; empty:
	// 127.0.0.1 and any free port.
	Address string
	// Dir keeps the world, what the servers remember of it, and the
	// certificate over restarts and kills (not over a loss of power). The
	// activation codes and license files in it are in the clear. One simulator
	// at a time may have it, which nothing checks. Empty: nothing is kept.
	Dir string
	// User and Password are the one account of all Service Centers, of their
	// pages and of the vendor's. Empty: DefaultUser, DefaultPassword.
	User, Password string
	// Token is LifeTime's; empty: DefaultToken.
	Token string
	// Scenario is what is to go wrong. It is ignored when Dir keeps a world
	// already: that goes on with what it began with.
	Scenario Scenario
	// Log gets a line for every effect that was really applied, in order; nil:
	// nobody does. Errors of connections are not logged.
	Log io.Writer
}

// A Simulator is a world that is being served. It is safe for concurrent use.
type Simulator struct {
	world    *fake.World
	accounts accounts
	admin    string // token of the admin endpoint
	dir      string
	log      io.Writer
	listener net.Listener
	server   *http.Server
	pem      []byte
	roots    *x509.CertPool
	closed   chan struct{}
	served   chan struct{}  // closed when the server has stopped
	requests sync.WaitGroup // under way
	closing  sync.Once

	mu     sync.Mutex
	memory memory
	kept   []byte // what was saved last
	logged int    // effects that were logged
	hung   chan struct{}
	ended  bool  // no request is taken up any more
	err    error // of the first time that the world could not be kept
}

// Limits of what is read from a client.
const (
	maxBody    = 16 << 20
	maxHeader  = 64 << 10
	readLimit  = 30 * time.Second
	hungBuffer = 1 << 16
)

// Start serves the world until [Simulator.Close]. With Options.Dir it first
// replaces w's content by the world that is kept there, if one is. The world
// may be used and changed meanwhile by its own methods.
func Start(w *fake.World, o *Options) (*Simulator, error) {
	if o == nil {
		o = new(Options)
	}
	s := &Simulator{
		world: w, dir: o.Dir, log: o.Log,
		accounts: accounts{either(o.User, DefaultUser), either(o.Password, DefaultPassword), either(o.Token, DefaultToken)},
		admin:    rand.Text(), closed: make(chan struct{}), served: make(chan struct{}),
	}
	kept, err := s.load()
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s.logged = len(w.Effects())
	if err := s.listen(either(o.Address, "127.0.0.1:0")); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if !kept { // last, since it keeps the world
		if err := s.Inject(o.Scenario.Faults...); err != nil {
			return nil, errors.Join(err, s.listener.Close())
		}
	}
	go func() {
		defer close(s.served)
		_ = s.server.ServeTLS(s.listener, "", "") // ends with Close
	}()
	return s, nil
}

func either(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}

// listen opens the port and gets the certificate ready.
func (s *Simulator) listen(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not a loopback address: a simulation is for this machine only", printable.Text(address))
	}
	hosts := append(ownHosts(), PortalHost, AdminHost)
	for _, env := range s.world.Infrastructure().Environments {
		if u, err := url.Parse(env.ServiceCenter); err == nil && u.Hostname() != "" && !slices.Contains(hosts, strings.ToLower(u.Hostname())) {
			hosts = append(hosts, strings.ToLower(u.Hostname()))
		}
	}
	pair, certPEM, err := certificate(s.dir, hosts)
	if err != nil {
		return err
	}
	s.pem, s.roots = certPEM, x509.NewCertPool()
	if !s.roots.AppendCertsFromPEM(certPEM) {
		return errors.New("the certificate cannot be read")
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			if s.refusesTLS(hello.ServerName) {
				return nil, errors.New("this host is not to be reached")
			}
			return nil, nil
		},
	}
	if s.listener, err = net.Listen("tcp", address); err != nil {
		return err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // faults cut connections, so each has one request at a time
	s.server = &http.Server{
		Handler: http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.handle)), TLSConfig: config, Protocols: protocols,
		ReadHeaderTimeout: readLimit, ReadTimeout: 2 * readLimit, IdleTimeout: readLimit, MaxHeaderBytes: maxHeader,
		// What goes wrong with a connection is a fault that was asked for, or the
		// client's affair.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	return nil
}

// Close stops serving and waits until nothing is under way any more. It
// returns the first error of keeping the world.
func (s *Simulator) Close() error {
	s.closing.Do(func() {
		s.mu.Lock()
		s.ended = true
		s.mu.Unlock()
		close(s.closed)
		_ = s.server.Close()
		<-s.served
		s.requests.Wait()
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep()
	return s.err
}

// URL is the simulator's own address, https://127.0.0.1:port. A browser finds
// every page from there.
func (s *Simulator) URL() string { return "https://" + s.listener.Addr().String() }

// TLS is the configuration of clients: it trusts the simulator's certificate
// and no other.
func (s *Simulator) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots.Clone()}
}

// CertificatePEM is the simulator's certificate, for clients of other kinds.
func (s *Simulator) CertificatePEM() []byte { return slices.Clone(s.pem) }

// Dial connects every host to the simulator, so that addresses need no name
// service. It is for the options of adapters.
func (s *Simulator) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.listener.Addr().String())
}

// World is the world that is served.
func (s *Simulator) World() *fake.World { return s.world }

// AdminToken is what the header [AdminHeader] has to hold at the admin
// endpoint. It is another one with every start.
func (s *Simulator) AdminToken() string { return s.admin }

// Hang makes the simulator receive every request from now on and answer none;
// nothing of them is done. The channel gets a value for each.
func (s *Simulator) Hang() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hung == nil {
		s.hung = make(chan struct{}, hungBuffer)
	}
	return s.hung
}

// User is the user name of the one account.
func (s *Simulator) User() string { return s.accounts.user }

// Password is the password of the one account. It is made up, unless the
// options gave one.
func (s *Simulator) Password() string { return s.accounts.password }

// Token is LifeTime's token. It is made up, unless the options gave one.
func (s *Simulator) Token() string { return s.accounts.token }
