// Package mutants plants mistakes in the library, one at a time, and demands
// that a tier of the reliability programme finds each: a check that never fails
// proves nothing. The list is in table.go.
//
// A mutant is an edit of the source text, made with the -overlay flag of the Go
// command, so that the library itself has nothing planted in it. An edit that
// no longer fits its file is a failure.
package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// A Mutant is a planted mistake and who must find it.
type Mutant struct {
	Name  string // a few words, unique
	Tier  string // that must find it, at test scale
	Long  bool   // it takes more than that: at the scale of CI
	Law   string // that must be named; empty: any failure of the tier will do
	Edits []Edit
	// Only says that nobody else notices: with its law off, the mutant
	// survives.
	Only bool
}

// An Edit replaces a text that occurs exactly once in a file of the module.
type Edit struct{ File, Old, New string }

// atLeast is how many mutants there must be, and how many of them must survive
// when their law is not enforced.
const (
	atLeast  = 40
	survivor = 5
)

// patience is how long a tier may take to find a mutant.
const patience = 2 * time.Minute

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{Name: "mutants", Doc: "plants mistakes in the library; a tier must find each", Run: run}
}

func run(ctx context.Context, job *tier.Job) {
	root, err := moduleRoot(ctx)
	if err != nil {
		job.Skip("all", "the sources or the Go command are not here: "+err.Error())
		return
	}
	l := lab{root: root, job: job}
	var chosen []Mutant
	tiers := map[string]bool{}
	for _, m := range All() {
		if job.Repeat == "" || job.Repeat == m.Name {
			chosen = append(chosen, m)
			tiers[m.Tier] = true
		}
	}
	if job.Repeat == "" {
		job.Need("caught", atLeast)
		job.Need("survive without their law", survivor)
	}
	if len(chosen) == 0 {
		job.Fail("", "there is no mutant called %q", job.Repeat)
		return
	}
	// The library as it is passes the same tiers: what fails with a mutant
	// fails because of it.
	bin, err := l.build(ctx, "control", nil)
	if err != nil {
		job.Fail("", "the library does not build: %v", err)
		return
	}
	for _, t := range Tiers() {
		if !tiers[t] {
			continue
		}
		if out, failed := l.try(ctx, bin, Mutant{Tier: t}, ""); failed {
			job.Fail("", "without any mutant, the tier %s fails:\n%s", t, tail(out))
			return
		}
	}
	var wg sync.WaitGroup
	queue := make(chan Mutant)
	for range max(job.Workers, 1) {
		wg.Go(func() {
			for m := range queue {
				l.examine(ctx, m)
			}
		})
	}
	for _, m := range chosen {
		if ctx.Err() != nil {
			break
		}
		queue <- m
	}
	close(queue)
	wg.Wait()
}

// moduleRoot returns the folder of the module's sources.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", err
	}
	mod := strings.TrimSpace(string(out))
	if mod == "" || mod == os.DevNull {
		return "", errors.New("no go.mod was found")
	}
	return filepath.Dir(mod), nil
}

// lab builds and tries mutants.
type lab struct {
	root string
	job  *tier.Job

	mu sync.Mutex // orders what is printed
}

// examine builds a mutant, has its tier look for it, and says what came of it.
func (l *lab) examine(ctx context.Context, m Mutant) {
	edited, err := Apply(os.DirFS(l.root), m)
	if err != nil {
		l.job.Fail(m.Name, "the mutant %q does not fit any more: %v", m.Name, err)
		return
	}
	bin, err := l.build(ctx, m.Name, edited)
	if err != nil {
		l.job.Fail(m.Name, "the mutant %q does not build: %v", m.Name, err)
		return
	}
	began := time.Now()
	out, failed := l.try(ctx, bin, m, "")
	took := time.Since(began)
	if ctx.Err() != nil {
		return
	}
	found := ""
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "FAILED in "+m.Tier+":") && (m.Law == "" || strings.Contains(line, m.Law+" is broken")) {
			found = strings.TrimSpace(line)
			break
		}
	}
	switch {
	case !failed:
		l.job.Fail(m.Name, "the mutant %q survived the tier %s", m.Name, m.Tier)
		return
	case found == "":
		l.job.Fail(m.Name, "the mutant %q made the tier %s fail, but not by %s:\n%s", m.Name, m.Tier, or(m.Law, "a finding"), tail(out))
		return
	}
	l.job.Add("caught", 1)
	l.say("| %s | %s | %s | %.1f |\n", m.Name, m.Tier, m.Law, took.Seconds())
	if l.job.Repeat != "" {
		l.say("%s\n", found)
	}
	if m.Only {
		if out, failed := l.try(ctx, bin, m, m.Law); failed {
			l.job.Fail(m.Name, "without %s, the mutant %q should survive:\n%s", m.Law, m.Name, tail(out))
			return
		}
		l.job.Add("survive without their law", 1)
		l.say("| %s | %s | without %s: survives | |\n", m.Name, m.Tier, m.Law)
	}
	if err := os.Remove(bin); err != nil {
		l.job.Fail(m.Name, "%v", err)
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (l *lab) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.job.Out, format, args...)
}

// build builds the programme with the edited files in place of those of the
// module.
func (l *lab) build(ctx context.Context, name string, edited map[string][]byte) (bin string, err error) {
	dir, err := os.MkdirTemp(l.job.Dir, "mutant-")
	if err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for file, text := range edited {
		at := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(at, text, 0o600); err != nil {
			return "", err
		}
		overlay.Replace[filepath.Join(l.root, filepath.FromSlash(file))] = at
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return "", err
	}
	bin = filepath.Join(dir, "reliability")
	// Optimizing and debugging information would take longer than they save.
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-ldflags=-s -w", "-o", bin, "./internal/reliability")
	cmd.Dir = l.root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %q: %w\n%s", name, err, tail(string(out)))
	}
	return bin, nil
}

// try runs one tier of a build and reports whether it failed.
func (l *lab) try(ctx context.Context, bin string, m Mutant, without string) (out string, failed bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	scale := "test"
	if m.Long {
		scale = "ci"
	}
	args := []string{"-scale", scale, "-seed", fmt.Sprint(l.job.Seed), "-workers", "1"}
	if without != "" {
		args = append(args, "-without", without)
	}
	cmd := exec.CommandContext(ctx, bin, append(args, m.Tier)...)
	cmd.Dir = l.root
	var b bytes.Buffer
	cmd.Stdout, cmd.Stderr = &b, &b
	err := cmd.Run()
	return b.String(), err != nil
}

// tail returns the last lines of an output.
func tail(s string) string {
	const keep = 2000
	if len(s) > keep {
		s = "…" + s[len(s)-keep:]
	}
	return s
}
