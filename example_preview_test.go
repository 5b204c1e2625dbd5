package changeover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration/journal"
)

// What was planned is shown, saved, approved, and then applied; what has
// changed in between refuses it.
func ExampleChangeover_ApplyPreview() {
	ctx := context.Background()
	plan, err := readPlan("examples/quickstart/plan.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	c, err := changeover.New(plan, world.Set(), new(journal.Memory), &changeover.Options{Clock: new(fake.Clock)})
	if err != nil {
		fmt.Println(err)
		return
	}

	preview, err := c.Plan(ctx) // preview.WriteText shows it
	if err != nil {
		fmt.Println(err)
		return
	}
	saved, _ := json.Marshal(preview)

	world.PauseByHand("Production") // somebody, meanwhile
	approved, err := changeover.ReadPreview(bytes.NewReader(saved))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.ApplyPreview(ctx, approved)
	if stale, ok := errors.AsType[*changeover.StaleError](err); ok {
		fmt.Println(stale.Differences[0])
	}

	world.ResumeByHand("Production")
	r, err := c.ApplyPreview(ctx, approved)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Verdict)
	// Output:
	// Production: deployments paused was no and is yes, by somebody else
	// Completed
}
