// Command bench measures changeover beside what a user would take instead, and
// beside what the machine can do with nothing around it. It is for those who
// decide whether changeover is fast enough, and for those who change it; it is
// a module of its own so that no peer reaches the module that it measures.
//
//	go run . -run all -out ../../docs   measure everything, write the page
//	go run . -run steps,replay          measure a part, print the page
//	go run . check                      assert the ratios that may not get worse
//	go run . check -one-by-one          the same without batching, which must fail
//	go run . scale                      measure many infrastructures in one process
//	go run . mutants                    show that, and that a missing sync is found elsewhere
//
// What it measures is on disk: -dir chooses which. It says nothing about how
// fast real portals are, which is what an infrastructure waits for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/migration/journal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	dir, run, out, raw, temporal string
	cpuProfile                   string
	lies, oneByOne               bool
	rounds, repetitions          int
	instances, inFlight          int
	budget                       time.Duration
}

// enough measurements of one thing are for benchstat to say how far they can be
// trusted.
const enough = 6

func run(ctx context.Context, args []string, out, log io.Writer) (err error) {
	verb := "run"
	if len(args) > 0 && slices.Contains([]string{"check", "mutants", "once", "scale"}, args[0]) {
		verb, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	var o options
	flags.StringVar(&o.dir, "dir", os.TempDir(), "measure on the disk of this `directory`")
	flags.BoolVar(&o.lies, "lies", false, "measure although the disk lies about sync")
	flags.StringVar(&o.temporal, "temporal", "", "use this `program`, built from the module ./temporal; default: build it")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write where the time goes into this `file`, for go tool pprof")
	rounds := enough
	if verb == "mutants" {
		rounds = 3 // what a planted mistake does is no matter of a few hundredths
	}
	flags.IntVar(&o.rounds, "rounds", rounds, "compare in this many rounds")
	switch verb {
	case "run":
		flags.StringVar(&o.run, "run", "all", "measure these `parts`: ratios, steps, memory, replay, kernel, plan")
		flags.StringVar(&o.out, "out", "", "write the page and its plots into this `folder`; default: print the page")
		flags.StringVar(&o.raw, "raw", "", "write every single measurement into this `file`, for benchstat")
		flags.IntVar(&o.repetitions, "repetitions", enough, "repeat each load so often")
		flags.DurationVar(&o.budget, "budget", time.Minute, "spend so long on the loads of each contender; what does not fit in is named")
	case "check":
		flags.BoolVar(&o.oneByOne, "one-by-one", false, "append each entry by itself, to see that the check notices")
	case "once":
		flags.IntVar(&o.instances, "instances", 1, "how many instances")
		flags.IntVar(&o.inFlight, "in-flight", 1, "how many at once")
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if flags.NArg() > 0 && verb != "once" {
		return fmt.Errorf("%q is more than %s takes; see -help", flags.Args(), verb)
	}
	p, err := newPlace(o.dir, o.lies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.remove()) }()
	if o.cpuProfile != "" {
		f, err := os.Create(o.cpuProfile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	b := bench{place: p, rounds: o.rounds}
	switch verb {
	case "check":
		if o.oneByOne {
			b.wrap = func(s journal.Store) journal.Store { return contender.OneByOne{Store: s} }
		}
		return check(ctx, b, out)
	case "scale":
		return scale(ctx, p, out)
	case "mutants":
		return plant(ctx, b, o.dir, out)
	case "once":
		for _, c := range contenders(o.temporal) {
			if c.Name() == flags.Arg(0) {
				return once(ctx, c, p, load{o.instances, o.inFlight}, out)
			}
		}
		return fmt.Errorf("there is no contender %q", flags.Arg(0))
	default:
		r := &report{bench: b, temporal: o.temporal, out: o.out, raw: o.raw, log: log, profiled: o.cpuProfile != "",
			effort: effort{repetitions: o.repetitions, budget: o.budget, least: 200 * time.Millisecond}}
		return r.write(ctx, o.run, out)
	}
}
