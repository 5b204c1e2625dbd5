package lifetime

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/wire"
)

const toList = "see every environment and the deployments to it"

// Registered lists the environments as LifeTime does, with their host names,
// and names the deployments to each that are running (facts.md 2.1, 2.2). An
// environment of which LifeTime does not say whether it is in maintenance mode
// is listed as not paused. Its error wraps ErrPermission, ErrBusy, ErrUnsupported,
// ErrUnknownEnvironment (it was removed meanwhile) or ErrNotReached.
func (c *Client) Registered(ctx context.Context) ([]environment.Registered, error) {
	items, err := c.items(ctx)
	if err != nil {
		return nil, err
	}
	var all []environment.Registered
	for _, i := range items {
		running, err := c.running(ctx, i)
		if err != nil {
			return nil, err
		}
		all = append(all, environment.Registered{
			Name: i.Name, Address: i.HostName, Cloud: i.IsCloudEnvironment,
			Paused: i.IsOffline != nil && *i.IsOffline, Running: running,
		})
	}
	return all, nil
}

// items lists the environments.
func (c *Client) items(ctx context.Context) ([]item, error) {
	var items []item
	err := c.call(ctx, request{method: http.MethodGet, path: "/environments/", needs: toList, none: adapters.ErrUnsupported, take: list(&items, decodeItems)})
	if err != nil {
		return nil, fmt.Errorf("listing the environments of LifeTime: %w", err)
	}
	return items, nil
}

// running names the deployments to an environment that have begun and not
// ended.
func (c *Client) running(ctx context.Context, i item) ([]string, error) {
	var started []deployment
	err := c.call(ctx, request{
		method: http.MethodGet, path: "/deployments/", query: url.Values{"MinDate": {c.since}, "TargetEnvironmentKey": {i.Key}},
		needs: toList, none: adapters.ErrUnknownEnvironment, take: list(&started, decodeDeployments),
	})
	if err != nil {
		return nil, fmt.Errorf("listing the deployments to %s: %w", printable.Text(i.Name), err)
	}
	started = slices.DeleteFunc(started, func(d deployment) bool {
		return d.StartedOn.none || d.TargetEnvironmentKey != "" && !sameKey(d.TargetEnvironmentKey, i.Key)
	})
	// Newest first, whatever the order in which they came; one of which nobody
	// knows when it was started may be the newest.
	slices.SortStableFunc(started, func(a, b deployment) int {
		switch {
		case a.StartedOn.IsZero() == b.StartedOn.IsZero():
			return b.StartedOn.Compare(a.StartedOn.Time)
		case a.StartedOn.IsZero():
			return -1
		}
		return 1
	})
	var running []string
	for _, d := range started[:min(len(started), c.newest)] {
		text, err := c.active(ctx, d)
		if err != nil {
			return nil, err
		}
		if text != "" {
			running = append(running, text)
		}
	}
	return running, nil
}

// active names a deployment and says how it stands; empty: it has ended, or
// was never begun.
func (c *Client) active(ctx context.Context, d deployment) (string, error) {
	var s status
	err := c.call(ctx, request{
		method: http.MethodGet, path: "/deployments/" + d.Key + "/status/",
		needs: toList, none: adapters.ErrUnknownEnvironment, take: one(&s, decodeStatus),
	})
	switch {
	case adapters.ConditionOf(err) == adapters.ErrUnknownEnvironment:
		return "", nil // only one that was never started can be removed
	case err != nil:
		return "", fmt.Errorf("reading the status of deployment %s: %w", d.Key, err)
	}
	switch s.DeploymentStatus {
	case "saved", "aborted", "finished_successful", "finished_with_warnings", "finished_with_errors", "force_finished":
		return "", nil
	}
	text := d.Key + ", " + printable.Text(s.DeploymentStatus)
	if s.Info != "" {
		text += " (" + printable.Text(s.Info) + ")"
	}
	return text, nil
}

// one takes in an answer with a body.
func one[T any](into *T, decode func([]byte) (T, error)) func(wire.Answer) error {
	return func(a wire.Answer) error {
		if a.Status != http.StatusOK {
			return fmt.Errorf("LifeTime answers %d, which is not documented", a.Status)
		}
		b, err := a.Text("application/json")
		if err == nil {
			*into, err = decode(b)
		}
		return err
	}
}

// list takes in a list; an empty one is an answer without a body (facts.md 2).
func list[T any](into *[]T, decode func([]byte) ([]T, error)) func(wire.Answer) error {
	return func(a wire.Answer) error {
		if a.Status == http.StatusNoContent {
			return nil
		}
		return one(into, decode)(a)
	}
}
