package attended

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/license"
)

func (d *Desk) openPortal(code license.ActivationCode) string {
	return manual.OpenPortal(d.codeOf(code))
}

// FetchLicense implements [adapters.LicensePortal]: the person downloads the
// file and types its path (seed, steps 2a and 2b).
func (d *Desk) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	var file license.File
	err := d.call(ctx, called(env)+": download the license file (Licensing Portal)", func() error {
		if err := d.steps(d.openPortal(code), manual.FindSerial(env), manual.DownloadLicense); err != nil {
			return err
		}
		err := d.read(ctx, "Path of the downloaded file (no: it could not be downloaded)", issued(&file, code, env.Serial),
			adapters.ErrSerialNotFound, adapters.ErrPermission, adapters.ErrNotReached)
		if err == nil {
			d.testify(ctx, "downloaded for serial number %s under activation code %s: %v", serialOf(env.Serial), code, file)
		}
		return err
	})
	if err != nil {
		return license.File{}, err
	}
	return file, nil
}

// SerialRegistered implements [adapters.LicensePortal].
func (d *Desk) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	var answer string
	err := d.call(ctx, called(env)+": is the serial number registered? (Licensing Portal)", func() error {
		if err := d.steps(d.openPortal(code), manual.FindSerial(env)); err != nil {
			return err
		}
		err := d.read(ctx, "Is it there? (listed, not listed; no: the page could not be read)", oneOf(&answer, "listed", "not listed"),
			adapters.ErrPermission, adapters.ErrNotReached)
		if err == nil {
			d.testify(ctx, "serial number %s under activation code %s: %s", serialOf(env.Serial), code, answer)
		}
		return err
	})
	return err == nil && answer == "listed", err
}

// RegisterSerial implements [adapters.LicensePortal].
func (d *Desk) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return d.call(ctx, called(env)+": register the serial number (Licensing Portal)", func() error {
		return d.act(ctx, fmt.Sprintf("registering serial number %s under activation code %s", serialOf(env.Serial), code), []string{
			d.openPortal(code),
			manual.FindSerial(env) + " If it is listed, change nothing and answer done.",
			"Otherwise " + manual.RegisterSerial(env),
		}, adapters.ErrNoSlot, adapters.ErrPermission, adapters.ErrNotReached)
	})
}
