package verbs

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// nobody is a set for verbs that only look, or record what somebody says: it
// answers nothing, and nothing of it should be asked.
func nobody() adapters.Set {
	return adapters.Set{Portal: none{}, ServiceCenter: none{}, LifeTime: none{}, Vault: none{}, Support: none{}, Operator: none{}}
}

type none struct{}

func (none) no() error {
	return fmt.Errorf("%w: this verb contacts nobody", adapters.ErrUnsupported)
}

// Describe implements adapters.Describer.
func (none) Describe() string { return "nobody" }

func (n none) FetchLicense(context.Context, license.ActivationCode, environment.Environment) (license.File, error) {
	return license.File{}, n.no()
}

func (n none) SerialRegistered(context.Context, license.ActivationCode, environment.Environment) (bool, error) {
	return false, n.no()
}

func (n none) RegisterSerial(context.Context, license.ActivationCode, environment.Environment) error {
	return n.no()
}

func (n none) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	return license.Installed{}, n.no()
}

func (n none) UploadLicense(context.Context, environment.Environment, license.File) error {
	return n.no()
}

func (n none) RepublishModule(context.Context, environment.Environment, string) (adapters.Publication, error) {
	return adapters.Publication{}, n.no()
}

func (n none) Registered(context.Context) ([]environment.Registered, error) { return nil, n.no() }

func (n none) PauseDeployments(context.Context, environment.Environment) error { return n.no() }

func (n none) ResumeDeployments(context.Context, environment.Environment) error { return n.no() }

func (n none) Put(context.Context, adapters.Label, license.File) (adapters.Stored, error) {
	return adapters.Stored{}, n.no()
}

func (n none) Get(context.Context, license.SerialNumber, license.Digest) (license.File, error) {
	return license.File{}, n.no()
}

func (n none) List(context.Context, license.SerialNumber) ([]adapters.Stored, error) {
	return nil, n.no()
}

func (n none) OpenCase(context.Context, adapters.Case) (string, error) { return "", n.no() }

func (n none) FindCase(context.Context, string) (string, error) { return "", n.no() }

func (n none) Ask(context.Context, adapters.Question) (adapters.Answer, error) {
	return adapters.Answer{}, n.no()
}
