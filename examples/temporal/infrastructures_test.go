package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/adapters/fake"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/environment"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/report"
)

// An infrastructure is one that a test moves, and what comes of it in one
// process to which nothing happens.
type infrastructure struct {
	plan    migration.Plan
	world   func() *fake.World
	verdict report.Verdict
	effects []fake.Effect
	bytes   int64 // of the journal
}

// infrastructures returns n of them, of every profile: most can be moved, one
// in five meets an intellectual property error, if it gets so far, and in one
// of five a serial number is missing.
func infrastructures(t *testing.T, n int) []*infrastructure {
	t.Helper()
	all := make([]*infrastructure, n)
	for i := range all {
		plan := planOf(t, fmt.Sprintf("Infrastructure %02d", i), []string{migration.RefreshAndMove, migration.Published, migration.AsWritten}[i%3])
		all[i] = &infrastructure{plan: plan, world: func() *fake.World {
			w := fake.New(plan.Infrastructure, plan.Source, plan.Target)
			switch i % 5 {
			case 3:
				name := plan.Infrastructure.Environments[i%4].Name
				w.SetIPP(plan.Target, name, license.Protected)
				w.MarkModule(name, plan.Module, plan.Source)
			case 4:
				w.DropSerial(plan.Source, plan.Infrastructure.Environments[i%4].Name)
			}
			return w
		}}
		all[i].move(t)
	}
	return all
}

func planOf(t *testing.T, name, profile string) migration.Plan {
	t.Helper()
	f, err := os.Open("plan.json")
	require.NoError(t, err)
	defer f.Close()
	plan, err := migration.ReadPlan(f)
	require.NoError(t, err)
	plan.Infrastructure.Name, plan.Profile = name, profile
	followed, ok := migration.FindProfile(profile)
	require.True(t, ok)
	plan.MaxInFlight, plan.Accept = nil, map[string][]license.IPP{}
	for _, leg := range followed.Legs {
		switch {
		case !leg.Verifies():
		case leg.Role == license.Source:
			plan.Accept[leg.Name] = []license.IPP{license.Ignore}
		default:
			plan.Accept[leg.Name] = []license.IPP{license.Protected, license.Unprotected}
		}
	}
	return plan
}

// move moves the infrastructure in this process.
func (inf *infrastructure) move(t *testing.T) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "journal")
	store, err := filejournal.Open(dir, nil)
	require.NoError(t, err)
	defer store.Close()
	w := inf.world()
	c, err := changeover.New(inf.plan, w.Set(), store, &changeover.Options{Clock: new(fake.Clock)})
	require.NoError(t, err)
	r, err := c.Apply(t.Context())
	require.NoError(t, err)
	inf.verdict, inf.effects = r.Verdict, w.Effects()
	inf.bytes = journalBytes(dir)
	require.Empty(t, laws(inf.plan, inf.effects, inf.verdict))
}

func journalBytes(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		return 0
	}
	return info.Size()
}

// put puts the infrastructure where workers find it, and returns the place.
func (inf *infrastructure) put(state string) (string, error) {
	dir, err := (&workerVerb{state: state}).place(inf.plan)
	if err != nil {
		return "", err
	}
	return dir, (&keeper{dir: dir, world: inf.world()}).keep()
}

