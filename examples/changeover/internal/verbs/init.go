package verbs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/internal/printable"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"

	"github.com/changeover-go/changeover/examples/changeover/internal/planfile"
	"github.com/changeover-go/changeover/examples/changeover/internal/screen"
)

func (a *app) initVerb() *cobra.Command {
	var example bool
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Ask for what a changeover needs, and write a commented plan file",
		Long: `Init asks for the infrastructure, its environments, the two activation codes and
who answers for which port, and writes a plan file with a comment for everything
in it. It overwrites nothing, asks for no credential, and contacts nobody.

With --example it asks nothing and writes a made-up infrastructure, whose
adapters reach changeover simulate.`,
		Example: `  changeover init
  changeover init acme.yaml
  changeover init --example && changeover simulate`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				a.plan = args[0]
			}
			return a.init(cmd.Context(), example)
		},
	}
	c.Flags().BoolVar(&example, "example", false, "write a made-up infrastructure, to try things out")
	return c
}

func (a *app) init(ctx context.Context, example bool) error {
	if _, err := os.Lstat(a.plan); err == nil {
		return fmt.Errorf("there is a file %s already\nname another one: changeover init FILE", printable.Whole(a.plan))
	}
	d := exampleDraft()
	if !example {
		var err error
		if d, err = interview(ctx, a.screen(migration.Plan{})); err != nil {
			return err
		}
	}
	text := d.text()
	// What is written can be read: a question that takes what a plan file does
	// not is noticed here.
	if _, err := planfile.Read(a.plan, ".", strings.NewReader(text)); err != nil {
		return fmt.Errorf("what was answered makes no plan, and nothing was written\n%w", err)
	}
	f, err := os.OpenFile(a.plan, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // the activation codes are in it
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	next := a.command("check")
	if example {
		next = "changeover simulate, and in another terminal " + next
	}
	return a.show(map[string]string{"written": a.plan, "next": next}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "written: %s\nNext: %s\n", printable.Whole(a.plan), next)
		return err
	})
}

// A draft is a plan file before it is written.
type draft struct {
	infrastructure, source, target, profile, module string
	environments                                    []environment.Environment
	move                                            []string // words accepted in the move leg
	oneByOne                                        bool     // so that a run can be followed
	adapters                                        string
}

