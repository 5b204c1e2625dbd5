package hostile

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// plan returns a plan with as much hostile text as a plan may have. What it may
// not have is refused by a sentence that is looked through.
func (s *session) plan(profile string) migration.Plan {
	p := scene.Plan(profile, 3)
	refused := func(what string, p migration.Plan) bool {
		err := p.Validate().Err()
		s.lookErr("validating "+what, err)
		for _, w := range p.Validate().Warnings() {
			s.look("a warning", w.Text+w.Hint+w.Where)
		}
		return err != nil
	}
	try := func(what string, change func(*migration.Plan)) {
		q := p
		q.Infrastructure.Environments = append(q.Infrastructure.Environments[:0:0], q.Infrastructure.Environments...)
		change(&q)
		if !refused(what, q) {
			p = q
		}
	}
	try("the infrastructure", func(p *migration.Plan) { p.Infrastructure.Name = s.name("Acme") })
	try("the module", func(p *migration.Plan) { p.Module = s.name("ECT_Provider") })
	for i := range p.Infrastructure.Environments {
		try("an environment", func(p *migration.Plan) { e := &p.Infrastructure.Environments[i]; e.Name = s.name(e.Name) })
		try("a serial number", func(p *migration.Plan) {
			e := &p.Infrastructure.Environments[i]
			e.Serial = license.SerialNumber(string(e.Serial) + s.attack())
		})
		try("an address", func(p *migration.Plan) {
			e := &p.Infrastructure.Environments[i]
			e.ServiceCenter += "/" + s.attack()
		})
	}
	try("an accepted word", func(p *migration.Plan) {
		p.Accept = map[string][]license.IPP{"refresh": {license.Ignore, license.IPP(s.attack())}, "move": {license.Unprotected, license.IPP(s.attack())}}
	})
	return p
}

// world returns the systems of a plan, whose licenses have hostile texts.
func (s *session) world(p migration.Plan) *fake.World {
	w := fake.New(p.Infrastructure, p.Source, p.Target)
	for _, env := range p.Infrastructure.Environments {
		w.AddModule(env.Name, p.Module)
		for _, code := range []license.ActivationCode{p.Source, p.Target} {
			if s.IntN(2) == 0 {
				continue
			}
			w.Define(code, env.Name, func(d *license.Details) {
				d.Organization, d.Type, d.Edition = s.name("Acme"), s.name("Production"), s.attack()
				d.Features = append(d.Features, license.Feature{ID: s.attack(), Name: s.name("Feature"), Limit: s.attack()})
			})
		}
	}
	return w
}

// set returns the ports of a world, whose answers have hostile texts.
func (s *session) set(w *fake.World) adapters.Set {
	set := w.Set()
	set.Portal = portal{set.Portal, s}
	set.ServiceCenter = serviceCenter{set.ServiceCenter, s}
	set.LifeTime = lifeTime{set.LifeTime, s}
	set.Support = desk{set.Support, s}
	set.Operator = operator{set.Operator, s}
	return set
}

// learn makes the bytes of a license file secret, in every form in which they
// could be printed: a piece of them is enough. An attack that is given out as a
// license is no secret; it stands elsewhere, too.
func (s *session) learn(f license.File) {
	b := f.Bytes()
	if len(b) < 96 || slices.Contains(s.secrets, string(b[40:64])) ||
		slices.ContainsFunc(attacks(), func(attack string) bool { return strings.Contains(attack, string(b[40:64])) }) {
		return
	}
	text := base64.StdEncoding.EncodeToString(b)
	s.secrets = append(s.secrets, string(b[40:64]), text[60:84], hex.EncodeToString(b)[80:120])
}

// sometimes breaks a call with an error that says something hostile.
func (s *session) sometimes(ctx context.Context, env string) error {
	adapters.Testify(ctx, adapters.Testimony{By: s.told(), Text: s.told()})
	switch s.IntN(40) {
	case 0:
		return fmt.Errorf("%s: %w", env, errors.New(s.told()))
	case 1:
		all := adapters.Conditions()
		return fmt.Errorf("%s: %w: %s", s.told(), all[s.IntN(len(all))], s.told())
	case 2:
		return errors.Join(errors.New(s.told()), adapters.ErrUncertain, errors.New(s.told()))
	case 3:
		panic(s.told())
	}
	return nil
}

