package simulator_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/internal/worldtest"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// rig is a simulation and a client that knows nothing but HTTP.
type rig struct {
	*testing.T
	worldtest.Scene
	sim    *simulator.Simulator
	client *http.Client
	dir    string
}

func newRig(t *testing.T, scene worldtest.Scene, dir string, faults ...simulator.Fault) *rig {
	t.Helper()
	r := &rig{T: t, Scene: scene, dir: dir}
	r.start(faults...)
	t.Cleanup(func() { require.NoError(t, r.sim.Close()) })
	return r
}

func (r *rig) start(faults ...simulator.Fault) {
	r.Helper()
	var err error
	r.sim, err = simulator.Start(r.World, &simulator.Options{Dir: r.dir, Scenario: simulator.Scenario{Faults: faults}})
	require.NoError(r, err)
	r.client = &http.Client{
		Timeout:       5 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: r.sim.TLS(), DialContext: r.sim.Dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// restart ends the simulation and starts it with another world, which it
// replaces by the one that was kept.
func (r *rig) restart() {
	r.Helper()
	require.NoError(r, r.sim.Close())
	r.World = new(fake.World)
	r.start()
}

func (r *rig) inject(faults ...simulator.Fault) {
	r.Helper()
	require.NoError(r, r.sim.Inject(faults...))
}

// reply is an answer, or why there is none.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (r *rig) send(method, address string, header map[string]string, body string) reply {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, address, strings.NewReader(body))
	require.NoError(r, err)
	for name, value := range header {
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(b), err}
}

var basic = "Basic " + base64.StdEncoding.EncodeToString([]byte(simulator.DefaultUser+":"+simulator.DefaultPassword))

func soap(operation, inner string) string {
	return `<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>` +
		`<` + operation + ` xmlns="http://www.outsystems.com">` + inner + `</` + operation + `></soap:Body></soap:Envelope>`
}

func (r *rig) post(env environment.Environment, service, action, body string) reply {
	r.Helper()
	return r.send("POST", env.ServiceCenter+"/ServiceCenter/"+service+".asmx",
		map[string]string{"Content-Type": "text/xml; charset=utf-8", "SOAPAction": `"` + action + `"`}, body)
}

func (r *rig) platformInfo(env environment.Environment) reply {
	r.Helper()
	return r.post(env, "OutSystemsPlatform", "http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo", soap("GetPlatformInfo", ""))
}

func (r *rig) setLicense(env environment.Environment, file license.File) reply {
	r.Helper()
	return r.post(env, "OutSystemsPlatform", "http://ServiceCenter/OutSystemsPlatform/SetLicense", soap("SetLicense",
		account("username", "password")+"<fileContent>"+base64.StdEncoding.EncodeToString(file.Bytes())+"</fileContent>"))
}

func account(user, password string) string {
	return fmt.Sprintf("<%s>%s</%s><%s>%s</%s>", user, simulator.DefaultUser, user, password, simulator.DefaultPassword, password)
}

// platform calls an operation of PlatformServices with the names that this
// simulator's WSDL gives.
func (r *rig) platform(env environment.Environment, operation, inner string) reply {
	r.Helper()
	return r.post(env, "PlatformServices_v8_0_0", "http://simulation.invalid/ServiceCenter/PlatformServices/"+operation,
		soap(operation, account("Username", "Password")+inner))
}

func (r *rig) modules(env environment.Environment) reply {
	r.Helper()
	return r.platform(env, "Modules_Get", "")
}

// stage begins a publish of the module and returns what was answered.
func (r *rig) stage(env environment.Environment, module string, twoStep bool) (id int, message string, got reply) {
	r.Helper()
	key := ""
	if found := regexp.MustCompile(`<Name>` + module + `</Name><Key>([^<]*)</Key>`).FindStringSubmatch(r.modules(env).body); found != nil {
		key = found[1]
	}
	got = r.send("POST", fmt.Sprintf("%s/ServiceCenter/rest/PlatformServices/Staging_PublishWith2StepOption?StagingName=probe&TwoStepMode=%t", env.ServiceCenter, twoStep),
		map[string]string{"Content-Type": "application/json", "Authorization": basic},
		`{"ModulesToPublish":[{"REST_Module":{"Name":"`+module+`","Key":"`+key+`","Kind":"eSpace"}}],"ApplicationsToUpdate":[]}`)
	var out struct {
		PublishID int `json:"publishId"`
		Messages  []struct {
			M struct{ Message string } `json:"REST_PublicationMessage"`
		}
	}
	_ = json.Unmarshal([]byte(got.body), &out)
	if len(out.Messages) > 0 {
		message = out.Messages[0].M.Message
	}
	return out.PublishID, message, got
}

// poll asks what a publication has said.
func (r *rig) poll(env environment.Environment, id int) reply {
	r.Helper()
	return r.platform(env, "SolutionPack_GetPublishMessages", fmt.Sprintf("<PublicationId>%d</PublicationId><AfterId>0</AfterId>", id))
}

// publish begins a publish and polls until it has finished or stopped.
func (r *rig) publish(env environment.Environment, module string) (types []string, all string) {
	r.Helper()
	id, message, got := r.stage(env, module, false)
	require.NotZero(r, id, "%s %s", message, got.body)
	return r.finish(env, id)
}

var messageType = regexp.MustCompile(`<Type>(\w+)</Type>`)

func (r *rig) finish(env environment.Environment, id int) (types []string, all string) {
	r.Helper()
	for range 20 {
		got := r.poll(env, id)
		if strings.Contains(got.body, "<IsFinished>true") || strings.Contains(got.body, "PublishStop") {
			for _, m := range messageType.FindAllStringSubmatch(got.body, -1) {
				types = append(types, m[1])
			}
			return types, got.body
		}
	}
	return nil, ""
}

func (r *rig) rest(method, path, body string) reply {
	r.Helper()
	return r.send(method, r.LifeTime.ServiceCenter+"/lifetimeapi/rest/v2"+path,
		map[string]string{"Authorization": "Bearer " + simulator.DefaultToken, "Content-Type": "application/json"}, body)
}

func (r *rig) environments() reply {
	r.Helper()
	return r.rest("GET", "/environments/", "")
}

// environmentKey is the key that LifeTime has for an environment.
func (r *rig) environmentKey(env environment.Environment) string {
	r.Helper()
	var list []struct{ Key, Name string }
	require.NoError(r, json.Unmarshal([]byte(r.environments().body), &list))
	for _, e := range list {
		if e.Name == env.Name {
			return e.Key
		}
	}
	return "00000000-0000-0000-0000-000000000000"
}

func (r *rig) maintenance(env environment.Environment, on bool) reply {
	r.Helper()
	return r.rest("PUT", "/environments/"+r.environmentKey(env)+"/maintenancemode",
		fmt.Sprintf(`{"IsMaintenanceModeEnabled":%t,"Reason":"test"}`, on))
}

func (r *rig) page(address string) reply {
	r.Helper()
	return r.send("GET", address, map[string]string{"Authorization": basic}, "")
}

func (r *rig) licensing(env environment.Environment) reply {
	r.Helper()
	return r.page(env.ServiceCenter + "/ServiceCenter/Licensing")
}

// shows is the activation code on the licensing page; empty: none is shown.
func (r *rig) shows(env environment.Environment) string {
	r.Helper()
	found := regexp.MustCompile(`id="code">([^<]*)<`).FindStringSubmatch(r.licensing(env).body)
	if found == nil {
		return ""
	}
	return found[1]
}

// portal is the address of a code's page at the portal.
func (r *rig) portal(code license.ActivationCode) string {
	r.Helper()
	list := r.page("https://" + simulator.PortalHost + "/licensing").body
	found := regexp.MustCompile(regexp.QuoteMeta(code.Reveal()) + `</td><td>\d+</td><td><a [^>]*href="([^"]*)"`).FindStringSubmatch(list)
	if found == nil {
		return ""
	}
	return "https://" + simulator.PortalHost + found[1]
}

func (r *rig) download(code license.ActivationCode, env environment.Environment) reply {
	r.Helper()
	return r.page(r.portal(code) + "/license?serial=" + url.QueryEscape(string(env.Serial)))
}

func (r *rig) register(code license.ActivationCode, env environment.Environment) reply {
	r.Helper()
	return r.send("POST", r.portal(code)+"/register",
		map[string]string{"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"},
		url.Values{"name": {env.Name}, "kind": {string(env.Kind)}, "serial": {string(env.Serial)}}.Encode())
}

// inspected is the license in an answer.
func (r *rig) inspected(got reply) license.Details {
	r.Helper()
	file, err := license.NewFile([]byte(got.body))
	require.NoError(r, err)
	d, err := license.Inspect(file)
	require.NoError(r, err)
	return d
}

// installed is the code that is really installed.
func (r *rig) installed(env environment.Environment) license.ActivationCode {
	return r.World.Installed(env.Name).Code
}

// effects are those since a number of them.
func (r *rig) effects(method string) (n int) {
	for _, e := range r.World.Effects() {
		if e.Method == method {
			n++
		}
	}
	return n
}

func (r *rig) admin(method, path, body string) reply {
	r.Helper()
	return r.send(method, "https://"+simulator.AdminHost+path, map[string]string{simulator.AdminHeader: r.sim.AdminToken()}, body)
}
