package planfile

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Names of what can answer for a port.
const (
	Attended      = "attended"      // a person at the terminal
	Inbox         = "inbox"         // license files that a person has saved in a folder
	ServiceCenter = "servicecenter" // Service Center over SOAP
	LifeTime      = "lifetime"      // LifeTime over its REST interface
	Command       = "command"       // a program of yours
	BackupLink    = "backupLink"    // the link Backup License of the licensing page
	Simulator     = "simulator"     // a person played by this program, at the pages of a simulation
	Files         = "files"         // directories
)

// Adapters say who answers for each port. What the file leaves out is answered
// by a person.
type Adapters struct {
	// Connect is where every host is reached, HOST:PORT: a simulation, or a
	// jump host; zero: where its name leads.
	Connect Value
	// Trust is the path of the certificate authorities to trust, PEM; empty:
	// the system's.
	Trust string
	// Instant lets waits pass at once. It is for simulations: real systems need
	// the time.
	Instant bool
	// Who is the name of the person at the terminal, for the record; Reveal
	// shows them activation codes in full where they have to be typed.
	Who    string
	Reveal bool

	Portal, ServiceCenter, LifeTime, Vault, Support, Operator Port
}

// Simulated reports whether some port is answered by a person that this program
// plays.
func (a Adapters) Simulated() bool {
	for _, p := range []Port{a.Portal, a.ServiceCenter.page(), a.Support, a.Operator} {
		if p.Use == Simulator {
			return true
		}
	}
	return false
}

// Remote reports whether some port is answered by something other than a
// person at the terminal.
func (a Adapters) Remote() bool {
	for _, p := range []Port{a.Portal, a.ServiceCenter, a.LifeTime} {
		if p.Use != Attended {
			return true
		}
	}
	return false
}

// A Port says who answers for a port. Which fields mean something depends on
// Use; the others are zero.
type Port struct {
	Use string // one of the names above

	Folder string // Inbox: where the files are saved
	Next   *Port  // Inbox: who answers what a folder cannot

	User, Password, Token Value
	Page                  *Port  // ServiceCenter: who reads the licensing page
	Solution              string // ServiceCenter: a prepared solution that holds the test module
	Link                  string // BackupLink: its path on the server

	Program []string   // Command: the program and its arguments
	Env     []Variable // Command: its whole environment
	Timeout time.Duration

	// By are the Service Centers that are answered differently.
	By []Named
}

func (p Port) page() Port {
	if p.Page == nil {
		return Port{}
	}
	return *p.Page
}

// A Named port answers for one environment.
type Named struct {
	Environment string
	Port
}

// A Variable of a program's environment.
type Variable struct {
	Name string
	Value
}

// A Value is a text, or where it is found when it is needed: in an environment
// variable, in a file, or in what a program prints. At most one field is set.
type Value struct {
	Literal string
	Env     string
	File    string
	Command []string
}

// IsZero reports whether nothing is said.
func (v Value) IsZero() bool {
	return v.Literal == "" && v.Env == "" && v.File == "" && v.Command == nil
}

// A choice is who may answer for a port, and which keys say more about it.
type choice struct {
	use      string
	keys     []string
	required []string
}

var (
	byAttended  = choice{use: Attended}
	bySimulator = choice{use: Simulator, keys: []string{"user", "password"}, required: []string{"user", "password"}}
	byCommand   = choice{use: Command, keys: []string{"command", "env", "timeout"}, required: []string{"command"}}
	byFiles     = choice{use: Files}
	byInbox     = choice{use: Inbox, keys: []string{"folder", "next"}, required: []string{"folder"}}
	byService   = choice{use: ServiceCenter, keys: []string{"user", "password", "page", "solution", "environments"}, required: []string{"user", "password"}}
	byLifeTime  = choice{use: LifeTime, keys: []string{"token"}, required: []string{"token"}}
	byLink      = choice{use: BackupLink, keys: []string{"link", "user", "password"}, required: []string{"link", "user", "password"}}
)

