// Command local moves a simulated infrastructure on a Temporal server, with a
// worker and a server of its own, and prints what happens. With -serve it is a
// server, for trying things out and for tests, and not for production: it lets
// everybody in. It is a module of its own because the server brings some two
// hundred modules along.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(errOut)
	serveOnly := flags.Bool("serve", false, "be a server and nothing else: print `temporal ADDRESS NAMESPACE` when ready, and end with standard input or a signal")
	file := flags.String("db", "", "keep what the server knows in this `file`, and go on with what is there; default: nothing is kept")
	address := flags.String("address", "127.0.0.1:0", "serve `address`; port 0 is any that is free")
	hurry := flags.Bool("hurry", false, "let the waits of workflows take no time, as they do without -serve")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	dir, err := os.MkdirTemp("", "temporal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if !*serveOnly {
		return demonstrate(ctx, dir, *address, out)
	}
	if *file == "" {
		*file = filepath.Join(dir, "temporal.sqlite")
	}
	return serve(ctx, *file, *address, *hurry, in, out)
}

// serve runs a server until in ends or ctx is done.
func serve(ctx context.Context, file, address string, hurry bool, in io.Reader, out io.Writer) error {
	s, err := startServer(file, address, hurry)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in) // an end is an end, whatever the reason
		close(ended)
	}()
	_, err = fmt.Fprintf(out, "temporal %s %s\n", s.address, namespace)
	if err == nil {
		select {
		case <-ctx.Done():
		case <-ended:
		}
	}
	return errors.Join(err, s.Stop())
}
