package filejournal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/changeover-go/changeover/migration/journal"
)

// This file and decode.go turn entries into JSON and back. They do what
// encoding/json does with a [journal.Entry] (tests hold the two together), but
// the common fields without reflection, and without asking for memory: so a
// journal of a million entries is read in a second, and writing an entry takes
// the time of the disk.

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
		w.raw(e.Facts)
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
	start := len(w.b)
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	if plain(w.b[start+1:]) != len(s) {
		w.b = w.b[:start]
		w.json(s)
		return
	}
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

// raw appends what is JSON already, on one line and without space.
func (w *writer) raw(b json.RawMessage) {
	if n := plainValue(b, maxDepth); n > 0 && n == len(b) {
		w.b = append(w.b, b...)
		return
	}
	w.json(b)
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
