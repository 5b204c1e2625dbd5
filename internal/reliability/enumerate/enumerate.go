// Package enumerate is the tier that stops a run at every point there is: at
// every operation on a file, with everything that a power cut may leave, and at
// every call of a port; and that fails every one of them. It then takes the run
// up again and compares how it ends with a run that nothing happened to
// (reliability.md B3, C2 tier E). It runs the real journal and the real vault
// over a file system in memory, the simulated world, and the engine with one
// effect at a time.
//
// What is between two operations or calls is not stopped at: a process that
// dies there leaves what it leaves right after the first of them.
package enumerate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/changeover-go/changeover/internal/reliability/crashdisk"
	"github.com/changeover-go/changeover/internal/reliability/tier"
)

// Tier returns the tier.
func Tier() tier.Tier {
	return tier.Tier{
		Name: "enumerate",
		Doc:  "stops and fails a run at every file operation and every call, one, two and three times, and takes it up again",
		Run:  func(ctx context.Context, job *tier.Job) { (&sweep{job: job}).run(ctx) },
	}
}

// A sweep is one run of the tier.
type sweep struct {
	job    *tier.Job
	worlds worlds
}

// base is a play to which nothing happens.
type base struct {
	play   *play
	events []event
	ending ending
	from   int // the events before are those of an earlier play
}

func (s *sweep) run(ctx context.Context) {
	if s.job.Repeat != "" {
		s.repeat(ctx)
		return
	}
	var earlier []*base
	for _, p := range plays {
		if s.job.Scale == tier.Test && !p.small() {
			continue
		}
		b, err := s.base(ctx, &p)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.job.Fail(p.name, "a run to which nothing happens: %v", err)
			return
		}
		for _, e := range earlier {
			b.from = max(b.from, common(b, e))
		}
		earlier = append(earlier, b)
		s.crashes(ctx, b)
		s.failures(ctx, b)
		s.triples(ctx, b)
		if p.small() && (s.job.Scale == tier.Soak || s.job.Scale == tier.CI && p.refused != "") {
			s.pairs(ctx, b)
		}
	}
	for i := uint64(1); s.job.Scale == tier.Soak && ctx.Err() == nil && !s.job.Failed(); i++ {
		for _, b := range earlier {
			s.job.Seed++
			s.triples(ctx, b)
		}
	}
	if s.job.Scale != tier.Test && ctx.Err() == nil {
		s.job.Need("points", 800)
		s.job.Need("crashes", 3_500)
		s.job.Need("call places", 4_000)
		s.job.Need("failures", 3_500)
		s.job.Need("pairs", 8_000)
		s.job.Need("triples", 1_000)
	}
}

// common returns how many events a play begins with that another begins with
// too: what happens at them has been tried.
func common(b, other *base) int {
	n := 0
	for n < min(len(b.events), len(other.events)) && b.events[n].String() == other.events[n].String() {
		n++
	}
	if b.play.envs != other.play.envs || b.play.profile != other.play.profile {
		return 0
	}
	return n
}

func (s *sweep) base(ctx context.Context, p *play) (*base, error) {
	r, err := s.try(ctx, trial{p, nil}, ending{}, false)
	if err != nil {
		return nil, err
	}
	return &base{play: p, events: r.last, ending: r.ended}, nil
}

// A result is what is left of a trial.
type result struct {
	last  []event // of the last process
	hits  int     // points that were met
	ended ending
}

// try makes a trial: a process for each point, and one that comes to the end.
func (s *sweep) try(ctx context.Context, t trial, want ending, told bool) (result, error) {
	r, err := t.play.begin(&s.worlds, s.job.Without, nil)
	if err != nil {
		return result{}, err
	}
	if told {
		r.tell = s.job.Out
	}
	var res result
	for i := range t.points {
		r.say("process %d", i+1)
		err := r.process(ctx, &t.points[i])
		if r.hit {
			res.hits++
		}
		if err != nil {
			r.say("      %v", err)
		}
	}
	r.say("the last process")
	if err := r.process(ctx, nil); err != nil {
		err = fmt.Errorf("it does not come to an end: %w", err)
		return res, errors.Join(r.watch.Err(), err)
	}
	res.last, res.ended = r.events, r.ending()
	return res, r.judge(ctx, want)
}

// check makes a trial and says what is wrong.
func (s *sweep) check(ctx context.Context, b *base, points ...point) (result, bool) {
	t := trial{b.play, points}
	res, err := s.try(ctx, t, b.ending, false)
	if err != nil && ctx.Err() == nil {
		s.job.Fail(t.String(), "%s: %v", t, err)
	}
	return res, err == nil
}

