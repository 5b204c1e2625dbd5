package changeover_test

import (
	"context"
	"fmt"
	"os"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

func Example() {
	plan, err := readPlan("examples/quickstart/plan.json")
	if err != nil {
		fmt.Println(err) // everything that is wrong with it, each with its place
		return
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	if err := move(context.Background(), plan, world.Set(), new(journal.Memory)); err != nil {
		fmt.Println(err)
	}
	// Output: Completed: 4 environments
}

func readPlan(path string) (migration.Plan, error) {
	f, err := os.Open(path)
	if err != nil {
		return migration.Plan{}, err
	}
	defer f.Close()
	return migration.ReadPlan(f)
}

// move takes an infrastructure to its target activation code. ports are your
// adapters; store is where the run is recorded: filejournal.Open(dir, nil).
func move(ctx context.Context, plan migration.Plan, ports adapters.Set, store journal.Store) error {
	c, err := changeover.New(plan, ports, store, &changeover.Options{Clock: new(fake.Clock)}) // or nil
	if err != nil {
		return err // everything that is wrong with plan and ports
	}
	r, err := c.Apply(ctx) // again later: c.Resume(ctx); back: c.RollBack(ctx, who, why)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d environments\n", r.Verdict, len(r.Environments))
	return nil
}
