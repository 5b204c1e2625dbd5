package simulate

import (
	"context"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// station is what a program is wired to while it serves a run.
type station struct {
	set     adapters.Set
	store   journal.Store
	clock   adapters.Clock
	fetched int // files that the process was given and has not stored
}

// A program is a Changeover that can be wired to one process after another.
// Compiling its tables is most of what a new process would cost, so programs
// are used again; but only where nobody can tell: all that a Changeover keeps
// beside its journal are license files that were fetched and not stored, by
// their digests, and no two seeds have a file in common.
type program struct {
	*changeover.Changeover
	station *station
	logs    bool   // its log is that of one run
	served  uint64 // the seed that it served last
	keeps   bool   // files of that seed
	stale   int    // how often it was left with files
}

// asNewTo reports whether nobody can tell the program, in the run of seed, from
// one that was just started.
func (p *program) asNewTo(seed uint64) bool { return !p.keeps || p.served != seed }

// newProgram compiles the tables of a variant.
func newProgram(v *variant, opts changeover.Options) (*program, error) {
	s := new(station)
	opts.Clock, opts.Inline, opts.User = clock{s}, true, "tester"
	c, err := changeover.New(v.plan, adapters.Set{Portal: portal{s}, ServiceCenter: console{s}, LifeTime: lifeTime{s}, Vault: vault{s}, Support: desk{s}, Operator: person{s}}, store{s}, &opts)
	return &program{Changeover: c, station: s, logs: opts.Logger != nil}, err
}

type clock struct{ s *station }

func (c clock) Now() time.Time                                   { return c.s.clock.Now() }
func (c clock) Sleep(ctx context.Context, d time.Duration) error { return c.s.clock.Sleep(ctx, d) }

type portal struct{ s *station }

func (p portal) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	f, err := p.s.set.Portal.FetchLicense(ctx, code, env)
	if err == nil {
		p.s.fetched++
	}
	return f, err
}

func (p portal) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	return p.s.set.Portal.SerialRegistered(ctx, code, env)
}

func (p portal) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	return p.s.set.Portal.RegisterSerial(ctx, code, env)
}

type console struct{ s *station }

func (c console) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	return c.s.set.ServiceCenter.InstalledLicense(ctx, env)
}

func (c console) UploadLicense(ctx context.Context, env environment.Environment, f license.File) error {
	return c.s.set.ServiceCenter.UploadLicense(ctx, env, f)
}

func (c console) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	return c.s.set.ServiceCenter.RepublishModule(ctx, env, module)
}

func (c console) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	b, ok := c.s.set.ServiceCenter.(adapters.LicenseBackuper)
	if !ok {
		return license.File{}, adapters.ErrUnsupported
	}
	return b.BackupLicense(ctx, env)
}

type lifeTime struct{ s *station }

func (l lifeTime) Registered(ctx context.Context) ([]environment.Registered, error) {
	return l.s.set.LifeTime.Registered(ctx)
}

func (l lifeTime) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return l.s.set.LifeTime.PauseDeployments(ctx, env)
}

func (l lifeTime) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return l.s.set.LifeTime.ResumeDeployments(ctx, env)
}

type vault struct{ s *station }

func (v vault) Put(ctx context.Context, label adapters.Label, f license.File) (adapters.Stored, error) {
	return v.s.set.Vault.Put(ctx, label, f)
}

func (v vault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (license.File, error) {
	return v.s.set.Vault.Get(ctx, serial, digest)
}

func (v vault) List(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
	return v.s.set.Vault.List(ctx, serial)
}

type desk struct{ s *station }

func (d desk) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	return d.s.set.Support.OpenCase(ctx, c)
}

func (d desk) FindCase(ctx context.Context, key string) (string, error) {
	return d.s.set.Support.FindCase(ctx, key)
}

type person struct{ s *station }

func (p person) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	return p.s.set.Operator.Ask(ctx, q)
}
