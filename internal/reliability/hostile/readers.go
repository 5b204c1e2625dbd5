package hostile

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
)

// readers hands hostile files to whatever reads files.
func readers(_ context.Context, s *session) error {
	s.planFile()
	s.licenseFile()
	_, err := license.ParseActivationCode(s.attack())
	s.lookErr("ParseActivationCode", err)
	_, err = license.ParseSerialNumber(s.attack())
	s.lookErr("ParseSerialNumber", err)
	for _, code := range []string{scene.Source, s.attack()} {
		if c, err := license.ParseActivationCode(code); err == nil {
			s.look("an activation code", fmt.Sprintf("%v %s %q", c, c, c))
			b, err := json.Marshal(c)
			s.lookErr("marshaling a code", err)
			s.look("an activation code in JSON", string(b))
		}
	}
	findings := s.plan("").Infrastructure.CheckRegistered([]environment.Registered{{Name: s.attack()}, {Name: s.attack(), Paused: true}})
	s.lookErr("CheckRegistered", findings.Err())
	return nil
}

// planFile reads a plan with hostile text, or that is one no more.
func (s *session) planFile() {
	text := `{"version": 1, "infrastructure": "Acme", "source": "` + scene.Source + `", "target": "` + scene.Target + `", "module": "ECT_Provider",
		"environments": [{"name": "Production", "kind": "production", "serviceCenter": "https://p.example.test", "serial": "A"},
		{"name": "LifeTime", "kind": "lifetime", "serviceCenter": "https://l.example.test", "serial": "B"}], "accept": {"refresh": ["Ignore"], "move": ["Unprotected"]}}`
	words := []string{"Acme", "ECT_Provider", "Production", "production", "LifeTime", "https://p.example.test", `"A"`, `"version": 1`, `"kind"`, "refresh", "Ignore", "accept", scene.Source, scene.Target}
	for range 1 + s.IntN(3) {
		with := s.attack()
		if quoted, err := json.Marshal(with); err == nil && s.IntN(2) == 0 {
			with = string(quoted[1 : len(quoted)-1])
		}
		text = strings.Replace(text, words[s.IntN(len(words))], with, 1)
	}
	p, err := migration.ReadPlan(strings.NewReader(text))
	s.lookErr("ReadPlan", err)
	if err == nil {
		for _, w := range p.Validate().Warnings() {
			s.look("a warning", w.Error())
		}
	}
}

// licenseFile inspects a license with hostile text, or that is none.
func (s *session) licenseFile() {
	text := s.attack()
	if s.IntN(2) == 0 {
		text = `<License UID="` + scene.Source + `" Serial="` + s.attack() + `"><Feature Name="` + s.attack() + `" Limit="x"/></License>`
	}
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		return
	}
	content := b.Bytes()
	if s.IntN(3) == 0 {
		content = []byte(text)
	}
	f, err := license.NewFile(content)
	s.lookErr("NewFile", err)
	s.look("a license file", fmt.Sprintf("%v %+v %s", f, f, f.Digest().Short()))
	_, err = license.Inspect(f)
	s.lookErr("Inspect", err)
}
