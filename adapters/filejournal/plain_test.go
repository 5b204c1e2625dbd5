package filejournal

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/migration/journal"
)

func TestPlainStopsAtTheFirstByteThatIsNot(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				b := []byte(strings.Repeat("~ a!#[]}"[:1+at%8], length)[:length])
				b[at] = byte(c)
				want := at
				if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
					want = length
				}
				require.Equal(t, want, plain(b), "%q", b)
				if at+1 < length { // whatever stands behind it
					b[at+1] = byte(c) ^ 0xa5
					require.GreaterOrEqual(t, plain(b), min(want, at+1), "%q", b)
					require.LessOrEqual(t, plain(b), want, "%q", b)
				}
			}
		}
	}
}

// values are JSON that is plain, that is not, and what is no JSON.
var values = []struct {
	text  string
	plain bool
}{
	{`{}`, true},
	{`[]`, true},
	{`""`, true},
	{`0`, true},
	{`120`, true},
	{`true`, true},
	{`false`, true},
	{`null`, true},
	{`{"a":{"b":[1,"two",[true,false,null],{}]},"c":"d e"}`, true},
	{strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), true},
	{strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), false},
	{`-1`, false},
	{`1.5`, false},
	{`[1e3]`, false},
	{`{"a":"\n"}`, false},
	{`{"a":"é"}`, false},
	{`{"a": 1}`, false},
	{` {}`, false},
	{`{} `, false},
	{"{\n}", false},
	{`01`, false},
	{`{"a":01}`, false},
	{`{"a"}`, false},
	{`{"a":}`, false},
	{`{"a":1,}`, false},
	{`{"a":1`, false},
	{`{"a":"1}`, false},
	{`{"a":1]`, false},
	{`{1:1}`, false},
	{`{,}`, false},
	{`[1,]`, false},
	{`[,1]`, false},
	{`[1 2]`, false},
	{`[1}`, false},
	{`[1}2]`, false},
	{`{"a":1]"b":2}`, false},
	{`{"a";1}`, false},
	{`[`, false},
	{`{`, false},
	{`"`, false},
	{`tru`, false},
	{`truely`, false},
	{`nul`, false},
	{`{}{}`, false},
	{"\"a\x7f\"", false},
	{``, false},
}

func TestAPlainValueIsOne(t *testing.T) {
	for _, v := range values {
		t.Run(v.text, func(t *testing.T) {
			require.Equal(t, v.plain, v.text != "" && plainValue([]byte(v.text), maxDepth) == len(v.text))
			for n := range len(v.text) { // a beginning is another value, or none
				samePlain(t, []byte(v.text[:n]))
			}
			samePlain(t, []byte(v.text))
		})
	}
}

func FuzzPlainValue(f *testing.F) {
	for _, v := range values {
		f.Add([]byte(v.text))
	}
	f.Fuzz(samePlain)
}

// samePlain holds the short way against the long one, which says what is right.
func samePlain(t *testing.T, b []byte) {
	long, short := new(writer), new(writer)
	long.json(json.RawMessage(b))
	short.raw(b)
	require.Equal(t, long.err == nil, short.err == nil, "%q", b)
	if long.err == nil {
		require.Equal(t, string(long.b), string(short.b))
	}
	if n := plainValue(b, maxDepth); n > 0 && b[0] == '{' {
		d := &decoder{in: b}
		require.Equal(t, string(d.longValue()), string(b[:n]), "%q", b)
		require.NoError(t, d.err)
	}
}

func TestAStringIsReadAlikeOnBothWays(t *testing.T) {
	for c := range 256 {
		for _, s := range []string{"", "a", "Production", "x\\"} {
			b := []byte(`"` + s + string([]byte{byte(c)}) + s + `",`)
			d, e := &decoder{in: b}, &decoder{in: b}
			got, want := d.quoted(), e.longQuoted()
			require.Equal(t, string(want.b), string(got.b), "%q", b)
			require.Equal(t, e.err, d.err, "%q", b)
			require.Equal(t, string(e.in), string(d.in), "%q", b)
			if d.err == nil {
				require.Equal(t, e.text(want), d.text(got), "%q", b)
				require.Equal(t, e.err, d.err, "%q", b)
			}
		}
	}
}

