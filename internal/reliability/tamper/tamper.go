// Package tamper changes journals and vaults behind the library's back and
// looks whether that is noticed: every byte, every record, every cut, HEAD, the
// copies of a backup, and whole directories that are replaced. It is a tier of
// the reliability programme.
//
// Whatever was done must be refused by a sentence that names the line, or the
// file, in which it shows; or it is of one of the few classes in which nobody
// can know, or nothing is lost, and all that is read is what was written. It asks
// the stores only through what they export, and Verify and Open must say the
// same.
package tamper

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/changeover-go/changeover/internal/reliability/golden"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// A class is what comes of a tampering.
type class string

// The classes. All but the first two must be permitted by the kind of
// tampering.
const (
	refused   class = "refused and named"
	unchanged class = "nothing changed" // the tampering gave the same bytes
	oneSlot   class = "one slot of HEAD lost: the other vouches"
	torn      class = "unfinished last line that nobody was told of: cut and told"
	oldHead   class = "HEAD older than the journal: all is there and follows"
	unknown   class = "end lost of which HEAD did not know: as after a crash before it was acknowledged"
	together  class = "older directory put back with its HEAD: cannot be detected (B8.5)"
	otherCopy class = "one copy of a backup lost: another is served, whole ones are counted"
	unlisted  class = "record of a backup lost everywhere: its bytes are still served by their digest"
)

func classes() []class {
	return []class{refused, unchanged, oneSlot, torn, oldHead, unknown, together, otherCopy, unlisted}
}

// A kind is a way of tampering. It can be done in n ways.
type kind struct {
	name string
	n    int
	// try does it in the ith way and says what came of it.
	try func(ctx context.Context, i int) (class, error)
	may []class // but for refused and unchanged
}

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{
		Name: "tamper",
		Doc:  "Journals and backups are changed behind the library's back: it says where, or it is of a documented class.",
		Run:  run,
	}
}

func run(ctx context.Context, job *tier.Job) {
	subjects, err := newSubjects(ctx, job.Scale, job.Dir)
	if err != nil {
		job.Fail("", "%v", err)
		return
	}
	if job.Repeat != "" {
		repeat(ctx, job, subjects)
		return
	}
	if job.Scale != tier.Test {
		job.Need("tamperings", 150_000)
	}
	t := tally{job: job, came: map[class]int64{}}
	for i, s := range subjects {
		// Each worker has a copy of its own to tamper with.
		var wg sync.WaitGroup
		for w := range max(job.Workers, 1) {
			kinds, err := s.kinds(ctx, filepath.Join(job.Dir, fmt.Sprintf("tampered-%d-%d", i, w)))
			if err != nil {
				job.Fail("", "%s: %v", s.name(), err)
				return
			}
			wg.Go(func() {
				for _, k := range kinds {
					t.all(ctx, s.name(), k, w)
				}
			})
		}
		wg.Wait()
	}
	job.Add("refused and named", t.came[refused])
	for _, c := range classes() {
		if c != refused && t.came[c] > 0 {
			job.Add("of a class", t.came[c])
		}
		if t.came[c] > 0 {
			fmt.Fprintf(job.Out, "tamper: %8d  %s\n", t.came[c], c)
		}
	}
	for _, c := range classes() {
		if c != unchanged && t.came[c] == 0 && !job.Failed() && ctx.Err() == nil {
			job.Fail("", "no tampering was of the class %q, so its check is not exercised", c)
		}
	}
}

// tally counts what came of the tamperings.
type tally struct {
	job *tier.Job

	mu   sync.Mutex
	came map[class]int64
}

// all tries a worker's share of the ways of one kind.
func (t *tally) all(ctx context.Context, subject string, k kind, worker int) {
	step := max(t.job.Workers, 1)
	if t.job.Scale == tier.Test && k.n > sample {
		step *= k.n / sample
	}
	came := map[class]int64{}
	n := int64(0)
	for i := worker + int(t.job.Seed)%step; i < k.n && ctx.Err() == nil && !t.job.Failed(); i += step {
		c, err := attempt(ctx, k, i)
		if err != nil {
			t.job.Fail(fmt.Sprintf("%s/%s/%d", subject, k.name, i), "%s: %s, way %d of %d: %v", subject, k.name, i, k.n, err)
		}
		came[c]++
		n++
	}
	t.job.Add("tamperings", n)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range classes() {
		t.came[c] += came[c]
	}
}

// sample is how many ways of a kind are tried at the scale of a test.
const sample = 12

// attempt tries one way, and a panic is what is wrong with it.
func attempt(ctx context.Context, k kind, i int) (c class, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	c, err = k.try(ctx, i)
	if err == nil && c != refused && c != unchanged && !slices.Contains(k.may, c) {
		err = fmt.Errorf("it was taken: %s", c)
	}
	return c, err
}

// repeat tries one way again, as "SUBJECT/KIND/NUMBER".
func repeat(ctx context.Context, job *tier.Job, subjects []subject) {
	parts := strings.Split(job.Repeat, "/")
	for _, s := range subjects {
		if len(parts) != 3 || s.name() != parts[0] {
			continue
		}
		kinds, err := s.kinds(ctx, filepath.Join(job.Dir, "tampered"))
		if err != nil {
			job.Fail(job.Repeat, "%v", err)
			return
		}
		for _, k := range kinds {
			if i, err := strconv.Atoi(parts[2]); err == nil && k.name == parts[1] && i < k.n {
				c, err := attempt(ctx, k, i)
				fmt.Fprintf(job.Out, "%s: %s: %v\n", job.Repeat, c, err)
				if err != nil {
					job.Fail(job.Repeat, "%v", err)
				}
				return
			}
		}
	}
	job.Fail("", "there is no %q; it is SUBJECT/KIND/NUMBER", job.Repeat)
}

// A subject is what is tampered with.
type subject interface {
	name() string
	// kinds returns the ways of tampering with a copy in a new directory.
	kinds(ctx context.Context, dir string) ([]kind, error)
}

// newSubjects makes what is tampered with. The journals of three runs, one that
// completed, one that was rolled back and one that waits, are small enough for
// every byte, the longest of them with one bit of each byte, and the smallest for
// every cut and every byte of HEAD as well; those of the others are taken record
// by record, and not at all at the scale of a test.
func newSubjects(ctx context.Context, scale tier.Scale, dir string) ([]subject, error) {
	const smallest, longest = "as-written-support", "as-written-rolled-back-on-request"
	deep := []string{"as-written-completed", longest, smallest}
	var all []subject
	for _, r := range golden.Runs() {
		isDeep := slices.Contains(deep, r.Name)
		if scale == tier.Test && !isDeep {
			continue
		}
		// The other journal is of another plan: those of one plan begin alike.
		another, err := golden.Find("published-completed")
		if err == nil && strings.HasPrefix(r.Name, "published") {
			another, err = golden.Find("as-written-completed")
		}
		if err != nil {
			return nil, err
		}
		m, err := newMaterial(ctx, r, filepath.Join(dir, r.Name))
		if err != nil {
			return nil, err
		}
		if m.other, err = newMaterial(ctx, another, filepath.Join(dir, r.Name+"-other")); err != nil {
			return nil, err
		}
		m.flips, m.cuts = isDeep, r.Name == smallest
		m.rotate = r.Name != smallest && scale != tier.Soak // one bit of each byte, by turns
		all = append(all, m)
	}
	return append(all, strangers{}, newBackups()), nil
}
