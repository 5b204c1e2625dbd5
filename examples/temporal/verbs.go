package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.temporal.io/sdk/client"

	"github.com/changeover-go/changeover/adapters/temporal"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// verbs are all that the program can do.
func verbs() []verb {
	return []verb{
		{"worker", "", "Carry out what is started", worker},
		{"start", "PLAN", "Start the changeover of a plan", start},
		{"status", "INFRASTRUCTURE", "Say how a changeover stands", status},
		{"explain", "INFRASTRUCTURE", "Say what may happen now and what may not, with every reason", explain},
		{"report", "INFRASTRUCTURE", "Write the whole report", reportVerb},
		{"wait", "INFRASTRUCTURE", "Wait until a changeover is over", wait},
		{"questions", "INFRASTRUCTURE", "List what somebody is asked", questions},
		{"answer", "INFRASTRUCTURE QUESTION yes|no", "Answer a question", answer},
		{"hold", "INFRASTRUCTURE", "Stop a changeover, or one environment, at the next safe point", hold},
		{"release", "INFRASTRUCTURE", "End a hold; resume goes on", release},
		{"resolve", "INFRASTRUCTURE", "Say what was found and done about what is waited for; resume goes on", resolve},
		{"resume", "INFRASTRUCTURE", "Go on", resume},
		{"rollback", "INFRASTRUCTURE", "Take everything back", rollBack},
		{"cancel", "INFRASTRUCTURE", "End the workflow as its request says: held, or rolled back", cancel},
		{"fleet", "DIRECTORY", "Start the changeovers of all plans in a directory, so many at a time", fleet},
		{"members", "FLEET", "Say how each changeover of a fleet stands", members},
	}
}

// A carrier carries a verb out.
type carrier = func(ctx context.Context, c client.Client, args []string) (int, error)

// on is a carrier for a verb about a changeover that was started.
func on(do func(ctx context.Context, r *temporal.Run, args []string) (int, error)) carrier {
	return func(ctx context.Context, c client.Client, args []string) (int, error) {
		return do(ctx, temporal.Open(c, args[0]), args[1:])
	}
}

// said is the flags with which somebody says something.
type said struct{ env, by, why string }

func (p *program) says(flags *flag.FlagSet, env, why string) *said {
	s := new(said)
	if env != "" {
		flags.StringVar(&s.env, "env", journal.Infrastructure, "the `environment` "+env+"; default: all of the infrastructure")
	}
	flags.StringVar(&s.by, "by", p.getenv("USER"), "`who` says so; default: USER")
	flags.StringVar(&s.why, why, "", "`what` is said about it, for the journal")
	return s
}

// requested are the flags about how a changeover is carried out.
func requested(p *program, flags *flag.FlagSet) *temporal.StartOptions {
	o := &temporal.StartOptions{}
	flags.StringVar(&o.User, "user", p.getenv("USER"), "`who` starts it; default: USER")
	flags.StringVar(&o.Ask, "ask", "", "\"update\": ask here, with questions and answer, and not the workers' operator")
	flags.StringVar(&o.OnCancel, "on-cancel", "", "what cancel does: \"hold\" (default) or \"rollback\"")
	flags.DurationVar(&o.Heartbeat, "heartbeat", 0, "how soon the loss of a worker is noticed; default: 30s")
	return o
}

func readPlan(name string) (migration.Plan, error) {
	f, err := os.Open(name)
	if err != nil {
		return migration.Plan{}, err
	}
	defer f.Close()
	return migration.ReadPlan(f)
}

func start(p *program, flags *flag.FlagSet) carrier {
	opts := requested(p, flags)
	stay := flags.Bool("wait", false, "wait until it is over")
	back := flags.String("back", "", "take it back, after its end too, for this `reason`")
	return func(ctx context.Context, c client.Client, args []string) (int, error) {
		plan, err := readPlan(args[0])
		if err != nil {
			return 1, err
		}
		if *back != "" {
			opts.RollBack = &temporal.Command{By: opts.User, Why: *back}
		}
		r, err := temporal.Start(ctx, c, p.queue, plan, opts)
		if err != nil {
			return 1, err
		}
		fmt.Fprintf(p.out, "started %s\n", plan.Infrastructure.Name)
		if !*stay {
			return 0, nil
		}
		return p.wait(ctx, r)
	}
}

func (p *program) wait(ctx context.Context, r *temporal.Run) (int, error) {
	result, err := r.Wait(ctx)
	if err != nil {
		return 1, err
	}
	fmt.Fprintf(p.out, "%s, %d entries in the journal\n", result.Verdict, result.Entries)
	return result.Verdict.ExitCode(), nil
}

func wait(p *program, _ *flag.FlagSet) carrier {
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) { return p.wait(ctx, r) })
}

func status(p *program, _ *flag.FlagSet) carrier {
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		s, err := r.Status(ctx)
		if err != nil {
			return 1, err
		}
		return p.standing(s)
	})
}

