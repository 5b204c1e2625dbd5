package steps

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Guard returns a set that passes every call on to set and lets nothing in that
// could do harm: what an adapter's error says is masked and safe to print from
// there on, and a panic is an error that says nothing of the outcome. What an
// error states, its condition, is not changed. panicked, which may be nil, is
// told the stack of a panic.
func Guard(set adapters.Set, mask license.Mask, panicked func(stack []byte)) adapters.Set {
	g := guard{mask, panicked}
	sc := guardedConsole{g, set.ServiceCenter}
	out := adapters.Set{
		Portal: guardedPortal{g, set.Portal}, ServiceCenter: sc, LifeTime: guardedLifeTime{g, set.LifeTime},
		Vault: guardedVault{g, set.Vault}, Support: guardedDesk{g, set.Support}, Operator: guardedOperator{g, set.Operator},
	}
	if b, ok := set.ServiceCenter.(adapters.LicenseBackuper); ok {
		out.ServiceCenter = guardedBackuper{sc, b}
	}
	return out
}

type guard struct {
	mask     license.Mask
	panicked func(stack []byte)
}

// saidError is an error as it may be told. What it wraps is only for errors.Is
// and errors.As.
type saidError struct {
	text string
	err  error
}

func (e saidError) Error() string { return e.text }
func (e saidError) Unwrap() error { return e.err }

func (g guard) say(err error) error {
	if err == nil {
		return nil
	}
	return saidError{printable.Error(g.mask.Error(err)), err}
}

// errPanicked is wrapped by what became of a panic.
var errPanicked = errors.New("the adapter panicked")

// guarded makes a call.
func guarded[T any](g guard, call func() (T, error)) (answer T, err error) {
	defer func() {
		if p := recover(); p != nil {
			if g.panicked != nil {
				g.panicked(debug.Stack())
			}
			var none T
			answer, err = none, g.say(fmt.Errorf("%w: %v", errPanicked, p))
		}
	}()
	answer, err = call()
	return answer, g.say(err)
}

// done makes a call that answers with nothing but an error.
func (g guard) done(call func() error) error {
	_, err := guarded(g, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

type guardedPortal struct {
	guard
	to adapters.LicensePortal
}

func (p guardedPortal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	return guarded(p.guard, func() (license.File, error) { return p.to.FetchLicense(ctx, code, env) })
}

func (p guardedPortal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	return guarded(p.guard, func() (bool, error) { return p.to.SerialRegistered(ctx, code, env) })
}

func (p guardedPortal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return p.done(func() error { return p.to.RegisterSerial(ctx, code, env) })
}

type guardedConsole struct {
	guard
	to adapters.ServiceCenter
}

func (s guardedConsole) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return guarded(s.guard, func() (license.Installed, error) { return s.to.InstalledLicense(ctx, env) })
}

func (s guardedConsole) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return s.done(func() error { return s.to.UploadLicense(ctx, env, file) })
}

func (s guardedConsole) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return guarded(s.guard, func() (adapters.Publication, error) { return s.to.RepublishModule(ctx, env, module) })
}

type guardedBackuper struct {
	guardedConsole
	backuper adapters.LicenseBackuper
}

func (b guardedBackuper) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return guarded(b.guard, func() (license.File, error) { return b.backuper.BackupLicense(ctx, env) })
}

type guardedLifeTime struct {
	guard
	to adapters.LifeTime
}

func (l guardedLifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	return guarded(l.guard, func() ([]environment.Registered, error) { return l.to.Registered(ctx) })
}

func (l guardedLifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return l.done(func() error { return l.to.PauseDeployments(ctx, env) })
}

func (l guardedLifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return l.done(func() error { return l.to.ResumeDeployments(ctx, env) })
}

type guardedVault struct {
	guard
	to adapters.BackupVault
}

func (v guardedVault) Put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	return guarded(v.guard, func() (adapters.Stored, error) { return v.to.Put(ctx, label, file) })
}

func (v guardedVault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return guarded(v.guard, func() (license.File, error) { return v.to.Get(ctx, serial, digest) })
}

func (v guardedVault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return guarded(v.guard, func() ([]adapters.Stored, error) { return v.to.List(ctx, serial) })
}

type guardedDesk struct {
	guard
	to adapters.SupportDesk
}

func (d guardedDesk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	return guarded(d.guard, func() (string, error) { return d.to.OpenCase(ctx, c) })
}

func (d guardedDesk) FindCase(ctx context.Context, key string) (string, error) {
	return guarded(d.guard, func() (string, error) { return d.to.FindCase(ctx, key) })
}

type guardedOperator struct {
	guard
	to adapters.Operator
}

func (o guardedOperator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	return guarded(o.guard, func() (adapters.Answer, error) { return o.to.Ask(ctx, q) })
}
