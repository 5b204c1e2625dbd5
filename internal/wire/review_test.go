package wire_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/wire"
)

// Whatever is wrong with an address: what may be a password in it is not shown.
func TestAnAddressThatIsRefusedIsShownWithoutWhatMayBeSecret(t *testing.T) {
	for _, address := range []string{
		"http://admin:" + secret + "@sc.example.test", "ftp://admin:" + secret + "@sc.example.test", "https://admin:" + secret + "@",
		"https:admin:" + secret + "@sc.example.test", "admin:" + secret + "@sc.example.test", secret + "@sc.example.test",
		"https://admin:" + secret + "/x@sc.example.test", "https://sc.example.test?token=" + secret, "https://sc.example.test#" + secret,
		"http://sc.example.test/?" + secret, "https://admin:a b" + secret + "@sc.example.test", "https://sc.example.test:" + secret, "https://sc.example.test/%z" + secret,
	} {
		t.Run(strings.ReplaceAll(address, secret, "secret"), func(t *testing.T) {
			_, err := wire.Base(address)
			clean(t, err)
		})
	}
}

// An error is cut short, and quoted, where it is printed: by then nobody can
// find a secret that the server has repeated. So it never has what may be one.
func TestWhatAServerSaysInAPlaceForWordsIsNotRepeated(t *testing.T) {
	for n := range 220 {
		echo := strings.Repeat("x", n) + secret
		for name, text := range map[string]string{
			"no HTTP": echo + "\r\n", "a status": "HTTP/1.1 " + echo + " OK\r\n\r\n", "a header": "HTTP/1.1 200 OK\r\n" + echo + "\r\n\r\n",
			"a length":   "HTTP/1.1 200 OK\r\nContent-Length: " + echo + "\r\n\r\n",
			"a transfer": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echo + "\r\n\r\n",
		} {
			if n%20 != 0 && name != "no HTTP" {
				continue // they are quoted as the first one is
			}
			_, err := ask(t, text)
			uncertain(t, err)
			require.NotContains(t, err.Error(), secret[:4], fmt.Sprint(name, n))
		}
	}
	for n := 140; n < 200; n += 3 {
		echo := strings.Repeat("x", n) + secret
		for name, text := range map[string]string{
			"an encoding": answer("Content-Encoding: "+echo+"\r\n", ""),
			"a type":      answer("Content-Type: ;"+echo+"\r\n", ""),
			"a charset":   answer("Content-Type: text/xml; charset="+echo+"\r\n", ""),
			"a host":      "HTTP/1.1 302 Found\r\nLocation: https://" + echo + "/\r\nContent-Length: 0\r\n\r\n",
		} {
			_, err := ask(t, text)
			uncertain(t, err)
			require.NotContains(t, err.Error(), secret[:4], name)
		}
	}
}

// A configuration that a client of HTTP/2 has used offers HTTP/2.
func TestAServerThatSpeaksHTTP2IsSpokenToInHTTP1(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	config := server.Client().Transport.(*http.Transport).TLSClientConfig
	c, err := wire.New(wire.Options{TLS: &tls.Config{RootCAs: config.RootCAs, NextProtos: []string{"h2", "http/1.1"}}})
	require.NoError(t, err)
	u, err := url.Parse(server.URL)
	require.NoError(t, err)
	got, err := c.Do(t.Context(), wire.Request{Method: http.MethodGet, URL: u})
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1", string(got.Body))
}