// standing says how a changeover stands, in few words.
func (p *program) standing(s temporal.Status) (int, error) {
	if s.Verb != "" {
		fmt.Fprintf(p.out, "under way: %s\n", s.Verb)
	}
	if s.Error != "" {
		fmt.Fprintf(p.out, "the last verb: %s\n", s.Error)
	}
	if len(s.Report) == 0 {
		fmt.Fprintln(p.out, "nothing is on record yet")
		return 1, nil
	}
	var r struct {
		Infrastructure, State string
		Verdict               report.Verdict
		Environments          []struct{ Name, State, Waits string }
		Next                  []string
	}
	if err := json.Unmarshal(s.Report, &r); err != nil {
		return 1, err
	}
	fmt.Fprintf(p.out, "%s: %s (%s)\n", r.Infrastructure, r.Verdict, r.State)
	for _, env := range r.Environments {
		fmt.Fprintf(p.out, "  %-16s %s\n", env.Name, strings.TrimRight(fmt.Sprintf("%-16s %s", env.State, env.Waits), " "))
	}
	for _, next := range r.Next {
		fmt.Fprintln(p.out, next)
	}
	return r.Verdict.ExitCode(), nil
}

func explain(p *program, flags *flag.FlagSet) carrier {
	env := flags.String("env", journal.Infrastructure, "the `environment`; default: the infrastructure as a whole")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		e, err := r.Explain(ctx, *env)
		if err != nil {
			return 1, err
		}
		fmt.Fprintf(p.out, "%s: %s\n", e.State, e.Doc)
		for _, way := range e.Ways {
			fmt.Fprintf(p.out, "  %s leads to %s\n", way.On, way.To)
			for _, reason := range way.Refused {
				fmt.Fprintf(p.out, "    not now: %s %s\n", reason.Doc, reason.Evidence)
			}
		}
		for _, reason := range e.Needs {
			fmt.Fprintf(p.out, "  %s waits: %s %s\n", e.Effect, reason.Doc, reason.Evidence)
		}
		return 0, nil
	})
}

func reportVerb(p *program, flags *flag.FlagSet) carrier {
	format := flags.String("format", "text", "`text`, markdown, html or json")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		text, err := r.Report(ctx, *format)
		if err != nil {
			return 1, err
		}
		fmt.Fprint(p.out, text)
		return 0, nil
	})
}

func questions(p *program, _ *flag.FlagSet) carrier {
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		asked, err := r.Questions(ctx)
		if err != nil {
			return 1, err
		}
		for _, q := range asked {
			fmt.Fprintf(p.out, "%s  %s\n", q.ID, q.Text)
			for _, line := range q.Details {
				fmt.Fprintf(p.out, "    %s\n", line)
			}
		}
		return 0, nil
	})
}

func answer(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "", "text")
	return on(func(ctx context.Context, r *temporal.Run, args []string) (int, error) {
		if !slices.Contains([]string{"yes", "no"}, args[1]) {
			return 1, fmt.Errorf("the answer is yes or no, not %q", args[1])
		}
		return 0, r.Answer(ctx, args[0], s.by, s.why, args[1] == "no")
	})
}

func hold(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "to hold", "why")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		return 0, r.Hold(ctx, s.env, s.by, s.why)
	})
}

func release(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "to release", "why")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		return 0, r.Release(ctx, s.env, s.by, s.why)
	})
}

func resolve(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "that waits", "evidence")
	notDone := flags.Bool("not-done", false, "what was in doubt was not done")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		return 0, r.Resolve(ctx, s.env, migration.Resolution{By: s.by, Evidence: s.why, NotDone: *notDone})
	})
}

func resume(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "", "why")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		return 0, r.Resume(ctx, s.by, s.why)
	})
}

func rollBack(p *program, flags *flag.FlagSet) carrier {
	s := p.says(flags, "", "why")
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) {
		return 0, r.RollBack(ctx, s.by, s.why)
	})
}

func cancel(*program, *flag.FlagSet) carrier {
	return on(func(ctx context.Context, r *temporal.Run, _ []string) (int, error) { return 0, r.Cancel(ctx) })
}

func fleet(p *program, flags *flag.FlagSet) carrier {
	opts := requested(p, flags)
	limit := flags.Int("limit", 4, "how many are under way at a time; one that waits for a person keeps its place")
	name := flags.String("name", "fleet", "the `name` of the fleet")
	return func(ctx context.Context, c client.Client, args []string) (int, error) {
		files, err := filepath.Glob(filepath.Join(args[0], "*.json"))
		if err != nil {
			return 1, err
		}
		var requests []temporal.Request
		var errs []error
		for _, file := range files {
			request, err := requestOf(file, opts)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", file, err))
			}
			requests = append(requests, request)
		}
		if err := errors.Join(errs...); err != nil {
			return 1, err
		}
		f, err := temporal.NewFleetRequest(requests, *limit)
		if err != nil {
			return 1, err
		}
		if _, err := temporal.StartFleet(ctx, c, p.queue, *name, f); err != nil {
			return 1, err
		}
		fmt.Fprintf(p.out, "started %d changeovers, %d at a time, as the fleet %s\n", len(requests), *limit, *name)
		return 0, nil
	}
}

func requestOf(file string, opts *temporal.StartOptions) (temporal.Request, error) {
	plan, err := readPlan(file)
	if err != nil {
		return temporal.Request{}, err
	}
	return temporal.NewRequest(plan, opts)
}

func members(p *program, _ *flag.FlagSet) carrier {
	return func(ctx context.Context, c client.Client, args []string) (int, error) {
		all, err := temporal.OpenFleet(c, args[0]).Members(ctx)
		if err != nil {
			return 1, err
		}
		for _, m := range all {
			at := "not begun"
			switch {
			case m.Verdict != "":
				at = string(m.Verdict)
			case m.Error != "":
				at = m.Error
			case m.Begun:
				at = "under way"
			}
			fmt.Fprintf(p.out, "%-24s %s\n", m.Infrastructure, at)
		}
		return 0, nil
	}
}
