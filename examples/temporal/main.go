// Temporal moves OutSystems infrastructures on a Temporal server: workers carry
// the changeovers out, and everybody else starts them, looks at them and
// decides, from anywhere. It is there to be copied: ports, in world.go, is where
// your adapters go; until then they reach a simulated infrastructure.
//
//	temporal worker              carry out what is started
//	temporal start plan.json     start the changeover of a plan
//	temporal status Acme         how it stands, at any time
//
// The verbs that say how a changeover stands exit with 0 Completed,
// 2 RolledBack, 3 Held (a person must act), 4 Mixed; all verbs exit with 1 for
// anything else.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
)

func main() {
	// The first signal ends what is going on; a second one ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], surroundings{out: os.Stdout, errOut: os.Stderr, getenv: os.Getenv}))
}

// surroundings are what the program finds around itself.
type surroundings struct {
	out, errOut io.Writer
	getenv      func(string) string
}

// A program is one call of a verb.
type program struct {
	surroundings
	address, namespace, queue string
}

// A verb is what the program can do.
type verb struct {
	name, args, doc string
	// prepare defines the flags of the verb and returns what carries it out:
	// it gets as many arguments as args has words, and returns the exit code.
	prepare func(p *program, flags *flag.FlagSet) func(ctx context.Context, c client.Client, args []string) (int, error)
}

func run(ctx context.Context, args []string, s surroundings) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		usage(s.out)
		return 0
	}
	for _, v := range verbs() {
		if v.name != args[0] {
			continue
		}
		code, err := v.call(ctx, args[1:], s)
		if err != nil {
			fmt.Fprintf(s.errOut, "temporal %s: %v\n", v.name, err)
		}
		return code
	}
	fmt.Fprintf(s.errOut, "temporal: there is no verb %q; see temporal help\n", args[0])
	return 1
}

func usage(out io.Writer) {
	fmt.Fprintln(out, "Changeovers on a Temporal server.")
	fmt.Fprintln(out)
	for _, v := range verbs() {
		fmt.Fprintf(out, "  temporal %-40s %s\n", strings.TrimSpace(v.name+" "+v.args), v.doc)
	}
	fmt.Fprintln(out, "\nFlags come first, after the verb; temporal VERB -help lists them.")
}

// call reads the flags, reaches the server and carries the verb out.
func (v verb) call(ctx context.Context, args []string, s surroundings) (int, error) {
	p := &program{surroundings: s}
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	flags.SetOutput(s.errOut)
	flags.Usage = func() {
		fmt.Fprintf(s.errOut, "temporal %s [flags] %s\n\n%s.\n\n", v.name, v.args, v.doc)
		flags.PrintDefaults()
	}
	flags.StringVar(&p.address, "address", or(s.getenv("TEMPORAL_ADDRESS"), client.DefaultHostPort), "the `address` of the server; default: TEMPORAL_ADDRESS")
	flags.StringVar(&p.namespace, "namespace", or(s.getenv("TEMPORAL_NAMESPACE"), client.DefaultNamespace), "the `namespace`; default: TEMPORAL_NAMESPACE")
	flags.StringVar(&p.queue, "queue", "changeover", "the task queue that workers and changeovers meet at")
	do := v.prepare(p, flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0, nil
	case err != nil:
		return 1, nil // the flags have said it
	}
	if want := len(strings.Fields(v.args)); flags.NArg() != want {
		return 1, fmt.Errorf("it wants %d arguments, %s, and got %d: %q (flags come first)", want, or(v.args, "none"), flags.NArg(), flags.Args())
	}
	c, err := client.DialContext(ctx, client.Options{HostPort: p.address, Namespace: p.namespace, Logger: p.logger()})
	if err != nil {
		return 1, fmt.Errorf("no Temporal server answers at %s (-address, or TEMPORAL_ADDRESS): %w", p.address, err)
	}
	defer c.Close()
	code, err := do(ctx, c, flags.Args())
	if err != nil && code == 0 {
		code = 1
	}
	return code, err
}

// logger says what the Temporal SDK warns of.
func (p *program) logger() sdklog.Logger {
	return sdklog.NewStructuredLogger(slog.New(slog.NewTextHandler(p.errOut, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
