package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/internal/disk/disktest"
	"github.com/changeover-go/changeover/internal/reliability/scene"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// runs is a run to some ending and back, with hostile text wherever it can be.
func runs(ctx context.Context, s *session) error {
	profiles := migration.Profiles()
	profile := profiles[s.IntN(len(profiles))].Name
	p := s.plan(profile)
	w := s.world(p)
	s.trouble(w, p)

	var log bytes.Buffer
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	opts := &changeover.Options{
		Logger: zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&log), zap.DebugLevel)), Clock: new(fake.Clock), Inline: true,
		User: s.attack(), Host: s.attack(),
		OnEntry: func(e journal.Entry) { s.look("the sentence of an entry", report.Sentence(e)) },
	}
	store, err := filejournal.Open(s.dir, &filejournal.Options{Ballast: -1, Disk: disktest.Unsynced()})
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	c, err := changeover.New(p, s.set(w), store, opts)
	if err != nil {
		s.lookErr("New", err)
		return store.Close()
	}
	s.report(c.Apply(ctx))
	names := []string{journal.Infrastructure, "none " + s.attack()}
	for _, env := range p.Infrastructure.Environments {
		names = append(names, env.Name)
	}
	for range 3 {
		for _, name := range names {
			if s.IntN(3) == 0 {
				s.lookErr("Hold", c.Hold(ctx, name, s.told(), s.told()))
			}
			if s.IntN(2) == 0 {
				s.lookErr("Release", c.Release(ctx, name, s.told(), s.told()))
			}
			s.lookErr("Resolve", c.Resolve(ctx, name, migration.Resolution{By: s.told(), Evidence: s.told(), NotDone: s.IntN(2) == 0}))
			s.explain(ctx, c, name)
		}
		s.report(c.Resume(ctx))
	}
	s.report(c.RollBack(ctx, s.told(), s.told()))
	s.report(c.Resume(ctx))
	s.report(c.Status(ctx))
	s.lookErr("Verify", c.Verify(ctx))
	_, err = changeover.Check(ctx, p, s.set(w))
	s.lookErr("Check", err)
	for _, asked := range w.Cases() {
		s.look("a support case", asked.Subject+"\n"+asked.Body)
	}
	for line := range strings.Lines(log.String()) {
		s.look("a line of the log", line)
	}
	if err := store.Close(); err != nil {
		return err
	}
	for _, name := range []string{"journal.jsonl", "HEAD", "LOCK"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		s.look(name, string(b))
	}
	return nil
}

// trouble makes the run end in some way.
func (s *session) trouble(w *fake.World, p migration.Plan) {
	any := func() string {
		return p.Infrastructure.Environments[s.IntN(len(p.Infrastructure.Environments))].Name
	}
	for range s.IntN(3) {
		switch env := any(); s.IntN(12) {
		case 0:
			w.SetIPP(p.Target, env, license.Protected)
			w.MarkModule(env, p.Module, p.Source)
		case 1:
			w.DropSerial(p.Source, env)
		case 2:
			w.SetIPP(p.Source, env, license.IPP(s.attack()))
		case 3:
			w.RejectUploads(p.Target, env, "turned down"+s.told())
		case 4:
			w.RefuseReturn(env, "not back"+s.told())
		case 5:
			w.BreakModule(env, p.Module, "error CS1002"+s.told())
		case 6:
			w.StaleReadings(env, s.IntN(60))
		case 7:
			w.OpaqueLicenses(true)
		case 8:
			if f, err := license.NewFile([]byte(s.attack() + s.attack() + "x")); err == nil {
				w.UseFile(p.Target, env, f)
			}
		case 9:
			w.InstallByHand(env, scene.Code(scene.Third))
		case 10:
			w.ChangeSerial(env, license.SerialNumber(s.attack()+"1"))
		case 11:
			w.Answer(func(adapters.Question) (adapters.Answer, error) {
				return adapters.Answer{By: s.told(), Text: s.told()}, fmt.Errorf("%s: %w", s.told(), adapters.ErrRefused)
			})
		}
	}
}

// report looks through every form of a report.
func (s *session) report(r *report.Report, err error) {
	s.lookErr("a verb", err)
	if r == nil {
		return
	}
	for _, form := range []struct {
		name  string
		write func(io.Writer) error
	}{{wrapped, r.WriteText}, {"the report in Markdown", r.WriteMarkdown}, {"the report in JSON", r.WriteJSON}} {
		var b bytes.Buffer
		if err := form.write(&b); err != nil {
			s.lookErr(form.name, err)
			continue
		}
		s.look(form.name, b.String())
		if form.name == "the report in Markdown" {
			s.markup(b.String())
		}
	}
	for _, e := range r.Environments {
		if e.Hold != nil {
			s.look("a hold", e.Hold.Error())
		}
	}
	if r.Hold != nil {
		s.look("the hold of the report", r.Hold.Error())
	}
	if r.SupportCase != nil {
		s.look("the support case", r.SupportCase.Subject+"\n"+r.SupportCase.Body)
	}
}

// markup looks for markup in Markdown that is not the report's own. What is
// between fences is no markup.
func (s *session) markup(text string) {
	fence := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = line[:len(line)-len(strings.TrimLeft(line, "`"))]
			continue
		case fence != "" && line == fence:
			fence = ""
		}
		if fence == "" && (strings.Contains(line, "<script") || strings.Contains(line, "<!--") || link.MatchString(line)) {
			s.found = append(s.found, fmt.Errorf("the report in Markdown has markup of a stranger: %q", line))
		}
	}
	if fence != "" {
		s.found = append(s.found, errors.New("the report in Markdown has a fence that is not closed"))
	}
}

// link finds the beginning of a link whose bracket is not escaped.
var link = regexp.MustCompile(`(^|[^\\])(\\\\)*\]\(`)

// explain looks through what is said of the ways out of a state.
func (s *session) explain(ctx context.Context, c *changeover.Changeover, env string) {
	ex, err := c.Explain(ctx, env)
	s.lookErr("Explain", err)
	for _, way := range ex.Ways {
		for _, reason := range way.Refused {
			s.look("a reason", reason.String())
		}
	}
	for _, reason := range ex.Needs {
		s.look("a need", reason.String())
	}
	b, err := json.Marshal(ex)
	s.lookErr("an explanation", err)
	s.look("an explanation", string(b))
}
