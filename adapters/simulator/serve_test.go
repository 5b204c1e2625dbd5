package simulator_test

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

func TestOnlyLoopbackIsListenedAt(t *testing.T) {
	scene := worldtest.New(t)
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "[::]:0", "example.test:0", "127.0.0.1", "nonsense"} {
		_, err := simulator.Start(scene.World, &simulator.Options{Address: address})
		require.Error(t, err, address)
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.2:0", "localhost:0"} {
		s, err := simulator.Start(scene.World, &simulator.Options{Address: address})
		require.NoError(t, err, address)
		require.NoError(t, s.Close())
	}
}

func TestOtherHostsAreTurnedAway(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	own := strings.TrimPrefix(r.sim.URL(), "https://")
	_, port, err := net.SplitHostPort(own)
	require.NoError(t, err)
	for host, want := range map[string]int{
		"qa.example.test": 200, "QA.example.TEST": 200, "qa.example.test:443": 200, "qa.example.test:" + port: 200,
		"evil.example.test": 421, "qa.example.test:8443": 421, "qa.example.test.": 421, "127.0.0.1": 421, "localhost:1": 421,
		own: 404,
	} {
		got := r.send("GET", "https://qa.example.test/ServiceCenter/Licensing", map[string]string{"Host": host, "Authorization": basic}, "")
		require.NoError(t, got.err)
		require.Equal(t, want, got.status, host)
	}
}

func TestAPageOfAnotherSiteChangesNothing(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	before := len(r.World.Effects())
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.test"}, {"Origin": "null"},
	} {
		header["Authorization"], header["Content-Type"] = basic, "application/x-www-form-urlencoded"
		got := r.send("POST", r.portal(r.Target)+"/register", header, "name=Quality&kind=quality&serial="+string(r.Quality.Serial))
		require.Equal(t, http.StatusForbidden, got.status)
	}
	require.Len(t, r.World.Effects(), before)
	got := r.send("POST", r.portal(r.Target)+"/register", map[string]string{
		"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", "Origin": "https://" + simulator.PortalHost,
	}, "name=Quality&kind=quality&serial="+string(r.Quality.Serial))
	require.Equal(t, 200, got.status, got.body)
}

// Every address that changes something, asked for by GET, does not.
func TestNothingIsChangedByGet(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	before := len(r.World.Effects())
	key := r.environmentKey(r.Quality)
	for _, address := range []string{
		r.Quality.ServiceCenter + "/ServiceCenter/Licensing/Upload",
		r.Quality.ServiceCenter + "/ServiceCenter/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=x&TwoStepMode=false",
		r.LifeTime.ServiceCenter + "/lifetime/pause?environment=Quality&paused=true",
		r.portal(r.Target) + "/register?name=Quality&kind=quality&serial=" + string(r.Quality.Serial),
		"https://" + simulator.PortalHost + "/support/open?key=x",
	} {
		require.Equal(t, 405, r.page(address).status, address)
	}
	require.Equal(t, 405, r.rest("GET", "/environments/"+key+"/maintenancemode", "").status)
	require.Len(t, r.World.Effects(), before)
}

// Every page says what it is, asks for credentials unless it only leads to
// others, and has its links where a browser without a name service finds them.
func TestEveryPageSaysThatItIsASimulation(t *testing.T) {
	scene := worldtest.New(t)
	scene.StartDeployment("Development")
	r := newRig(t, scene, "")
	_, err := r.sim.Person().OpenCase(t.Context(), adapters.Case{Key: "k", Subject: "<b>\"&'", Body: "x"})
	require.NoError(t, err)
	seen, next := map[string]bool{}, []string{"/"}
	for len(next) > 0 {
		path := next[0]
		next = next[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		got := r.page(r.sim.URL() + path)
		require.NoError(t, got.err)
		require.Equal(t, 200, got.status, path)
		if path != "/" {
			require.Equal(t, 401, r.send("GET", r.sim.URL()+path, nil, "").status, path)
		}
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			continue
		}
		require.Contains(t, got.body, "This is a simulation.", path)
		require.NotContains(t, got.body, "<script", path)
		require.NotContains(t, got.body, "<b>\"&", path)
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
		for _, piece := range strings.Split(got.body, `href="`)[1:] {
			link, _, _ := strings.Cut(piece, `"`)
			require.True(t, link == "/" || strings.HasPrefix(link, "/at/"), "%s: %s", path, link)
			next = append(next, strings.ReplaceAll(link, "&amp;", "&"))
		}
		for _, piece := range strings.Split(got.body, `action="`)[1:] {
			require.True(t, strings.HasPrefix(piece, "/at/"), "%s: %s", path, piece)
		}
	}
	require.Greater(t, len(seen), 15)
}

