package servicecenter

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// platformPage is the web service of facts.md 3.1.
const platformPage = "/ServiceCenter/OutSystemsPlatform.asmx"

// getPlatformInfo tells anybody who asks the server's own serial number.
func getPlatformInfo() operation {
	return known("OutSystemsPlatform", "GetPlatformInfo", nil, []string{"Version", "Serial"})
}

// setLicense installs a license.
func setLicense() operation {
	return known("OutSystemsPlatform", "SetLicense", []string{"username", "password", "fileContent"}, []string{"success", "errorText"})
}

// InstalledLicense implements [adapters.ServiceCenter]: the page is read
// between two questions for the server's own serial number (facts.md 3.1). Its
// error wraps no condition when the server is not the same before and after, or
// not the one that the page states.
func (c *Client) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	in, err := c.installed(ctx, env)
	if err != nil {
		return license.Installed{}, inside(env, "reading the installed license", err)
	}
	return in, nil
}

func (c *Client) installed(ctx context.Context, env environment.Environment) (license.Installed, error) {
	s, err := c.open(env)
	if err != nil {
		return license.Installed{}, err
	}
	if c.options.Page == nil {
		return license.Installed{}, fmt.Errorf("no public API reads the installed license (facts.md 3.6); "+
			"set Options.Page: a person (adapters/attended), a program (adapters/command) or BackupLink: %w", adapters.ErrUnsupported)
	}
	before, err := s.serial(ctx)
	if err != nil {
		return license.Installed{}, err
	}
	in, err := c.options.Page.InstalledLicense(ctx, env)
	if err != nil {
		return license.Installed{}, fmt.Errorf("the licensing page: %w", err)
	}
	after, err := s.serial(ctx)
	switch {
	case err != nil:
		return license.Installed{}, err
	case before != after:
		return license.Installed{}, fmt.Errorf("the server's serial number was %s before the licensing page was read and %s after it", shown(before), shown(after))
	case in.Server != "" && in.Server != after:
		return license.Installed{}, fmt.Errorf("the licensing page was read at the server %s, but %s answers at the plan's address", shown(in.Server), shown(after))
	}
	in.Server = after
	return in, nil
}

// serial asks the server for its own serial number.
func (s session) serial(ctx context.Context) (license.SerialNumber, error) {
	answer, err := s.soap(ctx, platformPage, getPlatformInfo())
	if err != nil {
		return "", err
	}
	text, err := answer.text(1)
	if err != nil {
		return "", err
	}
	serial, err := license.ParseSerialNumber(strings.TrimSpace(text))
	if err != nil {
		return "", fmt.Errorf("GetPlatformInfo gives no serial number: %s", s.veil.text(err.Error()))
	}
	return serial, nil
}

// UploadLicense implements [adapters.ServiceCenter]. A file that says that it
// is for another server than the one that answers is not sent (facts.md 8,
// row 2); of a file that cannot be inspected Service Center is the judge.
func (c *Client) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	if err := c.upload(ctx, env, file); err != nil {
		return inside(env, "uploading a license", err)
	}
	return nil
}

func (c *Client) upload(ctx context.Context, env environment.Environment, file license.File) error {
	s, err := c.open(env)
	if err != nil {
		return err
	}
	if file.IsZero() {
		return fmt.Errorf("there is no file: %w", adapters.ErrRejected)
	}
	details, unread := license.Inspect(file)
	s.veil = s.veil.overLicense(file, details.Code)
	serial, err := s.serial(ctx)
	if err != nil {
		return err
	}
	if unread == nil && details.Serial != serial {
		return fmt.Errorf("not sent: the file is for the server %s, and %s answers: %w", shown(details.Serial), shown(serial), adapters.ErrWrongEnvironment)
	}
	if s, err = s.login(ctx, env, c.options.Credentials); err != nil {
		return err
	}
	content := base64.StdEncoding.EncodeToString(file.Bytes())
	answer, err := s.soap(ctx, platformPage, setLicense(), s.account.User, s.account.Password, content)
	if err != nil {
		return unknown(err)
	}
	success, err := answer.boolean(0)
	switch {
	case err != nil:
		return unknown(err)
	case success:
		return nil
	}
	// Only what was said decides; that nothing was installed is certain.
	text, err := answer.text(1)
	if err != nil || strings.TrimSpace(text) == "" {
		return fmt.Errorf("SetLicense answers success=false without a reason: %w", adapters.ErrRejected)
	}
	return fmt.Errorf("SetLicense answers success=false: %s: %w", s.veil.quoted(text), refusal(text))
}

// BackupLicense implements [adapters.LicenseBackuper] if Options.Page does;
// otherwise it answers ErrUnsupported.
func (c *Client) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	const doing = "downloading the installed license"
	if _, err := c.base(env); err != nil {
		return license.File{}, inside(env, doing, err)
	}
	page, ok := c.options.Page.(adapters.LicenseBackuper)
	if !ok {
		return license.File{}, inside(env, doing, fmt.Errorf("Options.Page downloads nothing: %w", adapters.ErrUnsupported))
	}
	file, err := page.BackupLicense(ctx, env)
	if err != nil {
		return license.File{}, inside(env, doing, err)
	}
	return file, nil
}

// inside says where an error was met.
func inside(env environment.Environment, doing string, err error) error {
	return fmt.Errorf("%s: %s: %w", printable.Text(env.Name), doing, err)
}

// unknown says of an error of a call that may have changed something that
// nobody knows, unless it is known.
func unknown(err error) error {
	if adapters.ConditionOf(err) != nil || errors.Is(err, adapters.ErrUncertain) {
		return err
	}
	return fmt.Errorf("%w: %w", adapters.ErrUncertain, err)
}

// shown is a serial number for people.
func shown(serial license.SerialNumber) string { return printable.Text(string(serial)) }
