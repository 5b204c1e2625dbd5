// Package wiring makes the adapters that a plan file asks for. It is the part
// of the command that is worth copying: who answers for which port is decided
// here, and nothing else is.
//
// Credentials are followed to where they are kept at each call that needs one,
// and are neither stored nor printed. There is one exception: the environment of
// a program, and the account of a person played at a simulation, are looked up
// when the adapters are made, and are used as they were then. Nothing else is
// contacted before a port is called.
package wiring

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/adapters/inbox"
	"github.com/changeover-go/changeover/adapters/lifetime"
	"github.com/changeover-go/changeover/adapters/servicecenter"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// Options say what the adapters need of the command.
type Options struct {
	// In and Out are where the person at the terminal is asked.
	In  io.Reader
	Out io.Writer
	// User is who sits there, unless the plan file says otherwise; empty: they
	// are asked.
	User string
	// Backups are the directories of the vault. They are created. Empty: there
	// is no vault.
	Backups []string
	// Desk is the directory in which files for a person are laid out.
	Desk string
	// Lock is inherited by programs, so that none outlives the run unseen; nil:
	// nothing is.
	Lock *os.File
	// Log gets what programs write to stderr; nil: it is dropped.
	Log func(line string)
	// Back: they are for the way back. A portal, support desk or operator that
	// cannot be made is then a port that says so when it is called.
	Back bool
	// Approve answers the gates; nil: whoever answers for the operator.
	Approve func(ctx context.Context, q adapters.Question) (adapters.Answer, error)
}

// Ports are the adapters of a run.
type Ports struct {
	adapters.Set
	// Clock is the machine's, or one whose waits pass at once; nil: the
	// machine's.
	Clock adapters.Clock
	close []io.Closer
}

