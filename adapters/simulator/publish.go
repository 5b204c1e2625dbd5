package simulator

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
)

// A stage says how far a publication has come.
type stage string

const (
	preparing  stage = "preparing"  // first step
	prepared   stage = "prepared"   // first step done; waits for Continue or Abort
	publishing stage = "publishing" // second step, or the only one
	finished   stage = "finished"
	aborted    stage = "aborted"
)

// patience is for how many ticks a prepared publication waits for its
// Continue; then the platform aborts it and the module is free again.
const patience = 3

// publication is one publish under way, or one that was.
type publication struct {
	ID          int       `json:"id"`
	Environment string    `json:"environment"`
	Module      string    `json:"module"`
	TwoStep     bool      `json:"twoStep,omitempty"`
	Stage       stage     `json:"stage"`
	Ticks       int       `json:"ticks,omitempty"` // in this stage
	Messages    []message `json:"messages,omitempty"`
	Quirk       quirk     `json:"quirk,omitempty"`
	Text        string    `json:"text,omitempty"`  // of the quirk, or of a refusal of the module's origin
	Delay       int       `json:"delay,omitempty"` // ticks that it takes longer
}

// A quirk is a way in which a publication goes wrong.
type quirk string

const (
	lateError     quirk = "lateError"     // an Error, long after everything looked well
	stopsInError  quirk = "publishStop"   // stops after the first step, with an Error
	neverFinishes quirk = "neverFinishes" // is under way for good
	locked        quirk = "locked"        // finds the module locked
	doesNothing   quirk = "doesNothing"   // says that it has published
)

// message is what the platform says of a publication (facts.md 3.4).
type message struct {
	ID         int    `json:"Id"`
	Message    string `json:"Message"`
	Detail     string `json:"Detail"`
	HelpRef    string `json:"HelpRef"`
	ExtraInfo  string `json:"ExtraInfo"`
	Type       string `json:"Type"`
	Submitable bool   `json:"Submitable"`
}

func (p publication) copy() publication {
	p.Messages = slices.Clone(p.Messages)
	return p
}

func (p *publication) done() bool { return p.Stage == finished || p.Stage == aborted }

func (p *publication) say(kind, text, detail string) {
	p.Messages = append(p.Messages, message{ID: len(p.Messages) + 1, Type: kind, Message: text, Detail: detail})
}

func (p *publication) enter(s stage) { p.Stage, p.Ticks = s, 0 }

// tick lets the publications of an environment go on. It comes with every call
// about publishing, whoever asks: a publication whose number was lost ends all
// the same, and no clock is needed.
func (p platform) tick(ctx context.Context, env string) {
	for i := range p.m.Publications {
		if pub := &p.m.Publications[i]; pub.Environment == env && !pub.done() {
			pub.Ticks++
			p.advance(ctx, pub)
		}
	}
}

func (p platform) advance(ctx context.Context, pub *publication) {
	switch {
	case pub.Quirk == locked:
		pub.say("Error", lockText(p.user, pub.Module), "")
		pub.enter(finished)
	case pub.Stage == prepared:
		if pub.Ticks > patience {
			pub.say("Error", "The publication was aborted: nobody has continued it.", "")
			pub.enter(aborted)
		}
	case pub.Ticks == 1:
		pub.say("Info", "Preparing "+pub.Module, "")
	case pub.Stage == preparing && pub.TwoStep:
		if text := p.problem(pub); text != "" {
			pub.say("Error", text, pub.Module)
		}
		pub.say("PublishStop", "The first step is done.", "")
		pub.enter(prepared)
	case pub.Stage == preparing:
		pub.enter(publishing)
	case pub.Ticks == 2:
		pub.say("Info", "Compiling "+pub.Module, "")
	case pub.Delay > 0:
		pub.Delay--
		pub.say("Info", "Deploying "+pub.Module, "")
	case pub.Quirk == doesNothing:
		pub.say("Info", pub.Module+" was published.", "")
		pub.enter(finished)
	case pub.Quirk == neverFinishes:
		pub.say("Info", "Deploying "+pub.Module, "")
	case pub.Quirk == lateError && pub.Ticks < 6:
		pub.say("Info", "Deploying "+pub.Module, "")
	case pub.Quirk == lateError:
		pub.say("Error", pub.Text, pub.Module)
		pub.enter(finished)
	default:
		p.publish(ctx, pub)
	}
}

