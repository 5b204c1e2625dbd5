package hostile
import ("testing";"time";"strings";"io";"fmt";"context";"regexp";"github.com/changeover-go/changeover/internal/reliability/tier")
func TestZZ(t *testing.T) {
 seen := map[string]int{}
 for _, p := range parts() { n := 120; if p.name == "examples" {n = 1}
 t0 := time.Now()
 for i := range n {
	job := &tier.Job{Scale: tier.Test, Seed: 1, Workers: 1, Dir: t.TempDir(), Out: io.Discard}
	once(context.Background(), job, p, uint64(i))
	for _, f := range job.Failures() {
		k := regexp.MustCompile(`seed \d+|U\+\S+ at byte \d+|number \d`).ReplaceAllString(strings.SplitN(f.What, " (No ",2)[0], "X")
		if len(k) > 100 {k=k[:100]}
		if seen[k] == 0 { fmt.Printf("%s\n   %.500s\n", f.Repeat, f.What) }
		seen[k]++
	}
 }
 fmt.Println(p.name, time.Since(t0))
 }
 for k, n := range seen { fmt.Println(n, k) }
}
