package servicecenter_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/environment"
)

// A server that speaks no HTTP and repeats what it was sent: net/http quotes
// it, and what is quoted and cut short is not found any more.
func TestWhatIsNoHTTPIsNotRepeated(t *testing.T) {
	quoted := strings.Trim(strconv.Quote(password), `"`)
	for n := 0; n < 200; n += 20 {
		for _, echo := range []string{password, basic(), code, content()} {
			s := newServer(t, info(serial), reply{raw: strings.Repeat("x", n) + echo + "\r\n"})
			err := s.client(nil).UploadLicense(t.Context(), quality(), target(t, serial))
			require.Equal(t, "unknown", means(err))
			for _, secret := range []string{quoted, basic(), code, content()} {
				require.NotContains(t, err.Error(), secret[:6], fmt.Sprint(n))
			}
		}
	}
}

// encoding/json takes the last of two fields, and letters in either case.
func TestAStartThatIsStatedTwiceMayHaveBeenOne(t *testing.T) {
	const reason = `"Messages":[{"REST_PublicationMessage":{"Message":"no"}}]`
	for _, body := range []string{
		`{"publishId":41,"publishId":0,` + reason + `}`, `{"publishId":41,"PublishID":0,` + reason + `}`, `{"publishId":41,"publiſhId":0,` + reason + `}`,
		`{"publishId":41,"publishId":null,` + reason + `}`,
	} {
		_, _, err := republish(t, staged(body))
		require.Equal(t, "unknown", means(err), body)
	}
}

// An answer of another form has no id either. A reason has words.
func TestAMessageWithoutWordsIsNoReason(t *testing.T) {
	for _, body := range []string{`{"Messages":[{}]}`, `{"publication":41,"Messages":[{"Message":"Started"}]}`, `{"Messages":[{"REST_PublicationMessage":{"Message":" ","Detail":""}}]}`} {
		_, _, err := republish(t, staged(body))
		require.Equal(t, "unknown", means(err), body)
	}
}

// A description with very many parameters makes neither a long error nor work.
func TestADescriptionWithoutEndIsRefusedInAFewWords(t *testing.T) {
	var many, kinds strings.Builder
	for n := range 20_000 {
		fmt.Fprintf(&many, `<s:element name="P%d" type="tns:T" />`, n)
		fmt.Fprintf(&kinds, `<s:complexType name="T%d" />`, n)
	}
	_, err := describes(t, `<s:complexType name="ArrayOfVersion" />`, kinds.String(),
		`<s:element minOccurs="0" maxOccurs="1" name="Which" type="s:string" />`, many.String())
	require.Equal(t, "unsupported", means(err))
	require.Less(t, len(err.Error()), 2000)
}

// The server has learned the password in the calls before.
func TestADescriptionThatRepeatsThePasswordIsShownWithoutIt(t *testing.T) {
	secret := strings.NewReplacer("<", "&lt;", `"`, "&quot;").Replace(password)
	_, err := describes(t, `<soap:body use="literal" />`, `<soap:body use="`+secret+`" />`)
	require.Equal(t, "unsupported", means(err))
	require.NotContains(t, err.Error(), password)
	require.NotContains(t, err.Error(), strings.Trim(strconv.Quote(password), `"`))
}

func TestTheQueryOfALinkIsNotShown(t *testing.T) {
	s := newServer(t, answer(500, "text/html", ""), answer(403, "text/html", ""))
	l := s.link()
	l.Path = "/backup?session=made-up-session"
	require.Equal(t, "the link Backup License at /backup (unofficial)", l.Describe())
	for range s.replies {
		_, err := l.BackupLicense(t.Context(), quality())
		require.NotContains(t, err.Error(), "made-up-session")
	}
	l.Path = "backup?session=made-up-session"
	_, err := l.BackupLicense(t.Context(), quality())
	require.NotContains(t, err.Error(), "made-up-session")
}

func TestThePathOfALinkIsPrintedSafely(t *testing.T) {
	s := newServer(t, answer(403, "text/html", ""))
	l := s.link()
	l.Path = "/backup%1b[2J%0a"
	_, err := l.BackupLicense(t.Context(), quality())
	require.Equal(t, "permission", means(err))
	safe(t, err)
}

func TestEveryHeaderOfASessionIsHidden(t *testing.T) {
	s := newServer(t, answer(200, "text/made-up-session-header", ""))
	l := s.link()
	l.Authorize = func(_ context.Context, _ environment.Environment, r *http.Request) error {
		r.Header.Set("X-Session", "made-up-session-header")
		return nil
	}
	_, err := l.BackupLicense(t.Context(), quality())
	require.Equal(t, "unknown", means(err))
	require.NotContains(t, err.Error(), "made-up-session")
}

// That no license is installed is believed of a status that can mean that only.
func TestAStatusThatMeansSomethingElseIsNotTakenForNoLicense(t *testing.T) {
	for _, status := range []int{1, 99, 100, 200, 302, 401, 403, 429, 500, 503, 1000} {
		s := newServer(t)
		l := s.link()
		l.NoLicense = status
		_, err := l.BackupLicense(t.Context(), quality())
		require.Equal(t, "unsupported", means(err), status)
		require.ErrorContains(t, err, "NoLicense")
		require.Empty(t, s.sent())
		_, err = servicecenter.New(plan(), servicecenter.Options{Page: l})
		require.ErrorContains(t, err, "NoLicense")
	}
}

// The plan may name Service Center with its path, as LifeTime's may be.
func TestServiceCenterMayBeNamedWithItsPath(t *testing.T) {
	for address, want := range map[string]string{
		"https://qa.example.test/ServiceCenter": "POST /ServiceCenter/", "https://qa.example.test/servicecenter/": "POST /ServiceCenter/",
		"https://qa.example.test/outside": "POST /outside/ServiceCenter/",
	} {
		s := newServer(t, info(serial), info(serial))
		env := quality()
		env.ServiceCenter = address
		c, err := servicecenter.New(environment.Infrastructure{Environments: []environment.Environment{env}},
			servicecenter.Options{Page: page{}, TLS: s.tls(), Dial: s.dial})
		require.NoError(t, err)
		_, err = c.InstalledLicense(t.Context(), env)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(s.sent()[0], want), s.sent()[0])
	}
}

// What is escaped in the link's address may mean something else unescaped.
func TestThePathOfALinkIsSentAsItIsWritten(t *testing.T) {
	s := newServer(t, answer(200, "application/octet-stream", "a made-up license"))
	l := s.link()
	l.Path = "/a%2Fb/c%20d?e=%2F"
	_, err := l.BackupLicense(t.Context(), quality())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(s.sent()[0], "GET /a%2Fb/c%20d?e=%2F HTTP/1.1\r\n"), s.sent()[0])
}
