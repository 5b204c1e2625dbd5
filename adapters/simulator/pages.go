package simulator

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

//go:embed pages.html
var pagesHTML string

// pages draws the pages for people. What they show comes from a world that
// anybody may have filled: html/template escapes it.
var pages = template.Must(template.New("pages").Parse(pagesHTML))

// head is what every page has. Base is put before its links.
type head struct{ Title, Base, Home string }

func header(c call, title, base string) head {
	h := head{Title: title, Base: base}
	if c.prefix != "" {
		h.Home = "/"
	}
	return h
}

func page(status int, name string, data any) answer {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		return answer{status: http.StatusInternalServerError}
	}
	return htmlAnswer(status, b.Bytes())
}

// resultPage says what came of a form. A refusal names the condition, as its
// text would tell a person.
type resultPage struct {
	head
	Refused         bool
	Condition, Text string
	Back            string
}

func done(c call, title, text, back string) answer {
	return page(http.StatusOK, "result", resultPage{head: header(c, title, ""), Text: text, Back: back})
}

func refusedPage(c call, title string, condition *adapters.Condition, text, back string) answer {
	r := resultPage{head: header(c, title, ""), Refused: true, Text: text, Back: back}
	if condition != nil {
		r.Condition = condition.Condition()
	}
	return page(http.StatusConflict, "result", r)
}

// form is what a form was filled in with.
type form struct {
	url.Values
	files map[string][]*multipart.FileHeader
}

// formOf reads the body of a POST. What cannot be read is empty.
func formOf(c call) form {
	r := &http.Request{
		Method: http.MethodPost, URL: new(url.URL), Header: http.Header{"Content-Type": {c.Type}},
		Body: io.NopCloser(bytes.NewReader(c.Body)),
	}
	if strings.HasPrefix(c.Type, "multipart/form-data") {
		if r.ParseMultipartForm(maxBody) != nil {
			return form{Values: url.Values{}}
		}
		return form{r.PostForm, r.MultipartForm.File}
	}
	if c.Method != http.MethodPost || r.ParseForm() != nil {
		return form{Values: url.Values{}}
	}
	return form{Values: r.PostForm}
}

// file returns the bytes of an uploaded file.
func (f form) file(name string) ([]byte, bool) {
	if len(f.files[name]) != 1 {
		return nil, false
	}
	in, err := f.files[name][0].Open()
	if err != nil {
		return nil, false
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	return b, err == nil
}

// basePath is the path of an environment's address, without a slash at the
// end.
func basePath(env environment.Environment) string {
	u, err := url.Parse(env.ServiceCenter)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

type featureRow struct {
	N                  int
	Name, Limit, Usage string
}

// licensingPage shows what facts.md 3.3 says of Administration > Licensing.
func (p platform) licensingPage(ctx context.Context, c call, env environment.Environment) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	in, err := p.world.Set().ServiceCenter.InstalledLicense(ctx, env)
	if err != nil {
		return htmlAnswer(http.StatusInternalServerError, nil)
	}
	return p.showLicense(c, env, in)
}

func (p platform) showLicense(c call, env environment.Environment, in license.Installed) answer {
	data := struct {
		head
		State                                           string
		Installed                                       bool
		Organization, Edition, Type, Code, Serial, Ends string
		Features                                        []featureRow
	}{
		head: header(c, "Licensing of "+env.Name, c.prefix+basePath(env)), Installed: !in.Code.IsZero(),
		Organization: p.world.Infrastructure().Name, Type: in.Type, Code: in.Code.Reveal(), Serial: string(in.Serial), Ends: "Never",
	}
	if !in.Ends.IsZero() {
		data.Ends = in.Ends.UTC().Format(time.DateOnly)
	}
	switch {
	case in.Code.IsZero():
		data.State = "No license was found for this server"
	case in.Serial != in.Server:
		data.State = invalidSerial(in.Serial)
	case !in.Ends.IsZero() && !p.world.Time().Before(in.Ends.Add(24*time.Hour)):
		data.State = "This server license has expired."
	default:
		data.State = "Your license is valid for this server and all features are within licensed limits."
	}
	if in.IPP != "" {
		data.Features = append(data.Features, featureRow{1, "Intellectual Property", string(in.IPP), string(in.IPP)})
	}
	for _, f := range in.Features {
		data.Features = append(data.Features, featureRow{len(data.Features) + 1, f.Name, f.Limit, ""})
	}
	return page(http.StatusOK, "licensing", data)
}

// uploadPage installs the file that a person has chosen.
func (p platform) uploadPage(ctx context.Context, c call, env environment.Environment) answer {
	if c.Method != http.MethodPost {
		return notAllowed()
	}
	if !p.signedIn(c) {
		return unauthorized()
	}
	const title = "Upload New License"
	back := c.prefix + basePath(env) + "/ServiceCenter/Licensing"
	b, ok := formOf(c).file("license")
	if !ok {
		return refusedPage(c, title, nil, "Choose a file.", back)
	}
	text, condition := p.upload(ctx, env, b)
	switch {
	case condition == nil:
		return done(c, title, "The license was installed.", back)
	case text == "":
		return answer{silent: true}
	}
	return refusedPage(c, title, condition, text, back)
}

// backupLicense gives the installed license.
func (p platform) backupLicense(ctx context.Context, c call, env environment.Environment) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	b, ok := p.world.Set().ServiceCenter.(adapters.LicenseBackuper)
	if !ok {
		return notFound()
	}
	file, err := b.BackupLicense(ctx, env)
	if err != nil {
		return refusedPage(c, "Backup License", adapters.ConditionOf(err), said(env.Name, err), c.prefix+basePath(env)+"/ServiceCenter/Licensing")
	}
	return answer{status: http.StatusOK, kind: "application/octet-stream", filename: "license.lic", body: file.Bytes()}
}

type lifeTimeRow struct {
	N                                      int
	Name, Host, State, Running, Next, Verb string
}

// lifeTimePage lists the environments that LifeTime controls.
func (p platform) lifeTimePage(ctx context.Context, c call, base string) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	list, err := p.world.Set().LifeTime.Registered(ctx)
	if err != nil {
		return htmlAnswer(http.StatusInternalServerError, nil)
	}
	data := struct {
		head
		Action       string
		Environments []lifeTimeRow
	}{head: header(c, "LifeTime: Environments", base), Action: base + "/lifetime/pause"}
	for i, r := range list {
		row := lifeTimeRow{i + 1, r.Name, r.Address, "running", strings.Join(r.Running, ", "), "true", "Pause"}
		if r.Paused {
			row.State, row.Next, row.Verb = "paused", "false", "Resume"
		}
		data.Environments = append(data.Environments, row)
	}
	return page(http.StatusOK, "lifetime", data)
}

// pausePage turns the maintenance mode of an environment on or off. A person
// is asked first when something is running; so nothing is aborted here.
func (p platform) pausePage(ctx context.Context, c call, base string, f form) answer {
	if c.Method != http.MethodPost {
		return notAllowed()
	}
	if !p.signedIn(c) {
		return unauthorized()
	}
	life := p.world.Set().LifeTime
	// The name alone: one that LifeTime does not know is its to refuse.
	env := environment.Environment{Name: f.Get("environment")}
	act, text := life.ResumeDeployments, "Deployments are running."
	if f.Get("paused") == "true" {
		act, text = life.PauseDeployments, "Deployments are paused."
	}
	if err := act(ctx, env); err != nil {
		return refusedPage(c, "LifeTime", adapters.ConditionOf(err), said(env.Name, err), base+"/lifetime")
	}
	return done(c, "LifeTime", text, base+"/lifetime")
}
