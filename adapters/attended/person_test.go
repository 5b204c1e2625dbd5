package attended_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
)

// A person reads what a desk prints and answers by operating a world through
// its ports. It is both ends of the desk: an answer is thought of when the desk
// reads, by which time the question has been printed.
type person struct {
	t     *testing.T
	world adapters.Set
	envs  []environment.Environment
	codes []license.ActivationCode
	dir   string // where files are downloaded and kept

	published func() string // what the tab Versions shows
	module    string        // the only module that there is

	// interrupt, if it is set, answers in the person's place unless it returns
	// false.
	interrupt func(question string) (answer string, err error, ok bool)

	mu        sync.Mutex
	shown     strings.Builder
	call      string // what was printed since the last title
	rest      []byte // of an answer, not read yet
	installed license.Installed
	list      []environment.Registered
	after     string
	reason    error
	files     int
	backups   []*backup
	place     int // in backups, or in their copies
	offered   int
	line      int
}

// A backup is what the person keeps of one.
type backup struct {
	title, record, serial, digest string
	paths                         []string
}

func (p *person) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown.Write(b)
	if bytes.HasPrefix(b, []byte("\n=== ")) {
		p.call, p.line = "", 0
	}
	p.call += string(b)
	for line := range strings.SplitSeq(string(b), "\n") {
		if strings.HasPrefix(line, "{") && strings.HasPrefix(p.title(), "store a backup") {
			p.backups[p.place].record = line
		}
	}
	return len(b), nil
}

func (p *person) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.rest) == 0 {
		question := p.question()
		if p.interrupt != nil {
			p.mu.Unlock()
			answer, err, ok := p.interrupt(question)
			p.mu.Lock()
			if err != nil {
				return 0, err
			}
			if ok {
				p.rest = []byte(answer + "\n")
			}
		}
		if len(p.rest) == 0 {
			p.rest = []byte(p.answer(question) + "\n")
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	p.shown.Write(b[:n]) // as a terminal echoes it
	p.call += string(b[:n])
	return n, nil
}

func (p *person) transcript() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown.String()
}

// question is the line before the prompt, and the title.
func (p *person) question() string {
	text := strings.TrimSuffix(p.call, "\n> ")
	return text[strings.LastIndex(text, "\n")+1:]
}

func (p *person) title() string {
	title, ok := strings.CutPrefix(p.call, "\n=== ")
	if !ok {
		return ""
	}
	title, _, _ = strings.Cut(title, " ===\n")
	return title
}

// find returns what the pattern's group matches in the call's text, the last
// of them.
func (p *person) find(pattern string) string {
	all := regexp.MustCompile(pattern).FindAllStringSubmatch(p.call, -1)
	if all == nil {
		return ""
	}
	return all[len(all)-1][1]
}

func (p *person) env() environment.Environment {
	for _, env := range p.envs {
		if strings.HasPrefix(p.title(), env.Name+": ") {
			return env
		}
	}
	p.t.Errorf("no environment in %q", p.title())
	return environment.Environment{}
}

func (p *person) code() license.ActivationCode {
	for _, c := range p.codes {
		if strings.Contains(p.call, c.String()) || strings.Contains(p.call, c.Reveal()) {
			return c
		}
	}
	p.t.Errorf("no activation code in %q", p.title())
	return license.ActivationCode{}
}

// save saves a download.
func (p *person) save(content []byte) string {
	p.files++
	path := filepath.Join(p.dir, fmt.Sprintf("download %d.lic", p.files))
	require.NoError(p.t, os.WriteFile(path, content, 0o600))
	return path
}

// because remembers why the answer is one of the refusals, or returns answer.
func (p *person) because(err error, answer, no, unknown string) string {
	p.reason = err
	switch {
	case err == nil:
		return answer
	case adapters.ConditionOf(err) == nil:
		return unknown
	}
	return no
}

