package screen_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/changeover-go/changeover/examples/changeover/internal/screen"
	"github.com/changeover-go/changeover/migration/journal"
)

// A run prints a line for everything that has happened; on a terminal a table
// takes its place.
func Example() {
	s := screen.New(screen.Options{In: strings.NewReader("Acme\n"), Out: os.Stdout})
	ctx := context.Background()
	if err := s.Confirm(ctx, "Move Acme to its target licenses?", "Acme"); err != nil {
		fmt.Println(err)
		return
	}
	err := s.Run(ctx, func(ctx context.Context) error { // in a program: changeover.Apply, with OnEntry as an option
		s.OnEntry(journal.Entry{Kind: journal.Outcome, Env: "Quality", State: "Uploaded", To: "IPVerified", Trigger: "ipVerified"})
		return nil
	})
	fmt.Println("it returned", err)
	// Output:
	// Move Acme to its target licenses?
	// Type "Acme" to go on; anything else stops.
	// > Quality         Uploaded -> IPVerified  (ipVerified)
	// it returned <nil>
}
