// Command temporal is the benchmark's Temporal contender: a Temporal server on
// a SQLite file, a worker, and a client, in one process. It is a module and a
// process of its own because the server brings some two hundred modules along
// and wants a newer Go line than the rest.
//
// It is told where to keep its database, and says on standard output, as one
// line of JSON, how it is set up, once it is ready. Then it answers each line
// of JSON on standard input, a request to carry out instances, with another.
// It ends when standard input does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
)

// A request asks for new instances.
type request struct {
	Instances int `json:"instances"`
	InFlight  int `json:"inFlight"`
}

// An answer says how the program is set up, or what came of a request.
type answer struct {
	Version  string `json:"version,omitempty"`
	Settings string `json:"settings,omitempty"`
	Error    string `json:"error,omitempty"`
	// Marks has, for each instance, when the effect of each step was carried
	// out, in nanoseconds of the wall clock since 1970.
	Marks   [][steps]int64 `json:"marks,omitempty"`
	Mallocs uint64         `json:"mallocs,omitempty"` // of the request
	Bytes   uint64         `json:"bytes,omitempty"`   // of heap, allocated during the request
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "temporal:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) (err error) {
	if len(args) != 1 {
		return errors.New("the one argument is the directory to keep the database in")
	}
	s, err := start(ctx, filepath.Join(args[0], "temporal.sqlite"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	answers := json.NewEncoder(out)
	if err := answers.Encode(answer{Version: version(), Settings: settings}); err != nil {
		return err
	}
	requests := json.NewDecoder(in)
	for {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		marks, err := s.carryOut(ctx, r)
		runtime.ReadMemStats(&after)
		a := answer{Marks: marks, Mallocs: after.Mallocs - before.Mallocs, Bytes: after.TotalAlloc - before.TotalAlloc}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == "go.temporal.io/server" {
			return m.Version
		}
	}
	return "unknown"
}