// problem is the error that the first step finds; nothing is published.
func (p platform) problem(pub *publication) string {
	if pub.Quirk == stopsInError {
		return pub.Text
	}
	if err := p.world.Publishable(pub.Environment, pub.Module); err != nil {
		return p.publishText(pub, err)
	}
	return ""
}

// publish does what the publication is for.
func (p platform) publish(ctx context.Context, pub *publication) {
	_, err := p.world.Set().ServiceCenter.RepublishModule(ctx, p.environment(pub.Environment), pub.Module)
	if err != nil {
		pub.say("Error", p.publishText(pub, err), pub.Module)
	} else {
		pub.say("Info", pub.Module+" was published.", "")
	}
	pub.enter(finished)
}

func (p platform) publishText(pub *publication, err error) string {
	switch {
	case errors.Is(err, adapters.ErrBusy):
		return lockText(p.user, pub.Module)
	case errors.Is(err, adapters.ErrIntellectualProperty) && pub.Text != "":
		return pub.Text
	}
	return said(pub.Environment, err)
}

// lockText is what a concurrent publish is told (facts.md 3.4).
func lockText(user, module string) string {
	return "Your module is currently being locked by another operation. User " + user + " is publishing module " + module + "."
}

// begin starts a publication, or says why it cannot be.
func (p platform) begin(env, module string, twoStep bool) (id int, refusal string) {
	if !slices.Contains(p.world.Modules(env), module) {
		return 0, "The module " + module + " does not exist."
	}
	for i := range p.m.Publications {
		if other := &p.m.Publications[i]; other.Environment == env && other.Module == module && !other.done() {
			return 0, lockText(p.user, module)
		}
	}
	if errors.Is(p.world.Publishable(env, module), adapters.ErrBusy) {
		return 0, lockText(p.user, module)
	}
	return p.add(publication{Environment: env, Module: module, TwoStep: twoStep}), ""
}

func (p platform) add(pub publication) (id int) {
	pub.ID, pub.Stage = len(p.m.Publications)+1, preparing
	for _, o := range p.m.Origins {
		if o.Environment == pub.Environment && o.Module == pub.Module {
			pub.Text = o.Text
		}
	}
	p.m.Publications = append(p.m.Publications, pub)
	return pub.ID
}

// publication finds one by its number.
func (p platform) publication(env, id string) *publication {
	n, err := strconv.Atoi(strings.TrimSpace(id))
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(p.m.Publications, func(pub publication) bool { return pub.ID == n && pub.Environment == env })
	if i < 0 {
		return nil
	}
	return &p.m.Publications[i]
}

// stagingPublish starts the publication of a module over REST (facts.md 3.4).
func (p platform) stagingPublish(ctx context.Context, c call, env environment.Environment) answer {
	if c.Method != http.MethodPost {
		return notAllowed()
	}
	if !p.signedIn(c) {
		return unauthorized()
	}
	p.tick(ctx, env.Name)
	q, errQuery := url.ParseQuery(c.Query)
	twoStep, errBool := strconv.ParseBool(q.Get("TwoStepMode"))
	var asked struct {
		ModulesToPublish []struct {
			Module struct{ Name, Key, Kind string } `json:"REST_Module"`
		}
	}
	errBody := json.Unmarshal(c.Body, &asked)
	if err := errors.Join(errQuery, errBool, errBody); err != nil || q.Get("StagingName") == "" || len(asked.ModulesToPublish) != 1 {
		return restError(http.StatusBadRequest, "StagingName, TwoStepMode and one module in ModulesToPublish are needed.")
	}
	m := asked.ModulesToPublish[0].Module
	id, refusal := 0, "The module "+m.Name+" does not have that key."
	if strings.EqualFold(m.Key, key("module", m.Name)) {
		id, refusal = p.begin(env.Name, m.Name, twoStep)
	}
	if refusal != "" {
		return jsonAnswer(http.StatusOK, notStarted(refusal))
	}
	return jsonAnswer(http.StatusOK, staging{id, []stagingMessage{}})
}

