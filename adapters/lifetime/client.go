package lifetime

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
	"github.com/changeover-go/changeover/license"
)

const (
	// DefaultReason is what LifeTime keeps as the reason of a pause, unless the
	// options say otherwise.
	DefaultReason = "changeover: the activation code of this infrastructure is being changed"
	// MaxReasonRunes is how long a reason may be.
	MaxReasonRunes = 200
	// DefaultNewest is how many deployments to an environment are asked for
	// their status, unless the options say otherwise.
	DefaultNewest = 20
)

// Options say how LifeTime is reached, and as whom.
type Options struct {
	// Token returns the token of LifeTime's service account. It is required,
	// and asked before every request; nothing is kept. Its error makes the
	// request one that was not sent (ErrNotReached); it is shown, and has no
	// secret in it. What cannot be a token is answered with ErrPermission. Tokens that LifeTime
	// 11.16.0 or newer has issued expire (facts.md 2).
	Token func(ctx context.Context) (string, error)
	// Reason is what LifeTime shows as the reason of a pause, for people; empty:
	// [DefaultReason]. It has at most [MaxReasonRunes] and no secret in it.
	Reason string
	// Since leaves out deployments of the days before it, for a LifeTime whose
	// list has grown too long; zero: none is left out.
	Since time.Time
	// Newest is how many of the deployments to an environment that were
	// started, newest first, are asked for their status; zero: [DefaultNewest].
	Newest int

	// TLS, Dial and Timeout are those of the connection: RootCAs for a private
	// certificate authority; what opens connections, nil: a direct one; the
	// time for a request with its answer, zero: two minutes.
	TLS     *tls.Config
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Timeout time.Duration
}

// A Client is an [adapters.LifeTime]. It is safe for concurrent use.
type Client struct {
	wire   *wire.Client
	base   *url.URL // of the interface
	token  func(ctx context.Context) (string, error)
	reason string
	since  string // a day
	newest int
}

var (
	_ adapters.LifeTime  = (*Client)(nil)
	_ adapters.Describer = (*Client)(nil)
)

// New returns a client for the LifeTime of the infrastructure: its one
// environment of kind [environment.LifeTime]. It reports every mistake at once,
// and asks nobody anything.
func New(inf environment.Infrastructure, o Options) (*Client, error) {
	c := &Client{token: o.Token, reason: o.Reason, newest: o.Newest, since: "2000-01-01"} // facts.md 2.2: without a date, one week
	var errs []error
	if o.Token == nil {
		errs = append(errs, errors.New("Options.Token is nil: LifeTime answers nobody without the token of a service account"))
	}
	if c.reason == "" {
		c.reason = DefaultReason
	}
	if why := unfit(c.reason); why != "" {
		errs = append(errs, errors.New("Options.Reason "+why))
	}
	if !o.Since.IsZero() {
		c.since = o.Since.UTC().Format(time.DateOnly)
	}
	if c.newest == 0 {
		c.newest = DefaultNewest
	}
	if c.newest < 0 {
		errs = append(errs, errors.New("Options.Newest is negative"))
	}
	var err error
	if c.base, err = address(inf); err != nil {
		errs = append(errs, err)
	}
	if c.wire, err = wire.New(wire.Options{TLS: o.TLS, Dial: o.Dial, Timeout: o.Timeout}); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("lifetime: %w", err)
	}
	return c, nil
}

// unfit says what keeps a reason from being sent; empty: nothing does.
func unfit(reason string) string {
	switch {
	case utf8.RuneCountInString(reason) > MaxReasonRunes:
		return fmt.Sprintf("has more than %d characters", MaxReasonRunes)
	case printable.Whole(reason) != reason:
		return "has characters that cannot be printed"
	case (license.Mask{}).Text(reason) != reason:
		return "contains an activation code"
	}
	return ""
}

// address returns the address of LifeTime's REST interface.
func address(inf environment.Infrastructure) (*url.URL, error) {
	var found []environment.Environment
	for _, env := range inf.Environments {
		if env.Kind == environment.LifeTime {
			found = append(found, env)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("the infrastructure has %d environments of kind %q, want one", len(found), environment.LifeTime)
	}
	base, err := wire.Base(found[0].ServiceCenter)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", printable.Text(found[0].Name), err)
	}
	// The plan names the Service Center of LifeTime; the interface is beside it.
	base.Path += "/lifetimeapi/rest/v2"
	return base, nil
}

// Describe says which LifeTime answers, and how far back its deployments are
// looked at.
func (c *Client) Describe() string {
	return fmt.Sprintf("LifeTime over REST at %s, the newest %d deployments to each environment since %s", printable.Text(c.base.Host), c.newest, c.since)
}
