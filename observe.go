package changeover

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/internal/steps"
	"github.com/changeover-go/changeover/license"
)

// rounds is how often everything is read at most: twice if nothing changes
// meanwhile, again where something has not answered or answered otherwise.
const rounds = 4

// An observation is the world as it was found: an answer that was given twice
// in a row (reliability.md S0.2), or why there is none.
type observation struct {
	c         *Changeover
	inventory question[[]environment.Registered]
	installed []question[license.Installed] // in the order of the plan
}

// A question is put until two answers in a row agree.
type question[T any] struct {
	ask  func(context.Context) (T, error)
	same func(a, b T) bool

	last     T
	answered bool  // last was the answer of the round before
	err      error // why last does not count; nil: it does
	done     bool
}

// errUnsettled is why an answer does not count that was given only once.
var errUnsettled = errors.New("its answers never agreed twice in a row")

// put puts the question once more, unless it need not be.
func (q *question[T]) put(ctx context.Context) {
	if q.done {
		return
	}
	answer, err := q.ask(ctx)
	switch condition := adapters.ConditionOf(err); {
	case err != nil:
		q.answered, q.err = false, err
		q.done = condition != nil && condition != adapters.ErrBusy && condition != adapters.ErrNotReached
	case q.answered && q.same(q.last, answer):
		q.last, q.err, q.done = answer, nil, true
	default:
		q.last, q.answered, q.err = answer, true, errUnsettled
	}
}

// observe reads LifeTime's list and every environment, in rounds, so that the
// wait between two answers is one for all. The error is that of ctx.
func (c *Changeover) observe(ctx context.Context) (*observation, error) {
	o := &observation{c: c, inventory: question[[]environment.Registered]{ask: c.set.LifeTime.Registered, same: sameInventory}}
	for _, env := range c.plan.Infrastructure.Environments {
		o.installed = append(o.installed, question[license.Installed]{same: sameLicense, ask: func(ctx context.Context) (license.Installed, error) {
			return c.set.ServiceCenter.InstalledLicense(ctx, env)
		}})
	}
	for round := range rounds {
		if round > 0 {
			if err := c.clock.Sleep(ctx, steps.Settle().Every); err != nil {
				return nil, err
			}
		}
		o.inventory.put(ctx)
		open := !o.inventory.done
		for i := range o.installed {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			o.installed[i].put(ctx)
			open = open || !o.installed[i].done
		}
		if !open {
			break
		}
	}
	return o, ctx.Err()
}

// sameInventory compares what LifeTime lists, in whatever order. What is
// running comes and goes.
func sameInventory(a, b []environment.Registered) bool {
	return slices.EqualFunc(byName(a), byName(b), func(a, b environment.Registered) bool {
		return a.Name == b.Name && a.Address == b.Address && a.Cloud == b.Cloud && a.Paused == b.Paused
	})
}

func byName(list []environment.Registered) []environment.Registered {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b environment.Registered) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func sameLicense(a, b license.Installed) bool {
	return a.Server == b.Server && a.Code == b.Code && a.Serial == b.Serial && a.IPP == b.IPP && a.Type == b.Type && a.Ends.Equal(b.Ends)
}

// clean makes text from outside safe to print and to keep.
func (o *observation) clean(s string) string { return printable.Text(o.c.mask.Text(s)) }

// listed returns what a preview says of LifeTime's list.
func (o *observation) listed() []Listed {
	if o.inventory.err != nil {
		return nil
	}
	list := []Listed{}
	for _, r := range byName(o.inventory.last) {
		list = append(list, Listed{Name: o.clean(r.Name), Address: o.clean(r.Address), Cloud: r.Cloud})
	}
	return list
}

