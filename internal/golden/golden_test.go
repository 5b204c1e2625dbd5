package golden_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/changeover-go/changeover/internal/golden"
)

// recorder notes what a test that calls Compare would have said.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatal(args ...any) { r.stop(fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) { r.stop(fmt.Sprintf(format, args...)) }

func (r *recorder) stop(failure string) {
	r.failure = failure
	runtime.Goexit()
}

// failure returns what a check says; empty if it found nothing.
func failure(t *testing.T, check func(testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r)
	}()
	<-done
	return r.failure
}

// compare returns the failure of Compare; empty if there was none.
func compare(t *testing.T, path, got string) string {
	return failure(t, func(tb testing.TB) { golden.Compare(tb, path, []byte(got)) })
}

func TestCompare(t *testing.T) {
	write := func(t *testing.T, text string) string {
		path := filepath.Join(t.TempDir(), "file.golden")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	expect := func(t *testing.T, failure string, words ...string) {
		t.Helper()
		for _, word := range words {
			if !strings.Contains(failure, word) {
				t.Errorf("the failure %q does not say %q", failure, word)
			}
		}
	}
	t.Setenv("UPDATE_GOLDEN", "")

	t.Run("the same bytes pass", func(t *testing.T) {
		if failure := compare(t, write(t, "a\nb\n"), "a\nb\n"); failure != "" {
			t.Error(failure)
		}
	})
	t.Run("another line fails and is named", func(t *testing.T) {
		expect(t, compare(t, write(t, "a\nb\nc\n"), "a\nB\nc\n"), "file.golden", "line 2", `want "b\n"`, `got  "B\n"`, "UPDATE_GOLDEN=1")
	})
	t.Run("a missing line fails", func(t *testing.T) {
		expect(t, compare(t, write(t, "a\nb"), "a\n"), "line 2", `want "b"`, `got  ""`)
	})
	t.Run("a line too many fails", func(t *testing.T) {
		expect(t, compare(t, write(t, "a"), "a\nb"), "line 1", `want "a"`, `got  "a\n"`)
	})
	t.Run("a missing line end fails", func(t *testing.T) {
		expect(t, compare(t, write(t, "a\n"), "a"), "line 1", `want "a\n"`, `got  "a"`)
	})
	t.Run("a missing file fails", func(t *testing.T) {
		expect(t, compare(t, filepath.Join(t.TempDir(), "absent"), ""), "absent", "UPDATE_GOLDEN=1")
	})
	t.Run("with UPDATE_GOLDEN=1 the file is written", func(t *testing.T) {
		t.Setenv("UPDATE_GOLDEN", "1")
		path := filepath.Join(t.TempDir(), "testdata", "new")
		if failure := compare(t, path, "a\n"); failure != "" {
			t.Fatal(failure)
		}
		t.Setenv("UPDATE_GOLDEN", "")
		if failure := compare(t, path, "a\n"); failure != "" {
			t.Error(failure)
		}
	})
	t.Run("with UPDATE_GOLDEN=1 a file that cannot be written fails", func(t *testing.T) {
		t.Setenv("UPDATE_GOLDEN", "1")
		path := write(t, "a file, not a folder")
		expect(t, compare(t, filepath.Join(path, "below"), "a"), "file.golden")
		folder := t.TempDir()
		expect(t, compare(t, folder, "a"), folder)
	})
}
