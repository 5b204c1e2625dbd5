// Package golden compares what a test has produced with a file that was
// reviewed before. It is for tests only.
//
// Files are compared by default and rewritten when the environment variable
// UPDATE_GOLDEN is 1. It is a variable and not a flag because a flag would be
// refused by every package that does not define it.
package golden

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Compare fails the test unless the file at path, which is relative to the
// folder of the test, has the bytes got. A file that is missing fails it too.
// With UPDATE_GOLDEN=1 it writes the file instead.
func Compare(t testing.TB, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\n(UPDATE_GOLDEN=1 writes it)", err)
	}
	if !bytes.Equal(want, got) {
		t.Fatalf("%s is not what was produced\n%s\n(UPDATE_GOLDEN=1 rewrites it)", path, difference(want, got))
	}
}

// difference shows the first line that is not the same.
func difference(want, got []byte) string {
	wants, gots := bytes.SplitAfter(want, []byte("\n")), bytes.SplitAfter(got, []byte("\n"))
	for i := 0; ; i++ {
		w, g := "no such line", "no such line"
		if i < len(wants) {
			w = fmt.Sprintf("%q", wants[i])
		}
		if i < len(gots) {
			g = fmt.Sprintf("%q", gots[i])
		}
		if w != g {
			return fmt.Sprintf("line %d:\n  want %s\n  got  %s", i+1, w, g)
		}
	}
}
