package command_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/changeover-go/changeover/adapters/command"
)

// The test binary is every program that the tests start: the first argument
// says which.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "relay":
			os.Exit(relay(os.Args[2], os.Args[3]))
		case "behave":
			os.Exit(behave(os.Args[2], os.Args[3:]))
		}
	}
	goleak.VerifyTestMain(m)
}

// options are those of the test binary, started with the arguments.
func options(t testing.TB, args ...string) command.Options {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return command.Options{Path: path, Args: args, Env: append(quietly(t), "GOMAXPROCS=1", "GOGC=off", "GOMEMLIMIT=256MiB"), Describe: "the program"}
}

// quietly is what keeps the test binary from doing more than it is told when it
// ends: the race detector would sleep for a second, and what measures coverage
// would say on stderr that it has nowhere to write.
func quietly(t testing.TB) []string {
	dir, err := os.MkdirTemp("", "changeover-coverage-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // a program that was left behind may just be writing there
	return []string{"GORACE=atexit_sleep_ms=0", "GOCOVERDIR=" + dir}
}

// program returns a program with those options.
func program(t testing.TB, o command.Options) *command.Program {
	t.Helper()
	p, err := command.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A relayed ending is what the process of the test has answered a program.
type relayed struct {
	Code     int
	Out, Err []byte
}

// relay is a program that hands its request on to the process of the test, and
// ends as it is told.
func relay(address, token string) int {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer conn.Close()
	var answer relayed
	_, err = io.WriteString(conn, token)
	if err == nil {
		_, err = io.Copy(conn, os.Stdin)
	}
	if err == nil {
		err = conn.(*net.TCPConn).CloseWrite()
	}
	if err == nil {
		err = json.NewDecoder(conn).Decode(&answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, _ = os.Stdout.Write(answer.Out)
	_, _ = os.Stderr.Write(answer.Err)
	return answer.Code
}
