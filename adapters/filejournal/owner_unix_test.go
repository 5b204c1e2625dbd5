//go:build unix

package filejournal

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ownedBy is a file as another user's would look: only root can make one.
type ownedBy struct {
	fs.FileInfo
	uid uint32
}

func (o ownedBy) Sys() any {
	stat := *o.FileInfo.Sys().(*syscall.Stat_t)
	stat.Uid = o.uid
	return &stat
}

func TestWhatBelongsToAnotherUserIsRefused(t *testing.T) {
	info, err := os.Stat(t.TempDir())
	require.NoError(t, err)
	me := os.Geteuid()
	require.NoError(t, checkOwner(ownedBy{info, uint32(me)}, "state"))
	err = checkOwner(ownedBy{info, uint32(me) + 1}, "state")
	require.ErrorIs(t, err, ErrUnsafe)
	require.ErrorContains(t, err, fmt.Sprintf("chown %d state", me))
}
