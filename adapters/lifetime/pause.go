package lifetime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

const toSwitch = "switch the maintenance mode of this environment"

// PauseDeployments switches the environment's maintenance mode on (facts.md
// 2.3). It returns ErrBusy and names them while deployments to the environment
// are running, ErrUnknownEnvironment for one that LifeTime does not list,
// ErrPermission for one that the vendor hosts, and ErrUnsupported where LifeTime
// does not show whether maintenance mode is on.
func (c *Client) PauseDeployments(ctx context.Context, env environment.Environment) error {
	if err := c.maintain(ctx, env.Name, true); err != nil {
		return fmt.Errorf("pausing deployments to %s: %w", printable.Text(env.Name), err)
	}
	return nil
}

// ResumeDeployments switches the environment's maintenance mode off, after
// which LifeTime synchronizes with the environment (facts.md 2.3). It refuses
// as PauseDeployments does, running deployments excepted.
func (c *Client) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	if err := c.maintain(ctx, env.Name, false); err != nil {
		return fmt.Errorf("resuming deployments to %s: %w", printable.Text(env.Name), err)
	}
	return nil
}

// maintain sees to it that maintenance mode is on or off. Up to the request
// that switches it, nothing is changed; after it, only what LifeTime shows
// counts.
func (c *Client) maintain(ctx context.Context, name string, on bool) error {
	items, err := c.items(ctx)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(items, func(i item) bool { return i.Name == name })
	if n < 0 {
		return adapters.ErrUnknownEnvironment
	}
	i := items[n]
	switch {
	case i.IsCloudEnvironment:
		return fmt.Errorf("%w: the vendor hosts the environment, and alone can switch its maintenance mode", adapters.ErrPermission)
	case i.IsOffline == nil:
		return fmt.Errorf("%w: this LifeTime does not show whether maintenance mode is on (its answer has no IsOffline), so that nobody would see it; let a person answer for LifeTime", adapters.ErrUnsupported)
	case *i.IsOffline == on:
		return nil
	}
	if on {
		running, err := c.running(ctx, i)
		if err != nil {
			return err
		}
		if len(running) > 0 {
			return fmt.Errorf("maintenance mode would abort what is running: %s: %w", strings.Join(running, "; "), adapters.ErrBusy)
		}
	}
	if err := c.turn(ctx, i, on); err != nil {
		return err
	}
	if err := c.see(ctx, i, on); err != nil {
		return fmt.Errorf("%w: %w", adapters.ErrUncertain, err)
	}
	return nil
}

// turn asks LifeTime to switch maintenance mode.
func (c *Client) turn(ctx context.Context, i item, on bool) error {
	body, err := json.Marshal(struct {
		IsMaintenanceModeEnabled bool
		Reason                   string
	}{on, c.reason})
	if err != nil {
		return err
	}
	// What a success answers is not read: LifeTime is asked next what it shows.
	if err := c.call(ctx, request{
		method: http.MethodPut, path: "/environments/" + i.Key + "/maintenancemode", body: body,
		needs: toSwitch, none: adapters.ErrUnknownEnvironment,
	}); err != nil {
		return fmt.Errorf("switching maintenance mode: %w", err)
	}
	return nil
}

// see checks that LifeTime shows maintenance mode on or off.
func (c *Client) see(ctx context.Context, i item, on bool) error {
	var shown item
	err := c.call(ctx, request{
		method: http.MethodGet, path: "/environments/" + i.Key + "/",
		needs: toList, none: adapters.ErrUnknownEnvironment, take: one(&shown, decodeItem),
	})
	switch {
	case err != nil:
	case !sameKey(shown.Key, i.Key):
		err = fmt.Errorf("LifeTime answers with another environment, %s", printable.Text(shown.Name))
	case shown.IsOffline == nil || *shown.IsOffline != on:
		err = errors.New("LifeTime shows that it was not")
	}
	if err != nil {
		return fmt.Errorf("looking whether maintenance mode was switched: %w", err)
	}
	return nil
}

// sameKey compares GUIDs, which may be written in either letter case.
func sameKey(a, b string) bool { return strings.EqualFold(a, b) }