func (p *person) answer(question string) string {
	ctx, title := p.t.Context(), p.title()
	is := func(beginning string) bool { return strings.HasPrefix(question, beginning) }
	ends := func(end string) bool { return strings.HasSuffix(title, end) }
	asked := func(approve string) bool { return is(approve) }
	switch {
	case is("Your name"):
		return "Ada"
	case strings.Contains(p.call, "Why not? Type the number.") && regexp.MustCompile(`^ *\d+  another reason$`).MatchString(question):
		c := adapters.ConditionOf(p.reason)
		if c == nil {
			return p.find(`(\d+)  another reason`)
		}
		return p.find(`(\d+)  ` + regexp.QuoteMeta(c.Error()) + `\n`)
	case is("What was shown"):
		return p.reason.Error()

	case ends("download the license file (Licensing Portal)"):
		file, err := p.world.Portal.FetchLicense(ctx, p.code(), p.env())
		return p.because(err, p.save(file.Bytes()), "no", "no")
	case is("Is it there?"):
		found, err := p.world.Portal.SerialRegistered(ctx, p.code(), p.env())
		return p.because(err, map[bool]string{true: "listed", false: "not listed"}[found], "no", "no")
	case ends("download the installed license (Service Center)"):
		file, err := p.world.ServiceCenter.(adapters.LicenseBackuper).BackupLicense(ctx, p.env())
		return p.because(err, p.save(file.Bytes()), "no", "no")

	case is("The server's own serial number"):
		var err error
		p.installed, err = p.world.ServiceCenter.InstalledLicense(ctx, p.env())
		return p.because(err, string(p.installed.Server), "no", "no")
	case is("Activation Code on the page"):
		return orWord(p.installed.Code.Reveal(), "none")
	case is("Serial Number on the page"):
		return string(p.installed.Serial)
	case is("License Type"):
		return orWord(p.installed.Type, "none")
	case is("End Date"):
		if p.installed.Ends.IsZero() {
			return "Never"
		}
		return p.installed.Ends.Format("2006-01-02")
	case is("Limit of the feature"):
		return orWord(string(p.installed.IPP), "none")

	case is("What came of it?"):
		return p.because(p.act(), "done", "not done", "unknown")
	case is("Version with the green tick Published now"):
		return p.after
	case is("Version with the green tick"):
		if !strings.Contains(title, "module "+p.module+" ") {
			p.reason = adapters.ErrModuleNotFound
			return "no"
		}
		return p.published()

	case is("Does LifeTime show exactly this now?"):
		list, err := p.world.LifeTime.Registered(ctx)
		require.NoError(p.t, err)
		for _, r := range list {
			line := "  - " + r.Name + " (" + r.Address + "), not paused"
			if r.Paused {
				line = strings.Replace(line, "not paused", "paused", 1)
			}
			if len(r.Running) > 0 {
				line += ", running: " + strings.Join(r.Running, ", ")
			}
			if !strings.Contains(p.call, line+"\n") {
				return "no"
			}
		}
		return "yes"
	case is("Name of environment"):
		if p.line == 0 {
			var err error
			if p.list, err = p.world.LifeTime.Registered(ctx); err != nil {
				return p.because(err, "", "no", "no")
			}
		}
		if p.line == len(p.list) {
			return "end"
		}
		p.line++
		return p.list[p.line-1].Name
	case is("Its host name"):
		return p.list[p.line-1].Address
	case is("Is it in the vendor's cloud?"):
		return map[bool]string{true: "yes", false: "no"}[p.list[p.line-1].Cloud]
	case is("Are deployments to it paused?"):
		return map[bool]string{true: "yes", false: "no"}[p.list[p.line-1].Paused]
	case is("Running deployments to it"):
		return orWord(strings.Join(p.list[p.line-1].Running, "; "), "none")

	case is("Number of the case (or"):
		text := p.find(`(?s)----- copy from here -----\n(.*)----- to here -----\n`)
		subject, body, _ := strings.Cut(text, "\n\n")
		body, key, _ := strings.Cut(body, "\n\nKey: ")
		reference, err := p.world.Support.OpenCase(ctx, adapters.Case{Key: strings.TrimSpace(key), Subject: subject, Body: body})
		return p.because(err, reference, "not done", "unknown")
	case is("Number of the case (none"):
		reference, err := p.world.Support.FindCase(ctx, p.find(`Look for the case with the key (.*)\.\n`))
		if adapters.ConditionOf(err) == adapters.ErrCaseNotFound {
			return "none"
		}
		return p.because(err, reference, "no", "no")

	case strings.HasPrefix(title, "store a backup"), strings.HasPrefix(title, "read a backup"), strings.HasPrefix(title, "list the backups"):
		return p.keep(question)
	case asked("What did you see"):
		return "looked at it"
	case strings.HasSuffix(question, "everything else means no)"):
		if _, err := p.world.Operator.Ask(ctx, adapters.Question{Text: question}); err != nil {
			return "no"
		}
		return "yes"
	}
	p.t.Errorf("nobody knows what to answer to %q in %q", question, title)
	return "?"
}

