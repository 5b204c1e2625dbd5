package servicecenter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
	"github.com/changeover-go/changeover/license"
)

// A BackupLink reads the installed license through the link Backup License of
// the licensing page, as a [LicensePage] and an [adapters.LicenseBackuper].
//
// It is unofficial. That there is such a link is known (facts.md 3.3); its
// address, the session that it wants, the content type and what it answers
// when no license is installed are not documented, nor whether the bytes are
// those that were uploaded (facts.md 3.6, 4). Look at the page of your own
// Service Center, set the fields, and compare the first readings with what the
// page shows. The file is read as license.Inspect reads it.
//
// It asks the address of the environment that it is given; that this is one of
// the plan's is checked by the [Client] whose page it is.
type BackupLink struct {
	// Path is the link's address on the server, from the slash on. It may have
	// a query, which is never shown. Required.
	Path string
	// Authorize adds to the header of a request what the link wants, such as
	// the cookie of a session. Only the header is used. Its error makes the
	// call answer ErrPermission. nil: Basic authentication with Credentials.
	Authorize func(ctx context.Context, env environment.Environment, r *http.Request) error
	// Credentials is as in [Options]; it is asked if Authorize is nil.
	Credentials func(ctx context.Context, env environment.Environment) (Credential, error)
	// NoLicense is the status with which the link answers when no license is
	// installed: 204, or one from 400 to 499 other than 401, 403 and 429. Zero:
	// it is not known, and no answer means that.
	NoLicense int

	// TLS, Dial and Timeout are as in [Options].
	TLS     *tls.Config
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Timeout time.Duration
}

var (
	_ LicensePage              = BackupLink{}
	_ adapters.LicenseBackuper = BackupLink{}
	_ adapters.Describer       = BackupLink{}
)

// Describe implements [adapters.Describer].
func (l BackupLink) Describe() string {
	return "the link Backup License at " + l.shown() + " (unofficial)"
}

// check says what is wrong with the fields.
func (l BackupLink) check() error {
	u, err := url.Parse(l.Path)
	if err != nil || !strings.HasPrefix(l.Path, "/") || strings.HasPrefix(l.Path, "//") || u.Host != "" || u.Fragment != "" {
		return fmt.Errorf("BackupLink.Path %s is not a path of the server that begins with a slash", l.shown())
	}
	if !meansNone(l.NoLicense) {
		return fmt.Errorf("BackupLink.NoLicense is %d, which means something else; it can be 204, or a status from 400 to 499 other than 401, 403 and 429", l.NoLicense)
	}
	if l.Authorize == nil && l.Credentials == nil {
		return errors.New("BackupLink has neither Authorize nor Credentials")
	}
	return nil
}

// shown is the path without the query, which may be secret.
func (l BackupLink) shown() string {
	path, _, _ := strings.Cut(l.Path, "?")
	return printable.Text(path)
}

