//go:build unix

package command_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/golden"
	"github.com/changeover-go/changeover/license"
)

// A talk is one call of a method with an answer that is fine.
type talk struct {
	method string
	call   func(ctx context.Context, p *command.Program) (any, error)
	answer string // without its head
	want   any
	wrong  []string // answers that have every field, but cannot be true
}

const digest = "edbbb3e9e72b1dc5cd5b73d8ba3a7ca7f3a75dd2d1cbb6e76ad3c1ef9a34e55c"

var label = adapters.Label{Environment: "Quality", Serial: quality.Serial, Role: license.Source, Origin: environment.OriginPortal}

// talks returns one of every method, in the order of the ports.
func talks(t testing.TB) []talk {
	t.Helper()
	source := code(t)
	f, err := license.NewFile([]byte("license"))
	require.NoError(t, err)
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	record := fmt.Sprintf(`{"label":{"environment":"Quality","serial":"%s","role":"source","origin":"portal"},"digest":"%s","generation":3,"copies":2,"at":"2026-03-01T09:00:00Z"}`,
		quality.Serial, f.Digest())
	stored := adapters.Stored{Label: label, Digest: f.Digest(), Generation: 3, Copies: 2, At: at}
	nothing := func(err error) (any, error) { return nil, err }
	return []talk{
		{"FetchLicense", func(ctx context.Context, p *command.Program) (any, error) {
			return p.FetchLicense(ctx, source, quality)
		},
			`"file":"bGljZW5zZQ=="`, f, []string{`"file":""`, `"file":"PGh0bWw+PC9odG1sPg=="`, `"file":"bGljZW5zZQ"`, `"file":"license"`}},
		{"SerialRegistered", func(ctx context.Context, p *command.Program) (any, error) {
			return p.SerialRegistered(ctx, source, quality)
		},
			`"registered":true`, true, nil},
		{"RegisterSerial", func(ctx context.Context, p *command.Program) (any, error) {
			return nothing(p.RegisterSerial(ctx, source, quality))
		}, ``, nil, nil},
		{"InstalledLicense", func(ctx context.Context, p *command.Program) (any, error) { return p.InstalledLicense(ctx, quality) },
			fmt.Sprintf(`"server":%q,"code":%q,"serial":%q,"ipp":"Ignore","type":"Production","ends":"2027-01-31T00:00:00Z","features":[{"id":"","name":"Users","limit":"100"},{"id":"x","limit":"Unlimited"}]`,
				quality.Serial, activationCode, quality.Serial),
			license.Installed{Server: quality.Serial, Code: source, Serial: quality.Serial, IPP: license.Ignore, Type: "Production",
				Ends: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC), Features: []license.Feature{{Name: "Users", Limit: "100"}, {ID: "x", Limit: "Unlimited"}}},
			[]string{
				`"server":"","code":"","serial":"","ipp":"","type":"","ends":""`,
				`"server":" x","code":"","serial":"","ipp":"","type":"","ends":""`,
				`"server":"x","code":" y","serial":"","ipp":"","type":"","ends":""`,
				`"server":"x","code":"y","serial":"","ipp":"","type":"","ends":"2027-01-31"`,
				`"server":"x","code":"y","serial":"","ipp":"","type":"","ends":"Never"`,
			}},
		{"UploadLicense", func(ctx context.Context, p *command.Program) (any, error) {
			return nothing(p.UploadLicense(ctx, quality, f))
		}, ``, nil, nil},
		{"RepublishModule", func(ctx context.Context, p *command.Program) (any, error) {
			return p.RepublishModule(ctx, quality, "ECT_Provider")
		}, `"before":"17","after":"18"`, adapters.Publication{Before: "17", After: "18"}, nil},
		{"BackupLicense", func(ctx context.Context, p *command.Program) (any, error) { return p.BackupLicense(ctx, quality) },
			`"file":"bGljZW5zZQ=="`, f, []string{`"file":""`}},
		{"Registered", func(ctx context.Context, p *command.Program) (any, error) { return p.Registered(ctx) },
			`"environments":[{"name":"Quality","address":"qa.example.test","cloud":false,"paused":true,"running":[]},{"name":"Production","address":"","cloud":true,"paused":false,"running":["plan 7"]}]`,
			[]environment.Registered{{Name: "Quality", Address: "qa.example.test", Paused: true}, {Name: "Production", Cloud: true, Running: []string{"plan 7"}}}, nil},
		{"PauseDeployments", func(ctx context.Context, p *command.Program) (any, error) {
			return nothing(p.PauseDeployments(ctx, quality))
		}, ``, nil, nil},
		{"ResumeDeployments", func(ctx context.Context, p *command.Program) (any, error) {
			return nothing(p.ResumeDeployments(ctx, quality))
		}, ``, nil, nil},
		{"Put", func(ctx context.Context, p *command.Program) (any, error) { return p.Put(ctx, label, f) },
			`"record":` + record, stored, []string{
				`"record":` + strings.Replace(record, string(f.Digest()), digest, 1),
				`"record":` + strings.Replace(record, "QQQ", "DDD", 1),
				`"record":` + strings.Replace(record, "source", "target", 1),
				`"record":` + strings.Replace(record, `"generation":3`, `"generation":3.5`, 1),
			}},
		{"Get", func(ctx context.Context, p *command.Program) (any, error) {
			return p.Get(ctx, quality.Serial, f.Digest())
		},
			`"file":"bGljZW5zZQ=="`, f, []string{`"file":"TGljZW5zZQ=="`, `"file":""`}},
		{"List", func(ctx context.Context, p *command.Program) (any, error) { return p.List(ctx, quality.Serial) },
			`"records":[` + record + `]`, []adapters.Stored{stored}, []string{
				`"records":[` + record + `,` + strings.Replace(record, "QQQ", "DDD", 1) + `]`,
			}},
		{"OpenCase", func(ctx context.Context, p *command.Program) (any, error) {
			return p.OpenCase(ctx, adapters.Case{Key: "run-1/noSlot", Subject: "Slots", Body: "Article\nStep: 2\n"})
		}, `"reference":"CASE-4711"`, "CASE-4711", []string{`"reference":""`}},
		{"FindCase", func(ctx context.Context, p *command.Program) (any, error) { return p.FindCase(ctx, "run-1/noSlot") },
			`"reference":"CASE-4711"`, "CASE-4711", []string{`"reference":""`}},
		{"Ask", func(ctx context.Context, p *command.Program) (any, error) {
			return p.Ask(ctx, adapters.Question{Kind: adapters.AskApproval, Subject: "move", Text: "May it begin?", Details: []string{"4 of 4", "<b>"}})
		}, `"by":"Ada","at":"2026-03-01T09:00:00Z","text":"seen"`, adapters.Answer{By: "Ada", At: at, Text: "seen"},
			[]string{`"by":"","at":"2026-03-01T09:00:00Z"`, `"by":"Ada","at":"0001-01-01T00:00:00Z"`}},
	}
}

