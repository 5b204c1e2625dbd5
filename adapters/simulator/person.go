package simulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
	"github.com/changeover-go/changeover/license"
)

// A Person sits in front of the pages of a simulation and does what a person
// does there, over HTTPS: the vendor's portal, Support, and the licensing pages
// of the Service Centers. Tests and rehearsals use it where a real run has
// somebody at a desk, for example package attended. It reads the pages of this
// package and of no other system.
type Person struct {
	s      *Simulator
	client *wire.Client
	err    error // why there is no client
}

var (
	_ adapters.LicensePortal   = (*Person)(nil)
	_ adapters.SupportDesk     = (*Person)(nil)
	_ adapters.LicenseBackuper = (*Person)(nil)
	_ adapters.Describer       = (*Person)(nil)
)

// Person returns somebody who uses the pages.
func (s *Simulator) Person() *Person {
	client, err := wire.New(wire.Options{TLS: s.TLS(), Dial: s.Dial, Timeout: personTimeout})
	return &Person{s: s, client: client, err: err}
}

// personTimeout is how long a person waits for a page.
const personTimeout = 30 * time.Second

// Describe implements [adapters.Describer].
func (*Person) Describe() string { return "simulated person at the simulation's pages" }

// FetchLicense implements [adapters.LicensePortal].
func (p *Person) FetchLicense(ctx context.Context, code license.ActivationCode, env environment.Environment) (license.File, error) {
	_, row, err := p.registered(ctx, code, env)
	if err != nil {
		return license.File{}, err
	}
	if row == "" {
		return license.File{}, refusal(env.Name, adapters.ErrSerialNotFound)
	}
	return p.download(ctx, "https://"+PortalHost+row, env.Name)
}

// SerialRegistered implements [adapters.LicensePortal].
func (p *Person) SerialRegistered(ctx context.Context, code license.ActivationCode, env environment.Environment) (bool, error) {
	_, row, err := p.registered(ctx, code, env)
	return row != "", err
}

// RegisterSerial implements [adapters.LicensePortal].
func (p *Person) RegisterSerial(ctx context.Context, code license.ActivationCode, env environment.Environment) error {
	link, row, err := p.registered(ctx, code, env)
	switch {
	case err != nil:
		return err
	case row != "":
		return nil
	case link == "":
		return refusal(env.Name, adapters.ErrNoSlot)
	}
	form := url.Values{"name": {env.Name}, "kind": {string(env.Kind)}, "serial": {string(env.Serial)}}
	_, err = p.submit(ctx, "https://"+PortalHost+link+"/register", form, env.Name)
	return err
}

// registered looks for an environment under a code: the link to the code's
// page, and the one to the environment's license. Both are empty when they are
// not there.
func (p *Person) registered(ctx context.Context, code license.ActivationCode, env environment.Environment) (link, row string, err error) {
	list, err := p.open(ctx, "https://"+PortalHost+"/licensing", "Licensing Portal")
	if err != nil {
		return "", "", err
	}
	for n := 1; list.has("infrastructure-%d-code", n); n++ {
		if list.text("infrastructure-%d-code", n) == code.Reveal() {
			link = list.link("infrastructure-%d-open", n)
		}
	}
	if link == "" {
		return "", "", nil
	}
	shown, err := p.open(ctx, "https://"+PortalHost+link, "Licensing Portal")
	if err != nil {
		return "", "", err
	}
	if shown.text("code") != code.Reveal() {
		return "", "", errors.New("licensing Portal: the page is about another activation code")
	}
	for n := 1; shown.has("environment-%d-serial", n); n++ {
		if shown.text("environment-%d-serial", n) == string(env.Serial) {
			return link, shown.link("environment-%d-download", n), nil
		}
	}
	return link, "", nil
}

// OpenCase implements [adapters.SupportDesk].
func (p *Person) OpenCase(ctx context.Context, c adapters.Case) (string, error) {
	shown, err := p.submit(ctx, "https://"+PortalHost+"/support/open",
		url.Values{"key": {c.Key}, "subject": {c.Subject}, "body": {c.Body}}, "Support")
	if err != nil {
		return "", err
	}
	return shown.text("done"), nil
}

// FindCase implements [adapters.SupportDesk].
func (p *Person) FindCase(ctx context.Context, caseKey string) (string, error) {
	shown, err := p.open(ctx, "https://"+PortalHost+"/support/find?"+url.Values{"key": {caseKey}}.Encode(), "Support")
	if err != nil {
		return "", err
	}
	if !shown.has("done") {
		return "", errors.New("support: the page shows no reference")
	}
	return shown.text("done"), nil
}

