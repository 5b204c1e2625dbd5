package migration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// fullText says everything that a plan can say, without a finding.
const fullText = `{
  "version": 1,
  "infrastructure": "Acme",
  "source": "` + sourceCode + `",
  "target": "` + targetCode + `",
  "profile": "refresh-and-move",
  "module": "ECT_Provider",
  "environments": [
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PPP-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
    {"name": "Quality", "kind": "quality", "serviceCenter": "https://qa.example.test", "serial": "QQQ-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
    {"name": "Entwicklung für Ägypten", "kind": "development", "serviceCenter": "https://dev.example.test", "serial": "DDD-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LLL-BBB-CCC-DDD-EEE-FFF-GGG-HHH"}
  ],
  "accept": {"refresh": ["Ignore"], "move": ["Protected", "Unprotected"]},
  "order": ["Production", "Quality", "Entwicklung für Ägypten", "LifeTime"],
  "first": ["Quality"],
  "maxInFlight": {"refresh": 4, "move": 1},
  "minCopies": 2,
  "pause": ["Production"]
}
`

// read reads a plan and returns the findings of the error. It requires what
// holds for every text: the error is printable and gives no code away.
func read(t testing.TB, text string) (migration.Plan, environment.Findings) {
	t.Helper()
	p, err := migration.ReadPlan(strings.NewReader(text))
	if err == nil {
		require.NoError(t, p.Validate().Err(), "a plan was read that has mistakes")
		return p, nil
	}
	require.Zero(t, p, "a plan was returned with an error")
	requirePrintable(t, err.Error())
	require.NotContains(t, err.Error(), sourceCode)
	require.NotContains(t, err.Error(), targetCode)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "not a joined error: %v", err)
	var found environment.Findings
	for _, err := range joined.Unwrap() {
		var f environment.Finding
		require.ErrorAs(t, err, &f)
		require.NotEmpty(t, f.Code)
		require.NotEmpty(t, f.Text)
		require.False(t, f.Warning)
		found = append(found, f)
	}
	return migration.Plan{}, found
}

// requirePrintable requires that nothing in an error can move a cursor, hide
// or reorder text.
func requirePrintable(t testing.TB, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%+q", text)
	marks := 0
	for _, r := range text {
		marks++
		if !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if r != '\n' && r != ' ' && !unicode.IsGraphic(r) || marks > 2 {
			t.Fatalf("%+q in %+q", r, text)
		}
	}
}

// printed returns findings as the golden files have them.
func printed(found environment.Findings) []string {
	var lines []string
	for _, f := range found {
		kind := ""
		if f.Warning {
			kind = "warning "
		}
		lines = append(lines, fmt.Sprintf("%s[%s] %s\n", kind, f.Code, f.Error()))
	}
	return lines
}

func TestReadPlan(t *testing.T) {
	p, found := read(t, fullText)
	require.Empty(t, found)
	require.Empty(t, p.Validate())
	env := func(name string, kind environment.Kind, host, serial string) environment.Environment {
		return environment.Environment{
			Name: name, Kind: kind, ServiceCenter: "https://" + host + ".example.test",
			Serial: license.SerialNumber(serial + "-BBB-CCC-DDD-EEE-FFF-GGG-HHH"),
		}
	}
	require.Equal(t, migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Acme", Environments: []environment.Environment{
			env("Production", environment.Production, "prod", "PPP"), env("Quality", environment.Quality, "qa", "QQQ"),
			env("Entwicklung für Ägypten", environment.Development, "dev", "DDD"), env("LifeTime", environment.LifeTime, "lt", "LLL"),
		}},
		Source:      activationCode(t, sourceCode),
		Target:      activationCode(t, targetCode),
		Profile:     migration.RefreshAndMove,
		Module:      "ECT_Provider",
		Accept:      map[string][]license.IPP{"refresh": {license.Ignore}, "move": {license.Protected, license.Unprotected}},
		Order:       []string{"Production", "Quality", "Entwicklung für Ägypten", "LifeTime"},
		First:       []string{"Quality"},
		MaxInFlight: map[string]int{"refresh": 4, "move": 1},
		MinCopies:   2,
		Pause:       []string{"Production"},
	}, p)
}

