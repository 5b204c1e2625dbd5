package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// A ServiceCenterHarness is what [TestServiceCenter] needs to know and to do.
type ServiceCenterHarness struct {
	System

	// ServiceCenter is the adapter under test. Every clause needs it. If it is
	// an adapters.LicenseBackuper too, that contract is checked as well.
	ServiceCenter adapters.ServiceCenter

	// Env is an environment whose server has a license installed; Env.Serial
	// is the server's own serial number. Every clause needs it.
	Env environment.Environment

	// Shows is what Env shows in the beginning. Server and Code are required;
	// of the other fields those are compared that are not zero.
	Shows license.Installed

	// File is a license file that Env accepts, of the activation code FileCode,
	// which is not Shows.Code. The clauses about uploading need it.
	File     license.File
	FileCode license.ActivationCode

	// Foreign is a license file for another serial number than Env's; Rejected
	// is one for Env's that its Service Center turns down. They are for the
	// two clauses about refused files.
	Foreign  license.File
	Rejected license.File

	// CannotReject declares that there is no Foreign and no Rejected.
	CannotReject bool

	// Other is a second environment like Env, and OtherFile is for it what File
	// is for Env, of FileCode too. They are for the clause about calls for
	// different environments.
	Other     environment.Environment
	OtherFile license.File

	// OneEnvironment declares that there is no Other.
	OneEnvironment bool

	// Readings is how many readings, after an upload, may still show the
	// license that was installed before. Zero: the page follows at once.
	Readings int

	// Settle lets the page catch up; it is called before each reading that
	// follows one of those. It must not wait by the wall clock if it can be
	// helped. nil: another reading is enough.
	Settle func()

	// RemoveLicense leaves the server of Env without a license, past the
	// adapter. It is for the clauses about a server without a license; nil is
	// an inability.
	RemoveLicense func()

	// Module is a module of Env that can be published. The clauses about
	// republishing need it.
	Module string

	// CannotRepublish declares that RepublishModule must not be called, or
	// answers ErrUnsupported. It skips the clauses about republishing.
	CannotRepublish bool

	// Published tells, past the adapter, which version of Module is published
	// in Env now. It is for the clauses about versions; nil is an inability.
	Published func() string

	// PublishByOther makes somebody else publish another version of Module
	// while the next republish is under way. It is for the clause about the
	// version after it, and needs Published; nil is an inability.
	PublishByOther func()

	// MakeBusy makes another publish hold Module for the next republish. It is
	// for the clause about ErrBusy; nil is an inability.
	MakeBusy func()

	// MakeForeign makes the platform refuse Module's origin from now on, as it
	// does when a module carries the mark of another activation code. It is
	// for the clause about ErrIntellectualProperty; nil is an inability.
	MakeForeign func()

	// MakeBroken makes every publish of Module finish with errors from now on.
	// It is for the clause about ErrPublishFailed; nil is an inability.
	MakeBroken func()

	// Inspect reads what a license file says of itself; nil is
	// license.Inspect. It is for the clauses about BackupLicense: of a file
	// that answers license.ErrOpaque they check only that there is one.
	Inspect func(license.File) (license.Details, error)
}

func (h ServiceCenterHarness) incomplete() error {
	var r required
	r.field("ServiceCenter", h.ServiceCenter != nil)
	r.field("Env", h.Env.Name != "" && h.Env.Serial != "")
	r.field("Shows.Server", h.Shows.Server != "")
	r.field("Shows.Code", !h.Shows.Code.IsZero())
	r.field("File", !h.File.IsZero())
	r.field("FileCode", !h.FileCode.IsZero() && h.FileCode != h.Shows.Code)
	r.unless("CannotReject", h.CannotReject, "Foreign", !h.Foreign.IsZero())
	r.unless("CannotReject", h.CannotReject, "Rejected", !h.Rejected.IsZero())
	r.unless("OneEnvironment", h.OneEnvironment, "Other", h.Other.Name != "" && h.Other.Serial != "")
	r.unless("OneEnvironment", h.OneEnvironment, "OtherFile", !h.OtherFile.IsZero())
	r.unless("CannotRepublish", h.CannotRepublish, "Module", h.Module != "")
	return r.err()
}

// TestServiceCenter checks that a [adapters.ServiceCenter] keeps its contract,
// and that of [adapters.LicenseBackuper] if it is one. It calls newHarness
// once for every clause.
func TestServiceCenter(t *testing.T, newHarness func(t *testing.T) ServiceCenterHarness) {
	test(t, serviceCenterClauses(), newHarness)
}

