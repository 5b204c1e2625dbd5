package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Serve is the other side, for programs written in Go: it reads one request
// from in, calls the port of set that it is for, writes the answer to out and
// the reason why there is none to errOut, and returns the exit code of the
// program. A port that set does not have is answered with
// [adapters.ErrUnsupported].
//
//	func main() {
//		os.Exit(command.Serve(ctx, adapters.Set{ServiceCenter: console}, os.Stdin, os.Stdout, os.Stderr))
//	}
func Serve(ctx context.Context, set adapters.Set, in io.Reader, out, errOut io.Writer) int {
	var mu sync.Mutex
	var said []testimony
	ctx = adapters.WithWitness(ctx, func(t adapters.Testimony) {
		mu.Lock()
		defer mu.Unlock()
		said = append(said, testimony(t))
	})
	name, body, err := serve(ctx, set, in)
	mu.Lock()
	defer mu.Unlock()
	if err != nil {
		body = none{}
	}
	if err == nil || len(said) > 0 {
		text, broken := write(answerHead{schemaVersion, name, said}, body)
		if broken == nil {
			_, broken = out.Write(append(text, '\n'))
		}
		if broken != nil { // the caller will see half an answer, or none
			err = fmt.Errorf("writing the answer: %w: %w", adapters.ErrUncertain, broken)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(errOut, printable.Error(license.Mask{}.Error(err))) // the exit code says the same
	}
	return exitCode(err)
}

// serve answers one request.
func serve(ctx context.Context, set adapters.Set, in io.Reader) (method string, answer any, err error) {
	text, err := io.ReadAll(io.LimitReader(in, maxMessage+1))
	if err != nil {
		return "", nil, fmt.Errorf("reading the request: %w", err)
	}
	// What is called has to be known before anything can be held against it.
	var head requestHead
	if len(text) <= maxMessage {
		_ = json.Unmarshal(text, &head) // read again, strictly, below
	}
	for _, m := range methods() {
		port, name := m.names()
		if head.Version == schemaVersion && head.Port == port && head.Method == name {
			answer, err := m.answer(ctx, set, text)
			if err != nil {
				return name, nil, err
			}
			return name, answer, nil
		}
	}
	if head.Version == 0 {
		return "", nil, fmt.Errorf("the request cannot be read: it is not one JSON object of at most %d bytes", maxMessage)
	}
	return "", nil, fmt.Errorf("this program does not know %s.%s of version %d: %w",
		printable.Text(head.Port), printable.Text(head.Method), head.Version, adapters.ErrUnsupported)
}
