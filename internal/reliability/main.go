// Command reliability runs the reliability programme: tiers that crash, starve,
// deceive and race the library and look for a promise that does not hold. It is
// for those who change the library; docs/reliability.md explains the tiers.
//
//	go run ./internal/reliability [flags] [TIER...]
//
// Without a tier it runs all of them. It prints a table of what each has done,
// and everything that was found broken with the command that shows it again;
// then it exits with 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/enumerate"
	"github.com/changeover-go/changeover/internal/reliability/golden"
	"github.com/changeover-go/changeover/internal/reliability/hostile"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/model"
	"github.com/changeover-go/changeover/internal/reliability/mutants"
	"github.com/changeover-go/changeover/internal/reliability/process"
	"github.com/changeover-go/changeover/internal/reliability/simulate"
	"github.com/changeover-go/changeover/internal/reliability/tamper"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// tiers lists the tiers, those that think before those that do.
func tiers() []tier.Tier {
	return slices.Concat(
		[]tier.Tier{model.Tier(), simulate.Tier(), enumerate.Tier()},
		process.Tiers(),
		[]tier.Tier{tamper.Tier(), golden.Tier(), hostile.Tier(), mutants.Tier()},
	)
}

func main() {
	process.Child()
	debug.SetGCPercent(1000) // the tiers make much garbage and keep little
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the command line says.
type options struct {
	scale   tier.Scale
	seed    uint64
	workers int
	without law.Set
	repeat  string
	dir     string
	permit  []string // parts that may be skipped
	soak    time.Duration
	keep    string // file to which failures of a soak are added
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	all := tiers()
	o := options{workers: runtime.GOMAXPROCS(0), scale: tier.CI}
	flags := flag.NewFlagSet("reliability", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		fmt.Fprintln(errOut, "usage: go run ./internal/reliability [flags] [TIER...]\n\ntiers:")
		for _, t := range all {
			fmt.Fprintf(errOut, "  %-11s %s\n", t.Name, t.Doc)
		}
		fmt.Fprintln(errOut, "\nflags:")
		flags.PrintDefaults()
	}
	flags.Func("scale", "how much to do: `test`, ci (the default)", func(s string) error {
		i := slices.Index([]string{"test", "ci"}, s)
		if i < 0 {
			return fmt.Errorf("must be test or ci")
		}
		o.scale = tier.Scale(i)
		return nil
	})
	flags.Uint64Var(&o.seed, "seed", 1, "the first of the `seed`s; what is done is a function of it")
	flags.IntVar(&o.workers, "workers", o.workers, "how many goroutines may compute at once")
	flags.Func("without", "do not enforce these `laws`, separated by commas, to see what only they notice", func(s string) error {
		for _, number := range strings.Split(s, ",") {
			l, err := law.Parse(number)
			if err != nil {
				return err
			}
			o.without |= law.Of(l)
		}
		return nil
	})
	flags.StringVar(&o.repeat, "repeat", "", "do one `thing` again, as printed after a failure; needs exactly one tier")
	flags.StringVar(&o.dir, "dir", "", "work in this `directory`, which must be on a disk; default: a temporary one")
	flags.Func("permit", "`TIER/PART` that may be skipped where it cannot be done; may be repeated", func(s string) error {
		o.permit = append(o.permit, s)
		return nil
	})
	flags.DurationVar(&o.soak, "soak", 0, "go on with new seeds for this long; then -seed is where to begin")
	flags.StringVar(&o.keep, "keep", "", "add what a soak finds to this `file`, a tier and what to repeat on each line")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return 0
		}
		return 1
	}
	chosen := all
	if flags.NArg() > 0 {
		chosen = nil
		for _, name := range flags.Args() {
			i := slices.IndexFunc(all, func(t tier.Tier) bool { return t.Name == name })
			if i < 0 {
				fmt.Fprintf(errOut, "reliability: there is no tier %q; see -help\n", name)
				return 1
			}
			chosen = append(chosen, all[i])
		}
	}
	if o.repeat != "" && len(chosen) != 1 {
		fmt.Fprintln(errOut, "reliability: -repeat needs exactly one tier")
		return 1
	}
	return o.all(ctx, chosen, out, errOut)
}