// missingModule is the name of a module that no environment has.
const missingModule = "Changeover_NoSuchModule"

func (h ServiceCenterHarness) cannotReject() string { return declared("CannotReject", h.CannotReject) }

func (h ServiceCenterHarness) cannotRemove() string {
	return declared("RemoveLicense (nil)", h.RemoveLicense == nil)
}

func (h ServiceCenterHarness) cannotRepublish() string {
	return declared("CannotRepublish", h.CannotRepublish)
}

func (h ServiceCenterHarness) cannotBackUp() string {
	_, ok := h.ServiceCenter.(adapters.LicenseBackuper)
	return declared("ServiceCenter (no adapters.LicenseBackuper)", !ok)
}

func (h ServiceCenterHarness) read(ctx context.Context, env environment.Environment) (license.Installed, error) {
	got, err := h.ServiceCenter.InstalledLicense(ctx, env)
	return got, success("InstalledLicense", err)
}

// shows reads until env shows code, as often as the harness allows.
func (h ServiceCenterHarness) shows(ctx context.Context, env environment.Environment, code license.ActivationCode) (license.Installed, error) {
	for left := h.Readings; ; left-- {
		got, err := h.read(ctx, env)
		if err != nil || got.Code == code {
			return got, err
		}
		if left <= 0 {
			return got, fmt.Errorf("after %d readings InstalledLicense shows the activation code %v, want %v", h.Readings+1, got.Code, code)
		}
		h.settle()
	}
}

func (h ServiceCenterHarness) settle() {
	if h.Settle != nil {
		h.Settle()
	}
}

// state is what the licensing page of Env shows once it has caught up with
// whatever was done.
func (h ServiceCenterHarness) state(ctx context.Context) ([]string, error) {
	for range h.Readings {
		if _, err := h.read(ctx, h.Env); err != nil {
			return nil, err
		}
		h.settle()
	}
	got, err := h.read(ctx, h.Env)
	return page(got), err
}

func page(i license.Installed) []string {
	lines := []string{
		"server " + string(i.Server), "code " + i.Code.String(), "serial " + string(i.Serial),
		"IPP " + string(i.IPP), "type " + i.Type, "ends " + i.Ends.UTC().String(),
	}
	for _, f := range i.Features {
		lines = append(lines, fmt.Sprintf("feature %s %s: %s", f.ID, f.Name, f.Limit))
	}
	return lines
}

// keeps checks that act leaves what Env shows as it was.
func (h ServiceCenterHarness) keeps(ctx context.Context, what string, act func() error) error {
	return keeps(ctx, h.state, what, act)
}

// refuses checks that a file is turned down and nothing is installed.
func (h ServiceCenterHarness) refuses(ctx context.Context, file license.File, want *adapters.Condition) error {
	return h.keeps(ctx, "an upload that was refused", func() error {
		return refusal("UploadLicense", h.ServiceCenter.UploadLicense(ctx, h.Env, file), want)
	})
}

// republish publishes Module in Env.
func (h ServiceCenterHarness) republish(ctx context.Context) (adapters.Publication, error) {
	p, err := h.ServiceCenter.RepublishModule(ctx, h.Env, h.Module)
	return p, success("RepublishModule", err)
}

// doesNotPublish checks that a republish of module is refused, and that the
// version that is published stays.
func (h ServiceCenterHarness) doesNotPublish(ctx context.Context, module string, want *adapters.Condition) error {
	before := ""
	if h.Published != nil {
		before = h.Published()
	}
	_, err := h.ServiceCenter.RepublishModule(ctx, h.Env, module)
	if err := refusal("RepublishModule", err, want); err != nil {
		return err
	}
	if h.Published != nil && h.Published() != before {
		return fmt.Errorf("a republish that was refused changed the published version from %s to %s", printable.Text(before), printable.Text(h.Published()))
	}
	return nil
}

func (h ServiceCenterHarness) backUp(ctx context.Context) (license.File, error) {
	b, ok := h.ServiceCenter.(adapters.LicenseBackuper)
	if !ok {
		return license.File{}, adapters.ErrUnsupported
	}
	return b.BackupLicense(ctx, h.Env)
}

