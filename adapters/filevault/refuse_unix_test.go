//go:build !windows

package filevault_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filevault"
)

// run runs the command that a refusal asks for, as a person would.
func run(t *testing.T, err error) {
	t.Helper()
	var refused *filevault.RefusedError
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Error(), refused.Command)
	out, err := exec.Command("sh", "-c", refused.Command).CombinedOutput()
	require.NoError(t, err, "%s: %s", refused.Command, out)
}

func TestADirectoryIsOursAloneAndTheRefusalSaysWhatToRun(t *testing.T) {
	t.Run("a new one is created closed to others", func(t *testing.T) {
		dirs := twoDirs(t)
		v := open(t, dirs, nil)
		put(t, v, label, file(t, "license"))
		info, err := os.Stat(dirs[0])
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		for _, ext := range []string{".lic", ".json"} {
			info, err := os.Stat(the(t, dirs[0], ext))
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	})
	for mode := range os.FileMode(0o100) {
		dir := filepath.Join(t.TempDir(), "it's a vault")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, 0o700|mode))
		v, err := filevault.Open([]string{dir}, nil)
		if mode == 0 {
			require.NoError(t, err)
			require.NoError(t, v.Close())
			continue
		}
		require.ErrorContains(t, err, fmt.Sprintf("%04o", 0o700|mode))
		run(t, err)
		v, err = filevault.Open([]string{dir}, nil)
		require.NoError(t, err)
		require.NoError(t, v.Close())
	}
	t.Run("a symbolic link is refused", func(t *testing.T) {
		dirs := twoDirs(t)
		require.NoError(t, os.Mkdir(dirs[0], 0o700))
		require.NoError(t, os.Symlink(dirs[0], dirs[1]))
		_, err := filevault.Open(dirs[1:], nil)
		require.ErrorContains(t, err, "symbolic link")
		run(t, err)
	})
	t.Run("a file is refused", func(t *testing.T) {
		dirs := twoDirs(t)
		overwrite(t, dirs[0], nil)
		_, err := filevault.Open(dirs[:1], nil)
		run(t, err)
		open(t, dirs[:1], nil)
	})
	t.Run("hostile names are printed safely", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), strings.Repeat("long", 60)+"\x1b[2J\u202e")
		overwrite(t, dir, nil)
		_, err := filevault.Open([]string{dir}, nil)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "\x1b")
		require.NotContains(t, err.Error(), "\u202e")
		require.Contains(t, err.Error(), strings.Repeat("long", 60), "whole, however long")
		_, err = filevault.Open([]string{filepath.Join(dir, "\x1bvault")}, nil)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "\x1b")
	})
}

func TestADirectoryOfAnotherUserIsRefused(t *testing.T) {
	dirs := twoDirs(t)
	require.NoError(t, os.Mkdir(dirs[0], 0o700))
	if err := os.Chown(dirs[0], 12345, -1); err != nil {
		t.Logf("not permitted to give a directory away: %v", err)
		return
	}
	_, err := filevault.Open(dirs[:1], nil)
	require.ErrorContains(t, err, "another user")
	run(t, err)
	v := open(t, dirs[:1], nil)

	put(t, v, label, file(t, "license"))
	require.NoError(t, os.Chown(the(t, dirs[0], ".lic"), 12345, -1))
	_, err = v.List(t.Context(), label.Serial)
	require.ErrorContains(t, err, "another user")
	run(t, err)
	require.Equal(t, 1, list(t, v, label.Serial)[0].Copies)
}

func TestAFileThatOthersCouldReadOrChangeIsRefused(t *testing.T) {
	for name, tamper := range map[string]func(t *testing.T, path string){
		"a looser mode": func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o604)) },
		"an executable": func(t *testing.T, path string) { require.NoError(t, os.Chmod(path, 0o700)) },
		"a hard link from outside": func(t *testing.T, path string) {
			require.NoError(t, os.Link(path, filepath.Join(t.TempDir(), "other name")))
		},
		"a hard link that only looks like a temporary file": func(t *testing.T, path string) {
			require.NoError(t, os.Link(path, filepath.Join(filepath.Dir(path), "tmp-0123456789abcdef0123456789ABCDEF")))
		},
		"two hard links, one of them a temporary file": func(t *testing.T, path string) {
			require.NoError(t, os.Link(path, filepath.Join(filepath.Dir(path), "tmp-0123456789abcdef0123456789abcdef")))
			require.NoError(t, os.Link(path, filepath.Join(t.TempDir(), "other name")))
		},
		"a symbolic link to the same bytes": func(t *testing.T, path string) {
			require.NoError(t, os.Rename(path, path+".real"))
			require.NoError(t, os.Symlink(filepath.Base(path)+".real", path))
		},
		"a symbolic link that leads outside": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Symlink("/etc/passwd", path))
		},
		"a FIFO": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, syscall.Mkfifo(path, 0o600))
		},
		"a directory": func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		},
	} {
		for _, ext := range []string{".lic", ".json"} {
			t.Run(name+ext, func(t *testing.T) {
				dirs := twoDirs(t)
				v := open(t, dirs, nil)
				stored := put(t, v, label, file(t, "license"))
				tamper(t, the(t, dirs[0], ext))

				records, err := v.List(t.Context(), label.Serial)
				require.Len(t, records, 1, "the other directory has it")
				var refused *filevault.RefusedError
				require.ErrorAs(t, err, &refused)
				require.Contains(t, err.Error(), filepath.Join(dirs[0], filepath.Base(refused.Path)))
				_, err = v.Get(t.Context(), label.Serial, stored.Digest)
				require.NoError(t, err)
				_, err = v.Put(t.Context(), label, file(t, "license"))
				require.ErrorAs(t, err, &refused)
				require.Nil(t, adapters.ConditionOf(err))
				if name == "two hard links, one of them a temporary file" {
					return // the look at it would show both
				}

				run(t, err)
				require.Equal(t, 2, put(t, v, label, file(t, "license")).Copies)
			})
		}
	}
}

