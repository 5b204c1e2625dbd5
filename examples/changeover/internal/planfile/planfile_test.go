package planfile_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/migration"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
)

// good is a plan file without a mistake. The codes and the password are looked
// for in everything that is said.
const good = `# a comment
version: 1
infrastructure: Acme
source: ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU
target: ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU
profile: refresh-and-move
module: "ECT_Provider"
environments:
  - {name: Production, kind: production, serviceCenter: 'https://prod.example.test', serial: PRD-AAA-BBB-CCC-DDD-EEE-FFF-GG1}
  - name: Development
    kind: development
    serviceCenter: https://dev.example.test
    serial: DEV-AAA-BBB-CCC-DDD-EEE-FFF-GG3
  - name: LifeTime
    kind: lifetime
    serviceCenter: https://lt.example.test
    serial: LTM-AAA-BBB-CCC-DDD-EEE-FFF-GG4
accept:
  refresh: [Ignore]
  move:
    - Protected
    - Unprotected
maxInFlight: {move: 1}
backups: [one, /two]
adapters:
  connect: 127.0.0.1:8443
  trust: ca.pem
  waits: none
  attended: {who: Ann, reveal: true}
  portal: {use: inbox, folder: saved, next: attended}
  serviceCenter:
    use: servicecenter
    user: admin
    password: {env: SC_PASSWORD}
    page: {use: backupLink, link: /ServiceCenter/x, user: {command: [pass, user]}, password: {file: secret}}
    solution: Probe
    environments:
      Development: {use: command, command: [./bin/dev, --fast], env: {A: b, PASSWORD: {env: P}}, timeout: 45m}
  lifeTime: {use: lifetime, token: {command: [pass, token]}}
  support: attended
  operator: {use: simulator}
`

const goodJSON = `{
  "version": 1, "infrastructure": "Acme",
  "source": "ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU", "target": "ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU",
  "profile": "refresh-and-move", "module": "ECT_Provider",
  "environments": [
    {"name": "Production", "kind": "production", "serviceCenter": "https://prod.example.test", "serial": "PRD-AAA-BBB-CCC-DDD-EEE-FFF-GG1"},
    {"name": "Development", "kind": "development", "serviceCenter": "https://dev.example.test", "serial": "DEV-AAA-BBB-CCC-DDD-EEE-FFF-GG3"},
    {"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://lt.example.test", "serial": "LTM-AAA-BBB-CCC-DDD-EEE-FFF-GG4"}
  ],
  "accept": {"refresh": ["Ignore"], "move": ["Protected", "Unprotected"]},
  "maxInFlight": {"move": 1}
}
`

func read(text string) (*planfile.File, error) {
	return planfile.Read("plan.yaml", "/base", strings.NewReader(text))
}

func mistakes(t *testing.T, text string) []planfile.Mistake {
	t.Helper()
	_, err := read(text)
	if err == nil {
		return nil
	}
	var m *planfile.Mistakes
	require.ErrorAs(t, err, &m)
	require.NotEmpty(t, m.List)
	return m.List
}