// InstalledLicense reads the server's own serial number by GetPlatformInfo and
// the licensing page.
func (p *Person) InstalledLicense(ctx context.Context, env environment.Environment) (in license.Installed, err error) {
	if in.Server, err = p.serial(ctx, env); err != nil {
		return license.Installed{}, err
	}
	shown, err := p.open(ctx, licensing(env), env.Name)
	if err != nil {
		return license.Installed{}, err
	}
	if shown.has("none") {
		return in, nil
	}
	for _, id := range []string{"code", "serial", "type", "ends"} {
		if !shown.has(id) {
			return license.Installed{}, fmt.Errorf("%s: the licensing page does not show everything", printable.Text(env.Name))
		}
	}
	code, errCode := license.ParseActivationCode(shown.text("code"))
	serial, errSerial := license.ParseSerialNumber(shown.text("serial"))
	var ends time.Time
	var errEnds error
	if text := shown.text("ends"); text != "Never" {
		ends, errEnds = time.Parse(time.DateOnly, text)
	}
	if err := errors.Join(errCode, errSerial, errEnds); err != nil {
		return license.Installed{}, fmt.Errorf("%s: the licensing page cannot be read", printable.Text(env.Name))
	}
	in.Code, in.Serial, in.Type, in.Ends = code, serial, shown.text("type"), ends
	for n := 1; shown.has("feature-%d-name", n); n++ {
		name, limit := shown.text("feature-%d-name", n), shown.text("feature-%d-limit", n)
		if name == "Intellectual Property" {
			in.IPP = license.IPP(limit)
			continue
		}
		in.Features = append(in.Features, license.Feature{Name: name, Limit: limit})
	}
	return in, nil
}

// BackupLicense implements [adapters.LicenseBackuper].
func (p *Person) BackupLicense(ctx context.Context, env environment.Environment) (license.File, error) {
	return p.download(ctx, strings.TrimRight(env.ServiceCenter, "/")+BackupPath, env.Name)
}

// UploadLicense uploads the file on the licensing page.
func (p *Person) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part, err := m.CreateFormFile("license", "license.lic")
	if err == nil {
		_, err = part.Write(file.Bytes())
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", adapters.ErrNotReached, err)
	}
	a, err := p.do(ctx, http.MethodPost, licensing(env)+"/Upload", m.FormDataContentType(), body.Bytes())
	if err != nil {
		return err
	}
	shown, err := read(a, env.Name)
	if err == nil && !shown.has("done") {
		err = fmt.Errorf("%s: the page does not say what came of it", printable.Text(env.Name))
	}
	return err
}

func licensing(env environment.Environment) string {
	return strings.TrimRight(env.ServiceCenter, "/") + "/ServiceCenter/Licensing"
}

// serial asks the server for its own serial number (facts.md 3.1).
func (p *Person) serial(ctx context.Context, env environment.Environment) (license.SerialNumber, error) {
	a, err := p.call(ctx, wire.Request{
		Method: http.MethodPost,
		Header: http.Header{
			"Content-Type": {"text/xml; charset=utf-8"},
			"SOAPAction":   {`"http://ServiceCenter/OutSystemsPlatform/GetPlatformInfo"`},
		},
		Body: []byte(`<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="` + envelopeNS + `"><soap:Body><GetPlatformInfo xmlns="` + elementNS + `" /></soap:Body></soap:Envelope>`),
	}, strings.TrimRight(env.ServiceCenter, "/")+"/ServiceCenter/OutSystemsPlatform.asmx")
	if err != nil {
		return "", err
	}
	text, err := a.Text("text/xml")
	if err != nil {
		return "", fmt.Errorf("%s: %w", printable.Text(env.Name), err)
	}
	var got struct {
		Serial string `xml:"Body>GetPlatformInfoResponse>Serial"`
	}
	if a.Status != http.StatusOK || xml.Unmarshal(text, &got) != nil {
		return "", fmt.Errorf("%s: the server does not state its serial number (status %d)", printable.Text(env.Name), a.Status)
	}
	serial, err := license.ParseSerialNumber(got.Serial)
	if err != nil {
		return "", fmt.Errorf("%s: the server does not state its serial number: %w", printable.Text(env.Name), err)
	}
	return serial, nil
}

// open reads a page.
func (p *Person) open(ctx context.Context, address, where string) (shownPage, error) {
	a, err := p.do(ctx, http.MethodGet, address, "", nil)
	if err != nil {
		return nil, err
	}
	return read(a, where)
}

// submit sends a form and reads what came of it.
func (p *Person) submit(ctx context.Context, address string, form url.Values, where string) (shownPage, error) {
	a, err := p.do(ctx, http.MethodPost, address, "application/x-www-form-urlencoded", []byte(form.Encode()))
	if err != nil {
		return nil, err
	}
	shown, err := read(a, where)
	if err == nil && !shown.has("done") {
		err = fmt.Errorf("%s: the page does not say what came of it", printable.Text(where))
	}
	return shown, err
}

