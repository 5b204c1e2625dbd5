package filejournal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/changeover-go/changeover/migration/journal"
)

// This file turns entries into JSON and back. It does what encoding/json does
// with a [journal.Entry] (tests hold the two together), but the common fields
// without reflection: so a journal of a million entries is read in a second or
// two, and writing an entry takes the time of the disk.

// appendEntry appends the JSON of an entry to b.
func appendEntry(b []byte, e *journal.Entry) ([]byte, error) {
	w := writer{b: b}
	w.b = strconv.AppendUint(append(w.b, `{"seq":`...), e.Seq, 10)
	w.b = strconv.AppendUint(append(w.b, `,"epoch":`...), e.Epoch, 10)
	w.b = append(w.b, `,"time":`...)
	w.time(e.Time)
	w.b = append(w.b, `,"kind":`...)
	w.string(string(e.Kind))
	w.member(`,"env":`, e.Env)
	w.member(`,"table":`, e.Table)
	w.member(`,"leg":`, e.Leg)
	w.member(`,"state":`, e.State)
	w.member(`,"effect":`, e.Effect)
	w.member(`,"id":`, e.ID)
	if e.Attempt != 0 {
		w.b = strconv.AppendInt(append(w.b, `,"attempt":`...), int64(e.Attempt), 10)
	}
	w.member(`,"trigger":`, e.Trigger)
	w.member(`,"to":`, e.To)
	w.member(`,"condition":`, e.Condition)
	w.member(`,"text":`, e.Text)
	w.member(`,"by":`, e.By)
	if e.Hold != nil {
		w.b = append(w.b, `,"hold":`...)
		w.json(e.Hold)
	}
	if len(e.Testimony) > 0 {
		w.b = append(w.b, `,"testimony":`...)
		w.json(e.Testimony)
	}
	if len(e.Facts) > 0 {
		w.b = append(w.b, `,"facts":`...)
		w.json(e.Facts)
	}
	if e.Opened != nil {
		w.b = append(w.b, `,"opened":`...)
		w.json(e.Opened)
	}
	return append(w.b, '}'), w.err
}

// A writer appends JSON to b and keeps the first error.
type writer struct {
	b   []byte
	err error
}

func (w *writer) member(key, s string) {
	if s != "" {
		w.b = append(w.b, key...)
		w.string(s)
	}
}

func (w *writer) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.json(s)
			return
		}
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
}

func (w *writer) time(t time.Time) {
	b, err := t.AppendText(append(w.b, '"'))
	if err != nil {
		w.fail(err)
		return
	}
	w.b = append(b, '"')
}

// json leaves <, > and & as they are, and escapes what no terminal shows as a
// character, since the journal is read by people.
func (w *writer) json(v any) {
	var buf bytes.Buffer
	if raw, ok := v.(json.RawMessage); ok {
		w.fail(json.Compact(&buf, raw))
	} else {
		e := json.NewEncoder(&buf)
		e.SetEscapeHTML(false)
		w.fail(e.Encode(v))
	}
	for _, r := range strings.TrimSuffix(buf.String(), "\n") {
		if unicode.IsPrint(r) {
			w.b = utf8.AppendRune(w.b, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			w.b = fmt.Appendf(w.b, `\u%04x`, unit)
		}
	}
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

// A decoder reads the JSON of entries as appendEntry writes it: members in
// that order, each at most once, none that is unknown, no space.
type decoder struct {
	in    []byte // what is left of the entry
	err   error  // the first
	names map[string]string
}

// maxNames bounds the memory of a decoder.
const maxNames = 4096

func newDecoder() *decoder { return &decoder{names: make(map[string]string)} }

// decode reads an entry, given without its closing brace. What it returns
// shares nothing with in.
func (d *decoder) decode(in []byte) (e journal.Entry, err error) {
	d.in, d.err = in, nil
	d.must(`{"seq":`)
	e.Seq = d.uint()
	d.must(`,"epoch":`)
	e.Epoch = d.uint()
	d.must(`,"time":`)
	e.Time = d.time()
	d.must(`,"kind":`)
	e.Kind = journal.Kind(d.name())
	d.member(`,"env":`, &e.Env)
	d.member(`,"table":`, &e.Table)
	d.member(`,"leg":`, &e.Leg)
	d.member(`,"state":`, &e.State)
	d.member(`,"effect":`, &e.Effect)
	if d.has(`,"id":`) {
		e.ID = d.string()
	}
	if d.has(`,"attempt":`) {
		e.Attempt = d.int()
	}
	d.member(`,"trigger":`, &e.Trigger)
	d.member(`,"to":`, &e.To)
	d.member(`,"condition":`, &e.Condition)
	if d.has(`,"text":`) {
		e.Text = d.string()
	}
	d.member(`,"by":`, &e.By)
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
		return journal.Entry{}, d.err
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

func (d *decoder) member(key string, into *string) {
	if d.has(key) {
		*into = d.name()
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

// quoted takes a string with its quotes; plain says that it has no escapes.
func (d *decoder) quoted() (token []byte, plain bool) {
	plain = true
	for i := 1; i < len(d.in) && d.in[0] == '"'; i++ {
		switch c := d.in[i]; {
		case c == '"':
			return d.take(i + 1), plain
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			i = len(d.in)
		}
	}
	d.fail("no string where one belongs")
	return []byte(`""`), true
}

func (d *decoder) string() string {
	token, plain := d.quoted()
	return d.unquote(token, plain)
}

// name reads a string of which a journal has few different ones.
func (d *decoder) name() string {
	token, plain := d.quoted()
	if s, ok := d.names[string(token)]; ok {
		return s
	}
	s := d.unquote(token, plain)
	if len(d.names) < maxNames {
		d.names[string(token)] = s
	}
	return s
}

func (d *decoder) unquote(token []byte, plain bool) (s string) {
	switch {
	case !utf8.Valid(token):
		d.fail("text that is not UTF-8")
	case plain:
		s = string(token[1 : len(token)-1])
	case json.Unmarshal(token, &s) != nil:
		d.fail("a string that is none")
	}
	return s
}

func (d *decoder) time() (t time.Time) {
	token, _ := d.quoted()
	if t.UnmarshalText(token[1:len(token)-1]) != nil {
		d.fail("a time that is none")
	}
	return t
}

// value takes the bytes of any value. They may still not be valid.
func (d *decoder) value() []byte {
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
