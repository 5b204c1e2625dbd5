package adaptertest_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// newServiceCenter makes harnesses whose page lags behind an upload by so many
// readings.
func newServiceCenter(lag int) func(*testing.T, worldtest.Scene) (adaptertest.ServiceCenterHarness, *serviceCenter) {
	return func(t *testing.T, s worldtest.Scene) (adaptertest.ServiceCenterHarness, *serviceCenter) {
		h := s.ServiceCenterHarness(lag)
		sys := newSystem(t)
		h.System = sys.harness()
		inner := h.ServiceCenter
		p := &serviceCenter{inner.InstalledLicense, inner.UploadLicense, inner.RepublishModule, inner.(adapters.LicenseBackuper).BackupLicense}
		h.ServiceCenter = p
		for _, m := range serviceCenterMethods() {
			m.wrap(p, sys.reach)
		}
		return h, p
	}
}

func serviceCenterMethods() []method[serviceCenter] {
	return []method[serviceCenter]{
		{name: "InstalledLicense", wrap: func(p *serviceCenter, around around) {
			inner := p.installed
			p.installed = func(ctx context.Context, env environment.Environment) (in license.Installed, err error) {
				err = around(ctx, func(ctx context.Context) error {
					in, err = inner(ctx, env)
					return err
				})
				return in, err
			}
		}},
		{name: "UploadLicense", mutates: true, wrap: func(p *serviceCenter, around around) {
			inner := p.upload
			p.upload = func(ctx context.Context, env environment.Environment, file license.File) error {
				return around(ctx, func(ctx context.Context) error { return inner(ctx, env, file) })
			}
		}},
		{name: "RepublishModule", mutates: true, hidden: true, wrap: func(p *serviceCenter, around around) {
			inner := p.republish
			p.republish = func(ctx context.Context, env environment.Environment, module string) (done adapters.Publication, err error) {
				err = around(ctx, func(ctx context.Context) error {
					done, err = inner(ctx, env, module)
					return err
				})
				return done, err
			}
		}},
		{name: "BackupLicense", wrap: func(p *serviceCenter, around around) {
			inner := p.backUp
			p.backUp = func(ctx context.Context, env environment.Environment) (file license.File, err error) {
				err = around(ctx, func(ctx context.Context) error {
					file, err = inner(ctx, env)
					return err
				})
				return file, err
			}
		}},
	}
}

