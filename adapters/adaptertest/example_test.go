package adaptertest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// console is an adapter for Service Centers, as small as can be: the licensing
// pages that it reads and changes are in its memory. It cannot publish.
type console struct {
	mu    sync.Mutex
	pages map[string]license.Installed // by the name of the environment
}

var _ adapters.ServiceCenter = (*console)(nil)

func (c *console) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pages[env.Name], ctx.Err()
}

func (c *console) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	page := c.pages[env.Name]
	var text, serial string
	if _, err := fmt.Sscanf(string(file.Bytes()), "license of %s for %s", &text, &serial); err != nil {
		return fmt.Errorf("environment %q: %w: this is no license", env.Name, adapters.ErrRejected)
	}
	code, err := license.ParseActivationCode(text)
	if err != nil {
		return fmt.Errorf("environment %q: %w: this is no activation code", env.Name, adapters.ErrRejected)
	}
	if license.SerialNumber(serial) != page.Server {
		return fmt.Errorf("environment %q: %w: it is for %q", env.Name, adapters.ErrWrongEnvironment, serial)
	}
	page.Code, page.Serial = code, page.Server
	c.pages[env.Name] = page
	return nil
}

func (c *console) RepublishModule(context.Context, environment.Environment, string) (adapters.Publication, error) {
	return adapters.Publication{}, adapters.ErrUnsupported
}

// newConsoleHarness is called once for every clause: nothing of what one
// clause did is seen by the next.
func newConsoleHarness(t *testing.T) adaptertest.ServiceCenterHarness {
	file := func(format string, args ...any) license.File {
		f, err := license.NewFile(fmt.Appendf(nil, format, args...))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	code := func(s string) license.ActivationCode {
		c, err := license.ParseActivationCode(s)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	quality := environment.Environment{Name: "Quality", Kind: environment.Quality, Serial: "AAA-111"}
	production := environment.Environment{Name: "Production", Kind: environment.Production, Serial: "BBB-222"}
	before := license.Installed{Server: quality.Serial, Serial: quality.Serial, Code: code("AAA.OLD")}
	c := &console{pages: map[string]license.Installed{
		quality.Name:    before,
		production.Name: {Server: production.Serial},
	}}
	return adaptertest.ServiceCenterHarness{
		ServiceCenter: c,
		Env:           quality,
		Shows:         before,
		File:          file("license of BBB.NEW for %s", quality.Serial),
		FileCode:      code("BBB.NEW"),
		Foreign:       file("license of BBB.NEW for %s", production.Serial),
		Rejected:      file("not a license"),
		Other:         production,
		OtherFile:     file("license of BBB.NEW for %s", production.Serial),

		// What the pages cannot do by themselves is done behind the adapter's
		// back; what cannot be done at all is declared.
		RemoveLicense:   func() { c.pages[quality.Name] = license.Installed{Server: quality.Serial} },
		CannotRepublish: true,
	}
}

// A test of an adapter for Service Centers is one line. It is called
// TestConsole, say, and runs as any other test.
func ExampleTestServiceCenter() {
	_ = func(t *testing.T) {
		adaptertest.TestServiceCenter(t, newConsoleHarness)
	}
}
