package fake

import (
	"fmt"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// at runs do on the environment of that name, or writes down that there is
// none.
func (w *World) at(method, name string, do func(*server)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.named(method, name); s != nil {
		do(s)
	}
}

func (w *World) named(method, name string) *server {
	for i := range w.s.Servers {
		if s := &w.s.Servers[i]; s.Environment.Name == name {
			return s
		}
	}
	w.misused(method, "environment", name)
	return nil
}

// atModule runs do on a module, or writes down that there is none.
func (w *World) atModule(method, name, mod string, do func(*unit)) {
	w.at(method, name, func(s *server) {
		m := s.module(mod)
		if m == nil {
			w.misused(method, "module", mod)
			return
		}
		do(m)
	})
}

// define runs do on what the vendor's licenses for an environment say under a
// code.
func (w *World) define(method string, code license.ActivationCode, name string, do func(*definition)) {
	w.at(method, name, func(s *server) {
		do(w.definition(w.account(code), name, s.Environment.Kind))
	})
}

// AddEnvironment puts an environment into the world, and, unless it is LifeTime
// itself, under LifeTime's control. In a world of [New] it is on a source
// license and has its slot under target, as [New] says; in any other it has no
// license. An environment of that name that is there already is left as it is.
func (w *World) AddEnvironment(env environment.Environment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.ContainsFunc(w.s.Servers, func(s server) bool { return s.Environment.Name == env.Name }) {
		return
	}
	s := server{
		Environment: env, Serial: env.Serial, Controlled: env.Kind != environment.LifeTime,
		Modules: []unit{{Name: TestModule, Version: "1"}, {Name: CustomerModule, Version: "1"}},
	}
	if source := w.s.Source.ActivationCode; !source.IsZero() {
		a := w.account(source)
		w.register(a, registration{env.Name, env.Kind, env.Serial})
		w.issue(a, w.definition(a, env.Name, env.Kind), env.Serial)
		older := *w.definition(a, env.Name, env.Kind)
		older.Features = slices.Clone(older.Features)
		older.setIPP(license.Protected)
		older.Created = older.Created.AddDate(-1, 0, 0)
		s.Installed = plainFile{File: LicenseFile(older.details(source, env.Serial), "")}
	}
	w.s.Servers = append(w.s.Servers, s)
	if target := w.s.Target.ActivationCode; !target.IsZero() {
		a := w.account(target)
		*a.free(env.Kind)++
		w.issue(a, w.definition(a, env.Name, env.Kind), env.Serial)
	}
}

// SetCloud says whether the vendor hosts the environment. The vendor then
// installs its licenses and pauses its deployments: others get ErrPermission.
func (w *World) SetCloud(name string, cloud bool) {
	w.at("SetCloud", name, func(s *server) { s.Cloud = cloud })
}

// Unregister takes the environment out of LifeTime's control.
func (w *World) Unregister(name string) {
	w.at("Unregister", name, func(s *server) { s.Controlled = false })
}

// DropSerial makes the portal forget the environment's serial number under
// code, as in question 1 of the procedure's FAQ. The slot does not become free.
func (w *World) DropSerial(code license.ActivationCode, name string) {
	w.at("DropSerial", name, func(*server) {
		a := w.account(code)
		a.Registered = slices.DeleteFunc(a.Registered, func(r registration) bool { return r.Environment == name })
	})
}

// AddSerial registers the serial number that the environment's server has now
// under code, as Support does on request: without a slot.
func (w *World) AddSerial(code license.ActivationCode, name string) {
	w.at("AddSerial", name, func(s *server) {
		a := w.account(code)
		if _, ok := a.registration(s.Serial); !ok {
			w.register(a, registration{name, s.Environment.Kind, s.Serial})
		}
	})
}

// Slots sets how many environments of the kind can still be registered under
// code.
func (w *World) Slots(code license.ActivationCode, kind environment.Kind, free int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.account(code).free(kind) = free
}

// SetIPP sets the word for intellectual property on the licenses that are
// issued from now on for the environment under code, as in questions 2 and 3 of
// the procedure's FAQ. Installed licenses stay as they are.
func (w *World) SetIPP(code license.ActivationCode, name string, word license.IPP) {
	w.define("SetIPP", code, name, func(d *definition) { d.setIPP(word) })
}

// Define changes what the licenses say that are issued from now on for the
// environment under code: features, end date, type. A change of code or serial
// number is ignored; [World.UseFile] serves a license for somebody else. change
// is called once, at once, and must not use the world.
func (w *World) Define(code license.ActivationCode, name string, change func(*license.Details)) {
	w.define("Define", code, name, func(d *definition) {
		all := d.details(code, "")
		change(&all)
		d.Organization, d.Type, d.Edition = all.Organization, all.Type, all.Edition
		d.Created, d.Ends, d.Features = all.Created, all.Ends, slices.Clone(all.Features)
	})
}

// Reissue is the vendor's correction of a definition (question 3 of the FAQ):
// licenses that are issued from now on under code, for any environment, show
// the word and are new files; files set by [World.UseFile] are withdrawn.
func (w *World) Reissue(code license.ActivationCode, word license.IPP) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.account(code)
	for _, s := range w.s.Servers {
		d := w.definition(a, s.Environment.Name, s.Environment.Kind)
		d.setIPP(word)
		d.Exact = plainFile{}
		d.Revision++
	}
}