func TestOnlyOwnLeftoversAreRemoved(t *testing.T) {
	const temp = "tmp-0123456789abcdef0123456789abcdef"
	t.Run("an unfinished file", func(t *testing.T) {
		dirs := twoDirs(t)
		v := open(t, dirs, nil)
		overwrite(t, filepath.Join(dirs[0], temp), []byte("unfin"))
		put(t, v, label, file(t, "license"))
		require.NoFileExists(t, filepath.Join(dirs[0], temp))
	})
	t.Run("a second name of a backup", func(t *testing.T) {
		dirs := twoDirs(t)
		v := open(t, dirs, nil)
		put(t, v, label, file(t, "license"))
		require.NoError(t, os.Link(the(t, dirs[0], ".json"), filepath.Join(dirs[0], temp)))
		put(t, v, label, file(t, "license"))
		require.NoFileExists(t, filepath.Join(dirs[0], temp))
		require.FileExists(t, the(t, dirs[0], ".json"))
	})
	for name, plant := range map[string]func(t *testing.T, path string){
		"a symbolic link": func(t *testing.T, path string) { require.NoError(t, os.Symlink("elsewhere", path)) },
		"a FIFO":          func(t *testing.T, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) },
		"a directory":     func(t *testing.T, path string) { require.NoError(t, os.Mkdir(path, 0o700)) },
		"a second name of a file elsewhere": func(t *testing.T, path string) {
			other := filepath.Join(t.TempDir(), "other")
			overwrite(t, other, nil)
			require.NoError(t, os.Link(other, path))
		},
		"a file that others may read": func(t *testing.T, path string) { overwrite(t, path, nil); require.NoError(t, os.Chmod(path, 0o644)) },
	} {
		t.Run("but not "+name, func(t *testing.T) {
			dirs := twoDirs(t)
			v := open(t, dirs, nil)
			path := filepath.Join(dirs[1], temp)
			plant(t, path)
			_, err := v.Put(t.Context(), label, file(t, "license"))
			var refused *filevault.RefusedError
			require.ErrorAs(t, err, &refused)
			_, statErr := os.Lstat(path)
			require.NoError(t, statErr)
			require.Empty(t, list(t, v, label.Serial))
			run(t, err)
			put(t, v, label, file(t, "license"))
		})
	}
	t.Run("nor a file of another name", func(t *testing.T) {
		dirs := twoDirs(t)
		v := open(t, dirs, nil)
		names := []string{"tmp-", "tmp-x", temp + "0", "TMP-0123456789abcdef0123456789abcdef", "notes.txt", "x" + temp}
		for _, name := range names {
			overwrite(t, filepath.Join(dirs[0], name), nil)
		}
		put(t, v, label, file(t, "license"))
		for _, name := range names {
			require.FileExists(t, filepath.Join(dirs[0], name))
		}
	})
}

func TestAFullDiskLeavesWhatIsStored(t *testing.T) {
	dirs := twoDirs(t)
	stored := put(t, open(t, dirs, nil), label, file(t, "license"))
	v := open(t, dirs, new(filevault.Options).WithAround(func(op, path string, do func() error) error {
		if op == "write" && strings.HasPrefix(path, dirs[1]) {
			return syscall.ENOSPC
		}
		return do()
	}))
	_, err := v.Put(t.Context(), label, file(t, "more"))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.Equal(t, []adapters.Stored{stored}, list(t, v, label.Serial))
	leftovers, err := filepath.Glob(filepath.Join(dirs[1], "tmp-*"))
	require.NoError(t, err)
	require.Empty(t, leftovers, "the room is given back")
}
