package journaltest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"reflect"
	"time"

	"github.com/changeover-go/changeover/migration/journal"
)

// at is the time of the suite's entries; a store may not lose its nanoseconds.
func at(seq uint64) time.Time {
	return time.Date(2026, 11, 23, 8, 30, 0, 123456789, time.UTC).Add(time.Duration(seq%1000) * time.Second)
}

// plain returns the entries numbered from first to last, without anything that
// is shared between copies.
func plain(first, last uint64) []journal.Entry {
	var entries []journal.Entry
	for seq := first; ; seq++ {
		entries = append(entries, journal.Entry{Seq: seq, Epoch: 1, Time: at(seq), Kind: journal.Noted, Env: "Quality"})
		if seq == last {
			return entries
		}
	}
}

// everyField returns three entries that between them have every field set, and
// text that an encoding may stumble over.
func everyField() []journal.Entry {
	hold := &journal.Hold{
		Kind: journal.HoldSupport, Cause: `the serial number "AAA" was not found`, Effect: "fetchLicense",
		Environments: []string{"Quality", "Qualität <2> & 質\u2028"}, Holder: "Ana", Since: at(2), Verbs: []string{"resolve"}, Hint: "ask Support",
	}
	opening := &journal.Opening{
		Format: journal.Format, Run: "acme-1", Plan: "0a1b", Procedure: "migration", Definition: "2c3d", Verb: "apply",
		Host: "host", User: "user", Adapters: map[string]string{"ServiceCenter": "attended", "LifeTime": "API"}, Repaired: 17, Preview: "4e5f",
	}
	return []journal.Entry{
		{Seq: 1, Epoch: 1, Time: at(1), Kind: journal.Opened, Opened: opening},
		{
			Seq: 2, Epoch: 1, Time: at(2), Kind: journal.Held, Env: "Qualität <2> & 質\u2028", Table: "migration/move", Leg: "move",
			State: "BackedUp", Effect: "upload", ID: "e1", Attempt: 3, Trigger: "uploaded", To: "Uploaded",
			Condition: "busy", Text: "line\nbreak, \ttab, escape \x1b, \"quote\" and \\", By: "Ana", Hold: hold,
			Testimony: []journal.Testimony{{By: "Ana", At: at(2), Text: "seen"}, {By: "Rui", At: at(3)}},
			Facts:     json.RawMessage(`{"digest":"ab","count":9007199254740993,"list":[1,null,"<&>"]}`),
		},
		{Seq: 3, Epoch: 2, Time: at(3), Kind: journal.Noted, Env: journal.Infrastructure},
	}
}

func collect(entries iter.Seq2[journal.Entry, error]) ([]journal.Entry, error) {
	var all []journal.Entry
	for e, err := range entries {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// expect reads the store and compares.
func expect(ctx context.Context, s journal.Store, want []journal.Entry) error {
	got, err := collect(s.Read(ctx))
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return compare(got, want)
}

// compare names the first entry and field in which got is not want. Facts are
// compared as JSON, times as instants.
func compare(got, want []journal.Entry) error {
	for i := range min(len(got), len(want)) {
		g, w := reflect.ValueOf(normal(got[i])), reflect.ValueOf(normal(want[i]))
		for f := range g.NumField() {
			gf, wf := g.Field(f).Interface(), w.Field(f).Interface()
			if g.Type().Field(f).Name == "Facts" {
				gf, wf = value(gf.(json.RawMessage)), value(wf.(json.RawMessage))
			}
			if gb, wb := encode(gf), encode(wf); !bytes.Equal(gb, wb) {
				return fmt.Errorf("entry %d has the %s %.200s, want %.200s", want[i].Seq, g.Type().Field(f).Name, gb, wb)
			}
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("read yields %d entries, want %d", len(got), len(want))
	}
	return nil
}

// normal gives equal instants one form.
func normal(e journal.Entry) journal.Entry {
	e.Time = e.Time.UTC()
	if e.Hold != nil {
		h := *e.Hold
		h.Since = h.Since.UTC()
		e.Hold = &h
	}
	if len(e.Testimony) == 0 {
		e.Testimony = nil
	}
	for i, t := range e.Testimony {
		if i == 0 {
			e.Testimony = append([]journal.Testimony(nil), e.Testimony...)
		}
		e.Testimony[i].At = t.At.UTC()
	}
	return e
}

// value decodes facts without rounding their numbers; what is no JSON stands
// for itself.
func value(facts json.RawMessage) any {
	if len(facts) == 0 {
		return nil
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(facts))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return "no JSON: " + string(facts)
	}
	return v
}

// encode returns the JSON of v; of what has none, its Go syntax.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Appendf(nil, "%#v", v)
	}
	return b
}
