package inbox_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// clerk is a person at the portal who saves every file into the folder, under
// the name that the portal gives to all of them, and answers the rest. One who
// has gone home keeps everybody waiting.
type clerk struct {
	adapters.LicensePortal
	t    *testing.T
	dir  string
	gone chan struct{} // nil: still there
}

func (c *clerk) save(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	file, err := c.LicensePortal.FetchLicense(ctx, code, env)
	if err == nil {
		f, err := os.CreateTemp(c.dir, "license*.lic")
		require.NoError(c.t, err)
		_, err = f.Write(file.Bytes())
		require.NoError(c.t, err)
		require.NoError(c.t, f.Close())
	}
	return err
}

func (c *clerk) wait(ctx context.Context) error {
	if c.gone == nil {
		return ctx.Err()
	}
	c.gone <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func (c *clerk) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	if err := c.wait(ctx); err != nil {
		return license.File{}, err
	}
	return c.LicensePortal.FetchLicense(ctx, code, env)
}

func (c *clerk) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	if err := c.wait(ctx); err != nil {
		return false, err
	}
	return c.LicensePortal.SerialRegistered(ctx, code, env)
}

func (c *clerk) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	if err := c.wait(ctx); err != nil {
		return err
	}
	if err := c.LicensePortal.RegisterSerial(ctx, code, env); err != nil {
		return err
	}
	return c.save(ctx, code, env)
}

func TestAnInboxBesideAPersonConforms(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	for name, filled := range map[string]bool{"with the files of the first code in the folder": true, "with an empty folder": false} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
				h := copies(t).LicensePortalHarness(t)
				c := &clerk{LicensePortal: h.Portal, t: t, dir: filepath.Join(t.TempDir(), "inbox")}
				require.NoError(t, os.Mkdir(c.dir, 0o700))
				if filled {
					require.NoError(t, c.save(t.Context(), h.Registered, h.Env))
					require.NoError(t, c.save(t.Context(), h.Registered, h.Other))
				}
				b, err := inbox.New(c.dir, &inbox.Options{Next: c})
				require.NoError(t, err)
				h.Portal = b
				if !filled { // a folder answers at once
					h.Hang = func() <-chan struct{} {
						c.gone = make(chan struct{}, 16)
						return c.gone
					}
				}
				return h
			})
		})
	}
}

func TestAnInboxAloneConformsInWhatItCan(t *testing.T) {
	scene := worldtest.New(t)
	h := scene.LicensePortalHarness(t)
	dir := filepath.Join(t.TempDir(), "inbox")
	require.NoError(t, os.Mkdir(dir, 0o700))
	c := &clerk{LicensePortal: h.Portal, t: t, dir: dir}
	require.NoError(t, c.save(t.Context(), h.Registered, h.Env))
	b, err := inbox.New(dir, nil)
	require.NoError(t, err)
	file, err := b.FetchLicense(t.Context(), h.Registered, h.Env)
	require.NoError(t, err)
	require.False(t, file.IsZero())
	_, err = b.FetchLicense(t.Context(), h.Unregistered, h.Env)
	require.Same(t, adapters.ErrBusy, adapters.ConditionOf(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.FetchLicense(ctx, h.Registered, h.Env)
	require.ErrorIs(t, err, context.Canceled)
	require.Same(t, adapters.ErrNotReached, adapters.ConditionOf(err))
	_, err = newFolder(t, nil).FetchLicense(ctx, h.Registered, h.Env)
	require.ErrorIs(t, err, context.Canceled)
	require.Same(t, adapters.ErrNotReached, adapters.ConditionOf(err))
}
