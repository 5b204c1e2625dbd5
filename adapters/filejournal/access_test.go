//go:build unix

package filejournal_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/migration/journal"
)

func TestWhatOthersCanReachIsRefused(t *testing.T) {
	files := []string{"LOCK", "journal.jsonl", "HEAD"}
	type row struct {
		name  string
		spoil func(t *testing.T, dir string) (says string)
	}
	rows := []row{}
	for _, mode := range []os.FileMode{0o750, 0o705, 0o770, 0o777, 0o701} {
		rows = append(rows, row{"the directory has mode " + mode.String(), func(t *testing.T, dir string) string {
			require.NoError(t, os.Chmod(dir, mode))
			return "chmod 700 " + dir
		}})
	}
	for _, file := range files {
		for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o666, 0o601} {
			rows = append(rows, row{file + " has mode " + mode.String(), func(t *testing.T, dir string) string {
				require.NoError(t, os.Chmod(filepath.Join(dir, file), mode))
				return "chmod 600 " + filepath.Join(dir, file)
			}})
		}
		rows = append(rows,
			row{file + " has a second name", func(t *testing.T, dir string) string {
				require.NoError(t, os.Link(filepath.Join(dir, file), filepath.Join(filepath.Dir(dir), "second")))
				return "has 2 names"
			}},
			row{file + " is a symbolic link into the directory", func(t *testing.T, dir string) string {
				name := filepath.Join(dir, file)
				require.NoError(t, os.Rename(name, name+".real"))
				require.NoError(t, os.Symlink(file+".real", name))
				return "a symbolic link"
			}},
			row{file + " is a symbolic link out of the directory", func(t *testing.T, dir string) string {
				name := filepath.Join(dir, file)
				require.NoError(t, os.Rename(name, filepath.Join(filepath.Dir(dir), file)))
				require.NoError(t, os.Symlink(filepath.Join("..", file), name))
				return "a symbolic link"
			}},
			row{file + " is a symbolic link to nothing", func(t *testing.T, dir string) string {
				name := filepath.Join(dir, file)
				require.NoError(t, os.Remove(name))
				require.NoError(t, os.Symlink("nothing", name))
				return "a symbolic link"
			}},
			row{file + " is a directory", func(t *testing.T, dir string) string {
				name := filepath.Join(dir, file)
				require.NoError(t, os.Remove(name))
				require.NoError(t, os.Mkdir(name, 0o700))
				return "a directory"
			}},
			row{file + " is a named pipe", func(t *testing.T, dir string) string {
				name := filepath.Join(dir, file)
				require.NoError(t, os.Remove(name))
				require.NoError(t, syscall.Mkfifo(name, 0o600))
				return "a device, pipe or socket"
			}},
		)
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			dir := stateDir(t)
			whole := history(t, dir, 2)[2]
			says := r.spoil(t, dir)
			_, err := filejournal.Open(dir, nil)
			require.ErrorIs(t, err, filejournal.ErrUnsafe)
			require.ErrorContains(t, err, says)
			name := filepath.Join(dir, "journal.jsonl")
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				now, err := os.ReadFile(name)
				require.NoError(t, err)
				require.Equal(t, whole.journal, now)
			}
			require.NoFileExists(t, filepath.Join(dir, "nothing"))
		})
	}
}

func TestVerifyRefusesWhatOpenRefuses(t *testing.T) {
	dir := stateDir(t)
	history(t, dir, 2)
	require.NoError(t, os.Chmod(filepath.Join(dir, "journal.jsonl"), 0o644))
	_, err := filejournal.Verify(t.Context(), dir, nil)
	require.ErrorIs(t, err, filejournal.ErrUnsafe)
}

func TestTheCommandInARefusalWorks(t *testing.T) {
	dir := filepath.Join(stateDir(t), "it's a $(state) dir")
	require.NoError(t, os.Mkdir(dir, 0o755))
	_, err := filejournal.Open(dir, nil)
	require.ErrorIs(t, err, filejournal.ErrUnsafe)
	_, command, found := strings.Cut(err.Error(), "run: ")
	require.True(t, found)
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestPathsAreSafeToPrint(t *testing.T) {
	dir := filepath.Join(stateDir(t), "esc\x1b[2J\u202e")
	require.NoError(t, os.Mkdir(dir, 0o755))
	_, err := filejournal.Open(dir, nil)
	require.ErrorIs(t, err, filejournal.ErrUnsafe)
	require.NotContains(t, err.Error(), "\x1b")
	require.NotContains(t, err.Error(), "\u202e")
}

func TestWhatIsCreatedIsPrivateWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o277, 0o777} {
		parent := stateDir(t)
		dir, headDir := filepath.Join(parent, "state"), filepath.Join(parent, "head")
		old := syscall.Umask(umask)
		s, err := filejournal.Open(dir, &filejournal.Options{HeadDir: headDir})
		if err == nil {
			err = s.Append(t.Context(), 0, entry(1))
		}
		syscall.Umask(old)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		for name, mode := range map[string]os.FileMode{
			dir: os.ModeDir | 0o700, headDir: os.ModeDir | 0o700,
			dir + "/LOCK": 0o600, dir + "/journal.jsonl": 0o600, headDir + "/HEAD": 0o600,
		} {
			info, err := os.Lstat(name)
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode(), name)
		}
	}
}

func TestParentsAreNotCreated(t *testing.T) {
	parent := filepath.Join(stateDir(t), "none")
	_, err := filejournal.Open(filepath.Join(parent, "state"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoDirExists(t, parent)
	_, err = filejournal.Open(filepath.Join(t.TempDir(), "state"), &filejournal.Options{HeadDir: filepath.Join(parent, "head")})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = filejournal.Open("", nil)
	require.Error(t, err)
}

func TestALockFileThatIsRemovedOrReplacedLetsNobodyIn(t *testing.T) {
	for name, tamper := range map[string]func(lock string) error{
		"removed":             os.Remove,
		"replaced by another": func(lock string) error { return errors.Join(os.Remove(lock), os.WriteFile(lock, nil, 0o600)) },
		"moved away":          func(lock string) error { return os.Rename(lock, lock+".old") },
		"moved away and put back": func(lock string) error {
			return errors.Join(os.Rename(lock, lock+".old"), os.Rename(lock+".old", lock))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stateDir(t)
			first, err := filejournal.Open(dir, nil)
			require.NoError(t, err)
			require.NoError(t, tamper(filepath.Join(dir, "LOCK")))
			for range 2 {
				_, err = filejournal.Open(dir, nil)
				require.ErrorIs(t, err, journal.ErrLocked)
			}
			require.NoError(t, first.Close())
			second, err := filejournal.Open(dir, nil)
			require.NoError(t, err)
			require.NoError(t, second.Close())
		})
	}
}

func TestAChildThatHasTheLockKeepsANewRunFromBeginning(t *testing.T) {
	dir := stateDir(t)
	s, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	lock, err := s.LockFile()
	require.NoError(t, err)
	child := exec.Command("cat")
	child.ExtraFiles = []*os.File{lock}
	end, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())

	require.NoError(t, s.Close(), "the store is gone, as after a kill")
	_, err = s.LockFile()
	require.ErrorIs(t, err, journal.ErrClosed)
	_, err = filejournal.Open(dir, nil)
	require.ErrorIs(t, err, journal.ErrLocked, "the child is still at work")

	require.NoError(t, end.Close())
	require.NoError(t, child.Wait())
	s, err = filejournal.Open(dir, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}
