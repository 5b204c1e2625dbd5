package wiring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/printable"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// maxValue is how large a credential may be, and maxFile a file that is
// trusted.
const (
	maxValue = 64 << 10
	maxFile  = 1 << 20
)

// Follow returns what a value of a plan file stands for. One line ending at the
// end of a file, or of what a program prints, does not belong to it. Its error
// says where nothing was found, and nothing of what was.
func Follow(ctx context.Context, v planfile.Value) (string, error) {
	switch {
	case v.Env != "":
		s := os.Getenv(v.Env)
		if s == "" {
			return "", fmt.Errorf("the environment variable %s is not set", v.Env)
		}
		return s, nil
	case v.File != "":
		b, err := readSmall(v.File)
		if err != nil {
			return "", err
		}
		return one(b, printable.Text(v.File))
	case v.Command != nil:
		return ask(ctx, v.Command)
	}
	return v.Literal, nil
}

// ask runs a program that knows a credential.
func ask(ctx context.Context, args []string) (string, error) {
	name := printable.Text(filepath.Base(args[0]))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	out := &limited{}
	cmd.Stdout = out // stderr is dropped: nobody knows what is in it
	// A helper may leave another process behind, an agent, that keeps stdout
	// open: it is not waited for.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if _, ended := errors.AsType[*exec.ExitError](err); ended {
			return "", fmt.Errorf("the program %s gave no credential: %w", name, err)
		}
		return "", fmt.Errorf("the program %s could not be started", name)
	}
	return one(out.Bytes(), "what the program "+name+" printed")
}

// limited keeps a little more than a credential may have.
type limited struct{ bytes.Buffer }

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	if room := maxValue + 1 - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func one(b []byte, where string) (string, error) {
	s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	switch {
	case s == "":
		return "", fmt.Errorf("%s is empty", where)
	case len(b) > maxValue:
		return "", fmt.Errorf("%s is too large", where)
	case strings.ContainsAny(s, "\r\n\x00"):
		return "", fmt.Errorf("%s has more than one line", where)
	}
	return s, nil
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New(printable.Error(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("the file is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", printable.Text(name), printable.Error(err))
	}
	return b, nil
}

func lookPath(name string) (string, error) {
	found, err := exec.LookPath(name)
	if err == nil {
		found, err = filepath.Abs(found)
	}
	if err != nil {
		return "", fmt.Errorf("there is no program %s", printable.Text(name))
	}
	return found, nil
}
