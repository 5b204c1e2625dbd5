package simulator

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A delivery is an answer and how it reaches the client.
type delivery struct {
	answer answer
	how    how
}

// how an answer is delivered.
type how int

const (
	whole how = iota
	lost      // the connection ends
	cut       // in the middle of the answer
	never     // the connection stays, and nothing comes
)

// pending is a call that takes effect later.
type pending struct {
	Call         call   `json:"call"`
	Environment  string `json:"environment,omitempty"`
	In           int    `json:"in"` // requests to that environment that come before
	AfterRestart bool   `json:"afterRestart,omitempty"`
	Restarted    bool   `json:"restarted,omitempty"`
}

// exchange is a request to which a fault happens.
type exchange struct {
	s     *Simulator
	ctx   context.Context
	call  call
	to    served
	op    Operation
	fault Fault
}

// serve carries out a request, with what is to go wrong.
func (s *Simulator) serve(ctx context.Context, c call) delivery {
	to := s.route(c)
	if to.op == "" {
		return delivery{answer: to.does(ctx, s.platform())}
	}
	s.catchUp(ctx, to.env)
	op := operationNamed(to.op)
	changes, happens := s.memory.take(op, to.env)
	for _, f := range changes {
		if err := s.platform().change(f); err != nil {
			return delivery{answer: wrongWith(op, http.StatusInternalServerError, "the simulation cannot do this: "+err.Error())}
		}
	}
	if happens == nil {
		return delivery{answer: to.does(ctx, s.platform())}
	}
	k, _ := kindNamed(happens.Kind)
	return k.happens(exchange{s, ctx, c, to, op, *happens})
}

// catchUp carries out what was put off and is due before a request to env.
func (s *Simulator) catchUp(ctx context.Context, env string) {
	var rest []pending
	for _, p := range s.memory.Pending {
		switch {
		case p.AfterRestart && !p.Restarted, p.Environment != env:
			rest = append(rest, p)
		case p.In > 0:
			p.In--
			rest = append(rest, p)
		default:
			s.route(p.Call).does(ctx, s.platform())
		}
	}
	s.memory.Pending = rest
}

// deliver sends an answer in the way that was decided.
func (s *Simulator) deliver(w http.ResponseWriter, r *http.Request, d delivery) {
	if d.answer.silent && d.how != never {
		d.how = lost
	}
	switch d.how {
	case whole:
		send(w, r.Method, d.answer)
	case lost:
		s.hangUp(w, nil)
	case cut:
		sent := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
			d.answer.status, http.StatusText(d.answer.status), d.answer.kind, len(d.answer.body)+1)
		if len(d.answer.body) == 0 { // some statuses never have one, and a header alone is whole
			sent = sent[:len(sent)/2]
		}
		s.hangUp(w, append(sent, d.answer.body[:len(d.answer.body)/2]...))
	case never:
		s.wait(r.Context())
		s.hangUp(w, nil)
	}
}

// refusesTLS reports whether the connection to a host is to be refused now.
func (s *Simulator) refusesTLS(host string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended { // nothing is counted and kept any more
		return true
	}
	for i := range s.memory.Faults {
		f := &s.memory.Faults[i]
		if k, _ := kindNamed(f.Kind); !k.tls || f.Environment != "" && !s.at(f.Environment, host) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			s.memory.Faults = slices.Delete(s.memory.Faults, i, i+1)
		}
		s.keep()
		return true
	}
	return false
}

// at reports whether an environment's address has that host.
func (s *Simulator) at(name, host string) bool {
	u, err := url.Parse(s.platform().environment(name).ServiceCenter)
	return err == nil && strings.EqualFold(u.Hostname(), host)
}

func (x exchange) do() answer { return x.to.does(x.ctx, x.s.platform()) }

// pretend gives the answer of a platform just like this one, which is then
// forgotten.
func (x exchange) pretend() answer {
	p, err := x.s.platform().copy()
	if err != nil {
		return wrongWith(x.op, http.StatusInternalServerError, "the simulation cannot do this")
	}
	return x.to.does(x.ctx, p)
}

// doneOrNot carries the request out if the fault says so.
func (x exchange) doneOrNot() answer {
	if x.fault.Done {
		return x.do()
	}
	return x.pretend()
}

