package servicecenter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestAnInstalledLicenseIsThatOfTheServerThatAnswers(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after license.SerialNumber
		page          page
		says          string // of the error; empty: none
	}{
		{"a page that states no server", serial, serial, page{}, ""},
		{"a page that states this server", serial, serial, page{in: license.Installed{Server: serial}}, ""},
		{"a license for another server, which the page may show", serial, serial, page{in: license.Installed{Serial: other}}, ""},
		{"a page of another server", serial, serial, page{in: license.Installed{Server: other}}, "was read at the server " + string(other) + ", but " + string(serial) + " answers"},
		{"a server that changes meanwhile", serial, other, page{}, "was " + string(serial) + " before the licensing page was read and " + string(other) + " after it"},
		{"a server that changes into that of the page", other, serial, page{in: license.Installed{Server: serial}}, "was " + string(other) + " before"},
		{"a page that cannot be read", serial, serial, page{err: errors.New("the browser is closed")}, "the licensing page: the browser is closed"},
		{"an empty serial number", "", serial, page{}, "GetPlatformInfo gives no serial number"},
		{"an empty serial number afterwards", serial, " ", page{}, "GetPlatformInfo gives no serial number"},
		{"a serial number that is too long", license.SerialNumber(strings.Repeat("A", 65)), serial, page{}, "GetPlatformInfo gives no serial number"},
		{"elements for a serial number", "<b>QQQ</b>", serial, page{}, "holds elements"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, info(c.before), info(c.after))
			in, err := s.client(func(o *servicecenter.Options) { o.Page = c.page }).InstalledLicense(t.Context(), quality())
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				require.Equal(t, "unknown", means(err))
				require.Zero(t, in)
				return
			}
			require.NoError(t, err)
			want := c.page.in
			want.Server = serial
			require.Equal(t, want, in)
		})
	}
}

func TestAConditionOfThePageIsHandedOn(t *testing.T) {
	for _, condition := range adapters.Conditions() {
		s := newServer(t, info(serial), info(serial))
		_, err := s.client(func(o *servicecenter.Options) { o.Page = page{err: fmt.Errorf("seen: %w", condition)} }).InstalledLicense(t.Context(), quality())
		require.Equal(t, condition, adapters.ConditionOf(err))
	}
}

func TestWithoutAPageNothingIsAskedAndTheReasonIsGiven(t *testing.T) {
	s := newServer(t)
	c := s.client(func(o *servicecenter.Options) { o.Page = nil })
	_, err := c.InstalledLicense(t.Context(), quality())
	require.Equal(t, "unsupported", means(err))
	require.ErrorContains(t, err, "no public API reads the installed license (facts.md 3.6); set Options.Page")
	_, err = c.BackupLicense(t.Context(), quality())
	require.Equal(t, "unsupported", means(err))
	require.Empty(t, s.sent())
	require.Equal(t, "Service Center over SOAP at the plan's addresses; the licensing page: not read", c.Describe())
}

func TestAFileForAnotherServerIsNotSent(t *testing.T) {
	s := newServer(t, info(serial))
	err := s.client(nil).UploadLicense(t.Context(), quality(), target(t, other))
	require.Equal(t, "wrongEnvironment", means(err))
	require.ErrorContains(t, err, "not sent: the file is for the server "+string(other)+", and "+string(serial)+" answers")
	require.Len(t, s.sent(), 1)

	// What counts is the server that answers, not the plan.
	s = newServer(t, info(other), says("SetLicense", "<success>true</success>"))
	require.NoError(t, s.client(nil).UploadLicense(t.Context(), quality(), target(t, other)))
}

func TestNoFileIsNotSent(t *testing.T) {
	s := newServer(t)
	require.Equal(t, "rejected", means(s.client(nil).UploadLicense(t.Context(), quality(), license.File{})))
	require.Empty(t, s.sent())
}

func TestTheAnswerToAnUploadIsReadToTheLetter(t *testing.T) {
	reason := func(text string) string { return "<success>false</success><errorText>" + text + "</errorText>" }
	for _, c := range []struct{ name, content, means string }{
		{"true", "<success>true</success>", "done"},
		{"one", "<success> 1 </success>", "done"},
		{"true with a text", "<success>true</success><errorText>fine</errorText>", "done"},
		{"true after the text", "<errorText/><success>true</success>", "done"},
		{"false without a text", "<success>false</success>", "rejected"},
		{"zero", "<success>0</success>", "rejected"},
		{"false with an empty text", reason("  "), "rejected"},
		{"false with elements for a text", reason("<b>No</b>"), "rejected"},
		{"the public text", reason("There was an internal error installing the license"), "rejected"},
		{"another server's serial number", reason("The license found is not valid for this server because it was issued to a server with serial number 'X'"), "wrongEnvironment"},
		{"another server's in upper case and wrapped", reason("\n THE LICENSE FOUND  is not valid\n for this server because it was issued to a server with serial number 'X'"), "wrongEnvironment"},
		{"another server's as the page says it", reason("Your license is invalid as it was issued for a different server with the following serial number 'X'"), "wrongEnvironment"},
		{"another server's, not at the beginning", reason("Error: The license found is not valid for this server because it was issued to a server with serial number 'X'"), "rejected"},
		{"not valid, without a serial number", reason("Cannot perform the operation. The license found is not valid for this server"), "rejected"},
		{"expired", reason("This server license has expired. Please renew."), "rejected"},
		{"clocks that differ", reason("Your license is invalid because the clock of your Platform Server has (or had) a time lag"), "rejected"},
		{"locked", reason("Your module is currently being locked by another operation. User a is publishing module b."), "busy"},
		{"rights", reason("The user does not have permission to upload licenses."), "permission"},
		{"CDATA", "<success><![CDATA[false]]></success><errorText><![CDATA[You lack the permission <x> & y]]></errorText>", "permission"},
		{"success is missing", "<errorText>No</errorText>", "unknown"},
		{"success is empty", "<success/>", "unknown"},
		{"success is a word", "<success>yes</success>", "unknown"},
		{"success in capitals", "<success>True</success>", "unknown"},
		{"success twice", "<success>false</success><success>true</success>", "unknown"},
		{"success as an element", "<success><true/></success>", "unknown"},
		{"success of another namespace", `<success xmlns="urn:other">true</success>`, "unknown"},
		{"nothing", "", "unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, info(serial), says("SetLicense", c.content))
			err := s.client(nil).UploadLicense(t.Context(), quality(), opaque(t))
			require.Equal(t, c.means, means(err), "%v", err)
			if c.means == "unknown" {
				require.ErrorIs(t, err, adapters.ErrUncertain)
			}
		})
	}
}

