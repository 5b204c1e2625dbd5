package servicecenter_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

const code = "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"

// target is a license file for serial that can be inspected.
func target(t *testing.T, serial license.SerialNumber) license.File {
	t.Helper()
	c, err := license.ParseActivationCode(code)
	require.NoError(t, err)
	return fake.LicenseFile(license.Details{Code: c, Serial: serial}, "")
}

// content is that file for the test server, as it is sent.
var content = sync.OnceValue(func() string {
	c, _ := license.ParseActivationCode(code)
	return base64.StdEncoding.EncodeToString(fake.LicenseFile(license.Details{Code: c, Serial: serial}, "").Bytes())
})

// A talk is a call of the port with the replies that make it succeed.
type talk struct {
	name    string
	replies []reply
	own     int // the requests before are those of another talk
	begun   int // from this request on, something may have been changed
	do      func(ctx context.Context, t *testing.T, s *server) error
}

func talks(t *testing.T) []talk {
	republish := func(change func(*servicecenter.Options)) func(context.Context, *testing.T, *server) error {
		return func(ctx context.Context, _ *testing.T, s *server) error {
			_, err := s.client(change).RepublishModule(ctx, quality(), moduleName)
			return err
		}
	}
	stop := message("PublishStop", "Stopped", "")
	return []talk{
		{"InstalledLicense", []reply{info(serial), info(serial)}, 0, 2, func(ctx context.Context, _ *testing.T, s *server) error {
			_, err := s.client(nil).InstalledLicense(ctx, quality())
			return err
		}},
		{"UploadLicense", []reply{info(serial), says("SetLicense", "<success>true</success>")}, 1, 2, func(ctx context.Context, t *testing.T, s *server) error {
			return s.client(nil).UploadLicense(ctx, quality(), target(t, serial))
		}},
		{"RepublishModule", upTo(t, staged(`{"publishId":41}`),
			news(2, false, message("Info", "Uploading", ""), stop), goOn(), news(3, true), published(7)), 0, 4, republish(nil)},
		{"RepublishModule of a solution", upTo(t, says("PublishRunningVersion", "<SolutionPubId>41</SolutionPubId>"),
			news(2, true, message("Info", "Done", "")), published(7)), 3, 4, republish(func(o *servicecenter.Options) { o.Solution = "Changeover" })},
		{"RepublishModule that is aborted", upTo(t, staged(`{"publishId":41}`),
			news(2, false, message("Error", "Compilation failed", ""), stop), aborted()), 5, 4, republish(nil)},
		{"BackupLicense", []reply{answer(200, "application/octet-stream", "a made-up license")}, 0, 1, func(ctx context.Context, _ *testing.T, s *server) error {
			_, err := s.link().BackupLicense(ctx, quality())
			return err
		}},
	}
}

// hostile is what a server may answer to make a terminal or a log lie, with
// everything that it was sent.
func hostile() string {
	return "\u202e\u2066 " + password + " " + basic() + " " + code + " " + content()
}

func basic() string { return basicOf(user, password) }

