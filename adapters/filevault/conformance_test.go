package filevault_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/license"
)

func TestAVaultConforms(t *testing.T) {
	adaptertest.TestBackupVault(t, func(t *testing.T) adaptertest.BackupVaultHarness {
		dirs := twoDirs(t)
		return adaptertest.BackupVaultHarness{
			Vault:  open(t, dirs, nil),
			Serial: label.Serial,
			Other:  "ZZZ-BBB-CCC-DDD-EEE-FFF-GGG-HHH",
			Copies: len(dirs),
			Damage: func(_ license.SerialNumber, digest license.Digest, copies int) {
				for _, dir := range dirs {
					paths, err := filepath.Glob(filepath.Join(dir, "*-"+string(digest)+".lic"))
					require.NoError(t, err)
					for _, path := range paths {
						content, err := os.ReadFile(path)
						require.NoError(t, err)
						if copies > 0 && !bytes.HasPrefix(content, []byte("damaged")) {
							overwrite(t, path, []byte("damaged"))
							copies--
						}
					}
				}
				require.Zero(t, copies)
			},
			Reopen: func() adapters.BackupVault { return open(t, dirs, nil) },
		}
	})
}
