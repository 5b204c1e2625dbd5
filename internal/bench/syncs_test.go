package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSyncsOfATraceAreCounted(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	lines := `100 10.000000 fsync(3)                    = 0
100 11.000000 fsync(3 <unfinished ...>
101   11.500000 fdatasync(4)                = 0
100 11.600000 <... fsync resumed>)        = 0
100 11.700000 write(3, "fsync(", 6)       = 6
101 12.500000 fdatasync(4)                = 0
`
	if err := os.WriteFile(trace, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := countBetween(trace, 10.5, 12)
	if err != nil || n != 2 {
		t.Errorf("got %d, %v; want 2 syncs that began between the two times", n, err)
	}
}
