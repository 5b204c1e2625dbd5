package wiring_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/command"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/simulator"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/wiring"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "as-program" { // it answers for a Service Center
		os.Exit(command.Serve(context.Background(), adapters.Set{ServiceCenter: program{}}, os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == "as-keyring" {
		fmt.Println(os.Args[2])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program answers with what is in its environment.
type program struct{ adapters.ServiceCenter }

func (program) InstalledLicense(context.Context, environment.Environment) (license.Installed, error) {
	return license.Installed{Server: license.SerialNumber(os.Getenv("SERIAL"))}, nil
}

const plan = `version: 1
infrastructure: Acme
source: AAA.AAA.A1A.A0A.AAA.AAA.AAA.AOU
target: BBB.BBB.B1B.B0B.BBB.BBB.BBB.BOU
module: ECT_Provider
environments:
  - {name: Production, kind: production, serviceCenter: "https://prd.example.test", serial: PRD-AAA-AAA-AAA-AAA-AAA-AAA-AAA}
  - {name: LifeTime, kind: lifetime, serviceCenter: "https://lt.example.test", serial: LIF-AAA-AAA-AAA-AAA-AAA-AAA-AAA}
accept: {refresh: [Ignore], move: [Protected]}
`

func file(t *testing.T, dir, section string) *planfile.File {
	t.Helper()
	f, err := planfile.Read("plan.yaml", dir, strings.NewReader(plan+section))
	require.NoError(t, err)
	return f
}

func options(t *testing.T) wiring.Options {
	t.Helper()
	dir := t.TempDir()
	return wiring.Options{
		In: strings.NewReader(""), Out: new(bytes.Buffer), Desk: filepath.Join(dir, "desk"),
		Backups: []string{filepath.Join(dir, "one"), filepath.Join(dir, "two")},
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

func TestAValueIsFollowedToWhereItIsKept(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	t.Setenv("WIRING_TEST", "from the environment")
	for _, c := range []struct {
		name  string
		value planfile.Value
		want  string
		err   string
	}{
		{"a literal", planfile.Value{Literal: "x"}, "x", ""},
		{"a variable", planfile.Value{Env: "WIRING_TEST"}, "from the environment", ""},
		{"a variable that is not set", planfile.Value{Env: "WIRING_TEST_NOT"}, "", "WIRING_TEST_NOT is not set"},
		{"a file", planfile.Value{File: write("a", " p w \n")}, " p w ", ""},
		{"a file of Windows", planfile.Value{File: write("b", "pw\r\n")}, "pw", ""},
		{"a file without an end", planfile.Value{File: write("c", "pw")}, "pw", ""},
		{"an empty file", planfile.Value{File: write("d", "\n")}, "", "is empty"},
		{"a file of two lines", planfile.Value{File: write("e", "canary\nx\n")}, "", "more than one line"},
		{"a file that is too large", planfile.Value{File: write("f", strings.Repeat("canary", 20_000))}, "", "too large"},
		{"a file that is far too large", planfile.Value{File: write("g", strings.Repeat("canary", 400_000))}, "", "too large"},
		{"a file that there is not", planfile.Value{File: filepath.Join(dir, "none")}, "", "no such file"},
		{"a program", planfile.Value{Command: []string{self(t), "as-keyring", "from a program"}}, "from a program", ""},
		{"a program that fails", planfile.Value{Command: []string{self(t), "-test.canary"}}, "", "gave no credential"},
		{"a program that there is not", planfile.Value{Command: []string{filepath.Join(dir, "none"), "canary"}}, "", "could not be started"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := wiring.Follow(t.Context(), c.value)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
				require.NotContains(t, err.Error(), "canary")
			}
			require.Equal(t, c.want, got)
		})
	}
	t.Run("a program is stopped with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := wiring.Follow(ctx, planfile.Value{Command: []string{self(t), "as-keyring", "x"}})
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestWithoutASectionAPersonAnswers(t *testing.T) {
	o := options(t)
	p, err := wiring.Connect(t.Context(), file(t, t.TempDir(), ""), o)
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Validate())
	require.Nil(t, p.Clock)
	for _, port := range []any{p.Portal, p.ServiceCenter, p.LifeTime, p.Support} {
		require.Contains(t, adapters.Describe(port), "attended")
	}
	_, err = p.Operator.Ask(t.Context(), adapters.Question{Kind: adapters.AskApproval, Text: "now?"})
	require.ErrorIs(t, err, adapters.ErrRefused, "the end of the input is a no")
	for _, dir := range o.Backups {
		require.DirExists(t, dir)
	}
}

func TestAGateIsAnsweredByTheCommandAndAFactByTheOperator(t *testing.T) {
	o := options(t)
	o.Approve = func(context.Context, adapters.Question) (adapters.Answer, error) {
		return adapters.Answer{By: "the command"}, nil
	}
	p, err := wiring.Connect(t.Context(), file(t, t.TempDir(), "adapters: {operator: simulator}\n"), o)
	require.NoError(t, err)
	defer p.Close()
	answer, err := p.Operator.Ask(t.Context(), adapters.Question{Kind: adapters.AskApproval})
	require.NoError(t, err)
	require.Equal(t, "the command", answer.By)
	answer, err = p.Operator.Ask(t.Context(), adapters.Question{Kind: adapters.AskAttestation})
	require.NoError(t, err)
	require.Equal(t, "simulated person", answer.By)
}

func TestAProgramAnswersForOneEnvironment(t *testing.T) {
	t.Setenv("WIRING_SERIAL", "S-1")
	section := fmt.Sprintf("adapters:\n  serviceCenter:\n    use: attended\n    environments:\n"+
		"      Production: {use: command, command: [%q, as-program], env: {SERIAL: {env: WIRING_SERIAL}}}\n", self(t))
	p, err := wiring.Connect(t.Context(), file(t, t.TempDir(), section), options(t))
	require.NoError(t, err)
	defer p.Close()
	in, err := p.ServiceCenter.InstalledLicense(t.Context(), environment.Environment{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prd.example.test", Serial: "x"})
	require.NoError(t, err)
	require.Equal(t, license.SerialNumber("S-1"), in.Server)
	_, err = p.ServiceCenter.InstalledLicense(t.Context(), environment.Environment{Name: "LifeTime"})
	require.ErrorContains(t, err, "end", "the other one is a person, who does not answer")
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	_, err := wiring.Connect(t.Context(), file(t, dir, `adapters:
  trust: nothing.pem
  portal: {use: inbox, folder: nowhere}
  support: {use: command, command: [no-such-program-x]}
  operator: {use: command, command: [no-such-program-y], env: {TOKEN: {env: WIRING_NOT_SET}}}
`), options(t))
	require.Error(t, err)
	for _, want := range []string{"adapters.trust: ", "nothing.pem", "adapters.portal: ", "nowhere", "adapters.support: there is no program no-such-program-x",
		"adapters.operator: there is no program no-such-program-y", "adapters.operator.env.TOKEN: the environment variable WIRING_NOT_SET is not set"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nothing.pem"), []byte("no certificate"), 0o600))
	require.NotContains(t, err.Error(), "not absolute", "it is said once")
	_, err = wiring.Connect(t.Context(), file(t, dir, "adapters: {trust: nothing.pem}\n"), options(t))
	require.ErrorContains(t, err, "there is no certificate in PEM form")
}

func TestTheWayBackNeedsNeitherPortalNorSupportNorOperator(t *testing.T) {
	const gone = `adapters:
  portal: {use: inbox, folder: nowhere}
  support: {use: command, command: [no-such-program-x]}
  operator: {use: command, command: [no-such-program-y], env: {TOKEN: {env: WIRING_NOT_SET}}}
`
	o := options(t)
	o.Back = true
	p, err := wiring.Connect(t.Context(), file(t, t.TempDir(), gone), o)
	require.NoError(t, err)
	defer p.Close()
	require.NoError(t, p.Validate())
	_, err1 := p.Portal.FetchLicense(t.Context(), license.ActivationCode{}, environment.Environment{})
	_, err2 := p.Portal.SerialRegistered(t.Context(), license.ActivationCode{}, environment.Environment{})
	err3 := p.Portal.RegisterSerial(t.Context(), license.ActivationCode{}, environment.Environment{})
	_, err4 := p.Support.OpenCase(t.Context(), adapters.Case{})
	_, err5 := p.Support.FindCase(t.Context(), "x")
	_, err6 := p.Operator.Ask(t.Context(), adapters.Question{Kind: adapters.AskAttestation})
	for i, err := range []error{err1, err2, err3, err4, err5, err6} {
		require.ErrorIs(t, err, adapters.ErrUnsupported, i)
		require.ErrorContains(t, err, []string{"nowhere", "nowhere", "nowhere", "no-such-program-x", "no-such-program-x", "no-such-program-y"}[i])
	}
	for port, section := range map[string]string{
		"trust":         "adapters: {trust: nothing.pem}\n",
		"serviceCenter": "adapters: {serviceCenter: {use: command, command: [no-such-program-z]}}\n",
		"lifeTime":      "adapters: {lifeTime: {use: command, command: [no-such-program-z]}}\n",
		"vault":         "adapters: {vault: {use: command, command: [no-such-program-z]}}\n",
	} {
		t.Run("but it needs "+port, func(t *testing.T) {
			o := options(t)
			o.Back = true
			_, err := wiring.Connect(t.Context(), file(t, t.TempDir(), section), o)
			require.ErrorContains(t, err, "adapters."+port)
		})
	}
}

// TestASimulationIsReached reaches the adapters over the wire, and moves the
// credentials while they are in use: they are looked up at each call.
func TestASimulationIsReached(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	f := file(t, dir, `adapters:
  connect: {file: address}
  trust: ca.pem
  waits: none
  portal: {use: simulator, user: {file: user}, password: {file: password}}
  serviceCenter: {use: servicecenter, user: {file: user}, password: {file: password}, page: {use: backupLink, link: /ServiceCenter/Licensing/Backup, user: {file: user}, password: {file: password}}}
  lifeTime: {use: lifetime, token: {file: token}}
  support: {use: simulator, user: {file: user}, password: {file: password}}
`)
	s, err := simulator.Start(fake.New(f.Plan.Infrastructure, f.Plan.Source, f.Plan.Target), nil)
	require.NoError(t, err)
	defer s.Close()
	write("address", strings.TrimPrefix(s.URL(), "https://"))
	write("ca.pem", string(s.CertificatePEM()))
	write("user", s.User())
	write("password", s.Password())
	write("token", s.Token())
	p, err := wiring.Connect(t.Context(), f, options(t))
	require.NoError(t, err)
	defer p.Close()
	require.NotNil(t, p.Clock)
	production, _ := f.Plan.Infrastructure.Environment("Production")

	_, err = changeover.Check(t.Context(), f.Plan, p.Set)
	require.NoError(t, err)
	in, err := p.ServiceCenter.InstalledLicense(t.Context(), production)
	require.NoError(t, err)
	require.Equal(t, f.Plan.Source, in.Code)
	known, err := p.Portal.SerialRegistered(t.Context(), f.Plan.Source, production)
	require.NoError(t, err)
	require.True(t, known)
	_, err = p.Support.FindCase(t.Context(), "none")
	require.ErrorIs(t, err, adapters.ErrCaseNotFound)

	write("token", "expired")
	_, err = p.LifeTime.Registered(t.Context())
	require.ErrorIs(t, err, adapters.ErrPermission)
	write("token", s.Token())
	_, err = p.LifeTime.Registered(t.Context())
	require.NoError(t, err)
	write("password", "wrong")
	_, err = p.ServiceCenter.InstalledLicense(t.Context(), production)
	require.ErrorIs(t, err, adapters.ErrPermission)
	write("address", "127.0.0.1:1")
	_, err = p.LifeTime.Registered(t.Context())
	require.ErrorIs(t, err, adapters.ErrNotReached)
}

func TestBackupsOnOneDiskAreNoticed(t *testing.T) {
	dir := t.TempDir()
	dirs, one := wiring.Backups(file(t, dir, ""), filepath.Join(dir, "state"))
	require.Equal(t, []string{filepath.Join(dir, "state", "backups"), filepath.Join(dir, "state", "copies")}, dirs)
	require.True(t, one)
	dirs, one = wiring.Backups(file(t, dir, "backups: [x, /dev/y]\n"), "state")
	require.Equal(t, []string{filepath.Join(dir, "x"), "/dev/y"}, dirs)
	require.False(t, one)
}
