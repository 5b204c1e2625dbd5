package manual_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/manual"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Whatever a plan says, an instruction is one line that shows as it is.
func TestWhatAPlanSaysIsSafeToPrint(t *testing.T) {
	const evil = "\x1b[2J\u202e\n\xff"
	env := environment.Environment{Name: "name" + evil, Kind: environment.Kind("kind" + evil), ServiceCenter: "https://host" + evil + "/", Serial: license.SerialNumber("serial" + evil)}
	for instruction, names := range map[string][]string{
		manual.FindSerial(env):           {"serial", "name"},
		manual.RegisterSerial(env):       {"kind", "serial"},
		manual.AskServer(env):            {"https://host"},
		manual.OpenLicensing(env):        {"https://host"},
		manual.OpenModules(env):          {"https://host"},
		manual.OpenEnvironment(env):      {"name"},
		manual.FindModule("mod" + evil):  {"mod"},
		manual.OpenPortal("the code"):    {"the code"},
		manual.PublishVersion("version"): {"version"},
	} {
		require.Equal(t, printable.Whole(instruction), instruction)
		for _, name := range names {
			require.Contains(t, instruction, name)
		}
	}
}
