package main

import (
	"context"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// the service is told to stop
	// interrupted: Held
	// taken up again: Completed
}
