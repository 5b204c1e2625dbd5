package enumerate

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestZZ(t *testing.T) {
	p := playNamed(os.Getenv("PLAY"))
	if p == nil {
		return
	}
	s := &sweep{job: &tier.Job{Scale: tier.CI, Seed: 1, Workers: 2, Out: os.Stdout}}
	b, err := s.base(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"crashes", "failures", "triples", "pairs"} {
		if w := os.Getenv("WHAT"); w != "" && w != name {
			continue
		}
		start := time.Now()
		switch name {
		case "crashes":
			s.crashes(t.Context(), b)
		case "failures":
			s.failures(t.Context(), b)
		case "triples":
			s.triples(t.Context(), b)
		case "pairs":
			s.pairs(t.Context(), b)
		}
		fmt.Println(p.name, name, time.Since(start), s.job.Counts(), s.job.Failures())
		if s.job.Failed() {
			break
		}
	}
}
