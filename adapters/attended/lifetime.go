package attended

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/manual"
)

// maxRegistered is how many environments an infrastructure may have.
const maxRegistered = 1000

// Registered implements [adapters.LifeTime]. The person lists the
// environments; afterwards it is enough to confirm that the list still holds,
// which is asked every time.
func (d *Desk) Registered(ctx context.Context) ([]environment.Registered, error) {
	var list []environment.Registered
	err := d.call(ctx, "the registered environments and their deployments (LifeTime)", func() error {
		if err := d.steps(manual.OpenEnvironments, manual.SeeDeployments); err != nil {
			return err
		}
		same := false
		if len(d.inventory) > 0 {
			if err := d.print(inventory(d.inventory)); err != nil {
				return err
			}
			if err := d.ask(ctx, "Does LifeTime show exactly this now? (yes, no)", yes(&same)); err != nil {
				return err
			}
		}
		if same {
			list = d.inventory
		} else if err := d.listEnvironments(ctx, &list); err != nil {
			return err
		}
		d.inventory = list
		list = clone(list)
		d.testify(ctx, "LifeTime shows: %s", strings.Join(describe(list), "; "))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

var (
	errTwice   = errors.New("that name was given before")
	errTooMany = fmt.Errorf("these are more than %d environments", maxRegistered)
)

// listEnvironments asks for one environment after the other.
func (d *Desk) listEnvironments(ctx context.Context, list *[]environment.Registered) error {
	for {
		var r environment.Registered
		var running string
		end := false
		for _, q := range []struct {
			question string
			accept   func(string) error
		}{
			{fmt.Sprintf("Name of environment %d (end: there is none; no: the list could not be read)", len(*list)+1), func(answer string) error {
				if end = strings.EqualFold(answer, "end"); end {
					return nil
				}
				if slices.ContainsFunc(*list, func(r environment.Registered) bool { return r.Name == answer }) {
					return errTwice
				}
				if len(*list) == maxRegistered {
					return errTooMany
				}
				return d.word(&r.Name)(answer)
			}},
			{"Its host name", d.word(&r.Address)},
			{"Is it in the vendor's cloud? (yes, no)", yes(&r.Cloud)},
			{"Are deployments to it paused? (yes, no)", yes(&r.Paused)},
			{"Running deployments to it, with semicolons between them (none: there is none)", orNone(d.word(&running))},
		} {
			var err error
			if r.Name == "" {
				err = d.read(ctx, q.question, q.accept, adapters.ErrPermission, adapters.ErrNotReached)
			} else {
				err = d.ask(ctx, q.question, q.accept)
			}
			if err != nil {
				return err
			}
			if end {
				return nil
			}
		}
		for deployment := range strings.SplitSeq(running, ";") {
			if deployment = strings.TrimSpace(deployment); deployment != "" {
				r.Running = append(r.Running, deployment)
			}
		}
		*list = append(*list, r)
	}
}

func clone(list []environment.Registered) []environment.Registered {
	list = slices.Clone(list)
	for i := range list {
		list[i].Running = slices.Clone(list[i].Running)
	}
	return list
}

func inventory(list []environment.Registered) string {
	return "Before, it showed:\n  - " + strings.Join(describe(list), "\n  - ") + "\n"
}

// describe says of each environment what was stated. The texts have been found
// printable when they were typed.
func describe(list []environment.Registered) []string {
	var lines []string
	for _, r := range list {
		line := r.Name + " (" + r.Address + "), not paused"
		if r.Paused {
			line = r.Name + " (" + r.Address + "), paused"
		}
		if r.Cloud {
			line += ", cloud"
		}
		if len(r.Running) > 0 {
			line += ", running: " + strings.Join(r.Running, ", ")
		}
		lines = append(lines, line)
	}
	if lines == nil {
		lines = []string{"no environment"}
	}
	return lines
}

// PauseDeployments implements [adapters.LifeTime] (seed, step 1).
func (d *Desk) PauseDeployments(ctx context.Context, env environment.Environment) error {
	return d.call(ctx, called(env)+": pause deployments (LifeTime)", func() error {
		err := d.act(ctx, "pausing deployments to "+called(env), []string{
			manual.OpenEnvironment(env),
			manual.PauseFirst + " and answer not done: maintenance mode would abort the deployment.",
			manual.Pause + " If they are paused already, answer done.",
		}, adapters.ErrBusy, adapters.ErrUnknownEnvironment, adapters.ErrPermission, adapters.ErrNotReached)
		d.expect(env, true, err)
		return err
	})
}

// ResumeDeployments implements [adapters.LifeTime].
func (d *Desk) ResumeDeployments(ctx context.Context, env environment.Environment) error {
	return d.call(ctx, called(env)+": resume deployments (LifeTime)", func() error {
		err := d.act(ctx, "resuming deployments to "+called(env), []string{
			manual.OpenEnvironment(env),
			manual.Resume + " If deployments are not paused, answer done.",
		}, adapters.ErrUnknownEnvironment, adapters.ErrPermission, adapters.ErrNotReached)
		d.expect(env, false, err)
		return err
	})
}

// expect changes what the next list is compared with.
func (d *Desk) expect(env environment.Environment, paused bool, err error) {
	if err != nil {
		return
	}
	d.inventory = clone(d.inventory)
	for i := range d.inventory {
		if d.inventory[i].Name == env.Name {
			d.inventory[i].Paused = paused
		}
	}
}
