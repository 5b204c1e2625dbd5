package attended_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/attended"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// seat puts a person who operates the world behind a desk. The hang function
// makes the person stop answering for good.
func seat(t *testing.T, p *person) (desk *attended.Desk, hang func() <-chan struct{}) {
	t.Helper()
	p.t, p.dir = t, t.TempDir()
	hanging, left := false, make(chan struct{})
	blocked := make(chan struct{}, 16)
	p.interrupt = func(string) (string, error, bool) {
		if !hanging {
			return "", nil, false
		}
		<-left
		return "", io.EOF, true
	}
	t.Cleanup(func() { close(left) })
	desk = attended.New(p, &prompts{p, func() {
		if hanging {
			blocked <- struct{}{}
		}
	}}, &attended.Options{Dir: filepath.Join(t.TempDir(), "files")})
	return desk, func() <-chan struct{} { hanging = true; return blocked }
}

// prompts tells when the person has been asked something.
type prompts struct {
	io.Writer
	asked func()
}

func (w *prompts) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if bytes.HasSuffix(b, []byte("\n> ")) {
		w.asked()
	}
	return n, err
}

func TestAPersonBehindTheLicensingPortalConforms(t *testing.T) {
	adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
		h := worldtest.New(t).LicensePortalHarness(t)
		h.Portal, h.Hang = seat(t, &person{
			world: adapters.Set{Portal: h.Portal}, envs: []environment.Environment{h.Env, h.Other},
			codes: []license.ActivationCode{h.Registered, h.Unregistered},
		})
		return h
	})
}

func TestAPersonBehindServiceCenterConforms(t *testing.T) {
	for name, lag := range map[string]int{"at once": 0, "with a page that lags": 2} {
		t.Run(name, func(t *testing.T) {
			adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
				h := worldtest.New(t).ServiceCenterHarness(lag)
				h.Shows.Features = nil // the person is not asked for them
				h.ServiceCenter, h.Hang = seat(t, &person{
					world: adapters.Set{ServiceCenter: h.ServiceCenter}, envs: []environment.Environment{h.Env, h.Other},
					published: h.Published, module: h.Module,
				})
				return h
			})
		})
	}
}

func TestAPersonBehindLifeTimeConforms(t *testing.T) {
	adaptertest.TestLifeTime(t, func(t *testing.T) adaptertest.LifeTimeHarness {
		h := worldtest.New(t).LifeTimeHarness()
		h.LifeTime, h.Hang = seat(t, &person{
			world: adapters.Set{LifeTime: h.LifeTime}, envs: append([]environment.Environment{h.Unknown}, h.Controlled...),
		})
		return h
	})
}

func TestAPersonBehindSupportConforms(t *testing.T) {
	adaptertest.TestSupportDesk(t, func(t *testing.T) adaptertest.SupportDeskHarness {
		h := worldtest.New(t).SupportDeskHarness()
		h.Desk, h.Hang = seat(t, &person{world: adapters.Set{Support: h.Desk}})
		return h
	})
}

func TestAPersonWhoIsTheOperatorConforms(t *testing.T) {
	adaptertest.TestOperator(t, func(t *testing.T) adaptertest.OperatorHarness {
		h := worldtest.New(t).OperatorHarness()
		p := &person{world: adapters.Set{Operator: h.Operator}}
		h.Operator, h.Hang = seat(t, p)
		h.Shown = p.transcript
		h.SayNothing = func() { p.interrupt = func(string) (string, error, bool) { return "\n", nil, true } }
		h.EndInput = func() { p.interrupt = func(string) (string, error, bool) { return "", io.EOF, true } }
		return h
	})
}

func TestAPersonWhoKeepsBackupsConforms(t *testing.T) {
	adaptertest.TestBackupVault(t, func(t *testing.T) adaptertest.BackupVaultHarness {
		h := worldtest.New(t).BackupVaultHarness(t)
		p := new(person)
		h.Vault, h.Hang = seat(t, p)
		h.Copies = 2
		h.Damage = func(_ license.SerialNumber, digest license.Digest, copies int) {
			for _, b := range p.backups {
				for _, path := range b.paths {
					content, err := os.ReadFile(path)
					require.NoError(t, err)
					if b.digest == string(digest) && copies > 0 && !strings.HasPrefix(string(content), "damaged") {
						require.NoError(t, os.WriteFile(path, []byte("damaged"), 0o600))
						copies--
					}
				}
			}
		}
		h.Reopen = func() adapters.BackupVault {
			return attended.New(p, p, &attended.Options{Dir: filepath.Join(t.TempDir(), "files")})
		}
		return h
	})
}
