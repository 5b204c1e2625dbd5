package enumerate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/changeover-go/changeover/adapters"
	"github.com/changeover-go/changeover/adapters/filejournal"
	"github.com/changeover-go/changeover/adapters/filevault"
	"github.com/changeover-go/changeover/license"
	"github.com/changeover-go/changeover/migration/report"
)

// An ending is what counts of how a run ended: how the world is, and what was
// done to each environment, repeats left out.
type ending struct {
	world   string
	effects string
}

func (r *run) ending() ending {
	var world, effects strings.Builder
	for _, env := range r.plan.Infrastructure.Environments {
		in := r.world.Installed(env.Name)
		fmt.Fprintf(&world, "%s has %v for %s, %s, paused %v\n", env.Name, in.Code, in.Serial, in.IPP, r.world.Paused(env.Name))
		var did []string
		for _, e := range r.world.Effects() {
			if e.Environment != env.Name {
				continue
			}
			if s := e.String(); len(did) == 0 || did[len(did)-1] != s {
				did = append(did, s)
			}
		}
		fmt.Fprintf(&effects, "%s\n", strings.Join(did, "\n"))
	}
	fmt.Fprintf(&world, "%d cases\n", len(r.world.Cases()))
	return ending{world.String(), effects.String()}
}

// judge returns what is wrong with a run that ended. Last of all the power is
// cut: what was said to be so must still be so.
func (r *run) judge(ctx context.Context, want ending) (err error) {
	if err := r.watch.Err(); err != nil {
		return err
	}
	if err := r.world.Err(); err != nil {
		return err
	}
	if got := r.ending(); want != (ending{}) && got != want {
		return fmt.Errorf("JR3: the run ended in another world than without a crash:\n%s%s\nnot\n%s%s", got.world, got.effects, want.world, want.effects)
	}
	r.disk.Cut("none")
	store, err := filejournal.Open(stateDir, &filejournal.Options{Disk: r.disk})
	if err != nil {
		return fmt.Errorf("after the end: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r.watch.Revive()
	rep, err := report.New(r.plan, r.watch.Store(store).Read(ctx)) // compared with what was acknowledged
	if err != nil {
		return fmt.Errorf("after the end: %w", err)
	}
	if rep.Verdict != r.play.verdict {
		return fmt.Errorf("JR6: the run is %s after a power cut, and was %s before", rep.Verdict, r.play.verdict)
	}
	return errors.Join(r.watch.Err(), r.backups(ctx))
}

// backups returns what is missing of the backups that were acknowledged.
func (r *run) backups(ctx context.Context) (err error) {
	v, err := filevault.Open(r.play.vaultDirs(), &filevault.Options{Now: r.clock.Now, Disk: r.disk})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	lists := map[license.SerialNumber][]adapters.Stored{}
	for _, s := range r.stored {
		listed, ok := lists[s.Serial]
		if !ok {
			if listed, err = v.List(ctx, s.Serial); err != nil { // reads every copy
				return fmt.Errorf("BK1: %w", err)
			}
			lists[s.Serial] = listed
		}
		if !slices.ContainsFunc(listed, func(l adapters.Stored) bool {
			return l.Digest == s.Digest && l.Generation == s.Generation && l.Copies >= s.Copies
		}) {
			return fmt.Errorf("BK1: the backup %s of %s was acknowledged with %d copies and is not there: %v", s.Digest.Short(), s.Environment, s.Copies, listed)
		}
	}
	return nil
}
