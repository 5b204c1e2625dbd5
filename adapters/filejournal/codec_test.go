package filejournal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

// standard is what the codec has to agree with.
func standard(e journal.Entry) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	return escaped(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), err
}

// escaped escapes what no terminal shows, which encoding/json does in part.
func escaped(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		switch {
		case unicode.IsPrint(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	return out
}

func TestALineShowsWhatItHas(t *testing.T) {
	e := journal.Entry{Text: "\u202e\U000e0041\x9b\x7f é", Facts: json.RawMessage("{\"a\":\"\u2028\U000e0041\xff\"}")}
	line, err := appendEntry(nil, &e)
	require.NoError(t, err)
	for _, r := range string(line) {
		require.True(t, unicode.IsPrint(r), "%U", r)
	}
	decoded, err := decodeEntry(line)
	require.NoError(t, err)
	require.Equal(t, "\u202e\U000e0041\ufffd\x7f é", decoded.Text)
	require.JSONEq(t, `{"a":"\u2028\udb40\udc41\ufffd"}`, string(decoded.Facts))
}

func decodeEntry(line []byte) (journal.Entry, error) {
	return decodeWith(newDecoder(), line[:len(line)-1])
}

// decodeWith returns what is not overwritten later.
func decodeWith(d *decoder, in []byte) (journal.Entry, error) {
	e, err := d.decode(in)
	if err != nil {
		return journal.Entry{}, err
	}
	return *e, nil
}

func TestTheCodecAgreesWithEncodingJSON(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	shared := newDecoder()
	for range 5_000 {
		e := randomEntry(r)
		want, err := standard(e)
		require.NoError(t, err)
		got, err := appendEntry([]byte("before"), &e)
		require.NoError(t, err)
		require.Equal(t, "before"+string(want), string(got))

		var expected journal.Entry
		require.NoError(t, json.Unmarshal(want, &expected))
		decoded, err := decodeWith(shared, want[:len(want)-1])
		require.NoError(t, err, "%s", want)
		require.Equal(t, expected, decoded, "%s", want)
	}
}

func TestWhatIsDecodedSharesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		e := randomEntry(r)
		line, err := appendEntry(nil, &e)
		require.NoError(t, err)
		decoded, err := decodeEntry(line)
		require.NoError(t, err)
		clear(line)
		again, err := appendEntry(nil, &decoded)
		require.NoError(t, err)
		want, err := appendEntry(nil, &e)
		require.NoError(t, err)
		require.Equal(t, string(want), string(again))
	}
}

