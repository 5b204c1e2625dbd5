// Quickstart takes a whole infrastructure through a changeover, and back,
// against a simulated one: a real plan file, real license files, a real journal
// and real backups on disk, and portals that answer over HTTPS on loopback, to
// the same adapters that real ones are reached with. It is for a first look, and
// for rehearsing a plan of one's own.
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -fault Quality=ipp
//	go run ./examples/quickstart -plan my-plan.json -state ./run1
//	go run ./examples/quickstart -fake
//
// It exits with 0 Completed, 2 RolledBack, 3 Held (a person must act), 4 Mixed,
// and 1 for anything else.
package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

//go:embed plan.json licenses/*.lic
var beside embed.FS

func main() {
	// The first signal stops the run at the next safe point; a second one ends
	// the process at once, which the journal survives as well.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are what the flags say.
type options struct {
	plan, state, profile, report string
	faults                       faults
	json, fake                   bool
	pace                         time.Duration
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	var o options
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.StringVar(&o.plan, "plan", "", "read the plan from this `file`; default: the example beside the program")
	flags.StringVar(&o.state, "state", "", "keep journal, backups and the simulation in this `directory`, and go on with the run that is there; default: a new one")
	flags.StringVar(&o.profile, "profile", "", "follow this `profile` instead of the plan's: "+strings.Join(profiles(), ", "))
	flags.StringVar(&o.report, "report", "", "also write the report to this `file`: .json, .md or text")
	flags.Var(&o.faults, "fault", "let `[ENVIRONMENT=]KIND[@OPERATION]` happen in the simulation (repeatable); kinds: "+strings.Join(kinds(), ", "))
	flags.BoolVar(&o.fake, "fake", false, "call the simulated world directly, with no wire in between")
	flags.BoolVar(&o.json, "json", false, "print only the report, as JSON")
	flags.DurationVar(&o.pace, "pace", 0, "let every simulated call take this long, to watch or interrupt the run")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 1
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errOut, "quickstart: unexpected argument %q; see -help\n", flags.Arg(0))
		return 1
	}
	r, err := o.change(ctx, out, errOut)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "quickstart: told to stop; stopped at a safe point")
	case err != nil:
		fmt.Fprintln(errOut, "quickstart:", err)
	}
	if r == nil {
		return 1
	}
	if writeErr := o.write(out, r); writeErr != nil {
		fmt.Fprintln(errOut, "quickstart:", writeErr)
		return 1
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		return 1
	}
	return r.Verdict.ExitCode()
}

// change checks everything that can be checked before anything is written,
// then begins the run or goes on with it.
func (o *options) change(ctx context.Context, out, errOut io.Writer) (*report.Report, error) {
	plan, err := o.readPlan()
	if err != nil {
		return nil, err
	}
	world, begun, err := o.world(plan)
	if err != nil {
		return nil, err
	}
	if err := o.faults.check(world, o.fake); err != nil {
		return nil, err
	}
	if begun && len(o.faults) > 0 {
		fmt.Fprintln(errOut, "warning: the run has begun already; its world keeps the faults that it began with, and -fault is ignored")
	}
	if !begun {
		warnings, err := changeover.Check(ctx, plan, world.Set())
		for _, w := range warnings {
			fmt.Fprintln(errOut, "warning:", w)
		}
		if err != nil {
			return nil, err
		}
	}
	if o.state == "" {
		if o.state, err = os.MkdirTemp("", "changeover-quickstart-"); err != nil {
			return nil, err
		}
	}
	store, err := filejournal.Open(o.state, nil)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	vault, err := filevault.Open([]string{filepath.Join(o.state, "backups"), filepath.Join(o.state, "copies")}, nil)
	if err != nil {
		return nil, err
	}
	defer vault.Close()
	clock := new(fake.Clock) // waits of minutes pass at once
	outside, err := o.outside(plan, world, clock)
	if err != nil {
		return nil, err
	}
	r, err := o.apply(ctx, plan, outside, vault, store, clock, out, errOut)
	return r, errors.Join(err, outside.Close())
}

// apply runs the plan against the outside until it rests.
func (o *options) apply(ctx context.Context, plan migration.Plan, outside *outside, vault adapters.BackupVault, store journal.Store,
	clock adapters.Clock, out, errOut io.Writer) (*report.Report, error) {
	set := outside.set
	set.Vault = vault
	injectors := outside.injectors
	if o.pace > 0 {
		injectors = append(injectors, fault.Watch(func(fault.Op) { pause(ctx, o.pace) }))
	}
	if !o.json {
		fmt.Fprintf(out, "state directory: %s\n", o.state)
		if outside.url != "" {
			fmt.Fprintf(out, "simulation:      %s\n", outside.url)
		}
	}
	c, err := changeover.New(plan, fault.Wrap(set, injectors...), store, &changeover.Options{
		Clock: clock,
		User:  "quickstart",
		OnEntry: func(e journal.Entry) {
			if !o.json && e.Kind != journal.Intent && e.Kind != journal.Noted {
				fmt.Fprintln(out, report.Sentence(e))
			}
		},
	})
	if err != nil {
		return nil, err
	}
	r, err := c.Apply(ctx)
	if errors.Is(err, changeover.ErrBegun) {
		r, err = c.Resume(ctx)
	}
	if err == nil && look(ctx, c, plan, set.Portal, r) {
		r, err = c.Resume(ctx)
	}
	if unwritten, ok := errors.AsType[*changeover.UnwrittenError](err); ok {
		for _, e := range unwritten.Entries() {
			fmt.Fprintln(errOut, "not in the journal:", report.Sentence(e))
		}
	}
	return r, err
}

