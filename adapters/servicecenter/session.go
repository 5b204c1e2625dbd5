package servicecenter

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// userAgent is how requests present themselves; it is for the server's log.
const userAgent = "changeover"

// A session is one call of the port: one server, at most one account.
type session struct {
	wire    *wire.Client
	base    *url.URL
	account Credential
	veil    veil
}

// check refuses what cannot be sent as it is. It does not repeat it.
func (c Credential) check() error {
	switch {
	case c.User == "" || c.Password == "":
		return errors.New("the user name or the password is empty")
	case strings.ContainsRune(c.User, ':'):
		return errors.New("the user name has a colon, which ends it in an HTTP header")
	case !inXML(c.User) || !inXML(c.Password):
		return errors.New("the user name or the password has a character that XML cannot hold")
	}
	return nil
}

// basic is the account as HTTP's Basic authentication writes it.
func (c Credential) basic() string {
	return base64.StdEncoding.EncodeToString([]byte(c.User + ":" + c.Password))
}

// at returns the URL of a path of the server.
func (s session) at(path, query string) *url.URL {
	u := *s.base
	u.Path += path
	u.RawQuery = query
	return &u
}

// do makes one call. A status that says that the request was turned away unread
// is an error that wraps the condition.
func (s session) do(ctx context.Context, r wire.Request) (wire.Answer, error) {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", userAgent)
	}
	answer, err := s.wire.Do(ctx, r)
	if err != nil {
		return wire.Answer{}, s.veil.error(err)
	}
	if condition := answer.Condition(); condition != nil {
		return answer, fmt.Errorf("%s: %s answers %s: %w", printable.Text(s.base.Host), printable.Text(r.URL.Path), status(answer.Status), condition)
	}
	return answer, nil
}

// status is a status for people.
func status(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}
