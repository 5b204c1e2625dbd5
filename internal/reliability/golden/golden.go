// Package golden keeps state directories as earlier versions wrote them, one
// for each profile and ending, and shows that this version still reads them:
// each is verified, replayed, reported, resumed and rolled back over the world
// in which it was left, and what comes of it is compared with what was committed
// beside it. It is a tier of the reliability programme, and its runs are the
// material of other tiers.
//
// # The folders
//
// testdata has a folder for each generation, a number that is raised
// ([Generation]) when a version that was published would be followed by one
// that writes other journals. In it, each run has a folder of its own:
//
//	plan.json      the plan
//	journal.jsonl  the journal, and
//	HEAD           its end, as package filejournal left them
//	world.json     the simulated systems at that moment
//	expect.txt     how the run stands, and what becomes of it when it is resumed,
//	               and when it is rolled back
//
// What is there is never written again: a test with UPDATE_GOLDEN=1 only adds
// the runs that are missing in the folder of the present generation. Clocks are
// simulated, so the same version always writes the same bytes.
package golden

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/reliability/law"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// Generation is the folder that this version writes.
const Generation = "1"

//go:embed all:testdata
var committed embed.FS

const root = "testdata"

// The files of a run.
const (
	planFile    = "plan.json"
	journalFile = "journal.jsonl"
	headFile    = "HEAD"
	worldFile   = "world.json"
	expectFile  = "expect.txt"
)

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{
		Name: "golden",
		Doc:  "Journals of every version are read, resumed and rolled back, one for each profile and ending.",
		Run:  run,
	}
}

func run(ctx context.Context, job *tier.Job) {
	names, err := fs.Glob(committed, root+"/*/*")
	if err != nil {
		job.Fail("", "%v", err)
	}
	job.Need("journals", int64(len(Runs())))
	job.Need("endings", 12)
	endings := map[string]bool{}
	for i, dir := range names {
		name := strings.TrimPrefix(dir, root+"/")
		if job.Failed() || job.Repeat != "" && job.Repeat != name {
			continue
		}
		files, err := read(dir)
		if err != nil {
			job.Fail(name, "%s: %v", name, err)
			return
		}
		got, err := outcome(ctx, files, filepath.Join(job.Dir, fmt.Sprintf("golden-%d", i)))
		switch {
		case err != nil:
			job.Fail(name, "%s: %v", name, err)
		case got != string(files[expectFile]):
			job.Fail(name, "%s:\n%s", name, difference(string(files[expectFile]), got))
		}
		if job.Repeat != "" {
			fmt.Fprintf(job.Out, "%s:\n%s", name, got)
		}
		job.Add("journals", 1)
		job.Add("entries", int64(bytes.Count(files[journalFile], []byte("\n"))-1))
		stands, _, _ := strings.Cut(got, "\n")
		if !endings[stands] {
			endings[stands] = true
			job.Add("endings", 1)
		}
	}
}

// read reads the files of a run that is committed.
func read(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range []string{planFile, journalFile, headFile, worldFile, expectFile} {
		var err error
		if files[name], err = committed.ReadFile(path.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// lay writes journal and HEAD into a new directory, closed to others as the
// format demands.
func lay(files map[string][]byte, dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{journalFile, headFile} {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o600); err != nil {
			return err
		}
	}
	return nil
}

// outcome reads a run in every way and says what came of each.
func outcome(ctx context.Context, files map[string][]byte, dir string) (string, error) {
	if err := lay(files, dir); err != nil {
		return "", err
	}
	if _, err := filejournal.Verify(ctx, dir, nil); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, act := range []struct {
		name string
		do   func(*Stage) error
	}{
		{"it stands", nil},
		{"resumed", (*Stage).resume},
		{"rolled back", (*Stage).rollBack},
	} {
		s, err := open(ctx, files, filepath.Join(dir, strings.ReplaceAll(act.name, " ", "-")))
		if err != nil {
			return "", fmt.Errorf("%s: %w", act.name, err)
		}
		if act.do != nil {
			err = act.do(s)
		}
		told, tellErr := s.tell()
		if err == nil {
			err = tellErr
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", act.name, err)
		}
		fmt.Fprintf(&out, "%s: %s", act.name, told)
	}
	for _, text := range []string{out.String(), string(files[journalFile]), string(files[headFile])} {
		if bad := law.Clean("what is committed", text, secrets(files)...); len(bad) > 0 {
			return "", bad[0]
		}
	}
	return out.String(), nil
}

// difference shows the first line that is another one.
func difference(want, got string) string {
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(wants), len(gots)) {
		w, g := "(nothing)", "(nothing)"
		if i < len(wants) {
			w = wants[i]
		}
		if i < len(gots) {
			g = gots[i]
		}
		if w != g {
			return fmt.Sprintf("line %d is committed as\n  %s\nand is now\n  %s", i+1, w, g)
		}
	}
	return "the same"
}
