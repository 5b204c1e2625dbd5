package law

import (
	"context"
	"errors"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Set returns a set that passes every call on to set, and makes events of what
// changes something and of what tells how the world is. What a person answers,
// and what Support is told, is not for the laws.
func (w *Watch) Set(set adapters.Set) adapters.Set {
	out := set
	out.Portal = watchedPortal{w, set.Portal}
	sc := watchedServiceCenter{w, set.ServiceCenter}
	out.ServiceCenter = sc
	if b, ok := set.ServiceCenter.(adapters.LicenseBackuper); ok {
		out.ServiceCenter = watchedBackuper{sc, b}
	}
	out.LifeTime = watchedLifeTime{w, set.LifeTime}
	out.Vault = watchedVault{w, set.Vault}
	return out
}

// see runs f with the lock held, unless the process is gone.
func (w *Watch) see(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dead {
		f()
	}
}

// learn keeps what is known of a file. Where it cannot be inspected, it counts
// as what it was asked for, which somebody has to attest.
func (w *Watch) learn(f license.File, role Role, serial license.SerialNumber) file {
	known, ok := w.files[f.Digest()]
	if ok {
		if known.opaque && serial != "" && !slices.Contains(known.serials, serial) {
			known.serials = append(known.serials, serial)
			w.files[f.Digest()] = known
		}
		return known
	}
	known = file{role: role, serials: []license.SerialNumber{serial}, fence: w.fence}
	if details, err := license.Inspect(f); err == nil {
		known.role, known.serials = w.codeRole(details.Code), []license.SerialNumber{details.Serial}
	} else if known.opaque = errors.Is(err, license.ErrOpaque); !known.opaque {
		known.role, known.serials = None, nil
	}
	w.files[f.Digest()] = known
	return known
}

type watchedPortal struct {
	w  *Watch
	to adapters.LicensePortal
}

func (p watchedPortal) Describe() string { return adapters.Describe(p.to) }

func (p watchedPortal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	f, err := p.to.FetchLicense(ctx, code, env)
	if err == nil {
		p.w.see(func() {
			known := p.w.learn(f, p.w.codeRole(code), env.Serial)
			known.fence = p.w.fence // it may be the same as before, and is current all the same
			p.w.files[f.Digest()] = known
		})
	}
	return f, err
}

func (p watchedPortal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	registered, err := p.to.SerialRegistered(ctx, code, env)
	if err == nil {
		p.w.see(func() {
			p.w.open[p.w.env(env.Name)] = false
			p.w.step(Event{Kind: Looked, Env: p.w.env(env.Name), Done: registered})
		})
	}
	return registered, err
}

func (p watchedPortal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return p.w.change(Event{Effect: Register, Env: p.w.env(env.Name)}, func() error { return p.to.RegisterSerial(ctx, code, env) })
}

// own reports whether environments ask for the effect; the infrastructure asks
// for pauses.
func own(e Effect) bool { return e != Pause && e != Resume }

// change makes a call that changes something.
func (w *Watch) change(e Event, call func() error) error {
	e.Kind = Asked
	w.see(func() {
		w.open[e.Env] = w.open[e.Env] || own(e.Effect)
		w.step(e)
	})
	err := call()
	known := err == nil || adapters.ConditionOf(err) != nil
	w.see(func() {
		if own(e.Effect) {
			w.open[e.Env] = !known
		}
	})
	if err == nil || !known {
		w.see(func() { w.step(Event{Kind: Answered, Env: e.Env, Effect: e.Effect, Done: err == nil}) })
	}
	return err
}

type watchedServiceCenter struct {
	w  *Watch
	to adapters.ServiceCenter
}

func (s watchedServiceCenter) Describe() string { return adapters.Describe(s.to) }

func (s watchedServiceCenter) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	in, err := s.to.InstalledLicense(ctx, env)
	if err == nil {
		s.w.see(func() { s.w.read(env, in) })
	}
	return in, err
}

// read makes events of a reading. It is called with the lock held.
func (w *Watch) read(env environment.Environment, in license.Installed) {
	i := w.env(env.Name)
	w.open[i] = false
	if last, known := w.server[env.Name]; !known || last != in.Server {
		w.server[env.Name] = in.Server
		kind := Unproven
		if w.provenFor(in.Server) {
			kind = Stored
		}
		w.step(Event{Kind: kind, Env: i})
	}
	w.step(Event{Kind: Read, Env: i, Role: w.codeRole(in.Code), ForServer: in.Serial != "" && in.Serial == in.Server,
		Accepted: slices.Contains(w.plan.Accept[w.leg[env.Name]], in.IPP)})
}