// TestReadPlanFiles reads every plan in testdata and compares all that is said
// of it.
func TestReadPlanFiles(t *testing.T) {
	for _, path := range planFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			p, found := read(t, string(text))
			var got strings.Builder
			if found == nil {
				fmt.Fprintf(&got, "accepted, digest %s\n", p.Digest())
				found = p.Validate()
			}
			for _, line := range printed(found) {
				got.WriteString(line)
			}
			golden.Compare(t, strings.TrimSuffix(path, ".json")+".golden", []byte(got.String()))
		})
	}
}

func planFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/plan/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	return paths
}

// oddTexts are what cannot be kept in a text file.
func oddTexts() map[string]string {
	var many strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&many, `"key %d": 1, `, i)
	}
	return map[string]string{
		"byteOrderMark":  "\ufeff" + fullText,
		"notUTF8":        strings.Replace(fullText, "ECT_Provider", "ECT\xff", 1),
		"planTooLarge":   fullText + strings.Repeat(" ", 1<<20),
		"tooManyEntries": strings.Replace(fullText, `"first": ["Quality"`, `"first": ["Quality"`+strings.Repeat(`,""`, 2000), 1),
		"moreMistakes":   strings.Replace(fullText, `"version"`, many.String()+`"version"`, 1),
	}
}

// TestEveryFinding looks up the codes of the findings in the source and
// requires a case for each, and that a comment names it.
func TestEveryFinding(t *testing.T) {
	var said strings.Builder
	for _, path := range planFiles(t) {
		text, err := os.ReadFile(strings.TrimSuffix(path, ".json") + ".golden")
		require.NoError(t, err)
		said.Write(text)
	}
	for code, text := range oddTexts() {
		_, found := read(t, text)
		require.Contains(t, strings.Join(printed(found), ""), "["+code+"]")
		fmt.Fprintf(&said, "[%s]", code)
	}
	n := 0
	for _, path := range []string{"plan.go", "strict.go"} {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, code := range regexp.MustCompile(`Code: +"(\w+)"`).FindAllStringSubmatch(string(source), -1) {
			n++
			require.Contains(t, said.String(), "["+code[1]+"]", "no case has the finding")
			require.Regexp(t, `(?m)^// .*\b`+code[1]+`\b`, string(source), "no comment names the finding")
		}
	}
	require.Greater(t, n, 30)
}

// span is a key or a value of a JSON text; for a key, end is the end of its
// value.
type span struct {
	from, to, end int
	key           bool
	field         bool // of an object whose keys are fixed
}

// spans finds every key and every value of a JSON text that is well formed. It
// counts quotes and brackets and is no parser, so that it has other mistakes
// than the one that it checks.
func spans(text string) []span {
	var out []span
	var open []int // indices in out of brackets
	lastKey := []int{-1}
	closed := func(at int) { // a value has ended
		if k := lastKey[len(lastKey)-1]; k >= 0 {
			out[k].end = at
			lastKey[len(lastKey)-1] = -1
		}
	}
	fixed := func() bool {
		outer := ""
		if len(open) > 1 {
			before := strings.TrimRight(text[:out[open[len(open)-1]].from], " :")
			outer = before[strings.LastIndexByte(strings.TrimSuffix(before, `"`), '"')+1:]
		}
		return outer != `accept"` && outer != `maxInFlight"`
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			to := i + 1 + strings.IndexByte(text[i+1:], '"') + 1
			if rest := strings.TrimLeft(text[to:], " \n"); rest[0] == ':' {
				lastKey[len(lastKey)-1] = len(out)
				out = append(out, span{from: i, to: to, key: true, field: fixed()})
			} else {
				out = append(out, span{from: i, to: to})
				closed(to)
			}
			i = to - 1
		case c == '{' || c == '[':
			open = append(open, len(out))
			lastKey = append(lastKey, -1)
			out = append(out, span{from: i})
		case c == '}' || c == ']':
			out[open[len(open)-1]].to = i + 1
			open, lastKey = open[:len(open)-1], lastKey[:len(lastKey)-1]
			closed(i + 1)
		case c >= '0' && c <= '9':
			to := i
			for text[to] >= '0' && text[to] <= '9' {
				to++
			}
			out = append(out, span{from: i, to: to})
			closed(to)
			i = to - 1
		}
	}
	return out
}

