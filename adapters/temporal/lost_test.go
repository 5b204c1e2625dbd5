package temporal

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	sdk "go.temporal.io/sdk/temporal"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

// Whichever answer is lost, the run comes to the same end, and what it changes
// in the world it changes once.
func TestEveryAnswerLost(t *testing.T) {
	t.Parallel()
	var before []string
	lost := map[string]map[string]bool{}
	for _, tc := range []struct {
		name  string
		world func(migration.Plan, *fake.World)
	}{
		{"a run to its end", nil},
		{"a run that goes back", marked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := small(tc.name)
			world := func() *fake.World {
				w := fake.New(p.Infrastructure, p.Source, p.Target)
				if tc.world != nil {
					tc.world(p, w)
				}
				return w
			}
			w := world()
			_, want := inProcess(t, p, w, new(journal.Memory))
			changed := effects(w)
			h := newHosted(t, p, world(), kept{new(journal.Memory)})
			_, err := h.execute(t, nil)
			require.NoError(t, err)
			first := int64(shared(before, h.methods())) // not what a run before has lost already
			before = h.methods()
			for _, when := range []string{"before it was done", "after it was done"} {
				for n := first; ; n++ {
					h := newHosted(t, p, world(), kept{new(journal.Memory)})
					var count atomic.Int64
					var struck, wrong atomic.Value
					h.middle = func(ctx context.Context, q question, do func() (answer, error)) (answer, error) {
						if err := unannounced(h.store, q); err != nil {
							wrong.Store(err.Error())
						}
						if !isJournal(q.Method) && q.Method != "Describe" && activity.GetInfo(ctx).Attempt > 1 {
							wrong.Store(q.Method + " was repeated by the server, and not by the tables")
						}
						if count.Add(1)-1 != n {
							return do()
						}
						struck.Store(q.Method)
						if when == "before it was done" {
							return answer{}, sdk.NewHeartbeatTimeoutError()
						}
						_, _ = do()
						return answer{}, sdk.NewTimeoutError(enums.TIMEOUT_TYPE_START_TO_CLOSE, nil)
					}
					h.attend(t, 4)
					got, err := h.execute(t, nil)
					method, _ := struck.Load().(string)
					at := fmt.Sprintf("%s, the answer of activity %d, %s, lost %s", tc.name, n, method, when)
					if err != nil && len(entriesOf(t, h.store)) == 0 { // as in process: nothing was begun, and nothing done
						require.Empty(t, effects(h.world), at)
						h.begin()
						got, err = h.execute(t, nil)
					}
					require.NoError(t, err, at)
					require.Equal(t, want.Verdict, got.Verdict, at)
					require.Nil(t, wrong.Load(), at)
					require.Equal(t, changed, effects(h.world), at)
					valid(t, h.store)
					if method == "" {
						break // every activity has had its turn
					}
					if lost[method] == nil {
						lost[method] = map[string]bool{}
					}
					lost[method][when] = true
				}
			}
		})
	}
	for _, method := range []string{"Describe", "FetchLicense", "SerialRegistered", "RegisterSerial", "InstalledLicense", "UploadLicense", "RepublishModule",
		"BackupLicense", "Registered", "PauseDeployments", "ResumeDeployments", "Put", "Get", "Ask", "ReadJournal", "AppendJournal"} {
		require.Len(t, lost[method], 2, "%s was lost %v", method, lost[method])
	}
}
