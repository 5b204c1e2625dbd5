package servicecenter_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/wire"
	"github.com/changeover-go/changeover/license"
)

func TestNewSaysEverythingThatIsWrong(t *testing.T) {
	inf := environment.Infrastructure{Environments: []environment.Environment{
		{Name: "Plain", ServiceCenter: "http://plain.example.test"},
		{Name: "None\x1b", ServiceCenter: ""},
		{Name: "User", ServiceCenter: "https://a:secret@user.example.test"},
		{Name: "Fine", ServiceCenter: "https://fine.example.test"},
		{Name: "Query", ServiceCenter: "https://query.example.test/?a=b"},
	}}
	_, err := servicecenter.New(inf, servicecenter.Options{
		TLS: &tls.Config{InsecureSkipVerify: true}, Poll: -1, Solution: "a\x00", Page: servicecenter.BackupLink{Path: "https://other.example.test/x"},
	})
	require.ErrorIs(t, err, wire.ErrUnverified)
	for _, want := range []string{"Plain: the address http://plain.example.test is plain http", `None\u001b: `, "User: the address contains a user name",
		"Query: ", "neither Poll nor PublishTimeout", "the name in Solution has a character", "BackupLink.Path https://other.example.test/x"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "Fine")
	require.NotContains(t, err.Error(), "secret")
	_, err = servicecenter.New(environment.Infrastructure{}, servicecenter.Options{Timeout: -1})
	require.ErrorContains(t, err, "no environments")
	require.ErrorContains(t, err, "the time for a request")
}

func TestAHostThatIsNotInThePlanIsRefused(t *testing.T) {
	for _, env := range []environment.Environment{
		{Name: "Quality", ServiceCenter: "https://evil.example.test"},
		{Name: "Quality", ServiceCenter: "https://qa.example.test/"},
		{Name: "Quality", ServiceCenter: "http://qa.example.test"},
		{Name: "Quality"},
		{Name: "quality", ServiceCenter: "https://qa.example.test"},
		{Name: "Other", ServiceCenter: "https://qa.example.test"},
	} {
		s := newServer(t)
		c := s.client(func(o *servicecenter.Options) { o.Page = s.link() })
		_, errRead := c.InstalledLicense(t.Context(), env)
		_, errPublish := c.RepublishModule(t.Context(), env, moduleName)
		_, errBackup := c.BackupLicense(t.Context(), env)
		for _, err := range []error{errRead, errPublish, errBackup, c.UploadLicense(t.Context(), env, opaque(t))} {
			require.Equal(t, "unsupported", means(err), "%v", err)
			require.ErrorContains(t, err, "is not in the plan")
		}
		require.Empty(t, s.sent())
	}
}

func TestAServerThatIsNotReachedOrNotTrustedGetsNothing(t *testing.T) {
	for name, change := range map[string]func(*servicecenter.Options){
		"a certificate that the system's roots do not know": func(o *servicecenter.Options) { o.TLS = nil },
		"a certificate for another host": func(o *servicecenter.Options) {
			other := httptest.NewUnstartedServer(http.NotFoundHandler())
			other.StartTLS() // its certificate is for example.com
			t.Cleanup(other.Close)
			o.TLS.RootCAs.AddCert(other.Certificate())
			o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, other.Listener.Addr().String())
			}
		},
		"no connection": func(o *servicecenter.Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }
		},
		"a connection that ends before there is TLS": func(o *servicecenter.Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				return near, far.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			c := s.client(change)
			_, err := c.RepublishModule(t.Context(), quality(), moduleName)
			require.Equal(t, "notReached", means(err), "%v", err)
			require.Equal(t, "notReached", means(c.UploadLicense(t.Context(), quality(), opaque(t))))
			require.Empty(t, s.sent())
		})
	}
}