// UseFile makes the portal serve these exact bytes for the environment under
// code: a damaged file, or the license of somebody else. The zero File ends
// that.
func (w *World) UseFile(code license.ActivationCode, name string, file license.File) {
	w.define("UseFile", code, name, func(d *definition) { d.Exact = plainFile{File: file} })
}

// DistinctDownloads says whether every download from the portal has bytes of
// its own.
func (w *World) DistinctDownloads(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.s.Distinct = on
}

// OpaqueLicenses says whether the vendor issues licenses from now on in a form
// that Service Center understands and [license.Inspect] does not.
func (w *World) OpaqueLicenses(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.s.Opaque = on
}

// RejectUploads makes the environment's Service Center turn licenses of code
// down, with that text; an empty text ends it.
func (w *World) RejectUploads(code license.ActivationCode, name, text string) {
	w.at("RejectUploads", name, func(s *server) {
		s.Rejects = slices.DeleteFunc(s.Rejects, func(r rejection) bool { return r.Code.ActivationCode == code })
		if text != "" {
			s.Rejects = append(s.Rejects, rejection{plainCode{code}, text})
		}
	})
}

// RefuseReturn makes the environment's Service Center turn down, with that
// text, every license of a code that the environment has left: once a target
// license was installed, source licenses are. An empty text ends it.
func (w *World) RefuseReturn(name, text string) {
	w.at("RefuseReturn", name, func(s *server) { s.RefuseReturn = text })
}

// StaleReadings makes the licensing page lag: after each upload from now on it
// shows the license before for n readings.
func (w *World) StaleReadings(name string, n int) {
	w.at("StaleReadings", name, func(s *server) { s.Stale = n })
}

// LateUpload makes the environment's next upload take effect late: the caller
// gets ErrUncertain, and the license is installed just before the call that
// follows n further calls of that Service Center.
func (w *World) LateUpload(name string, n int) {
	w.at("LateUpload", name, func(s *server) { s.LateNext, s.LateBy = true, n })
}

// ChangeSerial changes the hardware: the server has another serial number from
// now on. The installed license is still shown and no longer valid, and the
// portal knows nothing of the new number ([World.AddSerial]).
func (w *World) ChangeSerial(name string, serial license.SerialNumber) {
	w.at("ChangeSerial", name, func(s *server) { s.Serial = serial })
}