// choicesFor lists who may answer for a port.
func choicesFor(port string) []choice {
	mixed := func(c choice) choice {
		if !slices.Contains(c.keys, "environments") {
			c.keys = append(slices.Clone(c.keys), "environments")
		}
		return c
	}
	switch port {
	case "portal":
		return []choice{byAttended, byInbox, byCommand, bySimulator}
	case "next":
		return []choice{byAttended, byCommand, bySimulator}
	case "serviceCenter":
		return []choice{mixed(byAttended), byService, mixed(byCommand)}
	case "page":
		return []choice{byAttended, byLink, byCommand, bySimulator}
	case "lifeTime":
		return []choice{byAttended, byLifeTime, byCommand}
	case "vault":
		return []choice{byFiles, byAttended, byCommand}
	}
	if port == "operator" {
		return []choice{byAttended, byCommand, {use: Simulator}}
	}
	return []choice{byAttended, byCommand, bySimulator} // support
}

// adapters reads the section of that name.
func (r *reader) adapters(n node, environments map[string]bool) Adapters {
	a := Adapters{}
	ports := []struct {
		key  string
		into *Port
	}{{"portal", &a.Portal}, {"serviceCenter", &a.ServiceCenter}, {"lifeTime", &a.LifeTime}, {"vault", &a.Vault}, {"support", &a.Support}, {"operator", &a.Operator}}
	keys := []string{"connect", "trust", "waits", "attended"}
	for _, p := range ports {
		keys = append(keys, p.key)
		p.into.Use = choicesFor(p.key)[0].use
	}
	for _, p := range r.object("adapters", n, keys) {
		at := member("adapters", p.key)
		switch p.key {
		case "connect":
			a.Connect = r.value(at, p.node, true)
			if a.Connect.Literal != "" && !hostPort.MatchString(a.Connect.Literal) {
				r.note(p.node.place, Mistake{Path: at, Code: "invalidAddress", Text: "expected HOST:PORT", Hint: "for example 127.0.0.1:8443"})
			}
		case "trust":
			a.Trust = r.path(at, p.node)
		case "waits":
			s := r.string(at, p.node)
			a.Instant = s == "none"
			if s != "none" && s != "real" && s != "" {
				r.note(p.node.place, Mistake{Path: at, Code: "unknownValue", Text: "expected real or none", Hint: "none lets waits pass at once, for simulations"})
			}
		case "attended":
			for _, q := range r.object(at, p.node, []string{"who", "reveal"}) {
				if q.key == "who" {
					a.Who = r.string(member(at, q.key), q.node)
				} else {
					a.Reveal = r.truth(member(at, q.key), q.node)
				}
			}
		}
		for _, port := range ports {
			if port.key == p.key {
				*port.into = r.port(at, p.key, p.node, environments)
			}
		}
	}
	if a.Instant && a.Connect.IsZero() {
		r.note(n.place, Mistake{Path: "adapters.waits", Code: "waitsAtRealSystems", Text: "waits are left out only where connect leads to a simulation", Hint: "name the simulation's address as connect, or remove waits"})
	}
	return a
}

