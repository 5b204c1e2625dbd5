package limit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/bench/limit"
)

func TestSyncedWritesTheChunks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	chunks := [][]byte{[]byte("one"), []byte("and"), []byte("two")}
	each, err := limit.Synced(path, chunks)
	if err != nil || len(each) != len(chunks) {
		t.Fatal(len(each), err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "oneandtwo" {
		t.Errorf("got %q, %v", b, err)
	}
}

func TestGroupCommittedWritesEveryAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	const during = 20 * time.Millisecond
	rate, err := limit.GroupCommitted(path, []byte("chunk\n"), 8, during)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("chunk\n")); n*6 != len(b) || float64(n) < rate*during.Seconds()*0.99 {
		t.Errorf("%d chunks in %d bytes, at %.0f appends/s", n, len(b), rate)
	}
}

func TestWaitsTakeTheirTime(t *testing.T) {
	if took := limit.Waits(4, 3, 2, time.Millisecond); took < 6*time.Millisecond {
		t.Errorf("four times three waits of a millisecond, two at once, took %v", took)
	}
}
