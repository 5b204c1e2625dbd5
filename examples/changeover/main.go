// Changeover moves an OutSystems infrastructure from one activation code to
// another, and back, from a terminal. All that it does is done by the packages
// of github.com/changeover-go/changeover; how they are put together is in
// internal/verbs, and which adapters answer in internal/wiring.
//
//	changeover init       write a plan file
//	changeover plan       read every environment and say what will happen
//	changeover apply      do it
//	changeover status     how it stands, at any time
//
// It exits with 0 Completed, 2 RolledBack, 3 Held (a person must act), 4 Mixed,
// and 1 for anything else.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/changeover-go/changeover/examples/changeover/internal/verbs"
)

func main() {
	// The first signal ends the context, and with it what is going on at its
	// next safe point; a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(verbs.Run(ctx, os.Args[1:], verbs.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
