package adapters

import (
	"context"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// PerEnvironment is a ServiceCenter that hands each call to the adapter for
// that environment's name, and to Default where there is none: a program for
// one environment and a person for another, in one run.
type PerEnvironment struct {
	Default ServiceCenter
	By      map[string]ServiceCenter
}

var (
	_ ServiceCenter   = PerEnvironment{}
	_ LicenseBackuper = PerEnvironment{}
)

func (p PerEnvironment) of(env environment.Environment) ServiceCenter {
	if sc, ok := p.By[env.Name]; ok {
		return sc
	}
	return p.Default
}

// InstalledLicense asks the environment's adapter.
func (p PerEnvironment) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return p.of(env).InstalledLicense(ctx, env)
}

// UploadLicense asks the environment's adapter.
func (p PerEnvironment) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return p.of(env).UploadLicense(ctx, env, file)
}

// RepublishModule asks the environment's adapter.
func (p PerEnvironment) RepublishModule(ctx context.Context, env environment.Environment, module string) (Publication, error) {
	return p.of(env).RepublishModule(ctx, env, module)
}

// BackupLicense asks the environment's adapter; ErrUnsupported if it cannot.
func (p PerEnvironment) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	if b, ok := p.of(env).(LicenseBackuper); ok {
		return b.BackupLicense(ctx, env)
	}
	return license.File{}, ErrUnsupported
}
