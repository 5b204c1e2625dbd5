package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// FetchLicense implements [adapters.LicensePortal].
func (p *Program) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	return call(ctx, p, fetchLicense, env.Name, ofCode{code.Reveal(), siteOf(env)}, newSecrets(code, license.File{}), takeFile)
}

// SerialRegistered implements [adapters.LicensePortal].
func (p *Program) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	return call(ctx, p, serialRegistered, env.Name, ofCode{code.Reveal(), siteOf(env)}, newSecrets(code, license.File{}),
		func(a listed) (bool, error) { return a.Registered, nil })
}

// RegisterSerial implements [adapters.LicensePortal].
func (p *Program) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	_, err := call(ctx, p, registerSerial, env.Name, ofCode{code.Reveal(), siteOf(env)}, newSecrets(code, license.File{}), takeNothing)
	return err
}

// InstalledLicense implements [adapters.ServiceCenter].
func (p *Program) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return call(ctx, p, installedLicense, env.Name, ofSite{siteOf(env)}, noSecrets(), takeInstalled)
}

// UploadLicense implements [adapters.ServiceCenter].
func (p *Program) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	_, err := call(ctx, p, uploadLicense, env.Name, upload{siteOf(env), file.Bytes()}, newSecrets(license.ActivationCode{}, file), takeNothing)
	return err
}

// RepublishModule implements [adapters.ServiceCenter].
func (p *Program) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return call(ctx, p, republishModule, env.Name, republish{siteOf(env), module}, noSecrets(),
		func(a publication) (adapters.Publication, error) { return adapters.Publication(a), nil })
}

// BackupLicense implements [adapters.LicenseBackuper]. A program that cannot do
// this answers with [adapters.ErrUnsupported].
func (p *Program) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return call(ctx, p, backupLicense, env.Name, ofSite{siteOf(env)}, noSecrets(), takeFile)
}

// Registered implements [adapters.LifeTime].
func (p *Program) Registered(ctx context.Context) ([]environment.Registered, error) {
	return call(ctx, p, registeredEnvironments, "", none{}, noSecrets(), func(a registered) (list []environment.Registered, err error) {
		for _, r := range a.Environments {
			if len(r.Running) == 0 {
				r.Running = nil
			}
			list = append(list, environment.Registered(r))
		}
		return list, nil
	})
}

// PauseDeployments implements [adapters.LifeTime].
func (p *Program) PauseDeployments(ctx context.Context, env environment.Environment) error {
	_, err := call(ctx, p, pauseDeployments, env.Name, ofSite{siteOf(env)}, noSecrets(), takeNothing)
	return err
}

// ResumeDeployments implements [adapters.LifeTime].
func (p *Program) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	_, err := call(ctx, p, resumeDeployments, env.Name, ofSite{siteOf(env)}, noSecrets(), takeNothing)
	return err
}

// Put implements [adapters.BackupVault]. A record of another file is no answer.
func (p *Program) Put(ctx context.Context, l adapters.Label, file license.File) (adapters.Stored, error) {
	return call(ctx, p, putBackup, l.Environment, put{label(l), file.Bytes()}, newSecrets(license.ActivationCode{}, file), func(a kept) (adapters.Stored, error) {
		s := storedOf(a.Record)
		if s.Label != l || s.Digest != file.Digest() {
			return adapters.Stored{}, errors.New("it is the record of another file")
		}
		return s, nil
	})
}

// Get implements [adapters.BackupVault]. A file with another digest is no
// answer.
func (p *Program) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return call(ctx, p, getBackup, string(serial), get{serial, digest}, noSecrets(), func(a file) (license.File, error) {
		f, err := takeFile(a)
		if err == nil && f.Digest() != digest {
			return license.File{}, errors.New("it is another file")
		}
		return f, err
	})
}

// List implements [adapters.BackupVault].
func (p *Program) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return call(ctx, p, listBackups, string(serial), ofSerial{serial}, noSecrets(), func(a inventory) (list []adapters.Stored, err error) {
		for _, r := range a.Records {
			if r.Label.Serial != serial {
				return nil, errors.New("it has records of another serial number")
			}
			list = append(list, storedOf(r))
		}
		return list, nil
	})
}

// OpenCase implements [adapters.SupportDesk].
func (p *Program) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	return call(ctx, p, openCase, c.Key, ofCase{supportCase(c)}, noSecrets(), takeReference)
}

// FindCase implements [adapters.SupportDesk].
func (p *Program) FindCase(ctx context.Context, key string) (string, error) {
	return call(ctx, p, findCase, key, ofKey{key}, noSecrets(), takeReference)
}

// Ask implements [adapters.Operator]. An answer that nobody has given is none.
func (p *Program) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	asked := question{string(q.Kind), q.Subject, q.Environment, q.Text, append([]string{}, q.Details...)}
	return call(ctx, p, askOperator, q.Subject, ask{asked}, noSecrets(), func(a yes) (adapters.Answer, error) {
		if a.By == "" || a.At.IsZero() {
			return adapters.Answer{}, errors.New("it does not say who gave it, or when")
		}
		return adapters.Answer(a), nil
	})
}

func noSecrets() secrets { return newSecrets(license.ActivationCode{}, license.File{}) }

func siteOf(env environment.Environment) site {
	return site{env.Name, string(env.Kind), env.ServiceCenter, env.Serial}
}

func storedOf(r record) adapters.Stored {
	return adapters.Stored{Label: adapters.Label(r.Label), Digest: r.Digest, Generation: r.Generation, Copies: r.Copies, At: r.At}
}

func takeNothing(none) (none, error) { return none{}, nil }

func takeFile(a file) (license.File, error) { return license.NewFile(a.File) }

func takeReference(a reference) (string, error) {
	if a.Reference == "" {
		return "", errors.New("the reference is empty")
	}
	return a.Reference, nil
}

// takeInstalled turns down a page with half a license.
func takeInstalled(a installed) (license.Installed, error) {
	in := license.Installed{Serial: a.Serial, IPP: license.IPP(a.IPP), Type: a.Type}
	var err error
	if in.Server, err = license.ParseSerialNumber(string(a.Server)); err != nil {
		return license.Installed{}, fmt.Errorf("server: %w", err)
	}
	if a.Code != "" {
		if in.Code, err = license.ParseActivationCode(a.Code); err != nil {
			return license.Installed{}, fmt.Errorf("code: %w", err)
		}
	}
	if a.Ends != "" {
		if in.Ends, err = time.Parse(time.RFC3339, a.Ends); err != nil {
			return license.Installed{}, errors.New("ends is not a time (RFC 3339)")
		}
	}
	for _, f := range a.Features {
		in.Features = append(in.Features, license.Feature(f))
	}
	return in, nil
}
