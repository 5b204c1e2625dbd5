package command_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

// outside puts an external program before the ports of set: each call starts
// the relay, which brings the request to this process, where Serve answers it.
// The hang function makes programs wait for good from then on.
func outside(t *testing.T, set adapters.Set) (p *command.Program, hang func() <-chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	token := rand.Text()
	blocked, over := make(chan struct{}, 100), make(chan struct{})
	var hanging atomic.Bool
	var serving sync.WaitGroup
	answer := func(conn net.Conn) {
		defer conn.Close()
		request, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(request), token) {
			return // it was killed, or is not ours
		}
		if hanging.Load() {
			blocked <- struct{}{}
			<-over
			return
		}
		var out, errOut bytes.Buffer
		code := command.Serve(t.Context(), set, bytes.NewReader(request[len(token):]), &out, &errOut)
		_ = json.NewEncoder(conn).Encode(relayed{code, out.Bytes(), errOut.Bytes()}) // it may have been killed
	}
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { answer(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		close(over)
		serving.Wait()
	})
	return program(t, options(t, "relay", listener.Addr().String(), token)), func() <-chan struct{} { hanging.Store(true); return blocked }
}

func TestAProgramInPlaceOfTheLicensingPortalConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
		h := worldtest.New(t).LicensePortalHarness(t)
		h.Portal, h.Hang = outside(t, adapters.Set{Portal: h.Portal})
		return h
	})
}

func TestAProgramInPlaceOfServiceCenterConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
		h := worldtest.New(t).ServiceCenterHarness(0)
		h.ServiceCenter, h.Hang = outside(t, adapters.Set{ServiceCenter: h.ServiceCenter})
		return h
	})
}

func TestAProgramInPlaceOfLifeTimeConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestLifeTime(t, func(t *testing.T) adaptertest.LifeTimeHarness {
		h := worldtest.New(t).LifeTimeHarness()
		h.LifeTime, h.Hang = outside(t, adapters.Set{LifeTime: h.LifeTime})
		return h
	})
}

func TestAProgramThatKeepsBackupsConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestBackupVault(t, func(t *testing.T) adaptertest.BackupVaultHarness {
		h := worldtest.New(t).BackupVaultHarness(t)
		inside := h.Reopen
		h.Vault, h.Hang = outside(t, adapters.Set{Vault: h.Vault})
		h.Reopen = func() adapters.BackupVault {
			p, _ := outside(t, adapters.Set{Vault: inside()})
			return p
		}
		return h
	})
}

func TestAProgramInPlaceOfSupportConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestSupportDesk(t, func(t *testing.T) adaptertest.SupportDeskHarness {
		h := worldtest.New(t).SupportDeskHarness()
		h.Desk, h.Hang = outside(t, adapters.Set{Support: h.Desk})
		return h
	})
}

func TestAProgramInPlaceOfTheOperatorConforms(t *testing.T) {
	t.Parallel()
	adaptertest.TestOperator(t, func(t *testing.T) adaptertest.OperatorHarness {
		h := worldtest.New(t).OperatorHarness()
		h.Operator, h.Hang = outside(t, adapters.Set{Operator: h.Operator})
		return h
	})
}
