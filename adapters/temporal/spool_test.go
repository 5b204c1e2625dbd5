package temporal

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	sdk "go.temporal.io/sdk/temporal"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// The worker that has fetched a file is gone before it is stored, or has lost
// the bytes: the file is fetched again, at every backup of a run.
func TestEveryFileGoneBeforeItIsStored(t *testing.T) {
	t.Parallel()
	p := small("gone")
	whole := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	_, err := whole.execute(t, nil)
	require.NoError(t, err)
	changed, want := effects(whole.world), comparable(t, whole.store)
	for _, gone := range []string{"the worker is gone", "the bytes are gone"} {
		for n := int64(0); ; n++ {
			at := fmt.Sprintf("%s, at file %d", gone, n)
			h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
			var puts atomic.Int64
			var origin atomic.Value
			h.middle = func(_ context.Context, q question, do func() (answer, error)) (answer, error) {
				if q.Method != "Put" || puts.Add(1)-1 != n {
					return do()
				}
				origin.Store(q.Label.Origin)
				if gone == "the worker is gone" { // nobody listens to its queue
					return answer{}, sdk.NewTimeoutError(enums.TIMEOUT_TYPE_SCHEDULE_TO_START, nil)
				}
				h.calls.spool.drop(q.Digest)
				return do()
			}
			got, err := h.execute(t, nil)
			require.NoError(t, err, at)
			require.Equal(t, report.Completed, got.Verdict, at)
			require.Equal(t, changed, effects(h.world), at)
			if origin.Load() != "installed" { // fetched again in the same attempt; what is installed is read in the next
				requireSame(t, want, comparable(t, h.store), at)
			}
			for _, e := range valid(t, h.store) {
				require.NotEqual(t, journal.Doubt, e.Kind, "%s: it is known that nothing was stored: %s", at, e.Text)
			}
			if puts.Load() <= n {
				require.Positive(t, n)
				break
			}
		}
	}
}

// A file is stored by the worker that has fetched it, whichever that is, and
// leaves its memory after an hour.
func TestBytesStayWithTheWorker(t *testing.T) {
	p := small("bytes")
	h := newHosted(t, p, fake.New(p.Infrastructure, p.Source, p.Target), kept{new(journal.Memory)})
	own := map[string]int{}
	h.calls.queue = "the worker's own"
	h.middle = func(ctx context.Context, q question, do func() (answer, error)) (answer, error) {
		h.mu.Lock()
		own[activity.GetInfo(ctx).TaskQueue+" "+map[bool]string{true: "Put", false: "other"}[q.Method == "Put"]]++
		h.mu.Unlock()
		return do()
	}
	_, err := h.execute(t, nil)
	require.NoError(t, err)
	require.Len(t, own, 2, "%v", own)
	require.Equal(t, 8, own["the worker's own Put"])
	files := &h.calls.spool
	require.NotEmpty(t, files.order)
	for _, d := range files.order {
		files.now = func() time.Time { return time.Now().Add(spooledTime - time.Minute) }
		_, ok := files.find(d)
		require.True(t, ok)
	}
	files.now = func() time.Time { return time.Now().Add(spooledTime) }
	files.find("any")
	require.Empty(t, h.calls.spool.files)
	require.Empty(t, h.calls.spool.order)
	require.Zero(t, h.calls.spool.bytes)
}

// What does not fit into a worker's memory any more is the oldest.
func TestASpoolKeepsTheNewest(t *testing.T) {
	file := func(i, size int) license.File {
		text := make([]byte, size)
		copy(text, fmt.Sprintf("license %d", i))
		f, err := license.NewFile(text)
		require.NoError(t, err)
		return f
	}
	for _, tc := range []struct {
		name       string
		size, most int
	}{
		{"by number", 16, spooledFiles},
		{"by size", license.MaxFileBytes, spooledBytes / license.MaxFileBytes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s spool
			files := make([]license.File, tc.most+3)
			for i := range files {
				files[i] = file(i, tc.size)
				s.keep(files[i])
				s.keep(files[i]) // the same again is the same
			}
			for i, f := range files {
				_, ok := s.find(f.Digest())
				require.Equal(t, i >= 3, ok, "file %d", i)
			}
			require.Len(t, s.files, tc.most)
			require.Equal(t, tc.most*tc.size, s.bytes)
			for _, f := range files {
				s.drop(f.Digest())
			}
			require.Empty(t, s.files)
			require.Zero(t, s.bytes)
		})
	}
}

// drop removes a file, if it is there.
func (s *spool) drop(d license.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(d)
}