// Close lets go of the vault.
func (p *Ports) Close() error {
	var errs []error
	for _, c := range p.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Connect makes the adapters of a plan file. Its error says everything that is
// wrong with them.
func Connect(ctx context.Context, f *planfile.File, o Options) (*Ports, error) {
	w := &wiring{ctx: ctx, file: f, options: o, inf: f.Plan.Infrastructure}
	w.trust()
	if f.Adapters.Instant {
		w.clock = instant{}
	}
	w.desk = attended.New(o.In, o.Out, &attended.Options{
		Who: cmp.Or(f.Adapters.Who, o.User), Dir: o.Desk, Source: f.Plan.Source, Target: f.Plan.Target, Reveal: f.Adapters.Reveal,
	})
	p := &Ports{Clock: w.clock}
	before := len(w.errs)
	p.Portal = w.portal("portal", f.Adapters.Portal)
	if err := w.spared(before); err != nil {
		p.Portal = absent{err}
	}
	p.ServiceCenter = w.serviceCenters(f.Adapters.ServiceCenter)
	p.LifeTime = w.lifeTime(f.Adapters.LifeTime)
	before = len(w.errs)
	p.Support = w.support(f.Adapters.Support)
	if err := w.spared(before); err != nil {
		p.Support = absent{err}
	}
	before = len(w.errs)
	operator := w.operator(f.Adapters.Operator)
	if err := w.spared(before); err != nil {
		operator = absent{err}
	}
	p.Operator = gate{approve: o.Approve, Operator: operator}
	p.Vault = w.vault(p, f.Adapters.Vault)
	if err := errors.Join(w.errs...); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// wiring is what the adapters have in common while they are made.
type wiring struct {
	ctx     context.Context // of Connect, which alone uses it
	file    *planfile.File
	options Options
	inf     environment.Infrastructure
	desk    *attended.Desk
	tls     *tls.Config
	clock   adapters.Clock
	errs    []error
}

func (w *wiring) wrong(port string, err error) {
	if err != nil {
		w.errs = append(w.errs, fmt.Errorf("adapters.%s: %w", port, err))
	}
}

// spared takes back what is wrong since there were so many errors, if the way
// back can do without.
func (w *wiring) spared(before int) error {
	if !w.options.Back {
		return nil
	}
	err := errors.Join(w.errs[before:]...)
	w.errs = w.errs[:before]
	return err
}

func (w *wiring) trust() {
	if w.file.Adapters.Trust == "" {
		return
	}
	pem, err := readSmall(w.file.Adapters.Trust)
	if err != nil {
		w.wrong("trust", err)
		return
	}
	w.tls = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	if !w.tls.RootCAs.AppendCertsFromPEM(pem) {
		w.wrong("trust", fmt.Errorf("%s: there is no certificate in PEM form", printable.Text(w.file.Adapters.Trust)))
	}
}

// dial connects every host to the address that the file names; nil: to itself.
func (w *wiring) dial() func(ctx context.Context, network, address string) (net.Conn, error) {
	connect := w.file.Adapters.Connect
	if connect.IsZero() {
		return nil
	}
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		address, err := Follow(ctx, connect)
		if err != nil {
			return nil, fmt.Errorf("%w: adapters.connect: %w", adapters.ErrNotReached, err)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

func (w *wiring) portal(path string, p planfile.Port) adapters.LicensePortal {
	switch p.Use {
	case planfile.Inbox:
		box, err := inbox.New(p.Folder, &inbox.Options{Next: w.portal(path+".next", *p.Next)})
		w.wrong(path, err)
		return box
	case planfile.Command:
		return w.program(path, p)
	case planfile.Simulator:
		return w.person(path, p)
	}
	return w.desk
}

func (w *wiring) serviceCenters(p planfile.Port) adapters.ServiceCenter {
	fallback := w.serviceCenter("serviceCenter", p)
	if len(p.By) == 0 {
		return fallback
	}
	by := map[string]adapters.ServiceCenter{}
	for _, one := range p.By {
		by[one.Environment] = w.serviceCenter("serviceCenter.environments."+printable.Text(one.Environment), one.Port)
	}
	return adapters.PerEnvironment{Default: fallback, By: by}
}

func (w *wiring) serviceCenter(path string, p planfile.Port) adapters.ServiceCenter {
	switch p.Use {
	case planfile.ServiceCenter:
		client, err := servicecenter.New(w.inf, servicecenter.Options{
			Credentials: account(p), Page: w.page(path+".page", *p.Page), Solution: p.Solution,
			TLS: w.tls, Dial: w.dial(), Clock: w.clock,
		})
		w.wrong(path, err)
		return client
	case planfile.Command:
		return w.program(path, p)
	}
	return w.desk
}

func (w *wiring) page(path string, p planfile.Port) servicecenter.LicensePage {
	switch p.Use {
	case planfile.BackupLink:
		return &servicecenter.BackupLink{Path: p.Link, Credentials: account(p), TLS: w.tls, Dial: w.dial()}
	case planfile.Command:
		return w.program(path, p)
	case planfile.Simulator:
		return w.person(path, p)
	}
	return w.desk
}

func account(p planfile.Port) func(context.Context, environment.Environment) (servicecenter.Credential, error) {
	return func(ctx context.Context, _ environment.Environment) (servicecenter.Credential, error) {
		user, err1 := Follow(ctx, p.User)
		password, err2 := Follow(ctx, p.Password)
		return servicecenter.Credential{User: user, Password: password}, errors.Join(err1, err2)
	}
}

func (w *wiring) lifeTime(p planfile.Port) adapters.LifeTime {
	switch p.Use {
	case planfile.LifeTime:
		client, err := lifetime.New(w.inf, lifetime.Options{
			Token: func(ctx context.Context) (string, error) { return Follow(ctx, p.Token) },
			TLS:   w.tls, Dial: w.dial(),
		})
		w.wrong("lifeTime", err)
		return client
	case planfile.Command:
		return w.program("lifeTime", p)
	}
	return w.desk
}

func (w *wiring) support(p planfile.Port) adapters.SupportDesk {
	switch p.Use {
	case planfile.Command:
		return w.program("support", p)
	case planfile.Simulator:
		return w.person("support", p)
	}
	return w.desk
}

func (w *wiring) operator(p planfile.Port) adapters.Operator {
	switch p.Use {
	case planfile.Command:
		return w.program("operator", p)
	case planfile.Simulator:
		return yes{}
	}
	return w.desk
}

func (w *wiring) vault(p *Ports, port planfile.Port) adapters.BackupVault {
	switch port.Use {
	case planfile.Command:
		return w.program("vault", port)
	case planfile.Attended:
		return w.desk
	}
	if len(w.options.Backups) == 0 {
		return nil
	}
	vault, err := filevault.Open(w.options.Backups, nil)
	if err != nil {
		w.wrong("vault", err)
		return nil
	}
	p.close = append(p.close, vault)
	return vault
}

func (w *wiring) program(path string, p planfile.Port) *command.Program {
	name := p.Program[0]
	if found, err := lookPath(name); err != nil {
		w.wrong(path, err)
		name, _ = filepath.Abs(name) // so that nothing else is said about it
	} else {
		name = found
	}
	var env []string
	for _, v := range p.Env {
		value, err := Follow(w.ctx, v.Value)
		w.wrong(path+".env."+v.Name, err)
		env = append(env, v.Name+"="+value)
	}
	program, err := command.New(command.Options{
		Path: name, Args: p.Program[1:], Env: env, Timeout: p.Timeout, Log: w.options.Log, Lock: w.options.Lock,
		Describe: "program " + filepath.Base(name),
	})
	w.wrong(path, err)
	return program
}

// person plays a person at the pages of a simulation.
func (w *wiring) person(path string, p planfile.Port) *simulator.Person {
	user, err1 := Follow(w.ctx, p.User)
	password, err2 := Follow(w.ctx, p.Password)
	w.wrong(path, errors.Join(err1, err2))
	person, err := simulator.NewPerson(simulator.PersonOptions{User: user, Password: password, TLS: w.tls, Dial: w.dial()})
	w.wrong(path, err)
	return person
}

// gate answers for the operator: whoever runs the command approves what it is
// about to do, and facts are attested by whom the file names.
type gate struct {
	approve func(ctx context.Context, q adapters.Question) (adapters.Answer, error)
	adapters.Operator
}

// Ask implements adapters.Operator.
func (g gate) Ask(ctx context.Context, q adapters.Question) (adapters.Answer, error) {
	if g.approve != nil && q.Kind == adapters.AskApproval {
		return g.approve(ctx, q)
	}
	return g.Operator.Ask(ctx, q)
}

// Describe implements adapters.Describer.
func (g gate) Describe() string {
	if g.approve == nil {
		return adapters.Describe(g.Operator)
	}
	return "approvals by whoever runs the command; facts by " + adapters.Describe(g.Operator)
}

// yes attests everything, as somebody in a simulation may.
type yes struct{}

// Ask implements adapters.Operator.
func (yes) Ask(ctx context.Context, _ adapters.Question) (adapters.Answer, error) {
	if err := ctx.Err(); err != nil {
		return adapters.Answer{}, err
	}
	return adapters.Answer{By: "simulated person", Text: "simulated"}, nil
}

// Describe implements adapters.Describer.
func (yes) Describe() string { return "simulated person" }

// Backups returns the directories of the vault: those that the file names, or
// two in the state directory. oneDisk reports whether they are all on one disk,
// as far as that can be told.
func Backups(f *planfile.File, state string) (dirs []string, oneDisk bool) {
	dirs = f.Backups
	if len(dirs) == 0 {
		dirs = []string{filepath.Join(state, "backups"), filepath.Join(state, "copies")}
	}
	var disks []uint64
	for _, dir := range dirs {
		disk, ok := diskOf(dir)
		if !ok {
			return dirs, false
		}
		disks = append(disks, disk)
	}
	slices.Sort(disks)
	return dirs, len(slices.Compact(disks)) == 1
}