func TestHostileNamesDoNotBreakThePages(t *testing.T) {
	third, err := license.ParseActivationCode("<script>&\"'")
	require.NoError(t, err)
	env := environment.Environment{Name: "\"><script>alert(1)</script>&'", Kind: environment.Quality, ServiceCenter: "https://x.example.test:8443/a/b", Serial: "<i>&amp;-1"}
	lt := environment.Environment{Name: "LT", Kind: environment.LifeTime, ServiceCenter: "https://x.example.test:8443/", Serial: "LT-1"}
	w := fake.New(environment.Infrastructure{Name: "<Org> & \"Co\"", Environments: []environment.Environment{env, lt}}, third, license.ActivationCode{})
	s, err := simulator.Start(w, nil)
	require.NoError(t, err)
	defer s.Close()
	in, err := s.Person().InstalledLicense(t.Context(), env)
	require.NoError(t, err)
	require.Equal(t, w.Installed(env.Name), in)
	in, err = s.Person().InstalledLicense(t.Context(), lt)
	require.NoError(t, err)
	require.Equal(t, lt.Serial, in.Server)
	file, err := s.Person().FetchLicense(t.Context(), third, env)
	require.NoError(t, err)
	require.NoError(t, s.Person().UploadLicense(t.Context(), env, file))
	backup, err := s.Person().BackupLicense(t.Context(), env)
	require.NoError(t, err)
	require.Equal(t, file.Digest(), backup.Digest())
}

func TestSOAPRequestsAreReallyRead(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	const action = "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo"
	good := soap("GetPlatformInfo", "")
	header := func(kind, action string) map[string]string {
		return map[string]string{"Content-Type": kind, "SOAPAction": action}
	}
	for name, c := range map[string]struct {
		header map[string]string
		body   string
		status int
	}{
		"as it should be":                    {header("text/xml; charset=utf-8", `"`+action+`"`), good, 200},
		"without quotes and charset":         {header("text/xml", action), good, 200},
		"with a header in the envelope":      {header("text/xml", action), strings.Replace(good, "<soap:Body>", "<soap:Header><x/></soap:Header><soap:Body>", 1), 200},
		"another prefix":                     {header("text/xml", action), strings.ReplaceAll(strings.ReplaceAll(good, "soap:", "e:"), "xmlns:soap", "xmlns:e"), 200},
		"SOAP 1.2":                           {header("application/soap+xml", action), good, 500},
		"no content type":                    {header("", action), good, 500},
		"another charset":                    {header("text/xml; charset=utf-16", action), good, 500},
		"no SOAPAction":                      {header("text/xml", ""), good, 500},
		"another SOAPAction":                 {header("text/xml", "http://ServiceCenter/OutSystemsPlatform/SetLicense"), good, 500},
		"the element in no namespace":        {header("text/xml", action), strings.Replace(good, ` xmlns="http://www.outsystems.com"`, "", 1), 500},
		"the element in another namespace":   {header("text/xml", action), strings.Replace(good, "http://www.outsystems.com", "http://ServiceCenter/OutSystemsPlatform/", 1), 500},
		"the envelope of SOAP 1.2":           {header("text/xml", action), strings.Replace(good, "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope", 1), 500},
		"an operation that there is not":     {header("text/xml", action), soap("GetInfo", ""), 500},
		"a parameter that there is not":      {header("text/xml", action), soap("GetPlatformInfo", "<x>1</x>"), 500},
		"two elements in the body":           {header("text/xml", action), strings.Replace(good, "</soap:Body>", "<x/></soap:Body>", 1), 500},
		"an empty body":                      {header("text/xml", action), strings.Replace(good, `<GetPlatformInfo xmlns="http://www.outsystems.com"></GetPlatformInfo>`, "", 1), 500},
		"a document type":                    {header("text/xml", action), `<!DOCTYPE x [<!ENTITY a "b">]>` + good[len(`<?xml version="1.0" encoding="utf-8"?>`):], 500},
		"something behind it":                {header("text/xml", action), good + "<x/>", 500},
		"not well-formed":                    {header("text/xml", action), good[:len(good)-3], 500},
		"nested deeply":                      {header("text/xml", action), soap("GetPlatformInfo", strings.Repeat("<a>", 50)+strings.Repeat("</a>", 50)), 500},
		"nothing":                            {header("text/xml", action), "", 500},
		"the bytes that UTF-8 does not have": {header("text/xml", action), soap("GetPlatformInfo", "\xff"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.send("POST", r.Quality.ServiceCenter+"/servicecenter/outsystemsplatform.ASMX", c.header, c.body)
			require.NoError(t, got.err)
			require.Equal(t, c.status, got.status, got.body)
			require.Equal(t, "text/xml; charset=utf-8", got.header.Get("Content-Type"))
			if c.status == 500 {
				require.Contains(t, got.body, "<soap:Fault><faultcode>soap:Client</faultcode><faultstring>")
			}
		})
	}
}

