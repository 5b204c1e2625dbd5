package command

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A method is one method of a port: Q is its request, A its answer.
type method[Q, A any] struct {
	port, name string
	serve      func(ctx context.Context, set adapters.Set, q Q) (A, error)
}

// of makes the method name of a port that pick takes out of a set.
func of[P, Q, A any](port string, pick func(adapters.Set) P, name string, serve func(ctx context.Context, p P, q Q) (A, error)) method[Q, A] {
	return method[Q, A]{port, name, func(ctx context.Context, set adapters.Set, q Q) (A, error) {
		p := pick(set)
		if any(p) == nil {
			var zero A
			return zero, fmt.Errorf("this program does not answer for %s: %w", port, adapters.ErrUnsupported)
		}
		return serve(ctx, p, q)
	}}
}

// A served method is a method whatever its types.
type served interface {
	names() (port, method string)
	types() (request, answer reflect.Type)
	answer(ctx context.Context, set adapters.Set, request []byte) (answer any, err error)
}

// methods lists every method, in the order of the ports.
func methods() []served {
	return []served{
		fetchLicense, serialRegistered, registerSerial,
		installedLicense, uploadLicense, republishModule, backupLicense,
		registeredEnvironments, pauseDeployments, resumeDeployments,
		putBackup, getBackup, listBackups,
		openCase, findCase,
		askOperator,
	}
}

func (m method[Q, A]) names() (port, name string) { return m.port, m.name }

func (m method[Q, A]) types() (request, answer reflect.Type) {
	return reflect.TypeFor[Q](), reflect.TypeFor[A]()
}

func (m method[Q, A]) answer(ctx context.Context, set adapters.Set, request []byte) (any, error) {
	var q Q
	if err := read(request, new(requestHead), &q); err != nil {
		return nil, err
	}
	return m.serve(ctx, set, q)
}

// request writes the request of a call.
func (m method[Q, A]) request(q Q) ([]byte, error) {
	return write(requestHead{schemaVersion, m.port, m.name}, q)
}

// write writes an object with the fields of head and body.
func write(head, body any) ([]byte, error) {
	a, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(body)
	if err != nil || string(b) == "{}" {
		return a, err
	}
	a[len(a)-1] = ','
	return append(a, b[1:]...), nil
}

func portal(s adapters.Set) adapters.LicensePortal        { return s.Portal }
func serviceCenter(s adapters.Set) adapters.ServiceCenter { return s.ServiceCenter }
func lifeTime(s adapters.Set) adapters.LifeTime           { return s.LifeTime }
func vault(s adapters.Set) adapters.BackupVault           { return s.Vault }
func support(s adapters.Set) adapters.SupportDesk         { return s.Support }
func operator(s adapters.Set) adapters.Operator           { return s.Operator }

