package environment

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// What an infrastructure may have.
const (
	MaxEnvironments = 1000
	MaxNameRunes    = 128 // of an infrastructure or an environment
)

// Check returns everything that is wrong with the infrastructure by itself,
// and what is worth knowing as warnings, environment by environment:
//
//   - noEnvironments, tooManyEnvironments (more than [MaxEnvironments]),
//     noLifeTime, severalLifeTimes: the procedure is for exactly one LifeTime
//     and all that it controls (seed, Moving an entire infrastructure);
//   - emptyName, longName (more than [MaxNameRunes]), unprintableName,
//     reservedName: names of environments, the first three also of the
//     infrastructure;
//   - unknownKind: not one of [Kinds];
//   - invalidAddress, insecureAddress, addressWithPassword: a Service Center
//     has an absolute https address without user information;
//   - invalidSerial, and as a warning unusualSerial;
//   - duplicateName, duplicateSerial, duplicateAddress: two environments that
//     are one, or that a person would take for one.
//
// Names are compared without regard to case, accents, width, white space and
// invisible characters. Letters with accents beyond Latin-1 and Latin
// Extended-A are taken apart only if they are written with combining marks;
// no tables of Unicode normalization are at hand.
//
// A name may look like a path ("../x", "CON"): no path is ever made of it, see
// [Environment.Key].
func (i Infrastructure) Check() Findings {
	fs := checkName("infrastructure", i.Name)
	if len(i.Environments) == 0 {
		fs = append(fs, Finding{Code: "noEnvironments", Where: "environments", Text: "there are none", Hint: "name every environment that LifeTime controls, and LifeTime"})
	}
	if n := len(i.Environments); n > MaxEnvironments {
		fs = append(fs, Finding{Code: "tooManyEnvironments", Where: "environments", Text: fmt.Sprintf("there are %d, at most %d are accepted", n, MaxEnvironments),
			Hint: "see that the list is of one LifeTime only"})
	}
	if !i.hasLifeTime() {
		fs = append(fs, noLifeTime())
	}
	lifeTime := ""
	names, serials, addresses := places{}, places{}, places{}
	for n, e := range i.Environments {
		where := place("environments", n, e.Name)
		fs = append(fs, e.check(where)...)
		if e.isLifeTime() {
			if lifeTime != "" {
				fs = append(fs, Finding{Code: "severalLifeTimes", Where: where, Text: "is a second LifeTime, besides " + lifeTime,
					Hint: "environments of another LifeTime are moved in a run of their own"})
			} else {
				lifeTime = where
			}
		}
		if first, again := names.seen(fold(e.Name), where); again {
			fs = append(fs, Finding{Code: "duplicateName", Where: where, Text: "has the same name as " + first,
				Hint: "names that differ only in case, accents, width, white space or invisible characters count as the same"})
		}
		if first, again := serials.seen(strings.ToUpper(string(e.Serial)), where); again {
			fs = append(fs, Finding{Code: "duplicateSerial", Where: where, Text: "has the same serial number as " + first,
				Hint: "every environment has a serial number of its own; Service Center shows it"})
		}
		if first, again := addresses.seen(normalAddress(e.ServiceCenter), where); again {
			fs = append(fs, Finding{Code: "duplicateAddress", Where: where, Text: "has the same Service Center as " + first,
				Hint: "every environment has a Service Center of its own"})
		}
	}
	return fs
}

// Environment returns the environment called name; ok is false if there is
// none.
func (i Infrastructure) Environment(name string) (env Environment, ok bool) {
	for _, e := range i.Environments {
		if e.Name == name {
			return e, true
		}
	}
	return Environment{}, false
}

func (e Environment) isLifeTime() bool { return e.Kind == LifeTime }

func (i Infrastructure) hasLifeTime() bool {
	return slices.ContainsFunc(i.Environments, Environment.isLifeTime)
}

// check returns what is wrong with one environment by itself.
func (e Environment) check(where string) Findings {
	fs := checkName(where, e.Name)
	// journal.Infrastructure: the infrastructure's own entries are journaled
	// under this name. That package knows nothing of environments, nor this
	// one of journals.
	if e.Name == "*" {
		fs = append(fs, Finding{Code: "reservedName", Where: where, Text: "the name * stands for the infrastructure itself", Hint: "write the name as LifeTime has it"})
	}
	if !e.Kind.Known() {
		var kinds []string
		for _, k := range Kinds() {
			kinds = append(kinds, string(k))
		}
		fs = append(fs, Finding{Code: "unknownKind", Where: where, Text: fmt.Sprintf(`the kind "%s" is unknown`, printable.Text(string(e.Kind))),
			Hint: "the kinds are " + strings.Join(kinds, ", ")})
	}
	fs = append(fs, checkAddress(where, e.ServiceCenter)...)
	if serial, err := license.ParseSerialNumber(string(e.Serial)); err != nil {
		fs = append(fs, Finding{Code: "invalidSerial", Where: where, Text: strings.ReplaceAll(err.Error(), "\n", "; "),
			Hint: "Service Center shows the serial number under Administration, Licensing"})
	} else if !serial.Usual() {
		fs = append(fs, Finding{Code: "unusualSerial", Where: where, Text: fmt.Sprintf(`the serial number "%s" does not have the usual form`, printable.Text(string(serial))),
			Hint: "the usual form is eight groups of three letters or digits, joined by hyphens", Warning: true})
	}
	return fs
}

