package wiring

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// absent is in the place of a port that the way back can do without: it says
// why there is none when it is called after all.
type absent struct{ why error }

func (a absent) no() error { return fmt.Errorf("%w: %w", adapters.ErrUnsupported, a.why) }

// Describe implements adapters.Describer.
func (absent) Describe() string { return "nobody: it could not be made" }

func (a absent) FetchLicense(context.Context, license.ActivationCode, environment.Environment) (license.File, error) {
	return license.File{}, a.no()
}

func (a absent) SerialRegistered(context.Context, license.ActivationCode, environment.Environment) (bool, error) {
	return false, a.no()
}

func (a absent) RegisterSerial(context.Context, license.ActivationCode, environment.Environment) error {
	return a.no()
}

func (a absent) OpenCase(context.Context, adapters.Case) (string, error) { return "", a.no() }

func (a absent) FindCase(context.Context, string) (string, error) { return "", a.no() }

func (a absent) Ask(context.Context, adapters.Question) (adapters.Answer, error) {
	return adapters.Answer{}, a.no()
}