// judge returns everything that is not as it is when nothing happens.
func (inf *infrastructure) judge(ctx context.Context, state string, verdict report.Verdict) (wrong []string) {
	say := func(format string, args ...any) {
		wrong = append(wrong, inf.plan.Infrastructure.Name+": "+fmt.Sprintf(format, args...))
	}
	if verdict != inf.verdict {
		say("the verdict is %q, not %q", verdict, inf.verdict)
	}
	dir, err := (&workerVerb{state: state}).place(inf.plan)
	if err != nil {
		return append(wrong, err.Error())
	}
	k := &keeper{dir: dir, world: inf.world(), fatal: func(err error) { say("%v", err) }}
	k.enter()
	defer k.leave()
	effects := k.world.Effects()
	for _, env := range inf.plan.Infrastructure.Environments {
		if got, want := done(effects, env.Name), done(inf.effects, env.Name); !slices.Equal(got, want) {
			say("in %s was done\n  %s\nand not\n  %s", env.Name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	for _, broken := range laws(inf.plan, effects, verdict) {
		say("%s", broken)
	}
	store, err := filejournal.Open(filepath.Join(dir, "journal"), nil)
	if err != nil {
		say("%v", err)
		return wrong
	}
	defer store.Close()
	c, err := changeover.New(inf.plan, k.world.Set(), store, nil)
	if err != nil {
		say("%v", err)
		return wrong
	}
	if err := c.Verify(ctx); err != nil {
		say("%v", err)
	}
	r, err := c.Status(ctx)
	if err != nil || r.Verdict != inf.verdict {
		say("the journal says something else than %s: %v", inf.verdict, err)
	}
	return wrong
}

// registered is what somebody sees who looks at the portal's page.
func (inf *infrastructure) registered(ctx context.Context, state, name string) (bool, error) {
	dir, err := (&workerVerb{state: state}).place(inf.plan)
	if err != nil {
		return false, err
	}
	k := &keeper{dir: dir, world: inf.world(), fatal: func(fatal error) { err = fatal }}
	k.enter()
	defer k.leave()
	env, _ := inf.plan.Infrastructure.Environment(name)
	if err != nil {
		return false, err
	}
	return k.world.Set().Portal.SerialRegistered(ctx, inf.plan.Target, env)
}

// done is what was changed in an environment, without what is done again when
// nobody knows whether it was done: it changes nothing then.
func done(effects []fake.Effect, env string) (calls []string) {
	for _, e := range effects {
		if e.Environment == env {
			calls = append(calls, fmt.Sprintf("%v %v", e.Call, e.Code))
		}
	}
	return slices.Compact(calls)
}

// laws returns the promises that what was done to an infrastructure breaks.
func laws(plan migration.Plan, effects []fake.Effect, verdict report.Verdict) (broken []string) {
	backedUp, registered, shows := map[string]bool{}, map[string]int{}, map[string]license.ActivationCode{}
	restoring := false
	for i, e := range effects {
		say := func(law string) { broken = append(broken, fmt.Sprintf("%d. %v: %s", i, e, law)) }
		switch e.Method {
		case "Put":
			backedUp[e.Environment] = true
		case "RegisterSerial":
			if registered[e.Environment]++; registered[e.Environment] > 1 {
				say("a serial number is registered at most once")
			}
		case "UploadLicense":
			if !backedUp[e.Environment] {
				say("nothing is uploaded without a backup")
			}
			if e.Code == plan.Target && len(backedUp) < len(plan.Infrastructure.Environments) {
				say("no target license is uploaded before every environment has a backup")
			}
			restoring = restoring || e.Code == plan.Source && shows[e.Environment] == plan.Target
			if restoring && e.Code == plan.Target {
				say("nothing goes forward when the way back has begun")
			}
			shows[e.Environment] = e.Code
		}
	}
	at := func(want license.ActivationCode) {
		for _, env := range plan.Infrastructure.Environments {
			if got, ok := shows[env.Name]; ok && got != want || !ok && want == plan.Target {
				broken = append(broken, fmt.Sprintf("%s, but %s shows %v", verdict, env.Name, got))
			}
		}
	}
	switch verdict {
	case report.Completed:
		if plan.Profile != migration.AsWritten { // which installs no target license
			at(plan.Target)
			break
		}
		at(plan.Source)
	case report.RolledBack, report.Held: // these hold before the gate
		at(plan.Source)
	}
	return broken
}

func TestALawThatIsBrokenIsFound(t *testing.T) {
	plan := planOf(t, "Acme", migration.RefreshAndMove)
	envs := plan.Infrastructure.Environments
	effect := func(env environment.Environment, method string, code license.ActivationCode) fake.Effect {
		return fake.Effect{Call: fake.Call{Method: method, Environment: env.Name}, Code: code}
	}
	var backups, targets []fake.Effect
	for _, env := range envs {
		backups = append(backups, effect(env, "Put", license.ActivationCode{}))
		targets = append(targets, effect(env, "UploadLicense", plan.Target))
	}
	back := effect(envs[0], "UploadLicense", plan.Source)
	for name, c := range map[string]struct {
		effects []fake.Effect
		verdict report.Verdict
		want    string
	}{
		"an upload without a backup":        {[]fake.Effect{back}, report.Held, "without a backup"},
		"a target before all are backed up": {slices.Concat(backups[1:], targets[1:2]), "", "every environment has a backup"},
		"a second registration": {[]fake.Effect{effect(envs[0], "RegisterSerial", plan.Target), effect(envs[0], "RegisterSerial", plan.Target)}, "",
			"at most once"},
		"forward after back":            {slices.Concat(backups, targets[:1], []fake.Effect{back}, targets[1:2]), "", "the way back has begun"},
		"completed with one left":       {slices.Concat(backups, targets[1:]), report.Completed, envs[0].Name + " shows"},
		"rolled back with one that was": {slices.Concat(backups, targets[:1]), report.RolledBack, envs[0].Name + " shows"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, strings.Join(laws(plan, c.effects, c.verdict), "\n"), c.want)
		})
	}
	require.Empty(t, laws(plan, slices.Concat(backups, targets), report.Completed))
	require.Empty(t, laws(plan, slices.Concat(backups, targets[:1], []fake.Effect{back}), report.RolledBack))
}