func TestATimeIsReadAlikeOnBothWays(t *testing.T) {
	const day = "2026-11-23T"
	var dawn time.Time
	require.NoError(t, dawn.UnmarshalText([]byte(day+"00:00:00Z")))
	short := 0
	same := func(t *testing.T, text string) {
		since, ok := clock([]byte(text))
		if !ok {
			return
		}
		short++
		var want time.Time
		require.NoError(t, want.UnmarshalText([]byte(day+text)), text)
		require.Equal(t, want, dawn.Add(since), text)
	}
	for _, text := range []string{"08:30:00Z", "00:00:00.1Z", "23:59:59.999999999Z", "24:00:00Z", "08:60:00Z", "08:30:60Z", "08:30:00+00:00", "08:30:00.Z", "08:30:00.1234567890Z", "08:30:00", ""} {
		for at := range text {
			for c := range 256 {
				b := []byte(text)
				b[at] = byte(c)
				same(t, string(b))
			}
			same(t, text[:at])
			same(t, text[:at]+text[at+1:])
			same(t, text[:at]+"0"+text[at:])
		}
	}
	require.Greater(t, short, 200, "many of them take the short way")
	for digits := range 10 {
		at := dawn.Add(8*time.Hour + 30*time.Minute + 59*time.Second)
		if digits > 0 {
			at = at.Add(123456789 / pow10(9-digits) * pow10(9-digits))
		}
		_, ok := clock([]byte(at.Format(time.RFC3339Nano)[len(day):]))
		require.True(t, ok, "what is written takes the short way: %v", at)
	}
}

func pow10(n int) (d time.Duration) {
	for d = 1; n > 0; n-- {
		d *= 10
	}
	return d
}

func TestTimesOfOneDayAndOfOthers(t *testing.T) {
	d := newDecoder()
	for _, text := range []string{
		"2026-11-23T08:30:00.5Z", "2026-11-23T08:30:01Z", "2026-11-24T00:00:00Z", "2026-11-24T23:59:59.999999999Z", "2026-11-23T23:00:00Z",
		"2026-11-23T08:30:00+02:00", "2026-11-23T08:30:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000001Z", "2024-02-29T12:00:00Z", "2024-02-29T13:00:00Z",
	} {
		var want time.Time
		require.NoError(t, want.UnmarshalText([]byte(text)))
		e, err := decodeWith(d, []byte(`{"seq":1,"epoch":1,"time":"`+text+`","kind":"noted"`))
		require.NoError(t, err)
		require.True(t, want.Equal(e.Time), "%s: %v", text, e.Time)
		require.Equal(t, want.String(), e.Time.String())
	}
	for _, text := range []string{"2024-02-29T24:00:00Z", "2024-02-29T12:00:00", "2024-02-30T12:00:00Z", "2024-02-29 12:00:00Z", "2024-02-29T"} {
		_, err := decodeWith(d, []byte(`{"seq":1,"epoch":1,"time":"`+text+`","kind":"noted"`))
		require.Error(t, err, text)
	}
}

func TestANameThatWasRefusedIsRefusedAgain(t *testing.T) {
	d := newDecoder()
	for _, env := range []string{`"Quality"`, "\"Qua\xfflity\"", `"Quality`, `"\q"`, `"Qualit`} {
		for i := range 2 {
			_, err := decodeWith(d, []byte(`{"seq":1,"epoch":1,"time":"2026-11-23T08:30:00Z","kind":"noted","env":`+env))
			require.Equal(t, env == `"Quality"`, err == nil, "%s, time %d", env, i+1)
		}
	}
}

func TestNoMoreNamesAreKeptThanSome(t *testing.T) {
	d := newDecoder()
	for i := range 2 * maxNames {
		b, err := appendEntry(nil, &journal.Entry{Kind: journal.Noted, Env: "Environment " + string(rune('a'+i%26)) + strings.Repeat("i", i/26)})
		require.NoError(t, err)
		e, err := decodeWith(d, b[:len(b)-1])
		require.NoError(t, err)
		require.True(t, bytes.Contains(b, []byte(e.Env)))
	}
	require.Len(t, d.names, maxNames)
}