// whole returns an answer with its head.
func (k talk) whole(answer string) string {
	head := fmt.Sprintf(`{"version":1,"method":%q`, k.method)
	if answer != "" {
		head += ","
	}
	return head + answer + "}"
}

// program returns a program that keeps its request in a file, and answers.
func (k talk) program(t testing.TB, answer string) (p *command.Program, kept string) {
	kept = filepath.Join(t.TempDir(), "request")
	return program(t, options(t, "behave", "keeps", kept, k.whole(answer))), kept
}

func TestEveryMethodIsAskedAndAnsweredAsItWasReviewed(t *testing.T) {
	var all bytes.Buffer
	for _, k := range talks(t) {
		p, kept := k.program(t, k.answer)
		got, err := k.call(t.Context(), p)
		require.NoError(t, err, k.method)
		if f, ok := k.want.(license.File); ok {
			require.Equal(t, f.Digest(), got.(license.File).Digest(), k.method)
		} else {
			require.Equal(t, k.want, got, k.method)
		}
		request, err := os.ReadFile(kept)
		require.NoError(t, err)
		require.NoError(t, command.ReadRequest(k.method, request), k.method)
		all.Write(request)
		all.WriteString("\n" + k.whole(k.answer) + "\n\n")
	}
	golden.Compare(t, filepath.Join("testdata", "conversation.txt"), all.Bytes())
}