// place counts lines and columns one character at a time.
func place(text string, at int) string {
	line, column := 1, 1
	for i, r := range text {
		if i == at {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

func TestSpans(t *testing.T) {
	keys, values := 0, 0
	for _, s := range spans(fullText) {
		if s.key {
			keys++
			require.True(t, json.Valid([]byte("{"+fullText[s.from:s.end]+"}")), fullText[s.from:s.end])
		} else {
			values++
			require.True(t, json.Valid([]byte(fullText[s.from:s.to])), fullText[s.from:s.to])
		}
	}
	require.Equal(t, 13+16+2+2, keys)
	require.Equal(t, 1+13+4+16+2+3+4+1+2+1, values)
}

// TestReadPlanPlaces makes one mistake at each key and value of a plan. It
// must be the one that is reported, with its place.
func TestReadPlanPlaces(t *testing.T) {
	replace := func(from, to int, with string) string { return fullText[:from] + with + fullText[to:] }
	only := func(t *testing.T, text string, at int, code string) {
		t.Helper()
		_, found := read(t, text)
		require.Len(t, found, 1, "%v", printed(found))
		require.Equal(t, code, found[0].Code)
		require.Contains(t, found[0].Where, place(text, at)+" (")
	}
	for _, s := range spans(fullText) {
		name := place(fullText, s.from) + " " + strings.ReplaceAll(fullText[s.from:min(s.to, s.from+20)], "\n", " ")
		if !s.key {
			if fullText[s.from] == '"' {
				t.Run("a lost character at "+name, func(t *testing.T) {
					only(t, replace(s.to-1, s.to, `\ud800"`), s.from, "lostCharacter")
					only(t, replace(s.to-1, s.to, "\ufffd\""), s.from, "lostCharacter")
				})
			}
			t.Run("another type at "+name, func(t *testing.T) {
				for _, other := range []string{"null", "true", "1.5", `"x"`, "[]", "{}"} {
					code := "wrongType"
					if c := fullText[s.from]; c == other[0] {
						continue
					} else if c >= '0' && c <= '9' && other == "1.5" {
						code = "notInteger"
					}
					text := replace(s.from, s.to, other)
					if s.from == 0 {
						_, found := read(t, text)
						require.Equal(t, environment.Findings{{Code: code, Where: "line 1, column 1", Text: found[0].Text, Hint: found[0].Hint}}, found)
						continue
					}
					only(t, text, s.from, code)
				}
			})
			continue
		}
		t.Run("another key at "+name, func(t *testing.T) {
			text := replace(s.from, s.to, `"zz`+fullText[s.from+1:s.to])
			_, found := read(t, text)
			var codes []string
			for _, f := range found {
				if strings.HasPrefix(f.Where, place(text, s.from)+" (") {
					codes = append(codes, f.Code)
				}
			}
			if s.field {
				require.Equal(t, []string{"unknownKey"}, codes)
			} else {
				require.Equal(t, []string{"unknownLeg"}, codes)
			}
		})
		t.Run("another letter case at "+name, func(t *testing.T) {
			text := replace(s.from, s.to, strings.ToUpper(fullText[s.from:s.to]))
			if s.field {
				only(t, text, s.from, "misspelledKey") // what is meant is read
			} else {
				_, found := read(t, text)
				require.Contains(t, strings.Join(printed(found), ""), place(text, s.from)+" (")
				require.Contains(t, strings.Join(printed(found), ""), "differs in letter case only")
			}
		})
		t.Run("the key twice at "+name, func(t *testing.T) {
			again := fullText[s.from:s.end] + ", "
			only(t, replace(s.from, s.from, again), s.from+len(again), "repeatedKey")
		})
		t.Run("the key twice and escaped at "+name, func(t *testing.T) {
			escaped := fmt.Sprintf(`"\u%04x`, fullText[s.from+1]) + fullText[s.from+2:s.end] + ", "
			only(t, replace(s.from, s.from, escaped), s.from+len(escaped), "repeatedKey")
		})
	}
}

// TestReadPlanSays pins the mistakes that a text has, and no other.
func TestReadPlanSays(t *testing.T) {
	replaced := func(old, with string) string {
		require.Contains(t, fullText, old)
		return strings.Replace(fullText, old, with, 1)
	}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a byte order mark does not hide what follows, and does not count", "\ufeff" + replaced("{", `{"x": 1,`),
			[]string{"byteOrderMark line 1, column 1", "unknownKey line 1, column 2 (x)"}},
		{"a key that stands there rightly too is not read again", replaced(`"module"`, `"Module": "", "module"`),
			[]string{"misspelledKey line 7, column 3 (Module)"}},
		{"a misspelled key is read, with the mistakes in it", replaced(`"module": "ECT_Provider"`, `"Module": ""`),
			[]string{"misspelledKey line 7, column 3 (Module)", "noModule line 7, column 13 (module)"}},
		{"a value that cannot be read hides nothing else that begins alike", replaced(`"move": [`, `"mover": 1, "move": [], "mov": [`),
			[]string{"wrongType line 14, column 46 (accept.mover)", "nothingAccepted line 14, column 49 (accept.move)", "unknownLeg line 14, column 61 (accept.mov)"}},
		{"a profile that cannot be read hides what is said of legs", strings.Replace(replaced(`"refresh-and-move"`, `3`), `"refresh": 4`, `"fast": 0`, 1),
			[]string{"wrongType line 6, column 14 (profile)"}},
		{"an environment's mistakes are placed at the values", strings.Replace(replaced(`"serial": "QQQ-`, `"serial": "PPP-`), `"kind": "quality"`, `"kind": "quarry"`, 1),
			[]string{`unknownKind line 10, column 33 (environments[1].kind "Quality")`, `duplicateSerial line 10, column 97 (environments[1].serial "Quality")`}},
		{"a value that cannot be read hides no other of its environment", strings.Replace(replaced(`"serial": "QQQ-`, `"serial": "PPP-`), `"kind": "quality"`, `"kind": 1`, 1),
			[]string{"wrongType line 10, column 33 (environments[1].kind)", `duplicateSerial line 10, column 90 (environments[1].serial "Quality")`}},
		{"warnings are not counted among the mistakes", strings.Replace(replaced(`["Ignore"`, `["Ignore"`+manyWords()), `"version": 1`, `"version": 2`, 1),
			[]string{"unknownVersion line 2, column 14 (version)"}},
		{"a key with a blank is found again", replaced(`"move": [`, `"move": [], "move it": [`),
			[]string{"nothingAccepted line 14, column 37 (accept.move)", "unknownLeg line 14, column 49 (accept.move it)"}},
		{"a missing key is placed where it is missing from", replaced(`"move": [`, `"moved": [`),
			[]string{"nothingAccepted line 14, column 13 (accept.move)", "unknownLeg line 14, column 37 (accept.moved)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, found := read(t, c.text)
			var got []string
			for _, f := range found {
				got = append(got, f.Code+" "+f.Where)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// manyWords are more unknown words than mistakes are told.
func manyWords() string {
	var b strings.Builder
	for i := range 1500 {
		fmt.Fprintf(&b, `, "word %d"`, i)
	}
	return b.String()
}

// TestReadPlanCut cuts a plan at every byte.
func TestReadPlanCut(t *testing.T) {
	end := strings.LastIndexByte(fullText, '}')
	for cut := range end + 1 {
		text := fullText[:cut]
		_, found := read(t, text)
		require.Len(t, found, 1, "cut at %d", cut)
		switch f := found[0]; f.Code {
		case "notJSON":
			want := place(text+" ", cut)
			if strings.TrimSpace(text) == "" {
				want = "line 1, column 1"
			}
			require.Equal(t, want, f.Where, "cut at %d: %s", cut, f)
		default:
			require.Equal(t, "notUTF8", f.Code, "cut at %d", cut)
		}
	}
	_, found := read(t, fullText[:end+1])
	require.Empty(t, found)
}

// TestReadPlanDamaged puts each of some characters in the place of each
// character of a plan: it is read, or every mistake has a place.
func TestReadPlanDamaged(t *testing.T) {
	for at := range len(fullText) {
		for _, c := range []string{`"`, "\\", "{", ",", "0", "\xff"} {
			read(t, fullText[:at]+c+fullText[at+1:])
		}
	}
}

func TestReadPlanLimits(t *testing.T) {
	t.Run("a plan of 1 MiB is read", func(t *testing.T) {
		_, found := read(t, fullText+strings.Repeat(" ", 1<<20-len(fullText)))
		require.Empty(t, found)
	})
	t.Run("of a larger one no more than that is read", func(t *testing.T) {
		endless := &counter{r: endlessSpace{}}
		_, err := migration.ReadPlan(endless)
		var f environment.Finding
		require.ErrorAs(t, err, &f)
		require.Equal(t, "planTooLarge", f.Code)
		require.LessOrEqual(t, endless.n, 1<<20+1)
	})
	t.Run("an error of the reader is passed on", func(t *testing.T) {
		broken := errors.New("the disk is gone")
		_, err := migration.ReadPlan(io.MultiReader(strings.NewReader(fullText), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken)
	})
	t.Run("a plan may come byte by byte", func(t *testing.T) {
		_, err := migration.ReadPlan(iotest.OneByteReader(strings.NewReader(fullText)))
		require.NoError(t, err)
	})
	t.Run("at most a thousand mistakes are told, and the others counted", func(t *testing.T) {
		_, found := read(t, oddTexts()["moreMistakes"])
		require.Len(t, found, 1001)
		require.Equal(t, "there are 500 more mistakes", found[1000].Text)
	})
	t.Run("lists and objects beyond all reason are refused", func(t *testing.T) {
		for _, c := range []struct{ name, old, unit string }{
			{"environments", `"environments": [`, `{},`},
			{"named environments", `"environments": [`, `{"name":"x"},`},
			{"order", `"order": [`, `"",`},
			{"words", `"move": [`, `"",`},
			{"legs", `"accept": {`, `"":[],`},
			{"keys", `{`, `"":0,`},
			{"depth", `"environments": [`, `[`},
		} {
			for _, count := range []int{1990, 2100, 100000} {
				text := strings.Replace(fullText, c.old, c.old+strings.Repeat(c.unit, count), 1)
				_, found := read(t, text)
				require.NotEmpty(t, found, c.name)
				require.LessOrEqual(t, len(found), 1001, c.name)
			}
		}
	})
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}

type endlessSpace struct{}

func (endlessSpace) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestReadPlanSecrets(t *testing.T) {
	t.Run("a code in the wrong place is masked there too", func(t *testing.T) {
		for _, s := range spans(fullText) {
			text := fullText[:s.from] + `"` + targetCode + `"` + fullText[s.to:]
			p, _ := read(t, text)
			for _, line := range printed(p.Validate()) {
				require.NotContains(t, line, targetCode)
			}
		}
	})
	t.Run("a code that cannot be one is not repeated", func(t *testing.T) {
		for _, bad := range []string{"", " " + sourceCode, sourceCode + `\n`, strings.Repeat(sourceCode, 3), sourceCode + `\u202e`} {
			_, found := read(t, strings.Replace(fullText, `"`+sourceCode+`"`, `"`+bad+`"`, 1))
			require.Len(t, found, 1)
			require.Equal(t, "invalidActivationCode", found[0].Code)
			require.Equal(t, "line 4, column 13 (source)", found[0].Where)
			require.NotContains(t, found[0].Error(), "\n")
		}
	})
}

func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(fullText))
	for _, path := range planFiles(f) {
		text, err := os.ReadFile(path)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range oddTexts() {
		if len(text) < 1<<16 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := migration.ReadPlan(bytes.NewReader(text))
		if err == nil {
			require.NoError(t, p.Validate().Err())
			require.NoError(t, p.Effective().Validate().Err())
			require.Equal(t, p.Digest(), p.Effective().Digest())
			again, err := migration.ReadPlan(bytes.NewReader(append([]byte("\n "), text...)))
			require.True(t, err != nil && len(text) >= 1<<20-2 || p.Digest() == again.Digest())
		} else {
			require.Zero(t, p)
			requirePrintable(t, err.Error())
		}
		require.NotRegexp(t, `(?i)([A-Z0-9]{3}\.){7}[A-Z0-9]{3}`, fmt.Sprint(err, p.Validate()))
		var codes struct{ Source, Target string }
		_ = json.Unmarshal(text, &codes)
		for _, code := range []string{codes.Source, codes.Target} {
			// A code that is short, or that stands elsewhere as well, may be a
			// word of the error by chance.
			if len(code) < 20 || bytes.Count(text, []byte(code)) > 1 || err == nil {
				continue
			}
			require.NotContains(t, err.Error(), code)
		}
	})
}

func ExampleReadPlan() {
	p, err := migration.ReadPlan(strings.NewReader(`{
  "version": 1,
  "infrastructure": "Acme",
  "source": "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU",
  "target": "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU",
  "module": "ECT_Provider",
  "environments": [
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LLL-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PPP-BBB-CCC-DDD-EEE-FFF-GGG-HHH"}
  ],
  "accept": {"refresh": ["Ignore"], "move": ["Protected", "Unprotected"]}
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	p = p.Effective()
	fmt.Println(p.Profile, p.Order, p.MaxInFlight)
	fmt.Println("from", p.Source, "to", p.Target)
	// Output:
	// refresh-and-move [Production LifeTime] map[move:1 refresh:2]
	// from ***.AOU #aa095f34 to ***.AOU #2a04fd35
}

func ExampleReadPlan_mistakes() {
	_, err := migration.ReadPlan(strings.NewReader(`{
  "version": 1,
  "infrastructure": "Acme",
  "Source": "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU",
  "target": "abc.d1e.f2g.h3i.j4k.l5m.n6o.aou",
  "module": "ECT_Provider",
  "environments": [
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LLL-BBB-CCC-DDD-EEE-FFF-GGG-HHH"},
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PPP-BBB-CCC-DDD-EEE-FFF-GGG-HHH"}
  ],
  "accept": {"refresh": ["Ignore"], "move": []},
  "order": ["Productoin", "LifeTime"],
  "minCopies": null
}`))
	fmt.Println(err)
	// Output:
	// line 4, column 3 (Source): "Source" is spelled "source" (letter case matters)
	// line 5, column 13 (target): the target activation code is the source activation code (nothing would change; letter case makes no difference)
	// line 11, column 37 (accept.move): the move leg has no word for Intellectual Property that it accepts (list the words that a target license of this infrastructure may show: Ignore, Protected, Unprotected)
	// line 12, column 12 (order): "Production" is missing (every environment takes part; without an order, the written one holds)
	// line 12, column 13 (order[0]): there is no environment "Productoin"
	// line 13, column 16 (minCopies): expected a whole number, found null (leave it out instead)
}
