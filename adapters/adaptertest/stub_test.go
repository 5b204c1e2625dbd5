package adaptertest_test

import (
	"context"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// The adapters below pass every call on to a function that a test can
// replace, one method at a time.

type portal struct {
	fetch      func(context.Context, license.ActivationCode, environment.Environment) (license.File, error)
	registered func(context.Context, license.ActivationCode, environment.Environment) (bool, error)
	register   func(context.Context, license.ActivationCode, environment.Environment) error
}

func (p *portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	return p.fetch(ctx, code, env)
}

func (p *portal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	return p.registered(ctx, code, env)
}

func (p *portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return p.register(ctx, code, env)
}

type serviceCenter struct {
	installed func(context.Context, environment.Environment) (license.Installed, error)
	upload    func(context.Context, environment.Environment, license.File) error
	republish func(context.Context, environment.Environment, string) (adapters.Publication, error)
	backUp    func(context.Context, environment.Environment) (license.File, error)
}

func (s *serviceCenter) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return s.installed(ctx, env)
}

func (s *serviceCenter) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return s.upload(ctx, env, file)
}

func (s *serviceCenter) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return s.republish(ctx, env, module)
}

func (s *serviceCenter) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return s.backUp(ctx, env)
}

type lifeTime struct {
	registered func(context.Context) ([]environment.Registered, error)
	pause      func(context.Context, environment.Environment) error
	resume     func(context.Context, environment.Environment) error
}

func (l *lifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	return l.registered(ctx)
}

func (l *lifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return l.pause(ctx, env)
}

func (l *lifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return l.resume(ctx, env)
}

type vault struct {
	put  func(context.Context, adapters.Label, license.File) (adapters.Stored, error)
	get  func(context.Context, license.SerialNumber, license.Digest) (license.File, error)
	list func(context.Context, license.SerialNumber) ([]adapters.Stored, error)
}

func (v *vault) Put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	return v.put(ctx, label, file)
}

func (v *vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return v.get(ctx, serial, digest)
}

func (v *vault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return v.list(ctx, serial)
}

type desk struct {
	open func(context.Context, adapters.Case) (string, error)
	find func(context.Context, string) (string, error)
}

func (d *desk) OpenCase(ctx context.Context, c adapters.Case) (string, error) { return d.open(ctx, c) }

func (d *desk) FindCase(ctx context.Context, key string) (string, error) { return d.find(ctx, key) }

type operator struct {
	ask func(context.Context, adapters.Question) (adapters.Answer, error)
}

func (o *operator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	return o.ask(ctx, q)
}