func (h ServiceCenterHarness) calls() []call {
	calls := []call{
		{name: "InstalledLicense", do: func(ctx context.Context) error {
			_, err := h.ServiceCenter.InstalledLicense(ctx, h.Env)
			return err
		}},
		{name: "UploadLicense", mutates: true, do: func(ctx context.Context) error {
			return h.ServiceCenter.UploadLicense(ctx, h.Env, h.File)
		}},
	}
	if !h.CannotRepublish {
		calls = append(calls, call{name: "RepublishModule", mutates: true, do: func(ctx context.Context) error {
			_, err := h.ServiceCenter.RepublishModule(ctx, h.Env, h.Module)
			return err
		}})
	}
	if h.cannotBackUp() == "" {
		calls = append(calls, call{name: "BackupLicense", do: func(ctx context.Context) error {
			_, err := h.backUp(ctx)
			return err
		}})
	}
	return calls
}

// lane is what one environment does while another does the same.
func (h ServiceCenterHarness) lane(env environment.Environment, file license.File) []call {
	lane := []call{
		{name: "InstalledLicense", do: func(ctx context.Context) error {
			got, err := h.ServiceCenter.InstalledLicense(ctx, env)
			if err == nil && got.Server != env.Serial {
				err = errors.New("shows the serial number of another server")
			}
			return err
		}},
		{name: "UploadLicense", mutates: true, do: func(ctx context.Context) error {
			return h.ServiceCenter.UploadLicense(ctx, env, file)
		}},
	}
	if !h.CannotRepublish {
		lane = append(lane, call{name: "RepublishModule", mutates: true, do: func(ctx context.Context) error {
			_, err := h.ServiceCenter.RepublishModule(ctx, env, h.Module)
			return err
		}})
	}
	if b, ok := h.ServiceCenter.(adapters.LicenseBackuper); ok {
		lane = append(lane, call{name: "BackupLicense", do: func(ctx context.Context) error {
			_, err := b.BackupLicense(ctx, env)
			return err
		}})
	}
	return lane
}