func (w *Watch) provenFor(serial license.SerialNumber) bool {
	return slices.ContainsFunc(w.proofs, func(s adapters.Stored) bool { return s.Serial == serial })
}

func (s watchedServiceCenter) UploadLicense(ctx context.Context, env environment.Environment, f license.File) error {
	e := Event{Effect: Upload, Env: s.w.env(env.Name)}
	s.w.see(func() {
		known := s.w.learn(f, Unknown, "")
		e.Role, e.Unstored = known.role, !s.w.kept[f.Digest()]
		e.WrongServer = !slices.Contains(known.serials, s.w.server[env.Name])
		e.Stale = known.role == Target && known.fence != s.w.fence
	})
	return s.w.change(e, func() error { return s.to.UploadLicense(ctx, env, f) })
}

func (s watchedServiceCenter) RepublishModule(ctx context.Context, env environment.Environment, module string) (p adapters.Publication, err error) {
	e := Event{Kind: Asked, Effect: Republish, Env: s.w.env(env.Name)}
	s.w.see(func() {
		s.w.open[e.Env] = true
		s.w.step(e)
	})
	p, err = s.to.RepublishModule(ctx, env, module)
	s.w.see(func() {
		s.w.open[e.Env] = err != nil && adapters.ConditionOf(err) == nil
		s.w.step(Event{Kind: Answered, Env: e.Env, Effect: Republish, Done: err == nil && p.Before != "" && p.Before == p.After})
	})
	return p, err
}

type watchedBackuper struct {
	watchedServiceCenter
	backuper adapters.LicenseBackuper
}

func (b watchedBackuper) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	f, err := b.backuper.BackupLicense(ctx, env)
	if err == nil {
		b.w.see(func() { b.w.learn(f, Unknown, "") })
	}
	return f, err
}

type watchedLifeTime struct {
	w  *Watch
	to adapters.LifeTime
}

func (l watchedLifeTime) Describe() string { return adapters.Describe(l.to) }

func (l watchedLifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	list, err := l.to.Registered(ctx)
	if err == nil {
		l.w.see(func() {
			paused := map[string]bool{}
			for _, r := range list {
				if i := l.w.env(r.Name); i < MaxEnvironments {
					paused[r.Name] = r.Paused
					l.w.step(Event{Kind: ShownPause, Env: i, Done: r.Paused})
				}
			}
			all := true
			for _, name := range l.w.plan.Pause {
				all = all && paused[name]
			}
			l.w.step(Event{Kind: SawPause, Done: all})
		})
	}
	return list, err
}

func (l watchedLifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return l.w.change(Event{Effect: Pause, Env: l.w.env(env.Name)}, func() error { return l.to.PauseDeployments(ctx, env) })
}

func (l watchedLifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	l.w.see(func() {
		if !l.w.swept {
			l.w.breaks(MX2, "resuming deployments to "+printable.Text(env.Name)+" without a sweep on record")
		}
	})
	return l.w.change(Event{Effect: Resume, Env: l.w.env(env.Name)}, func() error { return l.to.ResumeDeployments(ctx, env) })
}

type watchedVault struct {
	w  *Watch
	to adapters.BackupVault
}

func (v watchedVault) Describe() string { return adapters.Describe(v.to) }

func (v watchedVault) Put(ctx context.Context, label adapters.Label, f license.File) (adapters.Stored, error) {
	stored, err := v.to.Put(ctx, label, f)
	if err == nil {
		v.w.see(func() { v.w.stored(label, stored, v.w.learn(f, roleOf(label.Role), label.Serial)) })
	}
	return stored, err
}

// stored takes a backup into account. It is called with the lock held.
func (w *Watch) stored(label adapters.Label, s adapters.Stored, known file) {
	w.kept[s.Digest] = true
	if known.role != Source || !slices.Contains(known.serials, label.Serial) || s.Copies < w.plan.MinCopies {
		return
	}
	w.proofs = append(w.proofs, s)
	for i, env := range w.plan.Infrastructure.Environments {
		if w.server[env.Name] == label.Serial {
			w.step(Event{Kind: Stored, Env: uint8(i)})
		}
	}
}

func (v watchedVault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	f, err := v.to.Get(ctx, serial, digest)
	if err == nil {
		v.w.see(func() {
			v.w.learn(f, Unknown, serial)
			v.w.kept[f.Digest()] = true
		})
	}
	return f, err
}

func (v watchedVault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return v.to.List(ctx, serial)
}
