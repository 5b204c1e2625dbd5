//go:build linux

package process

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// A counter counts from several goroutines.
type counter struct{ n atomic.Int64 }

func (c *counter) add(n int64)  { c.n.Add(n) }
func (c *counter) value() int64 { return c.n.Load() }

// each calls do with the seeds from job.Seed on, in job.Workers goroutines,
// until it returns false, something was found, or ctx is done.
func each(ctx context.Context, job *tier.Job, do func(seed uint64) bool) {
	var next atomic.Uint64
	var enough atomic.Bool
	var all sync.WaitGroup
	for range max(job.Workers, 1) {
		all.Go(func() {
			for ctx.Err() == nil && !job.Failed() && !enough.Load() {
				if !do(job.Seed + next.Add(1) - 1) {
					enough.Store(true)
				}
			}
		})
	}
	all.Wait()
}

// inPlace sets a stage up in a directory of its own below parent, which done
// removes unless something was found.
func inPlace(job *tier.Job, parent string, s scenario) (st *stage, done func(), err error) {
	dir, err := os.MkdirTemp(parent, "run")
	if err != nil {
		return nil, nil, err
	}
	done = func() {
		if !job.Failed() {
			if err := os.RemoveAll(dir); err != nil {
				fmt.Fprintln(job.Out, err)
			}
		}
	}
	st, err = newStage(job, s, dir)
	return st, done, err
}
