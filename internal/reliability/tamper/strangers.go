package tamper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/internal/reliability/golden"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// strangers are whole journals, untouched, that are taken for another run's.
type strangers struct{}

func (strangers) name() string { return "strangers" }

// kinds returns the ways of confusing runs.
func (strangers) kinds(_ context.Context, dir string) ([]kind, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	runs := golden.Runs()
	plans := []func(*migration.Plan){
		func(p *migration.Plan) { p.Infrastructure.Name = "Acne" },
		func(p *migration.Plan) { p.Source, p.Target = p.Target, p.Source },
		func(p *migration.Plan) { p.Infrastructure.Environments = p.Infrastructure.Environments[1:] },
		func(p *migration.Plan) { p.Module = "AnotherModule" },
		func(p *migration.Plan) { p.MinCopies = 1 },
	}
	verbs := []func(context.Context, *changeover.Changeover) (*report.Report, error){
		func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Apply(ctx) },
		func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Resume(ctx) },
		func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) {
			return c.RollBack(ctx, "grace", "to see")
		},
		func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return c.Status(ctx) },
		func(ctx context.Context, c *changeover.Changeover) (*report.Report, error) { return nil, c.Verify(ctx) },
	}
	return []kind{{
		name: "a journal of another plan is gone on with", n: len(runs) * len(plans) * len(verbs),
		try: func(ctx context.Context, i int) (_ class, err error) {
			place := filepath.Join(dir, fmt.Sprint(i))
			s, err := runs[i%len(runs)].Play(ctx, place, nil)
			if err != nil {
				return "", err
			}
			defer func() { err = errors.Join(err, os.RemoveAll(place)) }()
			i /= len(runs)
			before := len(s.World.Effects())
			s.Plan.Infrastructure.Environments = append(s.Plan.Infrastructure.Environments[:0:0], s.Plan.Infrastructure.Environments...)
			plans[i%len(plans)](&s.Plan)
			refusal := s.Process(func(c *changeover.Changeover) error { _, err := verbs[i/len(plans)](ctx, c); return err })
			switch {
			case len(s.World.Effects()) != before:
				return "", errors.New("something was changed in the systems")
			case !errors.Is(refusal, journal.ErrForeign) && !errors.Is(refusal, changeover.ErrDefinition):
				return "", fmt.Errorf("it is not refused as of another plan: %w", refusal)
			}
			return refused, nil
		},
	}}, nil
}
