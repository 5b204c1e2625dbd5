package simulator

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/changeover-go/changeover/internal/wire"
)

// PersonOptions say how the simulation of another process is reached, and as
// whom.
type PersonOptions struct {
	User, Password string
	// TLS trusts the simulation's certificate; nil: the system's roots.
	TLS *tls.Config
	// Dial leads every host to the simulation; nil: where its name leads.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewPerson returns somebody who uses the pages of a simulation that another
// process serves. Its error says what is wrong with the options; nothing is
// contacted.
func NewPerson(o PersonOptions) (*Person, error) {
	client, err := wire.New(wire.Options{TLS: o.TLS, Dial: o.Dial, Timeout: personTimeout})
	if err != nil {
		return nil, err
	}
	return &Person{s: &Simulator{accounts: accounts{user: o.User, password: o.Password}}, client: client}, nil
}
