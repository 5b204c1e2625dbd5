//go:build linux

package process

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/journal"
)

// remote is the world as the process under test sees it: all ports but the
// vault, and the clock.
type remote struct {
	mu    sync.Mutex
	line  *line
	dead  func(error) // the other side is gone: does not return
	clock fake.Clock
}

// ask puts a question and waits for the answer. Nothing else is asked meanwhile.
func (r *remote) ask(q message) message {
	r.mu.Lock()
	defer r.mu.Unlock()
	var a message
	if err := r.line.send(&q); err != nil {
		r.dead(err)
	}
	if err := r.line.receive(&a); err != nil {
		r.dead(err)
	}
	return a
}

// Describe implements adapters.Describer.
func (r *remote) Describe() string { return "simulated world" }

func (r *remote) FetchLicense(_ context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	a := r.ask(message{Do: "FetchLicense", Code: code.Reveal(), Env: env})
	if err := a.err(); err != nil {
		return license.File{}, err
	}
	return license.NewFile(a.File)
}

func (r *remote) SerialRegistered(_ context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	a := r.ask(message{Do: "SerialRegistered", Code: code.Reveal(), Env: env})
	return a.Yes, a.err()
}

func (r *remote) RegisterSerial(_ context.Context, code license.ActivationCode, env environment.Environment) error {
	a := r.ask(message{Do: "RegisterSerial", Code: code.Reveal(), Env: env})
	return a.err()
}

func (r *remote) InstalledLicense(_ context.Context, env environment.Environment) (license.Installed, error) {
	a := r.ask(message{Do: "InstalledLicense", Env: env})
	return a.Installed, a.err()
}

func (r *remote) UploadLicense(_ context.Context, env environment.Environment, file license.File) error {
	a := r.ask(message{Do: "UploadLicense", Env: env, File: file.Bytes()})
	return a.err()
}

func (r *remote) RepublishModule(_ context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	a := r.ask(message{Do: "RepublishModule", Env: env, Text: module})
	return a.Publication, a.err()
}

func (r *remote) BackupLicense(_ context.Context, env environment.Environment) (license.File, error) {
	a := r.ask(message{Do: "BackupLicense", Env: env})
	if err := a.err(); err != nil {
		return license.File{}, err
	}
	return license.NewFile(a.File)
}

func (r *remote) Registered(context.Context) ([]environment.Registered, error) {
	a := r.ask(message{Do: "Registered"})
	return a.Listed, a.err()
}

func (r *remote) PauseDeployments(_ context.Context, env environment.Environment) error {
	a := r.ask(message{Do: "PauseDeployments", Env: env})
	return a.err()
}

func (r *remote) ResumeDeployments(_ context.Context, env environment.Environment) error {
	a := r.ask(message{Do: "ResumeDeployments", Env: env})
	return a.err()
}

func (r *remote) OpenCase(_ context.Context, c adapters.Case) (string, error) {
	a := r.ask(message{Do: "OpenCase", Case: c})
	return a.Text, a.err()
}

func (r *remote) FindCase(_ context.Context, key string) (string, error) {
	a := r.ask(message{Do: "FindCase", Text: key})
	return a.Text, a.err()
}

func (r *remote) Ask(_ context.Context, q adapters.Question) (adapters.Answer, error) {
	a := r.ask(message{Do: "Ask", Question: q})
	return a.Answer, a.err()
}

// Now and Sleep make it an adapters.Clock that stands still but for sleeping.
func (r *remote) Now() time.Time { return r.clock.Now() }

func (r *remote) Sleep(ctx context.Context, d time.Duration) error {
	if err := r.clock.Sleep(ctx, d); err != nil {
		return err
	}
	r.ask(message{Do: slept, Wait: d})
	return nil
}

// A thread does what it is handed. Where a process is traced, all work on files
// is handed to its main thread, so that whoever traces that one sees all of it,
// and nothing else, in an order that does not depend on the scheduler. Nil: work
// is done where it comes up.
type thread chan func()

func (t thread) run(f func()) {
	if t == nil {
		f()
		return
	}
	done := make(chan struct{})
	t <- func() { f(); close(done) }
	<-done
}

// tellingStore tells what has become durable.
type tellingStore struct {
	*filejournal.Store
	on   thread
	tell *remote
}

func (s tellingStore) Append(ctx context.Context, after uint64, entries ...journal.Entry) (err error) {
	s.on.run(func() { err = s.Store.Append(ctx, after, entries...) })
	if err == nil {
		s.tell.ask(message{Do: appended, After: after, Entries: entries})
	}
	return err
}

func (s tellingStore) Read(ctx context.Context) iter.Seq2[journal.Entry, error] {
	return func(yield func(journal.Entry, error) bool) {
		var entries []journal.Entry
		var failed error
		s.on.run(func() {
			for e, err := range s.Store.Read(ctx) {
				if err != nil {
					failed = err
					return
				}
				entries = append(entries, e)
			}
		})
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
		if failed != nil {
			yield(journal.Entry{}, failed)
		}
	}
}

// tellingVault tells what it was given to keep.
type tellingVault struct {
	*filevault.Vault
	on   thread
	tell *remote
}

func (v tellingVault) Put(ctx context.Context, label adapters.Label, file license.File) (s adapters.Stored, err error) {
	v.on.run(func() { s, err = v.Vault.Put(ctx, label, file) })
	if err == nil {
		v.tell.ask(message{Do: stored, Label: label, File: file.Bytes(), Stored: s})
	}
	return s, err
}

func (v tellingVault) Get(ctx context.Context, serial license.SerialNumber, digest license.Digest) (f license.File, err error) {
	v.on.run(func() { f, err = v.Vault.Get(ctx, serial, digest) })
	if err == nil {
		v.tell.ask(message{Do: taken, Label: adapters.Label{Serial: serial}, File: f.Bytes()})
	}
	return f, err
}

func (v tellingVault) List(ctx context.Context, serial license.SerialNumber) (list []adapters.Stored, err error) {
	v.on.run(func() { list, err = v.Vault.List(ctx, serial) })
	return list, err
}