func (x exchange) requestLost() delivery { return delivery{how: lost} }

func (x exchange) answerLost() delivery { return delivery{x.do(), lost} }

func (x exchange) answerCut() delivery { return delivery{x.do(), cut} }

func (x exchange) late() delivery {
	x.s.memory.Pending = append(x.s.memory.Pending,
		pending{Call: x.call, Environment: x.to.env, In: x.fault.Count, AfterRestart: x.fault.AfterRestart})
	return delivery{how: lost}
}

func (x exchange) twice() delivery {
	a := x.do()
	x.do()
	return delivery{answer: a}
}

func (x exchange) hang() delivery {
	if x.fault.Done {
		x.do()
	}
	return delivery{how: never}
}

// elsewhere does it to another environment. A license is then that
// environment's own of the same code: another one it would turn down.
func (x exchange) elsewhere() delivery {
	p := x.s.platform()
	a := x.pretend()
	x.fault.Environment = x.to.env
	if x.op.Name == "maintenanceMode" {
		other, ok := p.other(x.fault, func(env environment.Environment) bool {
			_, ok := p.controlled(x.ctx, key("environment", env.Name))
			return ok
		})
		if ok {
			c := x.call
			c.Path = strings.ReplaceAll(strings.ToLower(c.Path), key("environment", x.to.env), key("environment", other.Name))
			x.s.route(c).does(x.ctx, p)
		}
		return delivery{answer: a}
	}
	other, ok := p.other(x.fault, func(environment.Environment) bool { return true })
	copied, err := p.copy()
	if !ok || err != nil {
		return delivery{answer: a}
	}
	x.to.does(x.ctx, copied)
	if copied.world.InstalledFile(x.to.env).Digest() != p.world.InstalledFile(x.to.env).Digest() {
		p.world.InstallByHand(other.Name, copied.world.Installed(x.to.env).Code)
	}
	return delivery{answer: a}
}

func (x exchange) errorButDone() delivery {
	x.do()
	return delivery{answer: wrongWith(x.op, http.StatusInternalServerError, either(x.fault.Text, internalError))}
}

const internalError = "An internal error has occurred."

func (x exchange) broken() delivery {
	if x.fault.Done {
		x.do()
	}
	return delivery{answer: wrongWith(x.op, http.StatusInternalServerError, either(x.fault.Text, internalError))}
}

// successButNotDone answers what would have been answered. A publish is begun
// then, and publishes nothing.
func (x exchange) successButNotDone() delivery {
	if x.op.Name != "Staging_PublishWith2StepOption" {
		return delivery{answer: x.pretend()}
	}
	return x.publishGoesWrong()
}

// turnedDown is SetLicense that says success=false.
func (x exchange) turnedDown() delivery {
	if x.fault.Done {
		x.do()
	}
	text := ""
	if x.fault.Kind == "falseWithText" {
		text = either(x.fault.Text, badFile)
	}
	for _, op := range outSystemsPlatform().operations {
		if op.name == x.op.Name {
			return delivery{answer: op.respond("false", text)}
		}
	}
	return delivery{how: lost}
}

// turnedAway is a request that nobody looked at.
func (x exchange) turnedAway() delivery {
	switch x.fault.Kind {
	case "forbidden":
		return delivery{answer: wrongWith(x.op, http.StatusForbidden, either(x.fault.Text, "The account is not allowed to do this."))}
	case "tooMany":
		return delivery{answer: wrongWith(x.op, http.StatusTooManyRequests, either(x.fault.Text, "Too many requests."))}
	case "tokenExpired":
		return delivery{answer: wrongWith(x.op, http.StatusUnauthorized, either(x.fault.Text, "The token has expired."))}
	}
	return delivery{answer: wrongWith(x.op, http.StatusUnauthorized, either(x.fault.Text, "Authentication is needed."))}
}

// wrongWith is an answer that something is wrong, as the operation's server
// gives it.
func wrongWith(op Operation, status int, text string) answer {
	var a answer
	switch {
	case op.protocol == restProtocol:
		a = restError(status, text)
	case op.protocol == soapProtocol && status == http.StatusInternalServerError:
		return soapFault("Server", text)
	default:
		a = page(status, "result", resultPage{head: head{Title: http.StatusText(status)}, Refused: true, Text: text, Back: "/"})
	}
	if status == http.StatusUnauthorized && op.protocol != restProtocol {
		a.realm = "simulation"
	}
	return a
}