func exampleDraft() draft {
	return draft{
		infrastructure: "Example", source: "AAA.AAA.A1A.A0A.AAA.AAA.AAA.AOU", target: "BBB.BBB.B1B.B0B.BBB.BBB.BBB.BOU",
		profile: migration.RefreshAndMove, module: "ECT_Provider",
		environments: []environment.Environment{
			{Name: "Production", Kind: environment.Production, ServiceCenter: "https://prd.example.test", Serial: "PRD-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
			{Name: "Quality", Kind: environment.Quality, ServiceCenter: "https://qua.example.test", Serial: "QUA-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
			{Name: "Development", Kind: environment.Development, ServiceCenter: "https://dev.example.test", Serial: "DEV-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
			{Name: "LifeTime", Kind: environment.LifeTime, ServiceCenter: "https://lt.example.test", Serial: "LIF-AAA-AAA-AAA-AAA-AAA-AAA-AAA"},
		},
		move: []string{string(license.Protected), string(license.Unprotected)}, oneByOne: true,
		adapters: `adapters:
  # These reach the simulation of ` + "`changeover simulate`" + `, which writes into the
  # folder simulation how it is reached. Leave out connect, trust and waits for
  # real systems.
  connect: {file: simulation/address}
  trust: simulation/certificate.pem
  waits: none
  # A person at the vendor's portal; here this program plays it.
  portal: {use: simulator, user: {file: simulation/user}, password: {file: simulation/password}}
  serviceCenter:
    use: servicecenter
    user: {file: simulation/user}
    password: {file: simulation/password}
    page: {use: simulator, user: {file: simulation/user}, password: {file: simulation/password}}
  lifeTime: {use: lifetime, token: {file: simulation/token}}
  support: {use: simulator, user: {file: simulation/user}, password: {file: simulation/password}}
  operator: {use: simulator}
`,
	}
}

// interview asks for everything.
func interview(ctx context.Context, s *screen.Screen) (d draft, err error) {
	ask := func(title, help, preset string, check func(string) error) string {
		if err != nil {
			return ""
		}
		var answer string
		answer, err = s.Input(ctx, screen.Question{Title: title, Help: help, Preset: preset, Check: check})
		return answer
	}
	choose := func(title, help, preset string, choices ...screen.Choice) string {
		if err != nil {
			return ""
		}
		var answer string
		answer, err = s.Choose(ctx, screen.Question{Title: title, Help: help, Preset: preset}, choices)
		return answer
	}
	d.infrastructure = ask("What is the infrastructure called?", "You will type this name before target licenses are installed.", "", something)
	d.source = ask("Which activation code has it now (source)?", "It stands in Service Center under Administration, Licensing.", "", code)
	d.target = ask("Which activation code is it to get (target)?", "", "", func(s string) error {
		if strings.EqualFold(s, d.source) {
			return errors.New("that is the source")
		}
		return code(s)
	})
	var profiles []screen.Choice
	for _, p := range migration.Profiles() {
		profiles = append(profiles, screen.Choice{Value: p.Name, Text: p.Doc})
	}
	d.profile = choose("Which reading of the procedure is to be followed?", "", profiles[0].Value, profiles...)
	d.module = ask("Which module is republished as a test?", "", "ECT_Provider", something)
	for err == nil {
		more := "An empty line ends the list."
		if len(d.environments) == 0 {
			more = "Name every environment of this LifeTime, and LifeTime itself."
		}
		name := ask(fmt.Sprintf("Environment %d: what is it called in LifeTime?", len(d.environments)+1), more, "", nil)
		if err != nil || name == "" && len(d.environments) > 0 {
			break
		}
		env := environment.Environment{Name: name}
		env.Kind = environment.Kind(choose("What is "+name+" for?", "", "", kinds()...))
		env.ServiceCenter = ask("Where is the Service Center of "+name+"?", "Its address, without /ServiceCenter.", "", func(s string) error {
			if !strings.HasPrefix(s, "https://") {
				return errors.New("an address begins with https://")
			}
			return nil
		})
		env.Serial = license.SerialNumber(ask("Which serial number has the server of "+name+"?", "It stands in Service Center under Administration, Licensing.", "", func(s string) error {
			_, err := license.ParseSerialNumber(s)
			return err
		}))
		d.environments = append(d.environments, env)
	}
	d.move = []string{string(license.Protected), string(license.Unprotected)}
	d.adapters = commentedAdapters(
		choose("Who downloads license files from the Licensing Portal?", "No program can.", planfile.Attended,
			screen.Choice{Value: planfile.Attended, Text: "a person, who types the path of each file"},
			screen.Choice{Value: planfile.Inbox, Text: "a person, who saves all files in a folder"}),
		choose("Who answers for Service Center?", "", planfile.Attended,
			screen.Choice{Value: planfile.Attended, Text: "a person, who clicks and tells"},
			screen.Choice{Value: planfile.ServiceCenter, Text: "this program uploads and publishes; a person reads the licensing page"}),
		choose("Who answers for LifeTime?", "", planfile.Attended,
			screen.Choice{Value: planfile.Attended, Text: "a person, who clicks and tells"},
			screen.Choice{Value: planfile.LifeTime, Text: "this program, with a service account's token"}),
	)
	return d, err
}

func something(s string) error {
	if s == "" {
		return errors.New("it cannot be empty")
	}
	return nil
}

func code(s string) error {
	_, err := license.ParseActivationCode(s)
	return err
}

func kinds() []screen.Choice {
	var out []screen.Choice
	for _, k := range environment.Kinds() {
		out = append(out, screen.Choice{Value: string(k)})
	}
	return out
}

func commentedAdapters(portal, center, life string) string {
	var b strings.Builder
	line := func(s string) { b.WriteString(s + "\n") }
	line("adapters:")
	line("  # Whoever is left out here is answered by a person at this terminal.")
	line("  attended: {reveal: true} # show that person the activation codes where they are typed")
	if portal == planfile.Inbox {
		line("  # The folder must exist, and be closed to other users.")
		line("  portal: {use: inbox, folder: licenses}")
	} else {
		line("  portal: attended # or: {use: inbox, folder: licenses}")
	}
	if center == planfile.ServiceCenter {
		line("  serviceCenter:")
		line("    use: servicecenter")
		line("    user: {env: SERVICE_CENTER_USER}")
		line("    password: {env: SERVICE_CENTER_PASSWORD}")
		line("    page: attended # nothing public reads the licensing page")
		line("    # environments: {Development: attended} # who is different")
	} else {
		line("  serviceCenter: attended")
	}
	if life == planfile.LifeTime {
		line("  lifeTime: {use: lifetime, token: {env: LIFETIME_TOKEN}}")
	} else {
		line("  lifeTime: attended")
	}
	line("  support: attended")
	line("  operator: attended")
	return b.String()
}

// text is the plan file.
func (d draft) text() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	profile, _ := migration.FindProfile(d.profile)
	line("# A changeover: what is wanted. `changeover check` says everything that is wrong")
	line("# with this file. The activation codes are in it; put no credential into it.")
	line("version: 1")
	line("")
	line("# Its name is typed before target licenses are installed, and before a rollback.")
	line("infrastructure: %s", quote(d.infrastructure))
	line("source: %s # the activation code that it has", quote(d.source))
	line("target: %s # the one that it is to get", quote(d.target))
	line("")
	var names []string
	for _, p := range migration.Profiles() {
		names = append(names, p.Name)
	}
	line("# How the written procedure is read: %s.", strings.Join(names, ", "))
	line("profile: %s", d.profile)
	line("")
	line("# This module is published once more in every environment, as a test.")
	line("module: %s", quote(d.module))
	line("")
	line("# Every environment of this LifeTime, and LifeTime itself.")
	line("# kind: production, quality, development or lifetime.")
	line("environments:")
	for _, env := range d.environments {
		line("  - name: %s", quote(env.Name))
		line("    kind: %s", env.Kind)
		line("    serviceCenter: %s", quote(env.ServiceCenter))
		line("    serial: %s", quote(string(env.Serial)))
	}
	line("")
	line("# Which words for Intellectual Property are good, leg by leg.")
	line("accept:")
	for _, leg := range profile.Legs {
		if !leg.Verifies() {
			continue
		}
		words := []string{string(license.Ignore)}
		if leg.Role == license.Target {
			words = d.move
		}
		line("  %s: [%s]", leg.Name, strings.Join(words, ", "))
	}
	line("")
	line("# Without the following, things are done as written: Production first, one at a")
	line("# time in a leg with a gate, two copies of every backup.")
	line("# order: [%s]", strings.Join(d.names(), ", "))
	line("# first: [] # canaries, which go alone")
	line("# minCopies: 2")
	if d.oneByOne {
		line("maxInFlight: {%s: 1, %s: 1} # environments under way at once; one can be followed", profile.Legs[0].Name, profile.Legs[len(profile.Legs)-1].Name)
	} else {
		line("# maxInFlight: {%s: 1}", profile.Legs[len(profile.Legs)-1].Name)
	}
	line("")
	line("# Where backups are kept, best on two disks; without it in the state directory.")
	line("# backups: [/backups/one/changeover, /backups/two/changeover]")
	line("")
	line("# Who answers for which port. Credentials are named, and never written here:")
	line("# {env: NAME}, {file: PATH} or {command: [PROGRAM, ARGUMENT]}.")
	b.WriteString(d.adapters)
	return b.String()
}

func (d draft) names() []string {
	var out []string
	for _, env := range d.environments {
		out = append(out, quote(env.Name))
	}
	return slices.Clip(out)
}

// quote writes a text as YAML and JSON both read it.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