// all runs the tiers one after another, again and again in a soak.
func (o *options) all(ctx context.Context, chosen []tier.Tier, out, errOut io.Writer) int {
	until := time.Now().Add(o.soak)
	for {
		failed := o.once(ctx, chosen, out, errOut)
		switch {
		case ctx.Err() != nil:
			fmt.Fprintln(errOut, "reliability: told to stop; what was not finished proves nothing")
			return 1
		case failed:
			return 1
		case o.soak == 0 || time.Now().After(until):
			return 0
		}
		o.seed += 1 << 32 // far from the seeds that a tier counts up to
	}
}

// once runs the tiers and prints the table. It reports whether anything was
// found broken, or not done without permission.
func (o *options) once(ctx context.Context, chosen []tier.Tier, out, errOut io.Writer) (failed bool) {
	fmt.Fprintln(out, "| tier | figures | seed | seconds |")
	fmt.Fprintln(out, "|---|---|---|---|")
	for _, t := range chosen {
		dir, err := o.scratch(t.Name)
		if err != nil {
			fmt.Fprintln(errOut, "reliability:", err)
			return true
		}
		job := &tier.Job{Scale: o.scale, Seed: o.seed, Workers: o.workers, Without: o.without, Dir: dir, Out: errOut, Repeat: o.repeat}
		if o.soak > 0 {
			job.Scale = tier.Soak
			o.slice(ctx, t, job, len(chosen))
		} else {
			t.Do(ctx, job)
		}
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(errOut, "reliability:", err)
		}
		fmt.Fprintln(out, job.Line())
		for _, skipped := range job.Skips() {
			part, _, _ := strings.Cut(skipped, ":")
			verdict := "FAILED: not permitted (-permit " + t.Name + "/" + part + ")"
			if slices.Contains(o.permit, t.Name+"/"+part) {
				verdict = "permitted"
			} else {
				failed = true
			}
			fmt.Fprintf(out, "SKIPPED in %s: %s; %s\n", t.Name, skipped, verdict)
		}
		for _, f := range job.Failures() {
			failed = true
			again := fmt.Sprintf("go run ./internal/reliability -seed %d %s", o.seed, t.Name)
			if f.Repeat != "" {
				again = fmt.Sprintf("go run ./internal/reliability -repeat '%s' %s", f.Repeat, t.Name)
			}
			fmt.Fprintf(out, "FAILED in %s: %s\n  again: %s\n", t.Name, f.What, again)
			if err := o.remember(t.Name, f.Repeat); err != nil {
				fmt.Fprintln(errOut, "reliability:", err)
			}
		}
	}
	return failed
}

// slice runs a tier, which would never end by itself, for its part of a soak: a
// share of the whole, and no more than a few minutes at a time, so that every
// tier has its turn often.
func (o *options) slice(ctx context.Context, t tier.Tier, job *tier.Job, share int) {
	ctx, cancel := context.WithTimeout(ctx, max(min(o.soak/time.Duration(share), 5*time.Minute), time.Second))
	defer cancel()
	t.Do(ctx, job)
}

// scratch makes an empty directory for a tier.
func (o *options) scratch(name string) (string, error) {
	if o.dir == "" {
		return os.MkdirTemp("", "reliability-"+name+"-")
	}
	dir := filepath.Join(o.dir, name)
	return dir, os.Mkdir(dir, 0o700)
}

// remember adds what was found to the file of what soaks have found, which is
// part of the tests from then on.
func (o *options) remember(name, repeat string) (err error) {
	if o.keep == "" || repeat == "" {
		return nil
	}
	f, err := os.OpenFile(o.keep, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", name, repeat)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}