func basicOf(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// safe checks that an error shows nothing secret of what was sent, and nothing
// that moves a cursor.
func safe(t *testing.T, err error, sent ...string) {
	t.Helper()
	text, all := err.Error(), strings.Join(sent, "\n")
	require.Equal(t, printable.Whole(text), text)
	require.NotContains(t, text, code)
	if strings.Contains(all, "#made&lt;up&#34;Opaque") || strings.Contains(all, basic()) {
		require.NotContains(t, text, password)
		require.NotContains(t, text, basic())
	}
	if strings.Contains(all, content()) {
		for i := 0; i+40 <= len(text); i++ {
			if strings.Contains(content(), text[i:i+40]) {
				require.Fail(t, "the error repeats the license", text)
			}
		}
	}
}

// A class is a kind of answer that is not the wanted one.
type class struct {
	name  string
	reply reply
	means string // before anything may have been changed
}

func classes(t *testing.T) []class {
	const xml = "text/xml; charset=utf-8"
	evil := hostile()
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(evil)
	fault := envelope("<soap:Fault><faultcode>soap:Server</faultcode><faultstring>" + escaped + "</faultstring></soap:Fault>")
	all := []class{
		{"the credentials are refused", answer(401, "text/html", evil), "permission"},
		{"the account may not", answer(403, "text/html", evil), "permission"},
		{"there is no such page", answer(404, "text/html", evil), "unsupported"},
		{"the method is refused", answer(405, "", ""), "unsupported"},
		{"the page is gone", answer(410, "", ""), "unsupported"},
		{"too many requests", answer(429, "", ""), "busy"},
		{"the server cannot", answer(501, "text/html", ""), "unsupported"},
	}
	unknown := func(name string, r reply) { all = append(all, class{name, r, "unknown"}) }
	for _, status := range []int{400, 408, 409, 418, 500, 502, 503, 504} {
		unknown(fmt.Sprintf("status %d with a page", status), answer(status, "text/html", "<html>"+evil+"</html>"))
	}
	for _, status := range []int{400, 500, 503} {
		unknown(fmt.Sprintf("status %d with a fault", status), answer(status, xml, fault))
		unknown(fmt.Sprintf("status %d with JSON", status), answer(status, "application/json", `{"Errors":["no"],"StatusCode":500}`))
	}
	for _, status := range []int{301, 302, 307} {
		unknown(fmt.Sprintf("a redirect by status %d", status),
			reply{raw: fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: https://other.example.test/?%s\r\nContent-Length: 0\r\n\r\n", status, basic())})
	}
	unknown("no content", reply{raw: "HTTP/1.1 204 No Content\r\n\r\n"})
	unknown("not modified", reply{raw: "HTTP/1.1 304 Not Modified\r\n\r\n"})
	unknown("a fault with status 200", answer(200, xml, fault))
	unknown("an HTML page", answer(200, "text/html; charset=utf-8", "<html><title>Log in</title>"+evil+"</html>"))
	unknown("plain text", answer(200, "text/plain", evil))
	unknown("a content type that is none", answer(200, "\x1b]0;"+password+"/;;", evil))
	unknown("a content type that repeats the password", answer(200, "text/"+code, evil))
	unknown("no content type", answer(200, "", "<html>"+envelope("")+evil))
	unknown("a foreign charset", answer(200, "text/xml; charset=iso-8859-1", envelope("")))
	unknown("a charset that repeats the account", answer(200, `text/xml; charset="`+basic()+`"`, envelope("")))
	unknown("a foreign charset in the XML", answer(200, xml, `<?xml version="1.0" encoding="iso-8859-1"?><a/>`))
	unknown("no UTF-8", answer(200, xml, envelope("<a>\xff\xfe</a>")))
	unknown("compressed", reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"})
	unknown("empty XML", answer(200, xml, ""))
	unknown("empty JSON", answer(200, "application/json", ""))
	unknown("an empty object", answer(200, "application/json", "{}"))
	unknown("JSON of another form", answer(200, "application/json", `{"publishId":"`+password+`"}`))
	unknown("JSON that goes on", answer(200, "application/json", `{"publishId":41} {}`))
	unknown("no XML", answer(200, xml, evil))
	unknown("XML that ends too early", answer(200, xml, envelope("")[:80]))
	unknown("XML that goes on", answer(200, xml, envelope("<a/>")+"<b/>"))
	unknown("text behind the XML", answer(200, xml, envelope("<a/>")+"text"))
	unknown("a document type", answer(200, xml, `<!DOCTYPE a [<!ENTITY e "`+evil+`">]>`+"<a>&e;</a>"))
	unknown("an entity", answer(200, xml, envelope("<a>&e;</a>")))
	unknown("a processing instruction", answer(200, xml, "<?php "+password+" ?>"+envelope("<a/>")))
	unknown("too deep", answer(200, xml, strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100)))
	unknown("another element", answer(200, xml, "<html><body>"+escaped+"</body></html>"))
	unknown("another version of SOAP", answer(200, xml, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>`))
	unknown("no body in the envelope", answer(200, xml, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>`))
	unknown("nothing in the body", answer(200, xml, envelope("")))
	unknown("two things in the body", answer(200, xml, envelope("<a/><b/>")))
	unknown("another operation's answer", says("TestLogin", "<status>true</status>"))
	unknown("no HTTP", reply{raw: evil})
	unknown("an answer that is cut off in its head", reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: te"})
	unknown("an answer that is cut off in its body", reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<soap"})
	unknown("an answer that is cut off in a chunk", reply{raw: "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n<soap"})
	unknown("a head without an end", reply{raw: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 100<<10)})
	unknown("a connection that is reset", reply{})
	return all
}

func TestEveryClassOfAnswerMeansWhatIsKnown(t *testing.T) {
	all := classes(t)
	for _, talk := range talks(t) {
		for n := talk.own; n < len(talk.replies); n++ {
			for _, c := range all {
				t.Run(fmt.Sprintf("%s, answer %d: %s", talk.name, n+1, c.name), func(t *testing.T) {
					t.Parallel()
					replies := append([]reply(nil), talk.replies[:n]...)
					s := newServer(t, append(replies, c.reply)...)
					err := talk.do(t.Context(), t, s)
					want := c.means
					if n >= talk.begun {
						want = "unknown"
					}
					require.Error(t, err)
					require.Equal(t, want, means(err), "%v", err)
					require.Len(t, s.sent(), n+1, "nothing more is asked")
					safe(t, err, s.sent()...)
				})
			}
		}
	}
}

// TestTheTalksThemselves shows that the table above fails for its reason.
func TestTheTalksThemselves(t *testing.T) {
	for _, talk := range talks(t) {
		s := newServer(t, talk.replies...)
		want := "done"
		if strings.Contains(talk.name, "aborted") {
			want = "publishFailed"
		}
		require.Equal(t, want, means(talk.do(t.Context(), t, s)), talk.name)
		require.Len(t, s.sent(), len(talk.replies), talk.name)
	}
}

// TestAGoodAnswerInBadCompanyMeansNothing: what would be success is none with
// another status, behind a document type, or with something put twice.
func TestAGoodAnswerInBadCompanyMeansNothing(t *testing.T) {
	for _, talk := range talks(t) {
		for n := talk.own; n < len(talk.replies); n++ {
			for _, status := range []string{"201 Created", "206 Partial Content", "500 Internal Server Error"} {
				bad := reply{raw: strings.Replace(talk.replies[n].raw, "200 OK", status, 1)}
				err := talk.do(t.Context(), t, newServer(t, append(talk.replies[:n:n], bad)...))
				require.Equal(t, "unknown", means(err), "%s, answer %d, %s: %v", talk.name, n+1, status, err)
			}
			if _, body, _ := strings.Cut(talk.replies[n].raw, "\r\n\r\n"); strings.HasPrefix(body, "<?xml") {
				head, rest, _ := strings.Cut(body, "?>")
				bad := answer(200, "text/xml", head+"?><!DOCTYPE a>"+rest)
				err := talk.do(t.Context(), t, newServer(t, append(talk.replies[:n:n], bad)...))
				require.ErrorContains(t, err, "declares a document type", "%s, answer %d", talk.name, n+1)
				require.Equal(t, "unknown", means(err))
			}
		}
	}
	failed := "<News>" + message("Error", "no", "") + "</News>"
	for _, twice := range []string{failed + "<News/>", "<News/>" + failed} {
		_, _, err := republish(t, staged(`{"publishId":41}`), says("SolutionPack_GetPublishMessages", twice+"<Last>1</Last><Over>true</Over>"), published(7))
		require.Equal(t, "unknown", means(err), "an error in one of two lists is not passed over")
	}
}

func TestAnAnswerThatIsTooLongIsNotRead(t *testing.T) {
	long := strings.Repeat(" ", 8<<20)
	for _, talk := range talks(t)[:3] {
		n := len(talk.replies) - 1
		s := newServer(t, append(talk.replies[:n:n], answer(200, "text/xml", long+envelope("<a/>")))...)
		err := talk.do(t.Context(), t, s)
		require.Equal(t, "unknown", means(err), "%v", err)
		require.ErrorContains(t, err, "has more than 8388608 bytes")
	}
	s := newServer(t, answer(200, "application/octet-stream", strings.Repeat("x", license.MaxFileBytes+1)))
	_, err := s.link().BackupLicense(t.Context(), quality())
	require.ErrorIs(t, err, license.ErrTooLarge)
}

// TestNothingIsLeftOfACallThatIsCanceledOrTimesOut runs in a bubble, which
// also fails if a goroutine is left; that a connection is left would keep the
// server from ending.
func TestNothingIsLeftOfACallThatIsCanceledOrTimesOut(t *testing.T) {
	certificate, _ := identity()
	require.NotNil(t, certificate.Leaf)
	for _, talk := range talks(t) {
		for n := talk.own; n < len(talk.replies); n++ {
			for _, half := range []string{"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 1000\r\n\r\n<soap"} {
				for _, how := range []string{"is canceled", "times out"} {
					t.Run(fmt.Sprintf("%s, answer %d is %q, and %s", talk.name, n+1, half, how), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							s := newServer(t, append(talk.replies[:n:n], reply{raw: half, hangs: true})...)
							ctx, cancel := context.WithCancel(t.Context())
							defer cancel()
							began := time.Now()
							ended := make(chan error)
							go func() { ended <- talk.do(ctx, t, s) }()
							for range n + 1 {
								<-s.received
							}
							if how == "is canceled" {
								synctest.Wait()
								cancel()
							}
							err := <-ended
							require.Error(t, err)
							require.Equal(t, "unknown", means(err), "%v", err)
							if how == "is canceled" {
								require.ErrorIs(t, err, context.Canceled)
								require.Zero(t, time.Since(began))
							} else {
								require.Equal(t, 2*time.Minute, time.Since(began))
							}
							safe(t, err, s.sent()...)
						})
					})
				}
			}
		}
	}
}

func TestACallWhoseContextIsDoneSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, talk := range talks(t) {
		s := newServer(t)
		err := talk.do(ctx, t, s)
		require.Equal(t, adapters.ErrNotReached, adapters.ConditionOf(err), "%s: %v", talk.name, err)
		require.Empty(t, s.sent())
	}
}