// observed returns what a preview says of the environments.
func (o *observation) observed() []Observed {
	role := (&steps.Site{Source: o.c.plan.Source, Target: o.c.plan.Target}).Role
	list := []Observed{}
	for i, env := range o.c.plan.Infrastructure.Environments {
		seen := Observed{Environment: printable.Text(env.Name), Kind: env.Kind}
		if q := o.installed[i]; q.err != nil {
			seen.NotRead = q.err.Error()
		} else {
			in := q.last
			seen.Role, seen.Server, seen.Serial = role(in.Code), o.serial(in.Server), o.serial(in.Serial)
			seen.IPP, seen.Type, seen.Ends = license.IPP(o.clean(string(in.IPP))), o.clean(in.Type), date(in.Ends)
			if !in.Code.IsZero() {
				seen.Code, seen.CodeDigest = in.Code.String(), o.bind(in.Code)
			}
		}
		for _, r := range o.inventory.last {
			if o.inventory.err == nil && r.Name == env.Name && r.Paused {
				seen.Paused, seen.PausedBy = true, "somebody else" // LifeTime does not say who; no run has begun
			}
		}
		list = append(list, seen)
	}
	return list
}

func (o *observation) serial(s license.SerialNumber) license.SerialNumber {
	return license.SerialNumber(o.clean(string(s)))
}

// date leaves out what no date can be, and JSON cannot hold.
func date(t time.Time) time.Time {
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t.UTC().Round(0)
}

// bind returns a digest of the code that says nothing of it to who does not
// know the code: the plan's digest, with both its codes, goes into it.
func (o *observation) bind(code license.ActivationCode) string {
	return sum("changeover preview\x00" + o.c.plan.Digest() + "\x00" + code.Reveal())
}

func sum(s string) string {
	b := sha256.Sum256([]byte(s))
	return hex.EncodeToString(b[:])
}

// endsSoon is how long before its end a source license is warned about: a
// rollback would put it back.
const endsSoon = 30 * 24 * time.Hour

// findings returns everything that forbids the run, each thing once, and what
// is worth knowing.
func (o *observation) findings(now time.Time) environment.Findings {
	found := o.c.plan.Validate()
	add := func(where, code, text, hint string) {
		found = append(found, environment.Finding{Code: code, Where: where, Text: text, Hint: hint})
	}
	warn := func(where, code, text, hint string) {
		found = append(found, environment.Finding{Code: code, Where: where, Text: text, Hint: hint, Warning: true})
	}
	if err := o.inventory.err; err != nil {
		add("LifeTime", "inventoryNotRead", "its list of environments cannot be read: "+err.Error(),
			"see that LifeTime answers and that the account may see every environment; then plan again")
	} else {
		found = append(found, o.c.plan.Infrastructure.CheckRegistered(o.inventory.last)...)
	}
	for i, seen := range o.observed() {
		env := o.c.plan.Infrastructure.Environments[i]
		where := seen.Environment
		switch {
		case seen.NotRead != "":
			add(where, "notRead", "its installed license cannot be read: "+seen.NotRead,
				"see that its Service Center answers and that the account may read the licensing page; then plan again")
		case o.installed[i].last.Server != env.Serial:
			add(where, "serialChanged", fmt.Sprintf("the server has the serial number %s, the plan %s", or(string(seen.Server), "(none)"), o.serial(env.Serial)),
				"see that the address is that of this environment; if its hardware has changed, ask Support for files for the new serial number and write that into the plan")
		case seen.Role == license.None:
			add(where, "noLicense", "no license is installed",
				"a run begins with the source license everywhere: find out who took it away, and put it back")
		case seen.Role == license.Other:
			add(where, "unknownLicense", fmt.Sprintf("shows the activation code %s, which is neither source nor target", seen.Code),
				"find out who installed it: correct the plan if it has the wrong codes, otherwise have the source license put back")
		case seen.Role == license.Target:
			add(where, "alreadyMoved", "shows the target license already",
				"a run begins with the source license everywhere: find out who moved it and agree with Support; put its source license back, then plan again")
		case seen.Serial != seen.Server:
			warn(where, "licenseForOther", fmt.Sprintf("the installed license is for the serial number %s", or(string(seen.Serial), "(none)")),
				"it is not valid for this server; ask Support before you begin")
		}
		if ends := seen.Ends; seen.Role == license.Source && !ends.IsZero() && ends.Before(now.Add(endsSoon)) {
			warn(where, "endsSoon", "its source license ends on "+day(ends), "a rollback after that day would put back a license that has ended")
		}
	}
	for i, f := range found {
		found[i].Where, found[i].Text, found[i].Hint = o.c.mask.Text(f.Where), o.c.mask.Text(f.Text), o.c.mask.Text(f.Hint)
	}
	if found == nil {
		found = environment.Findings{}
	}
	return found
}
