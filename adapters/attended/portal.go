package attended

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

func (d *Desk) openPortal(code license.ActivationCode) string {
	return "Open the Licensing Portal, https://www.outsystems.com/licensing, and enter " + d.codeOf(code) + "."
}

func findSerial(env environment.Environment) string {
	return fmt.Sprintf("On the tab Environments look for the serial number %s (%s).", serialOf(env.Serial), called(env))
}

// FetchLicense implements [adapters.LicensePortal]: the person downloads the
// file and types its path (seed, steps 2a and 2b).
func (d *Desk) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	var file license.File
	err := d.call(ctx, called(env)+": download the license file (Licensing Portal)", func() error {
		if err := d.steps(d.openPortal(code), findSerial(env),
			"In the menu of its row choose Download License, and save the file on this computer."); err != nil {
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
		if err := d.steps(d.openPortal(code), findSerial(env)); err != nil {
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
			findSerial(env) + " If it is listed, change nothing and answer done.",
			fmt.Sprintf("Otherwise choose Register Environment on an empty slot for an environment of kind %s and enter %s. "+
				"Do this once only: it is logged, contacts are notified, and only the vendor can give the slot back.",
				printable.Text(string(env.Kind)), serialOf(env.Serial)),
		}, adapters.ErrNoSlot, adapters.ErrPermission, adapters.ErrNotReached)
	})
}
