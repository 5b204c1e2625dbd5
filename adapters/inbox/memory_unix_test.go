//go:build unix

package inbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/license"
)

// A folder of large files that are of no use is not kept in memory.
func TestFilesThatAreOfNoUseAreNotKeptInMemory(t *testing.T) {
	f := newFolder(t, nil)
	for n := range 40 { // sparse: they take no room on disk
		path := filepath.Join(f.dir, fmt.Sprint(n))
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.NoError(t, os.Truncate(path, license.MaxFileBytes))
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f.refused(adapters.ErrBusy)
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapSys-before.HeapSys, uint64(100<<20))
}