var hostPort = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}$`)

// port reads who answers for a port: a name alone, or an object with use and
// what else there is to say.
func (r *reader) port(path, port string, n node, environments map[string]bool) Port {
	choices := choicesFor(port)
	var uses []string
	for _, c := range choices {
		uses = append(uses, c.use)
	}
	if n.kind == text {
		n = node{place: n.place, kind: object, pairs: []pair{{n.place, "use", n}}}
	}
	if n.kind != object {
		r.wrongType(path, n, "a name ("+strings.Join(uses, ", ")+"), or an object with use")
		return Port{Use: choices[0].use}
	}
	chosen := -1
	hint := "known: " + strings.Join(uses, ", ")
	for _, p := range n.pairs {
		if p.key != "use" {
			continue
		}
		s := r.string(member(path, "use"), p.node)
		if chosen = slices.Index(uses, s); chosen < 0 && p.kind == text {
			r.note(p.node.place, Mistake{Path: member(path, "use"), Code: "unknownAdapter", Text: "nothing of that name can answer for this port", Hint: hint})
		}
	}
	if chosen < 0 {
		if !slices.ContainsFunc(n.pairs, func(p pair) bool { return p.key == "use" }) {
			r.note(n.place, Mistake{Path: path, Code: "noUse", Text: "use is missing: who answers?", Hint: hint})
		}
		return Port{Use: choices[0].use}
	}
	c := choices[chosen]
	out := Port{Use: c.use}
	given := map[string]bool{}
	for _, p := range r.object(path, n, append([]string{"use"}, c.keys...)) {
		given[p.key] = true
		r.field(&out, member(path, p.key), p, environments)
	}
	for _, key := range c.required {
		if !given[key] {
			r.note(n.place, Mistake{Path: path, Code: "missingKey", Text: c.use + " needs " + key, Hint: secretHint(key)})
		}
	}
	if c.use == Inbox && out.Next == nil {
		out.Next = &Port{Use: Attended}
	}
	if c.use == ServiceCenter && out.Page == nil {
		out.Page = &Port{Use: Attended}
	}
	return out
}

func secretHint(key string) string {
	if key == "password" || key == "token" || key == "user" {
		return key + ": {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}"
	}
	return ""
}

// field reads one key of a port.
func (r *reader) field(out *Port, path string, p pair, environments map[string]bool) {
	switch p.key {
	case "folder":
		out.Folder = r.path(path, p.node)
	case "next":
		next := r.port(path, "next", p.node, nil)
		out.Next = &next
	case "page":
		page := r.port(path, "page", p.node, nil)
		out.Page = &page
	case "user":
		out.User = r.value(path, p.node, true)
	case "password":
		out.Password = r.value(path, p.node, false)
	case "token":
		out.Token = r.value(path, p.node, false)
	case "solution":
		out.Solution = r.string(path, p.node)
	case "link":
		out.Link = r.string(path, p.node)
		if p.kind == text && !strings.HasPrefix(out.Link, "/") {
			r.note(p.node.place, Mistake{Path: path, Code: "invalidLink", Text: "expected the path of the link on the server", Hint: "for example /ServiceCenter/…"})
		}
	case "command":
		out.Program = r.program(path, p.node)
	case "env":
		out.Env = r.variables(path, p.node)
	case "timeout":
		s := r.string(path, p.node)
		d, err := time.ParseDuration(s)
		if p.kind == text && (err != nil || d <= 0) {
			r.note(p.node.place, Mistake{Path: path, Code: "invalidTimeout", Text: "expected a time", Hint: "for example 45m"})
		}
		out.Timeout = d
	case "environments":
		out.By = r.named(path, p.node, environments)
	}
}

// named reads who answers for single environments.
func (r *reader) named(path string, n node, environments map[string]bool) []Named {
	if n.kind != object {
		r.wrongType(path, n, "an object: environment, and who answers for it")
		return nil
	}
	var out []Named
	for _, p := range r.once(path, n) {
		at := member(path, p.key)
		if !environments[p.key] {
			r.note(p.place, Mistake{Path: at, Code: "unknownEnvironment", Text: "the plan has no environment of that name", Hint: "letter case matters"})
		}
		port := r.port(at, "serviceCenter", p.node, nil)
		if port.By != nil {
			r.note(p.place, Mistake{Path: at, Code: "unknownKey", Text: "environments stands within environments"})
		}
		out = append(out, Named{p.key, port})
	}
	return out
}

// variables reads the environment of a program.
func (r *reader) variables(path string, n node) []Variable {
	if n.kind != object {
		r.wrongType(path, n, "an object: NAME: value")
		return nil
	}
	var out []Variable
	for _, p := range r.once(path, n) {
		at := member(path, p.key)
		out = append(out, Variable{p.key, r.value(at, p.node, !looksSecret.MatchString(p.key))})
	}
	return out
}

var looksSecret = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|credential|auth`)

