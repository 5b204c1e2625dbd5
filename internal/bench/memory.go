package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/changeover-go/changeover/internal/bench/contender"
)

// held is what environments take while they wait.
type held struct {
	environments int
	resting      float64 // bytes of heap for each that rests halfway
	inFlight     float64 // bytes of heap and stacks, in all, with a call of each under way
	stacks       float64 // of these, the stacks
	goroutines   int     // then
	left         float64 // bytes of heap in all, when everything is over, more than before
	leftOver     int     // goroutines, likewise
}

// waiting measures n environments, exactly: what is on the heap after a
// collection, not how long anything takes.
func waiting(ctx context.Context, p *place, n int) (h held, err error) {
	h.environments = n
	dir, err := p.fresh()
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := rest(ctx, dir, n, &h); err != nil {
		return h, err
	}
	// The runtime keeps, for the next, what it needs to run so many goroutines.
	if err := fly(ctx, dir, n, runtime.MemStats{}, new(held)); err != nil {
		return h, err
	}
	before, goroutines := settled()
	if err := fly(ctx, dir, n, before, &h); err != nil {
		return h, err
	}
	after, now := settled()
	h.left, h.leftOver = float64(after.HeapAlloc)-float64(before.HeapAlloc), now-goroutines
	return h, nil
}

// rest has environments rest after three steps, and finds out what goes when
// they do.
func rest(ctx context.Context, dir string, n int, h *held) error {
	c := contender.FileJournal(nil)
	if err := c.Start(ctx, dir); err != nil {
		return err
	}
	err := c.Walk(ctx, contender.Walk{Instances: n, Until: 3, Effect: func(context.Context, int, int) {}})
	with, _ := settled()
	err = errors.Join(err, c.Stop())
	without, _ := settled()
	h.resting = (float64(with.HeapAlloc) - float64(without.HeapAlloc)) / float64(n)
	return err
}

// fly has a call of every environment under way at once.
func fly(ctx context.Context, dir string, n int, before runtime.MemStats, h *held) error {
	dir, err := os.MkdirTemp(dir, "")
	if err != nil {
		return err
	}
	c := contender.FileJournal(nil)
	if err := c.Start(ctx, dir); err != nil {
		return err
	}
	var under sync.WaitGroup
	under.Add(n)
	land := make(chan struct{})
	walked := make(chan error, 1)
	go func() {
		walked <- c.Walk(ctx, contender.Walk{Instances: n, Until: 1, Effect: func(context.Context, int, int) {
			under.Done()
			<-land
		}})
	}()
	under.Wait()
	now, goroutines := settled()
	h.inFlight = float64(now.HeapAlloc+now.StackInuse) - float64(before.HeapAlloc+before.StackInuse)
	h.stacks = float64(now.StackInuse) - float64(before.StackInuse)
	h.goroutines = goroutines
	close(land)
	return errors.Join(<-walked, c.Stop())
}

// settled returns what is in use once what is not has been collected.
func settled() (runtime.MemStats, int) {
	var m runtime.MemStats
	for range 3 { // what has a finalizer goes with the second collection
		runtime.GC()
		time.Sleep(time.Millisecond) // finalizers, and goroutines that are just ending, have threads of their own
	}
	runtime.ReadMemStats(&m)
	return m, runtime.NumGoroutine()
}
