package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/internal/bench/contender"
	"github.com/changeover-go/changeover/internal/reliability/mutants"
	"github.com/changeover-go/changeover/migration/journal"
)

// unsynced is the mutant that does not wait for the disk.
const unsynced = "an append is acknowledged before it is synced"

// core is where the module is that is measured, seen from this one.
const core = "../.."

// plant shows who notices what. Without batching, the check must fail. Without
// the sync of an append everything is as fast as ever, so the check must pass,
// and it is the reliability programme that must fail: speed is never bought
// with it. It prints what it has seen, and returns what was not as it must be.
func plant(ctx context.Context, b bench, dir string, out io.Writer) error {
	fmt.Fprintln(out, "== The library as it is: the check must pass.")
	if err := check(ctx, b, out); err != nil {
		return fmt.Errorf("the check fails without any mistake planted: %w", err)
	}

	fmt.Fprintln(out, "\n== Each entry is appended by itself: the check must fail.")
	b.wrap = func(s journal.Store) journal.Store { return contender.OneByOne{Store: s} }
	failed := check(ctx, b, out)
	if failed == nil || !strings.Contains(failed.Error(), all().grouped.what) {
		return fmt.Errorf("the check does not notice that entries do not share a sync: %v", failed)
	}
	fmt.Fprintln(out, "It fails.")

	fmt.Fprintf(out, "\n== %s: the check must pass, ...\n", unsynced)
	program, err := mutated(ctx, b.place, unsynced)
	if err != nil {
		return err
	}
	checked := exec.CommandContext(ctx, program, "check", "-dir", dir, fmt.Sprintf("-rounds=%d", b.rounds), fmt.Sprintf("-lies=%v", b.place.fs.Lies))
	checked.Stdout, checked.Stderr = out, out
	if err := checked.Run(); err != nil {
		return fmt.Errorf("the check fails because a sync is missing, of which it must know nothing: %w", err)
	}

	fmt.Fprintln(out, "\n... and the reliability programme must find it.")
	found := exec.CommandContext(ctx, "go", "run", "./internal/reliability", "-repeat", unsynced, "mutants")
	found.Dir = core
	found.Stdout, found.Stderr = out, out
	if err := found.Run(); err != nil {
		return fmt.Errorf("the reliability programme does not find the mutant: %w", err)
	}
	return nil
}

// mutated builds this program over the library with a mistake planted in it.
func mutated(ctx context.Context, p *place, name string) (program string, err error) {
	list, err := overlay(p, name)
	if err != nil {
		return "", err
	}
	program = filepath.Join(filepath.Dir(list), "bench.exe")
	if said, err := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", program, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build with the mutant %q: %w: %s", name, err, said)
	}
	return program, nil
}

// overlay returns the file that tells the Go command what to build instead.
func overlay(p *place, name string) (list string, err error) {
	known := mutants.All()
	i := slices.IndexFunc(known, func(m mutants.Mutant) bool { return m.Name == name })
	if i < 0 {
		return "", fmt.Errorf("there is no mutant %q", name)
	}
	root, err := filepath.Abs(core)
	if err != nil {
		return "", err
	}
	edited, err := mutants.Apply(os.DirFS(root), known[i])
	if err != nil {
		return "", err
	}
	dir, err := p.fresh()
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range edited {
		at := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		if err := os.WriteFile(at, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(root, filepath.FromSlash(file))] = at
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, text, 0o600)
}
