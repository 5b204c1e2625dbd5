package fake_test

import (
	"fmt"
	"testing"

	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
)

func TestLicensePortalConforms(t *testing.T) {
	adaptertest.TestLicensePortal(t, worldtest.LicensePortal)
}

func TestServiceCenterConforms(t *testing.T) {
	for _, lag := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("with a page that lags by %d readings", lag), func(t *testing.T) {
			adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
				return worldtest.ServiceCenter(t, lag)
			})
		})
	}
}

func TestLifeTimeConforms(t *testing.T) {
	adaptertest.TestLifeTime(t, worldtest.LifeTime)
}

func TestBackupVaultConforms(t *testing.T) {
	adaptertest.TestBackupVault(t, worldtest.BackupVault)
}

func TestSupportDeskConforms(t *testing.T) {
	adaptertest.TestSupportDesk(t, worldtest.SupportDesk)
}

func TestOperatorConforms(t *testing.T) {
	adaptertest.TestOperator(t, worldtest.Operator)
}
