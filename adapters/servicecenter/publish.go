package servicecenter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
)

const (
	servicesPage  = "/ServiceCenter/PlatformServices_v8_0_0.asmx"
	solutionsPage = "/ServiceCenter/Solutions.asmx"
)

// A publisher is a session that has read the description of the services that
// it needs (facts.md 3.4).
type publisher struct {
	session
	modules, versions, messages, goOn, abort operation
}

// signatures are the operations of a publisher, in its order.
func signatures() []signature {
	return []signature{
		{"Modules_Get", []nature{text, text}, []nature{list}},
		{"Module_GetVersions", []nature{text, text, text}, []nature{list, number, number, text}},
		{"SolutionPack_GetPublishMessages", []nature{text, text, number, number}, []nature{list, number, boolean}},
		{"SolutionPack_PublishContinue", []nature{text, text, number}, nil},
		{"SolutionPack_PublishAbort", []nature{text, text, number}, nil},
	}
}

// publishRunningVersion publishes a solution again.
func publishRunningVersion() operation {
	return known("Solutions", "PublishRunningVersion", []string{"username", "password", "SolutionName"}, []string{"SolutionPubId"})
}

// RepublishModule implements [adapters.ServiceCenter]. A module is staged in
// two steps: what the first one finds wrong aborts the publish before anything
// is put in place. Publication.Before and After are the server's numbers of the
// published version.
//
// Once a publish was started, every error that is not the platform's own
// verdict is uncertain, also a lost connection and the end of the context: the
// publish goes on without us.
func (c *Client) RepublishModule(ctx context.Context, env environment.Environment, module string) (adapters.Publication, error) {
	p, err := c.republish(ctx, env, module)
	if err != nil {
		return adapters.Publication{}, inside(env, "republishing "+printable.Text(module), err)
	}
	return p, nil
}

func (c *Client) republish(ctx context.Context, env environment.Environment, name string) (adapters.Publication, error) {
	p, err := c.publisher(ctx, env)
	if err != nil {
		return adapters.Publication{}, err
	}
	m, err := p.module(ctx, name)
	if err != nil {
		return adapters.Publication{}, err
	}
	before, err := p.published(ctx, m)
	if err != nil {
		return adapters.Publication{}, err
	}
	id, found, err := p.start(ctx, m, c.options.Solution)
	if err != nil {
		return adapters.Publication{}, err
	}
	if err := p.follow(ctx, id, found, c); err != nil {
		return adapters.Publication{}, fmt.Errorf("publish %d: %w", id, err)
	}
	after, err := p.published(ctx, m)
	if err != nil {
		return adapters.Publication{}, fmt.Errorf("publish %d has ended well, but what is published now was not seen: %w: %w", id, adapters.ErrUncertain, err)
	}
	return adapters.Publication{Before: before, After: after}, nil
}

// publisher logs in and reads the description.
func (c *Client) publisher(ctx context.Context, env environment.Environment) (publisher, error) {
	s, err := c.open(env)
	if err != nil {
		return publisher{}, err
	}
	if s, err = s.login(ctx, env, c.options.Credentials); err != nil {
		return publisher{}, err
	}
	d, err := s.describe(ctx, servicesPage)
	if err != nil {
		return publisher{}, err
	}
	ops, err := d.find(signatures())
	if err != nil {
		return publisher{}, s.veil.error(err)
	}
	return publisher{s, ops[0], ops[1], ops[2], ops[3], ops[4]}, nil
}

// call calls an operation of PlatformServices with the account.
func (p publisher) call(ctx context.Context, op operation, values ...string) (result, error) {
	return p.soap(ctx, servicesPage, op, append([]string{p.account.User, p.account.Password}, values...)...)
}

// A module is what Modules_Get says of one.
type module struct{ Name, Key, Kind string }

// module looks up a module by its exact name.
func (p publisher) module(ctx context.Context, name string) (module, error) {
	answer, err := p.call(ctx, p.modules)
	if err != nil {
		return module{}, err
	}
	var found []module
	for _, item := range answer.list(0) {
		if item.child("Name") == name {
			found = append(found, module{name, item.child("Key"), item.child("Kind")})
		}
	}
	switch {
	case len(answer.list(0)) == 0:
		return module{}, fmt.Errorf("the list of modules is empty, although Service Center itself is one: the account sees none: %w", adapters.ErrPermission)
	case len(found) == 0:
		return module{}, fmt.Errorf("not among the %d modules of the server: %w", len(answer.list(0)), adapters.ErrModuleNotFound)
	case len(found) > 1:
		return module{}, fmt.Errorf("%d modules of the server have this name", len(found))
	case found[0].Key == "" || found[0].Kind == "" || !inXML(found[0].Key):
		return module{}, errors.New("the server states no key or no kind of it")
	}
	return found[0], nil
}

// published returns the number of the module's published version.
func (p publisher) published(ctx context.Context, m module) (string, error) {
	answer, err := p.call(ctx, p.versions, m.Key)
	if err != nil {
		return "", err
	}
	version, err := answer.number(1)
	if err != nil {
		return "", err
	}
	code, err := answer.number(2)
	if err != nil {
		return "", err
	}
	said, err := answer.text(3)
	switch {
	case err != nil:
		return "", err
	case code != 0:
		return "", fmt.Errorf("Module_GetVersions answers the error %d: %s", code, p.veil.quoted(said))
	case version <= 0:
		return "", errors.New("no version of it is published")
	}
	return strconv.Itoa(version), nil
}

