// Embedding runs a changeover inside another program: a maintenance service
// with its own log and its own idea of when to stop. It shows the three things
// that an embedding program does: fill a Set, pass its logger, and cancel the
// context when it is told to stop, after which the run can be taken up again.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

func main() {
	// The first signal asks the service to stop; a second one ends it at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embedding:", err)
		os.Exit(1)
	}
}

// A service is the program that embeds changeover. Journal and adapters
// outlive a single run of the service.
type service struct {
	plan  migration.Plan
	set   adapters.Set
	store journal.Store
	log   *zap.Logger
	tell  func(journal.Entry)
}

// change takes the infrastructure as far as it gets before ctx ends. It may be
// called again, by this process or the next one.
func (s *service) change(ctx context.Context) (*report.Report, error) {
	c, err := changeover.New(s.plan, s.set, s.store, &changeover.Options{
		Logger: s.log, OnEntry: s.tell, User: "maintenance service",
		Clock: new(fake.Clock), Inline: true, // simulated time, one call after the other; leave both out in earnest
	})
	if err != nil {
		return nil, err // everything that is wrong with plan and set
	}
	r, err := c.Apply(ctx)
	if errors.Is(err, changeover.ErrBegun) {
		r, err = c.Resume(ctx)
	}
	return r, err
}

func run(ctx context.Context, out io.Writer) error {
	plan, err := migration.ReadPlan(strings.NewReader(planFile))
	if err != nil {
		return err
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	log := zap.New(zapcore.NewCore(
		zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "msg"}), zapcore.AddSync(out), zapcore.WarnLevel))

	// The service is told to stop in the middle of the run: as soon as
	// Production shows its target license.
	shift, end := context.WithCancel(ctx)
	s := &service{plan: plan, set: world.Set(), store: new(journal.Memory), log: log, tell: func(e journal.Entry) {
		if e.Env == "Production" && e.Leg == "move" && e.To == string(migration.Uploaded) {
			fmt.Fprintln(out, "the service is told to stop")
			end()
		}
	}}
	r, err := s.change(shift)
	end()
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("the run was not interrupted: %w", err)
	}
	fmt.Fprintln(out, "interrupted:", r.Verdict)

	// Some time later, another process takes the run up again.
	r, err = s.change(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "taken up again:", r.Verdict)
	return nil
}

const planFile = `{
  "version": 1,
  "infrastructure": "Acme",
  "source": "AAA.AAA.AAA.AAA.AAA.AAA.AAA.AOU",
  "target": "BBB.BBB.BBB.BBB.BBB.BBB.BBB.BOU",
  "module": "ECT_Provider",
  "environments": [
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PPP-PPP-PPP-PPP-PPP-PPP-PPP-PPP"},
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LLL-LLL-LLL-LLL-LLL-LLL-LLL-LLL"}
  ],
  "accept": {"refresh": ["Ignore"], "move": ["Protected", "Unprotected"]}
}`