// each calls do for every number below n, or, in a test, for some spread over
// all, on as many goroutines as the job has.
func (s *sweep) each(ctx context.Context, n int, do func(i int)) {
	stride := 1
	if s.job.Scale == tier.Test {
		stride = max(n/testTrials, 1)
	}
	var next atomic.Int64
	next.Store(int64(s.job.Seed) % int64(stride))
	var wg sync.WaitGroup
	for range max(s.job.Workers, 1) {
		wg.Go(func() {
			for ctx.Err() == nil && !s.job.Failed() {
				i := int(next.Add(int64(stride))) - stride
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
}

// testTrials is about how many of a kind are tried at the scale of a test.
const testTrials = 10

// crashesAt returns the ways in which a process can die in those events: all
// there are in a small play; in others two, by turns killed or with nothing left
// that was not synced, and one more.
func (s *sweep) crashesAt(b *base) []point {
	r := rand.New(rand.NewPCG(s.job.Seed, 1))
	var points []point
	if b.from == 0 {
		points = append(points, point{at: -1, how: kill})
	}
	for n, e := range b.events {
		if !e.active || n < b.from {
			continue
		}
		ways := crashdisk.All(e.pending, 2, r)
		if len(ways) > 1 && !b.play.small() {
			ways = []crashdisk.Survivors{[]crashdisk.Survivors{"none", crashdisk.Survivors(kill)}[n%2], ways[r.IntN(len(ways))]}
		} else if e.pending > 0 {
			points = append(points, point{at: n, how: kill})
		}
		for _, survivors := range ways {
			points = append(points, point{at: n, how: how(survivors)})
		}
	}
	return points
}

// crashes dies once, everywhere.
func (s *sweep) crashes(ctx context.Context, b *base) {
	points := s.crashesAt(b)
	places := map[int]bool{}
	for _, p := range points {
		places[p.at] = true
	}
	s.job.Add("points", int64(len(places)))
	s.each(ctx, len(points), func(i int) {
		s.met(ctx, b, points[i])
		s.job.Add("crashes", 1)
	})
	s.job.Add("call places", int64(len(callPlaces(b))))
}

// met makes a trial with one point, which must be met: a run repeats itself.
func (s *sweep) met(ctx context.Context, b *base, p point) {
	if res, ok := s.check(ctx, b, p); ok && res.hits == 0 {
		t := trial{b.play, []point{p}}
		s.job.Fail(t.String(), "%s: the run did not come to its point: it does not repeat itself", t)
	}
}

// pairs dies everywhere, and once more wherever the process that takes over can
// die: by turns killed, and with nothing left that was not synced. In CI the
// first death is at every place of the way back and at every other one of the
// way forward; a soak has time for all.
func (s *sweep) pairs(ctx context.Context, b *base) {
	var firsts []point
	for i, p := range coarse(b.events, 0) {
		if p.at >= b.from || i%2 == 0 || s.job.Scale == tier.Soak {
			firsts = append(firsts, p)
		}
	}
	s.each(ctx, len(firsts), func(i int) {
		res, ok := s.check(ctx, b, firsts[i])
		if !ok {
			return
		}
		for _, second := range coarse(res.last, 0) {
			if _, ok := s.check(ctx, b, firsts[i], second); !ok || ctx.Err() != nil {
				return
			}
			s.job.Add("pairs", 1)
		}
	})
}

func coarse(events []event, from int) []point {
	var points []point
	for n, e := range events {
		if !e.active || n < from {
			continue
		}
		points = append(points, point{at: n, how: []how{kill, "none"}[len(points)%2]})
	}
	return points
}

// triples dies three times, at random.
func (s *sweep) triples(ctx context.Context, b *base) {
	n := map[tier.Scale]int{tier.Test: testTrials, tier.CI: 200, tier.Soak: 1000}[s.job.Scale]
	s.each(ctx, n, func(i int) {
		r := rand.New(rand.NewPCG(s.job.Seed, uint64(i)+2))
		var points []point
		for range 3 {
			at := -1
			for at < 0 || !b.events[at].active {
				at = r.IntN(len(b.events))
			}
			ways := append(crashdisk.All(crashdisk.MaxSubsets+1, 4, r), crashdisk.Survivors(kill))
			points = append(points, point{at: at, how: how(ways[r.IntN(len(ways))])})
		}
		s.check(ctx, b, points...)
		s.job.Add("triples", 1)
	})
}

// failures fails every operation and every call, once and from then on.
func (s *sweep) failures(ctx context.Context, b *base) {
	var points []point
	for n, e := range b.events {
		if n < b.from {
			continue
		}
		for _, h := range e.failures(b.play.small()) {
			if e.port {
				points = append(points, point{at: e.call, how: h})
				continue
			}
			if b.play.small() {
				points = append(points, point{at: n, how: h}, point{at: n, how: h, always: true})
			} else {
				points = append(points, point{at: n, how: h, always: n%2 == 0})
			}
		}
	}
	s.each(ctx, len(points), func(i int) {
		s.met(ctx, b, points[i])
		s.job.Add("failures", 1)
	})
}

// failures returns how the event can fail; in a small play all of it.
func (e event) failures(all bool) []how {
	switch {
	case e.port:
		return []how{lost, unanswered, notReached}
	case e.what == "close":
		return nil
	case !all:
		return []how{eio}
	}
	switch e.what {
	case "write":
		return []how{eio, done, enospc, erofs, short}
	case "create", "link", "mkdir":
		return []how{eio, done, enospc, erofs}
	case "truncate", "remove":
		return []how{eio, done, erofs}
	case "sync":
		return []how{eio, done, drop}
	case "sync directory", "sync parent":
		return []how{eio, done}
	}
	return []how{eio}
}

// repeat makes one trial again, and tells it.
func (s *sweep) repeat(ctx context.Context) {
	t, err := parseTrial(s.job.Repeat)
	if err != nil {
		s.job.Fail("", "%v", err)
		return
	}
	b := &base{play: t.play}
	if len(t.points) > 0 {
		if b, err = s.base(ctx, t.play); err != nil {
			s.job.Fail(t.play.name, "a run to which nothing happens: %v", err)
			return
		}
	}
	if _, err := s.try(ctx, t, b.ending, true); err != nil {
		s.job.Fail(t.String(), "%s: %v", t, err)
	}
}
