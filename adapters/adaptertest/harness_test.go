package adaptertest_test

import (
	"context"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/adaptertest"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// The suites as adapter authors run them, with harnesses that can do
// everything.
func TestSuitesPassFromOutside(t *testing.T) {
	t.Run("LicensePortal", func(t *testing.T) {
		adaptertest.TestLicensePortal(t, func(t *testing.T) adaptertest.LicensePortalHarness {
			h, _ := newPortal(t, worldtest.New(t))
			return h
		})
	})
	t.Run("ServiceCenter", func(t *testing.T) {
		adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
			h, _ := newServiceCenter(1)(t, worldtest.New(t))
			return h
		})
	})
	t.Run("LifeTime", func(t *testing.T) {
		adaptertest.TestLifeTime(t, func(t *testing.T) adaptertest.LifeTimeHarness {
			h, _ := newLifeTime(t, worldtest.New(t))
			return h
		})
	})
	t.Run("BackupVault", func(t *testing.T) {
		adaptertest.TestBackupVault(t, func(t *testing.T) adaptertest.BackupVaultHarness {
			h, _ := newVault(t, worldtest.New(t))
			return h
		})
	})
	t.Run("SupportDesk", func(t *testing.T) {
		adaptertest.TestSupportDesk(t, func(t *testing.T) adaptertest.SupportDeskHarness {
			h, _ := newDesk(t, worldtest.New(t))
			return h
		})
	})
	t.Run("Operator", func(t *testing.T) {
		adaptertest.TestOperator(t, func(t *testing.T) adaptertest.OperatorHarness {
			h, _ := newOperator(t, worldtest.New(t))
			return h
		})
	})
}

func TestTheExampleConforms(t *testing.T) {
	adaptertest.TestServiceCenter(t, newConsoleHarness)
}

// skips runs every clause and returns which were skipped, by inability; what
// is broken fails the test.
func skips[H any](t *testing.T, clauses []adaptertest.Clause[H], newHarness func(*testing.T) H) map[string][]string {
	t.Helper()
	skipped := map[string][]string{}
	for _, c := range clauses {
		inability, broken := c.Run(t.Context(), newHarness(t))
		require.NoError(t, broken, c.Name)
		if inability != "" {
			skipped[inability] = append(skipped[inability], c.Name)
			field, _, _ := strings.Cut(inability, " ")
			_, ok := reflect.TypeFor[H]().FieldByName(field)
			require.True(t, ok, "the harness has no field %s", field)
		}
	}
	return skipped
}

