// Package parity has the one list of scenarios that every host must play alike:
// the same plan over the same world, with the same things going wrong and the
// same people acting, leaves the same journal on every host, but for times and
// for what a host says of itself. It is for the tests of this module; it knows
// no host.
package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/fault"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/migration/report"
)

// A Host plays a run. Each verb returns when the run rests.
type Host interface {
	Apply(ctx context.Context) (report.Verdict, error)
	Resume(ctx context.Context) (report.Verdict, error)
	RollBack(ctx context.Context, by, why string) (report.Verdict, error)
	Hold(ctx context.Context, env, by, why string) error
	Release(ctx context.Context, env, by, why string) error
	Resolve(ctx context.Context, env string, res migration.Resolution) error
	// Journal returns the entries of the real journal.
	Journal(ctx context.Context) ([]journal.Entry, error)
}

// A Scenario is a run, and what happens to it.
type Scenario struct {
	Name    string
	Profile string
	// World is what the world is like before; nil: as the plan presupposes.
	World func(p migration.Plan, w *fake.World)
	// Faults strike the calls of the ports, counted over the whole run; nil: none.
	Faults func(w *fake.World) []*fault.Injector
	// Then is what people do, one after the other, each when the run rests.
	Then    []Act
	Verdict report.Verdict
	Refused bool // Apply returns an error and writes nothing
}

// An Act is what a person does.
type Act struct {
	World func(p migration.Plan, w *fake.World) // in the world, first; nil: nothing
	Verb  string                                // hold, release, resolve, resume or rollback
	Env   string
	// NotDone is what was found where it is in doubt whether something was done.
	NotDone bool
	Fails   bool // the verb is refused
}

// Whole stands for the whole infrastructure in an Act.
const Whole = journal.Infrastructure

// Plan returns the plan of a scenario: Production, Quality, Development and
// LifeTime, one environment under way at a time, so that there is one order in
// which everything happens.
func (s Scenario) Plan() migration.Plan {
	env := func(name string, kind environment.Kind, letter string) environment.Environment {
		return environment.Environment{Name: name, Kind: kind, ServiceCenter: "https://" + strings.ToLower(name) + ".example.test",
			Serial: license.SerialNumber(strings.TrimSuffix(strings.Repeat(strings.Repeat(letter, 3)+"-", 8), "-"))}
	}
	source, _ := license.ParseActivationCode("SRC.P4R.1TY.A7Q.Z2W.X9E.C3R.AOU")
	target, _ := license.ParseActivationCode("TGT.P4R.1TY.B8P.L5M.V6T.D1Y.BOU")
	p := migration.Plan{
		Infrastructure: environment.Infrastructure{Name: "Parity " + s.Name, Environments: []environment.Environment{
			env("Production", environment.Production, "P"), env("Quality", environment.Quality, "Q"),
			env("Development", environment.Development, "D"), env("LifeTime", environment.LifeTime, "L"),
		}},
		Source: source, Target: target, Profile: s.Profile, Module: fake.TestModule, MinCopies: 1,
		Accept: map[string][]license.IPP{}, MaxInFlight: map[string]int{},
	}
	found, _ := migration.FindProfile(s.Profile)
	for _, leg := range found.Legs {
		p.MaxInFlight[leg.Name] = 1
		switch {
		case !leg.Verifies():
		case leg.Role == license.Source:
			p.Accept[leg.Name] = []license.IPP{license.Ignore}
		default:
			p.Accept[leg.Name] = []license.IPP{license.Protected, license.Unprotected}
		}
	}
	return p
}

// A Stage is where a scenario is played once.
type Stage struct {
	World  *fake.World
	Ports  adapters.Set // of the world, faults included: they are counted, so these are for the whole scenario
	faults []*fault.Injector
}

// NewStage returns what the scenario begins with.
func (s Scenario) NewStage() *Stage {
	p := s.Plan()
	st := &Stage{World: fake.New(p.Infrastructure, p.Source, p.Target)}
	if s.World != nil {
		s.World(p, st.World)
	}
	if s.Faults != nil {
		st.faults = s.Faults(st.World)
	}
	st.Ports = fault.Wrap(st.World.Set(), st.faults...)
	return st
}

// Play plays the scenario on a host whose run is over the stage, and returns
// everything that is not as it says.
func (s Scenario) Play(ctx context.Context, h Host, st *Stage) (wrong []string) {
	verdict, err := h.Apply(ctx)
	if s.Refused != (err != nil) {
		wrong = append(wrong, fmt.Sprintf("apply: %v", err))
	}
	for i, act := range s.Then {
		if act.World != nil {
			act.World(s.Plan(), st.World)
		}
		switch act.Verb {
		case "":
			continue
		case "hold":
			err = h.Hold(ctx, act.Env, "ada", "a look")
		case "release":
			err = h.Release(ctx, act.Env, "ada", "looked")
		case "resolve":
			err = h.Resolve(ctx, act.Env, migration.Resolution{By: "ada", Evidence: "looked", NotDone: act.NotDone})
		case "resume":
			verdict, err = h.Resume(ctx)
		case "rollback":
			verdict, err = h.RollBack(ctx, "ada", "changed our minds")
		default:
			err = fmt.Errorf("nobody knows the verb %q", act.Verb)
		}
		if act.Fails != (err != nil) {
			wrong = append(wrong, fmt.Sprintf("%d. %s %s: %v", i+1, act.Verb, act.Env, err))
		}
	}
	if !s.Refused && verdict != s.Verdict {
		wrong = append(wrong, fmt.Sprintf("the verdict is %s, not %s", verdict, s.Verdict))
	}
	for _, f := range st.faults {
		if !f.Hit() {
			wrong = append(wrong, fmt.Sprintf("the fault never struck: %v", f))
		}
	}
	return wrong
}

// number is how a fault numbers calls: a host may make one more.
var number = regexp.MustCompile(`fault: call [0-9]+`)

// date is a time as it is written in journals.
var date = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[-+][0-9:]+)`)

// Comparable returns the entries as lines that are equal on every host: without
// times, without what a host says of itself, and with what belongs together on
// the way back, where all environments are under way at once, side by side: the
// lines of each environment are in order, and all others are.
func Comparable(entries []journal.Entry) ([]string, error) {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b journal.Entry) int { return strings.Compare(group(a), group(b)) })
	lines := make([]string, len(entries))
	for i, e := range entries {
		e.Seq = 0
		if e.Opened != nil {
			o := *e.Opened
			o.Host, o.User = "", ""
			e.Opened = &o
		}
		b, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		lines[i] = number.ReplaceAllString(date.ReplaceAllString(string(b), "(time)"), "fault: call (n)")
	}
	return lines, nil
}

// group is the same for entries whose order matters.
func group(e journal.Entry) string {
	if e.Env == journal.Infrastructure || !strings.HasPrefix(e.Table, "rollback/") {
		return ""
	}
	return e.Env
}
