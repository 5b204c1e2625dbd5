package main

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/migration/journal"
)

// A counted connection is one that somebody has to close.
type counted struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// TestNothingIsLeftOfACanceledRun cancels a run while a server that will never
// answer holds it, in the middle of reading, uploading and publishing.
func TestNothingIsLeftOfACanceledRun(t *testing.T) {
	for _, state := range []string{"Paused", "BackedUp", "Uploaded", "IPVerified"} {
		t.Run("while Production is "+state, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			plan, err := (&options{}).readPlan()
			require.NoError(t, err)
			clock := new(fake.Clock)
			s, err := simulator.Start(fake.New(plan.Infrastructure, plan.Source, plan.Target), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()

			var opened, open atomic.Int64
			set, err := reach(s, plan, clock, func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := s.Dial(ctx, network, address)
				if err != nil {
					return nil, err
				}
				opened.Add(1)
				open.Add(1)
				return &counted{Conn: conn, open: &open}, nil
			})
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var hanging sync.Once
			c, err := changeover.New(plan, set, new(journal.Memory), &changeover.Options{
				Clock: clock, Grace: time.Millisecond,
				OnEntry: func(e journal.Entry) {
					if e.Kind == journal.Intent && e.Env == production && e.State == state {
						hanging.Do(func() {
							blocked := s.Hang()
							go func() { <-blocked; cancel() }()
						})
					}
				},
			})
			require.NoError(t, err)
			_, err = c.Apply(ctx)
			require.ErrorIs(t, err, context.Canceled)
			require.NotZero(t, opened.Load())
			require.Eventually(t, func() bool { return open.Load() == 0 }, 5*time.Second, time.Millisecond, "connections are left open")
		})
	}
}