// checkName returns what is wrong with the name of an environment or an
// infrastructure.
func checkName(where, name string) (fs Findings) {
	if strings.TrimSpace(name) == "" {
		fs = append(fs, Finding{Code: "emptyName", Where: where, Text: "the name is empty", Hint: "give it a name"})
	}
	if n := utf8.RuneCountInString(name); n > MaxNameRunes {
		fs = append(fs, Finding{Code: "longName", Where: where, Text: fmt.Sprintf("the name has %d characters, at most %d are accepted", n, MaxNameRunes), Hint: "give it a shorter name"})
	}
	if quoted := printable.Whole(name); quoted != name {
		fs = append(fs, Finding{Code: "unprintableName", Where: where, Text: fmt.Sprintf(`the name, "%s", has characters that cannot be shown as they are`, printable.Text(name)),
			Hint: "control, invisible and bidirectional characters, blanks other than the space, and more than two combining marks in a row are not accepted"})
	}
	return fs
}

// checkAddress returns what is wrong with the address of a Service Center. The
// address is not repeated: it may contain a password.
func checkAddress(where, address string) (fs Findings) {
	u, err := url.Parse(address)
	port := 1
	if err == nil && u.Port() != "" {
		port, err = strconv.Atoi(u.Port())
	}
	switch {
	case address == "":
		return Findings{{Code: "invalidAddress", Where: where, Text: "the address of Service Center is missing", Hint: "write it like https://host.example"}}
	case err != nil || u.Hostname() == "" || port < 1 || port > 65535:
		return Findings{{Code: "invalidAddress", Where: where, Text: "the address of Service Center is not an absolute URL", Hint: "write it like https://host.example"}}
	}
	switch u.Scheme {
	case "https":
	case "http":
		fs = append(fs, Finding{Code: "insecureAddress", Where: where, Text: "the address of Service Center is not https",
			Hint: "over http, others on the network can read the password and replace the license"})
	default:
		fs = append(fs, Finding{Code: "invalidAddress", Where: where, Text: "the address of Service Center is not https", Hint: "write it like https://host.example"})
	}
	if u.User != nil {
		fs = append(fs, Finding{Code: "addressWithPassword", Where: where, Text: "the address of Service Center contains a user name or password",
			Hint: "credentials are given to the adapter, never to the plan"})
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		fs = append(fs, Finding{Code: "invalidAddress", Where: where, Text: "the address of Service Center contains a query or a fragment", Hint: "write the base address only"})
	}
	return fs
}

// normalAddress returns the same text for addresses of the same Service
// Center, be it over http or https, and "" for what is no address.
func normalAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	port := strings.TrimLeft(u.Port(), "0")
	if u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		port = ""
	}
	return net.JoinHostPort(normalHost(u.Hostname()), port) + path.Clean("/"+u.Path)
}

// normalHost returns the same text for spellings of the same host name.
func normalHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// fold returns the same text for names that a person would take for the same.
func fold(name string) string {
	// The letters that the accented ones from U+00C0 to U+017F are made of; a
	// dot where there are none.
	const letters = "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.y" +
		"AaAaAaCcCcCcCcDd..EeEeEeEeEeGgGgGgGgHh..IiIiIiIiI...JjKk.LlLlLl....NnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZz."
	var b strings.Builder
	for _, r := range name {
		switch {
		case r >= 0xff01 && r <= 0xff5e: // full width
			r -= 0xff01 - '!'
		case r >= 0xc0 && r <= 0x17f && letters[r-0xc0] != '.':
			r = rune(letters[r-0xc0])
		case unicode.IsSpace(r):
			r = ' '
		case unicode.IsMark(r) || !unicode.IsGraphic(r):
			continue
		}
		// The smallest of the runes that differ only in case stands for all.
		smallest := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			smallest = min(smallest, next)
		}
		b.WriteRune(smallest)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// place names an item of a list for printing, like environments[2] "Quality".
func place(list string, n int, name string) string {
	return fmt.Sprintf(`%s[%d] "%s"`, list, n, printable.Text(name))
}

// places remembers where a value was first seen.
type places map[string]string

// seen returns where value was seen before. What is empty is not remembered:
// it is wrong already.
func (p places) seen(value, where string) (first string, again bool) {
	if value == "" {
		return "", false
	}
	if first, again = p[value]; !again {
		p[value] = where
	}
	return first, again
}
