package filejournal

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/changeover-go/changeover/migration/journal"
)

// A decoder reads the JSON of entries as appendEntry writes it: members in
// that order, each at most once, none that is unknown, no space.
type decoder struct {
	in    []byte // what is left of the entry
	err   error  // the first
	entry journal.Entry

	// A name is often what it was in the entry before, and else one that was
	// read before: last and names have it.
	last  struct{ kind, env, table, leg, state, effect, trigger, to, condition, by name }
	names map[string]name // by token

	day  []byte // the date of the time read last, with the T behind it
	dawn time.Time
}

// A name is a string of which a journal has few different ones.
type name struct{ token, text string }

// maxNames bounds the memory of a decoder.
const maxNames = 4096

func newDecoder() *decoder { return &decoder{names: map[string]name{}} }

// decode reads an entry, given without its closing brace. What it returns
// shares nothing with in, and is overwritten by the next call.
func (d *decoder) decode(in []byte) (*journal.Entry, error) {
	d.in, d.err, d.entry = in, nil, journal.Entry{}
	e := &d.entry
	d.must(`{"seq":`)
	e.Seq = d.uint()
	d.must(`,"epoch":`)
	e.Epoch = d.uint()
	d.must(`,"time":`)
	e.Time = d.time()
	d.must(`,"kind":`)
	e.Kind = journal.Kind(d.name(&d.last.kind))
	d.member(`,"env":`, &e.Env, &d.last.env)
	d.member(`,"table":`, &e.Table, &d.last.table)
	d.member(`,"leg":`, &e.Leg, &d.last.leg)
	d.member(`,"state":`, &e.State, &d.last.state)
	d.member(`,"effect":`, &e.Effect, &d.last.effect)
	if d.has(`,"id":`) {
		e.ID = d.string()
	}
	if d.has(`,"attempt":`) {
		e.Attempt = d.int()
	}
	d.member(`,"trigger":`, &e.Trigger, &d.last.trigger)
	d.member(`,"to":`, &e.To, &d.last.to)
	d.member(`,"condition":`, &e.Condition, &d.last.condition)
	if d.has(`,"text":`) {
		e.Text = d.string()
	}
	d.member(`,"by":`, &e.By, &d.last.by)
	if d.has(`,"hold":`) {
		d.json(&e.Hold)
	}
	if d.has(`,"testimony":`) {
		d.json(&e.Testimony)
	}
	if d.has(`,"facts":`) {
		// Valid when they were written; whoever decodes them looks again.
		e.Facts = bytes.Clone(d.value())
	}
	if d.has(`,"opened":`) {
		d.json(&e.Opened)
	}
	if len(d.in) > 0 {
		d.fail("more than this version knows")
	}
	if d.err != nil {
		return nil, d.err
	}
	return e, nil
}

// fail keeps the first mistake and reads nothing more.
func (d *decoder) fail(found string) {
	if d.err == nil {
		d.err = errors.New("it has " + found)
	}
	d.in = nil
}

func (d *decoder) has(key string) bool {
	if len(d.in) < len(key) || string(d.in[:len(key)]) != key {
		return false
	}
	d.in = d.in[len(key):]
	return true
}

func (d *decoder) must(key string) {
	if !d.has(key) {
		d.fail("no " + key[1:len(key)-1] + " where it belongs")
	}
}

func (d *decoder) member(key string, into *string, last *name) {
	if d.has(key) {
		*into = d.name(last)
	}
}

// take returns the next n bytes.
func (d *decoder) take(n int) []byte {
	taken := d.in[:n]
	d.in = d.in[n:]
	return taken
}

// digits takes a number without sign, fraction or leading zero.
func (d *decoder) digits() []byte {
	n := 0
	for n < len(d.in) && '0' <= d.in[n] && d.in[n] <= '9' {
		n++
	}
	if n == 0 || n > 1 && d.in[0] == '0' {
		d.fail("no number where one belongs")
		return nil
	}
	return d.take(n)
}

func (d *decoder) uint() uint64 {
	n, err := strconv.ParseUint(string(d.digits()), 10, 64)
	if err != nil {
		d.fail("a number that is too large")
	}
	return n
}

func (d *decoder) int() int {
	sign := ""
	if d.has("-") {
		sign = "-"
	}
	n, err := strconv.Atoi(sign + string(d.digits()))
	if err != nil {
		d.fail("a number that is too large")
	}
	return n
}

// A token is a string with its quotes, as it stands in the JSON.
type token struct {
	b     []byte
	plain bool // the text is what is between the quotes
}

func (t token) between() []byte { return t.b[1 : len(t.b)-1] }