func TestAnAnswerThatCannotBeTrueIsNotTaken(t *testing.T) {
	for _, k := range talks(t) {
		for _, answer := range k.wrong {
			t.Run(k.method+" "+answer, func(t *testing.T) {
				t.Parallel()
				p, _ := k.program(t, answer)
				got, err := k.call(t.Context(), p)
				means(t, unknown, err)
				require.Zero(t, got)
			})
		}
	}
}

// A mutation makes a message of which one value is not as it should be.
var mutations = []struct {
	name string
	make func(key, value string) string
}{
	{"left out", func(string, string) string { return "" }},
	{"null", func(key, _ string) string { return key + `:null` }},
	{"another type", func(key, value string) string {
		if value[0] == '"' {
			return key + `:7`
		}
		return key + `:"7"`
	}},
	{"a list of it", func(key, value string) string { return key + `:[` + value + `]` }},
	{"twice", func(key, value string) string { return key + `:` + value + `,` + key + `:` + value }},
	{"in capitals", func(key, value string) string { return strings.ToUpper(key) + `:` + value }},
	{"with a neighbor", func(key, value string) string { return key + `:` + value + `,"x` + key[1:] + `:` + value }},
}

// optional fields may be left out.
var optional = regexp.MustCompile(`^"(testimony|features|name|text)"$`)

func TestEveryFieldOfEveryMessageIsReadStrictly(t *testing.T) {
	checked := 0
	for _, k := range talks(t) {
		p, kept := k.program(t, k.answer)
		_, err := k.call(t.Context(), p)
		require.NoError(t, err)
		request, err := os.ReadFile(kept)
		require.NoError(t, err)
		answer := k.answer
		if answer != "" {
			answer += ","
		}
		answer += `"testimony":[{"by":"Ada","at":"2026-03-01T09:00:00Z","text":"seen"}]`
		for what, m := range map[string]struct {
			text string
			read func(string, []byte) error
		}{"request": {string(request), command.ReadRequest}, "answer": {k.whole(answer), command.ReadAnswer}} {
			require.NoError(t, m.read(k.method, []byte(m.text)), "%s of %s: %s", what, k.method, m.text)
			for _, place := range members(m.text) {
				for _, mutation := range mutations {
					key, value := m.text[place[0]:place[1]], m.text[place[2]:place[3]]
					changed := m.text[:place[0]] + mutation.make(key, value) + m.text[place[3]:]
					changed = strings.NewReplacer("{,", "{", ",,", ",", ",}", "}").Replace(changed)
					if mutation.name == "left out" && what == "answer" && optional.MatchString(key) && !strings.HasPrefix(m.text[place[0]:], `"name":"Quality"`) &&
						!strings.HasPrefix(m.text[place[0]:], `"name":"Production"`) {
						require.NoError(t, m.read(k.method, []byte(changed)), changed)
						continue
					}
					require.True(t, json.Valid([]byte(changed)), changed)
					require.Error(t, m.read(k.method, []byte(changed)), "%s of %s, %s %s: %s", what, k.method, key, mutation.name, changed)
					checked++
				}
			}
		}
	}
	require.Greater(t, checked, 1000)
}

// members finds the places of keys and values in a text of JSON.
func members(text string) (places [][4]int) {
	for _, m := range regexp.MustCompile(`"[A-Za-z]+":`).FindAllStringIndex(text, -1) {
		dec := json.NewDecoder(strings.NewReader(text[m[1]:]))
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			continue
		}
		places = append(places, [4]int{m[0], m[1] - 1, m[1], m[1] + int(dec.InputOffset())})
	}
	return places
}

func TestTheLargestLicenseFileFits(t *testing.T) {
	large, err := license.NewFile(bytes.Repeat([]byte{0xff}, license.MaxFileBytes))
	require.NoError(t, err)
	p, kept := talk{method: "UploadLicense"}.program(t, "")
	require.NoError(t, p.UploadLicense(t.Context(), quality, large))
	request, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Contains(t, string(request), base64.StdEncoding.EncodeToString(large.Bytes()))
	require.NoError(t, command.ReadAnswer("FetchLicense", []byte(`{"version":1,"method":"FetchLicense","file":"`+base64.StdEncoding.EncodeToString(large.Bytes())+`"}`)))
}
