//go:build unix

package command_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf16"
)

// uploaded is the one answer to UploadLicense.
const uploaded = `{"version":1,"method":"UploadLicense"}`

// behave is a program that behaves in one of many ways, most of them bad.
func behave(how string, args []string) int {
	switch how {
	case "says": // stdout (quoted), stderr, exit code
		_, _ = io.Copy(io.Discard, os.Stdin)
		stdout, _ := strconv.Unquote(args[0])
		fmt.Print(stdout)
		fmt.Fprint(os.Stderr, args[1])
		code, _ := strconv.Atoi(args[2])
		return code
	case "keeps": // its request in a file, and says stdout
		f, err := os.OpenFile(args[0], os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			return 1
		}
		defer f.Close()
		if _, err := io.Copy(f, os.Stdin); err != nil {
			return 1
		}
		fmt.Print(args[1])
	case "writes": // so many bytes of that, after an answer
		_, _ = io.Copy(io.Discard, os.Stdin)
		n, _ := strconv.Atoi(args[1])
		fmt.Print(uploaded)
		chunk := bytes.Repeat([]byte(args[0]), 1<<10)
		for ; n > 0; n -= len(chunk) {
			if _, err := os.Stdout.Write(chunk); err != nil {
				break
			}
		}
	case "chatters": // so many lines on stderr
		_, _ = io.Copy(io.Discard, os.Stdin)
		n, _ := strconv.Atoi(args[0])
		for i := range n {
			fmt.Fprintln(os.Stderr, "line", i+1)
		}
		fmt.Print(uploaded)
	case "forever": // writes without an end, even when nobody reads
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		// Nothing is allocated in the loop: there is no collector ([options]), and
		// it goes on until it is killed, or for a minute.
		chunk := bytes.Repeat([]byte("{"), 1<<16)
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if _, err := syscall.Write(1, chunk); err != nil && !errors.Is(err, syscall.EPIPE) {
				return 1
			}
		}
	case "reports": // what it was given, on stderr
		_, _ = io.Copy(io.Discard, os.Stdin)
		dir, _ := os.Getwd()
		fmt.Fprintln(os.Stderr, "folder:", dir)
		for _, e := range os.Environ() {
			fmt.Fprintln(os.Stderr, "environment:", e)
		}
		for _, a := range os.Args {
			fmt.Fprintln(os.Stderr, "argument:", a)
		}
		for fd := 3; fd < 50; fd++ {
			if at, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil && !strings.HasPrefix(at, "anon_inode:") {
				fmt.Fprintln(os.Stderr, "open:", fd, at)
			}
		}
		fmt.Print(uploaded)
	case "signals itself":
		n, _ := strconv.Atoi(args[0])
		fmt.Print(uploaded)
		_ = syscall.Kill(os.Getpid(), syscall.Signal(n))
		wait()
	case "does not read":
		fmt.Print(uploaded)
	case "hangs": // the ways to hang
		fmt.Print(uploaded)
		if strings.Contains(args[0], "after closing stdout") {
			_ = os.Stdout.Close()
		}
		if strings.Contains(args[0], "deaf to signals") {
			signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
		}
		fmt.Fprintln(os.Stderr, "waiting")
		wait()
	case "leaves behind": // a child: how, and the address that it calls
		_, _ = io.Copy(io.Discard, os.Stdin)
		child := exec.Command(os.Args[0], "behave", "stays", args[1])
		child.Env = os.Environ()
		if strings.Contains(args[0], "holds the output") {
			child.Stdout, child.Stderr = os.Stdout, os.Stderr
		}
		if strings.Contains(args[0], "in a session of its own") {
			child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		}
		if err := child.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		// We go on when the test has heard of the child.
		if conn, err := net.Dial("tcp", args[1]); err == nil {
			_, _ = conn.Write([]byte("p"))
			_, _ = io.Copy(io.Discard, conn)
		}
		fmt.Print(uploaded)
		if strings.Contains(args[0], "and hangs") {
			wait()
		}
	case "stays": // until it is killed, or the test has ended
		conn, err := net.Dial("tcp", args[0])
		if err != nil {
			return 1
		}
		_, _ = conn.Write([]byte("c"))
		_, _ = io.Copy(io.Discard, conn)
	case "betrays": // prints what it was given: form, where, exit code
		request, _ := io.ReadAll(os.Stdin)
		var q struct {
			Code string `json:"code"`
			File []byte `json:"file"`
		}
		_ = json.Unmarshal(request, &q)
		secret := []byte(q.Code)
		if len(q.File) > 0 {
			secret = q.File
		}
		text := forms()[args[0]](request, secret)
		if args[1] == "stdout" {
			fmt.Print(text)
		} else {
			fmt.Fprintln(os.Stderr, text)
		}
		code, _ := strconv.Atoi(args[2])
		return code
	}
	return 0
}

// wait waits until it is killed; a test that has gone wrong does not leave it
// behind for good.
func wait() { <-time.NewTimer(time.Minute).C }

// forms are the ways to print a secret.
func forms() map[string]func(request, secret []byte) string {
	return map[string]func(request, secret []byte) string{
		"the whole request":  func(request, _ []byte) string { return string(request) },
		"as it is":           func(_, secret []byte) string { return "got " + string(secret) },
		"in lower case":      func(_, secret []byte) string { return strings.ToLower(string(secret)) },
		"quoted":             func(_, secret []byte) string { return strconv.Quote(string(secret)) },
		"in hex":             func(_, secret []byte) string { return hex.EncodeToString(secret) },
		"as a hex dump":      func(_, secret []byte) string { return hex.Dump(secret) },
		"in base64":          func(_, secret []byte) string { return base64.StdEncoding.EncodeToString(secret) },
		"in URL base64":      func(_, secret []byte) string { return base64.RawURLEncoding.EncodeToString(secret) },
		"in lines of base64": func(_, secret []byte) string { return wrapped(base64.StdEncoding.EncodeToString(secret), 76) },
		"in decimal":         func(_, secret []byte) string { return fmt.Sprint(secret) },
		"in UTF-16":          func(_, secret []byte) string { return wide(string(secret)) },
		"as a key of JSON": func(_, secret []byte) string {
			b, _ := json.Marshal(map[string]int{string(secret): 1})
			return string(b)
		},
		"as a method": func(_, secret []byte) string {
			b, _ := json.Marshal(string(secret))
			return `{"version":1,"method":` + string(b) + `}`
		},
		"as a value": func(_, secret []byte) string {
			b, _ := json.Marshal(string(secret))
			return `{"version":` + string(b) + `}`
		},
		"as a time": func(_, secret []byte) string {
			b, _ := json.Marshal(string(secret))
			return `{"version":1,"method":"UploadLicense","testimony":[{"by":"x","at":` + string(b) + `}]}`
		},
	}
}

func wrapped(s string, n int) string {
	var b strings.Builder
	for ; len(s) > n; s = s[n:] {
		b.WriteString(s[:n] + "\r\n")
	}
	return b.String() + s
}

func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}