// meansNone reports whether a status may be said to mean that there is no
// license: not one of files, of redirects, of accounts, or of a server that
// cannot answer now. Zero is none of them.
func meansNone(status int) bool {
	switch status {
	case 0, http.StatusNoContent:
		return true
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// InstalledLicense implements [LicensePage]. It does not read the server's own
// serial number. A file that cannot be inspected gives ErrUnsupported.
func (l BackupLink) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	file, err := l.BackupLicense(ctx, env)
	switch {
	case errors.Is(err, adapters.ErrNoLicense):
		return license.Installed{}, nil
	case err != nil:
		return license.Installed{}, err
	}
	d, err := license.Inspect(file)
	switch {
	case errors.Is(err, license.ErrOpaque):
		return license.Installed{}, fmt.Errorf("the installed license was downloaded, but %w: %w", err, adapters.ErrUnsupported)
	case err != nil:
		return license.Installed{}, fmt.Errorf("the installed license: %w", err)
	}
	in := license.Installed{Code: d.Code, Serial: d.Serial, IPP: d.IPP(), Type: d.Type, Ends: d.Ends}
	for _, f := range d.Features {
		if !strings.EqualFold(f.ID, "IPP") && !strings.EqualFold(f.Name, "Intellectual Property") {
			in.Features = append(in.Features, f)
		}
	}
	return in, nil
}

// BackupLicense implements [adapters.LicenseBackuper]. It changes nothing. Its
// error wraps ErrNoLicense for the status NoLicense, ErrUnsupported if the
// fields cannot be used, ErrPermission without an account or a session, and
// what is known of another status; an answer that is not sent as a file wraps
// no condition.
func (l BackupLink) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	if err := l.check(); err != nil {
		return license.File{}, fmt.Errorf("%w: %w", err, adapters.ErrUnsupported)
	}
	base, err := wire.Base(env.ServiceCenter)
	if err != nil {
		return license.File{}, err
	}
	client, err := wire.New(wire.Options{TLS: l.TLS, Dial: l.Dial, Timeout: l.Timeout})
	if err != nil {
		return license.File{}, err
	}
	path, err := url.Parse(l.Path)
	if err != nil {
		return license.File{}, err
	}
	s := session{wire: client, base: base}
	at := s.at(path.Path, path.RawQuery)
	at.RawPath = base.EscapedPath() + path.EscapedPath() // as it is written
	s, header, err := l.authorize(ctx, s, env, at)
	if err != nil {
		return license.File{}, err
	}
	answer, err := s.link(ctx, wire.Request{Method: http.MethodGet, URL: at, Header: header}, l.NoLicense)
	if err != nil {
		return license.File{}, fmt.Errorf("the link Backup License: %w", err)
	}
	file, err := license.NewFile(answer.Body)
	if err != nil {
		return license.File{}, fmt.Errorf("the link Backup License: %w", err)
	}
	return file, nil
}

// authorize returns the header of the request, and a session that hides it.
func (l BackupLink) authorize(ctx context.Context, s session, env environment.Environment, at *url.URL) (session, http.Header, error) {
	if l.Authorize == nil {
		s, err := s.login(ctx, env, l.Credentials)
		return s, http.Header{"Authorization": {"Basic " + s.account.basic()}}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err == nil {
		err = l.Authorize(ctx, env, r)
	}
	switch {
	case ctx.Err() != nil:
		return s, nil, fmt.Errorf("%w: %w", adapters.ErrNotReached, ctx.Err())
	case err != nil:
		return s, nil, fmt.Errorf("no session for the link Backup License: %s: %w", printable.Error(err), adapters.ErrPermission)
	}
	for _, c := range r.Cookies() {
		s.veil = s.veil.over(c.Value)
	}
	for _, values := range r.Header {
		for _, value := range values {
			s.veil = s.veil.over(strings.Fields(value)...)
		}
	}
	return s, r.Header, nil
}

// link downloads what may be a license file.
func (s session) link(ctx context.Context, r wire.Request, none int) (wire.Answer, error) {
	answer, err := s.do(ctx, r)
	switch {
	case none != 0 && answer.Status == none:
		return answer, fmt.Errorf("it answers %s: %w", status(none), adapters.ErrNoLicense)
	case err != nil:
		return answer, err
	case answer.Status != http.StatusOK:
		return answer, fmt.Errorf("it answers %s", status(answer.Status))
	case !fileType(answer.Type):
		return answer, fmt.Errorf("it answers the content type %s, not a file", s.veil.quoted(answer.Type))
	}
	return answer, nil
}

// fileType reports whether a media type is one that files are sent as, and not
// one of pages, texts and data: a page behind a login answers those.
func fileType(t string) bool {
	kind, sub, _ := strings.Cut(t, "/")
	switch {
	case kind != "application" && kind != "binary":
		return false
	case sub == "json", sub == "xml", strings.HasSuffix(sub, "+json"), strings.HasSuffix(sub, "+xml"):
		return false
	}
	return true
}
