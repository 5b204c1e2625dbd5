//go:build unix

package inbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

func TestHostileNamesAreShownSafely(t *testing.T) {
	f := newFolder(t, nil)
	names := []string{"\x1b[2J.lic", "a\nb.lic", "\u202ecil.a", "\xff\xfe", strings.Repeat("x", 250), "-rf", "a\";b", "CON", sourceCode + ".lic", targetCode}
	for n, name := range names {
		f.put(name, issued(t, targetCode, license.SerialNumber(fmt.Sprint("N", n)), nil))
	}
	text := f.refused(adapters.ErrBusy)
	require.Equal(t, len(names), strings.Count(text, "is for the serial number N"))

	for _, name := range names {
		f := newFolder(t, nil)
		f.put(name, issued(t, sourceCode, serial, nil))
		var said []adapters.Testimony
		ctx := adapters.WithWitness(t.Context(), func(s adapters.Testimony) { said = append(said, s) })
		file, err := f.FetchLicense(ctx, activationCode(t, sourceCode), production)
		require.NoError(t, err)
		require.Len(t, said, 1)
		require.Equal(t, printable.Whole(said[0].Text), said[0].Text)
		require.NotContains(t, said[0].Text, sourceCode)
		require.Contains(t, said[0].Text, file.Digest().Short())
		require.Contains(t, said[0].Text, "a person had put")
		require.Equal(t, today, said[0].At)
		require.NotEmpty(t, said[0].By)
	}
}

func TestOnlyRegularFilesAreLookedAt(t *testing.T) {
	f := newFolder(t, nil)
	outside := filepath.Join(t.TempDir(), "outside.lic")
	right := issued(t, sourceCode, serial, nil)
	require.NoError(t, os.WriteFile(outside, right, 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(f.dir, "link.lic")))
	require.NoError(t, os.Mkdir(filepath.Join(f.dir, "below"), 0o700))
	f.put("below/inside.lic", right)
	require.NoError(t, os.Symlink("below/inside.lic", filepath.Join(f.dir, "link2.lic")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(f.dir, "pipe.lic"), 0o600)) // nobody will ever write to it
	text := f.refused(adapters.ErrBusy)
	for _, name := range []string{"link.lic", "below", "link2.lic", "pipe.lic"} {
		require.Contains(t, text, `"`+name+`" is not a regular file`)
	}
}

func TestAFolderThatOthersCouldWriteToIsRefused(t *testing.T) {
	for mode := range os.FileMode(0o100) {
		mode |= 0o700
		f := newFolder(t, nobody{t})
		f.put("a.lic", issued(t, sourceCode, serial, nil))
		require.NoError(t, os.Chmod(f.dir, mode))
		_, err := inbox.New(f.dir, nil)
		if mode&0o022 == 0 {
			require.NoError(t, err)
			_, err = f.fetch()
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "chmod go-w "+f.dir)
		require.Contains(t, f.refused(adapters.ErrUnsupported), "chmod go-w "+f.dir)
	}
}

func TestAFileThatOthersCouldWriteToIsNotTaken(t *testing.T) {
	for mode := range os.FileMode(0o100) {
		mode |= 0o600
		f := newFolder(t, nil)
		f.put("a.lic", issued(t, sourceCode, serial, nil))
		require.NoError(t, os.Chmod(filepath.Join(f.dir, "a.lic"), mode))
		if mode&0o022 == 0 {
			_, err := f.fetch()
			require.NoError(t, err)
			continue
		}
		require.Contains(t, f.refused(adapters.ErrBusy), `"a.lic" can be written to by other users`)
	}
}

func TestAFolderThatIsNoneIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, os.Symlink(dir, link))
	for path, why := range map[string]string{file: "is not a folder", link: "symbolic link", filepath.Join(dir, "none\x1b"): "mkdir", "": "mkdir"} {
		_, err := inbox.New(path, nil)
		require.ErrorContains(t, err, why)
		require.NotContains(t, err.Error(), "\x1b")
	}
	f := newFolder(t, nil)
	require.NoError(t, os.Remove(f.dir))
	require.Contains(t, f.refused(adapters.ErrUnsupported), "there is no folder")
}
