package attended_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/environment"
)

func Example() {
	// In earnest this is os.Stdin, and the person types.
	in := strings.NewReader("done\n")
	desk := attended.New(in, os.Stdout, &attended.Options{
		Who: "Ada Lovelace",
		Now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) },
	})

	// The engine does this: it keeps what the person states.
	ctx := adapters.WithWitness(context.Background(), func(said adapters.Testimony) {
		fmt.Printf("on record: %s, %s: %s\n", said.At.Format(time.DateTime), said.By, said.Text)
	})
	if err := desk.ResumeDeployments(ctx, environment.Environment{Name: "Production"}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// === Production: resume deployments (LifeTime) ===
	//   1. Open LifeTime, and there Production.
	//   2. Switch its maintenance mode off, or end the pause as your organization does. If deployments are not paused, answer done.
	// What came of it? (done, not done, unknown)
	// > on record: 2026-03-01 09:00:00, Ada Lovelace: resuming deployments to Production: done
}

func ExampleDesk_Set() {
	desk := attended.New(os.Stdin, os.Stdout, &attended.Options{Dir: "files"})
	set := desk.Set() // a person answers for every port …
	fmt.Println(set.Validate())
	fmt.Println(adapters.Describe(set.ServiceCenter)) // … and the journal says so
	// Output:
	// <nil>
	// attended
}
