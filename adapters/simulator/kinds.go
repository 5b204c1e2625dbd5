package simulator

import (
	"errors"
	"time"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A Kind is a way in which something goes wrong: reliability.md C4, as far as
// a world behind a wire can show it.
type Kind struct {
	Name    string
	Meaning string
}

// Kinds lists every kind of [Fault].
func Kinds() []Kind {
	var out []Kind
	for _, k := range kinds() {
		out = append(out, Kind{k.name, k.meaning})
	}
	return out
}

// kind is a Kind and what it does: happens to requests, or change the world.
type kind struct {
	name, meaning    string
	on               func(Operation) bool // what it can happen to; nil: everything
	happens          func(x exchange) delivery
	change           func(p platform, f Fault) error
	tls              bool // it happens while a connection is made
	times            int  // how often, unless the fault says so; zero: once
	always           bool // to all requests, unless the fault says so
	needsEnvironment bool
	needsModule      bool
}

func kindNamed(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func changing(op Operation) bool { return op.Changes }

func only(names ...string) func(Operation) bool {
	return func(op Operation) bool {
		for _, name := range names {
			if op.Name == name {
				return true
			}
		}
		return false
	}
}

func kinds() []kind {
	publishes := only("Staging_PublishWith2StepOption", "PublishRunningVersion")
	lifeTime := only("environments", "environment", "deployments", "deploymentStatus", "maintenanceMode")
	licensePage := only("LicensingPage")
	uploads := only("SetLicense", "UploadPage")
	return []kind{
		{name: "notReached", meaning: "the connection is refused while TLS begins; nothing is sent", tls: true},
		{name: "requestLost", meaning: "the connection ends after the request; nothing is done", on: changing, happens: exchange.requestLost},
		{name: "answerLost", meaning: "it is done, and the connection ends without an answer", on: changing, happens: exchange.answerLost},
		{name: "answerCut", meaning: "it is done, and half of the answer arrives", happens: exchange.answerCut},
		{name: "late", meaning: "no answer; it is done count requests to that environment later, and with afterRestart only after a restart", on: changing, happens: exchange.late},
		{name: "twice", meaning: "it is done twice", on: changing, happens: exchange.twice},
		{name: "elsewhere", meaning: "it is done to another environment, and reported as done", on: only("SetLicense", "UploadPage", "maintenanceMode"), happens: exchange.elsewhere, needsEnvironment: true},
		{name: "errorButDone", meaning: "it is done, and the answer is an error of the server", on: changing, happens: exchange.errorButDone},
		{name: "successButNotDone", meaning: "nothing is done, and the answer says that it was", on: only("SetLicense", "UploadPage", "maintenanceMode", "PausePage", "RegisterEnvironment", "OpenCase", "Staging_PublishWith2StepOption"), happens: exchange.successButNotDone},
		{name: "falseWithoutText", meaning: "SetLicense answers success=false without a text (done: and has installed it)", on: only("SetLicense"), happens: exchange.turnedDown},
		{name: "falseWithText", meaning: "SetLicense answers success=false with a text (done: and has installed it)", on: only("SetLicense"), happens: exchange.turnedDown},
		{name: "fault", meaning: "the answer is an error of the server, status 500; nothing is done", happens: exchange.broken},
		{name: "html", meaning: "the answer is a page for people, status 200", happens: exchange.distorted},
		{name: "empty", meaning: "the answer is empty, status 200", happens: exchange.distorted},
		{name: "huge", meaning: "the answer has more than 8 MiB", happens: exchange.distorted},
		{name: "garbage", meaning: "the answer has the right type and makes no sense", happens: exchange.distorted},
		{name: "wrongType", meaning: "the answer has another content type", happens: exchange.distorted},
		{name: "wrongCharset", meaning: "the answer is written in UTF-16, and says so", happens: exchange.distorted},
		{name: "redirect", meaning: "the answer redirects to another host", happens: exchange.distorted},
		{name: "unauthorized", meaning: "status 401; nothing is done", happens: exchange.turnedAway},
		{name: "forbidden", meaning: "status 403; nothing is done", happens: exchange.turnedAway},
		{name: "tooMany", meaning: "status 429; nothing is done", happens: exchange.turnedAway},
		{name: "tokenExpired", meaning: "LifeTime's token has expired: status 401, from then on", on: lifeTime, happens: exchange.turnedAway, always: true},
		{name: "hang", meaning: "the request is received and never answered (done: and carried out)", happens: exchange.hang},

		{name: "staleRead", meaning: "after each upload the licensing page shows the license before for count readings", change: staleRead, needsEnvironment: true},
		{name: "flapping", meaning: "every second reading of the licensing page shows the license of another code (code; otherwise the third)", on: licensePage, happens: exchange.flapping, always: true},
		{name: "unreadable", meaning: "the licensing page shows nothing of the license", on: licensePage, happens: exchange.unreadable},
		{name: "noLicenseShown", meaning: "the licensing page shows that there is no license", on: licensePage, happens: exchange.noLicenseShown},
		{name: "thirdCode", meaning: "somebody has installed a license of a third activation code", change: byHand("third"), needsEnvironment: true},
		{name: "changedByHand", meaning: "somebody has installed a license of code (otherwise target; none: has removed it)", change: byHand("target"), needsEnvironment: true},
		{name: "serialChanged", meaning: "the server has another serial number", change: serialChanged, needsEnvironment: true},

		{name: "serialMissing", meaning: "the portal does not know the serial number under code (otherwise source)", change: serialMissing, needsEnvironment: true},
		{name: "noSlot", meaning: "there is no free slot for that kind of environment under code (otherwise target)", change: noSlot, needsEnvironment: true},
		{name: "underReview", meaning: "the portal does not register before the vendor has reviewed it", on: only("RegisterEnvironment"), happens: exchange.underReview, always: true},
		{name: "notPrepared", meaning: "licenses under code (otherwise target) have another word for Intellectual Property (word; otherwise Ignore under target and Protected under source), or, with missing, none", change: notPrepared, needsEnvironment: true},
		{name: "wrongFile", meaning: "under code (otherwise target) the portal gives out another environment's license", change: wrongFile, needsEnvironment: true},
		{name: "wrongCode", meaning: "under code (otherwise target) the portal gives out a license of the other code", change: wrongCode, needsEnvironment: true},
		{name: "expired", meaning: "licenses under code (otherwise target) have expired", change: expired, needsEnvironment: true},
		{name: "distinctDownloads", meaning: "each download from the portal has other bytes", change: distinctDownloads},

		{name: "pauseLost", meaning: "somebody has resumed the deployments", change: pauseLost, needsEnvironment: true},
		{name: "pausedByOther", meaning: "somebody else has paused the deployments", change: pausedByOther, needsEnvironment: true},
		{name: "deploymentRunning", meaning: "somebody has started a deployment (unabortable: which cannot be aborted)", change: deploymentRunning, needsEnvironment: true},
		{name: "deploymentFinished", meaning: "the oldest running deployment has finished", change: deploymentFinished, needsEnvironment: true},
		{name: "offlineUnknown", meaning: "LifeTime does not say whether environments are offline", on: only("environments", "environment"), happens: exchange.offlineUnknown, always: true},

		{name: "publishNotStarted", meaning: "a publish is answered without a number (text: the reason)", on: publishes, happens: exchange.publishNotStarted},
		{name: "busy", meaning: "the next count publishes of the module find it locked", change: busy, needsEnvironment: true, needsModule: true},
		{name: "lateError", meaning: "a publish says that all is well, and then has an Error", on: publishes, happens: exchange.publishGoesWrong},
		{name: "publishStop", meaning: "a publish stops after the first of two steps with an Error, whether two steps were asked for or not", on: publishes, happens: exchange.publishGoesWrong},
		{name: "slowPublish", meaning: "a publish takes count polls longer", on: publishes, happens: exchange.publishGoesWrong},
		{name: "neverFinishes", meaning: "a publish never finishes", on: publishes, happens: exchange.publishGoesWrong},
		{name: "versionMoved", meaning: "somebody publishes another version of the module during its next publish", change: versionMoved, needsEnvironment: true, needsModule: true},
		{name: "ipp", meaning: "the module belongs to somebody else: the text for modules (facts.md 6, 2)", change: ipp(""), needsEnvironment: true, needsModule: true},
		{name: "ippSolution", meaning: "the module belongs to somebody else: the text for solutions (facts.md 6, 1)", change: ipp(ippSolutionText), needsEnvironment: true, needsModule: true},
		{name: "ippForeign", meaning: "the module belongs to somebody else: the text of Service Studio (facts.md 6, 3)", change: ipp(ippForeignText), needsEnvironment: true, needsModule: true},
		{name: "moduleMissing", meaning: "the module has been removed", change: moduleMissing, needsEnvironment: true, needsModule: true},
		{name: "publishFails", meaning: "every publish of the module has an Error (text)", change: publishFails, needsEnvironment: true, needsModule: true},
		{name: "restoreFails", meaning: "licenses of a code that the environment has left are turned down (text)", change: restoreFails, needsEnvironment: true},
		{name: "uploadRejected", meaning: "licenses of code (otherwise target) are turned down (text)", change: uploadRejected, on: uploads, needsEnvironment: true},
	}
}

// The public texts about intellectual property (facts.md 6); the second is the
// one that the world has.
const (
	ippSolutionText = "Invalid Intellectual Property: You are trying to upload or publish a solution that was created in a Platform Server and its intellectual Property is protected"
	ippForeignText  = "Foreign Module Error: Your OutSystems subscription only allows uploading modules developed in your environment, or downloaded from the OutSystems Forge."
)

// Made-up values, of nobody.
const (
	thirdCode     = "THI.RDC.ODE.OFN.OBO.DYA.TAL.LOU"
	anotherSerial = "NEW-SER-IAL-OFT-HES-AME-SER-VER"
)

// code is the activation code that a fault names.
func (p platform) code(f Fault, otherwise string) (license.ActivationCode, error) {
	switch either(f.Code, otherwise) {
	case "source":
		return p.world.Source(), nil
	case "target":
		return p.world.Target(), nil
	case "third":
		return license.ParseActivationCode(thirdCode)
	}
	return license.ActivationCode{}, nil
}

func staleRead(p platform, f Fault) error {
	p.world.StaleReadings(f.Environment, max(f.Count, 1))
	return nil
}

func byHand(otherwise string) func(platform, Fault) error {
	return func(p platform, f Fault) error {
		code, err := p.code(f, otherwise)
		if err == nil {
			p.world.InstallByHand(f.Environment, code)
		}
		return err
	}
}

func serialChanged(p platform, f Fault) error {
	p.world.ChangeSerial(f.Environment, license.SerialNumber(either(f.Serial, anotherSerial)))
	return nil
}

func serialMissing(p platform, f Fault) error {
	code, err := p.code(f, "source")
	if err == nil {
		p.world.DropSerial(code, f.Environment)
	}
	return err
}

func noSlot(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err == nil {
		p.world.Slots(code, p.environment(f.Environment).Kind, 0)
	}
	return err
}

func notPrepared(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err != nil {
		return err
	}
	p.world.UseFile(code, f.Environment, license.File{}) // a file that was laid out says something else
	if f.Missing {
		p.world.Define(code, f.Environment, func(d *license.Details) {
			var rest []license.Feature
			for _, feature := range d.Features {
				if feature.ID != "IPP" {
					rest = append(rest, feature)
				}
			}
			d.Features = rest
		})
		return nil
	}
	word := license.Ignore
	if code == p.world.Source() {
		word = license.Protected
	}
	p.world.SetIPP(code, f.Environment, license.IPP(either(f.Word, string(word))))
	return nil
}

// issued is the license that the portal would give out; the world stays as it
// is.
func (p platform) issued(code license.ActivationCode, env environment.Environment) (license.File, error) {
	c, err := p.copy()
	if err != nil {
		return license.File{}, err
	}
	c.world.InstallByHand(env.Name, code)
	if err := c.world.Err(); err != nil {
		return license.File{}, err
	}
	return c.world.InstalledFile(env.Name), nil
}

func wrongFile(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err != nil {
		return err
	}
	other, ok := p.other(f, func(environment.Environment) bool { return true })
	if !ok {
		return errors.New("there is no other environment")
	}
	file, err := p.issued(code, other)
	if err == nil {
		p.world.UseFile(code, f.Environment, file)
	}
	return err
}

func wrongCode(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err != nil {
		return err
	}
	otherCode := p.world.Source()
	if code == otherCode {
		otherCode = p.world.Target()
	}
	file, err := p.issued(otherCode, p.environment(f.Environment))
	if err == nil {
		p.world.UseFile(code, f.Environment, file)
	}
	return err
}

func expired(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err == nil {
		p.world.UseFile(code, f.Environment, license.File{})
		p.world.Define(code, f.Environment, func(d *license.Details) {
			d.Created = time.Date(2019, time.January, 1, 0, 0, 0, 0, time.UTC)
			d.Ends = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
		})
	}
	return err
}

func distinctDownloads(p platform, _ Fault) error {
	p.world.DistinctDownloads(true)
	return nil
}

func pauseLost(p platform, f Fault) error {
	p.world.ResumeByHand(f.Environment)
	return nil
}

func pausedByOther(p platform, f Fault) error {
	p.world.PauseByHand(f.Environment)
	return nil
}

func deploymentRunning(p platform, f Fault) error {
	p.world.StartDeployment(f.Environment)
	p.world.Unabortable(f.Environment, f.Unabortable)
	return nil
}

func deploymentFinished(p platform, f Fault) error {
	p.world.FinishDeployment(f.Environment)
	return nil
}

func busy(p platform, f Fault) error {
	p.world.LockModule(f.Environment, f.module(), max(f.Count, 1))
	return nil
}

func versionMoved(p platform, f Fault) error {
	p.world.PublishByOther(f.Environment, f.module())
	return nil
}

func ipp(text string) func(platform, Fault) error {
	return func(p platform, f Fault) error {
		third, err := license.ParseActivationCode(thirdCode)
		if err != nil {
			return err
		}
		p.world.MarkModule(f.Environment, f.module(), third)
		p.m.Origins = append(p.m.Origins, origin{f.Environment, f.module(), either(f.Text, text)})
		return nil
	}
}

func moduleMissing(p platform, f Fault) error {
	p.world.RemoveModule(f.Environment, f.module())
	return nil
}

func publishFails(p platform, f Fault) error {
	p.world.BreakModule(f.Environment, f.module(), either(f.Text, "Compilation failed."))
	return nil
}

func restoreFails(p platform, f Fault) error {
	p.world.RefuseReturn(f.Environment, either(f.Text, badFile))
	return nil
}

func uploadRejected(p platform, f Fault) error {
	code, err := p.code(f, "target")
	if err == nil {
		p.world.RejectUploads(code, f.Environment, either(f.Text, badFile))
	}
	return err
}

// other is the other environment that a fault names, or the next one that will
// do.
func (p platform) other(f Fault, will func(environment.Environment) bool) (environment.Environment, bool) {
	all := p.world.Infrastructure().Environments
	start := 0
	for i, env := range all {
		if f.Other != "" && env.Name == f.Other {
			return env, will(env)
		}
		if env.Name == f.Environment {
			start = i
		}
	}
	for i := 1; i < len(all); i++ {
		if env := all[(start+i)%len(all)]; f.Other == "" && will(env) {
			return env, true
		}
	}
	return environment.Environment{}, false
}
