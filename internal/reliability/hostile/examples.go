package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/changeover-go/changeover/internal/reliability/scene"
)

// examples runs the programs of the folder examples, the first one with a
// hostile plan and every fault, and looks through what they print.
func examples(ctx context.Context, s *session) error {
	if _, err := exec.LookPath("go"); err != nil {
		s.job.Skip("examples", "there is no go command to build them")
		return nil
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	for _, name := range []string{"quickstart", "customadapter", "customstep", "embedding", "commandadapter"} {
		build := exec.CommandContext(ctx, "go", "build", "-o", s.program(name), "github.com/changeover-go/changeover/examples/"+name)
		if out, err := build.CombinedOutput(); err != nil {
			return errors.Join(err, errors.New(string(out)))
		}
		if err := s.print(ctx, name); err != nil {
			return err
		}
	}
	for _, fault := range []string{"serialMissing", "notPrepared", "noSlot", "underReview", "uploadRejected", "answerLost@SetLicense", "staleRead", "busy", "ipp", "falseWithText", "garbage@SetLicense", "html@Modules_Get"} {
		plan, name, err := s.examplePlan()
		if err != nil {
			return err
		}
		report := filepath.Join(s.dir, fault+".md")
		for _, args := range [][]string{nil, {"-json"}, {"-report", report}} {
			if err := s.print(ctx, "quickstart", append(args, "-plan", plan, "-fault", name+"="+fault)...); err != nil {
				return err
			}
		}
		if b, err := os.ReadFile(report); err == nil {
			s.look("a report of the quickstart", string(b))
			s.markup(string(b))
		}
	}
	return os.RemoveAll(s.dir)
}

func (s *session) program(name string) string { return filepath.Join(s.dir, name) }

// print runs a program, however it ends, and looks through what it prints.
func (s *session) print(ctx context.Context, name string, args ...string) error {
	var out, errOut bytes.Buffer
	cmd := exec.CommandContext(ctx, s.program(name), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &out, &errOut
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return err
	}
	s.look("what "+name+" prints", out.String())
	s.look("what "+name+" prints as an error", errOut.String())
	return nil
}

// examplePlan writes a plan with as much hostile text as is taken.
func (s *session) examplePlan() (path, env string, err error) {
	p := s.plan("")
	type environment struct {
		Name          string `json:"name"`
		Kind          string `json:"kind"`
		ServiceCenter string `json:"serviceCenter"`
		Serial        string `json:"serial"`
	}
	plan := struct {
		Version        int                 `json:"version"`
		Infrastructure string              `json:"infrastructure"`
		Source         string              `json:"source"`
		Target         string              `json:"target"`
		Module         string              `json:"module"`
		Environments   []environment       `json:"environments"`
		Accept         map[string][]string `json:"accept"`
	}{1, p.Infrastructure.Name, scene.Source, scene.Target, p.Module, nil, map[string][]string{"refresh": {"Ignore"}, "move": {"Unprotected"}}}
	for _, e := range p.Infrastructure.Environments {
		plan.Environments = append(plan.Environments, environment{e.Name, string(e.Kind), e.ServiceCenter, string(e.Serial)})
	}
	b, err := json.Marshal(plan)
	path = filepath.Join(s.dir, "plan.json")
	return path, plan.Environments[1].Name, errors.Join(err, os.WriteFile(path, b, 0o600))
}