// quoted takes a string.
func (d *decoder) quoted() token {
	if n := plainString(d.in); n > 0 {
		return token{d.take(n), true}
	}
	return d.longQuoted()
}

// longQuoted takes a string of any kind.
func (d *decoder) longQuoted() token {
	for i := 1; i < len(d.in) && d.in[0] == '"'; i++ {
		switch c := d.in[i]; {
		case c == '"':
			return token{d.take(i + 1), false}
		case c == '\\':
			i++
		case c < ' ':
			i = len(d.in)
		}
	}
	d.fail("no string where one belongs")
	return token{[]byte(`""`), true}
}

func (d *decoder) string() string { return d.text(d.quoted()) }

// name reads a string, which may be the last one again.
func (d *decoder) name(last *name) string {
	if n := len(last.token); n > 0 && len(d.in) >= n && string(d.in[:n]) == last.token {
		d.take(n)
		return last.text
	}
	t := d.quoted()
	known, ok := d.names[string(t.b)]
	if !ok {
		known = name{string(t.b), d.text(t)}
		if d.err != nil {
			return ""
		}
		if len(d.names) < maxNames {
			d.names[known.token] = known
		}
	}
	*last = known
	return known.text
}

func (d *decoder) text(t token) string {
	if t.plain {
		return string(t.between())
	}
	return d.unquote(t.b)
}

func (d *decoder) unquote(b []byte) (s string) {
	switch {
	case !utf8.Valid(b):
		d.fail("text that is not UTF-8")
	case json.Unmarshal(b, &s) != nil:
		d.fail("a string that is none")
	}
	return s
}

// time reads a time. The day is seldom another than that of the entry before.
func (d *decoder) time() time.Time {
	b := d.quoted().between()
	if n := len(d.day); n > 0 && len(b) > n && string(b[:n]) == string(d.day) {
		if since, ok := clock(b[n:]); ok {
			return d.dawn.Add(since)
		}
	}
	var t time.Time
	if t.UnmarshalText(b) != nil {
		d.fail("a time that is none")
		return t
	}
	if t.Location() == time.UTC {
		d.day = append(d.day[:0], b[:len("2006-01-02T")]...)
		d.dawn = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return t
}

// clock reads what follows the T of a time in UTC, of the form that
// time.RFC3339Nano has; ok is false for any other.
func clock(b []byte) (since time.Duration, ok bool) {
	const form = "15:04:05Z"
	if len(b) < len(form) || b[2] != ':' || b[5] != ':' || b[len(b)-1] != 'Z' {
		return 0, false
	}
	hour, minute, second := two(b), two(b[3:]), two(b[6:])
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	since = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	fraction := b[len(form)-1 : len(b)-1]
	if len(fraction) == 0 {
		return since, true
	}
	if fraction[0] != '.' || len(fraction) == 1 {
		return 0, false
	}
	unit := time.Second
	for _, c := range fraction[1:] {
		if c < '0' || c > '9' {
			return 0, false
		}
		unit /= 10 // at last zero: what is below a nanosecond counts for nothing
		since += time.Duration(c-'0') * unit
	}
	return since, true
}

// two returns the number that the first two bytes are; 100 if they are none.
func two(b []byte) int {
	if b[0] < '0' || b[0] > '9' || b[1] < '0' || b[1] > '9' {
		return 100
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// value takes the bytes of any value. They may still not be valid.
func (d *decoder) value() []byte {
	if n := plainValue(d.in, maxDepth); n > 0 && d.in[0] == '{' {
		return d.take(n)
	}
	return d.longValue()
}

func (d *decoder) longValue() []byte {
	rest := d.in
	for depth := 0; len(d.in) > 0; {
		switch d.in[0] {
		case '"':
			d.quoted()
		case '{', '[':
			depth++
			d.take(1)
		case '}', ']':
			depth--
			d.take(1)
		case ' ', '\t', '\r', '\n':
			d.fail("space where none belongs")
		default:
			d.take(1)
			if depth == 0 && len(d.in) > 0 && d.in[0] != ',' {
				continue // within a number or a word
			}
		}
		if depth <= 0 {
			return rest[:len(rest)-len(d.in)]
		}
	}
	d.fail("a value without an end")
	return nil
}

// json reads a value with encoding/json, refusing members that it does not
// know.
func (d *decoder) json(into any) {
	b := d.value()
	value := json.NewDecoder(bytes.NewReader(b))
	value.DisallowUnknownFields()
	if value.Decode(into) != nil || value.InputOffset() != int64(len(b)) {
		d.fail("a value that this version does not know")
	}
}
