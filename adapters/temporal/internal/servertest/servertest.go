// Package servertest starts a real Temporal server, examples/temporal/local, in
// a process of its own. It is for tests of this module. A test whose server
// cannot be built or started fails; it is never skipped.
package servertest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A Server is a process that serves Temporal on the loopback interface.
type Server struct {
	Address   string
	Namespace string

	file  string
	args  []string
	cmd   *exec.Cmd
	stdin io.Closer // its end is the server's
}

// Hurry is an argument with which the waits of workflows take no time. What
// waits for a person with a deadline is then over at once.
const Hurry = "-hurry"

// Start starts a server, which is stopped when the test is over.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := &Server{Address: "127.0.0.1:0", file: filepath.Join(t.TempDir(), "temporal.sqlite"), args: args}
	s.Go(t)
	t.Cleanup(s.stop)
	return s
}

// Go starts the server again where it was, after Kill: it goes on with what it
// knew.
func (s *Server) Go(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// Kill ends the server as a crash does.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // that it was killed
}

// shared is the one server of most tests.
var shared struct {
	sync.Mutex
	dir    string
	server *Server
}

// Shared returns a server that many tests use. Run stops it.
func Shared(t testing.TB) *Server {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		s := &Server{Address: "127.0.0.1:0", file: filepath.Join(filepath.Dir(program), "shared.sqlite")}
		s.Go(t)
		shared.server = s
	}
	return shared.server
}

// Run runs the tests of a package and cleans up afterwards. It is for TestMain.
func Run(m *testing.M) int {
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.stop()
	}
	_ = os.RemoveAll(shared.dir) // empty: nothing was built
	return code
}

// built builds the program, once for all tests of a package.
var built = sync.OnceValues(func() (string, error) {
	module, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("where is this module: %w", err)
	}
	dir, err := os.MkdirTemp("", "changeover-temporal-")
	if err != nil {
		return "", err
	}
	shared.Lock()
	shared.dir = dir
	shared.Unlock()
	program := filepath.Join(dir, "local")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, ".") // without symbols: half as long
	build.Dir = filepath.Join(filepath.Dir(strings.TrimSpace(string(module))), "..", "..", "examples", "temporal", "local")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", build.Dir, err, out)
	}
	return program, nil
})

func (s *Server) start() error {
	program, err := built()
	if err != nil {
		return err
	}
	s.cmd = exec.Command(program, append([]string{"-serve", "-db", s.file, "-address", s.Address}, s.args...)...)
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		_, err = fmt.Sscanf(line, "temporal %s %s", &s.Address, &s.Namespace)
	}
	if err != nil {
		s.Kill()
		return fmt.Errorf("the server said %q: %w", line, err)
	}
	return nil
}

// stop ends the server in its own time.
func (s *Server) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Wait() // also if it was killed
}
