package steps_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// The heedless adapters do not care whether their context is done.
type (
	heedlessConsole  struct{ adapters.ServiceCenter }
	heedlessLifeTime struct{ adapters.LifeTime }
	heedlessVault    struct{ adapters.BackupVault }
	heedlessDesk     struct{ adapters.SupportDesk }
)

func (a heedlessConsole) UploadLicense(ctx context.Context, env environment.Environment, f license.File) error {
	return a.ServiceCenter.UploadLicense(context.WithoutCancel(ctx), env, f)
}

func (a heedlessConsole) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return a.ServiceCenter.RepublishModule(context.WithoutCancel(ctx), env, module)
}

func (a heedlessLifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	return a.LifeTime.Registered(context.WithoutCancel(ctx))
}

func (a heedlessLifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return a.LifeTime.PauseDeployments(context.WithoutCancel(ctx), env)
}

func (a heedlessLifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return a.LifeTime.ResumeDeployments(context.WithoutCancel(ctx), env)
}

func (a heedlessVault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return a.BackupVault.Get(context.WithoutCancel(ctx), serial, digest)
}

func (a heedlessDesk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	return a.SupportDesk.OpenCase(context.WithoutCancel(ctx), c)
}

func (a heedlessDesk) FindCase(ctx context.Context, key string) (string, error) {
	return a.SupportDesk.FindCase(context.WithoutCancel(ctx), key)
}

// A step that was given up may wake up when something else is going on already:
// it changes nothing more.
func TestNothingIsChangedOnceTheContextIsDone(t *testing.T) {
	s, world := site(t)
	u := upload(t, s, world)
	s.Ports.ServiceCenter, s.Ports.LifeTime = heedlessConsole{s.Ports.ServiceCenter}, heedlessLifeTime{s.Ports.LifeTime}
	s.Ports.Vault, s.Ports.Support = heedlessVault{s.Ports.Vault}, heedlessDesk{s.Ports.Support}
	ours := &environment.Pause{Ours: []string{"Production"}}
	nothing := func() error { return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	changes := len(world.Effects())
	for _, c := range []struct {
		what   string
		change func() error
	}{
		{"an upload", func() error { return s.Upload(ctx, call(s), u) }},
		{"a republish", func() error { return s.Republish(ctx, call(s)) }},
		{"a pause", func() error { return s.Pause(ctx, new(environment.Pause), nothing) }},
		{"a resumption", func() error { return s.Resume(ctx, ours) }},
		{"a case", func() error { _, err := s.OpenCase(ctx, adapters.Case{Key: "k", Subject: "s", Body: "b"}); return err }},
	} {
		require.ErrorIs(t, c.change(), context.Canceled, c.what)
	}
	require.Len(t, world.Effects(), changes)
	require.ErrorIs(t, s.Running(ctx), context.Canceled)
	require.NoError(t, s.Running(t.Context()))
}
