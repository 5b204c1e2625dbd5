package migration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
)

// Limits of the text of a plan.
const (
	planVersion  = 1
	maxPlanBytes = 1 << 20
	// maxEntries of an array or an object are read. It is more than a plan may
	// have, so that Validate speaks first, and keeps its comparisons cheap.
	maxEntries = 2000
	// maxMistakes are reported; how many more there are is counted.
	maxMistakes = 1000
)

// ReadPlan reads a plan from JSON, version 1. It returns a plan only when
// [Plan.Validate] finds nothing wrong with it.
//
// It is strict, because a plan that is misread costs somebody their license.
// The error joins every mistake in the order of the text, what Validate finds
// included. Each is an [environment.Finding] whose Where has line, column (in
// characters) and path, or the path alone of what is missing from the plan:
//
//   - planTooLarge (more than 1 MiB), notUTF8, byteOrderMark, notJSON: of a
//     text that is not JSON only the first mistake is told;
//   - noVersion, unknownVersion: only version 1 is read;
//   - unknownKey, misspelledKey (by letter case), repeatedKey;
//   - wrongType (null too), notInteger, lostCharacter (U+FFFD, or half of an
//     escaped pair), invalidActivationCode, tooManyEntries (more than 2,000 in
//     one array or object);
//   - moreMistakes: beyond 1,000 they are only counted.
//
// Activation codes are masked as in Validate. An error of r is wrapped.
func ReadPlan(r io.Reader) (Plan, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPlanBytes+1))
	if err != nil {
		return Plan{}, fmt.Errorf("reading the plan: %w", err)
	}
	if len(text) > maxPlanBytes {
		return Plan{}, environment.Findings{{
			Code: "planTooLarge", Text: fmt.Sprintf("the plan has more than %d bytes", maxPlanBytes), Hint: "it was not read further",
		}}.Err()
	}
	d := document{text: text, places: map[string]int{}}
	var p Plan
	if d.parse() {
		p = d.plan()
		d.validate(p)
	}
	if err := d.findings().Err(); err != nil {
		return Plan{}, err
	}
	return p, nil
}

// A document is the text of a plan while it is read.
type document struct {
	text     []byte
	root     node
	places   map[string]int // offset of the value at a path
	mistakes []mistake
	more     int // mistakes that were not kept
}

// A node is one JSON value.
type node struct {
	at    int // offset of its first byte
	value any // string, json.Number, bool, nil, []node or []pair
}

// A pair is one entry of a JSON object.
type pair struct {
	at  int // offset of the key
	key string
	node
}

// A mistake is a finding and its place. Lost means that the value at the path
// could not be read, so that nothing else should be said of it.
type mistake struct {
	at   int // offset; -1 if the path is not in the text
	path string
	lost bool
	environment.Finding
}

func (d *document) note(m mistake) {
	if len(d.mistakes) == maxMistakes {
		d.more++
		return
	}
	d.mistakes = append(d.mistakes, m)
}

// findings returns the mistakes in the order of the text.
func (d *document) findings() environment.Findings {
	slices.SortStableFunc(d.mistakes, func(a, b mistake) int {
		return cmp.Compare(uint(a.at), uint(b.at)) // -1, without a place, comes last
	})
	var found environment.Findings
	for _, m := range d.mistakes {
		m.Where = m.path
		if m.at >= 0 {
			m.Where = d.place(m.at)
			if m.path != "" {
				m.Where += " (" + m.path + ")"
			}
		}
		found = append(found, m.Finding)
	}
	if d.more > 0 {
		found = append(found, environment.Finding{Code: "moreMistakes", Text: fmt.Sprintf("there are %d more mistakes", d.more), Hint: "mend these first"})
	}
	return masked(found)
}

// place says where a byte is, as editors count.
func (d *document) place(at int) string {
	before := d.text[:at]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return fmt.Sprintf("line %d, column %d", bytes.Count(before, []byte{'\n'})+1, utf8.RuneCount(line)+1)
}

