package command_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// seeds are messages of every kind, and some that are nearly one.
func seeds() []string {
	return []string{
		"", "{}", "null", "[]", `{"version":1}`, `{"version":1,"method":"UploadLicense"}`, uploadRequest,
		`{"version":1,"method":"FetchLicense","file":"bGljZW5zZQ=="}`,
		`{"version":1,"method":"InstalledLicense","server":"Q","code":"A","serial":"Q","ipp":"","type":"","ends":"","features":[{"id":"","limit":"1"}]}`,
		`{"version":1,"method":"Registered","environments":[{"name":"Q","address":"","cloud":false,"paused":true,"running":["x"]}],"testimony":[{"by":"A","at":"2026-03-01T09:00:00Z"}]}`,
		`{"version":1,"port":"LifeTime","method":"Registered"}`,
		`{"version":1,"port":"LifeTime","method":"PauseDeployments","environment":` + site + `}`,
		`{"version":1,"port":"LicensePortal","method":"RegisterSerial","code":"ZYX.W9V.U8T.S7R.Q6P.O5N.M4L.AOU","environment":` + site + `}`,
		`{"version":1,"port":"BackupVault","method":"Put","label":{"environment":"Q","serial":"Q","role":"source","origin":"portal"},"file":"bGljZW5zZQ=="}`,
		`{"version":1,"port":"Operator","method":"Ask","question":{"kind":"approval","subject":"s","environment":"","text":"t","details":["d"]}}`,
		`{"version":1,"version":1}`, `{"VERSION":1}`, "{\"version\":1,\"method\":\"\xff\"}", `{"version":1,"method":"\ud800"}`,
		strings.Repeat("[", 2000), `{"testimony":` + strings.Repeat(`[{"testimony":`, 500),
	}
}

// FuzzReadAnswer: whatever a program writes is read or refused; what is read is
// one JSON object in UTF-8, and is read again when it is written in another
// layout.
func FuzzReadAnswer(f *testing.F) {
	methods := command.Schema()
	for i := range methods {
		for _, s := range seeds() {
			f.Add(uint8(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, text []byte) {
		method := methods[int(n)%len(methods)].Method
		if err := command.ReadAnswer(method, text); err != nil {
			return
		}
		if !utf8.Valid(text) || !json.Valid(text) || bytes.TrimSpace(text)[0] != '{' {
			t.Fatalf("%q was read", text)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, text, "", "\t"); err != nil {
			t.Fatal(err)
		}
		if err := command.ReadAnswer(method, indented.Bytes()); err != nil {
			t.Fatalf("%q, but not indented: %v", text, err)
		}
	})
}

// FuzzServe: whatever a program is asked, it ends with a code of the table, and
// with 0 only when it has answered.
func FuzzServe(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		world := fake.New(environment.Infrastructure{Environments: []environment.Environment{{Name: "Quality", Kind: environment.Quality, Serial: "QQQ"}}},
			license.ActivationCode{}, license.ActivationCode{})
		exit, out, errOut := serve(t, world.Set(), bytes.NewReader(request))
		switch {
		case exit == 0:
			var head struct{ Method string }
			if err := json.Unmarshal([]byte(out), &head); err != nil {
				t.Fatal(err)
			}
			if err := command.ReadAnswer(head.Method, []byte(out)); err != nil {
				t.Fatalf("%q: %v", out, err)
			}
			if !bytes.HasPrefix(bytes.TrimSpace(request), []byte("{")) || errOut != "" {
				t.Fatalf("%q was answered, and %q", request, errOut)
			}
		case exit == 1, exit >= 200 && exit < 218:
			if out != "" || strings.Count(errOut, "\n") != 1 {
				t.Fatalf("exit code %d with %q and %q", exit, out, errOut)
			}
		default:
			t.Fatalf("exit code %d", exit)
		}
	})
}
