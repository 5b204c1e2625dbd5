package lifetime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

// A request is one call of the interface.
type request struct {
	method string
	path   string
	query  url.Values
	body   []byte
	needs  string                  // what the account's role must allow, for people
	none   *adapters.Condition     // what a documented 404 means
	take   func(wire.Answer) error // takes in a successful answer; nil: it is not read
}

// call makes a request, and reads nothing that repeats the token. Its error wraps a condition only if the request
// certainly changed nothing.
func (c *Client) call(ctx context.Context, r request) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", adapters.ErrNotReached, err)
	}
	token, err := c.token(ctx)
	if err != nil {
		return fmt.Errorf("there is no token for LifeTime: %w: %s", adapters.ErrNotReached, printable.Error(err))
	}
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("the token for LifeTime is empty, or has characters that no token has: %w", adapters.ErrPermission)
	}
	u := *c.base
	u.Path += r.path
	u.RawQuery = r.query.Encode()
	header := http.Header{"Accept": {"application/json"}, "Authorization": {"Bearer " + token}}
	if r.body != nil {
		header.Set("Content-Type", "application/json")
	}
	answer, err := c.wire.Do(ctx, wire.Request{Method: r.method, URL: &u, Header: header, Body: r.body})
	switch {
	case err != nil:
	case answer.Status < 200 || answer.Status > 299:
		err = fmt.Errorf("%s: %w", printable.Text(u.Host), r.turnedDown(answer))
	case r.take == nil:
	default:
		if err = r.take(answer); err == nil && wire.Repeats(answer.Body, token) {
			err = errSilent // what was read from it would be shown to people
		}
	}
	return silent(err, token)
}

// turnedDown says what an answer means that is no success. What a server says
// by its status alone counts where it cannot have read the request to its end:
// who asks is looked at first. What it says of the request counts in the
// documented form only; everything else may come from something in between.
func (r request) turnedDown(a wire.Answer) error {
	text, documented := said(a)
	var means *adapters.Condition
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		return fmt.Errorf("it answers %d (%s): %w: tokens that LifeTime 11.16 or newer has issued expire, and the role of the service account must allow it to %s",
			a.Status, text, adapters.ErrPermission, r.needs)
	case a.Status == http.StatusTooManyRequests:
		means = adapters.ErrBusy
	case documented && a.Status == http.StatusNotFound:
		means = r.none
	case documented && (a.Status == http.StatusMethodNotAllowed || a.Status == http.StatusBadRequest && r.method == http.MethodGet):
		// Of a request to change something, 400 is not enough: what was to be
		// aborted for it may have been aborted.
		means = adapters.ErrUnsupported
	default:
		return fmt.Errorf("it answers %d (%s)", a.Status, text)
	}
	return fmt.Errorf("it answers %d (%s): %w", a.Status, text, means)
}

// said returns the text of an answer that is no success, safe to print;
// documented tells whether it has the form that LifeTime's errors have
// (facts.md 2).
func said(a wire.Answer) (text string, documented bool) {
	b, err := a.Text("application/json")
	if err != nil {
		return err.Error(), false
	}
	failure, err := decodeError(b)
	switch {
	case err != nil:
		return "not in the form of LifeTime's errors: " + err.Error(), false
	case failure.StatusCode != a.Status:
		return fmt.Sprintf("not in the form of LifeTime's errors: it states %d", failure.StatusCode), false
	}
	return printable.Text(strings.Join(failure.Errors, "; ")), true
}

// errSilent stands for what a server said that must not be repeated.
var errSilent = errors.New("LifeTime's answer repeats the token, and is not shown")

// silent returns err, or, if its text contains a piece of the token, an error
// that means the same and does not say it.
func silent(err error, token string) error {
	const piece = 12 // too long to be there by chance
	if err == nil {
		return nil
	}
	text := err.Error()
	for i := range max(1, len(token)-piece+1) {
		if strings.Contains(text, token[i:min(i+piece, len(token))]) {
			means := []error{adapters.ErrUncertain}
			if condition := adapters.ConditionOf(err); condition != nil {
				means[0] = condition
			}
			for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
				if errors.Is(err, cause) {
					means = append(means, cause)
				}
			}
			return fmt.Errorf("%w: %w", errSilent, errors.Join(means...))
		}
	}
	return err
}
