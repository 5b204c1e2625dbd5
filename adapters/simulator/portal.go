package simulator

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// PortalHost is the host of the vendor's pages: the Licensing Portal and
// Support. There is no such host outside the simulation.
const PortalHost = "portal.simulation.invalid"

// BackupPath is the path of the link Backup License on the simulated licensing
// pages, behind an environment's address. A real one's is not documented.
const BackupPath = "/ServiceCenter/Licensing/Backup"

// vendor finds the route of a call to the vendor's pages.
func vendor(c call, p platform) (served, bool) {
	parts := strings.Split(strings.Trim(c.Path, "/"), "/")
	concerned := func(text string) string {
		serial := license.SerialNumber(strings.TrimSpace(text))
		for _, env := range p.world.Infrastructure().Environments {
			if serial != "" && (env.Serial == serial || p.world.Installed(env.Name).Server == serial) {
				return env.Name
			}
		}
		return ""
	}
	query, err := url.ParseQuery(c.Query)
	if err != nil {
		query = nil
	}
	switch {
	case len(parts) == 1 && parts[0] == "licensing":
		return served{"PortalPage", "", func(_ context.Context, p platform) answer { return p.portalPage(c) }}, true
	case len(parts) == 2 && parts[0] == "licensing":
		return served{"InfrastructurePage", "", func(_ context.Context, p platform) answer { return p.infrastructurePage(c, parts[1]) }}, true
	case len(parts) == 3 && parts[0] == "licensing" && parts[2] == "license":
		return served{"DownloadLicense", concerned(query.Get("serial")), func(ctx context.Context, p platform) answer { return p.download(ctx, c, parts[1], query.Get("serial")) }}, true
	case len(parts) == 3 && parts[0] == "licensing" && parts[2] == "register":
		f := formOf(c)
		return served{"RegisterEnvironment", concerned(f.Get("serial")), func(ctx context.Context, p platform) answer { return p.registerPage(ctx, c, parts[1], f) }}, true
	case len(parts) == 1 && parts[0] == "support":
		return served{"SupportPage", "", func(ctx context.Context, p platform) answer { return p.supportPage(ctx, c) }}, true
	case len(parts) == 2 && parts[0] == "support" && parts[1] == "find":
		return served{"FindCase", "", func(ctx context.Context, p platform) answer { return p.findCase(ctx, c, query.Get("key")) }}, true
	case len(parts) == 2 && parts[0] == "support" && parts[1] == "open":
		return served{"OpenCase", "", func(ctx context.Context, p platform) answer { return p.openCase(ctx, c, formOf(c)) }}, true
	}
	return served{}, false
}

// account finds what is kept under the code with that key.
func (p platform) account(codeKey string) (fake.Account, bool) {
	for _, a := range p.world.Accounts() {
		if key("code", a.Code.Reveal()) == codeKey {
			return a, true
		}
	}
	return fake.Account{}, false
}

func (p platform) portalPage(c call) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	type row struct {
		N, Environments int
		Code, Link      string
	}
	data := struct {
		head
		Infrastructures []row
	}{head: header(c, "Licensing Portal", c.prefix)}
	for i, a := range p.world.Accounts() {
		data.Infrastructures = append(data.Infrastructures,
			row{i + 1, len(a.Registered), a.Code.Reveal(), c.prefix + "/licensing/" + key("code", a.Code.Reveal())})
	}
	return page(http.StatusOK, "portal", data)
}