func TestAGoodFileIsReadWhole(t *testing.T) {
	f, err := read(good)
	require.NoError(t, err)
	same, err := migration.ReadPlan(strings.NewReader(goodJSON))
	require.NoError(t, err)
	require.Equal(t, same.Digest(), f.Plan.Digest(), "YAML and JSON mean the same")
	inJSON, err := read(goodJSON)
	require.NoError(t, err)
	require.Equal(t, same.Digest(), inJSON.Plan.Digest())
	require.Equal(t, planfile.Adapters{
		Portal: planfile.Port{Use: planfile.Attended}, ServiceCenter: planfile.Port{Use: planfile.Attended}, LifeTime: planfile.Port{Use: planfile.Attended},
		Vault: planfile.Port{Use: planfile.Files}, Support: planfile.Port{Use: planfile.Attended}, Operator: planfile.Port{Use: planfile.Attended},
	}, inJSON.Adapters, "who is left out is a person")

	abs := func(p string) string { return filepath.Join("/base", p) }
	require.Equal(t, []string{abs("one"), "/two"}, f.Backups)
	require.Equal(t, planfile.Adapters{
		Connect: planfile.Value{Literal: "127.0.0.1:8443"}, Trust: abs("ca.pem"), Instant: true, Who: "Ann", Reveal: true,
		Portal: planfile.Port{Use: planfile.Inbox, Folder: abs("saved"), Next: &planfile.Port{Use: planfile.Attended}},
		ServiceCenter: planfile.Port{
			Use: planfile.ServiceCenter, User: planfile.Value{Literal: "admin"}, Password: planfile.Value{Env: "SC_PASSWORD"}, Solution: "Probe",
			Page: &planfile.Port{Use: planfile.BackupLink, Link: "/ServiceCenter/x", User: planfile.Value{Command: []string{"pass", "user"}}, Password: planfile.Value{File: abs("secret")}},
			By: []planfile.Named{{Environment: "Development", Port: planfile.Port{
				Use: planfile.Command, Program: []string{abs("bin/dev"), "--fast"}, Timeout: 45 * time.Minute,
				Env: []planfile.Variable{{Name: "A", Value: planfile.Value{Literal: "b"}}, {Name: "PASSWORD", Value: planfile.Value{Env: "P"}}},
			}}},
		},
		LifeTime: planfile.Port{Use: planfile.LifeTime, Token: planfile.Value{Command: []string{"pass", "token"}}},
		Vault:    planfile.Port{Use: planfile.Files}, Support: planfile.Port{Use: planfile.Attended}, Operator: planfile.Port{Use: planfile.Simulator},
	}, f.Adapters)
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	b, err := os.ReadFile("testdata/wrong.yaml")
	require.NoError(t, err)
	_, err = planfile.Read("wrong.yaml", "/base", strings.NewReader(string(b)))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	golden.Compare(t, "testdata/wrong.txt", []byte(err.Error()+"\n"))
}

// mended is good with one thing changed.
func mended(t *testing.T, from, to string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(good, from), from)
	return strings.Replace(good, from, to, 1)
}

func TestWhatTwoProgramsReadDifferentlyIsRefused(t *testing.T) {
	for _, s := range []string{
		"010", "0o10", "0x1F", "0b11", "1_000", "1e3", "1.5", ".5", "1.", "+1", "-01", "1,000", "12:30", "190:20:30", ".inf", "-.INF", ".NaN",
		"yes", "No", "ON", "off", "y", "N", "True", "FALSE", "Null", "NULL", "2026-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "1e+3", "0",
		"00", "1__0", "6.8523015e+5",
	} {
		t.Run(s, func(t *testing.T) {
			found := mistakes(t, mended(t, "infrastructure: Acme", "infrastructure: "+s))
			require.Len(t, found, 1)
			if s == "0" { // plainly a number
				require.Equal(t, "wrongType", found[0].Code)
			} else {
				require.Equal(t, "ambiguous", found[0].Code)
			}
			require.Equal(t, 3, found[0].Line)
			require.Equal(t, 17, found[0].Column)
			_, err := read(mended(t, "infrastructure: Acme", `infrastructure: "`+s+`"`))
			require.NoError(t, err, "in quotes it is a text")
		})
	}
	for _, s := range []string{"Acme-2", "v1.2", "1.2.3", "A 1", "yesterday", "0xyz", "10-X", "n/a", "null-and-void"} {
		t.Run(s+" is plainly a text", func(t *testing.T) {
			require.Empty(t, mistakes(t, mended(t, "infrastructure: Acme", "infrastructure: "+s)))
		})
	}
}

func TestEachMistakeIsToldWithItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, from, to, code string
		line, column         int
	}{
		{"a key twice", "module:", "version: 1\nmodule:", "repeatedKey", 7, 1},
		{"a key twice in flow", "kind: production,", "name: P, kind: production,", "repeatedKey", 9, 24},
		{"another letter case", "module:", "Module:", "misspelledKey", 7, 1},
		{"a key that there is not", "module:", "color: red\nmodule:", "unknownKey", 7, 1},
		{"a number for a text", "infrastructure: Acme", "infrastructure: 12", "wrongType", 3, 17},
		{"nothing for a text", "infrastructure: Acme", "infrastructure:", "wrongType", 3, 16},
		{"a tilde for a text", "infrastructure: Acme", "infrastructure: ~", "wrongType", 3, 17},
		{"a text for a list", "  refresh: [Ignore]", "  refresh: Ignore", "wrongType", 19, 12},
		{"a text for a number", "{move: 1}", `{move: "1"}`, "wrongType", 23, 21},
		{"an anchor", "infrastructure: Acme", "infrastructure: &x Acme", "anchor", 3, 17},
		{"an alias", "infrastructure: Acme", "infrastructure: Acme\nfirst: *x", "notYAML", 4, 8},
		{"an alias and its anchor", "infrastructure: Acme\nsource:", "infrastructure: &x Acme\nfirst: *x\nsource:", "anchor", 3, 17},
		{"a merge key", "maxInFlight: {move: 1}", "maxInFlight: {<<: {move: 1}}", "mergeKey", 23, 15},
		{"a tag", "infrastructure: Acme", "infrastructure: !!str Acme", "tag", 3, 17},
		{"a tag of one's own", "infrastructure: Acme", "infrastructure: !secret Acme", "tag", 3, 17},
		{"a second document", "  operator: {use: simulator}\n", "  operator: {use: simulator}\n---\na: 1\n", "severalDocuments", 42, 1},
		{"a key that is no word", "maxInFlight: {move: 1}", "maxInFlight: {[a]: 1}", "oddKey", 23, 15},
		{"a tab", "    kind: development", "\tkind: development", "tab", 11, 1},
		{"an open bracket", "maxInFlight: {move: 1}", "maxInFlight: {move: 1", "notYAML", 24, 8},
		{"an open quote", `"ECT_Provider"`, `"ECT_Provider`, "notYAML", 7, 9},
		{"a character that begins nothing", "infrastructure: Acme", "infrastructure: @cme", "notYAML", 3, 17},
		{"http", "https://dev", "http://dev", "insecureAddress", 12, 20},
		{"characters are counted, not bytes", "{name: Production, kind: production", "{name: Prödüktiön, kind: prod", "unknownKind", 9, 30},

		{"no address to connect to", "127.0.0.1:8443", "example", "invalidAddress", 26, 12},
		{"waits that are neither", "waits: none", "waits: short", "unknownValue", 28, 10},
		{"waits left out at real systems", "  connect: 127.0.0.1:8443\n", "", "waitsAtRealSystems", 26, 3},
		{"who cannot answer for a port", "support: attended", "support: servicecenter", "unknownAdapter", 40, 12},
		{"who is not said", "operator: {use: simulator}", "operator: {}", "noUse", 41, 13},
		{"a port that is a number", "support: attended", "support: 1", "wrongType", 40, 12},
		{"a key that another adapter has", "operator: {use: simulator}", "operator: {use: simulator, folder: x}", "unknownKey", 41, 30},
		{"a credential that is missing", "lifeTime: {use: lifetime, token: {command: [pass, token]}}", "lifeTime: lifetime", "missingKey", 39, 13},
		{"a credential in the file", "password: {env: SC_PASSWORD}", "password: hunter2-canary", "literalSecret", 34, 15},
		{"a credential in quotes", "password: {env: SC_PASSWORD}", `password: "hunter2-canary"`, "literalSecret", 34, 15},
		{"a credential that is a number", "password: {env: SC_PASSWORD}", `password: 99887766`, "literalSecret", 34, 15},
		{"a credential that is ambiguous", "password: {env: SC_PASSWORD}", `password: 099887766`, "ambiguous", 34, 15},
		{"a credential in lines", "password: {env: SC_PASSWORD}", "password: |\n      hunter2-canary", "literalSecret", 34, 15},
		{"a credential for a program", "PASSWORD: {env: P}", "PASSWORD: hunter2-canary", "literalSecret", 38, 87},
		{"a token in the file", "token: {command: [pass, token]}", "token: hunter2-canary", "literalSecret", 39, 36},
		{"two references", "{env: SC_PASSWORD}", "{env: SC_PASSWORD, file: x}", "notOne", 34, 15},
		{"an environment that there is not", "      Development: {use: command", "      development: {use: command", "unknownEnvironment", 38, 7},
		{"a timeout that is none", "timeout: 45m", "timeout: soon", "invalidTimeout", 38, 107},
		{"a link without a slash", "/ServiceCenter/x", "x", "invalidLink", 35, 35},
		{"no program", "command: [./bin/dev, --fast]", "command: []", "noProgram", 38, 44},
		{"no directories", "backups: [one, /two]", "backups: []", "noBackups", 24, 10},
		{"a directory that is a number", "backups: [one, /two]", "backups: [one, 2]", "wrongType", 24, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := mended(t, c.from, c.to)
			found := mistakes(t, text)
			require.NotEmpty(t, found)
			m := found[0]
			require.Equal(t, c.code, m.Code, found)
			require.Equal(t, fmt.Sprint(c.line, ":", c.column), fmt.Sprint(m.Line, ":", m.Column), found)
			require.NotEmpty(t, m.Source)
			_, err := read(text)
			require.NotContains(t, err.Error(), "canary")
			require.NotContains(t, err.Error(), "99887766")
		})
	}
}