func TestSuiteOfServiceCenter(t *testing.T) {
	type (
		H   = adaptertest.ServiceCenterHarness
		P   = serviceCenter
		env = environment.Environment
	)
	const (
		reads         = "InstalledLicense reads the server's serial number and the licensing page"
		readsOnly     = "InstalledLicense changes nothing"
		noLicense     = "a server without a license gives no code and no error"
		installs      = "UploadLicense installs the file"
		foreign       = "UploadLicense refuses a file for another serial number"
		rejected      = "UploadLicense refuses a file that Service Center turns down"
		uploadAgain   = "UploadLicense of the same file again changes nothing more"
		publishes     = "RepublishModule publishes the version that is published now"
		byOther       = "RepublishModule says so when somebody else has published"
		ends          = "RepublishModule returns when the publish has ended, and may be repeated"
		noModule      = "RepublishModule refuses a module that does not exist"
		busy          = "RepublishModule says that the module is busy"
		origin        = "RepublishModule says that the module's origin was refused"
		publishFailed = "RepublishModule says that the publish finished with errors"
		backsUp       = "BackupLicense returns the file of the installed license"
		backUpReads   = "BackupLicense changes nothing"
		backUpNone    = "BackupLicense says that no license is installed"
	)
	// onReading changes what the licensing page is said to show.
	onReading := func(change func(h *H, e env, in *license.Installed) error) func(*H, *P) {
		return func(h *H, p *P) {
			inner := p.installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				in, err := inner(ctx, e)
				if err == nil {
					err = change(h, e, &in)
				}
				return in, err
			}
		}
	}
	// onUpload changes what comes of the n-th upload; upload makes it.
	onUpload := func(change func(h *H, p *P, n int, file license.File, upload func() error) error) func(*H, *P) {
		return func(h *H, p *P) {
			inner, n := p.upload, 0
			p.upload = func(ctx context.Context, e env, file license.File) error {
				if ctx.Err() != nil || e != h.Env {
					return inner(ctx, e, file)
				}
				n++
				return change(h, p, n, file, func() error { return inner(ctx, e, file) })
			}
		}
	}
	// answering changes how a file that is turned down is answered.
	answering := func(which func(*H) license.File, with func(error) error) func(*H, *P) {
		return onUpload(func(h *H, _ *P, _ int, file license.File, upload func() error) error {
			err := upload()
			if file == which(h) {
				err = with(err)
			}
			return err
		})
	}
	// installing installs a file although it is said to be turned down.
	installing := func(which func(*H) license.File) func(*H, *P) {
		return func(h *H, p *P) {
			inner := p.upload
			p.upload = func(ctx context.Context, e env, file license.File) error {
				err := inner(ctx, e, file)
				if file == which(h) && err != nil && ctx.Err() == nil {
					_ = inner(ctx, e, h.File)
				}
				return err
			}
		}
	}
	// revealing puts a secret into the error about a file that is turned down.
	revealing := func(secret func(*H) string) func(*H, *P) {
		return onUpload(func(h *H, _ *P, _ int, file license.File, upload func() error) error {
			err := upload()
			if file == h.Foreign {
				err = fmt.Errorf("%s: %w", secret(h), err)
			}
			return err
		})
	}
	foreignFile := func(h *H) license.File { return h.Foreign }
	rejectedFile := func(h *H) license.File { return h.Rejected }
	fine := func(error) error { return nil }
	plain := func(error) error { return errors.New("something went wrong") }
	uncertain := func(err error) error { return fmt.Errorf("%w: %w", adapters.ErrUncertain, err) }
	as := func(c *adapters.Condition) func(error) error { return func(error) error { return c } }

	// onPublish changes what a republish in Env answers.
	onPublish := func(change func(h *H, done *adapters.Publication, err error) error) func(*H, *P) {
		return func(h *H, p *P) {
			inner := p.republish
			p.republish = func(ctx context.Context, e env, module string) (adapters.Publication, error) {
				done, err := inner(ctx, e, module)
				if ctx.Err() == nil && e == h.Env {
					err = change(h, &done, err)
				}
				return done, err
			}
		}
	}
	// saying changes how a refused republish is answered.
	saying := func(c *adapters.Condition, with func(error) error) func(*H, *P) {
		return onPublish(func(_ *H, _ *adapters.Publication, err error) error {
			if errors.Is(err, c) {
				return with(err)
			}
			return err
		})
	}
	// misreporting changes what is reported of the n-th republish, unless
	// somebody else publishes during it.
	misreporting := func(change func(n int, done *adapters.Publication)) func(*H, *P) {
		return func(h *H, p *P) {
			other, inner, n := false, h.PublishByOther, 0
			h.PublishByOther = func() { other = true; inner() }
			onPublish(func(_ *H, done *adapters.Publication, err error) error {
				if n++; !other && err == nil {
					change(n, done)
				}
				return err
			})(h, p)
		}
	}
	// moving lets a republish that is refused with c change the published
	// version.
	moving := func(c *adapters.Condition) func(*H, *P) {
		return func(h *H, p *P) {
			published, moved := h.Published, false
			h.Published = func() string {
				if moved {
					return "another"
				}
				return published()
			}
			onPublish(func(_ *H, _ *adapters.Publication, err error) error {
				moved = moved || errors.Is(err, c)
				return err
			})(h, p)
		}
	}

	wrongs := []wrong[H, P]{
		{reads, "the word for intellectual property is wrong", onReading(func(h *H, _ env, in *license.Installed) error {
			if in.Code == h.Shows.Code {
				in.IPP = license.Ignore
			}
			return nil
		})},
		{reads, "the end date is missing or wrong", onReading(func(_ *H, _ env, in *license.Installed) error {
			in.Ends = in.Ends.AddDate(1, 0, 0)
			return nil
		})},
		{reads, "the type is missing", onReading(func(_ *H, _ env, in *license.Installed) error {
			in.Type = ""
			return nil
		})},
		{reads, "the license's serial number is missing", onReading(func(_ *H, _ env, in *license.Installed) error {
			in.Serial = ""
			return nil
		})},
		{reads, "a feature is missing", onReading(func(_ *H, _ env, in *license.Installed) error {
			in.Features = in.Features[:min(1, len(in.Features))]
			return nil
		})},
		{readsOnly, "the third reading in a row shows something else", func(_ *H, p *P) {
			row := 0
			for _, m := range serviceCenterMethods() {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					if row++; m.name != "InstalledLicense" || ctx.Err() != nil {
						row = 0
					}
					return call(ctx)
				})
			}
			inner := p.installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				in, err := inner(ctx, e)
				if row >= 3 {
					in.IPP = "Something"
				}
				return in, err
			}
		}},
		{noLicense, "an error", onReading(func(_ *H, _ env, in *license.Installed) error {
			if in.Code.IsZero() {
				return adapters.ErrNoLicense
			}
			return nil
		})},
		{noLicense, "the server's serial number is the license's", onReading(func(_ *H, _ env, in *license.Installed) error {
			in.Server = in.Serial
			return nil
		})},
		{noLicense, "what was read before is remembered until the next upload", func(h *H, p *P) {
			read, upload := p.installed, p.upload
			var last license.Installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				in, err := read(ctx, e)
				if err == nil && e == h.Env {
					if in.Code.IsZero() {
						return last, nil
					}
					last = in
				}
				return in, err
			}
			p.upload = func(ctx context.Context, e env, file license.File) error {
				if e == h.Env {
					last = license.Installed{}
				}
				return upload(ctx, e, file)
			}
		}},
		{installs, "the first upload is lost if nothing was read before", func(h *H, p *P) {
			calls := 0
			for _, m := range serviceCenterMethods() {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					if calls++; calls == 1 && m.name == "UploadLicense" {
						return nil
					}
					return call(ctx)
				})
			}
		}},
		{installs, "the page lags behind for longer than it is said to", func(h *H, p *P) {
			inner := p.installed
			lag := 0
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				in, err := inner(ctx, e)
				if lag > 0 && in.Code == h.FileCode {
					lag--
					in.Code = h.Shows.Code
				}
				return in, err
			}
			upload, looked := p.upload, false
			p.upload = func(ctx context.Context, e env, file license.File) error {
				if !looked {
					lag = h.Readings + 1
				}
				return upload(ctx, e, file)
			}
			read := p.installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				looked = true
				return read(ctx, e)
			}
			backUp := p.backUp
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				looked = true
				return backUp(ctx, e)
			}
		}},
		{installs, "the server has another serial number afterwards", func(h *H, p *P) {
			calls := 0
			lost := false
			for _, m := range serviceCenterMethods() {
				m.wrap(p, func(ctx context.Context, call func(context.Context) error) error {
					calls++
					lost = lost || calls == 1 && m.name == "UploadLicense"
					return call(ctx)
				})
			}
			inner := p.installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) {
				in, err := inner(ctx, e)
				if lost {
					in.Server = "another"
				}
				return in, err
			}
		}},

		{foreign, "no error", answering(foreignFile, fine)},
		{foreign, "an error without condition", answering(foreignFile, plain)},
		{foreign, "an uncertain error", answering(foreignFile, uncertain)},
		{foreign, "another condition", answering(foreignFile, as(adapters.ErrRejected))},
		{foreign, "a license is installed", installing(foreignFile)},
		{rejected, "no error: the server's HTTP status was 200", answering(rejectedFile, fine)},
		{rejected, "an error without condition", answering(rejectedFile, plain)},
		{rejected, "an uncertain error", answering(rejectedFile, uncertain)},
		{rejected, "another condition", answering(rejectedFile, as(adapters.ErrWrongEnvironment))},
		{rejected, "a license is installed", installing(rejectedFile)},
		{uploadAgain, "the second upload is an error", onUpload(func(_ *H, _ *P, n int, _ license.File, upload func() error) error {
			if n == 2 {
				return adapters.ErrRejected
			}
			return upload()
		})},
		{uploadAgain, "the second upload changes the license", func(h *H, p *P) {
			uploads := 0
			onUpload(func(_ *H, _ *P, n int, _ license.File, upload func() error) error {
				uploads = n
				return upload()
			})(h, p)
			onReading(func(_ *H, _ env, in *license.Installed) error {
				if uploads == 2 {
					in.IPP = "Something"
				}
				return nil
			})(h, p)
		}},

		{publishes, "both versions are wrong", misreporting(func(_ int, done *adapters.Publication) { done.Before, done.After = "9", "9" })},
		{publishes, "the version before is wrong", misreporting(func(n int, done *adapters.Publication) {
			if n == 1 {
				done.Before = "9"
			}
		})},
		{publishes, "another version is published and not reported", func(h *H, p *P) {
			published, moved := h.Published, false
			h.Published = func() string {
				if moved {
					return "another"
				}
				return published()
			}
			misreporting(func(int, *adapters.Publication) { moved = true })(h, p)
		}},
		{publishes, "another version is published", func(h *H, p *P) {
			inner := p.republish
			p.republish = func(ctx context.Context, e env, module string) (adapters.Publication, error) {
				if ctx.Err() == nil {
					h.PublishByOther()
				}
				return inner(ctx, e, module)
			}
		}},
		{byOther, "the version after it is said to be the one before", onPublish(func(_ *H, done *adapters.Publication, err error) error {
			done.After = done.Before
			return err
		})},
		{ends, "the publish is still under way", func(h *H, p *P) {
			inner, running := p.republish, false
			p.republish = func(ctx context.Context, e env, module string) (adapters.Publication, error) {
				if ctx.Err() != nil || e != h.Env {
					return inner(ctx, e, module)
				}
				if running {
					return adapters.Publication{}, adapters.ErrBusy
				}
				running = true
				return inner(ctx, e, module)
			}
		}},
		{noModule, "no error", saying(adapters.ErrModuleNotFound, fine)},
		{noModule, "an error without condition", saying(adapters.ErrModuleNotFound, plain)},
		{noModule, "another condition", saying(adapters.ErrModuleNotFound, as(adapters.ErrPublishFailed))},
		{busy, "no error", saying(adapters.ErrBusy, fine)},
		{busy, "an uncertain error", saying(adapters.ErrBusy, uncertain)},
		{busy, "another condition", saying(adapters.ErrBusy, as(adapters.ErrPublishFailed))},
		{busy, "it is published", moving(adapters.ErrBusy)},
		{origin, "no error", saying(adapters.ErrIntellectualProperty, fine)},
		{origin, "an error without condition", saying(adapters.ErrIntellectualProperty, plain)},
		{origin, "another condition", saying(adapters.ErrIntellectualProperty, as(adapters.ErrPublishFailed))},
		{origin, "it is published", moving(adapters.ErrIntellectualProperty)},
		{publishFailed, "no error", saying(adapters.ErrPublishFailed, fine)},
		{publishFailed, "an error without condition", saying(adapters.ErrPublishFailed, plain)},
		{publishFailed, "another condition", saying(adapters.ErrPublishFailed, as(adapters.ErrIntellectualProperty))},
		{publishFailed, "it is published", moving(adapters.ErrPublishFailed)},

		{backsUp, "no file and no error", func(_ *H, p *P) {
			inner := p.backUp
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				_, err := inner(ctx, e)
				return license.File{}, err
			}
		}},
		{backsUp, "the file of the license before", func(h *H, p *P) {
			inner := p.backUp
			var first license.File
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				file, err := inner(ctx, e)
				if err == nil && first.IsZero() {
					first = file
				}
				return first, err
			}
		}},
		{backUpReads, "it installs another license", func(h *H, p *P) {
			inner := p.backUp
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				file, err := inner(ctx, e)
				if err == nil && e == h.Env {
					_ = p.upload(ctx, e, h.File)
				}
				return file, err
			}
		}},
		{backUpNone, "no error", func(_ *H, p *P) {
			inner := p.backUp
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				file, err := inner(ctx, e)
				if errors.Is(err, adapters.ErrNoLicense) {
					err = nil
				}
				return file, err
			}
		}},
		{backUpNone, "an error without condition", func(_ *H, p *P) {
			inner := p.backUp
			p.backUp = func(ctx context.Context, e env) (license.File, error) {
				file, err := inner(ctx, e)
				if errors.Is(err, adapters.ErrNoLicense) {
					err = errors.New("nothing there")
				}
				return file, err
			}
		}},

		{several, "one environment is taken for another", func(h *H, p *P) {
			inner := p.installed
			p.installed = func(ctx context.Context, e env) (license.Installed, error) { return inner(ctx, h.Env) }
		}},
		{several, "the license of one environment is uploaded to another", func(h *H, p *P) {
			inner := p.upload
			p.upload = func(ctx context.Context, e env, file license.File) error {
				if e == h.Other {
					return inner(ctx, h.Env, h.File)
				}
				return inner(ctx, e, file)
			}
		}},
		{noSecret, "the file's bytes are in the error, quoted", revealing(func(h *H) string { return strconv.Quote(string(h.Foreign.Bytes())) })},
		{noSecret, "the file's bytes are in the error, as they are", revealing(func(h *H) string { return string(h.Foreign.Bytes()) })},
		{noSecret, "the file's bytes are in the error, as hex digits", revealing(func(h *H) string { return hex.EncodeToString(h.Foreign.Bytes()[:30]) })},
		{noSecret, "the file's bytes are in the error, as numbers", revealing(func(h *H) string { return fmt.Sprint(h.Foreign.Bytes()) })},
		{noSecret, "the file's bytes are in the error, in base 64", revealing(func(h *H) string { return base64.StdEncoding.EncodeToString(h.Foreign.Bytes()) })},
		{noSecret, "the activation code is in the error", revealing(func(h *H) string { return h.FileCode.Reveal() })},
	}
	// A page that lags makes a difference where the license changes.
	lagging := slices.DeleteFunc(slices.Clone(wrongs), func(w wrong[H, P]) bool {
		return !slices.Contains([]string{installs, foreign, rejected, uploadAgain}, w.clause)
	})
	subject[H, P]{adaptertest.ServiceCenterClauses(), newServiceCenter(0), serviceCenterMethods()}.check(t, wrongs)
	t.Run("with a page that lags", func(t *testing.T) {
		s := subject[H, P]{adaptertest.ServiceCenterClauses(), newServiceCenter(2), serviceCenterMethods()}
		s.accepts(t)
		s.notices(t, s.oneAtATime(lagging))
	})
}
