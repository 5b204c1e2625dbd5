package changeover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/changeover-go/changeover/internal/printable"
)

// ErrStale is wrapped by a [StaleError].
var ErrStale = errors.New("the preview is stale")

// A StaleError refuses a preview that no longer fits, with everything that
// differs. Nothing was changed, and nothing was written.
type StaleError struct {
	// Differences are one line each, safe to print.
	Differences []string
}

// Error lists the differences.
func (e *StaleError) Error() string {
	return ErrStale.Error() + "; make a new one: " + strings.Join(e.Differences, "; ")
}

// Unwrap returns [ErrStale].
func (e *StaleError) Unwrap() error { return ErrStale }

// stillHolds returns an error unless the preview can be applied now.
func (c *Changeover) stillHolds(ctx context.Context, p *Preview) error {
	switch {
	case p == nil:
		return errors.New("there is no preview (Plan makes one)")
	case p.Version != previewVersion:
		return fmt.Errorf("%w: it has the version %d, this program knows version %d", ErrPreview, p.Version, previewVersion)
	case p.Plan != c.plan.Digest():
		// Beside another plan, no other difference means anything.
		return &StaleError{[]string{fmt.Sprintf("it is of the plan with the digest %.12s, this plan has %.12s", printable.Text(p.Plan), c.plan.Digest())}}
	}
	now, err := c.preview(ctx)
	if err != nil {
		return err
	}
	if d := p.differences(now); len(d) > 0 {
		return &StaleError{d}
	}
	return now.Findings.Err()
}

// differences lists what has changed between a preview and one that was made
// just now.
func (p *Preview) differences(now *Preview) []string {
	var d differences
	if p.Definition != now.Definition {
		d.add("the tables of the procedure are others: they had the digest %.12s and have %.12s", p.Definition, now.Definition)
	}
	if !now.Made.Before(p.Expires) {
		d.add("it expired at %s", p.Expires.UTC().Format(time.RFC3339))
	}
	d.inventory(p.Inventory, now.Inventory)
	for _, was := range p.Observed {
		i := slices.IndexFunc(now.Observed, func(o Observed) bool { return o.Environment == was.Environment })
		if i < 0 {
			d.add("%s: the plan does not have it", was.Environment)
			continue
		}
		d.observed(was, now.Observed[i])
	}
	for _, is := range now.Observed {
		if !slices.ContainsFunc(p.Observed, func(o Observed) bool { return o.Environment == is.Environment }) {
			d.add("%s: the preview does not have it", is.Environment)
		}
	}
	return d
}

// differences are lines. A preview may have come from anywhere.
type differences []string

func (d *differences) add(format string, args ...any) {
	*d = append(*d, printable.Whole(fmt.Sprintf(format, args...)))
}

// changed adds a line for a value that is another one now.
func changed[T comparable](d *differences, where, what string, was, is T) {
	if was != is {
		d.add("%s: %s was %s and is %s", where, what, or(fmt.Sprint(was), "not shown"), or(fmt.Sprint(is), "not shown"))
	}
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (d *differences) inventory(was, is []Listed) {
	switch {
	case was == nil && is == nil:
		return
	case was == nil:
		d.add("LifeTime: its list of environments could not be read, and can be now")
		return
	case is == nil:
		d.add("LifeTime: its list of environments was read, and cannot be now")
		return
	}
	if slices.Equal(ordered(was), ordered(is)) { // a name that LifeTime lists twice included
		return
	}
	for _, a := range was {
		i := slices.IndexFunc(is, func(b Listed) bool { return a.Name == b.Name })
		if i < 0 {
			d.add("%s: LifeTime listed it, and does not now", a.Name)
			continue
		}
		changed(d, a.Name, "the address in LifeTime", a.Address, is[i].Address)
		changed(d, a.Name, "hosted by the vendor", yesNo(a.Cloud), yesNo(is[i].Cloud))
	}
	for _, b := range is {
		if !slices.ContainsFunc(was, func(a Listed) bool { return a.Name == b.Name }) {
			d.add("%s: LifeTime did not list it, and does now", b.Name)
		}
	}
	if len(was) != len(is) && len(*d) == 0 { // a name twice
		d.add("LifeTime: it listed %d environments, and lists %d", len(was), len(is))
	}
}

// ordered returns the same in an order that does not depend on LifeTime.
func ordered(listed []Listed) []Listed {
	return slices.SortedFunc(slices.Values(listed), func(a, b Listed) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Address, b.Address), strings.Compare(yesNo(a.Cloud), yesNo(b.Cloud)))
	})
}

func (d *differences) observed(was, is Observed) {
	where := was.Environment
	switch {
	case was.NotRead == "" && is.NotRead != "":
		d.add("%s: it was read, and cannot be now: %s", where, is.NotRead)
	case was.NotRead != "" && is.NotRead == "":
		d.add("%s: it could not be read, and can be now", where)
	case was.NotRead == "":
		changed(d, where, "the server's serial number", was.Server, is.Server)
		if was.Code != is.Code || was.CodeDigest != is.CodeDigest || was.Role != is.Role {
			// All else that the page shows is of another license, too.
			d.add("%s: the activation code was %s and is another one, %s", where, or(was.Code, "not shown"), or(is.Code, "not shown"))
			break
		}
		changed(d, where, "the license's serial number", was.Serial, is.Serial)
		changed(d, where, "Intellectual Property", was.IPP, is.IPP)
		changed(d, where, "the license type", was.Type, is.Type)
		changed(d, where, "the end date", day(was.Ends), day(is.Ends))
	}
	changed(d, where, "deployments paused", pause(was), pause(is))
	if was.Kind != is.Kind {
		d.add("%s: the plan has another kind", where)
	}
}

func pause(o Observed) string {
	if o.Paused && o.PausedBy != "" {
		return "yes, by " + o.PausedBy
	}
	return yesNo(o.Paused)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// day writes an end date.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