// InstallByHand is somebody who installs a license of code without asking
// anybody: what the vendor issues for the server under that code. The zero code
// takes the license away.
func (w *World) InstallByHand(name string, code license.ActivationCode) {
	w.at("InstallByHand", name, func(s *server) {
		var f license.File
		if !code.IsZero() {
			a := w.account(code)
			f = w.issue(a, w.definition(a, name, s.Environment.Kind), s.Serial)
		}
		s.install(f, 0)
		w.changed(Call{Method: "InstallByHand", Environment: name}, code, f.Digest())
	})
}

// AddModule publishes version 1 of a module in the environment. A module that
// is there already is left as it is.
func (w *World) AddModule(name, module string) {
	w.at("AddModule", name, func(s *server) { s.addModule(module) })
}

func (s *server) addModule(name string) {
	if s.module(name) == nil {
		s.Modules = append(s.Modules, unit{Name: name, Version: "1"})
	}
}

// MarkModule marks a module as the intellectual property of code; the zero code
// takes the mark away.
func (w *World) MarkModule(name, module string, code license.ActivationCode) {
	w.atModule("MarkModule", name, module, func(m *unit) { m.Mark = plainCode{code} })
}

// LockModule makes the next n publishes of the module meet another operation
// that holds it.
func (w *World) LockModule(name, module string, n int) {
	w.atModule("LockModule", name, module, func(m *unit) { m.Locks = n })
}

// BreakModule makes every publish of the module finish with that error; an
// empty text repairs it.
func (w *World) BreakModule(name, module, text string) {
	w.atModule("BreakModule", name, module, func(m *unit) { m.Broken = text })
}

// PublishByOther is somebody who publishes another version of the module while
// its next republish is under way.
func (w *World) PublishByOther(name, module string) {
	w.atModule("PublishByOther", name, module, func(m *unit) { m.Overrun = true })
}

// StartDeployment starts a deployment to the environment. LifeTime refuses it,
// and nothing is started, while deployments to the environment are paused.
func (w *World) StartDeployment(name string) {
	w.at("StartDeployment", name, func(s *server) {
		if !s.Paused {
			w.s.Deployments++
			d := Deployment{fmt.Sprintf("deployment-%d", w.s.Deployments), name, w.now(), Running}
			s.Running = append(s.Running, d.Name)
			w.s.History = append(w.s.History, d)
		}
	})
}

// FinishDeployment finishes the oldest deployment to the environment, if one
// is running.
func (w *World) FinishDeployment(name string) {
	w.at("FinishDeployment", name, func(s *server) {
		if len(s.Running) > 0 {
			w.deployed(s.Running[:1], Finished)
			s.Running = slices.Delete(s.Running, 0, 1)
		}
	})
}

// PauseByHand is somebody else who pauses deployments to the environment;
// running ones are aborted, as LifeTime does it.
func (w *World) PauseByHand(name string) {
	w.at("PauseByHand", name, func(s *server) {
		w.deployed(s.Running, Aborted)
		s.Running = nil
		w.pause(s, Call{Method: "PauseByHand", Environment: name}, true)
	})
}

// ResumeByHand is somebody else who resumes deployments to the environment.
func (w *World) ResumeByHand(name string) {
	w.at("ResumeByHand", name, func(s *server) {
		w.pause(s, Call{Method: "ResumeByHand", Environment: name}, false)
	})
}

// DamageBackup damages all but whole copies of every backup with that digest
// for that serial number. Copies that are damaged already stay so.
func (w *World) DamageBackup(serial license.SerialNumber, digest license.Digest, whole int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	found := false
	for i := range w.s.Backups {
		if b := &w.s.Backups[i]; b.Record.Serial == serial && b.Record.Digest == digest {
			b.Record.Copies, found = min(b.Record.Copies, max(whole, 0)), true
		}
	}
	if !found {
		w.misused("DamageBackup", "backup", string(digest))
	}
}

// Answer sets who answers the operator's questions; nil is [OperatorName], who
// says yes. The function may use the world. An answer without a name is
// refused.
func (w *World) Answer(answer func(adapters.Question) (adapters.Answer, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}
