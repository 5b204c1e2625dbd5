package verbs_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/environment"

	"github.com/changeover-go/changeover/examples/changeover/internal/verbs"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"changeover": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			context.AfterFunc(ctx, stop)
			os.Exit(verbs.Run(ctx, os.Args[1:], verbs.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
		},
		// A LifeTime that does not know Development.
		"three-environments": func() {
			os.Exit(command.Serve(context.Background(), adapters.Set{LifeTime: three{}}, os.Stdin, os.Stdout, os.Stderr))
		},
		// A program that nobody may start.
		"trap": func() {
			_ = os.WriteFile(os.Args[1], []byte("started\n"), 0o600)
			os.Exit(1)
		},
	})
}

type three struct{ adapters.LifeTime }

func (three) Registered(context.Context) ([]environment.Registered, error) {
	return []environment.Registered{
		{Name: "Production", Address: "prd.example.test"}, {Name: "Quality", Address: "qua.example.test"},
	}, nil
}

// patience is how long something that is to happen is waited for.
const patience = 30 * time.Second

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, params("testdata/script"))
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("NO_COLOR", "1")
			s := &session{dir: env.WorkDir, started: map[string]*started{}}
			env.Values[key{}] = s
			env.Defer(s.end)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "start": start, "signal": send, "await": await, "ended": ended,
			"approved": approved, "silent": silent, "document": document,
		},
	}
}

type key struct{}

// A session is one script: the processes in its background, and all that was
// said.
type session struct {
	dir     string
	started map[string]*started
	said    bytes.Buffer
}

type started struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func of(ts *testscript.TestScript) *session { return ts.Value(key{}).(*session) }

func (s *session) end() {
	for _, p := range s.started {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// exits CODE COMMAND...: runs it to its end.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var ended *exec.ExitError
		if !errors.As(err, &ended) {
			ts.Fatalf("%v", err)
		}
		code = ended.ExitCode()
	}
	s := of(ts)
	s.said.WriteString(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if code != want || neg {
		ts.Fatalf("it exits with %d, not %d", code, want)
	}
}

// start NAME FILE COMMAND...: runs it in the background, with stdout and stderr
// into the file.
func start(ts *testscript.TestScript, _ bool, args []string) {
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	path, err := exec.LookPath(args[2])
	if err != nil {
		path = filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[2])
	}
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "NO_COLOR=1", "GOCOVERDIR=" + ts.Getenv("GOCOVERDIR")}
	cmd.Stdout, cmd.Stderr = out, out
	ts.Check(cmd.Start())
	p := &started{cmd: cmd, done: make(chan struct{})}
	of(ts).started[args[0]] = p
	go func() {
		_ = cmd.Wait() // ended looks at the state
		_ = out.Close()
		close(p.done)
	}()
}

// signal NAME INT|KILL|TERM: sends it.
func send(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).started[args[0]]
	ts.Check(p.cmd.Process.Signal(map[string]os.Signal{"INT": os.Interrupt, "KILL": os.Kill, "TERM": syscall.SIGTERM}[args[1]]))
}

// ended NAME CODE: waits for its end; -1 is that by a signal.
func ended(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).started[args[0]]
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	if code := strconv.Itoa(p.cmd.ProcessState.ExitCode()); code != args[1] {
		ts.Fatalf("it exits with %s, not %s", code, args[1])
	}
}

// await FILE TEXT: waits until the file has it, or with ! until it has not.
func await(ts *testscript.TestScript, neg bool, args []string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	over := time.After(patience)
	for {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Contains(b, []byte(args[1])) != neg {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			ts.Fatalf("waited in vain for %q in %s, which has:\n%s", args[1], args[0], b)
		}
	}
}

// approved FILE: puts the digest of a saved plan into DIGEST.
func approved(ts *testscript.TestScript, _ bool, args []string) {
	var p struct{ Digest string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &p))
	ts.Setenv("DIGEST", p.Digest[:12])
}

// document: what was written to stdout is one JSON document.
func document(ts *testscript.TestScript, _ bool, _ []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var v any
	ts.Check(d.Decode(&v))
	if d.More() {
		ts.Fatalf("there is more than one document")
	}
}

// silent: no secret is in anything that was said or kept, except where it
// belongs.
func silent(ts *testscript.TestScript, _ bool, _ []string) {
	s := of(ts)
	secrets := map[string]string{
		"AAA.AAA.A1A": "source", "BBB.BBB.B1B": "target", "#simulated-": "password", "simulated-lifetime-token": "token", "canary": "canary",
	}
	licenses := 0
	ts.Check(filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".lic" {
			return err
		}
		b, err := os.ReadFile(path)
		licenses++
		part := b[len(b)/2:][:24]
		for _, form := range []string{string(part), base64.StdEncoding.EncodeToString(part[:len(part)/3*3]), hex.EncodeToString(part)} {
			secrets[form] = "license " + path
		}
		return err
	}))
	look := func(where string, b []byte) {
		for secret, what := range secrets {
			if bytes.Contains(b, []byte(secret)) {
				ts.Fatalf("%s: the %s is shown", where, what)
			}
		}
	}
	look("what was said", s.said.Bytes())
	looked := 0
	ts.Check(filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "simulation" || d.Name() == "backups" || d.Name() == "copies" || d.Name() == "desk" || d.Name() == "given" || d.Name() == ".tmp") {
				return filepath.SkipDir
			}
			return err
		}
		if filepath.Ext(path) == ".yaml" {
			return nil // it is the plan file, or the copy of it
		}
		b, err := os.ReadFile(path)
		looked++
		look(path, b)
		return err
	}))
	if s.said.Len() == 0 {
		ts.Fatalf("there was nothing to look at")
	}
	fmt.Fprintf(ts.Stdout(), "looked at %d files, for %d licenses\n", looked, licenses)
}

func TestTheCanariesAreFound(t *testing.T) {
	// silent is no check unless it can fail.
	s := &session{dir: t.TempDir(), started: map[string]*started{}}
	f := &failing{T: t}
	testscript.RunT(f, testscript.Params{
		Dir: "testdata/leaks",
		Setup: func(env *testscript.Env) error {
			s.dir = env.WorkDir
			env.Values[key{}] = s
			return nil
		},
		Cmds: params("").Cmds,
	})
	require.True(t, f.failed)
	require.Contains(t, f.log.String(), "said.txt: the token is shown")
}

// failing is a test that is to fail.
type failing struct {
	*testing.T
	failed bool
	log    strings.Builder
}

func (f *failing) Run(_ string, run func(testscript.T)) {
	defer func() { _ = recover() }()
	run(f)
}
func (f *failing) Log(args ...any)   { fmt.Fprintln(&f.log, args...) }
func (f *failing) FailNow()          { f.failed = true; panic("failed") }
func (f *failing) Fatal(args ...any) { f.Log(args...); f.FailNow() }
func (f *failing) Skip(args ...any)  { f.Fatal(args...) }
func (f *failing) Verbose() bool     { return false }
func (f *failing) Parallel()         {}