// look plays the person who looks at the portal's page when the run was killed
// while a serial number was about to be registered: registering is never
// repeated unless somebody says that it was not done. It reports whether
// anything was resolved.
func look(ctx context.Context, c *changeover.Changeover, plan migration.Plan, portal adapters.LicensePortal, r *report.Report) bool {
	resolved := false
	for _, at := range r.Environments {
		if at.Hold == nil || at.Hold.Kind != journal.HoldInDoubt || at.Hold.Effect != "registerSerial" {
			continue
		}
		env, _ := plan.Infrastructure.Environment(at.Name)
		registered, err := portal.SerialRegistered(ctx, plan.Target, env)
		if err != nil || c.Resolve(ctx, at.Name, migration.Resolution{By: "quickstart", Evidence: "looked at the portal's page", NotDone: !registered}) != nil {
			continue
		}
		resolved = true
	}
	return resolved
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-ctx.Done()
}

func (o *options) readPlan() (migration.Plan, error) {
	var in io.Reader
	if o.plan == "" {
		b, err := beside.ReadFile("plan.json")
		if err != nil {
			return migration.Plan{}, err
		}
		in = bytes.NewReader(b)
	} else {
		f, err := os.Open(o.plan)
		if err != nil {
			return migration.Plan{}, err
		}
		defer f.Close()
		in = f
	}
	plan, err := migration.ReadPlan(in)
	if err != nil {
		return plan, err
	}
	if o.profile == "" {
		return plan, nil
	}
	profile, ok := migration.FindProfile(o.profile)
	if !ok {
		return plan, fmt.Errorf("there is no profile %q; there are %s", o.profile, strings.Join(profiles(), ", "))
	}
	return follow(plan, profile), nil
}

// follow makes the plan follow another profile: what it says of legs that the
// profile does not have falls away.
func follow(plan migration.Plan, profile migration.Profile) migration.Plan {
	plan.Profile = profile.Name
	accept, limits := map[string][]license.IPP{}, map[string]int{}
	for _, leg := range profile.Legs {
		if words, ok := plan.Accept[leg.Name]; ok && leg.Verifies() {
			accept[leg.Name] = words
		}
		if n, ok := plan.MaxInFlight[leg.Name]; ok {
			limits[leg.Name] = n
		}
	}
	plan.Accept, plan.MaxInFlight, plan.Pause = accept, limits, nil
	return plan
}

func profiles() []string {
	var names []string
	for _, p := range migration.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// world returns a new simulated world for the plan, and whether the state
// directory keeps one that is to go on.
func (o *options) world(plan migration.Plan) (w *fake.World, begun bool, err error) {
	w = fake.New(plan.Infrastructure, plan.Source, plan.Target)
	if o.state != "" {
		if exists(o.kept(!o.fake)) {
			return nil, false, fmt.Errorf("the run in %s was begun %s -fake; go on in the same way", o.state, map[bool]string{true: "without", false: "with"}[o.fake])
		}
		if exists(o.kept(o.fake)) {
			return w, true, nil // what is there takes the place of this one
		}
	}
	if o.plan != "" {
		return w, false, nil
	}
	return w, false, serveFiles(w, plan)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// serveFiles lets the simulated portal give out the license files beside the
// program.
func serveFiles(w *fake.World, plan migration.Plan) error {
	for _, env := range plan.Infrastructure.Environments {
		for _, role := range []license.Role{license.Source, license.Target} {
			b, err := beside.ReadFile(licensePath(env.Name, role))
			if err != nil {
				return err
			}
			file, err := license.NewFile(b)
			if err != nil {
				return err
			}
			code := plan.Source
			if role == license.Target {
				code = plan.Target
			}
			w.UseFile(code, env.Name, file)
		}
	}
	return w.Err()
}

func licensePath(env string, role license.Role) string {
	return fmt.Sprintf("licenses/%s-%s.lic", strings.ToLower(env), role)
}

// write prints the report and, if asked to, writes it to a file.
func (o *options) write(out io.Writer, r *report.Report) error {
	if o.json {
		if err := r.WriteJSON(out); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(out)
		if err := r.WriteText(out); err != nil {
			return err
		}
		if r.Verdict == report.Held {
			fmt.Fprintf(out, "\nGo on with: quickstart -state %s\n", o.state)
		}
	}
	if o.report == "" {
		return nil
	}
	var b bytes.Buffer
	var err error
	switch filepath.Ext(o.report) {
	case ".json":
		err = r.WriteJSON(&b)
	case ".md":
		err = r.WriteMarkdown(&b)
	default:
		err = r.WriteText(&b)
	}
	return errors.Join(err, os.WriteFile(o.report, b.Bytes(), 0o600))
}