func TestWrongCredentialsAreAnsweredAsEachServiceDoes(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	wrong := "<username>simulated.admin</username><password>#x</password>"
	got := r.post(r.Quality, "OutSystemsPlatform", "http://ServiceCenter/OutSystemsPlatform/SetLicense", soap("SetLicense", wrong+"<fileContent></fileContent>"))
	require.Contains(t, got.body, failure+"<errorText>The user does not have permissions")
	got = r.post(r.Quality, "PlatformServices_v8_0_0", "http://simulation.invalid/ServiceCenter/PlatformServices/Modules_Get", soap("Modules_Get", "<Username>x</Username><Password>y</Password>"))
	require.Equal(t, 500, got.status)
	require.Contains(t, got.body, "<faultcode>soap:Server</faultcode><faultstring>Invalid username or password.")
	got = r.post(r.Quality, "Solutions", "http://ServiceCenter/Solutions/PublishRunningVersion", soap("PublishRunningVersion", wrong+"<SolutionName>x</SolutionName>"))
	require.Equal(t, 500, got.status)
	got = r.send("POST", r.Quality.ServiceCenter+"/ServiceCenter/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=x&TwoStepMode=false", nil, "{}")
	require.Equal(t, 401, got.status)
	require.Contains(t, got.header.Get("WWW-Authenticate"), "Basic")
	for _, auth := range []string{"", "Bearer", "Bearer wrong", "Basic " + simulator.DefaultToken, simulator.DefaultToken} {
		got = r.send("GET", r.LifeTime.ServiceCenter+"/lifetimeapi/rest/v2/environments/", map[string]string{"Authorization": auth}, "")
		require.Equal(t, 401, got.status, auth)
		require.Contains(t, got.body, `"Errors":[`)
	}
}

func TestATwoStepPublishPublishesOnlyWhenItIsContinued(t *testing.T) {
	copies := worldtest.New(t).Copies(t)
	begin := func(t *testing.T) (*rig, int) {
		r := newRig(t, copies(t), "")
		id, message, _ := r.stage(r.Quality, fake.TestModule, true)
		require.NotZero(t, id, message)
		types, _ := r.finish(r.Quality, id)
		require.Equal(t, []string{"Info", "PublishStop"}, types)
		require.Zero(t, r.effects("RepublishModule"))
		return r, id
	}
	number := func(id int) string { return fmt.Sprintf("<PublicationId>%d</PublicationId>", id) }
	t.Run("continued, it publishes", func(t *testing.T) {
		r, id := begin(t)
		require.Equal(t, 200, r.platform(r.Quality, "SolutionPack_PublishContinue", number(id)).status)
		require.Equal(t, 500, r.platform(r.Quality, "SolutionPack_PublishContinue", number(id)).status)
		for range 5 {
			r.poll(r.Quality, id)
		}
		require.Contains(t, r.poll(r.Quality, id).body, "<IsFinished>true")
		require.Equal(t, 1, r.effects("RepublishModule"))
	})
	t.Run("aborted, it changes nothing and frees the module", func(t *testing.T) {
		r, id := begin(t)
		before := len(r.World.Effects())
		require.Equal(t, 200, r.platform(r.Quality, "SolutionPack_PublishAbort", number(id)).status)
		require.Contains(t, r.poll(r.Quality, id).body, "<IsFinished>true")
		require.Equal(t, 500, r.platform(r.Quality, "SolutionPack_PublishContinue", number(id)).status)
		require.Len(t, r.World.Effects(), before)
		types, _ := r.publish(r.Quality, fake.TestModule)
		require.NotContains(t, types, "Error")
	})
	t.Run("left alone, it is aborted after a while", func(t *testing.T) {
		r, id := begin(t)
		for range 40 {
			r.modules(r.Quality)
		}
		require.Contains(t, r.poll(r.Quality, id).body, "nobody has continued it")
		require.Zero(t, r.effects("RepublishModule"))
	})
	t.Run("of another environment, it is not known", func(t *testing.T) {
		r, id := begin(t)
		require.Equal(t, 500, r.platform(r.Dev, "SolutionPack_PublishContinue", number(id)).status)
		require.Equal(t, 500, r.poll(r.Quality, id+1).status)
	})
}