func serviceCenterClauses() []clause[ServiceCenterHarness] {
	type H = ServiceCenterHarness
	clauses := []clause[H]{
		{
			name: "InstalledLicense reads the server's serial number and the licensing page",
			text: "InstalledLicense reads the server's own serial number and what the licensing page shows",
			check: func(ctx context.Context, h H) error {
				got, err := h.read(ctx, h.Env)
				if err != nil {
					return err
				}
				return sameLicense(got, h.Shows)
			},
		},
		{
			name: "InstalledLicense changes nothing",
			text: "InstalledLicense changes nothing: reading again shows the same",
			check: func(ctx context.Context, h H) error {
				return h.keeps(ctx, "InstalledLicense", func() error {
					_, err := h.read(ctx, h.Env)
					return err
				})
			},
		},
		{
			name:      "a server without a license gives no code and no error",
			text:      "a server without a license gives an Installed without a code, and no error; adapters do not remember what they read before",
			inability: H.cannotRemove,
			check: func(ctx context.Context, h H) error {
				if _, err := h.read(ctx, h.Env); err != nil {
					return err
				}
				h.RemoveLicense()
				got, err := h.read(ctx, h.Env)
				switch {
				case err != nil:
					return err
				case !got.Code.IsZero():
					return fmt.Errorf("InstalledLicense shows the activation code %v, but no license is installed", got.Code)
				case got.Server != h.Shows.Server:
					return errors.New("InstalledLicense does not show the server's own serial number, which does not depend on a license")
				}
				return nil
			},
		},
		{
			name: "UploadLicense installs the file",
			text: "UploadLicense installs the file; after it returns nil, InstalledLicense shows the file's activation code, at once or after a while",
			check: func(ctx context.Context, h H) error {
				if err := h.ServiceCenter.UploadLicense(ctx, h.Env, h.File); err != nil {
					return success("UploadLicense", err)
				}
				got, err := h.shows(ctx, h.Env, h.FileCode)
				if err == nil && got.Server != h.Shows.Server {
					err = errors.New("InstalledLicense shows another serial number of the server after the upload")
				}
				return err
			},
		},
		{
			name:      "UploadLicense refuses a file for another serial number",
			text:      "UploadLicense returns ErrWrongEnvironment when the file is for another serial number, and installs nothing",
			inability: H.cannotReject,
			check: func(ctx context.Context, h H) error {
				return h.refuses(ctx, h.Foreign, adapters.ErrWrongEnvironment)
			},
		},
		{
			name:      "UploadLicense refuses a file that Service Center turns down",
			text:      "UploadLicense returns ErrRejected when Service Center turns the file down for another reason, and installs nothing; a success answer of the other system is not enough",
			inability: H.cannotReject,
			check: func(ctx context.Context, h H) error {
				return h.refuses(ctx, h.Rejected, adapters.ErrRejected)
			},
		},
		{
			name: "UploadLicense of the same file again changes nothing more",
			text: "uploading the same file again changes nothing more, and returns nil",
			check: func(ctx context.Context, h H) error {
				if _, err := h.read(ctx, h.Env); err != nil {
					return err
				}
				if err := h.ServiceCenter.UploadLicense(ctx, h.Env, h.File); err != nil {
					return success("UploadLicense", err)
				}
				return h.keeps(ctx, "uploading the same file again", func() error {
					return success("UploadLicense of the same file again", h.ServiceCenter.UploadLicense(ctx, h.Env, h.File))
				})
			},
		},
		{
			name:      "RepublishModule publishes the version that is published now",
			text:      "RepublishModule publishes the version of the module that is published now, and says which version was published before and after",
			inability: func(h H) string { return either(h.cannotRepublish(), h.cannotTell()) },
			check: func(ctx context.Context, h H) error {
				before := h.Published()
				got, err := h.republish(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					version("published", h.Published(), before),
					version("Publication.Before", got.Before, before),
					version("Publication.After", got.After, before))
			},
		},
		{
			name: "RepublishModule says so when somebody else has published",
			text: "Publication.Before and Publication.After are the versions published before and after; the same, unless somebody else published",
			inability: func(h H) string {
				return either(h.cannotRepublish(), h.cannotTell(), declared("PublishByOther (nil)", h.PublishByOther == nil))
			},
			check: func(ctx context.Context, h H) error {
				before := h.Published()
				h.PublishByOther()
				got, err := h.republish(ctx)
				if err != nil {
					return err
				}
				return errors.Join(
					version("Publication.Before", got.Before, before),
					version("Publication.After", got.After, h.Published()))
			},
		},
		{
			name:      "RepublishModule returns when the publish has ended, and may be repeated",
			text:      "RepublishModule waits for the end of the publish; the same call may come again and then does the same again",
			inability: H.cannotRepublish,
			check: func(ctx context.Context, h H) error {
				first, err := h.republish(ctx)
				if err != nil {
					return err
				}
				second, err := h.ServiceCenter.RepublishModule(ctx, h.Env, h.Module)
				if err != nil {
					return success("RepublishModule right after it had returned nil", err)
				}
				return version("Publication.Before of the second call", second.Before, first.After)
			},
		},
		{
			name:      "RepublishModule refuses a module that does not exist",
			text:      "RepublishModule returns ErrModuleNotFound when there is no such module",
			inability: H.cannotRepublish,
			check: func(ctx context.Context, h H) error {
				return h.doesNotPublish(ctx, missingModule, adapters.ErrModuleNotFound)
			},
		},
		{
			name:      "RepublishModule says that the module is busy",
			text:      "RepublishModule returns ErrBusy when another publish holds the module",
			inability: func(h H) string { return either(h.cannotRepublish(), declared("MakeBusy (nil)", h.MakeBusy == nil)) },
			check: func(ctx context.Context, h H) error {
				h.MakeBusy()
				return h.doesNotPublish(ctx, h.Module, adapters.ErrBusy)
			},
		},
		{
			name: "RepublishModule says that the module's origin was refused",
			text: "RepublishModule returns ErrIntellectualProperty when the platform refuses the module's origin",
			inability: func(h H) string {
				return either(h.cannotRepublish(), declared("MakeForeign (nil)", h.MakeForeign == nil))
			},
			check: func(ctx context.Context, h H) error {
				h.MakeForeign()
				return h.doesNotPublish(ctx, h.Module, adapters.ErrIntellectualProperty)
			},
		},
		{
			name: "RepublishModule says that the publish finished with errors",
			text: "RepublishModule returns ErrPublishFailed when the publish finished with any other error",
			inability: func(h H) string {
				return either(h.cannotRepublish(), declared("MakeBroken (nil)", h.MakeBroken == nil))
			},
			check: func(ctx context.Context, h H) error {
				h.MakeBroken()
				return h.doesNotPublish(ctx, h.Module, adapters.ErrPublishFailed)
			},
		},
		{
			name:      "BackupLicense returns the file of the installed license",
			text:      "BackupLicense returns the installed license's file",
			inability: H.cannotBackUp,
			check: func(ctx context.Context, h H) error {
				file, err := h.backUp(ctx)
				if err != nil {
					return success("BackupLicense", err)
				}
				if err := issuedFor("BackupLicense", h.Inspect, file, h.Shows.Code, h.Shows.Server); err != nil {
					return err
				}
				if err := h.ServiceCenter.UploadLicense(ctx, h.Env, h.File); err != nil {
					return success("UploadLicense", err)
				}
				if _, err := h.state(ctx); err != nil { // let the page catch up
					return err
				}
				now, err := h.read(ctx, h.Env)
				if err != nil {
					return err
				}
				file, err = h.backUp(ctx)
				if err != nil {
					return success("BackupLicense after an upload", err)
				}
				return issuedFor("BackupLicense after an upload", h.Inspect, file, now.Code, h.Shows.Server)
			},
		},
		{
			name:      "BackupLicense changes nothing",
			text:      "BackupLicense changes nothing",
			inability: H.cannotBackUp,
			check: func(ctx context.Context, h H) error {
				return h.keeps(ctx, "BackupLicense", func() error {
					_, err := h.backUp(ctx)
					return success("BackupLicense", err)
				})
			},
		},
		{
			name:      "BackupLicense says that no license is installed",
			text:      "BackupLicense returns ErrNoLicense when none is installed",
			inability: func(h H) string { return either(h.cannotBackUp(), h.cannotRemove()) },
			check: func(ctx context.Context, h H) error {
				h.RemoveLicense()
				_, err := h.backUp(ctx)
				return refusal("BackupLicense", err, adapters.ErrNoLicense)
			},
		},
	}
	return append(clauses, general[H]{
		calls: H.calls,
		refused: func(h H) []call {
			var calls []call
			if !h.CannotReject {
				calls = append(calls,
					call{name: "UploadLicense of a file for another serial number", mutates: true, do: func(ctx context.Context) error {
						return h.ServiceCenter.UploadLicense(ctx, h.Env, h.Foreign)
					}},
					call{name: "UploadLicense of a file that is turned down", mutates: true, do: func(ctx context.Context) error {
						return h.ServiceCenter.UploadLicense(ctx, h.Env, h.Rejected)
					}})
			}
			if !h.CannotRepublish {
				calls = append(calls, call{name: "RepublishModule of a module that does not exist", mutates: true, do: func(ctx context.Context) error {
					_, err := h.ServiceCenter.RepublishModule(ctx, h.Env, missingModule)
					return err
				}})
			}
			return calls
		},
		state: func(h H) stateFunc { return h.state },
		codes: func(h H) []license.ActivationCode {
			return []license.ActivationCode{h.Shows.Code, h.FileCode}
		},
		files:     func(h H) []license.File { return []license.File{h.File, h.Foreign, h.Rejected} },
		inability: func(h H) string { return declared("OneEnvironment", h.OneEnvironment) },
		several: func(ctx context.Context, h H) error {
			if err := together(ctx, h.lane(h.Env, h.File), h.lane(h.Other, h.OtherFile)); err != nil {
				return err
			}
			for _, env := range []environment.Environment{h.Env, h.Other} {
				if got, err := h.shows(ctx, env, h.FileCode); err != nil {
					return err
				} else if got.Server != env.Serial {
					return fmt.Errorf("InstalledLicense of %s shows the serial number of another server", printable.Text(env.Name))
				}
			}
			return nil
		},
	}.clauses()...)
}

func (h ServiceCenterHarness) cannotTell() string {
	return declared("Published (nil)", h.Published == nil)
}

func version(what, got, want string) error {
	if got != want {
		return fmt.Errorf("%s is version %q, want %q", what, printable.Text(got), printable.Text(want))
	}
	return nil
}

// sameLicense compares a reading with what is expected; what is zero in want
// is not compared.
func sameLicense(got, want license.Installed) error {
	var errs []error
	differs := func(field string, differs bool) {
		if differs {
			errs = append(errs, fmt.Errorf("InstalledLicense shows another %s than the system", field))
		}
	}
	differs("Server", got.Server != want.Server)
	differs("Code", got.Code != want.Code)
	differs("Serial", want.Serial != "" && got.Serial != want.Serial)
	differs("IPP", want.IPP != "" && got.IPP != want.IPP)
	differs("Type", want.Type != "" && got.Type != want.Type)
	differs("Ends", !want.Ends.IsZero() && !got.Ends.Equal(want.Ends))
	differs("Features", want.Features != nil && !slices.Equal(got.Features, want.Features))
	return errors.Join(errs...)
}
