package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == asProgram {
		main() // the test is the program's executable
	}
	os.Exit(m.Run())
}

// A person does at the simulation's pages what the terminal says, and types
// what came of it.
type person struct {
	t      *testing.T
	at     *simulator.Person
	plan   migration.Plan
	inbox  string
	mu     sync.Mutex
	shown  strings.Builder
	call   string // what was printed since the last title
	answer []byte // not read yet
}

func (p *person) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown.Write(b)
	if bytes.HasPrefix(b, []byte("\n=== ")) {
		p.call = ""
	}
	p.call += string(b)
	return len(b), nil
}

func (p *person) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answer) == 0 {
		p.answer = []byte(p.think() + "\n")
	}
	n := copy(b, p.answer)
	p.answer = p.answer[n:]
	return n, nil
}

var title = regexp.MustCompile(`=== (.*?): (.*?) ===`)

// think returns the answer to the last question.
func (p *person) think() string {
	code := p.plan.Source
	if strings.Contains(p.call, "the new (target) activation code") {
		code = p.plan.Target
	}
	var env environment.Environment
	what := p.call
	if found := title.FindStringSubmatch(p.call); found != nil {
		env, _ = p.plan.Infrastructure.Environment(found[1])
		what = found[2]
	}
	switch {
	case strings.HasPrefix(what, "download the license file"):
		path, err := p.download(code, env)
		if err != nil {
			return "no"
		}
		return path
	case strings.HasPrefix(what, "is the serial number registered"):
		listed, err := p.at.SerialRegistered(p.t.Context(), code, env)
		if err != nil {
			return "no"
		}
		return map[bool]string{true: "listed", false: "not listed"}[listed]
	case strings.HasPrefix(what, "register the serial number"):
		if err := p.at.RegisterSerial(p.t.Context(), code, env); err != nil {
			return "unknown"
		}
		if env.Name == "Production" { // and saves the file at once, so that it is there when it is needed
			_, err := p.download(code, env)
			require.NoError(p.t, err)
		}
		return "done"
	}
	return "yes"
}

// download saves a license file under a name that says nothing.
func (p *person) download(code license.ActivationCode, env environment.Environment) (string, error) {
	file, err := p.at.FetchLicense(p.t.Context(), code, env)
	if err != nil {
		return "", err
	}
	path := filepath.Join(p.inbox, "license "+file.Digest().Short()+".lic")
	return path, os.WriteFile(path, file.Bytes(), 0o600)
}

func TestAMixedRunCompletesAndTheJournalSaysWhoAnswered(t *testing.T) {
	plan, err := examplePlan()
	require.NoError(t, err)
	world := fake.New(plan.Infrastructure, plan.Source, plan.Target)
	s, err := simulator.Start(world, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	dir := t.TempDir()
	p := &person{t: t, at: s.Person(), plan: plan, inbox: filepath.Join(dir, "downloads")}

	require.NoError(t, change(t.Context(), plan, s, dir, p, p), "%s", p.shown.String())

	require.Contains(t, p.shown.String(), "Completed")
	for _, env := range plan.Infrastructure.Environments {
		require.Equal(t, plan.Target, world.Installed(env.Name).Code, env.Name)
	}
	require.NoError(t, world.Err())

	opened, said := read(t, filepath.Join(dir, "journal"))
	for port, answers := range map[string][]string{
		"LicensePortal": {"license files that a person puts into", "otherwise: attended"},
		"ServiceCenter": {`"Development": our Service Center script`, "otherwise: Service Center over SOAP", "Backup License"},
		"LifeTime":      {"LifeTime"},
		"BackupVault":   {"files, copies kept: 2"},
		"SupportDesk":   {"attended"},
		"Operator":      {"attended"},
	} {
		for _, answer := range answers {
			require.Contains(t, opened.Adapters[port], answer, port)
		}
	}
	for _, env := range plan.Infrastructure.Environments {
		require.Contains(t, said[env.Name], "registering serial number", "the person is on record for %s", env.Name)
	}
	require.Contains(t, said["Production"], "a person", "the inbox says where the file came from")
}

// read returns what the journal says of the adapters, and what was stated for
// each environment.
func read(t *testing.T, dir string) (journal.Opening, map[string]string) {
	t.Helper()
	store, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	defer store.Close()
	var opened journal.Opening
	said := map[string]string{}
	for e, err := range store.Read(t.Context()) {
		require.NoError(t, err)
		if e.Opened != nil {
			opened = *e.Opened
		}
		for _, s := range e.Testimony {
			said[e.Env] += s.By + ": " + s.Text + "\n"
		}
	}
	return opened, said
}

func TestAProgramWithoutItsSurroundingsSaysSo(t *testing.T) {
	var out, errOut bytes.Buffer
	require.Equal(t, 1, program(t.Context(), strings.NewReader("{}"), &out, &errOut))
	require.Empty(t, out.String())
	require.NotEmpty(t, errOut.String())
}

// The certificate alone is not enough to reach anything, and no reason to crash.
func TestAProgramWithoutAnAddressReachesNothing(t *testing.T) {
	certificate := filepath.Join(t.TempDir(), "certificate.pem")
	require.NoError(t, os.WriteFile(certificate, nil, 0o600))
	t.Setenv(certificateIn, certificate)
	var out, errOut bytes.Buffer
	request := `{"version":1,"port":"ServiceCenter","method":"InstalledLicense","environment":{"name":"Development","kind":"development","serviceCenter":"https://dev.example.test","serial":"DDD-DDD-DDD-DDD-DDD-DDD-DDD-DDD"}}`
	require.Equal(t, 210, program(t.Context(), strings.NewReader(request), &out, &errOut)) // notReached
	require.Empty(t, out.String())
}
