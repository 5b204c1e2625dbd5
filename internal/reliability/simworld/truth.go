package simworld

import (
	"fmt"
	"time"

	"github.com/changeover-go/changeover/license"
)

// Installed says whose license an environment really has, if it is good for
// its server; [license.None] if there is none, and [license.Other] if it is of
// a third code or for another server.
func (w *World) Installed(env int) license.Role {
	s := &w.envs[env]
	switch {
	case s.cur.role == "":
		return license.None
	case s.cur.serial != s.serial:
		return license.Other
	}
	return s.cur.role
}

// Excused reports whether the environment was changed, after it was read last,
// in a way that nobody promises to notice: by somebody's hand, or by a request
// that was answered for longer than the settling time.
func (w *World) Excused(env int) bool { return w.envs[env].excused }

// Registered reports whether the serial number of an environment is registered
// under the target code.
func (w *World) Registered(env int) bool { return w.envs[env].registered[license.Target] }

// Paused reports whether deployments to an environment are paused by the run,
// and whether they are paused at all.
func (w *World) Paused(env int) (byRun, atAll bool) {
	s := &w.envs[env]
	return s.paused && s.byRun, s.paused
}

// UnderWay reports whether something that was sent may still be done.
func (w *World) UnderWay() bool { return len(w.pending) > 0 }

// Mend removes what keeps an environment, or with a negative number the
// infrastructure, from going on: what stays until somebody mends it, missing
// slots, broken modules, another serial number, damaged backups.
func (w *World) Mend(env int) {
	kept := w.stuck[:0]
	for _, s := range w.stuck {
		if s.env != env && s.env >= 0 && env >= 0 {
			kept = append(kept, s)
		}
	}
	w.stuck = kept
	for i := range w.backups {
		w.backups[i].stored.Copies = max(w.backups[i].stored.Copies, copies)
	}
	for i := range w.envs {
		if s := &w.envs[i]; env < 0 || env == i {
			s.serial = s.Environment.Serial
			s.registered[license.Source] = true
		}
	}
	if w.Tell != nil {
		w.Tell("the person mends " + w.name(env))
	}
}

// Install lets a person install a good license of that role by hand.
func (w *World) Install(env int, role license.Role) {
	s := &w.envs[env]
	if w.Tell != nil {
		w.Tell(fmt.Sprintf("the person installs the %s license in %s", role, s.Name))
	}
	w.install(s, w.good(s, role, 1), 0, false)
	s.excused = true
}

// Now is how much time went by in the world.
func (w *World) Now() time.Duration { return w.now }

// mixed says which environments do not have the license that the others have,
// leaving out those that nobody can know of; empty: none.
func (w *World) mixed() string {
	var first license.Role
	for i := range w.envs {
		if w.envs[i].excused {
			continue
		}
		switch is := w.Installed(i); {
		case first == "":
			first = is
		case is != first:
			return fmt.Sprintf("%s has the license of %q, and others that of %q", w.envs[i].Name, is, first)
		}
	}
	return ""
}
