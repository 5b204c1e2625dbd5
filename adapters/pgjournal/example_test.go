package pgjournal_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/pgjournal"
	"github.com/changeover-go/changeover/migration"
)

func Example() {
	ctx := context.Background()
	f, err := os.Open("../../examples/quickstart/plan.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	plan, err := migration.ReadPlan(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)

	dsn := "host=" + exampleServer() + " user=admin dbname=example" // $DATABASE_URL of yours
	if err := migrate(ctx, dsn); err != nil {
		fmt.Println(err)
		return
	}
	if err := move(ctx, plan, world.Set(), dsn); err != nil {
		fmt.Println(err)
		return
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := pgjournal.Verify(ctx, config, plan.Infrastructure.Name, nil)
	fmt.Println("whole:", report.Entries > 0, err)
	// Output:
	// Completed: 4 environments
	// whole: true <nil>
}

// migrate creates or updates the tables, before a new version of the program is
// rolled out, as a role that may create them.
func migrate(ctx context.Context, dsn string) error {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return err
	}
	return pgjournal.Migrate(ctx, config, nil)
}

// move takes an infrastructure to its target activation code. ports are your
// adapters. Call it again, with Resume, if it was interrupted.
func move(ctx context.Context, plan migration.Plan, ports adapters.Set, dsn string) error {
	config, err := pgx.ParseConfig(dsn) // or the Config().ConnConfig of a pool
	if err != nil {
		return err
	}
	store, err := pgjournal.Open(ctx, config, plan.Infrastructure.Name, nil)
	if err != nil {
		return err
	}
	defer store.Close()
	c, err := changeover.New(plan, ports, store, &changeover.Options{Clock: new(fake.Clock)}) // or nil
	if err != nil {
		return err
	}
	r, err := c.Apply(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d environments\n", r.Verdict, len(r.Environments))
	return nil
}