func TestInabilitiesSkipWhatNeedsThem(t *testing.T) {
	t.Run("LicensePortal", func(t *testing.T) {
		got := skips(t, adaptertest.LicensePortalClauses(), func(t *testing.T) adaptertest.LicensePortalHarness {
			h := worldtest.New(t).LicensePortalHarness(t)
			return adaptertest.LicensePortalHarness{
				Portal: h.Portal, Env: h.Env, Registered: h.Registered, Unregistered: h.Unregistered,
				OneEnvironment: true, CannotRegister: true,
			}
		})
		require.Equal(t, map[string][]string{
			"CannotRegister": {
				"RegisterSerial registers the serial number under the code", "RegisterSerial takes up one slot",
				"RegisterSerial without a free slot registers nothing", "RegisterSerial for a registered serial number takes up no further slot",
			},
			"OneEnvironment": {several}, "Hang (nil)": {blocked},
		}, got)
	})
	t.Run("LicensePortal that can register, of which nothing else is known", func(t *testing.T) {
		got := skips(t, adaptertest.LicensePortalClauses(), func(t *testing.T) adaptertest.LicensePortalHarness {
			h := worldtest.New(t).LicensePortalHarness(t)
			h.FreeSlots, h.RemoveSlots = nil, nil
			return h
		})
		require.Equal(t, map[string][]string{
			"FreeSlots (nil)":   {"RegisterSerial takes up one slot", "RegisterSerial for a registered serial number takes up no further slot"},
			"RemoveSlots (nil)": {"RegisterSerial without a free slot registers nothing"},
			"Hang (nil)":        {blocked},
		}, got)
	})
	t.Run("ServiceCenter", func(t *testing.T) {
		got := skips(t, adaptertest.ServiceCenterClauses(), func(t *testing.T) adaptertest.ServiceCenterHarness {
			h := worldtest.New(t).ServiceCenterHarness(0)
			return adaptertest.ServiceCenterHarness{
				ServiceCenter: struct{ adapters.ServiceCenter }{h.ServiceCenter}, // no LicenseBackuper
				Env:           h.Env, Shows: h.Shows, File: h.File, FileCode: h.FileCode,
				CannotReject: true, OneEnvironment: true, CannotRepublish: true,
			}
		})
		require.Equal(t, map[string][]string{
			"RemoveLicense (nil)": {"a server without a license gives no code and no error"},
			"CannotReject":        {"UploadLicense refuses a file for another serial number", "UploadLicense refuses a file that Service Center turns down"},
			"CannotRepublish": {
				"RepublishModule publishes the version that is published now", "RepublishModule says so when somebody else has published",
				"RepublishModule returns when the publish has ended, and may be repeated", "RepublishModule refuses a module that does not exist",
				"RepublishModule says that the module is busy", "RepublishModule says that the module's origin was refused",
				"RepublishModule says that the publish finished with errors",
			},
			"ServiceCenter (no adapters.LicenseBackuper)": {
				"BackupLicense returns the file of the installed license", "BackupLicense changes nothing", "BackupLicense says that no license is installed",
			},
			"OneEnvironment": {several}, "Hang (nil)": {blocked},
		}, got)
	})
	t.Run("ServiceCenter that can publish, of which nothing else is known", func(t *testing.T) {
		got := skips(t, adaptertest.ServiceCenterClauses(), func(t *testing.T) adaptertest.ServiceCenterHarness {
			h := worldtest.New(t).ServiceCenterHarness(0)
			h.RemoveLicense, h.Published, h.PublishByOther = nil, nil, nil
			h.MakeBusy, h.MakeForeign, h.MakeBroken = nil, nil, nil
			return h
		})
		require.Equal(t, map[string][]string{
			"RemoveLicense (nil)": {"a server without a license gives no code and no error", "BackupLicense says that no license is installed"},
			"Published (nil)":     {"RepublishModule publishes the version that is published now", "RepublishModule says so when somebody else has published"},
			"MakeBusy (nil)":      {"RepublishModule says that the module is busy"},
			"MakeForeign (nil)":   {"RepublishModule says that the module's origin was refused"},
			"MakeBroken (nil)":    {"RepublishModule says that the publish finished with errors"},
			"Hang (nil)":          {blocked},
		}, got)
	})
	t.Run("ServiceCenter whose modules only we publish", func(t *testing.T) {
		got := skips(t, adaptertest.ServiceCenterClauses(), func(t *testing.T) adaptertest.ServiceCenterHarness {
			h := worldtest.New(t).ServiceCenterHarness(0)
			h.PublishByOther = nil
			return h
		})
		require.Equal(t, []string{"RepublishModule says so when somebody else has published"}, got["PublishByOther (nil)"])
	})
	t.Run("LifeTime", func(t *testing.T) {
		got := skips(t, adaptertest.LifeTimeClauses(), func(t *testing.T) adaptertest.LifeTimeHarness {
			s := worldtest.New(t)
			h := s.LifeTimeHarness()
			for _, env := range h.Controlled[1:] {
				s.Unregister(env.Name)
			}
			return adaptertest.LifeTimeHarness{LifeTime: h.LifeTime, Controlled: h.Controlled[:1], Unknown: h.Unknown}
		})
		require.Equal(t, map[string][]string{
			"StartDeployment (nil)": {"Registered shows a running deployment", "PauseDeployments does not abort a running deployment"},
			"Controlled (only one)": {several}, "Hang (nil)": {blocked},
		}, got)
	})
	t.Run("BackupVault", func(t *testing.T) {
		got := skips(t, adaptertest.BackupVaultClauses(), func(t *testing.T) adaptertest.BackupVaultHarness {
			h := worldtest.New(t).BackupVaultHarness(t)
			h.Damage, h.Reopen = nil, nil
			return h
		})
		require.Equal(t, map[string][]string{
			"Reopen (nil)": {"what Put has stored is there after a crash"},
			"Damage (nil)": {"Get says that no copy is whole", "Get passes over damaged copies", "List counts the copies that are whole now"},
			"Hang (nil)":   {blocked},
		}, got)
	})
	t.Run("BackupVault of one copy", func(t *testing.T) {
		got := skips(t, adaptertest.BackupVaultClauses(), func(t *testing.T) adaptertest.BackupVaultHarness {
			s := worldtest.New(t)
			h := s.BackupVaultHarness(t)
			inner := h.Vault
			half := func(list []adapters.Stored) []adapters.Stored {
				for i := range list {
					list[i].Copies /= 2
				}
				return list
			}
			h.Copies, h.Reopen = 1, nil
			h.Damage = func(serial license.SerialNumber, digest license.Digest, _ int) { s.DamageBackup(serial, digest, 0) }
			h.Vault = &vault{
				put: func(ctx context.Context, label adapters.Label, file license.File) (adapters.Stored, error) {
					stored, err := inner.Put(ctx, label, file)
					return half([]adapters.Stored{stored})[0], err
				},
				get: inner.Get,
				list: func(ctx context.Context, serial license.SerialNumber) ([]adapters.Stored, error) {
					list, err := inner.List(ctx, serial)
					return half(list), err
				},
			}
			return h
		})
		require.Equal(t, map[string][]string{
			"Copies (only one)": {"Get passes over damaged copies"},
			"Reopen (nil)":      {"what Put has stored is there after a crash"}, "Hang (nil)": {blocked},
		}, got)
	})
	t.Run("SupportDesk", func(t *testing.T) {
		got := skips(t, adaptertest.SupportDeskClauses(), func(t *testing.T) adaptertest.SupportDeskHarness {
			h := worldtest.New(t).SupportDeskHarness()
			h.Opened = nil
			return h
		})
		require.Equal(t, map[string][]string{
			"Opened (nil)": {"OpenCase opens one case", "OpenCase with the key of an open case opens none"},
			"Hang (nil)":   {blocked},
		}, got)
	})
	t.Run("Operator", func(t *testing.T) {
		got := skips(t, adaptertest.OperatorClauses(), func(t *testing.T) adaptertest.OperatorHarness {
			h := worldtest.New(t).OperatorHarness()
			h.SayNothing, h.Shown = nil, nil
			return h
		})
		require.Equal(t, map[string][]string{
			"SayNothing (nil)": {"Ask takes silence for no"},
			"EndInput (nil)":   {"Ask takes the end of input for no"},
			"Shown (nil)":      {"Ask puts the question to the person"},
			"Hang (nil)":       {blocked},
		}, got)
	})
}