func TestTabsAreAllToldAndWhatElseIsWrong(t *testing.T) {
	text := strings.ReplaceAll(good, "\n    ", "\n\t\t")
	text = strings.Replace(text, "\t\tkind: development", "\t\tkind: developer", 1)
	found := mistakes(t, text)
	tabs, others := 0, 0
	for _, m := range found {
		if m.Code == "tab" {
			tabs++
			continue
		}
		others++
		require.Equal(t, "unknownKind", m.Code)
		require.Equal(t, 11, m.Line)
		require.Equal(t, len("\t\tkind: ")+1, m.Column)
	}
	require.Equal(t, strings.Count(text, "\n\t\t"), tabs)
	require.Equal(t, 1, others)
}

func TestAMarkStandsBelowWhatItIsAbout(t *testing.T) {
	for name, text := range map[string]string{
		"in a short line": mended(t, "infrastructure: Acme", "infrastructure: 12"),
		"in a long line":  mended(t, "infrastructure: Acme", "infrastructure: {a: "+strings.Repeat("x", 500)+"}"),
		"behind a code":   mended(t, "infrastructure: Acme\nsource: ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU", "{infrastructure: 12, source: ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU, module: 99}"),
		"behind a tab":    mended(t, "infrastructure: Acme", "infrastructure:\t12"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(text)
			lines := strings.Split(err.Error(), "\n")
			marks := 0
			for i, line := range lines {
				if at := strings.IndexRune(line, '^'); at >= 0 && strings.HasPrefix(line, "       | ") {
					marks++
					above := []rune(lines[i-1])
					mark := len([]rune(line)) - 1
					require.LessOrEqual(t, mark, len(above))
					require.NotEqual(t, " ", string(append(above, '$')[mark]), "%s\n%s", lines[i-1], line)
				}
			}
			require.NotZero(t, marks)
		})
	}
}

