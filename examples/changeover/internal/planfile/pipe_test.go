//go:build unix

package planfile_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// TestAPipeThatNobodyWritesIntoIsNotWaitedFor would not end otherwise.
func TestAPipeThatNobodyWritesIntoIsNotWaitedFor(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe.yaml")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	_, err := planfile.Open(name)
	require.ErrorContains(t, err, "is not an ordinary file")
}
