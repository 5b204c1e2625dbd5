package servicecenter

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
	"github.com/changeover-go/changeover/license"
)

const (
	// DefaultPoll is the time between two questions after a publish; the
	// vendor's scripts use the same (facts.md 3.4).
	DefaultPoll = time.Second
	// DefaultPublishTimeout is how long a publish is waited for. The vendor's
	// pipeline gives a deployment as much (facts.md 2.2).
	DefaultPublishTimeout = time.Hour
)

// A Credential is an account of Service Center.
type Credential struct {
	User string
	// Password is sent as it is. The vendor's scripts send a value that begins
	// with # and was hashed by the vendor's own library; whether a plain
	// password is taken is not known (facts.md 3.2).
	Password string
}

// A LicensePage reads the licensing page of Service Center (facts.md 3.3).
// Its Server may be empty; if it states one, it must be the server's own
// serial number. attended.Desk, command.Program and [BackupLink] are some.
type LicensePage interface {
	// InstalledLicense returns what the page shows. It changes nothing.
	InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error)
}

// Options say how Service Center is reached. Every zero field has a meaning.
type Options struct {
	// Credentials returns the account for an environment. It is asked once for
	// every call that needs one, and what it returns is not kept. Its error
	// makes the call answer ErrPermission, or ErrNotReached when the call's
	// context is done. nil: uploads and publishes answer ErrUnsupported.
	Credentials func(ctx context.Context, env environment.Environment) (Credential, error)
	// Page reads the licensing page, and downloads the installed license if it
	// is an adapters.LicenseBackuper. nil: InstalledLicense answers
	// ErrUnsupported.
	Page LicensePage
	// Solution is the name of a solution that was prepared in every
	// environment and holds nothing but the test module. Then this solution's
	// running version is published. Empty: the module is staged by itself.
	Solution string

	// TLS is the client's configuration, for example with the RootCAs of a
	// private certificate authority; verification cannot be turned off. nil:
	// the system's roots.
	TLS *tls.Config
	// Dial opens the connections, and returns when ctx is done. nil: directly,
	// by no proxy.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout is for one request and its answer. Zero: two minutes.
	Timeout time.Duration

	// Clock waits between two questions after a publish. nil: the machine's.
	Clock adapters.Clock
	// Poll is the time between two such questions. Zero: [DefaultPoll].
	Poll time.Duration
	// PublishTimeout is how long a publish is waited for, counted in waits of
	// Poll; one whose end was not seen by then is uncertain. Zero:
	// [DefaultPublishTimeout].
	PublishTimeout time.Duration
}

// A Client is the Service Center of every environment of an infrastructure. It
// is safe for concurrent use.
type Client struct {
	inf     environment.Infrastructure
	options Options
	wire    *wire.Client
	sleep   func(ctx context.Context, d time.Duration) error
}

var (
	_ adapters.ServiceCenter   = (*Client)(nil)
	_ adapters.LicenseBackuper = (*Client)(nil)
	_ adapters.Describer       = (*Client)(nil)
)

// New returns a client for the environments of the infrastructure, and no
// others. Its error says everything that is wrong with their addresses and the
// options; nothing is sent.
func New(inf environment.Infrastructure, o Options) (*Client, error) {
	var errs []error
	if len(inf.Environments) == 0 {
		errs = append(errs, errors.New("the infrastructure has no environments"))
	}
	for _, env := range inf.Environments {
		if _, err := wire.Base(env.ServiceCenter); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", printable.Text(env.Name), err))
		}
	}
	if !inXML(o.Solution) {
		errs = append(errs, errors.New("the name in Solution has a character that XML cannot hold"))
	}
	if o.Poll < 0 || o.PublishTimeout < 0 {
		errs = append(errs, errors.New("neither Poll nor PublishTimeout can be negative"))
	}
	if link, ok := o.Page.(interface{ check() error }); ok {
		errs = append(errs, link.check())
	}
	client, err := wire.New(wire.Options{TLS: o.TLS, Dial: o.Dial, Timeout: o.Timeout})
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("servicecenter: %w", err)
	}
	if o.Poll == 0 {
		o.Poll = DefaultPoll
	}
	if o.PublishTimeout == 0 {
		o.PublishTimeout = DefaultPublishTimeout
	}
	c := &Client{inf, o, client, wait}
	if o.Clock != nil {
		c.sleep = o.Clock.Sleep
	}
	return c, nil
}

// Describe implements [adapters.Describer].
func (c *Client) Describe() string {
	page := "not read"
	if c.options.Page != nil {
		page = adapters.Describe(c.options.Page)
	}
	return "Service Center over SOAP at the plan's addresses; the licensing page: " + page
}

// base returns the address of an environment of the plan: neither a license
// nor a password goes anywhere else.
func (c *Client) base(env environment.Environment) (*url.URL, error) {
	planned, ok := c.inf.Environment(env.Name)
	if !ok || planned.ServiceCenter != env.ServiceCenter {
		return nil, fmt.Errorf("the address that was given is not in the plan as the Service Center of %s: %w",
			printable.Text(env.Name), adapters.ErrUnsupported)
	}
	return wire.Base(env.ServiceCenter)
}

// open begins a call that needs no account.
func (c *Client) open(env environment.Environment) (session, error) {
	base, err := c.base(env)
	return session{wire: c.wire, base: base}, err
}

// login adds the account for env.
func (s session) login(ctx context.Context, env environment.Environment, credentials func(context.Context, environment.Environment) (Credential, error)) (session, error) {
	if credentials == nil {
		return session{}, fmt.Errorf("no account is known for Service Center (set Options.Credentials): %w", adapters.ErrUnsupported)
	}
	account, err := credentials(ctx, env)
	if err == nil {
		err = account.check()
	}
	switch {
	case ctx.Err() != nil:
		return session{}, fmt.Errorf("%w: %w", adapters.ErrNotReached, ctx.Err())
	case err != nil:
		// Not wrapped: whatever it is, nothing was sent.
		return session{}, fmt.Errorf("no account for Service Center: %s: %w", printable.Error(err), adapters.ErrPermission)
	}
	s.account = account
	s.veil = s.veil.over(account.Password, account.basic())
	return s, nil
}

// wait waits by the machine's clock, as adapters.Clock says.
func wait(ctx context.Context, d time.Duration) error {
	over, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-over.Done()
	return ctx.Err()
}
