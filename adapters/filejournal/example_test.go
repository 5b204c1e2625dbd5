package filejournal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

func Example() {
	parent, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "state")
	ctx := context.Background()

	store, err := filejournal.Open(dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC)
	err = store.Append(ctx, 0,
		journal.Entry{Seq: 1, Epoch: 1, Time: at, Kind: journal.Opened, Opened: &journal.Opening{Format: journal.Format, Run: "acme"}},
		journal.Entry{Seq: 2, Epoch: 1, Time: at, Kind: journal.Begun, Env: "Quality", State: "Paused"},
	)
	fmt.Println("append:", err)

	// The journal is ours as long as the store is open.
	_, err = filejournal.Open(dir, nil)
	fmt.Println("locked:", err != nil)
	fmt.Println("close:", store.Close())

	// Anybody may look, at any time.
	report, err := filejournal.Verify(ctx, dir, nil)
	fmt.Println("verify:", report.Entries, "entries,", err)
	record, err := journal.Replay(filejournal.Read(ctx, dir, nil))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range record.Standings {
		fmt.Println(s.Env, "is", s.State)
	}
	// Output:
	// append: <nil>
	// locked: true
	// close: <nil>
	// verify: 2 entries, <nil>
	// Quality is Paused
}
