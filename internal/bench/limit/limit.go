// Package limit has what no durable step can be faster than, measured with
// nothing around it: bytes that are written and synced, alone and by many, and
// goroutines that wait. Each figure of the benchmark stands beside one of
// these, taken in the same minute on the same disk.
package limit

import (
	"errors"
	"os"
	"sync"
	"time"
)

// Synced writes each chunk behind the last, syncing after each, and returns how
// long each took.
func Synced(path string, chunks [][]byte) (each []time.Duration, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil { // the file itself counts for nothing
		return nil, err
	}
	var at int64
	for _, chunk := range chunks {
		began := time.Now()
		if _, err := f.WriteAt(chunk, at); err != nil {
			return nil, err
		}
		if err := syncData(f); err != nil {
			return nil, err
		}
		each = append(each, time.Since(began))
		at += int64(len(chunk))
	}
	return each, nil
}

// GroupCommitted has writers append chunk over and over, each waiting until
// its own is durable before the next, for that long; one goroutine writes
// whatever waits in one piece and syncs once. It returns the appends for each
// second.
func GroupCommitted(path string, chunk []byte, writers int, during time.Duration) (rate float64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Sync(); err != nil {
		return 0, err
	}
	waiting := make(chan chan struct{}, writers)
	var wg sync.WaitGroup
	began := time.Now()
	for range writers {
		wg.Go(func() {
			durable := make(chan struct{}, 1)
			for time.Since(began) < during {
				waiting <- durable
				if _, ok := <-durable; !ok {
					return
				}
			}
		})
	}
	go func() { wg.Wait(); close(waiting) }()

	var at int64
	var buf []byte
	var group []chan struct{}
	appends := 0
	for first := range waiting {
		buf, group = append(buf[:0], chunk...), append(group[:0], first)
		for more := true; more && len(group) < writers; {
			select {
			case next, ok := <-waiting:
				if more = ok; ok {
					buf, group = append(buf, chunk...), append(group, next)
				}
			default:
				more = false
			}
		}
		if err == nil {
			_, err = f.WriteAt(buf, at)
		}
		if err == nil {
			err = syncData(f)
		}
		at += int64(len(buf))
		appends += len(group)
		for _, durable := range group {
			if err != nil {
				close(durable)
			} else {
				durable <- struct{}{}
			}
		}
	}
	return float64(appends) / time.Since(began).Seconds(), err
}

// Waits has n goroutines wait steps times for that long each, at most inFlight
// at once, and returns how long it took.
func Waits(n, steps, inFlight int, each time.Duration) time.Duration {
	began := time.Now()
	free := make(chan struct{}, inFlight)
	var wg sync.WaitGroup
	for range n {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			for range steps {
				time.Sleep(each)
			}
		})
	}
	wg.Wait()
	return time.Since(began)
}