func (p platform) infrastructurePage(c call, codeKey string) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	a, ok := p.account(codeKey)
	if !ok {
		return notFound()
	}
	type row struct {
		N                            int
		Name, Kind, Serial, Download string
	}
	type slotRow struct {
		N    int
		Kind environment.Kind
		Free int
	}
	base := c.prefix + "/licensing/" + codeKey
	data := struct {
		head
		Code, Register string
		Environments   []row
		Slots          []slotRow
		Kinds          []environment.Kind
	}{head: header(c, "Licensing Portal: Environments", c.prefix), Code: a.Code.Reveal(), Register: base + "/register", Kinds: environment.Kinds()}
	for i, r := range a.Registered {
		data.Environments = append(data.Environments,
			row{i + 1, r.Environment, string(r.Kind), string(r.Serial), base + "/license?serial=" + url.QueryEscape(string(r.Serial))})
	}
	for i, s := range a.Slots {
		data.Slots = append(data.Slots, slotRow{i + 1, s.Kind, s.Free})
	}
	return page(http.StatusOK, "infrastructure", data)
}

func (p platform) download(ctx context.Context, c call, codeKey, serial string) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	a, ok := p.account(codeKey)
	if !ok {
		return notFound()
	}
	env := environment.Environment{Name: serial, Serial: license.SerialNumber(serial)}
	file, err := p.world.Set().Portal.FetchLicense(ctx, a.Code, env)
	if err != nil {
		return refusedPage(c, "Download License", adapters.ConditionOf(err), said(serial, err), c.prefix+"/licensing/"+codeKey)
	}
	return answer{status: http.StatusOK, kind: "application/octet-stream", filename: serial + ".lic", body: file.Bytes()}
}

func (p platform) registerPage(ctx context.Context, c call, codeKey string, f form) answer {
	if c.Method != http.MethodPost {
		return notAllowed()
	}
	if !p.signedIn(c) {
		return unauthorized()
	}
	a, ok := p.account(codeKey)
	if !ok {
		return notFound()
	}
	const title = "Register Environment"
	back := c.prefix + "/licensing/" + codeKey
	env := environment.Environment{
		Name: f.Get("name"), Kind: environment.Kind(f.Get("kind")), Serial: license.SerialNumber(strings.TrimSpace(f.Get("serial"))),
	}
	if _, err := license.ParseSerialNumber(string(env.Serial)); err != nil || !env.Kind.Known() || env.Name == "" {
		return refusedPage(c, title, nil, "Name, kind and serial number are needed.", back)
	}
	if err := p.world.Set().Portal.RegisterSerial(ctx, a.Code, env); err != nil {
		return refusedPage(c, title, adapters.ConditionOf(err), "There is no free slot for an environment of this kind.", back)
	}
	return done(c, title, "The environment was registered.", back)
}

func (p platform) supportPage(ctx context.Context, c call) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	type row struct {
		N                       int
		Reference, Key, Subject string
	}
	data := struct {
		head
		Cases []row
	}{head: header(c, "Support", c.prefix)}
	for i, asked := range p.world.Cases() {
		reference, err := p.world.Set().Support.FindCase(ctx, asked.Key)
		if err != nil {
			return htmlAnswer(http.StatusInternalServerError, nil)
		}
		data.Cases = append(data.Cases, row{i + 1, reference, asked.Key, asked.Subject})
	}
	slices.Reverse(data.Cases)
	return page(http.StatusOK, "support", data)
}

func (p platform) findCase(ctx context.Context, c call, caseKey string) answer {
	if !p.signedIn(c) {
		return unauthorized()
	}
	reference, err := p.world.Set().Support.FindCase(ctx, caseKey)
	if err != nil {
		return refusedPage(c, "Support", adapters.ConditionOf(err), "There is no case with this key.", c.prefix+"/support")
	}
	return done(c, "Support", reference, c.prefix+"/support")
}

func (p platform) openCase(ctx context.Context, c call, f form) answer {
	if c.Method != http.MethodPost {
		return notAllowed()
	}
	if !p.signedIn(c) {
		return unauthorized()
	}
	asked := adapters.Case{Key: f.Get("key"), Subject: f.Get("subject"), Body: f.Get("body")}
	reference, err := p.world.Set().Support.OpenCase(ctx, asked)
	if err != nil {
		return refusedPage(c, "Support", adapters.ConditionOf(err), "A case needs a key.", c.prefix+"/support")
	}
	return done(c, "Support", reference, c.prefix+"/support")
}
