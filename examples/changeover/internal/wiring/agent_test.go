//go:build unix

package wiring_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/wiring"
)

// TestWhatAProgramLeavesBehindIsNotWaitedFor has a process keep stdout open
// until the test is over: it reads a pipe.
func TestWhatAProgramLeavesBehindIsNotWaitedFor(t *testing.T) {
	for _, c := range []struct {
		name, script, want string
		patience           time.Duration
		err                error
	}{
		{"an agent behind a program that has answered", "cat pipe & echo from a program", "from a program", time.Minute, nil},
		{"a child of a program that is stopped", "cat pipe; echo too late", "", 100 * time.Millisecond, context.DeadlineExceeded},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			pipe := filepath.Join(t.TempDir(), "pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			ctx, cancel := context.WithTimeout(t.Context(), c.patience)
			defer cancel()
			type answer struct {
				text string
				err  error
			}
			answered := make(chan answer, 1)
			go func() {
				text, err := wiring.Follow(ctx, planfile.Value{Command: []string{"sh", "-c", "cd " + filepath.Dir(pipe) + "; " + c.script}})
				answered <- answer{text, err}
			}()
			var got answer
			select {
			case got = <-answered:
			case <-time.After(20 * time.Second):
				require.Fail(t, "it waits for what was left behind")
			}
			require.ErrorIs(t, got.err, c.err)
			require.Equal(t, c.want, got.text)
			f, err := os.OpenFile(pipe, os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, f.Close()) // which ends cat
		})
	}
}
