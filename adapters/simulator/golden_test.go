package simulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/internal/golden"
)

// The answers of one world, byte for byte. What is documented in them was
// written by hand from facts.md into the tests and scripts beside this one;
// here it is seen at once when anything moves.
func TestTheAnswersStayAsTheyAre(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	r.World.StartDeployment("Quality")
	var b strings.Builder
	show := func(what string, got reply) {
		require.NoError(t, got.err)
		fmt.Fprintf(&b, "== %s\n%d %s\n%s\n\n", what, got.status, got.header.Get("Content-Type"), got.body)
	}
	for _, service := range []string{"OutSystemsPlatform", "PlatformServices_v8_0_0", "Solutions"} {
		show(service+".asmx?WSDL", r.send("GET", r.Quality.ServiceCenter+"/ServiceCenter/"+service+".asmx?WSDL", nil, ""))
	}
	show("GetPlatformInfo", r.platformInfo(r.Quality))
	show("SetLicense of another environment's file", r.setLicense(r.Quality, r.ForDev))
	show("SetLicense", r.setLicense(r.Quality, r.ForQuality))
	show("Modules_Get", r.modules(r.Quality))
	id, _, started := r.stage(r.Quality, fake.TestModule, false)
	show("Staging_PublishWith2StepOption", started)
	_, _, busy := r.stage(r.Quality, fake.TestModule, false)
	show("Staging_PublishWith2StepOption once more", busy)
	r.finish(r.Quality, id)
	show("SolutionPack_GetPublishMessages", r.poll(r.Quality, id))
	show("environments", r.environments())
	show("deployments", r.rest("GET", "/deployments/?MinDate=2000-01-01", ""))
	show("maintenancemode", r.maintenance(r.Dev, true))
	show("an error", r.rest("GET", "/environments/x/", ""))
	golden.Compare(t, "testdata/answers.golden", []byte(b.String()))
}