// overCap is more than any adapter reads (reliability.md D).
const overCap = 8<<20 + 1

// distorted is an answer in another form.
func (x exchange) distorted() delivery {
	a := x.doneOrNot()
	switch x.fault.Kind {
	case "html":
		a = htmlAnswer(http.StatusOK, []byte("<!DOCTYPE html><html><head><title>Log in</title></head><body><form><input name=\"user\"></form></body></html>\n"))
	case "empty":
		a.status, a.body = http.StatusOK, nil
	case "huge":
		a.body = append(bytes.Clone(a.body), bytes.Repeat([]byte{' '}, overCap)...)
	case "garbage":
		a.status, a.body = http.StatusOK, bytes.Repeat([]byte("\x00<}\xff\x1b[2J{>"), 100)
	case "wrongType":
		a.kind = "text/plain; charset=utf-8"
	case "wrongCharset":
		kind, _, _ := strings.Cut(a.kind, ";")
		a.kind, a.body = kind+"; charset=utf-16", inUTF16(a.body)
	case "redirect":
		a = answer{status: http.StatusFound, location: "https://elsewhere.simulation.invalid" + x.call.Path}
	}
	return delivery{answer: a}
}

func inUTF16(b []byte) []byte {
	out := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(string(b))) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

// flapping shows another code with every second reading of an environment's
// page.
func (x exchange) flapping() delivery {
	p := x.s.platform()
	if p.m.Flips == nil {
		p.m.Flips = map[string]int{}
	}
	p.m.Flips[x.to.env]++
	if p.m.Flips[x.to.env]%2 == 1 || !p.signedIn(x.call) {
		return delivery{answer: x.do()}
	}
	code, err := p.code(x.fault, "third")
	in := p.world.Installed(x.to.env)
	if err == nil {
		in.Code = code
	}
	return delivery{answer: p.showLicense(x.call, p.environment(x.to.env), in)}
}

func (x exchange) unreadable() delivery {
	return delivery{answer: page(http.StatusOK, "result", resultPage{head: head{Title: "Licensing"}, Text: "The page cannot be shown.", Back: "/"})}
}

func (x exchange) noLicenseShown() delivery {
	p := x.s.platform()
	if !p.signedIn(x.call) {
		return delivery{answer: unauthorized()}
	}
	return delivery{answer: p.showLicense(x.call, p.environment(x.to.env), license.Installed{Server: p.world.Installed(x.to.env).Server})}
}

func (x exchange) underReview() delivery {
	return delivery{answer: refusedPage(x.call, "Register Environment", adapters.ErrNoSlot,
		either(x.fault.Text, "Your request is under review. Nothing was registered."), x.call.prefix+"/licensing")}
}

func (x exchange) offlineUnknown() delivery {
	p := x.s.platform()
	p.hideOffline = true
	return delivery{answer: x.to.does(x.ctx, p)}
}

func (x exchange) publishNotStarted() delivery {
	text := either(x.fault.Text, "The publication could not be started.")
	if x.op.protocol == soapProtocol {
		for _, op := range solutions().operations {
			return delivery{answer: op.respond("0")}
		}
	}
	return delivery{answer: jsonAnswer(http.StatusOK, notStarted(text))}
}

// publishGoesWrong begins a publication that does not end well.
func (x exchange) publishGoesWrong() delivery {
	before := len(x.s.memory.Publications)
	a := x.do()
	if len(x.s.memory.Publications) == before {
		return delivery{answer: a} // it was refused anyhow
	}
	pub := &x.s.memory.Publications[before]
	switch x.fault.Kind {
	case "lateError":
		pub.Quirk, pub.Text = lateError, either(x.fault.Text, "Deployment failed.")
	case "publishStop":
		pub.Quirk, pub.Text, pub.TwoStep = stopsInError, either(x.fault.Text, "Preparation failed."), true
	case "neverFinishes":
		pub.Quirk = neverFinishes
	case "slowPublish":
		pub.Delay = max(x.fault.Count, 1)
	case "successButNotDone":
		pub.Quirk = doesNothing
	}
	return delivery{answer: a}
}