func TestNoSecretIsToldWhateverIsWrong(t *testing.T) {
	// Every line of the file is broken in turn, in several ways, with secrets
	// where they must not be.
	const odd = "odd-code-canary"
	secret := mended(t, "password: {env: SC_PASSWORD}", "password: hunter2-canary")
	secret = strings.Replace(secret, "token: {command: [pass, token]}", `token: "token-canary"`, 1)
	secret = strings.Replace(secret, "target: ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU", "target: "+odd, 1)
	lines := strings.Split(secret, "\n")
	canaries := []string{"canary", "ABC.D1E", "D1E.F2G"}
	for i := range lines {
		for _, broken := range []string{"\t" + lines[i], lines[i] + ": :", "@" + lines[i], "'" + lines[i], lines[i] + " ]", "&a " + lines[i], lines[i] + "\n" + lines[i], "- " + lines[i], "{" + lines[i], lines[i] + "\xff", "x: " + lines[i]} {
			text := strings.Join(append(append(append([]string{}, lines[:i]...), broken), lines[i+1:]...), "\n")
			_, err := read(text)
			if err == nil {
				continue
			}
			for _, canary := range canaries {
				require.NotContains(t, err.Error(), canary, "line %d: %s", i+1, broken)
			}
		}
	}
}

// TestNoCredentialIsToldHoweverItIsWritten breaks the adapters section in the
// ways in which a credential can be written there by mistake.
func TestNoCredentialIsToldHoweverItIsWritten(t *testing.T) {
	const token, port = "token: {command: [pass, token]}", "support: attended"
	for name, text := range map[string]string{
		"with a comma":            mended(t, "password: {env: SC_PASSWORD}", "password: hun,ter2canary"),
		"with a hash and a brace": mended(t, "password: {env: SC_PASSWORD}", "password: pa#canary4}x"),
		"behind an anchor":        mended(t, token, "token: &canary2 canary3"),
		"as an alias":             mended(t, "password: {env: SC_PASSWORD}", "password: *canary"),
		"behind a tag":            mended(t, token, "token: !canary5 zz"),
		"as a list":               mended(t, "password: {env: SC_PASSWORD}", "password: [canary]"),
		"in two quoted lines":     mended(t, token, "token: \"first\n      second-canary\", x: 1"),
		"in two plain lines":      mended(t, "password: {env: SC_PASSWORD}", "password: abc\n      def-canary: x"),
		"beside another one":      mended(t, "env: {A: b, PASSWORD: {env: P}}", `env: {A: "Bearer canary2", AWS_SECRET_ACCESS_KEY: x}`),
		"under a wrong key":       mended(t, port, "support: {use: command, command: [x], envs: {A: canary}}"),
		"where a port is named":   mended(t, port, "support: canary attended: x"),
		"in JSON":                 strings.TrimSuffix(goodJSON, "\n}\n") + ", \"adapters\": {\"lifeTime\": {\"use\": \"lifetime\", \"token\":\n\"canaryA\"},\"portal\":{\"use\": \"inbox\", \"password\":[\"canaryB\",\"canaryC\"]}}}",
		"in JSON in one line":     strings.ReplaceAll(strings.TrimSuffix(goodJSON, "\n}\n"), "\n", "") + `, "adapters": {"lifeTime": {"use": "lifetime", "token":"canaryA"}}, "color": 1}`,
		"in JSON that is none":    strings.TrimSuffix(goodJSON, "\n}\n") + ", \"adapters\": {\"lifeTime\": {\"token\":\n\"canaryA\"},,}}",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(text)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "canary")
			b, err := json.Marshal(err)
			require.NoError(t, err)
			require.NotContains(t, string(b), "canary")
		})
	}
}