// value reads a text or a reference to one. A credential that stands in the
// file itself is refused.
func (r *reader) value(path string, n node, literal bool) Value {
	switch {
	case n.kind == object:
	case literal && n.kind == text:
		return Value{Literal: r.string(path, n)}
	case literal:
		r.wrongType(path, n, "a string, or a reference to one")
		return Value{}
	case n.kind == list:
		r.wrongType(path, n, "a reference to a credential")
		return Value{}
	default:
		r.note(n.place, Mistake{Path: path, Code: "literalSecret", Text: "a credential does not belong into a plan file", Hint: "refer to it: {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}; and change the one that stood here"})
		return Value{}
	}
	var v Value
	pairs := r.object(path, n, []string{"env", "file", "command"})
	for _, p := range pairs {
		at := member(path, p.key)
		switch p.key {
		case "env":
			v.Env = r.string(at, p.node)
			if p.kind == text && !variableName.MatchString(v.Env) {
				r.note(p.node.place, Mistake{Path: at, Code: "invalidVariable", Text: "expected the name of an environment variable"})
			}
		case "file":
			v.File = r.path(at, p.node)
		case "command":
			v.Command = r.program(at, p.node)
		}
	}
	if len(n.pairs) == 0 || len(pairs) > 1 {
		r.note(n.place, Mistake{Path: path, Code: "notOne", Text: "expected exactly one of env, file and command"})
	}
	return v
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// program reads a program and its arguments. A path with a slash is taken from
// the plan's folder.
func (r *reader) program(path string, n node) []string {
	var out []string
	for i, item := range r.items(path, n) {
		s := r.string(element(path, i), item)
		if i == 0 && strings.ContainsAny(s, `/\`) && !filepath.IsAbs(s) {
			s = filepath.Join(r.folder, s)
		}
		out = append(out, s)
	}
	if n.kind == list && (len(out) == 0 || out[0] == "") {
		r.note(n.place, Mistake{Path: path, Code: "noProgram", Text: "no program is named", Hint: "[PROGRAM, ARGUMENT, …]"})
	}
	return out
}

// path reads a path of the file system.
func (r *reader) path(at string, n node) string {
	s := r.string(at, n)
	if s == "" || filepath.IsAbs(s) {
		return s
	}
	return filepath.Join(r.folder, filepath.FromSlash(s))
}

// object returns the entries of an object that may have these keys and no
// other.
func (r *reader) object(path string, n node, keys []string) []pair {
	if n.kind != object {
		r.wrongType(path, n, "an object")
		return nil
	}
	var out []pair
	for _, p := range r.once(path, n) {
		if slices.Contains(keys, p.key) {
			out = append(out, p)
			continue
		}
		m := Mistake{Path: path, Code: "unknownKey", Text: fmt.Sprintf("there is no key %q here", p.key), Hint: "known: " + strings.Join(keys, ", ")}
		if i := slices.IndexFunc(keys, func(k string) bool { return strings.EqualFold(k, p.key) }); i >= 0 {
			m.Code, m.Text, m.Hint = "misspelledKey", fmt.Sprintf("%q is spelled %q", p.key, keys[i]), "letter case matters"
		}
		r.note(p.place, m)
	}
	return out
}

// once returns the entries of an object, each key once.
func (r *reader) once(path string, n node) []pair {
	first := map[string]place{}
	var out []pair
	for _, p := range n.pairs {
		if before, again := first[p.key]; again {
			r.note(p.place, Mistake{Path: member(path, p.key), Code: "repeatedKey", Text: fmt.Sprintf("the key %q is repeated", p.key), Hint: "it stands at " + before.String() + " already"})
			continue
		}
		first[p.key] = p.place
		out = append(out, p)
	}
	return out
}

func (r *reader) items(path string, n node) []node {
	if n.kind != list {
		r.wrongType(path, n, "a list")
	}
	return n.items
}

func (r *reader) string(path string, n node) string {
	if n.kind != text {
		r.wrongType(path, n, "a string")
		return ""
	}
	if n.text == "" {
		r.note(n.place, Mistake{Path: path, Code: "emptyText", Text: "the text is empty", Hint: "leave the key out, or fill it in"})
	}
	return n.text
}

func (r *reader) truth(path string, n node) bool {
	if n.kind != truth {
		r.wrongType(path, n, "true or false")
	}
	return n.kind == truth && n.text == "true"
}

func (r *reader) wrongType(path string, n node, wanted string) {
	if r.known(n.place) {
		return // it follows from what was said already
	}
	found := map[kind]string{null: "nothing", text: "a string", number: "a number", truth: "true or false", list: "a list", object: "an object"}[n.kind]
	r.note(n.place, Mistake{Path: path, Code: "wrongType", Text: "expected " + wanted + ", found " + found})
}
