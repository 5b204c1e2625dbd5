package fault

import (
	"context"
	"sync"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// Wrap returns a set that passes every call on to set, unless one of the
// injectors strikes. Where several do, the first one given ends the call. Ports
// that are missing stay missing, and the ServiceCenter can back up the installed
// license if the one that it wraps can.
func Wrap(set adapters.Set, injectors ...*Injector) adapters.Set {
	l := &line{injectors: injectors}
	var out adapters.Set
	if set.Portal != nil {
		out.Portal = portal{set.Portal, l}
	}
	if set.ServiceCenter != nil {
		sc := serviceCenter{set.ServiceCenter, l}
		out.ServiceCenter = sc
		if backuper, ok := set.ServiceCenter.(adapters.LicenseBackuper); ok {
			out.ServiceCenter = backupServiceCenter{sc, backuper}
		}
	}
	if set.LifeTime != nil {
		out.LifeTime = lifeTime{set.LifeTime, l}
	}
	if set.Vault != nil {
		out.Vault = vault{set.Vault, l}
	}
	if set.Support != nil {
		out.Support = supportDesk{set.Support, l}
	}
	if set.Operator != nil {
		out.Operator = operator{set.Operator, l}
	}
	return out
}

// line is what all ports of a wrapped set go through.
type line struct {
	injectors []*Injector

	mu    sync.Mutex
	calls int
}

// number counts a call and finds the faults that are to strike it.
func (l *line) number(port, method, env string) (op Op, before, after []*Injector) {
	l.mu.Lock()
	defer l.mu.Unlock()
	op = Op{l.calls, port, method, env}
	l.calls++
	for _, i := range l.injectors {
		switch {
		case !i.meets(op):
		case i.when == Before:
			before = append(before, i)
		default:
			after = append(after, i)
		}
	}
	return op, before, after
}

// pass passes a call with an answer through the line.
func pass[T any](ctx context.Context, l *line, port, method, env string, call func() (T, error)) (T, error) {
	var none T
	op, before, after := l.number(port, method, env)
	for _, i := range l.injectors {
		if i.watch != nil {
			i.watch(op)
		}
	}
	for _, i := range before {
		if over, err := i.strike(ctx, op); over {
			return none, err
		}
	}
	answer, err := call()
	for _, i := range after {
		if over, err := i.strike(ctx, op); over {
			return none, err
		}
	}
	return answer, err
}

// do passes a call without an answer through the line.
func do(ctx context.Context, l *line, port, method, env string, call func() error) error {
	_, err := pass(ctx, l, port, method, env, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

type portal struct {
	to adapters.LicensePortal
	l  *line
}

func (p portal) Describe() string { return adapters.Describe(p.to) }

func (p portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	return pass(ctx, p.l, "LicensePortal", "FetchLicense", env.Name, func() (license.File, error) { return p.to.FetchLicense(ctx, code, env) })
}

func (p portal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	return pass(ctx, p.l, "LicensePortal", "SerialRegistered", env.Name, func() (bool, error) { return p.to.SerialRegistered(ctx, code, env) })
}

func (p portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return do(ctx, p.l, "LicensePortal", "RegisterSerial", env.Name, func() error { return p.to.RegisterSerial(ctx, code, env) })
}

type serviceCenter struct {
	to adapters.ServiceCenter
	l  *line
}

func (c serviceCenter) Describe() string { return adapters.Describe(c.to) }

func (c serviceCenter) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return pass(ctx, c.l, "ServiceCenter", "InstalledLicense", env.Name, func() (license.Installed, error) { return c.to.InstalledLicense(ctx, env) })
}

func (c serviceCenter) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return do(ctx, c.l, "ServiceCenter", "UploadLicense", env.Name, func() error { return c.to.UploadLicense(ctx, env, file) })
}

func (c serviceCenter) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return pass(ctx, c.l, "ServiceCenter", "RepublishModule", env.Name, func() (adapters.Publication, error) { return c.to.RepublishModule(ctx, env, module) })
}

// backupServiceCenter is a serviceCenter over one that can back up.
type backupServiceCenter struct {
	serviceCenter
	backuper adapters.LicenseBackuper
}

func (c backupServiceCenter) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return pass(ctx, c.l, "ServiceCenter", "BackupLicense", env.Name, func() (license.File, error) { return c.backuper.BackupLicense(ctx, env) })
}

type lifeTime struct {
	to adapters.LifeTime
	l  *line
}

func (t lifeTime) Describe() string { return adapters.Describe(t.to) }

func (t lifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	return pass(ctx, t.l, "LifeTime", "Registered", "", func() ([]environment.Registered, error) { return t.to.Registered(ctx) })
}

func (t lifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return do(ctx, t.l, "LifeTime", "PauseDeployments", env.Name, func() error { return t.to.PauseDeployments(ctx, env) })
}

func (t lifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return do(ctx, t.l, "LifeTime", "ResumeDeployments", env.Name, func() error { return t.to.ResumeDeployments(ctx, env) })
}

type vault struct {
	to adapters.BackupVault
	l  *line
}

func (v vault) Describe() string { return adapters.Describe(v.to) }

func (v vault) Put(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
	return pass(ctx, v.l, "BackupVault", "Put", label.Environment, func() (adapters.Stored, error) { return v.to.Put(ctx, label, file) })
}

func (v vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return pass(ctx, v.l, "BackupVault", "Get", "", func() (license.File, error) { return v.to.Get(ctx, serial, digest) })
}

func (v vault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return pass(ctx, v.l, "BackupVault", "List", "", func() ([]adapters.Stored, error) { return v.to.List(ctx, serial) })
}

type supportDesk struct {
	to adapters.SupportDesk
	l  *line
}

func (d supportDesk) Describe() string { return adapters.Describe(d.to) }

func (d supportDesk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	return pass(ctx, d.l, "SupportDesk", "OpenCase", "", func() (string, error) { return d.to.OpenCase(ctx, c) })
}

func (d supportDesk) FindCase(ctx context.Context, key string) (string, error) {
	return pass(ctx, d.l, "SupportDesk", "FindCase", "", func() (string, error) { return d.to.FindCase(ctx, key) })
}

type operator struct {
	to adapters.Operator
	l  *line
}

func (o operator) Describe() string { return adapters.Describe(o.to) }

func (o operator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	return pass(ctx, o.l, "Operator", "Ask", q.Environment, func() (adapters.Answer, error) { return o.to.Ask(ctx, q) })
}