func orWord(text, word string) string {
	if text == "" {
		return word
	}
	return text
}

// act does what the instructions say.
func (p *person) act() error {
	ctx, title := p.t.Context(), p.title()
	env := p.env()
	switch {
	case strings.HasSuffix(title, "register the serial number (Licensing Portal)"):
		found, err := p.world.Portal.SerialRegistered(ctx, p.code(), env)
		if err != nil || found {
			return err
		}
		return p.world.Portal.RegisterSerial(ctx, p.code(), env)
	case strings.HasSuffix(title, "upload a license (Service Center)"):
		content, err := os.ReadFile(p.find(`upload this file, no other: (.*)\n`))
		require.NoError(p.t, err)
		file, err := license.NewFile(content)
		require.NoError(p.t, err)
		require.Equal(p.t, string(file.Digest()), p.find(`SHA-256 is ([0-9a-f]+)\.`))
		return p.world.ServiceCenter.UploadLicense(ctx, env, file)
	case strings.Contains(title, "republish module"):
		published, err := p.world.ServiceCenter.RepublishModule(ctx, env, p.module)
		p.after = published.After
		return err
	case strings.HasSuffix(title, "pause deployments (LifeTime)"):
		return p.world.LifeTime.PauseDeployments(ctx, env)
	case strings.HasSuffix(title, "resume deployments (LifeTime)"):
		return p.world.LifeTime.ResumeDeployments(ctx, env)
	}
	p.t.Errorf("nobody knows what to do for %q", title)
	return nil
}

// keep answers for the person's own storage, which holds two copies of
// everything.
func (p *person) keep(question string) string {
	title := p.title()
	serial := p.find(`serial number ([A-Z0-9-]+)`)
	switch {
	case strings.HasPrefix(question, "How many backups"):
		p.offered = 0
		digest, before := p.find(`SHA-256 ([0-9a-f]{64})`), 0
		for i, b := range p.backups {
			if b.serial == serial && b.digest == digest && b.title == title {
				p.place = i
				return b.record
			}
			if b.serial == serial {
				before++
			}
		}
		b := &backup{title: title, serial: serial, digest: digest}
		content, err := os.ReadFile(p.find(`The file is (.*), SHA-256`))
		require.NoError(p.t, err)
		for range 2 {
			b.paths = append(b.paths, p.save(content))
		}
		p.place = len(p.backups)
		p.backups = append(p.backups, b)
		return fmt.Sprint(before)
	case strings.HasPrefix(question, "Path of copy"):
		b := p.backups[p.place]
		if p.offered == len(b.paths) {
			return "end"
		}
		p.offered++
		return b.paths[p.offered-1]
	case strings.HasPrefix(question, "Next record line"):
		for ; p.line < len(p.backups); p.line++ {
			if p.backups[p.line].serial == serial {
				p.place, p.offered = p.line, 0
				p.line++
				return p.backups[p.place].record
			}
		}
		return "end"
	case strings.HasPrefix(question, "Path of a copy with the SHA-256"):
		n := 0
		for _, b := range p.backups {
			if b.serial != serial || !strings.Contains(question, b.digest) {
				continue
			}
			for _, path := range b.paths {
				if n++; n > p.line {
					p.line++
					return path
				}
			}
		}
		if n > 0 {
			return "damaged"
		}
		return "none"
	}
	p.t.Errorf("nobody knows what to answer to %q", question)
	return "?"
}

var _ io.ReadWriter = (*person)(nil)