func TestALinkIsReadAsALicense(t *testing.T) {
	file := string(target(t, serial).Bytes())
	s := newServer(t, answer(200, "application/octet-stream", file), answer(200, "application/x-lic", file))
	in, err := s.link().InstalledLicense(t.Context(), quality())
	require.NoError(t, err)
	require.Equal(t, serial, in.Serial)
	require.Equal(t, code, in.Code.Reveal())
	require.Empty(t, in.Server, "a link does not ask the server")
	got, err := s.link().BackupLicense(t.Context(), quality())
	require.NoError(t, err)
	require.Equal(t, target(t, serial), got)

	for _, c := range []struct {
		name  string
		reply reply
		link  func(*servicecenter.BackupLink)
		means string // of both
		reads string // of InstalledLicense, if it differs
	}{
		{"a page", answer(200, "application/octet-stream", "<html>Log in</html>"), nil, "unknown", ""},
		{"nothing", answer(200, "application/octet-stream", ""), nil, "unknown", ""},
		{"a text", answer(200, "text/plain", file), nil, "unknown", ""},
		{"JSON", answer(200, "application/problem+json", file), nil, "unknown", ""},
		{"XML", answer(200, "application/xml", file), nil, "unknown", ""},
		{"an opaque file", answer(200, "application/octet-stream", "opaque"), nil, "done", "unsupported"},
		{"half a file", answer(200, "application/octet-stream", file[:len(file)-6]), nil, "done", "unknown"},
		{"the status that means no license", answer(404, "text/html", ""), func(l *servicecenter.BackupLink) { l.NoLicense = 404 }, "noLicense", "done"},
		{"that status, unless it is known", answer(404, "text/html", ""), nil, "unsupported", ""},
		{"another status than that", answer(409, "text/html", ""), func(l *servicecenter.BackupLink) { l.NoLicense = 404 }, "unknown", ""},
		{"no account", reply{}, func(l *servicecenter.BackupLink) { l.Credentials = nil }, "unsupported", ""},
		{"another host's path", reply{}, func(l *servicecenter.BackupLink) { l.Path = "//evil.example.test/" }, "unsupported", ""},
		{"no path", reply{}, func(l *servicecenter.BackupLink) { l.Path = "" }, "unsupported", ""},
		{"no session", reply{}, func(l *servicecenter.BackupLink) {
			l.Authorize = func(context.Context, environment.Environment, *http.Request) error { return errors.New("log in first") }
		}, "permission", ""},
		{"a bad configuration", reply{}, func(l *servicecenter.BackupLink) { l.TLS = &tls.Config{InsecureSkipVerify: true} }, "unknown", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, c.reply, c.reply)
			l := s.link()
			if c.link != nil {
				c.link(&l)
			}
			_, err := l.BackupLicense(t.Context(), quality())
			require.Equal(t, c.means, means(err), "%v", err)
			in, err := l.InstalledLicense(t.Context(), quality())
			if c.reads == "" {
				c.reads = c.means
			}
			require.Equal(t, c.reads, means(err), "%v", err)
			require.Zero(t, in)
		})
	}
}

func TestASessionOfALinkIsSentAndHidden(t *testing.T) {
	const cookie, bearer = "made-up-session-cookie", "made-up-bearer-token"
	s := newServer(t, answer(200, "text/"+cookie+bearer, ""))
	l := s.link()
	l.Authorize = func(_ context.Context, env environment.Environment, r *http.Request) error {
		require.Equal(t, "https://qa.example.test/ServiceCenter/made-up/backup?kind=installed", r.URL.String())
		r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
		r.Header.Set("Authorization", "Bearer "+bearer)
		return nil
	}
	_, err := l.BackupLicense(t.Context(), quality())
	require.Error(t, err)
	require.NotContains(t, err.Error(), cookie)
	require.NotContains(t, err.Error(), bearer)
	require.Len(t, s.sent(), 1)
	require.Contains(t, s.sent()[0], "\r\nCookie: session="+cookie+"\r\n")
	require.Contains(t, s.sent()[0], "\r\nAuthorization: Bearer "+bearer+"\r\n")
}

func TestTheClientSaysWhatAnswers(t *testing.T) {
	s := newServer(t)
	require.Equal(t, "Service Center over SOAP at the plan's addresses; the licensing page: the link Backup License at /ServiceCenter/made-up/backup (unofficial)",
		s.client(func(o *servicecenter.Options) { o.Page = s.link() }).Describe())
}

// TestTheMachinesClockWaits publishes with the clock that serves when the
// options have none.
func TestTheMachinesClockWaits(t *testing.T) {
	certificate, _ := identity()
	require.NotNil(t, certificate.Leaf)
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, upTo(t, staged(`{"publishId":41}`), news(0, false), news(0, false), news(0, true, message("Info", "Done", "")), published(7))...)
		began := time.Now()
		_, err := s.client(func(o *servicecenter.Options) { o.Clock, o.Poll = nil, time.Minute }).RepublishModule(t.Context(), quality(), moduleName)
		require.NoError(t, err)
		require.Equal(t, 2*time.Minute, time.Since(began))
	})
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, upTo(t, staged(`{"publishId":41}`), news(0, false))...)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := s.client(func(o *servicecenter.Options) { o.Clock, o.Poll = nil, time.Minute }).RepublishModule(ctx, quality(), moduleName)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, "unknown", means(err))
	})
}

func TestALicenseOfTheGreatestSizeIsSent(t *testing.T) {
	file, err := license.NewFile([]byte(strings.Repeat("0123456789abcdef", license.MaxFileBytes/16)))
	require.NoError(t, err)
	s := newServer(t, info(serial), says("SetLicense", "<success>true</success>"))
	require.NoError(t, s.client(nil).UploadLicense(t.Context(), quality(), file))
}