type portal struct {
	adapters.LicensePortal
	s *session
}

// Describe implements [adapters.Describer].
func (p portal) Describe() string { return p.s.attack() }

// FetchLicense implements [adapters.LicensePortal].
func (p portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	f, err := p.LicensePortal.FetchLicense(ctx, code, env)
	p.s.learn(f)
	return f, errors.Join(err, p.s.sometimes(ctx, env.Name+code.Reveal()))
}

// RegisterSerial implements [adapters.LicensePortal].
func (p portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return errors.Join(p.LicensePortal.RegisterSerial(ctx, code, env), p.s.sometimes(ctx, env.Name+code.Reveal()))
}

type serviceCenter struct {
	adapters.ServiceCenter
	s *session
}

// Describe implements [adapters.Describer].
func (c serviceCenter) Describe() string { return c.s.attack() }

// InstalledLicense implements [adapters.ServiceCenter].
func (c serviceCenter) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	in, err := c.ServiceCenter.InstalledLicense(ctx, env)
	if c.s.IntN(4) == 0 {
		in.Type = c.s.attack()
		in.Features = append(in.Features, license.Feature{Name: c.s.attack(), Limit: c.s.attack()})
	}
	switch c.s.IntN(40) {
	case 0:
		in.IPP = license.IPP(c.s.attack())
	case 1:
		in.Server = license.SerialNumber(c.s.attack())
	case 2:
		in.Serial = license.SerialNumber(c.s.attack())
	case 3:
		in.Code = scene.Code(scene.Third)
	}
	return in, errors.Join(err, c.s.sometimes(ctx, env.Name))
}

// UploadLicense implements [adapters.ServiceCenter].
func (c serviceCenter) UploadLicense(ctx context.Context, env environment.Environment, f license.File) error {
	c.s.learn(f)
	return errors.Join(c.ServiceCenter.UploadLicense(ctx, env, f), c.s.sometimes(ctx, env.Name))
}

// RepublishModule implements [adapters.ServiceCenter].
func (c serviceCenter) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	p, err := c.ServiceCenter.RepublishModule(ctx, env, module)
	version := c.s.attack()
	if p.Before = version + p.Before; c.s.IntN(10) != 0 {
		p.After = version + p.After
	}
	return p, errors.Join(err, c.s.sometimes(ctx, module))
}

type lifeTime struct {
	adapters.LifeTime
	s *session
}

// Describe implements [adapters.Describer].
func (l lifeTime) Describe() string { return l.s.attack() }

// Registered implements [adapters.LifeTime].
func (l lifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	all, err := l.LifeTime.Registered(ctx)
	if l.s.IntN(30) == 0 {
		all = append(all, environment.Registered{Name: l.s.attack()})
	}
	return all, errors.Join(err, l.s.sometimes(ctx, "LifeTime"))
}

type desk struct {
	adapters.SupportDesk
	s *session
}

// Describe implements [adapters.Describer].
func (d desk) Describe() string { return d.s.attack() }

// OpenCase implements [adapters.SupportDesk].
func (d desk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	d.s.look("the subject of a support case", c.Subject)
	d.s.look("a support case", c.Body)
	reference, err := d.SupportDesk.OpenCase(ctx, c)
	return reference + d.s.attack(), errors.Join(err, d.s.sometimes(ctx, c.Key))
}

type operator struct {
	adapters.Operator
	s *session
}

// Describe implements [adapters.Describer].
func (o operator) Describe() string { return o.s.attack() }

// Ask implements [adapters.Operator].
func (o operator) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	o.s.look("a question", q.Text)
	for _, d := range q.Details {
		o.s.look("the details of a question", d)
	}
	a, err := o.Operator.Ask(ctx, q)
	a.By, a.Text = a.By+o.s.told(), o.s.told()
	return a, errors.Join(err, o.s.sometimes(ctx, q.Environment))
}