func TestASolutionIsPublishedLikeItsModule(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	publish := func(solution string) reply {
		return r.post(r.Quality, "Solutions", "http://ServiceCenter/Solutions/PublishRunningVersion",
			soap("PublishRunningVersion", "<SolutionName>"+solution+"</SolutionName>"+account("username", "password")))
	}
	require.Contains(t, publish(fake.TestModule).body, "<SolutionPubId>1</SolutionPubId>")
	require.Contains(t, publish(fake.TestModule).body, "<SolutionPubId>2</SolutionPubId>")
	types, all := r.finish(r.Quality, 2)
	require.Equal(t, []string{"Error"}, types)
	require.Contains(t, all, "locked by another operation")
	types, _ = r.finish(r.Quality, 1)
	require.NotContains(t, types, "Error")
	require.Equal(t, 500, publish("Nothing").status)
}

func TestLifeTimeListsTheDeploymentsOfAWeek(t *testing.T) {
	scene := worldtest.New(t)
	at := fake.Start()
	scene.World.Now = func() time.Time { return at }
	scene.StartDeployment("Quality")
	at = at.AddDate(0, 0, 6)
	scene.StartDeployment("Development")
	scene.FinishDeployment("Development")
	at = at.AddDate(0, 0, 4)
	r := newRig(t, scene, "")
	for query, want := range map[string][]string{
		"": {"deployment-2"}, "?MinDate=2000-01-01": {"deployment-2", "deployment-1"}, "?MinDate=2000-01-01&MaxDate=2026-01-05": {"deployment-1"},
		"?MinDate=2000-01-01&TargetEnvironmentKey=" + r.environmentKey(r.Quality): {"deployment-1"},
		"?TargetEnvironmentKey=" + r.environmentKey(r.Quality):                    nil,
		"?MinDate=2000-01-01&MaxDate=2001-01-01":                                  nil,
	} {
		got := r.rest("GET", "/deployments/"+query, "")
		if want == nil {
			require.Equal(t, 204, got.status, query)
			require.Empty(t, got.body)
			continue
		}
		require.Equal(t, 200, got.status, query)
		var names []string
		for _, piece := range strings.Split(got.body, `"Notes":"`)[1:] {
			name, _, _ := strings.Cut(piece, `"`)
			names = append(names, name)
		}
		require.Equal(t, want, names, query)
		require.Contains(t, got.body, `"SavedOn":"1900-01-01T00:00:00"`)
	}
	for _, query := range []string{"?MinDate=yesterday", "?MinDate=%zz"} {
		require.Equal(t, 400, r.rest("GET", "/deployments/"+query, "").status)
	}
	list := r.rest("GET", "/deployments/?MinDate=2000-01-01", "").body
	for i, want := range []string{"finished_successful", "running"} {
		key := strings.Split(strings.Split(list, `{"Key":"`)[i+1], `"`)[0]
		require.Contains(t, r.rest("GET", "/deployments/"+key+"/status/", "").body, `"DeploymentStatus":"`+want+`"`)
	}
	require.Equal(t, 404, r.rest("GET", "/deployments/x/status/", "").status)
	require.Equal(t, 404, r.rest("GET", "/applications/", "").status)
	require.Equal(t, 400, r.rest("PUT", "/environments/"+r.environmentKey(r.Quality)+"/maintenancemode", `{"IsMaintenanceModeEnabled":"yes"}`).status)
	require.Equal(t, 400, r.rest("PUT", "/environments/"+r.environmentKey(r.Quality)+"/maintenancemode", `{}`).status)
	r.World.SetCloud("Quality", true)
	require.Equal(t, 403, r.maintenance(r.Quality, true).status)
}

func TestRequestsThatAreTooLargeAreTurnedAway(t *testing.T) {
	r := newRig(t, worldtest.New(t), "")
	got := r.send("POST", r.Quality.ServiceCenter+"/ServiceCenter/OutSystemsPlatform.asmx", map[string]string{"Content-Type": "text/xml"}, strings.Repeat(" ", 16<<20+1))
	if got.err == nil { // the connection may be closed before the answer is read
		require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
	}
}

func TestAHungSimulationCanBeClosed(t *testing.T) {
	scene := worldtest.New(t)
	before := runtime.NumGoroutine()
	s, err := simulator.Start(scene.World, nil)
	require.NoError(t, err)
	received := s.Hang()
	answers := make(chan error)
	for range 3 {
		go func() {
			_, err := s.Person().InstalledLicense(t.Context(), scene.Quality)
			answers <- err
		}()
	}
	for range 3 {
		<-received
	}
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	for range 3 {
		require.Error(t, <-answers)
	}
	for deadline := time.After(5 * time.Second); runtime.NumGoroutine() > before; {
		select {
		case <-deadline:
			stacks := make([]byte, 1<<20)
			require.Fail(t, "goroutines are left", string(stacks[:runtime.Stack(stacks, true)]))
		case <-time.After(time.Millisecond):
		}
	}
}