func TestACredentialOfAProgramIsRecognizedByItsName(t *testing.T) {
	for _, name := range []string{"API_KEY", "AUTH", "Authorization", "PRIVATE_KEY", "apikey", "PASSPHRASE", "DB_PWD", "CLIENT_SECRET", "TOKEN", "CREDENTIALS"} {
		t.Run(name, func(t *testing.T) {
			found := mistakes(t, mended(t, "env: {A: b,", "env: {"+name+": canary,"))
			require.Len(t, found, 1)
			require.Equal(t, "literalSecret", found[0].Code)
			require.Equal(t, name+": ···", found[0].Source)
		})
	}
	for _, name := range []string{"LANG", "LC_ALL", "HOME", "PATH", "TZ"} {
		t.Run(name+" may stand there", func(t *testing.T) {
			require.Empty(t, mistakes(t, mended(t, "env: {A: b,", "env: {"+name+": x,")))
		})
	}
}

// TestALineEndThatNobodySeesIsTold: YAML counts it, editors do not.
func TestALineEndThatNobodySeesIsTold(t *testing.T) {
	for name, end := range map[string]string{"NEL": "\u0085", "LS": "\u2028", "PS": "\u2029", "a lone CR": "\r"} {
		t.Run(name, func(t *testing.T) {
			found := mistakes(t, mended(t, "infrastructure: Acme", "infrastructure: \"Ac"+end+"me\""))
			require.Len(t, found, 1)
			require.Equal(t, "oddLineEnd", found[0].Code)
			require.Equal(t, "3:20", fmt.Sprint(found[0].Line, ":", found[0].Column))
		})
	}
	t.Run("those of Windows are none", func(t *testing.T) {
		require.Empty(t, mistakes(t, strings.ReplaceAll(good, "\n", "\r\n")))
	})
}

func TestNoSecretIsToldWhereverItStands(t *testing.T) {
	const odd = "odd-code-canary"
	text := strings.Replace(good, "target: ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU", "target: "+odd, 1)
	for name, text := range map[string]string{
		"a code of the usual form in a name": strings.Replace(text, "{name: Production, kind: production", "{name: ABC.D1E.F2G.H3I.J4K.L5M.N6O.AOU, kind: prod", 1),
		"an odd code in a name":              strings.Replace(text, "{name: Production, kind: production", "{name: the ODD-CODE-CANARY, kind: prod", 1),
		"another code in a name":             strings.Replace(text, "{name: Production, kind: production", "{name: ABC.D1E.F2G.999.999.999.999.AOU, kind: prod", 1),
		"a code as a key":                    strings.Replace(text, "module:", odd+": 1\nmodule:", 1),
		"a credential in a line of its own":  strings.Replace(text, "password: {env: SC_PASSWORD}", "password: |\n\thunter2-canary", 1),
		"a credential below its key":         strings.Replace(text, "password: {env: SC_PASSWORD}", "password:\n\thunter2-canary", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(text)
			require.Error(t, err)
			for _, canary := range []string{"canary", "CANARY", "ABC.D1E"} {
				require.NotContains(t, err.Error(), canary)
			}
		})
	}
}

