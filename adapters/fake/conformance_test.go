package fake_test

import (
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

func TestLicensePortalConforms(t *testing.T) {
	adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
		return worldtest.New(t).LicensePortalHarness(t)
	})
}

func TestServiceCenterConforms(t *testing.T) {
	for _, lag := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("with a page that lags by %d readings", lag), func(t *testing.T) {
			adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
				return worldtest.New(t).ServiceCenterHarness(lag)
			})
		})
	}
}

func TestLifeTimeConforms(t *testing.T) {
	adaptertest.TestLifeTime(t, func(t *testing.T) adaptertest.LifeTimeHarness {
		return worldtest.New(t).LifeTimeHarness()
	})
}

func TestBackupVaultConforms(t *testing.T) {
	adaptertest.TestBackupVault(t, func(t *testing.T) adaptertest.BackupVaultHarness {
		return worldtest.New(t).BackupVaultHarness(t)
	})
}

func TestSupportDeskConforms(t *testing.T) {
	adaptertest.TestSupportDesk(t, func(t *testing.T) adaptertest.SupportDeskHarness {
		return worldtest.New(t).SupportDeskHarness()
	})
}

func TestOperatorConforms(t *testing.T) {
	adaptertest.TestOperator(t, func(t *testing.T) adaptertest.OperatorHarness {
		return worldtest.New(t).OperatorHarness()
	})
}
