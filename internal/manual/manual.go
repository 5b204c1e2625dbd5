// Package manual says what to click: the instructions for a person who does a
// step of the procedure by hand, in the words of the pages on which it is done
// (facts.md 1.3, 3.3). It is for package attended, which asks a person step by
// step, and for the runbook, which is a checklist of all of them, so that both
// say the same. It says neither when something is done nor what to answer.
//
// Names are made safe to print here; an activation code is given as it may be
// shown.
package manual

import (
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Instructions in which nothing is to be filled in.
const (
	// In the Licensing Portal, in the row of a serial number.
	DownloadLicense = "In the menu of its row choose Download License, and save the file on this computer."

	// On the licensing page of Service Center.
	FilterIPP     = "On that page filter the features for Intellectual Property."
	UploadLicense = "Choose Upload New License and upload this file, no other: "
	WaitForPage   = "Wait for the answer of the page."
	BackupLicense = "Choose Backup License, and save the file on this computer."

	// For a file that is to be kept.
	KeepFile = "Copy it to storage of your own, best to two places. Never replace or remove a file there: give it a new name."

	// On the tab Versions of a module in Service Center.
	WaitForPublish = "Wait for the end. It is done only when it has finished without a single error."

	// In LifeTime.
	OpenEnvironments = "Open LifeTime, and there the list of environments."
	SeeDeployments   = "See for each of them whether deployments to it are paused (maintenance mode is on), and which are running."
	Pause            = "Switch its maintenance mode on, or pause deployments to it as your organization does."
	Resume           = "Switch its maintenance mode off, or end the pause as your organization does."

	// In the Support portal.
	OpenSupport = "Open the Support portal, https://success.outsystems.com/Support."
)

// OpenPortal opens the Licensing Portal for an activation code, which is given
// as it may be shown.
func OpenPortal(code string) string {
	return "Open the Licensing Portal, https://www.outsystems.com/licensing, and enter " + code + "."
}

// FindSerial looks for the environment's serial number in the portal.
func FindSerial(env environment.Environment) string {
	return fmt.Sprintf("On the tab Environments look for the serial number %s (%s).", serial(env.Serial), name(env))
}

// RegisterSerial registers it there, on a slot.
func RegisterSerial(env environment.Environment) string {
	return fmt.Sprintf("choose Register Environment on an empty slot for an environment of kind %s and enter %s. "+
		"Do this once only: it is logged, contacts are notified, and only the vendor can give the slot back.",
		printable.Text(string(env.Kind)), serial(env.Serial))
}

// AskServer finds out the server's own serial number.
func AskServer(env environment.Environment) string {
	return "Ask the server for its own serial number, not the licensing page: run ConfigurationTool.com /GetSerial on the controller server, or call GetPlatformInfo of " +
		address(env) + "/OutSystemsPlatform.asmx and read Serial."
}

// OpenLicensing opens the licensing page of the environment's Service Center.
func OpenLicensing(env environment.Environment) string {
	return "Open Service Center, " + address(env) + ", and there Administration > Licensing."
}

// OpenModules opens the list of modules of the environment's Service Center.
func OpenModules(env environment.Environment) string {
	return "Open Service Center, " + address(env) + ", and there Factory > Modules."
}

// FindModule opens the versions of a module there.
func FindModule(module string) string {
	return "Filter for " + printable.Text(module) + ", open it, and choose the tab Versions. Publish nothing yet."
}

// PublishVersion publishes a version of the module again; version names it.
func PublishVersion(version string) string {
	return "In the row of " + version + " choose Publish; not the button Redeploy Published Version."
}

// OpenEnvironment opens the environment in LifeTime.
func OpenEnvironment(env environment.Environment) string {
	return "Open LifeTime, and there " + name(env) + "."
}

// PauseFirst is seen to before deployments to an environment are paused.
const PauseFirst = "If a deployment to it is running, leave everything as it is"

func name(env environment.Environment) string { return printable.Text(env.Name) }

func serial(s license.SerialNumber) string { return printable.Text(string(s)) }

func address(env environment.Environment) string {
	return strings.TrimRight(printable.Whole(env.ServiceCenter), "/") + "/ServiceCenter"
}
