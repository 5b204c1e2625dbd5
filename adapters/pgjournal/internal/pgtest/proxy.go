package pgtest

import (
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// A Proxy stands between a client and a server and can cut their connection after
// any byte. It listens on a Unix socket.
type Proxy struct {
	dir, to string

	mu       sync.Mutex
	armed    bool
	cut      Cut
	counted  [2]int // bytes since Arm, by direction
	record   [2][]byte
	refusing bool
	onCut    func()
	open     [][2]net.Conn // to the client and the server
	left     []net.Conn    // to the server, which was not told of the cut
}

// A Cut says when a connection is cut, and how.
type Cut struct {
	FromServer bool // the direction whose bytes count
	After      int  // so many bytes are let through; negative: it is never cut
	Silent     bool // the server is not told: its side stays open
}

// NewProxy starts a proxy before the server. It ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	p := &Proxy{dir: t.TempDir(), to: s.Socket()}
	l, err := net.Listen("unix", filepath.Join(p.dir, ".s.PGSQL.5432"))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.left {
			_ = c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.serve(c)
		}
	}()
	return p
}

// Config says how to connect through the proxy.
func (p *Proxy) Config(t testing.TB, database string, more ...string) *pgx.ConnConfig {
	t.Helper()
	return Parse(t, append([]string{"host=" + p.dir, "user=admin", "sslmode=disable", "dbname=" + database}, more...)...)
}

// Arm has the next bytes counted, of all connections that are open, and one
// connection cut. onCut is called before the client notices; it may be nil.
func (p *Proxy) Arm(cut Cut, onCut func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.cut, p.onCut = true, cut, onCut
	p.counted, p.record = [2]int{}, [2][]byte{}
}

// Disarm ends the counting and returns what was sent since Arm, by the client and
// by the server, and whether the connection was cut.
func (p *Proxy) Disarm() (sent, answered []byte, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cut = !p.armed
	p.armed = false
	return p.record[0], p.record[1], cut
}

// Refuse has new connections closed at once, or no longer.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refuse
}

func (p *Proxy) serve(client net.Conn) {
	p.mu.Lock()
	refusing := p.refusing
	p.mu.Unlock()
	server, err := net.Dial("unix", p.to)
	if err != nil || refusing {
		_ = client.Close()
		if err == nil {
			_ = server.Close()
		}
		return
	}
	p.mu.Lock()
	p.open = append(p.open, [2]net.Conn{client, server})
	p.mu.Unlock()
	go p.pass(0, client, server, client, server)
	go p.pass(1, server, client, client, server)
}

// pass hands on what comes in one direction.
func (p *Proxy) pass(direction int, from, to, client, server net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		allowed, cut, onCut := p.count(direction, buf[:n])
		if allowed > 0 {
			if _, writeErr := to.Write(buf[:allowed]); writeErr != nil && err == nil {
				err = writeErr
			}
		}
		switch {
		case cut:
			p.end(client, server, onCut)
			return
		case err != nil:
			if direction == 0 || !p.isLeft(server) {
				_ = client.Close()
			}
			if !p.isLeft(server) {
				_ = server.Close()
			}
			return
		}
	}
}

// count returns how many of the bytes may pass, and whether the connection is to
// be cut behind them.
func (p *Proxy) count(direction int, b []byte) (allowed int, cut bool, onCut func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.armed || len(b) == 0 {
		return len(b), false, nil
	}
	counts := direction == 0 && !p.cut.FromServer || direction == 1 && p.cut.FromServer
	p.record[direction] = append(p.record[direction], b...)
	if !counts || p.cut.After < 0 || p.counted[direction]+len(b) < p.cut.After {
		p.counted[direction] += len(b)
		return len(b), false, nil
	}
	allowed = p.cut.After - p.counted[direction]
	p.armed = false
	return allowed, true, p.onCut
}

func (p *Proxy) end(client, server net.Conn, onCut func()) {
	p.mu.Lock()
	silent := p.cut.Silent
	if silent {
		p.left = append(p.left, server)
	}
	p.mu.Unlock()
	if !silent {
		_ = server.Close()
	}
	if onCut != nil {
		onCut()
	}
	_ = client.Close()
}

func (p *Proxy) isLeft(server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.left {
		if c == server {
			return true
		}
	}
	return false
}

// CutNow cuts all connections that are open now.
func (p *Proxy) CutNow(silent bool) {
	p.mu.Lock()
	p.armed = false
	p.cut = Cut{Silent: silent}
	open := p.open
	p.open = nil
	p.mu.Unlock()
	for _, c := range open {
		p.end(c[0], c[1], nil)
	}
}
