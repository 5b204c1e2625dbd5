package adapters

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// PerEnvironment is a ServiceCenter that hands each call to the adapter for
// that environment's name, and to Default where there is none: a program for
// one environment and a person for another, in one run. Where there is neither,
// calls answer ErrUnsupported.
type PerEnvironment struct {
	Default ServiceCenter
	By      map[string]ServiceCenter
}

var (
	_ ServiceCenter   = PerEnvironment{}
	_ LicenseBackuper = PerEnvironment{}
	_ Describer       = PerEnvironment{}
)

func (p PerEnvironment) of(env environment.Environment) (ServiceCenter, error) {
	if sc, ok := p.By[env.Name]; ok && sc != nil {
		return sc, nil
	}
	if p.Default != nil {
		return p.Default, nil
	}
	return nil, fmt.Errorf("no adapter answers for the Service Center of %q: %w", env.Name, ErrUnsupported)
}

// InstalledLicense asks the environment's adapter.
func (p PerEnvironment) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	sc, err := p.of(env)
	if err != nil {
		return license.Installed{}, err
	}
	return sc.InstalledLicense(ctx, env)
}

// UploadLicense asks the environment's adapter.
func (p PerEnvironment) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	sc, err := p.of(env)
	if err != nil {
		return err
	}
	return sc.UploadLicense(ctx, env, file)
}

// RepublishModule asks the environment's adapter.
func (p PerEnvironment) RepublishModule(ctx context.Context, env environment.Environment, module string) (Publication, error) {
	sc, err := p.of(env)
	if err != nil {
		return Publication{}, err
	}
	return sc.RepublishModule(ctx, env, module)
}

// BackupLicense asks the environment's adapter; ErrUnsupported if it cannot.
func (p PerEnvironment) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	sc, err := p.of(env)
	if err != nil {
		return license.File{}, err
	}
	if b, ok := sc.(LicenseBackuper); ok {
		return b.BackupLicense(ctx, env)
	}
	return license.File{}, ErrUnsupported
}

// Describe says which adapter answers for which environment.
func (p PerEnvironment) Describe() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p.By)) {
		parts = append(parts, fmt.Sprintf("%q: %s", name, Describe(p.By[name])))
	}
	if p.Default != nil {
		parts = append(parts, "otherwise: "+Describe(p.Default))
	}
	return strings.Join(parts, ", ")
}
