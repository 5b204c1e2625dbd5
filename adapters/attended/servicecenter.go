package attended

import (
	"context"
	"fmt"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// InstalledLicense implements [adapters.ServiceCenter]: the person reads the
// licensing page (facts.md 3.3) and asks the server for its own serial number.
// Features are not read.
func (d *Desk) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	var installed license.Installed
	err := d.call(ctx, called(env)+": read the installed license (Service Center)", func() error {
		if err := d.steps(manual.AskServer(env), manual.OpenLicensing(env), manual.FilterIPP); err != nil {
			return err
		}
		shown := func() bool { return !installed.Code.IsZero() }
		for _, q := range []struct {
			question string
			accept   func(string) error
			license  bool // asked only if there is a license
		}{
			{"The server's own serial number (", d.serialNumber(&installed.Server), false},
			{"Activation Code on the page (none: no license is installed; ", code(&installed.Code), false},
			{"Serial Number on the page (", d.serialNumber(&installed.Serial), true},
			{"License Type on the page (none: it is empty; ", orNone(d.word(&installed.Type)), true},
			{"End Date on the page (YYYY-MM-DD or Never; ", endDate(&installed.Ends), true},
			{"Limit of the feature Intellectual Property (none: there is no such feature; ", d.ippWord(&installed.IPP), true},
		} {
			if q.license && !shown() {
				break
			}
			if err := d.read(ctx, q.question+"no: it could not be read)", q.accept, adapters.ErrPermission, adapters.ErrNotReached); err != nil {
				return err
			}
		}
		if !shown() {
			d.testify(ctx, "server %s shows no license", serialOf(installed.Server))
			return nil
		}
		ends := "never"
		if !installed.Ends.IsZero() {
			ends = installed.Ends.Format(time.DateOnly)
		}
		d.testify(ctx, "server %s shows activation code %s, serial number %s, type %q, end date %s, Intellectual Property %q",
			serialOf(installed.Server), installed.Code, serialOf(installed.Serial), installed.Type, ends, string(installed.IPP))
		return nil
	})
	if err != nil {
		return license.Installed{}, err
	}
	return installed, nil
}

// UploadLicense implements [adapters.ServiceCenter]: the file is laid out in
// Options.Dir for the person to upload (seed, step 2c).
func (d *Desk) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return d.call(ctx, called(env)+": upload a license (Service Center)", func() error {
		path, err := d.handOver(env, file)
		if err != nil {
			return err
		}
		return d.act(ctx, fmt.Sprintf("uploading in Service Center of %s, %v", called(env), file), []string{
			manual.OpenLicensing(env),
			manual.UploadLicense + printable.Whole(path),
			"Its SHA-256 is " + string(file.Digest()) + ".",
			manual.WaitForPage,
		}, adapters.ErrWrongEnvironment, adapters.ErrRejected, adapters.ErrBusy, adapters.ErrPermission, adapters.ErrNotReached)
	})
}

// BackupLicense implements [adapters.LicenseBackuper].
func (d *Desk) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	var file license.File
	err := d.call(ctx, called(env)+": download the installed license (Service Center)", func() error {
		if err := d.steps(manual.OpenLicensing(env), manual.BackupLicense); err != nil {
			return err
		}
		err := d.read(ctx, "Path of the downloaded file (no: it could not be downloaded)", existing(&file),
			adapters.ErrNoLicense, adapters.ErrPermission, adapters.ErrNotReached)
		if err == nil {
			d.testify(ctx, "downloaded from Service Center of %s: %v", called(env), file)
		}
		return err
	})
	if err != nil {
		return license.File{}, err
	}
	return file, nil
}

// RepublishModule implements [adapters.ServiceCenter] (seed, step 3). The
// versions before and after are what the person reads.
func (d *Desk) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	var p adapters.Publication
	name := printable.Text(module)
	err := d.call(ctx, called(env)+": republish module "+name+" (Service Center)", func() error {
		if err := d.steps(manual.OpenModules(env), manual.FindModule(module)); err != nil {
			return err
		}
		const question = "Version with the green tick Published"
		if err := d.read(ctx, question+" (no: it could not be read)", d.word(&p.Before),
			adapters.ErrModuleNotFound, adapters.ErrPermission, adapters.ErrNotReached); err != nil {
			return err
		}
		if err := d.act(ctx, fmt.Sprintf("republishing module %s in %s, version %s", name, called(env), p.Before), []string{
			manual.PublishVersion("version " + p.Before),
			manual.WaitForPublish,
		}, adapters.ErrIntellectualProperty, adapters.ErrPublishFailed, adapters.ErrBusy, adapters.ErrModuleNotFound,
			adapters.ErrPermission, adapters.ErrNotReached); err != nil {
			return err
		}
		if err := d.read(ctx, question+" now (no: it could not be read)", d.word(&p.After)); err != nil {
			return uncertain(err)
		}
		d.testify(ctx, "published version of %s in %s afterwards: %s", name, called(env), p.After)
		return nil
	})
	if err != nil {
		return adapters.Publication{}, err
	}
	return p, nil
}