// Each method, as [Serve] answers it.
var (
	fetchLicense = of("LicensePortal", portal, "FetchLicense", func(ctx context.Context, p adapters.LicensePortal, q ofCode) (file, error) {
		code, err := license.ParseActivationCode(q.Code)
		if err != nil {
			return file{}, err
		}
		f, err := p.FetchLicense(ctx, code, environmentOf(q.Environment))
		return file{f.Bytes()}, err
	})
	serialRegistered = of("LicensePortal", portal, "SerialRegistered", func(ctx context.Context, p adapters.LicensePortal, q ofCode) (listed, error) {
		code, err := license.ParseActivationCode(q.Code)
		if err != nil {
			return listed{}, err
		}
		found, err := p.SerialRegistered(ctx, code, environmentOf(q.Environment))
		return listed{found}, err
	})
	registerSerial = of("LicensePortal", portal, "RegisterSerial", func(ctx context.Context, p adapters.LicensePortal, q ofCode) (none, error) {
		code, err := license.ParseActivationCode(q.Code)
		if err != nil {
			return none{}, err
		}
		return none{}, p.RegisterSerial(ctx, code, environmentOf(q.Environment))
	})

	installedLicense = of("ServiceCenter", serviceCenter, "InstalledLicense", func(ctx context.Context, p adapters.ServiceCenter, q ofSite) (installed, error) {
		in, err := p.InstalledLicense(ctx, environmentOf(q.Environment))
		return installedAs(in), err
	})
	uploadLicense = of("ServiceCenter", serviceCenter, "UploadLicense", func(ctx context.Context, p adapters.ServiceCenter, q upload) (none, error) {
		f, err := license.NewFile(q.File)
		if err != nil {
			return none{}, err
		}
		return none{}, p.UploadLicense(ctx, environmentOf(q.Environment), f)
	})
	republishModule = of("ServiceCenter", serviceCenter, "RepublishModule", func(ctx context.Context, p adapters.ServiceCenter, q republish) (publication, error) {
		done, err := p.RepublishModule(ctx, environmentOf(q.Environment), q.Module)
		return publication(done), err
	})
	backupLicense = of("ServiceCenter", serviceCenter, "BackupLicense", func(ctx context.Context, p adapters.ServiceCenter, q ofSite) (file, error) {
		b, ok := p.(adapters.LicenseBackuper)
		if !ok {
			return file{}, adapters.ErrUnsupported
		}
		f, err := b.BackupLicense(ctx, environmentOf(q.Environment))
		return file{f.Bytes()}, err
	})

	registeredEnvironments = of("LifeTime", lifeTime, "Registered", func(ctx context.Context, p adapters.LifeTime, _ none) (registered, error) {
		list, err := p.Registered(ctx)
		answer := registered{Environments: []registeredSite{}}
		for _, r := range list {
			r.Running = append([]string{}, r.Running...) // never null
			answer.Environments = append(answer.Environments, registeredSite(r))
		}
		return answer, err
	})
	pauseDeployments = of("LifeTime", lifeTime, "PauseDeployments", func(ctx context.Context, p adapters.LifeTime, q ofSite) (none, error) {
		return none{}, p.PauseDeployments(ctx, environmentOf(q.Environment))
	})
	resumeDeployments = of("LifeTime", lifeTime, "ResumeDeployments", func(ctx context.Context, p adapters.LifeTime, q ofSite) (none, error) {
		return none{}, p.ResumeDeployments(ctx, environmentOf(q.Environment))
	})

	putBackup = of("BackupVault", vault, "Put", func(ctx context.Context, p adapters.BackupVault, q put) (kept, error) {
		f, err := license.NewFile(q.File)
		if err != nil {
			return kept{}, err
		}
		s, err := p.Put(ctx, adapters.Label(q.Label), f)
		return kept{recordOf(s)}, err
	})
	getBackup = of("BackupVault", vault, "Get", func(ctx context.Context, p adapters.BackupVault, q get) (file, error) {
		f, err := p.Get(ctx, q.Serial, q.Digest)
		return file{f.Bytes()}, err
	})
	listBackups = of("BackupVault", vault, "List", func(ctx context.Context, p adapters.BackupVault, q ofSerial) (inventory, error) {
		list, err := p.List(ctx, q.Serial)
		answer := inventory{Records: []record{}}
		for _, s := range list {
			answer.Records = append(answer.Records, recordOf(s))
		}
		return answer, err
	})

	openCase = of("SupportDesk", support, "OpenCase", func(ctx context.Context, p adapters.SupportDesk, q ofCase) (reference, error) {
		ref, err := p.OpenCase(ctx, adapters.Case(q.Case))
		return reference{ref}, err
	})
	findCase = of("SupportDesk", support, "FindCase", func(ctx context.Context, p adapters.SupportDesk, q ofKey) (reference, error) {
		ref, err := p.FindCase(ctx, q.Key)
		return reference{ref}, err
	})

	askOperator = of("Operator", operator, "Ask", func(ctx context.Context, p adapters.Operator, q ask) (yes, error) {
		a, err := p.Ask(ctx, adapters.Question{
			Kind: adapters.QuestionKind(q.Question.Kind), Subject: q.Question.Subject, Environment: q.Question.Environment,
			Text: q.Question.Text, Details: q.Question.Details,
		})
		return yes(a), err
	})
)

func environmentOf(s site) environment.Environment {
	return environment.Environment{Name: s.Name, Kind: environment.Kind(s.Kind), ServiceCenter: s.ServiceCenter, Serial: s.Serial}
}

func installedAs(in license.Installed) installed {
	answer := installed{Server: in.Server, Code: in.Code.Reveal(), Serial: in.Serial, IPP: string(in.IPP), Type: in.Type}
	if !in.Ends.IsZero() {
		answer.Ends = in.Ends.Format(time.RFC3339Nano)
	}
	for _, f := range in.Features {
		answer.Features = append(answer.Features, feature(f))
	}
	return answer
}

func recordOf(s adapters.Stored) record {
	return record{label(s.Label), s.Digest, s.Generation, s.Copies, s.At}
}