// parse reads the text into nodes. It reports false, and notes why, when the
// text is not one JSON value.
func (d *document) parse() bool {
	const mark = "\ufeff"
	if bytes.HasPrefix(d.text, []byte(mark)) {
		d.note(mistake{Finding: environment.Finding{Code: "byteOrderMark", Text: "the plan begins with a byte order mark", Hint: "save it as UTF-8 without one"}})
		d.text = d.text[len(mark):]
	}
	for at := 0; at < len(d.text); {
		r, size := utf8.DecodeRune(d.text[at:])
		if r == utf8.RuneError && size == 1 {
			d.note(mistake{at: at, Finding: environment.Finding{Code: "notUTF8", Text: "the plan is not valid UTF-8 from here on", Hint: "save it as UTF-8"}})
			return false
		}
		at += size
	}
	var whole json.RawMessage
	if err := json.Unmarshal(d.text, &whole); err != nil {
		d.note(d.syntax(err))
		return false
	}
	dec := json.NewDecoder(bytes.NewReader(d.text))
	dec.UseNumber()
	d.root = d.next(dec)
	return true
}

// syntax places a syntax error at the character that it is about.
func (d *document) syntax(err error) mistake {
	f := environment.Finding{Code: "notJSON", Text: printable.Text(err.Error()), Hint: "JSON has neither comments nor trailing commas"}
	at := 0
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(int(syntax.Offset)-1, 0)
	}
	switch {
	case len(bytes.TrimSpace(d.text)) == 0:
		at = 0
		f.Text, f.Hint = "the plan is empty", ""
	case strings.HasPrefix(f.Text, "unexpected end"):
		at = len(d.text)
		f.Text, f.Hint = "the plan ends too early", "a quote or a closing bracket is missing"
	case at < len(d.text) && d.text[at] >= utf8.RuneSelf:
		// The decoder speaks of the first byte; this is the character.
		r, _ := utf8.DecodeRune(d.text[at:])
		f.Text = "invalid character '" + printable.Text(string(r)) + "'"
	}
	f.Text = "not JSON: " + f.Text
	return mistake{at: at, Finding: f}
}

// next returns the next value of a text that is known to be JSON.
func (d *document) next(dec *json.Decoder) node {
	// What lies between two tokens is white space, a comma or a colon.
	at := int(dec.InputOffset())
	for at < len(d.text) && strings.IndexByte(" \t\r\n,:", d.text[at]) >= 0 {
		at++
	}
	token, _ := dec.Token()
	switch token {
	case json.Delim('['):
		list := []node{}
		for dec.More() {
			list = append(list, d.next(dec))
		}
		_, _ = dec.Token()
		return node{at, list}
	case json.Delim('{'):
		object := []pair{}
		for dec.More() {
			key := d.next(dec)
			name, _ := key.value.(string)
			object = append(object, pair{key.at, name, d.next(dec)})
		}
		_, _ = dec.Token()
		return node{at, object}
	}
	return node{at, token}
}

// validate notes what Validate finds, unless it is about a value that could
// not be read.
func (d *document) validate(p Plan) {
	for _, f := range p.check() {
		path, name, named := strings.Cut(f.Where, ` "`)
		if key := keyOf(f.Code); named && key != "" {
			path = member(path, key)
			f.Where = path + ` "` + name
		}
		if !f.Warning && !d.lost(path) {
			d.note(mistake{at: d.where(path), path: f.Where, Finding: f})
		}
	}
}

// keyOf returns the key that a finding of [environment.Infrastructure.Check] is
// about, which itself names the environment only; "" if it is not about one.
func keyOf(code string) string {
	switch code {
	case "emptyName", "longName", "unprintableName", "reservedName", "duplicateName":
		return "name"
	case "unknownKind", "severalLifeTimes":
		return "kind"
	case "invalidAddress", "insecureAddress", "addressWithPassword", "duplicateAddress":
		return "serviceCenter"
	case "invalidSerial", "duplicateSerial":
		return "serial"
	}
	return ""
}