func TestWhatHasNoJSONIsRefused(t *testing.T) {
	for name, e := range map[string]journal.Entry{
		"facts that are no JSON":  {Facts: json.RawMessage(`{"a":`)},
		"facts with more behind":  {Facts: json.RawMessage(`{} {}`)},
		"a year beyond 9999":      {Time: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a testimony of no year":  {Testimony: []journal.Testimony{{At: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}}},
		"a hold since no year":    {Hold: &journal.Hold{Since: time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}},
		"a time zone of 30 hours": {Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", 30*3600))},
	} {
		_, err := appendEntry(nil, &e)
		require.Error(t, err, name)
		_, err = standard(e)
		require.Error(t, err, name)
	}
}

func TestTheDecoderIsStrict(t *testing.T) {
	const begin = `{"seq":1,"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted"`
	_, err := decodeEntry([]byte(begin + `,"env":"Quality","by":"Ana"}`))
	require.NoError(t, err)
	for name, line := range map[string]string{
		"a member that is unknown":         begin + `,"mood":"good"}`,
		"a member in another case":         begin + `,"ENV":"Quality"}`,
		"a member twice":                   begin + `,"env":"Quality","env":"Production"}`,
		"members in another order":         begin + `,"by":"Ana","env":"Quality"}`,
		"space after a comma":              begin + `, "env":"Quality"}`,
		"space in facts":                   begin + `,"facts":{"a": 1}}`,
		"no sequence number":               `{"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted"}`,
		"no kind":                          `{"seq":1,"epoch":1,"time":"2026-11-23T08:30:00Z"}`,
		"a negative sequence number":       strings.Replace(begin, `"seq":1`, `"seq":-1`, 1) + "}",
		"a sequence number with a zero":    strings.Replace(begin, `"seq":1`, `"seq":01`, 1) + "}",
		"a sequence number beyond 64 bits": strings.Replace(begin, `"seq":1`, `"seq":18446744073709551616`, 1) + "}",
		"a fraction":                       strings.Replace(begin, `"seq":1`, `"seq":1.0`, 1) + "}",
		"an attempt that is a string":      begin + `,"attempt":"1"}`,
		"a time of another form":           strings.Replace(begin, `T08`, ` 08`, 1) + "}",
		"a kind that is a number":          strings.Replace(begin, `"noted"`, `7`, 1) + "}",
		"an environment that is null":      begin + `,"env":null}`,
		"an unknown member of a hold":      begin + `,"hold":{"kind":"operator","cause":"","mood":""}}`,
		"an unknown member of an opening":  begin + `,"opened":{"format":1,"mood":""}}`,
		"testimony that is no list":        begin + `,"testimony":{"by":"Ana"}}`,
		"a string with a line break":       begin + ",\"env\":\"Qua\nlity\"}",
		"a string that is not UTF-8":       begin + ",\"env\":\"Qua\xfflity\"}",
		"a string with a false escape":     begin + `,"text":"\q"}`,
		"a string without an end":          begin + `,"text":"}`,
		"a number behind a list":           begin + `,"testimony":[]0}`,
		"facts without an end":             begin + `,"facts":{"a":[1}`,
		"another object behind":            begin + `}{}`,
		"an array":                         `[]`,
		"nothing":                          `}`,
	} {
		e, err := decodeEntry([]byte(line))
		require.Error(t, err, "%s: %s", name, line)
		require.Equal(t, journal.Entry{}, e, name)
	}
}

// FuzzDecode: whatever is accepted as an entry is what encoding/json reads
// there, and comes back when it is written and read again.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		e := randomEntry(r)
		line, err := appendEntry(nil, &e)
		require.NoError(f, err)
		f.Add(line[:len(line)-1])
	}
	f.Add([]byte(`{"seq":1,"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted","facts":[{}],"opened":null`))
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := decodeWith(newDecoder(), in)
		if err != nil || len(e.Facts) > 0 && !json.Valid(e.Facts) {
			return
		}
		var want journal.Entry
		d := json.NewDecoder(bytes.NewReader(append(bytes.Clone(in), '}')))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&want))
		require.Equal(t, want, e)

		line, err := appendEntry(nil, &e)
		require.NoError(t, err)
		again, err := decodeEntry(line)
		require.NoError(t, err)
		second, err := appendEntry(nil, &again)
		require.NoError(t, err)
		require.Equal(t, string(line), string(second))
	})
}

// randomEntry sets each field or does not, with text that encodings stumble
// over.
func randomEntry(r *rand.Rand) journal.Entry {
	var e journal.Entry
	fill(r, reflect.ValueOf(&e).Elem())
	return e
}

func fill(r *rand.Rand, v reflect.Value) {
	texts := []string{"Quality", "Qualität", `a "quote" \ and /`, "<&>", "\u2028\u2029", "line\nbreak\ttab\x00\x1b\x7f", "質", "😀", "a:b,c}]"}
	numbers := []uint64{0, 1, 9, 10, 1 << 53, math.MaxInt64}
	if r.IntN(3) == 0 {
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		at := time.Unix(r.Int64N(1<<32), r.Int64N(1e9)).UTC()
		v.Set(reflect.ValueOf(at))
		return
	case json.RawMessage:
		facts := []string{`{}`, `null`, `7`, `"a,b"`, `[1,{"a":"}"}]`, "{ \"a\" : [ 1 , 2 ] ,\n\"b\":\"\\\"<\\u2028\" }", "{\"a\":\"\u2028\"}", `{"n":9007199254740993}`}
		v.SetBytes([]byte(facts[r.IntN(len(facts))]))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Uint64:
		v.SetUint(numbers[r.IntN(len(numbers))])
	case reflect.Int:
		v.SetInt(int64(numbers[r.IntN(len(numbers))]))
		if r.IntN(4) == 0 {
			v.SetInt(-v.Int())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{"b": "1", texts[r.IntN(len(texts))]: "2", "": "3"}))
	}
}
