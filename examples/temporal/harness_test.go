package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
)

// asProgram has the test binary be the program itself, so that tests have
// processes to kill.
const asProgram = "CHANGEOVER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		go func() { // it does not outlive the test
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		code := run(ctx, os.Args[1:], surroundings{out: os.Stdout, errOut: os.Stderr, getenv: os.Getenv})
		stop()
		os.Exit(code)
	}
	code := m.Run()
	if dir, err := builtServer(); err == nil {
		_ = os.RemoveAll(filepath.Dir(dir))
	}
	os.Exit(code)
}

// builtServer builds the local server once.
var builtServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "changeover-local-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "local")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "local"
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the local server: %w\n%s", err, out)
	}
	return program, nil
})

// A process is one that tests start, talk to and kill.
type process struct {
	cmd   *exec.Cmd
	stdin io.Closer
	first string // line of its output
	said  *safeBuffer
	ended chan struct{}
}

// begin starts a process and returns when it has said its first line.
func begin(cmd *exec.Cmd) (*process, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, stdin: stdin, said: new(safeBuffer), ended: make(chan struct{})}
	cmd.Stderr = p.said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewReader(out)
	p.first, err = lines.ReadString('\n')
	go func() {
		_, _ = io.Copy(p.said, lines)
		_ = cmd.Wait()
		close(p.ended)
	}()
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("%s said nothing: %w\n%s", filepath.Base(cmd.Path), err, p.said)
	}
	return p, nil
}

// kill gives the process no chance.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// end asks it to end.
func (p *process) end() {
	_ = p.stdin.Close()
	<-p.ended
}

// A safeBuffer may be read while it is written.
type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A server is a Temporal server in a process of its own, in which waits take no
// time.
type server struct {
	*process
	address, file string
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{address: "127.0.0.1:0", file: filepath.Join(t.TempDir(), "db")}
	require.NoError(t, s.start())
	t.Cleanup(func() { s.kill() })
	return s
}

// start starts the server, again where it was before.
func (s *server) start() (err error) {
	program, err := builtServer()
	if err != nil {
		return err
	}
	s.process, err = begin(exec.Command(program, "-serve", "-hurry", "-db", s.file, "-address", s.address))
	if err != nil {
		return err
	}
	words := strings.Fields(s.first)
	if len(words) != 3 || words[0] != "temporal" {
		return errors.New("the server said " + s.first)
	}
	s.address = words[1]
	return nil
}

func (s *server) dial(t *testing.T) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: s.address, Logger: silent()})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// verb calls the program in this process.
func (s *server) verb(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e safeBuffer
	code = run(t.Context(), args, surroundings{out: &o, errOut: &e, getenv: s.getenv})
	return code, o.String(), e.String()
}

func (s *server) getenv(name string) string {
	return map[string]string{"TEMPORAL_ADDRESS": s.address, "USER": "ada"}[name]
}

// worker starts the verb worker in a process of its own.
func (s *server) worker(state string, args ...string) (*process, error) {
	cmd := exec.Command(os.Args[0], append([]string{"worker", "-address", s.address, "-state", state}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return begin(cmd)
}