// TestJSONIsAsStrictAsInTheLibrary compares with migration.ReadPlan, over all
// texts in which one token was left out, doubled or replaced.
func TestJSONIsAsStrictAsInTheLibrary(t *testing.T) {
	tokens := regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\d+|[\[\]{},:]`).FindAllStringIndex(goodJSON, -1)
	compared := 0
	for _, at := range tokens[1:] { // what does not begin with a brace is taken for YAML
		for _, instead := range []string{"", `null`, `"\ud800"`, `010`, `1.5`, `{"a":1,"a":2}`, `true`, goodJSON[at[0]:at[1]] + goodJSON[at[0]:at[1]], "// x"} {
			text := goodJSON[:at[0]] + instead + goodJSON[at[1]:]
			_, want := migration.ReadPlan(strings.NewReader(text))
			f, got := read(text)
			require.Equal(t, want == nil, got == nil, "%s\n%v\n%v", text, want, got)
			if want == nil {
				require.NotNil(t, f)
				continue
			}
			var codes, lines []string
			var all interface{ Unwrap() []error }
			require.ErrorAs(t, want, &all)
			for _, e := range all.Unwrap() {
				var finding environment.Finding
				require.ErrorAs(t, e, &finding)
				codes = append(codes, finding.Code)
				if m := regexp.MustCompile(`^line (\d+), column (\d+)`).FindString(finding.Where); m != "" {
					lines = append(lines, m)
				}
			}
			var m *planfile.Mistakes
			require.ErrorAs(t, got, &m)
			var gotCodes, gotLines []string
			for _, one := range m.List {
				gotCodes = append(gotCodes, one.Code)
				if one.Line > 0 {
					gotLines = append(gotLines, fmt.Sprintf("line %d, column %d", one.Line, one.Column))
				}
			}
			require.Equal(t, codes, gotCodes, text)
			require.Equal(t, lines, gotLines, text)
			compared++
		}
	}
	require.Greater(t, compared, 500)
}

func TestAFileThatIsTooMuchIsRefusedQuickly(t *testing.T) {
	for name, c := range map[string]struct{ text, code string }{
		"10 MB":                       {strings.Repeat("a: 1\n", 2_000_000), "planTooLarge"},
		"a thousand sequences":        {strings.Repeat("- ", 1000) + "x", "tooDeep"},
		"half a million brackets":     {strings.Repeat("[", 500_000), "tooDeep"},
		"half a million JSON objects": {strings.Repeat(`{"a":`, 200_000), "notJSON"},
		"two hundred thousand keys":   {strings.Repeat("a: 1\n", 200_000), "tooManyEntries"},
		"a line of a megabyte":        {"infrastructure: [" + strings.Repeat("x", 1_000_000), "notYAML"},
		"nothing":                     {"", "emptyFile"},
		"a comment":                   {"# nothing\n", "emptyFile"},
		"a list":                      {"- a\n", "wrongType"},
		"not UTF-8":                   {"version: 1\nmodule: \xff\n", "notUTF8"},
		"a byte order mark":           {"\ufeff" + good, "byteOrderMark"},
		"UTF-16":                      {"v\x00e\x00r\x00", "notYAML"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			found := mistakes(t, c.text)
			require.Less(t, time.Since(begun), 10*time.Second)
			require.True(t, slices.ContainsFunc(found, func(m planfile.Mistake) bool { return m.Code == c.code }), found[0])
			require.LessOrEqual(t, len(found), 201)
			_, err := read(c.text)
			require.Less(t, len(err.Error()), 100_000)
		})
	}
}

func TestAFileThatIsCutBeforeThePlanIsWholeIsRefused(t *testing.T) {
	needed := strings.Index(good, "    - Protected") + len("    - P")
	for n := range len(good) {
		_, err := read(good[:n])
		if n < needed {
			var m *planfile.Mistakes
			require.ErrorAs(t, err, &m, good[:n])
		}
	}
}

func TestAFolderAndAMissingFileAreErrors(t *testing.T) {
	_, err := planfile.Open(t.TempDir())
	require.Error(t, err)
	_, err = planfile.Open(filepath.Join(t.TempDir(), "x"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAFileSaysWhereItsPathsBegin(t *testing.T) {
	f, err := read(good)
	require.NoError(t, err)
	require.Equal(t, "/base", f.Folder)
}

func FuzzRead(f *testing.F) {
	f.Add(good)
	f.Add(goodJSON)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := read(text)
		var m *planfile.Mistakes
		switch {
		case err == nil:
			require.NoError(t, file.Plan.Validate().Err())
		case errors.As(err, &m):
			lines := strings.Count(text, "\n") + 1
			for _, one := range m.List {
				require.LessOrEqual(t, one.Line, lines)
				require.NotContains(t, strconv.Itoa(one.Column), "-")
				require.NotContains(t, one.Source, "\n")
			}
		default:
			require.NoError(t, err)
		}
	})
}
