package fake

import (
	"context"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
)

// A Clock is a clock that stands still until somebody sleeps, and then jumps:
// waits cost no time. The zero value stands at [Start]. It is safe for
// concurrent use and must not be copied.
type Clock struct {
	mu    sync.Mutex
	slept time.Duration
}

var _ adapters.Clock = (*Clock)(nil)

// Now returns the time; it is the same until somebody sleeps.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Start().Add(c.slept)
}

// Sleep advances the clock by d and returns at once. When ctx is done it
// returns its error and advances nothing. A d that is not positive advances
// nothing either.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += max(d, 0)
	return nil
}
