package enumerate

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestZZ(t *testing.T) {
	for _, name := range []string{"small", "smallback"} {
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
		s := &sweep{job: &tier.Job{Scale: tier.CI, Seed: 1, Workers: 2, Out: io.Discard}}
		b, err := s.base(ctx, playNamed(name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "smallback" {
			b.from = 238
		} else {
			b.from = 150
		}
		s.pairs(ctx, b)
		cancel()
		fmt.Println(name, s.job.Counts(), s.job.Failures())
	}
}