// missing checks that every clause reports these fields, in this order, when
// the harness is empty.
func missing[H any](t *testing.T, clauses []adaptertest.Clause[H], fields ...string) {
	t.Helper()
	for _, c := range clauses {
		var none H
		skipped, broken := c.Run(t.Context(), none)
		require.Empty(t, skipped, c.Name)
		require.Error(t, broken, c.Name)
		var got []string
		for _, line := range strings.Split(broken.Error(), "\n") {
			rest, ok := strings.CutPrefix(line, "the harness is not complete: ")
			require.True(t, ok, line)
			field, _, _ := strings.Cut(rest, " ")
			got = append(got, field)
		}
		require.Equal(t, fields, got, c.Name)
	}
}

func TestAnIncompleteHarnessIsReportedFieldByField(t *testing.T) {
	missing(t, adaptertest.LicensePortalClauses(), "Portal", "Env", "Registered", "Unregistered", "Other")
	missing(t, adaptertest.ServiceCenterClauses(), "ServiceCenter", "Env", "Shows.Server", "Shows.Code", "File", "FileCode", "Foreign", "Rejected", "Other", "OtherFile", "Module")
	missing(t, adaptertest.LifeTimeClauses(), "LifeTime", "Controlled", "Unknown")
	missing(t, adaptertest.BackupVaultClauses(), "Vault", "Serial", "Other", "Copies")
	missing(t, adaptertest.SupportDeskClauses(), "Desk", "Case", "Other")
	missing(t, adaptertest.OperatorClauses(), "Operator", "Say")
}

// breach is set in the environment of a second process that runs
// TestABreachIsExplained with an adapter that is wrong.
const breach = "CHANGEOVER_ADAPTERTEST_BREACH"

func TestABreachIsExplained(t *testing.T) {
	if os.Getenv(breach) != "" {
		adaptertest.TestServiceCenter(t, func(t *testing.T) adaptertest.ServiceCenterHarness {
			h, p := newServiceCenter(0)(t, worldtest.New(t))
			inner := p.upload
			p.upload = func(ctx context.Context, env environment.Environment, file license.File) error {
				if env == h.Env && file == h.Foreign {
					return nil
				}
				return inner(ctx, env, file)
			}
			h.PublishByOther = nil
			return h
		})
		return
	}
	second := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestABreachIsExplained$", "-test.v")
	second.Env = append(os.Environ(), breach+"=1")
	out, err := second.CombinedOutput()
	require.Error(t, err, "the suite passed")
	require.Contains(t, string(out), "--- FAIL: TestABreachIsExplained/UploadLicense_refuses_a_file_for_another_serial_number")
	require.Contains(t, string(out), "the contract says: UploadLicense returns ErrWrongEnvironment when the file is for another serial number, and installs nothing")
	require.Contains(t, string(out), "but UploadLicense returned nil, want an error that wraps the condition wrongEnvironment")
	require.Contains(t, string(out), "the harness declares the inability PublishByOther (nil)")
	require.Equal(t, 2, strings.Count(string(out), "--- FAIL: "), "the test and one clause: %s", out)
}
