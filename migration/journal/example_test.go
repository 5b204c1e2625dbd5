package journal_test

import (
	"context"
	"fmt"
	"time"

	"github.com/changeover-go/changeover/migration/journal"
)

func Example() {
	ctx := context.Background()
	at := time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)
	store := new(journal.Memory)
	err := store.Append(ctx, 0,
		journal.Entry{Seq: 1, Epoch: 1, Time: at, Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "acme", Procedure: "migration"}},
		journal.Entry{Seq: 2, Epoch: 1, Time: at, Kind: journal.Begun, Env: "Quality", Leg: "move", State: "BackedUp"},
		journal.Entry{Seq: 3, Epoch: 1, Time: at, Kind: journal.Intent, Env: "Quality", Leg: "move", State: "BackedUp", Effect: "upload", Attempt: 1},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	// The process ends here. Another one asks what is to be looked at first.
	record, err := journal.Replay(store.Read(ctx))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range record.Standings {
		if s.InFlight {
			fmt.Printf("%s in %s: was %s done?\n", s.Env, s.State, s.Effect)
		}
	}
	// Output:
	// Quality in BackedUp: was upload done?
}
