package simulate

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

func TestDev(t *testing.T) {
	if s := os.Getenv("SIM"); s != "" {
		n, _ := strconv.ParseUint(s, 10, 64)
		r := newLab(context.Background(), 0).live(n, func(l string) { fmt.Println(l) })
		fmt.Println(r.failures)
	}
	if s := os.Getenv("SIMN"); s != "" {
		n, _ := strconv.ParseUint(s, 10, 64)
		from, _ := strconv.ParseUint(os.Getenv("FROM"), 10, 64)
		l := newLab(context.Background(), 0)
		var sum tally
		job := &tier.Job{Out: os.Stdout, Scale: tier.CI, Seed: from}
		began, bad := time.Now(), 0
		for i := from; i < from+n; i++ {
			r := l.live(i, nil)
			for _, f := range r.failures {
				bad++
				if bad < 30 {
					fmt.Printf("seed %d: %.250s\n", i, f)
				}
				break
			}
			if r.liveness && len(r.failures) == 0 && r.ending != "Completed" && r.ending != "RolledBack" {
				fmt.Println("seed", i, "ends", r.ending)
			}
			sum.add(job, r)
		}
		sum.report(job)
		fmt.Println(job.Line(), "bad", bad, "ms/seed", time.Since(began).Seconds()*1000/float64(n))
	}
}
