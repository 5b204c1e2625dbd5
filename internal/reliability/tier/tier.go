// Package tier is what the tiers of the reliability programme have in common:
// how one is told how much to do, and how it says what it did. It knows no tier.
package tier

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/changeover-go/changeover/internal/reliability/law"
)

// A Scale says how much a tier is to do.
type Scale int

// The scales.
const (
	Test Scale = iota // a second or two, as part of go test
	CI                // the figures that every change must reach
	Soak              // with new seeds, until the context is done
)

// A Tier is one way of looking for broken promises.
type Tier struct {
	Name string // a verb or noun of one word, as in the command line
	Doc  string // one sentence for the table
	Run  func(ctx context.Context, job *Job)
}

// A Job is one run of a tier. Its methods are safe for concurrent use.
type Job struct {
	Scale   Scale
	Seed    uint64    // the first of the seeds; what a tier does is a function of it
	Workers int       // how many goroutines may compute at once
	Without law.Set   // laws that are not enforced
	Dir     string    // an empty directory of the job's own, on a disk
	Out     io.Writer // for progress and for what people should see; not nil
	// Repeat is what an earlier job printed after its failure: the tier then
	// does that one thing again, and tells it in detail.
	Repeat string

	mu       sync.Mutex
	name     string
	counts   []Count
	failures []Failure
	skips    []string
	began    time.Time
	took     time.Duration
}

// A Count is one figure of a tier.
type Count struct {
	Name    string
	N       int64
	AtLeast int64 // that must be reached at the scale; zero: any
}

// A Failure is a promise that was found broken.
type Failure struct {
	What   string // all that is needed to understand it
	Repeat string // for Job.Repeat; empty: it cannot be narrowed down
}

// MaxFailures is how many failures a job keeps; a tier should stop when
// [Job.Failed] is true.
const MaxFailures = 5

// Do runs the tier as the job, which is not used for anything else.
func (t Tier) Do(ctx context.Context, job *Job) {
	job.name, job.began = t.Name, time.Now()
	t.Run(ctx, job)
	job.took = time.Since(job.began)
	for _, c := range job.Counts() {
		if c.N < c.AtLeast && job.Repeat == "" && !job.Failed() {
			job.Fail("", "%s: %d, at least %d must be reached", c.Name, c.N, c.AtLeast)
		}
	}
}

// Add adds n to the figure called name, which is shown in the order of first
// mention.
func (j *Job) Add(name string, n int64) { j.add(name, n, 0) }

// Need says that the figure called name must reach atLeast.
func (j *Job) Need(name string, atLeast int64) { j.add(name, 0, atLeast) }

func (j *Job) add(name string, n, atLeast int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.counts {
		if c := &j.counts[i]; c.Name == name {
			c.N, c.AtLeast = c.N+n, max(c.AtLeast, atLeast)
			return
		}
	}
	j.counts = append(j.counts, Count{name, n, atLeast})
}

// Fail says what was found broken. repeat is what Job.Repeat must be to see it
// again.
func (j *Job) Fail(repeat, format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.failures) < MaxFailures {
		j.failures = append(j.failures, Failure{fmt.Sprintf(format, args...), repeat})
	}
}

// Failed reports whether something was found broken.
func (j *Job) Failed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.failures) > 0
}

// Skip says that a part of the tier cannot be done here, and why. Whoever runs
// the job decides whether that is permitted.
func (j *Job) Skip(part, why string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.skips = append(j.skips, part+": "+why)
}

// Counts returns the figures.
func (j *Job) Counts() []Count {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Count(nil), j.counts...)
}

// Failures returns what was found broken.
func (j *Job) Failures() []Failure {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Failure(nil), j.failures...)
}

// Skips returns what was not done, each with its reason.
func (j *Job) Skips() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.skips...)
}

// Took returns how long the job took.
func (j *Job) Took() time.Duration { return j.took }

// Line returns the job's line of the summary: name, figures, seed and seconds.
func (j *Job) Line() string {
	var figures []string
	for _, c := range j.Counts() {
		figures = append(figures, fmt.Sprintf("%s %d", c.Name, c.N))
	}
	return fmt.Sprintf("| %s | %s | %d | %.1f |", j.name, strings.Join(figures, ", "), j.Seed, j.took.Seconds())
}