func TestTheReasonOfARefusalIsShownSafely(t *testing.T) {
	evil := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(hostile())
	for _, text := range []string{
		"Größe «ñ» 許可 &amp; &lt;b&gt;", "no " + evil, evil, "<![CDATA[" + strings.ReplaceAll(hostile(), "]]>", "") + "]]>", strings.Repeat("no ", 100_000),
		"&#x1f;", "&#x1b;[2J", "the file was " + content(), "password: #made&lt;up&quot;Opaque!",
	} {
		s := newServer(t, info(serial), says("SetLicense", "<success>false</success><errorText>"+text+"</errorText>"))
		err := s.client(nil).UploadLicense(t.Context(), quality(), target(t, serial))
		require.Error(t, err)
		safe(t, err, s.sent()...)
		require.Less(t, len(err.Error()), 1000)
	}
	s := newServer(t, info(serial), says("SetLicense", "<success>false</success><errorText>Größe «ñ» 許可 &amp; more</errorText>"))
	require.EqualError(t, s.client(nil).UploadLicense(t.Context(), quality(), opaque(t)),
		`Quality: uploading a license: SetLicense answers success=false: "Größe «ñ» 許可 & more": `+adapters.ErrRejected.Error())
}

func TestNoAccountMeansThatNothingIsSent(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	gives := func(c servicecenter.Credential, err error) func(context.Context, environment.Environment) (servicecenter.Credential, error) {
		return func(context.Context, environment.Environment) (servicecenter.Credential, error) { return c, err }
	}
	good := servicecenter.Credential{User: user, Password: password}
	for _, c := range []struct {
		name        string
		ctx         context.Context
		credentials func(context.Context, environment.Environment) (servicecenter.Credential, error)
		means, says string
	}{
		{"no source", t.Context(), nil, "unsupported", "set Options.Credentials"},
		{"the source fails", t.Context(), gives(good, errors.New("the keyring is \x1b[31mlocked")), "permission", `the keyring is \u001b[31mlocked`},
		{"the source is uncertain", t.Context(), gives(good, adapters.ErrUncertain), "permission", ""},
		{"the source gives a condition", t.Context(), gives(good, adapters.ErrRejected), "permission", ""},
		{"the call is canceled", canceled, gives(good, context.Canceled), "notReached", ""},
		{"no user", t.Context(), gives(servicecenter.Credential{Password: password}, nil), "permission", "is empty"},
		{"no password", t.Context(), gives(servicecenter.Credential{User: user}, nil), "permission", "is empty"},
		{"a user with a colon", t.Context(), gives(servicecenter.Credential{User: "a:b", Password: password}, nil), "permission", "colon"},
		{"a password that XML cannot hold", t.Context(), gives(servicecenter.Credential{User: user, Password: "ab\x00cd"}, nil), "permission", "XML"},
		{"a user that is no UTF-8", t.Context(), gives(servicecenter.Credential{User: "a\xff", Password: password}, nil), "permission", "XML"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, info(serial))
			client := s.client(func(o *servicecenter.Options) { o.Credentials = c.credentials })
			_, err := client.RepublishModule(c.ctx, quality(), moduleName)
			require.Equal(t, c.means, means(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			safe(t, err, basic())
			require.Empty(t, s.sent())
			err = client.UploadLicense(c.ctx, quality(), opaque(t))
			require.Equal(t, c.means, means(err), "%v", err)
			require.LessOrEqual(t, len(s.sent()), 1, "only the serial number is asked for")
		})
	}
}

func TestTheAccountIsAskedForOncePerCallAndNotKept(t *testing.T) {
	asked := 0
	s := newServer(t, info(serial), says("SetLicense", "<success>true</success>"), info(serial), says("SetLicense", "<success>true</success>"))
	c := s.client(func(o *servicecenter.Options) {
		o.Credentials = func(_ context.Context, env environment.Environment) (servicecenter.Credential, error) {
			require.Equal(t, quality(), env)
			asked++
			return servicecenter.Credential{User: fmt.Sprint("user", asked), Password: password}, nil
		}
	})
	for n := range 2 {
		require.NoError(t, c.UploadLicense(t.Context(), quality(), opaque(t)))
		require.Equal(t, n+1, asked)
		require.Contains(t, s.sent()[2*n+1], fmt.Sprintf("<username>user%d</username>", n+1))
	}
}
