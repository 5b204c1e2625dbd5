package simulate

import (
	"context"
	"fmt"

	"github.com/changeover-go/changeover"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration"
	"github.com/changeover-go/changeover/migration/journal"
	"github.com/changeover-go/changeover/rollback"
)

// help lets a person do, between two processes, what the run waits for: look,
// remove the cause, and say what was found and done. While the faults last,
// the person sometimes removes nothing.
func (r *run) help(ctx context.Context) {
	record, err := journal.Replay(r.disk.Read(ctx))
	if err != nil {
		r.fail("the journal cannot be replayed: %v", err)
		return
	}
	line, _ := record.Standing(journal.Infrastructure)
	back := line.Table == rollback.InfrastructureTable().ID
	if r.world.UnderWay() && (r.calm || r.rng.IntN(2) == 0) {
		r.world.Wait(r.lab.window)
	}
	for _, at := range record.Standings {
		if len(r.failures) > 0 {
			return
		}
		if r.tired(at) && !back {
			r.rollBack(ctx)
			return
		}
		r.attend(ctx, at, back)
	}
}

// tired reports whether the same thing was attended to before, without
// success, so that it is time to go back.
func (r *run) tired(at journal.Standing) bool {
	if !r.calm || at.Hold == nil && at.State != string(migration.NeedsSupport) {
		return false
	}
	what := at.Env + " " + at.State
	if at.Hold != nil {
		what += " " + string(at.Hold.Kind)
	}
	if r.acts == nil {
		r.acts = map[string]int{}
	}
	r.acts[what]++
	return r.acts[what] > 2
}

// attend does what one environment, or the infrastructure, waits for.
func (r *run) attend(ctx context.Context, at journal.Standing, back bool) {
	careful := r.calm || r.rng.IntN(4) > 0
	number := r.number(at.Env)
	mend := func() {
		if careful {
			r.world.Mend(number)
		}
	}
	resolution := migration.Resolution{By: "tester", Evidence: "looked, and did what was needed"}
	switch {
	case at.Hold == nil && at.State == string(migration.NeedsSupport) && at.Env != journal.Infrastructure:
		mend()
		if careful && back {
			r.set(at, number, back)
		}
		r.resolve(ctx, at.Env, resolution, resolvedOther)
	case at.Hold == nil && back && at.Env == journal.Infrastructure && at.State == string(rollback.RestoredUntested):
		r.resolve(ctx, at.Env, resolution, resolvedOther)
	case at.Hold == nil:
	case at.Hold.Kind == journal.HoldOperator:
		r.count(verbRelease)
		r.act(ctx, "release "+at.Env, func(ctx context.Context, c *changeover.Changeover) error {
			return c.Release(ctx, at.Env, "tester", "seen")
		})
	case at.Hold.Kind == journal.HoldApproval, at.Hold.Kind == journal.HoldUnavailable:
		mend() // resume tries and asks again
	case at.Hold.Kind == journal.HoldInDoubt:
		r.clear(ctx, at, resolution)
	default:
		mend()
		if careful {
			r.set(at, number, back)
		}
		r.resolve(ctx, at.Env, resolution, resolvedOther)
	}
}

// set puts the license where it should be, by hand.
func (r *run) set(at journal.Standing, number int, back bool) {
	if number < 0 {
		role := license.Source
		switch at.State {
		case string(migration.Moved), string(migration.Swept), string(migration.Completed):
			if !back {
				role = r.final
			}
		case string(migration.CaseOpen), string(migration.CaseNeeded), string(migration.Cleared):
			return // the environments may be anywhere
		}
		r.put(role)
		return
	}
	role := license.Source
	if at.Leg != "" && !back {
		switch leg := r.leg(at.Leg); at.State {
		case string(migration.Uploaded), string(migration.IPVerified), string(migration.Republished):
			role = leg
		}
	}
	if r.world.Installed(number) != role {
		r.world.Install(number, role)
	}
}

// put installs the license of that role everywhere.
func (r *run) put(role license.Role) {
	for i := range r.plan.Infrastructure.Environments {
		if r.world.Installed(i) != role {
			r.world.Install(i, role)
		}
	}
}

func (r *run) leg(name string) license.Role {
	profile, _ := migration.FindProfile(r.plan.Profile)
	for _, leg := range profile.Legs {
		if leg.Name == name {
			return leg.Role
		}
	}
	return license.Source
}

// clear ends a doubt: the person has looked. A registration is never said not
// to have been done unless that is so, since the procedure cannot bear it; of
// all else it can, and now and then the person is mistaken.
func (r *run) clear(ctx context.Context, at journal.Standing, resolution migration.Resolution) {
	number := r.number(at.Env)
	how := resolvedDone
	switch at.Effect {
	case "registerSerial":
		if r.world.UnderWay() {
			r.world.Wait(r.lab.window) // it shows after a while, or not at all
		}
		if !r.world.Registered(number) {
			resolution.NotDone, how = true, resolvedNotDone
		}
		if r.world.UnderWay() {
			return // too early to say
		}
	default:
		role := license.Source
		if r.leg(at.Leg) == license.Target {
			role = license.Target
		}
		if number < 0 || r.world.Installed(number) != role {
			resolution.NotDone, how = true, resolvedNotDone
		}
		if !r.calm && r.rng.IntN(4) == 0 {
			resolution.NotDone, how = !resolution.NotDone, resolvedMistaken
		}
		if r.calm && number >= 0 {
			r.world.Mend(number)
		}
	}
	r.resolve(ctx, at.Env, resolution, how)
}

func (r *run) resolve(ctx context.Context, env string, resolution migration.Resolution, how happening) {
	r.count(how)
	r.act(ctx, fmt.Sprintf("resolve %s, not done %v", env, resolution.NotDone), func(ctx context.Context, c *changeover.Changeover) error { return c.Resolve(ctx, env, resolution) })
}