// staging is the answer to a publish over REST. Without a number nothing was
// started, and the messages say why.
type staging struct {
	PublishID int              `json:"publishId"`
	Messages  []stagingMessage `json:"Messages"`
}

type stagingMessage struct {
	Message message `json:"REST_PublicationMessage"`
}

func notStarted(text string) staging {
	return staging{0, []stagingMessage{{message{ID: 1, Type: "Error", Message: text}}}}
}

// publishSolution starts the publication of a prepared solution. Every module
// has one of its own name. A number comes back in any case; that the module is
// locked is said by the messages.
func (p platform) publishSolution(op operation, env environment.Environment, solution string) answer {
	if !slices.Contains(p.world.Modules(env.Name), solution) {
		return soapFault("Server", "There is no solution "+solution+".")
	}
	id, refusal := p.begin(env.Name, solution, false)
	if refusal != "" {
		id = p.add(publication{Environment: env.Name, Module: solution, Quirk: locked})
	}
	return op.respond(strconv.Itoa(id))
}

// modules lists the environment's modules.
func (p platform) modules(op operation, env environment.Environment) answer {
	var list strings.Builder
	for _, name := range p.world.Modules(env.Name) {
		list.WriteString(item("HEModule", "Name", name, "Key", key("module", name), "Kind", "eSpace"))
	}
	return op.respond(list.String())
}

// versions says which version of a module is published.
func (p platform) versions(op operation, env environment.Environment, moduleKey string) answer {
	for _, name := range p.world.Modules(env.Name) {
		if strings.EqualFold(key("module", name), strings.TrimSpace(moduleKey)) {
			version := p.world.Published(env.Name, name)
			newest, err := strconv.Atoi(version)
			if err != nil {
				return soapFault("Server", "The version is not a number.")
			}
			var list strings.Builder
			for v := newest; v > 0 && v > newest-10; v-- {
				list.WriteString(item("HEModuleVersion", "Version", strconv.Itoa(v), "UploadedBy", p.user))
			}
			return op.respond(list.String(), version, "0", "")
		}
	}
	return op.respond("", "0", "1", "There is no module with that key.")
}

// messages gives what was said after a message of that number.
func (p platform) messages(op operation, env environment.Environment, id, after string) answer {
	pub := p.publication(env.Name, id)
	last, err := strconv.Atoi(strings.TrimSpace(after))
	if pub == nil || err != nil {
		return soapFault("Server", unknownPublic)
	}
	var list strings.Builder
	for _, m := range pub.Messages {
		if m.ID <= last {
			continue
		}
		list.WriteString(item("HEMessage", "Id", strconv.Itoa(m.ID), "Message", m.Message, "Detail", m.Detail,
			"HelpRef", m.HelpRef, "ExtraInfo", m.ExtraInfo, "Type", m.Type, "Submitable", strconv.FormatBool(m.Submitable)))
	}
	return op.respond(list.String(), strconv.Itoa(max(last, len(pub.Messages))), strconv.FormatBool(pub.done()))
}

// proceed ends the wait of a prepared publication.
func (p platform) proceed(op operation, env environment.Environment, id string, to stage) answer {
	pub := p.publication(env.Name, id)
	switch {
	case pub == nil:
		return soapFault("Server", unknownPublic)
	case pub.Stage != prepared && !(to == aborted && !pub.done()):
		return soapFault("Server", "The publication does not wait for that.")
	}
	if to == aborted {
		pub.say("Info", "The publication was aborted.", "")
	}
	pub.enter(to)
	return op.respond()
}