// download gets a license file.
func (p *Person) download(ctx context.Context, address, where string) (license.File, error) {
	a, err := p.do(ctx, http.MethodGet, address, "", nil)
	if err != nil {
		return license.File{}, err
	}
	if a.Status != http.StatusOK || a.Type != "application/octet-stream" {
		if _, err := read(a, where); err != nil {
			return license.File{}, err
		}
		return license.File{}, fmt.Errorf("%s: there is a page where a license file should be", printable.Text(where))
	}
	file, err := license.NewFile(a.Body)
	if err != nil {
		return license.File{}, fmt.Errorf("%s: %w", printable.Text(where), err)
	}
	return file, nil
}

// do makes a request with the credentials of the simulation.
func (p *Person) do(ctx context.Context, method, address, kind string, body []byte) (wire.Answer, error) {
	r := wire.Request{Method: method, Body: body, Header: http.Header{"Authorization": {
		"Basic " + base64.StdEncoding.EncodeToString([]byte(p.s.accounts.user+":"+p.s.accounts.password)),
	}}}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return p.call(ctx, r, address)
}

func (p *Person) call(ctx context.Context, r wire.Request, address string) (wire.Answer, error) {
	if p.err != nil {
		return wire.Answer{}, p.err
	}
	u, err := url.Parse(address)
	if err != nil {
		return wire.Answer{}, fmt.Errorf("%w: the address cannot be read", adapters.ErrNotReached)
	}
	r.URL = u
	return p.client.Do(ctx, r)
}

// refusal says where something was refused.
func refusal(where string, c *adapters.Condition) error {
	return fmt.Errorf("%s: %w", printable.Text(where), c)
}

// A shownPage is what a page shows, by the ids of its elements.
type shownPage map[string]shownElement

type shownElement struct{ text, link, title string }

func (p shownPage) has(id string, n ...any) bool {
	_, ok := p[name(id, n)]
	return ok
}

func (p shownPage) text(id string, n ...any) string { return p[name(id, n)].text }
func (p shownPage) link(id string, n ...any) string { return p[name(id, n)].link }

func name(id string, n []any) string {
	if len(n) == 0 {
		return id
	}
	return fmt.Sprintf(id, n...)
}

// maxTokens is how much of a page is read.
const maxTokens = 100_000

// read takes a page apart. A refusal on it is the error, with the condition
// that it states; so is every status but 200.
func read(a wire.Answer, where string) (shownPage, error) {
	where = printable.Text(where)
	if c := a.Condition(); c != nil && c != adapters.ErrUnsupported {
		return nil, fmt.Errorf("%s: %w (status %d)", where, c, a.Status)
	}
	text, err := a.Text("text/html")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	shown, err := elements(text)
	if err != nil {
		return nil, fmt.Errorf("%s: the page cannot be read: %w", where, err)
	}
	if e, ok := shown["refused"]; ok {
		for _, c := range adapters.Conditions() {
			if c.Condition() == e.title {
				return nil, fmt.Errorf("%s: %w: %s", where, c, printable.Text(e.text))
			}
		}
		return nil, fmt.Errorf("%s: the page says: %s", where, printable.Text(e.text))
	}
	if a.Status != http.StatusOK {
		return nil, fmt.Errorf("%s: the page has the status %d", where, a.Status)
	}
	if _, ok := shown["simulation"]; !ok {
		return nil, fmt.Errorf("%s: this is no page of the simulation", where)
	}
	return shown, nil
}

// elements reads the elements of a page that have an id. Pages of this package
// are well-formed XML.
func elements(text []byte) (shownPage, error) {
	d := xml.NewDecoder(bytes.NewReader(text))
	shown := shownPage{}
	type open struct {
		id   string
		text *strings.Builder
	}
	var stack []open
	for count := 0; ; count++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return shown, nil
		}
		if err != nil {
			return nil, errors.New("it is not well-formed")
		}
		if count > maxTokens || len(stack) > 64 {
			return nil, errors.New("it is too large")
		}
		switch t := token.(type) {
		case xml.StartElement:
			o := open{}
			e := shownElement{}
			for _, attr := range t.Attr {
				switch attr.Name.Local {
				case "id":
					o.id, o.text = attr.Value, new(strings.Builder)
				case "href":
					e.link = attr.Value
				case "title":
					e.title = attr.Value
				}
			}
			if o.id != "" {
				if _, again := shown[o.id]; again {
					return nil, errors.New("an id occurs twice")
				}
				shown[o.id] = e
			}
			stack = append(stack, o)
		case xml.CharData:
			for _, o := range stack {
				if o.text != nil {
					o.text.Write(t)
				}
			}
		case xml.EndElement:
			if o := stack[len(stack)-1]; o.text != nil {
				e := shown[o.id]
				e.text = o.text.String()
				shown[o.id] = e
			}
			stack = stack[:len(stack)-1]
		}
	}
}
