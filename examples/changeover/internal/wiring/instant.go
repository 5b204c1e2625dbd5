package wiring

import (
	"context"
	"time"

	"github.com/changeover-go/changeover/adapters"
)

// instant tells the time, and lets waits pass at once: a simulation has nothing
// to wait for.
type instant struct{}

var _ adapters.Clock = instant{}

// Now implements adapters.Clock.
func (instant) Now() time.Time { return time.Now() }

// Sleep implements adapters.Clock.
func (instant) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
