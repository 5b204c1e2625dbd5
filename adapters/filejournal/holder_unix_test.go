//go:build unix

package filejournal_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
)

func TestAHolderIsNotLookedForWhereOthersCanEnter(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	_, _, err := filejournal.Holder(dir, nil)
	require.ErrorIs(t, err, filejournal.ErrUnsafe)
}
