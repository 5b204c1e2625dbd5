package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

// nullTime stands where a time is not known (facts.md 2).
const nullTime = "1900-01-01T00:00:00"

const lifeTimeBase = "/lifetimeapi/rest/v2"

// restEnvironment is an environment as LifeTime lists it (facts.md 2.1).
type restEnvironment struct {
	Key                   string
	Name                  string
	OSVersion             string
	Order                 int
	HostName              string
	UseHTTPS              bool
	EnvironmentType       string
	NumberOfFrontEnds     int
	ApplicationServerType string
	ApplicationServer     string
	DatabaseProvider      string
	IsCloudEnvironment    bool
	IsOffline             *bool `json:",omitempty"`
}

// restDeployment is a deployment as LifeTime lists it (facts.md 2.2).
type restDeployment struct {
	Key                   string
	SourceEnvironmentKey  string
	TargetEnvironmentKey  string
	DetailsURL            string
	Notes                 string
	CreatedOn             string
	CreatedBy             string
	CreatedByUsername     string
	SavedOn               string
	SavedBy               string
	SavedByUsername       string
	StartedOn             string
	StartedBy             string
	StartedByUsername     string
	AbortedOn             string
	AbortedBy             string
	AbortedByUsername     string
	ApplicationOperations []struct{}
}

// restError is an error body of LifeTime (facts.md 2).
func restError(status int, texts ...string) answer {
	return jsonAnswer(status, struct {
		Errors     []string
		StatusCode int
	}{texts, status})
}

// lifeTime finds the route of a call to LifeTime.
func lifeTime(c call, env environment.Environment, path string, inf environment.Infrastructure) (served, bool) {
	switch strings.ToLower(path) {
	case "/lifetime", "/lifetime/":
		return served{"LifeTimePage", env.Name, func(ctx context.Context, p platform) answer { return p.lifeTimePage(ctx, c, c.prefix+basePath(env)) }}, true
	case "/lifetime/pause":
		form := formOf(c)
		return served{"PausePage", form.Get("environment"), func(ctx context.Context, p platform) answer { return p.pausePage(ctx, c, c.prefix+basePath(env), form) }}, true
	}
	rest, ok := strings.CutPrefix(path, lifeTimeBase)
	if !ok {
		return served{}, false
	}
	parts := strings.Split(rest, "/") // "", environments, key, …
	concerned := func() string {
		for _, e := range inf.Environments {
			if len(parts) > 2 && strings.EqualFold(key("environment", e.Name), parts[2]) {
				return e.Name
			}
		}
		return ""
	}
	route := func(op, name, method string, do func(ctx context.Context, p platform) answer) (served, bool) {
		return served{op, name, func(ctx context.Context, p platform) answer {
			switch {
			case !same(c.bearer(), p.token):
				return restError(http.StatusUnauthorized, "The token is not valid.")
			case c.Method != method:
				return restError(http.StatusMethodNotAllowed, "Method not allowed.")
			}
			return do(ctx, p)
		}}, true
	}
	switch {
	case rest == "/environments/":
		return route("environments", env.Name, http.MethodGet, func(ctx context.Context, p platform) answer { return p.environments(ctx, "") })
	case len(parts) == 4 && parts[1] == "environments" && parts[3] == "":
		return route("environment", concerned(), http.MethodGet, func(ctx context.Context, p platform) answer { return p.environments(ctx, parts[2]) })
	case len(parts) == 4 && parts[1] == "environments" && parts[3] == "maintenancemode":
		return route("maintenanceMode", concerned(), http.MethodPut, func(ctx context.Context, p platform) answer { return p.maintenance(ctx, c, parts[2]) })
	case rest == "/deployments/":
		return route("deployments", env.Name, http.MethodGet, func(ctx context.Context, p platform) answer { return p.deployments(ctx, c) })
	case len(parts) == 5 && parts[1] == "deployments" && parts[3] == "status" && parts[4] == "":
		return route("deploymentStatus", env.Name, http.MethodGet, func(_ context.Context, p platform) answer { return p.status(parts[2]) })
	}
	return served{env: env.Name, does: always(restError(http.StatusNotFound, "There is no such resource."))}, true
}

// environments lists those that LifeTime controls, or the one with that key.
func (p platform) environments(ctx context.Context, wanted string) answer {
	list, err := p.world.Set().LifeTime.Registered(ctx)
	if err != nil {
		return restError(http.StatusInternalServerError, "The environments could not be listed.")
	}
	out := []restEnvironment{}
	for i, r := range list {
		env := p.environment(r.Name)
		e := restEnvironment{
			Key: key("environment", r.Name), Name: r.Name, OSVersion: platformVersion, Order: i + 1,
			HostName: r.Address, UseHTTPS: true, EnvironmentType: environmentType(env.Kind), NumberOfFrontEnds: 1,
			ApplicationServerType: ".NET", ApplicationServer: "IIS", DatabaseProvider: "SqlServer",
			IsCloudEnvironment: r.Cloud, IsOffline: &r.Paused,
		}
		if p.hideOffline {
			e.IsOffline = nil
		}
		if wanted == "" || strings.EqualFold(wanted, e.Key) {
			out = append(out, e)
		}
	}
	switch {
	case wanted != "" && len(out) == 0:
		return restError(http.StatusNotFound, "There is no environment with that key.")
	case wanted != "":
		return jsonAnswer(http.StatusOK, out[0])
	case len(out) == 0:
		return answer{status: http.StatusNoContent}
	}
	return jsonAnswer(http.StatusOK, out)
}

