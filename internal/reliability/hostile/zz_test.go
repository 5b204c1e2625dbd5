package hostile

import (
	"context"
	"fmt"
	"github.com/changeover-go/changeover/internal/reliability/tier"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	seen := map[string]int{}
	for _, p := range parts() {
		n := 80
		if p.name == "examples" {
			continue
		}
		t0 := time.Now()
		defer func() { fmt.Println(p.name, time.Since(t0)) }()
		for i := range n {
			job := &tier.Job{Scale: tier.Test, Seed: 1, Workers: 1, Dir: t.TempDir(), Out: io.Discard}
			once(context.Background(), job, p, uint64(i))
			for _, f := range job.Failures() {
				k := regexp.MustCompile(`seed \d+|U\+\S+ at byte \d+|number \d`).ReplaceAllString(strings.SplitN(f.What, " (No ", 2)[0], "X")
				if len(k) > 200 {
					k = k[:200]
				}
				if seen[k] == 0 {
					fmt.Printf("%s\n   %.600s\n", f.Repeat, f.What)
				}
				seen[k]++
			}
		}
	}
	for k, n := range seen {
		fmt.Println(n, k)
	}
}
