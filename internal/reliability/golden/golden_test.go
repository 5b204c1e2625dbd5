package golden

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestJournalsOfEveryVersionAreRead(t *testing.T) {
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		return // what is written now is read the next time
	}
	job := &tier.Job{Scale: tier.Test, Workers: 1, Dir: t.TempDir(), Out: io.Discard}
	Tier().Do(t.Context(), job)
	require.Empty(t, job.Failures())
	t.Log(job.Line())
}

// What this version writes is what is committed for its generation. When it is
// meant to write something else, and a version that wrote the former was
// published, raise Generation; if none was, delete the folder. In both cases
// UPDATE_GOLDEN=1 then writes what is missing, and never what is there.
func TestThisVersionWritesWhatIsCommitted(t *testing.T) {
	for _, r := range Runs() {
		t.Run(r.Name, func(t *testing.T) {
			files := play(t, r)
			dir := filepath.Join(root, Generation, r.Name)
			if _, err := os.Stat(dir); os.Getenv("UPDATE_GOLDEN") == "1" && os.IsNotExist(err) {
				got, err := outcome(t.Context(), files, filepath.Join(t.TempDir(), "again"))
				require.NoError(t, err)
				files[expectFile] = []byte(got)
				require.NoError(t, os.MkdirAll(dir, 0o755))
				for _, name := range []string{planFile, journalFile, headFile, worldFile, expectFile} {
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), files[name], 0o644))
				}
				return
			}
			for _, name := range []string{planFile, journalFile, headFile, worldFile} {
				want, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				require.Equal(t, "the same", difference(string(want), string(files[name])), "%s: see the comment of this test", name)
			}
		})
	}
}

func play(t *testing.T, r Run) map[string][]byte {
	t.Helper()
	s, err := r.Play(t.Context(), filepath.Join(t.TempDir(), "state"), nil)
	require.NoError(t, err)
	files, err := s.files([]byte(planOf(r.profile)))
	require.NoError(t, err)
	return files
}

func TestTheRunsAreInOrderAndDifferent(t *testing.T) {
	all := Runs()
	require.True(t, slices.IsSortedFunc(all, func(a, b Run) int { return strings.Compare(a.Name, b.Name) }))
	_, err := Find("nothing")
	require.Error(t, err)
}

// A journal that this version cannot read, or reads as something else, fails.
func TestAnythingElseThanWasCommittedIsFound(t *testing.T) {
	r, err := Find("refresh-and-move-rolled-back")
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		change func(files map[string][]byte)
		says   string
	}{
		{"a line is changed", func(f map[string][]byte) { f[journalFile][3000] ^= 1 }, "line"},
		{"a journal of another plan", func(f map[string][]byte) {
			f[planFile] = []byte(strings.Replace(string(f[planFile]), "Acme", "Acne", 1))
		}, "another plan"},
		{"a format of tomorrow", func(f map[string][]byte) {
			f[journalFile] = []byte(strings.Replace(string(f[journalFile]), `"version":1`, `"version":2`, 1))
		}, "line 1"},
		{"a code in the open", func(f map[string][]byte) { f[headFile] = append(f[headFile], "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"...) }, "XS1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := play(t, r)
			c.change(files)
			_, err := outcome(context.WithoutCancel(t.Context()), files, filepath.Join(t.TempDir(), "state"))
			require.ErrorContains(t, err, c.says)
		})
	}
	require.Contains(t, difference("a\nb\n", "a\nc\n"), "line 2")
}