// follow waits for the end of a publish that was started; nil: it has ended
// without an error. Before the second step nothing is in place.
func (p publisher) follow(ctx context.Context, id int, found findings, c *Client) error {
	unseen := func(err error) error {
		return fmt.Errorf("it was started, and its end was not seen: %w: %w", adapters.ErrUncertain, err)
	}
	publish := strconv.Itoa(id)
	secondStep := false
	last := 0
	for waited := time.Duration(0); ; waited += c.options.Poll {
		answer, err := p.call(ctx, p.messages, publish, strconv.Itoa(last))
		if err != nil {
			return unseen(err)
		}
		next, err := answer.number(1)
		if err != nil {
			return unseen(err)
		}
		finished, err := answer.boolean(2)
		if err != nil {
			return unseen(err)
		}
		stopped := false
		for _, item := range answer.list(0) {
			m := message{item.child("Message"), item.child("Detail"), item.child("Type")}
			stopped = stopped || m.is(publishStop)
			found.add(m, p.veil)
		}
		switch {
		case stopped && !secondStep && found.errors > 0:
			if _, err := p.call(ctx, p.abort, publish); err != nil {
				return unseen(fmt.Errorf("aborting it after %s: %w", found.quoted(), err))
			}
			return fmt.Errorf("aborted before anything was put in place: %w", found.verdict(true))
		case stopped && !secondStep:
			if _, err := p.call(ctx, p.goOn, publish); err != nil {
				return unseen(err)
			}
			secondStep = true // a stop that is repeated asks for nothing more
		case finished && found.errors > 0:
			return found.verdict(!secondStep)
		case finished && !found.heard: // so might one that there is not
			return unseen(errors.New("it is finished, and has never said anything"))
		case finished:
			return nil
		}
		if waited >= c.options.PublishTimeout {
			return unseen(fmt.Errorf("it has not finished within %v", c.options.PublishTimeout))
		}
		last = max(last, next)
		if err := c.sleep(ctx, c.options.Poll); err != nil {
			return unseen(err)
		}
	}
}

// publishStop is the type of the message at the end of the first step.
const publishStop = "PublishStop"

// A message is what the platform says of a publish.
type message struct{ Message, Detail, Type string }

func (m message) is(kind string) bool { return strings.EqualFold(strings.TrimSpace(m.Type), kind) }

// failed reports whether the message is an error: also when it is of no known
// type (facts.md 9, row 7).
func (m message) failed() bool {
	return !m.is("Info") && !m.is("Warning") && !m.is(publishStop)
}

// begins reports whether one of its texts begins so.
func (m message) begins(prefixes ...string) bool {
	return begins(m.Message, prefixes...) || begins(m.Detail, prefixes...)
}

// findings are the errors of a publish; of their texts a few are kept.
type findings struct {
	heard      bool // there was a message of any type
	errors     int
	locks      int  // errors that say that another publish is under way
	foreign    bool // one speaks of intellectual property
	denied     bool // one speaks of the account's rights
	unlicensed bool // one speaks of the installed license
	texts      []string
}

// maxTexts is how many errors are quoted.
const maxTexts = 3

// add takes note of a message if it is an error.
func (f *findings) add(m message, v veil) {
	f.heard = true
	if m.failed() {
		f.count(m, v)
	}
}

func (f *findings) count(m message, v veil) {
	f.errors++
	foreign := m.begins(foreignTexts()...)
	if m.begins(lockText) {
		f.locks++
	}
	f.unlicensed = f.unlicensed || m.begins(licensingTexts()...)
	f.denied = f.denied || aboutPermission(m.Message) || aboutPermission(m.Detail)
	text := v.quoted(m.Message)
	if strings.TrimSpace(m.Detail) != "" {
		text += " (detail: " + v.quoted(m.Detail) + ")"
	}
	switch {
	case foreign && !f.foreign: // the one that decides is always quoted
		f.texts = append([]string{text}, f.texts[:min(len(f.texts), maxTexts-1)]...)
	case len(f.texts) < maxTexts:
		f.texts = append(f.texts, text)
	}
	f.foreign = f.foreign || foreign
}

// verdict is what the errors mean (facts.md 6). untouched: nothing was put in
// place, so that trying again is no more than trying again.
func (f findings) verdict(untouched bool) error {
	condition := adapters.ErrPublishFailed
	switch {
	case f.foreign:
		condition = adapters.ErrIntellectualProperty
	case untouched && f.errors > 0 && f.locks == f.errors:
		condition = adapters.ErrBusy
	}
	return fmt.Errorf("%s: %w", f.quoted(), condition)
}

// quoted names the errors.
func (f findings) quoted() string {
	quoted := strings.Join(f.texts, "; ")
	if more := f.errors - len(f.texts); more > 0 {
		quoted += fmt.Sprintf("; and %d more", more)
	}
	if f.errors == 1 {
		return "an error: " + quoted
	}
	return fmt.Sprintf("%d errors: %s", f.errors, quoted)
}
