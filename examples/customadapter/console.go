package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A Console is a ServiceCenter that talks to a small admin service of ours,
// which stands in front of every Service Center and speaks JSON.
type Console struct {
	Client *http.Client
}

var _ adapters.ServiceCenter = (*Console)(nil)

// page is what the admin service shows of a licensing page.
type page struct {
	Server, Code, Serial, IPP, Type, Ends string
}

// InstalledLicense implements [adapters.ServiceCenter].
func (c *Console) InstalledLicense(ctx context.Context, env environment.Environment) (license.Installed, error) {
	var p page
	if err := c.call(ctx, http.MethodGet, env, "license", nil, nil, &p); err != nil {
		return license.Installed{}, err
	}
	in := license.Installed{Server: license.SerialNumber(p.Server), Serial: license.SerialNumber(p.Serial), IPP: license.IPP(p.IPP), Type: p.Type}
	if p.Code == "" {
		return in, nil // no license is installed, which is an answer and no error
	}
	var err error
	if in.Code, err = license.ParseActivationCode(p.Code); err != nil {
		return license.Installed{}, fmt.Errorf("licensing page of %q: %w", env.Name, err)
	}
	if p.Ends != "" {
		if in.Ends, err = time.Parse(time.DateOnly, p.Ends); err != nil {
			return license.Installed{}, fmt.Errorf("licensing page of %q: %w", env.Name, err)
		}
	}
	return in, nil
}

// UploadLicense implements [adapters.ServiceCenter].
func (c *Console) UploadLicense(ctx context.Context, env environment.Environment, file license.File) error {
	return c.call(ctx, http.MethodPost, env, "license", nil, file.Bytes(), nil)
}

// RepublishModule implements [adapters.ServiceCenter].
func (c *Console) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	var p adapters.Publication
	err := c.call(ctx, http.MethodPost, env, "republish", url.Values{"module": {module}}, nil, &p)
	return p, err
}

// Describe implements [adapters.Describer].
func (c *Console) Describe() string { return "our admin service" }

// maxAnswer is the longest answer that is read.
const maxAnswer = 1 << 20

// conditions are the admin service's words for what it did not do. Every other
// answer leaves it open what was done, and is returned as a plain error.
var conditions = map[string]*adapters.Condition{
	"WRONG_SERVER": adapters.ErrWrongEnvironment, "REJECTED": adapters.ErrRejected, "LOCKED": adapters.ErrBusy,
	"FOREIGN_MODULE": adapters.ErrIntellectualProperty, "COMPILE_ERROR": adapters.ErrPublishFailed,
	"NO_MODULE": adapters.ErrModuleNotFound, "FORBIDDEN": adapters.ErrPermission,
}

// call sends one request and sorts the answer into done, not done, unknown.
func (c *Console) call(ctx context.Context, method string, env environment.Environment, verb string, query url.Values, body []byte, answer any) error {
	where := fmt.Sprintf("%s %s of %q", method, verb, env.Name)
	req, err := http.NewRequestWithContext(ctx, method, env.ServiceCenter+"/"+verb+"?"+query.Encode(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w: %w", where, adapters.ErrNotReached, err)
	}
	resp, err := c.Client.Do(req)
	if err != nil {
		var dial *net.OpError
		if errors.As(err, &dial) && dial.Op == "dial" {
			return fmt.Errorf("%s: %w: %w", where, adapters.ErrNotReached, err) // no connection, so nothing was sent
		}
		return fmt.Errorf("%s: %w", where, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var envelope struct {
		OK     bool
		Refuse string
		Answer json.RawMessage
	}
	if err := json.Unmarshal(text, &envelope); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d: %w", where, resp.StatusCode, adapters.ErrUncertain)
	}
	if !envelope.OK {
		if condition, ok := conditions[envelope.Refuse]; ok {
			return fmt.Errorf("%s: %w", where, condition)
		}
		return fmt.Errorf("%s: the admin service answered %q: %w", where, envelope.Refuse, adapters.ErrUncertain)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(envelope.Answer, answer); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}