func environmentType(kind environment.Kind) string {
	switch kind {
	case environment.Production:
		return "Production"
	case environment.Quality:
		return "Test"
	case environment.Development:
		return "Development"
	}
	return ""
}

// controlled returns the name of the environment with that key.
func (p platform) controlled(ctx context.Context, envKey string) (string, bool) {
	list, err := p.world.Set().LifeTime.Registered(ctx)
	if err != nil {
		return "", false
	}
	for _, r := range list {
		if strings.EqualFold(key("environment", r.Name), envKey) {
			return r.Name, true
		}
	}
	return "", false
}

// maintenance turns the maintenance mode of an environment on or off. Turning
// it on aborts what is running (facts.md 2.3).
func (p platform) maintenance(ctx context.Context, c call, envKey string) answer {
	name, ok := p.controlled(ctx, envKey)
	if !ok {
		return restError(http.StatusNotFound, "There is no environment with that key.")
	}
	var asked struct {
		IsMaintenanceModeEnabled *bool
		Reason                   string
	}
	d := json.NewDecoder(strings.NewReader(string(c.Body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil || asked.IsMaintenanceModeEnabled == nil {
		return restError(http.StatusBadRequest, "IsMaintenanceModeEnabled is needed.")
	}
	text, ok := p.setPaused(ctx, name, *asked.IsMaintenanceModeEnabled)
	switch {
	case ok:
		return answer{status: http.StatusOK}
	case text == "":
		return restError(http.StatusForbidden, "The vendor manages the maintenance mode of this environment.")
	}
	return restError(http.StatusBadRequest, text)
}

// setPaused pauses or resumes the deployments to an environment. It says why
// not; no text means that it is not allowed.
func (p platform) setPaused(ctx context.Context, name string, paused bool) (text string, ok bool) {
	env, life := p.environment(name), p.world.Set().LifeTime
	if !paused {
		return "", life.ResumeDeployments(ctx, env) == nil
	}
	err := life.PauseDeployments(ctx, env)
	if errors.Is(err, adapters.ErrBusy) {
		if err := p.world.AbortDeployments(name); err != nil {
			return "A running deployment cannot be aborted.", false
		}
		err = life.PauseDeployments(ctx, env)
	}
	return "", err == nil
}

// deployments lists deployments, newest first. Unless the call says otherwise
// it begins a week ago (facts.md 2.2).
func (p platform) deployments(ctx context.Context, c call) answer {
	q, err := url.ParseQuery(c.Query)
	if err != nil {
		return restError(http.StatusBadRequest, "The query cannot be read.")
	}
	first, last := p.world.Time().AddDate(0, 0, -7), time.Time{}
	for _, bound := range []struct {
		name string
		to   *time.Time
	}{{"MinDate", &first}, {"MaxDate", &last}} {
		if text := q.Get(bound.name); text != "" {
			if *bound.to, err = time.Parse(time.DateOnly, text); err != nil {
				return restError(http.StatusBadRequest, bound.name+" is not a date.")
			}
		}
	}
	target := q.Get("TargetEnvironmentKey")
	if _, ok := p.controlled(ctx, target); target != "" && !ok {
		return restError(http.StatusNotFound, "There is no environment with that key.")
	}
	out := []restDeployment{}
	for _, d := range p.world.Deployments() {
		envKey := key("environment", d.Environment)
		if target != "" && !strings.EqualFold(target, envKey) ||
			d.Started.Before(first.Truncate(24*time.Hour)) || !last.IsZero() && !d.Started.Before(last.AddDate(0, 0, 1)) {
			continue
		}
		at := d.Started.UTC().Format("2006-01-02T15:04:05Z")
		r := restDeployment{
			Key: key("deployment", d.Name), SourceEnvironmentKey: key("environment", ""), TargetEnvironmentKey: envKey, Notes: d.Name,
			CreatedOn: at, CreatedBy: key("user", p.user), CreatedByUsername: p.user, SavedOn: nullTime,
			StartedOn: at, StartedBy: key("user", p.user), StartedByUsername: p.user, AbortedOn: nullTime,
			ApplicationOperations: []struct{}{},
		}
		if d.State == fake.Aborted {
			r.AbortedOn, r.AbortedByUsername = at, p.user
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return answer{status: http.StatusNoContent}
	}
	slices.Reverse(out)
	return jsonAnswer(http.StatusOK, out)
}

// status says what has become of a deployment.
func (p platform) status(deploymentKey string) answer {
	type entry struct{ Instant, Message, Type string }
	for _, d := range p.world.Deployments() {
		if strings.EqualFold(key("deployment", d.Name), deploymentKey) {
			state := map[fake.DeploymentState]string{
				fake.Running: "running", fake.Finished: "finished_successful", fake.Aborted: "aborted",
			}[d.State]
			return jsonAnswer(http.StatusOK, struct {
				DeploymentStatus, Info string
				DeploymentLog          []entry
			}{state, "", []entry{{d.Started.UTC().Format("2006-01-02T15:04:05.000Z"), "Deployment to " + printable.Text(d.Environment) + " started.", "Info"}}})
		}
	}
	return restError(http.StatusNotFound, "There is no deployment with that key.")
}
