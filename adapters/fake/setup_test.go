package fake_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// The environments of the tests.
var (
	production  = environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prod.example.test", Serial: "PRO-AAA-BBB-CCC-DDD-EEE-FFF-111"}
	quality     = environment.Environment{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qa.example.test:8443/", Serial: "QUA-AAA-BBB-CCC-DDD-EEE-FFF-222"}
	development = environment.Environment{Name: "Development", Kind: environment.Development, ServiceCenter: "https://dev.example.test", Serial: "DEV-AAA-BBB-CCC-DDD-EEE-FFF-333"}
	lifeTime    = environment.Environment{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LIF-AAA-BBB-CCC-DDD-EEE-FFF-444"}
)

func all() []environment.Environment {
	return []environment.Environment{production, quality, development, lifeTime}
}

func infrastructure() environment.Infrastructure {
	return environment.Infrastructure{Name: "Acme", Environments: all()}
}

// The codes of the tests, in the clear.
const (
	sourceText = "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU"
	targetText = "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU"
	thirdText  = "TTT.HHH.III.RRR.DDD.333.333.AOU"
)

func code(t testing.TB, text string) license.ActivationCode {
	t.Helper()
	c, err := license.ParseActivationCode(text)
	require.NoError(t, err)
	return c
}

// scene is a world, its ports and its codes. The embedded Set hides the method
// of that name.
type scene struct {
	*fake.World
	adapters.Set
	t                     testing.TB
	source, target, third license.ActivationCode
}

func newScene(t testing.TB) *scene {
	s := &scene{t: t, source: code(t, sourceText), target: code(t, targetText), third: code(t, thirdText)}
	s.World = fake.New(infrastructure(), s.source, s.target)
	s.Set = s.World.Set()
	t.Cleanup(func() { require.NoError(t, s.Err()) })
	return s
}

func (s *scene) ctx() context.Context { return s.t.Context() }

// file fetches a license, after registering its serial number if need be.
func (s *scene) file(c license.ActivationCode, env environment.Environment) license.File {
	s.t.Helper()
	require.NoError(s.t, s.Portal.RegisterSerial(s.ctx(), c, env))
	f, err := s.Portal.FetchLicense(s.ctx(), c, env)
	require.NoError(s.t, err)
	return f
}

// upload installs a license of the code.
func (s *scene) upload(c license.ActivationCode, env environment.Environment) license.File {
	s.t.Helper()
	f := s.file(c, env)
	require.NoError(s.t, s.ServiceCenter.UploadLicense(s.ctx(), env, f))
	return f
}

// page reads the licensing page.
func (s *scene) page(env environment.Environment) license.Installed {
	s.t.Helper()
	in, err := s.ServiceCenter.InstalledLicense(s.ctx(), env)
	require.NoError(s.t, err)
	return in
}

// saved returns the world as it is saved.
func saved(t testing.TB, w *fake.World) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, w.Save(&b))
	return b.String()
}

// portCall is a call of a port with arguments for Quality.
type portCall struct {
	call  fake.Call
	reads bool // it changes nothing
	do    func(ctx context.Context, set adapters.Set, s *scene) error
}

// portCalls are all calls there are, each of which succeeds in a new scene.
func portCalls() []portCall {
	env := quality.Name
	return []portCall{
		{fake.Call{Port: "LicensePortal", Method: "FetchLicense", Environment: env}, true, func(ctx context.Context, set adapters.Set, s *scene) error {
			_, err := set.Portal.FetchLicense(ctx, s.source, quality)
			return err
		}},
		{fake.Call{Port: "LicensePortal", Method: "SerialRegistered", Environment: env}, true, func(ctx context.Context, set adapters.Set, s *scene) error {
			_, err := set.Portal.SerialRegistered(ctx, s.source, quality)
			return err
		}},
		{fake.Call{Port: "LicensePortal", Method: "RegisterSerial", Environment: env}, false, func(ctx context.Context, set adapters.Set, s *scene) error {
			return set.Portal.RegisterSerial(ctx, s.target, quality)
		}},
		{fake.Call{Port: "ServiceCenter", Method: "InstalledLicense", Environment: env}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.ServiceCenter.InstalledLicense(ctx, quality)
			return err
		}},
		{fake.Call{Port: "ServiceCenter", Method: "UploadLicense", Environment: env}, false, func(ctx context.Context, set adapters.Set, s *scene) error {
			return set.ServiceCenter.UploadLicense(ctx, quality, fake.LicenseFile(license.Details{Code: s.third, Serial: quality.Serial}, ""))
		}},
		{fake.Call{Port: "ServiceCenter", Method: "RepublishModule", Environment: env}, false, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.ServiceCenter.RepublishModule(ctx, quality, fake.TestModule)
			return err
		}},
		{fake.Call{Port: "ServiceCenter", Method: "BackupLicense", Environment: env}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(ctx, quality)
			return err
		}},
		{fake.Call{Port: "LifeTime", Method: "Registered"}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.LifeTime.Registered(ctx)
			return err
		}},
		{fake.Call{Port: "LifeTime", Method: "PauseDeployments", Environment: env}, false, func(ctx context.Context, set adapters.Set, _ *scene) error {
			return set.LifeTime.PauseDeployments(ctx, quality)
		}},
		{fake.Call{Port: "LifeTime", Method: "ResumeDeployments", Environment: env}, false, func(ctx context.Context, set adapters.Set, _ *scene) error {
			return set.LifeTime.ResumeDeployments(ctx, quality)
		}},
		{fake.Call{Port: "BackupVault", Method: "Put", Environment: env}, false, func(ctx context.Context, set adapters.Set, s *scene) error {
			_, err := set.Vault.Put(ctx, adapters.Label{Environment: env, Serial: quality.Serial}, someFile(s))
			return err
		}},
		{fake.Call{Port: "BackupVault", Method: "Get"}, true, func(ctx context.Context, set adapters.Set, s *scene) error {
			_, err := set.Vault.Get(ctx, quality.Serial, someFile(s).Digest())
			return err
		}},
		{fake.Call{Port: "BackupVault", Method: "List"}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.Vault.List(ctx, quality.Serial)
			return err
		}},
		{fake.Call{Port: "SupportDesk", Method: "OpenCase"}, false, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.Support.OpenCase(ctx, adapters.Case{Key: "key", Subject: "subject"})
			return err
		}},
		{fake.Call{Port: "SupportDesk", Method: "FindCase"}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.Support.FindCase(ctx, "key")
			return err
		}},
		{fake.Call{Port: "Operator", Method: "Ask", Environment: env}, true, func(ctx context.Context, set adapters.Set, _ *scene) error {
			_, err := set.Operator.Ask(ctx, adapters.Question{Environment: env, Subject: "move"})
			return err
		}},
	}
}

func someFile(s *scene) license.File {
	return fake.LicenseFile(license.Details{Code: s.source, Serial: quality.Serial}, "kept")
}
