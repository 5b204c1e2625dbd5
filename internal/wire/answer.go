package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
)

// body is what is sent; a request without one has none.
func body(b []byte) io.Reader {
	if len(b) == 0 {
		return nil
	}
	return bytes.NewReader(b)
}

// read takes in a whole answer, or says why it cannot be relied on.
func read(resp *http.Response) (Answer, error) {
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.StatusCode != http.StatusNotModified {
		return Answer{}, fmt.Errorf("it answers %d and redirects to %s; nothing is followed: put the address that is meant into the plan",
			resp.StatusCode, target(resp))
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return Answer{}, fmt.Errorf("the answer is encoded as %s, which was not asked for", word(e))
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Answer{}, fmt.Errorf("the answer was cut off after %d bytes", len(b))
	case err != nil && !ofConnection(err):
		return Answer{}, errNoHTTP
	case err != nil:
		return Answer{}, err
	case len(b) > MaxAnswer:
		return Answer{}, fmt.Errorf("the answer has more than %d bytes", MaxAnswer)
	}
	answer := Answer{Status: resp.StatusCode, Body: b}
	given := resp.Header.Get("Content-Type")
	if given == "" {
		return answer, nil
	}
	kind, params, err := mime.ParseMediaType(given)
	if err != nil {
		return Answer{}, errors.New("the answer has a content type which is none")
	}
	answer.Type = kind
	return answer, charset(params["charset"])
}

// charset refuses what would be misread.
func charset(name string) error {
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8", "us-ascii":
		return nil
	}
	return fmt.Errorf("the answer is written in the charset %s; only UTF-8 is read", word(name))
}

// target says where a redirect points to; of the address, only what cannot be
// a secret.
func target(resp *http.Response) string {
	u, err := url.Parse(resp.Header.Get("Location"))
	switch {
	case err != nil || u.String() == "":
		return "no address"
	case u.Host == "":
		return "another path of the same host"
	}
	return word(u.Scheme + "://" + u.Host)
}

// Text returns the body without a byte order mark, if it is of one of those
// media types and UTF-8.
func (a Answer) Text(types ...string) ([]byte, error) {
	known := false
	for _, t := range types {
		known = known || t == a.Type
	}
	switch {
	case !known:
		return nil, fmt.Errorf("the answer (status %d) is %s, not %s", a.Status, kind(a.Type), strings.Join(types, " or "))
	case !utf8.Valid(a.Body):
		return nil, fmt.Errorf("the answer (status %d) is not UTF-8", a.Status)
	}
	return bytes.TrimPrefix(a.Body, []byte("\ufeff")), nil
}

func kind(t string) string {
	switch t {
	case "":
		return "of no content type"
	case "text/html":
		return "an HTML page, for people"
	}
	return word(t)
}

// word returns a word of the server as it is. Of anything longer nothing is
// shown: cut short, a secret that it repeats would not be known as one.
func word(s string) string {
	const longest = 100
	if len(s) > longest || printable.Whole(s) != s {
		return "(not shown)"
	}
	return s
}

// Condition returns the condition that a status asserts by itself, whatever the
// body says: that the server has turned the request away unread. nil: none.
func (a Answer) Condition() *adapters.Condition {
	switch a.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return adapters.ErrPermission
	case http.StatusTooManyRequests:
		return adapters.ErrBusy
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return adapters.ErrUnsupported
	}
	return nil
}
