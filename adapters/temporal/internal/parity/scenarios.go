package parity

import (
	"errors"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// errLost stands for an answer that did not arrive.
var errLost = errors.New("the line went dead")

type (
	plan  = migration.Plan
	world = fake.World
)

// once makes the nth call of that kind fail, before it was passed on or after.
func once(port, method, env string, nth int, when fault.When, err error) func(*world) []*fault.Injector {
	return func(*world) []*fault.Injector {
		return []*fault.Injector{fault.On(fault.Match{Port: port, Method: method, Environment: env}, nth-1, when, err)}
	}
}

// always makes every call of that kind fail.
func always(port, method, env string, err error) func(*world) []*fault.Injector {
	return func(*world) []*fault.Injector {
		return []*fault.Injector{fault.Always(fault.Match{Port: port, Method: method, Environment: env}, fault.Before, err)}
	}
}

// meanwhile does something in the world just before the nth call of that kind.
func meanwhile(port, method, env string, nth int, do func(*world)) func(*world) []*fault.Injector {
	return func(w *world) []*fault.Injector {
		return once(port, method, env, nth, fault.Before, fault.Cancel(func() { do(w) }))(w)
	}
}

// ipp makes the test republish of an environment meet an intellectual property
// error.
func ipp(env string) func(plan, *world) {
	return func(p plan, w *world) {
		w.SetIPP(p.Target, env, license.Protected)
		w.MarkModule(env, p.Module, p.Source)
	}
}

// refuses has the operator say no; agrees ends that.
func refuses(_ plan, w *world) {
	w.Answer(func(adapters.Question) (adapters.Answer, error) { return adapters.Answer{}, adapters.ErrRefused })
}

func agrees(_ plan, w *world) { w.Answer(nil) }

// unregistered leaves it to the run to register a serial number.
func unregistered(p plan, w *world) { w.DropSerial(p.Target, "Quality") }

var resume = Act{Verb: "resume"}

// All is the list.
func All() []Scenario {
	const move, written, published = migration.RefreshAndMove, migration.AsWritten, migration.Published
	return []Scenario{
		// Every profile, to each of its ends.
		{Name: "refresh and move", Profile: move, Verdict: report.Completed},
		{Name: "as written", Profile: written, Verdict: report.Completed},
		{Name: "published", Profile: published, Verdict: report.Completed},
		{Name: "ipp error in Production", Profile: move, World: ipp("Production"), Verdict: report.RolledBack},
		{Name: "ipp error in LifeTime", Profile: move, World: ipp("LifeTime"), Verdict: report.RolledBack},
		{Name: "ipp error published", Profile: published, World: ipp("Quality"), Verdict: report.RolledBack},
		{Name: "rolled back after the end", Profile: move, Then: []Act{{Verb: "rollback"}}, Verdict: report.RolledBack},
		{Name: "mixed", Profile: move, World: func(p plan, w *world) {
			ipp("Development")(p, w)
			w.RefuseReturn("Quality", "This license was replaced.")
		}, Verdict: report.Mixed},
		{Name: "mixed, and back after all", Profile: move, World: func(p plan, w *world) {
			ipp("Development")(p, w)
			w.RefuseReturn("Quality", "This license was replaced.")
		}, Then: []Act{
			resume, {World: func(p plan, w *world) { w.RefuseReturn("Quality", "") }, Verb: "resolve", Env: "Quality"}, resume,
		}, Verdict: report.RolledBack},

		// What the two legs wait for.
		{Name: "serial numbers missing", Profile: move, World: func(p plan, w *world) {
			w.DropSerial(p.Source, "Quality")
			w.DropSerial(p.Source, "Development")
		}, Then: []Act{
			{World: func(p plan, w *world) { w.AddSerial(p.Source, "Quality"); w.AddSerial(p.Source, "Development") }, Verb: "resolve", Env: "Quality"},
			{Verb: "resolve", Env: "Development"}, resume,
		}, Verdict: report.Completed},
		{Name: "source not prepared", Profile: move, World: func(p plan, w *world) { w.SetIPP(p.Source, "Quality", license.Protected) }, Verdict: report.Held},
		{Name: "target not prepared", Profile: move, World: func(p plan, w *world) { w.SetIPP(p.Target, "Quality", license.Ignore) }, Then: []Act{
			{World: func(p plan, w *world) { w.Reissue(p.Target, license.Unprotected) }, Verb: "resolve", Env: "Quality"}, resume,
		}, Verdict: report.Completed},
		{Name: "approval refused", Profile: move, World: refuses, Then: []Act{{World: agrees}, resume}, Verdict: report.Completed},
		{Name: "approval refused, and back", Profile: move, World: refuses, Then: []Act{{World: agrees, Verb: "rollback"}}, Verdict: report.RolledBack},
		{Name: "opaque licenses", Profile: move, World: func(_ plan, w *world) { w.OpaqueLicenses(true) }, Verdict: report.Completed},
		{Name: "distinct downloads", Profile: move, World: func(_ plan, w *world) { w.DistinctDownloads(true) }, Verdict: report.Completed},
		{Name: "license of another", Profile: move, World: func(p plan, w *world) { w.UseFile(p.Source, "Quality", mustFile("no license at all")) }, Verdict: report.Held},
		{Name: "no slot", Profile: move, World: func(p plan, w *world) { unregistered(p, w); w.Slots(p.Target, environment.Quality, 0) }, Verdict: report.Held},
		{Name: "upload turned down", Profile: move, World: func(p plan, w *world) { w.RejectUploads(p.Target, "Quality", "not for you") }, Verdict: report.Held},

		// Pages and modules that are not as they should be.
		{Name: "stale readings", Profile: move, World: func(_ plan, w *world) { w.StaleReadings("Production", 3) }, Verdict: report.Completed},
		{Name: "late upload", Profile: move, World: func(_ plan, w *world) { w.LateUpload("Production", 2) }, Verdict: report.Completed},
		{Name: "module busy", Profile: move, World: func(p plan, w *world) { w.LockModule("Quality", p.Module, 2) }, Verdict: report.Completed},
		{Name: "module broken", Profile: move, World: func(p plan, w *world) { w.BreakModule("Quality", p.Module, "error CS0103") }, Verdict: report.Held},
		{Name: "module missing", Profile: move, World: func(p plan, w *world) { w.RemoveModule("Quality", p.Module) }, Verdict: report.Held},
		{Name: "serial changed", Profile: move, Faults: meanwhile("ServiceCenter", "UploadLicense", "Quality", 1, func(w *world) {
			w.ChangeSerial("Development", "NEW-NEW-NEW-NEW-NEW-NEW-NEW-NEW")
		}), Verdict: report.Held},
		{Name: "installed by hand", Profile: move, World: func(p plan, w *world) { w.InstallByHand("Quality", p.Target) }, Verdict: report.Held},
		{Name: "pause lost", Profile: move, Faults: meanwhile("ServiceCenter", "UploadLicense", "Quality", 1, func(w *world) { w.ResumeByHand("Production") }), Then: []Act{
			{Verb: "resolve", Env: Whole}, resume,
		}, Verdict: report.Completed},
		{Name: "paused by somebody else", Profile: move, World: func(_ plan, w *world) { w.PauseByHand("Production") }, Verdict: report.Completed},
		{Name: "cloud environment", Profile: move, World: func(_ plan, w *world) { w.SetCloud("Quality", true) }, Refused: true},
		{Name: "not in LifeTime", Profile: move, World: func(_ plan, w *world) { w.Unregister("Quality") }, Refused: true},

		// Every kind of answer, at the calls where it matters most.
		{Name: "upload lost before", Profile: move, Faults: once("ServiceCenter", "UploadLicense", "Production", 1, fault.Before, errLost), Verdict: report.Completed},
		{Name: "upload lost after", Profile: move, Faults: once("ServiceCenter", "UploadLicense", "Production", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "upload uncertain", Profile: move, Faults: once("ServiceCenter", "UploadLicense", "Quality", 2, fault.After, adapters.ErrUncertain), Verdict: report.Completed},
		{Name: "upload not reached", Profile: move, Faults: once("ServiceCenter", "UploadLicense", "Quality", 1, fault.Before, adapters.ErrNotReached), Verdict: report.Completed},
		{Name: "registration lost after", Profile: move, World: unregistered,
			Faults: once("LicensePortal", "RegisterSerial", "Quality", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "registration lost before", Profile: move, World: unregistered,
			Faults: once("LicensePortal", "RegisterSerial", "Quality", 1, fault.Before, errLost), Then: []Act{
				{Verb: "resolve", Env: "Quality", NotDone: true}, resume,
			}, Verdict: report.Completed},
		{Name: "portal away", Profile: move, Faults: always("LicensePortal", "FetchLicense", "Quality", adapters.ErrNotReached), Verdict: report.Held},
		{Name: "portal forbids", Profile: move, Faults: always("LicensePortal", "FetchLicense", "", adapters.ErrPermission), Verdict: report.Held},
		{Name: "backup fails", Profile: move, Faults: always("BackupVault", "Put", "Quality", errLost), Verdict: report.Held},
		{Name: "backup lost after", Profile: move, Faults: once("BackupVault", "Put", "Production", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "republish lost after", Profile: move, Faults: once("ServiceCenter", "RepublishModule", "Quality", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "reading lost", Profile: move, Faults: once("ServiceCenter", "InstalledLicense", "Quality", 4, fault.After, errLost), Verdict: report.Completed},
		{Name: "pause lost on the way", Profile: move, Faults: once("LifeTime", "PauseDeployments", "", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "resuming lost on the way", Profile: move, Faults: once("LifeTime", "ResumeDeployments", "", 1, fault.After, errLost), Verdict: report.Completed},
		{Name: "case lost on the way", Profile: move, World: func(p plan, w *world) { w.DropSerial(p.Source, "Quality") },
			Faults: once("SupportDesk", "OpenCase", "", 1, fault.After, errLost), Verdict: report.Held},
		{Name: "adapter panics", Profile: move, Faults: once("ServiceCenter", "InstalledLicense", "Quality", 3, fault.Before, fault.Panic), Verdict: report.Completed},
		{Name: "restore lost after", Profile: move, World: ipp("Quality"), Faults: once("ServiceCenter", "UploadLicense", "Quality", 3, fault.After, errLost), Verdict: report.RolledBack},

		// People.
		{Name: "held and released", Profile: move, World: refuses, Then: []Act{
			{World: agrees, Verb: "hold", Env: "Quality"}, resume, {Verb: "release", Env: "Quality"}, resume,
		}, Verdict: report.Completed},
		{Name: "release of nothing", Profile: move, World: refuses, Then: []Act{
			{Verb: "release", Env: "Quality", Fails: true}, {Verb: "resolve", Env: "Quality", Fails: true}, {World: agrees}, resume,
		}, Verdict: report.Completed},
		{Name: "back from halfway", Profile: move, World: func(p plan, w *world) { w.RejectUploads(p.Target, "Quality", "not for you") },
			Then: []Act{{Verb: "rollback"}}, Verdict: report.RolledBack},
	}
}

// mustFile returns a file of those bytes, which are few.
func mustFile(s string) license.File {
	f, _ := license.NewFile([]byte(s))
	return f
}
