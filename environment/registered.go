package environment

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/changeover-go/changeover/internal/printable"
)

// CheckRegistered compares the infrastructure with what its LifeTime lists,
// and returns everything that forbids the migration, and as warnings what is
// worth knowing. The written procedure knows three cases in which one must not
// begin (seed, the box above the migration procedure):
//
//   - an environment that is to change belongs to another LifeTime:
//     notControlled;
//   - an environment of this LifeTime is to keep its code: leftOut;
//   - LifeTime itself is to keep its code: noLifeTime, the very finding of
//     [Infrastructure.Check].
//
// Environments are matched by name, exactly. One that is found only by another
// spelling of its name, or only by its host, is reported as differentSpelling
// or differentName; one whose host is not the one that LifeTime has, as
// differentHost: it may be another infrastructure's. Further findings are
// cloudEnvironment (the vendor installs its licenses), lifeTimeRegistered
// (LifeTime is never in its own list, facts.md 2.1), duplicateRegistered, and
// the warnings unknownHost (LifeTime states no address to compare) and
// deploymentsRunning, which names them.
//
// Findings come in the order of registered; then those about environments that
// LifeTime does not list, in the order of the infrastructure.
func (i Infrastructure) CheckRegistered(registered []Registered) Findings {
	var fs Findings
	listed := make([]bool, len(i.Environments))
	for n, m := range i.match(registered) {
		r, where := registered[n], place("registered", n, registered[n].Name)
		if r.Cloud {
			fs = append(fs, Finding{Code: "cloudEnvironment", Where: where, Text: "is hosted by the vendor, who installs its licenses",
				Hint: "the procedure is for self-managed environments; ask Support"})
		}
		if m.by == "" {
			fs = append(fs, Finding{Code: "leftOut", Where: where, Text: "is controlled by this LifeTime, but the plan leaves it out",
				Hint: "do not proceed unless every environment of this LifeTime changes its activation code"})
		} else {
			fs = append(fs, m.check(where, r, listed[m.place])...)
			listed[m.place] = true
		}
		if len(r.Running) > 0 {
			fs = append(fs, Finding{Code: "deploymentsRunning", Where: where, Text: "deployments are running: " + printable.Text(strings.Join(r.Running, ", ")),
				Hint: "let them end first: a pause can abort them", Warning: true})
		}
	}
	for n, e := range i.Environments {
		if !listed[n] && !e.isLifeTime() {
			fs = append(fs, Finding{Code: "notControlled", Where: place("environments", n, e.Name), Text: "is not controlled by this LifeTime",
				Hint: "do not proceed with environments of another LifeTime; if it is one of this LifeTime's, see that the account may see it"})
		}
	}
	if !i.hasLifeTime() {
		fs = append(fs, noLifeTime())
	}
	return fs
}

// A match is the environment of an infrastructure that a registered one is.
type match struct {
	Environment
	place int    // in the infrastructure
	by    string // "name", "spelling" or "host"; empty: there is none
}

// match finds each registered environment in the infrastructure: first by its
// name, then, among those left over, by another spelling of it, then by host.
func (i Infrastructure) match(registered []Registered) []match {
	matches := make([]match, len(registered))
	taken := make([]bool, len(i.Environments))
	for _, by := range []struct {
		what string
		key  func(name, address string) string
	}{
		{"name", func(name, _ string) string { return name }},
		{"spelling", func(name, _ string) string { return fold(name) }},
		{"host", func(_, address string) string { return host(address) }},
	} {
		index := map[string]int{}
		for n, e := range i.Environments {
			key := by.key(e.Name, e.ServiceCenter)
			if _, again := index[key]; !again && !taken[n] && key != "" {
				index[key] = n
			}
		}
		for n, r := range registered {
			key := by.key(r.Name, r.Address)
			at, found := index[key]
			// One name twice is reported as such; what is like a name or a host
			// is found once.
			if matches[n].by == "" && found && (by.what == "name" || !taken[at]) {
				matches[n] = match{i.Environments[at], at, by.what}
				taken[at] = true
			}
		}
	}
	return matches
}

// check returns what is wrong with a registered environment that was found.
func (m match) check(where string, r Registered, again bool) (fs Findings) {
	here := place("environments", m.place, m.Name)
	if m.isLifeTime() {
		return Findings{{Code: "lifeTimeRegistered", Where: where, Text: "is LifeTime itself according to the plan, but LifeTime never lists itself",
			Hint: "correct kind or address of " + here}}
	}
	if again {
		return Findings{{Code: "duplicateRegistered", Where: where, Text: "is listed twice", Hint: "see what LifeTime shows; the list must name every environment once"}}
	}
	switch m.by {
	case "spelling":
		fs = append(fs, Finding{Code: "differentSpelling", Where: where, Text: "is spelled differently in the plan: " + here,
			Hint: "write the name as LifeTime has it, in upper and lower case too"})
	case "host":
		fs = append(fs, Finding{Code: "differentName", Where: where, Text: "has another name in the plan: " + here,
			Hint: "both have the same host; write the name as LifeTime has it"})
	}
	planned, stated := host(m.ServiceCenter), host(r.Address)
	switch {
	case planned == "": // a finding of Check
	case stated == "":
		fs = append(fs, Finding{Code: "unknownHost", Where: where, Text: "LifeTime states no address, so that only the name was compared",
			Hint: "see that the Service Center in the plan is that of this environment", Warning: true})
	case stated != planned:
		fs = append(fs, Finding{Code: "differentHost", Where: where,
			Text: fmt.Sprintf(`LifeTime states the host "%s", the plan "%s"`, printable.Text(stated), printable.Text(planned)),
			Hint: "it may be the environment of another infrastructure; if not, write the host as LifeTime has it"})
	}
	return fs
}

// noLifeTime is the finding about a plan without a LifeTime.
func noLifeTime() Finding {
	return Finding{Code: "noLifeTime", Where: "environments", Text: `there is no environment of kind "lifetime"`,
		Hint: "do not proceed without LifeTime: it changes its activation code like the environments that it controls"}
}

// host returns the host of a host name, with or without a port, or of a URL;
// empty if there is none.
func host(address string) string {
	if address = strings.TrimSpace(address); !strings.Contains(address, "://") {
		address = "//" + address
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return normalHost(u.Hostname())
}