// where returns the offset of the value at a path, or of the innermost value
// that it is missing from; -1 if it is missing from the plan itself.
func (d *document) where(path string) int {
	for path != "" {
		if at, ok := d.places[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return -1
}

// lost reports whether what is said of the path hangs on a value that could
// not be read.
func (d *document) lost(path string) bool {
	ofLegs := within(path, "accept") || within(path, "maxInFlight")
	for _, m := range d.mistakes {
		if m.lost && (within(path, m.path) || within(m.path, path) || ofLegs && m.path == "profile") {
			return true
		}
	}
	return false
}

// within reports whether path is outer or leads into it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// A read takes in the value at a path.
type read func(path string, n node)

// A field is a key that an object may have.
type field struct {
	key  string
	read read
}

// plan reads the root.
func (d *document) plan() Plan {
	p := Plan{Accept: map[string][]license.IPP{}, MaxInFlight: map[string]int{}}
	version := planVersion
	d.object(
		field{"version", integer(d, &version)},
		field{"infrastructure", text(d, &p.Infrastructure.Name)},
		field{"source", d.activationCode(&p.Source)},
		field{"target", d.activationCode(&p.Target)},
		field{"profile", text(d, &p.Profile)},
		field{"module", text(d, &p.Module)},
		field{"environments", list(d, &p.Infrastructure.Environments, func(env *environment.Environment) read {
			return d.object(
				field{"name", text(d, &env.Name)},
				field{"kind", text(d, &env.Kind)},
				field{"serviceCenter", text(d, &env.ServiceCenter)},
				field{"serial", text(d, &env.Serial)},
			)
		})},
		field{"accept", table(d, p.Accept, func(words *[]license.IPP) read { return texts(d, words) })},
		field{"order", texts(d, &p.Order)},
		field{"first", texts(d, &p.First)},
		field{"maxInFlight", table(d, p.MaxInFlight, func(n *int) read { return integer(d, n) })},
		field{"minCopies", integer(d, &p.MinCopies)},
		field{"pause", texts(d, &p.Pause)},
	)("", d.root)
	switch {
	case d.lost("version"):
	case !d.has("version"):
		d.note(mistake{at: -1, path: "version", Finding: environment.Finding{
			Code: "noVersion", Text: "the version is missing", Hint: fmt.Sprintf("this is version %d", planVersion),
		}})
	case version != planVersion:
		d.note(mistake{at: d.where("version"), path: "version", Finding: environment.Finding{
			Code: "unknownVersion", Text: fmt.Sprintf("there is no version %d", version), Hint: fmt.Sprintf("this is version %d", planVersion),
		}})
	}
	return p
}

// object reads an object that may have these fields and no other.
func (d *document) object(fields ...field) read {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return func(path string, n node) {
		misspelled := make(map[int]node)
		for _, e := range d.pairs(path, n) {
			i := slices.IndexFunc(keys, func(key string) bool { return strings.EqualFold(key, e.key) })
			switch {
			case i < 0:
				d.note(mistake{at: e.at, path: member(path, e.key), Finding: environment.Finding{
					Code: "unknownKey", Text: "there is no key " + quote(e.key), Hint: "known: " + strings.Join(keys, ", "),
				}})
			case keys[i] == e.key:
				fields[i].read(member(path, keys[i]), e.node)
			default:
				d.note(mistake{at: e.at, path: member(path, e.key), Finding: environment.Finding{
					Code: "misspelledKey", Text: quote(e.key) + " is spelled " + quote(keys[i]), Hint: "letter case matters",
				}})
				misspelled[i] = e.node
			}
		}
		// Where the key does not stand rightly as well, it is clear what is
		// meant: the value is read, for the sake of the mistakes in it.
		for i, f := range fields {
			meant := member(path, f.key)
			if n, ok := misspelled[i]; ok && !d.has(meant) {
				f.read(meant, n)
			}
		}
	}
}

// has reports whether a value was read at the path.
func (d *document) has(path string) bool {
	_, ok := d.places[path]
	return ok
}

// pairs returns the entries of an object, each key once.
func (d *document) pairs(path string, n node) []pair {
	all, ok := n.value.([]pair)
	if !d.is(ok, path, n, "an object") || d.tooMany(len(all), path, n) {
		return nil
	}
	first := map[string]int{}
	var pairs []pair
	for _, e := range all {
		if before, again := first[e.key]; again {
			d.spoil(e.at, member(path, e.key), environment.Finding{
				Code: "repeatedKey", Text: "the key " + quote(e.key) + " is repeated", Hint: "it stands at " + d.place(before) + " already",
			})
			continue
		}
		first[e.key] = e.at
		pairs = append(pairs, e)
	}
	return pairs
}

// table reads an object whose keys are free.
func table[T any](d *document, into map[string]T, item func(*T) read) read {
	return func(path string, n node) {
		for _, e := range d.pairs(path, n) {
			var v T
			at := member(path, e.key)
			item(&v)(at, e.node)
			into[e.key] = v
			d.places[at] = e.at // what is wrong with the key is said here
		}
	}
}

// list reads an array. What cannot be read in it keeps its position.
func list[T any](d *document, into *[]T, item func(*T) read) read {
	return func(path string, n node) {
		nodes, ok := n.value.([]node)
		if !d.is(ok, path, n, "an array") || d.tooMany(len(nodes), path, n) {
			return
		}
		for i, n := range nodes {
			var v T
			item(&v)(element(path, i), n)
			*into = append(*into, v)
		}
	}
}

// texts reads an array of strings.
func texts[T ~string](d *document, into *[]T) read {
	return list(d, into, func(v *T) read { return text(d, v) })
}

// text reads a string.
func text[T ~string](d *document, into *T) read {
	return func(path string, n node) {
		s, ok := n.value.(string)
		switch {
		case !d.is(ok, path, n, "a string"):
		case strings.ContainsRune(s, utf8.RuneError):
			// No plan means U+FFFD: a conversion has put it in the place of a
			// character, or half of a pair was escaped.
			d.spoil(n.at, path, environment.Finding{Code: "lostCharacter", Text: "a character was lost here", Hint: "U+FFFD stands in its place, or half of an escaped pair"})
		default:
			*into = T(s)
		}
	}
}

// activationCode reads an activation code.
func (d *document) activationCode(into *license.ActivationCode) read {
	return func(path string, n node) {
		var s string
		text(d, &s)(path, n)
		if d.lost(path) {
			return
		}
		code, err := license.ParseActivationCode(s)
		if err != nil {
			d.spoil(n.at, path, environment.Finding{Code: "invalidActivationCode", Text: strings.ReplaceAll(err.Error(), "\n", "; ")})
		}
		*into = code
	}
}

// integer reads a whole number.
func integer(d *document, into *int) read {
	return func(path string, n node) {
		number, ok := n.value.(json.Number)
		if !d.is(ok, path, n, "a whole number") {
			return
		}
		v, err := strconv.Atoi(number.String())
		if err != nil {
			d.spoil(n.at, path, environment.Finding{Code: "notInteger", Text: printable.Text(number.String()) + " is not a whole number, or too large", Hint: "only digits"})
			return
		}
		*into = v
	}
}

// is notes where the value is, and that it is of another type unless ok.
func (d *document) is(ok bool, path string, n node, wanted string) bool {
	d.places[path] = n.at
	if ok {
		return true
	}
	f := environment.Finding{Code: "wrongType", Text: "expected " + wanted + ", found "}
	switch n.value.(type) {
	case nil:
		f.Text += "null"
		f.Hint = "leave it out instead"
	case bool:
		f.Text += "true or false"
	case json.Number:
		f.Text += "a number"
	case string:
		f.Text += "a string"
	case []node:
		f.Text += "an array"
	case []pair:
		f.Text += "an object"
	}
	d.spoil(n.at, path, f)
	return false
}

func (d *document) tooMany(count int, path string, n node) bool {
	if count <= maxEntries {
		return false
	}
	d.spoil(n.at, path, environment.Finding{Code: "tooManyEntries", Text: fmt.Sprintf("there are %d entries, at most %d are read", count, maxEntries)})
	return true
}

// spoil notes a mistake for which the value at the path cannot be read.
func (d *document) spoil(at int, path string, f environment.Finding) {
	d.note(mistake{at: at, path: path, lost: true, Finding: f})
}
